/*
 * request_facts.c: request events out of their chunks, as facts.c does it for
 * sessions: of two events with one key the later written stands, and one
 * written as removed is none.
 */
#include "rollup/facts.h"

#include "base/clock.h"

#include <stdlib.h>
#include <string.h>

struct event_list {
    struct request_event *list;
    size_t count;
    size_t capacity;
};

static void add_events(struct event_list *all,
                       const struct request_event *events, size_t count)
{
    if (all->count + count > all->capacity) {
        all->capacity = (all->count + count) * 2;
        all->list = memory_resize(all->list, all->capacity * sizeof *all->list);
    }
    if (count)
        memcpy(all->list + all->count, events, count * sizeof *events);
    all->count += count;
}

/* Pointers into one array: of equal keys the later written comes last. */
static int compare_written(const void *left, const void *right)
{
    const struct request_event *a = *(const struct request_event *const *)left;
    const struct request_event *b = *(const struct request_event *const *)right;
    int order = request_event_compare(a, b);
    return order ? order : (a > b) - (a < b);
}

/* In ARENA: sorted, each key once, within [FROM, UNTIL). */
static struct request_event *settle_events(struct arena *arena,
                                           const struct event_list *all,
                                           int64_t from_ms, int64_t until_ms,
                                           size_t *count)
{
    const struct request_event **order =
        arena_array(arena, all->count, sizeof *order);
    for (size_t i = 0; i < all->count; i++)
        order[i] = &all->list[i];
    if (all->count)
        qsort(order, all->count, sizeof *order, compare_written);
    struct request_event *events =
        arena_array(arena, all->count, sizeof *events);
    *count = 0;
    for (size_t i = 0; i < all->count; i++) {
        bool replaced = i + 1 < all->count &&
                        !request_event_compare(order[i], order[i + 1]);
        if (!replaced && !(order[i]->flags & REQUEST_REMOVED) &&
            order[i]->ts >= from_ms && order[i]->ts < until_ms)
            events[(*count)++] = *order[i];
    }
    return events;
}

static enum err read_chunks(struct query *query, struct arena *arena,
                            struct text org, struct event_list *all)
{
    bool row;
    enum err err;
    while (!(err = query_step(query, &row)) && row) {
        struct request_event *events;
        size_t count;
        struct text bytes = query_copy(arena, query, 2);
        if (!request_events_decode(arena, bytes, &events, &count))
            return facts_damaged("jobs and payments", org);
        add_events(all, events, count);
    }
    return err;
}

enum err request_events_between(struct store *store, struct arena *arena,
                                struct text org, enum request_group group,
                                int64_t from_ms, int64_t until_ms,
                                struct request_event **events, size_t *count)
{
    struct event_list all = {0};
    struct query *query = query_start(store, QUERY_REQUEST_HOUR_BETWEEN);
    query_bind_text(query, 1, org);
    query_bind_int(query, 2, (int64_t)group);
    query_bind_int(query, 3,
                   from_ms == INT64_MIN ? from_ms : clock_hour_start(from_ms));
    query_bind_int(query, 4, until_ms);
    enum err err = read_chunks(query, arena, org, &all);
    *count = 0;
    *events = NULL;
    if (!err)
        *events = settle_events(arena, &all, from_ms, until_ms, count);
    free(all.list);
    return err;
}

/* ---- what there is ------------------------------------------------------- */

enum err request_orgs(struct store *store, struct arena *arena,
                      enum request_group group, struct text org,
                      struct text **orgs, size_t *count)
{
    struct query *query = query_start(store, QUERY_REQUEST_ORGS);
    query_bind_int(query, 1, (int64_t)group);
    query_bind_text(query, 2, org);
    bool row;
    enum err err;
    *orgs = NULL;
    *count = 0;
    while (!(err = query_step(query, &row)) && row) {
        *orgs = arena_grow(arena, *orgs, *count, sizeof **orgs);
        (*orgs)[(*count)++] = query_copy(arena, query, 0);
    }
    return err;
}

enum err request_days(struct store *store, struct arena *arena,
                      enum request_group group, struct text org,
                      int64_t from_ms, int64_t until_ms, int64_t **days,
                      size_t *count)
{
    struct query *query = query_start(store, QUERY_REQUEST_DAYS);
    query_bind_int(query, 1, (int64_t)group);
    query_bind_int(query, 2,
                   from_ms == INT64_MIN ? from_ms : clock_hour_start(from_ms));
    query_bind_int(query, 3, until_ms);
    query_bind_text(query, 4, org);
    bool row;
    enum err err;
    *days = NULL;
    *count = 0;
    while (!(err = query_step(query, &row)) && row) {
        *days = arena_grow(arena, *days, *count, sizeof **days);
        (*days)[(*count)++] = query_int(query, 0);
    }
    return err;
}

/* ---- joining ------------------------------------------------------------- */

static enum err write_hour(struct store *store, struct text org,
                           enum request_group group, int64_t hour,
                           const struct request_event *events, size_t count)
{
    struct query *query = query_start(store, QUERY_REQUEST_HOUR_DELETE);
    query_bind_text(query, 1, org);
    query_bind_int(query, 2, (int64_t)group);
    query_bind_int(query, 3, hour);
    enum err err = query_run(query);
    if (err || !count)
        return err;
    struct buf bytes = {0};
    request_events_encode(&bytes, events, count);
    query = query_start(store, QUERY_REQUEST_HOUR_ADD);
    query_bind_text(query, 1, org);
    query_bind_int(query, 2, (int64_t)group);
    query_bind_int(query, 3, hour);
    query_bind_blob(query, 4, bytes.data, bytes.length);
    err = query_run(query);
    buf_free(&bytes);
    return err;
}

static enum err join_hour(struct store *store, struct arena *arena,
                          struct text org, enum request_group group,
                          int64_t hour)
{
    struct request_event *events;
    size_t count;
    enum err err = request_events_between(store, arena, org, group, hour,
                                          hour + MS_PER_HOUR, &events, &count);
    return err ? err : write_hour(store, org, group, hour, events, count);
}

enum err requests_join(struct store *store, bool *found)
{
    struct arena arena = {0};
    struct query *query = query_start(store, QUERY_REQUEST_HOUR_CHUNKED_FIRST);
    enum err err = query_step(query, found);
    if (!err && *found) {
        struct text org = query_copy(&arena, query, 0);
        int64_t group = query_int(query, 1);
        int64_t hour = query_int(query, 2);
        err = query_run(query);
        if (!err)
            err =
                join_hour(store, &arena, org, (enum request_group)group, hour);
    }
    arena_free(&arena);
    return err;
}
