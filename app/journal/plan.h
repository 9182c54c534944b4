/*
 * plan.h: which tests are to be run in a span of time, as a row with its
 * targets, a line of the journal, and a hash.
 *
 * A plan names its targets and gives each a number of strata of equal length,
 * with one run in each. When, how long and with which prompt follows from a
 * secret seed (sched/schedule.h, audit method §1.3). The plan holds the hash of
 * the seed and is evidence before its first run; the seed is revealed, by a
 * line of its own, when it is over. Who has both derives the same schedule and
 * holds it against the ledger (ledger.h), which says of every planned run what
 * became of it.
 */
#ifndef ASSAY_JOURNAL_PLAN_H
#define ASSAY_JOURNAL_PLAN_H

#include "base/arena.h"
#include "base/err.h"
#include "base/fields.h"
#include "base/hash.h"
#include "base/json.h"

#include <stddef.h>
#include <stdint.h>

enum { PLAN_SEED_BYTES = 32 };

/* Caps on what is read: an orchestrator every minute would need fewer. */
enum {
    PLAN_TARGETS_MAX = 20000,
    PLAN_TARGETS_BYTES_MAX = 6 << 20, /* as JSON: a plan is one line */
    PLAN_RUNS_MAX = 2000000
};

/* What is tested: one workflow on one orchestrator, on one of its GPUs where
 * they can be told apart. */
struct plan_target {
    struct text orchestrator_url;
    struct text workflow; /* name */
    struct text workflow_sha256;
    struct text model_id;
    struct text gpu_id; /* null where GPUs cannot be told apart */
    struct text prompts_sha256;
    int64_t prompts; /* how many the set holds, at least 1 */
    int64_t strata;  /* runs in the span of the plan */
    /* All cards that were told to serve the model there, parted by commas; null
     * for none. Which of several serves a run nobody tells. */
    struct text gpu_ids;
};
extern const struct fields plan_target_fields;

/*
 * Instants are stamps of the vantage's clock, whose hours are UTC hours; on a
 * demo's fast clock an hour of stamps passes in less. Lengths of runs are real.
 */
struct plan {
    struct text vantage;
    struct text seed_sha256; /* hex */
    int64_t starts_at;       /* ms since 1970, the present included */
    int64_t ends_at;         /* not included */
    int64_t hour_ms;         /* 3,600,000; less where a demo's clock is fast */
    int64_t run_ms;          /* a run's length, ... */
    int64_t run_spread_ms;   /* ... give or take so much; less than run_ms */
    int64_t idle_share_ppm;  /* of a model's idle capacity at one, by hour */
    int64_t run_ms_per_hour; /* of all runs that begin in an hour */
    int64_t runs_at_once;
    int64_t run_wei; /* ceiling of a run ... */
    int64_t day_wei; /* ... and of all runs of a UTC day */
    /* Runs are vantage_suspect during which, or right after which, more than
     * this share of the control targets failed (sched/judgement.h); URLs parted
     * by commas, null for none. */
    struct text control_targets;
    int64_t control_fail_ppm;
    /* A run is vantage_suspect when more than this share of the orchestrators
     * failed within half a window of its end (sched/fleet.h); 0, or absent as
     * in plans from before the rule: no window. */
    int64_t fleet_fail_ppm;
    int64_t fleet_window_ms; /* real */
    /* not among the fields */
    struct plan_target *targets;
    size_t target_count;
};
extern const struct fields plan_fields;

/* Appends the members of the plan's object without braces: the canonical form,
 * integers and texts alone, that the hash is of. */
void plan_write(struct buf *out, const struct plan *plan);

/* SHA-256 of "{", what plan_write writes, "}". */
void plan_hash(const struct plan *plan, uint8_t hash[SHA256_BYTES]);

/* ERR_INPUT says what is wrong with DATA. Everything lies in ARENA. */
MUST_USE enum err plan_read(struct arena *arena, struct yyjson_val *data,
                            struct plan *plan);

/* Whether the numbers of PLAN can be carried out; ERR_INPUT says which not. */
MUST_USE enum err plan_check(const struct plan *plan);

/* All runs of the plan. */
int64_t plan_run_count(const struct plan *plan);

#endif
