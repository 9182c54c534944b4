/*
 * family.c: which events the publisher accepts, and why it ignores the rest
 * (§1.2). The first matching reason counts; the order is the publisher's.
 */
#include "livepeer/livepeer.h"

#include <string.h>

static const char *const family_names[] = {
    [FAMILY_STREAM_TRACE] = "stream_trace",
    [FAMILY_STREAM_STATUS] = "ai_stream_status",
    [FAMILY_STREAM_EVENT] = "ai_stream_events",
    [FAMILY_INGEST_METRICS] = "stream_ingest_metrics",
    [FAMILY_CAPABILITIES] = "network_capabilities",
    [FAMILY_DISCOVERY] = "discovery_results",
    [FAMILY_PAYMENT] = "create_new_payment",
    [FAMILY_BATCH_REQUEST] = "ai_batch_request",
    [FAMILY_LLM_REQUEST] = "ai_llm_request",
    [FAMILY_JOB_GATEWAY] = "job_gateway",
    [FAMILY_JOB_PAYMENT] = "job_payment",
    [FAMILY_JOB_ORCHESTRATOR] = "job_orchestrator",
    [FAMILY_JOB_AUTH] = "job_auth",
    [FAMILY_WORKER] = "worker_lifecycle",
};

static const char *const trace_names[] = {
    [TRACE_RECEIVE_REQUEST] = "gateway_receive_stream_request",
    [TRACE_INGEST_CLOSED] = "gateway_ingest_stream_closed",
    [TRACE_SEND_FIRST_INGEST] = "gateway_send_first_ingest_segment",
    [TRACE_RECEIVE_FIRST_PROCESSED] = "gateway_receive_first_processed_segment",
    [TRACE_RECEIVE_FEW_PROCESSED] = "gateway_receive_few_processed_segments",
    [TRACE_RECEIVE_FIRST_DATA] = "gateway_receive_first_data_segment",
    [TRACE_NO_ORCHESTRATORS] = "gateway_no_orchestrators_available",
    [TRACE_SWAP] = "orchestrator_swap",
    [TRACE_RUNNER_RECEIVE_FIRST_INGEST] = "runner_receive_first_ingest_segment",
    [TRACE_RUNNER_SEND_FIRST_PROCESSED] = "runner_send_first_processed_segment",
};

static const char *const scope_client_types[] = {
    "stream_heartbeat",    "pipeline_load_start",    "pipeline_loaded",
    "session_created",     "stream_started",         "playback_ready",
    "session_closed",      "stream_stopped",         "pipeline_unloaded",
    "websocket_connected", "websocket_disconnected", "error",
};

/* Families seen on the live topics that the publisher ignores (§5.3). */
static const char *const known_ignored[] = {
    "create_signed_ticket", "webrtc_stats", "pipelines_api_request",
    "stream_trace"};

#define COUNT_OF(array) (sizeof(array) / sizeof *(array))

static size_t index_of(const char *const *names, size_t count,
                       struct text wanted)
{
    char first = wanted.length ? wanted.data[0] : '\0';
    for (size_t i = 0; i < count; i++)
        if (names[i][0] == first && text_is(wanted, names[i]))
            return i;
    return count;
}

const char *family_name(enum family family)
{
    return family < FAMILY_UNKNOWN ? family_names[family] : "";
}

enum family family_of(struct text type)
{
    return (enum family)index_of(family_names, COUNT_OF(family_names), type);
}

const char *trace_name(enum trace trace)
{
    return trace < TRACE_UNKNOWN ? trace_names[trace] : "";
}

enum trace trace_of(struct text type)
{
    return (enum trace)index_of(trace_names, COUNT_OF(trace_names), type);
}

bool trace_is_canonical(enum trace trace)
{
    return trace < TRACE_RUNNER_RECEIVE_FIRST_INGEST;
}

const char *ignored_family_label(struct text type)
{
    size_t at = index_of(known_ignored, COUNT_OF(known_ignored), type);
    return at < COUNT_OF(known_ignored) ? known_ignored[at] : "other";
}

static const char *ignored_trace_reason(struct arena *arena,
                                        struct yyjson_val *data)
{
    struct text type = json_to_text(arena, json_get(data, "type"));
    struct text lower = text_lower(arena, type);
    if (lower.length >= 4 && !memcmp(lower.data, "app_", 4))
        return "ignored_stream_trace_non_core_app";
    struct text source =
        text_lower(arena, json_to_text(arena, json_get(data, "client_source")));
    if (text_is(source, "scope") &&
        index_of(scope_client_types, COUNT_OF(scope_client_types), type) <
            COUNT_OF(scope_client_types))
        return "ignored_stream_trace_scope_client_noise";
    return "unsupported_stream_trace_type";
}

const char *ignore_reason(struct arena *arena, struct text type,
                          struct yyjson_val *data)
{
    enum family family = family_of(type);
    if (family == FAMILY_UNKNOWN)
        return "unsupported_event_family";
    if (family != FAMILY_STREAM_TRACE)
        return NULL;
    struct text subtype = json_to_text(arena, json_get(data, "type"));
    if (trace_of(subtype) != TRACE_UNKNOWN)
        return NULL;
    return ignored_trace_reason(arena, data);
}
