/*
 * What is read of jobs, workers, payments and discovery (§1.4), and their
 * stored form.
 */
#include "livepeer/livepeer.h"

#include "harness.h"

#include <stdlib.h>
#include <string.h>

static struct arena arena;

static struct request_event *read_all(enum family family, const char *json,
                                      size_t *count)
{
    struct yyjson_val *data = json_parse(&arena, json, strlen(json));
    REQUIRE(data != NULL);
    return request_events_read(&arena, family, data, count);
}

static struct request_event read_one(enum family family, const char *json)
{
    size_t count;
    struct request_event *events = read_all(family, json, &count);
    REQUIRE(count == 1);
    return *events;
}

static const char *string(struct text text)
{
    return arena_text(&arena, text.data, text.length);
}

TEST(the_type_says_what_an_event_is)
{
    static const struct {
        enum family family;
        const char *type;
        int kind; /* -1: no fact */
    } rows[] = {
        {FAMILY_BATCH_REQUEST, "ai_batch_request_received",
         REQUEST_BATCH_RECEIVED},
        {FAMILY_BATCH_REQUEST, "ai_batch_request_completed",
         REQUEST_BATCH_COMPLETED},
        {FAMILY_BATCH_REQUEST, "received", -1},
        {FAMILY_LLM_REQUEST, "llm_request_completed", REQUEST_LLM},
        {FAMILY_LLM_REQUEST, "llm_stream_completed", REQUEST_LLM},
        {FAMILY_LLM_REQUEST, "llm_request_started", -1},
        {FAMILY_JOB_GATEWAY, "job_gateway_submitted", REQUEST_SUBMITTED},
        {FAMILY_JOB_GATEWAY, "job_gateway_completed", REQUEST_COMPLETED},
        {FAMILY_JOB_GATEWAY, "completed", -1},
        {FAMILY_JOB_ORCHESTRATOR, "job_orchestrator_discovery_result",
         REQUEST_DISCOVERED},
        {FAMILY_JOB_ORCHESTRATOR, "job_orchestrator_token_fetch_result",
         REQUEST_TOKEN_FETCHED},
        {FAMILY_JOB_ORCHESTRATOR, "job_gateway_completed", -1},
        {FAMILY_JOB_AUTH, "whatever", REQUEST_AUTHORISED},
        {FAMILY_JOB_PAYMENT, "whatever", REQUEST_BYOC_PAYMENT},
        {FAMILY_WORKER, "worker_unregistered", REQUEST_WORKER},
        {FAMILY_PAYMENT, "", REQUEST_PAYMENT},
        {FAMILY_INGEST_METRICS, "", -1},
    };
    EACH_ROW (row, rows) {
        size_t count;
        const char *json = arena_printf(&arena, "{\"type\":\"%s\"}", row->type);
        struct request_event *events = read_all(row->family, json, &count);
        CHECK_EQ_INT(count, row->kind >= 0);
        if (count)
            CHECK_EQ_INT(events->kind, row->kind);
    }
    arena_free(&arena);
}

TEST(a_completed_batch_request_is_read)
{
    struct request_event event = read_one(
        FAMILY_BATCH_REQUEST,
        "{\"type\":\"ai_batch_request_completed\",\"request_id\":\"r\","
        "\"pipeline\":\"llm\",\"model_id\":\"M\",\"success\":true,"
        "\"tries\":\"2\",\"duration_ms\":1500.9,\"orch_url\":\"https://O\","
        "\"latency_score\":\"0.5\",\"price_per_unit\":1e-4,"
        "\"error_type\":\"none\",\"error\":7}");
    CHECK_EQ_TEXT(string(event.request_id), "r");
    CHECK_EQ_TEXT(string(event.pipeline), "llm");
    CHECK_EQ_TEXT(string(event.model), "M");
    CHECK_EQ_INT(event.flags, REQUEST_SUCCESS);
    CHECK_EQ_INT(event.tries, 2);
    CHECK_EQ_INT(event.duration_ms, 1500);
    CHECK_EQ_TEXT(string(event.url), "https://O");
    CHECK_EQ_DOUBLE(event.latency_score, 0.5);
    CHECK_EQ_DOUBLE(event.price_per_unit, 1e-4);
    CHECK_EQ_TEXT(string(event.error_type), "none");
    CHECK_EQ_TEXT(string(event.error), "7");
    CHECK_EQ_TEXT(string(event.capability), "");
    arena_free(&arena);
}

TEST(a_worker_tells_its_first_option_only)
{
    static const struct {
        const char *options;
        const char *model;
    } rows[] = {
        {"[{\"model\":\"a\"},{\"model\":\"b\"}]", "a"},
        {"[{\"other\":1},{\"model\":\"b\"}]", ""},
        {"[\"a\"]", ""},
        {"[]", ""},
        {"{\"model\":\"a\"}", ""},
        {"null", ""},
    };
    EACH_ROW (row, rows) {
        struct request_event event = read_one(
            FAMILY_WORKER,
            arena_printf(&arena,
                         "{\"capability\":\"C\",\"worker_url\":\"W\","
                         "\"orchestrator_info\":{\"address\":\"0xAB\"},"
                         "\"price_per_unit\":3,\"worker_options\":%s}",
                         row->options));
        CHECK_EQ_TEXT(string(event.model), row->model);
        CHECK_EQ_TEXT(string(event.address), "0xab");
        CHECK_EQ_DOUBLE(event.price_per_unit, 3);
    }
    arena_free(&arena);
}

/* The second payment of the sample log. */
TEST(a_payment_is_read_exactly)
{
    struct request_event event = read_one(
        FAMILY_PAYMENT,
        "{\"faceValue\":\"2402400000000000 WEI\",\"manifestID\":\"d05da5dd\","
        "\"numTickets\":\"2\",\"orchestrator\":\"https://O\","
        "\"price\":\"1635.021 wei/pixel\",\"recipient\":\"0xD0\","
        "\"requestID\":\"\",\"sender\":\"0xF5\",\"sessionID\":\"01b55632\","
        "\"winProb\":\"0.0009990010\"}");
    CHECK(event.face_value_wei == UINT64_C(2402400000000000));
    CHECK_EQ_DOUBLE(event.price_per_unit, 1635.021);
    CHECK_EQ_TEXT(string(event.win_prob), "0.0009990010");
    CHECK_EQ_INT(event.tries, 2);
    CHECK_EQ_TEXT(string(event.address), "0xd0");
    CHECK_EQ_TEXT(string(event.sender), "0xf5");
    CHECK_EQ_TEXT(string(event.session_id), "01b55632");
    CHECK_EQ_TEXT(string(event.manifest_id), "d05da5dd");
    arena_free(&arena);
}

TEST(wei_is_a_whole_number_of_64_bits)
{
    static const struct {
        const char *text;
        uint64_t wei;
    } rows[] = {
        {"1 WEI", 1},
        {"1", 1},
        {"18446744073709551615 WEI", UINT64_MAX},
        {"18446744073709551616 WEI", 0},
        {"99999999999999999999", 0},
        {"0007 WEI", 7},
        {"1  WEI", 0},
        {"1 wei", 0},
        {"-1 WEI", 0},
        {"1.5 WEI", 0},
        {" WEI", 0},
        {"", 0},
    };
    EACH_ROW (row, rows)
        CHECK(wei_parse(text_of(row->text)) == row->wei);
}

TEST(discovery_is_a_fact_for_every_candidate)
{
    size_t count;
    struct request_event *events = read_all(
        FAMILY_DISCOVERY,
        "[{\"address\":\"A\",\"url\":\"U\",\"latency_ms\":\"77\"},5,null,"
        "{\"url\":\"V\",\"latency_ms\":78}]",
        &count);
    REQUIRE(count == 2);
    CHECK_EQ_TEXT(string(events[0].address), "a");
    CHECK_EQ_INT(events[0].latency_ms, 77);
    CHECK_EQ_INT(events[0].position, 0);
    CHECK_EQ_TEXT(string(events[1].url), "V");
    CHECK_EQ_INT(events[1].latency_ms, 78);
    CHECK_EQ_INT(events[1].position, 1);
    read_all(FAMILY_DISCOVERY, "{\"url\":\"V\"}", &count);
    CHECK_EQ_INT(count, 0);
    arena_free(&arena);
}

/* ---- stored form --------------------------------------------------------- */

enum { SAMPLES = 7 };

static void place(struct request_event *event, const char *id, int64_t ts)
{
    event->id = text_of(id);
    event->ts = ts;
    event->line = 70000 - ts % 1000;
    event->gateway = text_of(ts % 2 ? "0xGate" : "");
}

static void make_samples(struct request_event samples[SAMPLES])
{
    size_t count;
    static const char uuid[] = "9c838785-dc30-4725-9769-34cc47792393";
    samples[0] = read_one(FAMILY_BATCH_REQUEST,
                          "{\"type\":\"ai_batch_request_completed\","
                          "\"request_id\":\"r\",\"success\":1,\"tries\":-3,"
                          "\"price_per_unit\":-1.5,\"error\":\"long\"}");
    place(&samples[0], "plain id", 0);
    samples[1] =
        read_one(FAMILY_PAYMENT, "{\"faceValue\":\"18446744073709551615 WEI\","
                                 "\"numTickets\":\"3\",\"price\":\"2\"}");
    place(&samples[1], uuid, 1767908945298);
    samples[2] =
        read_one(FAMILY_WORKER, "{\"worker_options\":[{\"model\":\"m\"}]}");
    place(&samples[2], "9C838785-dc30-4725-9769-34cc47792393", 1767908945299);
    samples[2].flags |= REQUEST_REMOVED;
    struct request_event *list = read_all(
        FAMILY_DISCOVERY,
        "[{\"latency_ms\":9},{\"latency_ms\":8},{\"url\":\"U\"}]", &count);
    for (size_t i = 0; i < 3; i++) {
        samples[3 + i] = list[i];
        place(&samples[3 + i], uuid, EVENT_TIME_MS_MAX);
    }
    samples[6] =
        read_one(FAMILY_JOB_GATEWAY,
                 "{\"type\":\"job_gateway_completed\",\"success\":true,"
                 "\"charged_compute\":true,\"http_status\":500}");
    place(&samples[6], "last", 5);
}

static void check_same(const struct request_event *got,
                       const struct request_event *wanted)
{
    CHECK_EQ_INT(request_event_compare(got, wanted), 0);
    CHECK_EQ_INT(got->flags, wanted->flags);
    CHECK_EQ_INT(got->line, wanted->line);
    CHECK(text_equal(got->gateway, wanted->gateway));
    CHECK(text_equal(got->request_id, wanted->request_id));
    CHECK(text_equal(got->model, wanted->model));
    CHECK(text_equal(got->url, wanted->url));
    CHECK(text_equal(got->error, wanted->error));
    CHECK_EQ_INT(got->tries, wanted->tries);
    CHECK_EQ_INT(got->latency_ms, wanted->latency_ms);
    CHECK_EQ_INT(got->http_status, wanted->http_status);
    CHECK_EQ_DOUBLE(got->price_per_unit, wanted->price_per_unit);
    CHECK(got->face_value_wei == wanted->face_value_wei);
}

TEST(stored_requests_are_read_back)
{
    struct request_event samples[SAMPLES];
    make_samples(samples);
    for (size_t count = 0; count <= SAMPLES; count++) {
        struct buf bytes = {0};
        struct request_event *events;
        size_t read;
        request_events_encode(&bytes, samples, count);
        REQUIRE(request_events_decode(
            &arena, (struct text){bytes.data, bytes.length}, &events, &read));
        CHECK_EQ_INT(read, count);
        for (size_t i = 0; i < read; i++)
            check_same(&events[i], &samples[i]);
        buf_free(&bytes);
    }
    arena_free(&arena);
}

TEST(equal_contents_are_stored_once)
{
    struct request_event samples[SAMPLES];
    static struct request_event many[200];
    struct buf one = {0};
    struct buf all = {0};
    make_samples(samples);
    for (int i = 0; i < 200; i++) {
        many[i] = samples[1];
        many[i].ts += i;
        many[i].tries = i % 7;
    }
    request_events_encode(&one, many, 1);
    request_events_encode(&all, many, 200);
    CHECK(all.length < one.length + 200 * 24); /* of them 17 for the id */
    buf_free(&one);
    buf_free(&all);
    arena_free(&arena);
}

static bool decodes(const char *bytes, size_t length)
{
    struct request_event *events;
    size_t count;
    bool sound = request_events_decode(&arena, (struct text){bytes, length},
                                       &events, &count);
    for (size_t i = 0; sound && i < count; i++) {
        CHECK(events[i].ts >= 0 && events[i].ts <= EVENT_TIME_MS_MAX);
        CHECK(events[i].kind < REQUEST_KINDS && events[i].id.length);
    }
    return sound;
}

TEST(stored_requests_that_are_cut_or_longer_are_refused)
{
    struct request_event samples[SAMPLES];
    struct buf bytes = {0};
    make_samples(samples);
    request_events_encode(&bytes, samples, SAMPLES);
    for (size_t length = 0; length < bytes.length; length++) {
        char *cut = memory_alloc(length); /* exactly: a read beyond is found */
        memcpy(cut, bytes.data, length);
        CHECK(!decodes(cut, length));
        free(cut);
    }
    buf_add_byte(&bytes, 0);
    CHECK(!decodes(bytes.data, bytes.length));
    buf_free(&bytes);
    arena_free(&arena);
}

TEST(damaged_requests_are_refused_or_stay_within_bounds)
{
    struct request_event samples[SAMPLES];
    struct buf bytes = {0};
    size_t refused = 0;
    make_samples(samples);
    request_events_encode(&bytes, samples, SAMPLES);
    for (size_t at = 0; at < bytes.length; at++) {
        for (int bit = 0; bit < 8; bit++) {
            bytes.data[at] = (char)(bytes.data[at] ^ (1 << bit));
            refused += !decodes(bytes.data, bytes.length);
            bytes.data[at] = (char)(bytes.data[at] ^ (1 << bit));
        }
    }
    CHECK(refused > SAMPLES);
    buf_free(&bytes);
    arena_free(&arena);
}
