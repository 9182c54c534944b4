/*
 * plan.h: which tests are run in a span of time, at instants that nobody can
 * know before and everybody can check afterwards.
 *
 * A plan names its targets and gives each a number of strata of equal length.
 * In every stratum lies one run, at an instant, of a length and with a prompt
 * that follow from a secret seed (audit method §1.3). The plan holds the hash
 * of the seed and is evidence before its first run; the seed is revealed when
 * it is over. Who has both derives the same schedule and holds it against the
 * ledger, which says of every planned run what became of it.
 *
 * Pure: no clock, no chance, no store; any thread.
 */
#ifndef ASSAY_SCHED_PLAN_H
#define ASSAY_SCHED_PLAN_H

#include "base/arena.h"
#include "base/err.h"
#include "base/fields.h"
#include "base/hash.h"
#include "base/json.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PLAN_SEED_BYTES = 32 };

/* Caps on what is read: an orchestrator every minute would need fewer. */
enum { PLAN_TARGETS_MAX = 20000, PLAN_RUNS_MAX = 2000000 };

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
    int64_t idle_share_ppm;  /* of idle capacity, per target and hour */
    int64_t run_ms_per_hour; /* of all runs that begin in an hour */
    int64_t runs_at_once;
    int64_t run_wei; /* ceiling of a run ... */
    int64_t day_wei; /* ... and of all runs of a UTC day */
    /* not among the fields */
    struct plan_target *targets;
    size_t target_count;
};
extern const struct fields plan_fields;

/* ---- as JSON ------------------------------------------------------------- */

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

/* ---- the schedule -------------------------------------------------------- */

struct planned_run {
    size_t target; /* place among the plan's targets */
    int64_t stratum;
    int64_t due_at; /* ms since 1970 */
    int64_t run_ms; /* how long it takes */
    int64_t prompt; /* place in the prompt set */
};

/* The run of one stratum: HMAC-SHA256 under the seed of (plan hash, target,
 * stratum number), whose words choose instant, length and prompt. */
struct planned_run plan_draw(const struct plan *plan,
                             const uint8_t hash[SHA256_BYTES],
                             const uint8_t seed[PLAN_SEED_BYTES], size_t target,
                             int64_t stratum);

/* All runs of the plan by due_at, then target. In ARENA. */
struct planned_run *plan_schedule(struct arena *arena, const struct plan *plan,
                                  const uint8_t seed[PLAN_SEED_BYTES],
                                  size_t *count);

/* Whether SEED is the one whose hash the plan holds. */
bool plan_is_of_seed(const struct plan *plan,
                     const uint8_t seed[PLAN_SEED_BYTES]);

/* ---- how many runs for whom ---------------------------------------------- */

/* What is known of a target when a plan is made. */
struct plan_demand {
    int64_t evidence; /* runs of late: who has fewer comes first */
    int64_t most;     /* runs that its own budget allows in the plan */
};

/*
 * Sets the strata of COUNT targets, TOTAL at the most: one run after another
 * goes to whoever has the least evidence, counting what was given, and room for
 * more. Of equals the one with the lower number goes first.
 */
void plan_allot(const struct plan_demand *demands, size_t count, int64_t total,
                int64_t *strata);

/* Runs of mean length that IDLE_SLOTS allow in the whole span of PLAN. */
int64_t plan_runs_within_budget(const struct plan *plan, int64_t idle_slots);

#endif
