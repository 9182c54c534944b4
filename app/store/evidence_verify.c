/*
 * evidence_verify.c: every hash and every chain, computed again.
 *
 * Feed by feed, block by block in one snapshot: the stored bytes against the
 * block's hash, the hash against the chain, the records against what the
 * block's row says of them, the rows against the feed's sums. A defect is
 * reported where it stands and the work goes on with the recorded values, so
 * that one damaged block is one finding and not a finding for every block
 * after it. Last come rows that belong to nothing, and SQLite's own check.
 */
#include "store/store_int.h"

#include "seal/seal.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct check {
    struct store *store;
    struct evidence_verdict *verdict;
    void (*report)(void *context, const char *defect);
    void (*progress)(void *context, uint64_t done, uint64_t all);
    void *context;
    uint64_t all;
    struct buf raw;
    struct buf days;
    struct block block; /* what the stored bytes say */
    struct feed feed;   /* its sums, as recorded */
    struct feed_names names;
    /* Computed: the chain so far, and sums. */
    uint8_t chain[SHA256_BYTES];
    int64_t blocks;
    int64_t lines;
    int64_t raw_bytes;
    int64_t stored_bytes;
    bool open_seen;
};

static void defect(struct check *check, const char *format, ...)
    PRINTF_LIKE(2, 3);

static void defect(struct check *check, const char *format, ...)
{
    char sentence[1400];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(sentence, sizeof sentence, format, arguments);
    va_end(arguments);
    check->verdict->defects++;
    check->report(check->context, sentence);
}

static void block_defect(struct check *check, const struct block_row *row,
                         const char *what)
{
    char text[200];
    defect(check, "%s: %s", block_describe(row, &check->names, text), what);
}

/* ---- one block ----------------------------------------------------------- */

static void check_chain(struct check *check, const struct block_row *row)
{
    if (row->hash.length != SHA256_BYTES || row->chain.length != SHA256_BYTES) {
        block_defect(check, row, "its recorded hash or chain is damaged");
        return;
    }
    seal_chain_add(check->chain, (const uint8_t *)row->hash.data);
    if (memcmp(check->chain, row->chain.data, SHA256_BYTES) != 0)
        block_defect(check, row,
                     "the chain does not lead from the block before to this "
                     "one: a block was changed, removed or inserted");
    memcpy(check->chain, row->chain.data, SHA256_BYTES);
}

static bool days_agree(struct check *check, const struct block_row *row)
{
    buf_clear(&check->days);
    day_set_encode(&check->block.days, &check->days);
    return text_equal(row->days,
                      (struct text){check->days.data, check->days.length});
}

/* The stored bytes, and what the row says about them. */
static enum err check_content(struct check *check, const struct block_row *row)
{
    struct block *block = &check->block;
    buf_clear(&check->raw);
    enum err err = block_load(check->store, row, &check->raw);
    if (err == ERR_CORRUPT) {
        char text[200];
        char why[1000];
        snprintf(why, sizeof why, "%s", err_message());
        defect(check, "%s: %s", block_describe(row, &check->names, text), why);
        return ERR_NONE;
    }
    if (err)
        return err;
    struct text raw = {check->raw.data, check->raw.length};
    if (!block_restore(block, row->number, raw))
        block_defect(check, row, "its records are damaged");
    else if (block->lines != row->lines ||
             block->first_arrival_ms != row->first_arrival_ms ||
             block->last_arrival_ms != row->last_arrival_ms ||
             !days_agree(check, row))
        block_defect(check, row,
                     "its row does not describe its records: "
                     "count, arrivals or days differ");
    return ERR_NONE;
}

static enum err check_block(struct check *check, const struct block_row *row)
{
    struct evidence_verdict *verdict = check->verdict;
    verdict->blocks++;
    verdict->lines += (uint64_t)row->lines;
    check->blocks++;
    check->lines += row->lines;
    check->raw_bytes += row->raw_bytes;
    if (check->open_seen)
        block_defect(check, row, "it follows a block that is still open");
    check->open_seen = row->state == BLOCK_OPEN;
    if (row->state != BLOCK_OPEN)
        check_chain(check, row);
    if (row->state == BLOCK_EXPIRED) {
        verdict->blocks_expired++;
        return ERR_NONE;
    }
    check->stored_bytes += row->stored_bytes;
    return check_content(check, row);
}

/* ---- one feed ------------------------------------------------------------ */

static enum err check_blocks(struct check *check)
{
    int64_t after = 0;
    bool found = true;
    enum err err = ERR_NONE;
    while (!err) {
        struct query *query =
            query_start(check->store, QUERY_EVIDENCE_BLOCK_OF_FEED);
        query_bind_int(query, 1, check->feed.feed);
        query_bind_int(query, 2, after);
        err = query_step(query, &found);
        if (err || !found)
            break;
        struct block_row row = block_row_of(query);
        after = row.number;
        err = check_block(check, &row);
        sqlite3_reset(query->statement);
        if (check->progress)
            check->progress(check->context, check->verdict->blocks, check->all);
    }
    return err;
}

static void check_sums(struct check *check)
{
    const struct feed *feed = &check->feed;
    if (feed->blocks != check->blocks || feed->lines != check->lines ||
        feed->raw_bytes != check->raw_bytes ||
        feed->stored_bytes != check->stored_bytes)
        defect(check,
               "feed %lld: its sums do not agree with its blocks: %lld blocks "
               "and %lld lines found, %lld and %lld recorded",
               (long long)feed->feed, (long long)check->blocks,
               (long long)check->lines, (long long)feed->blocks,
               (long long)feed->lines);
    if (memcmp(feed->chain, check->chain, SHA256_BYTES) != 0)
        defect(check,
               "feed %lld: its chain does not end where its last "
               "sealed block does: blocks are missing",
               (long long)feed->feed);
}

static void take_feed(struct check *check, struct arena *arena,
                      struct query *query)
{
    struct text chain = query_text(query, 7);
    check->feed = (struct feed){
        .feed = query_int(query, 0),
        .blocks = query_int(query, 1),
        .lines = query_int(query, 2),
        .raw_bytes = query_int(query, 3),
        .stored_bytes = query_int(query, 4),
    };
    if (chain.length == SHA256_BYTES)
        memcpy(check->feed.chain, chain.data, SHA256_BYTES);
    check->names = (struct feed_names){
        .source = query_copy(arena, query, 8),
        .org = query_copy(arena, query, 9),
        .class = (enum evidence_class)query_int(query, 10),
    };
    sqlite3_reset(query->statement);
    check->blocks = check->lines = check->raw_bytes = check->stored_bytes = 0;
    check->open_seen = false;
    const char *class = evidence_class_name(check->names.class);
    seal_chain_start(check->names.source, check->names.org, text_of(class),
                     check->chain);
}

static enum err check_feed(struct check *check)
{
    enum err err = check_blocks(check);
    check->verdict->feeds++;
    if (err == ERR_CORRUPT) {
        char why[1000];
        snprintf(why, sizeof why, "%s", err_message());
        defect(check, "feed %lld: the list of its blocks cannot be read: %s",
               (long long)check->feed.feed, why);
        return ERR_NONE;
    }
    if (!err)
        check_sums(check);
    return err;
}

static enum err check_feeds(struct check *check)
{
    struct arena arena = {0};
    int64_t after = 0;
    bool found = true;
    enum err err = ERR_NONE;
    while (!err) {
        struct query *query =
            query_start(check->store, QUERY_EVIDENCE_FEED_NEXT);
        query_bind_int(query, 1, after);
        err = query_step(query, &found);
        if (err || !found)
            break;
        take_feed(check, &arena, query);
        after = check->feed.feed;
        err = check_feed(check);
        arena_clear(&arena);
    }
    arena_free(&arena);
    return err;
}

/* ---- the file ------------------------------------------------------------ */

static enum err check_orphans(struct check *check)
{
    static const char *const kinds[] = {"blocks without a feed",
                                        "bodies without a sealed block",
                                        "chunks without an open block"};
    bool row;
    struct query *query = query_start(check->store, QUERY_EVIDENCE_ORPHANS);
    enum err err = query_step(query, &row);
    for (int i = 0; i < 3 && !err; i++)
        if (query_int(query, i))
            defect(check, "%lld %s", (long long)query_int(query, i), kinds[i]);
    sqlite3_reset(query->statement);
    return err;
}

static enum err check_file(struct check *check)
{
    bool row = true;
    struct query *query = query_start(check->store, QUERY_STORE_QUICK_CHECK);
    enum err err = query_step(query, &row);
    while (!err && row) {
        struct text finding = query_text(query, 0);
        if (!text_is(finding, "ok"))
            defect(check, "the file: %.*s", (int)finding.length, finding.data);
        err = query_step(query, &row);
    }
    sqlite3_reset(query->statement);
    return err;
}

/* Damage that stops a part of the work is a finding, not the end of it. */
static enum err as_finding(struct check *check, enum err err)
{
    if (err != ERR_CORRUPT)
        return err;
    char why[1000];
    snprintf(why, sizeof why, "%s", err_message());
    defect(check, "%s", why);
    return ERR_NONE;
}

static enum err check_all(struct check *check)
{
    bool row;
    struct query *query = query_start(check->store, QUERY_EVIDENCE_TOTALS);
    enum err err = query_step(query, &row);
    if (!err) {
        check->all = (uint64_t)query_int(query, 0);
        sqlite3_reset(query->statement);
    }
    err = as_finding(check, err);
    if (!err)
        err = as_finding(check, check_feeds(check));
    if (!err)
        err = as_finding(check, check_orphans(check));
    if (!err)
        err = as_finding(check, check_file(check));
    return err;
}

enum err evidence_verify(struct store *store, struct evidence_verdict *verdict,
                         void (*report)(void *context, const char *defect),
                         void (*progress)(void *context, uint64_t done,
                                          uint64_t all),
                         void *context)
{
    struct check check = {.store = store,
                          .verdict = verdict,
                          .report = report,
                          .progress = progress,
                          .context = context};
    bool alone = !store->in_transaction;
    *verdict = (struct evidence_verdict){0};
    enum err err = ERR_NONE;
    if (alone)
        err = store_begin_read(store);
    else if (store->writing)
        err = evidence_flush(store);
    if (err)
        return err;
    err = check_all(&check);
    if (alone)
        store_rollback(store);
    block_free(&check.block);
    buf_free(&check.raw);
    buf_free(&check.days);
    return err;
}
