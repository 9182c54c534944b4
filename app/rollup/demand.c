/*
 * demand.c: what gateways asked for, by hour (§3.6).
 *
 * A session is demand once, in the hour of its start, with all its minutes and
 * flags there; its status samples are spread over its hours and the gateways
 * that reported them. Where a session's samples lie in another hour than its
 * start, or came by another gateway than its last, they make a group of their
 * own, which counts as a session but as no request: the publisher's
 * sessions_count is therefore larger than the number of sessions.
 */
#include "rollup/demand.h"

#include "rollup/session.h"

#include "base/clock.h"

#include <math.h>
#include <stdlib.h>

#define COLUMN(kind, member) FIELD(kind, ROW, member)
/* clang-format off */
#define ROW gateway_hour_row
static const struct field gateway_hour_list[] = {
    COLUMN(TEXT, org),
    COLUMN(WINDOW, hour),
    COLUMN(TEXT, session_key),
    COLUMN(TEXT, gateway),
    COLUMN(INT, status_samples),
    COLUMN(BLOB, fps_sum),
    COLUMN(BLOB, assay),
};
#undef ROW

#define ROW demand_row
static const struct field demand_list[] = {
    COLUMN(WINDOW, window_start),
    COLUMN(TEXT, org),
    COLUMN(TEXT, gateway),
    COLUMN(TEXT, region),
    COLUMN(TEXT, pipeline_id),
    COLUMN(TEXT, model_id),
    COLUMN(INT, sessions_count),
    COLUMN(INT, known_sessions_count),
    COLUMN(INT, requested_sessions),
    COLUMN(INT, startup_success_sessions),
    COLUMN(INT, no_orch_sessions),
    COLUMN(INT, startup_excused_sessions),
    COLUMN(INT, startup_failed_sessions),
    COLUMN(INT, loading_only_sessions),
    COLUMN(INT, zero_output_fps_sessions),
    COLUMN(INT, effective_failed_sessions),
    COLUMN(INT, confirmed_swapped_sessions),
    COLUMN(INT, inferred_swap_sessions),
    COLUMN(INT, total_swapped_sessions),
    COLUMN(INT, sessions_ending_in_error),
    COLUMN(INT, error_status_samples),
    COLUMN(INT, health_signal_count),
    COLUMN(INT, health_expected_signal_count),
    COLUMN(DOUBLE, health_signal_coverage_ratio),
    COLUMN(DOUBLE, startup_success_rate),
    COLUMN(DOUBLE, excused_failure_rate),
    COLUMN(DOUBLE, effective_success_rate),
    COLUMN(DOUBLE, output_fps_sum),
    COLUMN(INT, status_samples),
    COLUMN(DOUBLE, avg_output_fps),
    COLUMN(DOUBLE, total_minutes),
    COLUMN(DOUBLE, ticket_face_value_eth),
    COLUMN(INT, position),
};
#undef ROW
/* clang-format on */

const struct fields gateway_hour_fields = FIELDS(gateway_hour_list, 0);

/* Columns are the hour, the key and, at the end, the position. */
enum { DEMAND_KEY = 6 };
const struct fields demand_fields =
    PACKED_FIELDS(demand_list, 1, DEMAND_KEY, 1, NULL);

/* ---- samples by hour and gateway ----------------------------------------- */

static int compare_samples(const void *left, const void *right)
{
    const struct session_event *a = *(const struct session_event *const *)left;
    const struct session_event *b = *(const struct session_event *const *)right;
    int64_t a_hour = clock_hour_start(a->ts);
    int64_t b_hour = clock_hour_start(b->ts);
    if (a_hour != b_hour)
        return a_hour < b_hour ? -1 : 1;
    return text_compare(a->gateway, b->gateway);
}

static const struct session_event **
status_events(struct arena *arena, const struct session_event *events,
              size_t event_count, size_t *count)
{
    const struct session_event **found =
        arena_array(arena, event_count, sizeof *found);
    *count = 0;
    for (size_t i = 0; i < event_count; i++)
        if (events[i].family == FAMILY_STREAM_STATUS)
            found[(*count)++] = &events[i];
    if (*count)
        qsort(found, *count, sizeof *found, compare_samples);
    return found;
}

/* See note_sample: by fps_without_zeros the sum is of samples with output. */
static void add_sample(const struct lens *lens, struct gateway_hour_row *row,
                       struct exact_sum *fps, double output_fps)
{
    row->status_samples++;
    row->fps_positive_samples += output_fps > 0;
    if (output_fps > 0 || !lens_has(lens, LENS_FPS_WITHOUT_ZEROS))
        exact_add(fps, output_fps);
}

struct gateway_hour_row *gateway_hours_build(struct arena *arena,
                                             const struct lens *lens,
                                             const struct session_row *session,
                                             const struct session_event *events,
                                             size_t event_count, size_t *count)
{
    size_t sample_count;
    const struct session_event **samples =
        status_events(arena, events, event_count, &sample_count);
    struct gateway_hour_row *rows =
        arena_array(arena, sample_count, sizeof *rows);
    *count = 0;
    for (size_t i = 0; i < sample_count;) {
        struct gateway_hour_row *row = &rows[(*count)++];
        struct exact_sum fps = {.arena = arena};
        size_t first = i;
        *row = (struct gateway_hour_row){
            .org = session->org,
            .hour = clock_hour_start(samples[first]->ts),
            .session_key = session->session_key,
            .gateway = samples[first]->gateway,
        };
        for (;
             i < sample_count && !compare_samples(&samples[first], &samples[i]);
             i++)
            add_sample(lens, row, &fps, samples[i]->output_fps);
        row->fps_sum = exact_encoded(arena, &fps);
    }
    return rows;
}

/* ---- groups -------------------------------------------------------------- */

int64_t demand_hour(const struct session_row *session)
{
    return clock_hour_start(session->started_at == ABSENT_INT
                                ? session->last_seen
                                : session->started_at);
}

static int64_t hour_of(const struct demand_part *part)
{
    return part->hour ? part->hour->hour : demand_hour(part->session);
}

static struct text gateway_of(const struct demand_part *part)
{
    return part->hour ? part->hour->gateway : part->session->gateway;
}

static struct text not_null(struct text text)
{
    return text.data ? text : text_of("");
}

struct demand_group {
    struct demand_row row;
    struct exact_sum fps;
    struct exact_sum minutes;
    int64_t fps_samples;
};

static void add_requested(const struct lens *lens, struct demand_row *row,
                          const struct session_row *session)
{
    bool failed = text_is(session->startup_outcome, "failed");
    bool excused = failed && !text_is(session->excusal_reason, "none");
    row->known_sessions_count++;
    row->requested_sessions++;
    row->startup_success_sessions +=
        text_is(session->startup_outcome, "success");
    row->no_orch_sessions += text_is(session->selection_outcome, "no_orch");
    row->startup_excused_sessions += excused;
    row->startup_failed_sessions += failed && !excused;
    row->loading_only_sessions += session->loading_only_session;
    row->zero_output_fps_sessions += session->zero_output_fps_session;
    row->effective_failed_sessions += (failed && !excused) ||
                                      session->loading_only_session ||
                                      session->zero_output_fps_session;
    bool confirmed = session->swap_count > 0;
    row->total_swapped_sessions += confirmed || session->inferred_swap;
    row->sessions_ending_in_error += session->error_seen;
    if (!lens_has(lens, LENS_INFERRED_SWAPS))
        return;
    row->confirmed_swapped_sessions += confirmed;
    row->inferred_swap_sessions += session->inferred_swap;
}

static void add_session(const struct lens *lens, struct demand_group *group,
                        const struct session_row *session)
{
    struct demand_row *row = &group->row;
    if (session->requested_seen)
        add_requested(lens, row, session);
    row->error_status_samples += session->error_samples;
    row->health_signal_count += session->health_signal_count;
    row->health_expected_signal_count += session->health_expected_signal_count;
    if (session->started_at != ABSENT_INT &&
        session->last_seen > session->started_at)
        exact_add(&group->minutes,
                  (double)(session->last_seen - session->started_at) /
                      MS_PER_MINUTE);
}

static void add_samples(const struct lens *lens, struct demand_group *group,
                        struct arena *arena,
                        const struct gateway_hour_row *hour)
{
    struct exact_sum fps = {.arena = arena};
    /* Encoded by this program; a damaged store shows in its own checks. */
    (void)exact_decode(&fps, hour->fps_sum);
    exact_add_sum(&group->fps, &fps);
    group->row.status_samples += hour->status_samples;
    group->fps_samples += lens_has(lens, LENS_FPS_WITHOUT_ZEROS)
                              ? hour->fps_positive_samples
                              : hour->status_samples;
}

static double ratio(double sum, int64_t count)
{
    return count > 0 ? sum / (double)count : (double)NAN;
}

static struct demand_row finished(struct demand_group *group)
{
    struct demand_row *row = &group->row;
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
    row->output_fps_sum = exact_round(&group->fps);
    row->avg_output_fps = ratio(row->output_fps_sum, group->fps_samples);
    row->total_minutes = exact_round(&group->minutes);
    return *row;
}

static struct demand_group group_of(struct arena *arena,
                                    const struct demand_part *part)
{
    return (struct demand_group){
        .row = {.window_start = hour_of(part),
                .org = text_kept(arena, part->session->org),
                .gateway = text_kept(arena, gateway_of(part)),
                .pipeline_id = text_kept(arena, part->session->pipeline_id),
                .model_id = text_kept(arena, part->session->model_id)},
        .fps.arena = arena,
        .minutes.arena = arena,
    };
}

static size_t number_of(struct text_index *keys, const struct demand_part *part,
                        bool *added)
{
    struct buf key = {0};
    buf_add_u64(&key, (uint64_t)hour_of(part));
    buf_add_text(&key, part->session->org);
    buf_add_text(&key, gateway_of(part));
    buf_add_text(&key, part->session->pipeline_id);
    buf_add_text(&key, not_null(part->session->model_id));
    size_t number =
        text_index_add(keys, (struct text){key.data, key.length}, added);
    buf_free(&key);
    return number;
}

/* Whether PART is the first of its session in row NUMBER. */
static bool is_first(struct demand_sums *sums, size_t number,
                     const struct demand_part *part)
{
    struct text session_key = part->session->session_key;
    uint64_t key[] = {number, hash_fast(session_key.data, session_key.length)};
    bool added;
    text_index_add(&sums->members, (struct text){(const char *)key, sizeof key},
                   &added);
    return added;
}

/*
 * By session_counted_once sessions_count is the number of sessions, each in the
 * hour of its start; the publisher counts groups (§3.6): each session once in
 * every row that it has a part in.
 */
static bool counts_as_session(struct demand_sums *sums, size_t number,
                              const struct demand_part *part)
{
    return lens_has(sums->lens, LENS_SESSION_COUNTED_ONCE)
               ? !part->hour
               : is_first(sums, number, part);
}

struct demand_sums demand_sums_of(struct arena *arena, const struct lens *lens)
{
    return (struct demand_sums){.arena = arena, .lens = lens};
}

void demand_sums_free(struct demand_sums *sums)
{
    text_index_free(&sums->keys);
    text_index_free(&sums->members);
}

void demand_sums_add(struct demand_sums *sums, struct arena *scratch,
                     const struct demand_part *part)
{
    bool added;
    size_t number = number_of(&sums->keys, part, &added);
    if (added) {
        sums->groups =
            arena_grow(sums->arena, sums->groups, number, sizeof *sums->groups);
        sums->groups[number] = group_of(sums->arena, part);
    }
    struct demand_group *group = &sums->groups[number];
    group->row.sessions_count += counts_as_session(sums, number, part);
    if (part->hour)
        add_samples(sums->lens, group, scratch, part->hour);
    else
        add_session(sums->lens, group, part->session);
}

static int compare_rows(const void *left, const void *right)
{
    const struct demand_row *a = left;
    const struct demand_row *b = right;
    if (a->window_start != b->window_start)
        return a->window_start < b->window_start ? -1 : 1;
    int order = text_compare(a->org, b->org);
    if (!order)
        order = text_compare(a->gateway, b->gateway);
    if (!order)
        order = text_compare(a->pipeline_id, b->pipeline_id);
    return order ? order
                 : text_compare(not_null(a->model_id), not_null(b->model_id));
}

/* Position among the rows of one (window_start, org). */
static int64_t next_position(const struct demand_row *rows, size_t count)
{
    const struct demand_row *last = &rows[count];
    bool same = count && rows[count - 1].window_start == last->window_start &&
                text_equal(rows[count - 1].org, last->org);
    return same ? rows[count - 1].position + 1 : 0;
}

struct demand_row *demand_sums_end(struct demand_sums *sums, size_t *count)
{
    *count = sums->keys.count;
    struct demand_row *rows = arena_array(sums->arena, *count, sizeof *rows);
    for (size_t i = 0; i < *count; i++)
        rows[i] = finished(&sums->groups[i]);
    if (*count)
        qsort(rows, *count, sizeof *rows, compare_rows);
    for (size_t i = 0; i < *count; i++)
        rows[i].position = next_position(rows, i);
    demand_sums_free(sums);
    return rows;
}

struct demand_row *demand_build(struct arena *arena, const struct lens *lens,
                                const struct demand_part *parts,
                                size_t part_count, size_t *count)
{
    struct arena scratch = {0};
    struct demand_sums sums = demand_sums_of(arena, lens);
    for (size_t i = 0; i < part_count; i++) {
        demand_sums_add(&sums, &scratch, &parts[i]);
        arena_clear(&scratch);
    }
    arena_free(&scratch);
    return demand_sums_end(&sums, count);
}
