#include "livepeer/livepeer.h"

#include "harness.h"

#include <string.h>

static struct arena arena;

static struct yyjson_val *parse(const char *text)
{
    return text ? json_parse(&arena, text, strlen(text)) : NULL;
}

TEST(families_and_traces_are_named_as_on_the_wire)
{
    static const char *const families[] = {"stream_trace",
                                           "ai_stream_status",
                                           "ai_stream_events",
                                           "stream_ingest_metrics",
                                           "network_capabilities",
                                           "discovery_results",
                                           "create_new_payment",
                                           "ai_batch_request",
                                           "ai_llm_request",
                                           "job_gateway",
                                           "job_payment",
                                           "job_orchestrator",
                                           "job_auth",
                                           "worker_lifecycle"};
    for (int i = 0; i < FAMILY_UNKNOWN; i++) {
        CHECK_EQ_TEXT(family_name((enum family)i), families[i]);
        CHECK_EQ_INT(family_of(text_of(families[i])), i);
    }
    CHECK_EQ_TEXT(family_name(FAMILY_UNKNOWN), "");
    CHECK_EQ_INT(family_of(text_of("")), FAMILY_UNKNOWN);
    CHECK_EQ_INT(family_of(text_of("Stream_trace")), FAMILY_UNKNOWN);
    CHECK_EQ_INT(family_of((struct text){"job_auth\0", 9}), FAMILY_UNKNOWN);
    for (int i = 0; i < TRACE_UNKNOWN; i++) {
        CHECK_EQ_INT(trace_of(text_of(trace_name((enum trace)i))), i);
        CHECK_EQ_INT(trace_is_canonical((enum trace)i),
                     strncmp(trace_name((enum trace)i), "runner_", 7) != 0);
    }
    CHECK_EQ_TEXT(trace_name(TRACE_UNKNOWN), "");
    CHECK(!trace_is_canonical(TRACE_UNKNOWN));
    CHECK_EQ_TEXT(trace_name(TRACE_SWAP), "orchestrator_swap");
}

TEST(the_first_reason_to_ignore_counts)
{
    static const char family[] = "unsupported_event_family";
    static const char app[] = "ignored_stream_trace_non_core_app";
    static const char scope[] = "ignored_stream_trace_scope_client_noise";
    static const char other[] = "unsupported_stream_trace_type";
    static const struct {
        const char *type;
        const char *data;
        const char *reason;
    } rows[] = {
        {"ai_stream_status", "{}", NULL},
        {"network_capabilities", "{}", NULL},
        {"job_auth", NULL, NULL},
        {"", "{}", family},
        {"webrtc_stats", "{\"type\":\"app_x\"}", family},
        {"STREAM_TRACE", "{\"type\":\"orchestrator_swap\"}", family},
        {"stream_trace", "{\"type\":\"orchestrator_swap\"}", NULL},
        {"stream_trace",
         "{\"type\":\"orchestrator_swap\",\"client_source\":\"scope\"}", NULL},
        {"stream_trace", "{\"type\":\"runner_send_first_processed_segment\"}",
         NULL},
        {"stream_trace", "{\"type\":\"Orchestrator_Swap\"}", other},
        {"stream_trace", "{\"type\":\"app_start\"}", app},
        {"stream_trace", "{\"type\":\"APP_start\",\"client_source\":\"scope\"}",
         app},
        {"stream_trace", "{\"type\":\"app\"}", other},
        {"stream_trace", "{\"type\":\" app_x\"}", other},
        {"stream_trace", "{\"type\":\"error\",\"client_source\":\"SCOPE\"}",
         scope},
        {"stream_trace",
         "{\"type\":\"stream_heartbeat\",\"client_source\":\"Scope\"}", scope},
        {"stream_trace",
         "{\"type\":\"websocket_disconnected\",\"client_source\":\"scope\"}",
         scope},
        {"stream_trace", "{\"type\":\"Error\",\"client_source\":\"scope\"}",
         other},
        {"stream_trace", "{\"type\":\"error\",\"client_source\":\"scope \"}",
         other},
        {"stream_trace", "{\"type\":\"error\"}", other},
        {"stream_trace", "{\"type\":\"stream_stopped\"}", other},
        {"stream_trace", "{\"type\":null}", other},
        {"stream_trace", "{\"type\":5}", other},
        {"stream_trace", "{}", other},
        {"stream_trace", "[]", other},
        {"stream_trace", "\"orchestrator_swap\"", other},
        {"stream_trace", NULL, other},
    };
    EACH_ROW (row, rows) {
        CHECK_EQ_TEXT(
            ignore_reason(&arena, text_of(row->type), parse(row->data)),
            row->reason);
    }
    arena_free(&arena);
}

TEST(every_scope_type_is_noise)
{
    static const char *const rows[] = {
        "stream_heartbeat",    "pipeline_load_start",    "pipeline_loaded",
        "session_created",     "stream_started",         "playback_ready",
        "session_closed",      "stream_stopped",         "pipeline_unloaded",
        "websocket_connected", "websocket_disconnected", "error"};
    EACH_ROW (type, rows) {
        char *data = arena_printf(
            &arena, "{\"type\":\"%s\",\"client_source\":\"scope\"}", *type);
        CHECK_EQ_TEXT(
            ignore_reason(&arena, text_of("stream_trace"), parse(data)),
            "ignored_stream_trace_scope_client_noise");
    }
    arena_free(&arena);
}

TEST(foreign_families_share_one_label)
{
    CHECK_EQ_TEXT(ignored_family_label(text_of("webrtc_stats")),
                  "webrtc_stats");
    CHECK_EQ_TEXT(ignored_family_label(text_of("stream_trace")),
                  "stream_trace");
    CHECK_EQ_TEXT(ignored_family_label(text_of("anything")), "other");
    CHECK_EQ_TEXT(ignored_family_label(text_of("")), "other");
}
