/*
 * request_fuzz.c: a byte for the family, then any JSON as the data of a job,
 * worker, payment or discovery event: what is read is complete, and comes back
 * from its stored form as it was. The same bytes are also read as a stored
 * form, of events or of their lines, which is refused or within bounds.
 */
#include "livepeer/livepeer.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool condition)
{
    if (!condition)
        abort();
}

static void check_event(const struct request_event *event)
{
    const struct text texts[] = {
        event->gateway,    event->request_id, event->address,
        event->url,        event->pipeline,   event->model,
        event->capability, event->worker_url, event->error_type,
        event->error,      event->session_id, event->manifest_id,
        event->sender,     event->win_prob,   event->currency};
    must(event->kind < REQUEST_KINDS);
    must(request_group_of(event->kind) < REQUEST_GROUPS);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        must(texts[i].data != NULL);
}

/* Encoding, decoding and encoding again gives the same bytes. */
static void store_and_read(struct arena *arena, struct request_event *events,
                           size_t count)
{
    struct buf once = {0};
    struct buf twice = {0};
    struct request_event *read;
    size_t read_count;
    request_events_encode(&once, events, count);
    must(request_events_decode(arena, (struct text){once.data, once.length},
                               &read, &read_count));
    must(read_count == count);
    for (size_t i = 0; i < count; i++) {
        check_event(&read[i]);
        must(request_event_compare(&events[i], &read[i]) == 0);
        must(text_equal(events[i].error, read[i].error));
    }
    request_events_encode(&twice, read, count);
    must(once.length == twice.length);
    must(!memcmp(once.data, twice.data, once.length));
    buf_free(&once);
    buf_free(&twice);
}

static void read_payload(struct arena *arena, enum family family,
                         struct text json)
{
    struct yyjson_val *root = json_parse(arena, json.data, json.length);
    if (!root)
        return;
    size_t count;
    struct request_event *events =
        request_events_read(arena, family, root, &count);
    for (size_t i = 0; i < count; i++) {
        events[i].id = text_of("9c838785-dc30-4725-9769-34cc47792393");
        events[i].gateway = text_of("");
        events[i].ts = EVENT_TIME_MS_MAX;
        check_event(&events[i]);
    }
    store_and_read(arena, events, count);
}

static void check_run(const struct request_run *run, int64_t hour)
{
    int64_t first = run->block << REQUEST_RUN_LINE_BITS;
    must(run->first_ts >= hour && run->first_ts <= run->last_ts);
    must(run->last_ts < hour + 3600000);
    must(run->line_count > 0);
    for (size_t i = 0; i < run->line_count; i++)
        must(run->lines[i] >= first &&
             run->lines[i] < first + (1 << REQUEST_RUN_LINE_BITS) &&
             (!i || run->lines[i] > run->lines[i - 1]));
    for (size_t i = 1; i < run->name_count; i++)
        must(run->names[i] > run->names[i - 1]);
}

/* What is joined to itself is the same, but for what it removes. */
static void join_runs(struct arena *arena, struct text bytes)
{
    const int64_t hour = INT64_C(1767225600000);
    struct request_runs runs;
    struct buf once = {0};
    struct buf twice = {0};
    if (!request_runs_decode(arena, bytes, hour, &runs))
        return;
    for (size_t i = 0; i < runs.count; i++)
        check_run(&runs.list[i], hour);
    runs = request_runs_join(arena, &runs, &runs);
    request_runs_encode(&once, hour, &runs);
    must(request_runs_decode(arena, (struct text){once.data, once.length}, hour,
                             &runs));
    runs = request_runs_join(arena, &runs, &runs);
    request_runs_encode(&twice, hour, &runs);
    must(once.length == twice.length);
    must(!memcmp(once.data, twice.data, once.length));
    buf_free(&once);
    buf_free(&twice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct arena arena;
    struct text bytes = {(const char *)data, size};
    join_runs(&arena, bytes);
    struct request_event *events;
    size_t count;
    if (request_events_decode(&arena, bytes, &events, &count))
        store_and_read(&arena, events, count);
    if (size) {
        struct text rest = {bytes.data + 1, size - 1};
        read_payload(&arena, (enum family)(data[0] % FAMILY_UNKNOWN), rest);
    }
    arena_clear(&arena);
    return 0;
}
