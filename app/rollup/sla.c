/*
 * sla.c: session-hours added up to SLA rows (§3.1), and their rates (§3.2).
 *
 * A session counts in every hour in which it reported its status, each time
 * with the flags of its whole life; a session that never reported does not
 * count at all. Both are the publisher's choices.
 */
#include "rollup/rollup.h"

#include <math.h>
#include <stdlib.h>

/* Null and blank order as the same empty text. */
static int compare_nullable(struct text a, struct text b)
{
    struct text blank = {"", 0};
    return text_compare(a.data ? a : blank, b.data ? b : blank);
}

int sla_compare(const void *left, const void *right)
{
    const struct sla_row *a = left;
    const struct sla_row *b = right;
    if (a->window_start != b->window_start)
        return a->window_start < b->window_start ? -1 : 1;
    int order = text_compare(a->org, b->org);
    if (!order)
        order = text_compare(a->orchestrator_address, b->orchestrator_address);
    if (!order)
        order = text_compare(a->pipeline_id, b->pipeline_id);
    if (!order)
        order = compare_nullable(a->model_id, b->model_id);
    return order ? order : compare_nullable(a->gpu_id, b->gpu_id);
}

struct group {
    struct sla_row row;
    struct exact_sum fps;
    struct exact_sum e2e;
    int64_t ptff_sum_ms;
};

static struct sla_row key_of(const struct session_hour *hour)
{
    return (struct sla_row){
        .window_start = hour->hour->hour,
        .org = hour->hour->org,
        .orchestrator_address = hour->hour->orchestrator_address,
        .pipeline_id = hour->hour->pipeline_id,
        .model_id = hour->hour->model_id,
        .gpu_id = hour->session->gpu_id,
        .sla_semantics_version = text_of("quality-benchmark-v1"),
    };
}

static void add_requested(struct sla_row *row,
                          const struct session_row *session)
{
    bool failed = text_is(session->startup_outcome, "failed");
    bool excused = failed && !text_is(session->excusal_reason, "none");
    bool no_output =
        session->loading_only_session || session->zero_output_fps_session;
    row->known_sessions_count++;
    row->requested_sessions++;
    row->startup_success_sessions +=
        text_is(session->startup_outcome, "success");
    row->no_orch_sessions += text_is(session->selection_outcome, "no_orch");
    row->startup_excused_sessions += excused;
    row->startup_failed_sessions += failed && !excused;
    row->loading_only_sessions += session->loading_only_session;
    row->zero_output_fps_sessions += session->zero_output_fps_session;
    row->output_failed_sessions += no_output;
    row->effective_failed_sessions += (failed && !excused) || no_output;
    row->total_swapped_sessions += session->swap_count > 0;
    row->sessions_ending_in_error += session->error_seen;
}

static void add_e2e(struct group *group, const struct session_hour *hour,
                    struct arena *arena)
{
    if (hour->hour->latency_samples > 0) {
        struct exact_sum sum = {.arena = arena};
        /* Encoded by this program; a damaged store shows in its own checks. */
        (void)exact_decode(&sum, hour->hour->latency_sum);
        exact_add_sum(&group->e2e, &sum);
        group->row.e2e_latency_sample_count += hour->hour->latency_samples;
    } else if (hour->session->e2e_latency_ms > 0) {
        exact_add(&group->e2e, (double)hour->session->e2e_latency_ms);
        group->row.e2e_latency_sample_count++;
    }
}

static void add_hour(struct group *group, const struct session_hour *hour,
                     struct arena *arena)
{
    struct sla_row *row = &group->row;
    const struct session_row *session = hour->session;
    if (session->requested_seen)
        add_requested(row, session);
    row->error_status_samples += hour->hour->error_samples;
    row->health_signal_count += session->health_signal_count;
    row->health_expected_signal_count += session->health_expected_signal_count;
    row->status_samples += hour->hour->status_samples;
    struct exact_sum fps = {.arena = arena};
    (void)exact_decode(&fps, hour->hour->fps_sum);
    exact_add_sum(&group->fps, &fps);
    if (session->ptff_ms > 0) {
        group->ptff_sum_ms += session->ptff_ms;
        row->prompt_to_first_frame_sample_count++;
    }
    add_e2e(group, hour, arena);
}

static double ratio(double sum, int64_t count)
{
    return count > 0 ? sum / (double)count : (double)NAN;
}

static void set_rates(struct sla_row *row)
{
    int64_t requested = row->requested_sessions;
    double coverage = ratio((double)row->health_signal_count,
                            row->health_expected_signal_count);
    row->health_signal_coverage_ratio =
        row->health_expected_signal_count > 0 && coverage < 1 ? coverage : 1;
    row->startup_success_rate =
        ratio((double)row->startup_success_sessions, requested);
    row->excused_failure_rate =
        ratio((double)row->startup_excused_sessions, requested);
    row->effective_success_rate =
        1 - ratio((double)row->effective_failed_sessions, requested);
    row->no_swap_rate =
        1 - ratio((double)row->total_swapped_sessions, requested);
    row->output_viability_rate =
        1 - ratio((double)row->output_failed_sessions, requested);
    row->avg_output_fps = ratio(row->output_fps_sum, row->status_samples);
    row->avg_prompt_to_first_frame_ms =
        ratio(row->prompt_to_first_frame_sum_ms,
              row->prompt_to_first_frame_sample_count);
    row->avg_e2e_latency_ms =
        ratio(row->e2e_latency_sum_ms, row->e2e_latency_sample_count);
}

static void finish_group(struct group *group)
{
    group->row.output_fps_sum = exact_round(&group->fps);
    group->row.e2e_latency_sum_ms = exact_round(&group->e2e);
    group->row.prompt_to_first_frame_sum_ms = (double)group->ptff_sum_ms;
    set_rates(&group->row);
}

static int compare_hours(const void *left, const void *right)
{
    struct sla_row a = key_of(left);
    struct sla_row b = key_of(right);
    return sla_compare(&a, &b);
}

struct sla_row *sla_build(struct arena *arena, const struct session_hour *hours,
                          size_t hour_count, size_t *count)
{
    struct session_hour *sorted =
        arena_array(arena, hour_count, sizeof *sorted);
    size_t used = 0;
    for (size_t i = 0; i < hour_count; i++)
        if (!hours[i].hour->tail_artefact)
            sorted[used++] = hours[i];
    if (used)
        qsort(sorted, used, sizeof *sorted, compare_hours);
    struct sla_row *rows = arena_array(arena, used, sizeof *rows);
    *count = 0;
    for (size_t i = 0; i < used;) {
        struct group group = {
            .row = key_of(&sorted[i]), .fps.arena = arena, .e2e.arena = arena};
        size_t first = i;
        while (i < used && !compare_hours(&sorted[first], &sorted[i]))
            add_hour(&group, &sorted[i++], arena);
        finish_group(&group);
        group.row.position = (int64_t)*count;
        rows[(*count)++] = group.row;
    }
    return rows;
}
