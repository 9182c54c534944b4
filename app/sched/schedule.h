/*
 * schedule.h: when the runs of a plan are, and how many each target gets.
 *
 * In every stratum of a target lies one run, at an instant that nobody can know
 * before and everybody can check afterwards: instant, length and prompt follow
 * from the plan and its secret seed (audit method §1.3).
 *
 * Pure: no clock, no chance, no store; any thread.
 */
#ifndef ASSAY_SCHED_SCHEDULE_H
#define ASSAY_SCHED_SCHEDULE_H

#include "journal/journal.h"

/* ---- the schedule -------------------------------------------------------- */

/* Past its instant by so much a run has not begun at its instant. */
enum { PLAN_LATE_MS = 5000 };

struct planned_run {
    size_t target; /* place among the plan's targets */
    int64_t stratum;
    int64_t due_at; /* ms since 1970 */
    int64_t run_ms; /* how long it takes */
    int64_t prompt; /* place in the prompt set */
};

/* The run of one stratum: HMAC-SHA256 under the seed of (plan hash, target,
 * stratum number), whose words choose instant, length and prompt. */
struct planned_run plan_draw(const struct plan *plan,
                             const uint8_t hash[SHA256_BYTES],
                             const uint8_t seed[PLAN_SEED_BYTES], size_t target,
                             int64_t stratum);

/* All runs of the plan by due_at, then target. In ARENA. */
struct planned_run *plan_schedule(struct arena *arena, const struct plan *plan,
                                  const uint8_t seed[PLAN_SEED_BYTES],
                                  size_t *count);

/* What tells the run of one stratum of TARGET from all others, in OUT; and the
 * same of the run that ROW is about. */
struct text planned_key(struct buf *out, const struct plan_target *target,
                        int64_t stratum);
struct text ledger_key(struct buf *out, const struct ledger_row *row);

/* What tells the idle capacity of one model at an orchestrator from all others
 * in hour HOUR: targets share it whose workflows run the same model. */
struct text capacity_key(struct buf *out, struct text orchestrator_url,
                         struct text model_id, int64_t hour);

/* Whether SEED is the one whose hash the plan holds. */
bool plan_is_of_seed(const struct plan *plan,
                     const uint8_t seed[PLAN_SEED_BYTES]);

/* ---- how many runs for whom ---------------------------------------------- */

/* What is known of a target when a plan is made. */
struct plan_demand {
    int64_t evidence; /* runs of late: who has fewer comes first */
    int64_t most;     /* runs that its own budget allows in the plan */
    int64_t cards;    /* that its runs spread over, at least 1 */
};

/*
 * Sets the strata of COUNT targets, TOTAL at the most: one run after another
 * goes to whoever has the least evidence for each of its cards, counting what
 * was given, and room for more. Of equals the one with the lower number goes
 * first.
 */
void plan_allot(const struct plan_demand *demands, size_t count, int64_t total,
                int64_t *strata);

/* Runs of mean length that IDLE_SLOTS allow in the whole span of PLAN. */
int64_t plan_runs_within_budget(const struct plan *plan, int64_t idle_slots);

#endif
