#include "sched/verify.h"

#include "base/clock.h"
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS = 6, FLEET_MAX = 8 };

/* Two targets of three runs each, all of them decided. */
struct world {
    struct plan plan;
    struct plan_target targets[2];
    uint8_t seed[PLAN_SEED_BYTES];
    char seed_hex[2 * SHA256_BYTES + 1];
    char plan_hex[2 * SHA256_BYTES + 1];
    struct ledger_row rows[ROWS + 2];
    struct run runs[ROWS + 1];
    char ids[ROWS][8];
    struct run_end fleet[FLEET_MAX];
    struct plan_books books;
    char said[1024];
};

static void decide(struct world *world, const uint8_t *hash, size_t target,
                   int64_t stratum)
{
    size_t at = world->books.row_count++;
    struct ledger_row *row = &world->rows[at];
    struct planned_run run =
        plan_draw(&world->plan, hash, world->seed, target, stratum);
    fields_clear(ledger_fields, row);
    row->plan_hash = text_of(world->plan_hex);
    row->orchestrator_url = world->targets[target].orchestrator_url;
    row->workflow = world->targets[target].workflow;
    row->stratum = stratum;
    row->due_at = run.due_at;
    row->planned_ms = run.run_ms;
    row->run_ms = run.run_ms;
    row->began_at = run.due_at + 50;
    row->decided_at = run.due_at + run.run_ms + 100;
    row->state = text_of(LEDGER_EXECUTED);
    row->idle_ms = MS_PER_HOUR;
    row->cost_wei = 10;
    snprintf(world->ids[at], sizeof world->ids[at], "run %zu", at);
    row->run_id = text_of(world->ids[at]);
    world->runs[at] = run_empty();
    world->runs[at].run_id = row->run_id;
    world->runs[at].plan_hash = row->plan_hash;
    world->runs[at].orchestrator_url = row->orchestrator_url;
    world->runs[at].workflow = row->workflow;
    world->runs[at].started_at = row->began_at;
}

static void make_with(struct world *world, const char *url,
                      const char *workflow)
{
    uint8_t hash[SHA256_BYTES];
    *world = (struct world){.seed = {9}};
    hash_sha256(world->seed, PLAN_SEED_BYTES, hash);
    hash_hex(hash, sizeof hash, world->seed_hex);
    for (size_t i = 0; i < 2; i++) {
        fields_clear(plan_target_fields, &world->targets[i]);
        world->targets[i].workflow = text_of("noop");
        world->targets[i].prompts = 1;
        world->targets[i].strata = 3;
    }
    world->targets[0].orchestrator_url = text_of("https://a.example");
    world->targets[1].orchestrator_url = text_of(url);
    world->targets[1].workflow = text_of(workflow);
    world->plan = (struct plan){.seed_sha256 = text_of(world->seed_hex),
                                .vantage = text_of("here"),
                                .starts_at = 0,
                                .ends_at = MS_PER_DAY,
                                .hour_ms = MS_PER_HOUR,
                                .run_ms = 20000,
                                .idle_share_ppm = 50000,
                                .run_ms_per_hour = 120000,
                                .runs_at_once = 1,
                                .run_wei = 900,
                                .day_wei = 1000,
                                .control_fail_ppm = 500000,
                                .fleet_fail_ppm = 500000,
                                .fleet_window_ms = 60000,
                                .targets = world->targets,
                                .target_count = 2};
    plan_hash(&world->plan, hash);
    hash_hex(hash, sizeof hash, world->plan_hex);
    world->books = (struct plan_books){.plan = &world->plan,
                                       .seed = world->seed,
                                       .rows = world->rows,
                                       .runs = world->runs,
                                       .run_count = ROWS,
                                       .now = MS_PER_DAY + MS_PER_HOUR};
    for (size_t i = 0; i < 2; i++)
        for (int64_t k = 0; k < 3; k++)
            decide(world, hash, i, k);
}

static void make(struct world *world)
{
    make_with(world, "https://b.example", "noop");
}

static void hear(void *context, const char *sentence)
{
    struct world *world = context;
    size_t length = strlen(world->said);
    snprintf(world->said + length, sizeof world->said - length, "%s\n",
             sentence);
}

static struct plan_coverage verify(struct world *world)
{
    world->said[0] = '\0';
    return plan_verify(&world->books, hear, world);
}

static void check_finds(struct world *world, const char *words)
{
    struct plan_coverage coverage = verify(world);
    CHECK(coverage.findings > 0);
    if (!strstr(world->said, words))
        CHECK_EQ_TEXT(world->said, words);
}

TEST(honest_books)
{
    struct world world;
    make(&world);
    struct plan_coverage coverage = verify(&world);
    CHECK_EQ_TEXT(world.said, "");
    CHECK_EQ_INT(coverage.planned, ROWS);
    CHECK_EQ_INT(coverage.executed, ROWS);
    world.rows[2].state = text_of(LEDGER_SKIPPED);
    world.rows[2].reason = text_of("busy");
    world.runs[2].plan_hash = (struct text){0}; /* by hand, and not by plan */
    coverage = verify(&world);
    CHECK_EQ_TEXT(world.said, "");
    CHECK_EQ_INT(coverage.skips[SKIP_BUSY], 1);
}

TEST(a_run_that_has_no_row)
{
    struct world world;
    make(&world);
    world.books.row_count--;
    world.books.run_count--;
    check_finds(&world, "says nothing of the run planned for");
    world.books.now = 0;
    struct plan_coverage coverage = verify(&world);
    CHECK_EQ_INT(coverage.findings, 0);
    CHECK_EQ_INT(coverage.undecided, 1);
}

TEST(an_instant_that_was_changed)
{
    struct world world;
    make(&world);
    world.rows[0].due_at += 1;
    check_finds(&world, "moves the run planned for");
}

TEST(a_length_that_was_changed)
{
    struct world world;
    make(&world);
    world.rows[0].planned_ms += 1;
    check_finds(&world, "changes the length");
}

TEST(a_target_that_was_changed)
{
    struct world world;
    make(&world);
    world.rows[0].orchestrator_url = text_of("https://c.example");
    check_finds(&world, "https://c.example at");
    CHECK(strstr(world.said, "that was not planned"));
    CHECK(strstr(world.said, "says nothing of the run"));
}

TEST(a_run_decided_twice)
{
    struct world world;
    make(&world);
    world.rows[ROWS] = world.rows[0];
    world.books.row_count++;
    check_finds(&world, "was decided twice");
}

TEST(a_run_that_began_and_ended)
{
    struct world world;
    make(&world);
    memmove(world.rows + 1, world.rows, ROWS * sizeof *world.rows);
    world.rows[0].state = text_of(LEDGER_STARTED);
    world.books.row_count++;
    CHECK_EQ_INT(verify(&world).findings, 0);
}

TEST(a_run_begun_twice)
{
    struct world world;
    make(&world);
    memmove(world.rows + 2, world.rows, ROWS * sizeof *world.rows);
    world.rows[0].state = text_of(LEDGER_STARTED);
    world.rows[1] = world.rows[0];
    world.books.row_count += 2;
    check_finds(&world, "was begun twice");
}

TEST(a_run_that_no_row_names)
{
    struct world world;
    make(&world);
    world.runs[ROWS] = world.runs[0];
    world.runs[ROWS].run_id = text_of("one more");
    world.books.run_count++;
    check_finds(&world, "no row of the ledger names the run one more");
    /* A row that says it was skipped does not name it either. */
    make(&world);
    world.rows[2].state = text_of(LEDGER_SKIPPED);
    world.rows[2].reason = text_of("busy");
    check_finds(&world, "no row of the ledger names the run run 2");
}

TEST(a_run_that_two_rows_name)
{
    struct world world;
    make(&world);
    world.rows[1].run_id = world.rows[0].run_id;
    check_finds(&world, "is another one's, too");
}

TEST(a_run_of_something_else)
{
    static const char words[] = "of another orchestrator, workflow, model";
    struct world world;
    make(&world);
    world.runs[1].orchestrator_url = text_of("https://c.example");
    check_finds(&world, words);
    make(&world);
    world.runs[1].workflow = text_of("depth");
    check_finds(&world, words);
    make(&world);
    world.runs[1].model_id = text_of("another");
    check_finds(&world, words);
    make(&world);
    world.runs[1].prompt_id = text_of("another");
    check_finds(&world, words);
    make(&world);
    world.runs[1].started_at++;
    check_finds(&world, words);
}

TEST(a_run_that_nobody_has)
{
    struct world world;
    make(&world);
    world.runs[3].run_id = text_of("another");
    check_finds(&world, "was executed, and is missing");
}

TEST(a_run_that_began_late)
{
    struct world world;
    make(&world);
    world.rows[1].began_at += PLAN_LATE_MS;
    check_finds(&world, "did not begin then");
}

TEST(rows_of_a_run_come_in_order)
{
    struct world world;
    make(&world);
    memmove(world.rows + 2, world.rows, ROWS * sizeof *world.rows);
    world.rows[1] = world.rows[0];
    world.rows[0].state = text_of(LEDGER_STARTED);
    world.rows[1].state = text_of(LEDGER_ENDED);
    world.books.row_count += 2;
    CHECK_EQ_INT(verify(&world).findings, 0);
    world.rows[0].state = text_of(LEDGER_ENDED);
    check_finds(&world, "was ended twice");
    world.rows[1].state = text_of(LEDGER_STARTED);
    check_finds(&world, "was begun twice");
}

TEST(a_skip_for_no_reason)
{
    struct world world;
    make(&world);
    world.rows[1].state = text_of(LEDGER_SKIPPED);
    world.rows[1].reason = text_of("lazy");
    check_finds(&world, "was skipped for no reason");
}

/* Run 1 was measured as MEASURED, when FAILED of SEEN orchestrators failed. */
static void end_with_fleet(struct world *world, enum reason measured,
                           size_t seen, size_t failed)
{
    static const char *const urls[FLEET_MAX] = {"1", "2", "3", "4",
                                                "5", "6", "7", "8"};
    struct ledger_row *row = &world->rows[1];
    make(world);
    run_conclude(&world->runs[1], measured);
    row->ended_at = row->began_at + row->run_ms;
    row->measured = world->runs[1].outcome;
    row->fleet = (int64_t)seen;
    row->fleet_failed = (int64_t)failed;
    row->seq = 100;
    for (size_t i = 0; i < seen; i++)
        world->fleet[i] = (struct run_end){
            .orchestrator_url = text_of(urls[i]),
            .ended_at = row->ended_at + (int64_t)i,
            .measured = i < failed ? OUTCOME_FAILED : OUTCOME_OK,
            .seq = (int64_t)i};
    world->books.others = world->fleet;
    world->books.other_count = seen;
}

TEST(what_is_set_aside_follows_from_the_rule)
{
    static const char against[] = "against the plan's rule";
    static const struct {
        enum reason measured;
        size_t seen;
        size_t failed;
        int64_t controls_failed; /* of three */
        enum reason set_aside;
        const char *finding; /* "" for none */
    } rows[] = {
        {REASON_NO_OUTPUT, 4, 3, 0, REASON_FLEET_FAILED, ""},
        {REASON_NONE, 4, 3, 0, REASON_FLEET_FAILED, ""},
        {REASON_INSUFFICIENT_CAPACITY, 4, 3, 0, REASON_FLEET_FAILED, ""},
        {REASON_NO_OUTPUT, 4, 2, 0, REASON_NONE, ""},
        {REASON_NO_OUTPUT, 4, 2, 0, REASON_FLEET_FAILED, against},
        {REASON_NO_OUTPUT, 3, 3, 0, REASON_FLEET_FAILED, against},
        {REASON_NO_OUTPUT, 4, 3, 0, REASON_NONE, "counts as failed"},
        {REASON_NONE, 4, 3, 0, REASON_NONE, "counts as ok"},
        {REASON_NONE, 0, 0, 2, REASON_CONTROL_TARGETS_FAILED, ""},
        {REASON_NONE, 4, 4, 2, REASON_CONTROL_TARGETS_FAILED, ""},
        {REASON_NONE, 4, 4, 2, REASON_FLEET_FAILED, against},
        {REASON_NO_OUTPUT, 0, 0, 1, REASON_CONTROL_TARGETS_FAILED, against},
        {REASON_NO_OUTPUT, 0, 0, 2, REASON_NONE, "counts as failed"},
        {REASON_NO_OUTPUT, 4, 0, 0, REASON_VANTAGE_FAULT, ""},
        {REASON_STOPPED, 4, 4, 0, REASON_NONE, ""},
        {REASON_STOPPED, 4, 4, 0, REASON_FLEET_FAILED, "tells nothing"},
    };
    EACH_ROW (row, rows) {
        struct world world;
        end_with_fleet(&world, row->measured, row->seen, row->failed);
        world.rows[1].controls = 3;
        world.rows[1].controls_failed = row->controls_failed;
        if (row->set_aside)
            world.rows[1].set_aside =
                text_of(reason_entry(row->set_aside)->name);
        struct plan_coverage coverage = verify(&world);
        CHECK_EQ_INT(coverage.findings, *row->finding != '\0');
        if (!strstr(world.said, row->finding))
            CHECK_EQ_TEXT(world.said, row->finding);
        CHECK(!row->set_aside || coverage.set_aside[row->set_aside] == 1);
    }
}

TEST(a_fleet_that_was_counted_in_another_way)
{
    static const char words[] =
        "orchestrators failed about then; by the ledger";
    struct world world;
    end_with_fleet(&world, REASON_NO_OUTPUT, 5, 2);
    CHECK_EQ_INT(verify(&world).findings, 0);
    world.rows[1].fleet = 6;
    check_finds(&world, words);
    end_with_fleet(&world, REASON_NO_OUTPUT, 5, 2);
    world.rows[1].fleet_failed = 3; /* and so it would be set aside */
    world.rows[1].set_aside = text_of(reason_entry(REASON_FLEET_FAILED)->name);
    check_finds(&world, words);
    end_with_fleet(&world, REASON_NO_OUTPUT, 5, 2);
    world.rows[1].fleet = world.rows[1].fleet_failed = ABSENT_INT;
    check_finds(&world, words);
    end_with_fleet(&world, REASON_NO_OUTPUT, 5, 2);
    world.fleet[4].seq = 101; /* told after the judgement */
    check_finds(&world, words);
    end_with_fleet(&world, REASON_NO_OUTPUT, 5, 2);
    world.fleet[4].ended_at += 30000; /* out of its window */
    check_finds(&world, words);
}

TEST(an_outcome_that_was_changed)
{
    struct world world;
    end_with_fleet(&world, REASON_NO_OUTPUT, 4, 1);
    world.rows[1].measured = text_of(outcome_name(OUTCOME_OK));
    check_finds(&world, "measured as ok; its line says failed");
}

TEST(what_was_set_aside_before_runs_were_judged_apart)
{
    static const struct {
        enum reason reason;
        int64_t fleet;
        int64_t fleet_failed;
        const char *finding; /* "" for none */
    } rows[] = {
        {REASON_FLEET_FAILED, 4, 3, ""},
        {REASON_FLEET_FAILED, 4, 2, "against the plan's rule"},
        {REASON_FLEET_FAILED, 3, 3, "against the plan's rule"},
        {REASON_FLEET_FAILED, ABSENT_INT, ABSENT_INT, "against the plan's"},
        {REASON_NO_OUTPUT, 4, 2, ""},
        {REASON_NO_OUTPUT, 4, 3, "counts as failed"},
        {REASON_CONTROL_TARGETS_FAILED, 4, 4, ""},
        {REASON_CONTROL_TARGETS_FAILED, 4, 1, ""},
    };
    EACH_ROW (row, rows) {
        struct world world;
        make(&world);
        run_conclude(&world.runs[1], row->reason);
        world.rows[1].fleet = row->fleet;
        world.rows[1].fleet_failed = row->fleet_failed;
        struct plan_coverage coverage = verify(&world);
        CHECK_EQ_INT(coverage.findings, *row->finding != '\0');
        CHECK(strstr(world.said, row->finding));
        CHECK_EQ_INT(coverage.set_aside[row->reason],
                     row->reason != REASON_NO_OUTPUT);
    }
}

TEST(ceilings_that_were_passed)
{
    struct world world;
    make(&world);
    world.rows[0].idle_ms = 20000;
    check_finds(&world, "ms of a model's hour, 1000 are allowed");
    make(&world);
    for (size_t i = 0; i < ROWS; i++)
        world.rows[i].cost_wei = 170;
    check_finds(&world, "runs of a day cost 1020 wei, 1000 are allowed");
    make(&world);
    world.rows[0].cost_wei = 901;
    check_finds(&world, "cost 901 wei, 900 are allowed");
    make(&world);
    world.plan.run_ms_per_hour = 19999;
    check_finds(&world, "");
}

/* The two first runs of the targets, the second one AFTER_MS after the first.
 */
static void begin_after(struct world *world, int64_t after_ms)
{
    make(world);
    world->rows[3].began_at = world->rows[0].began_at + after_ms;
    world->runs[3].started_at = world->rows[3].began_at;
    world->books.seed = NULL; /* their instants are of no matter here */
}

TEST(more_runs_at_once_than_are_allowed)
{
    struct world world;
    make(&world);
    int64_t run_ms = world.rows[0].run_ms;
    begin_after(&world, run_ms);
    CHECK_EQ_INT(verify(&world).findings, 0);
    begin_after(&world, run_ms - 1000);
    check_finds(&world, "2 runs were under way at once at ");
    CHECK(strstr(world.said, ", 1 are allowed"));
}

TEST(a_run_that_was_cut_off_has_used_its_length)
{
    struct world world;
    make(&world);
    struct ledger_row *row = &world.rows[0];
    row->state = text_of(LEDGER_SKIPPED);
    row->reason = text_of("interrupted");
    row->run_ms = row->cost_wei = ABSENT_INT;
    world.runs[0].plan_hash = (struct text){0};
    CHECK_EQ_INT(verify(&world).findings, 0);
    row->idle_ms = 20000;
    check_finds(&world, "ms of a model's hour, 1000 are allowed");
    row->began_at = ABSENT_INT;
    CHECK_EQ_INT(verify(&world).findings, 0);
}

TEST(plans_of_one_day_share_its_ceiling)
{
    struct world world;
    struct spent_days days = {0};
    make(&world);
    for (size_t i = 0; i < ROWS; i++)
        world.rows[i].cost_wei = 100;
    CHECK_EQ_INT(verify(&world).findings, 0);
    spent_days_add(&days, &world.books);
    CHECK_EQ_INT(spent_days_check(&days, hear, &world), 0);
    spent_days_add(&days, &world.books);
    CHECK_EQ_INT(spent_days_check(&days, hear, &world), 1);
    CHECK(strstr(world.said, "cost 1200 wei, 1000 are allowed"));
    free(days.list);
}

TEST(a_prompt_that_was_not_drawn)
{
    struct world world;
    struct prompt prompts[] = {{.id = "good-one"}};
    const struct prompt_set set = {.prompts = prompts, .count = 1};
    const struct prompt_set *const sets[] = {&set, NULL};
    make(&world);
    for (size_t i = 0; i < ROWS; i++)
        world.rows[i].prompt_id = world.runs[i].prompt_id = text_of("good-one");
    CHECK_EQ_INT(verify(&world).prompts_unknown, ROWS);
    world.books.prompts = sets;
    struct plan_coverage coverage = verify(&world);
    CHECK_EQ_INT(coverage.findings, 0);
    CHECK_EQ_INT(coverage.prompts_unknown, ROWS / 2);
    world.rows[1].prompt_id = world.runs[1].prompt_id = text_of("easy");
    check_finds(&world, "had the prompt easy; drawn was good-one");
}

TEST(a_plan_that_was_written_down_afterwards)
{
    struct world world;
    make(&world);
    for (size_t i = 0; i < ROWS; i++)
        world.rows[i].seq = (int64_t)i + 7;
    world.books.plan_seq = 6;
    CHECK_EQ_INT(verify(&world).findings, 0);
    world.books.plan_seq = 7;
    check_finds(&world, "before its plan was written down");
}

TEST(workflows_share_the_capacity_of_their_model)
{
    struct world world;
    make_with(&world, "https://a.example", "another");
    CHECK_EQ_INT(verify(&world).findings, 0);
    world.rows[0].idle_ms = world.rows[3].idle_ms = 30000 * 20;
    world.rows[3].began_at = world.rows[0].began_at;
    check_finds(&world, "ms of a model's hour, 30000 are allowed");
}

TEST(another_seed_than_was_promised)
{
    struct world world;
    make(&world);
    world.seed[5] = 1;
    check_finds(&world, "is not the one whose hash");
    world.books.seed = NULL;
    struct plan_coverage coverage = verify(&world);
    CHECK_EQ_INT(coverage.findings, 0);
    CHECK_EQ_INT(coverage.planned, 0);
}
