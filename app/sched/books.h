/*
 * books.h: plans, seeds and the ledger in the store. Everything here runs on
 * the writer's thread (store_work), except open_plan_free and
 * open_plan_decide.
 */
#ifndef ASSAY_SCHED_BOOKS_H
#define ASSAY_SCHED_BOOKS_H

#include "sched/budget.h"
#include "sched/fleet.h"
#include "sched/planner.h"
#include "store/store.h"

/* A run that ended and is not judged. */
struct waiting_run {
    size_t number;
    struct ledger_row row;
};

/* A plan that is carried out. */
struct open_plan {
    struct arena arena;
    struct plan plan;
    char hash[2 * SHA256_BYTES + 1];
    uint8_t seed[PLAN_SEED_BYTES];
    struct planned_run *runs; /* all of it, by due_at */
    bool *decided;            /* in the order of RUNS: the ledger has a row */
    struct waiting_run *waiting; /* when it was opened */
    size_t waiting_count;
    size_t count;
    size_t first_open; /* those before it are decided */
    struct budget *budget;
};

void open_plan_free(struct open_plan *open);

/* Run NUMBER is decided. */
void open_plan_decide(struct open_plan *open, size_t number);

/*
 * At a start, and whenever a plan is over: brings the books up to NOW.
 *
 * Of plans whose time is over, runs that are not decided become skipped for
 * LATE, those that had begun become interrupted, and the seed is revealed;
 * unless some of its runs ended and are not judged: then it is opened until
 * they are. Else the plan that NOW falls into is opened, its runs that had
 * begun become interrupted; null where there is none. Plans of later times are
 * left alone. May be done again after a failure, and after any interruption.
 */
struct books_turn {
    int64_t now;
    int64_t fleet_stamps; /* how far back ends of runs are wanted, at least */
    bool goes_on; /* take the latest stamp that was ever given for NOW */
    enum skip late;
    /* What comes out. */
    struct open_plan *open;
    int64_t last_stamp;              /* ever given, 0 for none */
    struct fleet ends;               /* of any plan, by what was measured */
    struct evidence_counts evidence; /* of the last week */
};
enum err books_turn(void *turn, struct store *store);

/* Writes PLAN down, and its seed, and opens it. */
struct books_plan {
    const struct plan *plan;
    const uint8_t *seed;
    int64_t now;
    struct open_plan *open; /* what comes out */
};
enum err books_add_plan(void *adding, struct store *store);

/* A row of the ledger for run NUMBER of OPEN, all else absent. Its texts live
 * as long as the plan. */
struct ledger_row books_row(const struct open_plan *open, size_t number,
                            int64_t now);

#endif
