#include "sched/fleet.h"

#include "base/fields.h"
#include "harness.h"

enum { SECOND = 1000000 };

static const char *const urls[] = {"https://a", "https://b", "https://c",
                                   "https://d", "https://e"};

static const struct plan plan = {.fleet_fail_ppm = 500000,
                                 .fleet_window_ms = 60000};

static void end(struct fleet *fleet, int who, int64_t at_s,
                enum outcome outcome)
{
    fleet_add(fleet, text_of(urls[who]), at_s * SECOND, outcome, 0);
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
        CHECK(fleet_is_suspect(&plan, row->seen, row->failed) == row->suspect);
}

TEST(a_plan_that_declares_no_window)
{
    struct plan none = {.fleet_window_ms = 0};
    CHECK_EQ_INT(fleet_wait_ms(&plan), 30000);
    CHECK_EQ_INT(fleet_wait_ms(&none), 0);
    CHECK(!fleet_is_suspect(&none, 10, 10));
    none.fleet_window_ms = none.fleet_fail_ppm = ABSENT_INT;
    CHECK_EQ_INT(fleet_wait_ms(&none), 0);
    CHECK(!fleet_is_suspect(&none, 10, 10));
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
    struct fleet_view view = fleet_look(&fleet, 0, 200 * SECOND);
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
    struct fleet_view view = fleet_look(&fleet, 100 * SECOND, 160 * SECOND);
    CHECK_EQ_INT(view.seen, 2);
    CHECK_EQ_INT(view.failed, 2);
    fleet_add(&fleet, text_of(urls[4]), 170 * SECOND, OUTCOME_OK, 161 * SECOND);
    CHECK_EQ_INT((int64_t)fleet.count, 2);
    fleet_free(&fleet);
}
