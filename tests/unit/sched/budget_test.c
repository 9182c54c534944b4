#include "sched/budget.h"

#include "base/clock.h"
#include "harness.h"

#include <string.h>

static struct plan_target targets[2];

/* Two targets; five percent of an idle slot are nine runs of 20 s an hour. */
static struct plan a_plan(void)
{
    for (size_t i = 0; i < 2; i++) {
        fields_clear(plan_target_fields, &targets[i]);
        targets[i].workflow = text_of("noop");
        targets[i].prompts = 1;
        targets[i].strata = 24;
    }
    targets[0].orchestrator_url = text_of("https://a.example:8935");
    targets[1].orchestrator_url = text_of("https://b.example:8935");
    return (struct plan){.starts_at = INT64_C(1767916800000),
                         .ends_at = INT64_C(1767916800000) + MS_PER_DAY,
                         .hour_ms = MS_PER_HOUR,
                         .run_ms = 20000,
                         .idle_share_ppm = 50000,
                         .run_ms_per_hour = 220000,
                         .runs_at_once = 2,
                         .run_wei = 100,
                         .day_wei = 1000,
                         .targets = targets,
                         .target_count = 2};
}

static struct budget_request request_at(int64_t ms, size_t target)
{
    return (struct budget_request){.target = target,
                                   .now = INT64_C(1767916800000) + ms,
                                   .idle = 1,
                                   .run_ms = 20000,
                                   .wei = 10};
}

/* Asks, and runs it to its end where it may. */
static enum skip run(struct budget *budget, struct budget_request request)
{
    enum skip skip = budget_ask(budget, &request).skip;
    if (skip == SKIP_NONE) {
        budget_begin(budget, &request);
        budget_end(budget, &request, request.run_ms, request.wei);
    }
    return skip;
}

TEST(five_percent_of_an_idle_slot)
{
    struct plan plan = a_plan();
    struct budget *budget = budget_new(&plan);
    for (int i = 0; i < 9; i++)
        CHECK_EQ_INT(run(budget, request_at(i * 60000, 0)), SKIP_NONE);
    CHECK_EQ_INT(run(budget, request_at(600000, 0)), SKIP_OVER_BUDGET);
    /* The other has its own, then all have had enough. */
    CHECK_EQ_INT(run(budget, request_at(600000, 1)), SKIP_NONE);
    CHECK_EQ_INT(run(budget, request_at(700000, 1)), SKIP_NONE);
    CHECK_EQ_INT(run(budget, request_at(800000, 1)), SKIP_GLOBAL_BUDGET);
    CHECK_EQ_INT(run(budget, request_at(MS_PER_HOUR, 0)), SKIP_NONE);
    budget_free(budget);
}

TEST(the_least_that_was_idle_counts)
{
    struct plan plan = a_plan();
    struct budget *budget = budget_new(&plan);
    struct budget_request request = request_at(0, 0);
    request.idle = 4;
    struct budget_answer answer = budget_ask(budget, &request);
    CHECK_EQ_INT(answer.idle_ms, 4 * MS_PER_HOUR);
    request.idle = 0;
    CHECK_EQ_INT(budget_ask(budget, &request).skip, SKIP_BUSY);
    request.idle = 4;
    answer = budget_ask(budget, &request);
    CHECK_EQ_INT(answer.idle_ms, 0);
    CHECK_EQ_INT(answer.skip, SKIP_OVER_BUDGET);
    /* In the next hour nothing has been seen yet. */
    request.now += MS_PER_HOUR;
    request.idle = ABSENT_INT;
    answer = budget_ask(budget, &request);
    CHECK_EQ_INT(answer.idle_ms, MS_PER_HOUR);
    CHECK_EQ_INT(answer.skip, SKIP_NONE);
    budget_free(budget);
}

TEST(runs_at_once_and_wei_of_the_day)
{
    struct plan plan = a_plan();
    struct budget *budget = budget_new(&plan);
    struct budget_request first = request_at(0, 0);
    struct budget_request second = request_at(1, 1);
    struct budget_request dear = request_at(2, 0);
    CHECK_EQ_INT(budget_ask(budget, &first).skip, SKIP_NONE);
    budget_begin(budget, &first);
    budget_begin(budget, &second);
    CHECK_EQ_INT(budget_ask(budget, &dear).skip, SKIP_AT_ONCE);
    CHECK_EQ_INT(budget_running(budget), 2);
    budget_end(budget, &first, 5000, 1);
    dear.wei = 101;
    CHECK_EQ_INT(budget_ask(budget, &dear).skip, SKIP_WEI);
    dear.wei = 100;
    plan.day_wei = 110;
    CHECK_EQ_INT(budget_ask(budget, &dear).skip, SKIP_WEI);
    plan.day_wei = 111;
    CHECK_EQ_INT(budget_ask(budget, &dear).skip, SKIP_NONE);
    budget_free(budget);
}

TEST(a_clock_that_goes_back_gives_nothing_twice)
{
    struct plan plan = a_plan();
    struct budget *budget = budget_new(&plan);
    for (int i = 0; i < 9; i++)
        run(budget, request_at(MS_PER_HOUR + i, 0));
    CHECK_EQ_INT(run(budget, request_at(0, 0)), SKIP_OVER_BUDGET);
    CHECK_EQ_INT(run(budget, request_at(-40 * MS_PER_HOUR, 0)),
                 SKIP_OVER_BUDGET);
    budget_free(budget);
}

TEST(the_ledger_gives_the_budget_again)
{
    struct plan plan = a_plan();
    struct ledger_row row;
    fields_clear(ledger_fields, &row);
    row.plan_hash = text_of("an earlier one");
    row.orchestrator_url = targets[0].orchestrator_url;
    row.workflow = targets[0].workflow;
    row.began_at = plan.starts_at + 5;
    row.planned_ms = 20000;
    row.state = text_of(LEDGER_EXECUTED);
    row.run_ms = 15000;
    row.cost_wei = 950;
    struct budget *budget = budget_new(&plan);
    budget_count(budget, &row);
    /* One that was not begun takes nothing. */
    row.state = text_of(LEDGER_SKIPPED);
    row.began_at = ABSENT_INT;
    budget_count(budget, &row);
    struct budget_request request = request_at(10, 0);
    CHECK_EQ_INT(budget_ask(budget, &request).used_ms, 15000);
    request.wei = 51;
    CHECK_EQ_INT(budget_ask(budget, &request).skip, SKIP_WEI);
    /* What was spent by hand counts, too; that of the day before does not. */
    request.wei = 50;
    CHECK_EQ_INT(budget_ask(budget, &request).skip, SKIP_NONE);
    budget_spend(budget, request.now - MS_PER_DAY, 1);
    CHECK_EQ_INT(budget_ask(budget, &request).skip, SKIP_NONE);
    budget_spend(budget, request.now, 1);
    CHECK_EQ_INT(budget_ask(budget, &request).skip, SKIP_WEI);
    /* One that had begun counts with all that it may have taken. */
    row.state = text_of(LEDGER_STARTED);
    row.began_at = plan.starts_at + 5;
    row.run_ms = ABSENT_INT;
    row.cost_wei = 0;
    budget_count(budget, &row);
    CHECK_EQ_INT(budget_ask(budget, &request).used_ms, 35000);
    CHECK_EQ_INT(budget_running(budget), 0);
    /* The least that was seen idle is known again, though nothing began. */
    row.state = text_of(LEDGER_SKIPPED);
    row.began_at = ABSENT_INT;
    request.now += MS_PER_HOUR;
    row.decided_at = request.now;
    row.idle_ms = 2 * MS_PER_HOUR;
    budget_count(budget, &row);
    request.idle = 3;
    CHECK_EQ_INT(budget_ask(budget, &request).idle_ms, 2 * MS_PER_HOUR);
    request.target = 1;
    CHECK_EQ_INT(budget_ask(budget, &request).idle_ms, 3 * MS_PER_HOUR);
    budget_free(budget);
}

TEST(workflows_share_the_capacity_of_their_model)
{
    struct plan plan = a_plan();
    targets[1].orchestrator_url = targets[0].orchestrator_url;
    targets[1].workflow = text_of("another");
    struct budget *budget = budget_new(&plan);
    for (size_t i = 0; i < 9; i++)
        CHECK_EQ_INT(run(budget, request_at((int64_t)i * 60000, i % 2)),
                     SKIP_NONE);
    CHECK_EQ_INT(run(budget, request_at(600000, 0)), SKIP_OVER_BUDGET);
    CHECK_EQ_INT(run(budget, request_at(600000, 1)), SKIP_OVER_BUDGET);
    targets[1].model_id = text_of("another");
    budget_free(budget);
    budget = budget_new(&plan);
    for (size_t i = 0; i < 10; i++)
        CHECK_EQ_INT(run(budget, request_at((int64_t)i * 60000, i % 2)),
                     SKIP_NONE);
    budget_free(budget);
}
