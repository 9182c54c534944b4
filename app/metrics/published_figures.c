/*
 * published_figures.c: what the publisher computes from its counts: rates,
 * means, benchmarks, scores.
 */
#include "metrics/metrics_int.h"

#define ALL (METRIC_SLA | METRIC_DEMAND | METRIC_GPU)
#define RESOLVER "publisher's resolver (api/internal/resolver/repo.go"
#define SLA_INPUT RESOLVER ", insertSLAComplianceRollups)"
#define BENCHMARK RESOLVER ", insertSLABenchmarkDaily)"
#define SCORE                                                                  \
    RESOLVER ", insertFinalSLAComplianceRollups); its metrics and SLA "        \
             "reference §3.1"
#define GPU_HOURS RESOLVER ", insertGPUMetricsRollups)"
/* What benchmarks have in common, and what components of the score do. */
#define EDGE(field, phrase, of_unit)                                           \
    .name = field, .sets = METRIC_SLA, .title = phrase, .unit = of_unit,       \
    .statistics = 'E', .comparability = 'C', .source = BENCHMARK
#define COMPONENT(field, phrase)                                               \
    .name = field, .sets = METRIC_SLA, .title = phrase, .unit = "ratio",       \
    .direction = HIGHER_IS_BETTER, .statistics = 'S', .comparability = 'C',    \
    .source = SCORE

#define NOT_REQUESTED "requested_sessions is 0"

const struct metric published_figures[] = {
    {.name = "health_signal_coverage_ratio",
     .sets = ALL,
     .title = "coverage of health signals",
     .unit = "ratio",
     .direction = HIGHER_IS_BETTER,
     .statistics = 'E',
     .comparability = 'C',
     .counterpart = "health_signal_coverage_ratio",
     .definition = "Signals seen of those expected, at most 1; 1 where none "
                   "are expected. It multiplies the whole score.",
     .formula = "he > 0 ? min(hs / he, 1) : 1",
     .null_when = NOT_REQUESTED,
     .source = SLA_INPUT},
    {.name = "startup_success_rate",
     .sets = METRIC_SLA | METRIC_DEMAND,
     .title = "starts that succeeded",
     .unit = "ratio",
     .direction = HIGHER_IS_BETTER,
     .statistics = 'P',
     .comparability = 'B',
     .counterpart = "startup_success_rate",
     .definition = "Excused failures stay in the denominator, although the "
                   "documents say they are not held against anybody; where "
                   "refusals for lack of capacity occur, the comparison with "
                   "our figure, which leaves these out, is of class C.",
     .formula = "startup_success_sessions / requested_sessions",
     .null_when = NOT_REQUESTED,
     .source = SLA_INPUT},
    {.name = "excused_failure_rate",
     .sets = METRIC_SLA | METRIC_DEMAND,
     .title = "starts that failed with an excuse",
     .unit = "ratio",
     .statistics = 'P',
     .comparability = 'C',
     .definition = "Of requested sessions.",
     .formula = "startup_excused_sessions / requested_sessions",
     .null_when = NOT_REQUESTED,
     .source = SLA_INPUT},
    {.name = "effective_success_rate",
     .sets = METRIC_SLA | METRIC_DEMAND,
     .title = "sessions that succeeded in effect",
     .unit = "ratio",
     .direction = HIGHER_IS_BETTER,
     .statistics = 'P',
     .comparability = 'B',
     .counterpart = "effective_success_rate",
     .definition = "Of requested sessions. Excused failures count as success "
                   "here.",
     .formula = "1 - effective_failed_sessions / requested_sessions",
     .null_when = NOT_REQUESTED,
     .source = SLA_INPUT},
    {.name = "no_swap_rate",
     .sets = METRIC_SLA,
     .title = "sessions without a swap",
     .unit = "ratio",
     .direction = HIGHER_IS_BETTER,
     .statistics = 'P',
     .comparability = 'C',
     .counterpart = "no_swap_rate",
     .target = "swaps below 5 % (NaaP RFC, section 4)",
     .definition = "Of requested sessions. Swaps grow with the length of a "
                   "session, and a direct run cannot be swapped.",
     .formula = "1 - total_swapped_sessions / requested_sessions",
     .null_when = NOT_REQUESTED,
     .source = SLA_INPUT},
    {.name = "output_viability_rate",
     .sets = METRIC_SLA,
     .title = "sessions with viable output",
     .unit = "ratio",
     .direction = HIGHER_IS_BETTER,
     .statistics = 'P',
     .comparability = 'B',
     .target = "above 0.99 (publisher's metrics and SLA reference §2.4)",
     .definition = "Of requested sessions. Not in the published answer, though "
                   "it weighs 28 of 100 points there.",
     .formula = "1 - output_failed_sessions / requested_sessions",
     .null_when = NOT_REQUESTED,
     .source = SLA_INPUT},
    {.name = "avg_output_fps",
     .sets = ALL,
     .title = "mean output rate, as claimed",
     .unit = "1/s",
     .direction = HIGHER_IS_BETTER,
     .statistics = 'M',
     .comparability = 'B',
     .counterpart = "output_fps",
     .definition =
         "Mean of what runners report of themselves, inference_status.fps, "
         "over status samples. Zeros are included, although the documents "
         "exclude them, so loading lowers it. In GPU hours it is 0 where there "
         "are no samples.",
     .formula = "output_fps_sum / status_samples",
     .null_when = "there are no status samples (never in GPU hours)",
     .source = SLA_INPUT "; its metrics and SLA reference §2.1"},
    {.name = "p95_output_fps",
     .sets = METRIC_GPU,
     .title = "95th percentile of output rates",
     .unit = "1/s",
     .direction = HIGHER_IS_BETTER,
     .statistics = 'Q',
     .comparability = 'C',
     .definition = "Over the mean rates of session-hours, by the database's "
                   "t-digest.",
     .formula = "quantileTDigest(0.95)",
     .null_when = "there are no session-hours",
     .source = GPU_HOURS},
    {.name = "fps_jitter_coefficient",
     .sets = METRIC_GPU,
     .title = "jitter coefficient",
     .unit = "ratio",
     .direction = LOWER_IS_BETTER,
     .statistics = '-',
     .comparability = '-',
     .counterpart = "jitter_interval, jitter_fps",
     .target = "at most 0.1 (publisher's metrics and SLA reference §2.2)",
     .definition = "Defined twice and published never: of frame intervals in "
                   "the reference, of frames per second in the RFC and the "
                   "query sets. We measure both; lens assay has that of "
                   "reported frames per second.",
     .null_when = "as published always",
     .source = GPU_HOURS},
    {.name = "avg_prompt_to_first_frame_ms",
     .sets = METRIC_SLA | METRIC_GPU,
     .title = "mean prompt to first frame",
     .unit = "ms",
     .direction = LOWER_IS_BETTER,
     .statistics = 'M',
     .comparability = 'B',
     .counterpart = "ptff_ms",
     .definition =
         "Mean over session-hours of the session's latency: from the smallest "
         "start_time in its status events, on the runner's clock, to the third "
         "processed segment at the gateway, on the gateway's. The documents "
         "begin at the gateway's request. A session counts once in every hour "
         "that it has status events in.",
     .formula = "prompt_to_first_frame_sum_ms / "
                "prompt_to_first_frame_sample_count",
     .null_when = "no session-hour has a latency above 0",
     .source = SLA_INPUT "; its metrics and SLA reference §2.6"},
    {.name = "p95_prompt_to_first_frame_latency_ms",
     .sets = METRIC_GPU,
     .title = "95th percentile of prompt to first frame",
     .unit = "ms",
     .direction = LOWER_IS_BETTER,
     .statistics = 'Q',
     .comparability = 'C',
     .definition = "Over the same values, by the database's t-digest.",
     .formula = "quantileTDigest(0.95)",
     .null_when = "there are no values",
     .source = GPU_HOURS},
    {.name = "avg_startup_latency_ms",
     .sets = METRIC_GPU,
     .title = "mean startup latency",
     .unit = "ms",
     .direction = LOWER_IS_BETTER,
     .statistics = 'M',
     .comparability = 'C',
     .definition = "Mean over session-hours of the time from the gateway's "
                   "stream request to its first processed segment, selection "
                   "and every attempt before included.",
     .formula = "startup_latency_sum_ms / startup_latency_sample_count",
     .null_when = "no session-hour has a latency above 0",
     .source = GPU_HOURS},
    {.name = "p95_startup_latency_ms",
     .sets = METRIC_GPU,
     .title = "95th percentile of startup latency",
     .unit = "ms",
     .direction = LOWER_IS_BETTER,
     .statistics = 'Q',
     .comparability = 'C',
     .definition = "Over the same values, by the database's t-digest.",
     .formula = "quantileTDigest(0.95)",
     .null_when = "there are no values",
     .source = GPU_HOURS},
    {.name = "avg_e2e_latency_ms",
     .sets = METRIC_SLA | METRIC_GPU,
     .title = "mean end-to-end latency",
     .unit = "ms",
     .direction = LOWER_IS_BETTER,
     .statistics = 'M',
     .comparability = 'B',
     .counterpart = "first_segment_ms",
     .target = "at most 3000 (publisher's metrics and SLA reference §2.3)",
     .definition =
         "Mean of latency_ms of status samples where an hour of a session has "
         "any above 0, else of the session's latency: from the gateway's end "
         "of sending the first segment to the runner's first processed one, on "
         "two clocks. The documents speak of the time from prompt to final "
         "output.",
     .formula = "e2e_latency_sum_ms / e2e_latency_sample_count",
     .null_when = "there are no values",
     .source = SLA_INPUT "; its metrics and SLA reference §2.3"},
    {.name = "p95_e2e_latency_ms",
     .sets = METRIC_GPU,
     .title = "95th percentile of end-to-end latency",
     .unit = "ms",
     .direction = LOWER_IS_BETTER,
     .statistics = 'Q',
     .comparability = 'C',
     .definition = "Over values of session-hours, by the database's t-digest.",
     .formula = "quantileTDigest(0.95)",
     .null_when = "there are no values",
     .source = GPU_HOURS},
    {.name = "startup_failed_rate",
     .sets = METRIC_GPU,
     .title = "starts that failed",
     .unit = "ratio",
     .direction = LOWER_IS_BETTER,
     .statistics = 'P',
     .comparability = 'C',
     .definition = "Of known sessions, excused failures left out of the "
                   "numerator.",
     .formula = "startup_failed_sessions / known_sessions_count",
     .null_when = "known_sessions_count is 0",
     .source = GPU_HOURS},
    {.name = "swap_rate",
     .sets = METRIC_GPU,
     .title = "sessions with a swap",
     .unit = "ratio",
     .direction = LOWER_IS_BETTER,
     .statistics = 'P',
     .comparability = 'C',
     .target = "below 0.05 (NaaP RFC, section 4)",
     .definition = "Of known sessions.",
     .formula = "total_swapped_sessions / known_sessions_count",
     .null_when = "known_sessions_count is 0",
     .source = GPU_HOURS},

    /* ---- benchmarks ---- */
    {EDGE("ptff_p50", "benchmark of prompt to first frame, good edge", "ms"),
     .definition =
         "Of the same pipeline and model over all orgs and the seven UTC days "
         "before the row's day: the mean of daily medians of hourly means, "
         "weighted by their number. That is no percentile of the whole, "
         "although the documents say so. At or below this edge a row earns "
         "the full component.",
     .formula = "sum(p50_d n_d) / sum(n_d)",
     .null_when = "the seven days hold no row"},
    {EDGE("ptff_p90", "benchmark of prompt to first frame, bad edge", "ms"),
     .definition = "As ptff_p50, of daily 90th percentiles. At or above this "
                   "edge a row earns nothing.",
     .formula = "sum(p90_d n_d) / sum(n_d)",
     .null_when = "the seven days hold no row"},
    {EDGE("ptff_benchmark_row_count", "rows behind that benchmark", "count"),
     .definition = "Hourly rows with a value in the seven days. Below 48 the "
                   "component is 0.5, which only the code says.",
     .formula = "sum(n_d)"},
    {EDGE("e2e_p50", "benchmark of end-to-end latency, good edge", "ms"),
     .definition = "As ptff_p50, of avg_e2e_latency_ms.",
     .formula = "sum(p50_d n_d) / sum(n_d)",
     .null_when = "the seven days hold no row"},
    {EDGE("e2e_p90", "benchmark of end-to-end latency, bad edge", "ms"),
     .definition = "As ptff_p90, of avg_e2e_latency_ms.",
     .formula = "sum(p90_d n_d) / sum(n_d)",
     .null_when = "the seven days hold no row"},
    {EDGE("e2e_benchmark_row_count", "rows behind that benchmark", "count"),
     .definition = "As ptff_benchmark_row_count.", .formula = "sum(n_d)"},
    {EDGE("fps_p10", "benchmark of output rate, bad edge", "1/s"),
     .definition = "As ptff_p50, of daily 10th percentiles of avg_output_fps. "
                   "At or below this edge a row earns nothing.",
     .formula = "sum(p10_d n_d) / sum(n_d)",
     .null_when = "the seven days hold no row"},
    {EDGE("fps_p50", "benchmark of output rate, good edge", "1/s"),
     .definition = "As fps_p10, of daily medians. At or above this edge a row "
                   "earns the full component.",
     .formula = "sum(p50_d n_d) / sum(n_d)",
     .null_when = "the seven days hold no row"},
    {EDGE("fps_benchmark_row_count", "rows behind that benchmark", "count"),
     .definition = "As ptff_benchmark_row_count.", .formula = "sum(n_d)"},

    /* ---- scores ---- */
    {COMPONENT("ptff_score_raw", "prompt to first frame against its benchmark"),
     .definition = "1 at or below the good edge, 0 at or above the bad one, "
                   "linear between; 0.5 without a value or with fewer than 48 "
                   "rows. If one of the seven days has rows but no value, the "
                   "edges become not-a-number and the component 0.",
     .formula = "1 - (v - p50) / (p90 - p50), clamped"},
    {COMPONENT("e2e_score_raw", "end-to-end latency against its benchmark"),
     .definition = "As ptff_score_raw.",
     .formula = "1 - (v - p50) / (p90 - p50), clamped"},
    {COMPONENT("fps_score_raw", "output rate against its benchmark"),
     .definition = "1 at or above the good edge, 0 at or below the bad one, "
                   "linear between; 0.5 without a value or with fewer than 48 "
                   "rows.",
     .formula = "(v - p10) / (p50 - p10), clamped"},
    {.name = "reliability_score",
     .sets = METRIC_SLA,
     .title = "reliability",
     .unit = "ratio",
     .direction = HIGHER_IS_BETTER,
     .statistics = 'S',
     .comparability = 'B',
     .definition = "Starts, swaps and viable output, weighed.",
     .formula = "0.4 startup_success_rate + 0.2 no_swap_rate + 0.4 "
                "output_viability_rate",
     .null_when = NOT_REQUESTED,
     .source = SCORE},
    {COMPONENT("ptff_score", "prompt to first frame, shrunk"),
     .definition = "Few values pull the component towards 0.5: a tenth of the "
                   "way back for each value, until ten.",
     .formula = "0.5 + min(n / 10, 1) (ptff_score_raw - 0.5)"},
    {COMPONENT("e2e_score", "end-to-end latency, shrunk"),
     .definition = "As ptff_score.",
     .formula = "0.5 + min(n / 10, 1) (e2e_score_raw - 0.5)"},
    {COMPONENT("latency_score", "latency"),
     .definition = "Both latencies, weighed.",
     .formula = "0.6 ptff_score + 0.4 e2e_score"},
    {COMPONENT("fps_score", "output rate, shrunk"),
     .definition = "As ptff_score, by thirtieths: one for each status sample.",
     .formula = "0.5 + min(status_samples / 30, 1) (fps_score_raw - 0.5)"},
    {COMPONENT("quality_score", "quality"),
     .definition = "Latency and output rate, weighed: relative to the network "
                   "of the week before.",
     .formula = "0.6 latency_score + 0.4 fps_score"},
    {.name = "sla_score",
     .sets = METRIC_SLA,
     .title = "SLA score",
     .unit = "points of 100",
     .direction = HIGHER_IS_BETTER,
     .statistics = 'S',
     .comparability = 'B',
     .counterpart = "sla_score",
     .target = "at least 95 (publisher's metrics and SLA reference §3.1)",
     .definition =
         "Coverage times reliability and quality, weighed. A flawless hour "
         "without a benchmark scores exactly 85. The published answer lacks "
         "coverage, viability, latencies and benchmarks, so nobody can compute "
         "the score again from it; from the events under it, everybody can. "
         "The publisher's answer writes 0 where the score is null.",
     .formula = "100 health_signal_coverage_ratio (0.7 reliability_score + "
                "0.3 quality_score), clamped to 0 ... 100",
     .null_when = NOT_REQUESTED,
     .source = SCORE},
    {.name = NULL},
};
