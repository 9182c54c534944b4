/*
 * score.c: the score of an SLA row (§3.5), against its cohort (cohort.c). It
 * follows from the row's sums and the cohort's edges, which the row has as
 * well: stored rows hold these alone, and what follows is made when one is
 * read.
 */
#include "rollup/cohort.h"
#include "rollup/hour_extras.h"
#include "rollup/sla.h"

#include "base/clock.h"

#include <math.h>

enum { LATENCY_SAMPLES_FULL = 10, FPS_SAMPLES_FULL = 30 };

static double clamped(double value)
{
    /* Not fmin and fmax: a NaN must become 0, as in the original. */
    if (value > 1)
        return 1;
    return value > 0 ? value : 0;
}

static bool is_neutral(double value, const struct edges *edges)
{
    return isnan(value) || !edges->active;
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

static void set_components(const struct lens *lens, struct sla_row *row)
{
    row->ptff_score =
        shrunk(row->ptff_score_raw, row->prompt_to_first_frame_sample_count,
               LATENCY_SAMPLES_FULL);
    row->e2e_score = shrunk(row->e2e_score_raw, row->e2e_latency_sample_count,
                            LATENCY_SAMPLES_FULL);
    row->fps_score = shrunk(row->fps_score_raw, sla_fps_samples(lens, row),
                            FPS_SAMPLES_FULL);
    row->latency_score = clamped(0.6 * row->ptff_score + 0.4 * row->e2e_score);
    row->quality_score =
        clamped(0.6 * (0.6 * row->ptff_score + 0.4 * row->e2e_score) +
                0.4 * row->fps_score);
}

static void set_score(const struct lens *lens, struct sla_row *row)
{
    if (!sla_counted_sessions(lens, row)) {
        row->reliability_score = (double)NAN;
        row->sla_score = (double)NAN;
        row->null_reason =
            text_of(row->requested_sessions ? "only_excused_sessions"
                                            : "no_requested_sessions");
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
    return edges->active && isnan(edges->first);
}

/* By the edges that ROW has. */
static void set_scores(const struct lens *lens, struct sla_row *row)
{
    struct edges ptff = edges_from(lens, row->ptff_p50, row->ptff_p90,
                                   row->ptff_benchmark_row_count);
    struct edges e2e = edges_from(lens, row->e2e_p50, row->e2e_p90,
                                  row->e2e_benchmark_row_count);
    struct edges fps = edges_from(lens, row->fps_p10, row->fps_p50,
                                  row->fps_benchmark_row_count);
    row->ptff_score_raw =
        lower_is_better(row->avg_prompt_to_first_frame_ms, &ptff);
    row->e2e_score_raw = lower_is_better(row->avg_e2e_latency_ms, &e2e);
    row->fps_score_raw = higher_is_better(row->avg_output_fps, &fps);
    set_components(lens, row);
    set_score(lens, row);
    bool broken = is_broken(&ptff) || is_broken(&e2e) || is_broken(&fps);
    row->quality_note = broken ? text_of("benchmark_day_without_values")
                               : (struct text){NULL, 0};
}

static void score_against(const struct lens *lens, struct sla_row *row,
                          const struct cohort *cohort)
{
    row->ptff_p50 = cohort->ptff.first;
    row->ptff_p90 = cohort->ptff.second;
    row->ptff_benchmark_row_count = cohort->ptff.rows;
    row->e2e_p50 = cohort->e2e.first;
    row->e2e_p90 = cohort->e2e.second;
    row->e2e_benchmark_row_count = cohort->e2e.rows;
    row->fps_p10 = cohort->fps.first;
    row->fps_p50 = cohort->fps.second;
    row->fps_benchmark_row_count = cohort->fps.rows;
    set_scores(lens, row);
}

static void derive(const struct lens *lens, struct sla_row *row)
{
    sla_set_rates(lens, row);
    set_scores(lens, row);
}

void sla_derive_published(void *row)
{
    derive(&lens_published, row);
}

void sla_derive_assay(void *row)
{
    derive(&lens_assay, row);
    hour_extras_derive(&((struct sla_row *)row)->extras);
}

/* The cohorts of one day, each made when the first row asks for it: a day has
 * thousands of rows and a handful of surfaces. */
struct cohort_list {
    struct cohort *list;
    size_t count;
};

static const struct cohort *
cohort_for(struct arena *arena, const struct lens *lens,
           struct cohort_list *known, const struct sla_row *row,
           const struct benchmark_row *benchmarks, size_t count)
{
    for (size_t i = 0; i < known->count; i++)
        if (cohort_fits(&known->list[i], row))
            return &known->list[i];
    known->list =
        arena_grow(arena, known->list, known->count, sizeof *known->list);
    known->list[known->count] =
        cohort_of(arena, lens, clock_day_start(row->window_start),
                  row->pipeline_id, row->model_id, benchmarks, count);
    return &known->list[known->count++];
}

void sla_score(struct arena *arena, const struct lens *lens,
               struct sla_row *rows, size_t row_count,
               const struct benchmark_row *benchmarks, size_t benchmark_count)
{
    struct cohort_list known = {0};
    for (size_t i = 0; i < row_count; i++)
        score_against(lens, &rows[i],
                      cohort_for(arena, lens, &known, &rows[i], benchmarks,
                                 benchmark_count));
}
