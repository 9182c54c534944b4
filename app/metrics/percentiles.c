/*
 * percentiles.c: distributions over any range of hours, merged.
 */
#include "metrics/metrics_int.h"

#define LEVEL(field, phrase, level)                                            \
    .name = field, .sets = METRIC_PERCENTILES, .title = phrase,                \
    .unit = "of the metric", .statistics = 'Q', .comparability = 'C',          \
    .formula = "the sample of rank floor(" level " (n - 1)), counted from 0",  \
    .source = "this program; buckets of OpenTelemetry exponential "            \
              "histograms of scale 5, error of DDSketch (VLDB 2019)"

const struct metric percentile_metrics[] = {
    {.name = "metric",
     .sets = METRIC_PERCENTILES,
     .title = "what the percentiles are of",
     .unit = "text",
     .definition =
         "One of four words. startup_latency_ms: of the sessions that count in "
         "an hour, from the stream's request to its first processed segment. "
         "ptff_ms and e2e_latency_ms: what avg_prompt_to_first_frame_ms and "
         "avg_e2e_latency_ms of the same rows are averages of. output_fps: of "
         "the status samples that avg_output_fps is made of, which by lens "
         "assay are those with output.",
     .source = "this program"},
    {.name = "samples",
     .sets = METRIC_PERCENTILES,
     .title = "samples in the range",
     .unit = "count",
     .statistics = 'E',
     .comparability = 'C',
     .definition = "How many samples the percentiles of this row are of, over "
                   "all hours of the range. Rows without any are left out.",
     .source = "this program"},
    {LEVEL("p50", "median", "0.5"),
     .definition = "The median of all samples in the range, from merged "
                   "distributions and not from averages of hours: exact below "
                   "eight samples, else within 1.083 percent."},
    {LEVEL("p1", "first percentile", "0.01"),
     .definition = "As p50, at 0.01: of frames per second, the bad end."},
    {LEVEL("p5", "fifth percentile", "0.05"), .definition = "As p50, at 0.05."},
    {LEVEL("p95", "95th percentile", "0.95"), .definition = "As p50, at 0.95."},
    {LEVEL("p99", "99th percentile", "0.99"),
     .definition = "As p50, at 0.99: of latencies, the bad end."},
    {0}};
