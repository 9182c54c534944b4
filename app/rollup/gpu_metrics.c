/*
 * gpu_metrics.c: hours of single GPUs (§3.7).
 *
 * The rows are those of the SLA that have a GPU, before scoring; beside their
 * sums stand the 95th percentiles over session-hours. The name and memory of a
 * card and the version of its runner are null in published rows, because the
 * publisher's join never finds any; lens assay has them.
 */
#include "rollup/hour_extras.h"
#include "rollup/sla.h"

#include <math.h>
#include <stdlib.h>

#define COLUMN(kind, member) FIELD(kind, gpu_row, member)
/* clang-format off */
#define GPU_COLUMNS                                                            \
    COLUMN(WINDOW, window_start),                                              \
    COLUMN(TEXT, org),                                                         \
    COLUMN(TEXT, orchestrator_address),                                        \
    COLUMN(TEXT, pipeline_id),                                                 \
    COLUMN(TEXT, model_id),                                                    \
    COLUMN(TEXT, gpu_id),                                                      \
    COLUMN(TEXT, gpu_model_name),                                              \
    COLUMN(TEXT, region),                                                      \
    COLUMN(INT, gpu_memory_bytes_total),                                       \
    COLUMN(TEXT, runner_version),                                              \
    COLUMN(TEXT, cuda_version),                                                \
    COLUMN(INT, known_sessions_count),                                         \
    COLUMN(INT, startup_success_sessions),                                     \
    COLUMN(INT, no_orch_sessions),                                             \
    COLUMN(INT, startup_excused_sessions),                                     \
    COLUMN(INT, startup_failed_sessions),                                      \
    COLUMN(INT, confirmed_swapped_sessions),                                   \
    COLUMN(INT, inferred_swap_sessions),                                       \
    COLUMN(INT, total_swapped_sessions),                                       \
    COLUMN(INT, sessions_ending_in_error),                                     \
    COLUMN(INT, error_status_samples),                                         \
    COLUMN(INT, health_signal_count),                                          \
    COLUMN(INT, health_expected_signal_count),                                 \
    COLUMN(DOUBLE, health_signal_coverage_ratio),                              \
    COLUMN(DOUBLE, output_fps_sum),                                            \
    COLUMN(INT, status_samples),                                               \
    COLUMN(DOUBLE, avg_output_fps),                                            \
    COLUMN(DOUBLE, p95_output_fps),                                            \
    COLUMN(DOUBLE, fps_jitter_coefficient),                                    \
    COLUMN(DOUBLE, prompt_to_first_frame_sum_ms),                              \
    COLUMN(INT, prompt_to_first_frame_sample_count),                           \
    COLUMN(DOUBLE, avg_prompt_to_first_frame_ms),                              \
    COLUMN(DOUBLE, p95_prompt_to_first_frame_latency_ms),                      \
    COLUMN(DOUBLE, startup_latency_sum_ms),                                    \
    COLUMN(INT, startup_latency_sample_count),                                 \
    COLUMN(DOUBLE, avg_startup_latency_ms),                                    \
    COLUMN(DOUBLE, p95_startup_latency_ms),                                    \
    COLUMN(DOUBLE, e2e_latency_sum_ms),                                        \
    COLUMN(INT, e2e_latency_sample_count),                                     \
    COLUMN(DOUBLE, avg_e2e_latency_ms),                                        \
    COLUMN(DOUBLE, p95_e2e_latency_ms),                                        \
    COLUMN(DOUBLE, startup_failed_rate),                                       \
    COLUMN(DOUBLE, swap_rate)
static const struct field gpu_list[] = {
    GPU_COLUMNS,
    COLUMN(INT, position),
};
static const struct field gpu_assay_list[] = {
    GPU_COLUMNS,
    HOUR_EXTRAS(gpu_row),
    COLUMN(INT, position),
};
/* clang-format on */

/* Columns are the hour, the key up to the card and, at the end, the position.
 */
enum { GPU_KEY = 6 };
const struct fields gpu_fields = PACKED_FIELDS(gpu_list, 1, GPU_KEY, 1, NULL);
static void derive_assay(void *row)
{
    hour_extras_derive(&((struct gpu_row *)row)->extras);
}

const struct fields gpu_assay_fields =
    PACKED_FIELDS(gpu_assay_list, 1, GPU_KEY, 1, derive_assay);

static double ratio(double sum, int64_t count)
{
    return count > 0 ? sum / (double)count : (double)NAN;
}

/* Values of one row's session-hours. */
struct values {
    double *list;
    size_t count;
};

struct gpu_values {
    struct values fps;
    struct values ptff;
    struct values startup;
    struct values e2e;
    int64_t startup_sum_ms;
};

static void add_value(struct arena *arena, struct values *values, double value)
{
    values->list =
        arena_grow(arena, values->list, values->count, sizeof *values->list);
    values->list[values->count++] = value;
}

static void add_latency(struct arena *arena, struct values *values, int64_t ms)
{
    if (ms > 0)
        add_value(arena, values, (double)ms);
}

static double p95(struct arena *arena, const struct values *values)
{
    static const double level = 0.95;
    double out;
    tdigest_percentiles(arena, values->list, values->count, &level, 1, &out);
    return out;
}

static void add_average_fps(struct gpu_sums *sums, struct arena *scratch,
                            struct values *values, const struct hour_row *hour)
{
    struct exact_sum fps = {.arena = scratch};
    /* Encoded by this program; a damaged store shows in its own checks. */
    (void)exact_decode(&fps, hour->fps_sum);
    int64_t samples = hour_fps_samples(sums->sla.lens, hour);
    if (samples)
        add_value(sums->sla.arena, values, exact_round(&fps) / (double)samples);
}

static void add_values(struct gpu_sums *sums, struct arena *scratch,
                       struct gpu_values *values,
                       const struct session_hour *hour)
{
    struct arena *arena = sums->sla.arena;
    const struct session_row *session = hour->session;
    if (hour->hour->part == HOUR_LEFT)
        return;
    add_average_fps(sums, scratch, &values->fps, hour->hour);
    if (!counts_session(sums->sla.lens, hour->hour))
        return;
    add_latency(arena, &values->ptff, session->ptff_ms);
    add_latency(arena, &values->startup, session->startup_latency_ms);
    add_latency(arena, &values->e2e, session->e2e_latency_ms);
    if (session->startup_latency_ms > 0)
        values->startup_sum_ms += session->startup_latency_ms;
}

static void set_percentiles(struct arena *scratch, struct gpu_row *row,
                            const struct gpu_values *values)
{
    int64_t startups = (int64_t)values->startup.count;
    row->p95_output_fps = p95(scratch, &values->fps);
    row->p95_prompt_to_first_frame_latency_ms = p95(scratch, &values->ptff);
    row->p95_startup_latency_ms = p95(scratch, &values->startup);
    row->p95_e2e_latency_ms = p95(scratch, &values->e2e);
    row->startup_latency_sum_ms = (double)values->startup_sum_ms;
    row->startup_latency_sample_count = startups;
    row->avg_startup_latency_ms =
        ratio((double)values->startup_sum_ms, startups);
}

/* What both kinds of rows have. */
static struct gpu_row row_from(const struct sla_row *sla)
{
    return (struct gpu_row){
        .window_start = sla->window_start,
        .org = sla->org,
        .orchestrator_address = sla->orchestrator_address,
        .pipeline_id = sla->pipeline_id,
        .model_id = sla->model_id,
        .gpu_id = sla->gpu_id,
        .gpu_model_name = sla->gpu_model_name,
        .gpu_memory_bytes_total = sla->gpu_memory_bytes_total,
        .runner_version = sla->runner_version,
        .known_sessions_count = sla->known_sessions_count,
        .startup_success_sessions = sla->startup_success_sessions,
        .no_orch_sessions = sla->no_orch_sessions,
        .startup_excused_sessions = sla->startup_excused_sessions,
        .startup_failed_sessions = sla->startup_failed_sessions,
        .confirmed_swapped_sessions = sla->confirmed_swapped_sessions,
        .inferred_swap_sessions = sla->inferred_swap_sessions,
        .total_swapped_sessions = sla->total_swapped_sessions,
        .sessions_ending_in_error = sla->sessions_ending_in_error,
        .error_status_samples = sla->error_status_samples,
        .health_signal_count = sla->health_signal_count,
        .health_expected_signal_count = sla->health_expected_signal_count,
        .health_signal_coverage_ratio = sla->health_signal_coverage_ratio,
        .output_fps_sum = sla->output_fps_sum,
        .status_samples = sla->status_samples,
        .avg_output_fps = sla->avg_output_fps,
        .fps_jitter_coefficient = sla->extras.fps_jitter_coefficient,
        .extras = sla->extras,
        .prompt_to_first_frame_sum_ms = sla->prompt_to_first_frame_sum_ms,
        .prompt_to_first_frame_sample_count =
            sla->prompt_to_first_frame_sample_count,
        .avg_prompt_to_first_frame_ms = sla->avg_prompt_to_first_frame_ms,
        .e2e_latency_sum_ms = sla->e2e_latency_sum_ms,
        .e2e_latency_sample_count = sla->e2e_latency_sample_count,
        .avg_e2e_latency_ms = sla->avg_e2e_latency_ms,
        .startup_failed_rate = ratio((double)sla->startup_failed_sessions,
                                     sla->known_sessions_count),
        .swap_rate = ratio((double)sla->total_swapped_sessions,
                           sla->known_sessions_count),
    };
}

/* Position among the rows of one (window_start, org). */
static int64_t next_position(const struct gpu_row *rows, size_t at)
{
    bool same = at && rows[at - 1].window_start == rows[at].window_start &&
                text_equal(rows[at - 1].org, rows[at].org);
    return same ? rows[at - 1].position + 1 : 0;
}

struct gpu_sums gpu_sums_of(struct arena *arena, const struct lens *lens)
{
    return (struct gpu_sums){.sla = sla_sums_of(arena, lens)};
}

void gpu_sums_free(struct gpu_sums *sums)
{
    sla_sums_free(&sums->sla);
}

void gpu_sums_add(struct gpu_sums *sums, struct arena *scratch,
                  const struct session_hour *hour)
{
    if (!session_hour_key(hour).gpu_id.length)
        return;
    size_t before = sums->sla.keys.count;
    size_t number = sla_sums_add(&sums->sla, scratch, hour);
    if (number == before) {
        sums->values = arena_grow(sums->sla.arena, sums->values, number,
                                  sizeof *sums->values);
        sums->values[number] = (struct gpu_values){0};
    }
    add_values(sums, scratch, &sums->values[number], hour);
}

struct gpu_row *gpu_sums_end(struct gpu_sums *sums, size_t *count)
{
    struct arena scratch = {0};
    struct arena *arena = sums->sla.arena;
    size_t *numbers;
    struct sla_row *sla = sla_sums_end(&sums->sla, &numbers, count);
    struct gpu_row *rows = arena_array(arena, *count, sizeof *rows);
    for (size_t i = 0; i < *count; i++) {
        rows[i] = row_from(&sla[i]);
        set_percentiles(&scratch, &rows[i], &sums->values[numbers[i]]);
        rows[i].position = next_position(rows, i);
        arena_clear(&scratch);
    }
    arena_free(&scratch);
    return rows;
}

struct gpu_row *gpu_metrics_build(struct arena *arena, const struct lens *lens,
                                  const struct session_hour *hours,
                                  size_t hour_count, size_t *count)
{
    struct arena scratch = {0};
    struct gpu_sums sums = gpu_sums_of(arena, lens);
    for (size_t i = 0; i < hour_count; i++) {
        if (!hours[i].hour->tail_artefact)
            gpu_sums_add(&sums, &scratch, &hours[i]);
        arena_clear(&scratch);
    }
    arena_free(&scratch);
    return gpu_sums_end(&sums, count);
}
