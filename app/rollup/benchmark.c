/*
 * benchmark.c: what was usual on one day for one (pipeline, model) (§3.3).
 *
 * Rows of both organisations are first collapsed to (hour, orchestrator, gpu,
 * pipeline, model); then the collapsed averages, each weighing the same, give
 * the day's percentiles. For merged_benchmark (cohort.c) a row keeps them all.
 */
#include "rollup/sla.h"

#include <math.h>
#include <stdlib.h>

static struct text not_null(struct text text)
{
    return text.data ? text : (struct text){"", 0};
}

static int compare_surface(const struct sla_row *a, const struct sla_row *b)
{
    int order = text_compare(a->pipeline_id, b->pipeline_id);
    return order ? order
                 : text_compare(not_null(a->model_id), not_null(b->model_id));
}

/* By surface first, so that one surface's rows stand together. */
static int compare_collapsed(const void *left, const void *right)
{
    const struct sla_row *a = *(const struct sla_row *const *)left;
    const struct sla_row *b = *(const struct sla_row *const *)right;
    int order = compare_surface(a, b);
    if (!order && a->window_start != b->window_start)
        order = a->window_start < b->window_start ? -1 : 1;
    if (!order)
        order = text_compare(a->orchestrator_address, b->orchestrator_address);
    return order ? order
                 : text_compare(not_null(a->gpu_id), not_null(b->gpu_id));
}

/* The averages of one surface's collapsed rows. */
struct averages {
    double *ptff;
    double *e2e;
    double *fps;
    size_t ptff_count;
    size_t e2e_count;
    size_t fps_count;
};

static void add_average(double *values, size_t *count, double sum,
                        int64_t samples)
{
    if (samples > 0)
        values[(*count)++] = sum / (double)samples;
}

/* Adds rows I .. END - 1, which collapse into one. */
static void add_collapsed(struct arena *arena, const struct lens *lens,
                          struct averages *averages,
                          const struct sla_row *const *rows, size_t i,
                          size_t end)
{
    struct exact_sum ptff = {.arena = arena};
    struct exact_sum e2e = {.arena = arena};
    struct exact_sum fps = {.arena = arena};
    int64_t ptff_samples = 0;
    int64_t e2e_samples = 0;
    int64_t fps_samples = 0;
    for (; i < end; i++) {
        exact_add(&ptff, rows[i]->prompt_to_first_frame_sum_ms);
        exact_add(&e2e, rows[i]->e2e_latency_sum_ms);
        exact_add(&fps, rows[i]->output_fps_sum);
        ptff_samples += rows[i]->prompt_to_first_frame_sample_count;
        e2e_samples += rows[i]->e2e_latency_sample_count;
        fps_samples += sla_fps_samples(lens, rows[i]);
    }
    add_average(averages->ptff, &averages->ptff_count, exact_round(&ptff),
                ptff_samples);
    add_average(averages->e2e, &averages->e2e_count, exact_round(&e2e),
                e2e_samples);
    add_average(averages->fps, &averages->fps_count, exact_round(&fps),
                fps_samples);
}

static void two_percentiles(struct arena *arena, const double *values,
                            size_t count, double low_level, double high_level,
                            double *low, double *high)
{
    double levels[] = {low_level, high_level};
    double out[2];
    tdigest_percentiles(arena, values, count, levels, 2, out);
    *low = out[0];
    *high = out[1];
}

static int compare_floats(const void *left, const void *right)
{
    float a = *(const float *)left;
    float b = *(const float *)right;
    return (a > b) - (a < b);
}

/* VALUES in the precision in which the digest takes them, ascending. */
static struct text values_kept(struct arena *arena, const double *values,
                               size_t count)
{
    float *kept = arena_array(arena, count, sizeof *kept);
    for (size_t i = 0; i < count; i++)
        kept[i] = (float)values[i];
    qsort(kept, count, sizeof *kept, compare_floats);
    return (struct text){(const char *)kept, count * sizeof *kept};
}

static void keep_values(struct arena *arena, const struct averages *averages,
                        struct benchmark_row *row)
{
    row->ptff_values = values_kept(arena, averages->ptff, averages->ptff_count);
    row->e2e_values = values_kept(arena, averages->e2e, averages->e2e_count);
    row->fps_values = values_kept(arena, averages->fps, averages->fps_count);
}

static struct benchmark_row
surface_benchmark(struct arena *arena, const struct lens *lens, int64_t day,
                  const struct sla_row *const *rows, size_t first, size_t end)
{
    size_t most = end - first;
    struct averages averages = {.ptff = arena_array(arena, most, 8),
                                .e2e = arena_array(arena, most, 8),
                                .fps = arena_array(arena, most, 8)};
    for (size_t i = first; i < end;) {
        size_t next = i + 1;
        while (next < end && !compare_collapsed(&rows[i], &rows[next]))
            next++;
        add_collapsed(arena, lens, &averages, rows, i, next);
        i = next;
    }
    struct benchmark_row row = {.day = day,
                                .pipeline_id = rows[first]->pipeline_id,
                                .model_id = rows[first]->model_id,
                                .ptff_count = (int64_t)averages.ptff_count,
                                .e2e_count = (int64_t)averages.e2e_count,
                                .fps_count = (int64_t)averages.fps_count};
    two_percentiles(arena, averages.ptff, averages.ptff_count, 0.5, 0.9,
                    &row.ptff_p50, &row.ptff_p90);
    two_percentiles(arena, averages.e2e, averages.e2e_count, 0.5, 0.9,
                    &row.e2e_p50, &row.e2e_p90);
    two_percentiles(arena, averages.fps, averages.fps_count, 0.1, 0.5,
                    &row.fps_p10, &row.fps_p50);
    if (lens_has(lens, LENS_MERGED_BENCHMARK))
        keep_values(arena, &averages, &row);
    return row;
}

struct benchmark_row *benchmarks_build(struct arena *arena,
                                       const struct lens *lens, int64_t day,
                                       const struct sla_row *rows,
                                       size_t row_count, size_t *count)
{
    const struct sla_row **sorted =
        arena_array(arena, row_count, sizeof *sorted);
    size_t used = 0;
    for (size_t i = 0; i < row_count; i++)
        if (rows[i].pipeline_id.length)
            sorted[used++] = &rows[i];
    if (used)
        qsort(sorted, used, sizeof *sorted, compare_collapsed);
    struct benchmark_row *benchmarks =
        arena_array(arena, used, sizeof *benchmarks);
    *count = 0;
    for (size_t i = 0; i < used;) {
        size_t end = i + 1;
        while (end < used && !compare_surface(sorted[i], sorted[end]))
            end++;
        benchmarks[*count] =
            surface_benchmark(arena, lens, day, sorted, i, end);
        benchmarks[*count].position = (int64_t)*count;
        (*count)++;
        i = end;
    }
    return benchmarks;
}
