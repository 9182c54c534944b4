#include "sched/control_targets.h"

#include "harness.h"

TEST(dates_of_answers)
{
    static const struct {
        const char *text;
        int64_t ms; /* -1: no date */
    } rows[] = {
        {"Sun, 06 Nov 1994 08:49:37 GMT", INT64_C(784111777000)},
        {"Thu, 01 Jan 1970 00:00:00 GMT", 0},
        {"Sun, 06 Nov 1994 08:49:37 UTC", -1},
        {"Sunday, 06-Nov-94 08:49:37 GMT", -1},
        {"Sun, 06 Nox 1994 08:49:37 GMT", -1},
        {"Sun, 36 Nov 1994 08:49:37 GMT", -1},
        {"Sun, 06 anF 1994 08:49:37 GMT", -1},
        {"", -1},
    };
    EACH_ROW (row, rows) {
        int64_t ms = -1;
        bool read = control_date_read(text_of(row->text), &ms);
        CHECK_EQ_INT(read, row->ms >= 0);
        if (read)
            CHECK_EQ_INT(ms, row->ms);
    }
}

/* The vector of audit method §1.9: [0.82, 1.9], [1.04, 2.1], [0.48, 1.6]. */
TEST(offsets_of_several_hosts_are_intersected)
{
    struct control_round round = {.asked = 3};
    CHECK(control_round_narrow(&round, 101000, 100100, 100180));
    CHECK(control_round_narrow(&round, 202000, 200900, 200960));
    CHECK(control_round_narrow(&round, 301000, 300400, 300520));
    CHECK_EQ_INT(round.offset_low_ms, 1040);
    CHECK_EQ_INT(round.offset_high_ms, 1600);
    CHECK(!control_round_narrow(&round, 401000, 409000, 409010));
    CHECK_EQ_INT(round.offset_low_ms, 1040);
}
