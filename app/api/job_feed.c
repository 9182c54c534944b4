/*
 * job_feed.c: /v1/dashboard/job-feed: the streams that go on, the one heard of
 * last first (§4.4); and the same under /compat as the publisher answers, whose
 * feed holds streams long gone, as they were before they were closed.
 *
 * What comes in at a stream is read from the very line that told it: the fold
 * does not need it, so that facts do not keep it. Where the line has expired it
 * is null.
 */
#include "api/dashboard.h"

#include <math.h>

struct feed_row {
    struct text id; /* of the event that was heard last */
    struct text pipeline;
    struct text model;
    struct text gateway;
    struct text orchestrator_address;
    struct text orchestrator_uri;
    struct text state; /* "" before the first status */
    double input_fps;
    double output_fps;
    int64_t first_seen;
    int64_t last_seen;
    double duration_seconds;
    struct text session_key;
};

#define ROW(kind, member, name) NAMED_FIELD(kind, feed_row, member, name)

static const struct field feed_list[] = {
    ROW(TEXT, id, "id"),
    ROW(TEXT, pipeline, "pipeline"),
    ROW(TEXT, model, "model"),
    ROW(TEXT, gateway, "gateway"),
    ROW(TEXT, orchestrator_address, "orchestratorAddress"),
    ROW(TEXT, orchestrator_uri, "orchestratorUrl"),
    ROW(TEXT, state, "state"),
    ROW(DOUBLE, input_fps, "inputFps"),
    ROW(DOUBLE, output_fps, "outputFps"),
    ROW(TIME, first_seen, "firstSeen"),
    ROW(TIME, last_seen, "lastSeen"),
    ROW(DOUBLE, duration_seconds, "durationSeconds"),
    ROW(TEXT, session_key, "sessionKey")};

const struct fields job_feed_fields = FIELDS(feed_list, 0);

static const struct row_list list_of_streams = {
    .fields = &job_feed_fields,
    .row_bytes = sizeof(struct feed_row),
    .keys = {"-lastSeen", "sessionKey"},
    .told_until = "lastSeen",
    .compat = {"id", "pipeline", "~model", "gateway", "orchestratorAddress",
               "~orchestratorUrl", "state", "inputFps", "outputFps",
               "@firstSeen", "@lastSeen", "durationSeconds"}};

/* ---- rows ---------------------------------------------------------------- */

/* NaN where RECORD does not tell it. */
static double input_fps_of(struct arena *arena, struct text record)
{
    struct envelope envelope;
    struct yyjson_val *root = json_parse(arena, record.data, record.length);
    if (!json_is_object(root))
        return (double)NAN;
    envelope_read(arena, root, &envelope);
    struct yyjson_val *fps =
        json_get(json_get(envelope.data, "input_status"), "fps");
    return json_is_number(fps) ? json_to_double(fps) : (double)NAN;
}

static enum err read_input(struct request *request, int64_t number, double *fps)
{
    struct arena arena = {0};
    struct evidence_line line;
    *fps = (double)NAN;
    if (number < 0)
        return ERR_NONE;
    turn_take(TURN_BLOCK);
    enum err err = evidence_read(request->store, &arena, number, &line);
    if (!err)
        *fps = input_fps_of(&arena, line.bytes);
    arena_free(&arena);
    turn_give(TURN_BLOCK);
    return err == ERR_ABSENT ? ERR_NONE : err;
}

static const char *name_of(enum stream_state state)
{
    return state == STATE_OTHER ? "" : stream_state_name(state);
}

static struct feed_row row_of(const struct open_stream *stream, int64_t now_ms)
{
    const struct session_row *session = stream->session;
    struct feed_row row = {
        .id = stream->event_id,
        .pipeline = session->pipeline_id,
        .model = session->model_id,
        .gateway = session->gateway,
        .orchestrator_address = session->orchestrator_address,
        .orchestrator_uri = session->orchestrator_uri,
        .state = text_of(name_of(stream->state)),
        .output_fps = stream->output_fps,
        .first_seen = session->started_at,
        .last_seen = stream->last_seen,
        .session_key = session->session_key,
    };
    if (row.first_seen == ABSENT_INT)
        row.first_seen = row.last_seen;
    row.duration_seconds = (double)(now_ms - row.first_seen) / MS_PER_SECOND;
    return row;
}

/* In order, with what comes in. */
static enum err rows_of(struct request *request,
                        const struct open_stream *streams, size_t count,
                        int64_t now_ms, struct feed_row **rows)
{
    enum err err = ERR_NONE;
    *rows = arena_array(request->arena, count, sizeof **rows);
    for (size_t i = 0; !err && i < count; i++) {
        (*rows)[i] = row_of(&streams[i], now_ms);
        err =
            read_input(request, streams[i].status_line, &(*rows)[i].input_fps);
    }
    list_sort(&list_of_streams, *rows, count);
    return err;
}

/* ---- answers ------------------------------------------------------------- */

static bool fits(const struct request *request, const char *parameter,
                 struct text value)
{
    struct text wanted = parameter_text(request, parameter);
    return !wanted.data ||
           text_equal_ignoring_case(wanted, value.data ? value : text_of(""));
}

static size_t keep_wanted(const struct request *request,
                          struct open_stream *streams, size_t count)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        const struct session_row *session = streams[i].session;
        if (fits(request, "org", session->org) &&
            fits(request, "orchestrator", session->orchestrator_address) &&
            fits(request, "pipeline", session->pipeline_id) &&
            fits(request, "model_id", session->model_id) &&
            fits(request, "gpu", session->gpu_id))
            streams[kept++] = streams[i];
    }
    return kept;
}

enum err answer_job_feed(struct request *request, struct reply *reply)
{
    struct listing listing;
    struct computation computation;
    struct open_stream *streams;
    struct feed_row *rows;
    size_t count;
    enum err err = list_open(&listing, &list_of_streams, request);
    if (!err)
        err = read_computation(request, &computation);
    if (!err)
        err = open_streams(request, computation.lens, false,
                           listing.now_ms - ACTIVE_MS, listing.now_ms,
                           INT64_MAX, &streams, &count);
    if (err)
        return err;
    count = keep_wanted(request, streams, count);
    err = rows_of(request, streams, count, listing.now_ms, &rows);
    if (!err)
        list_answer(&listing, reply, NULL, rows, count);
    return err;
}

enum err compat_job_feed(struct request *request, struct reply *reply)
{
    enum { STANDARD = 50, MOST = 200 };
    int64_t now_ms = present_ms(request);
    struct open_stream *streams;
    struct feed_row *rows;
    size_t count;
    enum err err =
        open_streams(request, &lens_published, true, INT64_MIN, INT64_MAX - 1,
                     compat_limit(request, STANDARD, MOST), &streams, &count);
    if (!err)
        err = rows_of(request, streams, count, now_ms, &rows);
    if (!err)
        compat_array(reply, &list_of_streams, rows, count);
    return err;
}
