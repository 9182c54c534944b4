/*
 * coverage.h: whether a ledger tested everybody, and at all times.
 *
 * Starved is who had planned runs, of which none was executed, though not for
 * reasons of its own (busy, no capacity) alone.
 *
 * Cards: those that were told are named in the plan. A run is of a card only
 * where its orchestrator told one alone for the model, when it was planned or
 * when it was asked; which of several served it no message says, and none can
 * be asked for. Their runs count for all of them together: the plan gives a
 * model with more cards as many more runs.
 *
 * Hours: under a plan the instants of a target's runs are uniform over it, so
 * an hour of the week should hold as many planned runs as its share of the
 * plans' time says. Pearson's chi-square holds what was executed against that;
 * hours are joined until each part expects five runs, and the number executed
 * is taken as given. Strata spread runs more evenly than chance would, which
 * makes the test lenient towards plans and no less sharp towards what was left
 * out. Even is p >= 0.01.
 */
#ifndef ASSAY_SCHED_COVERAGE_H
#define ASSAY_SCHED_COVERAGE_H

#include "sched/verify.h"

enum { HOURS_PER_WEEK = 168 };

struct coverage;

struct coverage *coverage_new(void);
void coverage_free(struct coverage *coverage);

/* One plan with its ledger and its runs, which know GPUs that the plan could
 * not tell apart. Only what lies before BOOKS->now is counted. */
void coverage_add(struct coverage *coverage, const struct plan_books *books);

/* Runs of an orchestrator, or of a GPU. */
struct coverage_count {
    struct text name;
    int64_t executed;
    int64_t skipped;
    int64_t skipped_by_it; /* of those: busy, or no capacity */
};

struct coverage_report {
    int64_t executed;
    int64_t skipped;
    size_t orchestrators;
    size_t gpus;        /* with planned runs of their own */
    size_t gpus_told;   /* named by orchestrators, those among them */
    size_t gpus_shared; /* of the told: with runs that may be another's */
    size_t gpus_unseen; /* of the told: with no executed run that may be its */
    size_t starved;     /* orchestrators and GPUs */
    int64_t least; /* executed runs of an orchestrator that is not starved */
    int64_t most;
    int64_t hours[HOURS_PER_WEEK]; /* executed, from Monday 00:00 UTC */
    size_t parts;                  /* that the test compares */
    double chi_square; /* NaN where there are fewer than two parts */
    double p;
    bool even; /* or too little to say */
};

void coverage_report(const struct coverage *coverage,
                     struct coverage_report *report);

/* Told cards that no executed run may have been of, by number; null behind the
 * last one. */
const struct coverage_count *coverage_unseen(const struct coverage *coverage,
                                             size_t number);

/* Who is starved, by number; null behind the last one. */
const struct coverage_count *coverage_starved(const struct coverage *coverage,
                                              size_t number);

#endif
