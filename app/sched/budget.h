/*
 * budget.h: whether a run may begin now, by what the plan allows.
 *
 * Four ceilings, each held by what has happened and by what the run may take at
 * the most: the share of the idle capacity that the target's model has at its
 * orchestrator in this hour, the run time of all runs of this hour, runs at
 * once, and wei of the UTC day. Idle capacity of an hour is the least that was
 * seen idle in it, counted over the whole hour; a target of unknown capacity
 * counts as one idle slot.
 *
 * The books are those of the ledger: budget_count over its rows gives the same
 * budget again after a restart. Pure: stamps come in, no clock; one thread.
 */
#ifndef ASSAY_SCHED_BUDGET_H
#define ASSAY_SCHED_BUDGET_H

#include "sched/schedule.h"

struct budget;

/* PLAN is borrowed as long as the budget lives. */
struct budget *budget_new(const struct plan *plan);
void budget_free(struct budget *budget);

struct budget_request {
    size_t target;
    int64_t now;    /* stamp */
    int64_t idle;   /* slots seen right now; ABSENT_INT: unknown */
    int64_t run_ms; /* the most that the run will take */
    int64_t wei;    /* the most that it will cost */
};

struct budget_answer {
    enum skip skip;  /* SKIP_NONE: it may begin */
    int64_t idle_ms; /* idle capacity of its model's hour */
    int64_t used_ms; /* of it, before this one */
};

/* Looks, and changes nothing but the least that was seen idle. */
struct budget_answer budget_ask(struct budget *budget,
                                const struct budget_request *request);

/* The run of REQUEST has begun: all of it counts as used. */
void budget_begin(struct budget *budget, const struct budget_request *request);

/* It has ended, after RUN_MS of its length, and cost WEI. What it did not need
 * is free again. */
void budget_end(struct budget *budget, const struct budget_request *request,
                int64_t run_ms, int64_t wei);

/* Takes up one row of a ledger that was written before, of this plan or
 * another, the one that stands for its planned run: what it took where the run
 * began, and what it had seen idle where it asked. */
void budget_count(struct budget *budget, const struct ledger_row *row);

/* WEI were spent on NOW's day beside the ledger. */
void budget_spend(struct budget *budget, int64_t now, int64_t wei);

int64_t budget_running(const struct budget *budget);

#endif
