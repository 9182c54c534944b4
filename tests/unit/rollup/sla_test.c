#include "rollup/rollup.h"

#include "harness.h"

#include <math.h>
#include <string.h>

static struct arena arena;

#define HOUR INT64_C(1767906000000) /* 2026-01-08T21:00 */

static const char *string(struct text text)
{
    return text.data ? arena_text(&arena, text.data, text.length) : "null";
}

static struct text encoded(double value)
{
    struct exact_sum sum = {.arena = &arena};
    struct buf bytes = {0};
    exact_add(&sum, value);
    exact_encode(&bytes, &sum);
    struct text text = {arena_text(&arena, bytes.data, bytes.length),
                        bytes.length};
    buf_free(&bytes);
    return text;
}

/* A clean session of orchestrator 0x1 and its one hour. */
static struct session_row clean_session(void)
{
    struct session_row row = {.requested_seen = 1,
                              .playable_seen = 1,
                              .health_signal_count = 3,
                              .health_expected_signal_count = 3,
                              .startup_latency_ms = ABSENT_INT,
                              .e2e_latency_ms = ABSENT_INT,
                              .ptff_ms = ABSENT_INT};
    row.startup_outcome = text_of("success");
    row.excusal_reason = text_of("none");
    row.selection_outcome = text_of("selected");
    return row;
}

static struct hour_row clean_hour(void)
{
    struct hour_row row = {.hour = HOUR, .status_samples = 1};
    row.org = text_of("o");
    row.orchestrator_address = text_of("0x1");
    row.pipeline_id = text_of("live");
    row.model_id = text_of("m");
    row.fps_sum = encoded(10);
    row.latency_sum = encoded(0);
    return row;
}

static struct sla_row build_one(const struct session_row *session,
                                const struct hour_row *hour)
{
    const struct session_hour pair = {hour, session, NULL};
    size_t count;
    struct sla_row *rows = sla_build(&arena, &lens_published, &pair, 1, &count);
    REQUIRE(count == 1);
    return rows[0];
}

TEST(a_session_counts_by_its_flags)
{
    static const struct {
        const char *outcome;
        const char *excusal;
        const char *selection;
        int loading;
        int zero_fps;
        int swaps;
        int error;
        int success, no_orch, excused, failed, output_failed, effective,
            swapped;
    } rows[] = {
        {"success", "none", "selected", 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0},
        {"success", "none", "no_orch", 0, 0, 3, 1, 1, 1, 0, 0, 0, 0, 1},
        {"success", "none", "selected", 1, 0, 0, 0, 1, 0, 0, 0, 1, 1, 0},
        {"success", "none", "selected", 0, 1, 0, 0, 1, 0, 0, 0, 1, 1, 0},
        {"success", "none", "selected", 1, 1, 0, 0, 1, 0, 0, 0, 1, 1, 0},
        {"failed", "none", "unknown", 0, 0, 0, 0, 0, 0, 0, 1, 0, 1, 0},
        {"failed", "none", "unknown", 1, 1, 0, 0, 0, 0, 0, 1, 1, 1, 0},
        {"failed", "no_orch", "no_orch", 0, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0},
        {"failed", "excusable_error", "unknown", 1, 0, 0, 0, 0, 0, 1, 0, 1, 1,
         0},
    };
    EACH_ROW (row, rows) {
        struct session_row session = clean_session();
        struct hour_row hour = clean_hour();
        session.startup_outcome = text_of(row->outcome);
        session.excusal_reason = text_of(row->excusal);
        session.selection_outcome = text_of(row->selection);
        session.loading_only_session = row->loading;
        session.zero_output_fps_session = row->zero_fps;
        session.swap_count = row->swaps;
        session.error_seen = row->error;
        struct sla_row got = build_one(&session, &hour);
        CHECK_EQ_INT(got.known_sessions_count, 1);
        CHECK_EQ_INT(got.requested_sessions, 1);
        CHECK_EQ_INT(got.startup_success_sessions, row->success);
        CHECK_EQ_INT(got.no_orch_sessions, row->no_orch);
        CHECK_EQ_INT(got.startup_excused_sessions, row->excused);
        CHECK_EQ_INT(got.startup_failed_sessions, row->failed);
        CHECK_EQ_INT(got.loading_only_sessions, row->loading);
        CHECK_EQ_INT(got.zero_output_fps_sessions, row->zero_fps);
        CHECK_EQ_INT(got.output_failed_sessions, row->output_failed);
        CHECK_EQ_INT(got.effective_failed_sessions, row->effective);
        CHECK_EQ_INT(got.total_swapped_sessions, row->swapped);
        CHECK_EQ_INT(got.sessions_ending_in_error, row->error);
        CHECK_EQ_INT(got.confirmed_swapped_sessions, 0);
        CHECK_EQ_INT(got.inferred_swap_sessions, 0);
        CHECK_EQ_DOUBLE(got.startup_success_rate, row->success);
        CHECK_EQ_DOUBLE(got.excused_failure_rate, row->excused);
        CHECK_EQ_DOUBLE(got.effective_success_rate, 1 - row->effective);
        CHECK_EQ_DOUBLE(got.no_swap_rate, 1 - row->swapped);
        CHECK_EQ_DOUBLE(got.output_viability_rate, 1 - row->output_failed);
        /* Unrequested, it counts in none of these. */
        session.requested_seen = 0;
        got = build_one(&session, &hour);
        CHECK_EQ_INT(
            got.known_sessions_count + got.startup_success_sessions +
                got.no_orch_sessions + got.startup_excused_sessions +
                got.startup_failed_sessions + got.loading_only_sessions +
                got.zero_output_fps_sessions + got.output_failed_sessions +
                got.effective_failed_sessions + got.total_swapped_sessions +
                got.sessions_ending_in_error,
            0);
    }
    arena_free(&arena);
}

TEST(without_requests_the_rates_are_null_and_sums_are_not)
{
    struct session_row session = clean_session();
    struct hour_row hour = clean_hour();
    session.requested_seen = 0;
    session.health_expected_signal_count = 0;
    session.ptff_ms = 40;
    hour.error_samples = 2;
    struct sla_row row = build_one(&session, &hour);
    CHECK(isnan(row.startup_success_rate) && isnan(row.excused_failure_rate) &&
          isnan(row.effective_success_rate) && isnan(row.no_swap_rate) &&
          isnan(row.output_viability_rate));
    CHECK_EQ_DOUBLE(row.health_signal_coverage_ratio, 1);
    CHECK_EQ_INT(row.health_signal_count, 3);
    CHECK_EQ_INT(row.error_status_samples, 2);
    CHECK_EQ_DOUBLE(row.avg_output_fps, 10);
    CHECK_EQ_DOUBLE(row.avg_prompt_to_first_frame_ms, 40);
    CHECK(isnan(row.avg_e2e_latency_ms));
    arena_free(&arena);
}

TEST(latencies_count_once_an_hour_and_only_if_positive)
{
    static const struct {
        int64_t ptff;
        int64_t e2e;
        int samples; /* latency_ms samples in the hour */
        double sum;
        int ptff_n;
        double e2e_sum;
        int e2e_n;
    } rows[] = {
        {ABSENT_INT, ABSENT_INT, 0, 0, 0, 0, 0},
        {0, 0, 0, 0, 0, 0, 0},
        {1, 2, 0, 0, 1, 2, 1},
        {7, 5, 3, 61.5, 1, 61.5, 3},
        {7, ABSENT_INT, 3, 61.5, 1, 61.5, 3},
    };
    EACH_ROW (row, rows) {
        struct session_row session = clean_session();
        struct hour_row hour = clean_hour();
        session.ptff_ms = row->ptff;
        session.e2e_latency_ms = row->e2e;
        hour.latency_samples = row->samples;
        hour.latency_sum = encoded(row->sum);
        struct sla_row got = build_one(&session, &hour);
        CHECK_EQ_INT(got.prompt_to_first_frame_sample_count, row->ptff_n);
        CHECK_EQ_DOUBLE(got.prompt_to_first_frame_sum_ms,
                        row->ptff_n ? (double)row->ptff : 0);
        CHECK_EQ_INT(got.e2e_latency_sample_count, row->e2e_n);
        CHECK_EQ_DOUBLE(got.e2e_latency_sum_ms, row->e2e_sum);
        if (row->e2e_n)
            CHECK_EQ_DOUBLE(got.avg_e2e_latency_ms, row->e2e_sum / row->e2e_n);
        else
            CHECK(isnan(got.avg_e2e_latency_ms));
    }
    arena_free(&arena);
}

TEST(rows_are_keyed_and_sorted_and_blank_models_are_null)
{
    static const struct {
        int64_t hour;
        const char *address;
        const char *pipeline;
        const char *model;
        const char *gpu;
        int artefact;
    } in[] = {
        {1, "0x1", "p", "m", NULL, 0}, {0, "0x1", "p", "m", "g", 0},
        {0, "0x1", "p", "m", NULL, 0}, {0, "0x1", "p", "m", "g", 1},
        {0, "0x1", "p", NULL, "g", 0}, {0, "", "", NULL, NULL, 0},
        {0, "0x1", "p", "m", "g", 0},  {0, "0x1", "a", "z", "g", 0},
        {2, "0x1", "p", "m", "g", 1},
    };
    static const char *const wanted[] = {
        "0   null null 1",  "0 0x1 a z g 1", "0 0x1 p null g 1",
        "0 0x1 p m null 1", "0 0x1 p m g 2", "1 0x1 p m null 1"};
    enum { COUNT = sizeof in / sizeof *in };
    struct session_row sessions[COUNT];
    struct hour_row hours[COUNT];
    struct session_hour pairs[COUNT];
    for (size_t turn = 0; turn < COUNT; turn++) {
        for (size_t i = 0; i < COUNT; i++) {
            size_t from = (i * 5 + turn) % COUNT; /* every pair once */
            sessions[i] = clean_session();
            hours[i] = clean_hour();
            hours[i].hour = HOUR + in[from].hour * 3600000;
            hours[i].orchestrator_address = text_of(in[from].address);
            hours[i].pipeline_id = text_of(in[from].pipeline);
            hours[i].model_id = in[from].model ? text_of(in[from].model)
                                               : (struct text){NULL, 0};
            sessions[i].gpu_id =
                in[from].gpu ? text_of(in[from].gpu) : (struct text){NULL, 0};
            hours[i].tail_artefact = in[from].artefact;
            pairs[i] = (struct session_hour){&hours[i], &sessions[i], NULL};
        }
        size_t count;
        struct sla_row *rows =
            sla_build(&arena, &lens_published, pairs, COUNT, &count);
        REQUIRE(count == sizeof wanted / sizeof *wanted);
        for (size_t i = 0; i < count; i++) {
            CHECK_EQ_TEXT(
                arena_printf(&arena, "%lld %s %s %s %s %lld",
                             (long long)(rows[i].window_start - HOUR) / 3600000,
                             string(rows[i].orchestrator_address),
                             string(rows[i].pipeline_id),
                             string(rows[i].model_id), string(rows[i].gpu_id),
                             (long long)rows[i].requested_sessions),
                wanted[i]);
            CHECK_EQ_INT(rows[i].position, i);
            CHECK_EQ_TEXT(string(rows[i].gpu_model_name), "null");
            CHECK_EQ_TEXT(string(rows[i].region), "null");
            CHECK_EQ_TEXT(string(rows[i].sla_semantics_version),
                          "quality-benchmark-v1");
        }
    }
    size_t none = 9;
    sla_build(&arena, &lens_published, pairs, 0, &none);
    CHECK_EQ_INT(none, 0);
    arena_free(&arena);
}

TEST(sums_over_sessions_are_exact_in_any_order)
{
    static const double fps[] = {1e16, 1, 0.1, 0.2, -1e16, 0.7, 1e-9};
    enum { COUNT = sizeof fps / sizeof *fps };
    struct session_row session = clean_session();
    struct hour_row hours[COUNT];
    struct session_hour pairs[COUNT];
    double first = 0;
    for (size_t turn = 0; turn < COUNT; turn++) {
        size_t count;
        for (size_t i = 0; i < COUNT; i++) {
            hours[i] = clean_hour();
            hours[i].fps_sum = encoded(fps[(i * 3 + turn) % COUNT]);
            pairs[i] = (struct session_hour){&hours[i], &session, NULL};
        }
        struct sla_row *rows =
            sla_build(&arena, &lens_published, pairs, COUNT, &count);
        REQUIRE(count == 1);
        if (!turn)
            first = rows[0].output_fps_sum;
        CHECK_EQ_DOUBLE(rows[0].output_fps_sum, first);
        CHECK_EQ_DOUBLE(rows[0].avg_output_fps, first / COUNT);
    }
    CHECK_EQ_DOUBLE(first, 2.000000001);
    arena_free(&arena);
}

/* ---- worked examples A to E and edges (§8) ------------------------------- */

struct days {
    double low;
    double high;
    int count;
};

struct example {
    int requested, success, swapped, output_failed;
    int signals, expected;
    int ptff_count;
    double ptff;
    int e2e_count;
    double e2e;
    int samples;
    double fps;
    struct days ptff_days[3]; /* p50, p90 */
    struct days e2e_day;      /* p50, p90 */
    struct days fps_day;      /* p10, p50 */
    double reliability, ptff_score, e2e_score, fps_score, quality, score;
};

#define NO_DAY                                                                 \
    {                                                                          \
        0, 0, 0                                                                \
    }

enum { SESSIONS = 20 };

/* The example's sessions, as one SLA row. */
static struct sla_row row_of(const struct example *example)
{
    struct session_row sessions[SESSIONS];
    struct hour_row hours[SESSIONS];
    struct session_hour pairs[SESSIONS];
    size_t count = (size_t)example->requested;
    for (size_t i = 0; i < count; i++) {
        int number = (int)i;
        sessions[i] = clean_session();
        hours[i] = clean_hour();
        sessions[i].startup_outcome =
            text_of(number < example->success ? "success" : "failed");
        sessions[i].swap_count = number < example->swapped;
        sessions[i].zero_output_fps_session = number < example->output_failed;
        sessions[i].health_signal_count = i ? 0 : example->signals;
        sessions[i].health_expected_signal_count = i ? 0 : example->expected;
        if (number < example->ptff_count)
            sessions[i].ptff_ms = (int64_t)example->ptff;
        if (number < example->e2e_count)
            sessions[i].e2e_latency_ms = (int64_t)example->e2e;
        hours[i].status_samples = i ? 0 : example->samples;
        hours[i].fps_sum = encoded(i ? 0 : example->fps * example->samples);
        pairs[i] = (struct session_hour){&hours[i], &sessions[i], NULL};
    }
    struct sla_row *rows =
        sla_build(&arena, &lens_published, pairs, count, &count);
    REQUIRE(count == 1);
    return rows[0];
}

static size_t benchmarks_of(const struct example *example,
                            struct benchmark_row benchmarks[3])
{
    size_t count = 0;
    for (size_t i = 0; i < 3; i++) {
        if (!example->ptff_days[i].count && i)
            continue;
        struct benchmark_row *row = &benchmarks[count++];
        *row = (struct benchmark_row){
            .day = HOUR - 21 * 3600000 - (int64_t)(i + 1) * 86400000,
            .ptff_p50 = example->ptff_days[i].low,
            .ptff_p90 = example->ptff_days[i].high,
            .ptff_count = example->ptff_days[i].count};
        row->pipeline_id = text_of("live");
        row->model_id = text_of("m");
        if (i)
            continue;
        row->e2e_p50 = example->e2e_day.low;
        row->e2e_p90 = example->e2e_day.high;
        row->e2e_count = example->e2e_day.count;
        row->fps_p10 = example->fps_day.low;
        row->fps_p50 = example->fps_day.high;
        row->fps_count = example->fps_day.count;
    }
    return count;
}

static bool near(double got, double wanted)
{
    return fabs(got - wanted) < 1e-6;
}

TEST(worked_examples)
{
    static const struct example rows[] = {
        /* A: the sample log */
        {1,        1,      0,      0,   3,   3,
         1,        6435,   1,      106, 17,  15.999951534393748,
         {NO_DAY}, NO_DAY, NO_DAY, 1,   0.5, 0.5,
         0.5,      0.5,    85},
        /* B: one of two dead */
        {2,  1,        0,      1,      5,   6,   0,   0,   0,   0,   4,
         10, {NO_DAY}, NO_DAY, NO_DAY, 0.6, 0.5, 0.5, 0.5, 0.5, 47.5},
        /* C: shrinkage */
        {10,
         10,
         0,
         0,
         10,
         10,
         1,
         100,
         1,
         100,
         1,
         30,
         {{200, 300, 56}},
         {200, 300, 56},
         {10, 20, 56},
         1,
         0.55,
         0.55,
         0.516666667,
         0.536666667,
         86.1},
        /* D: full case */
        {20,
         18,
         2,
         1,
         57,
         60,
         20,
         9000,
         20,
         150,
         200,
         14,
         {{6000, 12000, 300}},
         {100, 300, 300},
         {8, 16, 300},
         0.92,
         0.5,
         0.75,
         0.75,
         0.66,
         79.99},
        /* E: cohort of three days */
        {6,
         5,
         1,
         1,
         17,
         18,
         4,
         7000,
         0,
         0,
         90,
         12,
         {{5000, 9000, 30}, {7000, 13000, 10}, {6000, 10000, 20}},
         NO_DAY,
         {10, 14, 60},
         0.833333333,
         0.576923077,
         0.5,
         0.5,
         0.527692308,
         70.043875},
        /* E without its third day: 40 rows are too few */
        {6,
         5,
         1,
         1,
         17,
         18,
         4,
         7000,
         0,
         0,
         90,
         12,
         {{5000, 9000, 30}, {7000, 13000, 10}},
         NO_DAY,
         {10, 14, 60},
         0.833333333,
         0.5,
         0.5,
         0.5,
         0.5,
         17.0 / 18 * (70 * 0.833333333333 + 15)},
        /* 47 rows are neutral, 48 count */
        {1,
         1,
         0,
         0,
         3,
         3,
         1,
         100,
         1,
         100,
         30,
         30,
         {{200, 300, 47}},
         {200, 300, 47},
         {10, 20, 47},
         1,
         0.5,
         0.5,
         0.5,
         0.5,
         85},
        {1,
         1,
         0,
         0,
         3,
         3,
         1,
         100,
         1,
         100,
         30,
         30,
         {{200, 300, 48}},
         {200, 300, 48},
         {10, 20, 48},
         1,
         0.55,
         0.55,
         1,
         0.73,
         91.9},
        /* coverage is at most 1 */
        {1, 1,        0,      0,      12, 9,   0,   0,   0,   0, 1,
         1, {NO_DAY}, NO_DAY, NO_DAY, 1,  0.5, 0.5, 0.5, 0.5, 85},
        /* worse than every edge */
        {1,
         1,
         0,
         0,
         3,
         3,
         1,
         400,
         1,
         400,
         60,
         1,
         {{200, 300, 100}},
         {200, 300, 100},
         {10, 20, 100},
         1,
         0.45,
         0.45,
         0,
         0.27,
         78.1},
        /* edges that lie on one another decide by themselves */
        {1,
         1,
         0,
         0,
         3,
         3,
         1,
         200,
         1,
         201,
         30,
         20,
         {{200, 200, 100}},
         {200, 200, 100},
         {20, 20, 100},
         1,
         0.55,
         0.45,
         1,
         0.706,
         91.18},
    };
    EACH_ROW (example, rows) {
        struct sla_row row = row_of(example);
        struct benchmark_row benchmarks[3];
        size_t count = benchmarks_of(example, benchmarks);
        sla_score(&arena, &lens_published, &row, 1, benchmarks, count);
        CHECK(near(row.reliability_score, example->reliability));
        CHECK(near(row.ptff_score, example->ptff_score));
        CHECK(near(row.e2e_score, example->e2e_score));
        CHECK(near(row.fps_score, example->fps_score));
        CHECK(near(row.quality_score, example->quality));
        CHECK(near(row.latency_score,
                   0.6 * example->ptff_score + 0.4 * example->e2e_score));
        CHECK(near(row.sla_score, example->score));
        CHECK(!row.null_reason.data);
        CHECK(!row.quality_note.data);
    }
    struct sla_row sample = row_of(&rows[0]);
    sla_score(&arena, &lens_published, &sample, 1, NULL, 0);
    CHECK_EQ_DOUBLE(sample.sla_score, 85);
    CHECK_EQ_DOUBLE(sample.avg_output_fps, 15.999951534393748);
    CHECK(isnan(sample.ptff_p50) && isnan(sample.fps_p50));
    CHECK_EQ_INT(sample.ptff_benchmark_row_count, 0);
    CHECK_EQ_DOUBLE(sample.ptff_score_raw, 0.5);
    arena_free(&arena);
}

TEST(without_requests_there_is_no_score_and_a_reason)
{
    struct session_row session = clean_session();
    struct hour_row hour = clean_hour();
    session.requested_seen = 0;
    struct sla_row row = build_one(&session, &hour);
    sla_score(&arena, &lens_published, &row, 1, NULL, 0);
    CHECK(isnan(row.sla_score) && isnan(row.reliability_score));
    CHECK_EQ_TEXT(string(row.null_reason), "no_requested_sessions");
    CHECK_EQ_DOUBLE(row.quality_score, 0.5);
    arena_free(&arena);
}
