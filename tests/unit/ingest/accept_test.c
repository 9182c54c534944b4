#include "ingest/accept.h"

#include "harness.h"

#include <string.h>

static struct arena arena;

static const char *string(struct text text)
{
    return arena_text(&arena, text.data, text.length);
}

static struct event judge(const char *record, const char *org)
{
    struct event event;
    event_judge(&arena, text_of(record), text_of(org), false, &event);
    return event;
}

TEST(timestamps_that_are_times)
{
    static const struct {
        const char *text;
        int64_t ms;
    } rows[] = {
        {"1767908945298", 1767908945298},
        {"0000000000000", 0},
        {"9999999999999", 9999999999999},
        {"1767908945", 1767908945000},
        {"0000000000", 0},
        {"9999999999", 9999999999000},
        {"999999999", 999999999000},
        {"000000000", 0},
        {"1767908945.298", 1767908945298},
        {"1767908945.2", 1767908945200},
        {"1767908945.298765432", 1767908945298},
        {"999999999.0", 999999999000},
        {"2026-01-08T21:49:05.298Z", 1767908945298},
        {"2026-01-08", 1767830400000},
        {"2026-01-08 22:49:05,298+01:00", 1767908945298},
        {"1970-01-01T00:00:00Z", 0},
        {"2286-11-20T17:46:39.999Z", 9999999999999},
        {"2100-01-01", 4102444800000},
    };
    EACH_ROW (row, rows) {
        int64_t ms = -77;
        CHECK(event_time_parse(text_of(row->text), &ms));
        CHECK_EQ_INT(ms, row->ms);
    }
}

TEST(timestamps_that_are_none)
{
    static const char *const rows[] = {
        "",
        "0",
        "17679089",
        "17679089452",
        "176790894529",
        "17679089452980",
        "1767908945298.5",
        "1767908945.",
        "1767908945.1234567890",
        "1767908945,5",
        "1767908945.5e1",
        " 1767908945298",
        "1767908945298 ",
        "+1767908945298",
        "-1767908945298",
        "1.7679e12",
        "2026-01-08T23:59:60Z",
        "1969-12-31T23:59:59.999Z",
        "1970-01-01T00:00:00+00:01",
        "2286-11-20T17:46:40.000Z",
        "9999-12-31",
        "now",
        "null",
        "\xef\xbc\x91\xef\xbc\x92",
    };
    EACH_ROW (text, rows) {
        int64_t ms;
        CHECK(!event_time_parse(text_of(*text), &ms));
    }
    int64_t ms;
    CHECK(!event_time_parse((struct text){"1767908945298\0", 14}, &ms));
}

#define REST "\"timestamp\":\"1767908945298\",\"type\":\"job_auth\""

TEST(tests_are_made_in_the_order_of_the_publisher)
{
    static const struct {
        const char *record;
        const char *org; /* given by the caller */
        const char *reason;
        const char *counted; /* the org it is counted under */
    } rows[] = {
        {"{\"id\":\"i\"," REST "}", "o", "", "o"},
        {"{\"id\":\"i\",\"org\":\"x\"," REST "}", "o", "", "x"},
        {"not json", "o", "invalid_json", "o"},
        {"not json", "", "invalid_json", ""},
        {"", "o", "invalid_json", "o"},
        {"[]", "o", "invalid_json", "o"},
        {"\"text\"", "o", "invalid_json", "o"},
        {"null", "o", "invalid_json", "o"},
        {"{\"id\":\"i\"," REST "} {}", "o", "invalid_json", "o"},
        {"\xef\xbb\xbf{\"id\":\"i\"," REST "}", "o", "invalid_json", "o"},
        {"{\"id\":\"\\ud800\"," REST "}", "o", "invalid_json", "o"},
        {"{\"id\":\"i\",\"x\":1e999," REST "}", "o", "invalid_json", "o"},
        {"{}", "o", "blank_id", "o"},
        {"{}", "", "blank_id", ""},
        {"{\"id\":\"\"," REST "}", "o", "blank_id", "o"},
        {"{\"id\":null,\"org\":\"x\"," REST "}", "o", "blank_id", "x"},
        {"{\"timestamp\":\"1767908945298\"}", "o", "blank_id", "o"},
        {"{\"id\":\"i\"}", "o", "invalid_timestamp", "o"},
        {"{\"id\":\"i\",\"timestamp\":\"soon\",\"type\":\"unknown\"}", "",
         "invalid_timestamp", ""},
        {"{\"id\":\"i\",\"timestamp\":true}", "o", "invalid_timestamp", "o"},
        {"{\"id\":\"i\",\"timestamp\":[1767908945298]}", "o",
         "invalid_timestamp", "o"},
        {"{\"id\":\"i\"," REST "}", "", "blank_org", ""},
        {"{\"id\":\"i\",\"org\":null," REST "}", "", "blank_org", ""},
        {"{\"id\":\"i\",\"timestamp\":\"1767908945298\",\"type\":\"x\"}", "",
         "blank_org", ""},
        {"{\"id\":\"i\",\"timestamp\":\"1767908945298\",\"type\":\"x\"}", "o",
         "unsupported_event_family", "o"},
        {"{\"id\":\"i\",\"timestamp\":\"1767908945298\"}", "o",
         "unsupported_event_family", "o"},
        {"{\"id\":\"i\",\"timestamp\":\"1767908945298\","
         "\"type\":\"stream_trace\"}",
         "o", "unsupported_stream_trace_type", "o"},
        {"{\"id\":\"i\",\"timestamp\":\"1767908945298\","
         "\"type\":\"stream_trace\",\"data\":{\"type\":\"App_x\"}}",
         "o", "ignored_stream_trace_non_core_app", "o"},
    };
    EACH_ROW (row, rows) {
        struct event event = judge(row->record, row->org);
        CHECK_EQ_TEXT(event.reason, row->reason);
        CHECK_EQ_TEXT(string(event.org), row->counted);
        bool ignored = strncmp(row->reason, "unsupp", 6) == 0 ||
                       strncmp(row->reason, "ignored", 7) == 0;
        CHECK_EQ_INT(event.class, !row->reason[0] ? EVIDENCE_ACCEPTED
                                  : ignored       ? EVIDENCE_IGNORED
                                                  : EVIDENCE_REJECTED);
        CHECK_EQ_INT(event.ts, event.class == EVIDENCE_REJECTED
                                   ? INT64_MIN
                                   : 1767908945298);
    }
    arena_free(&arena);
}

TEST(members_of_the_envelope_are_read_as_texts)
{
    struct event event =
        judge("{\"id\":12,\"type\":\"job_auth\",\"timestamp\":1767908945298,"
              "\"gateway\":{\"A\":[1]},\"org\":5,\"data\":{\"x\":1},"
              "\"partition\":3,\"offset\":9}",
              "o");
    CHECK_EQ_INT(event.class, EVIDENCE_ACCEPTED);
    CHECK_EQ_TEXT(string(event.id), "12");
    CHECK_EQ_TEXT(string(event.org), "5");
    CHECK_EQ_TEXT(string(event.gateway), "{\"A\":[1]}");
    CHECK_EQ_INT(event.family, FAMILY_JOB_AUTH);
    CHECK_EQ_INT(event.ts, 1767908945298);
    CHECK_EQ_INT(json_to_int(json_get(event.data, "x")), 1);
    /* Only a wrapper has a place. */
    CHECK_EQ_INT(event.partition, 0);
    CHECK_EQ_INT(event.offset, 0);
    CHECK_EQ_INT(judge("{\"id\":\"i\",\"timestamp\":1767908945}", "o").ts,
                 1767908945000);
    CHECK_EQ_INT(judge("{\"id\":\"i\",\"timestamp\":1767908945.5}", "o").ts,
                 1767908945500);
    /* The first of equal keys counts. */
    CHECK_EQ_TEXT(string(judge("{\"id\":\"a\",\"id\":\"b\"}", "o").id), "a");
    arena_free(&arena);
}

#define VALUE "{\"id\":\"i\"," REST "}"

TEST(wrappers_are_unwrapped)
{
    static const struct {
        const char *record;
        const char *org;
        const char *reason;
        const char *counted;
        int64_t partition;
        int64_t offset;
    } rows[] = {
        {"{\"topic\":\"streaming_events\",\"partition\":2,\"offset\":\"77\","
         "\"value\":" VALUE "}",
         "", "", "cloudspe", 2, 77},
        {"{\"topic\":\"network-events\",\"value\":" VALUE "}", "", "",
         "daydream", 0, 0},
        {"{\"topic\":\"network_events\",\"value\":" VALUE "}", "o", "", "o", 0,
         0},
        {"{\"topic\":\"other\",\"value\":" VALUE "}", "", "blank_org", "", 0,
         0},
        {"{\"topic\":\"Network_events\",\"value\":" VALUE "}", "", "blank_org",
         "", 0, 0},
        {"{\"org\":\"x\",\"value\":{\"org\":\"y\",\"id\":\"i\"," REST "}}", "o",
         "", "x", 0, 0},
        {"{\"value\":{\"org\":\"y\",\"id\":\"i\"," REST "}}", "o", "", "y", 0,
         0},
        {"{\"org\":\"\",\"value\":" VALUE "}", "o", "", "o", 0, 0},
        /* No wrappers: with data, or without an object as value. */
        {"{\"data\":null,\"value\":" VALUE "}", "o", "blank_id", "o", 0, 0},
        {"{\"value\":[" VALUE "]}", "o", "blank_id", "o", 0, 0},
        {"{\"value\":\"x\",\"id\":\"i\"," REST "}", "o", "", "o", 0, 0},
        /* Only one level. */
        {"{\"value\":{\"value\":" VALUE "}}", "o", "blank_id", "o", 0, 0},
    };
    EACH_ROW (row, rows) {
        struct event event = judge(row->record, row->org);
        CHECK_EQ_TEXT(event.reason, row->reason);
        CHECK_EQ_TEXT(string(event.org), row->counted);
        CHECK_EQ_INT(event.partition, row->partition);
        CHECK_EQ_INT(event.offset, row->offset);
    }
    arena_free(&arena);
}

TEST(nesting_of_a_record_ends_at_128)
{
    for (int depth = 127; depth <= 129; depth++) {
        struct buf record = {0};
        buf_add_string(&record, "{\"id\":\"i\"," REST ",\"data\":");
        for (int i = 1; i < depth; i++)
            buf_add_byte(&record, '[');
        for (int i = 1; i < depth; i++)
            buf_add_byte(&record, ']');
        buf_add_byte(&record, '}');
        struct event event = judge(buf_string(&record), "o");
        CHECK_EQ_TEXT(event.reason, depth <= 128 ? "" : "invalid_json");
        buf_free(&record);
    }
    arena_free(&arena);
}

static bool dump(const char *record, int64_t at_ms, struct text *out)
{
    struct event event = judge(record, "o");
    return capability_dump(&arena, &event, at_ms, out);
}

TEST(a_capability_dump_becomes_the_event_it_would_have_been)
{
    static const char list[] = "[ {\"address\" : \"0xA\"} ]";
    struct text record;
    REQUIRE(dump(arena_printf(&arena, "{\"orchestrators\":%s,\"x\":1}", list),
                 1767908945298, &record));
    struct event event = judge(string(record), "o");
    CHECK_EQ_INT(event.class, EVIDENCE_ACCEPTED);
    CHECK_EQ_INT(event.family, FAMILY_CAPABILITIES);
    CHECK_EQ_INT(event.ts, 1767908945298);
    size_t count;
    capability_read(&arena, event.data, &count);
    CHECK_EQ_INT(count, 1);
    /* The same list has the same id, whatever stands around it. */
    struct text again;
    struct text other;
    REQUIRE(dump("{\"orchestrators\":[{\"address\":\"0xA\"}]}", 5, &again));
    REQUIRE(dump("{\"orchestrators\":[{\"address\":\"0xB\"}]}", 5, &other));
    CHECK_EQ_TEXT(string(judge(string(again), "o").id), string(event.id));
    CHECK(strcmp(string(judge(string(other), "o").id), string(event.id)) != 0);
    CHECK_EQ_INT(judge(string(again), "o").ts, 5);
    arena_free(&arena);
}

TEST(what_is_no_capability_dump)
{
    static const char *const rows[] = {
        "{\"orchestrators\":{}}",
        "{\"orchestrators\":null}",
        "{\"Orchestrators\":[]}",
        "{\"id\":\"i\",\"orchestrators\":[]}",
        "{\"data\":{},\"orchestrators\":[]}",
        "[{\"orchestrators\":[]}]",
        "{\"value\":{\"orchestrators\":[]}}",
        "broken",
    };
    EACH_ROW (text, rows) {
        struct text record = {"untouched", 9};
        CHECK(!dump(*text, 1, &record));
        CHECK_EQ_TEXT(string(record), "untouched");
    }
    arena_free(&arena);
}

TEST(a_dump_that_would_be_too_long_for_a_line_is_none)
{
    struct buf record = {0};
    buf_add_string(&record, "{\"orchestrators\":[0");
    while (record.length < EVIDENCE_LINE_MAX_BYTES - 10)
        buf_add_string(&record, ",1e14");
    buf_add_string(&record, "]}");
    struct text out = {"untouched", 9};
    CHECK(!dump(buf_string(&record), 1, &out));
    CHECK_EQ_TEXT(string(out), "untouched");
    buf_free(&record);
    arena_free(&arena);
}
