/*
 * facts.c: session events and snapshots out of their chunks.
 *
 * Chunks of one day are joined in the order in which they were written, and of
 * two events with one key the later stands: ingest writes an event again where
 * a redelivery won over it, and writes it as removed where the redelivery moved
 * it to another session.
 */
#include "rollup/facts.h"

#include "base/clock.h"
#include "rollup/session.h"

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

/* Sorted, each key once, removed ones left out; in ARENA. */
static void settle_events(struct arena *arena, const struct gathered *gathered,
                          struct session_facts *facts)
{
    size_t count = gathered->count;
    const struct session_event **order =
        arena_array(arena, count, sizeof *order);
    for (size_t i = 0; i < count; i++)
        order[i] = &gathered->events[i];
    if (count)
        qsort(order, count, sizeof *order, compare_written);
    facts->events = arena_array(arena, count, sizeof *facts->events);
    facts->count = 0;
    for (size_t i = 0; i < count; i++) {
        bool replaced = i + 1 < count && !compare_key(order[i], order[i + 1]);
        if (!replaced && !(order[i]->flags & EVENT_REMOVED))
            facts->events[facts->count++] = *order[i];
    }
}

enum err facts_damaged(const char *what, struct text key)
{
    return err_set(ERR_CORRUPT,
                   "the stored %s of %.*s cannot be read; run `assay rebuild` "
                   "to derive them again from the evidence",
                   what, (int)key.length, key.data);
}

static enum err gather_chunks(struct query *query, struct arena *arena,
                              struct text session_key,
                              struct gathered *gathered,
                              struct session_facts *facts)
{
    bool row;
    enum err err;
    while (!(err = query_step(query, &row)) && row) {
        struct session_event *events;
        size_t count;
        struct text bytes = query_copy(arena, query, 2);
        if (!session_events_decode(arena, bytes, &events, &count))
            return facts_damaged("events", session_key);
        gather(gathered, events, count);
        if (query_int(query, 1) != 1)
            continue;
        int64_t *days = arena_array(arena, facts->chunked_count + 1,
                                    sizeof *facts->chunked_days);
        if (facts->chunked_count)
            memcpy(days, facts->chunked_days,
                   facts->chunked_count * sizeof *days);
        days[facts->chunked_count++] = query_int(query, 0);
        facts->chunked_days = days;
    }
    return err;
}

enum err session_facts_read(struct store *store, struct arena *arena,
                            struct text session_key,
                            struct session_facts *facts)
{
    struct query *query = query_start(store, QUERY_SESSION_DAY_OF_SESSION);
    query_bind_text(query, 1, session_key);
    struct gathered gathered = {0};
    *facts = (struct session_facts){0};
    enum err err = gather_chunks(query, arena, session_key, &gathered, facts);
    if (!err)
        settle_events(arena, &gathered, facts);
    free(gathered.events);
    return err;
}

enum err session_events(struct store *store, struct arena *arena,
                        struct text session_key, struct session_event **events,
                        size_t *count)
{
    struct session_facts facts;
    enum err err = session_facts_read(store, arena, session_key, &facts);
    *events = facts.events;
    *count = facts.count;
    return err;
}

static size_t first_from(const struct session_event *events, size_t count,
                         int64_t start)
{
    size_t low = 0;
    while (low < count) {
        size_t middle = low + (count - low) / 2;
        if (events[middle].ts < start)
            low = middle + 1;
        else
            count = middle;
    }
    return low;
}

struct session_event *events_between(struct session_event *events, size_t count,
                                     int64_t start, int64_t end,
                                     size_t *run_count)
{
    size_t first = first_from(events, count, start);
    *run_count = first_from(events, count, end) - first;
    return events ? events + first : events;
}

static enum err write_day(struct store *store, struct text session_key,
                          struct text org, int64_t day,
                          const struct session_event *events, size_t count)
{
    struct query *query = query_start(store, QUERY_SESSION_DAY_DELETE);
    query_bind_text(query, 1, session_key);
    query_bind_int(query, 2, day);
    enum err err = query_run(query);
    if (err || !count)
        return err;
    struct buf bytes = {0};
    session_events_encode(&bytes, events, count);
    query = query_start(store, QUERY_SESSION_DAY_ADD);
    query_bind_text(query, 1, session_key);
    query_bind_int(query, 2, day);
    query_bind_text(query, 3, org);
    query_bind_blob(query, 4, bytes.data, bytes.length);
    err = query_run(query);
    buf_free(&bytes);
    return err;
}

enum err session_facts_join(struct store *store, struct text session_key,
                            struct text org, const struct session_facts *facts)
{
    enum err err = ERR_NONE;
    for (size_t i = 0; !err && i < facts->chunked_count; i++) {
        int64_t day = facts->chunked_days[i];
        size_t count;
        struct session_event *events = events_between(
            facts->events, facts->count, day, day + MS_PER_DAY, &count);
        err = write_day(store, session_key, org, day, events, count);
    }
    return err;
}

struct session_pass *passes_by_day(struct arena *arena,
                                   const struct session_event *events,
                                   size_t event_count,
                                   const struct selection_row *selections,
                                   size_t selection_count, size_t *count)
{
    struct session_pass *passes =
        arena_array(arena, event_count, sizeof *passes);
    size_t next = 0;
    *count = 0;
    for (size_t i = 0; i < event_count; i++) {
        int64_t day = clock_day_start(events[i].ts);
        if (!is_session_event(&events[i]) ||
            (*count && passes[*count - 1].start == day))
            continue;
        struct session_pass *pass = &passes[(*count)++];
        pass->start = day;
        while (next < selection_count && selections[next].day < day)
            next++;
        pass->selections = selections + next;
        while (next < selection_count && selections[next].day == day) {
            pass->selection_count++;
            next++;
        }
    }
    return passes;
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

static enum err join_hour(struct store *store, struct arena *arena,
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
