/*
 * verify.h: a plan, its revealed seed and its ledger held against one another.
 *
 * Found are: a seed that is not the promised one; an instant, a length or a
 * target that was not drawn; a planned run of which the ledger says nothing, or
 * two things, or that it says before the plan was written down; a run that was
 * begun twice; a prompt that was not drawn; a run that the ledger names and
 * nobody has, that is of something else, or that two rows name; a run under
 * this plan that no row names; a run that is set aside, or is not, against the
 * rule (judgement.h); a row that says another outcome than its run's line, or
 * counts the fleet (fleet.h) in another way than the journal's ends of runs;
 * and every ceiling of the budget that was passed. Pure; any thread.
 */
#ifndef ASSAY_SCHED_VERIFY_H
#define ASSAY_SCHED_VERIFY_H

#include "sched/schedule.h"
#include "sched/workflow.h"

/* Where a run ended, as a row of the ledger told it. */
struct run_end {
    struct text orchestrator_url;
    int64_t ended_at; /* stamp */
    enum outcome measured;
    int64_t seq; /* of the row */
};

struct plan_books {
    const struct plan *plan;
    int64_t plan_seq;    /* of its line in the journal's chain; 0: unknown */
    const uint8_t *seed; /* PLAN_SEED_BYTES; null: not revealed yet */
    /* By target: the set of prompts whose hash the plan holds, null where it
     * is not at hand; null for none of any. */
    const struct prompt_set *const *prompts;
    /* In the order in which they were written. */
    const struct ledger_row *rows;
    size_t row_count;
    const struct run *runs; /* as their lines have them */
    size_t run_count;
    /* Runs of other plans that ended near runs of this one. */
    const struct run_end *others;
    size_t other_count;
    int64_t now; /* stamp: planned runs before it must be decided */
};

struct plan_coverage {
    size_t planned; /* all runs of the plan; 0 without the seed */
    size_t executed;
    size_t skipped;
    size_t undecided;       /* their time has not come */
    size_t prompts_unknown; /* runs whose set of prompts is not at hand */
    size_t skips[SKIP_COUNT];
    size_t set_aside[REASON_COUNT]; /* as vantage_suspect, by the reason */
    size_t findings;
};

/* Tells every finding in a sentence and returns what was counted. */
struct plan_coverage plan_verify(const struct plan_books *books,
                                 void (*finding)(void *context,
                                                 const char *sentence),
                                 void *context);

/* What runs of each UTC day cost, all plans together. */
struct spent_day {
    int64_t day;
    int64_t wei;
    int64_t ceiling_wei; /* the highest of the plans that spent of it */
};
struct spent_days {
    struct spent_day *list; /* to be freed */
    size_t count;
};
void spent_days_add(struct spent_days *days, const struct plan_books *books);

/* How many days are over what any plan of theirs allows; each is told. */
size_t spent_days_check(const struct spent_days *days,
                        void (*finding)(void *context, const char *sentence),
                        void *context);

#endif
