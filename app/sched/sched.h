/*
 * sched.h: what is measured when: plans, budgets, the ledger, and carrying them
 * out.
 *
 *     schedule.h   instants, lengths and prompts out of a seed
 *     budget.h     whether a run may begin now
 *     verify.h     a plan, its seed and its ledger held against one another
 *     workflow.h   what is run, as data
 *     books.h      plans and the ledger in the store
 *     offers.h     whether those who were found offer what is to be run
 *     coverage.h   whether everybody was tested, at all times
 *     stored_plan.h  all that the store has of a plan
 *     scheduler.h  plans carried out while a server runs
 *
 * Plans and rows themselves are the journal's (journal/plan.h, ledger.h).
 */
#ifndef ASSAY_SCHED_SCHED_H
#define ASSAY_SCHED_SCHED_H

#include "sched/books.h"
#include "sched/budget.h"
#include "sched/coverage.h"
#include "sched/offers.h"
#include "sched/planner.h"
#include "sched/schedule.h"
#include "sched/scheduler.h"
#include "sched/stored_plan.h"
#include "sched/terms.h"
#include "sched/verify.h"
#include "sched/workflow.h"

#endif
