/*
 * open_streams.c: streams that go on, and how they were last heard of.
 *
 * Ours are those that nobody closed. The publisher keeps a row of a stream for
 * every time that it looked at it, and shows the newest among the open ones
 * (§4.4): so a stream that was closed stays as it was before, for half an hour
 * among the active ones, and for ever in the feed. Which rows it wrote depends
 * on when it looked; it looks every minute, so what came before the close is
 * taken for the last open row.
 */
#include "api/serving.h"

#include <math.h>
#include <stdlib.h>

struct opening {
    struct request *request;
    const struct lens *lens;
    bool as_published;
    int64_t since_ms;
    int64_t limit;
    struct open_stream *streams;
    size_t count;
};

static bool closes(const struct session_event *event)
{
    return event->family == FAMILY_STREAM_TRACE &&
           event->trace == TRACE_INGEST_CLOSED;
}

/* EVENTS are those up to the close, if there is any, and not none. */
static struct open_stream stream_of(struct arena *arena,
                                    const struct session_row *session,
                                    const struct session_event *events,
                                    size_t count)
{
    const struct session_event *last = &events[count - 1];
    struct open_stream stream = {
        .session = session,
        .last_seen = last->ts,
        .event_id = {arena_text(arena, last->id.data, last->id.length),
                     last->id.length},
        .output_fps = (double)NAN,
        .status_line = -1,
    };
    while (count > 0 && events[count - 1].family != FAMILY_STREAM_STATUS)
        count--;
    if (count > 0) {
        stream.state = events[count - 1].state;
        stream.output_fps = events[count - 1].output_fps;
        stream.status_line = events[count - 1].line;
    }
    return stream;
}

static enum err add_stream(struct opening *opening,
                           const struct session_row *session)
{
    struct arena *arena = opening->request->arena;
    struct arena scratch = {0};
    struct session_event *events;
    size_t count;
    enum err err = session_events(opening->request->store, &scratch,
                                  session->session_key, &events, &count);
    size_t open = 0;
    while (!err && open < count && !closes(&events[open]))
        open++;
    if (!err && open > 0 && events[open - 1].ts > opening->since_ms) {
        opening->streams = arena_grow(arena, opening->streams, opening->count,
                                      sizeof *opening->streams);
        opening->streams[opening->count++] =
            stream_of(arena, session, events, open);
    }
    arena_free(&scratch);
    return err;
}

static int compare_streams(const void *left, const void *right)
{
    const struct open_stream *a = left;
    const struct open_stream *b = right;
    if (a->last_seen != b->last_seen)
        return a->last_seen > b->last_seen ? -1 : 1;
    return text_compare(a->session->session_key, b->session->session_key);
}

/* Whether none that was last heard of at LAST_SEEN or before can be among the
 * newest. */
static bool is_enough(struct opening *opening, int64_t last_seen)
{
    size_t limit = (size_t)opening->limit;
    if (opening->count < limit)
        return false;
    qsort(opening->streams, opening->count, sizeof *opening->streams,
          compare_streams);
    opening->count = limit;
    return limit == 0 || opening->streams[limit - 1].last_seen > last_seen;
}

/* *EXISTS is false where the lens knows no such session. */
static enum err read_session(struct opening *opening, struct query *query,
                             struct session_row *session, bool *exists)
{
    struct session_row stored;
    fields_read(opening->request->arena, query, 0, session_fields, &stored);
    *session = stored;
    *exists = true;
    return lens_is_assay(opening->lens)
               ? session_of_assay(&stored, session, exists)
               : ERR_NONE;
}

static enum err add_all(struct opening *opening, struct query *query)
{
    struct arena *arena = opening->request->arena;
    bool more;
    enum err err;
    while (!(err = query_step(query, &more)) && more) {
        struct session_row *session = arena_alloc(arena, sizeof *session);
        bool exists;
        err = read_session(opening, query, session, &exists);
        if (err)
            break;
        if (!exists || (session->completed && !opening->as_published))
            continue;
        if (is_enough(opening, session->last_seen))
            break;
        err = add_stream(opening, session);
        if (err)
            break;
    }
    return err;
}

enum err open_streams(struct request *request, const struct lens *lens,
                      bool as_published, int64_t since_ms, int64_t now_ms,
                      int64_t limit, struct open_stream **streams,
                      size_t *count)
{
    struct opening opening = {.request = request,
                              .lens = lens,
                              .as_published = as_published,
                              .since_ms = since_ms,
                              .limit = limit};
    struct query *query = query_start(request->store, QUERY_API_SESSIONS);
    query_bind_int(query, 1, since_ms == INT64_MIN ? since_ms : since_ms + 1);
    query_bind_int(query, 2, now_ms + 1);
    query_bind_int(query, 10, INT64_MAX);
    enum err err = add_all(&opening, query);
    (void)is_enough(&opening, INT64_MIN);
    if (opening.count)
        qsort(opening.streams, opening.count, sizeof *opening.streams,
              compare_streams);
    *streams = opening.streams;
    *count = opening.count;
    return err;
}
