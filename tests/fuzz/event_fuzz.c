/*
 * event_fuzz.c: any bytes as one record, through judging, reading as a session
 * event, storing and reading back. Whatever they are, there is one reason, and
 * what is accepted comes back from its stored form as it was.
 */
#include "ingest/accept.h"

#include <math.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool condition)
{
    if (!condition)
        abort();
}

static void check_judged(struct arena *arena, const struct event *event)
{
    must(event->reason && event->org.data && event->id.data);
    must(event->type.data && event->gateway.data);
    must((event->class == EVIDENCE_ACCEPTED) == !event->reason[0]);
    if (event->class == EVIDENCE_REJECTED) {
        must(event->ts == INT64_MIN);
        return;
    }
    must(event->ts >= 0 && event->ts <= EVENT_TIME_MS_MAX);
    must(event->id.length && event->org.length);
    must((event->class == EVIDENCE_ACCEPTED) ==
         !ignore_reason(arena, event->type, event->data));
}

static void check_packets(struct arena *arena, const struct event *event)
{
    double jitter_ms[INGEST_TRACKS];
    ingest_metrics_read(arena, event->data, jitter_ms);
    for (size_t i = 0; i < INGEST_TRACKS; i++)
        must(isnan(jitter_ms[i]) ||
             (jitter_ms[i] >= 0 && isfinite(jitter_ms[i])));
}

static void check_texts(const struct session_event *a,
                        const struct session_event *b)
{
    must(text_equal(a->id, b->id));
    must(text_equal(a->stream_id, b->stream_id));
    must(text_equal(a->request_id, b->request_id));
    must(text_equal(a->gateway, b->gateway));
    must(text_equal(a->address, b->address));
    must(text_equal(a->url, b->url));
    must(text_equal(a->pipeline, b->pipeline));
    must(text_equal(a->pipeline_id, b->pipeline_id));
}

static void check_same(const struct session_event *a,
                       const struct session_event *b)
{
    must(a->family == b->family && a->trace == b->trace);
    must(a->state == b->state && a->flags == b->flags);
    must(a->ts == b->ts && a->line == b->line);
    must(a->partition == b->partition && a->offset == b->offset);
    must(a->start_time == b->start_time);
    must(!islessgreater(a->output_fps, b->output_fps));
    must(!islessgreater(a->latency_ms, b->latency_ms));
    must(isfinite(a->output_fps) && isfinite(a->latency_ms));
    check_texts(a, b);
}

/* Twice in one day, so that strings are shared. */
static void store_and_read(struct arena *arena,
                           const struct session_event *event)
{
    const struct session_event both[] = {*event, *event};
    struct session_event *events;
    struct buf bytes = {0};
    size_t count;
    session_events_encode(&bytes, both, 2);
    must(session_events_decode(arena, (struct text){bytes.data, bytes.length},
                               &events, &count));
    must(count == 2);
    check_same(&events[0], event);
    check_same(&events[1], event);
    buf_free(&bytes);
}

static void use(struct arena *arena, const struct event *event)
{
    struct session_event fact;
    struct text key = session_key(arena, event->org, event->data);
    must(!key.length || key.length > event->org.length + 2);
    session_event_read(arena, event->family, event->data, &fact);
    fact.ts = event->ts;
    fact.id = event->id;
    fact.gateway = event->gateway;
    fact.partition = event->partition;
    fact.offset = event->offset;
    fact.line = (int64_t)event->id.length;
    store_and_read(arena, &fact);
    struct hint hint = hint_normalise(arena, fact.pipeline_id, fact.pipeline);
    struct hint again = hint_normalise(arena, hint.pipeline, hint.model);
    must(text_equal(hint.model, again.model));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct arena arena;
    struct event event;
    struct text record = {(const char *)data, size};
    event_judge(&arena, record, text_of("org"), false, &event);
    check_judged(&arena, &event);
    if (event.class == EVIDENCE_ACCEPTED)
        check_packets(&arena, &event);
    if (event.class == EVIDENCE_ACCEPTED && event.family <= FAMILY_STREAM_EVENT)
        use(&arena, &event);
    arena_clear(&arena);
    return 0;
}
