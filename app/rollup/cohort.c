/*
 * cohort.c: the seven-day cohort (§3.4).
 *
 * A day that has rows of a (pipeline, model) but no value of a metric has a
 * percentile of NaN, and NaN times a count of zero stays NaN in the weighted
 * sum. Clamped, it gives a component of 0, not the neutral 0.5, for every row
 * of the following seven days that has a value (§11.2). That is reproduced
 * here, and said in the row's quality_note.
 *
 * Three switches act here:
 *
 *   merged_benchmark (D12; ADR-004: "compare current rows to merged benchmark
 *   state from the prior 7 full UTC days"): an edge is the percentile of all
 *   rows of the seven days, by the same digest, and not the mean of the days'
 *   percentiles weighted by their rows. A day without values adds none.
 *
 *   nan_day_neutral (§11.2): the weighted mean leaves out days without a value,
 *   as a weight of zero is meant to.
 *
 *   no_row_gate (D13): no document states the publisher's least number of 48
 *   rows; one row is enough to be compared with.
 */
#include "rollup/cohort.h"

#include "base/clock.h"

#include <math.h>
#include <string.h>

enum { COHORT_DAYS = 7, COHORT_ROWS_MIN = 48 };

struct metric {
    size_t first;
    size_t second;
    size_t count;
    size_t values;
    double levels[2];
};

#define METRIC(name, low, high, low_level, high_level)                         \
    {                                                                          \
        offsetof(struct benchmark_row, name##_##low),                          \
            offsetof(struct benchmark_row, name##_##high),                     \
            offsetof(struct benchmark_row, name##_count),                      \
            offsetof(struct benchmark_row, name##_values),                     \
        {                                                                      \
            low_level, high_level                                              \
        }                                                                      \
    }

static const struct metric ptff_metric = METRIC(ptff, p50, p90, 0.5, 0.9);
static const struct metric e2e_metric = METRIC(e2e, p50, p90, 0.5, 0.9);
static const struct metric fps_metric = METRIC(fps, p10, p50, 0.1, 0.5);

static const void *at(const struct benchmark_row *row, size_t offset)
{
    return (const char *)row + offset;
}

static double double_at(const struct benchmark_row *row, size_t offset)
{
    return *(const double *)at(row, offset);
}

static int64_t rows_at(const struct benchmark_row *row, size_t offset)
{
    return *(const int64_t *)at(row, offset);
}

/* The benchmarks of one cohort. */
struct days {
    const struct benchmark_row **list;
    size_t count;
};

static struct text not_null(struct text text)
{
    return text.data ? text : (struct text){"", 0};
}

static bool is_surface(struct text pipeline, struct text model,
                       struct text other_pipeline, struct text other_model)
{
    return text_equal(pipeline, other_pipeline) &&
           text_equal(not_null(model), not_null(other_model));
}

static struct days days_before(struct arena *arena, int64_t day,
                               struct text pipeline, struct text model,
                               const struct benchmark_row *benchmarks,
                               size_t count)
{
    struct days days = {arena_array(arena, count, sizeof *days.list), 0};
    int64_t first = day - COHORT_DAYS * (int64_t)MS_PER_DAY;
    for (size_t i = 0; i < count; i++)
        if (benchmarks[i].day >= first && benchmarks[i].day < day &&
            is_surface(benchmarks[i].pipeline_id, benchmarks[i].model_id,
                       pipeline, model))
            days.list[days.count++] = &benchmarks[i];
    return days;
}

static double mean(const struct exact_sum *sum, int64_t count)
{
    return count > 0 ? exact_round(sum) / (double)count : (double)NAN;
}

/* Products are summed without error, so that the days' order is of no matter.
 */
static void set_weighted(struct arena *arena, const struct lens *lens,
                         const struct days *days, const struct metric *metric,
                         struct edges *edges)
{
    bool skip_empty = lens_has(lens, LENS_NAN_DAY_NEUTRAL);
    struct exact_sum first = {.arena = arena};
    struct exact_sum second = {.arena = arena};
    for (size_t i = 0; i < days->count; i++) {
        int64_t rows = rows_at(days->list[i], metric->count);
        if (skip_empty && !rows)
            continue;
        exact_add(&first,
                  double_at(days->list[i], metric->first) * (double)rows);
        exact_add(&second,
                  double_at(days->list[i], metric->second) * (double)rows);
    }
    edges->first = mean(&first, edges->rows);
    edges->second = mean(&second, edges->rows);
}

static void set_merged(struct arena *arena, const struct days *days,
                       const struct metric *metric, struct edges *edges)
{
    double *values = arena_array(arena, (size_t)edges->rows, sizeof *values);
    size_t count = 0;
    double out[2];
    for (size_t i = 0; i < days->count; i++) {
        const struct text *kept = at(days->list[i], metric->values);
        for (size_t k = 0; k < kept->length / sizeof(float); k++) {
            float value;
            memcpy(&value, kept->data + k * sizeof value, sizeof value);
            values[count++] = (double)value;
        }
    }
    tdigest_percentiles(arena, values, count, metric->levels, 2, out);
    edges->first = out[0];
    edges->second = out[1];
}

struct edges edges_from(const struct lens *lens, double first, double second,
                        int64_t rows)
{
    int64_t least = lens_has(lens, LENS_NO_ROW_GATE) ? 1 : COHORT_ROWS_MIN;
    return (struct edges){.first = first,
                          .second = second,
                          .rows = rows,
                          .active = rows >= least};
}

static struct edges edges_of(struct arena *arena, const struct lens *lens,
                             const struct days *days,
                             const struct metric *metric)
{
    struct edges edges = {0};
    for (size_t i = 0; i < days->count; i++)
        edges.rows += rows_at(days->list[i], metric->count);
    if (lens_has(lens, LENS_MERGED_BENCHMARK))
        set_merged(arena, days, metric, &edges);
    else
        set_weighted(arena, lens, days, metric, &edges);
    return edges_from(lens, edges.first, edges.second, edges.rows);
}

struct cohort cohort_of(struct arena *arena, const struct lens *lens,
                        int64_t day, struct text pipeline, struct text model,
                        const struct benchmark_row *benchmarks, size_t count)
{
    struct days days =
        days_before(arena, day, pipeline, model, benchmarks, count);
    return (struct cohort){
        .pipeline_id = pipeline,
        .model_id = model,
        .ptff = edges_of(arena, lens, &days, &ptff_metric),
        .e2e = edges_of(arena, lens, &days, &e2e_metric),
        .fps = edges_of(arena, lens, &days, &fps_metric),
    };
}

bool cohort_fits(const struct cohort *cohort, const struct sla_row *row)
{
    return is_surface(cohort->pipeline_id, cohort->model_id, row->pipeline_id,
                      row->model_id);
}
