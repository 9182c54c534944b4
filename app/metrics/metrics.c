/*
 * metrics.c: the chapters together, finding a metric in them, and what holds
 * for all of them.
 */
#include "metrics/metrics_int.h"

#include <string.h>

const struct metric_class statistics_classes[] = {
    {'P', "rate",
     "A share of runs. Held against the published share by a mixture "
     "confidence sequence for each side (prior Beta(5, 1/2), half of alpha "
     "each) and their difference: valid at any number of runs and after any "
     "number of looks, exact at 0 and at n."},
    {'Q', "quantile",
     "A claimed quantile becomes a rate: the share of values at or below the "
     "claim, held against its level as in P. Failures count as above."},
    {'M', "mean",
     "Hours are paired; the logarithms of their ratios are judged by the "
     "Hodges-Lehmann estimate and the interval of the Wilcoxon signed-rank "
     "test, at looks fixed beforehand. A sample is a run, not a frame."},
    {'S', "score",
     "Bounds of the components are pushed through the formula, which rises in "
     "each of them."},
    {'E', "exact",
     "Arithmetic on published rows, or recomputation from events; no "
     "sampling, so no interval and no false alarm."},
    {0, NULL, NULL}};

const struct metric_class comparability_classes[] = {
    {'A', "same definition, same path",
     "Our runs went through a gateway of the same version: a difference is a "
     "difference."},
    {'B', "same definition, another vantage or workload",
     "Judged after the vantage's common offset over all orchestrators is "
     "taken out."},
    {'C', "indicative only",
     "Shown side by side; the verdict is always not_comparable."},
    {0, NULL, NULL}};

const char *const metric_rules[] = {
    "Durations are differences on one monotonic clock of one machine. No "
    "figure of ours joins the clocks of two machines. Wall time says only into "
    "which UTC hour a run falls.",
    "A frame is an H.264 access unit, found by the packets and NAL units of "
    "the transport stream, without decoding. An input frame is sent when its "
    "last packet has been handed to the kernel; an output frame arrives when "
    "its last packet arrives. Damaged frames are none.",
    "Null is not zero: a figure that was not measured is null, and counts in "
    "no mean and no rate.",
    "Busy is not failed, and our fault is not theirs: runs with the outcomes "
    "busy, excused and vantage_suspect count in no rate of success.",
    "What a runner claims (reported_...) stands beside what was delivered and "
    "is never mixed with it.",
    "Runs with a cold and with a warm model are kept apart.",
    "Kept are whole microseconds and millionths; figures are computed from "
    "exact stamps and rounded once. Published sums are exact and rounded once, "
    "so that no order of arrival changes a byte.",
    "A quantile of n values is the order statistic of rank floor(q (n - 1)), "
    "counted from 0. A standard deviation is the population's.",
    "Measuring is active (RFC 7799): a test stream on idle capacity, inside a "
    "budget, at instants that were committed to beforehand and that nobody "
    "could predict. Published figures are passive, of sessions of others.",
    "No figure without the number of values behind it, an interval, and the "
    "evidence that it was computed from.",
    NULL};

const struct metric_chapter metric_chapters[] = {
    {"Own runs", "What is measured in one run, a reach or a live one.",
     own_metrics},
    {"Own figures for published ones",
     "Which of our figures is held against which published one.",
     compared_metrics},
    {"Published figures",
     "Rates, means, benchmarks and scores as the publisher's code computes "
     "them.",
     published_figures},
    {"Published counts and sums", "What those are made of.", published_counts},
    {"Published counts of jobs", "Batch requests and custom containers.",
     published_requests},
    {"Lens assay", "What that lens has where the publisher has nothing.",
     assay_lens_metrics},
    {"Percentiles", "Of any range of hours, by either lens.",
     percentile_metrics},
    {NULL, NULL, NULL}};

/* ---- names --------------------------------------------------------------- */

static const struct {
    enum metric_set set;
    const char *name;
} sets[] = {{METRIC_RUN, "run"},
            {METRIC_SLA, "sla"},
            {METRIC_DEMAND, "demand"},
            {METRIC_GPU, "gpu"},
            {METRIC_COMPARED, "compared"},
            {METRIC_REQUESTS, "requests"},
            {METRIC_PERCENTILES, "percentiles"},
            {METRIC_ASSAY, "assay"},
            {METRIC_PROMPTS, "prompts"}};

enum { SET_COUNT = sizeof sets / sizeof *sets };

unsigned metric_set_named(const char *name)
{
    for (size_t i = 0; i < SET_COUNT; i++)
        if (strcmp(sets[i].name, name) == 0)
            return sets[i].set;
    return 0;
}

const char *metric_set_name(enum metric_set set)
{
    for (size_t i = 0; i < SET_COUNT; i++)
        if (sets[i].set == set)
            return sets[i].name;
    return NULL;
}

const char *metric_direction_name(enum metric_direction direction)
{
    static const char *const names[] = {[NEITHER_IS_BETTER] = "neither",
                                        [HIGHER_IS_BETTER] = "higher",
                                        [LOWER_IS_BETTER] = "lower"};
    return names[direction];
}

const struct metric *metric_find(const char *name, unsigned in_sets)
{
    for (size_t i = 0; metric_chapters[i].title; i++) {
        const struct metric *one = metric_chapters[i].metrics;
        for (; one->name; one++)
            if (one->sets & in_sets && strcmp(one->name, name) == 0)
                return one;
    }
    return NULL;
}
