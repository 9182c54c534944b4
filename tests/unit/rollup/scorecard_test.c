#include "rollup/scorecard.h"

#include "base/clock.h"
#include "harness.h"
#include "rollup/rollup.h"

#include <math.h>
#include <string.h>

static struct arena arena;

static double score_of(const struct scorecard *card, const double *values,
                       size_t row)
{
    return values[row * card->value_count + card->score];
}

static void check_near(double got, double wanted)
{
    if (isnan(wanted) || !(fabs(got - wanted) < 5e-6))
        CHECK_EQ_DOUBLE(got, wanted);
}

TEST(all_that_is_built_in_can_be_read)
{
    for (size_t i = 0; scorecard_files[i].name; i++) {
        struct scorecard card;
        if (scorecard_find(&arena, scorecard_files[i].name, &card))
            CHECK_EQ_TEXT(err_message(), "");
        CHECK_EQ_TEXT(card.name, scorecard_files[i].name);
        CHECK(card.about[0]);
    }
    arena_clear(&arena);
}

/* Examples A to E of published-metrics.md §8, and its first edge. */
TEST(the_published_score)
{
    static const struct {
        int64_t requested, success, swapped, output_failed, signals, expected;
        double ptff, e2e, fps, wanted;
    } cases[] = {
        {1, 1, 0, 0, 3, 3, 0.5, 0.5, 0.5, 85},
        {2, 1, 0, 1, 5, 6, 0.5, 0.5, 0.5, 47.5},
        {10, 10, 0, 0, 10, 10, 0.55, 0.55, 0.5 + 0.5 / 30, 86.1},
        {20, 18, 2, 1, 57, 60, 0.5, 0.75, 0.75, 79.99},
        {6, 5, 1, 1, 17, 18, 0.5 + 0.4 * 2.5 / 13, 0.5, 0.5, 70.043875},
        {3, 3, 0, 0, 12, 9, 0.5, 0.5, 0.5, 85}, /* coverage is never over 1 */
        {0, 0, 0, 0, 1, 0, 0.5, 0.5, 0.5, (double)NAN},
    };
    struct scorecard card;
    REQUIRE(!scorecard_find(&arena, "published", &card));
    EACH_ROW (one, cases) {
        struct sla_row row;
        fields_clear(sla_fields, &row);
        row.requested_sessions = one->requested;
        row.startup_success_sessions = one->success;
        row.total_swapped_sessions = one->swapped;
        row.output_failed_sessions = one->output_failed;
        row.health_signal_count = one->signals;
        row.health_expected_signal_count = one->expected;
        row.ptff_score = one->ptff;
        row.e2e_score = one->e2e;
        row.fps_score = one->fps;
        double *values = scorecard_apply(&arena, &card, &row, sizeof row, 1);
        check_near(score_of(&card, values, 0), one->wanted);
    }
    arena_clear(&arena);
}

/* The vectors of the leaderboard (testers-and-leaderboards.md §1.3). */
TEST(the_leaderboard_for_ai)
{
    static const double round_trip_s[] = {8, 2, 1, 2, 0.5};
    static const double success[] = {1, 1, .75, .75, .95};
    static const double wanted[] = {0.89491, 0.97011, 0.82222, 0.80761,
                                    0.95978};
    struct scorecard card;
    struct run_group groups[6];
    REQUIRE(!scorecard_find(&arena, "leaderboard-ai", &card));
    for (size_t i = 0; i < 5; i++) {
        fields_clear(run_group_fields, &groups[i]);
        groups[i].ptff_or_0_ms = round_trip_s[i] * 1000;
        groups[i].surface_ptff_p50_ms = 5000;
        groups[i].success_rate = success[i];
    }
    /* Alone with another model: its own median. */
    groups[5] = groups[0];
    groups[5].surface_ptff_p50_ms = 8000;
    double *values = scorecard_apply(&arena, &card, groups, sizeof *groups, 6);
    for (size_t i = 0; i < 5; i++)
        check_near(score_of(&card, values, i), wanted[i]);
    check_near(score_of(&card, values, 5), 0.93);
    arena_clear(&arena);
}

/* Totals by R / M in the same place, of nodes that never failed. */
TEST(the_leaderboards_scale_compresses_speed)
{
    static const double of_median[] = {0.5, 1, 2, 4, 10};
    static const double wanted[] = {0.963, 0.93, 0.874, 0.793, 0.688};
    struct scorecard card;
    REQUIRE(!scorecard_find(&arena, "leaderboard-ai", &card));
    for (size_t i = 0; i < 5; i++) {
        struct run_group group;
        fields_clear(run_group_fields, &group);
        group.success_rate = 1;
        group.surface_ptff_p50_ms = 4000;
        group.ptff_or_0_ms = 4000 * of_median[i];
        double *values =
            scorecard_apply(&arena, &card, &group, sizeof group, 1);
        if (!(fabs(score_of(&card, values, 0) - wanted[i]) < 5e-4))
            CHECK_EQ_DOUBLE(score_of(&card, values, 0), wanted[i]);
        /* Without any success there is no score but 0. */
        group.success_rate = 0;
        values = scorecard_apply(&arena, &card, &group, sizeof group, 1);
        CHECK_EQ_DOUBLE(score_of(&card, values, 0), 0);
    }
    arena_clear(&arena);
}

TEST(the_leaderboard_for_transcoding)
{
    struct scorecard card;
    struct run_group group;
    REQUIRE(!scorecard_find(&arena, "leaderboard-transcoding", &card));
    fields_clear(run_group_fields, &group);
    group.success_rate = 1;
    group.first_segment_or_0_ms = 2000;
    double *values = scorecard_apply(&arena, &card, &group, sizeof group, 1);
    check_near(score_of(&card, values, 0), 0.632121);
    group.first_segment_or_0_ms = 0;
    values = scorecard_apply(&arena, &card, &group, sizeof group, 1);
    CHECK_EQ_DOUBLE(score_of(&card, values, 0), 0);
    arena_clear(&arena);
}

TEST(the_testers_live_score)
{
    struct scorecard card;
    struct run_group group;
    REQUIRE(!scorecard_find(&arena, "tester-live", &card));
    fields_clear(run_group_fields, &group);
    group.output_fps = 6;
    group.startup_ms = 4000;
    group.ptff_ms = 20000; /* 16 s of it after the start was accepted */
    double *values = scorecard_apply(&arena, &card, &group, sizeof group, 1);
    check_near(score_of(&card, values, 0), 0.5);
    group.output_fps = 24;
    group.ptff_ms = 4100;
    values = scorecard_apply(&arena, &card, &group, sizeof group, 1);
    CHECK_EQ_DOUBLE(score_of(&card, values, 0), 1);
    arena_clear(&arena);
}

/* Relative to the list: the best latency has 1, the worst 0, none 0.5. */
TEST(the_apps_score)
{
    struct scorecard card;
    struct sla_row rows[3];
    REQUIRE(!scorecard_find(&arena, "naap-app", &card));
    for (size_t i = 0; i < 3; i++)
        fields_clear(sla_fields, &rows[i]);
    rows[0].avg_e2e_latency_ms = 100;
    rows[1].avg_e2e_latency_ms = 300;
    rows[0].no_swap_rate = rows[1].no_swap_rate = 1;
    double *values = scorecard_apply(&arena, &card, rows, sizeof *rows, 3);
    CHECK_EQ_DOUBLE(score_of(&card, values, 0), 0.85); /* .4 + .3 + .15 */
    CHECK_EQ_DOUBLE(score_of(&card, values, 1), 0.45);
    CHECK_EQ_DOUBLE(score_of(&card, values, 2), 0.5);
    /* One outlier more moves everybody, as it does theirs. */
    rows[2].avg_e2e_latency_ms = 900;
    values = scorecard_apply(&arena, &card, rows, sizeof *rows, 3);
    CHECK_EQ_DOUBLE(score_of(&card, values, 1), 0.75); /* .4 * .75 + .45 */
    /* All alike are all as good as can be. */
    for (size_t i = 0; i < 3; i++) {
        rows[i].avg_e2e_latency_ms = 5;
        rows[i].no_swap_rate = 0.5;
    }
    values = scorecard_apply(&arena, &card, rows, sizeof *rows, 3);
    CHECK_EQ_DOUBLE(score_of(&card, values, 0), 0.85);
    arena_clear(&arena);
}

TEST(our_score_has_an_interval)
{
    struct scorecard card;
    struct run_group groups[3];
    REQUIRE(!scorecard_find(&arena, "assay", &card));
    for (size_t i = 0; i < 3; i++) {
        fields_clear(run_group_fields, &groups[i]);
        groups[i].ok = 10;
        groups[i].failed = 0;
        groups[i].success_rate = 1;
        groups[i].output_fps = groups[i].input_fps = 24;
        groups[i].ptff_ms = 1000;
        groups[i].jitter_fps = 0;
    }
    groups[1].ok = 0;
    groups[1].failed = 4;
    groups[2].ok = 0; /* busy all the time: no score */
    double *values = scorecard_apply(&arena, &card, groups, sizeof *groups, 3);
    CHECK_EQ_DOUBLE(score_of(&card, values, 0), 100);
    check_near(values[card.low], 72.24672);
    CHECK_EQ_DOUBLE(score_of(&card, values, 1), 0);
    CHECK(values[card.value_count + card.high] > 40);
    CHECK(isnan(score_of(&card, values, 2)));
    arena_clear(&arena);
}

TEST(mistakes_in_a_scorecard)
{
    static const struct {
        const char *text;
        const char *message;
    } cases[] = {
        {"name: a\n", "there is no value score"},
        {"values: [{name: score, formula: '1'}]\n", "name is missing"},
        {"name: a\nvalues: [{name: score, formula: requested_sesions}]\n",
         "there is no such name at character 1"},
        {"name: a\nvalues: [{name: sla_score, formula: '1'}]\n",
         "there is a sla_score already"},
        {"name: a\nvalues: [{name: score, formula: '1'}]\n"
         "cohorts: [{name: m, of: sla_score, by: [sla_score]}]\n",
         "sla_score: by takes"},
        {"name: a\nvalues: [5]\n", "values is a list of"},
        {"name: a\nsource: hours\n", "source"},
        {"name: a\nresult: {scor: b}\n", "did you mean score?"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct config_problems problems = {0};
        struct config_document file = {
            .arena = &arena, .problems = &problems, .name = "s.yaml"};
        struct scorecard card;
        CHECK(!scorecard_read(&file, cases[i].text, strlen(cases[i].text),
                              &card));
        bool said = false;
        for (size_t k = 0; k < problems.count; k++)
            said |= strstr(problems.items[k].what, cases[i].message) != NULL;
        if (!said)
            CHECK_EQ_TEXT(problems.count ? problems.items[0].what : "",
                          cases[i].message);
        arena_clear(&arena);
    }
}

static struct run run_by(const char *address, enum reason reason)
{
    struct run run = run_empty();
    run.kind = text_of(RUN_KIND_LIVE);
    run.orchestrator_address = text_of(address);
    run.workflow = text_of("noop");
    run.started_at = 5 * MS_PER_HOUR + 1;
    run_conclude(&run, reason);
    return run;
}

static const struct run_group *groups_of(struct run_groups *making,
                                         const struct run *runs, size_t count,
                                         size_t *group_count)
{
    struct run_hours *hours = run_hours_new();
    size_t hour_count;
    for (size_t i = 0; i < count; i++)
        run_hours_take(hours, &runs[i]);
    const struct run_hour *rows = run_hours_end(hours, &hour_count);
    for (size_t i = 0; i < hour_count; i++)
        run_groups_take(making, &rows[i]);
    run_hours_free(hours);
    return run_groups_end(making, group_count);
}

/* From raw runs: failures dilute latency, as in testers-and-leaderboards.md
 * §1.4, 1 and 2 (D = 2 s and R = 1.9 s; success 0.5 and R = 10 s), and cold or
 * another GPU or workflow makes no second score. */
TEST(the_leaderboards_score_raw_runs_with_failures)
{
    struct run runs[] = {
        run_by("0xa", REASON_NONE),      run_by("0xa", REASON_NONE),
        run_by("0xa", REASON_NO_OUTPUT), run_by("0xb", REASON_NONE),
        run_by("0xb", REASON_NO_OUTPUT), run_by("0xb", REASON_STOPPED)};
    size_t count;
    struct scorecard ai;
    struct scorecard transcoding;
    REQUIRE(!scorecard_find(&arena, "leaderboard-ai", &ai));
    REQUIRE(!scorecard_find(&arena, "leaderboard-transcoding", &transcoding));
    for (size_t i = 0; i < 2; i++)
        runs[i].first_segment_ms = 1900;
    runs[0].ptff_ms = runs[1].ptff_ms = runs[3].ptff_ms = 10000;
    runs[0].cold = 1;
    runs[1].cold = 0;
    runs[0].gpu_id = text_of("GPU-1");
    runs[1].orchestrator_url = text_of("https://a.example");
    runs[2].workflow = text_of("streamdiffusion");
    struct run_groups *making = run_groups_new((enum run_split)ai.split);
    const struct run_group *groups =
        groups_of(making, runs, sizeof runs / sizeof *runs, &count);
    REQUIRE(count == 2);
    CHECK(!groups[0].workflow.data && !groups[0].orchestrator_url.data);
    CHECK_EQ_DOUBLE(groups[0].surface_ptff_p50_ms, 10000);
    double *values =
        scorecard_apply(&arena, &transcoding, groups, sizeof *groups, count);
    check_near(score_of(&transcoding, values, 0),
               2.0 / 3 * (1 - exp(-2 / (1.9 * 2 / 3))));
    values = scorecard_apply(&arena, &ai, groups, sizeof *groups, count);
    check_near(score_of(&ai, values, 1), 0.638050);
    run_groups_free(making);
    arena_clear(&arena);
}

/* The continuous median of the vector in §1.3, 8 and 2 s. */
TEST(the_median_of_two_tests_lies_between_them)
{
    struct run runs[] = {run_by("0xa", REASON_NONE), run_by("0xb", REASON_NONE),
                         run_by("0xb", REASON_NO_OUTPUT)};
    size_t count;
    runs[0].ptff_ms = 8000;
    runs[1].ptff_ms = 2000;
    runs[2].ptff_ms = 1;
    struct run_groups *making = run_groups_new(SPLIT_GPU);
    const struct run_group *groups = groups_of(making, runs, 3, &count);
    REQUIRE(count == 2);
    CHECK_EQ_DOUBLE(groups[0].surface_ptff_p50_ms, 5000);
    CHECK_EQ_DOUBLE(groups[1].surface_ptff_p50_ms, 5000);
    CHECK_EQ_DOUBLE(groups[1].ptff_or_0_ms, 1000);
    run_groups_free(making);
    arena_clear(&arena);
}

TEST(runs_become_groups)
{
    struct run runs[] = {run_by("0xb", REASON_NONE), run_by("0xb", REASON_NONE),
                         run_by("0xb", REASON_NO_OUTPUT),
                         run_by("0xb", REASON_ORCHESTRATOR_CAPPED),
                         run_by("0xa", REASON_STOPPED)};
    size_t count;
    runs[0].output_fps = 20;
    runs[1].output_fps = 10;
    runs[1].started_at += 3 * MS_PER_HOUR;
    runs[2].output_fps = 1; /* of a failed run: does not count */
    struct run_groups *making = run_groups_new(SPLIT_GPU);
    const struct run_group *groups = groups_of(making, runs, 5, &count);
    REQUIRE(count == 2);
    CHECK(text_is(groups[1].orchestrator_address, "0xb"));
    CHECK_EQ_INT(groups[1].window_start, 5 * MS_PER_HOUR);
    CHECK_EQ_INT(groups[1].window_end, 9 * MS_PER_HOUR);
    CHECK_EQ_INT(groups[1].runs, 4);
    CHECK_EQ_INT(groups[1].ok, 2);
    CHECK_EQ_INT(groups[1].failed, 1);
    CHECK_EQ_INT(groups[1].busy, 1);
    CHECK_EQ_DOUBLE(groups[1].output_fps, 15);
    CHECK_EQ_DOUBLE(groups[1].success_rate, 2.0 / 3.0);
    CHECK(isnan(groups[1].ptff_ms));
    CHECK(isnan(groups[0].success_rate));
    CHECK_EQ_INT(groups[0].excused, 1);
    run_groups_free(making);
    arena_clear(&arena);
}
