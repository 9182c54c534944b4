/*
 * planner.h: a plan out of what was found, what is allowed, and where evidence
 * is thin. Pure.
 */
#ifndef ASSAY_SCHED_PLANNER_H
#define ASSAY_SCHED_PLANNER_H

#include "discover/discover.h"
#include "sched/schedule.h"
#include "sched/terms.h"

struct evidence_count {
    int64_t runs; /* of late that told something */
    bool offers;  /* one of them showed that the model is there */
};

/* LIST is at the numbers that KEYS gives to the planned_key of a target with
 * stratum 0. */
struct evidence_counts {
    struct text_index keys;
    struct evidence_count *list;
    size_t capacity;
};

void evidence_counts_add(struct evidence_counts *evidence, struct text key,
                         int64_t runs, bool offers);
void evidence_counts_free(struct evidence_counts *evidence);

/*
 * The plan from STARTS_AT to the end of its span. Each orchestrator is a target
 * by every workflow whose model it offers, or by all where it was not told
 * which it does: where others say that they offer it, one run, until a run has
 * shown that the model is there. Targets that get no run this time are left
 * out, and come first next time. Everything lies in ARENA; no target where
 * nothing can be planned. Returns for how many targets a plan had no room.
 */
size_t plan_make(struct arena *arena, const struct terms *terms,
                 const struct discovery *found,
                 const struct evidence_counts *evidence, int64_t starts_at,
                 const uint8_t seed[PLAN_SEED_BYTES], struct plan *plan);

#endif
