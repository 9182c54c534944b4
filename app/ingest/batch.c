/*
 * batch.c: facts of many lines, gathered so that one session's day, one
 * organisation's hour of snapshots and one count are written once a commit.
 *
 * Settling leaves each hour as one chunk, number 0, and each day as chunks of
 * bounded size: sorted, each key once, none removed. What comes in that form is
 * kept as it is where it is alone; else settling joins it, so that the stored
 * bytes do not tell in which order events came.
 */
#include "ingest/batch.h"

#include "base/clock.h"
#include "ingest/batch_ingest_metrics.h"
#include "ingest/batch_requests.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

struct session_day {
    struct text session_key;
    struct text org;
    int64_t day;
    struct session_event *events;
    size_t count;
    bool wants_joining;
};

struct snapshot_hour {
    struct text org;
    int64_t hour;
    struct capability_snapshot *snapshots;
    size_t count;
    bool wants_joining;
};

struct batch {
    struct arena arena;
    struct text_index strings; /* of the batch: each kept once */
    struct text_index day_keys;
    struct session_day *days;
    size_t day_capacity;
    struct text_index hour_keys;
    struct snapshot_hour *hours;
    size_t hour_capacity;
    struct request_batch requests;
    struct ingest_metrics_batch ingest_metrics;
    struct counts counts;
};

struct batch *batch_new(void)
{
    return memory_zeroed(1, sizeof(struct batch));
}

static void forget_facts(struct batch *batch)
{
    text_index_free(&batch->strings);
    text_index_free(&batch->day_keys);
    text_index_free(&batch->hour_keys);
    request_batch_clear(&batch->requests);
    ingest_metrics_batch_clear(&batch->ingest_metrics);
    arena_clear(&batch->arena);
}

void batch_clear(struct batch *batch)
{
    forget_facts(batch);
    counts_free(&batch->counts);
}

void batch_give_back(struct batch *batch)
{
    request_batch_free(&batch->requests);
    ingest_metrics_batch_free(&batch->ingest_metrics);
    arena_free(&batch->arena);
    free(batch->days);
    free(batch->hours);
    batch->days = NULL;
    batch->hours = NULL;
    batch->day_capacity = batch->hour_capacity = 0;
}

void batch_free(struct batch *batch)
{
    if (!batch)
        return;
    batch_clear(batch);
    batch_give_back(batch);
    free(batch);
}

const struct counts *batch_counts(const struct batch *batch)
{
    return &batch->counts;
}

static struct text kept(struct batch *batch, struct text text)
{
    size_t number = text_index_add(&batch->strings, text, NULL);
    return batch->strings.texts[number];
}

/* The number of (A, TIME) in KEYS. */
static size_t number_of(struct text_index *keys, struct text a, int64_t time,
                        bool *added)
{
    struct buf key = {0};
    buf_add_u64(&key, (uint64_t)time);
    buf_add(&key, a.data, a.length);
    size_t number =
        text_index_add(keys, (struct text){key.data, key.length}, added);
    buf_free(&key);
    return number;
}

/* Makes room for element NUMBER of a list beside an index. */
static void *with_room(void *list, size_t *capacity, size_t number, size_t size)
{
    if (number < *capacity)
        return list;
    *capacity = (number + 1) * 2;
    return memory_resize(list, *capacity * size);
}

/* ---- session events ------------------------------------------------------ */

static struct session_day *day_of(struct batch *batch, struct text session_key,
                                  struct text org, int64_t ts)
{
    bool added;
    int64_t start = clock_day_start(ts);
    size_t number = number_of(&batch->day_keys, session_key, start, &added);
    batch->days = with_room(batch->days, &batch->day_capacity, number,
                            sizeof *batch->days);
    struct session_day *day = &batch->days[number];
    if (added)
        *day = (struct session_day){.session_key = kept(batch, session_key),
                                    .org = kept(batch, org),
                                    .day = start};
    return day;
}

/* Most texts are those of the event BEFORE of the same session, if any: to
 * compare them is less work than to find them among all. */
static void keep_texts(struct batch *batch, struct session_event *event,
                       const struct session_event *before)
{
    static const size_t places[] = {
        offsetof(struct session_event, stream_id),
        offsetof(struct session_event, request_id),
        offsetof(struct session_event, gateway),
        offsetof(struct session_event, address),
        offsetof(struct session_event, url),
        offsetof(struct session_event, pipeline),
        offsetof(struct session_event, pipeline_id)};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        struct text *text = (void *)((char *)event + places[i]);
        const struct text *same =
            before ? (const void *)((const char *)before + places[i]) : NULL;
        *text = same && text_equal(*same, *text) ? *same : kept(batch, *text);
    }
    event->id.data =
        arena_text(&batch->arena, event->id.data, event->id.length);
}

/* By (ts, id, family), as settling sorts them. */
static bool is_after(const struct session_event *event,
                     const struct session_event *before)
{
    if (event->ts != before->ts)
        return event->ts > before->ts;
    int order = text_compare(event->id, before->id);
    return order > 0 || (!order && event->family > before->family);
}

static void add_session_event(struct batch *batch, struct arena *arena,
                              const struct event *event, int64_t line,
                              bool removed)
{
    struct text key = session_key(arena, event->org, event->data);
    if (!key.length)
        return;
    struct session_event fact;
    session_event_read(arena, event->family, event->data, &fact);
    fact.ts = event->ts;
    fact.line = line;
    fact.id = event->id;
    fact.gateway = event->gateway;
    fact.partition = event->partition;
    fact.offset = event->offset;
    if (removed)
        fact.flags |= EVENT_REMOVED;
    struct session_day *day = day_of(batch, key, event->org, event->ts);
    keep_texts(batch, &fact, day->count ? &day->events[day->count - 1] : NULL);
    day->events =
        arena_grow(&batch->arena, day->events, day->count, sizeof *day->events);
    if (removed ||
        (day->count && !is_after(&fact, &day->events[day->count - 1])))
        day->wants_joining = true;
    day->events[day->count++] = fact;
}

/* ---- snapshots ----------------------------------------------------------- */

static void keep_element(struct batch *batch,
                         struct capability_element *element)
{
    element->address = kept(batch, element->address);
    element->uri = kept(batch, element->uri);
    element->alias = kept(batch, element->alias);
    struct capability_interval *intervals =
        arena_array(&batch->arena, element->interval_count, sizeof *intervals);
    for (size_t i = 0; i < element->interval_count; i++) {
        intervals[i] = element->intervals[i];
        intervals[i].pipeline = kept(batch, intervals[i].pipeline);
        intervals[i].model = kept(batch, intervals[i].model);
        intervals[i].gpu_id = kept(batch, intervals[i].gpu_id);
        intervals[i].gpu_name = kept(batch, intervals[i].gpu_name);
        intervals[i].runner_version = kept(batch, intervals[i].runner_version);
    }
    element->intervals = intervals;
    struct capability_price *prices =
        arena_array(&batch->arena, element->price_count, sizeof *prices);
    for (size_t i = 0; i < element->price_count; i++) {
        prices[i] = element->prices[i];
        prices[i].constraint = kept(batch, prices[i].constraint);
    }
    element->prices = prices;
}

static struct snapshot_hour *hour_of(struct batch *batch, struct text org,
                                     int64_t ts)
{
    bool added;
    int64_t start = clock_hour_start(ts);
    size_t number = number_of(&batch->hour_keys, org, start, &added);
    batch->hours = with_room(batch->hours, &batch->hour_capacity, number,
                             sizeof *batch->hours);
    struct snapshot_hour *hour = &batch->hours[number];
    if (added)
        *hour = (struct snapshot_hour){.org = kept(batch, org), .hour = start};
    return hour;
}

/* By (ts, id). */
static bool snapshot_is_after(const struct capability_snapshot *snapshot,
                              const struct capability_snapshot *before)
{
    return snapshot->ts > before->ts ||
           (snapshot->ts == before->ts &&
            text_compare(snapshot->id, before->id) > 0);
}

static void add_snapshot(struct batch *batch, struct arena *arena,
                         const struct event *event, int64_t line, bool removed)
{
    struct capability_snapshot snapshot = {
        .ts = event->ts, .line = line, .removed = removed};
    struct capability_element *elements =
        capability_read(arena, event->data, &snapshot.element_count);
    snapshot.id = (struct text){
        arena_text(&batch->arena, event->id.data, event->id.length),
        event->id.length};
    snapshot.elements = arena_array(&batch->arena, snapshot.element_count,
                                    sizeof *snapshot.elements);
    for (size_t i = 0; i < snapshot.element_count; i++) {
        snapshot.elements[i] = elements[i];
        keep_element(batch, &snapshot.elements[i]);
    }
    struct snapshot_hour *hour = hour_of(batch, event->org, event->ts);
    hour->snapshots = arena_grow(&batch->arena, hour->snapshots, hour->count,
                                 sizeof *hour->snapshots);
    if (removed ||
        (hour->count &&
         !snapshot_is_after(&snapshot, &hour->snapshots[hour->count - 1])))
        hour->wants_joining = true;
    hour->snapshots[hour->count++] = snapshot;
}

void batch_add(struct batch *batch, struct arena *arena,
               const struct event *event, int64_t line, bool removed)
{
    if (event->family <= FAMILY_STREAM_EVENT)
        add_session_event(batch, arena, event, line, removed);
    else if (event->family == FAMILY_CAPABILITIES)
        add_snapshot(batch, arena, event, line, removed);
    else if (event->family == FAMILY_INGEST_METRICS)
        ingest_metrics_batch_add(&batch->ingest_metrics, arena, event, removed);
    else
        request_batch_add(&batch->requests, arena, event, line, removed);
}

/* ---- counts -------------------------------------------------------------- */

enum { COUNTS_AT_HAND = 16 };

static bool same_count(const struct count *a, const struct count *b)
{
    return a->class == b->class && text_equal(a->reason, b->reason) &&
           text_equal(a->org, b->org) && text_equal(a->family, b->family);
}

/* Of the first of them, which are those of most deliveries. */
static struct count *frequent_count(struct counts *counts,
                                    const struct count *like)
{
    size_t known = counts->keys.count;
    for (size_t i = 0; i < known && i < COUNTS_AT_HAND; i++)
        if (same_count(&counts->list[i], like))
            return &counts->list[i];
    return NULL;
}

static struct count *count_of(struct counts *counts, const struct count *like)
{
    struct buf key = {0};
    bool added;
    struct count *known = frequent_count(counts, like);
    if (known)
        return known;
    buf_add_byte(&key, (uint8_t)like->class);
    buf_add_text(&key, like->reason);
    buf_add_text(&key, like->org);
    buf_add_text(&key, like->family);
    size_t number = text_index_add(&counts->keys,
                                   (struct text){key.data, key.length}, &added);
    buf_free(&key);
    counts->list = with_room(counts->list, &counts->capacity, number,
                             sizeof *counts->list);
    struct count *count = &counts->list[number];
    if (added) {
        struct text kept_key = counts->keys.texts[number];
        struct reader in = reader_over(kept_key.data, kept_key.length);
        *count = (struct count){.class = like->class,
                                .first_event = INT64_MIN,
                                .last_event = INT64_MIN};
        (void)read_byte(&in);
        count->reason = read_text(&in);
        count->org = read_text(&in);
        count->family = read_text(&in);
    }
    return count;
}

void counts_add(struct counts *counts, const struct count *count)
{
    struct count *into = count_of(counts, count);
    into->received += count->received;
    into->unique += count->unique;
    into->conflicts += count->conflicts;
    if (count->first_event == INT64_MIN)
        return;
    if (into->first_event == INT64_MIN ||
        count->first_event < into->first_event)
        into->first_event = count->first_event;
    if (count->last_event > into->last_event)
        into->last_event = count->last_event;
}

void counts_free(struct counts *counts)
{
    text_index_free(&counts->keys);
    free(counts->list);
    *counts = (struct counts){0};
}

void batch_forget_counts(struct batch *batch)
{
    counts_free(&batch->counts);
}

static struct text family_label(const struct event *event)
{
    if (event->class == EVIDENCE_ACCEPTED)
        return text_of(family_name(event->family));
    if (event->class == EVIDENCE_IGNORED)
        return text_of(ignored_family_label(event->type));
    return text_of("");
}

void batch_count(struct batch *batch, const struct event *event, bool is_first,
                 bool conflict)
{
    struct count count = {.class = event->class,
                          .reason = text_of(event->reason),
                          .org = event->org,
                          .family = family_label(event),
                          .received = 1,
                          .unique = is_first,
                          .conflicts = conflict,
                          .first_event = event->ts,
                          .last_event = event->ts};
    counts_add(&batch->counts, &count);
}

/* ---- writing ------------------------------------------------------------- */

static enum err note_dirty(struct store *store, struct text org, int64_t day,
                           struct text session_key)
{
    struct query *query = query_start(store, QUERY_DIRTY_SESSION_ADD);
    query_bind_text(query, 1, org);
    query_bind_int(query, 2, day);
    query_bind_text(query, 3, session_key);
    return query_run(query);
}

static enum err write_day(struct store *store, const struct session_day *day)
{
    struct buf bytes = {0};
    session_events_encode(&bytes, day->events, day->count);
    struct query *query = query_start(store, QUERY_SESSION_DAY_ADD);
    query_bind_text(query, 1, day->session_key);
    query_bind_int(query, 2, day->day);
    query_bind_text(query, 3, day->org);
    query_bind_blob(query, 4, bytes.data, bytes.length);
    if (!day->wants_joining && day->count <= SESSION_PART_EVENTS) {
        query_bind_int(query, 5, (int64_t)day->count);
        query_bind_int(query, 6, day->events[0].ts);
    }
    enum err err = query_run(query);
    buf_free(&bytes);
    return err ? err : note_dirty(store, day->org, day->day, day->session_key);
}

static enum err note_attribution(struct store *store, struct text org,
                                 int64_t day, int64_t since)
{
    struct query *query = query_start(store, QUERY_DIRTY_ATTRIBUTION_ADD);
    query_bind_text(query, 1, org);
    query_bind_int(query, 2, day);
    query_bind_int(query, 3, since);
    return query_run(query);
}

/* By lens assay a snapshot reaches selections of an hour before it, and
 * everything after it: that of its own day here, later days through what its
 * day leaves to them. */
static enum err note_closing(struct store *store,
                             const struct snapshot_hour *hour)
{
    int64_t day = clock_day_start(hour->hour);
    int64_t since = hour->hour - SNAPSHOT_LATE_MS;
    struct query *query = query_start(store, QUERY_DIRTY_CLOSING_ADD);
    query_bind_text(query, 1, hour->org);
    query_bind_int(query, 2, day);
    enum err err = query_run(query);
    if (!err)
        err = note_attribution(store, hour->org, day, since);
    if (!err && since < day)
        err = note_attribution(store, hour->org, day - MS_PER_DAY, since);
    return err;
}

/* A snapshot reaches passes that begin or end within its allowance. */
static enum err note_reach(struct store *store,
                           const struct snapshot_hour *hour)
{
    enum err err = ERR_NONE;
    for (size_t i = 0; !err && i < hour->count; i++) {
        int64_t ts = hour->snapshots[i].ts;
        int64_t first = clock_day_start(ts - SNAPSHOT_AFTER_MS);
        int64_t last = clock_day_start(ts + SNAPSHOT_BEFORE_MS);
        for (int64_t day = first; !err && day <= last; day += MS_PER_DAY)
            err = note_dirty(store, hour->org, day, text_of(""));
        if (!err)
            err = note_jobs_between(store, hour->org, first, last + MS_PER_DAY);
    }
    return err;
}

static enum err write_hour(struct store *store,
                           const struct snapshot_hour *hour)
{
    struct buf bytes = {0};
    snapshots_encode(&bytes, hour->snapshots, hour->count);
    struct query *query = query_start(store, QUERY_SNAPSHOT_HOUR_ADD);
    query_bind_text(query, 1, hour->org);
    query_bind_int(query, 2, hour->hour);
    query_bind_blob(query, 3, bytes.data, bytes.length);
    query_bind_int(query, 4, hour->wants_joining);
    enum err err = query_run(query);
    buf_free(&bytes);
    if (!err)
        err = note_reach(store, hour);
    return err ? err : note_closing(store, hour);
}

static enum err write_count(struct store *store, const struct count *count)
{
    struct query *query = query_start(store, QUERY_COUNT_ADD);
    query_bind_string(query, 1, evidence_class_name(count->class));
    query_bind_text(query, 2, count->reason);
    query_bind_text(query, 3, count->org);
    query_bind_text(query, 4, count->family);
    query_bind_int(query, 5, (int64_t)count->received);
    query_bind_int(query, 6, (int64_t)count->unique);
    query_bind_int(query, 7, (int64_t)count->conflicts);
    if (count->first_event != INT64_MIN) {
        query_bind_int(query, 8, count->first_event);
        query_bind_int(query, 9, count->last_event);
    }
    return query_run(query);
}

enum err batch_write_facts(struct batch *batch, struct store *store)
{
    enum err err = ERR_NONE;
    for (size_t i = 0; !err && i < batch->day_keys.count; i++)
        err = write_day(store, &batch->days[i]);
    for (size_t i = 0; !err && i < batch->hour_keys.count; i++)
        err = write_hour(store, &batch->hours[i]);
    if (!err)
        err = request_batch_write(&batch->requests, store);
    if (!err)
        err = ingest_metrics_batch_write(&batch->ingest_metrics, store);
    if (!err)
        forget_facts(batch);
    return err;
}

enum err batch_write_counts(struct batch *batch, struct store *store)
{
    enum err err = ERR_NONE;
    for (size_t i = 0; !err && i < batch->counts.keys.count; i++)
        err = write_count(store, &batch->counts.list[i]);
    return err;
}
