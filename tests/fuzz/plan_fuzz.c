/*
 * plan_fuzz.c: any bytes as a plan. It is refused with a sentence, or it has
 * the same hash once it was written and read again.
 */
#include "sched/schedule.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool read_plan(struct arena *arena, const char *bytes, size_t length,
                      struct plan *plan)
{
    return !plan_read(arena, json_parse(arena, bytes, length), plan);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct arena arena;
    struct plan plan;
    struct plan again;
    uint8_t hash[SHA256_BYTES];
    uint8_t hash_again[SHA256_BYTES];
    if (read_plan(&arena, (const char *)data, size, &plan)) {
        struct buf json = {0};
        buf_add_byte(&json, '{');
        plan_write(&json, &plan);
        buf_add_byte(&json, '}');
        plan_hash(&plan, hash);
        if (!read_plan(&arena, json.data, json.length, &again))
            abort();
        plan_hash(&again, hash_again);
        if (memcmp(hash, hash_again, sizeof hash) != 0)
            abort();
        buf_free(&json);
        static const uint8_t seed[PLAN_SEED_BYTES];
        for (size_t i = 0; i < plan.target_count; i++)
            if (plan.targets[i].strata) {
                struct planned_run run = plan_draw(&plan, hash, seed, i, 0);
                if (run.due_at < plan.starts_at || run.due_at >= plan.ends_at)
                    abort();
            }
    }
    arena_clear(&arena);
    return 0;
}
