/*
 * offers.h: what is to be said of the orchestrators that were found, before a
 * plan is made of them: a plan that measures nobody whom its operator means is
 * made as easily as any other.
 */
#ifndef ASSAY_SCHED_OFFERS_H
#define ASSAY_SCHED_OFFERS_H

#include "discover/discover.h"
#include "sched/terms.h"

/* Warns of every workflow whose model nobody in FOUND tells to offer though
 * some tell what they do, and names the models of its pipeline that are told.
 * To the log; any thread. */
void offers_check(const struct terms *terms, const struct discovery *found);

/* Warns, where there are any, of targets that plan_make had no room for. */
void offers_tell_left_out(size_t count);

#endif
