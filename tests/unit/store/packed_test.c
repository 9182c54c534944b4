#include "store/packed.h"

#include "base/clock.h"
#include "harness.h"

#include <stdio.h>
#include <string.h>

#define HOUR_MS INT64_C(1767225600000)

static struct store *opened(void)
{
    struct store *store = NULL;
    REQUIRE_OK(store_open(&store, test_folder(), STORE_WRITE));
    return store;
}

/* Runs SQL on the connection, or fails; returns the last row's first column. */
static int64_t ask(struct store *store, const char *sql)
{
    sqlite3_stmt *statement = NULL;
    int64_t value = -1;
    REQUIRE(!sqlite3_prepare_v2(store->database, sql, -1, &statement, NULL));
    while (sqlite3_step(statement) == SQLITE_ROW)
        value = sqlite3_column_int64(statement, 0);
    REQUIRE(!sqlite3_finalize(statement));
    return value;
}

enum { SESSIONS = 60 };

/* Session N was heard of last in minute N of the hour; each has a selection,
 * and every third an event of the day before, too. */
static void fill(struct store *store)
{
    char sql[1000];
    for (int n = 0; n < SESSIONS; n++) {
        long long last = HOUR_MS + n * (long long)MS_PER_MINUTE;
        snprintf(sql, sizeof sql,
                 "INSERT INTO session (session_key, org, request_id, "
                 "started_at, last_seen) VALUES ('o|s%d|r|%d', 'o', 'r|%d', "
                 "%lld, %lld)",
                 n, n, n, last - 90 * (long long)MS_PER_MINUTE, last);
        ask(store, sql);
        snprintf(sql, sizeof sql,
                 "INSERT INTO selection (org, session_key, day, position, "
                 "observed_address, gpu_id) VALUES ('o', 'o|s%d|r|%d', %lld, "
                 "0, '0x%d', NULL)",
                 n, n, (long long)HOUR_MS, n % 3);
        ask(store, sql);
        snprintf(sql, sizeof sql,
                 "INSERT INTO session_day (session_key, day, chunk, org, "
                 "event_count, first_ts, events) VALUES ('o|s%d|r|%d', %lld, "
                 "0, 'o', 1, %lld, x'00ff')",
                 n, n, (long long)HOUR_MS - (n % 3 ? 0 : (long long)MS_PER_DAY),
                 last);
        ask(store, sql);
    }
}

/* Packs all rows, a third of the sessions in each pack. */
static void pack_all(struct store *store)
{
    struct columns *columns = columns_new();
    struct query *sessions = query_start(store, QUERY_SESSIONS_TO_PACK);
    query_bind_int(sessions, 1, HOUR_MS);
    query_bind_int(sessions, 2, HOUR_MS + MS_PER_HOUR);
    bool row;
    int64_t part = 0;
    while (!query_step(sessions, &row) && row) {
        pack_add(columns, PACKED_SESSION, sessions);
        struct query *query = query_start(store, QUERY_SELECTIONS_TO_PACK);
        query_bind_text(query, 1, query_text(sessions, 0));
        while (!query_step(query, &row) && row)
            pack_add(columns, PACKED_SELECTION, query);
        query = query_start(store, QUERY_SESSION_PARTS_TO_PACK);
        query_bind_text(query, 1, query_text(sessions, 0));
        while (!query_step(query, &row) && row)
            if (query_int(query, 1) == HOUR_MS)
                pack_add_part(columns, query, NULL);
        if (columns_rows(columns, PACKED_SESSION) == SESSIONS / 3) {
            REQUIRE_OK(pack_put(store, columns, pack_number(HOUR_MS, part++),
                                HOUR_MS));
            columns_clear(columns);
        }
    }
    columns_free(columns);
    ask(store, "DELETE FROM session");
    ask(store, "DELETE FROM selection");
    ask(store, "DELETE FROM session_day WHERE day >= 1767225600000");
}

static int64_t sum(struct store *store)
{
    return ask(store, "SELECT sum(last_seen % 1000003 * length(session_key) + "
                      "started_at % 10007) FROM every_session");
}

TEST(packed_rows_are_shown_as_they_were)
{
    struct store *store = opened();
    fill(store);
    int64_t wanted = sum(store);
    pack_all(store);
    CHECK_EQ_INT(ask(store, "SELECT count(*) FROM session_pack"), 3);
    CHECK_EQ_INT(ask(store, "SELECT count(*) FROM session"), 0);
    CHECK_EQ_INT(sum(store), wanted);
    CHECK_EQ_INT(ask(store, "SELECT last_seen FROM every_session "
                            "WHERE session_key = 'o|s7|r|7'"),
                 HOUR_MS + 7 * MS_PER_MINUTE);
    CHECK_EQ_INT(ask(store, "SELECT count(*) FROM every_selection "
                            "WHERE gpu_id IS NULL AND observed_url IS NULL"),
                 SESSIONS);
    CHECK_EQ_INT(ask(store, "SELECT count(*) FROM every_session_day "
                            "WHERE typeof(events) = 'blob'"),
                 SESSIONS);
    store_close(store);
}

TEST(packed_rows_come_by_when_they_were_heard_of)
{
    struct store *store = opened();
    fill(store);
    pack_all(store);
    CHECK_EQ_INT(ask(store, "SELECT count(*) FROM packed_session AS a "
                            "JOIN packed_session AS b ON "
                            "(b.pack < a.pack OR (b.pack = a.pack AND "
                            "b.rowid > a.rowid)) "
                            "AND b.last_seen > a.last_seen"),
                 0);
    CHECK_EQ_INT(ask(store,
                     "SELECT min(last_seen) FROM (SELECT last_seen FROM "
                     "every_session ORDER BY last_seen DESC, session_key "
                     "LIMIT 25)"),
                 HOUR_MS + 35 * MS_PER_MINUTE);
    CHECK_EQ_INT(ask(store, "SELECT count(*) FROM every_session WHERE "
                            "last_seen >= 1767225600000 + 600000 AND "
                            "last_seen < 1767225600000 + 1200000"),
                 10);
    CHECK_EQ_INT(ask(store, "SELECT count(*) FROM every_session WHERE "
                            "last_seen < 9223372036854775807 AND "
                            "last_seen >= -9223372036854775807"),
                 SESSIONS);
    CHECK_EQ_INT(ask(store, "SELECT count(*) FROM every_session WHERE "
                            "last_seen >= NULL"),
                 0);
    CHECK(pack_number(HOUR_MS, 0) > pack_number(HOUR_MS, 1));
    CHECK(pack_number(HOUR_MS, 0) <
          pack_number(HOUR_MS + MS_PER_HOUR, PACKS_OF_HOUR - 1));
    CHECK(pack_number(-1, 0) < pack_number(0, PACKS_OF_HOUR - 1));
    store_close(store);
}

TEST(packed_sessions_are_found_by_key_and_request)
{
    struct store *store = opened();
    fill(store);
    pack_all(store);
    struct query *query = query_start(store, QUERY_SESSION_OF_REQUEST);
    query_bind_string(query, 1, "o");
    query_bind_string(query, 2, "r|44");
    bool row;
    REQUIRE_OK(query_step(query, &row));
    REQUIRE(row);
    CHECK(text_is(query_text(query, 0), "o|s44|r|44"));
    REQUIRE_OK(query_run(query));
    struct arena arena = {0};
    struct pack_numbers packs;
    REQUIRE_OK(packs_of_session(store, &arena, text_of("o|s0|r|0"), &packs));
    REQUIRE(packs.count == 1);
    CHECK_EQ_INT(packs.list[0], pack_number(HOUR_MS, 2));
    REQUIRE_OK(packs_of_session(store, &arena, text_of("o|s0|r|1"), &packs));
    CHECK_EQ_INT(packs.count, 0);
    arena_free(&arena);
    store_close(store);
}

TEST(unpacked_rows_leave_nothing_behind)
{
    struct store *store = opened();
    fill(store);
    int64_t wanted = sum(store);
    pack_all(store);
    CHECK_EQ_INT(ask(store, "SELECT sum(packs) FROM pack_name"), 9);
    bool unpacked;
    REQUIRE_OK(
        packs_unpack_session(store, text_of("o|unknown|r|1000"), &unpacked));
    CHECK(!unpacked);
    CHECK_EQ_INT(ask(store, "SELECT count(*) FROM session_pack"), 3);
    REQUIRE_OK(packs_unpack_session(store, text_of("o|s7|r|7"), &unpacked));
    CHECK(unpacked);
    static const char *const empty[] = {
        "SELECT count(*) FROM session_pack",
        "SELECT count(*) FROM session_place",
        "SELECT count(*) FROM pack_hour",
        "SELECT count(*) FROM pack_day",
        "SELECT count(*) FROM pack_name",
        "SELECT count(*) FROM packed_session",
    };
    for (size_t i = 0; i < sizeof empty / sizeof *empty; i++)
        CHECK_EQ_INT(ask(store, empty[i]), 0);
    CHECK_EQ_INT(ask(store, "SELECT count(*) FROM session"), SESSIONS);
    CHECK_EQ_INT(ask(store, "SELECT count(*) FROM selection"), SESSIONS);
    CHECK_EQ_INT(ask(store, "SELECT count(*) FROM session_day"), SESSIONS);
    CHECK_EQ_INT(sum(store), wanted);
    store_close(store);
}

TEST(a_pack_that_is_damaged_or_made_again_is_not_remembered)
{
    struct store *store = opened();
    fill(store);
    pack_all(store);
    int64_t wanted = sum(store);
    ask(store, "CREATE TEMP TABLE kept AS SELECT * FROM session_pack");
    ask(store, "UPDATE session_pack SET rows = "
               "CAST(substr(rows, 1, 40) || x'00ff' || substr(rows, 43) "
               "AS BLOB)");
    struct query *query = query_start(store, QUERY_SESSION_GET_PACKED);
    query_bind_string(query, 1, "o|s7|r|7");
    bool row;
    CHECK_ERR(query_step(query, &row), ERR_CORRUPT);
    CHECK(strstr(err_message(), "assay rebuild"));
    CHECK(strstr(err_message(), "pack"));
    ask(store, "UPDATE session_pack SET rows = (SELECT kept.rows FROM kept "
               "WHERE kept.pack = session_pack.pack)");
    CHECK_EQ_INT(sum(store), wanted);
    store_give_back(store);
    CHECK_EQ_INT(sum(store), wanted);
    store_close(store);
}
