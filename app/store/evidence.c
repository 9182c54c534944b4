/*
 * evidence.c: appending exact lines, and what a commit and a seal write.
 *
 * Lines of one feed (source, org, class) gather in its open block. Appending
 * happens in memory; the database is touched when a block is full and at
 * commit:
 *
 *     commit   what each open block gained since the last commit becomes one
 *              chunk, in the same transaction as everything derived from it;
 *              the block's row gets the running hash over its chunks
 *     seal     the block's raw bytes become one zstd frame, whose SHA-256 goes
 *              into the feed's chain; the chunks go
 *
 * A block that fills within one transaction, as in an import, never has
 * chunks. Sealing changes no line and no line's id: both forms hold the same
 * raw bytes (block.c), and the id is block * 65536 + place.
 *
 * What stands in memory is a copy of committed rows plus this transaction's
 * lines. A rollback therefore forgets all of it, and the next append reads the
 * open block back from its chunks, checking the running hash.
 *
 * Turned down: a row a line (28 to 73 bytes more each, and ten times slower),
 * and plain files beside the database (two things to commit, two to back up).
 */
#include "store/store_int.h"

#include "seal/seal.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Above any of the first two, memory of feeds is given back after a commit;
 * above the first, in a transaction, too, after what it holds is written. */
enum {
    FEEDS_KEPT = 1024,
    OPEN_BYTES_KEPT = 16 << 20,
    PACKED_KEPT_BYTES = 256 << 10
};

const char *evidence_class_name(enum evidence_class class)
{
    switch (class) {
    case EVIDENCE_ACCEPTED:
        return "accepted";
    case EVIDENCE_IGNORED:
        return "ignored";
    case EVIDENCE_REJECTED:
        return "rejected";
    }
    return "unknown";
}

const char *evidence_kind_name(enum evidence_kind kind)
{
    switch (kind) {
    case EVIDENCE_LINE:
        return "line";
    case EVIDENCE_REPEAT:
        return "repeat";
    case EVIDENCE_OVERSIZE:
        return "oversize";
    }
    return "unknown";
}

/* ---- rows of blocks ------------------------------------------------------ */

struct block_row block_row_of(struct query *query)
{
    return (struct block_row){
        .number = query_int(query, 0),
        .state = (int)query_int(query, 1),
        .lines = query_int(query, 2),
        .raw_bytes = query_int(query, 3),
        .stored_bytes = query_int(query, 4),
        .first_arrival_ms = query_int(query, 5),
        .last_arrival_ms = query_int(query, 6),
        .days = query_text(query, 7),
        .hash = query_text(query, 8),
        .chain = query_text(query, 9),
    };
}

const char *block_describe(const struct block_row *row,
                           const struct feed_names *names, char text[200])
{
    int64_t first = row->number << BLOCK_LINE_BITS;
    int source_length =
        names->source.length > 40 ? 40 : (int)names->source.length;
    int org_length = names->org.length > 40 ? 40 : (int)names->org.length;
    snprintf(text, 200, "block %lld (%s lines %lld to %lld from %.*s%s%.*s)",
             (long long)row->number, evidence_class_name(names->class),
             (long long)first, (long long)(first + row->lines - 1),
             source_length, names->source.data, org_length ? " for " : "",
             org_length, names->org.data);
    return text;
}

static bool same_hash(struct text stored, const uint8_t hash[SHA256_BYTES])
{
    return stored.length == SHA256_BYTES &&
           !memcmp(stored.data, hash, SHA256_BYTES);
}

static enum err load_body(struct store *store, const struct block_row *row,
                          struct buf *raw)
{
    bool found;
    uint8_t hash[SHA256_BYTES];
    struct query *query = query_start(store, QUERY_EVIDENCE_BODY_READ);
    query_bind_int(query, 1, row->number);
    enum err err = query_step(query, &found);
    if (err)
        return err;
    if (!found)
        return err_set(ERR_CORRUPT, "its bytes are missing");
    struct text body = query_text(query, 0);
    hash_sha256(body.data, body.length, hash);
    if (!same_hash(row->hash, hash))
        err = err_set(ERR_CORRUPT, "its bytes do not have the recorded hash");
    else if (!unpack_body(store->packer, body, raw))
        err = err_set(ERR_CORRUPT, "its bytes cannot be decompressed");
    sqlite3_reset(query->statement);
    return err;
}

static enum err load_chunks(struct store *store, const struct block_row *row,
                            struct buf *raw)
{
    bool found = true;
    bool whole = true;
    uint8_t hash[SHA256_BYTES];
    enum err err = ERR_NONE;
    struct query *query = query_start(store, QUERY_EVIDENCE_CHUNKS);
    query_bind_int(query, 1, row->number);
    seal_open_start(hash);
    while (!err) {
        err = query_step(query, &found);
        if (err || !found)
            break;
        struct text chunk = query_text(query, 1);
        seal_open_add(hash, chunk);
        whole = whole && unpack_chunk(store->packer, chunk, raw);
    }
    if (!err && !same_hash(row->hash, hash))
        err = err_set(ERR_CORRUPT, "its chunks do not have the recorded hash");
    else if (!err && !whole)
        err = err_set(ERR_CORRUPT, "a chunk of it cannot be decompressed");
    sqlite3_reset(query->statement);
    return err;
}

enum err block_load(struct store *store, const struct block_row *row,
                    struct buf *raw)
{
    size_t before = raw->length;
    enum err err = row->state == BLOCK_OPEN ? load_chunks(store, row, raw)
                                            : load_body(store, row, raw);
    if (!err && raw->length - before != (size_t)row->raw_bytes)
        err = err_set(ERR_CORRUPT, "it has %zu raw bytes, its row says %lld",
                      raw->length - before, (long long)row->raw_bytes);
    return err;
}

/* ---- feeds in memory ----------------------------------------------------- */

static uint64_t feed_bucket(struct text source, struct text org,
                            enum evidence_class class)
{
    uint64_t hash = hash_fast(source.data, source.length) * 31;
    hash = (hash ^ hash_fast(org.data, org.length)) * 31 + (uint64_t) class;
    return hash % FEED_BUCKETS;
}

static bool feed_is(const struct feed *feed, struct text source,
                    struct text org, enum evidence_class class)
{
    return feed->class == class && text_equal(feed->org, org) &&
           text_equal(feed->source, source);
}

static struct text owned(struct text text)
{
    char *copy = memory_alloc(text.length);
    if (text.length)
        memcpy(copy, text.data, text.length);
    return (struct text){copy, text.length};
}

static void feed_free(struct feed *feed)
{
    free((void *)(uintptr_t)feed->source.data);
    free((void *)(uintptr_t)feed->org.data);
    block_free(&feed->block);
    free(feed);
}

void evidence_forget(struct store *store)
{
    for (size_t i = 0; i < FEED_BUCKETS; i++) {
        while (store->feeds[i]) {
            struct feed *feed = store->feeds[i];
            store->feeds[i] = feed->next_in_bucket;
            feed_free(feed);
        }
    }
    store->last_feed = NULL;
    store->first_dirty = NULL;
    store->dirty_end = &store->first_dirty;
    store->feed_count = 0;
    store->numbered = false;
}

static size_t open_bytes(const struct store *store)
{
    size_t bytes = 0;
    for (size_t i = 0; i < FEED_BUCKETS; i++)
        for (const struct feed *feed = store->feeds[i]; feed;
             feed = feed->next_in_bucket)
            bytes += feed->block.raw.capacity;
    return bytes;
}

/* Those that the last transaction did not append to. */
static void drop_unused(struct store *store)
{
    store->last_feed = NULL;
    for (size_t i = 0; i < FEED_BUCKETS; i++) {
        struct feed **at = &store->feeds[i];
        while (*at) {
            struct feed *feed = *at;
            if (feed->used == store->transactions) {
                at = &feed->next_in_bucket;
                continue;
            }
            *at = feed->next_in_bucket;
            store->feed_count--;
            feed_free(feed);
        }
    }
}

static bool feeds_are_small(const struct store *store)
{
    return store->feed_count <= FEEDS_KEPT &&
           open_bytes(store) <= OPEN_BYTES_KEPT;
}

void evidence_trim(struct store *store)
{
    if (!feeds_are_small(store))
        drop_unused(store);
    if (!feeds_are_small(store))
        evidence_forget(store);
    store->transactions++;
}

struct feed *evidence_open_feed(struct store *store, int64_t number)
{
    for (size_t i = 0; i < FEED_BUCKETS && store->feed_count; i++)
        for (struct feed *feed = store->feeds[i]; feed;
             feed = feed->next_in_bucket)
            if (feed->is_open && feed->block.number == number)
                return feed;
    return NULL;
}

static enum err load_numbers(struct store *store)
{
    bool row;
    if (store->numbered)
        return ERR_NONE;
    struct query *query = query_start(store, QUERY_EVIDENCE_NUMBERS);
    enum err err = query_step(query, &row);
    if (err)
        return err;
    store->next_feed = query_int(query, 0);
    store->next_block = query_int(query, 1);
    store->numbered = true;
    sqlite3_reset(query->statement);
    return ERR_NONE;
}

/* Takes the open block over from its chunks. */
static enum err restore_open(struct store *store, struct feed *feed)
{
    bool found;
    struct buf raw = {0};
    struct query *query = query_start(store, QUERY_EVIDENCE_BLOCK_OPEN);
    query_bind_int(query, 1, feed->feed);
    enum err err = query_step(query, &found);
    if (err || !found)
        return err;
    struct block_row row = block_row_of(query);
    err = block_load(store, &row, &raw);
    struct text bytes = {raw.data, raw.length};
    if (!err && (!block_restore(&feed->block, row.number, bytes) ||
                 feed->block.lines != row.lines))
        err = err_set(ERR_CORRUPT, "its records are damaged");
    if (err) {
        char text[200];
        struct feed_names names = {feed->source, feed->org, feed->class};
        err_wrap(err,
                 "%s: %s; restore a backup, or move the file away and "
                 "import again",
                 store->path, block_describe(&row, &names, text));
    } else {
        feed->is_open = true;
        feed->chunked_bytes = raw.length;
        feed->chunked_lines = feed->block.lines;
        feed->chunk_stored_bytes = row.stored_bytes;
        memcpy(feed->open_hash, row.hash.data, SHA256_BYTES);
    }
    sqlite3_reset(query->statement);
    buf_free(&raw);
    return err;
}

static enum err restore_feed(struct store *store, struct feed *feed,
                             struct query *query)
{
    feed->feed = query_int(query, 0);
    feed->blocks = query_int(query, 1);
    feed->lines = query_int(query, 2);
    feed->raw_bytes = query_int(query, 3);
    feed->stored_bytes = query_int(query, 4);
    feed->first_arrival_ms = query_int(query, 5);
    feed->last_arrival_ms = query_int(query, 6);
    struct text chain = query_text(query, 7);
    if (chain.length != SHA256_BYTES)
        return err_set(ERR_CORRUPT,
                       "%s: the chain of feed %lld is damaged; restore a "
                       "backup, or move the file away and import again",
                       store->path, (long long)feed->feed);
    memcpy(feed->chain, chain.data, SHA256_BYTES);
    return restore_open(store, feed);
}

static enum err feed_make(struct store *store, struct text source,
                          struct text org, enum evidence_class class,
                          struct feed **made)
{
    bool found;
    struct query *query = query_start(store, QUERY_EVIDENCE_FEED_FIND);
    query_bind_text(query, 1, source);
    query_bind_text(query, 2, org);
    query_bind_int(query, 3, class);
    enum err err = query_step(query, &found);
    if (!err)
        err = load_numbers(store);
    if (err)
        return err;
    struct feed *feed = memory_zeroed(1, sizeof *feed);
    feed->source = owned(source);
    feed->org = owned(org);
    feed->class = class;
    if (found) {
        err = restore_feed(store, feed, query);
        sqlite3_reset(query->statement);
    } else {
        feed->feed = store->next_feed++;
        seal_chain_start(source, org, text_of(evidence_class_name(class)),
                         feed->chain);
    }
    if (err) {
        feed_free(feed);
        return err;
    }
    *made = feed;
    return ERR_NONE;
}

/* However many feeds a transaction has, there are not so many in memory. */
static enum err make_room(struct store *store)
{
    if (store->feed_count < FEEDS_KEPT)
        return ERR_NONE;
    enum err err = evidence_flush(store);
    if (!err)
        evidence_forget(store);
    return err;
}

static enum err feed_get(struct store *store, struct text source,
                         struct text org, enum evidence_class class,
                         struct feed **out)
{
    struct feed *feed = store->last_feed;
    enum err err = ERR_NONE;
    if (!feed || !feed_is(feed, source, org, class)) {
        uint64_t bucket = feed_bucket(source, org, class);
        feed = store->feeds[bucket];
        while (feed && !feed_is(feed, source, org, class))
            feed = feed->next_in_bucket;
        if (!feed) {
            err = make_room(store);
            if (!err)
                err = feed_make(store, source, org, class, &feed);
            if (err)
                return err;
            feed->next_in_bucket = store->feeds[bucket];
            store->feeds[bucket] = feed;
            store->feed_count++;
        }
        store->last_feed = feed;
    }
    feed->used = store->transactions;
    *out = feed;
    return ERR_NONE;
}

static void mark_dirty(struct store *store, struct feed *feed)
{
    if (feed->dirty)
        return;
    feed->dirty = true;
    feed->next_dirty = NULL;
    *store->dirty_end = feed;
    store->dirty_end = &feed->next_dirty;
}

/* ---- writing ------------------------------------------------------------- */

static enum err write_block(struct store *store, struct feed *feed, int state,
                            int64_t stored_bytes,
                            const uint8_t hash[SHA256_BYTES])
{
    struct block *block = &feed->block;
    struct query *query = query_start(store, QUERY_EVIDENCE_BLOCK_WRITE);
    buf_clear(&store->day_list);
    day_set_encode(&block->days, &store->day_list);
    query_bind_int(query, 1, block->number);
    query_bind_int(query, 2, feed->feed);
    query_bind_int(query, 3, state);
    query_bind_int(query, 4, block->lines);
    query_bind_int(query, 5, (int64_t)block->raw.length);
    query_bind_int(query, 6, stored_bytes);
    query_bind_int(query, 7, block->first_arrival_ms);
    query_bind_int(query, 8, block->last_arrival_ms);
    query_bind_blob(query, 9, store->day_list.data, store->day_list.length);
    query_bind_blob(query, 10, hash, SHA256_BYTES);
    if (state == BLOCK_OPEN)
        query_bind_null(query, 11);
    else
        query_bind_blob(query, 11, feed->chain, SHA256_BYTES);
    return query_run(query);
}

static enum err write_feed(struct store *store, struct feed *feed)
{
    struct query *query = query_start(store, QUERY_EVIDENCE_FEED_WRITE);
    query_bind_int(query, 1, feed->feed);
    query_bind_text(query, 2, feed->source);
    query_bind_text(query, 3, feed->org);
    query_bind_int(query, 4, feed->class);
    query_bind_int(query, 5, feed->blocks);
    query_bind_int(query, 6, feed->lines);
    query_bind_int(query, 7, feed->raw_bytes);
    query_bind_int(query, 8, feed->stored_bytes);
    query_bind_int(query, 9, feed->first_arrival_ms);
    query_bind_int(query, 10, feed->last_arrival_ms);
    query_bind_blob(query, 11, feed->chain, SHA256_BYTES);
    return query_run(query);
}

/* Runs ID, whose parameters are a number and bytes. */
static enum err write_bytes(struct store *store, enum query_id id,
                            int64_t number, const struct buf *bytes)
{
    struct query *query = query_start(store, id);
    query_bind_int(query, 1, number);
    query_bind_blob(query, 2, bytes->data, bytes->length);
    return query_run(query);
}

/* What the open block gained since its last chunk becomes the next one. */
static enum err write_chunk(struct store *store, struct feed *feed)
{
    struct block *block = &feed->block;
    struct buf *packed = &store->packed;
    int64_t id = block->number << BLOCK_LINE_BITS | feed->chunked_lines;
    struct text gained = {block->raw.data + feed->chunked_bytes,
                          block->raw.length - feed->chunked_bytes};
    if (feed->chunked_lines == block->lines)
        return ERR_NONE;
    buf_clear(packed);
    pack_chunk(store->packer, gained, packed);
    enum err err = write_bytes(store, QUERY_EVIDENCE_CHUNK_WRITE, id, packed);
    if (err)
        return err;
    seal_open_add(feed->open_hash, (struct text){packed->data, packed->length});
    feed->chunked_bytes = block->raw.length;
    feed->chunked_lines = block->lines;
    feed->chunk_stored_bytes += (int64_t)packed->length;
    feed->stored_bytes += (int64_t)packed->length;
    return write_block(store, feed, BLOCK_OPEN, feed->chunk_stored_bytes,
                       feed->open_hash);
}

static enum err drop_chunks(struct store *store, struct feed *feed)
{
    if (!feed->chunked_lines)
        return ERR_NONE;
    struct query *query = query_start(store, QUERY_EVIDENCE_CHUNKS_DROP);
    query_bind_int(query, 1, feed->block.number);
    return query_run(query);
}

static enum err seal_open_block(struct store *store, struct feed *feed)
{
    struct block *block = &feed->block;
    struct buf *packed = &store->packed;
    uint8_t hash[SHA256_BYTES];
    buf_clear(packed);
    pack_body(store->packer, (struct text){block->raw.data, block->raw.length},
              packed);
    hash_sha256(packed->data, packed->length, hash);
    seal_chain_add(feed->chain, hash);
    enum err err = drop_chunks(store, feed);
    if (!err)
        err = write_bytes(store, QUERY_EVIDENCE_BODY_WRITE, block->number,
                          packed);
    if (!err)
        err = write_block(store, feed, BLOCK_SEALED, (int64_t)packed->length,
                          hash);
    feed->stored_bytes += (int64_t)packed->length - feed->chunk_stored_bytes;
    feed->is_open = false;
    block_end(block);
    if (packed->capacity > PACKED_KEPT_BYTES)
        buf_free(packed);
    /* Readers of this connection find the names of the block by the feed. */
    return err ? err : write_feed(store, feed);
}

enum err evidence_flush(struct store *store)
{
    enum err err = ERR_NONE;
    while (store->first_dirty && !err) {
        struct feed *feed = store->first_dirty;
        if (feed->is_open)
            err = write_chunk(store, feed);
        if (!err)
            err = write_feed(store, feed);
        feed->dirty = false;
        store->first_dirty = feed->next_dirty;
    }
    store->dirty_end = &store->first_dirty;
    return err;
}

/* ---- appending ----------------------------------------------------------- */

static void open_block(struct store *store, struct feed *feed)
{
    block_start(&feed->block, store->next_block++);
    feed->is_open = true;
    feed->chunked_bytes = 0;
    feed->chunked_lines = 0;
    feed->chunk_stored_bytes = 0;
    seal_open_start(feed->open_hash);
    feed->blocks++;
    feed->raw_bytes += (int64_t)feed->block.raw.length;
}

static void add_line(struct feed *feed, const struct evidence_line *line)
{
    size_t before = feed->block.raw.length;
    block_add(&feed->block, line);
    feed->raw_bytes += (int64_t)(feed->block.raw.length - before);
    if (!feed->lines || line->arrival_ms < feed->first_arrival_ms)
        feed->first_arrival_ms = line->arrival_ms;
    if (!feed->lines || line->arrival_ms > feed->last_arrival_ms)
        feed->last_arrival_ms = line->arrival_ms;
    feed->lines++;
}

enum err evidence_append(struct store *store, struct evidence_line *line)
{
    struct feed *feed;
    assert(store->writing);
    assert(line->bytes.length <= EVIDENCE_LINE_MAX_BYTES);
    assert(line->kind != EVIDENCE_LINE || line->length == line->bytes.length);
    enum err err = feed_get(store, line->source, line->org, line->class, &feed);
    if (!err) {
        if (!feed->is_open)
            open_block(store, feed);
        line->line =
            feed->block.number << BLOCK_LINE_BITS | (int64_t)feed->block.lines;
        add_line(feed, line);
        mark_dirty(store, feed);
        if (block_is_full(&feed->block))
            err = seal_open_block(store, feed);
    }
    if (err && !store->failed)
        store->failed = err;
    return err;
}

/* ---- sealing by request -------------------------------------------------- */

enum err evidence_seal_names(struct store *store,
                             const struct feed_names *names)
{
    struct feed *feed;
    enum err err =
        feed_get(store, names->source, names->org, names->class, &feed);
    if (err || !feed->is_open)
        return err;
    return seal_open_block(store, feed);
}

/* The row's texts end with the step, and sealing runs other queries. */
static enum err seal_row(struct store *store, struct query *query)
{
    struct arena arena = {0};
    struct feed_names names = {
        .source = query_copy(&arena, query, 2),
        .org = query_copy(&arena, query, 3),
        .class = (enum evidence_class)query_int(query, 4),
    };
    sqlite3_reset(query->statement);
    enum err err = evidence_seal_names(store, &names);
    arena_free(&arena);
    return err;
}

static enum err seal_all(struct store *store)
{
    int64_t after = 0;
    bool found = true;
    enum err err = evidence_flush(store);
    while (!err && found) {
        struct query *query = query_start(store, QUERY_EVIDENCE_OPEN_NEXT);
        query_bind_int(query, 1, after);
        err = query_step(query, &found);
        if (err || !found)
            break;
        after = query_int(query, 0);
        err = seal_row(store, query);
    }
    return err;
}

enum err evidence_seal(struct store *store, bool force)
{
    bool joined;
    /* Full blocks are sealed while they are appended to. */
    if (!force)
        return ERR_NONE;
    enum err err = transaction_join(store, &joined);
    if (err)
        return err;
    return transaction_leave(store, joined, seal_all(store));
}
