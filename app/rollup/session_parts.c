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

struct gathered {
    struct session_event *events;
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
        gathered->events = memory_resize(
            gathered->events, gathered->capacity * sizeof *gathered->events);
    }
    memcpy(gathered->events + gathered->count, events, count * sizeof *events);
    gathered->count += count;
}

static int compare_key(const struct session_event *a,
                       const struct session_event *b)
{
    if (a->ts != b->ts)
        return a->ts < b->ts ? -1 : 1;
    int order = text_compare(a->id, b->id);
    return order ? order : (int)a->family - (int)b->family;
}

/* Pointers into one array: of equal keys the later written comes last. */
static int compare_written(const void *left, const void *right)
{
    const struct session_event *a = *(const struct session_event *const *)left;
    const struct session_event *b = *(const struct session_event *const *)right;
    int order = compare_key(a, b);
    return order ? order : (a > b) - (a < b);
}

static bool is_sorted(const struct gathered *gathered)
{
    for (size_t i = 1; i < gathered->count; i++)
        if (compare_key(&gathered->events[i - 1], &gathered->events[i]) > 0)
            return false;
    return true;
}

/* Sorted, each key once, removed ones left out; in ARENA. */
static struct session_event *settle_events(struct arena *arena,
                                           const struct gathered *gathered,
                                           size_t *settled)
{
    size_t count = gathered->count;
    const struct session_event **order =
        arena_array(arena, count, sizeof *order);
    for (size_t i = 0; i < count; i++)
        order[i] = &gathered->events[i];
    if (!is_sorted(gathered))
        qsort(order, count, sizeof *order, compare_written);
    struct session_event *events = arena_array(arena, count, sizeof *events);
    *settled = 0;
    for (size_t i = 0; i < count; i++) {
        bool replaced = i + 1 < count && !compare_key(order[i], order[i + 1]);
        if (!replaced && !(order[i]->flags & EVENT_REMOVED))
            events[(*settled)++] = *order[i];
    }
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
    if (!err)
        *events = settle_events(arena, &gathered, count);
    free(gathered.events);
    return err;
}

/* ---- parts --------------------------------------------------------------- */

struct query *session_parts(struct store *store, struct text session_key,
                            struct part_place from, int64_t until_day)
{
    struct query *query = query_start(store, QUERY_SESSION_PARTS);
    query_bind_text(query, 1, session_key);
    query_bind_int(query, 2, from.day);
    query_bind_int(query, 3, from.number);
    query_bind_int(query, 4, until_day);
    return query;
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
        if (gathered->events[i].ts < ts)
            ts = gathered->events[i].ts;
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
    gather(&joining->gathered, waiting.events, waiting.count);
    free(waiting.events);
    return err;
}

static enum err put_part(struct joining *joining, int64_t number,
                         const struct session_event *events, size_t count)
{
    struct buf bytes = {0};
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
    return err;
}

static enum err write_parts(struct joining *joining)
{
    struct query *query = query_start(joining->store, QUERY_SESSION_DAY_DELETE);
    query_bind_text(query, 1, joining->key);
    query_bind_int(query, 2, joining->day);
    query_bind_int(query, 3, joining->first);
    enum err err = query_run(query);
    size_t count;
    struct session_event *events =
        settle_events(&joining->arena, &joining->gathered, &count);
    int64_t number = joining->first;
    for (size_t at = 0; !err && at < count; at += SESSION_PART_EVENTS) {
        size_t left = count - at;
        err = put_part(joining, number++, events + at,
                       left < SESSION_PART_EVENTS ? left : SESSION_PART_EVENTS);
    }
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
    free(joining.gathered.events);
    arena_free(&joining.arena);
    return err;
}
