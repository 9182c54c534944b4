/*
 * Expected values were worked out by hand from the definitions.
 */
#include "probe/measure.h"

#include "harness.h"

#include <math.h>

static struct arena arena;

enum { MS = 1000, SECOND = 1000000, STEP = 3750 };

static bool near(double got, double wanted, double tolerance)
{
    return fabs(got - wanted) <= tolerance;
}

static struct frame_stamps stamps_at(const int64_t *at_us, size_t count)
{
    struct frame_stamps stamps = {0};
    for (size_t i = 0; i < count; i++)
        frame_stamps_add(&stamps, at_us[i], (int64_t)i * STEP);
    return stamps;
}

/* Deterministic noise from -1 to 1. */
static double noise(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return (double)(*state >> 8) / (double)(1 << 23) - 1;
}

TEST(rates_and_jitter_follow_their_definitions)
{
    static const struct {
        int64_t at_us[6];
        size_t count;
        double fps, jitter_interval, jitter_fps, freeze_ms;
    } rows[] = {
        {{0}, 0, NAN, NAN, NAN, NAN},
        {{5}, 1, NAN, NAN, NAN, NAN},
        {{5, 5}, 2, NAN, NAN, NAN, 0},
        {{5, 5, 5}, 3, NAN, NAN, NAN, 0},
        {{7 * MS, 57 * MS}, 2, 20, NAN, NAN, 50},
        {{0, 10 * MS, 30 * MS, 60 * MS}, 4, 50, 0.408248, NAN, 30},
        {{0, SECOND, 2 * SECOND}, 3, 1, 0, 0, 1000},
        {{9, 9 + SECOND / 2, 9 + 3 * SECOND},
         3,
         2.0 / 3,
         0.666667,
         0.565685,
         2500},
        {{0, 500 * MS, 1250 * MS, 1750 * MS, 3000 * MS},
         5,
         4.0 / 3,
         0.408248,
         0.285774,
         1250},
    };
    EACH_ROW (row, rows) {
        struct frame_stamps stamps = stamps_at(row->at_us, row->count);
        double got[] = {measure_fps(&stamps), measure_jitter_interval(&stamps),
                        measure_jitter_fps(&stamps),
                        measure_freeze_ms(&stamps)};
        double wanted[] = {row->fps, row->jitter_interval, row->jitter_fps,
                           row->freeze_ms};
        for (size_t i = 0; i < 4; i++)
            CHECK(isnan(wanted[i]) ? isnan(got[i])
                                   : near(got[i], wanted[i], 1e-6));
        frame_stamps_free(&stamps);
    }
}

TEST(a_second_counts_the_part_of_an_interval_that_lies_in_it)
{
    static const int64_t at_us[] = {100 * MS, 600 * MS, 1350 * MS, 1850 * MS,
                                    3100 * MS};
    static const int64_t frozen[] = {0, 250 * MS, 500 * MS, 3000 * MS};
    double rates[8];
    struct frame_stamps stamps = stamps_at(at_us, 5);
    REQUIRE(measure_seconds(&stamps, rates, 8) == 3);
    CHECK(near(rates[0], 1.666667, 1e-6));
    CHECK(near(rates[1], 1.533333, 1e-6));
    CHECK(near(rates[2], 0.8, 1e-6));
    CHECK_EQ_INT(measure_seconds(&stamps, rates, 2), 2);
    frame_stamps_free(&stamps);
    stamps = stamps_at(frozen, 4);
    REQUIRE(measure_seconds(&stamps, rates, 8) == 3);
    CHECK(near(rates[0], 2.2, 1e-6));
    CHECK(near(rates[1], 0.4, 1e-6));
    CHECK(near(rates[2], 0.4, 1e-6));
    frame_stamps_free(&stamps);
}

/* The bound that the instrument promises, with a machine's noise on it. */
TEST(a_steady_stream_shows_no_jitter_per_second)
{
    static const double rates[] = {24, 23.976, 15, 30, 60, 12.5};
    EACH_ROW (rate, rates) {
        struct frame_stamps stamps = {0};
        uint32_t state = 7;
        for (int i = 0; i < 30 * *rate; i++)
            frame_stamps_add(
                &stamps,
                (int64_t)(i * SECOND / *rate + 1000 * noise(&state)) + SECOND,
                NO_STAMP);
        CHECK(near(measure_fps(&stamps), *rate, *rate * 0.001));
        CHECK(measure_jitter_fps(&stamps) < 0.005);
        frame_stamps_free(&stamps);
    }
}

TEST(memory_is_bounded_and_what_is_beyond_is_counted)
{
    struct frame_stamps stamps = {0};
    enum { FRAMES = FRAME_STAMPS_MAX + 1000 };
    for (int64_t i = 0; i < FRAMES; i++)
        frame_stamps_add(&stamps, i * 10 * MS, i);
    CHECK_EQ_INT(stamps.total, FRAMES);
    CHECK_EQ_INT(stamps.count, FRAME_STAMPS_MAX);
    CHECK_EQ_INT(stamps.capacity, FRAME_STAMPS_MAX);
    CHECK_EQ_INT(stamps.last_us, (FRAME_STAMPS_MAX - 1) * 10 * MS);
    CHECK_EQ_INT(stamps.newest_us, (FRAMES - 1) * 10 * MS);
    CHECK(near(measure_fps(&stamps), 100, 1e-9));
    frame_stamps_free(&stamps);
}

/* ---- latency ------------------------------------------------------------- */

/* What a runner does with 48 frames that are sent from timestamp FIRST on. */
struct runner {
    int64_t first; /* of the timestamps sent */
    int every;     /* output for each so many-th input */
    int64_t latency_us;
    int64_t added_us; /* more for each frame */
    int64_t shift;    /* of timestamps */
    int64_t step;     /* of timestamps of its own; 0 where it keeps ours */
    int rounding;     /* to so many ticks */
    int repeats;      /* of each frame */
    int without;      /* a timestamp: each so many-th; 0 for none */
};

static void play(const struct runner *runner, struct frame_stamps *sent,
                 struct frame_stamps *received)
{
    const int64_t mask = ((int64_t)1 << 33) - 1;
    int outputs = 0;
    for (int i = 0; i < 48; i++) {
        int64_t sent_us = i * (int64_t)SECOND / 24;
        int64_t pts = runner->first + i * STEP;
        frame_stamps_add(sent, sent_us, pts);
        if (i % runner->every)
            continue;
        if (runner->step)
            pts = outputs * runner->step;
        if (runner->rounding)
            pts = pts / runner->rounding * runner->rounding;
        pts = (pts + runner->shift) & mask;
        for (int k = 0; k <= runner->repeats; k++, outputs++)
            frame_stamps_add(
                received,
                sent_us + runner->latency_us + outputs * runner->added_us + k,
                runner->without && outputs % runner->without == 0 ? NO_STAMP
                                                                  : pts);
    }
}

TEST(frames_are_matched_by_timestamps_that_a_runner_keeps)
{
    const int64_t wrap = (int64_t)1 << 33;
    const struct {
        struct runner runner;
        size_t matched;
        double p50_ms, p95_ms, p99_ms;
    } rows[] = {
        {{.first = 777, .every = 1, .latency_us = 200 * MS}, 48, 200, 200, 200},
        {{.first = 777, .every = 2, .latency_us = 200 * MS}, 24, 200, 200, 200},
        /* Latencies 100, 101, ... 147 ms: ranks 23, 44 and 46. */
        {{.first = 9, .every = 1, .latency_us = 100 * MS, .added_us = MS},
         48,
         123,
         144,
         146},
        {{.first = wrap - 5 * STEP, .every = 1, .latency_us = MS}, 48, 1, 1, 1},
        /* Counted in milliseconds on the way. */
        {{.first = 40, .every = 3, .latency_us = MS, .rounding = 45},
         16,
         1,
         1,
         1},
        /* Each twice: the first arrival counts. */
        {{.first = 5, .every = 2, .latency_us = 7 * MS, .repeats = 1},
         24,
         7,
         7,
         7},
        /* A few without any. */
        {{.first = 5, .every = 1, .latency_us = 7 * MS, .without = 12},
         44,
         7,
         7,
         7},
    };
    EACH_ROW (row, rows) {
        struct frame_stamps sent = {0};
        struct frame_stamps received = {0};
        play(&row->runner, &sent, &received);
        struct latency got = measure_latency(&arena, &sent, &received);
        CHECK_EQ_INT(got.reason, LATENCY_MEASURED);
        CHECK_EQ_INT(got.matched, row->matched);
        CHECK(near(got.p50_ms, row->p50_ms, 1e-9));
        CHECK(near(got.p95_ms, row->p95_ms, 1e-9));
        CHECK(near(got.p99_ms, row->p99_ms, 1e-9));
        frame_stamps_free(&sent);
        frame_stamps_free(&received);
    }
    arena_free(&arena);
}

TEST(timestamps_that_say_nothing_give_a_reason_and_no_figure)
{
    static const struct {
        struct runner runner;
        const char *reason;
    } rows[] = {
        {{.first = 777, .every = 60}, "no_output"}, /* one frame */
        {{.first = 777, .every = 1, .without = 1}, "no_timestamps"},
        {{.first = 777, .every = 1, .shift = 126000 + 19},
         "timestamps_shifted"},
        {{.first = 777, .every = 3, .shift = 1 << 30}, "timestamps_shifted"},
        {{.first = 777, .every = 1, .step = 3000}, "timestamps_renewed"},
        {{.first = 777, .every = 2, .step = 6000, .shift = 99},
         "timestamps_renewed"},
        /* Half a second in the future: these are not ours. */
        {{.first = 777, .every = 1, .shift = 12 * STEP}, "timestamps_shifted"},
    };
    EACH_ROW (row, rows) {
        struct frame_stamps sent = {0};
        struct frame_stamps received = {0};
        play(&row->runner, &sent, &received);
        struct latency got = measure_latency(&arena, &sent, &received);
        CHECK_EQ_TEXT(latency_reason_name(got.reason), row->reason);
        CHECK(isnan(got.p50_ms) && isnan(got.p95_ms) && isnan(got.p99_ms));
        frame_stamps_free(&sent);
        frame_stamps_free(&received);
    }
    arena_free(&arena);
}

TEST(timestamps_that_leap_or_stand_still_match_nothing)
{
    static const int64_t leaps[] = {0, INT64_MAX, (int64_t)1 << 32,
                                    -((int64_t)1 << 40) + 5, 1000};
    EACH_ROW (leap, leaps) {
        struct frame_stamps sent = {0};
        struct frame_stamps received = {0};
        for (int64_t i = 0; i < 20; i++) {
            frame_stamps_add(&sent, i * MS, i * STEP);
            frame_stamps_add(&received, i * MS, i % 2 ? *leap : 0);
        }
        struct latency got = measure_latency(&arena, &sent, &received);
        CHECK(got.reason != LATENCY_MEASURED);
        frame_stamps_free(&sent);
        frame_stamps_free(&received);
    }
    arena_free(&arena);
}

/* ---- the whole ----------------------------------------------------------- */

TEST(a_run_has_the_figures_of_its_stamps)
{
    struct live_stamps stamps;
    struct run run = run_empty();
    struct runner runner = {.first = 5000, .every = 2, .latency_us = 90 * MS};
    live_stamps_init(&stamps);
    play(&runner, &stamps.sent, &stamps.received);
    stamps.request_us = -750 * MS; /* sending begins at 0 */
    stamps.accepted_us = -500 * MS;
    stamps.first_segment_sent_us = 2000 * MS;
    stamps.first_segment_received_us = 2200 * MS;
    measure_live(&arena, &stamps, &run);
    CHECK(near(run.startup_ms, 250, 1e-9));
    CHECK(near(run.ptff_ms, 840, 1e-9));
    CHECK(isnan(run.playable_ms));
    CHECK(near(run.first_segment_ms, 200, 1e-9));
    CHECK(near(run.output_fps, 12, 1e-4));
    CHECK(near(run.input_fps, 24, 1e-4));
    CHECK(near(run.freeze_ms, 83.334, 1e-9));
    CHECK(run.jitter_interval < 1e-4);
    CHECK(isnan(run.jitter_fps)); /* not two whole seconds */
    CHECK(near(run.e2e_p50_ms, 90, 1e-9));
    CHECK(!run.e2e_reason.data);
    CHECK_EQ_INT(run.frames_in, 48);
    CHECK_EQ_INT(run.frames_out, 24);
    live_stamps_free(&stamps);
    arena_free(&arena);
}

TEST(a_run_without_output_has_none)
{
    struct live_stamps stamps;
    struct run run = run_empty();
    live_stamps_init(&stamps);
    stamps.request_us = 10;
    stamps.first_segment_sent_us = 40;
    stamps.first_segment_received_us = 30; /* before: not of this input */
    measure_live(&arena, &stamps, &run);
    CHECK(isnan(run.startup_ms) && isnan(run.ptff_ms));
    CHECK(isnan(run.first_segment_ms) && isnan(run.output_fps));
    CHECK(isnan(run.input_fps) && isnan(run.freeze_ms));
    CHECK(text_is(run.e2e_reason, "no_output"));
    CHECK_EQ_INT(run.frames_in, 0);
    CHECK_EQ_INT(run.frames_out, 0);
    live_stamps_free(&stamps);
    arena_free(&arena);
}

TEST(raw_samples_are_stamps_and_timestamps_since_the_request)
{
    struct live_stamps stamps;
    struct sample_series series[LIVE_SERIES_COUNT];
    live_stamps_init(&stamps);
    stamps.request_us = 1000;
    frame_stamps_add(&stamps.sent, 1500, 7);
    frame_stamps_add(&stamps.sent, 1700, 3757);
    frame_stamps_add(&stamps.received, 3000, NO_STAMP);
    frame_stamps_add(&stamps.received, 3100, 7);
    frame_stamps_add(&stamps.received, 3300, 1);
    live_series(&arena, &stamps, series);
    static const struct {
        const char *name;
        size_t count;
        int64_t values[3];
    } rows[] = {{"sent_us", 2, {500, 700}},
                {"sent_pts", 2, {7, 3757}},
                {"received_us", 3, {2000, 2100, 2300}},
                {"received_pts", 3, {-1, 7, 1}}};
    EACH_ROW (row, rows) {
        const struct sample_series *got = &series[row - rows];
        CHECK_EQ_TEXT(got->name, row->name);
        REQUIRE(got->count == row->count);
        CHECK_EQ_MEMORY(got->values, row->values,
                        row->count * sizeof *row->values);
    }
    live_stamps_free(&stamps);
    arena_free(&arena);
}
