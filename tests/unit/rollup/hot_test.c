/*
 * However a session's events are cut into runs, and in whichever order they
 * come, they add up to what all of them at once do, to the byte.
 */
#include "rollup/hot.h"

#include "base/clock.h"
#include "harness.h"

#include <stdlib.h>
#include <string.h>

static struct arena arena;

#define DAY INT64_C(1767830400000) /* 2026-01-08 */

enum { EVENTS = 4000, ROUNDS = 60 };

static uint64_t chance = 88172645463325252;

/* xorshift64 (Marsaglia 2003). */
static uint64_t draw(uint64_t below)
{
    chance ^= chance << 13;
    chance ^= chance >> 7;
    chance ^= chance << 17;
    return chance % below;
}

static struct text word(const char *prefix, uint64_t kinds)
{
    uint64_t number = draw(kinds);
    return text_of(number ? arena_printf(&arena, "%s%d", prefix, (int)number)
                          : "");
}

static struct session_event event_at(int64_t ts, int number)
{
    struct session_event event = {.family = (enum family)draw(3),
                                  .trace = TRACE_UNKNOWN,
                                  .ts = ts,
                                  .line = number,
                                  .partition = (int64_t)draw(3),
                                  .offset = (int64_t)draw(5)};
    event.id = text_of(arena_printf(&arena, "id%06d", number));
    event.stream_id = text_of("s");
    event.request_id = text_of("r");
    event.gateway = word("g", 3);
    event.address = word("0x", 4);
    event.url = word("u", 2);
    event.pipeline = word("m", 3);
    event.pipeline_id = word("p", 2);
    if (event.family == FAMILY_STREAM_TRACE)
        event.trace = (enum trace)draw(TRACE_UNKNOWN);
    if (event.family == FAMILY_STREAM_STATUS) {
        event.state = (enum stream_state)draw(7);
        event.output_fps = (double)draw(1000) / 7;
        event.latency_ms = (double)draw(3) / 3;
        event.start_time = (int64_t)draw(100);
        event.flags = draw(2) ? EVENT_HAS_START : EVENT_LAST_ERROR;
    }
    return event;
}

/* Over two days, some at one time with others, sorted. */
static struct session_event *events_new(size_t count)
{
    struct session_event *events = arena_array(&arena, count, sizeof *events);
    int64_t ts = DAY + 20 * (int64_t)MS_PER_HOUR;
    for (size_t i = 0; i < count; i++) {
        ts += (int64_t)draw(3) * 7000;
        events[i] = event_at(ts, (int)i);
    }
    return events;
}

/* ---- comparing ----------------------------------------------------------- */

static void check_sum(const struct session_sum *got,
                      const struct session_sum *wanted)
{
    CHECK(fields_equal(session_fields, &got->facts, &wanted->facts));
    CHECK_EQ_INT(got->facts.loading_samples, wanted->facts.loading_samples);
    CHECK(text_equal(got->trace_gateway, wanted->trace_gateway));
    REQUIRE(got->hour_count == wanted->hour_count);
    for (size_t i = 0; i < got->hour_count; i++)
        CHECK(fields_equal(hour_fields, &got->hours[i], &wanted->hours[i]));
    REQUIRE(got->gateway_count == wanted->gateway_count);
    for (size_t i = 0; i < got->gateway_count; i++)
        CHECK(fields_equal(gateway_hour_fields, &got->gateways[i],
                           &wanted->gateways[i]));
    REQUIRE(got->day_count == wanted->day_count);
    CHECK_EQ_MEMORY(got->days, wanted->days,
                    got->day_count * sizeof *got->days);
}

static void check_selections(const struct selection_row *got, size_t got_count,
                             const struct selection_row *wanted, size_t count)
{
    REQUIRE(got_count == count);
    for (size_t i = 0; i < count; i++)
        CHECK(fields_equal(selection_fields, &got[i], &wanted[i]));
}

static struct session_sum sum_of(const struct session_event *events,
                                 size_t count)
{
    return session_sum_of(&arena, &lens_published, text_of("o"),
                          text_of("o|s|r"), events, count);
}

TEST(runs_add_up_to_the_whole)
{
    for (int round = 0; round < 20; round++) {
        size_t count = 1 + draw(300);
        struct session_event *events = events_new(count);
        struct session_sum wanted = sum_of(events, count);
        struct session_sum sum =
            session_sum_none(text_of("o"), text_of("o|s|r"));
        for (size_t at = 0; at < count;) {
            size_t run = 1 + draw(40);
            run = run < count - at ? run : count - at;
            struct session_sum next = sum_of(events + at, run);
            sum = session_sum_copy(&arena, &sum);
            session_sum_append(&arena, &sum, &next);
            at += run;
        }
        check_sum(&sum, &wanted);
        arena_clear(&arena);
    }
    arena_free(&arena);
}

/* ---- over the store ------------------------------------------------------ */

static void add_waiting(struct store *store, const struct session_event *event)
{
    struct buf bytes = {0};
    struct query *query = query_start(store, QUERY_SESSION_DAY_ADD);
    session_events_encode(&bytes, event, 1);
    query_bind_string(query, 1, "o|s|r");
    query_bind_int(query, 2, clock_day_start(event->ts));
    query_bind_string(query, 3, "o");
    query_bind_blob(query, 4, bytes.data, bytes.length);
    REQUIRE_OK(query_run(query));
    buf_free(&bytes);
}

static void join_days(struct store *store, struct settling *settling)
{
    for (int64_t day = DAY; day < DAY + 3 * (int64_t)MS_PER_DAY;
         day += MS_PER_DAY) {
        struct part_place place = {day, 0};
        REQUIRE_OK(session_day_join(store, text_of("o|s|r"), text_of("o"), day,
                                    &place.number));
        hot_note_change(settling, text_of("o|s|r"), place);
    }
}

/* What is there of EVENTS, which lie in order. */
static size_t present(const struct session_event *events, const bool *there,
                      struct session_event *list)
{
    size_t count = 0;
    for (size_t i = 0; i < EVENTS; i++)
        if (there[i])
            list[count++] = events[i];
    return count;
}

static void check_store(struct store *store, struct settling *settling,
                        const struct session_event *events, size_t count)
{
    struct arena mine = {0};
    struct session_sum got;
    struct assay_sum assay;
    struct session_sum wanted = sum_of(events, count);
    struct assay_sum wanted_assay =
        assay_sum_begin(&mine, text_of("o"), text_of("o|s|r"));
    REQUIRE_OK(hot_sums(settling, store, &mine, text_of("o"), text_of("o|s|r"),
                        &got, &assay));
    check_sum(&got, &wanted);
    assay_sum_add(&wanted_assay, &mine, events, count);
    check_sum(&assay.sum, &wanted_assay.sum);
    struct selection_row *assay_rows;
    size_t assay_count;
    size_t wanted_assay_count;
    struct selection_row *wanted_assay_rows =
        selections_end(&wanted_assay.selections, &wanted_assay_count);
    assay_rows = selections_end(&assay.selections, &assay_count);
    check_selections(assay_rows, assay_count, wanted_assay_rows,
                     wanted_assay_count);
    for (int64_t day = DAY; day < DAY + 3 * (int64_t)MS_PER_DAY;
         day += MS_PER_DAY) {
        size_t first = 0;
        while (first < count && events[first].ts < day)
            first++;
        size_t end = first;
        while (end < count && events[end].ts < day + MS_PER_DAY)
            end++;
        struct selection_row *rows;
        size_t row_count;
        size_t wanted_count;
        struct selection_row *wanted_rows =
            selections_build(&mine, text_of("o"), text_of("o|s|r"), day,
                             events + first, end - first, &wanted_count);
        REQUIRE_OK(hot_selections(settling, store, &mine, text_of("o"),
                                  text_of("o|s|r"), day, &rows, &row_count));
        check_selections(rows, row_count, wanted_rows, wanted_count);
    }
    arena_free(&mine);
}

/* Chunks of every day, to be the same however they came about. */
static void tell_parts(struct store *store, struct buf *out)
{
    struct query *parts = session_parts(
        store, text_of("o|s|r"), (struct part_place){INT64_MIN, 0}, INT64_MAX);
    struct session_part part;
    bool found;
    while (session_part_next(store, parts, &arena, &part, &found) == ERR_NONE &&
           found) {
        CHECK(part.count > 0 && part.count <= SESSION_PART_EVENTS);
        buf_printf(out, "%lld.%lld:%zu:%.*s ", (long long)part.place.day,
                   (long long)part.place.number, part.count,
                   (int)part.events[0].id.length, part.events[0].id.data);
    }
}

/* Events come in rounds, most of them in order, some late. */
static void run_rounds(struct store *store, struct settling *settling,
                       const struct session_event *events, int late_in)
{
    bool *there = arena_array(&arena, EVENTS, sizeof *there);
    struct session_event *list = arena_array(&arena, EVENTS, sizeof *list);
    for (int round = 1; round <= ROUNDS; round++) {
        bool complete = round == ROUNDS;
        for (size_t i = 0; i < (size_t)EVENTS * (size_t)round / ROUNDS; i++) {
            if (there[i] || (late_in && !complete && !draw((uint64_t)late_in)))
                continue;
            there[i] = true;
            add_waiting(store, &events[i]);
        }
        join_days(store, settling);
        check_store(store, settling, list, present(events, there, list));
    }
}

TEST(what_is_remembered_changes_nothing)
{
    struct session_event *events = events_new(EVENTS);
    struct buf parts[3] = {{0}, {0}, {0}};
    for (int i = 0; i < 3; i++) {
        struct store *store;
        struct settling *settling = i ? settling_new() : NULL;
        char name[16] = {'s', (char)('0' + i), 0};
        REQUIRE_OK(store_open(&store, test_path(name), STORE_WRITE));
        REQUIRE_OK(store_begin(store));
        run_rounds(store, settling, events, i == 1 ? 0 : 2000);
        tell_parts(store, &parts[i]);
        store_rollback(store);
        settling_free(settling);
        store_close(store);
        CHECK_EQ_TEXT(buf_string(&parts[i]), buf_string(&parts[0]));
    }
    for (int i = 0; i < 3; i++)
        buf_free(&parts[i]);
    arena_free(&arena);
}
