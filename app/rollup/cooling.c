/*
 * cooling.c: the last stage of settling. Parts of sessions' days that are well
 * behind the newest event give their events up for the numbers of their lines
 * (session_lines.h); and back, where the lines are about to expire. Most
 * sessions are packed by then (packing.c); these are those that still go on.
 *
 * Which days are cold follows from the newest event alone, so that the stored
 * bytes do not tell when they were settled. An event that comes late makes the
 * parts it changes warm again, until the stage comes by.
 */
#include "rollup/session_lines.h"
#include "rollup/settle_int.h"

enum { PARTS_AT_ONCE = 256 };

/* One part that is to be written in the other form. */
struct part {
    struct text session_key;
    int64_t number;
    struct text bytes;
    int64_t event_count;
    int64_t first_ts;
    struct text org;
    int64_t day;
};

struct part_list {
    struct part *parts;
    size_t count;
};

/* What is left to cool of a day. */
struct warm_day {
    struct text org;
    int64_t day;
    struct text after;
    bool stays; /* it has lost evidence */
};

static enum err read_parts(struct query *query, struct arena *arena,
                           struct part_list *list)
{
    bool row;
    enum err err;
    *list = (struct part_list){0};
    while (!(err = query_step(query, &row)) && row) {
        list->parts =
            arena_grow(arena, list->parts, list->count, sizeof *list->parts);
        list->parts[list->count++] = (struct part){
            query_copy(arena, query, 0), query_int(query, 1),
            query_copy(arena, query, 2), query_int(query, 3),
            query_int(query, 4),         query_copy(arena, query, 5),
            query_int(query, 6)};
    }
    return err;
}

/* Deleted and put anew: of rows that shrink in their place the pages would
 * stay as they are, nearly empty. */
static enum err write_part(struct store *store, const struct part *part,
                           const struct buf *bytes, bool cold)
{
    struct query *query = query_start(store, QUERY_SESSION_PART_DELETE);
    query_bind_text(query, 1, part->session_key);
    query_bind_int(query, 2, part->day);
    query_bind_int(query, 3, part->number);
    enum err err = query_run(query);
    if (err)
        return err;
    query = query_start(store, QUERY_SESSION_PART_PUT);
    query_bind_text(query, 1, part->session_key);
    query_bind_int(query, 2, part->day);
    query_bind_int(query, 3, part->number);
    query_bind_text(query, 4, part->org);
    query_bind_blob(query, 5, bytes->data, bytes->length);
    query_bind_int(query, 6, part->event_count);
    query_bind_int(query, 7, part->first_ts);
    query_bind_int(query, 8, cold);
    return query_run(query);
}

/* ---- warm to cold -------------------------------------------------------- */

static enum err cool_part(struct store *store, const struct part *part)
{
    struct buf bytes = {0};
    enum err err = session_lines_of(part->session_key, part->bytes, &bytes);
    if (!err)
        err = write_part(store, part, &bytes, true);
    buf_free(&bytes);
    return err;
}

/* The next parts of DAY; FINISHED says that there are none behind them. */
static enum err cool_some(struct store *store, struct arena *arena,
                          struct warm_day *warm, bool *finished)
{
    struct part_list list;
    struct query *query = query_start(store, QUERY_SESSION_PARTS_TO_COOL);
    query_bind_text(query, 1, warm->org);
    query_bind_int(query, 2, warm->day);
    query_bind_text(query, 3, warm->after);
    query_bind_int(query, 4, PARTS_AT_ONCE);
    enum err err = read_parts(query, arena, &list);
    for (size_t i = 0; !err && i < list.count; i++)
        err = cool_part(store, &list.parts[i]);
    *finished = list.count < PARTS_AT_ONCE;
    if (list.count)
        warm->after = list.parts[list.count - 1].session_key;
    return err;
}

static enum err note(struct store *store, const struct warm_day *warm,
                     bool finished)
{
    struct query *query = query_start(store, finished ? QUERY_WARM_DAY_CLEAR
                                                      : QUERY_WARM_DAY_COOLED);
    query_bind_text(query, 1, warm->org);
    query_bind_int(query, 2, warm->day);
    if (!finished)
        query_bind_text(query, 3, warm->after);
    return query_run(query);
}

static enum err cold_before(struct store *store, int64_t *day)
{
    bool found;
    *day = INT64_MIN;
    return query_first_int(query_start(store, QUERY_FACTS_COLD_BEFORE), day,
                           &found);
}

static enum err first_past(struct store *store, struct arena *arena,
                           struct warm_day *warm, bool *found)
{
    int64_t before;
    enum err err = cold_before(store, &before);
    if (err)
        return err;
    struct query *query = query_start(store, QUERY_WARM_DAY_PAST);
    query_bind_int(query, 1, before);
    err = query_step(query, found);
    if (err || !*found)
        return err;
    *warm = (struct warm_day){query_copy(arena, query, 0), query_int(query, 1),
                              query_copy(arena, query, 2),
                              query_int(query, 3) != 0};
    return query_run(query);
}

enum err settle_cooling(struct store *store, bool *found)
{
    struct arena arena = {0};
    struct warm_day warm;
    bool finished = true;
    enum err err = first_past(store, &arena, &warm, found);
    if (!err && *found && !warm.stays)
        err = cool_some(store, &arena, &warm, &finished);
    if (!err && *found)
        err = note(store, &warm, finished);
    arena_free(&arena);
    return err;
}

/* ---- cold to warm -------------------------------------------------------- */

static enum err warm_part(struct store *store, struct arena *scratch,
                          const struct part *part)
{
    struct session_event *events;
    size_t count;
    bool sound;
    enum err err = session_lines_read(store, scratch, part->bytes, &events,
                                      &count, &sound);
    if (!err && !sound)
        err = facts_damaged("events", part->session_key);
    if (err)
        return err;
    struct buf bytes = {0};
    session_events_encode(&bytes, events, count);
    err = write_part(store, part, &bytes, false);
    buf_free(&bytes);
    arena_clear(scratch);
    return err;
}

static enum err warm_some(struct store *store, struct arena *arena,
                          struct text org, int64_t day, bool *more)
{
    struct part_list list;
    struct arena scratch = {0};
    struct query *query = query_start(store, QUERY_SESSION_PARTS_TO_WARM);
    query_bind_text(query, 1, org);
    query_bind_int(query, 2, day);
    query_bind_int(query, 3, PARTS_AT_ONCE);
    enum err err = read_parts(query, arena, &list);
    for (size_t i = 0; !err && i < list.count; i++)
        err = warm_part(store, &scratch, &list.parts[i]);
    arena_free(&scratch);
    *more = list.count == PARTS_AT_ONCE;
    return err;
}

enum err session_warm(struct store *store, struct text key)
{
    struct arena arena = {0};
    struct arena scratch = {0};
    struct part_list list;
    int64_t before;
    enum err err = cold_before(store, &before);
    if (err)
        return err;
    struct query *query = query_start(store, QUERY_SESSION_PARTS_UNPACKED);
    query_bind_text(query, 1, key);
    query_bind_int(query, 2, before);
    err = read_parts(query, &arena, &list);
    for (size_t i = 0; !err && i < list.count; i++)
        err = warm_part(store, &scratch, &list.parts[i]);
    arena_free(&scratch);
    arena_free(&arena);
    return err;
}

enum err sessions_warm(struct store *store, struct text org, int64_t day)
{
    struct arena arena = {0};
    bool more = true;
    /* Packs are made again later, when the day has lost its evidence. */
    struct query *hours = query_start(store, QUERY_PACKED_HOURS_BY_LINES);
    query_bind_text(hours, 1, org);
    query_bind_int(hours, 2, day);
    enum err err = packs_unpack_each(store, hours);
    while (!err && more) {
        err = warm_some(store, &arena, org, day, &more);
        arena_clear(&arena);
    }
    arena_free(&arena);
    return err;
}
