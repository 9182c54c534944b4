#include "sched/coverage.h"

#include "base/clock.h"
#include "harness.h"

#include <math.h>
#include <string.h>

enum { ROWS = 24 * 40 };

static struct ledger_row rows[ROWS];

/* A plan of a day with 40 runs in each hour, all executed, by two
 * orchestrators in turn. */
static struct plan even_day(void)
{
    static struct plan_target targets[2];
    memset(targets, 0, sizeof targets);
    for (size_t i = 0; i < ROWS; i++) {
        fields_clear(ledger_fields, &rows[i]);
        rows[i].due_at = (int64_t)(i / 40) * MS_PER_HOUR + 1;
        rows[i].orchestrator_url =
            text_of(i % 2 ? "https://a.example" : "https://b.example");
        rows[i].gpu_id = text_of(i % 2 ? "GPU-a" : "GPU-b");
        rows[i].state = text_of(LEDGER_EXECUTED);
    }
    targets[0].strata = targets[1].strata = ROWS / 2;
    return (struct plan){.starts_at = 0,
                         .ends_at = MS_PER_DAY,
                         .targets = targets,
                         .target_count = 2};
}

static struct plan_books books_of(const struct plan *plan, int64_t now)
{
    return (struct plan_books){
        .plan = plan, .rows = rows, .row_count = ROWS, .now = now};
}

static struct coverage_report report_of(const struct plan *plan, int64_t now)
{
    struct coverage *coverage = coverage_new();
    struct coverage_report report;
    struct plan_books books = books_of(plan, now);
    coverage_add(coverage, &books);
    coverage_report(coverage, &report);
    coverage_free(coverage);
    return report;
}

static void skip_between(size_t from, size_t to, size_t step, enum skip reason)
{
    for (size_t i = from; i < to; i += step) {
        rows[i].state = text_of(LEDGER_SKIPPED);
        rows[i].reason = text_of(skip_entry(reason)->name);
    }
}

TEST(a_day_that_is_covered_evenly)
{
    struct plan plan = even_day();
    struct coverage_report report = report_of(&plan, MS_PER_DAY);
    CHECK_EQ_INT(report.executed, ROWS);
    CHECK_EQ_INT(report.parts, 24);
    CHECK(report.even);
    CHECK(report.chi_square < 1e-6);
    CHECK_EQ_INT(report.orchestrators, 2);
    CHECK_EQ_INT(report.gpus, 2);
    CHECK_EQ_INT(report.starved, 0);
    CHECK_EQ_INT(report.least, ROWS / 2);
    /* The first day of 1970 was a Thursday. */
    CHECK_EQ_INT(report.hours[3 * 24], 40);
    CHECK_EQ_INT(report.hours[3 * 24 - 1], 0);
    report = report_of(&plan, MS_PER_DAY / 2);
    CHECK_EQ_INT(report.executed, ROWS / 2);
    CHECK_EQ_INT(report.parts, 12);
    CHECK(report.even);
}

TEST(hours_that_are_left_out)
{
    struct plan plan = even_day();
    skip_between(0, 3 * 40, 1, SKIP_STOPPED);
    struct coverage_report report = report_of(&plan, MS_PER_DAY);
    CHECK(!report.even);
    CHECK(report.p < 0.01);
}

TEST(who_is_starved_and_who_is_busy)
{
    struct plan plan = even_day();
    skip_between(0, ROWS, 2, SKIP_BUSY);
    CHECK_EQ_INT(report_of(&plan, MS_PER_DAY).starved, 0);
    skip_between(0, 2, 2, SKIP_OVER_BUDGET);
    struct coverage *coverage = coverage_new();
    struct coverage_report report;
    struct plan_books books = books_of(&plan, MS_PER_DAY);
    coverage_add(coverage, &books);
    coverage_report(coverage, &report);
    CHECK_EQ_INT(report.starved, 2); /* the orchestrator, and its GPU */
    REQUIRE(coverage_starved(coverage, 0) && coverage_starved(coverage, 1));
    CHECK(text_is(coverage_starved(coverage, 0)->name, "https://b.example"));
    CHECK(text_is(coverage_starved(coverage, 1)->name, "GPU-b"));
    CHECK(!coverage_starved(coverage, 2));
    coverage_free(coverage);
}

TEST(too_few_runs_to_tell)
{
    struct plan plan = even_day();
    skip_between(6, ROWS, 1, SKIP_BUSY);
    struct coverage_report report = report_of(&plan, MS_PER_DAY);
    CHECK(isnan(report.p));
    CHECK(report.even);
}

/* One has a card of its own, one two that cannot be told apart, and a third,
 * which is never run, has another one. */
TEST(cards_that_were_told)
{
    struct plan plan = even_day();
    struct plan_target *targets = plan.targets;
    struct coverage *coverage = coverage_new();
    struct coverage_report report;
    struct plan_target three[3] = {targets[0], targets[1]};
    three[0].orchestrator_url = text_of("https://a.example");
    three[0].gpu_id = three[0].gpu_ids = text_of("GPU-a");
    three[1].orchestrator_url = text_of("https://b.example");
    three[1].gpu_ids = text_of("GPU-b,GPU-c");
    three[2].orchestrator_url = text_of("https://c.example");
    three[2].gpu_ids = text_of("GPU-d");
    plan.targets = three;
    plan.target_count = 3;
    for (size_t i = 0; i < ROWS; i += 2)
        rows[i].gpu_id = (struct text){0};
    struct plan_books books = books_of(&plan, MS_PER_DAY);
    coverage_add(coverage, &books);
    coverage_report(coverage, &report);
    CHECK_EQ_INT(report.gpus, 1);
    CHECK_EQ_INT(report.gpus_told, 4);
    CHECK_EQ_INT(report.gpus_shared, 2);
    CHECK_EQ_INT(report.gpus_unseen, 1);
    REQUIRE(coverage_unseen(coverage, 0));
    CHECK(text_is(coverage_unseen(coverage, 0)->name, "GPU-d"));
    CHECK(!coverage_unseen(coverage, 1));
    coverage_free(coverage);
}

TEST(gpus_that_only_runs_know)
{
    struct plan plan = even_day();
    struct run run = run_empty();
    struct plan_books books = books_of(&plan, MS_PER_DAY);
    struct coverage *coverage = coverage_new();
    struct coverage_report report;
    for (size_t i = 0; i < ROWS; i++)
        rows[i].gpu_id = (struct text){0};
    run.run_id = rows[3].run_id = text_of("run-3");
    run.gpu_id = text_of("GPU-c");
    books.runs = &run;
    books.run_count = 1;
    coverage_add(coverage, &books);
    coverage_report(coverage, &report);
    CHECK_EQ_INT(report.gpus, 1);
    coverage_free(coverage);
}
