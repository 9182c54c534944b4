/*
 * Messages around one job: as they are documented, as other runners write
 * them, and as nobody should.
 */
#include "livepeer/livepeer.h"

#include "harness.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static struct arena arena;

static const char *string(struct text text)
{
    return arena_text(&arena, text.data, text.length);
}

TEST(a_start_is_written_and_read)
{
    static const struct {
        const char *params;
        const char *body;
    } rows[] = {
        {"", "{\"model_id\":\"no\\\"op\",\"params\":{},"
             "\"gateway_request_id\":\"r\",\"stream_id\":\"s\"}"},
        {"{\"prompt\":\"a cat\",\"width\":512}",
         "{\"model_id\":\"no\\\"op\",\"params\":{\"prompt\":\"a cat\","
         "\"width\":512},\"gateway_request_id\":\"r\",\"stream_id\":\"s\"}"},
    };
    EACH_ROW (row, rows) {
        const struct job_start start = {text_of("no\"op"), text_of(row->params),
                                        text_of("r"), text_of("s")};
        struct job_start read;
        struct buf body = {0};
        job_start_encode(&body, &start);
        CHECK_EQ_TEXT(buf_string(&body), row->body);
        CHECK_OK(job_start_decode(&arena, (struct text){body.data, body.length},
                                  &read));
        CHECK_EQ_TEXT(string(read.model_id), "no\"op");
        CHECK_EQ_TEXT(string(read.params), *row->params ? row->params : "{}");
        CHECK_EQ_TEXT(string(read.gateway_request_id), "r");
        CHECK_EQ_TEXT(string(read.stream_id), "s");
        buf_free(&body);
    }
    arena_free(&arena);
}

TEST(a_start_that_orchestrators_cannot_take_is_refused)
{
    static const struct {
        const char *body;
        const char *message; /* null where it is read */
    } rows[] = {
        {"{\"model_id\":\"m\"}", NULL},
        {"{\"model_id\":\"m\",\"params\":null,\"stream_id\":7}", NULL},
        {"{}", "model_id is missing"},
        {"{\"model_id\":\"\"}", "model_id is missing"},
        {"{\"model_id\":1}", "model_id is missing"},
        {"{\"model_id\":\"m\",\"params\":[]}", "params is no object"},
        {"{\"model_id\":\"m\",\"params\":\"{}\"}", "params is no object"},
        {"[]", "it is no JSON object"},
        {"", "it is no JSON object"},
    };
    EACH_ROW (row, rows) {
        struct job_start start;
        enum err err = job_start_decode(&arena, text_of(row->body), &start);
        CHECK_EQ_INT(err, row->message ? ERR_INPUT : ERR_NONE);
        if (row->message)
            CHECK_EQ_TEXT(err_message(), row->message);
    }
    arena_free(&arena);
}

TEST(an_answer_names_the_channels)
{
    const struct job_channels channels = {
        text_of("https://h:1/ai/trickle/a"), text_of("/ai/trickle/a-out"),
        text_of("/ai/trickle/a-control"), text_of("/ai/trickle/a-events"),
        text_of("cafe0001")};
    struct job_channels read;
    struct buf body = {0};
    job_channels_encode(&body, &channels);
    CHECK_EQ_TEXT(buf_string(&body),
                  "{\"publish_url\":\"https://h:1/ai/trickle/a\","
                  "\"subscribe_url\":\"/ai/trickle/a-out\","
                  "\"control_url\":\"/ai/trickle/a-control\","
                  "\"events_url\":\"/ai/trickle/a-events\","
                  "\"manifest_id\":\"cafe0001\"}");
    CHECK_OK(job_channels_decode(&arena, (struct text){body.data, body.length},
                                 &read));
    CHECK(text_equal(read.publish_url, channels.publish_url));
    CHECK(text_equal(read.subscribe_url, channels.subscribe_url));
    CHECK(text_equal(read.control_url, channels.control_url));
    CHECK(text_equal(read.events_url, channels.events_url));
    CHECK(text_equal(read.manifest_id, channels.manifest_id));
    buf_free(&body);
    arena_free(&arena);
}

TEST(an_answer_without_a_channel_is_none)
{
#define ANSWER(p, s, c, m)                                                     \
    "{\"publish_url\":" p ",\"subscribe_url\":" s ",\"control_url\":" c        \
    ",\"manifest_id\":" m "}"
    static const struct {
        const char *body;
        const char *message;
    } rows[] = {
        {ANSWER("\"p\"", "\"s\"", "\"c\"", "\"m\""), NULL}, /* no events */
        {ANSWER("\"\"", "\"s\"", "\"c\"", "\"m\""), "publish_url is missing"},
        {ANSWER("\"p\"", "null", "\"c\"", "\"m\""), "subscribe_url is missing"},
        {ANSWER("\"p\"", "\"s\"", "7", "\"m\""), "control_url is missing"},
        {ANSWER("\"p\"", "\"s\"", "\"c\"", "{}"), "manifest_id is missing"},
        {"\"insufficient capacity\"", "it is no JSON object"},
    };
#undef ANSWER
    EACH_ROW (row, rows) {
        struct job_channels read;
        enum err err = job_channels_decode(&arena, text_of(row->body), &read);
        CHECK_EQ_INT(err, row->message ? ERR_INPUT : ERR_NONE);
        if (row->message)
            CHECK_EQ_TEXT(err_message(), row->message);
    }
    struct job_channels read;
    char *large = memory_zeroed(1, JOB_CHANNELS_BYTES_MAX + 1);
    CHECK_ERR(
        job_channels_decode(
            &arena, (struct text){large, JOB_CHANNELS_BYTES_MAX + 1}, &read),
        ERR_INPUT);
    free(large);
    arena_free(&arena);
}

TEST(credentials_travel_in_headers)
{
    static const struct auth_token token = {
        {"\1\2\3", 3}, {"cafe", 4}, 1700000000};
    const struct segment_data segment = {.auth_token = &token};
    struct segment_data read;
    struct text header = segment_header(&arena, &segment);
    CHECK_EQ_TEXT(string(header), "QhEKAwECAxIEY2FmZRiA4s+qBg==");
    CHECK_OK(segment_header_read(&arena, header, &read));
    REQUIRE(read.auth_token);
    CHECK_EQ_TEXT(string(read.auth_token->session_id), "cafe");
    struct payment payment;
    CHECK_OK(payment_header_read(&arena, text_of(""), &payment));
    CHECK_EQ_INT(payment.ticket_count, 0);
    payment.sender = text_of("me");
    CHECK_EQ_TEXT(string(payment_header(&arena, &payment)), "EgJtZQ==");
    CHECK_ERR(segment_header_read(&arena, text_of("%"), &read), ERR_INPUT);
    CHECK_ERR(segment_header_read(&arena, text_of("QhEK"), &read), ERR_INPUT);
    arena_free(&arena);
}

#define STATUS                                                                 \
    "{\"type\":\"status\",\"pipeline\":\"noop\",\"start_time\":1,"             \
    "\"state\":\"ONLINE\",\"last_state_update_time\":2,"                       \
    "\"input_status\":{\"last_input_time\":null,\"fps\":23.9},"                \
    "\"inference_status\":{\"last_output_time\":3,\"fps\":23.1,"               \
    "\"last_error\":null,\"restart_count\":2},\"timestamp\":4}"

TEST(events_are_read_whoever_writes_them)
{
    static const struct {
        const char *segment;
        enum live_event_kind kind;
        const char *type;
        const char *state;
        const char *message;
        double input_fps;
        double output_fps;
        int64_t timestamp_ms;
        int64_t restart_count;
    } rows[] = {
        {"{\"event\":" STATUS ",\"queue_event_type\":\"ai_stream_events\"}",
         LIVE_EVENT_STATUS, "status", "ONLINE", "", 23.9, 23.1, 4, 2},
        {STATUS, LIVE_EVENT_STATUS, "status", "ONLINE", "", 23.9, 23.1, 4, 2},
        {"{\"event\":{\"type\":\"status\",\"state\":\"ERROR\","
         "\"inference_status\":{\"last_error\":\"no memory\",\"fps\":\"9\"}}}",
         LIVE_EVENT_STATUS, "status", "ERROR", "no memory", NAN, NAN,
         ABSENT_INT, ABSENT_INT},
        {"{\"event\":{\"type\":\"status\",\"inference_status\":[]}}",
         LIVE_EVENT_STATUS, "status", "", "", NAN, NAN, ABSENT_INT, ABSENT_INT},
        {"{\"event\":{\"type\":\"restart\",\"pipeline\":\"noop\","
         "\"restart_count\":3,\"restart_time\":1.5,\"restart_logs\":[]}}",
         LIVE_EVENT_RESTART, "restart", "", "", NAN, NAN, ABSENT_INT, 3},
        {"{\"event\":{\"type\":\"error\",\"message\":\"out of memory\","
         "\"time\":1.5}}",
         LIVE_EVENT_ERROR, "error", "", "out of memory", NAN, NAN, ABSENT_INT,
         ABSENT_INT},
        {"{\"event\":{\"type\":\"runner_receive_stream_request\","
         "\"timestamp\":5},\"queue_event_type\":\"stream_trace\"}",
         LIVE_EVENT_TRACE, "runner_receive_stream_request", "", "", NAN, NAN, 5,
         ABSENT_INT},
        {"{\"event\":{\"type\":\"x\"},"
         "\"queue_event_type\":\"stream_heartbeat\"}",
         LIVE_EVENT_HEARTBEAT, "x", "", "", NAN, NAN, ABSENT_INT, ABSENT_INT},
        {"{\"type\":\"stream_started\"}", LIVE_EVENT_STARTED, "stream_started",
         "", "", NAN, NAN, ABSENT_INT, ABSENT_INT},
        {"{\"type\":\"stream_stopped\"}", LIVE_EVENT_STOPPED, "stream_stopped",
         "", "", NAN, NAN, ABSENT_INT, ABSENT_INT},
        {"{\"type\":\"params_updated\",\"timestamp\":1e300}", LIVE_EVENT_OTHER,
         "params_updated", "", "", NAN, NAN, ABSENT_INT, ABSENT_INT},
        {"{\"event\":7}", LIVE_EVENT_OTHER, "", "", "", NAN, NAN, ABSENT_INT,
         ABSENT_INT},
        {"{}", LIVE_EVENT_OTHER, "", "", "", NAN, NAN, ABSENT_INT, ABSENT_INT},
    };
    EACH_ROW (row, rows) {
        struct live_event event;
        REQUIRE_OK(live_event_read(&arena, text_of(row->segment), &event));
        CHECK_EQ_INT(event.kind, row->kind);
        CHECK_EQ_TEXT(string(event.type), row->type);
        CHECK_EQ_TEXT(string(event.state), row->state);
        CHECK_EQ_TEXT(string(event.message), row->message);
        CHECK_EQ_DOUBLE(event.input_fps, (double)row->input_fps);
        CHECK_EQ_DOUBLE(event.output_fps, (double)row->output_fps);
        CHECK_EQ_INT(event.timestamp_ms, row->timestamp_ms);
        CHECK_EQ_INT(event.restart_count, row->restart_count);
    }
    arena_free(&arena);
}

TEST(what_is_no_event_is_refused)
{
    static const char *const rows[] = {"",  "[]",         "null",
                                       "{", "\"status\"", "{}{}"};
    struct live_event event;
    EACH_ROW (row, rows)
        CHECK_ERR(live_event_read(&arena, text_of(*row), &event), ERR_INPUT);
    char *large = memory_zeroed(1, LIVE_EVENT_BYTES_MAX + 1);
    CHECK_ERR(live_event_read(&arena,
                              (struct text){large, LIVE_EVENT_BYTES_MAX + 1},
                              &event),
              ERR_INPUT);
    free(large);
    arena_free(&arena);
}
