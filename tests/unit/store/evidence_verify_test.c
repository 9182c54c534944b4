/*
 * Whoever changes evidence behind the store's back is found out, and told
 * where. The tampering is SQL, as an intruder's would be.
 */
#include "store/store_int.h"

#include "harness.h"

#include <stdio.h>
#include <string.h>

static struct store *opened(enum store_mode mode)
{
    struct store *store = NULL;
    REQUIRE_OK(store_open(&store, test_folder(), mode));
    return store;
}

/* Block 1 and 2 sealed, 3 open with two chunks; block 4 of another feed. */
static void make_store(void)
{
    struct store *store = opened(STORE_WRITE);
    struct evidence_line line = {.source = text_of("import"),
                                 .org = text_of("acme"),
                                 .arrival_ms = 1000,
                                 .event_ms = 86400000,
                                 .bytes = text_of("a line of evidence"),
                                 .length = 18};
    REQUIRE_OK(store_begin(store));
    for (int i = 0; i < 2 * BLOCK_LINES; i++)
        REQUIRE_OK(evidence_append(store, &line));
    for (int i = 0; i < 2; i++) {
        REQUIRE_OK(evidence_append(store, &line));
        REQUIRE_OK(store_commit(store));
        REQUIRE_OK(store_begin(store));
    }
    line.org = text_of("umbrella");
    REQUIRE_OK(evidence_append(store, &line));
    REQUIRE_OK(store_commit(store));
    store_close(store);
}

static void tamper(const char *sql)
{
    sqlite3 *database = NULL;
    char *message = NULL;
    REQUIRE(!sqlite3_open(test_path("assay.db"), &database));
    sqlite3_exec(database, sql, NULL, NULL, &message);
    CHECK_EQ_TEXT(message, NULL);
    sqlite3_free(message);
    REQUIRE(!sqlite3_close(database));
}

struct findings {
    char first[1500];
    int count;
    uint64_t progress;
};

static void keep_first(void *context, const char *defect)
{
    struct findings *findings = context;
    if (!findings->count++)
        snprintf(findings->first, sizeof findings->first, "%s", defect);
}

static void keep_progress(void *context, uint64_t done, uint64_t all)
{
    struct findings *findings = context;
    CHECK(done <= all);
    findings->progress = done;
}

TEST(an_untouched_store_has_no_defect)
{
    struct findings findings = {0};
    struct evidence_verdict verdict;
    make_store();
    struct store *store = opened(STORE_READ);
    REQUIRE_OK(
        evidence_verify(store, &verdict, keep_first, keep_progress, &findings));
    CHECK_EQ_TEXT(findings.first, "");
    CHECK_EQ_INT(findings.progress, 4);
    CHECK_EQ_INT(verdict.feeds, 2);
    CHECK_EQ_INT(verdict.blocks, 4);
    CHECK_EQ_INT(verdict.blocks_expired, 0);
    CHECK_EQ_INT(verdict.lines, 2 * BLOCK_LINES + 3);
    CHECK_EQ_INT(verdict.defects, 0);
    store_close(store);
}

static void check_found(const char *sql, const char *words)
{
    struct findings findings = {0};
    struct evidence_verdict verdict;
    tamper(sql);
    struct store *store = opened(STORE_READ);
    REQUIRE_OK(evidence_verify(store, &verdict, keep_first, NULL, &findings));
    CHECK(findings.count > 0);
    CHECK_EQ_INT(verdict.defects, findings.count);
    if (!strstr(findings.first, words))
        CHECK_EQ_TEXT(findings.first, words);
    store_close(store);
}

#define FOUND(name, sql, words)                                                \
    TEST(name)                                                                 \
    {                                                                          \
        make_store();                                                          \
        check_found(sql, words);                                               \
    }

FOUND(a_changed_body,
      "UPDATE evidence_body SET body = CAST(substr(body, 1, 20) || x'00' ||"
      " substr(body, 22) AS BLOB) WHERE block = 2",
      "block 2 (accepted lines 131072 to 135167 from import for acme): its "
      "bytes do not have the recorded hash")
FOUND(a_missing_body, "DELETE FROM evidence_body WHERE block = 1",
      "block 1 (accepted lines 65536 to 69631 from import for acme): its bytes "
      "are missing")
FOUND(a_changed_hash,
      "UPDATE evidence_block SET hash = zeroblob(32) WHERE block = 2",
      "the chain does not lead from the block before to this one")
FOUND(a_changed_chain,
      "UPDATE evidence_block SET chain = zeroblob(32) WHERE block = 1",
      "the chain does not lead from the block before to this one")
FOUND(a_shortened_chain,
      "UPDATE evidence_block SET chain = x'00' WHERE block = 1",
      "its recorded hash or chain is damaged")
FOUND(a_missing_block,
      "DELETE FROM evidence_block WHERE block = 1;"
      "DELETE FROM evidence_body WHERE block = 1",
      "the chain does not lead from the block before to this one")
FOUND(a_missing_last_block,
      "DELETE FROM evidence_chunk; DELETE FROM evidence_block WHERE block = 3",
      "feed 1: its sums do not agree with its blocks")
FOUND(a_changed_count,
      "UPDATE evidence_block SET lines = lines - 1 WHERE block = 2;"
      "UPDATE evidence_feed SET lines = lines - 1 WHERE feed = 1",
      "its row does not describe its records")
FOUND(changed_days, "UPDATE evidence_block SET days = x'00' WHERE block = 2",
      "its row does not describe its records")
FOUND(a_changed_arrival,
      "UPDATE evidence_block SET last_arrival_ms = 5 WHERE block = 2",
      "its row does not describe its records")
FOUND(a_changed_size, "UPDATE evidence_block SET raw_bytes = 5 WHERE block = 2",
      "raw bytes")
FOUND(a_changed_chunk,
      "UPDATE evidence_chunk SET body = CAST(substr(body, 1, length(body) - 1)"
      " || x'00' AS BLOB) WHERE chunk = 196609",
      "block 3 (accepted lines 196608 to 196609 from import for acme): its "
      "chunks do not have the recorded hash")
FOUND(a_missing_chunk, "DELETE FROM evidence_chunk WHERE chunk = 196609",
      "its chunks do not have the recorded hash")
FOUND(a_feed_renamed, "UPDATE evidence_feed SET org = 'other' WHERE feed = 1",
      "the chain does not lead")
FOUND(a_feed_removed, "DELETE FROM evidence_feed WHERE feed = 2",
      "1 blocks without a feed")
FOUND(a_body_added, "INSERT INTO evidence_body VALUES (77, x'00')",
      "1 bodies without a sealed block")
FOUND(a_chunk_added, "INSERT INTO evidence_chunk VALUES (65536, x'00')",
      "1 chunks without an open block")
FOUND(bodies_exchanged,
      "UPDATE evidence_body SET block = -block;"
      "UPDATE evidence_body SET block = 3 + block;",
      "its bytes do not have the recorded hash")

/* One damaged block is one finding, not one for each block after it. */
TEST(a_defect_is_told_once)
{
    struct findings findings = {0};
    struct evidence_verdict verdict;
    make_store();
    tamper("UPDATE evidence_body SET body = x'00' WHERE block = 1");
    struct store *store = opened(STORE_READ);
    REQUIRE_OK(evidence_verify(store, &verdict, keep_first, NULL, &findings));
    CHECK_EQ_INT(verdict.defects, 1);
    store_close(store);
}

TEST(damaged_blocks_are_not_read_or_appended_to)
{
    struct arena arena = {0};
    struct evidence_line line;
    make_store();
    tamper("UPDATE evidence_body SET body = x'00' WHERE block = 1;"
           "UPDATE evidence_chunk SET body = x'00' WHERE chunk = 196608");
    struct store *store = opened(STORE_WRITE);
    CHECK_ERR(evidence_read(store, &arena, 65536, &line), ERR_CORRUPT);
    CHECK(strstr(err_message(), "block 1 (accepted lines 65536") != NULL);
    REQUIRE_OK(evidence_read(store, &arena, 131072, &line));
    REQUIRE_OK(store_begin(store));
    CHECK_ERR(evidence_append(store, &line), ERR_CORRUPT);
    CHECK(strstr(err_message(), "restore a backup") != NULL);
    CHECK_ERR(store_commit(store), ERR_CORRUPT);
    arena_free(&arena);
    store_close(store);
}
