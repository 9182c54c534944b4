/*
 * compared.c: for each published figure that own runs can speak about, the
 * figure of ours that is held against it, by the published name. One sample is
 * a run, never a frame.
 */
#include "metrics/metrics_int.h"

#define PLAN "this program; margins as the plan of the audit declares them"

const struct metric compared_metrics[] = {
    {.name = "startup_success_rate",
     .sets = METRIC_COMPARED,
     .title = "starts that succeeded",
     .unit = "ratio",
     .direction = HIGHER_IS_BETTER,
     .statistics = 'P',
     .comparability = 'B',
     .counterpart = "startup_success_sessions / requested_sessions",
     .definition =
         "Share of runs that started: outcome ok, or failed with output. Runs "
         "with the outcomes busy, excused and vantage_suspect are left out. "
         "Where the orchestrator refused any of the runs for lack of capacity, "
         "the class is C: the publisher counts such refusals in a way of its "
         "own.",
     .formula = "(ok + failed with frames_out > 0) / (ok + failed)",
     .null_when = "no run was ok or failed",
     .source = PLAN},
    {.name = "effective_success_rate",
     .sets = METRIC_COMPARED,
     .title = "runs with viable output",
     .unit = "ratio",
     .direction = HIGHER_IS_BETTER,
     .statistics = 'P',
     .comparability = 'B',
     .counterpart = "effective_success_rate",
     .definition = "Share of runs with outcome ok among those that were ok or "
                   "failed.",
     .formula = "ok / (ok + failed)",
     .null_when = "no run was ok or failed",
     .source = PLAN},
    {.name = "no_swap_rate",
     .sets = METRIC_COMPARED,
     .title = "runs without a swap",
     .unit = "ratio",
     .direction = HIGHER_IS_BETTER,
     .statistics = 'P',
     .comparability = 'C',
     .counterpart = "no_swap_rate",
     .definition = "A run directly at an orchestrator cannot be swapped: not "
                   "comparable. Through a gateway of the same version it is of "
                   "class A, at equal exposure.",
     .formula = "exp(-lambda T), lambda = swaps / minutes of runs, T the mean "
                "length of published sessions",
     .null_when = "all runs were direct",
     .source = PLAN},
    {.name = "avg_output_fps",
     .sets = METRIC_COMPARED,
     .title = "output frames per second",
     .unit = "1/s",
     .direction = HIGHER_IS_BETTER,
     .statistics = 'M',
     .comparability = 'B',
     .counterpart = "avg_output_fps",
     .definition = "output_fps of runs, as delivered, against the mean of what "
                   "runners report of themselves.",
     .formula = "mean over runs of an hour, paired with the published hour",
     .null_when = "no run has output_fps",
     .source = PLAN},
    {.name = "avg_e2e_latency_ms",
     .sets = METRIC_COMPARED,
     .title = "first segment to first segment",
     .unit = "ms",
     .direction = LOWER_IS_BETTER,
     .statistics = 'M',
     .comparability = 'B',
     .counterpart = "avg_e2e_latency_ms",
     .definition = "first_segment_ms of runs, not their latency of frames: the "
                   "published figure is made of first segments.",
     .formula = "mean over runs of an hour, paired with the published hour",
     .null_when = "no run has first_segment_ms",
     .source = PLAN},
    {.name = "avg_prompt_to_first_frame_ms",
     .sets = METRIC_COMPARED,
     .title = "prompt to first frame",
     .unit = "ms",
     .direction = LOWER_IS_BETTER,
     .statistics = 'M',
     .comparability = 'B',
     .counterpart = "avg_prompt_to_first_frame_ms",
     .definition = "ptff_ms of runs, against rows recomputed from events "
                   "alone, because no published row has the figure.",
     .formula = "mean over runs of an hour, paired with the recomputed hour",
     .null_when = "no run has ptff_ms",
     .source = PLAN},
    {.name = "sla_score",
     .sets = METRIC_COMPARED,
     .title = "SLA score",
     .unit = "points of 100",
     .direction = HIGHER_IS_BETTER,
     .statistics = 'S',
     .comparability = 'B',
     .counterpart = "sla_score",
     .definition = "The bounds of the components that runs can bound, pushed "
                   "through the published formula, which rises in each; the "
                   "others take their best and worst values.",
     .formula = "100 cov (0.7 (0.4 ss + 0.2 ns + 0.4 ov) + 0.3 (0.6 (0.6 ptff "
                "+ 0.4 e2e) + 0.4 fps))",
     .null_when = "no component can be bounded",
     .source = PLAN},
    {.name = "requested_sessions",
     .sets = METRIC_COMPARED,
     .title = "sessions requested",
     .unit = "count",
     .statistics = 'E',
     .comparability = 'C',
     .counterpart = "requested_sessions",
     .definition = "Not observable by runs: checked by arithmetic on published "
                   "rows and by recomputing from events only. The same holds "
                   "for demand and coverage.",
     .null_when = "always",
     .source = PLAN},
    {.name = "health_signal_coverage_ratio",
     .sets = METRIC_COMPARED,
     .title = "coverage of health signals",
     .unit = "ratio",
     .direction = HIGHER_IS_BETTER,
     .statistics = 'E',
     .comparability = 'C',
     .counterpart = "health_signal_coverage_ratio",
     .definition = "As requested_sessions.",
     .null_when = "always",
     .source = PLAN},
    {.name = NULL},
};
