/*
 * stored_plan.c: see stored_plan.h.
 */
#include "sched/stored_plan.h"

#include "sched/fleet.h"

#include <string.h>

/* ---- which --------------------------------------------------------------- */

static enum err find_hash(struct store *store, struct text given,
                          struct stored_plan *stored)
{
    size_t found_count = 0;
    bool found;
    enum err err;
    struct query *query =
        query_start(store, given.length ? QUERY_PLAN_NAMED : QUERY_PLAN_LATEST);
    if (given.length)
        query_bind_text(query, 1, given);
    while (!(err = query_step(query, &found)) && found) {
        struct text hash = query_text(query, 0);
        if (hash.length == sizeof stored->hash - 1)
            memcpy(stored->hash, hash.data, hash.length);
        found_count++;
    }
    if (err)
        return err;
    if (found_count > 1)
        return err_set(ERR_USAGE, "more than one plan begins with %.*s",
                       (int)given.length, given.data);
    if (!found_count)
        return given.length ? err_set(ERR_ABSENT, "there is no plan %.*s",
                                      (int)given.length, given.data)
                            : err_set(ERR_ABSENT, "there is no plan yet");
    return ERR_NONE;
}

/* ---- its parts ----------------------------------------------------------- */

static enum err read_plan(struct store *store, struct arena *arena,
                          struct stored_plan *stored)
{
    struct evidence_line evidence;
    struct journal_line line;
    bool found;
    struct query *query = query_start(store, QUERY_PLAN_LINE);
    query_bind_string(query, 1, stored->hash);
    enum err err = query_step(query, &found);
    if (!err && !found)
        err = err_set(ERR_ABSENT, "there is no plan %s", stored->hash);
    if (err)
        return err;
    int64_t number = query_int(query, 0);
    err = query_run(query);
    if (!err)
        err = evidence_read(store, arena, number, &evidence);
    if (!err)
        err = journal_read(arena, evidence.bytes, &line);
    if (!err)
        err = plan_line_read(arena, &line, &stored->plan);
    stored->made_at = err ? ABSENT_INT : line.timestamp_ms;
    stored->books.plan_seq = err ? 0 : line.seq;
    return err;
}

static enum err read_seed(struct store *store, struct stored_plan *stored)
{
    bool found;
    struct query *query = query_start(store, QUERY_PLAN_REVEAL_OF);
    query_bind_string(query, 1, stored->hash);
    enum err err = query_step(query, &found);
    stored->revealed_at = ABSENT_INT;
    if (err || !found)
        return err;
    struct text seed = query_text(query, 0);
    if (seed.length == PLAN_SEED_BYTES) {
        memcpy(stored->seed, seed.data, PLAN_SEED_BYTES);
        stored->books.seed = stored->seed;
        stored->revealed_at = query_int(query, 1);
    }
    return query_run(query);
}

static enum err read_rows(struct store *store, struct arena *arena,
                          struct stored_plan *stored)
{
    struct plan_books *books = &stored->books;
    struct row_array all;
    struct query *query = query_start(store, QUERY_LEDGER_OF_PLAN);
    query_bind_string(query, 1, stored->hash);
    enum err err =
        fields_read_all(arena, query, ledger_fields, sizeof *books->rows, &all);
    books->rows = all.rows;
    books->row_count = all.count;
    return err;
}

/* A row that was set aside says so; its line, what was measured. */
static enum err read_measured(struct store *store, struct arena *arena,
                              struct run *run)
{
    struct evidence_line evidence;
    struct journal_line line;
    struct run kept;
    if (!text_is(run->outcome, outcome_name(OUTCOME_VANTAGE_SUSPECT)))
        return ERR_NONE;
    enum err err = evidence_read(store, arena, run->line, &evidence);
    if (!err)
        err = journal_read(arena, evidence.bytes, &line);
    if (!err)
        err = run_read(arena, &line, &kept);
    if (err)
        return err;
    run->outcome = kept.outcome;
    run->reason = kept.reason;
    return ERR_NONE;
}

static enum err read_runs(struct store *store, struct arena *arena,
                          struct stored_plan *stored)
{
    struct plan_books *books = &stored->books;
    struct row_array all;
    struct query *query = query_start(store, QUERY_PLAN_RUNS_OF);
    query_bind_string(query, 1, stored->hash);
    enum err err =
        fields_read_all(arena, query, run_fields, sizeof *books->runs, &all);
    books->runs = all.rows;
    books->run_count = all.count;
    for (size_t i = 0; !err && i < all.count; i++)
        err = read_measured(store, arena, (struct run *)all.rows + i);
    return err;
}

static int64_t first_end(const struct plan_books *books)
{
    int64_t first = INT64_MAX / 2;
    for (size_t i = 0; i < books->row_count; i++)
        if (books->rows[i].ended_at != ABSENT_INT &&
            books->rows[i].ended_at < first)
            first = books->rows[i].ended_at;
    return first;
}

static int64_t last_end(const struct plan_books *books)
{
    int64_t last = INT64_MIN / 2;
    for (size_t i = 0; i < books->row_count; i++)
        if (books->rows[i].ended_at > last)
            last = books->rows[i].ended_at;
    return last;
}

/* Far enough around the plan for every window of its runs. */
static enum err read_others(struct store *store, struct arena *arena,
                            struct stored_plan *stored)
{
    struct plan_books *books = &stored->books;
    int64_t wait = fleet_wait_stamps(&stored->plan);
    struct run_end *ends = NULL;
    bool found;
    enum err err;
    struct query *query = query_start(store, QUERY_LEDGER_ENDS);
    query_bind_int(query, 1, first_end(books) - wait);
    query_bind_int(query, 2, last_end(books) + wait);
    query_bind_string(query, 3, stored->hash);
    while (!(err = query_step(query, &found)) && found) {
        struct run_end end = {.orchestrator_url = query_copy(arena, query, 0),
                              .ended_at = query_int(query, 1),
                              .seq = query_int(query, 3)};
        if (!outcome_named(query_text(query, 2), &end.measured))
            continue;
        ends = arena_grow(arena, ends, books->other_count, sizeof *ends);
        ends[books->other_count++] = end;
    }
    books->others = ends;
    return err;
}

enum err stored_plan_read(struct store *store, struct arena *arena,
                          struct text hash, struct stored_plan *stored)
{
    *stored = (struct stored_plan){.revealed_at = ABSENT_INT};
    enum err err = find_hash(store, hash, stored);
    if (!err)
        err = read_plan(store, arena, stored);
    if (!err)
        err = read_seed(store, stored);
    if (!err)
        err = read_rows(store, arena, stored);
    if (!err)
        err = read_runs(store, arena, stored);
    if (!err)
        err = read_others(store, arena, stored);
    stored->books.plan = &stored->plan;
    return err;
}

void stored_plan_prompts(struct arena *arena, struct stored_plan *stored,
                         const struct prompt_set *const *sets, size_t count)
{
    const struct plan *plan = &stored->plan;
    const struct prompt_set **of_target =
        arena_array(arena, plan->target_count, sizeof *of_target);
    for (size_t i = 0; i < plan->target_count; i++) {
        of_target[i] = NULL;
        for (size_t k = 0; k < count; k++)
            if (text_is(plan->targets[i].prompts_sha256, sets[k]->sha256))
                of_target[i] = sets[k];
    }
    stored->books.prompts = of_target;
}
