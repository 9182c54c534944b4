#include "sched/fleet.h"

#include "base/clock.h"
#include "base/fields.h"
#include "harness.h"
#include "sched/judgement.h"

static const char *const urls[] = {"https://a", "https://b", "https://c",
                                   "https://d", "https://e"};

static const struct plan plan = {.hour_ms = MS_PER_HOUR,
                                 .control_fail_ppm = 500000,
                                 .fleet_fail_ppm = 500000,
                                 .fleet_window_ms = 60000};

static int64_t told; /* by the journal, so far */

static void end(struct fleet *fleet, int who, int64_t at, enum outcome outcome)
{
    fleet_add(fleet, text_of(urls[who]), at, outcome, ++told);
}

static struct fleet_view look(struct fleet *fleet, int64_t from, int64_t to)
{
    return fleet_look(fleet, from, to, INT64_MAX);
}

static enum reason judged(const struct plan *by, int64_t controls,
                          int64_t controls_failed, int64_t seen, int64_t failed)
{
    struct ledger_row row;
    fields_clear(ledger_fields, &row);
    row.controls = controls;
    row.controls_failed = controls_failed;
    row.fleet = seen;
    row.fleet_failed = failed;
    return judgement_of(by, &row);
}

TEST(a_share_of_the_fleet)
{
    static const struct {
        int64_t seen;
        int64_t failed;
        bool suspect;
    } rows[] = {
        {0, 0, false},
        {3, 3, false}, /* too few to tell */
        {4, 4, true},
        {4, 3, true},
        {4, 2, false}, /* exactly half */
        {5, 3, true},
        {5, 2, false},
        {1000, 501, true},
        {1000, 500, false},
        {ABSENT_INT, ABSENT_INT, false},
    };
    EACH_ROW (row, rows)
        CHECK_EQ_INT(
            judged(&plan, ABSENT_INT, ABSENT_INT, row->seen, row->failed),
            row->suspect ? REASON_FLEET_FAILED : REASON_NONE);
}

TEST(a_share_of_the_control_targets)
{
    CHECK_EQ_INT(judged(&plan, 3, 1, 9, 9), REASON_FLEET_FAILED);
    CHECK_EQ_INT(judged(&plan, 3, 2, 9, 9), REASON_CONTROL_TARGETS_FAILED);
    CHECK_EQ_INT(judged(&plan, 2, 1, 9, 0), REASON_NONE);
    CHECK_EQ_INT(judged(&plan, 1, 1, 9, 0), REASON_CONTROL_TARGETS_FAILED);
    CHECK_EQ_INT(judged(&plan, 0, 0, 9, 0), REASON_NONE);
}

TEST(a_plan_that_declares_no_window)
{
    struct plan none = {.hour_ms = MS_PER_HOUR, .fleet_window_ms = 0};
    CHECK_EQ_INT(fleet_wait_ms(&plan), 30000);
    CHECK_EQ_INT(fleet_wait_ms(&none), 0);
    CHECK_EQ_INT(judged(&none, 0, 0, 10, 10), REASON_NONE);
    none.fleet_window_ms = none.fleet_fail_ppm = ABSENT_INT;
    CHECK_EQ_INT(fleet_wait_ms(&none), 0);
    CHECK_EQ_INT(judged(&none, 0, 0, 10, 10), REASON_NONE);
}

TEST(a_window_is_of_real_time)
{
    struct plan fast = plan;
    fast.hour_ms = 20000;
    CHECK_EQ_INT(fleet_wait_stamps(&plan), 30000);
    CHECK_EQ_INT(fleet_wait_stamps(&fast), 30000 * 180);
}

TEST(orchestrators_are_counted_and_not_runs)
{
    struct fleet fleet = {0};
    for (int i = 0; i < 6; i++)
        end(&fleet, 0, 100 + i, OUTCOME_FAILED);
    end(&fleet, 1, 101, OUTCOME_OK);
    end(&fleet, 2, 102, OUTCOME_BUSY);
    end(&fleet, 3, 103, OUTCOME_FAILED);
    end(&fleet, 3, 104, OUTCOME_OK);
    end(&fleet, 4, 105, OUTCOME_EXCUSED);
    struct fleet_view view = look(&fleet, 0, 200);
    CHECK_EQ_INT(view.seen, 4);
    CHECK_EQ_INT(view.failed, 1);
    fleet_free(&fleet);
}

TEST(what_ended_outside_the_window_does_not_count)
{
    struct fleet fleet = {0};
    end(&fleet, 0, 99, OUTCOME_OK);
    end(&fleet, 1, 100, OUTCOME_FAILED);
    end(&fleet, 2, 160, OUTCOME_FAILED);
    end(&fleet, 3, 161, OUTCOME_OK);
    struct fleet_view view = look(&fleet, 100, 160);
    CHECK_EQ_INT(view.seen, 2);
    CHECK_EQ_INT(view.failed, 2);
    view = look(&fleet, 161, 161);
    CHECK_EQ_INT(view.seen, 1);
    CHECK_EQ_INT(view.failed, 0);
    fleet_free(&fleet);
}

TEST(what_the_journal_had_not_told_yet_does_not_count)
{
    struct fleet fleet = {0};
    told = 0;
    end(&fleet, 0, 105, OUTCOME_FAILED);
    end(&fleet, 1, 101, OUTCOME_OK); /* later told, and earlier */
    end(&fleet, 0, 103, OUTCOME_OK);
    CHECK_EQ_INT(fleet_look(&fleet, 100, 110, 1).seen, 0);
    CHECK_EQ_INT(fleet_look(&fleet, 100, 110, 2).failed, 1);
    CHECK_EQ_INT(fleet_look(&fleet, 100, 110, 3).seen, 2);
    CHECK_EQ_INT(fleet_look(&fleet, 100, 110, 4).failed, 0);
    fleet_free(&fleet);
}
