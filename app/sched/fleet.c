/*
 * fleet.c: see fleet.h.
 *
 * A window holds few runs, so it is gone through anew for each that failed.
 */
#include "sched/fleet.h"

#include "base/index.h"

#include <stdlib.h>
#include <string.h>

static void forget(struct fleet *fleet, int64_t keep_us)
{
    size_t past = 0;
    while (past < fleet->count && fleet->ends[past].ended_us < keep_us)
        past++;
    if (!past)
        return;
    fleet->count -= past;
    memmove(fleet->ends, fleet->ends + past,
            fleet->count * sizeof *fleet->ends);
}

void fleet_add(struct fleet *fleet, struct text orchestrator_url,
               int64_t ended_us, enum outcome outcome, int64_t keep_us)
{
    forget(fleet, keep_us);
    if (outcome != OUTCOME_OK && outcome != OUTCOME_FAILED &&
        outcome != OUTCOME_BUSY)
        return;
    if (fleet->count == fleet->capacity) {
        fleet->capacity = 2 * fleet->capacity + 16;
        fleet->ends =
            memory_resize(fleet->ends, fleet->capacity * sizeof *fleet->ends);
    }
    fleet->ends[fleet->count++] = (struct fleet_end){orchestrator_url, ended_us,
                                                     outcome == OUTCOME_FAILED};
}

void fleet_free(struct fleet *fleet)
{
    free(fleet->ends);
    *fleet = (struct fleet){.ends = NULL};
}

struct fleet_view fleet_look(const struct fleet *fleet, int64_t from_us,
                             int64_t to_us)
{
    struct text_index seen = {0};
    struct text_index answered = {0};
    for (size_t i = 0; i < fleet->count; i++) {
        const struct fleet_end *end = &fleet->ends[i];
        if (end->ended_us < from_us || end->ended_us > to_us)
            continue;
        text_index_add(&seen, end->orchestrator_url, NULL);
        if (!end->failed)
            text_index_add(&answered, end->orchestrator_url, NULL);
    }
    struct fleet_view view = {(int64_t)seen.count,
                              (int64_t)(seen.count - answered.count)};
    text_index_free(&seen);
    text_index_free(&answered);
    return view;
}

int64_t fleet_wait_ms(const struct plan *plan)
{
    return plan->fleet_window_ms == ABSENT_INT ? 0 : plan->fleet_window_ms / 2;
}

bool fleet_is_suspect(const struct plan *plan, int64_t seen, int64_t failed)
{
    return fleet_wait_ms(plan) && seen != ABSENT_INT && failed != ABSENT_INT &&
           seen >= FLEET_ORCHESTRATORS_LEAST &&
           (__int128)failed * 1000000 > (__int128)seen * plan->fleet_fail_ppm;
}
