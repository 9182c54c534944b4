/*
 * store.h: one data directory with one SQLite database, assay.db.
 *
 * Opening for writing takes the directory's lock (file assay.lock, holding
 * the owner's pid), migrates an older schema and refuses a newer one.
 * Opening for reading takes no lock and never writes. A struct store is one
 * connection and belongs to one thread; the writer owns the only one that
 * writes and checkpoints, everyone else opens their own for reading.
 *
 * All SQL lives in sql/: migrations by number, queries by name. A query is
 * addressed by its enum (generated from the names in sql/queries/), prepared
 * on first use, and kept.
 *
 * Evidence is append-only: exact lines in compressed blocks, one hash chain a
 * feed. A feed is (source, org, class). See evidence.c for the layout.
 */
#ifndef ASSAY_STORE_STORE_H
#define ASSAY_STORE_STORE_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/fields.h"
#include "base/hash.h"
#include "queries.h" /* generated: enum query_id { QUERY_..., QUERY_COUNT } */
#include "store/columns.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct store;
struct query;

enum store_mode { STORE_READ, STORE_WRITE };

/*
 * Opens DIRECTORY (created for STORE_WRITE). ERR_LOCKED names the pid that
 * holds it, ERR_NEWER the two versions, ERR_CORRUPT what is damaged and what
 * to do, ERR_STORE that there is no store (STORE_READ).
 */
MUST_USE enum err store_open(struct store **store, const char *directory,
                             enum store_mode mode);

/* Seals nothing, rolls back what is not committed, checkpoints a writer's
 * log, releases the lock. Null is allowed. */
void store_close(struct store *store);

/*
 * One thing that a room above keeps beside the store: a memory of what the
 * store holds. It is released with RELEASE when another takes its place, when a
 * transaction is rolled back, and with the store.
 */
void store_attach(struct store *store, void *thing,
                  void (*release)(void *thing));
/* Null for none. */
void *store_attached(const struct store *store);

/* Gives back what memory the store keeps for speed alone: pages, blocks read.
 * Between transactions. */
void store_give_back(struct store *store);

/* For a command that works through very much alone, and then ends: more memory
 * for pages, and a longer log, in which a page that changes often is taken over
 * once. */
MUST_USE enum err store_be_quick(struct store *store);

/* As given to store_open. */
const char *store_directory(struct store *store);
/* Of the database and its log on disk. */
int64_t store_size_bytes(struct store *store);

/* One transaction at a time. Commit writes the evidence appended since begin
 * and returns only after it is durable (WAL with synchronous=FULL). A full
 * disk is ERR_FULL: the transaction is rolled back whole. */
MUST_USE enum err store_begin(struct store *store);
MUST_USE enum err store_commit(struct store *store);
void store_rollback(struct store *store);

/* For readers: one moment over several queries. */
MUST_USE enum err store_begin_read(struct store *store);

/* ---- moments ---------------------------------------------------------- */

/*
 * What a reader sees between begin and rollback is the store at one moment.
 * Two moments with the same bytes show the same; the bytes are of use to no
 * other process, and only as they were given.
 */
enum { STORE_MOMENT_BYTES = 48 };
struct store_moment {
    uint8_t bytes[STORE_MOMENT_BYTES];
};

/* Of the read transaction that is open. */
MUST_USE enum err store_moment(struct store *store,
                               struct store_moment *moment);

/* As store_begin_read, but at MOMENT. ERR_GONE where the log no longer holds
 * it. */
MUST_USE enum err store_begin_read_at(struct store *store,
                                      const struct store_moment *moment);

/* For the writer: commits the least there is, a page that stays as it is. By it
 * a log begins that is still empty, the moment of which would end with the
 * first commit; and it shows that the store takes writes. */
MUST_USE enum err store_commit_least(struct store *store);

/* For the writer: until UNTIL_US of the monotonic clock the log is emptied
 * only when it is over LOG_BYTES_MAX, so that moments stay. */
enum { LOG_BYTES = 16 << 20, LOG_BYTES_MAX = 64 << 20 };
void store_spare_log(struct store *store, int64_t until_us);

/* ---- queries --------------------------------------------------------- */

/*
 * Starts query ID afresh: reset, bindings cleared. Parameters are bound by
 * position, first is 1. Failures of binding are kept and returned by step.
 */
struct query *query_start(struct store *store, enum query_id id);
void query_bind_int(struct query *query, int at, int64_t value);
void query_bind_double(struct query *query, int at, double value);
/* NULL for a text whose data is null. Bytes are not copied: they must live
 * until the last step of this query, or until it is started afresh. */
void query_bind_text(struct query *query, int at, struct text value);
void query_bind_string(struct query *query, int at, const char *value);
void query_bind_blob(struct query *query, int at, const void *bytes,
                     size_t length);
void query_bind_null(struct query *query, int at);

/* *ROW tells whether there is one; after the last row the query is reset. */
MUST_USE enum err query_step(struct query *query, bool *row);
/* For statements without rows. */
MUST_USE enum err query_run(struct query *query);
/* Column 0 of the first row, and the query to its end: an open one would keep
 * the log from being checkpointed. *FOUND is false, and *VALUE as it was, where
 * there is no row or it is null. */
MUST_USE enum err query_first_int(struct query *query, int64_t *value,
                                  bool *found);

int64_t query_int(struct query *query, int column);
double query_double(struct query *query, int column);
bool query_is_null(struct query *query, int column);
/* Borrowed until the next step; empty for NULL. Text and blob alike. */
struct text query_text(struct query *query, int column);
/* A copy in ARENA, zero-terminated. */
struct text query_copy(struct arena *arena, struct query *query, int column);
/* Binds all fields of ROW from position FIRST, or reads them from column FIRST
 * on; texts are copied into ARENA. */
void fields_bind(struct query *query, int first, struct fields fields,
                 const void *row);
void fields_read(struct arena *arena, struct query *query, int first,
                 struct fields fields, void *row);
/* Every row of QUERY that is left, from column 0 on, as an array in ARENA of
 * structures of ROW_BYTES; where it fails, those before. */
struct row_array {
    void *rows; /* null without any */
    size_t count;
};
MUST_USE enum err fields_read_all(struct arena *arena, struct query *query,
                                  struct fields fields, size_t row_bytes,
                                  struct row_array *all);
/* One row from column 0 on, with texts borrowed until the next step. */
void fields_borrow(struct query *query, struct fields fields, void *row);
int query_column_count(struct query *query);
const char *query_column_name(struct query *query, int column);
/* SQLITE_INTEGER and friends as a letter: i, d, t, b, n. */
char query_type(struct query *query, int column);

/* ---- packs ----------------------------------------------------------- */

/*
 * Rows of sessions that are long over lie in packs, in few bytes (packed.h).
 * Of each of these tables T there is packed_T, which shows what lies in packs,
 * with the hidden column `pack`, and every_T, which shows all.
 */
enum packed_table {
    PACKED_SESSION,
    PACKED_SELECTION,
    PACKED_SESSION_HOUR,
    PACKED_GATEWAY_HOUR,
    PACKED_SESSION_DAY,
    PACKED_TABLES
};
const char *packed_table_name(enum packed_table table);

/* At most so many packs hold the sessions that were heard of last in one hour.
 */
enum { PACKS_OF_HOUR = 16384 };

/* The number of the pack behind PART others of an hour. The greater it is, the
 * later its sessions were heard of. */
int64_t pack_number(int64_t hour_ms, int64_t part);

/* Adds the row that QUERY stands on, all columns of the table in their order.
 */
void pack_add(struct columns *columns, enum packed_table table,
              struct query *query);

/* The same of a session's part, behind whose columns QUERY may have others;
 * with LINES, the numbers of its lines, in place of its events where not null.
 */
void pack_add_part(struct columns *columns, struct query *query,
                   const struct buf *lines);

/* Writes what was added as pack NUMBER of the hour. Sessions must have been
 * added by last_seen, the latest first, then by session_key. */
MUST_USE enum err pack_put(struct store *store, struct columns *columns,
                           int64_t number, int64_t hour_ms);

/* Puts the rows of all packs of an hour back into their tables, and those of
 * the hour in whose packs session KEY is, if it is in any, which *UNPACKED
 * tells. In the caller's transaction. */
MUST_USE enum err packs_unpack(struct store *store, int64_t hour_ms);
/* Of each hour that HOURS, a started query, gives in column 0. */
MUST_USE enum err packs_unpack_each(struct store *store, struct query *hours);
MUST_USE enum err packs_unpack_session(struct store *store, struct text key,
                                       bool *unpacked);

/* ---- evidence -------------------------------------------------------- */

/* The feeds of what we did ourselves (ingest/journal.c). The first never
 * expires: its lines are one chain. */
#define EVIDENCE_JOURNAL "journal"
#define EVIDENCE_JOURNAL_ATTACHMENTS "journal:attachments"

enum evidence_class { EVIDENCE_ACCEPTED, EVIDENCE_IGNORED, EVIDENCE_REJECTED };
const char *evidence_class_name(enum evidence_class class);

enum evidence_kind {
    EVIDENCE_LINE,    /* the exact bytes */
    EVIDENCE_REPEAT,  /* the same bytes as line `repeats`; none stored */
    EVIDENCE_OVERSIZE /* length and SHA-256 of a line over 8 MB, with its
                         first 64 KiB */
};

const char *evidence_kind_name(enum evidence_kind kind);

enum { EVIDENCE_LINE_MAX_BYTES = 8 << 20, EVIDENCE_KEPT_BYTES = 64 << 10 };

struct evidence_line {
    int64_t line;       /* block number * 65536 + index in the block */
    struct text source; /* "import", "http", "kafka:topic", "journal" */
    struct text org;    /* "" where none was known */
    enum evidence_class class;
    enum evidence_kind kind;
    int64_t arrival_ms;
    /* Event time in ms: decides the expired days; INT64_MIN where unknown. */
    int64_t event_ms;
    struct text bytes;            /* LINE: all; OVERSIZE: the first 64 KiB */
    uint64_t length;              /* of the original line */
    uint8_t sha256[SHA256_BYTES]; /* OVERSIZE only */
    int64_t repeats;              /* REPEAT only */
};

/*
 * Appends to the feed that (source, org, class) names and sets line->line.
 * Must stand between store_begin and store_commit.
 */
MUST_USE enum err evidence_append(struct store *store,
                                  struct evidence_line *line);

/* Reads one line; texts are copied into ARENA. ERR_ABSENT where there is no
 * such line or its block has expired (the message says which). Lines appended
 * but not committed are found, too. The last block read stays decompressed. */
MUST_USE enum err evidence_read(struct store *store, struct arena *arena,
                                int64_t line, struct evidence_line *out);

/* How many of the last blocks evidence_read keeps decompressed, up to 32 (some
 * 3 MB each); 0 for as few as usual. Those that are kept are forgotten. */
void evidence_keep_blocks(struct store *store, size_t count);

/*
 * Calls VISIT for every line after AFTER in line order, expired blocks left
 * out. Texts are borrowed for the call. Stops at the first error.
 */
typedef enum err evidence_visit(void *context,
                                const struct evidence_line *line);
MUST_USE enum err evidence_walk(struct store *store, int64_t after,
                                evidence_visit *visit, void *context);

/* Which lines a walk visits; all zero means all. */
struct evidence_filter {
    const char *source; /* null for any */
    const char *org;
    bool class_given;
    enum evidence_class class;
    int64_t after;   /* lines with a greater id only */
    int64_t to_line; /* up to and with this id; 0 has no limit */
};
/* The same for some of the lines; blocks of other feeds are not read. */
MUST_USE enum err evidence_walk_where(struct store *store,
                                      const struct evidence_filter *filter,
                                      evidence_visit *visit, void *context);

/* Full blocks are sealed while they are appended to; FORCE seals the others,
 * too. Joins a transaction, or is one. */
MUST_USE enum err evidence_seal(struct store *store, bool force);

struct evidence_verdict {
    uint64_t feeds;
    uint64_t blocks;
    uint64_t blocks_expired; /* checked by their hash in the chain only */
    uint64_t lines;
    uint64_t defects;
};
/* Recomputes every hash and chain; REPORT is called once per defect with a
 * sentence. PROGRESS may be null; it gets blocks done and blocks in all. */
MUST_USE enum err
evidence_verify(struct store *store, struct evidence_verdict *verdict,
                void (*report)(void *context, const char *defect),
                void (*progress)(void *context, uint64_t done, uint64_t all),
                void *context);

struct evidence_limits {
    int64_t accepted_days; /* 0 keeps for ever */
    int64_t ignored_days;
    int64_t rejected_days;
    int64_t max_bytes; /* of compressed bodies in all; 0 has no limit */
    /* Called before ORG's DAY (its start in ms) loses its first accepted line;
     * null for nothing to do. It may read all of them, and write. */
    enum err (*before_loss)(struct store *store, struct text org, int64_t day);
};
/* Drops the bodies of sealed blocks past the limits (their hashes stay in the
 * chain) and remembers, per org, the UTC days that lost accepted evidence
 * (evidence_expired_day: start of the day in ms). Age counts from arrival; open
 * blocks past it are sealed first. Joins a transaction, or is one. */
MUST_USE enum err evidence_expire(struct store *store, int64_t now_ms,
                                  const struct evidence_limits *limits,
                                  uint64_t *blocks_dropped);

/* Whether ORG's UTC day that begins at DAY has lost accepted evidence. */
MUST_USE enum err evidence_day_expired(struct store *store, struct text org,
                                       int64_t day, bool *expired);

/* ---- simulations ------------------------------------------------------- */

/* What a store says of itself that tells of a network that does not exist. It
 * is said before the first line and never taken back. */
struct simulation {
    int64_t seed;     /* of all chance in it */
    bool honest;      /* nobody is flattered */
    int64_t began_at; /* by its own clock, ms since 1970 UTC */
    int64_t hour_ms;  /* how long an hour of that clock lasts */
};

/* *IS_ONE tells whether there is any; else SIMULATION is all zero. */
MUST_USE enum err store_simulation(struct store *store,
                                   struct simulation *simulation, bool *is_one);

/* Makes the empty STORE one. ERR_USAGE where it holds evidence already, real or
 * simulated. */
MUST_USE enum err store_simulate(struct store *store,
                                 const struct simulation *simulation);

/* ERR_USAGE where STORE is one: WHAT, "an import", is real. */
MUST_USE enum err store_refuse_simulation(struct store *store,
                                          const char *what);

/* What the clock of a simulation says: the newest stamp that STORE holds.
 * OTHERWISE_MS where it holds none. */
MUST_USE enum err store_simulation_clock(struct store *store,
                                         int64_t otherwise_ms, int64_t *ms);

/* ---- space -------------------------------------------------------------- */

/* Gives some of what is free in the file back to the disk, a small transaction;
 * *MORE tells whether that is worth doing again. Some is kept. Nothing in a
 * store from before there was this. */
MUST_USE enum err store_shrink(struct store *store, bool *more);

/* ---- backups ---------------------------------------------------------- */

/* Who wants to hear what a long work finds and how far it is; null members
 * do not. Units of progress are pages, bytes or blocks. */
struct store_watch {
    void (*report)(void *context, const char *defect);
    void (*progress)(void *context, const char *what, uint64_t done,
                     uint64_t all);
    void *context;
};

/* SQLite's own check of the file, then every hash and chain of the evidence.
 * *DEFECTS counts what was reported. */
MUST_USE enum err store_check(struct store *store,
                              const struct store_watch *watch,
                              uint64_t *defects);

/*
 * Writes the store as it is at this moment into FILE, a database of its own,
 * and checks it there before it gets that name. Readers and the writer go on
 * meanwhile. ERR_USAGE where FILE exists; ERR_CORRUPT where the copy does not
 * pass, and then there is no FILE.
 */
MUST_USE enum err store_backup(struct store *store, const char *file,
                               const struct store_watch *watch);

/*
 * Makes FILE the store of DIRECTORY: copied beside it, upgraded where it is
 * older, checked, and only then renamed over what was there. ERR_LOCKED names
 * the process that holds the directory; ERR_USAGE where a store is there and
 * REPLACE is not set.
 */
MUST_USE enum err store_restore(const char *file, const char *directory,
                                bool replace, const struct store_watch *watch);

#endif
