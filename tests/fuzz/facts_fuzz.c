/*
 * facts_fuzz.c: any bytes as stored facts. They are refused, or what they hold
 * is within bounds and survives being stored again.
 */
#include "livepeer/livepeer.h"
#include "stats/stats.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool condition)
{
    if (!condition)
        abort();
}

/* Encoding what was decoded and doing so again gives the same bytes. */
static void check_events(struct arena *arena, struct text bytes)
{
    struct session_event *events;
    size_t count;
    if (!session_events_decode(arena, bytes, &events, &count))
        return;
    for (size_t i = 0; i < count; i++) {
        must(events[i].ts >= 0 && events[i].ts <= EVENT_TIME_MS_MAX);
        must(events[i].family <= FAMILY_STREAM_EVENT);
        must(events[i].trace <= TRACE_UNKNOWN);
        must(*stream_state_name(events[i].state) || !events[i].state);
        must(events[i].id.data && events[i].url.data);
    }
    struct buf once = {0};
    struct buf twice = {0};
    session_events_encode(&once, events, count);
    must(session_events_decode(arena, (struct text){once.data, once.length},
                               &events, &count));
    session_events_encode(&twice, events, count);
    must(once.length == twice.length);
    must(!memcmp(once.data, twice.data, once.length));
    buf_free(&once);
    buf_free(&twice);
}

static void check_snapshots(struct arena *arena, struct text bytes)
{
    struct capability_snapshot *snapshots;
    size_t count;
    if (!snapshots_decode(arena, bytes, &snapshots, &count))
        return;
    for (size_t i = 0; i < count; i++)
        must(snapshots[i].ts >= 0 && snapshots[i].ts <= EVENT_TIME_MS_MAX);
    struct buf once = {0};
    snapshots_encode(&once, snapshots, count);
    must(snapshots_decode(arena, (struct text){once.data, once.length},
                          &snapshots, &count));
    buf_free(&once);
}

static void check_ingest_hours(struct arena *arena, struct text bytes)
{
    struct ingest_hour *hours;
    size_t count;
    if (!ingest_hours_decode(arena, bytes, &hours, &count))
        return;
    struct buf once = {0};
    ingest_hours_encode(&once, hours, count);
    size_t again;
    must(ingest_hours_decode(arena, (struct text){once.data, once.length},
                             &hours, &again));
    must(again == count);
    buf_free(&once);
}

static void check_sum(struct arena *arena, struct text bytes)
{
    struct exact_sum sum = {.arena = arena};
    struct buf again = {0};
    if (exact_decode(&sum, bytes)) {
        (void)exact_round(&sum);
        exact_encode(&again, &sum);
    }
    buf_free(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct arena arena;
    struct text bytes = {(const char *)data, size};
    check_events(&arena, bytes);
    check_snapshots(&arena, bytes);
    check_ingest_hours(&arena, bytes);
    check_sum(&arena, bytes);
    arena_clear(&arena);
    return 0;
}
