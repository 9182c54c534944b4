/*
 * books.c: see books.h.
 *
 * What is to be done follows from the tables alone, and every step leaves them
 * so that the next turn finds what is left: a process that is killed anywhere
 * in here goes on where it was. Rows are written a thousand in a transaction.
 */
#include "sched/books.h"

#include "base/clock.h"
#include "base/log.h"
#include "ingest/ingest.h"

#include <stdlib.h>
#include <string.h>

enum { ROWS_AT_ONCE = 1000, EVIDENCE_DAYS = 7 };

/* ---- an open plan -------------------------------------------------------- */

void open_plan_free(struct open_plan *open)
{
    if (!open)
        return;
    budget_free(open->budget);
    arena_free(&open->arena);
    free(open);
}

void open_plan_decide(struct open_plan *open, size_t number)
{
    open->decided[number] = true;
    while (open->first_open < open->count && open->decided[open->first_open])
        open->first_open++;
}

struct ledger_row books_row(const struct open_plan *open, size_t number,
                            int64_t now)
{
    const struct planned_run *run = &open->runs[number];
    const struct plan_target *target = &open->plan.targets[run->target];
    struct ledger_row row;
    fields_clear(ledger_fields, &row);
    row.plan_hash = text_of(open->hash);
    row.orchestrator_url = target->orchestrator_url;
    row.workflow = target->workflow;
    row.model_id = target->model_id;
    row.gpu_id = target->gpu_id;
    row.stratum = run->stratum;
    row.due_at = run->due_at;
    row.decided_at = now;
    row.planned_ms = run->run_ms;
    return row;
}

static void derive_rest(struct open_plan *open,
                        const uint8_t seed[PLAN_SEED_BYTES])
{
    uint8_t hash[SHA256_BYTES];
    plan_hash(&open->plan, hash);
    hash_hex(hash, sizeof hash, open->hash);
    memcpy(open->seed, seed, PLAN_SEED_BYTES);
    open->runs = plan_schedule(&open->arena, &open->plan, seed, &open->count);
    open->decided =
        arena_array(&open->arena, open->count, sizeof *open->decided);
    open->budget = budget_new(&open->plan);
}

/* ---- reading ------------------------------------------------------------- */

static enum err read_plan(struct store *store, int64_t line,
                          const uint8_t seed[PLAN_SEED_BYTES],
                          struct open_plan **result)
{
    struct open_plan *open = memory_zeroed(1, sizeof *open);
    struct evidence_line evidence;
    struct journal_line read;
    enum err err = evidence_read(store, &open->arena, line, &evidence);
    if (!err)
        err = journal_read(&open->arena, evidence.bytes, &read);
    if (!err)
        err = plan_line_read(&open->arena, &read, &open->plan);
    if (!err && !plan_is_of_seed(&open->plan, seed))
        err = err_set(ERR_CORRUPT, "the seed that is kept for a plan is "
                                   "another one's");
    if (err) {
        open_plan_free(open);
        return err;
    }
    derive_rest(open, seed);
    *result = open;
    return ERR_NONE;
}

/* Numbers of planned runs by their keys. */
struct run_numbers {
    struct text_index keys;
    size_t *numbers;
};

static struct run_numbers number_runs(const struct open_plan *open)
{
    struct run_numbers found = {
        .numbers = memory_alloc((open->count + 1) * sizeof(size_t))};
    struct buf key = {0};
    for (size_t i = 0; i < open->count; i++) {
        const struct planned_run *run = &open->runs[i];
        const struct plan_target *target = &open->plan.targets[run->target];
        size_t at = text_index_add(
            &found.keys, planned_key(&key, target, run->stratum), NULL);
        found.numbers[at] = i;
    }
    buf_free(&key);
    return found;
}

static void wait_for(struct open_plan *open, size_t number,
                     const struct ledger_row *row)
{
    open->waiting = arena_grow(&open->arena, open->waiting, open->waiting_count,
                               sizeof *open->waiting);
    open->waiting[open->waiting_count++] = (struct waiting_run){number, *row};
}

/* Which runs are decided, and STARTED where one had begun, by number. */
static enum err read_ledger(struct store *store, struct open_plan *open,
                            struct ledger_row **started)
{
    struct run_numbers runs = number_runs(open);
    struct buf key = {0};
    bool found;
    enum err err;
    struct query *query = query_start(store, QUERY_LEDGER_STANDING);
    query_bind_string(query, 1, open->hash);
    *started = arena_array(&open->arena, open->count, sizeof **started);
    while (!(err = query_step(query, &found)) && found) {
        struct ledger_row row;
        fields_read(&open->arena, query, 0, ledger_fields, &row);
        ptrdiff_t at = text_index_find(&runs.keys, ledger_key(&key, &row));
        if (at < 0)
            continue;
        if (text_is(row.state, LEDGER_STARTED))
            (*started)[runs.numbers[at]] = row;
        else if (text_is(row.state, LEDGER_ENDED))
            wait_for(open, runs.numbers[at], &row);
        open_plan_decide(open, runs.numbers[at]);
    }
    buf_free(&key);
    text_index_free(&runs.keys);
    free(runs.numbers);
    return err;
}

/* The day's ceiling is of all runs, and those of `assay probe` have no row. */
static enum err count_by_hand(struct store *store, struct open_plan *open,
                              int64_t now)
{
    bool found;
    enum err err;
    struct query *query = query_start(store, QUERY_JOURNAL_RUN_COSTS_BY_HAND);
    query_bind_int(query, 1, clock_day_start(now));
    query_bind_int(query, 2, clock_day_start(now) + MS_PER_DAY);
    while (!(err = query_step(query, &found)) && found)
        budget_spend(open->budget, now, query_int(query, 0));
    return err;
}

/* What runs of NOW's day have taken. */
static enum err count_day(struct store *store, struct open_plan *open,
                          int64_t now)
{
    bool found;
    enum err err;
    struct query *query = query_start(store, QUERY_LEDGER_OF_DAY);
    query_bind_int(query, 1, clock_day_start(now));
    query_bind_int(query, 2, clock_day_start(now) + MS_PER_DAY);
    while (!(err = query_step(query, &found)) && found) {
        struct ledger_row row;
        fields_borrow(query, ledger_fields, &row);
        budget_count(open->budget, &row);
    }
    return err ? err : count_by_hand(store, open, now);
}

static enum err count_evidence(struct store *store, struct books_turn *turn)
{
    struct buf key = {0};
    bool found;
    enum err err;
    struct query *query = query_start(store, QUERY_LEDGER_EVIDENCE);
    query_bind_int(query, 1, turn->now - (int64_t)EVIDENCE_DAYS * MS_PER_DAY);
    evidence_counts_free(&turn->evidence);
    while (!(err = query_step(query, &found)) && found) {
        struct ledger_row row = {.stratum = 0};
        row.orchestrator_url = query_text(query, 0);
        row.workflow = query_text(query, 1);
        row.model_id = query_text(query, 2);
        row.gpu_id = query_text(query, 3);
        evidence_counts_add(&turn->evidence, ledger_key(&key, &row),
                            query_int(query, 4), query_int(query, 5) > 0);
    }
    buf_free(&key);
    return err;
}

/* From when on ends of runs can be asked for. */
static int64_t fleet_from(const struct books_turn *turn)
{
    const struct open_plan *open = turn->open;
    int64_t wait = open ? fleet_wait_stamps(&open->plan) : 0;
    int64_t from =
        turn->now -
        (turn->fleet_stamps > 2 * wait ? turn->fleet_stamps : 2 * wait);
    for (size_t i = 0; open && i < open->waiting_count; i++)
        if (open->waiting[i].row.ended_at - wait < from)
            from = open->waiting[i].row.ended_at - wait;
    return from;
}

static enum err read_ends(struct store *store, struct books_turn *turn)
{
    bool found;
    enum err err;
    struct query *query = query_start(store, QUERY_LEDGER_ENDS);
    query_bind_int(query, 1, fleet_from(turn));
    query_bind_int(query, 2, INT64_MAX);
    query_bind_null(query, 3);
    fleet_free(&turn->ends);
    while (!(err = query_step(query, &found)) && found) {
        enum outcome outcome;
        if (outcome_named(query_text(query, 2), &outcome))
            fleet_add(&turn->ends, query_text(query, 0), query_int(query, 1),
                      outcome, 0);
    }
    return err;
}

/* ---- writing ------------------------------------------------------------- */

struct writing {
    struct store *store;
    struct arena arena;
    struct journal_entry entries[ROWS_AT_ONCE];
    size_t count;
};

static enum err flush(struct writing *writing)
{
    enum err err =
        writing->count
            ? journal_append(writing->store, writing->entries, writing->count)
            : ERR_NONE;
    writing->count = 0;
    arena_clear(&writing->arena);
    return err;
}

static enum err write_skip(struct writing *writing,
                           const struct open_plan *open, size_t number,
                           const struct ledger_row *row)
{
    writing->entries[writing->count++] = ledger_entry(
        &writing->arena, row, open->runs[number].target, open->plan.vantage);
    return writing->count == ROWS_AT_ONCE ? flush(writing) : ERR_NONE;
}

/* Rows for runs that had begun, and with LATE for those without any. */
static enum err write_ends(struct store *store, struct open_plan *open,
                           const struct ledger_row *started, enum skip late,
                           int64_t now)
{
    struct writing *writing = memory_zeroed(1, sizeof *writing);
    enum err err = ERR_NONE;
    writing->store = store;
    for (size_t i = 0; !err && i < open->count; i++) {
        struct ledger_row row = books_row(open, i, now);
        enum skip reason = late;
        bool begun = started && started[i].run_id.data;
        if (begun) {
            row = started[i];
            row.decided_at = now;
            reason = SKIP_INTERRUPTED;
        }
        if (!begun && (late == SKIP_NONE || open->decided[i]))
            continue;
        row.state = text_of(LEDGER_SKIPPED);
        row.reason = text_of(skip_entry(reason)->name);
        err = write_skip(writing, open, i, &row);
    }
    if (!err)
        err = flush(writing);
    arena_free(&writing->arena);
    free(writing);
    return err;
}

static enum err reveal(struct store *store, const struct open_plan *open,
                       int64_t now)
{
    struct arena arena = {0};
    struct journal_entry entry =
        reveal_entry(&arena, &open->plan, open->seed, now);
    enum err err = journal_append(store, &entry, 1);
    arena_free(&arena);
    if (err)
        return err;
    struct query *query = query_start(store, QUERY_PLAN_SEED_DROP);
    query_bind_string(query, 1, open->hash);
    return query_run(query);
}

/* ---- a turn -------------------------------------------------------------- */

/* A plan with a seed that is not revealed. */
struct pending_plan {
    int64_t starts_at;
    int64_t ends_at;
    int64_t line;
    uint8_t seed[PLAN_SEED_BYTES];
};

static enum err read_pending(struct store *store, struct arena *arena,
                             struct pending_plan **list, size_t *count)
{
    bool found;
    enum err err;
    struct query *query = query_start(store, QUERY_PLAN_UNREVEALED);
    *list = NULL;
    *count = 0;
    while (!(err = query_step(query, &found)) && found) {
        struct text seed = query_text(query, 4);
        *list = arena_grow(arena, *list, *count, sizeof **list);
        struct pending_plan *one = &(*list)[*count];
        one->starts_at = query_int(query, 1);
        one->ends_at = query_int(query, 2);
        one->line = query_int(query, 3);
        if (seed.length != PLAN_SEED_BYTES)
            continue;
        memcpy(one->seed, seed.data, PLAN_SEED_BYTES);
        (*count)++;
    }
    return err;
}

/* With what its ledger says; STARTED as in read_ledger. */
static enum err open_pending(struct store *store,
                             const struct pending_plan *pending,
                             struct open_plan **open,
                             struct ledger_row **started)
{
    enum err err = read_plan(store, pending->line, pending->seed, open);
    if (err)
        return err;
    err = read_ledger(store, *open, started);
    if (err)
        open_plan_free(*open);
    return err;
}

static enum err end_plan(struct store *store, const struct books_turn *turn,
                         struct open_plan *open,
                         const struct ledger_row *started)
{
    enum err err = write_ends(store, open, started, turn->late, turn->now);
    if (!err)
        err = reveal(store, open, turn->now);
    open_plan_free(open);
    return err;
}

static enum err resume_plan(struct store *store, struct books_turn *turn,
                            struct open_plan *open,
                            const struct ledger_row *started)
{
    enum err err = write_ends(store, open, started, SKIP_NONE, turn->now);
    if (!err)
        err = count_day(store, open, turn->now);
    if (err)
        open_plan_free(open);
    else
        turn->open = open;
    return err;
}

static enum err turn_plan(struct store *store, struct books_turn *turn,
                          const struct pending_plan *pending)
{
    bool is_over = pending->ends_at <= turn->now;
    struct open_plan *open;
    struct ledger_row *started;
    if (!is_over && (pending->starts_at > turn->now || turn->open))
        return ERR_NONE;
    enum err err = open_pending(store, pending, &open, &started);
    if (err)
        return err;
    if (is_over && !open->waiting_count)
        return end_plan(store, turn, open, started);
    if (!turn->open)
        return resume_plan(store, turn, open, started);
    open_plan_free(open);
    return ERR_NONE;
}

static enum err find_last_stamp(struct store *store, int64_t *stamp)
{
    bool found;
    struct query *query = query_start(store, QUERY_PLAN_LAST_STAMP);
    enum err err = query_step(query, &found);
    *stamp = !err && found ? query_int(query, 0) : 0;
    return err || !found ? err : query_run(query);
}

enum err books_turn(void *context, struct store *store)
{
    struct books_turn *turn = context;
    struct arena arena = {0};
    struct pending_plan *pending;
    size_t count;
    turn->open = NULL;
    enum err err = query_run(query_start(store, QUERY_PLAN_SEED_TIDY));
    if (!err)
        err = find_last_stamp(store, &turn->last_stamp);
    if (!err && turn->goes_on && turn->last_stamp)
        turn->now = turn->last_stamp + 1;
    if (!err)
        err = read_pending(store, &arena, &pending, &count);
    for (size_t i = 0; !err && i < count; i++)
        err = turn_plan(store, turn, &pending[i]);
    if (!err)
        err = count_evidence(store, turn);
    if (!err)
        err = read_ends(store, turn);
    arena_free(&arena);
    if (err && turn->open) {
        open_plan_free(turn->open);
        turn->open = NULL;
    }
    return err;
}

/* ---- a plan that was made ------------------------------------------------ */

static enum err add_seed(struct store *store, const struct open_plan *open)
{
    struct query *query = query_start(store, QUERY_PLAN_SEED_ADD);
    query_bind_string(query, 1, open->hash);
    query_bind_blob(query, 2, open->seed, PLAN_SEED_BYTES);
    return query_run(query);
}

static struct open_plan *open_copy(const struct plan *plan,
                                   const uint8_t seed[PLAN_SEED_BYTES])
{
    struct open_plan *open = memory_zeroed(1, sizeof *open);
    open->plan = *plan;
    fields_copy(&open->arena, plan_fields, &open->plan);
    open->plan.targets = arena_array(&open->arena, plan->target_count,
                                     sizeof *open->plan.targets);
    for (size_t i = 0; i < plan->target_count; i++) {
        open->plan.targets[i] = plan->targets[i];
        fields_copy(&open->arena, plan_target_fields, &open->plan.targets[i]);
    }
    derive_rest(open, seed);
    return open;
}

/* The seed first: without it the plan could not be gone on with. */
enum err books_add_plan(void *context, struct store *store)
{
    struct books_plan *adding = context;
    struct open_plan *open = open_copy(adding->plan, adding->seed);
    struct journal_entry entry =
        plan_entry(&open->arena, &open->plan, adding->now);
    enum err err = plan_check(&open->plan);
    if (!err)
        err = add_seed(store, open);
    if (!err)
        err = journal_append(store, &entry, 1);
    if (!err)
        err = count_day(store, open, adding->now);
    if (err)
        open_plan_free(open);
    else
        adding->open = open;
    return err;
}
