/*
 * session_parts.c: session events out of the store, and into their place.
 *
 * A session's day lies in parts: sorted, each event once, all full but the
 * last. What a commit adds waits beside them until it is joined with the parts
 * that it changes; mostly that is the last one. Of two events with one key the
 * one that was written later stands: ingest writes an event again where a
 * redelivery won over it, and writes it as removed where the redelivery moved
 * it to another session.
 */
#include "rollup/facts.h"

#include "rollup/session_lines.h"

#include <stdlib.h>
#include <string.h>

/* Events where they were decoded, in the order in which they were written. */
struct written {
    const struct session_event *event;
    size_t number;
};

struct gathered {
    struct written *list;
    size_t count;
    size_t capacity;
};

static void gather(struct gathered *gathered,
                   const struct session_event *events, size_t count)
{
    if (!count)
        return;
    if (gathered->count + count > gathered->capacity) {
        gathered->capacity = (gathered->count + count) * 2;
        gathered->list = memory_resize(
            gathered->list, gathered->capacity * sizeof *gathered->list);
    }
    for (size_t i = 0; i < count; i++, gathered->count++)
        gathered->list[gathered->count] =
            (struct written){&events[i], gathered->count};
}

static int compare_key(const struct session_event *a,
                       const struct session_event *b)
{
    if (a->ts != b->ts)
        return a->ts < b->ts ? -1 : 1;
    int order = text_compare(a->id, b->id);
    return order ? order : (int)a->family - (int)b->family;
}

/* Of equal keys the later written comes last. */
static int compare_written(const void *left, const void *right)
{
    const struct written *a = left;
    const struct written *b = right;
    int order = compare_key(a->event, b->event);
    return order ? order : (a->number > b->number) - (a->number < b->number);
}

static bool is_sorted(const struct gathered *gathered)
{
    for (size_t i = 1; i < gathered->count; i++)
        if (compare_key(gathered->list[i - 1].event, gathered->list[i].event) >
            0)
            return false;
    return true;
}

/* Sorts them; of each key one stays, and none that was removed. */
static void settle_events(struct gathered *gathered)
{
    struct written *list = gathered->list;
    size_t count = gathered->count;
    if (!is_sorted(gathered))
        qsort(list, count, sizeof *list, compare_written);
    gathered->count = 0;
    for (size_t i = 0; i < count; i++) {
        bool replaced =
            i + 1 < count && !compare_key(list[i].event, list[i + 1].event);
        if (!replaced && !(list[i].event->flags & EVENT_REMOVED))
            list[gathered->count++] = list[i];
    }
}

/* COUNT of them from number AT on, in one piece. */
static struct session_event *copy_events(struct arena *arena,
                                         const struct gathered *gathered,
                                         size_t at, size_t count)
{
    struct session_event *events = arena_array(arena, count, sizeof *events);
    for (size_t i = 0; i < count; i++)
        events[i] = *gathered->list[at + i].event;
    return events;
}

/* The events that BYTES are the stored form of, or, where COLD, name. */
static enum err read_events(struct store *store, struct arena *arena,
                            struct text bytes, bool cold,
                            struct session_event **events, size_t *count)
{
    bool sound;
    enum err err = ERR_NONE;
    if (cold)
        err = session_lines_read(store, arena, bytes, events, count, &sound);
    else
        sound = session_events_decode(arena, bytes, events, count);
    if (!err && !sound)
        err = facts_damaged("events", text_of("a session"));
    return err;
}

/* All chunks of a started query of their events and whether they are cold. */
static enum err gather_chunks(struct store *store, struct query *query,
                              struct arena *arena, struct gathered *gathered)
{
    bool row;
    enum err err;
    while (!(err = query_step(query, &row)) && row) {
        struct session_event *events;
        size_t count;
        struct text bytes = query_copy(arena, query, 0);
        err = read_events(store, arena, bytes, query_int(query, 1) != 0,
                          &events, &count);
        if (err)
            return err;
        gather(gathered, events, count);
    }
    return err;
}

enum err session_events(struct store *store, struct arena *arena,
                        struct text session_key, struct session_event **events,
                        size_t *count)
{
    struct query *query = query_start(store, QUERY_SESSION_DAY_OF_SESSION);
    query_bind_text(query, 1, session_key);
    struct gathered gathered = {0};
    enum err err = gather_chunks(store, query, arena, &gathered);
    *events = NULL;
    *count = 0;
    if (!err) {
        settle_events(&gathered);
        *count = gathered.count;
        *events = copy_events(arena, &gathered, 0, *count);
    }
    free(gathered.list);
    return err;
}

/* ---- parts --------------------------------------------------------------- */

static struct query *ask_parts(struct query *query, struct text session_key,
                               struct part_place from, int64_t until_day)
{
    query_bind_text(query, 1, session_key);
    query_bind_int(query, 2, from.day);
    query_bind_int(query, 3, from.number);
    query_bind_int(query, 4, until_day);
    return query;
}

struct query *session_parts(struct store *store, struct text session_key,
                            struct part_place from, int64_t until_day)
{
    return ask_parts(query_start(store, QUERY_EVERY_SESSION_PARTS), session_key,
                     from, until_day);
}

struct query *session_parts_unpacked(struct store *store,
                                     struct text session_key,
                                     struct part_place from, int64_t until_day)
{
    return ask_parts(query_start(store, QUERY_SESSION_PARTS), session_key, from,
                     until_day);
}

enum err session_part_next(struct store *store, struct query *parts,
                           struct arena *arena, struct session_part *part,
                           bool *found)
{
    enum err err = query_step(parts, found);
    if (err || !*found)
        return err;
    part->place.day = query_int(parts, 0);
    part->place.number = query_int(parts, 1);
    struct text bytes = query_copy(arena, parts, 2);
    return read_events(store, arena, bytes, query_int(parts, 3) != 0,
                       &part->events, &part->count);
}

/* ---- joining ------------------------------------------------------------- */

/* One session's day while what waits is put into its place. */
struct joining {
    struct store *store;
    struct arena arena;
    struct text key;
    struct text org;
    int64_t day;
    int64_t first; /* part that changes */
    struct gathered gathered;
};

static enum err read_waiting(struct joining *joining)
{
    struct query *query =
        query_start(joining->store, QUERY_SESSION_DAY_WAITING);
    query_bind_text(query, 1, joining->key);
    query_bind_int(query, 2, joining->day);
    return gather_chunks(joining->store, query, &joining->arena,
                         &joining->gathered);
}

static int64_t earliest(const struct gathered *gathered)
{
    int64_t ts = INT64_MAX;
    for (size_t i = 0; i < gathered->count; i++)
        if (gathered->list[i].event->ts < ts)
            ts = gathered->list[i].event->ts;
    return ts;
}

static enum err find_first(struct joining *joining, bool *found)
{
    struct query *query = query_start(joining->store, QUERY_SESSION_PART_FIRST);
    query_bind_text(query, 1, joining->key);
    query_bind_int(query, 2, joining->day);
    query_bind_int(query, 3, earliest(&joining->gathered));
    enum err err = query_step(query, found);
    if (err || !*found)
        return err;
    joining->first = query_int(query, 0);
    return query_run(query);
}

/* The parts from the first that changes on were written before what waits. */
static enum err read_changing(struct joining *joining)
{
    struct gathered waiting = joining->gathered;
    struct query *query = session_parts(
        joining->store, joining->key,
        (struct part_place){joining->day, joining->first}, joining->day + 1);
    struct session_part part;
    bool found = true;
    enum err err;
    joining->gathered = (struct gathered){0};
    while (!(err = session_part_next(joining->store, query, &joining->arena,
                                     &part, &found)) &&
           found)
        gather(&joining->gathered, part.events, part.count);
    for (size_t i = 0; i < waiting.count; i++)
        gather(&joining->gathered, waiting.list[i].event, 1);
    free(waiting.list);
    return err;
}

/* Those from number AT of what was gathered. */
static enum err put_part(struct joining *joining, int64_t number, size_t at)
{
    struct arena arena = {0};
    struct buf bytes = {0};
    size_t left = joining->gathered.count - at;
    size_t count = left < SESSION_PART_EVENTS ? left : SESSION_PART_EVENTS;
    struct session_event *events =
        copy_events(&arena, &joining->gathered, at, count);
    session_events_encode(&bytes, events, count);
    struct query *query = query_start(joining->store, QUERY_SESSION_PART_PUT);
    query_bind_text(query, 1, joining->key);
    query_bind_int(query, 2, joining->day);
    query_bind_int(query, 3, number);
    query_bind_text(query, 4, joining->org);
    query_bind_blob(query, 5, bytes.data, bytes.length);
    query_bind_int(query, 6, (int64_t)count);
    query_bind_int(query, 7, events[0].ts);
    query_bind_int(query, 8, false);
    enum err err = query_run(query);
    buf_free(&bytes);
    arena_free(&arena);
    return err;
}

static enum err write_parts(struct joining *joining)
{
    struct query *query = query_start(joining->store, QUERY_SESSION_DAY_DELETE);
    query_bind_text(query, 1, joining->key);
    query_bind_int(query, 2, joining->day);
    query_bind_int(query, 3, joining->first);
    enum err err = query_run(query);
    settle_events(&joining->gathered);
    int64_t number = joining->first;
    for (size_t at = 0; !err && at < joining->gathered.count;
         at += SESSION_PART_EVENTS)
        err = put_part(joining, number++, at);
    return err;
}

static enum err join(struct joining *joining)
{
    bool found;
    enum err err = find_first(joining, &found);
    if (!err && found)
        err = read_changing(joining);
    return err ? err : write_parts(joining);
}

enum err session_day_join(struct store *store, struct text session_key,
                          struct text org, int64_t day, int64_t *first)
{
    struct joining joining = {
        .store = store, .key = session_key, .org = org, .day = day};
    enum err err = read_waiting(&joining);
    bool waits = joining.gathered.count > 0;
    if (!err && waits)
        err = join(&joining);
    *first = waits ? joining.first : INT64_MAX;
    free(joining.gathered.list);
    arena_free(&joining.arena);
    return err;
}
