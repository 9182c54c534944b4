/*
 * ingest_hours.c: see ingest_hours.h.
 *
 * Chunks are sums, so they are joined by adding, and read without being joined.
 * A session of which everything was taken back is left out, so that the stored
 * bytes do not tell what came before.
 */
#include "rollup/ingest_hours.h"

#include "rollup/facts.h"
#include "rollup/session.h"
#include "rollup/settle_int.h"

#include <stdlib.h>

static int compare_sessions(const void *left, const void *right)
{
    const struct ingest_hour *a = left;
    const struct ingest_hour *b = right;
    return (a->session > b->session) - (a->session < b->session);
}

/* ---- reading ------------------------------------------------------------- */

static bool add_encoded(struct exact_sum *sum, struct text encoded)
{
    struct exact_sum more = {.arena = sum->arena};
    if (!exact_decode(&more, encoded))
        return false;
    exact_add_sum(sum, &more);
    return true;
}

/* COUNT rows of one session into one; false where they are damaged. */
static bool add_up(struct arena *arena, const struct ingest_hour *rows,
                   size_t count, struct ingest_hour *total)
{
    *total = rows[0];
    for (size_t k = 0; k < INGEST_TRACKS; k++) {
        struct exact_sum sum = {.arena = arena};
        total->tracks[k].samples = 0;
        for (size_t i = 0; i < count; i++) {
            total->tracks[k].samples += rows[i].tracks[k].samples;
            if (!add_encoded(&sum, rows[i].tracks[k].jitter_sum))
                return false;
        }
        total->tracks[k].jitter_sum = exact_encoded(arena, &sum);
    }
    return true;
}

static bool has_samples(const struct ingest_hour *hour)
{
    for (size_t i = 0; i < INGEST_TRACKS; i++)
        if (hour->tracks[i].samples > 0)
            return true;
    return false;
}

/* Sorts the rows of all chunks and adds up those of one session. */
static bool merge(struct arena *arena, struct ingest_list *list)
{
    struct ingest_hour *rows = list->rows;
    size_t count = list->count;
    if (count)
        qsort(rows, count, sizeof *rows, compare_sessions);
    list->count = 0;
    for (size_t i = 0; i < count;) {
        struct ingest_hour total;
        size_t first = i;
        while (i < count && !compare_sessions(&rows[first], &rows[i]))
            i++;
        if (!add_up(arena, rows + first, i - first, &total))
            return false;
        if (has_samples(&total))
            rows[list->count++] = total;
    }
    return true;
}

static bool add_chunk(struct arena *arena, struct text bytes,
                      struct ingest_list *list)
{
    struct ingest_hour *rows;
    size_t count;
    if (!ingest_hours_decode(arena, bytes, &rows, &count))
        return false;
    for (size_t i = 0; i < count; i++) {
        list->rows =
            arena_grow(arena, list->rows, list->count, sizeof *list->rows);
        list->rows[list->count++] = rows[i];
    }
    return true;
}

enum err ingest_hours_of(struct store *store, struct arena *arena,
                         struct text org, int64_t hour,
                         struct ingest_list *list)
{
    struct query *query = query_start(store, QUERY_INGEST_HOUR_OF_HOUR);
    query_bind_text(query, 1, org);
    query_bind_int(query, 2, hour);
    bool row;
    bool sound = true;
    enum err err;
    *list = (struct ingest_list){0};
    while (!(err = query_step(query, &row)) && row)
        sound &= add_chunk(arena, query_copy(arena, query, 0), list);
    if (!err && !(sound && merge(arena, list)))
        err = facts_damaged("ingest metrics", org);
    return err;
}

const struct ingest_hour *ingest_hour_of(const struct ingest_list *list,
                                         struct text session_key)
{
    const struct ingest_hour key = {
        .session = hash_fast(session_key.data, session_key.length)};
    return list->count ? bsearch(&key, list->rows, list->count,
                                 sizeof *list->rows, compare_sessions)
                       : NULL;
}

enum err ingest_hours_attach(struct store *store, struct arena *arena,
                             struct text org, int64_t hour,
                             struct session_hour *hours, size_t count)
{
    struct ingest_list list = {0};
    enum err err =
        count ? ingest_hours_of(store, arena, org, hour, &list) : ERR_NONE;
    for (size_t i = 0; !err && i < count; i++)
        hours[i].ingest = ingest_hour_of(&list, hours[i].hour->session_key);
    return err;
}

/* ---- joining ------------------------------------------------------------- */

static enum err write_hour(struct store *store, struct text org, int64_t hour,
                           const struct ingest_list *list)
{
    struct query *query = query_start(store, QUERY_INGEST_HOUR_DELETE);
    query_bind_text(query, 1, org);
    query_bind_int(query, 2, hour);
    enum err err = query_run(query);
    if (err || !list->count)
        return err;
    struct buf bytes = {0};
    ingest_hours_encode(&bytes, list->rows, list->count);
    query = query_start(store, QUERY_INGEST_HOUR_ADD);
    query_bind_text(query, 1, org);
    query_bind_int(query, 2, hour);
    query_bind_blob(query, 3, bytes.data, bytes.length);
    err = query_run(query);
    buf_free(&bytes);
    return err;
}

enum err ingest_hours_join(struct store *store, bool *found)
{
    struct arena arena = {0};
    struct ingest_list list;
    struct text org;
    int64_t hour;
    enum err err = first_noted(store, QUERY_INGEST_HOUR_CHUNKED_FIRST, &arena,
                               &org, &hour, found);
    if (!err && *found)
        err = ingest_hours_of(store, &arena, org, hour, &list);
    if (!err && *found)
        err = write_hour(store, org, hour, &list);
    arena_free(&arena);
    return err;
}
