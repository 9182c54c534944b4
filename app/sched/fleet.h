/*
 * fleet.h: whether most orchestrators failed in the same minute, so that the
 * fault is likely ours (audit method §1.3, 6).
 *
 * A plan declares a window, a minute as a rule, and a share. A failed run is
 * set aside as vantage_suspect when of the orchestrators at which a run ended
 * within half a window of its end, before or after, more than that share
 * failed: all their runs of that time did. Runs that found no room count as
 * answered; those that are excused tell nothing. Fewer than
 * FLEET_ORCHESTRATORS_LEAST orchestrators tell nothing, either.
 *
 * The window is of real time and lies around the end of the run: with a
 * calendar minute the first failures of an outage would be held against the
 * good seconds before it, and a run that failed at its beginning would wait for
 * its close longer than one at its end. So every failed run waits as long, half
 * a window, and one orchestrator that fails often is one all the same.
 *
 * Ends are forgotten between plans and starts of the program; of a run that
 * waits when the program is killed the ledger says that it was interrupted.
 * The counts stand in the ledger's row, where plan_verify holds them against
 * the rule.
 */
#ifndef ASSAY_SCHED_FLEET_H
#define ASSAY_SCHED_FLEET_H

#include "journal/journal.h"

enum { FLEET_ORCHESTRATORS_LEAST = 4 };

struct fleet_end {
    struct text orchestrator_url; /* borrowed */
    int64_t ended_us;             /* monotonic */
    bool failed;
};

struct fleet {
    struct fleet_end *ends; /* in the order in which they came */
    size_t count;
    size_t capacity;
};

/* A run ended with OUTCOME. What ended before KEEP_US is forgotten. */
void fleet_add(struct fleet *fleet, struct text orchestrator_url,
               int64_t ended_us, enum outcome outcome, int64_t keep_us);
void fleet_free(struct fleet *fleet);

struct fleet_view {
    int64_t seen; /* orchestrators */
    int64_t failed;
};

/* Of runs that ended from FROM_US until TO_US, both included. */
struct fleet_view fleet_look(const struct fleet *fleet, int64_t from_us,
                             int64_t to_us);

/* Real ms that a failed run waits by PLAN; 0 where it declares no window. */
int64_t fleet_wait_ms(const struct plan *plan);

/* Whether PLAN declares that a run is set aside of whose window this is seen.
 */
bool fleet_is_suspect(const struct plan *plan, int64_t seen, int64_t failed);

#endif
