/*
 * Plans of what was found: whom a full plan leaves out, and how many runs those
 * get of whom nobody told what they offer.
 */
#include "sched/planner.h"

#include "base/clock.h"
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FOUND_MAX = 11000, URL_BYTES = 512 };

static struct arena arena;
static struct discovered list[FOUND_MAX];
static struct discovered_model model;
static struct terms_workflow workflows[2];
static struct evidence_counts evidence;
static uint8_t seed[PLAN_SEED_BYTES];

static struct terms generous_terms(size_t workflow_count)
{
    REQUIRE_OK(workflow_find(&arena, "noop", &workflows[0].workflow));
    REQUIRE_OK(prompts_find(&arena, "bootstrap", &workflows[0].prompts));
    workflows[1] = workflows[0];
    workflows[1].workflow.name = "other";
    return (struct terms){.vantage = "here",
                          .hour_ms = MS_PER_HOUR,
                          .span_ms = MS_PER_HOUR,
                          .run_ms = 20000,
                          .run_spread_ms = 2000,
                          .idle_share_ppm = 1000000,
                          .runs_per_hour = 4,
                          .run_ms_per_hour = INT64_C(1000000000000),
                          .runs_at_once = 4,
                          .run_wei = 1,
                          .day_wei = 1,
                          .control_targets = "",
                          .workflows = workflows,
                          .workflow_count = workflow_count};
}

/* COUNT orchestrators with names of NAME_BYTES, of which nothing is told. */
static struct discovery a_discovery(size_t count, size_t name_bytes)
{
    memset(list, 0, sizeof list);
    for (size_t i = 0; i < count; i++) {
        char url[URL_BYTES];
        int length =
            snprintf(url, sizeof url, "https://%0*zu", (int)name_bytes, i);
        list[i].url = (struct text){arena_text(&arena, url, (size_t)length),
                                    (size_t)length};
    }
    return (struct discovery){.orchestrators = list, .count = count};
}

/* The orchestrator of TARGET by its place in the list. */
static size_t place_of(const struct plan_target *target)
{
    return strtoul(target->orchestrator_url.data + strlen("https://"), NULL,
                   10);
}

static void add_evidence(size_t place, int64_t runs, bool offers)
{
    struct buf buf = {0};
    struct plan_target target;
    fields_clear(plan_target_fields, &target);
    target.orchestrator_url = list[place].url;
    target.workflow = text_of(workflows[0].workflow.name);
    target.model_id = text_of(workflows[0].workflow.model);
    evidence_counts_add(&evidence, planned_key(&buf, &target, 0), runs, offers);
    buf_free(&buf);
}

static size_t line_bytes(const struct plan *plan)
{
    struct buf out = {0};
    plan_write(&out, plan);
    size_t bytes = out.length;
    buf_free(&out);
    return bytes;
}

static void forget_all(void)
{
    evidence_counts_free(&evidence);
    arena_clear(&arena);
}

TEST(a_plan_fits_into_a_line_however_long_names_are)
{
    struct terms terms = generous_terms(2);
    struct discovery found = a_discovery(10000, 200);
    struct plan plan;
    size_t left_out = plan_make(&arena, &terms, &found, &evidence,
                                INT64_C(1767916800000), seed, &plan);
    CHECK(left_out > 0);
    CHECK_EQ_INT(plan.target_count + left_out, 20000);
    CHECK(line_bytes(&plan) < PLAN_TARGETS_BYTES_MAX + 4096);
    CHECK(line_bytes(&plan) > PLAN_TARGETS_BYTES_MAX / 2);
    CHECK_EQ_INT(plan_check(&plan), ERR_NONE);
    forget_all();
}

TEST(a_full_plan_leaves_out_whom_most_is_known_of)
{
    struct terms terms = generous_terms(2);
    struct discovery found = a_discovery(FOUND_MAX, 8);
    struct plan plan;
    size_t known = 0;
    size_t last = 0;
    for (size_t i = 0; i < 2500; i++)
        add_evidence(i, 3, true);
    size_t left_out = plan_make(&arena, &terms, &found, &evidence,
                                INT64_C(1767916800000), seed, &plan);
    CHECK(left_out >= 2000);
    CHECK_EQ_INT(plan.target_count + left_out, 2 * FOUND_MAX);
    for (size_t i = 0; i < plan.target_count; i++) {
        bool first = text_is(plan.targets[i].workflow, "noop");
        known += first && place_of(&plan.targets[i]) < 2500;
        last += place_of(&plan.targets[i]) >= FOUND_MAX - 100;
    }
    CHECK(known <= 500);
    CHECK(last > 150);
    forget_all();
}

TEST(no_place_in_the_list_is_better_in_every_plan)
{
    struct terms terms = generous_terms(1);
    struct discovery found = a_discovery(100, 8);
    size_t planned[100] = {0};
    terms.run_ms_per_hour = 300000; /* 11 runs in all */
    for (int turn = 0; turn < 200; turn++) {
        struct plan plan;
        seed[0] = (uint8_t)turn;
        CHECK_EQ_INT(plan_make(&arena, &terms, &found, &evidence,
                               INT64_C(1767916800000), seed, &plan),
                     0);
        CHECK_EQ_INT(plan.target_count, 11);
        for (size_t i = 0; i < plan.target_count; i++)
            planned[place_of(&plan.targets[i])]++;
    }
    seed[0] = 0;
    for (size_t i = 0; i < 100; i++)
        CHECK(planned[i] >= 5 && planned[i] <= 50);
    forget_all();
}

static int64_t strata_of(const struct plan *plan, size_t place)
{
    for (size_t i = 0; i < plan->target_count; i++)
        if (place_of(&plan->targets[i]) == place)
            return plan->targets[i].strata;
    return 0;
}

TEST(who_tells_nothing_is_tried_once_where_others_tell)
{
    struct terms terms = generous_terms(1);
    struct discovery found = a_discovery(4, 8);
    struct plan plan;
    /* Nobody tells: all are equal. */
    plan_make(&arena, &terms, &found, &evidence, INT64_C(1767916800000), seed,
              &plan);
    for (size_t i = 0; i < 4; i++)
        CHECK_EQ_INT(strata_of(&plan, i), 4);
    /* The first tells, the third was seen to offer, the fourth did not. */
    model =
        (struct discovered_model){.pipeline = text_of("live-video-to-video"),
                                  .model_id = text_of("noop"),
                                  .idle = ABSENT_INT,
                                  .busy = ABSENT_INT};
    list[0].models = &model;
    list[0].model_count = 1;
    add_evidence(2, 1, true);
    add_evidence(3, 1, false);
    plan_make(&arena, &terms, &found, &evidence, INT64_C(1767916800000), seed,
              &plan);
    CHECK_EQ_INT(strata_of(&plan, 0), 4);
    CHECK_EQ_INT(strata_of(&plan, 1), 1);
    CHECK_EQ_INT(strata_of(&plan, 2), 4);
    CHECK_EQ_INT(strata_of(&plan, 3), 1);
    forget_all();
}
