/*
 * stored_plan.c: see stored_plan.h.
 */
#include "sched/stored_plan.h"

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
    stored->books.plan = &stored->plan;
    return err;
}
