/*
 * store_int.h: what the files of this room share. Private to the store.
 *
 *     store.c     opening, migrating, transactions
 *     moment.c    reading the same moment again, and the log that holds it
 *     lock.c      the directory and its lock
 *     failure.c   SQLite's codes to ours, with a sentence
 *     query.c     named queries
 *     block.c, pack.c       the inside of a block, without the database
 *     evidence.c            appending, flushing, sealing
 *     evidence_read.c       one line, all lines
 *     evidence_verify.c     recomputing hashes and chains
 *     evidence_expire.c     retention
 *     backup.c                  checked copies, out and in
 *     restored.c                how one takes the store's place
 *     shrink.c                  free space goes back to the disk
 *     columns.c                 rows in few bytes, without the database
 *     packed.c, packed_table.c  rows of sessions that lie in packs
 */
#ifndef ASSAY_STORE_STORE_INT_H
#define ASSAY_STORE_STORE_INT_H

#include "store/block.h"
#include "store/store.h"

#include <sqlite3.h>

enum { STORE_APPLICATION_ID = 0x61737379 }; /* "assy", as migration 1 says */

struct query {
    struct store *store;
    enum query_id id;
    sqlite3_stmt *statement; /* null until first used */
    int failure;             /* SQLite code of preparing or binding, or 0 */
};

/*
 * One feed in memory: its row, and the open block if it has one. BLOCK is kept
 * between blocks for its buffers; is_open tells whether it holds one.
 */
struct feed {
    struct feed *next_in_bucket;
    struct feed *next_dirty;
    bool dirty;    /* differs from what the transaction has written so far */
    uint64_t used; /* the transaction that appended last */
    int64_t feed;
    struct text source; /* owned, with org, by the feed */
    struct text org;
    enum evidence_class class;
    int64_t blocks;
    int64_t lines;
    int64_t raw_bytes;
    int64_t stored_bytes;
    int64_t first_arrival_ms;
    int64_t last_arrival_ms;
    uint8_t chain[SHA256_BYTES];
    bool is_open;
    struct block block;
    size_t chunked_bytes; /* of block.raw, already in chunks */
    uint32_t chunked_lines;
    int64_t chunk_stored_bytes;
    uint8_t open_hash[SHA256_BYTES];
};

enum { FEED_BUCKETS = 1024 };

/* Blocks that evidence_read decompressed, kept for the next reads. */
struct read_block {
    int64_t number; /* 0: unused */
    bool sealed;
    uint32_t lines;
    uint64_t used; /* the larger, the more recently */
    struct buf raw;
    struct buf names; /* source, then org */
    size_t source_length;
    enum evidence_class class;
    struct block_cursor cursor; /* behind the last record read */
};

enum { READ_BLOCKS = 4, READ_BLOCKS_MAX = 32 };

struct store {
    char *directory;
    char *path; /* of assay.db */
    enum store_mode mode;
    int lock; /* descriptor of assay.lock, or -1 */
    sqlite3 *database;
    struct query queries[QUERY_COUNT];

    bool in_transaction;
    bool writing;    /* the transaction is store_begin's */
    enum err failed; /* first failure of this transaction: it cannot commit */
    void *attached;
    void (*release)(void *attached);
    int64_t spare_log_until_us;

    struct packer *packer;
    struct packed *packed_rows; /* packs kept unpacked, the newest first */
    struct buf packed;          /* scratch of one compressed block or chunk */
    struct buf day_list;        /* scratch of one encoded day set */
    struct feed *feeds[FEED_BUCKETS];
    struct feed *last_feed; /* of the last append: mostly also the next's */
    struct feed *first_dirty;
    struct feed **dirty_end;
    size_t feed_count;
    uint64_t transactions; /* committed ones that wrote */
    bool numbered;         /* the two below are loaded */
    int64_t next_feed;
    int64_t next_block;
    struct read_block read_blocks[READ_BLOCKS_MAX];
    size_t read_block_count; /* in use; 0: READ_BLOCKS */
    uint64_t reads;
};

/* ---- lock.c ---------------------------------------------------------- */

/* Makes DIRECTORY and its missing parents. */
MUST_USE enum err directory_make(const char *directory);
/* *DESCRIPTOR holds the lock until it is closed. */
MUST_USE enum err lock_take(const char *directory, int *descriptor);

/* ---- failure.c ------------------------------------------------------- */

/* The code and sentence for SQLite's CODE while doing WHAT. */
enum err store_failure(struct store *store, int code, const char *what);

/* ---- query.c --------------------------------------------------------- */

/* Runs a statement to its end and drops its rows, if any. */
MUST_USE enum err query_run_id(struct store *store, enum query_id id);
/* The integer in the first column of the first row. */
MUST_USE enum err query_single_int(struct store *store, enum query_id id,
                                   int64_t *value);
void queries_reset(struct store *store);
void queries_free(struct store *store);

/* ---- moment.c -------------------------------------------------------- */

/* Has the log copied into the file after commits, as store_spare_log says. */
void log_watch(struct store *store);

/* ---- store.c --------------------------------------------------------- */

/*
 * For work that may stand alone or inside the caller's transaction: begins
 * one where there is none, and ends what it began with the outcome.
 */
MUST_USE enum err transaction_join(struct store *store, bool *joined);
MUST_USE enum err transaction_leave(struct store *store, bool joined,
                                    enum err outcome);

/* ---- evidence.c ------------------------------------------------------ */

/* A row of evidence_block; texts are borrowed from the query. */
struct block_row {
    int64_t number;
    int state;
    int64_t lines;
    int64_t raw_bytes;
    int64_t stored_bytes;
    int64_t first_arrival_ms;
    int64_t last_arrival_ms;
    struct text days;
    struct text hash;
    struct text chain;
};

enum { BLOCK_OPEN, BLOCK_SEALED, BLOCK_EXPIRED };

/* Names and class of the feed that a block belongs to. */
struct feed_names {
    struct text source;
    struct text org;
    enum evidence_class class;
};

struct block_row block_row_of(struct query *query);
/* "block 7 (accepted lines 458752 to 458760 from import for acme)". */
const char *block_describe(const struct block_row *row,
                           const struct feed_names *names, char text[200]);

/*
 * Appends the raw bytes of an open or sealed block to RAW, after checking the
 * stored ones against the hash in ROW. ERR_CORRUPT says what is wrong without
 * naming the block.
 */
MUST_USE enum err block_load(struct store *store, const struct block_row *row,
                             struct buf *raw);

/* Writes what is appended but not yet in the database. */
MUST_USE enum err evidence_flush(struct store *store);
/* Forgets committed feeds where they have come to take much memory. */
void evidence_trim(struct store *store);
/* Forgets everything about feeds and open blocks that is kept in memory. */
void evidence_forget(struct store *store);
/* The feed in memory whose open block has NUMBER, or null. */
struct feed *evidence_open_feed(struct store *store, int64_t number);
/* Seals the open block of the feed with these names, if it has one. */
MUST_USE enum err evidence_seal_names(struct store *store,
                                      const struct feed_names *names);

/* ---- evidence_read.c ------------------------------------------------- */

void read_blocks_forget(struct store *store);

/* ---- copy_folder.c ------------------------------------------------------- */

/* A copy that is being made. */
struct copy {
    struct arena arena;
    const char *folder;
    const char *database; /* the file in it */
    int lock;
};
/* A folder for what becomes PATH; what killed ones have left beside it is
 * removed. To be ended also where it fails. */
MUST_USE enum err copy_begin(struct copy *copy, const char *path);
/* Removes the folder and what is in it. */
void copy_end(struct copy *copy);
/* Where PATH lies. */
const char *folder_of(struct arena *arena, const char *path);

/* ---- restored.c ---------------------------------------------------------- */

/* The checked database COPY, on the same disk, becomes the store in DIRECTORY,
 * whose lock is held: from one instant on, for good. */
MUST_USE enum err restored_put(const char *copy, const char *directory);
/* Ends what a restore has begun, if any; for who holds the lock, */
MUST_USE enum err restored_finish(const char *directory);
/* and for who does not. */
MUST_USE enum err restored_finish_first(const char *directory);

/* errno as an error: what could not be done with PATH. */
enum err file_failure(const char *what, const char *path);
/* What PATH, opened with FLAGS, holds is on the disk. */
MUST_USE enum err sync_path(const char *path, int flags);

/* ---- shrink.c ------------------------------------------------------------ */

/* Writes a STORE that cannot be shrunk into the new file PATH as one that can;
 * any other is left alone. */
MUST_USE enum err store_rewrite(struct store *store, const char *path,
                                bool *rewritten);

#endif
