/*
 * facts.c: capability snapshots out of their chunks. Session events are in
 * session_parts.c, those of requests in request_facts.c.
 *
 * Chunks of one hour are joined in the order in which they were written, and of
 * two snapshots with one key the later stands. Days long settled are one row
 * (snapshot_days.h).
 */
#include "rollup/facts.h"
#include "rollup/snapshot_days.h"

#include "base/clock.h"

#include <stdlib.h>
#include <string.h>

enum err facts_damaged(const char *what, struct text key)
{
    return err_set(ERR_CORRUPT,
                   "the stored %s of %.*s cannot be read; run `assay rebuild` "
                   "to derive them again from the evidence",
                   what, (int)key.length, key.data);
}

/* ---- snapshots -------------------------------------------------------------
 */

struct snapshot_list {
    struct capability_snapshot *list;
    size_t count;
    size_t capacity;
};

static void add_snapshots(struct snapshot_list *all,
                          const struct capability_snapshot *snapshots,
                          size_t count)
{
    if (all->count + count > all->capacity) {
        all->capacity = (all->count + count) * 2;
        all->list = memory_resize(all->list, all->capacity * sizeof *all->list);
    }
    if (count)
        memcpy(all->list + all->count, snapshots, count * sizeof *snapshots);
    all->count += count;
}

static int compare_snapshot_key(const struct capability_snapshot *a,
                                const struct capability_snapshot *b)
{
    if (a->ts != b->ts)
        return a->ts < b->ts ? -1 : 1;
    return text_compare(a->id, b->id);
}

static int compare_snapshot_written(const void *left, const void *right)
{
    const struct capability_snapshot *a =
        *(const struct capability_snapshot *const *)left;
    const struct capability_snapshot *b =
        *(const struct capability_snapshot *const *)right;
    int order = compare_snapshot_key(a, b);
    return order ? order : (a > b) - (a < b);
}

/* Sorted by (ts, id), each once: the later writing stands. */
static struct capability_snapshot *
settle_snapshots(struct arena *arena, const struct snapshot_list *all,
                 int64_t from_ms, int64_t until_ms, size_t *count)
{
    const struct capability_snapshot **order =
        arena_array(arena, all->count, sizeof *order);
    for (size_t i = 0; i < all->count; i++)
        order[i] = &all->list[i];
    if (all->count)
        qsort(order, all->count, sizeof *order, compare_snapshot_written);
    struct capability_snapshot *snapshots =
        arena_array(arena, all->count, sizeof *snapshots);
    *count = 0;
    for (size_t i = 0; i < all->count; i++) {
        bool replaced =
            i + 1 < all->count && !compare_snapshot_key(order[i], order[i + 1]);
        if (!replaced && !order[i]->removed && order[i]->ts >= from_ms &&
            order[i]->ts < until_ms)
            snapshots[(*count)++] = *order[i];
    }
    return snapshots;
}

static enum err read_snapshots(struct store *store, struct arena *arena,
                               struct text org, int64_t from_hour,
                               int64_t until_ms, struct snapshot_list *all)
{
    struct query *query = query_start(store, QUERY_SNAPSHOT_HOUR_BETWEEN);
    query_bind_text(query, 1, org);
    query_bind_int(query, 2, from_hour);
    query_bind_int(query, 3, until_ms);
    bool row;
    enum err err;
    while (!(err = query_step(query, &row)) && row) {
        struct capability_snapshot *snapshots;
        size_t count;
        struct text bytes = query_copy(arena, query, 2);
        if (!snapshots_decode(arena, bytes, &snapshots, &count))
            return facts_damaged("snapshots", org);
        add_snapshots(all, snapshots, count);
    }
    return err;
}

enum err snapshots_between(struct store *store, struct arena *arena,
                           struct text org, int64_t from_ms, int64_t until_ms,
                           struct capability_snapshot **snapshots,
                           size_t *count)
{
    struct snapshot_list all = {0};
    int64_t from_hour =
        from_ms == INT64_MIN ? from_ms : clock_hour_start(from_ms);
    enum err err = read_snapshots(store, arena, org, from_hour, until_ms, &all);
    *count = 0;
    *snapshots = NULL;
    if (!err)
        *snapshots = settle_snapshots(arena, &all, from_ms, until_ms, count);
    free(all.list);
    return err;
}

static enum err join_chunks(struct store *store, struct arena *arena,
                            struct text org, int64_t hour)
{
    struct capability_snapshot *snapshots;
    size_t count;
    enum err err = snapshots_between(store, arena, org, hour,
                                     hour + MS_PER_HOUR, &snapshots, &count);
    if (err)
        return err;
    struct query *query = query_start(store, QUERY_SNAPSHOT_HOUR_DELETE);
    query_bind_text(query, 1, org);
    query_bind_int(query, 2, hour);
    err = query_run(query);
    if (err || !count)
        return err;
    struct buf bytes = {0};
    snapshots_encode(&bytes, snapshots, count);
    query = query_start(store, QUERY_SNAPSHOT_HOUR_ADD);
    query_bind_text(query, 1, org);
    query_bind_int(query, 2, hour);
    query_bind_blob(query, 3, bytes.data, bytes.length);
    err = query_run(query);
    buf_free(&bytes);
    return err;
}

/* What comes to a day that is one row becomes part of it. */
static enum err join_hour(struct store *store, struct arena *arena,
                          struct text org, int64_t hour)
{
    bool one;
    int64_t day = clock_day_start(hour);
    enum err err = snapshot_day_is_one(store, org, day, &one);
    if (err)
        return err;
    return one ? snapshot_day_join(store, org, day)
               : join_chunks(store, arena, org, hour);
}

struct org_hour {
    struct org_hour *next;
    struct text org;
    int64_t hour;
};

enum err snapshots_join(struct store *store)
{
    struct arena names = {0};
    struct arena scratch = {0};
    struct org_hour *hours = NULL;
    struct query *query = query_start(store, QUERY_SNAPSHOT_HOUR_CHUNKED);
    bool row;
    enum err err;
    while (!(err = query_step(query, &row)) && row) {
        struct org_hour *hour = arena_alloc(&names, sizeof *hour);
        *hour = (struct org_hour){hours, query_copy(&names, query, 0),
                                  query_int(query, 1)};
        hours = hour;
    }
    for (; !err && hours; hours = hours->next) {
        err = join_hour(store, &scratch, hours->org, hours->hour);
        arena_clear(&scratch);
    }
    arena_free(&names);
    arena_free(&scratch);
    return err;
}
