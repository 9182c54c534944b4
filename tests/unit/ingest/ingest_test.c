/*
 * Records into a store of this test's own, and what they became: counts, facts
 * and evidence. Where order must not matter, every order is tried.
 */
#include "ingest/ingest.h"

#include "harness.h"
#include "rollup/rollup.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TS = 1767908945 };

static struct arena arena;

static struct store *opened(const char *name)
{
    struct store *store = NULL;
    REQUIRE_OK(store_open(&store, test_path(name), STORE_WRITE));
    return store;
}

static const struct ingest_origin origin = {.source = {"import", 6},
                                            .org = {"o", 1},
                                            .arrival_ms = 5,
                                            .snapshot_ms = 1767908945298};

static void give(struct ingest *ingest, const char *record)
{
    REQUIRE_OK(ingest_record(ingest, &origin, text_of(record)));
}

/* A status of session o|STREAM|r with id ID and FPS, from partition 0. */
static const char *status(const char *id, const char *stream, int fps)
{
    return arena_printf(
        &arena,
        "{\"id\":\"%s\",\"type\":\"ai_stream_status\",\"timestamp\":\"%d\","
        "\"gateway\":\"g\",\"data\":{\"stream_id\":\"%s\",\"request_id\":\"r\","
        "\"inference_status\":{\"fps\":%d}}}",
        id, TS, stream, fps);
}

static const char *placed(int64_t offset, const char *value)
{
    return arena_printf(&arena, "{\"offset\":%lld,\"value\":%s}",
                        (long long)offset, value);
}

/* ---- what a store holds -------------------------------------------------- */

static void tell_counts(struct store *store, struct buf *out)
{
    struct query *query = query_start(store, QUERY_COUNT_EXPORT);
    bool row;
    REQUIRE_OK(query_step(query, &row));
    while (row) {
        for (int i = 0; i < 3; i++) {
            struct text text = query_text(query, i);
            buf_printf(out, "%.*s ", (int)text.length, text.data);
        }
        buf_printf(out, "%lld %lld\n", (long long)query_int(query, 3),
                   (long long)query_int(query, 4));
        REQUIRE_OK(query_step(query, &row));
    }
}

static void tell_session(struct store *store, struct text key, struct buf *out)
{
    struct session_event *events;
    size_t count;
    REQUIRE_OK(session_events(store, &arena, key, &events, &count));
    for (size_t i = 0; i < count; i++)
        buf_printf(out, "%.*s: %lld %.*s %s fps %g offset %lld\n",
                   (int)key.length, key.data, (long long)events[i].ts,
                   (int)events[i].id.length, events[i].id.data,
                   family_name(events[i].family), events[i].output_fps,
                   (long long)events[i].offset);
}

static void tell_snapshots(struct store *store, struct buf *out)
{
    struct capability_snapshot *snapshots;
    size_t count;
    REQUIRE_OK(snapshots_between(store, &arena, text_of("o"), INT64_MIN,
                                 INT64_MAX, &snapshots, &count));
    for (size_t i = 0; i < count; i++) {
        buf_printf(out, "snapshot %.*s:", (int)snapshots[i].id.length,
                   snapshots[i].id.data);
        for (size_t j = 0; j < snapshots[i].element_count; j++)
            buf_printf(out, " %.*s",
                       (int)snapshots[i].elements[j].address.length,
                       snapshots[i].elements[j].address.data);
        buf_add_byte(out, '\n');
    }
}

static int compare_texts(const void *left, const void *right)
{
    const struct text *a = left;
    const struct text *b = right;
    return text_compare(*a, *b);
}

/* Everything that must not depend on order. */
static const char *tell(struct store *store)
{
    struct buf out = {0};
    struct text keys[100];
    size_t count = 0;
    tell_counts(store, &out);
    struct query *query = query_start(store, QUERY_SESSION_KEYS);
    bool row;
    REQUIRE_OK(query_step(query, &row));
    while (row) {
        REQUIRE(count < 100);
        keys[count++] = query_copy(&arena, query, 1);
        REQUIRE_OK(query_step(query, &row));
    }
    qsort(keys, count, sizeof *keys, compare_texts);
    for (size_t i = 0; i < count; i++)
        tell_session(store, keys[i], &out);
    tell_snapshots(store, &out);
    const char *text = arena_text(&arena, out.data, out.length);
    buf_free(&out);
    return text;
}

struct lines {
    int plain;
    int repeats;
    int oversize;
};

static enum err count_line(void *context, const struct evidence_line *line)
{
    struct lines *lines = context;
    lines->plain += line->kind == EVIDENCE_LINE;
    lines->repeats += line->kind == EVIDENCE_REPEAT;
    lines->oversize += line->kind == EVIDENCE_OVERSIZE;
    return ERR_NONE;
}

static void check_lines(struct store *store, int plain, int repeats)
{
    struct lines lines = {0};
    REQUIRE_OK(evidence_walk(store, -1, count_line, &lines));
    CHECK_EQ_INT(lines.plain, plain);
    CHECK_EQ_INT(lines.repeats, repeats);
}

/* ---- one way in ---------------------------------------------------------- */

static enum err replayed(struct store *store)
{
    enum err err = store_begin(store);
    if (!err)
        err = ingest_replay(store, NULL, NULL);
    return err ? err : store_commit(store);
}

TEST(records_are_judged_counted_and_kept)
{
    struct store *store = opened("store");
    struct ingest *ingest = ingest_new(store);
    give(ingest, status("a", "s", 3));
    give(ingest, "  \t ");
    give(ingest, "");
    give(ingest, " not json\r\n");
    give(ingest, "{\"id\":\"x\",\"type\":\"webrtc_stats\",\"timestamp\":"
                 "\"1767908945298\"}");
    give(ingest, "{}");
    CHECK_EQ_INT(ingest_pending(ingest), 4);
    CHECK_OK(ingest_commit(ingest));
    CHECK_EQ_INT(ingest_pending(ingest), 0);
    CHECK_EQ_TEXT(tell(store),
                  "accepted  o 1 1\n"
                  "ignored unsupported_event_family o 1 1\n"
                  "rejected blank_id o 1 1\n"
                  "rejected invalid_json o 1 1\n"
                  "o|s|r: 1767908945000 a ai_stream_status fps 3 offset 0\n");
    check_lines(store, 4, 0);
    ingest_free(ingest);
    store_close(store);
    arena_free(&arena);
}

TEST(what_is_not_committed_does_not_exist)
{
    struct store *store = opened("store");
    struct ingest *ingest = ingest_new(store);
    give(ingest, status("a", "s", 3));
    ingest_free(ingest);
    CHECK_EQ_TEXT(tell(store), "");
    check_lines(store, 0, 0);
    ingest = ingest_new(store);
    CHECK_OK(ingest_commit(ingest));
    CHECK_OK(ingest_finish(ingest));
    give(ingest, status("a", "s", 3));
    CHECK_OK(ingest_finish(ingest));
    CHECK_EQ_TEXT(tell(store),
                  "accepted  o 1 1\n"
                  "o|s|r: 1767908945000 a ai_stream_status fps 3 offset 0\n");
    ingest_free(ingest);
    store_close(store);
    arena_free(&arena);
}

TEST(repetition_is_counted_and_changes_nothing_else)
{
    static const char *const noise[] = {
        "not json", "{\"id\":\"i\"}",
        ("{\"id\":\"x\",\"type\":\"webrtc_stats\",\"timestamp\":"
         "\"1767908945298\"}")};
    struct store *store = opened("store");
    for (int round = 1; round <= 4; round++) {
        struct ingest *ingest = ingest_new(store);
        for (int i = 0; i < 2; i++) {
            give(ingest, status("a", "s", 3));
            EACH_ROW (record, noise) {
                give(ingest, *record);
            }
            if (round % 2)
                CHECK_OK(ingest_commit(ingest));
        }
        CHECK_OK(ingest_finish(ingest));
        ingest_free(ingest);
        CHECK_EQ_TEXT(
            tell(store),
            arena_printf(
                &arena,
                "accepted  o %d 1\n"
                "ignored unsupported_event_family o %d 1\n"
                "rejected invalid_json o %d 1\n"
                "rejected invalid_timestamp o %d 1\n"
                "o|s|r: 1767908945000 a ai_stream_status fps 3 offset 0\n",
                2 * round, 2 * round, 2 * round, 2 * round));
        check_lines(store, 4, 8 * round - 4);
    }
    store_close(store);
    arena_free(&arena);
}

TEST(one_id_in_two_families_or_at_two_times_is_two_events)
{
    struct store *store = opened("store");
    struct ingest *ingest = ingest_new(store);
    give(ingest, status("a", "s", 3));
    give(ingest, "{\"id\":\"a\",\"type\":\"ai_stream_events\",\"timestamp\":"
                 "\"1767908945\",\"data\":{\"stream_id\":\"s\","
                 "\"request_id\":\"r\"}}");
    give(ingest, "{\"id\":\"a\",\"type\":\"ai_stream_events\",\"timestamp\":"
                 "\"1767908946\",\"data\":{\"stream_id\":\"s\","
                 "\"request_id\":\"r\"}}");
    CHECK_OK(ingest_finish(ingest));
    CHECK_EQ_TEXT(tell(store),
                  "accepted  o 3 3\n"
                  "o|s|r: 1767908945000 a ai_stream_status fps 3 offset 0\n"
                  "o|s|r: 1767908945000 a ai_stream_events fps 0 offset 0\n"
                  "o|s|r: 1767908946000 a ai_stream_events fps 0 offset 0\n");
    ingest_free(ingest);
    store_close(store);
    arena_free(&arena);
}

/* ---- any order ----------------------------------------------------------- */

enum { MOST = 5 };

/* How deliveries are cut into commits and runs. */
enum cut { CUT_NEVER, CUT_COMMIT, CUT_RUN, CUTS };

static const char *after_order(const char *const *records, const int *order,
                               int count, enum cut cut, const char *name,
                               bool replay)
{
    struct store *store = opened(name);
    struct ingest *ingest = ingest_new(store);
    for (int i = 0; i < count; i++) {
        give(ingest, records[order[i]]);
        if (cut == CUT_COMMIT)
            REQUIRE_OK(ingest_commit(ingest));
        if (cut != CUT_RUN)
            continue;
        REQUIRE_OK(ingest_finish(ingest));
        ingest_free(ingest);
        ingest = ingest_new(store);
    }
    REQUIRE_OK(ingest_finish(ingest));
    ingest_free(ingest);
    if (replay)
        REQUIRE_OK(replayed(store));
    const char *told = tell(store);
    store_close(store);
    return told;
}

/* The next permutation in lexical order; false after the last. */
static bool permute(int *order, int count)
{
    int i = count - 2;
    while (i >= 0 && order[i] > order[i + 1])
        i--;
    if (i < 0)
        return false;
    int j = count - 1;
    while (order[j] < order[i])
        j--;
    int kept = order[i];
    order[i] = order[j];
    order[j] = kept;
    for (int a = i + 1, b = count - 1; a < b; a++, b--) {
        kept = order[a];
        order[a] = order[b];
        order[b] = kept;
    }
    return true;
}

static void check_every_order(const char *const *records, int count,
                              const char *wanted)
{
    int order[MOST];
    int number = 0;
    for (int i = 0; i < count; i++)
        order[i] = i;
    do {
        enum cut cut = (enum cut)(number % CUTS);
        const char *name = arena_printf(&arena, "store%d", number);
        const char *told =
            after_order(records, order, count, cut, name, number % 2 == 0);
        if (!CHECK_EQ_TEXT(told, wanted))
            CHECK_EQ_INT(number, -1); /* says which order it was */
        number++;
    } while (permute(order, count));
}

TEST(of_conflicting_redeliveries_one_stands_in_any_order)
{
    const char *records[] = {status("a", "s", 7), status("a", "s", 5),
                             status("a", "s", 9), status("a", "s", 5)};
    check_every_order(
        records, 4,
        "accepted  o 4 1\n"
        "o|s|r: 1767908945000 a ai_stream_status fps 5 offset 0\n");
    arena_free(&arena);
}

TEST(the_gateway_comes_first_in_the_order_of_redeliveries)
{
    const char *records[] = {
        "{\"id\":\"a\",\"type\":\"ai_stream_status\",\"timestamp\":"
        "\"1767908945\",\"gateway\":\"B\",\"data\":{\"stream_id\":\"s\","
        "\"request_id\":\"r\",\"inference_status\":{\"fps\":1}}}",
        "{\"id\":\"a\",\"type\":\"ai_stream_status\",\"timestamp\":"
        "\"1767908945\",\"gateway\":\"A\",\"data\":{\"stream_id\":\"s\","
        "\"request_id\":\"r\",\"inference_status\":{\"fps\":2}}}",
    };
    check_every_order(
        records, 2,
        "accepted  o 2 1\n"
        "o|s|r: 1767908945000 a ai_stream_status fps 2 offset 0\n");
    arena_free(&arena);
}

TEST(of_equal_redeliveries_the_first_place_stands)
{
    const char *records[] = {placed(9, status("a", "s", 7)),
                             placed(-2, status("a", "s", 7)),
                             placed(4, status("a", "s", 7))};
    check_every_order(
        records, 3,
        "accepted  o 3 1\n"
        "o|s|r: 1767908945000 a ai_stream_status fps 7 offset -2\n");
    arena_free(&arena);
}

TEST(a_redelivery_can_move_an_event_to_another_session_in_any_order)
{
    const char *records[] = {status("a", "x", 8), status("a", "y", 7),
                             status("b", "x", 3), status("a", "w", 4)};
    check_every_order(
        records, 4,
        "accepted  o 4 2\n"
        "o|w|r: 1767908945000 a ai_stream_status fps 4 offset 0\n"
        "o|x|r: 1767908945000 b ai_stream_status fps 3 offset 0\n");
    arena_free(&arena);
}

TEST(a_redelivery_can_take_an_event_out_of_all_sessions)
{
    static const char none[] =
        "{\"id\":\"a\",\"type\":\"ai_stream_status\",\"timestamp\":"
        "\"1767908945\",\"gateway\":\"f\",\"data\":{}}";
    const char *records[] = {status("a", "x", 1), none, status("a", "y", 2)};
    check_every_order(records, 3, "accepted  o 3 1\n");
    arena_free(&arena);
}

static const char *snapshot(const char *id, const char *address)
{
    return arena_printf(
        &arena,
        "{\"id\":\"%s\",\"type\":\"network_capabilities\",\"timestamp\":\"%d\","
        "\"data\":[{\"address\":\"%s\"}]}",
        id, TS, address);
}

TEST(snapshots_are_redelivered_like_events)
{
    const char *records[] = {snapshot("a", "0x2"), snapshot("a", "0x1"),
                             snapshot("b", "0x3"), snapshot("a", "0x1")};
    check_every_order(records, 4,
                      "accepted  o 4 2\nsnapshot a: 0x1\nsnapshot b: 0x3\n");
    arena_free(&arena);
}

TEST(sessions_keep_apart_what_keys_keep_apart)
{
    static const char *const records[] = {
        "{\"id\":\"a\",\"org\":\"p\",\"type\":\"ai_stream_status\","
        "\"timestamp\":\"1767908945\",\"data\":{\"stream_id\":\"s\"}}",
        "{\"id\":\"a\",\"type\":\"ai_stream_status\",\"timestamp\":"
        "\"1767908945\",\"data\":{\"stream_id\":\"s\"}}",
        "{\"id\":\"a\\u0000\",\"type\":\"ai_stream_status\",\"timestamp\":"
        "\"1767908945\",\"data\":{\"stream_id\":\"s\\u0000\"}}",
    };
    int order[] = {0, 1, 2};
    const char *told = after_order(records, order, 3, CUT_RUN, "store", true);
    CHECK(strstr(told, "accepted  o 2 2\naccepted  p 1 1\n") == told);
    CHECK(strstr(told, "p|s|_missing_request: ") != NULL);
    arena_free(&arena);
}

/* ---- the rest ------------------------------------------------------------ */

TEST(a_capability_dump_is_a_snapshot)
{
    static const char record[] =
        "{\n \"orchestrators\": [{\"address\": \"0xA\"}]\n}";
    struct store *store = opened("store");
    struct ingest *ingest = ingest_new(store);
    give(ingest, record);
    give(ingest, record);
    CHECK_OK(ingest_finish(ingest));
    const char *told = tell(store);
    CHECK(strstr(told, "accepted  o 2 1\nsnapshot capability-dump-") == told);
    CHECK_OK(replayed(store));
    CHECK_EQ_TEXT(tell(store), told);
    ingest_free(ingest);
    store_close(store);
    arena_free(&arena);
}

TEST(oversize_records_are_told_apart_by_their_hash)
{
    static const uint8_t hashes[2][SHA256_BYTES] = {{1}, {2}};
    struct store *store = opened("store");
    struct ingest *ingest = ingest_new(store);
    for (int i = 0; i < 5; i++)
        REQUIRE_OK(ingest_oversize(ingest, &origin, text_of("begin"), 9000000,
                                   hashes[i % 2]));
    CHECK_OK(ingest_finish(ingest));
    CHECK_EQ_TEXT(tell(store), "rejected invalid_json o 5 2\n");
    struct lines lines = {0};
    REQUIRE_OK(evidence_walk(store, -1, count_line, &lines));
    CHECK_EQ_INT(lines.oversize, 2);
    CHECK_EQ_INT(lines.repeats, 3);
    CHECK_OK(replayed(store));
    CHECK_EQ_TEXT(tell(store), "rejected invalid_json o 5 2\n");
    ingest_free(ingest);
    store_close(store);
    arena_free(&arena);
}

/* Many records, a third of them repeated, some of them moved. */
static void give_many(struct ingest *ingest, int from, int to, int step)
{
    static const char *const streams[] = {"w", "x", "y", "z"};
    char id[16];
    for (int i = from; i != to; i += step) {
        snprintf(id, sizeof id, "id%d", i % 400);
        give(ingest, status(id, streams[i % 3 + i / 500], i % 11));
        if (i % 7 == 0)
            give(ingest, arena_printf(&arena, "broken %d", i % 100));
        if (i % 97 == 0)
            REQUIRE_OK(ingest_commit(ingest));
    }
}

TEST(replaying_gives_the_same_facts_as_ingesting_and_knows_what_was_taken)
{
    struct store *store = opened("store");
    struct ingest *ingest = ingest_new(store);
    give_many(ingest, 0, 900, 1);
    CHECK_OK(ingest_finish(ingest));
    ingest_free(ingest);
    const char *told = tell(store);
    CHECK_OK(replayed(store));
    CHECK_EQ_TEXT(tell(store), told);
    CHECK_OK(replayed(store));
    CHECK_EQ_TEXT(tell(store), told);
    /* The same backwards into another store. */
    struct store *other = opened("other");
    ingest = ingest_new(other);
    give_many(ingest, 899, -1, -1);
    CHECK_OK(ingest_finish(ingest));
    ingest_free(ingest);
    CHECK_EQ_TEXT(tell(other), told);
    /* After a replay nothing is new. */
    ingest = ingest_new(store);
    ingest_keep_totals(ingest);
    give_many(ingest, 0, 900, 1);
    CHECK_OK(ingest_finish(ingest));
    size_t count;
    const struct ingest_total *totals = ingest_totals(ingest, &count);
    CHECK_EQ_INT(count, 2);
    for (size_t i = 0; i < count; i++)
        CHECK_EQ_INT(totals[i].unique, 0);
    ingest_free(ingest);
    store_close(other);
    store_close(store);
    arena_free(&arena);
}

TEST(totals_are_those_of_this_ingest_alone)
{
    struct store *store = opened("store");
    struct ingest *ingest = ingest_new(store);
    size_t count;
    ingest_keep_totals(ingest);
    give(ingest, status("a", "s", 3));
    ingest_totals(ingest, &count);
    CHECK_EQ_INT(count, 0);
    CHECK_OK(ingest_commit(ingest));
    ingest_free(ingest);
    ingest = ingest_new(store);
    ingest_keep_totals(ingest);
    give(ingest, status("a", "s", 4));
    give(ingest, status("a", "s", 3));
    give(ingest, status("a", "s", 2));
    give(ingest, status("b", "s", 2));
    CHECK_OK(ingest_commit(ingest));
    const struct ingest_total *totals = ingest_totals(ingest, &count);
    REQUIRE(count == 1);
    CHECK_EQ_TEXT(totals[0].class, "accepted");
    CHECK(text_is(totals[0].org, "o"));
    CHECK(text_is(totals[0].family, "ai_stream_status"));
    CHECK_EQ_INT(totals[0].reason.length, 0);
    CHECK_EQ_INT(totals[0].received, 4);
    CHECK_EQ_INT(totals[0].unique, 1);
    CHECK_EQ_INT(totals[0].conflicts, 1);
    ingest_free(ingest);
    store_close(store);
    arena_free(&arena);
}

/* More organisations in one transaction than are kept in memory. */
TEST(any_number_of_organisations_fits)
{
    enum { ORGS = 12000 };
    struct store *store = opened("store");
    struct ingest *ingest = ingest_new(store);
    struct ingest_origin from = origin;
    char org[24];
    size_t count;
    ingest_keep_totals(ingest);
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < ORGS; i++) {
            snprintf(org, sizeof org, "org %d", i);
            from.org = text_of(org);
            REQUIRE_OK(
                ingest_record(ingest, &from, text_of(status("a", "s", 1))));
        }
        CHECK_EQ_INT(ingest_pending(ingest), ORGS);
        CHECK_OK(ingest_commit(ingest));
    }
    const struct ingest_total *totals = ingest_totals(ingest, &count);
    uint64_t received = 0;
    uint64_t unique = 0;
    CHECK(count > 9000 && count < 11000);
    for (size_t i = 0; i < count; i++) {
        received += totals[i].received;
        unique += totals[i].unique;
    }
    CHECK_EQ_INT(received, 2 * ORGS);
    CHECK_EQ_INT(unique, ORGS);
    ingest_free(ingest);
    struct query *query = query_start(store, QUERY_EVIDENCE_FEEDS);
    bool row = true;
    int64_t feeds = 0;
    while (query_step(query, &row) == ERR_NONE && row)
        feeds++;
    CHECK_EQ_INT(feeds, ORGS);
    store_close(store);
    arena_free(&arena);
}

static int64_t line_of(struct store *store, const char *key)
{
    struct session_event *events;
    size_t count;
    REQUIRE_OK(session_events(store, &arena, text_of(key), &events, &count));
    REQUIRE(count == 1);
    return events[0].line;
}

TEST(replaying_names_the_lines_that_ingesting_named)
{
    struct ingest_origin http = origin;
    http.source = text_of("http");
    struct store *store = opened("store");
    struct ingest *ingest = ingest_new(store);
    give(ingest, "opens the first block");
    REQUIRE_OK(ingest_record(ingest, &http, text_of(status("a", "s", 3))));
    give(ingest, status("b", "t", 3));
    /* The repeats lie before and behind what they repeat. */
    give(ingest, status("a", "s", 3));
    REQUIRE_OK(ingest_record(ingest, &http, text_of(status("b", "t", 3))));
    /* The loser lies before the winner. */
    give(ingest, status("c", "u", 5));
    REQUIRE_OK(ingest_record(ingest, &http, text_of(status("c", "u", 4))));
    give(ingest, status("c", "u", 5));
    give(ingest, status("c", "u", 4));
    CHECK_OK(ingest_finish(ingest));
    ingest_free(ingest);
    int64_t a = line_of(store, "o|s|r");
    int64_t b = line_of(store, "o|t|r");
    int64_t c = line_of(store, "o|u|r");
    CHECK_OK(replayed(store));
    CHECK_EQ_INT(line_of(store, "o|s|r"), a);
    CHECK_EQ_INT(line_of(store, "o|t|r"), b);
    CHECK_EQ_INT(line_of(store, "o|u|r"), c);
    struct evidence_line line;
    REQUIRE_OK(evidence_read(store, &arena, c, &line));
    CHECK_EQ_TEXT(line.bytes.data, status("c", "u", 4));
    CHECK_EQ_INT(line.kind, EVIDENCE_LINE);
    store_close(store);
    arena_free(&arena);
}
