/*
 * fleet.c: see fleet.h.
 *
 * Ends come nearly in order and are kept in order, so that a window is found by
 * halving; who was seen in it is marked by the number of the look.
 */
#include "sched/fleet.h"

#include "base/clock.h"
#include "sched/clock_watch.h"

#include <stdlib.h>
#include <string.h>

bool fleet_tells(enum outcome outcome)
{
    return outcome == OUTCOME_OK || outcome == OUTCOME_FAILED ||
           outcome == OUTCOME_BUSY;
}

/* Of the first end at AT or later. */
static size_t place_of(const struct fleet *fleet, int64_t at)
{
    size_t low = 0;
    size_t high = fleet->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (fleet->ends[middle].ended_at < at)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static size_t number_of(struct fleet *fleet, struct text url)
{
    size_t number = text_index_add(&fleet->urls, url, NULL);
    if (number >= fleet->mark_count) {
        size_t count = 2 * number + 16;
        fleet->marks =
            memory_resize(fleet->marks, count * sizeof *fleet->marks);
        memset(fleet->marks + fleet->mark_count, 0,
               (count - fleet->mark_count) * sizeof *fleet->marks);
        fleet->mark_count = count;
    }
    return number;
}

void fleet_add(struct fleet *fleet, struct text orchestrator_url,
               int64_t ended_at, enum outcome outcome, int64_t seq)
{
    if (!fleet_tells(outcome))
        return;
    if (fleet->count == fleet->capacity) {
        fleet->capacity = 2 * fleet->capacity + 16;
        fleet->ends =
            memory_resize(fleet->ends, fleet->capacity * sizeof *fleet->ends);
    }
    size_t at = place_of(fleet, ended_at);
    memmove(fleet->ends + at + 1, fleet->ends + at,
            (fleet->count - at) * sizeof *fleet->ends);
    fleet->count++;
    fleet->ends[at] =
        (struct fleet_end){ended_at, seq, number_of(fleet, orchestrator_url),
                           outcome == OUTCOME_FAILED};
}

void fleet_free(struct fleet *fleet)
{
    text_index_free(&fleet->urls);
    free(fleet->ends);
    free(fleet->marks);
    *fleet = (struct fleet){.ends = NULL};
}

struct fleet_view fleet_look(struct fleet *fleet, int64_t from, int64_t to,
                             int64_t seq)
{
    struct fleet_view view = {0, 0};
    uint64_t failed = 2 * ++fleet->looks;
    uint64_t answered = failed + 1;
    for (size_t i = place_of(fleet, from);
         i < fleet->count && fleet->ends[i].ended_at <= to; i++) {
        const struct fleet_end *end = &fleet->ends[i];
        uint64_t *mark = &fleet->marks[end->number];
        if (end->seq >= seq)
            continue;
        view.seen += *mark < failed;
        view.failed += *mark < failed && end->failed;
        view.failed -= *mark == failed && !end->failed;
        if (*mark < failed || !end->failed)
            *mark = end->failed ? failed : answered;
    }
    return view;
}

int64_t fleet_wait_ms(const struct plan *plan)
{
    return plan->fleet_window_ms == ABSENT_INT ? 0 : plan->fleet_window_ms / 2;
}

int64_t fleet_wait_stamps(const struct plan *plan)
{
    return stamps_of(fleet_wait_ms(plan), plan->hour_ms);
}
