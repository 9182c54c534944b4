/*
 * Demand rows (§3.6): a session once, in the hour of its start; its samples by
 * hour and gateway; what splits and what collapses.
 */
#include "rollup/rollup.h"

#include "base/clock.h"
#include "harness.h"

#include <math.h>

enum { HOUR = MS_PER_HOUR, MINUTE = MS_PER_MINUTE };

static struct arena arena;

static struct session_row session(const char *key, int64_t started,
                                  int64_t last_seen)
{
    return (struct session_row){
        .session_key = text_of(key),
        .org = text_of("acme"),
        .gateway = text_of("g"),
        .pipeline_id = text_of("live-video-to-video"),
        .model_id = text_of("m"),
        .started_at = started,
        .last_seen = last_seen,
        .requested_seen = started != ABSENT_INT,
        .startup_outcome = text_of("success"),
        .selection_outcome = text_of("selected"),
        .excusal_reason = text_of("none"),
        .health_signal_count = 3,
        .health_expected_signal_count = 3,
        .error_samples = 2,
    };
}

static struct session_event status(int64_t ts, const char *gateway, double fps)
{
    return (struct session_event){.family = FAMILY_STREAM_STATUS,
                                  .ts = ts,
                                  .gateway = text_of(gateway),
                                  .output_fps = fps};
}

TEST(samples_are_counted_by_hour_and_gateway)
{
    struct session_row row = session("s", 0, 0);
    struct session_event events[] = {
        status(10, "b", 1),
        {.family = FAMILY_STREAM_TRACE, .ts = 11, .gateway = text_of("c")},
        status(20, "a", 2),
        status(HOUR - 1, "b", 0.5),
        status(HOUR, "a", 4),
    };
    static const struct {
        int64_t hour;
        const char *gateway;
        int64_t samples;
        double sum;
    } wanted[] = {{0, "a", 1, 2}, {0, "b", 2, 1.5}, {HOUR, "a", 1, 4}};
    size_t count;
    struct gateway_hour_row *rows =
        gateway_hours_build(&arena, &lens_published, &row, events, 5, &count);
    REQUIRE(count == 3);
    EACH_ROW (one, wanted) {
        const struct gateway_hour_row *got = &rows[one - wanted];
        struct exact_sum sum = {.arena = &arena};
        CHECK_EQ_INT(got->hour, one->hour);
        CHECK(text_is(got->gateway, one->gateway));
        CHECK_EQ_INT(got->status_samples, one->samples);
        CHECK(exact_decode(&sum, got->fps_sum));
        CHECK_EQ_DOUBLE(exact_round(&sum), one->sum);
    }
}

TEST(a_session_is_demand_in_the_hour_of_its_start)
{
    struct session_row rows[] = {
        session("a", 10 * MINUTE, 130 * MINUTE),
        session("b", 20 * MINUTE, 50 * MINUTE),
        session("c", ABSENT_INT, 70 * MINUTE),
    };
    struct demand_part parts[] = {
        {&rows[0], NULL}, {&rows[1], NULL}, {&rows[2], NULL}};
    rows[1].startup_outcome = text_of("failed");
    size_t count;
    struct demand_row *demand =
        demand_build(&arena, &lens_published, parts, 3, &count);
    REQUIRE(count == 2);
    CHECK_EQ_INT(demand[0].window_start, 0);
    CHECK_EQ_INT(demand[0].sessions_count, 2);
    CHECK_EQ_INT(demand[0].requested_sessions, 2);
    CHECK_EQ_INT(demand[0].startup_success_sessions, 1);
    CHECK_EQ_INT(demand[0].startup_failed_sessions, 1);
    CHECK_EQ_INT(demand[0].effective_failed_sessions, 1);
    CHECK_EQ_DOUBLE(demand[0].effective_success_rate, 0.5);
    CHECK_EQ_DOUBLE(demand[0].total_minutes, 150);
    CHECK_EQ_INT(demand[0].error_status_samples, 4);
    CHECK_EQ_INT(demand[1].window_start, HOUR);
    CHECK_EQ_INT(demand[1].sessions_count, 1);
    CHECK_EQ_INT(demand[1].requested_sessions, 0);
    CHECK_EQ_DOUBLE(demand[1].total_minutes, 0);
    CHECK(isnan(demand[1].effective_success_rate));
    CHECK(isnan(demand[1].avg_output_fps));
}

TEST(samples_join_their_session_or_split_off)
{
    struct session_row row = session("a", 10, HOUR + 10);
    struct session_event events[] = {status(20, "g", 10), status(30, "h", 20),
                                     status(HOUR + 5, "g", 30)};
    size_t hours;
    struct gateway_hour_row *samples =
        gateway_hours_build(&arena, &lens_published, &row, events, 3, &hours);
    REQUIRE(hours == 3);
    struct demand_part parts[4] = {{&row, NULL}};
    for (size_t i = 0; i < hours; i++)
        parts[1 + i] = (struct demand_part){&row, &samples[i]};
    static const struct {
        int64_t hour;
        const char *gateway;
        int64_t requested;
        double fps;
    } wanted[] = {{0, "g", 1, 10}, {0, "h", 0, 20}, {HOUR, "g", 0, 30}};
    size_t count;
    struct demand_row *demand =
        demand_build(&arena, &lens_published, parts, 4, &count);
    REQUIRE(count == 3);
    EACH_ROW (one, wanted) {
        const struct demand_row *got = &demand[one - wanted];
        CHECK_EQ_INT(got->window_start, one->hour);
        CHECK(text_is(got->gateway, one->gateway));
        CHECK_EQ_INT(got->sessions_count, 1);
        CHECK_EQ_INT(got->requested_sessions, one->requested);
        CHECK_EQ_DOUBLE(got->avg_output_fps, one->fps);
    }
    CHECK_EQ_INT(demand[1].position, 1);
    CHECK_EQ_INT(demand[2].position, 0);
}
