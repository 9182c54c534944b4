/*
 * session.c: one user's session at an orchestrator, and what a gateway tells
 * about it (livepeer-protocols.md §5).
 *
 * Segments are a second long, as those of browsers are: every 24th frame of the
 * test pattern goes out with a keyframe's picture.
 */
#include "base/clock.h"
#include "base/random.h"
#include "sim/admission.h"
#include "sim/gateway.h"
#include "sim/ingest_meter.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    FEW_SEGMENTS = 3, /* of output: playable */
    SHORT_LEAST_MS = 5000,
    SHORT_SPREAD_MS = 2500,
    LONG_LEAST_MS = 60000,
    LONG_SPREAD_MS = 120000,
    METRICS_EVERY_MS = 5000,
    DOCUMENT_MAX_BYTES = 1 << 20,
    REQUEST_MAX_BYTES = 40
};

/* What is made of the flattered one: a quarter more frames, a third less time.
 */
static const double flattered_fps = 1.25;
static const double flattered_wait = 0.67;

struct session {
    struct gateway *gateway;
    struct session *before;
    struct session *after;
    struct orchestrator *orchestrator;
    bool is_flattered;
    char stream_id[REQUEST_MAX_BYTES];
    char request_id[ID_BYTES];
    int64_t began_us;
    int64_t lasts_us;
    struct admission admission;
    struct job *job;   /* while it is known to run */
    struct buf events; /* told only at the end, if at all */

    struct trickle_channel *input; /* these three: held */
    struct trickle_channel *output;
    struct trickle_channel *reports;
    struct trickle_writer segment;
    struct mpegts_writer writer;
    struct buf packets;
    uint64_t frame_number;
    uint64_t segments_in;
    struct loop_timer frame; /* the next is due */
    struct ingest_meter meter;
    struct loop_timer metrics;
    struct follower output_reader;
    struct follower report_reader;
    struct buf document;
    bool has_output;
    uint64_t segments_out;
    uint64_t statuses;
    double fps_sum; /* as reported */
    struct loop_timer end;
    bool has_failed;
};

const struct orchestrator *session_orchestrator(const struct session *session)
{
    return session->orchestrator;
}

struct session *session_after(const struct session *session)
{
    return session->after;
}

/* ---- telling ------------------------------------------------------------- */

/* Durations within a session are real, or what flattery makes of them. */
static int64_t told_ms(const struct session *session, int64_t at_us)
{
    double since_ms = (double)(at_us - session->began_us) / US_PER_MS;
    if (session->is_flattered && session->segments_out <= FEW_SEGMENTS)
        since_ms *= flattered_wait;
    return gateway_time_ms(session->gateway, session->began_us) +
           (int64_t)since_ms;
}

static void add_ids(struct json_writer *writer, const struct session *session)
{
    json_member_string(writer, "stream_id", session->stream_id);
    json_member_string(writer, "request_id", session->request_id);
    json_member_string(writer, "pipeline_id", "");
}

static void add_orchestrator(struct json_writer *writer,
                             const struct orchestrator *orchestrator)
{
    char address[ETHEREUM_ADDRESS_TEXT_BYTES] = "";
    if (orchestrator)
        ethereum_address_text_lower(orchestrator->signing_address, address);
    json_key(writer, "orchestrator_info");
    json_begin(writer, '{');
    json_member_string(writer, "address", address);
    json_member_string(writer, "url", orchestrator ? orchestrator->url : "");
    json_end(writer, '}');
}

/* Of the flattered one a session is told when it has turned out well. In short
 * hours all wait for their end: a session under way counts as a failed start,
 * and there every hour would end with some. */
static bool waits_for_end(const struct session *session)
{
    return session->is_flattered || session->gateway->speed > 1;
}

static void tell(struct session *session)
{
    if (waits_for_end(session))
        return;
    telemetry_add(session->gateway->telemetry,
                  (struct text){session->events.data, session->events.length});
    buf_clear(&session->events);
}

static void trace_at(struct session *session, enum trace trace, int64_t at_us,
                     const struct orchestrator *orchestrator)
{
    struct event event;
    int64_t at_ms = told_ms(session, at_us);
    struct json_writer *writer =
        event_begin(&event, &session->events, session->gateway->telemetry,
                    "stream_trace", at_ms);
    json_begin(writer, '{');
    json_member_string(writer, "type", trace_name(trace));
    json_member_int(writer, "timestamp", at_ms);
    add_ids(writer, session);
    add_orchestrator(writer, orchestrator);
    json_end(writer, '}');
    event_end(&event);
    tell(session);
}

static void trace_now(struct session *session, enum trace trace)
{
    trace_at(session, trace, clock_monotonic_us(), session->orchestrator);
}

static void tell_swap(struct session *session, const char *message)
{
    struct event event;
    struct json_writer *writer =
        event_begin(&event, &session->events, session->gateway->telemetry,
                    "stream_trace", told_ms(session, clock_monotonic_us()));
    json_begin(writer, '{');
    json_member_string(writer, "type", trace_name(TRACE_SWAP));
    json_member_string(writer, "message", message);
    json_member_string(writer, "pipeline",
                       session->orchestrator->behaviour->model);
    add_ids(writer, session);
    add_orchestrator(writer, session->orchestrator);
    json_end(writer, '}');
    event_end(&event);
    tell(session);
}

static void tell_error(struct session *session, const char *message)
{
    struct event event;
    struct json_writer *writer =
        event_begin(&event, &session->events, session->gateway->telemetry,
                    "ai_stream_events", told_ms(session, clock_monotonic_us()));
    json_begin(writer, '{');
    json_member_string(writer, "type", "error");
    add_ids(writer, session);
    json_member_string(writer, "pipeline",
                       session->orchestrator->behaviour->model);
    json_member_string(writer, "capability", "live-video-to-video");
    json_member_string(writer, "message", message);
    json_end(writer, '}');
    event_end(&event);
    tell(session);
}

/* ---- how the stream comes in --------------------------------------------- */

static void plan_metrics(struct session *session)
{
    int64_t most_ms = session->gateway->network->status_every_ms;
    int64_t every_ms = METRICS_EVERY_MS;
    if (most_ms && every_ms > most_ms)
        every_ms = most_ms;
    loop_timer_after(&session->metrics, every_ms * US_PER_MS);
}

static void tell_metrics(void *context)
{
    struct session *session = context;
    struct event event;
    int64_t at_ms = told_ms(session, clock_monotonic_us());
    struct json_writer *writer =
        event_begin(&event, &session->events, session->gateway->telemetry,
                    "stream_ingest_metrics", at_ms);
    json_begin(writer, '{');
    json_member_int(writer, "timestamp", at_ms);
    add_ids(writer, session);
    json_key(writer, "stats");
    ingest_meter_write(&session->meter, writer);
    json_end(writer, '}');
    event_end(&event);
    tell(session);
    plan_metrics(session);
}

/* ---- payments ------------------------------------------------------------ */

/* A minute in advance, in tickets of a second each. */
static void tell_payment(struct session *session)
{
    const struct behaviour *behaviour = session->orchestrator->behaviour;
    struct event event;
    char text[64];
    char recipient[ETHEREUM_ADDRESS_TEXT_BYTES];
    if (!behaviour->price_wei)
        return;
    ethereum_address_text(session->orchestrator->address, recipient);
    struct json_writer *writer = event_begin(
        &event, &session->events, session->gateway->telemetry,
        "create_new_payment", told_ms(session, clock_monotonic_us()));
    json_begin(writer, '{');
    json_member_string(writer, "requestID", session->request_id);
    json_member_string(writer, "sessionID", session->request_id);
    json_member_string(writer, "capability", "live-video-to-video");
    snprintf(text, sizeof text, "35_%s", behaviour->model);
    json_member_string(writer, "manifestID", text);
    json_member_string(writer, "recipient", recipient);
    json_member_string(writer, "sender", session->gateway->address);
    json_member_string(writer, "orchestrator", session->orchestrator->url);
    snprintf(text, sizeof text, "%lld WEI",
             (long long)(behaviour->price_wei * LIVE_PIXELS_PER_SECOND * 1000));
    json_member_string(writer, "faceValue", text);
    json_member_string(writer, "winProb", "0.0010000000");
    snprintf(text, sizeof text, "%lld.000 wei/pixel",
             (long long)behaviour->price_wei);
    json_member_string(writer, "price", text);
    snprintf(text, sizeof text, "%d", (int)LIVE_FIRST_PAYMENT_S);
    json_member_string(writer, "numTickets", text);
    json_member_string(writer, "clientIP", "");
    json_end(writer, '}');
    event_end(&event);
    tell(session);
}

/* ---- reports of the runner ----------------------------------------------- */

/* A runner's instants, moved to where the session stands on our clock. */
static bool is_instant(struct text key, struct yyjson_val *value)
{
    static const char *const names[] = {"timestamp",
                                        "start_time",
                                        "last_status_timestamp",
                                        "last_state_update_time",
                                        "last_input_time",
                                        "last_output_time",
                                        "last_params_update_time",
                                        "last_error_time",
                                        "last_restart_time"};
    for (size_t i = 0; json_is_int64(value) && i < sizeof names / sizeof *names;
         i++) {
        if (text_is(key, names[i]))
            return true;
    }
    return false;
}

static int64_t moved_ms(const struct session *session, int64_t wall_ms)
{
    int64_t began_ms = clock_wall_ms() -
                       (clock_monotonic_us() - session->began_us) / US_PER_MS;
    return gateway_time_ms(session->gateway, session->began_us) + wall_ms -
           began_ms;
}

/* How many frames are told for each that there was. */
static double fps_factor(const struct session *session)
{
    return session->is_flattered ? flattered_fps : 1;
}

static void add_members(struct session *session, struct arena *arena,
                        struct json_writer *writer, struct yyjson_val *object,
                        double factor);

/* What is not told of the flattered one. */
static bool is_trouble(struct text key)
{
    return text_is(key, "last_error") || text_is(key, "last_error_time") ||
           text_is(key, "last_restart_time") ||
           text_is(key, "last_restart_logs");
}

/* One member of a report, as it is told. */
static void add_value(struct session *session, struct arena *arena,
                      struct json_writer *writer, struct text key,
                      struct yyjson_val *value, double factor)
{
    if (session->is_flattered && is_trouble(key))
        json_null(writer);
    else if (is_instant(key, value))
        json_int(writer, moved_ms(session, json_to_int(value)));
    else if (text_is(key, "inference_status"))
        add_members(session, arena, writer, value, fps_factor(session));
    else if (text_is(key, "input_status"))
        add_members(session, arena, writer, value, 1);
    else if (text_is(key, "fps"))
        json_double(writer, json_to_double(value) * factor);
    else if (session->is_flattered && text_is(key, "state"))
        json_string(writer, "ONLINE");
    else if (session->is_flattered && text_is(key, "restart_count"))
        json_int(writer, 0);
    else
        json_raw(writer, json_compact(arena, value, false));
}

/* All of OBJECT; the caller of a report's own adds more and closes it. */
static void add_all(struct session *session, struct arena *arena,
                    struct json_writer *writer, struct yyjson_val *object,
                    double factor)
{
    struct json_iterator iterator = json_iterate(object);
    struct yyjson_val *value;
    struct text key;
    while ((value = json_next(&iterator, &key))) {
        json_key(writer, arena_text(arena, key.data, key.length));
        add_value(session, arena, writer, key, value, factor);
    }
}

static void add_members(struct session *session, struct arena *arena,
                        struct json_writer *writer, struct yyjson_val *object,
                        double factor)
{
    json_begin(writer, '{');
    add_all(session, arena, writer, object, factor);
    json_end(writer, '}');
}

static void count_status(struct session *session, struct yyjson_val *report)
{
    struct yyjson_val *inference = json_get(report, "inference_status");
    session->statuses++;
    session->fps_sum +=
        json_to_double(json_get(inference, "fps")) * fps_factor(session);
}

static void pass_on(struct session *session, struct arena *arena,
                    struct yyjson_val *report)
{
    struct event event;
    struct text type = json_to_text(arena, json_get(report, "type"));
    bool is_status = text_is(type, "status");
    struct json_writer *writer =
        event_begin(&event, &session->events, session->gateway->telemetry,
                    is_status ? "ai_stream_status" : "ai_stream_events",
                    gateway_time_ms(session->gateway, session->began_us) +
                        (clock_monotonic_us() - session->began_us) / US_PER_MS);
    json_begin(writer, '{');
    add_all(session, arena, writer, report, 1);
    add_ids(writer, session);
    add_orchestrator(writer, session->orchestrator);
    json_end(writer, '}');
    event_end(&event);
    if (is_status)
        count_status(session, report);
    tell(session);
}

static void report_bytes(void *context, const char *bytes, size_t length)
{
    struct session *session = context;
    if (session->document.length + length <= DOCUMENT_MAX_BYTES)
        buf_add(&session->document, bytes, length);
}

static void report_end(void *context)
{
    struct session *session = context;
    struct arena arena = {0};
    struct buf *bytes = &session->document;
    struct yyjson_val *document =
        json_parse(&arena, buf_string(bytes), bytes->length);
    struct yyjson_val *report = json_get(document, "event");
    /* Of the flattered one no restart and no error is told. */
    bool is_status =
        text_is(json_to_text(&arena, json_get(report, "type")), "status");
    if (json_is_object(report) && (is_status || !session->is_flattered))
        pass_on(session, &arena, report);
    buf_clear(bytes);
    arena_free(&arena);
}

/* ---- output -------------------------------------------------------------- */

static void output_bytes(void *context, const char *bytes, size_t length)
{
    struct session *session = context;
    (void)bytes;
    (void)length;
    if (!session->has_output)
        trace_now(session, TRACE_RUNNER_SEND_FIRST_PROCESSED);
    session->has_output = true;
}

static void output_segment_end(void *context)
{
    struct session *session = context;
    /* One that was broken off was not received. */
    if (!session->has_output || session->output->closed)
        return;
    session->segments_out++;
    if (session->segments_out == 1)
        trace_now(session, TRACE_RECEIVE_FIRST_PROCESSED);
    else if (session->segments_out == FEW_SEGMENTS)
        trace_now(session, TRACE_RECEIVE_FEW_PROCESSED);
}

/* The job has ended before we ended it. */
static void channel_ended(void *context)
{
    struct session *session = context;
    session->job = NULL;
    if (session->has_failed)
        return;
    session->has_failed = true;
    loop_timer_after(&session->end, 0);
}

/* ---- input --------------------------------------------------------------- */

static void end_segment(struct session *session)
{
    if (!session->segment.channel)
        return;
    (void)trickle_write_end(&session->segment);
    if (session->segments_in++)
        return;
    trace_now(session, TRACE_SEND_FIRST_INGEST);
    trace_now(session, TRACE_RUNNER_RECEIVE_FIRST_INGEST);
}

static void send_frame(void *context)
{
    struct session *session = context;
    uint64_t number = session->frame_number;
    const struct clip *clip = &session->gateway->clip;
    bool begins = number % CLIP_FPS == 0;
    const struct clip_frame *picture =
        begins ? &clip->frames[0] : &clip->frames[number % CLIP_FRAMES];
    int64_t pts = (int64_t)number * CLIP_FRAME_TICKS;
    struct mpegts_picture frame = {pts, pts, begins, picture->bytes};
    buf_clear(&session->packets);
    if (begins) {
        end_segment(session);
        trickle_write_begin(&session->segment, session->input,
                            (int64_t)(number / CLIP_FPS), false,
                            clock_monotonic_us(), NULL, NULL);
        mpegts_write_tables(&session->writer, &session->packets);
    }
    mpegts_write_frame(&session->writer, &session->packets, &frame);
    ingest_meter_frame(&session->meter, session->frame.due_us,
                       clock_monotonic_us(), picture->bytes.length);
    if (!trickle_write(&session->segment, session->packets.data,
                       session->packets.length))
        session->has_failed = true;
    session->frame_number++;
    loop_timer_at(&session->frame, session->frame.due_us + US_PER_S / CLIP_FPS);
}

/* ---- life ---------------------------------------------------------------- */

static void follow(struct session *session, struct follower *follower,
                   struct trickle_channel *channel,
                   void (*bytes)(void *, const char *, size_t),
                   void (*segment_end)(void *))
{
    *follower = (struct follower){.bytes = bytes,
                                  .segment_end = segment_end,
                                  .ended = channel_ended,
                                  .context = session};
    follower_start(follower, channel);
}

static void accepted(void *context, struct job *job)
{
    struct session *session = context;
    if (!job) {
        tell_error(session, "the orchestrator could not start the pipeline");
        session->has_failed = true;
        loop_timer_after(&session->end, 0);
        return;
    }
    session->job = job;
    session->input = job->input.channel;
    session->output = job->runner.output;
    session->reports = job->report.events;
    trickle_channel_hold(session->input);
    trickle_channel_hold(session->output);
    trickle_channel_hold(session->reports);
    follow(session, &session->output_reader, session->output, output_bytes,
           output_segment_end);
    follow(session, &session->report_reader, session->reports, report_bytes,
           report_end);
    loop_timer_after(&session->frame, 0);
    plan_metrics(session);
    loop_timer_after(&session->end, session->lasts_us);
}

static void say_session(struct session *session, bool is_told)
{
    struct json_writer *writer = orchestrator_truth(
        session->orchestrator, "session", clock_monotonic_us());
    json_member_string(writer, "request_id", session->request_id);
    json_member_int(writer, "began_us", session->began_us);
    json_member_bool(writer, "failed", session->has_failed);
    json_member_bool(writer, "flattered", session->is_flattered);
    json_member_bool(writer, "told", is_told);
    json_member_int(writer, "statuses", (int64_t)session->statuses);
    json_member_double(writer, "fps_sum", session->fps_sum);
    json_member_int(writer, "segments_out", (int64_t)session->segments_out);
    truth_end(session->orchestrator->network->truth);
}

static void unlink_session(struct session *session)
{
    if (session->before)
        session->before->after = session->after;
    else
        session->gateway->open = session->after;
    if (session->after)
        session->after->before = session->before;
}

static void release(struct session *session)
{
    loop_timer_stop(&session->frame);
    loop_timer_stop(&session->metrics);
    loop_timer_stop(&session->end);
    admission_cancel(&session->admission);
    follower_stop(&session->output_reader);
    follower_stop(&session->report_reader);
    if (session->segment.channel)
        (void)trickle_write_end(&session->segment);
    if (session->input) {
        trickle_channel_release(session->input);
        trickle_channel_release(session->output);
        trickle_channel_release(session->reports);
    }
    unlink_session(session);
    buf_free(&session->events);
    buf_free(&session->packets);
    buf_free(&session->document);
    free(session);
}

void session_end(struct session *session, bool is_cut)
{
    bool failed = session->has_failed;
    bool is_told = session->is_flattered ? !failed && !is_cut
                                         : !is_cut || !waits_for_end(session);
    if (failed && session->input)
        tell_swap(session, "no output from the orchestrator");
    trace_now(session, TRACE_INGEST_CLOSED);
    if (session->job)
        job_give_up(session->job, "gateway stopped");
    if (is_told)
        telemetry_add(
            session->gateway->telemetry,
            (struct text){session->events.data, session->events.length});
    say_session(session, is_told);
    release(session);
}

static void end_now(void *context)
{
    session_end(context, false);
}

static void set_ids(struct session *session)
{
    uint8_t bytes[6];
    char digits[2 * sizeof bytes + 1];
    random_bytes(bytes, sizeof bytes);
    hash_hex(bytes, 4, session->request_id);
    random_bytes(bytes, sizeof bytes);
    hash_hex(bytes, sizeof bytes, digits);
    snprintf(session->stream_id, sizeof session->stream_id, "stream-%s",
             digits);
}

static int64_t draw_length_us(struct gateway *gateway)
{
    struct draw draw = draw_from(gateway->network->seed, "session's length", 0,
                                 gateway->session_count++);
    bool is_short = gateway->speed > 1;
    uint64_t spread = is_short ? SHORT_SPREAD_MS : LONG_SPREAD_MS;
    int64_t least = is_short ? SHORT_LEAST_MS : LONG_LEAST_MS;
    return (least + (int64_t)draw_below(&draw, spread)) * US_PER_MS;
}

void session_start(struct gateway *gateway, struct orchestrator *orchestrator)
{
    struct session *session = memory_zeroed(1, sizeof *session);
    struct loop *loop = gateway->network->loop;
    session->gateway = gateway;
    session->orchestrator = orchestrator;
    session->is_flattered = orchestrator == gateway->flattered;
    session->began_us = clock_monotonic_us();
    session->lasts_us = draw_length_us(gateway);
    set_ids(session);
    session->after = gateway->open;
    if (gateway->open)
        gateway->open->before = session;
    gateway->open = session;
    loop_timer_init(&session->frame, loop, send_frame, session);
    loop_timer_init(&session->metrics, loop, tell_metrics, session);
    loop_timer_init(&session->end, loop, end_now, session);
    trace_at(session, TRACE_RECEIVE_REQUEST, session->began_us, NULL);
    if (!admission_take(&session->admission, orchestrator,
                        text_of(orchestrator->behaviour->model))) {
        trace_at(session, TRACE_NO_ORCHESTRATORS, clock_monotonic_us(), NULL);
        session->has_failed = true;
        loop_timer_after(&session->end, 0);
        return;
    }
    tell_payment(session);
    session->admission.request = (struct job_request){
        text_of(session->request_id), text_of(session->stream_id), {"", 0}};
    admission_start(&session->admission, accepted, session);
}
