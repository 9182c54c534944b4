#include "rollup/rollup.h"

#include "harness.h"

#include <math.h>
#include <string.h>

static struct arena arena;

#define DAY INT64_C(1767830400000)
#define MS_A_DAY INT64_C(86400000)

struct in_row {
    int hour;
    const char *org;
    const char *address;
    const char *gpu;
    const char *pipeline;
    const char *model;
    double ptff_sum;
    int ptff_count;
    double fps_sum;
    int samples;
};

static struct text nullable(const char *string)
{
    return string ? text_of(string) : (struct text){NULL, 0};
}

static struct sla_row row_of(const struct in_row *in)
{
    return (struct sla_row){
        .window_start = DAY + in->hour * INT64_C(3600000),
        .org = text_of(in->org),
        .orchestrator_address = text_of(in->address),
        .gpu_id = nullable(in->gpu),
        .pipeline_id = text_of(in->pipeline),
        .model_id = nullable(in->model),
        .prompt_to_first_frame_sum_ms = in->ptff_sum,
        .prompt_to_first_frame_sample_count = in->ptff_count,
        .output_fps_sum = in->fps_sum,
        .status_samples = in->samples,
    };
}

enum { MOST = 8 };

/* "pipeline/model ptff p50 p90 n, fps p10 p50 n; ..." */
static const char *told(const struct in_row *in, size_t count, size_t turn)
{
    struct sla_row rows[MOST];
    struct buf out = {0};
    size_t found;
    for (size_t i = 0; i < count; i++)
        rows[i] = row_of(&in[(i + turn) % count]);
    struct benchmark_row *list =
        benchmarks_build(&arena, &lens_published, DAY, rows, count, &found);
    for (size_t i = 0; i < found; i++) {
        CHECK_EQ_INT(list[i].day, DAY);
        CHECK_EQ_INT(list[i].position, i);
        CHECK(isnan(list[i].e2e_p50) && isnan(list[i].e2e_p90));
        CHECK_EQ_INT(list[i].e2e_count, 0);
        buf_printf(&out, "%.*s/%.*s %g %g %lld, %g %g %lld; ",
                   (int)list[i].pipeline_id.length, list[i].pipeline_id.data,
                   (int)list[i].model_id.length, list[i].model_id.data,
                   list[i].ptff_p50, list[i].ptff_p90,
                   (long long)list[i].ptff_count, list[i].fps_p10,
                   list[i].fps_p50, (long long)list[i].fps_count);
    }
    const char *text = arena_text(&arena, out.data, out.length);
    buf_free(&out);
    return text;
}

TEST(rows_collapse_over_orgs_and_weigh_equally)
{
    static const struct {
        struct in_row in[MOST];
        const char *wanted;
    } rows[] = {
        {{{0}}, ""},
        /* a blank pipeline has no benchmark */
        {{{0, "o", "a", NULL, "", "m", 10, 1, 10, 1}}, ""},
        {{{0, "o", "a", NULL, "p", "m", 30, 2, 40, 4}},
         "p/m 15 15 1, 10 10 1; "},
        /* two orgs, one row: (10 + 50) / (1 + 2) */
        {{{0, "o", "a", NULL, "p", "m", 10, 1, 10, 1},
          {0, "q", "a", NULL, "p", "m", 50, 2, 60, 6}},
         "p/m 20 20 1, 10 10 1; "},
        /* other hour, orchestrator or GPU: other rows */
        {{{0, "o", "a", NULL, "p", "m", 10, 1, 10, 1},
          {1, "o", "a", NULL, "p", "m", 20, 1, 20, 1},
          {0, "o", "b", NULL, "p", "m", 30, 1, 30, 1},
          {0, "o", "a", "g", "p", "m", 4000, 100, 4000, 100}},
         "p/m 20 40 4, 10 20 4; "},
        /* a null model is a surface of its own */
        {{{0, "o", "a", NULL, "p", NULL, 10, 1, 10, 1},
          {0, "o", "a", NULL, "p", "m", 20, 1, 20, 1},
          {0, "o", "a", NULL, "q", "m", 30, 1, 30, 1}},
         "p/ 10 10 1, 10 10 1; p/m 20 20 1, 20 20 1; q/m 30 30 1, 30 30 1; "},
        /* rows without a value do not count, no value at all is NaN */
        {{{0, "o", "a", NULL, "p", "m", 0, 0, 10, 1},
          {1, "o", "a", NULL, "p", "m", 0, 0, 0, 0}},
         "p/m nan nan 0, 10 10 1; "},
        {{{0, "o", "a", NULL, "p", "m", 0, 0, 10, 1},
          {1, "o", "a", NULL, "p", "m", 7, 1, 30, 1}},
         "p/m 7 7 1, 10 10 2; "},
    };
    EACH_ROW (row, rows) {
        size_t count = 0;
        while (count < MOST && row->in[count].org)
            count++;
        CHECK_EQ_TEXT(told(row->in, count, 0), row->wanted);
        for (size_t turn = 1; turn < count; turn++)
            CHECK_EQ_TEXT(told(row->in, count, turn), row->wanted);
    }
    arena_free(&arena);
}

/* ---- the cohort (§3.4, §11.2) -------------------------------------------- */

static struct benchmark_row benchmark(int days_before, double p50, double p90,
                                      int count)
{
    struct benchmark_row row = {.day = DAY - days_before * MS_A_DAY,
                                .ptff_p50 = p50,
                                .ptff_p90 = p90,
                                .ptff_count = count,
                                .e2e_p50 = (double)NAN,
                                .e2e_p90 = (double)NAN,
                                .fps_p10 = (double)NAN,
                                .fps_p50 = (double)NAN};
    row.pipeline_id = text_of("p");
    row.model_id = text_of("m");
    return row;
}

/* A requested row at 21:00 with a PTFF of 150 and FPS of 10, of full weight. */
static struct sla_row scored(const struct benchmark_row *benchmarks,
                             size_t count, const char *model)
{
    struct sla_row row = {.window_start = DAY + 21 * INT64_C(3600000),
                          .requested_sessions = 1,
                          .startup_success_rate = 1,
                          .no_swap_rate = 1,
                          .output_viability_rate = 1,
                          .health_signal_coverage_ratio = 1,
                          .prompt_to_first_frame_sample_count = 10,
                          .avg_prompt_to_first_frame_ms = 150,
                          .avg_e2e_latency_ms = (double)NAN,
                          .status_samples = 30,
                          .avg_output_fps = 10};
    row.pipeline_id = text_of("p");
    row.model_id = nullable(model);
    sla_score(&arena, &lens_published, &row, 1, benchmarks, count);
    return row;
}

TEST(the_cohort_is_the_seven_days_before)
{
    struct benchmark_row days[10];
    for (int i = 0; i < 10; i++)
        days[i] = benchmark(i - 1, 100, 200, 1 << i); /* from tomorrow on */
    struct sla_row row = scored(days, 10, "m");
    CHECK_EQ_INT(row.ptff_benchmark_row_count,
                 4 + 8 + 16 + 32 + 64 + 128 + 256);
    CHECK_EQ_DOUBLE(row.ptff_p50, 100);
    CHECK_EQ_DOUBLE(row.ptff_p90, 200);
    CHECK_EQ_DOUBLE(row.ptff_score_raw, 0.5);
    CHECK_EQ_DOUBLE(row.ptff_score, 0.5);
    arena_free(&arena);
}

TEST(the_cohort_is_a_weighted_mean_in_any_order)
{
    struct benchmark_row days[] = {benchmark(1, 5000, 9000, 30),
                                   benchmark(2, 7000, 13000, 10),
                                   benchmark(7, 6000, 10000, 20)};
    struct sla_row first = scored(days, 3, "m");
    CHECK_EQ_DOUBLE(first.ptff_p50, 340000.0 / 60);
    CHECK_EQ_DOUBLE(first.ptff_p90, 10000);
    CHECK_EQ_INT(first.ptff_benchmark_row_count, 60);
    struct benchmark_row turned[] = {days[2], days[0], days[1]};
    struct sla_row again = scored(turned, 3, "m");
    CHECK_EQ_DOUBLE(again.ptff_p50, first.ptff_p50);
    CHECK_EQ_DOUBLE(again.sla_score, first.sla_score);
}

TEST(other_pipelines_and_models_are_passed_over)
{
    struct benchmark_row days[] = {
        benchmark(1, 100, 200, 50), benchmark(1, 300, 400, 60),
        benchmark(1, 500, 600, 70), benchmark(1, 700, 800, 80)};
    days[1].model_id = text_of("M");
    days[2].pipeline_id = text_of("q");
    days[3].model_id = (struct text){NULL, 0};
    CHECK_EQ_INT(scored(days, 4, "m").ptff_benchmark_row_count, 50);
    CHECK_EQ_INT(scored(days, 4, "M").ptff_benchmark_row_count, 60);
    CHECK_EQ_INT(scored(days, 4, NULL).ptff_benchmark_row_count, 80);
    CHECK_EQ_INT(scored(days, 4, "x").ptff_benchmark_row_count, 0);
}

TEST(a_day_without_values_makes_the_component_zero)
{
    struct benchmark_row days[] = {benchmark(1, 100, 200, 60),
                                   benchmark(2, (double)NAN, (double)NAN, 0)};
    struct sla_row row = scored(days, 2, "m");
    CHECK(isnan(row.ptff_p50) && isnan(row.ptff_score_raw));
    CHECK_EQ_DOUBLE(row.ptff_score, 0);
    CHECK_EQ_INT(row.ptff_benchmark_row_count, 60);
    CHECK(text_is(row.quality_note, "benchmark_day_without_values"));
    /* FPS and E2E have no rows in their cohort: neutral. */
    CHECK_EQ_DOUBLE(row.fps_score, 0.5);
    CHECK_EQ_DOUBLE(row.e2e_score, 0.5);
    /* Fewer rows than the gate wants: neutral again, and no note. */
    days[0].ptff_count = 47;
    row = scored(days, 2, "m");
    CHECK(isnan(row.ptff_p50));
    CHECK_EQ_DOUBLE(row.ptff_score, 0.5);
    CHECK(!row.quality_note.data);
    /* A row without a value stays neutral. */
    days[0].e2e_p50 = 100;
    days[0].e2e_p90 = 200;
    days[0].e2e_count = 100;
    row = scored(days, 2, "m");
    CHECK_EQ_DOUBLE(row.e2e_score_raw, 0.5);
    CHECK_EQ_DOUBLE(row.e2e_score, 0.5);
}
