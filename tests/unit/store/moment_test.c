/*
 * A moment of the store is read again as it was, or is gone.
 */
#include "store/store_int.h"

#include "base/clock.h"
#include "harness.h"

#include <string.h>

enum { LARGE_BYTES = 1 << 20 };

static struct store *opened(enum store_mode mode)
{
    struct store *store = NULL;
    REQUIRE_OK(store_open(&store, test_folder(), mode));
    return store;
}

/* Anything that readers can count. */
static void add_rows(struct store *writer, int count)
{
    static char bytes[LARGE_BYTES];
    static int64_t number = 1;
    REQUIRE_OK(store_begin(writer));
    for (int i = 0; i < count; i++) {
        struct query *query = query_start(writer, QUERY_SEEN_ADD);
        query_bind_int(query, 1, number++);
        query_bind_string(query, 2, "org");
        query_bind_int(query, 3, 0);
        query_bind_blob(query, 4, bytes, sizeof bytes);
        REQUIRE_OK(query_run(query));
    }
    REQUIRE_OK(store_commit(writer));
}

static int count_rows(struct store *reader)
{
    sqlite3_stmt *statement;
    REQUIRE(!sqlite3_prepare_v2(reader->database, "SELECT count(*) FROM seen",
                                -1, &statement, NULL));
    REQUIRE(sqlite3_step(statement) == SQLITE_ROW);
    int count = sqlite3_column_int(statement, 0);
    sqlite3_finalize(statement);
    return count;
}

static struct store_moment moment_now(struct store *reader, int rows)
{
    struct store_moment moment;
    REQUIRE_OK(store_begin_read(reader));
    REQUIRE_OK(store_moment(reader, &moment));
    CHECK_EQ_INT(count_rows(reader), rows);
    store_rollback(reader);
    return moment;
}

TEST(a_moment_shows_what_it_showed)
{
    struct store *writer = opened(STORE_WRITE);
    struct store *reader = opened(STORE_READ);
    struct store *other = opened(STORE_READ);
    add_rows(writer, 1);
    struct store_moment first = moment_now(reader, 1);
    struct store_moment same = moment_now(other, 1);
    CHECK_EQ_MEMORY(&same, &first, sizeof first);
    add_rows(writer, 2);
    struct store_moment second = moment_now(reader, 3);
    CHECK(memcmp(&first, &second, sizeof first) != 0);
    for (int i = 0; i < 2; i++) {
        REQUIRE_OK(store_begin_read_at(other, &first));
        CHECK_EQ_INT(count_rows(other), 1);
        store_rollback(other);
        REQUIRE_OK(store_begin_read_at(other, &second));
        CHECK_EQ_INT(count_rows(other), 3);
        store_rollback(other);
        moment_now(other, 3);
    }
    store_close(other);
    store_close(reader);
    store_close(writer);
}

/* Two logs' worth of commits, in small ones. */
static void write_much(struct store *writer, int64_t bytes)
{
    for (int64_t i = 0; i < bytes / LARGE_BYTES; i++)
        add_rows(writer, 1);
}

TEST(a_moment_goes_with_the_log)
{
    struct store *writer = opened(STORE_WRITE);
    struct store *reader = opened(STORE_READ);
    add_rows(writer, 1);
    struct store_moment moment = moment_now(reader, 1);
    write_much(writer, (int64_t)LOG_BYTES * 2);
    CHECK_ERR(store_begin_read_at(reader, &moment), ERR_GONE);
    moment_now(reader, 33);
    store_close(reader);
    store_close(writer);
}

TEST(a_log_that_is_spared_keeps_its_moments)
{
    struct store *writer = opened(STORE_WRITE);
    struct store *reader = opened(STORE_READ);
    add_rows(writer, 1);
    struct store_moment moment = moment_now(reader, 1);
    store_spare_log(writer, clock_monotonic_us() + INT64_C(60000000));
    write_much(writer, (int64_t)LOG_BYTES * 2);
    REQUIRE_OK(store_begin_read_at(reader, &moment));
    CHECK_EQ_INT(count_rows(reader), 1);
    store_rollback(reader);
    write_much(writer, LOG_BYTES_MAX);
    CHECK_ERR(store_begin_read_at(reader, &moment), ERR_GONE);
    store_close(reader);
    store_close(writer);
}

TEST(an_empty_log_is_a_moment_too)
{
    store_close(opened(STORE_WRITE));
    struct store *writer = opened(STORE_WRITE);
    struct store *reader = opened(STORE_READ);
    struct store_moment moment = moment_now(reader, 0);
    REQUIRE_OK(store_begin_read_at(reader, &moment));
    store_rollback(reader);
    add_rows(writer, 1);
    CHECK_ERR(store_begin_read_at(reader, &moment), ERR_GONE);
    moment_now(reader, 1);
    store_close(reader);
    store_close(writer);
}

TEST(a_log_that_was_begun_is_not_empty)
{
    store_close(opened(STORE_WRITE));
    struct store *writer = opened(STORE_WRITE);
    struct store *reader = opened(STORE_READ);
    REQUIRE_OK(store_commit_least(writer));
    struct store_moment moment = moment_now(reader, 0);
    add_rows(writer, 1);
    REQUIRE_OK(store_begin_read_at(reader, &moment));
    CHECK_EQ_INT(count_rows(reader), 0);
    store_rollback(reader);
    store_close(reader);
    store_close(writer);
}
