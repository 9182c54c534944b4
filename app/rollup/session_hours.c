/*
 * session_hours.c: the hours in which a session reported its status (§2.10).
 *
 * Each hour belongs to the pass that holds it and keeps that pass's
 * orchestrator, pipeline and model. An hour that is only the tail of a session
 * that ended before (a last status or two without output) is marked, and the
 * SLA leaves it out.
 *
 * Switches act at note_sample, is_tail and count_once.
 */
#include "rollup/hour_extras.h"
#include "rollup/session.h"

#include "base/clock.h"

#include <math.h>

enum { TAIL_SAMPLES = 3 };

struct hour_sums {
    struct exact_sum fps;
    struct exact_sum latency;
    struct exact_sum fps_squares;
    struct histogram fps_sketch;
    struct histogram latency_sketch;
};

static struct hour_sums hour_sums_of(struct arena *arena)
{
    return (struct hour_sums){.fps.arena = arena,
                              .latency.arena = arena,
                              .fps_squares.arena = arena,
                              .fps_sketch.arena = arena,
                              .latency_sketch.arena = arena};
}

static void note_output(const struct lens *lens, struct hour_row *hour,
                        struct hour_sums *sums, double fps)
{
    histogram_add(&sums->fps_sketch, fps);
    if (!lens_is_assay(lens) || fps < VARIATION_MIN || fps > VARIATION_MAX)
        return;
    exact_add_square(&sums->fps_squares, fps);
    hour->fps_square_samples++;
}

/*
 * The switch fps_without_zeros (D10; metrics reference §2.1): samples without
 * output "indicate the stream has not yet started producing", and are left out
 * of the average, from its sum here (a negative value is no output either) and
 * from its count in sla_fps_samples.
 */
static void note_sample(const struct lens *lens, struct hour_row *hour,
                        struct hour_sums *sums,
                        const struct session_event *event)
{
    hour->status_samples++;
    hour->fps_positive_samples += event->output_fps > 0;
    hour->running_samples += is_running(event->state);
    hour->error_samples += (event->flags & EVENT_LAST_ERROR) != 0;
    if (event->output_fps > 0 || !lens_has(lens, LENS_FPS_WITHOUT_ZEROS))
        exact_add(&sums->fps, event->output_fps);
    if (event->output_fps > 0)
        note_output(lens, hour, sums, event->output_fps);
    if (event->latency_ms > 0) {
        hour->latency_samples++;
        exact_add(&sums->latency, event->latency_ms);
        histogram_add(&sums->latency_sketch, event->latency_ms);
    }
}

struct text exact_encoded(struct arena *arena, const struct exact_sum *sum)
{
    struct buf bytes = {0};
    exact_encode(&bytes, sum);
    struct text text = {arena_text(arena, bytes.data, bytes.length),
                        bytes.length};
    buf_free(&bytes);
    return text;
}

struct text sketch_encoded(struct arena *arena, const struct histogram *sketch)
{
    if (!sketch->count)
        return (struct text){NULL, 0};
    struct buf bytes = {0};
    histogram_encode(&bytes, sketch);
    struct text text = {arena_text(arena, bytes.data, bytes.length),
                        bytes.length};
    buf_free(&bytes);
    return text;
}

static void finish_hour(struct arena *arena, struct hour_row *hour,
                        struct hour_sums *sums)
{
    hour->fps_sum = exact_encoded(arena, &sums->fps);
    hour->latency_sum = exact_encoded(arena, &sums->latency);
    hour->fps_squares = exact_encoded(arena, &sums->fps_squares);
    hour->fps_sketch = sketch_encoded(arena, &sums->fps_sketch);
    hour->latency_sketch = sketch_encoded(arena, &sums->latency_sketch);
}

/* Events come sorted by time, so an hour's samples stand together. */
struct hour_row *hours_gather(struct arena *arena, const struct lens *lens,
                              struct text org, struct text session_key,
                              const struct session_event *events,
                              size_t event_count, size_t *hour_count)
{
    struct hour_sums sums = {0};
    struct hour_row *hours = NULL;
    size_t count = 0;
    for (size_t i = 0; i < event_count; i++) {
        if (events[i].family != FAMILY_STREAM_STATUS)
            continue;
        int64_t start = clock_hour_start(events[i].ts);
        if (!count || hours[count - 1].hour != start) {
            if (count)
                finish_hour(arena, &hours[count - 1], &sums);
            sums = hour_sums_of(arena);
            hours = arena_grow(arena, hours, count, sizeof *hours);
            hours[count++] = (struct hour_row){
                .org = org, .hour = start, .session_key = session_key};
        }
        note_sample(lens, &hours[count - 1], &sums, &events[i]);
    }
    if (count)
        finish_hour(arena, &hours[count - 1], &sums);
    *hour_count = count;
    return hours;
}

/* How many of PASSES had begun by the time of HOUR: the last of them owns it.
 */
static size_t passes_until(const struct session_pass *passes, size_t pass_count,
                           int64_t hour)
{
    size_t count = 0;
    while (count < pass_count && passes[count].start <= hour)
        count++;
    return count;
}

static void place_hour(struct arena *arena, struct hour_row *hour,
                       const struct session_row *session,
                       const struct session_pass *passes, size_t owned)
{
    struct selection_row decision;
    bool selected = session_decision(passes, owned, &decision);
    struct hint hint =
        session_hint(arena, session, selected ? &decision : NULL);
    bool whole = !owned || passes[owned - 1].start == INT64_MIN;
    hour->day = whole ? 0 : passes[owned - 1].start;
    hour->orchestrator_address =
        selected ? decision.orchestrator_address : text_of("");
    hour->pipeline_id = hint.pipeline;
    hour->model_id = hint.model.length ? hint.model : (struct text){NULL, 0};
}

static bool is_idle(const struct hour_row *hour)
{
    return !hour->fps_positive_samples && !hour->running_samples &&
           hour->status_samples < TAIL_SAMPLES;
}

/* BEFORE is the session's previous row, null for none in reach. By the switch
 * tail_artefact_kept no hour is a tail: who left a stream without output for
 * its last minutes answers for them as for any other hour. */
static bool is_tail(const struct lens *lens, const struct hour_row *hour,
                    const struct hour_row *before,
                    const struct session_row *session)
{
    return !lens_has(lens, LENS_TAIL_ARTEFACT_KEPT) &&
           session->started_at != ABSENT_INT &&
           session->started_at < hour->hour &&
           session->last_seen >= hour->hour &&
           session->last_seen < hour->hour + MS_PER_HOUR && is_idle(hour) &&
           (!before || is_idle(before));
}

/* The previous row counts only from one hour before the pass (§11.3). */
static const struct hour_row *row_before(const struct hour_row *hours, size_t i,
                                         int64_t pass_start)
{
    if (!i || (pass_start != INT64_MIN &&
               hours[i - 1].hour < pass_start - MS_PER_HOUR))
        return NULL;
    return &hours[i - 1];
}

/*
 * The switch session_counted_once (published metrics §3.1): the flags and
 * latencies of a session's whole life count in the first hour that counts at
 * all, not in each; its samples in all of them. The publisher's demand counts a
 * session once, too, in the hour of its start.
 */
static void count_once(const struct lens *lens, struct hour_row *hours,
                       size_t count)
{
    bool once = lens_has(lens, LENS_SESSION_COUNTED_ONCE);
    bool counted = false;
    for (size_t i = 0; i < count; i++) {
        hours[i].counts_session =
            !once || (!counted && !hours[i].tail_artefact);
        counted |= hours[i].counts_session != 0;
    }
}

void hours_place(struct arena *arena, const struct lens *lens,
                 const struct session_row *session,
                 const struct session_pass *passes, size_t pass_count,
                 struct hour_row *hours, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        size_t owned = passes_until(passes, pass_count, hours[i].hour);
        place_hour(arena, &hours[i], session, passes, owned);
        int64_t start = owned ? passes[owned - 1].start : INT64_MIN;
        hours[i].tail_artefact =
            is_tail(lens, &hours[i], row_before(hours, i, start), session);
        hours[i].card = card_unknown;
        hours[i].fps_jitter = lens_is_assay(lens)
                                  ? hour_fps_jitter(arena, &hours[i])
                                  : (double)NAN;
    }
    count_once(lens, hours, count);
}
