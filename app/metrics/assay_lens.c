/*
 * assay_lens.c: what lens assay has where the publisher has nothing.
 */
#include "metrics/metrics_int.h"

#define OF_LENS(field, phrase, of_unit, better)                                \
    .name = field, .sets = METRIC_ASSAY, .title = phrase, .unit = of_unit,     \
    .direction = better, .statistics = 'E', .comparability = 'C'

#define JITTER                                                                 \
    "this program; the promise is in the publisher's metrics and SLA "         \
    "reference §2.2"
#define PACKETS                                                                \
    "this program; as go-livepeer's gateway reports it "                       \
    "(stream_ingest_metrics), RFC 3550 §6.4.1"
#define COLD                                                                   \
    "this program; states as go-livepeer's runner reports them "               \
    "(ai_stream_status)"

const struct metric assay_lens_metrics[] = {
    {OF_LENS("fps_samples", "samples with output", "count", NEITHER_IS_BETTER),
     .definition = "The status samples that avg_output_fps is made of: those "
                   "with fps above 0 (switch fps_without_zeros).",
     .source = "this program"},
    {OF_LENS("fps_jitter_coefficient", "jitter coefficient", "ratio",
             LOWER_IS_BETTER),
     .counterpart = "jitter_fps",
     .target = "at most 0.1 (publisher's metrics and SLA reference §2.2)",
     .definition =
         "Of each session-hour the coefficient of variation of the frames per "
         "second that its status samples with output report, with the "
         "population's standard deviation; of a row the mean over its "
         "session-hours. What is under the root is exact and rounded once, so "
         "a constant rate has exactly 0.",
     .formula = "mean of sigma(fps) / mu(fps) over session-hours",
     .null_when = "no session-hour has two samples with output",
     .source = JITTER},
    {OF_LENS("fps_jitter_sum", "sum of jitter coefficients", "ratio",
             LOWER_IS_BETTER),
     .definition = "Sum of the coefficients of the row's session-hours, exact "
                   "and rounded once.",
     .source = JITTER},
    {OF_LENS("fps_jitter_hour_count", "session-hours with a jitter", "count",
             NEITHER_IS_BETTER),
     .definition = "Session-hours with at least two samples with output, all "
                   "between 1e-60 and 1e60 frames per second.",
     .source = JITTER},
    {OF_LENS("cold_sessions", "sessions that began cold", "count",
             NEITHER_IS_BETTER),
     .definition =
         "Requested sessions that reported the state LOADING before their "
         "first sample with output, counted in their first hour: a model was "
         "loaded for them. One whose loading fell between two samples counts "
         "as warm.",
     .source = COLD},
    {OF_LENS("cold_startup_latency_sum_ms", "sum of cold start-ups", "ms",
             LOWER_IS_BETTER),
     .definition = "Start-up latencies, from the stream's request to its first "
                   "processed segment, of cold sessions.",
     .source = COLD},
    {OF_LENS("cold_startup_latency_sample_count", "cold start-ups", "count",
             NEITHER_IS_BETTER),
     .definition = "Cold sessions with a start-up latency above 0.",
     .source = COLD},
    {OF_LENS("avg_cold_startup_latency_ms", "mean cold start-up", "ms",
             LOWER_IS_BETTER),
     .definition = "cold_startup_latency_sum_ms over its count.",
     .null_when = "no cold session has a start-up latency", .source = COLD},
    {OF_LENS("warm_startup_latency_sum_ms", "sum of warm start-ups", "ms",
             LOWER_IS_BETTER),
     .definition = "As cold_startup_latency_sum_ms, of the other sessions.",
     .source = COLD},
    {OF_LENS("warm_startup_latency_sample_count", "warm start-ups", "count",
             NEITHER_IS_BETTER),
     .definition = "Warm sessions with a start-up latency above 0.",
     .source = COLD},
    {OF_LENS("avg_warm_startup_latency_ms", "mean warm start-up", "ms",
             LOWER_IS_BETTER),
     .definition = "warm_startup_latency_sum_ms over its count.",
     .null_when = "no warm session has a start-up latency", .source = COLD},
    {OF_LENS("ingest_video_packet_jitter_sum_ms", "sum of video packet jitters",
             "ms", LOWER_IS_BETTER),
     .definition = "Packet jitters of incoming video that gateways reported on "
                   "the row's sessions in its hour, exact and rounded once. It "
                   "is the user's line to the gateway, not the orchestrator's "
                   "work.",
     .source = PACKETS},
    {OF_LENS("ingest_video_packet_jitter_sample_count",
             "reports of video packet jitter", "count", NEITHER_IS_BETTER),
     .definition = "Reports with a jitter of video: of each the first track of "
                   "that kind. Rows as of an earlier time have none.",
     .source = PACKETS},
    {OF_LENS("avg_ingest_video_packet_jitter_ms", "mean video packet jitter",
             "ms", LOWER_IS_BETTER),
     .definition = "ingest_video_packet_jitter_sum_ms over its count.",
     .null_when = "no gateway reported one", .source = PACKETS},
    {OF_LENS("ingest_audio_packet_jitter_sum_ms", "sum of audio packet jitters",
             "ms", LOWER_IS_BETTER),
     .definition = "As ingest_video_packet_jitter_sum_ms, of audio.",
     .source = PACKETS},
    {OF_LENS("ingest_audio_packet_jitter_sample_count",
             "reports of audio packet jitter", "count", NEITHER_IS_BETTER),
     .definition = "As ingest_video_packet_jitter_sample_count, of audio.",
     .source = PACKETS},
    {OF_LENS("avg_ingest_audio_packet_jitter_ms", "mean audio packet jitter",
             "ms", LOWER_IS_BETTER),
     .definition = "ingest_audio_packet_jitter_sum_ms over its count.",
     .null_when = "no gateway reported one", .source = PACKETS},
    {0}};
