#include "store/store_int.h"

#include "base/random.h"
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct store *opened(enum store_mode mode)
{
    struct store *store = NULL;
    REQUIRE_OK(store_open(&store, test_folder(), mode));
    return store;
}

static int64_t append(struct store *store, const char *org,
                      enum evidence_class class, struct text bytes)
{
    struct evidence_line line = {.source = text_of("import"),
                                 .org = text_of(org),
                                 .class = class,
                                 .arrival_ms = 1000,
                                 .event_ms = 2000,
                                 .bytes = bytes,
                                 .length = bytes.length};
    REQUIRE_OK(evidence_append(store, &line));
    return line.line;
}

static int64_t append_text(struct store *store, const char *text)
{
    return append(store, "acme", EVIDENCE_ACCEPTED, text_of(text));
}

static bool reads_as(struct store *store, int64_t line, const char *wanted)
{
    struct arena arena = {0};
    struct evidence_line found;
    enum err err = evidence_read(store, &arena, line, &found);
    bool same = CHECK_OK(err) && CHECK_EQ_TEXT(found.bytes.data, wanted) &&
                CHECK_EQ_INT(found.line, line);
    arena_free(&arena);
    return same;
}

static int64_t count(struct store *store, const char *sql)
{
    sqlite3_stmt *statement = NULL;
    REQUIRE(!sqlite3_prepare_v2(store->database, sql, -1, &statement, NULL));
    REQUIRE(sqlite3_step(statement) == SQLITE_ROW);
    int64_t value = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return value;
}

static void no_defect(void *context, const char *defect)
{
    (void)context;
    CHECK_EQ_TEXT(defect, NULL);
}

static void check_verifies(struct store *store)
{
    struct evidence_verdict verdict;
    CHECK_OK(evidence_verify(store, &verdict, no_defect, NULL, NULL));
    CHECK_EQ_INT(verdict.defects, 0);
}

/* ---- one line -------------------------------------------------------- */

TEST(a_line_is_there_at_once_and_after_reopening)
{
    struct store *store = opened(STORE_WRITE);
    REQUIRE_OK(store_begin(store));
    int64_t line = append_text(store, "hello");
    CHECK_EQ_INT(line, 65536);
    CHECK(reads_as(store, line, "hello"));
    REQUIRE_OK(store_commit(store));
    CHECK(reads_as(store, line, "hello"));
    struct store *reader = opened(STORE_READ);
    CHECK(reads_as(reader, line, "hello"));
    REQUIRE_OK(store_begin(store));
    int64_t next = append_text(store, "world");
    REQUIRE_OK(store_commit(store));
    CHECK(reads_as(reader, next, "world"));
    CHECK(reads_as(reader, line, "hello"));
    check_verifies(reader);
    store_close(reader);
    store_close(store);
    store = opened(STORE_WRITE);
    CHECK(reads_as(store, next, "world"));
    REQUIRE_OK(store_begin(store));
    CHECK_EQ_INT(append_text(store, "again"), 65538);
    REQUIRE_OK(store_commit(store));
    check_verifies(store);
    store_close(store);
}

TEST(a_line_that_is_not_there_is_absent)
{
    static const int64_t rows[] = {-1,     0,         65535,    65537,
                                   131072, INT64_MAX, INT64_MIN};
    struct arena arena = {0};
    struct evidence_line found;
    struct store *store = opened(STORE_WRITE);
    REQUIRE_OK(store_begin(store));
    append_text(store, "only");
    EACH_ROW (line, rows)
        CHECK_ERR(evidence_read(store, &arena, *line, &found), ERR_ABSENT);
    REQUIRE_OK(store_commit(store));
    evidence_forget(store);
    EACH_ROW (line, rows)
        CHECK_ERR(evidence_read(store, &arena, *line, &found), ERR_ABSENT);
    arena_free(&arena);
    store_close(store);
}

TEST(every_kind_comes_back_whole)
{
    struct arena arena = {0};
    struct evidence_line line = {.source = text_of("kafka:events"),
                                 .org = text_of(""),
                                 .class = EVIDENCE_REJECTED,
                                 .kind = EVIDENCE_OVERSIZE,
                                 .arrival_ms = 1,
                                 .event_ms = INT64_MIN,
                                 .bytes = {"kept\0bytes", 10},
                                 .length = 1ULL << 40,
                                 .sha256 = {7}};
    struct evidence_line repeat = line;
    struct evidence_line found;
    struct store *store = opened(STORE_WRITE);
    REQUIRE_OK(store_begin(store));
    REQUIRE_OK(evidence_append(store, &line));
    repeat.kind = EVIDENCE_REPEAT;
    repeat.bytes = text_of("");
    repeat.repeats = line.line;
    REQUIRE_OK(evidence_append(store, &repeat));
    REQUIRE_OK(store_commit(store));
    REQUIRE_OK(evidence_seal(store, true));
    REQUIRE_OK(evidence_read(store, &arena, repeat.line, &found));
    CHECK_EQ_INT(found.kind, EVIDENCE_REPEAT);
    CHECK_EQ_INT(found.repeats, line.line);
    CHECK_EQ_INT(found.length, 1LL << 40);
    REQUIRE_OK(evidence_read(store, &arena, line.line, &found));
    CHECK_EQ_INT(found.kind, EVIDENCE_OVERSIZE);
    CHECK_EQ_INT(found.class, EVIDENCE_REJECTED);
    CHECK(text_is(found.source, "kafka:events"));
    CHECK(text_is(found.org, ""));
    CHECK(text_equal(found.bytes, line.bytes));
    CHECK_EQ_MEMORY(found.sha256, line.sha256, SHA256_BYTES);
    CHECK_EQ_INT(found.event_ms, INT64_MIN);
    arena_free(&arena);
    store_close(store);
}

TEST(a_line_of_the_greatest_length_is_kept)
{
    struct arena arena = {0};
    struct evidence_line found;
    struct buf large = {0};
    buf_reserve(&large, EVIDENCE_LINE_MAX_BYTES);
    random_bytes(large.data, EVIDENCE_LINE_MAX_BYTES);
    struct text bytes = {large.data, EVIDENCE_LINE_MAX_BYTES};
    struct store *store = opened(STORE_WRITE);
    REQUIRE_OK(store_begin(store));
    append_text(store, "before");
    int64_t line = append(store, "acme", EVIDENCE_ACCEPTED, bytes);
    CHECK_EQ_INT(append_text(store, "after"), 2 * 65536);
    REQUIRE_OK(store_commit(store));
    REQUIRE_OK(evidence_read(store, &arena, line, &found));
    CHECK(text_equal(found.bytes, bytes));
    check_verifies(store);
    buf_free(&large);
    arena_free(&arena);
    store_close(store);
}

/* ---- blocks ---------------------------------------------------------- */

static const char *numbered(int i, char text[64])
{
    snprintf(text, 64, "{\"number\":%d,\"text\":\"some words\"}", i);
    return text;
}

struct listing {
    int expected;
    int64_t before;
    int start;
    int step;
};

static enum err list(void *context, const struct evidence_line *line)
{
    struct listing *listing = context;
    char text[64];
    int number = listing->start + listing->step * listing->expected++;
    CHECK(text_is(line->bytes, numbered(number, text)));
    CHECK(line->line > listing->before);
    listing->before = line->line;
    return ERR_NONE;
}

TEST(many_lines_fill_blocks_and_stay_in_order)
{
    enum { LINES = 10000 };
    char text[64];
    struct store *store = opened(STORE_WRITE);
    for (int i = 0; i < LINES;) {
        REQUIRE_OK(store_begin(store));
        for (int k = 0; k < 777 && i < LINES; k++)
            append_text(store, numbered(i++, text));
        REQUIRE_OK(store_commit(store));
    }
    CHECK_EQ_INT(count(store, "SELECT count(*) FROM evidence_block"), 3);
    CHECK_EQ_INT(count(store, "SELECT sum(lines) FROM evidence_block"), LINES);
    CHECK_EQ_INT(count(store, "SELECT count(*) FROM evidence_body"), 2);
    struct listing listing = {.step = 1};
    REQUIRE_OK(evidence_walk(store, 0, list, &listing));
    CHECK_EQ_INT(listing.expected, LINES);
    /* From the middle, and from the end. */
    listing = (struct listing){.start = 4097, .step = 1};
    REQUIRE_OK(evidence_walk(store, 2 * 65536, list, &listing));
    CHECK_EQ_INT(listing.expected, LINES - 4097);
    listing.expected = 0;
    REQUIRE_OK(evidence_walk(store, listing.before, list, &listing));
    CHECK_EQ_INT(listing.expected, 0);
    check_verifies(store);
    store_close(store);
}

TEST(one_transaction_writes_whole_blocks_without_chunks)
{
    char text[64];
    struct store *store = opened(STORE_WRITE);
    REQUIRE_OK(store_begin(store));
    for (int i = 0; i < 2 * BLOCK_LINES; i++)
        append_text(store, numbered(i, text));
    REQUIRE_OK(store_commit(store));
    CHECK_EQ_INT(count(store, "SELECT count(*) FROM evidence_chunk"), 0);
    CHECK_EQ_INT(count(store, "SELECT count(*) FROM evidence_body"), 2);
    struct listing listing = {.step = 1};
    REQUIRE_OK(evidence_walk(store, 0, list, &listing));
    CHECK_EQ_INT(listing.expected, 2 * BLOCK_LINES);
    store_close(store);
}

TEST(sealing_changes_no_line)
{
    char text[64];
    struct store *store = opened(STORE_WRITE);
    for (int i = 0; i < 20; i++) {
        REQUIRE_OK(store_begin(store));
        append_text(store, numbered(i, text));
        REQUIRE_OK(store_commit(store));
    }
    CHECK_EQ_INT(count(store, "SELECT count(*) FROM evidence_chunk"), 20);
    struct store *reader = opened(STORE_READ);
    CHECK(reads_as(reader, 65536 + 5, numbered(5, text)));
    REQUIRE_OK(evidence_seal(store, false));
    CHECK_EQ_INT(count(store, "SELECT count(*) FROM evidence_chunk"), 20);
    REQUIRE_OK(evidence_seal(store, true));
    REQUIRE_OK(evidence_seal(store, true));
    CHECK_EQ_INT(count(store, "SELECT count(*) FROM evidence_chunk"), 0);
    CHECK_EQ_INT(count(store, "SELECT count(*) FROM evidence_block"), 1);
    for (int i = 19; i >= 0; i--)
        CHECK(reads_as(reader, 65536 + i, numbered(i, text)));
    struct listing listing = {.step = 1};
    REQUIRE_OK(evidence_walk(reader, 0, list, &listing));
    CHECK_EQ_INT(listing.expected, 20);
    check_verifies(reader);
    store_close(reader);
    REQUIRE_OK(store_begin(store));
    CHECK_EQ_INT(append_text(store, "next"), 2 * 65536);
    REQUIRE_OK(store_commit(store));
    store_close(store);
}

/* The bytes that are sealed do not depend on how commits cut them. */
TEST(the_chain_depends_on_the_lines_alone)
{
    char text[64];
    struct store *one;
    struct store *two;
    REQUIRE_OK(store_open(&one, test_path("one"), STORE_WRITE));
    REQUIRE_OK(store_open(&two, test_path("two"), STORE_WRITE));
    REQUIRE_OK(store_begin(one));
    for (int i = 0; i < 6000; i++) {
        append_text(one, numbered(i, text));
        if (i % 100 == 0)
            REQUIRE_OK(store_begin(two));
        append_text(two, numbered(i, text));
        if (i % 100 == 99)
            REQUIRE_OK(store_commit(two));
        if (i % 1000 == 999)
            evidence_forget(two);
    }
    REQUIRE_OK(store_commit(one));
    REQUIRE_OK(evidence_seal(one, true));
    REQUIRE_OK(evidence_seal(two, true));
    bool row;
    struct query *a = query_start(one, QUERY_EVIDENCE_FEEDS);
    struct query *b = query_start(two, QUERY_EVIDENCE_FEEDS);
    REQUIRE_OK(query_step(a, &row));
    REQUIRE_OK(query_step(b, &row));
    REQUIRE(query_text(a, 10).length == 64);
    for (int i = 0; i < 11; i++)
        CHECK(text_equal(query_text(a, i), query_text(b, i)));
    store_close(one);
    store_close(two);
}

TEST(rollback_restores_open_blocks)
{
    char text[64];
    struct store *store = opened(STORE_WRITE);
    REQUIRE_OK(store_begin(store));
    for (int i = 0; i < 4000; i++)
        append_text(store, numbered(i, text));
    REQUIRE_OK(store_commit(store));
    REQUIRE_OK(store_begin(store));
    for (int i = 0; i < 5000; i++)
        append_text(store, "lost");
    append(store, "other", EVIDENCE_IGNORED, text_of("lost"));
    store_rollback(store);
    REQUIRE_OK(store_begin(store));
    for (int i = 4000; i < 8000; i++)
        append_text(store, numbered(i, text));
    REQUIRE_OK(store_commit(store));
    struct listing listing = {.step = 1};
    REQUIRE_OK(evidence_walk(store, 0, list, &listing));
    CHECK_EQ_INT(listing.expected, 8000);
    CHECK_EQ_INT(count(store, "SELECT count(*) FROM evidence_feed"), 1);
    check_verifies(store);
    store_close(store);
}

TEST(lines_of_a_process_that_died_are_gone_or_whole)
{
    char text[64];
    struct store *store = opened(STORE_WRITE);
    REQUIRE_OK(store_begin(store));
    append_text(store, numbered(0, text));
    REQUIRE_OK(store_commit(store));
    REQUIRE_OK(store_begin(store));
    append_text(store, "never committed");
    store_close(store);
    store = opened(STORE_WRITE);
    REQUIRE_OK(store_begin(store));
    append_text(store, numbered(1, text));
    REQUIRE_OK(store_commit(store));
    struct listing listing = {.step = 1};
    REQUIRE_OK(evidence_walk(store, 0, list, &listing));
    CHECK_EQ_INT(listing.expected, 2);
    store_close(store);
}

/* ---- feeds ----------------------------------------------------------- */

TEST(feeds_keep_to_themselves_and_a_filter_finds_them)
{
    char text[64];
    struct store *store = opened(STORE_WRITE);
    REQUIRE_OK(store_begin(store));
    for (int i = 0; i < 9000; i++)
        append(store, i % 3 ? "acme" : "umbrella",
               i % 2 ? EVIDENCE_ACCEPTED : EVIDENCE_IGNORED,
               text_of(numbered(i, text)));
    struct evidence_filter filter = {
        .org = "umbrella", .class_given = true, .class = EVIDENCE_ACCEPTED};
    struct listing listing = {.start = 3, .step = 6};
    /* Before the commit as after it. */
    REQUIRE_OK(evidence_walk_where(store, &filter, list, &listing));
    CHECK_EQ_INT(listing.expected, 1500);
    REQUIRE_OK(store_commit(store));
    listing = (struct listing){.start = 3, .step = 6};
    REQUIRE_OK(evidence_walk_where(store, &filter, list, &listing));
    CHECK_EQ_INT(listing.expected, 1500);
    filter.to_line = listing.before - 1;
    listing = (struct listing){.start = 3, .step = 6};
    REQUIRE_OK(evidence_walk_where(store, &filter, list, &listing));
    CHECK_EQ_INT(listing.expected, 1499);
    filter.source = "http";
    listing.expected = 0;
    REQUIRE_OK(evidence_walk_where(store, &filter, list, &listing));
    CHECK_EQ_INT(listing.expected, 0);
    CHECK_EQ_INT(count(store, "SELECT count(*) FROM evidence_feed"), 4);
    check_verifies(store);
    store_close(store);
}

TEST(thousands_of_organisations_do_not_stay_in_memory)
{
    char org[32];
    struct store *store = opened(STORE_WRITE);
    for (int round = 0; round < 2; round++) {
        REQUIRE_OK(store_begin(store));
        for (int i = 0; i < 5000; i++) {
            snprintf(org, sizeof org, "org %d", i);
            append(store, org, EVIDENCE_ACCEPTED, text_of("x"));
        }
        REQUIRE_OK(store_commit(store));
        CHECK(store->feed_count <= 1024);
    }
    CHECK_EQ_INT(count(store, "SELECT count(*) FROM evidence_feed"), 5000);
    CHECK_EQ_INT(count(store, "SELECT sum(lines) FROM evidence_feed"), 10000);
    CHECK_EQ_INT(count(store, "SELECT count(*) FROM evidence_block"), 5000);
    store_close(store);
}

static enum err stop_at_third(void *context, const struct evidence_line *line)
{
    int *seen = context;
    (void)line;
    return ++*seen == 3 ? err_set(ERR_STOPPED, "enough") : ERR_NONE;
}

TEST(a_visitor_ends_the_walk)
{
    int seen = 0;
    struct store *store = opened(STORE_WRITE);
    REQUIRE_OK(store_begin(store));
    for (int i = 0; i < 10; i++)
        append_text(store, "x");
    REQUIRE_OK(store_commit(store));
    CHECK_ERR(evidence_walk(store, 0, stop_at_third, &seen), ERR_STOPPED);
    CHECK_EQ_INT(seen, 3);
    store_close(store);
}

struct nested {
    struct store *store;
    int64_t read;
};

static enum err read_and_walk(void *context, const struct evidence_line *line)
{
    struct nested *nested = context;
    struct arena arena = {0};
    struct evidence_line again;
    struct listing listing = {.step = 1};
    enum err err = evidence_read(nested->store, &arena, line->line, &again);
    CHECK(text_equal(again.bytes, line->bytes));
    arena_free(&arena);
    if (!err && nested->read++ % 1000 == 0)
        err = evidence_walk(nested->store, 0, list, &listing);
    return err;
}

TEST(a_visitor_may_use_the_store)
{
    char text[64];
    struct store *store = opened(STORE_WRITE);
    REQUIRE_OK(store_begin(store));
    for (int i = 0; i < 6000; i++)
        append_text(store, numbered(i, text));
    struct nested nested = {.store = store};
    CHECK_OK(evidence_walk(store, 0, read_and_walk, &nested));
    REQUIRE_OK(store_commit(store));
    CHECK_EQ_INT(nested.read, 6000);
    CHECK_OK(evidence_walk(store, 0, read_and_walk, &nested));
    store_close(store);
}

TEST(reading_at_random_agrees_with_what_was_appended)
{
    char text[64];
    enum { LINES = 30000 };
    static int64_t ids[LINES];
    struct store *store = opened(STORE_WRITE);
    REQUIRE_OK(store_begin(store));
    for (int i = 0; i < LINES; i++)
        ids[i] = append_text(store, numbered(i, text));
    srand(7);
    for (int k = 0; k < 300; k++) {
        int i = rand() % LINES;
        CHECK(reads_as(store, ids[i], numbered(i, text)));
        if (k == 100)
            REQUIRE_OK(store_commit(store));
    }
    store_close(store);
}
