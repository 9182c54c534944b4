/*
 * snapshot_days.c: see snapshot_days.h.
 *
 * Which of the two a day becomes follows from its snapshots alone: from the
 * length of the one row that it would be. So the stored bytes do not tell in
 * which order it came to be what it is.
 */
#include "rollup/snapshot_days.h"

#include "rollup/settle_int.h"

#include "base/clock.h"

#include <stdlib.h>

enum snapshot_form { FORM_HOUR, FORM_DAY, FORM_HOUR_FOR_GOOD };

enum {
    DAY_BYTES_MAX = 128 << 10,
    /* Hours of more bytes are not even read: each has everything once, so that
     * the day has at least as much as the largest of them. */
    HOURS_BYTES_MAX = 24 * DAY_BYTES_MAX
};

/* A query about ORG's DAY. */
static struct query *of_day(struct store *store, enum query_id id,
                            struct text org, int64_t day)
{
    struct query *query = query_start(store, id);
    query_bind_text(query, 1, org);
    query_bind_int(query, 2, day);
    query_bind_int(query, 3, day + MS_PER_DAY);
    return query;
}

enum err snapshot_day_is_one(struct store *store, struct text org, int64_t day,
                             bool *one)
{
    int64_t is_one = 0;
    bool found;
    struct query *query = query_start(store, QUERY_SNAPSHOT_DAY_IS_ONE);
    query_bind_text(query, 1, org);
    query_bind_int(query, 2, day);
    enum err err = query_first_int(query, &is_one, &found);
    *one = is_one != 0;
    return err;
}

static enum err put(struct store *store, struct text org, int64_t hour,
                    enum snapshot_form form, const struct buf *bytes)
{
    struct query *query = query_start(store, QUERY_SNAPSHOT_HOUR_PUT);
    query_bind_text(query, 1, org);
    query_bind_int(query, 2, hour);
    query_bind_blob(query, 3, bytes->data, bytes->length);
    query_bind_int(query, 4, form);
    return query_run(query);
}

/* Hour by hour; SNAPSHOTS come sorted by time. */
static enum err put_hours(struct store *store, struct text org,
                          const struct capability_snapshot *snapshots,
                          size_t count)
{
    enum err err = ERR_NONE;
    for (size_t i = 0; !err && i < count;) {
        struct buf bytes = {0};
        size_t first = i;
        int64_t hour = clock_hour_start(snapshots[i].ts);
        while (i < count && clock_hour_start(snapshots[i].ts) == hour)
            i++;
        snapshots_encode(&bytes, snapshots + first, i - first);
        err = put(store, org, hour, FORM_HOUR_FOR_GOOD, &bytes);
        buf_free(&bytes);
    }
    return err;
}

static enum err write_day(struct store *store, struct text org, int64_t day,
                          const struct capability_snapshot *snapshots,
                          size_t count)
{
    struct buf bytes = {0};
    enum err err =
        query_run(of_day(store, QUERY_SNAPSHOT_DAY_DELETE, org, day));
    if (err || !count)
        return err;
    snapshots_encode(&bytes, snapshots, count);
    err = bytes.length <= DAY_BYTES_MAX
              ? put(store, org, day, FORM_DAY, &bytes)
              : put_hours(store, org, snapshots, count);
    buf_free(&bytes);
    return err;
}

enum err snapshot_day_join(struct store *store, struct text org, int64_t day)
{
    struct arena arena = {0};
    struct capability_snapshot *snapshots;
    size_t count;
    int64_t stored_bytes = 0;
    bool found;
    enum err err = query_first_int(
        of_day(store, QUERY_SNAPSHOT_BYTES, org, day), &stored_bytes, &found);
    if (!err && stored_bytes > HOURS_BYTES_MAX)
        return query_run(of_day(store, QUERY_SNAPSHOT_DAY_LEAVE, org, day));
    if (!err)
        err = snapshots_between(store, &arena, org, day, day + MS_PER_DAY,
                                &snapshots, &count);
    if (!err)
        err = write_day(store, org, day, snapshots, count);
    arena_free(&arena);
    return err;
}

enum err snapshot_days_settle(struct store *store, bool *found)
{
    struct arena arena = {0};
    struct text org;
    int64_t day;
    enum err err =
        first_noted(store, QUERY_SNAPSHOT_DAY_FIRST, &arena, &org, &day, found);
    if (!err && *found)
        err = snapshot_day_join(store, org, day);
    arena_free(&arena);
    return err;
}
