/*
 * session_sum.c: what runs of a session's events add up to (see session.h).
 *
 * Of the facts counts are added, of first values the earlier stays, of last
 * values the later: events come sorted by (ts, id), and so do runs. Hours and
 * samples by gateway meet only where one run ends in the hour in which the next
 * one begins; their sums are exact, so that no cut changes a byte.
 */
#include "rollup/session.h"

#include "base/clock.h"
#include "rollup/sketch.h"

#include <string.h>

#define FACT(member) offsetof(struct session_row, member)
#define COUNT_OF(array) (sizeof(array) / sizeof *(array))

static const size_t counts[] = {
    FACT(started_count),
    FACT(playable_count),
    FACT(no_orch_count),
    FACT(completed_count),
    FACT(swap_count),
    FACT(status_samples),
    FACT(online_samples),
    FACT(running_samples),
    FACT(loading_samples),
    FACT(fps_positive_samples),
    FACT(degraded_input_samples),
    FACT(degraded_inference_samples),
    FACT(error_samples),
    FACT(startup_error_count),
    FACT(excusable_error_count),
};

static const size_t firsts[] = {
    FACT(started_at),
    FACT(first_processed_at),
    FACT(few_processed_at),
    FACT(first_ingest_at),
    FACT(runner_first_processed_at),
    FACT(status_start_time),
    FACT(first_loading_at),
    FACT(first_output_at),
};

/* "" where the run has none; only a session event has the last three. */
static const size_t last_texts[] = {
    FACT(gateway),    FACT(status_hint), FACT(trace_hint),
    FACT(event_hint), FACT(stream_id),   FACT(request_id),
};

static int64_t *number_at(struct session_row *row, size_t offset)
{
    return (int64_t *)(void *)((char *)row + offset);
}

static int64_t number_of(const struct session_row *row, size_t offset)
{
    return *(const int64_t *)(const void *)((const char *)row + offset);
}

static struct text text_at(const struct session_row *row, size_t offset)
{
    return *(const struct text *)(const void *)((const char *)row + offset);
}

/* ---- facts --------------------------------------------------------------- */

static bool is_earlier(int64_t first, int64_t than)
{
    return first != ABSENT_INT && (than == ABSENT_INT || first < than);
}

static void append_facts(struct arena *arena, struct session_row *row,
                         const struct session_row *next)
{
    for (size_t i = 0; i < COUNT_OF(counts); i++)
        *number_at(row, counts[i]) += number_of(next, counts[i]);
    for (size_t i = 0; i < COUNT_OF(firsts); i++) {
        int64_t first = number_of(next, firsts[i]);
        if (is_earlier(first, number_of(row, firsts[i])))
            *number_at(row, firsts[i]) = first;
    }
    bool is_seen = next->last_seen != ABSENT_INT;
    if (is_seen)
        row->last_seen = next->last_seen;
    for (size_t i = 0; i < COUNT_OF(last_texts); i++) {
        struct text last = text_at(next, last_texts[i]);
        bool names = last_texts[i] == FACT(stream_id) ||
                     last_texts[i] == FACT(request_id);
        if (names ? is_seen : last.length > 0)
            *(struct text *)(void *)((char *)row + last_texts[i]) =
                text_kept(arena, last);
    }
}

/* ---- hours --------------------------------------------------------------- */

static void add_encoded(struct exact_sum *sum, struct text encoded)
{
    struct exact_sum other = {.arena = sum->arena};
    /* It was encoded in this process, a moment ago. */
    if (exact_decode(&other, encoded))
        exact_add_sum(sum, &other);
}

static struct text both(struct arena *arena, struct text a, struct text b)
{
    struct exact_sum sum = {.arena = arena};
    add_encoded(&sum, a);
    add_encoded(&sum, b);
    return exact_encoded(arena, &sum);
}

static struct text both_sketches(struct arena *arena, struct text a,
                                 struct text b)
{
    struct histogram all = {.arena = arena};
    struct histogram scratch = {.arena = arena};
    sketch_merge(&all, a, &scratch);
    sketch_merge(&all, b, &scratch);
    return sketch_encoded(arena, &all);
}

static void join_hours(struct arena *arena, struct hour_row *hour,
                       const struct hour_row *more)
{
    hour->status_samples += more->status_samples;
    hour->fps_positive_samples += more->fps_positive_samples;
    hour->running_samples += more->running_samples;
    hour->error_samples += more->error_samples;
    hour->latency_samples += more->latency_samples;
    hour->fps_square_samples += more->fps_square_samples;
    hour->fps_sum = both(arena, hour->fps_sum, more->fps_sum);
    hour->latency_sum = both(arena, hour->latency_sum, more->latency_sum);
    hour->fps_squares = both(arena, hour->fps_squares, more->fps_squares);
    hour->fps_sketch = both_sketches(arena, hour->fps_sketch, more->fps_sketch);
    hour->latency_sketch =
        both_sketches(arena, hour->latency_sketch, more->latency_sketch);
}

static void append_hours(struct arena *arena, struct session_sum *sum,
                         const struct session_sum *next)
{
    for (size_t i = 0; i < next->hour_count; i++) {
        const struct hour_row *more = &next->hours[i];
        size_t count = sum->hour_count;
        if (count && sum->hours[count - 1].hour == more->hour) {
            join_hours(arena, &sum->hours[count - 1], more);
            continue;
        }
        sum->hours = arena_grow(arena, sum->hours, count, sizeof *sum->hours);
        sum->hours[count] = *more;
        sum->hours[count].fps_sum = text_kept(arena, more->fps_sum);
        sum->hours[count].latency_sum = text_kept(arena, more->latency_sum);
        sum->hours[count].fps_squares = text_kept(arena, more->fps_squares);
        sum->hours[count].fps_sketch = text_kept(arena, more->fps_sketch);
        sum->hours[count].latency_sketch =
            text_kept(arena, more->latency_sketch);
        sum->hours[count].org = sum->facts.org;
        sum->hours[count].session_key = sum->facts.session_key;
        sum->hour_count++;
    }
}

/* ---- gateways ------------------------------------------------------------ */

static int compare_gateways(const struct gateway_hour_row *a,
                            const struct gateway_hour_row *b)
{
    if (a->hour != b->hour)
        return a->hour < b->hour ? -1 : 1;
    return text_compare(a->gateway, b->gateway);
}

static struct gateway_hour_row keep_gateway(struct arena *arena,
                                            const struct session_sum *sum,
                                            const struct gateway_hour_row *row)
{
    struct gateway_hour_row copy = *row;
    copy.org = sum->facts.org;
    copy.session_key = sum->facts.session_key;
    copy.gateway = text_kept(arena, row->gateway);
    copy.fps_sum = text_kept(arena, row->fps_sum);
    return copy;
}

static void join_gateways(struct arena *arena, struct gateway_hour_row *row,
                          const struct gateway_hour_row *more)
{
    row->status_samples += more->status_samples;
    row->fps_positive_samples += more->fps_positive_samples;
    row->fps_sum = both(arena, row->fps_sum, more->fps_sum);
}

/* Two sorted lists into one; only the rows of one hour are in both. */
static void append_gateways(struct arena *arena, struct session_sum *sum,
                            const struct session_sum *next)
{
    size_t room = sum->gateway_count + next->gateway_count;
    struct gateway_hour_row *rows = arena_array(arena, room, sizeof *rows);
    size_t a = 0;
    size_t b = 0;
    size_t count = 0;
    if (!next->gateway_count)
        return;
    while (a < sum->gateway_count || b < next->gateway_count) {
        int order =
            a == sum->gateway_count ? 1
            : b == next->gateway_count
                ? -1
                : compare_gateways(&sum->gateways[a], &next->gateways[b]);
        struct gateway_hour_row *row = &rows[count++];
        if (order > 0) {
            *row = keep_gateway(arena, sum, &next->gateways[b++]);
            continue;
        }
        *row = sum->gateways[a++];
        if (!order)
            join_gateways(arena, row, &next->gateways[b++]);
    }
    sum->gateways = rows;
    sum->gateway_count = count;
}

/* ---- days ---------------------------------------------------------------- */

static void add_day(struct arena *arena, struct session_sum *sum, int64_t day)
{
    size_t count = sum->day_count;
    if (count && sum->days[count - 1] == day)
        return;
    sum->days = arena_grow(arena, sum->days, count, sizeof *sum->days);
    sum->days[sum->day_count++] = day;
}

struct session_pass *passes_by_day(struct arena *arena,
                                   const struct session_sum *sum,
                                   const struct selection_row *selections,
                                   size_t selection_count, size_t *count)
{
    struct session_pass *passes =
        arena_array(arena, sum->day_count, sizeof *passes);
    size_t next = 0;
    *count = sum->day_count;
    for (size_t i = 0; i < sum->day_count; i++) {
        int64_t day = sum->days[i];
        while (next < selection_count && selections[next].day < day)
            next++;
        passes[i].start = day;
        passes[i].selections = selections + next;
        while (next < selection_count && selections[next].day == day) {
            passes[i].selection_count++;
            next++;
        }
    }
    return passes;
}

/* ---- swaps --------------------------------------------------------------- */

static void add_swap(struct arena *arena, struct session_sum *sum, int64_t ts,
                     struct text event_id)
{
    sum->swaps = arena_grow(arena, sum->swaps, sum->swap_trace_count,
                            sizeof *sum->swaps);
    sum->swaps[sum->swap_trace_count++] = (struct swap_trace){ts, event_id};
}

static void append_swaps(struct arena *arena, struct session_sum *sum,
                         const struct session_sum *next)
{
    for (size_t i = 0; i < next->swap_trace_count; i++)
        add_swap(arena, sum, next->swaps[i].ts,
                 text_kept(arena, next->swaps[i].event_id));
}

/* ---- sums ---------------------------------------------------------------- */

struct session_sum session_sum_of(struct arena *arena, const struct lens *lens,
                                  struct text org, struct text session_key,
                                  const struct session_event *events,
                                  size_t event_count)
{
    struct session_sum sum = session_sum_none(org, session_key);
    facts_gather(&sum.facts, &sum.trace_gateway, events, event_count);
    sum.hours = hours_gather(arena, lens, org, session_key, events, event_count,
                             &sum.hour_count);
    sum.gateways = gateway_hours_build(arena, lens, &sum.facts, events,
                                       event_count, &sum.gateway_count);
    for (size_t i = 0; i < event_count; i++) {
        if (is_session_event(&events[i]))
            add_day(arena, &sum, clock_day_start(events[i].ts));
        if (events[i].family == FAMILY_STREAM_TRACE &&
            events[i].trace == TRACE_SWAP)
            add_swap(arena, &sum, events[i].ts, events[i].id);
    }
    return sum;
}

void session_sum_append(struct arena *arena, struct session_sum *sum,
                        const struct session_sum *next)
{
    append_facts(arena, &sum->facts, &next->facts);
    if (next->trace_gateway.length)
        sum->trace_gateway = text_kept(arena, next->trace_gateway);
    append_hours(arena, sum, next);
    append_gateways(arena, sum, next);
    for (size_t i = 0; i < next->day_count; i++)
        add_day(arena, sum, next->days[i]);
    append_swaps(arena, sum, next);
}

struct session_sum session_sum_copy(struct arena *arena,
                                    const struct session_sum *sum)
{
    struct session_sum copy =
        session_sum_none(text_kept(arena, sum->facts.org),
                         text_kept(arena, sum->facts.session_key));
    session_sum_append(arena, &copy, sum);
    return copy;
}
