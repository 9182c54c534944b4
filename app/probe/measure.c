/*
 * measure.c: see measure.h.
 */
#include "probe/measure.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define WRAP ((int64_t)1 << 33)

enum {
    US_PER_SECOND = 1000000,
    US_PER_MS = 1000,
    FIRST_CAPACITY = 64,
    MATCH_TICKS = 45, /* half a millisecond */
    REPEATS_MAX = 4   /* output frames for each input frame, on average */
};

/* ---- keeping stamps ------------------------------------------------------ */

static void grow(struct frame_stamps *stamps)
{
    if (stamps->count < stamps->capacity)
        return;
    stamps->capacity =
        stamps->capacity ? stamps->capacity * 2 : (size_t)FIRST_CAPACITY;
    size_t bytes = stamps->capacity * sizeof(int32_t);
    stamps->gaps_us = memory_resize(stamps->gaps_us, bytes);
    stamps->gaps_pts = memory_resize(stamps->gaps_pts, bytes);
}

static int32_t gap_us(int64_t from, int64_t to)
{
    return to - from > INT32_MAX ? INT32_MAX : (int32_t)(to - from);
}

/* From the last timestamp that was given, the short way around the wrap; 0 for
 * the first one given. */
static int32_t gap_pts(struct frame_stamps *stamps, int64_t pts)
{
    if (pts == NO_STAMP)
        return INT32_MIN;
    if (stamps->first_pts == NO_STAMP) {
        stamps->first_pts = stamps->last_pts = pts;
        return 0;
    }
    uint64_t ahead = (uint64_t)pts - (uint64_t)stamps->last_pts;
    int64_t gap = (int64_t)(ahead % (uint64_t)WRAP);
    if (gap >= WRAP / 2)
        gap -= WRAP;
    if (gap > INT32_MAX || gap <= INT32_MIN)
        return INT32_MIN;
    stamps->last_pts += gap;
    return (int32_t)gap;
}

void frame_stamps_add(struct frame_stamps *stamps, int64_t at_us, int64_t pts)
{
    if (stamps->total++ == 0) {
        stamps->first_us = stamps->last_us = at_us;
        stamps->first_pts = NO_STAMP;
    }
    stamps->newest_us = at_us;
    if (stamps->count == FRAME_STAMPS_MAX)
        return;
    grow(stamps);
    stamps->gaps_us[stamps->count] = gap_us(stamps->last_us, at_us);
    stamps->gaps_pts[stamps->count] = gap_pts(stamps, pts);
    stamps->last_us = at_us;
    stamps->count++;
}

void frame_stamps_free(struct frame_stamps *stamps)
{
    free(stamps->gaps_us);
    free(stamps->gaps_pts);
    *stamps = (struct frame_stamps){0};
}

/* ---- rates and jitter ---------------------------------------------------- */

double measure_fps(const struct frame_stamps *stamps)
{
    int64_t span_us = stamps->last_us - stamps->first_us;
    if (stamps->count < 2 || span_us <= 0)
        return (double)NAN;
    return (double)(stamps->count - 1) * US_PER_SECOND / (double)span_us;
}

/* sigma / mu over the population. Two passes: no cancellation. */
static double coefficient(const double *values, size_t count)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += values[i];
    double mean = sum / (double)count;
    double squares = 0;
    for (size_t i = 0; i < count; i++)
        squares += (values[i] - mean) * (values[i] - mean);
    if (count < 2 || !(mean > 0))
        return (double)NAN;
    return sqrt(squares / (double)count) / mean;
}

size_t measure_seconds(const struct frame_stamps *stamps, double *rates,
                       size_t max)
{
    size_t seconds = 0;
    int64_t edge_us = US_PER_SECOND; /* since the first frame */
    int64_t before_us = 0;           /* the arrival before */
    double counted = 0;              /* frames up to the last edge */
    for (size_t i = 1; i < stamps->count; i++) {
        int64_t gap = stamps->gaps_us[i];
        for (; edge_us <= before_us + gap && seconds < max;
             edge_us += US_PER_SECOND) {
            double share = (double)(edge_us - before_us) / (double)gap;
            double frames = (double)(i - 1) + share;
            rates[seconds++] = frames - counted;
            counted = frames;
        }
        before_us += gap;
    }
    return seconds;
}

double measure_jitter_fps(const struct frame_stamps *stamps)
{
    double rates[MEASURE_SECONDS_MAX];
    return coefficient(rates,
                       measure_seconds(stamps, rates, MEASURE_SECONDS_MAX));
}

double measure_jitter_interval(const struct frame_stamps *stamps)
{
    if (stamps->count < 3)
        return (double)NAN;
    size_t count = stamps->count - 1;
    double mean = (double)(stamps->last_us - stamps->first_us) / (double)count;
    double squares = 0;
    for (size_t i = 1; i <= count; i++) {
        double apart = (double)stamps->gaps_us[i] - mean;
        squares += apart * apart;
    }
    return mean > 0 ? sqrt(squares / (double)count) / mean : (double)NAN;
}

double measure_freeze_ms(const struct frame_stamps *stamps)
{
    int32_t longest = 0;
    for (size_t i = 1; i < stamps->count; i++)
        if (stamps->gaps_us[i] > longest)
            longest = stamps->gaps_us[i];
    return stamps->count < 2 ? (double)NAN : (double)longest / US_PER_MS;
}

/* ---- latency ------------------------------------------------------------- */

const char *latency_reason_name(enum latency_reason reason)
{
    static const char *const names[] = {
        [LATENCY_MEASURED] = NULL,
        [LATENCY_NO_OUTPUT] = "no_output",
        [LATENCY_NO_TIMESTAMPS] = "no_timestamps",
        [LATENCY_TIMESTAMPS_SHIFTED] = "timestamps_shifted",
        [LATENCY_TIMESTAMPS_RENEWED] = "timestamps_renewed"};
    return names[reason];
}

/* The frames that were sent, in order of their timestamps since the first. */
struct sent_frames {
    int64_t first_pts;
    size_t count;
    int64_t *ticks; /* rising */
    int64_t *at_us;
    bool *returned;
};

static struct sent_frames list_sent(struct arena *arena,
                                    const struct frame_stamps *stamps)
{
    struct sent_frames sent = {
        .first_pts = stamps->first_pts,
        .ticks = arena_array(arena, stamps->count, sizeof *sent.ticks),
        .at_us = arena_array(arena, stamps->count, sizeof *sent.at_us),
        .returned = arena_array(arena, stamps->count, sizeof *sent.returned)};
    int64_t ticks = 0;
    int64_t at_us = stamps->first_us;
    for (size_t i = 0; i < stamps->count; i++) {
        at_us += stamps->gaps_us[i];
        if (stamps->gaps_pts[i] == INT32_MIN)
            continue;
        ticks += stamps->gaps_pts[i];
        if (sent.count && ticks <= sent.ticks[sent.count - 1])
            continue; /* ours rise; what does not is no frame of its own */
        sent.ticks[sent.count] = ticks;
        sent.at_us[sent.count++] = at_us;
    }
    return sent;
}

/* The frame nearest to TICKS, if it is near enough; else the count. */
static size_t find_sent(const struct sent_frames *sent, int64_t ticks)
{
    size_t low = 0;
    size_t high = sent->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (sent->ticks[middle] < ticks - MATCH_TICKS)
            low = middle + 1;
        else
            high = middle;
    }
    bool near = low < sent->count && sent->ticks[low] <= ticks + MATCH_TICKS;
    return near ? low : sent->count;
}

/* Timestamp PTS since the first one sent: from -MATCH_TICKS up to the wrap. */
static int64_t since_first(const struct sent_frames *sent, int64_t pts)
{
    uint64_t apart = (uint64_t)pts - (uint64_t)sent->first_pts + MATCH_TICKS;
    return (int64_t)(apart % (uint64_t)WRAP) - MATCH_TICKS;
}

/* Output frames held against input frames. */
struct matching {
    struct sent_frames sent;
    double *latencies_us;
    size_t matched; /* latencies: input frames that came back */
    size_t frames;  /* output frames of some input frame, repeats included */
    size_t stamped; /* output frames that have a timestamp */
    size_t shifted; /* of some input frame, if the first is of the first */
};

static void match_one(struct matching *matching, int64_t at_us, int64_t pts)
{
    struct sent_frames *sent = &matching->sent;
    size_t at = find_sent(sent, since_first(sent, pts));
    if (at == sent->count || at_us < sent->at_us[at])
        return;
    matching->frames++;
    if (sent->returned[at])
        return;
    sent->returned[at] = true;
    matching->latencies_us[matching->matched++] =
        (double)(at_us - sent->at_us[at]);
}

static struct matching match(struct arena *arena,
                             const struct frame_stamps *sent,
                             const struct frame_stamps *received)
{
    struct matching matching = {
        .sent = list_sent(arena, sent),
        .latencies_us = arena_array(arena, received->count, sizeof(double))};
    int64_t at_us = received->first_us;
    int64_t ticks = 0; /* since the first output frame */
    for (size_t i = 0; i < received->count; i++) {
        at_us += received->gaps_us[i];
        if (received->gaps_pts[i] == INT32_MIN)
            continue;
        ticks += received->gaps_pts[i];
        matching.stamped++;
        matching.shifted +=
            find_sent(&matching.sent, ticks) < matching.sent.count;
        match_one(&matching, at_us, received->first_pts + ticks);
    }
    return matching;
}

static bool nine_tenths(size_t part, size_t whole)
{
    return part * 10 >= whole * 9;
}

static enum latency_reason judge(const struct matching *matching,
                                 const struct frame_stamps *received)
{
    if (received->count < 2)
        return LATENCY_NO_OUTPUT;
    if (matching->stamped * 2 < received->count)
        return LATENCY_NO_TIMESTAMPS;
    if (nine_tenths(matching->frames, received->count) &&
        matching->matched * REPEATS_MAX >= matching->frames)
        return LATENCY_MEASURED;
    return nine_tenths(matching->shifted, matching->stamped)
               ? LATENCY_TIMESTAMPS_SHIFTED
               : LATENCY_TIMESTAMPS_RENEWED;
}

static int ascending(const void *a, const void *b)
{
    double left = *(const double *)a;
    double right = *(const double *)b;
    return (left > right) - (left < right);
}

static double quantile_ms(const struct matching *matching, double level)
{
    double rank = floor(level * (double)(matching->matched - 1));
    return matching->latencies_us[(size_t)rank] / US_PER_MS;
}

struct latency measure_latency(struct arena *arena,
                               const struct frame_stamps *sent,
                               const struct frame_stamps *received)
{
    struct matching matching = match(arena, sent, received);
    struct latency latency = {.reason = judge(&matching, received),
                              .p50_ms = (double)NAN,
                              .p95_ms = (double)NAN,
                              .p99_ms = (double)NAN};
    if (latency.reason != LATENCY_MEASURED)
        return latency;
    qsort(matching.latencies_us, matching.matched, sizeof(double), ascending);
    latency.matched = matching.matched;
    latency.p50_ms = quantile_ms(&matching, 0.5);
    latency.p95_ms = quantile_ms(&matching, 0.95);
    latency.p99_ms = quantile_ms(&matching, 0.99);
    return latency;
}

/* ---- the whole ----------------------------------------------------------- */

void live_stamps_init(struct live_stamps *stamps)
{
    *stamps = (struct live_stamps){.request_us = NO_STAMP,
                                   .accepted_us = NO_STAMP,
                                   .first_segment_sent_us = NO_STAMP,
                                   .first_segment_received_us = NO_STAMP,
                                   .third_segment_received_us = NO_STAMP};
}

void live_stamps_free(struct live_stamps *stamps)
{
    frame_stamps_free(&stamps->sent);
    frame_stamps_free(&stamps->received);
    live_stamps_init(stamps);
}

/* NaN where one did not happen, or the later one came first. */
static double between_ms(int64_t from_us, int64_t to_us)
{
    if (from_us == NO_STAMP || to_us == NO_STAMP || to_us < from_us)
        return (double)NAN;
    return (double)(to_us - from_us) / US_PER_MS;
}

void measure_live(struct arena *arena, const struct live_stamps *stamps,
                  struct run *run)
{
    const struct frame_stamps *received = &stamps->received;
    int64_t first_frame_us = received->count ? received->first_us : NO_STAMP;
    struct latency latency = measure_latency(arena, &stamps->sent, received);
    const char *reason = latency_reason_name(latency.reason);
    run->startup_ms = between_ms(stamps->request_us, stamps->accepted_us);
    run->ptff_ms = between_ms(stamps->request_us, first_frame_us);
    run->playable_ms =
        between_ms(stamps->request_us, stamps->third_segment_received_us);
    run->first_segment_ms = between_ms(stamps->first_segment_sent_us,
                                       stamps->first_segment_received_us);
    run->output_fps = measure_fps(received);
    run->jitter_interval = measure_jitter_interval(received);
    run->jitter_fps = measure_jitter_fps(received);
    run->freeze_ms = measure_freeze_ms(received);
    run->e2e_p50_ms = latency.p50_ms;
    run->e2e_p95_ms = latency.p95_ms;
    run->e2e_p99_ms = latency.p99_ms;
    run->e2e_reason = reason ? text_of(reason) : (struct text){NULL, 0};
    run->input_fps = measure_fps(&stamps->sent);
    run->frames_in = (int64_t)stamps->sent.total;
    run->frames_out = (int64_t)received->total;
}

/* Two series: stamps since ORIGIN_US, timestamps. */
static void list_series(struct arena *arena, const struct frame_stamps *stamps,
                        int64_t origin_us, struct sample_series *us,
                        struct sample_series *pts)
{
    int64_t *all_us = arena_array(arena, stamps->count, sizeof *all_us);
    int64_t *all_pts = arena_array(arena, stamps->count, sizeof *all_pts);
    int64_t at_us = stamps->first_us - origin_us;
    int64_t at_pts = stamps->first_pts;
    for (size_t i = 0; i < stamps->count; i++) {
        bool given = stamps->gaps_pts[i] != INT32_MIN;
        at_us += stamps->gaps_us[i];
        at_pts += given ? stamps->gaps_pts[i] : 0;
        all_us[i] = at_us;
        all_pts[i] = given ? at_pts : -1;
    }
    us->values = all_us;
    pts->values = all_pts;
    us->count = pts->count = stamps->count;
}

void live_series(struct arena *arena, const struct live_stamps *stamps,
                 struct sample_series series[LIVE_SERIES_COUNT])
{
    static const char *const names[LIVE_SERIES_COUNT] = {
        "sent_us", "sent_pts", "received_us", "received_pts"};
    int64_t origin_us = stamps->request_us == NO_STAMP ? 0 : stamps->request_us;
    for (size_t i = 0; i < LIVE_SERIES_COUNT; i++)
        series[i].name = names[i];
    list_series(arena, &stamps->sent, origin_us, &series[0], &series[1]);
    list_series(arena, &stamps->received, origin_us, &series[2], &series[3]);
}
