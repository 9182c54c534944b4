/*
 * published_counts.c: what the publisher counts and sums: the raw material of
 * its rates. Compared exactly or not at all (statistics E); no probe can see
 * how many sessions others had (comparability C).
 */
#include "metrics/metrics_int.h"

/* What a count and a sum have in common. */
#define EXACT(field, of_sets, phrase, of_unit, better)                         \
    .name = field, .sets = (of_sets), .title = phrase, .unit = of_unit,        \
    .direction = better, .statistics = 'E', .comparability = 'C'

#define ALL (METRIC_SLA | METRIC_DEMAND | METRIC_GPU)
#define RESOLVER "publisher's resolver (api/internal/resolver/repo.go"
#define SLA_INPUT RESOLVER ", insertSLAComplianceRollups)"
#define SESSION_FLAGS "publisher's resolver (api/internal/resolver/session.go)"

const struct metric published_counts[] = {
    {EXACT("sessions_count", METRIC_DEMAND, "session groups", "count",
           NEITHER_IS_BETTER),
     .definition =
         "Groups of one session, hour, org, gateway, pipeline and model: the "
         "session once in the hour of its start, and once more for each hour "
         "and gateway that only its status events name. Larger than the number "
         "of sessions.",
     .source = RESOLVER ", insertNetworkDemandRollups)"},
    {EXACT("known_sessions_count", ALL, "sessions known", "count",
           NEITHER_IS_BETTER),
     .definition = "The same number as requested_sessions.",
     .source = SLA_INPUT},
    {EXACT("requested_sessions", METRIC_SLA | METRIC_DEMAND,
           "sessions requested", "count", NEITHER_IS_BETTER),
     .counterpart = "requested_sessions",
     .definition =
         "Sessions of which a stream request is known "
         "(gateway_receive_stream_request). In scores and GPU hours a session "
         "counts in every hour in which it has status events, with the flags "
         "of its whole life, and a session without any status event never "
         "counts; in demand it counts once, in the hour of its start.",
     .formula = "number of rows with requested_seen = 1", .source = SLA_INPUT},
    {EXACT("startup_success_sessions", ALL, "sessions that became playable",
           "count", HIGHER_IS_BETTER),
     .definition = "Requested sessions with the third processed segment at the "
                   "gateway (gateway_receive_few_processed_segments).",
     .source = SESSION_FLAGS},
    {EXACT("no_orch_sessions", ALL, "sessions without an orchestrator", "count",
           LOWER_IS_BETTER),
     .definition = "Requested sessions without a selection for which the "
                   "gateway found no orchestrator "
                   "(gateway_no_orchestrators_available).",
     .source = SESSION_FLAGS},
    {EXACT("startup_excused_sessions", ALL, "failed starts that are excused",
           "count", NEITHER_IS_BETTER),
     .definition = "Requested sessions that never became playable and had no "
                   "orchestrator, or errors that are all on the list of "
                   "excusable ones.",
     .source = SESSION_FLAGS},
    {EXACT("startup_failed_sessions", ALL, "failed starts that are not excused",
           "count", LOWER_IS_BETTER),
     .definition = "Requested sessions that never became playable, the excused "
                   "ones left out.",
     .source = SESSION_FLAGS},
    {EXACT("loading_only_sessions", METRIC_SLA | METRIC_DEMAND,
           "sessions that only loaded", "count", LOWER_IS_BETTER),
     .definition = "Requested sessions with status samples of which none is "
                   "ONLINE or DEGRADED. The documents speak of LOADING samples "
                   "alone; the code counts OFFLINE and ERROR, too.",
     .source = SESSION_FLAGS},
    {EXACT("zero_output_fps_sessions", METRIC_SLA | METRIC_DEMAND,
           "sessions without output", "count", LOWER_IS_BETTER),
     .definition = "Requested sessions with status samples of which none has "
                   "an output rate above 0.",
     .source = SESSION_FLAGS},
    {EXACT("output_failed_sessions", METRIC_SLA,
           "sessions without viable output", "count", LOWER_IS_BETTER),
     .definition = "Requested sessions that only loaded or had no output.",
     .source = SLA_INPUT},
    {EXACT("effective_failed_sessions", METRIC_SLA | METRIC_DEMAND,
           "sessions that failed in effect", "count", LOWER_IS_BETTER),
     .definition = "Requested sessions whose start failed without excuse, or "
                   "that only loaded, or that had no output.",
     .source = SLA_INPUT},
    {EXACT("confirmed_swapped_sessions", ALL, "swaps that are confirmed",
           "count", LOWER_IS_BETTER),
     .definition = "Promised by the documents, 0 in every published row.",
     .source = SLA_INPUT},
    {EXACT("inferred_swap_sessions", ALL, "swaps that are inferred", "count",
           LOWER_IS_BETTER),
     .definition = "Promised by the documents, 0 in every published row.",
     .source = SLA_INPUT},
    {EXACT("total_swapped_sessions", ALL, "sessions that were swapped", "count",
           LOWER_IS_BETTER),
     .definition = "Requested sessions with at least one orchestrator_swap "
                   "event. The swap is charged to the orchestrator that took "
                   "over, because a session belongs to its last one.",
     .source = SLA_INPUT},
    {EXACT("sessions_ending_in_error", ALL, "sessions with an error", "count",
           LOWER_IS_BETTER),
     .definition = "Requested sessions of which any status sample names an "
                   "error, whether or not they ended in it.",
     .source = SLA_INPUT},
    {EXACT("error_status_samples", ALL, "status samples with an error", "count",
           LOWER_IS_BETTER),
     .definition = "Status samples of the hour whose last_error is neither "
                   "blank nor null. The runner repeats its last error.",
     .source = SLA_INPUT},
    {EXACT("health_signal_count", ALL, "health signals seen", "count",
           HIGHER_IS_BETTER),
     .definition = "For each session up to three: any status sample; playable; "
                   "any sample, and not both only loading and without output. "
                   "Sessions without a request count here, but not among the "
                   "expected ones.",
     .source = SESSION_FLAGS},
    {EXACT("health_expected_signal_count", ALL, "health signals expected",
           "count", NEITHER_IS_BETTER),
     .definition = "Three for each requested session.",
     .source = SESSION_FLAGS},
    {EXACT("output_fps_sum", ALL, "sum of output rates", "1/s",
           NEITHER_IS_BETTER),
     .definition = "Sum of inference_status.fps over the hour's status "
                   "samples, zeros included; exact, then rounded once.",
     .source = SLA_INPUT},
    {EXACT("status_samples", ALL, "status samples", "count", NEITHER_IS_BETTER),
     .definition = "Status events of the hour (ai_stream_status), about one "
                   "every ten seconds of a stream.",
     .source = SLA_INPUT},
    {EXACT("prompt_to_first_frame_sum_ms", METRIC_SLA | METRIC_GPU,
           "sum of prompt-to-first-frame latencies", "ms", NEITHER_IS_BETTER),
     .definition = "Sum over session-hours of the session's latency, where it "
                   "is above 0; see avg_prompt_to_first_frame_ms.",
     .source = SLA_INPUT},
    {EXACT("prompt_to_first_frame_sample_count", METRIC_SLA | METRIC_GPU,
           "prompt-to-first-frame latencies", "count", NEITHER_IS_BETTER),
     .definition = "Session-hours in that sum.", .source = SLA_INPUT},
    {EXACT("startup_latency_sum_ms", METRIC_GPU, "sum of startup latencies",
           "ms", NEITHER_IS_BETTER),
     .definition = "Sum over session-hours of the session's startup latency, "
                   "where it is above 0; see avg_startup_latency_ms.",
     .source = RESOLVER ", insertGPUMetricsRollups)"},
    {EXACT("startup_latency_sample_count", METRIC_GPU, "startup latencies",
           "count", NEITHER_IS_BETTER),
     .definition = "Session-hours in that sum.",
     .source = RESOLVER ", insertGPUMetricsRollups)"},
    {EXACT("e2e_latency_sum_ms", METRIC_SLA | METRIC_GPU,
           "sum of end-to-end latencies", "ms", NEITHER_IS_BETTER),
     .definition = "Per session-hour: the sum of latency_ms of its status "
                   "samples where any is above 0, else the session's latency "
                   "once; see avg_e2e_latency_ms.",
     .source = SLA_INPUT},
    {EXACT("e2e_latency_sample_count", METRIC_SLA | METRIC_GPU,
           "end-to-end latencies", "count", NEITHER_IS_BETTER),
     .definition = "Values in that sum: status samples, or one a session-hour.",
     .source = SLA_INPUT},
    {EXACT("total_minutes", METRIC_DEMAND, "minutes streamed", "min",
           NEITHER_IS_BETTER),
     .definition = "From the start of each session to its last event, all of "
                   "it in the hour of the start.",
     .formula = "sum of (last_seen - started_at) / 60 s",
     .source = RESOLVER ", insertNetworkDemandRollups)"},
    {.name = "ticket_face_value_eth",
     .sets = METRIC_DEMAND,
     .title = "fees",
     .unit = "ETH",
     .statistics = '-',
     .comparability = '-',
     .definition =
         "Always 0: the publisher computes no fees. What each payment "
         "is worth on average is expected_value_wei of `assay export "
         "payments --lens assay`.",
     .source = RESOLVER ", insertNetworkDemandRollups)"},
    {.name = "gpu_memory_bytes_total",
     .sets = METRIC_GPU,
     .title = "memory of the GPU",
     .unit = "bytes",
     .statistics = '-',
     .comparability = '-',
     .definition = "Null as published: the publisher's join of capability "
                   "versions never finds a row. By lens assay what the "
                   "snapshots say of the card, or of all cards of a set.",
     .null_when = "as published always; by lens assay, where no snapshot says "
                  "it",
     .source = RESOLVER ", insertGPUMetricsRollups)"},
    {.name = NULL},
};
