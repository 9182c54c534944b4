/*
 * fleet.h: how many orchestrators failed in the same minute (audit method §1.3,
 * 6): the ends of runs, and what is seen of them around one.
 *
 * A plan declares a window, a minute as a rule, and a share; judgement.h says
 * what follows. Of the orchestrators at which a run ended within half a window
 * of an instant, before or after, those have failed all of whose runs of that
 * time did. Runs that found no room count as answered; those that are excused
 * tell nothing.
 *
 * The window is of real time, told in stamps, and lies around the end of the
 * run: with a calendar minute the first failures of an outage would be held
 * against the good seconds before it, and a run that ended at its beginning
 * would wait for its close longer than one at its end. So every run waits as
 * long, half a window, and one orchestrator that fails often is one all the
 * same.
 *
 * The driver counts while it measures; plan_verify counts again what the
 * journal has, by the same stamps, and knows by the journal's order which ends
 * had been seen when a run was judged. So both count the same, whatever a clock
 * did.
 */
#ifndef ASSAY_SCHED_FLEET_H
#define ASSAY_SCHED_FLEET_H

#include "base/index.h"
#include "journal/journal.h"

struct fleet_end {
    int64_t ended_at; /* stamp */
    int64_t seq;      /* of the journal; 0 where it does not matter */
    size_t number;    /* of the orchestrator */
    bool failed;
};

struct fleet {
    struct text_index urls; /* of orchestrators, by number */
    struct fleet_end *ends; /* by time */
    size_t count;
    size_t capacity;
    uint64_t *marks; /* by number: in which look, and how, it was seen last */
    size_t mark_count;
    uint64_t looks;
};

/* Whether a run of this outcome tells something of its orchestrator. */
bool fleet_tells(enum outcome outcome);

/* A run ended; of an outcome that tells nothing, nothing is kept. */
void fleet_add(struct fleet *fleet, struct text orchestrator_url,
               int64_t ended_at, enum outcome outcome, int64_t seq);
void fleet_free(struct fleet *fleet);

struct fleet_view {
    int64_t seen; /* orchestrators */
    int64_t failed;
};

/* Of runs that ended from FROM until TO, both included, and of which the
 * journal told before SEQ. */
struct fleet_view fleet_look(struct fleet *fleet, int64_t from, int64_t to,
                             int64_t seq);

/* Half of PLAN's window in real ms, and in stamps; 0 where it declares none. */
int64_t fleet_wait_ms(const struct plan *plan);
int64_t fleet_wait_stamps(const struct plan *plan);

#endif
