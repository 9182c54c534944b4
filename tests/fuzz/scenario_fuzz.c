/*
 * scenario_fuzz.c: any bytes as a scenario. It is refused exactly where a
 * problem can be named, and one that is taken can be simulated: every number
 * lies in its range.
 */
#include "sim/scenario.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void check(bool holds)
{
    if (!holds)
        abort();
}

static void check_behaviour(const struct behaviour *behaviour)
{
    check(behaviour->name && behaviour->model && behaviour->nodes);
    check(behaviour->count == 1);
    check(behaviour->slots >= 0 && behaviour->price_wei >= 0);
    check(behaviour->failure_rate >= 0 && behaviour->failure_rate <= 1);
    check(behaviour->fps.mean >= 0 && behaviour->fps.mean <= 240);
    check(!behaviour->freeze_every_ms ||
          behaviour->freeze_length_ms < behaviour->freeze_every_ms);
    for (size_t i = 0; i < behaviour->outage_count; i++)
        check(behaviour->outages[i].from_ms < behaviour->outages[i].to_ms);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct scenario scenario;
    enum err err =
        scenario_load_bytes(&scenario, "fuzz", (const char *)bytes, length);
    check((err != ERR_NONE) == (scenario.problems.count != 0));
    check(err != ERR_NONE || scenario.orchestrator_count > 0);
    for (size_t i = 0; !err && i < scenario.orchestrator_count; i++)
        check_behaviour(&scenario.orchestrators[i]);
    scenario_free(&scenario);
    return 0;
}
