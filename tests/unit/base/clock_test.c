#include "base/clock.h"

#include "harness.h"

#include <string.h>

TEST(times_are_written_as_rfc_3339)
{
    static const struct {
        int64_t ms;
        const char *text;
    } rows[] = {
        {0, "1970-01-01T00:00:00.000Z"},
        {-1, "1969-12-31T23:59:59.999Z"},
        {1767908945298, "2026-01-08T21:49:05.298Z"},
        {951782399999, "2000-02-28T23:59:59.999Z"},
        {951782400000, "2000-02-29T00:00:00.000Z"},
        {951868800000, "2000-03-01T00:00:00.000Z"},
        {1709164800000, "2024-02-29T00:00:00.000Z"},
        {4107542399000, "2100-02-28T23:59:59.000Z"},
        {4107542400000, "2100-03-01T00:00:00.000Z"},
        {4102444800000, "2100-01-01T00:00:00.000Z"},
        {9999999999999, "2286-11-20T17:46:39.999Z"},
        {253402300799999, "9999-12-31T23:59:59.999Z"},
        {253402300800000, "9999-12-31T23:59:59.999Z"},
        {INT64_MAX, "9999-12-31T23:59:59.999Z"},
        {-62167219200000, "0000-01-01T00:00:00.000Z"},
        {INT64_MIN, "0000-01-01T00:00:00.000Z"},
        {-62135596800000, "0001-01-01T00:00:00.000Z"},
    };
    char bytes[CLOCK_TEXT_BYTES];
    EACH_ROW (row, rows) {
        CHECK_EQ_TEXT(clock_text_ms(row->ms, bytes), row->text);
    }
    CHECK_EQ_TEXT(clock_text_s(1767906000000, bytes), "2026-01-08T21:00:00Z");
    CHECK_EQ_TEXT(clock_text_s(-1, bytes), "1969-12-31T23:59:59Z");
}

TEST(what_is_written_is_read_back)
{
    char bytes[CLOCK_TEXT_BYTES];
    /* A step that is no divisor of anything, over four centuries and more. */
    for (int64_t ms = -5000000000000; ms < 9999999999999; ms += 98765432101) {
        int64_t back;
        clock_text_ms(ms, bytes);
        REQUIRE(clock_parse(bytes, strlen(bytes), &back));
        REQUIRE(back == ms);
    }
}

TEST(forms_of_time_that_are_read)
{
    static const struct {
        const char *text;
        int64_t ms;
    } rows[] = {
        {"1970-01-01", 0},
        {"2026-01-08", 1767830400000},
        {"2026-01-08T21:49", 1767908940000},
        {"2026-01-08T21:49:05", 1767908945000},
        {"2026-01-08T21:49:05Z", 1767908945000},
        {"2026-01-08t21:49:05z", 1767908945000},
        {"2026-01-08 21:49:05.298", 1767908945298},
        {"2026-01-08T21:49:05,298Z", 1767908945298},
        {"2026-01-08T21:49:05.2Z", 1767908945200},
        {"2026-01-08T21:49:05.298999999Z", 1767908945298},
        {"2026-01-08T22:49:05+01:00", 1767908945000},
        {"2026-01-08T22:49:05+01", 1767908945000},
        {"2026-01-08T22:49+0100", 1767908940000},
        {"2026-01-08T16:19:05-05:30", 1767908945000},
        {"1970-01-01T00:00:00+23:59", -86340000},
        {"2024-02-29", 1709164800000},
        {"2000-02-29", 951782400000},
        {"1969-12-31T23:59:59.999Z", -1},
        {"0000-01-01", -62167219200000},
        {"9999-12-31T23:59:59.999Z", 253402300799999},
    };
    EACH_ROW (row, rows) {
        int64_t ms = 77;
        CHECK(clock_parse(row->text, strlen(row->text), &ms));
        CHECK_EQ_INT(ms, row->ms);
    }
}

TEST(anything_else_is_no_time)
{
    static const char *const rows[] = {
        "",
        " ",
        "now",
        "2026",
        "2026-01",
        "2026-1-8",
        "2026-13-01",
        "2026-00-01",
        "2026-01-00",
        "2026-01-32",
        "2026-04-31",
        "2026-02-29",
        "1900-02-29",
        "2100-02-29",
        "2026-01-08Z",
        "2026-01-08+01:00",
        "2026-01-08T",
        "2026-01-08T21",
        "2026-01-08T21:",
        "2026-01-08T2149",
        "2026-01-08T24:00",
        "2026-01-08T21:60",
        "2026-01-08T23:59:60",
        "2026-01-08T21:49.5",
        "2026-01-08T21:49:05.",
        "2026-01-08T21:49:05.1234567890",
        "2026-01-08T21:49:05.Z",
        "2026-01-08T21:49:05ZZ",
        "2026-01-08T21:49:05Z ",
        " 2026-01-08",
        "2026-01-08  21:49",
        "2026-01-08T21:49:05+1",
        "2026-01-08T21:49:05+01:",
        "2026-01-08T21:49:05+01:0",
        "2026-01-08T21:49:05+24:00",
        "2026-01-08T21:49:05+01:60",
        "2026-01-08T21:49:05 Z",
        "+2026-01-08",
        "-2026-01-08",
        "2026/01/08",
        "20260108",
    };
    EACH_ROW (text, rows) {
        int64_t ms;
        CHECK(!clock_parse(*text, strlen(*text), &ms));
    }
    int64_t ms;
    CHECK(!clock_parse("2026-01-08\0", 11, &ms));
    CHECK(!clock_parse("2026-01-08T\0", 12, &ms));
    CHECK(!clock_parse("2026-01-08T21:49:05\0", 20, &ms));
}

TEST(hours_and_days_start_below_also_before_1970)
{
    static const struct {
        int64_t ms;
        int64_t hour;
        int64_t day;
    } rows[] = {
        {0, 0, 0},
        {1, 0, 0},
        {-1, -3600000, -86400000},
        {3599999, 0, 0},
        {3600000, 3600000, 0},
        {86399999, 82800000, 0},
        {86400000, 86400000, 86400000},
        {-86400000, -86400000, -86400000},
        {-86400001, -90000000, -172800000},
        {1767908945298, 1767906000000, 1767830400000},
    };
    EACH_ROW (row, rows) {
        CHECK_EQ_INT(clock_hour_start(row->ms), row->hour);
        CHECK_EQ_INT(clock_day_start(row->ms), row->day);
    }
}

TEST(the_clocks_go_forward)
{
    int64_t before = clock_monotonic_us();
    CHECK(clock_monotonic_us() >= before);
    CHECK(clock_wall_ms() > 1767830400000);
}

TEST(faults_of_a_clock_are_told)
{
    enum { MINUTE = 60000 };
    static const int64_t now = 1767908945298;
    static const struct {
        int64_t now_ms;
        int64_t last_ms;
        enum clock_fault fault;
    } rows[] = {
        {now, INT64_MIN, CLOCK_FINE},
        {now, now, CLOCK_FINE},
        {now, now + 5 * MINUTE, CLOCK_FINE},
        {now, now + 5 * MINUTE + 1, CLOCK_WENT_BACK},
        {0, INT64_MIN, CLOCK_NEVER_SET},
        {1704067199999, INT64_MIN, CLOCK_NEVER_SET},
        {1704067200000, INT64_MIN, CLOCK_FINE},
        {4102444800001, INT64_MIN, CLOCK_NEVER_SET},
    };
    EACH_ROW (row, rows)
        CHECK_EQ_INT(clock_fault(row->now_ms, row->last_ms), row->fault);
}
