#include "rollup/scorecard.h"

#include "harness.h"
#include "rollup/rollup.h"
#include "rollup/run_group.h"

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
    if (!(fabs(got - wanted) < 5e-6))
        CHECK_EQ_DOUBLE(got, wanted);
}

TEST(all_that_is_built_in_can_be_read)
{
    for (size_t i = 0; scorecard_names[i]; i++) {
        struct scorecard card;
        if (scorecard_find(&arena, scorecard_names[i], &card))
            CHECK_EQ_TEXT(err_message(), "");
        CHECK_EQ_TEXT(card.name, scorecard_names[i]);
        CHECK(card.about[0]);
    }
    arena_clear(&arena);
}

/* Examples A to E of published-metrics.md §8 by their components. */
TEST(the_published_score)
{
    struct scorecard card;
    struct sla_row rows[2];
    REQUIRE(!scorecard_find(&arena, "published", &card));
    fields_clear(sla_fields, &rows[0]);
    rows[0].requested_sessions = rows[0].startup_success_sessions = 1;
    rows[0].total_swapped_sessions = rows[0].output_failed_sessions = 0;
    rows[0].health_signal_count = rows[0].health_expected_signal_count = 3;
    rows[0].ptff_score = rows[0].e2e_score = rows[0].fps_score = 0.5;
    rows[1] = rows[0];
    rows[1].requested_sessions = 2;
    rows[1].output_failed_sessions = 1;
    rows[1].health_signal_count = 5;
    rows[1].health_expected_signal_count = 6;
    double *values = scorecard_apply(&arena, &card, rows, sizeof *rows, 2);
    CHECK_EQ_DOUBLE(score_of(&card, values, 0), 85);
    check_near(score_of(&card, values, 1), 47.5);
    rows[0].requested_sessions = 0;
    values = scorecard_apply(&arena, &card, rows, sizeof *rows, 1);
    CHECK(isnan(score_of(&card, values, 0)));
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
        groups[i].model_id = text_of("m");
        groups[i].ptff_ms = round_trip_s[i] * 1000;
        groups[i].success_rate = success[i];
    }
    /* Alone with another model: its own median. */
    groups[5] = groups[0];
    groups[5].model_id = text_of("other");
    double *values = scorecard_apply(&arena, &card, groups, sizeof *groups, 6);
    for (size_t i = 0; i < 5; i++)
        check_near(score_of(&card, values, i), wanted[i]);
    check_near(score_of(&card, values, 5), 0.93);
    arena_clear(&arena);
}

TEST(the_leaderboard_for_transcoding)
{
    struct scorecard card;
    struct run_group group;
    REQUIRE(!scorecard_find(&arena, "leaderboard-transcoding", &card));
    fields_clear(run_group_fields, &group);
    group.success_rate = 1;
    group.first_segment_ms = 2000;
    double *values = scorecard_apply(&arena, &card, &group, sizeof group, 1);
    check_near(score_of(&card, values, 0), 0.632121);
    group.first_segment_ms = 0;
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
    group.ptff_ms = 16000;
    double *values = scorecard_apply(&arena, &card, &group, sizeof group, 1);
    check_near(score_of(&card, values, 0), 0.5);
    group.output_fps = 24;
    group.ptff_ms = 100;
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

TEST(runs_become_groups)
{
    struct run runs[5];
    size_t count;
    for (size_t i = 0; i < 5; i++) {
        runs[i] = run_empty();
        runs[i].kind = text_of(RUN_KIND_LIVE);
        runs[i].orchestrator_address = text_of(i < 4 ? "0xb" : "0xa");
        runs[i].workflow = text_of("noop");
    }
    run_conclude(&runs[0], REASON_NONE);
    runs[0].output_fps = 20;
    run_conclude(&runs[1], REASON_NONE);
    runs[1].output_fps = 10;
    run_conclude(&runs[2], REASON_NO_OUTPUT);
    runs[2].output_fps = 1; /* of a failed run: does not count */
    run_conclude(&runs[3], REASON_ORCHESTRATOR_CAPPED);
    run_conclude(&runs[4], REASON_STOPPED);
    struct run_group *groups = run_groups_build(&arena, runs, 5, &count);
    REQUIRE(count == 2);
    CHECK(text_is(groups[1].orchestrator_address, "0xb"));
    CHECK_EQ_INT(groups[1].runs, 4);
    CHECK_EQ_INT(groups[1].ok, 2);
    CHECK_EQ_INT(groups[1].failed, 1);
    CHECK_EQ_INT(groups[1].busy, 1);
    CHECK_EQ_DOUBLE(groups[1].output_fps, 15);
    CHECK_EQ_DOUBLE(groups[1].success_rate, 2.0 / 3.0);
    CHECK(isnan(groups[1].ptff_ms));
    CHECK(isnan(groups[0].success_rate));
    CHECK_EQ_INT(groups[0].excused, 1);
    arena_clear(&arena);
}
