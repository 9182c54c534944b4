#include "livepeer/livepeer.h"

#include "harness.h"

#include <stdlib.h>
#include <string.h>

static struct arena arena;

static struct yyjson_val *parse(const char *text)
{
    struct yyjson_val *value = json_parse(&arena, text, strlen(text));
    REQUIRE(value != NULL);
    return value;
}

static const char *string(struct text text)
{
    return arena_text(&arena, text.data, text.length);
}

TEST(a_session_is_named_by_org_stream_and_request)
{
    static const struct {
        const char *org;
        const char *data;
        const char *key;
    } rows[] = {
        {"", "{\"stream_id\":\"s\",\"request_id\":\"r\"}", ""},
        {"o", "{\"stream_id\":\"s\",\"request_id\":\"r\"}", "o|s|r"},
        {"o", "{\"stream_id\":\"s\"}", "o|s|_missing_request"},
        {"o", "{\"stream_id\":\"s\",\"request_id\":\"\"}",
         "o|s|_missing_request"},
        {"o", "{\"stream_id\":null,\"request_id\":\"r\"}",
         "o|_missing_stream|r"},
        {"o", "{}", ""},
        {"o", "{\"stream_id\":\"\",\"request_id\":null}", ""},
        {"o", "{\"stream_id\":1,\"request_id\":[true]}", "o|1|[true]"},
        {"o", "{\"stream_id\":\" \",\"request_id\":\"R\"}", "o| |R"},
        {"o", "[]", ""},
        {"o", "\"s\"", ""},
    };
    EACH_ROW (row, rows) {
        struct text key =
            session_key(&arena, text_of(row->org), parse(row->data));
        CHECK_EQ_TEXT(string(key), row->key);
    }
    CHECK_EQ_INT(session_key(&arena, text_of("o"), NULL).length, 0);
    arena_free(&arena);
}

static struct session_event read_event(enum family family, const char *data)
{
    struct session_event event;
    session_event_read(&arena, family, parse(data), &event);
    return event;
}

TEST(a_status_as_it_is_read)
{
    struct session_event event = read_event(
        FAMILY_STREAM_STATUS,
        "{\"stream_id\":\"s\",\"request_id\":\"r\",\"pipeline\":\" Model\","
        "\"pipeline_id\":7,\"state\":\"ONLINE\",\"start_time\":1767908945298,"
        "\"orchestrator_info\":{\"address\":\"0xAB\",\"url\":\"HTTPS://X:1/\"},"
        "\"inference_status\":{\"fps\":\"15.5\",\"latency_ms\":20,"
        "\"last_error\":\"boom\"}}");
    CHECK_EQ_INT(event.family, FAMILY_STREAM_STATUS);
    CHECK_EQ_INT(event.trace, TRACE_UNKNOWN);
    CHECK_EQ_INT(event.state, STATE_ONLINE);
    CHECK_EQ_INT(event.flags, EVENT_HAS_START | EVENT_LAST_ERROR);
    CHECK_EQ_INT(event.start_time, 1767908945298);
    CHECK_EQ_DOUBLE(event.output_fps, 15.5);
    CHECK_EQ_DOUBLE(event.latency_ms, 20);
    CHECK_EQ_TEXT(string(event.stream_id), "s");
    CHECK_EQ_TEXT(string(event.request_id), "r");
    CHECK_EQ_TEXT(string(event.address), "0xab");
    CHECK_EQ_TEXT(string(event.url), "https://x:1/");
    CHECK_EQ_TEXT(string(event.pipeline), " Model");
    CHECK_EQ_TEXT(string(event.pipeline_id), "7");
    arena_free(&arena);
}

TEST(states_are_matched_as_bytes)
{
    static const struct {
        const char *json;
        enum stream_state state;
    } rows[] = {{"\"LOADING\"", STATE_LOADING},
                {"\"OFFLINE\"", STATE_OFFLINE},
                {"\"ONLINE\"", STATE_ONLINE},
                {"\"DEGRADED_INPUT\"", STATE_DEGRADED_INPUT},
                {"\"DEGRADED_INFERENCE\"", STATE_DEGRADED_INFERENCE},
                {"\"ERROR\"", STATE_ERROR},
                {"\"online\"", STATE_OTHER},
                {"\"ONLINE \"", STATE_OTHER},
                {"\"\"", STATE_OTHER},
                {"null", STATE_OTHER},
                {"3", STATE_OTHER}};
    EACH_ROW (row, rows) {
        char *data = arena_printf(&arena, "{\"state\":%s}", row->json);
        CHECK_EQ_INT(read_event(FAMILY_STREAM_STATUS, data).state, row->state);
        CHECK_EQ_INT(read_event(FAMILY_STREAM_EVENT, data).state, STATE_OTHER);
    }
    CHECK_EQ_TEXT(stream_state_name(STATE_OTHER), "");
    CHECK_EQ_TEXT(stream_state_name(STATE_DEGRADED_INPUT), "DEGRADED_INPUT");
    arena_free(&arena);
}

TEST(which_start_times_are_times)
{
    static const struct {
        const char *json;
        int64_t start; /* 0 for none */
    } rows[] = {{"1767908945298", 1767908945298},
                {"\"1767908945298\"", 1767908945298},
                {"1767908945298.9", 1767908945298},
                {"1", 1},
                {"9999999999999", 9999999999999},
                {"10000000000000", 0},
                {"0", 0},
                {"-5", 0},
                {"0.9", 0},
                {"\"12.5\"", 0},
                {"\"soon\"", 0},
                {"null", 0},
                {"true", 0},
                {"[1]", 0},
                {"1e300", 0}};
    EACH_ROW (row, rows) {
        struct session_event event =
            read_event(FAMILY_STREAM_STATUS,
                       arena_printf(&arena, "{\"start_time\":%s}", row->json));
        CHECK_EQ_INT(event.start_time, row->start);
        CHECK_EQ_INT(event.flags, row->start ? EVENT_HAS_START : 0);
    }
    arena_free(&arena);
}

TEST(which_last_errors_are_errors)
{
    static const struct {
        const char *json;
        bool error;
    } rows[] = {{"\"boom\"", true},  {"\"\"", false},    {"null", false},
                {"\"null\"", false}, {"\"NULL\"", true}, {"\" \"", true},
                {"false", true},     {"{}", true},       {"0", true}};
    EACH_ROW (row, rows) {
        struct session_event event = read_event(
            FAMILY_STREAM_STATUS,
            arena_printf(&arena, "{\"inference_status\":{\"last_error\":%s}}",
                         row->json));
        CHECK_EQ_INT(event.flags, row->error ? EVENT_LAST_ERROR : 0);
    }
    CHECK_EQ_INT(read_event(FAMILY_STREAM_STATUS,
                            "{\"inference_status\":\"last_error\"}")
                     .flags,
                 0);
    arena_free(&arena);
}

TEST(which_stream_events_are_errors_excusable_or_swaps)
{
    static const unsigned error = EVENT_ERROR;
    static const unsigned excused = EVENT_ERROR | EVENT_EXCUSABLE;
    static const struct {
        const char *type;
        const char *message;
        unsigned flags;
    } rows[] = {
        {"error", "", EVENT_ERROR},
        {"ERROR", "other", EVENT_ERROR},
        {"error ", "no orchestrators available", 0},
        {"Error", "No Orchestrators AVAILABLE here", excused},
        {"error", "x mediamtx ingest disconnected", excused},
        {"error", "WHIP disconnected", excused},
        {"error", "missing video", excused},
        {"error", "ICE connection state failed", excused},
        {"error", "user disconnected.", excused},
        {"error", "user  disconnected", error},
        {"error", "missing vide", error},
        {"info", "missing video", 0},
        {"orchestrator_swap", "missing video", EVENT_NAMES_SWAP},
        {"swapped", "", EVENT_NAMES_SWAP},
        {"Swap", "", 0},
        {"", "", 0},
    };
    EACH_ROW (row, rows) {
        struct session_event event = read_event(
            FAMILY_STREAM_EVENT,
            arena_printf(&arena, "{\"type\":\"%s\",\"message\":\"%s\"}",
                         row->type, row->message));
        CHECK_EQ_INT(event.flags, row->flags);
    }
    arena_free(&arena);
}

TEST(wrong_types_leave_members_blank)
{
    static const char *const rows[] = {
        "{\"orchestrator_info\":5,\"inference_status\":[],\"state\":{}}",
        "{\"orchestrator_info\":[{\"address\":\"0x1\"}]}",
        "{\"orchestrator_info\":null,\"inference_status\":\"fps\"}",
        "[1,2]",
        "null",
        "\"text\"",
        "17",
    };
    static const enum family families[] = {
        FAMILY_STREAM_TRACE, FAMILY_STREAM_STATUS, FAMILY_STREAM_EVENT};
    EACH_ROW (data, rows) {
        for (size_t i = 0; i < 3; i++) {
            struct session_event event = read_event(families[i], *data);
            CHECK_EQ_INT(event.flags, 0);
            CHECK_EQ_INT(event.trace, TRACE_UNKNOWN);
            CHECK_EQ_INT(event.address.length + event.url.length +
                             event.stream_id.length + event.pipeline.length,
                         0);
            CHECK(event.address.data && event.url.data && event.pipeline.data);
            CHECK_EQ_DOUBLE(event.output_fps, 0);
        }
    }
    arena_free(&arena);
}

/* ---- stored form --------------------------------------------------------- */

static const struct session_event samples[] = {
    {.family = FAMILY_STREAM_TRACE,
     .trace = TRACE_SWAP,
     .ts = 1767908945298,
     .line = 65536,
     .partition = 3,
     .offset = INT64_MAX,
     .id = {"id-1", 4},
     .stream_id = {"s", 1},
     .request_id = {"", 0},
     .gateway = {"GW", 2},
     .address = {"0xab", 4},
     .url = {"https://x", 9},
     .pipeline = {"", 0},
     .pipeline_id = {"p\0q", 3}},
    {.family = FAMILY_STREAM_STATUS,
     .trace = TRACE_UNKNOWN,
     .state = STATE_DEGRADED_INFERENCE,
     .flags = EVENT_HAS_START | EVENT_LAST_ERROR | EVENT_REMOVED,
     .ts = 0,
     .line = 0,
     .partition = -1,
     .offset = INT64_MIN,
     .start_time = 9999999999999,
     .output_fps = 15.999951534393748,
     .latency_ms = -0.0,
     .id = {"9c838785-dc30-4725-9769-34cc47792393", 36},
     .stream_id = {"s", 1},
     .request_id = {"r", 1},
     .gateway = {"", 0},
     .address = {"", 0},
     .url = {"", 0},
     .pipeline = {"model", 5},
     .pipeline_id = {"", 0}},
    {.family = FAMILY_STREAM_EVENT,
     .trace = TRACE_UNKNOWN,
     .flags = EVENT_ERROR | EVENT_EXCUSABLE | EVENT_NAMES_SWAP,
     .ts = 9999999999999,
     .line = INT64_MAX,
     .id = {"id-3", 4},
     .stream_id = {"s", 1},
     .request_id = {"r", 1},
     .gateway = {"GW", 2},
     .address = {"0xab", 4},
     .url = {"", 0},
     .pipeline = {"", 0},
     .pipeline_id = {"", 0}},
};
enum { SAMPLES = sizeof samples / sizeof *samples };

static void check_same(const struct session_event *got,
                       const struct session_event *wanted)
{
    CHECK_EQ_INT(got->family, wanted->family);
    CHECK_EQ_INT(got->trace, wanted->trace);
    CHECK_EQ_INT(got->state, wanted->state);
    CHECK_EQ_INT(got->flags, wanted->flags);
    CHECK_EQ_INT(got->ts, wanted->ts);
    CHECK_EQ_INT(got->line, wanted->line);
    CHECK_EQ_INT(got->partition, wanted->partition);
    CHECK_EQ_INT(got->offset, wanted->offset);
    CHECK_EQ_INT(got->start_time, wanted->start_time);
    CHECK_EQ_DOUBLE(got->output_fps, wanted->output_fps);
    CHECK_EQ_DOUBLE(got->latency_ms, wanted->latency_ms);
    CHECK(text_equal(got->id, wanted->id));
    CHECK(text_equal(got->stream_id, wanted->stream_id));
    CHECK(text_equal(got->request_id, wanted->request_id));
    CHECK(text_equal(got->gateway, wanted->gateway));
    CHECK(text_equal(got->address, wanted->address));
    CHECK(text_equal(got->url, wanted->url));
    CHECK(text_equal(got->pipeline, wanted->pipeline));
    CHECK(text_equal(got->pipeline_id, wanted->pipeline_id));
}

TEST(stored_events_are_read_back)
{
    for (size_t count = 0; count <= SAMPLES; count++) {
        struct buf bytes = {0};
        struct session_event *events;
        size_t read;
        session_events_encode(&bytes, samples, count);
        REQUIRE(session_events_decode(
            &arena, (struct text){bytes.data, bytes.length}, &events, &read));
        CHECK_EQ_INT(read, count);
        for (size_t i = 0; i < read; i++)
            check_same(&events[i], &samples[i]);
        buf_free(&bytes);
    }
    arena_free(&arena);
}

TEST(a_stored_day_that_is_cut_or_longer_is_refused)
{
    struct buf bytes = {0};
    struct session_event *events;
    size_t count;
    session_events_encode(&bytes, samples, SAMPLES);
    for (size_t length = 0; length < bytes.length; length++) {
        char *cut = memory_alloc(length); /* exactly: a read beyond is found */
        memcpy(cut, bytes.data, length);
        CHECK(!session_events_decode(&arena, (struct text){cut, length},
                                     &events, &count));
        free(cut);
    }
    buf_add_byte(&bytes, 0);
    CHECK(!session_events_decode(
        &arena, (struct text){bytes.data, bytes.length}, &events, &count));
    buf_free(&bytes);
    arena_free(&arena);
}

TEST(damaged_events_are_refused_or_stay_within_bounds)
{
    struct buf bytes = {0};
    size_t refused = 0;
    session_events_encode(&bytes, samples, SAMPLES);
    for (size_t at = 0; at < bytes.length; at++) {
        for (int bit = 0; bit < 8; bit++) {
            struct session_event *events;
            size_t count;
            bytes.data[at] = (char)(bytes.data[at] ^ (1 << bit));
            bool sound = session_events_decode(
                &arena, (struct text){bytes.data, bytes.length}, &events,
                &count);
            refused += !sound;
            for (size_t i = 0; sound && i < count; i++) {
                CHECK(events[i].ts >= 0 && events[i].ts <= 9999999999999);
                CHECK(events[i].family <= FAMILY_STREAM_EVENT);
                CHECK(events[i].trace <= TRACE_UNKNOWN);
                CHECK(events[i].state <= STATE_ERROR);
            }
            bytes.data[at] = (char)(bytes.data[at] ^ (1 << bit));
        }
    }
    CHECK(refused > bytes.length);
    buf_free(&bytes);
    arena_free(&arena);
}

TEST(a_count_that_lies_costs_no_memory)
{
    static const struct text rows[] = {
        {"\xff\xff\xff\xff\xff\xff\xff\xff\x7f", 9},
        {"\x00\xff\xff\xff\xff\xff\xff\xff\xff\x7f", 10},
        {"\x01\xff\xff\xff\xff\xff\xff\xff\xff\x7f", 10},
    };
    EACH_ROW (bytes, rows) {
        struct session_event *events;
        size_t count;
        CHECK(!session_events_decode(&arena, *bytes, &events, &count));
        CHECK(arena.used_bytes < 100000);
    }
    arena_free(&arena);
}
