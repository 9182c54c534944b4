/*
 * batch_requests.c: request events gathered so that one organisation's hour of
 * a group is written once a commit, and notes of what they can have changed.
 *
 * Chunks are numbered as those of sessions are (see batch.c). Of payments and
 * discovery only the lines are kept (request_runs.h). A job is settled with the
 * day on which it was completed, so a note is a day. It is changed
 * also from elsewhere: a batch request by what came under its id on other days,
 * a byoc job by the workers that registered in the thirty days before.
 */
#include "ingest/batch_requests.h"

#include "base/clock.h"

#include <stdlib.h>

struct request_hour {
    struct text org;
    enum request_group group;
    int64_t hour;
    struct request_event *events;
    size_t count;
    bool wants_joining;
    struct request_mark *marks; /* of groups by line, in place of events */
    size_t mark_count;
    int64_t *removed;
    size_t removed_count;
};

void request_batch_clear(struct request_batch *batch)
{
    text_index_free(&batch->strings);
    text_index_free(&batch->keys);
    arena_clear(&batch->arena);
}

void request_batch_free(struct request_batch *batch)
{
    request_batch_clear(batch);
    arena_free(&batch->arena);
    free(batch->hours);
    *batch = (struct request_batch){0};
}

static struct text kept(struct request_batch *batch, struct text text)
{
    size_t number = text_index_add(&batch->strings, text, NULL);
    return batch->strings.texts[number];
}

static void keep_texts(struct request_batch *batch, struct request_event *event)
{
    struct text *texts[REQUEST_TEXTS];
    request_event_texts(event, texts);
    for (size_t i = 0; i < REQUEST_TEXTS; i++)
        *texts[i] = kept(batch, *texts[i]);
}

static struct request_hour *hour_of(struct request_batch *batch,
                                    struct text org, enum request_group group,
                                    int64_t ts)
{
    bool added;
    int64_t start = clock_hour_start(ts);
    struct buf key = {0};
    buf_add_u64(&key, (uint64_t)start);
    buf_add_byte(&key, (uint8_t)group);
    buf_add(&key, org.data, org.length);
    size_t number = text_index_add(&batch->keys,
                                   (struct text){key.data, key.length}, &added);
    buf_free(&key);
    if (number >= batch->capacity) {
        batch->capacity = (number + 1) * 2;
        batch->hours =
            memory_resize(batch->hours, batch->capacity * sizeof *batch->hours);
    }
    struct request_hour *hour = &batch->hours[number];
    if (added)
        *hour = (struct request_hour){
            .org = kept(batch, org), .group = group, .hour = start};
    return hour;
}

static void add_mark(struct request_batch *batch, struct request_hour *hour,
                     const struct request_event *event)
{
    if (event->flags & REQUEST_REMOVED) {
        hour->removed = arena_grow(&batch->arena, hour->removed,
                                   hour->removed_count, sizeof *hour->removed);
        hour->removed[hour->removed_count++] = event->line;
        hour->wants_joining = true;
        return;
    }
    hour->marks = arena_grow(&batch->arena, hour->marks, hour->mark_count,
                             sizeof *hour->marks);
    hour->marks[hour->mark_count++] = request_mark_of(event);
}

static void add_whole(struct request_batch *batch, struct request_hour *hour,
                      const struct request_event *event)
{
    hour->events = arena_grow(&batch->arena, hour->events, hour->count,
                              sizeof *hour->events);
    if ((event->flags & REQUEST_REMOVED) ||
        (hour->count &&
         request_event_compare(event, &hour->events[hour->count - 1]) <= 0))
        hour->wants_joining = true;
    struct request_event *fact = &hour->events[hour->count++];
    *fact = *event;
    fact->id.data = arena_text(&batch->arena, event->id.data, event->id.length);
    keep_texts(batch, fact);
}

static void add_one(struct request_batch *batch, struct text org,
                    const struct request_event *event)
{
    enum request_group group = request_group_of(event->kind);
    struct request_hour *hour = hour_of(batch, org, group, event->ts);
    if (request_group_is_by_line(group))
        add_mark(batch, hour, event);
    else
        add_whole(batch, hour, event);
}

void request_batch_add(struct request_batch *batch, struct arena *arena,
                       const struct event *event, int64_t line, bool removed)
{
    size_t count;
    struct request_event *events =
        request_events_read(arena, event->family, event->data, &count);
    if (!count)
        return;
    for (size_t i = 0; i < count; i++) {
        events[i].ts = event->ts;
        events[i].line = line;
        events[i].id = event->id;
        events[i].gateway = event->gateway;
        events[i].flags |= removed ? REQUEST_REMOVED : 0;
        add_one(batch, event->org, &events[i]);
    }
}

/* ---- notes ----------------------------------------------------------------
 */

static enum err note_day(struct store *store, struct text org, int64_t ms)
{
    struct query *query = query_start(store, QUERY_DIRTY_REQUEST_ADD);
    query_bind_text(query, 1, org);
    query_bind_int(query, 2, clock_day_start(ms));
    return query_run(query);
}

enum err note_jobs_between(struct store *store, struct text org,
                           int64_t from_ms, int64_t until_ms)
{
    struct query *query = query_start(store, QUERY_DIRTY_REQUEST_ADD_JOBS);
    query_bind_text(query, 1, org);
    query_bind_int(query, 2, clock_hour_start(from_ms));
    query_bind_int(query, 3, until_ms);
    return query_run(query);
}

/* All days on which the request of EVENT was heard of. */
static enum err note_request(struct store *store, struct text org,
                             const struct request_event *event)
{
    struct text id = event->request_id;
    int64_t request = (int64_t)hash_fast(id.data, id.length);
    struct query *query = query_start(store, QUERY_REQUEST_INDEX_ADD);
    query_bind_text(query, 1, org);
    query_bind_int(query, 2, request);
    query_bind_int(query, 3, clock_hour_start(event->ts));
    enum err err = query_run(query);
    query = query_start(store, QUERY_REQUEST_INDEX_HOURS);
    query_bind_text(query, 1, org);
    query_bind_int(query, 2, request);
    bool row = true;
    while (!err && !(err = query_step(query, &row)) && row)
        err = note_day(store, org, query_int(query, 0));
    return err;
}

static bool is_found_by_request(const struct request_event *event)
{
    return event->kind <= REQUEST_LLM && event->request_id.length;
}

static enum err note_jobs(struct store *store, const struct request_hour *hour)
{
    enum err err = note_day(store, hour->org, hour->hour);
    for (size_t i = 0; !err && i < hour->count; i++)
        if (is_found_by_request(&hour->events[i]))
            err = note_request(store, hour->org, &hour->events[i]);
    return err;
}

/* A worker is looked for until thirty days after its registration. */
static enum err note_workers(struct store *store,
                             const struct request_hour *hour)
{
    return note_jobs_between(store, hour->org, clock_day_start(hour->hour),
                             clock_day_start(hour->hour) + WORKER_REACH_MS +
                                 MS_PER_DAY);
}

/* ---- writing ------------------------------------------------------------- */

static void encode_lines(struct request_batch *batch, struct request_hour *hour,
                         struct buf *bytes)
{
    struct request_runs runs =
        request_runs_of(&batch->arena, hour->marks, hour->mark_count,
                        hour->removed, hour->removed_count);
    request_runs_encode(bytes, hour->hour, &runs);
}

static enum err write_hour(struct request_batch *batch, struct store *store,
                           struct request_hour *hour)
{
    struct buf bytes = {0};
    bool by_line = request_group_is_by_line(hour->group);
    if (by_line)
        encode_lines(batch, hour, &bytes);
    else
        request_events_encode(&bytes, hour->events, hour->count);
    struct query *query = query_start(store, QUERY_REQUEST_HOUR_ADD);
    query_bind_text(query, 1, hour->org);
    query_bind_int(query, 2, (int64_t)hour->group);
    query_bind_int(query, 3, hour->hour);
    query_bind_blob(query, 4, bytes.data, bytes.length);
    query_bind_int(query, 5, hour->wants_joining);
    query_bind_int(query, 6, by_line);
    enum err err = query_run(query);
    buf_free(&bytes);
    if (!err && hour->group == GROUP_JOBS)
        err = note_jobs(store, hour);
    else if (!err && hour->group == GROUP_WORKERS)
        err = note_workers(store, hour);
    return err;
}

enum err request_batch_write(struct request_batch *batch, struct store *store)
{
    enum err err = ERR_NONE;
    for (size_t i = 0; !err && i < batch->keys.count; i++)
        err = write_hour(batch, store, &batch->hours[i]);
    return err;
}
