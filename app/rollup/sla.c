/*
 * sla.c: session-hours added up to SLA rows (§3.1), and their rates (§3.2).
 *
 * They come one by one, in any order, and none is kept: what an hour takes
 * grows with its rows, not with its sessions.
 *
 * A session counts in every hour in which it reported its status, each time
 * with the flags of its whole life; a session that never reported does not
 * count at all. Both are the publisher's choices. Switches of other lenses act
 * at is_uncounted, add_swap and sla_fps_samples.
 */
#include "rollup/sla.h"

#include "rollup/hour_extras.h"
#include "rollup/sketch.h"

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

struct sla_group {
    struct sla_row row;
    struct exact_sum fps;
    struct exact_sum e2e;
    int64_t ptff_sum_ms;
    struct sketches sketches;
    struct hour_extras_sum extras;
};

struct sla_row session_hour_key(const struct session_hour *hour)
{
    return (struct sla_row){
        .window_start = hour->hour->hour,
        .org = hour->hour->org,
        .orchestrator_address = hour->hour->orchestrator_address,
        .pipeline_id = hour->hour->pipeline_id,
        .model_id = hour->hour->model_id,
        .gpu_id = hour->hour->part == HOUR_LEFT ? hour->hour->gpu_id
                                                : hour->session->gpu_id,
    };
}

bool counts_session(const struct lens *lens, const struct hour_row *hour)
{
    return !lens_has(lens, LENS_SESSION_COUNTED_ONCE) || hour->counts_session;
}

static bool is_excused(const struct session_row *session)
{
    return text_is(session->startup_outcome, "failed") &&
           !text_is(session->excusal_reason, "none");
}

/*
 * The switch excused_not_counted (D11; metrics reference §6, §7): an excused
 * failure is "not counted against the orchestrator's reliability score". As
 * published it lowers startup_success_rate, and since it mostly has no output
 * and was never playable, viability and coverage as well. Here it is requested
 * and excused and nothing else, and sla_set_rates leaves it out of what it
 * divides by: rate = count / (requested - excused).
 */
static bool is_uncounted(const struct lens *lens,
                         const struct session_row *session)
{
    return lens_has(lens, LENS_EXCUSED_NOT_COUNTED) && is_excused(session);
}

/*
 * The switches inferred_swaps (D8; metrics reference §2.5) and
 * swap_charged_to_left (session_left.c): total = confirmed + inferred, where
 * the publisher leaves both parts 0 and counts sessions with an
 * orchestrator_swap trace; and only in the part that is charged.
 */
static void add_swap(const struct lens *lens, struct sla_row *row,
                     const struct session_hour *hour)
{
    if (lens_has(lens, LENS_SWAP_CHARGED_TO_LEFT) && !hour->hour->charges_swap)
        return;
    bool confirmed = hour->session->swap_count > 0;
    row->total_swapped_sessions += confirmed || hour->session->inferred_swap;
    if (!lens_has(lens, LENS_INFERRED_SWAPS))
        return;
    row->confirmed_swapped_sessions += confirmed;
    row->inferred_swap_sessions += hour->session->inferred_swap;
}

static void add_outcome(struct sla_row *row, const struct session_row *session)
{
    bool failed = text_is(session->startup_outcome, "failed");
    bool excused = is_excused(session);
    bool no_output =
        session->loading_only_session || session->zero_output_fps_session;
    row->startup_success_sessions +=
        text_is(session->startup_outcome, "success");
    row->startup_failed_sessions += failed && !excused;
    row->loading_only_sessions += session->loading_only_session;
    row->zero_output_fps_sessions += session->zero_output_fps_session;
    row->output_failed_sessions += no_output;
    row->effective_failed_sessions += (failed && !excused) || no_output;
    row->sessions_ending_in_error += session->error_seen;
}

static void add_requested(const struct lens *lens, struct sla_row *row,
                          const struct session_hour *hour)
{
    const struct session_row *session = hour->session;
    row->known_sessions_count++;
    row->requested_sessions++;
    row->no_orch_sessions += text_is(session->selection_outcome, "no_orch");
    row->startup_excused_sessions += is_excused(session);
    if (is_uncounted(lens, session))
        return;
    add_outcome(row, session);
    add_swap(lens, row, hour);
}

static void add_e2e(struct sla_group *group, const struct session_hour *hour,
                    bool counted, struct arena *arena)
{
    if (hour->hour->latency_samples > 0) {
        struct exact_sum sum = {.arena = arena};
        /* Encoded by this program; a damaged store shows in its own checks. */
        (void)exact_decode(&sum, hour->hour->latency_sum);
        exact_add_sum(&group->e2e, &sum);
        group->row.e2e_latency_sample_count += hour->hour->latency_samples;
        sketches_merge(&group->sketches, SKETCH_E2E_LATENCY,
                       hour->hour->latency_sketch);
    } else if (counted && hour->session->e2e_latency_ms > 0) {
        exact_add(&group->e2e, (double)hour->session->e2e_latency_ms);
        group->row.e2e_latency_sample_count++;
        sketches_add(&group->sketches, SKETCH_E2E_LATENCY,
                     hour->session->e2e_latency_ms);
    }
}

/* What a session has once, and not per sample. */
static void add_session(const struct lens *lens, struct sla_group *group,
                        const struct session_row *session)
{
    struct sla_row *row = &group->row;
    if (!is_uncounted(lens, session)) {
        row->health_signal_count += session->health_signal_count;
        row->health_expected_signal_count +=
            session->health_expected_signal_count;
    }
    if (session->ptff_ms > 0) {
        group->ptff_sum_ms += session->ptff_ms;
        row->prompt_to_first_frame_sample_count++;
        sketches_add(&group->sketches, SKETCH_PTFF, session->ptff_ms);
    }
    if (session->startup_latency_ms > 0)
        sketches_add(&group->sketches, SKETCH_STARTUP_LATENCY,
                     session->startup_latency_ms);
}

int64_t hour_fps_samples(const struct lens *lens, const struct hour_row *hour)
{
    return lens_has(lens, LENS_FPS_WITHOUT_ZEROS) ? hour->fps_positive_samples
                                                  : hour->status_samples;
}

/* Of the samples that the average is made of. */
static void add_fps_sketch(const struct lens *lens, struct sketches *sketches,
                           const struct hour_row *hour)
{
    int64_t zeros = hour_fps_samples(lens, hour) - hour->fps_positive_samples;
    sketches_merge(sketches, SKETCH_OUTPUT_FPS, hour->fps_sketch);
    histogram_add_zeros(&sketches->of[SKETCH_OUTPUT_FPS], (uint64_t)zeros);
}

static void add_samples(const struct lens *lens, struct sla_group *group,
                        const struct hour_row *hour, struct arena *arena)
{
    struct sla_row *row = &group->row;
    row->error_status_samples += hour->error_samples;
    row->status_samples += hour->status_samples;
    row->fps_samples += hour_fps_samples(lens, hour);
    struct exact_sum fps = {.arena = arena};
    (void)exact_decode(&fps, hour->fps_sum);
    exact_add_sum(&group->fps, &fps);
    add_fps_sketch(lens, &group->sketches, hour);
}

static void add_hour(const struct lens *lens, struct sla_group *group,
                     const struct session_hour *hour, struct arena *arena)
{
    bool counted = counts_session(lens, hour->hour);
    if (lens_is_assay(lens))
        hour_extras_add(&group->extras, arena, hour, counted);
    if (hour->session->requested_seen && counted)
        add_requested(lens, &group->row, hour);
    if (hour->hour->part == HOUR_LEFT)
        return;
    if (counted)
        add_session(lens, group, hour->session);
    add_samples(lens, group, hour->hour, arena);
    add_e2e(group, hour, counted, arena);
}

static double ratio(double sum, int64_t count)
{
    return count > 0 ? sum / (double)count : (double)NAN;
}

int64_t sla_fps_samples(const struct lens *lens, const struct sla_row *row)
{
    return lens_has(lens, LENS_FPS_WITHOUT_ZEROS) ? row->fps_samples
                                                  : row->status_samples;
}

int64_t sla_counted_sessions(const struct lens *lens, const struct sla_row *row)
{
    return row->requested_sessions - (lens_has(lens, LENS_EXCUSED_NOT_COUNTED)
                                          ? row->startup_excused_sessions
                                          : 0);
}

void sla_set_rates(const struct lens *lens, struct sla_row *row)
{
    row->sla_semantics_version = text_of("quality-benchmark-v1");
    int64_t counted = sla_counted_sessions(lens, row);
    double coverage = ratio((double)row->health_signal_count,
                            row->health_expected_signal_count);
    row->health_signal_coverage_ratio =
        row->health_expected_signal_count > 0 && coverage < 1 ? coverage : 1;
    row->startup_success_rate =
        ratio((double)row->startup_success_sessions, counted);
    row->excused_failure_rate =
        ratio((double)row->startup_excused_sessions, row->requested_sessions);
    row->effective_success_rate =
        1 - ratio((double)row->effective_failed_sessions, counted);
    row->no_swap_rate = 1 - ratio((double)row->total_swapped_sessions, counted);
    row->output_viability_rate =
        1 - ratio((double)row->output_failed_sessions, counted);
    row->avg_output_fps =
        ratio(row->output_fps_sum, sla_fps_samples(lens, row));
    row->avg_prompt_to_first_frame_ms =
        ratio(row->prompt_to_first_frame_sum_ms,
              row->prompt_to_first_frame_sample_count);
    row->avg_e2e_latency_ms =
        ratio(row->e2e_latency_sum_ms, row->e2e_latency_sample_count);
}

/* ---- groups -------------------------------------------------------------- */

static void add_text(struct buf *key, struct text text)
{
    buf_add_text(key, text.data ? text : text_of(""));
}

/* Equal for the hours that sla_compare finds equal. */
static size_t number_of(struct text_index *keys, const struct sla_row *row,
                        bool *added)
{
    struct buf key = {0};
    buf_add_u64(&key, (uint64_t)row->window_start);
    add_text(&key, row->org);
    add_text(&key, row->orchestrator_address);
    add_text(&key, row->pipeline_id);
    add_text(&key, row->model_id);
    add_text(&key, row->gpu_id);
    size_t number =
        text_index_add(keys, (struct text){key.data, key.length}, added);
    buf_free(&key);
    return number;
}

static struct sla_group group_of(struct arena *arena, struct sla_row row)
{
    row.org = text_kept(arena, row.org);
    row.orchestrator_address = text_kept(arena, row.orchestrator_address);
    row.pipeline_id = text_kept(arena, row.pipeline_id);
    row.model_id = text_kept(arena, row.model_id);
    row.gpu_id = text_kept(arena, row.gpu_id);
    return (struct sla_group){.row = row,
                              .fps.arena = arena,
                              .e2e.arena = arena,
                              .sketches = sketches_of(arena),
                              .extras = hour_extras_of(arena)};
}

static void finish_group(const struct lens *lens, struct sla_group *group)
{
    group->row.sketches = sketches_encoded(&group->sketches);
    group->row.output_fps_sum = exact_round(&group->fps);
    group->row.e2e_latency_sum_ms = exact_round(&group->e2e);
    group->row.prompt_to_first_frame_sum_ms = (double)group->ptff_sum_ms;
    sla_set_rates(lens, &group->row);
    hour_extras_finish(&group->extras, &group->row);
}

struct sla_sums sla_sums_of(struct arena *arena, const struct lens *lens)
{
    return (struct sla_sums){.arena = arena, .lens = lens};
}

void sla_sums_free(struct sla_sums *sums)
{
    text_index_free(&sums->keys);
}

size_t sla_sums_add(struct sla_sums *sums, struct arena *scratch,
                    const struct session_hour *hour)
{
    bool added;
    struct sla_row row = session_hour_key(hour);
    size_t number = number_of(&sums->keys, &row, &added);
    if (added) {
        sums->groups =
            arena_grow(sums->arena, sums->groups, number, sizeof *sums->groups);
        sums->groups[number] = group_of(sums->arena, row);
    }
    add_hour(sums->lens, &sums->groups[number], hour, scratch);
    return number;
}

static int compare_groups(const void *left, const void *right)
{
    const struct sla_group *const *a = left;
    const struct sla_group *const *b = right;
    return sla_compare(&(*a)->row, &(*b)->row);
}

struct sla_row *sla_sums_end(struct sla_sums *sums, size_t **numbers,
                             size_t *count)
{
    *count = sums->keys.count;
    struct sla_group **sorted =
        arena_array(sums->arena, *count, sizeof *sorted);
    struct sla_row *rows = arena_array(sums->arena, *count, sizeof *rows);
    *numbers = arena_array(sums->arena, *count, sizeof **numbers);
    for (size_t i = 0; i < *count; i++) {
        finish_group(sums->lens, &sums->groups[i]);
        sorted[i] = &sums->groups[i];
    }
    if (*count)
        qsort(sorted, *count, sizeof *sorted, compare_groups);
    for (size_t i = 0; i < *count; i++) {
        rows[i] = sorted[i]->row;
        rows[i].position = (int64_t)i;
        (*numbers)[i] = (size_t)(sorted[i] - sums->groups);
    }
    sla_sums_free(sums);
    return rows;
}

struct sla_row *sla_build(struct arena *arena, const struct lens *lens,
                          const struct session_hour *hours, size_t hour_count,
                          size_t *count)
{
    struct arena scratch = {0};
    struct sla_sums sums = sla_sums_of(arena, lens);
    size_t *numbers;
    for (size_t i = 0; i < hour_count; i++) {
        if (!hours[i].hour->tail_artefact)
            sla_sums_add(&sums, &scratch, &hours[i]);
        arena_clear(&scratch);
    }
    arena_free(&scratch);
    return sla_sums_end(&sums, &numbers, count);
}
