#include "store/store_int.h"

#include "harness.h"
#include "migrations.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static struct store *opened(enum store_mode mode)
{
    struct store *store = NULL;
    REQUIRE_OK(store_open(&store, test_folder(), mode));
    return store;
}

static void make_store(void)
{
    store_close(opened(STORE_WRITE));
}

/* Runs SQL on the file behind the store's back. */
static void tamper(const char *sql)
{
    sqlite3 *database = NULL;
    REQUIRE(!sqlite3_open(test_path("assay.db"), &database));
    REQUIRE(!sqlite3_exec(database, sql, NULL, NULL, NULL));
    REQUIRE(!sqlite3_close(database));
}

static void write_file(const char *name, const void *bytes, size_t length)
{
    FILE *file = fopen(test_path(name), "wb");
    REQUIRE(file != NULL);
    REQUIRE(fwrite(bytes, 1, length, file) == length);
    REQUIRE(!fclose(file));
}

static void overwrite(int64_t at, const void *bytes, size_t length)
{
    int file = open(test_path("assay.db"), O_WRONLY);
    REQUIRE(file >= 0);
    REQUIRE(pwrite(file, bytes, length, at) == (ssize_t)length);
    close(file);
}

static bool check_refused(enum store_mode mode, enum err wanted,
                          const char *words)
{
    struct store *store = NULL;
    bool as_wanted = CHECK_ERR(store_open(&store, test_folder(), mode), wanted);
    CHECK(store == NULL);
    return as_wanted && (strstr(err_message(), words) ||
                         CHECK_EQ_TEXT(err_message(), words));
}

static int64_t pragma(struct store *store, const char *sql)
{
    sqlite3_stmt *statement = NULL;
    REQUIRE(!sqlite3_prepare_v2(store->database, sql, -1, &statement, NULL));
    REQUIRE(sqlite3_step(statement) == SQLITE_ROW);
    int64_t value = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return value;
}

/* ---- opening --------------------------------------------------------- */

TEST(a_writer_makes_the_directory_and_the_schema)
{
    struct store *store = NULL;
    const char *path = test_path("deep/er/data");
    REQUIRE_OK(store_open(&store, path, STORE_WRITE));
    CHECK_EQ_TEXT(store_directory(store), path);
    CHECK_EQ_INT(pragma(store, "PRAGMA user_version"), migration_newest);
    CHECK_EQ_INT(pragma(store, "PRAGMA application_id"), 0x61737379);
    CHECK_EQ_INT(pragma(store, "PRAGMA synchronous"), 2);
    CHECK_EQ_INT(pragma(store, "PRAGMA page_size"), 8192);
    CHECK(store_size_bytes(store) > 0);
    store_close(store);
}

TEST(a_reader_needs_a_store)
{
    check_refused(STORE_READ, ERR_STORE, "there is no store in");
    write_file("assay.db", "", 0);
    check_refused(STORE_READ, ERR_STORE, "there is no store in");
}

TEST(a_reader_cannot_write)
{
    make_store();
    struct store *store = opened(STORE_READ);
    CHECK(sqlite3_exec(store->database, "DELETE FROM evidence_feed", NULL, NULL,
                       NULL) != SQLITE_OK);
    store_close(store);
}

TEST(a_second_writer_is_told_the_pid_of_the_first)
{
    char words[64];
    struct store *store = opened(STORE_WRITE);
    snprintf(words, sizeof words, "is in use by process %ld;", (long)getpid());
    check_refused(STORE_WRITE, ERR_LOCKED, words);
    store_close(opened(STORE_READ));
    store_close(store);
    make_store();
}

TEST(a_killed_writer_leaves_no_lock)
{
    int channel[2];
    char byte;
    int status;
    REQUIRE(!pipe(channel));
    pid_t child = fork();
    if (!child) {
        struct store *store = opened(STORE_WRITE);
        (void)!write(channel[1], "x", store ? 1 : 0);
        pause();
    }
    REQUIRE(read(channel[0], &byte, 1) == 1);
    check_refused(STORE_WRITE, ERR_LOCKED, "is in use by process");
    kill(child, SIGKILL);
    REQUIRE(waitpid(child, &status, 0) == child);
    make_store();
}

TEST(a_newer_store_is_refused_with_both_numbers)
{
    char words[64];
    make_store();
    tamper("PRAGMA user_version = 4711");
    snprintf(words, sizeof words,
             "has schema 4711, this program knows up to "
             "%d",
             migration_newest);
    check_refused(STORE_WRITE, ERR_NEWER, words);
    check_refused(STORE_READ, ERR_NEWER, words);
}

TEST(a_database_of_another_program_is_refused)
{
    tamper("CREATE TABLE t (a); PRAGMA user_version = 1");
    check_refused(STORE_WRITE, ERR_STORE, "of another program");
    check_refused(STORE_READ, ERR_STORE, "of another program");
}

TEST(a_file_that_is_no_database_is_corrupt)
{
    char noise[20000];
    for (size_t i = 0; i < sizeof noise; i++)
        noise[i] = (char)(i * 7 + 1);
    write_file("assay.db", noise, sizeof noise);
    check_refused(STORE_WRITE, ERR_CORRUPT, "restore a backup");
    check_refused(STORE_READ, ERR_CORRUPT, "it is not a database");
}

TEST(a_damaged_schema_page_is_corrupt)
{
    static const char noise[64] = "\xff\xff\xff\xff\xff\xff\xff\xff";
    make_store();
    overwrite(100, noise, sizeof noise);
    check_refused(STORE_WRITE, ERR_CORRUPT, "is damaged");
    check_refused(STORE_READ, ERR_CORRUPT, "is damaged");
}

TEST(a_truncated_file_is_corrupt)
{
    make_store();
    REQUIRE(!truncate(test_path("assay.db"), 12000));
    check_refused(STORE_READ, ERR_CORRUPT, "is damaged");
}

TEST(a_file_in_the_place_of_the_directory_is_refused)
{
    struct store *store;
    write_file("data", "x", 1);
    CHECK_ERR(store_open(&store, test_path("data"), STORE_WRITE), ERR_STORE);
    CHECK_ERR(store_open(&store, test_path("data/below"), STORE_WRITE),
              ERR_STORE);
    CHECK(strstr(err_message(), "cannot make the directory") != NULL);
}

/* True where BODY returned true as a user who may only read the folder; root
 * may write everywhere. */
static bool as_nobody(bool (*body)(void))
{
    int status;
    char *parent = strdup(test_folder());
    *strrchr(parent, '/') = '\0';
    REQUIRE(!chmod(parent, 0755) && !chmod(test_folder(), 0555));
    fflush(stdout);
    pid_t child = fork();
    if (!child) {
        if (!getuid() && (setgid(65534) || setuid(65534)))
            _exit(2);
        bool good = body();
        fflush(stdout);
        _exit(good ? 0 : 1);
    }
    REQUIRE(waitpid(child, &status, 0) == child);
    REQUIRE(!chmod(test_folder(), 0755));
    free(parent);
    return !status;
}

static bool write_is_refused(void)
{
    return check_refused(STORE_WRITE, ERR_STORE, "its user may write");
}

static bool read_is_refused(void)
{
    return check_refused(STORE_READ, ERR_STORE, "this user may not open");
}

static bool can_be_read(void)
{
    struct store *store = NULL;
    bool opens = CHECK_OK(store_open(&store, test_folder(), STORE_READ));
    store_close(store);
    return opens;
}

TEST(missing_permission_is_said_to_be_so)
{
    make_store();
    CHECK(as_nobody(write_is_refused));
    CHECK(as_nobody(can_be_read));
    CHECK(access(test_path("assay.db-wal"), F_OK) != 0);
    REQUIRE(!chmod(test_path("assay.db"), 0600));
    if (!getuid())
        CHECK(as_nobody(read_is_refused));
}

TEST(odd_characters_in_the_directory_do_no_harm)
{
    struct store *store;
    const char *path = test_path("a b?c#d%41");
    REQUIRE_OK(store_open(&store, path, STORE_WRITE));
    store_close(store);
    CHECK(!access(test_path("a b?c#d%41/assay.db"), F_OK));
    REQUIRE_OK(store_open(&store, path, STORE_READ));
    store_close(store);
}

/* ---- schema ---------------------------------------------------------- */

TEST(every_query_prepares)
{
    struct store *store = opened(STORE_WRITE);
    for (size_t i = 0; i < QUERY_COUNT; i++) {
        struct query *query = query_start(store, (enum query_id)i);
        if (query->failure)
            printf("# %s: %s\n", query_sources[i].name,
                   sqlite3_errmsg(store->database));
        CHECK_EQ_INT(query->failure, 0);
    }
    store_close(store);
}

static void describe_schema(struct store *store, struct buf *out)
{
    bool row;
    struct query *query = query_start(store, QUERY_STORE_SCHEMA);
    REQUIRE_OK(query_step(query, &row));
    while (row) {
        for (int i = 0; i < 4; i++) {
            struct text text = query_text(query, i);
            buf_add(out, text.data, text.length);
            buf_add_byte(out, '|');
        }
        buf_add_byte(out, '\n');
        REQUIRE_OK(query_step(query, &row));
    }
}

/* A database that was left at each version in turn becomes the fresh one. */
TEST(fresh_equals_migrated)
{
    struct buf fresh = {0};
    struct buf migrated = {0};
    struct store *store;
    REQUIRE_OK(store_open(&store, test_path("fresh"), STORE_WRITE));
    describe_schema(store, &fresh);
    store_close(store);
    for (int left_at = 1; migration_sources[left_at - 1].number; left_at++) {
        char name[32];
        sqlite3 *database;
        snprintf(name, sizeof name, "at%d", left_at);
        REQUIRE(!mkdir(test_path(name), 0700));
        snprintf(name, sizeof name, "at%d/assay.db", left_at);
        REQUIRE(!sqlite3_open(test_path(name), &database));
        for (int i = 0; i < left_at; i++)
            REQUIRE(!sqlite3_exec(database, migration_sources[i].sql, NULL,
                                  NULL, NULL));
        REQUIRE(!sqlite3_close(database));
        snprintf(name, sizeof name, "at%d", left_at);
        if (migration_sources[left_at].number)
            CHECK_ERR(store_open(&store, test_path(name), STORE_READ),
                      ERR_STORE);
        REQUIRE_OK(store_open(&store, test_path(name), STORE_WRITE));
        buf_clear(&migrated);
        describe_schema(store, &migrated);
        store_close(store);
        CHECK_EQ_TEXT(buf_string(&migrated), buf_string(&fresh));
    }
    buf_free(&fresh);
    buf_free(&migrated);
}

/* ---- transactions and queries ---------------------------------------- */

static void add_day(struct store *store, const char *org, int64_t day)
{
    struct query *query = query_start(store, QUERY_EVIDENCE_EXPIRED_DAY_ADD);
    query_bind_string(query, 1, org);
    query_bind_int(query, 2, day);
    REQUIRE_OK(query_run(query));
}

static int count_days(struct store *store)
{
    int count = 0;
    bool row;
    struct query *query = query_start(store, QUERY_EVIDENCE_EXPIRED_DAYS);
    REQUIRE_OK(query_step(query, &row));
    while (row) {
        count++;
        REQUIRE_OK(query_step(query, &row));
    }
    return count;
}

TEST(commit_keeps_and_rollback_forgets)
{
    struct store *store = opened(STORE_WRITE);
    REQUIRE_OK(store_begin(store));
    add_day(store, "a", 1);
    REQUIRE_OK(store_commit(store));
    REQUIRE_OK(store_begin(store));
    add_day(store, "a", 2);
    CHECK_EQ_INT(count_days(store), 2);
    store_rollback(store);
    store_rollback(store);
    CHECK_EQ_INT(count_days(store), 1);
    REQUIRE_OK(store_begin(store));
    add_day(store, "a", 3);
    store_close(store);
    store = opened(STORE_READ);
    CHECK_EQ_INT(count_days(store), 1);
    store_close(store);
}

TEST(a_readers_snapshot_stands_still)
{
    struct store *writer = opened(STORE_WRITE);
    struct store *reader = opened(STORE_READ);
    REQUIRE_OK(store_begin_read(reader));
    CHECK_EQ_INT(count_days(reader), 0);
    REQUIRE_OK(store_begin(writer));
    add_day(writer, "a", 1);
    REQUIRE_OK(store_commit(writer));
    CHECK_EQ_INT(count_days(reader), 0);
    REQUIRE_OK(store_commit(reader));
    CHECK_EQ_INT(count_days(reader), 1);
    store_close(reader);
    store_close(writer);
}

TEST(a_transaction_with_a_failure_cannot_commit)
{
    struct store *store = opened(STORE_WRITE);
    REQUIRE_OK(store_begin(store));
    add_day(store, "a", 1);
    struct query *query = query_start(store, QUERY_EVIDENCE_BODY_WRITE);
    query_bind_int(query, 1, 1);
    query_bind_null(query, 2);
    CHECK_ERR(query_run(query), ERR_STORE);
    CHECK(strstr(err_message(), "evidence_body_write") != NULL);
    CHECK_ERR(store_commit(store), ERR_STORE);
    CHECK_EQ_INT(count_days(store), 0);
    REQUIRE_OK(store_begin(store));
    add_day(store, "a", 1);
    CHECK_OK(store_commit(store));
    store_close(store);
}

/* SQLite rolls back by itself on some failures; what follows must not commit
 * statement by statement. */
TEST(nothing_is_written_after_a_transaction_was_lost)
{
    bool row;
    struct store *store = opened(STORE_WRITE);
    REQUIRE_OK(store_begin(store));
    add_day(store, "a", 1);
    REQUIRE(!sqlite3_exec(store->database, "ROLLBACK", NULL, NULL, NULL));
    struct query *query = query_start(store, QUERY_EVIDENCE_EXPIRED_DAY_ADD);
    query_bind_string(query, 1, "a");
    query_bind_int(query, 2, 2);
    CHECK_ERR(query_step(query, &row), ERR_STORE);
    CHECK_ERR(store_commit(store), ERR_STORE);
    CHECK_EQ_INT(count_days(store), 0);
    store_close(store);
}

TEST(values_come_back_as_bound)
{
    struct arena arena = {0};
    bool row;
    struct store *store = opened(STORE_WRITE);
    add_day(store, "", INT64_MIN);
    struct query *query = query_start(store, QUERY_EVIDENCE_EXPIRED_DAYS);
    REQUIRE_OK(query_step(query, &row));
    REQUIRE(row);
    CHECK_EQ_INT(query_column_count(query), 2);
    CHECK_EQ_TEXT(query_column_name(query, 1), "day");
    CHECK_EQ_INT(query_type(query, 0), 't');
    CHECK_EQ_INT(query_type(query, 1), 'i');
    CHECK_EQ_INT(query_int(query, 1), INT64_MIN);
    CHECK_EQ_INT(query_text(query, 0).length, 0);
    CHECK(!query_is_null(query, 0));
    CHECK_EQ_TEXT(query_copy(&arena, query, 1).data, "-9223372036854775808");
    arena_free(&arena);
    store_close(store);
}

TEST(a_full_disk_loses_the_batch_and_nothing_else)
{
    struct store *store = opened(STORE_WRITE);
    REQUIRE_OK(store_begin(store));
    add_day(store, "a", 1);
    REQUIRE_OK(store_commit(store));
    REQUIRE(!sqlite3_exec(store->database, "PRAGMA max_page_count = 1", NULL,
                          NULL, NULL));
    REQUIRE_OK(store_begin(store));
    enum err err = ERR_NONE;
    for (int64_t day = 2; day < 100000 && !err; day++) {
        struct query *query =
            query_start(store, QUERY_EVIDENCE_EXPIRED_DAY_ADD);
        query_bind_string(query, 1, "an organisation with a long name");
        query_bind_int(query, 2, day);
        err = query_run(query);
    }
    CHECK_EQ_INT(err, ERR_FULL);
    CHECK(strstr(err_message(), "no space left") != NULL);
    CHECK_ERR(store_commit(store), ERR_FULL);
    CHECK_EQ_INT(count_days(store), 1);
    store_close(store);
}
