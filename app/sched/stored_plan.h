/*
 * stored_plan.h: a plan with everything that the store has of it, as
 * plan_verify takes it. Reads with any connection.
 */
#ifndef ASSAY_SCHED_STORED_PLAN_H
#define ASSAY_SCHED_STORED_PLAN_H

#include "sched/verify.h"
#include "store/store.h"

struct stored_plan {
    char hash[2 * SHA256_BYTES + 1];
    struct plan plan;
    uint8_t seed[PLAN_SEED_BYTES];
    int64_t made_at;
    int64_t revealed_at;     /* ABSENT_INT: it is not */
    struct plan_books books; /* but for the time that it is now */
};

/* HASH is whole, or its first digits where no other plan begins so; empty for
 * the latest plan. Everything lies in ARENA. ERR_ABSENT where there is none. */
MUST_USE enum err stored_plan_read(struct store *store, struct arena *arena,
                                   struct text hash,
                                   struct stored_plan *stored);

/* Gives each target the one of COUNT sets that the plan holds the hash of, so
 * that prompts can be checked; in ARENA. The sets are borrowed. */
void stored_plan_prompts(struct arena *arena, struct stored_plan *stored,
                         const struct prompt_set *const *sets, size_t count);

#endif
