#include "rollup/session.h"

#include "base/clock.h"
#include "harness.h"

#include <string.h>

static struct arena arena;

#define DAY INT64_C(1767830400000) /* 2026-01-08 */
#define HOUR INT64_C(3600000)

static const char *string(struct text text)
{
    return text.data ? arena_text(&arena, text.data, text.length) : "null";
}

/* ---- making events ------------------------------------------------------- */

static struct session_event blank_event(enum family family, int64_t ts)
{
    static int number;
    struct session_event event = {
        .family = family, .trace = TRACE_UNKNOWN, .ts = ts};
    event.id = text_of(arena_printf(&arena, "id%06d", number++));
    event.stream_id = text_of("s");
    event.request_id = text_of("r");
    event.gateway = event.address = event.url = text_of("");
    event.pipeline = event.pipeline_id = text_of("");
    return event;
}

static struct session_event trace(enum trace kind, int64_t ts)
{
    struct session_event event = blank_event(FAMILY_STREAM_TRACE, ts);
    event.trace = kind;
    return event;
}

static struct session_event status(enum stream_state state, double fps,
                                   int64_t ts)
{
    struct session_event event = blank_event(FAMILY_STREAM_STATUS, ts);
    event.state = state;
    event.output_fps = fps;
    return event;
}

static struct session_event stream_event(unsigned flags, int64_t ts)
{
    struct session_event event = blank_event(FAMILY_STREAM_EVENT, ts);
    event.flags = flags;
    return event;
}

/* What session_fold gives. */
struct folded {
    bool exists;
    struct session_row row;
    struct hour_row *hours;
    size_t hour_count;
};

static struct folded fold_passes(const struct session_event *events,
                                 size_t count,
                                 const struct session_pass *passes,
                                 size_t pass_count)
{
    struct folded folded;
    folded.exists = session_fold(
        &arena, &lens_published, text_of("o"), text_of("o|s|r"), events, count,
        passes, pass_count, &folded.row, &folded.hours, &folded.hour_count);
    return folded;
}

/* One pass of DAY without selections. */
static struct folded fold(const struct session_event *events, size_t count)
{
    const struct session_pass pass = {.start = DAY};
    return fold_passes(events, count, &pass, 1);
}

/* ---- facts --------------------------------------------------------------- */

TEST(a_clean_session_has_all_facts)
{
    struct session_event events[] = {
        trace(TRACE_RECEIVE_REQUEST, DAY + 1000),
        trace(TRACE_SEND_FIRST_INGEST, DAY + 2000),
        trace(TRACE_RUNNER_RECEIVE_FIRST_INGEST, DAY + 2001),
        trace(TRACE_RUNNER_SEND_FIRST_PROCESSED, DAY + 2106),
        trace(TRACE_RECEIVE_FIRST_PROCESSED, DAY + 3655),
        trace(TRACE_RECEIVE_FEW_PROCESSED, DAY + 8435),
        status(STATE_ONLINE, 16, DAY + 9000),
        status(STATE_DEGRADED_INPUT, 12, DAY + 9100),
        status(STATE_DEGRADED_INFERENCE, 0, DAY + 9200),
        trace(TRACE_INGEST_CLOSED, DAY + 9300),
        trace(TRACE_RUNNER_SEND_FIRST_PROCESSED, DAY + 9999),
    };
    events[6].flags = EVENT_HAS_START;
    events[6].start_time = DAY + 2000;
    events[8].flags = EVENT_HAS_START | EVENT_LAST_ERROR;
    events[8].start_time = DAY + 2500;
    struct folded folded = fold(events, 11);
    struct session_row *row = &folded.row;
    CHECK(folded.exists);
    CHECK_EQ_INT(row->started_at, DAY + 1000);
    CHECK_EQ_INT(row->first_ingest_at, DAY + 2000);
    CHECK_EQ_INT(row->runner_first_processed_at, DAY + 2106);
    CHECK_EQ_INT(row->first_processed_at, DAY + 3655);
    CHECK_EQ_INT(row->few_processed_at, DAY + 8435);
    CHECK_EQ_INT(row->status_start_time, DAY + 2000);
    CHECK_EQ_INT(row->last_seen, DAY + 9300); /* no runner trace */
    CHECK_EQ_INT(row->startup_latency_ms, 2655);
    CHECK_EQ_INT(row->e2e_latency_ms, 106);
    CHECK_EQ_INT(row->ptff_ms, 6435);
    CHECK_EQ_INT(row->status_samples, 3);
    CHECK_EQ_INT(row->online_samples, 1);
    CHECK_EQ_INT(row->running_samples, 3);
    CHECK_EQ_INT(row->fps_positive_samples, 2);
    CHECK_EQ_INT(row->degraded_input_samples, 1);
    CHECK_EQ_INT(row->degraded_inference_samples, 1);
    CHECK_EQ_INT(row->error_samples, 1);
    CHECK_EQ_INT(row->error_seen, 1);
    CHECK_EQ_INT(row->completed, 1);
    CHECK_EQ_INT(row->health_signal_count, 3);
    CHECK_EQ_INT(row->health_expected_signal_count, 3);
    CHECK_EQ_TEXT(string(row->startup_outcome), "success");
    CHECK_EQ_TEXT(string(row->startup_label), "success");
    CHECK_EQ_TEXT(string(row->excusal_reason), "none");
    CHECK_EQ_TEXT(string(row->stream_id), "s");
    arena_free(&arena);
}

TEST(runner_traces_alone_make_no_session)
{
    struct session_event events[] = {
        trace(TRACE_RUNNER_RECEIVE_FIRST_INGEST, DAY),
        trace(TRACE_RUNNER_SEND_FIRST_PROCESSED, DAY + 1)};
    CHECK(!fold(events, 2).exists);
    CHECK_EQ_INT(fold(events, 2).hour_count, 0);
    CHECK(!fold(events, 0).exists);
    struct session_event one[] = {stream_event(0, 0)};
    struct folded folded = fold(one, 1);
    CHECK(folded.exists);
    CHECK_EQ_INT(folded.row.last_seen, 0); /* stays a time */
    arena_free(&arena);
}

TEST(a_first_time_of_epoch_is_none_whatever_came_later)
{
    struct session_event events[] = {trace(TRACE_RECEIVE_REQUEST, 0),
                                     trace(TRACE_RECEIVE_FIRST_PROCESSED, 5),
                                     trace(TRACE_RECEIVE_REQUEST, 9)};
    struct folded folded = fold(events, 3);
    CHECK_EQ_INT(folded.row.started_at, ABSENT_INT);
    CHECK_EQ_INT(folded.row.started_count, 2);
    CHECK_EQ_INT(folded.row.requested_seen, 1);
    CHECK_EQ_INT(folded.row.startup_latency_ms, ABSENT_INT);
    CHECK_EQ_INT(folded.row.first_processed_at, 5);
    arena_free(&arena);
}

TEST(latencies_that_would_be_negative_are_absent)
{
    struct session_event events[] = {
        trace(TRACE_RECEIVE_FIRST_PROCESSED, DAY),
        trace(TRACE_RUNNER_SEND_FIRST_PROCESSED, DAY + 5),
        trace(TRACE_SEND_FIRST_INGEST, DAY + 5),
        trace(TRACE_RECEIVE_REQUEST, DAY + 9)};
    struct folded folded = fold(events, 4);
    CHECK_EQ_INT(folded.row.startup_latency_ms, ABSENT_INT);
    CHECK_EQ_INT(folded.row.e2e_latency_ms, 0);
    CHECK_EQ_INT(folded.row.ptff_ms, ABSENT_INT);
    arena_free(&arena);
}

TEST(hints_and_gateway_are_the_latest_that_are_not_blank)
{
    struct session_event events[] = {
        trace(TRACE_RECEIVE_REQUEST, DAY),
        trace(TRACE_SWAP, DAY + 1),
        trace(TRACE_RUNNER_SEND_FIRST_PROCESSED, DAY + 2),
        status(STATE_ONLINE, 1, DAY + 3),
        status(STATE_ONLINE, 1, DAY + 4),
        stream_event(0, DAY + 5),
    };
    events[0].gateway = text_of("G1");
    events[1].gateway = text_of("G2");
    events[2].gateway = text_of("runner");
    events[5].gateway = text_of("event");
    events[1].pipeline = text_of(" hint");
    events[2].pipeline = text_of("runner hint");
    events[3].pipeline = text_of("status hint");
    struct folded folded = fold(events, 6);
    CHECK_EQ_TEXT(string(folded.row.gateway), "G2");
    CHECK_EQ_TEXT(string(folded.row.trace_hint), "runner hint");
    CHECK_EQ_TEXT(string(folded.row.status_hint), "status hint");
    CHECK_EQ_TEXT(string(folded.row.event_hint), "");
    events[3].gateway = text_of("S");
    CHECK_EQ_TEXT(string(fold(events, 6).row.gateway), "S");
    arena_free(&arena);
}

/* ---- outcomes (§2.8) ----------------------------------------------------- */

TEST(outcomes_and_signals)
{
    enum {
        REQUEST = 1,
        PLAYABLE = 2,
        NO_ORCH = 4,
        LOADING = 8,
        IDLE = 16,
        ONLINE = 32,
        BAD = 64,
        EXCUSED = 128,
        OFFLINE = 256
    };
    static const struct {
        unsigned what;
        const char *outcome;
        const char *label;
        const char *excusal;
        int loading_only;
        int zero_fps;
        int signals;
        int expected;
        const char *reason;
    } rows[] = {
        {REQUEST, "failed", "unexcused", "none", 0, 0, 0, 3,
         "missing_candidate"},
        {REQUEST | PLAYABLE, "success", "success", "none", 0, 0, 1, 3,
         "missing_candidate"},
        {PLAYABLE, "unknown", "unknown", "none", 0, 0, 1, 0,
         "missing_candidate"},
        {ONLINE, "unknown", "unknown", "none", 0, 0, 2, 0, "missing_candidate"},
        {REQUEST | PLAYABLE | ONLINE, "success", "success", "none", 0, 0, 3, 3,
         "missing_candidate"},
        {REQUEST | LOADING, "failed", "unexcused", "none", 1, 1, 1, 3,
         "missing_candidate"},
        {REQUEST | OFFLINE, "failed", "unexcused", "none", 1, 1, 1, 3,
         "missing_candidate"},
        {REQUEST | PLAYABLE | IDLE, "success", "success", "none", 0, 1, 3, 3,
         "missing_candidate"},
        {REQUEST | PLAYABLE | LOADING | ONLINE, "success", "success", "none", 0,
         0, 3, 3, "missing_candidate"},
        {REQUEST | NO_ORCH, "failed", "excused", "no_orch", 0, 0, 0, 3,
         "no_selection_no_orch_excused"},
        {REQUEST | NO_ORCH | BAD, "failed", "excused", "no_orch", 0, 0, 0, 3,
         "no_selection_no_orch_excused"},
        {REQUEST | PLAYABLE | NO_ORCH, "success", "success", "none", 0, 0, 1, 3,
         "missing_candidate"},
        {NO_ORCH, "unknown", "unknown", "none", 0, 0, 0, 0,
         "missing_candidate"},
        {REQUEST | EXCUSED, "failed", "excused", "excusable_error", 0, 0, 0, 3,
         "missing_candidate"},
        {REQUEST | EXCUSED | BAD, "failed", "unexcused", "none", 0, 0, 0, 3,
         "missing_candidate"},
        {REQUEST | PLAYABLE | EXCUSED, "success", "success", "none", 0, 0, 1, 3,
         "missing_candidate"},
    };
    EACH_ROW (row, rows) {
        struct session_event events[12];
        size_t count = 0;
        events[count++] = stream_event(0, DAY);
        if (row->what & REQUEST)
            events[count++] = trace(TRACE_RECEIVE_REQUEST, DAY + 1);
        if (row->what & PLAYABLE)
            events[count++] = trace(TRACE_RECEIVE_FEW_PROCESSED, DAY + 2);
        if (row->what & NO_ORCH)
            events[count++] = trace(TRACE_NO_ORCHESTRATORS, DAY + 3);
        if (row->what & LOADING)
            events[count++] = status(STATE_LOADING, 0, DAY + 4);
        if (row->what & OFFLINE)
            events[count++] = status(STATE_OFFLINE, 0, DAY + 5);
        if (row->what & IDLE)
            events[count++] = status(STATE_ONLINE, 0, DAY + 6);
        if (row->what & ONLINE)
            events[count++] = status(STATE_ONLINE, 9, DAY + 7);
        if (row->what & BAD)
            events[count++] = stream_event(EVENT_ERROR, DAY + 8);
        if (row->what & EXCUSED)
            events[count++] =
                stream_event(EVENT_ERROR | EVENT_EXCUSABLE, DAY + 9);
        struct session_row got = fold(events, count).row;
        CHECK_EQ_TEXT(string(got.startup_outcome), row->outcome);
        CHECK_EQ_TEXT(string(got.startup_label), row->label);
        CHECK_EQ_TEXT(string(got.excusal_reason), row->excusal);
        CHECK_EQ_INT(got.loading_only_session, row->loading_only);
        CHECK_EQ_INT(got.zero_output_fps_session, row->zero_fps);
        CHECK_EQ_INT(got.health_signal_count, row->signals);
        CHECK_EQ_INT(got.health_expected_signal_count, row->expected);
        CHECK_EQ_TEXT(string(got.selection_outcome),
                      row->what & NO_ORCH ? "no_orch" : "unknown");
        CHECK_EQ_TEXT(string(got.attribution_status), "unresolved");
        CHECK_EQ_TEXT(string(got.attribution_reason), row->reason);
        CHECK_EQ_TEXT(string(got.attribution_method), "null");
        CHECK_EQ_TEXT(string(got.attribution_confidence), "null");
    }
    arena_free(&arena);
}

/* ---- decisions (§2.7) ---------------------------------------------------- */

static struct selection_row selection(int64_t ts, const char *identity,
                                      const char *reason, const char *address)
{
    struct selection_row row = {.selection_ts = ts,
                                .orchestrator_identity = text_of(identity),
                                .attribution_reason = text_of(reason),
                                .attribution_snapshot_ts = ABSENT_INT};
    row.selection_event_id =
        text_of(arena_printf(&arena, "%s@%lld", identity, (long long)ts));
    row.selection_trigger = text_of("initial");
    row.attribution_status = text_of(address[0] ? "resolved" : "unresolved");
    row.attribution_method = text_of(address[0] ? "uri" : "missing");
    row.attribution_confidence = text_of(address[0] ? "high" : "low");
    row.orchestrator_address = text_of(address);
    row.orchestrator_uri = text_of(address);
    row.pipeline_id = text_of(address[0] ? "live-video-to-video" : "");
    row.model_id = address[0] ? text_of("model") : (struct text){NULL, 0};
    row.gpu_id = address[0] ? text_of("gpu") : (struct text){NULL, 0};
    return row;
}

TEST(the_latest_selection_decides_and_of_equal_times_the_first)
{
    struct selection_row rows[] = {selection(DAY + 1, "x", "matched", "0x1"),
                                   selection(DAY + 5, "y", "matched", "0x2"),
                                   selection(DAY + 5, "z", "matched", "0x3")};
    struct session_pass pass = {DAY, rows, 3};
    struct session_event events[] = {trace(TRACE_NO_ORCHESTRATORS, DAY + 5)};
    struct session_row row = fold_passes(events, 1, &pass, 1).row;
    CHECK_EQ_TEXT(string(row.orchestrator_address), "0x2");
    CHECK_EQ_TEXT(string(row.selection_outcome), "selected");
    CHECK_EQ_INT(row.selection_ts, DAY + 5);
    CHECK_EQ_TEXT(string(row.pipeline_id), "live-video-to-video");
    CHECK_EQ_TEXT(string(row.model_id), "model");
    CHECK_EQ_TEXT(string(row.gpu_id), "gpu");
    arena_free(&arena);
}

TEST(a_missing_candidate_after_several_orchestrators_is_ambiguous)
{
    static const struct {
        const char *first;
        const char *last_reason;
        const char *status;
        const char *reason;
        const char *method;
    } rows[] = {
        {"x", "missing_candidate", "unresolved", "missing_candidate",
         "missing"},
        {"y", "missing_candidate", "ambiguous", "ambiguous_candidates",
         "ambiguous"},
        {"y", "missing_uri_snapshot_local_alias_present", "unresolved",
         "missing_uri_snapshot_local_alias_present", "missing"},
    };
    struct session_event events[] = {stream_event(0, DAY),
                                     stream_event(0, DAY + MS_PER_DAY)};
    EACH_ROW (row, rows) {
        struct selection_row list[] = {
            selection(DAY + 1, row->first, "matched", "0x1"),
            selection(DAY + 5, "x", row->last_reason, "")};
        struct session_pass passes[] = {{DAY, list, 2},
                                        {DAY + MS_PER_DAY, NULL, 0}};
        struct session_row got = fold_passes(events, 1, passes, 1).row;
        CHECK_EQ_TEXT(string(got.attribution_status), row->status);
        CHECK_EQ_TEXT(string(got.attribution_reason), row->reason);
        CHECK_EQ_TEXT(string(got.attribution_method), row->method);
        CHECK_EQ_TEXT(string(got.attribution_confidence), "low");
        /* Carried to a later pass, it is not. */
        got = fold_passes(events, 2, passes, 2).row;
        CHECK_EQ_TEXT(string(got.attribution_status), "unresolved");
        CHECK_EQ_TEXT(string(got.attribution_reason), row->last_reason);
        CHECK_EQ_TEXT(string(got.attribution_method), "missing");
        CHECK_EQ_TEXT(string(got.selection_outcome), "selected");
    }
    arena_free(&arena);
}

TEST(pipeline_and_model_come_from_decision_and_hints)
{
    static const struct {
        bool resolved;
        const char *status_hint;
        const char *trace_hint;
        const char *event_hint;
        const char *pipeline;
        const char *model;
    } rows[] = {
        {true, "llm", "", "", "live-video-to-video", "model"},
        {false, "", "", "", "", "null"},
        {false, "some-model", "", "", "", "null"},
        {false, "pip_sdxl-turbo", "llm", "", "live-video-to-video",
         "streamdiffusion-sdxl"},
        {false, "", "llm", "upscale", "llm", "null"},
        {false, "", "", "upscale", "upscale", "null"},
        {false, " ", "llm", "", "", "null"},
    };
    EACH_ROW (row, rows) {
        struct session_event events[] = {trace(TRACE_RECEIVE_REQUEST, DAY),
                                         status(STATE_ONLINE, 1, DAY + 1),
                                         stream_event(0, DAY + 2)};
        events[0].pipeline = text_of(row->trace_hint);
        events[1].pipeline = text_of(row->status_hint);
        events[2].pipeline = text_of(row->event_hint);
        struct selection_row one =
            row->resolved ? selection(DAY, "x", "matched", "0x1")
                          : selection(DAY, "x", "missing_candidate", "");
        struct session_pass pass = {DAY, &one, 1};
        struct folded folded = fold_passes(events, 3, &pass, 1);
        CHECK_EQ_TEXT(string(folded.row.pipeline_id), row->pipeline);
        CHECK_EQ_TEXT(string(folded.row.model_id), row->model);
        REQUIRE(folded.hour_count == 1);
        CHECK_EQ_TEXT(string(folded.hours[0].pipeline_id), row->pipeline);
        CHECK_EQ_TEXT(string(folded.hours[0].model_id), row->model);
    }
    arena_free(&arena);
}

/* ---- hours (§2.10) ------------------------------------------------------- */

TEST(hours_hold_their_own_samples)
{
    struct session_event events[] = {
        trace(TRACE_RECEIVE_REQUEST, DAY),
        status(STATE_ONLINE, 10, DAY + HOUR - 1),
        status(STATE_LOADING, 0, DAY + HOUR),
        trace(TRACE_SWAP, DAY + HOUR + 1),
        status(STATE_DEGRADED_INPUT, 0.1, DAY + HOUR + 2),
        status(STATE_ONLINE, 0.2, DAY + 2 * HOUR - 1),
        status(STATE_ERROR, -3, DAY + 5 * HOUR),
    };
    events[4].flags = EVENT_LAST_ERROR;
    events[4].latency_ms = 20;
    events[5].latency_ms = -1;
    struct folded folded = fold(events, 7);
    static const struct {
        int64_t hour;
        int samples;
        int positive;
        int running;
        int errors;
        int latencies;
        double fps;
        double latency;
    } rows[] = {{DAY, 1, 1, 1, 0, 0, 10, 0},
                {DAY + HOUR, 3, 2, 2, 1, 1, 0.1 + 0.2, 20},
                {DAY + 5 * HOUR, 1, 0, 0, 0, 0, -3, 0}};
    REQUIRE(folded.hour_count == 3);
    const struct hour_row *got = folded.hours;
    EACH_ROW (row, rows) {
        struct exact_sum fps = {.arena = &arena};
        struct exact_sum latency = {.arena = &arena};
        CHECK_EQ_INT(got->hour, row->hour);
        CHECK_EQ_INT(got->day, DAY);
        CHECK_EQ_INT(got->status_samples, row->samples);
        CHECK_EQ_INT(got->fps_positive_samples, row->positive);
        CHECK_EQ_INT(got->running_samples, row->running);
        CHECK_EQ_INT(got->error_samples, row->errors);
        CHECK_EQ_INT(got->latency_samples, row->latencies);
        CHECK(exact_decode(&fps, got->fps_sum));
        CHECK_EQ_DOUBLE(exact_round(&fps), row->fps);
        CHECK(exact_decode(&latency, got->latency_sum));
        CHECK_EQ_DOUBLE(exact_round(&latency), row->latency);
        got++;
    }
    arena_free(&arena);
}

TEST(each_hour_keeps_the_decision_of_its_own_pass)
{
    struct selection_row first = selection(DAY + 1, "x", "matched", "0x1");
    struct selection_row third =
        selection(DAY + 2 * (int64_t)MS_PER_DAY, "z", "matched", "0x3");
    struct session_pass passes[] = {{DAY, &first, 1},
                                    {DAY + MS_PER_DAY, NULL, 0},
                                    {DAY + 2 * (int64_t)MS_PER_DAY, &third, 1}};
    struct session_event events[] = {
        status(STATE_ONLINE, 1, DAY + MS_PER_DAY - 1),
        status(STATE_ONLINE, 1, DAY + MS_PER_DAY),
        status(STATE_ONLINE, 1, DAY + 2 * (int64_t)MS_PER_DAY)};
    struct folded folded = fold_passes(events, 3, passes, 3);
    static const char *const rows[] = {"0x1", "0x1", "0x3"};
    REQUIRE(folded.hour_count == 3);
    for (size_t i = 0; i < 3; i++) {
        CHECK_EQ_TEXT(string(folded.hours[i].orchestrator_address), rows[i]);
        CHECK_EQ_INT(folded.hours[i].day, DAY + (int64_t)i * MS_PER_DAY);
    }
    CHECK_EQ_TEXT(string(folded.row.orchestrator_address), "0x3");
    /* The whole pass owns them all. */
    struct session_pass whole = {INT64_MIN, &third, 1};
    folded = fold_passes(events, 3, &whole, 1);
    for (size_t i = 0; i < 3; i++) {
        CHECK_EQ_TEXT(string(folded.hours[i].orchestrator_address), "0x3");
        CHECK_EQ_INT(folded.hours[i].day, 0);
    }
    arena_free(&arena);
}

/* Samples of an hour as a pattern: O online with output, o online without, l
 * loading, f loading with output. */
static size_t add_samples(struct session_event *events, const char *pattern,
                          int64_t hour)
{
    size_t count = 0;
    for (; *pattern; pattern++, count++)
        events[count] = status(
            *pattern == 'O' || *pattern == 'o' ? STATE_ONLINE : STATE_LOADING,
            *pattern == 'O' || *pattern == 'f' ? 5 : 0,
            hour + (int64_t)count + 1);
    return count;
}

TEST(the_tail_of_a_session_is_an_artefact)
{
    static const struct {
        int64_t started;     /* after DAY; -1 for not at all */
        int64_t before_hour; /* of the earlier row */
        const char *before;
        int64_t tail_hour;
        const char *tail;
        int64_t last_seen; /* a trace afterwards; 0 for none */
        bool settled;
        bool whole;
    } rows[] = {
        /* nothing before */
        {0, 0, "", 1, "l", 0, true, true},
        {0, 0, "", 1, "ll", 0, true, true},
        {0, 0, "", 1, "lll", 0, false, false},
        {0, 0, "", 1, "o", 0, false, false},
        {0, 0, "", 1, "f", 0, false, false},
        {-1, 0, "", 1, "l", 0, false, false},
        {1 * 3600000, 0, "", 1, "l", 0, false, false},
        {1 * 3600000 - 1, 0, "", 1, "l", 0, true, true},
        /* seen after the hour */
        {0, 0, "", 1, "l", 2 * 3600000 - 1, true, true},
        {0, 0, "", 1, "l", 2 * 3600000, false, false},
        /* the row before, however long ago within the reach */
        {0, 1, "l", 2, "l", 0, true, true},
        {0, 1, "lll", 2, "l", 0, false, false},
        {0, 1, "O", 2, "l", 0, false, false},
        {0, 1, "o", 9, "l", 0, false, false},
        /* on the day before: only its last hour counts */
        {-3 * 3600000, -1, "O", 0, "l", 0, false, false},
        {-3 * 3600000, -2, "O", 0, "l", 0, true, false},
        {-3 * 3600000, -2, "O", 7, "l", 0, true, false},
        {-3 * 3600000, -2, "l", 0, "l", 0, true, true},
    };
    EACH_ROW (row, rows) {
        struct session_event events[16];
        size_t count = 0;
        if (row->started != -1)
            events[count++] = trace(TRACE_RECEIVE_REQUEST, DAY + row->started);
        count += add_samples(events + count, row->before,
                             DAY + row->before_hour * HOUR);
        count +=
            add_samples(events + count, row->tail, DAY + row->tail_hour * HOUR);
        if (row->last_seen)
            events[count++] = trace(TRACE_INGEST_CLOSED, DAY + row->last_seen);
        struct session_pass passes[] = {{DAY - MS_PER_DAY, NULL, 0},
                                        {DAY, NULL, 0}};
        bool two_days = events[0].ts < DAY;
        struct folded folded = fold_passes(
            events, count, two_days ? passes : passes + 1, two_days ? 2 : 1);
        CHECK_EQ_INT(folded.hours[folded.hour_count - 1].tail_artefact,
                     row->settled);
        struct session_pass whole = {INT64_MIN, NULL, 0};
        folded = fold_passes(events, count, &whole, 1);
        CHECK_EQ_INT(folded.hours[folded.hour_count - 1].tail_artefact,
                     row->whole);
    }
    arena_free(&arena);
}
