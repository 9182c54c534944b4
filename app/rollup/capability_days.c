/*
 * capability_days.c: see capability_days.h.
 *
 * The kept indexes are attached to the store's handle. They are a memory of
 * what the store holds, and nothing else: whoever changes that forgets them.
 */
#include "rollup/capability_days.h"

#include "base/clock.h"
#include "rollup/capability_index.h"

#include <stdlib.h>
#include <string.h>

enum { DAYS_KEPT = 4 };

struct kept_day {
    struct arena arena;
    struct text org;
    int64_t day;
    struct capability_index *index; /* null for an empty place */
    uint64_t asked;                 /* number of the last question */
};

struct kept_days {
    struct kept_day days[DAYS_KEPT];
    uint64_t questions;
};

/* ---- keeping --------------------------------------------------------------
 */

static void empty(struct kept_day *kept)
{
    if (kept->index)
        capability_index_free(kept->index);
    arena_free(&kept->arena);
    *kept = (struct kept_day){0};
}

static void release(void *attached)
{
    struct kept_days *all = attached;
    for (size_t i = 0; i < DAYS_KEPT; i++)
        empty(&all->days[i]);
    free(all);
}

void capability_days_forget(struct store *store)
{
    store_attach(store, NULL, NULL);
}

static struct kept_days *kept_in(struct store *store)
{
    struct kept_days *all = store_attached(store);
    if (!all) {
        all = memory_zeroed(1, sizeof *all);
        store_attach(store, all, release);
    }
    return all;
}

/* The place of (ORG, DAY): its own, else the one not asked for the longest. */
static struct kept_day *place_for(struct kept_days *all, struct text org,
                                  int64_t day)
{
    struct kept_day *oldest = &all->days[0];
    for (size_t i = 0; i < DAYS_KEPT; i++) {
        struct kept_day *kept = &all->days[i];
        if (kept->index && kept->day == day && text_equal(kept->org, org))
            return kept;
        if (kept->asked < oldest->asked)
            oldest = kept;
    }
    empty(oldest);
    return oldest;
}

/* ---- reading --------------------------------------------------------------
 */

struct snapshots {
    struct capability_snapshot *list;
    size_t count;
};

static enum err decode(struct arena *arena, struct query *query,
                       struct text org, struct snapshots *snapshots)
{
    struct text bytes = query_copy(arena, query, 0);
    if (snapshots_decode(arena, bytes, &snapshots->list, &snapshots->count))
        return ERR_NONE;
    return err_set(ERR_CORRUPT,
                   "what the orchestrators of %.*s offered cannot be read; run "
                   "`assay rebuild` to derive it again from the evidence",
                   (int)org.length, org.data);
}

/* The last closing before DAY; none where there is none. */
static enum err closing_before(struct store *store, struct arena *arena,
                               struct text org, int64_t day,
                               struct snapshots *closing)
{
    struct query *query = query_start(store, QUERY_CAPABILITY_CLOSING_BEFORE);
    query_bind_text(query, 1, org);
    query_bind_int(query, 2, day);
    bool row;
    *closing = (struct snapshots){0};
    enum err err = query_step(query, &row);
    if (err || !row)
        return err;
    err = decode(arena, query, org, closing);
    return err ? err : query_run(query);
}

/* What is known from before DAY, and its snapshots up to UNTIL. */
static enum err known_until(struct store *store, struct arena *arena,
                            struct text org, int64_t day, int64_t until,
                            struct snapshots *known)
{
    struct snapshots before;
    struct snapshots own = {0};
    enum err err = closing_before(store, arena, org, day, &before);
    if (!err)
        err = snapshots_between(store, arena, org, day, until, &own.list,
                                &own.count);
    if (err)
        return err;
    known->count = before.count + own.count;
    known->list = arena_array(arena, known->count, sizeof *known->list);
    if (before.count)
        memcpy(known->list, before.list, before.count * sizeof *before.list);
    if (own.count)
        memcpy(known->list + before.count, own.list,
               own.count * sizeof *own.list);
    return ERR_NONE;
}

static enum err make(struct store *store, struct kept_day *kept,
                     struct text org, int64_t day)
{
    struct snapshots known;
    enum err err = known_until(store, &kept->arena, org, day,
                               day + MS_PER_DAY + SNAPSHOT_LATE_MS + 1, &known);
    if (err)
        return err;
    kept->org = (struct text){arena_text(&kept->arena, org.data, org.length),
                              org.length};
    kept->day = day;
    kept->index = capability_index_build(&kept->arena, &lens_assay, kept->org,
                                         known.list, known.count, NULL, 0);
    return ERR_NONE;
}

enum err capability_day(struct store *store, struct text org, int64_t day,
                        const struct capability_index **index)
{
    struct kept_days *all = kept_in(store);
    struct kept_day *kept = place_for(all, org, day);
    kept->asked = ++all->questions;
    enum err err = kept->index ? ERR_NONE : make(store, kept, org, day);
    *index = kept->index;
    return err;
}

/* ---- closing --------------------------------------------------------------
 */

static enum err note_closing(struct store *store, struct text org, int64_t day)
{
    struct query *query = query_start(store, QUERY_DIRTY_CLOSING_ADD);
    query_bind_text(query, 1, org);
    query_bind_int(query, 2, day);
    return query_run(query);
}

/* Sessions of the days after DAY up to LAST see another past. */
static enum err note_days(struct store *store, struct text org, int64_t day,
                          int64_t last)
{
    struct query *query = query_start(store, QUERY_DIRTY_ATTRIBUTION_AFTER);
    query_bind_text(query, 1, org);
    query_bind_int(query, 2, day);
    query_bind_int(query, 3, last);
    return query_run(query);
}

static enum err note_followers(struct store *store, struct text org,
                               int64_t day)
{
    int64_t next = INT64_MAX;
    bool found;
    struct query *query = query_start(store, QUERY_SNAPSHOT_HOUR_AFTER);
    query_bind_text(query, 1, org);
    query_bind_int(query, 2, day + MS_PER_DAY);
    enum err err = query_first_int(query, &next, &found);
    if (found)
        next = clock_day_start(next);
    if (!err && found)
        err = note_closing(store, org, next);
    return err ? err : note_days(store, org, day, next);
}

static enum err stored_closing(struct store *store, struct arena *arena,
                               struct text org, int64_t day, struct text *bytes)
{
    struct query *query = query_start(store, QUERY_CAPABILITY_CLOSING_GET);
    query_bind_text(query, 1, org);
    query_bind_int(query, 2, day);
    bool row;
    *bytes = (struct text){"", 0};
    enum err err = query_step(query, &row);
    if (err || !row)
        return err;
    *bytes = query_copy(arena, query, 0);
    return query_run(query);
}

static enum err replace_closing(struct store *store, struct text org,
                                int64_t day, const struct buf *bytes)
{
    struct query *query = query_start(store, QUERY_CAPABILITY_CLOSING_PUT);
    query_bind_text(query, 1, org);
    query_bind_int(query, 2, day);
    query_bind_blob(query, 3, bytes->data, bytes->length);
    return query_run(query);
}

/* The closing of DAY by its facts. */
static enum err close_day(struct store *store, struct arena *arena,
                          struct text org, int64_t day, struct buf *bytes)
{
    struct snapshots known;
    enum err err =
        known_until(store, arena, org, day, day + MS_PER_DAY, &known);
    if (err)
        return err;
    struct capability_index *index = capability_index_build(
        arena, &lens_assay, org, known.list, known.count, NULL, 0);
    size_t count;
    struct capability_snapshot *left = capability_carry(arena, index, &count);
    snapshots_encode(bytes, left, count);
    capability_index_free(index);
    return ERR_NONE;
}

static enum err compare_and_replace(struct store *store, struct arena *arena,
                                    struct text org, int64_t day)
{
    struct buf now = {0};
    struct text before;
    enum err err = close_day(store, arena, org, day, &now);
    if (!err)
        err = stored_closing(store, arena, org, day, &before);
    if (!err && !text_equal(before, (struct text){(const char *)now.data,
                                                  now.length})) {
        err = replace_closing(store, org, day, &now);
        if (!err)
            err = note_followers(store, org, day);
    }
    buf_free(&now);
    return err;
}

enum err settle_closing(struct store *store, struct text org, int64_t day)
{
    struct arena arena = {0};
    capability_days_forget(store);
    enum err err = compare_and_replace(store, &arena, org, day);
    arena_free(&arena);
    if (err)
        return err;
    struct query *query = query_start(store, QUERY_DIRTY_CLOSING_CLEAR);
    query_bind_text(query, 1, org);
    query_bind_int(query, 2, day);
    return query_run(query);
}
