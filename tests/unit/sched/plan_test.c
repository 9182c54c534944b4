#include "sched/schedule.h"

#include "base/clock.h"
#include "harness.h"

#include <stdlib.h>
#include <string.h>

static struct arena arena;

enum { TARGETS = 3 };

static struct plan_target targets[TARGETS];
static uint8_t seed[PLAN_SEED_BYTES];

/* Three targets with 4, 24 and no strata, over one day. */
static struct plan a_plan(void)
{
    static char seed_hex[2 * SHA256_BYTES + 1];
    uint8_t hash[SHA256_BYTES];
    memset(seed, 7, sizeof seed);
    hash_sha256(seed, sizeof seed, hash);
    hash_hex(hash, sizeof hash, seed_hex);
    for (size_t i = 0; i < TARGETS; i++) {
        fields_clear(plan_target_fields, &targets[i]);
        targets[i].orchestrator_url = text_of("https://127.0.0.1:8935");
        targets[i].workflow = text_of("noop");
        targets[i].prompts = 10;
    }
    targets[1].orchestrator_url = text_of("https://127.0.0.2:8935");
    targets[1].model_id = text_of("noop");
    targets[2].gpu_id = text_of("GPU-1");
    targets[0].strata = 4;
    targets[1].strata = 24;
    targets[2].strata = 0;
    return (struct plan){.vantage = text_of("here"),
                         .seed_sha256 = text_of(seed_hex),
                         .starts_at = INT64_C(1767916800000),
                         .ends_at = INT64_C(1767916800000) + MS_PER_DAY,
                         .hour_ms = MS_PER_HOUR,
                         .run_ms = 20000,
                         .run_spread_ms = 2000,
                         .idle_share_ppm = 50000,
                         .run_ms_per_hour = 600000,
                         .runs_at_once = 4,
                         .run_wei = 1000,
                         .day_wei = 100000,
                         .targets = targets,
                         .target_count = TARGETS};
}

static struct text json_of(const struct plan *plan)
{
    struct buf out = {0};
    buf_add_byte(&out, '{');
    plan_write(&out, plan);
    buf_add_byte(&out, '}');
    struct text copy = {arena_text(&arena, out.data, out.length), out.length};
    buf_free(&out);
    return copy;
}

TEST(a_plan_is_read_as_it_was_written)
{
    struct plan plan = a_plan();
    struct plan again;
    uint8_t hash[SHA256_BYTES];
    uint8_t hash_again[SHA256_BYTES];
    struct text json = json_of(&plan);
    CHECK_EQ_INT(
        plan_read(&arena, json_parse(&arena, json.data, json.length), &again),
        ERR_NONE);
    plan_hash(&plan, hash);
    plan_hash(&again, hash_again);
    CHECK_EQ_MEMORY(hash_again, hash, sizeof hash);
    CHECK(fields_equal(plan_fields, &plan, &again));
    CHECK_EQ_INT(again.target_count, TARGETS);
    arena_clear(&arena);
}

TEST(every_run_lies_in_its_stratum_and_length)
{
    struct plan plan = a_plan();
    uint8_t hash[SHA256_BYTES];
    plan_hash(&plan, hash);
    for (size_t target = 0; target < 2; target++) {
        int64_t strata = plan.targets[target].strata;
        int64_t length = MS_PER_DAY / strata;
        for (int64_t k = 0; k < strata; k++) {
            struct planned_run run = plan_draw(&plan, hash, seed, target, k);
            CHECK(run.due_at >= plan.starts_at + k * length);
            CHECK(run.due_at < plan.starts_at + (k + 1) * length);
            CHECK(run.run_ms >= 18000 && run.run_ms <= 22000);
            CHECK(run.prompt >= 0 && run.prompt < 10);
        }
    }
}

/* The vector of an implementation in another language:
 *   d = hmac.new(b"\7"*32, plan_hash + b"https://127.0.0.1:8935\0noop\0\0\0"
 *                + (2).to_bytes(8, "big"), "sha256").digest()
 * with the plan hash set to bytes 0 to 31. */
TEST(an_instant_can_be_derived_elsewhere)
{
    struct plan plan = a_plan();
    uint8_t hash[SHA256_BYTES];
    for (int i = 0; i < SHA256_BYTES; i++)
        hash[i] = (uint8_t)i;
    struct planned_run run = plan_draw(&plan, hash, seed, 0, 2);
    CHECK_EQ_INT(run.due_at - plan.starts_at, 59999304);
    CHECK_EQ_INT(run.run_ms, 21378);
    CHECK_EQ_INT(run.prompt, 4);
}

TEST(the_schedule_is_in_order_and_whole)
{
    struct plan plan = a_plan();
    size_t count;
    struct planned_run *runs = plan_schedule(&arena, &plan, seed, &count);
    CHECK_EQ_INT(count, 28);
    for (size_t i = 1; i < count; i++)
        CHECK(runs[i - 1].due_at <= runs[i].due_at);
    arena_clear(&arena);
}

TEST(another_seed_or_plan_gives_other_instants)
{
    struct plan plan = a_plan();
    uint8_t hash[SHA256_BYTES];
    plan_hash(&plan, hash);
    struct planned_run first = plan_draw(&plan, hash, seed, 0, 0);
    seed[0] ^= 1;
    CHECK(plan_draw(&plan, hash, seed, 0, 0).due_at != first.due_at);
    CHECK(!plan_is_of_seed(&plan, seed));
    seed[0] ^= 1;
    CHECK(plan_is_of_seed(&plan, seed));
    plan.run_wei++;
    plan_hash(&plan, hash);
    CHECK(plan_draw(&plan, hash, seed, 0, 0).due_at != first.due_at);
}

/* Ten bins over all instants of many plans: chi-squared with 9 degrees of
 * freedom is over 27.9 once in a thousand; the seed is fixed. */
TEST(instants_are_uniform_in_their_stratum)
{
    struct plan plan = a_plan();
    uint8_t hash[SHA256_BYTES] = {0};
    int64_t bins[10] = {0};
    enum { RUNS = 5000 };
    plan.targets[0].strata = RUNS;
    plan.ends_at = plan.starts_at + RUNS * INT64_C(1000);
    for (int64_t k = 0; k < RUNS; k++) {
        struct planned_run run = plan_draw(&plan, hash, seed, 0, k);
        bins[(run.due_at - plan.starts_at) % 1000 / 100]++;
    }
    double chi = 0;
    for (int i = 0; i < 10; i++) {
        double off = (double)bins[i] - RUNS / 10.0;
        chi += off * off / (RUNS / 10.0);
    }
    CHECK(chi < 27.9);
}

TEST(plans_that_cannot_be)
{
    static const struct {
        const char *from;
        const char *to;
        const char *message;
    } cases[] = {
        {"\"run_ms\":20000,", "", "it has no run_ms"},
        {"\"run_ms\":20000", "\"run_ms\":1", "run_ms is 1; it goes from 100"},
        {"\"run_spread_ms\":2000", "\"run_spread_ms\":20000",
         "must be less than run_ms"},
        {"\"strata\":4", "\"strata\":2000001", "target 1: strata is 2000001"},
        {"\"prompts\":10", "\"prompts\":0", "target 1: prompts is 0"},
        {"\"ends_at_ms\":1768003200000", "\"ends_at_ms\":1", "ends before"},
        {"\"seed_sha256\":\"", "\"seed_sha256\":\"x", "64 hexadecimal"},
        {"\"targets\":[", "\"targets\":[7,", "target 1: it is no object"},
        {"\"targets\":[", "\"others\":[", "targets is no array"},
        {"\"workflow\":\"noop\"", "\"w\":1", "names no orchestrator_url"},
    };
    struct plan plan = a_plan();
    struct text json = json_of(&plan);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buf changed = {0};
        char *found = strstr(json.data, cases[i].from);
        REQUIRE(found);
        buf_add(&changed, json.data, (size_t)(found - json.data));
        buf_add_string(&changed, cases[i].to);
        buf_add_string(&changed, found + strlen(cases[i].from));
        struct plan read;
        CHECK_EQ_INT(plan_read(&arena,
                               json_parse(&arena, changed.data, changed.length),
                               &read),
                     ERR_INPUT);
        if (!strstr(err_message(), cases[i].message))
            CHECK_EQ_TEXT(err_message(), cases[i].message);
        buf_free(&changed);
    }
    arena_clear(&arena);
}

TEST(who_has_least_evidence_gets_most_runs)
{
    static const struct plan_demand demands[] = {
        {10, 100, 1}, {0, 100, 1}, {3, 100, 1}, {0, 2, 1}, {0, 0, 1}};
    int64_t strata[5];
    plan_allot(demands, 5, 12, strata);
    /* 6 and 3+3 are level, the fourth may have no more than 2. */
    static const int64_t wanted[] = {0, 7, 3, 2, 0};
    for (int i = 0; i < 5; i++)
        CHECK_EQ_INT(strata[i], wanted[i]);
    plan_allot(demands, 5, 1000, strata);
    CHECK_EQ_INT(strata[0] + strata[1] + strata[2] + strata[3], 302);
}

TEST(a_model_with_more_cards_gets_as_many_more_runs)
{
    static const struct plan_demand demands[] = {
        {0, 100, 1}, {0, 100, 4}, {8, 100, 4}};
    int64_t strata[3];
    plan_allot(demands, 3, 55, strata);
    CHECK_EQ_INT(strata[0], 7);
    CHECK_EQ_INT(strata[1], 28);
    CHECK_EQ_INT(strata[2], 20);
}

TEST(runs_within_five_percent_of_an_idle_slot)
{
    struct plan plan = a_plan();
    CHECK_EQ_INT(plan_runs_within_budget(&plan, 1), 216);
    CHECK_EQ_INT(plan_runs_within_budget(&plan, 0), 0);
    plan.hour_ms = 20000; /* a demo's clock */
    CHECK_EQ_INT(plan_runs_within_budget(&plan, 4), 4);
}
