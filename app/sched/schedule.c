/*
 * schedule.c: instants, lengths and prompts out of a seed; and how many runs a
 * target gets, see schedule.h.
 */
#include "sched/schedule.h"

#include "base/clock.h"
#include "base/hex.h"

#include <stdlib.h>
#include <string.h>

/* ---- drawing ------------------------------------------------------------- */

static uint64_t word_of(const uint8_t *bytes)
{
    uint64_t word = 0;
    for (int i = 0; i < 8; i++)
        word = word << 8 | bytes[i];
    return word;
}

/* WORD, anywhere in 64 bits, to the same place in 0 .. RANGE - 1. */
static int64_t mapped(uint64_t word, int64_t range)
{
    return (int64_t)((unsigned __int128)word * (uint64_t)range >> 64);
}

/* Where stratum NUMBER of COUNT begins. */
static int64_t stratum_start(const struct plan *plan, int64_t number,
                             int64_t count)
{
    __int128 span = plan->ends_at - plan->starts_at;
    return plan->starts_at + (int64_t)(span * number / count);
}

static void target_digest(const struct plan_target *target,
                          const uint8_t hash[SHA256_BYTES],
                          const uint8_t seed[PLAN_SEED_BYTES], int64_t stratum,
                          uint8_t digest[SHA256_BYTES])
{
    char number[8];
    for (int i = 0; i < 8; i++)
        number[i] = (char)((uint64_t)stratum >> (56 - 8 * i));
    const struct text nul = {"", 1};
    struct text gpu = target->gpu_id.data ? target->gpu_id : text_of("");
    struct text model = target->model_id.data ? target->model_id : text_of("");
    struct text parts[] = {{(const char *)hash, SHA256_BYTES},
                           target->orchestrator_url,
                           nul,
                           target->workflow,
                           nul,
                           model,
                           nul,
                           gpu,
                           nul,
                           {number, sizeof number}};
    hash_hmac_sha256((struct text){(const char *)seed, PLAN_SEED_BYTES}, parts,
                     sizeof parts / sizeof *parts, digest);
}

struct planned_run plan_draw(const struct plan *plan,
                             const uint8_t hash[SHA256_BYTES],
                             const uint8_t seed[PLAN_SEED_BYTES], size_t target,
                             int64_t stratum)
{
    uint8_t digest[SHA256_BYTES];
    const struct plan_target *of = &plan->targets[target];
    target_digest(of, hash, seed, stratum, digest);
    int64_t start = stratum_start(plan, stratum, of->strata);
    int64_t length = stratum_start(plan, stratum + 1, of->strata) - start;
    int64_t spread = 2 * plan->run_spread_ms + 1;
    return (struct planned_run){
        .target = target,
        .stratum = stratum,
        .due_at = start + mapped(word_of(digest), length),
        .run_ms = plan->run_ms - plan->run_spread_ms +
                  mapped(word_of(digest + 8), spread),
        .prompt = mapped(word_of(digest + 16), of->prompts)};
}

static int compare_runs(const void *left, const void *right)
{
    const struct planned_run *a = left;
    const struct planned_run *b = right;
    if (a->due_at != b->due_at)
        return a->due_at < b->due_at ? -1 : 1;
    if (a->target != b->target)
        return a->target < b->target ? -1 : 1;
    return (a->stratum > b->stratum) - (a->stratum < b->stratum);
}

struct planned_run *plan_schedule(struct arena *arena, const struct plan *plan,
                                  const uint8_t seed[PLAN_SEED_BYTES],
                                  size_t *count)
{
    uint8_t hash[SHA256_BYTES];
    size_t total = 0;
    plan_hash(plan, hash);
    for (size_t i = 0; i < plan->target_count; i++)
        total += (size_t)plan->targets[i].strata;
    struct planned_run *runs = arena_array(arena, total, sizeof *runs);
    *count = 0;
    for (size_t i = 0; i < plan->target_count; i++)
        for (int64_t k = 0; k < plan->targets[i].strata; k++)
            runs[(*count)++] = plan_draw(plan, hash, seed, i, k);
    if (total)
        qsort(runs, total, sizeof *runs, compare_runs);
    return runs;
}

static struct text key_of(struct buf *out, const struct text parts[4],
                          int64_t number)
{
    buf_clear(out);
    for (int i = 0; i < 4; i++)
        buf_add_text(out, parts[i]);
    buf_add_signed(out, number);
    return (struct text){out->data, out->length};
}

struct text planned_key(struct buf *out, const struct plan_target *target,
                        int64_t stratum)
{
    const struct text parts[] = {target->orchestrator_url, target->workflow,
                                 target->model_id, target->gpu_id};
    return key_of(out, parts, stratum);
}

struct text ledger_key(struct buf *out, const struct ledger_row *row)
{
    const struct text parts[] = {row->orchestrator_url, row->workflow,
                                 row->model_id, row->gpu_id};
    return key_of(out, parts, row->stratum);
}

struct text capacity_key(struct buf *out, struct text orchestrator_url,
                         struct text model_id, int64_t hour)
{
    const struct text none = {0};
    const struct text parts[] = {orchestrator_url, none, model_id, none};
    return key_of(out, parts, hour);
}

bool plan_is_of_seed(const struct plan *plan,
                     const uint8_t seed[PLAN_SEED_BYTES])
{
    uint8_t wanted[SHA256_BYTES];
    uint8_t found[SHA256_BYTES];
    hash_sha256(seed, PLAN_SEED_BYTES, found);
    return hex_decode(plan->seed_sha256, wanted, sizeof wanted) &&
           !memcmp(wanted, found, sizeof found);
}

/* ---- allotting ----------------------------------------------------------- */

/* A heap of targets with room for more, the neediest on top. */
struct needy {
    const struct plan_demand *demands;
    const int64_t *strata;
    size_t *heap;
    size_t count;
};

static bool needier(const struct needy *needy, size_t a, size_t b)
{
    const struct plan_demand *of_a = &needy->demands[a];
    const struct plan_demand *of_b = &needy->demands[b];
    __int128 has_a =
        (__int128)(of_a->evidence + needy->strata[a]) * of_b->cards;
    __int128 has_b =
        (__int128)(of_b->evidence + needy->strata[b]) * of_a->cards;
    return has_a != has_b ? has_a < has_b : a < b;
}

static void sink(struct needy *needy, size_t at)
{
    size_t *heap = needy->heap;
    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= needy->count)
            return;
        if (child + 1 < needy->count &&
            needier(needy, heap[child + 1], heap[child]))
            child++;
        if (!needier(needy, heap[child], heap[at]))
            return;
        size_t kept = heap[at];
        heap[at] = heap[child];
        heap[child] = kept;
        at = child;
    }
}

void plan_allot(const struct plan_demand *demands, size_t count, int64_t total,
                int64_t *strata)
{
    struct needy needy = {demands, strata,
                          memory_alloc((count + 1) * sizeof(size_t)), 0};
    for (size_t i = 0; i < count; i++) {
        strata[i] = 0;
        if (demands[i].most > 0)
            needy.heap[needy.count++] = i;
    }
    for (size_t i = needy.count; i-- > 0;)
        sink(&needy, i);
    while (total > 0 && needy.count) {
        size_t first = needy.heap[0];
        strata[first]++;
        total--;
        if (strata[first] == demands[first].most)
            needy.heap[0] = needy.heap[--needy.count];
        sink(&needy, 0);
    }
    free(needy.heap);
}

int64_t plan_runs_within_budget(const struct plan *plan, int64_t idle_slots)
{
    __int128 span = plan->ends_at - plan->starts_at;
    __int128 real = span * plan->hour_ms / MS_PER_HOUR;
    __int128 allowed = real * idle_slots * plan->idle_share_ppm / 1000000;
    __int128 runs = allowed / plan->run_ms;
    return runs < PLAN_RUNS_MAX ? (int64_t)runs : PLAN_RUNS_MAX;
}
