/*
 * score.c: the seven-day cohort (§3.4) and the score (§3.5).
 *
 * A day that has rows of a (pipeline, model) but no value of a metric has a
 * percentile of NaN, and NaN times a count of zero stays NaN in the weighted
 * sum. Clamped, it gives a component of 0, not the neutral 0.5, for every row
 * of the following seven days that has a value (§11.2). That is reproduced
 * here and said in the row's quality_note.
 */
#include "rollup/rollup.h"

#include "base/clock.h"

#include <math.h>

enum { COHORT_DAYS = 7, COHORT_ROWS_MIN = 48 };
enum { LATENCY_SAMPLES_FULL = 10, FPS_SAMPLES_FULL = 30 };

/* One metric's edges over the cohort: NaN where nothing is known. */
struct edges {
    double first;
    double second;
    int64_t rows;
};

static double clamped(double value)
{
    /* Not fmin and fmax: a NaN must become 0, as in the original. */
    if (value > 1)
        return 1;
    return value > 0 ? value : 0;
}

static struct text not_null(struct text text)
{
    return text.data ? text : (struct text){"", 0};
}

static bool in_cohort(const struct sla_row *row,
                      const struct benchmark_row *benchmark)
{
    int64_t day = clock_day_start(row->window_start);
    return benchmark->day < day &&
           benchmark->day >= day - COHORT_DAYS * (int64_t)MS_PER_DAY &&
           text_equal(benchmark->pipeline_id, row->pipeline_id) &&
           text_equal(not_null(benchmark->model_id), not_null(row->model_id));
}

struct metric {
    size_t first;
    size_t second;
    size_t count;
};

#define METRIC(low, high, n)                                                   \
    {                                                                          \
        offsetof(struct benchmark_row, low),                                   \
            offsetof(struct benchmark_row, high),                              \
            offsetof(struct benchmark_row, n)                                  \
    }

static const struct metric ptff_metric = METRIC(ptff_p50, ptff_p90, ptff_count);
static const struct metric e2e_metric = METRIC(e2e_p50, e2e_p90, e2e_count);
static const struct metric fps_metric = METRIC(fps_p10, fps_p50, fps_count);

static double double_at(const struct benchmark_row *row, size_t offset)
{
    return *(const double *)((const char *)row + offset);
}

static double mean(const struct exact_sum *sum, int64_t count)
{
    return count > 0 ? exact_round(sum) / (double)count : (double)NAN;
}

/* Products are summed without error, so that the days' order is of no matter.
 */
static struct edges cohort(const struct sla_row *row,
                           const struct benchmark_row *benchmarks, size_t count,
                           const struct metric *metric)
{
    struct arena scratch = {0};
    struct exact_sum first = {.arena = &scratch};
    struct exact_sum second = {.arena = &scratch};
    struct edges edges = {0};
    for (size_t i = 0; i < count; i++) {
        const struct benchmark_row *day = &benchmarks[i];
        if (!in_cohort(row, day))
            continue;
        int64_t rows = *(const int64_t *)((const char *)day + metric->count);
        exact_add(&first, double_at(day, metric->first) * (double)rows);
        exact_add(&second, double_at(day, metric->second) * (double)rows);
        edges.rows += rows;
    }
    edges.first = mean(&first, edges.rows);
    edges.second = mean(&second, edges.rows);
    arena_free(&scratch);
    return edges;
}

static bool is_neutral(double value, const struct edges *edges)
{
    return isnan(value) || edges->rows < COHORT_ROWS_MIN;
}

static double lower_is_better(double value, const struct edges *edges)
{
    double p50 = edges->first;
    double p90 = edges->second;
    if (is_neutral(value, edges))
        return 0.5;
    if (p90 <= p50)
        return value <= p50 ? 1 : 0;
    if (value <= p50)
        return 1;
    if (value >= p90)
        return 0;
    return 1 - (value - p50) / (p90 - p50);
}

static double higher_is_better(double value, const struct edges *edges)
{
    double p10 = edges->first;
    double p50 = edges->second;
    if (is_neutral(value, edges))
        return 0.5;
    if (p50 <= p10)
        return value >= p50 ? 1 : 0;
    if (value >= p50)
        return 1;
    if (value <= p10)
        return 0;
    return (value - p10) / (p50 - p10);
}

/* Few samples pull a raw score towards the neutral 0.5. */
static double shrunk(double raw, int64_t samples, int full)
{
    double weight = (double)samples / full;
    if (weight > 1)
        weight = 1;
    return clamped(0.5 + weight * (raw - 0.5));
}

static void set_components(struct sla_row *row)
{
    row->ptff_score =
        shrunk(row->ptff_score_raw, row->prompt_to_first_frame_sample_count,
               LATENCY_SAMPLES_FULL);
    row->e2e_score = shrunk(row->e2e_score_raw, row->e2e_latency_sample_count,
                            LATENCY_SAMPLES_FULL);
    row->fps_score =
        shrunk(row->fps_score_raw, row->status_samples, FPS_SAMPLES_FULL);
    row->latency_score = clamped(0.6 * row->ptff_score + 0.4 * row->e2e_score);
    row->quality_score =
        clamped(0.6 * (0.6 * row->ptff_score + 0.4 * row->e2e_score) +
                0.4 * row->fps_score);
}

static void set_score(struct sla_row *row)
{
    if (!row->requested_sessions) {
        row->reliability_score = (double)NAN;
        row->sla_score = (double)NAN;
        row->null_reason = text_of("no_requested_sessions");
        return;
    }
    row->reliability_score =
        clamped(0.4 * row->startup_success_rate + 0.2 * row->no_swap_rate +
                0.4 * row->output_viability_rate);
    double score = 100 * row->health_signal_coverage_ratio *
                   (0.7 * row->reliability_score + 0.3 * row->quality_score);
    row->sla_score = score < 0 ? 0 : score > 100 ? 100 : score;
    row->null_reason = (struct text){NULL, 0};
}

/* A cohort of NaN edges although its rows suffice: a broken day (§11.2). */
static bool is_broken(const struct edges *edges)
{
    return edges->rows >= COHORT_ROWS_MIN && isnan(edges->first);
}

void sla_score(struct sla_row *row, const struct benchmark_row *benchmarks,
               size_t benchmark_count)
{
    struct edges ptff = cohort(row, benchmarks, benchmark_count, &ptff_metric);
    struct edges e2e = cohort(row, benchmarks, benchmark_count, &e2e_metric);
    struct edges fps = cohort(row, benchmarks, benchmark_count, &fps_metric);
    row->ptff_p50 = ptff.first;
    row->ptff_p90 = ptff.second;
    row->ptff_benchmark_row_count = ptff.rows;
    row->e2e_p50 = e2e.first;
    row->e2e_p90 = e2e.second;
    row->e2e_benchmark_row_count = e2e.rows;
    row->fps_p10 = fps.first;
    row->fps_p50 = fps.second;
    row->fps_benchmark_row_count = fps.rows;
    row->ptff_score_raw =
        lower_is_better(row->avg_prompt_to_first_frame_ms, &ptff);
    row->e2e_score_raw = lower_is_better(row->avg_e2e_latency_ms, &e2e);
    row->fps_score_raw = higher_is_better(row->avg_output_fps, &fps);
    set_components(row);
    set_score(row);
    bool broken = is_broken(&ptff) || is_broken(&e2e) || is_broken(&fps);
    row->quality_note = broken ? text_of("benchmark_day_without_values")
                               : (struct text){NULL, 0};
}
