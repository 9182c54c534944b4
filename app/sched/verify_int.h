/*
 * verify_int.h: what the files of verifying share. Private to this room.
 */
#ifndef ASSAY_SCHED_VERIFY_INT_H
#define ASSAY_SCHED_VERIFY_INT_H

#include "base/index.h"
#include "sched/fleet.h"
#include "sched/verify.h"

struct check {
    const struct plan_books *books;
    struct plan_coverage coverage;
    void (*finding)(void *context, const char *sentence);
    void *context;
    struct text plan_hash;            /* hex */
    struct text_index keys;           /* of planned runs */
    const struct ledger_row **latest; /* by number of the key */
    struct text_index run_ids;        /* of runs under this plan */
    const struct run **runs;          /* by number of the run_id */
    bool *named;                      /* by a row */
    struct fleet fleet;               /* ends of runs, of other plans, too */
};

/* Counts a finding and tells it. */
void PRINTF_LIKE(2, 3)
    verify_complain(struct check *check, const char *format, ...);

/* Every ceiling that runs of the plan passed. */
void verify_budget(struct check *check);

#endif
