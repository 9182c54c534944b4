/*
 * ingest.h: lines in, evidence and facts out.
 *
 * Every line that arrives is judged (accepted, ignored, rejected; published
 * metrics §1), written to the evidence as it came, counted under its reason,
 * and, if it is the first or the better of its redeliveries, folded into the
 * facts. All of one batch is one transaction: after ingest_commit the batch is
 * durable, before it nothing of it exists.
 *
 * What a line becomes never depends on what came before it or after it, except
 * that of redeliveries with one key the one that sorts first wins; so the order
 * of arrival and repetition change no row.
 */
#ifndef ASSAY_INGEST_INGEST_H
#define ASSAY_INGEST_INGEST_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "journal/journal.h"
#include "store/store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ingest;

/* Where lines come from; texts are borrowed for each call. */
struct ingest_origin {
    struct text source; /* "import", "http", ... */
    struct text org;    /* of lines that name none; "" for none */
    bool org_wins;      /* unless it is "", also of lines that name another */
    int64_t arrival_ms;
    int64_t snapshot_ms; /* event time of capability dumps, which have none */
};

struct ingest_total {
    const char *class;
    struct text reason; /* "" for accepted */
    struct text org;
    struct text family;
    uint64_t received;
    uint64_t unique;
    uint64_t conflicts; /* unique lines that came with differing content */
};

struct ingest *ingest_new(struct store *store);
void ingest_free(struct ingest *ingest);

/*
 * Takes one record: a line without its newline, or an element of an array.
 * White space around it is not part of it; nothing but white space is no
 * record. Begins a transaction if none is open. After an error nothing since
 * the last commit exists.
 */
MUST_USE enum err ingest_record(struct ingest *ingest,
                                const struct ingest_origin *origin,
                                struct text record);

/* Takes a record over EVIDENCE_LINE_MAX_BYTES, of which KEPT bytes are here. */
MUST_USE enum err ingest_oversize(struct ingest *ingest,
                                  const struct ingest_origin *origin,
                                  struct text kept, uint64_t length,
                                  const uint8_t sha256[SHA256_BYTES]);

/* What became of the record taken last. */
struct ingest_outcome {
    enum evidence_class class;
    const char *reason; /* "" for accepted */
    bool duplicate;     /* its key was known */
    bool conflict;      /* and came with differing content */
};
struct ingest_outcome ingest_last(const struct ingest *ingest);

/* Records taken since the last commit. */
uint64_t ingest_pending(const struct ingest *ingest);

/* Makes everything taken durable. After an error nothing since the last commit
 * exists, and the same records may be given again. */
MUST_USE enum err ingest_commit(struct ingest *ingest);

/* Joins what batches left in pieces; to be called when a run of input ends. */
MUST_USE enum err ingest_finish(struct ingest *ingest);

/* Makes what is known of ORG's lines of DAY stand without the evidence, which
 * is about to go; in the caller's transaction. */
MUST_USE enum err ingest_warm(struct store *store, struct text org,
                              int64_t day);

/* For a command that takes very much alone, and then ends: facts of more
 * records are gathered before they go into the tables, so that those of one
 * session are one piece. */
void ingest_be_quick(struct ingest *ingest);

/* Counts what is taken from now on for ingest_totals. */
void ingest_keep_totals(struct ingest *ingest);

/* What this ingest has taken, by class, reason, org and family; valid until the
 * next call. Of very many organisations the later ones are one: "(others)". */
const struct ingest_total *ingest_totals(struct ingest *ingest, size_t *count);

/*
 * Derives all facts again from the evidence, in the caller's transaction,
 * empties the tables that are derived from them and notes everything for
 * settling. Days whose evidence has expired keep their facts. PROGRESS may be
 * null.
 */
MUST_USE enum err ingest_replay(struct store *store,
                                void (*progress)(void *context, uint64_t lines),
                                void *context);

/* ---- the journal --------------------------------------------------------- */

/*
 * What we did ourselves goes past all judging into feeds of its own, and into
 * the tables journal_entry, run, plan, plan_target, plan_reveal and ledger;
 * replaying derives all of them again.
 */
/* Appends COUNT entries with their attachments, in one transaction: durable
 * when it returns, or nothing of them exists. On the thread that writes. */
MUST_USE enum err journal_append(struct store *store,
                                 const struct journal_entry *entries,
                                 size_t count);

struct journal_verdict {
    uint64_t entries;
    uint64_t attachments;
    uint64_t defects;
    struct journal_head head; /* after the last entry */
};
/* Follows the chain from its start, and holds attachments against what their
 * entries say; REPORT gets a sentence for each defect. The blocks that hold
 * the lines are evidence_verify's concern. */
MUST_USE enum err
journal_verify(struct store *store, struct journal_verdict *verdict,
               void (*report)(void *context, const char *defect),
               void *context);

/* What runs that started in [FROM_MS, TO_MS) have handed over to be paid. */
MUST_USE enum err journal_spent_wei(struct store *store, int64_t from_ms,
                                    int64_t to_ms, int64_t *wei);

/* ---- reading files ------------------------------------------------------- */

struct reader_report {
    uint64_t records;
    uint64_t bytes;      /* when decompressed */
    bool too_long;       /* more than the limit allows, after decompression */
    bool truncated;      /* compressed input ended early or was damaged */
    char compression[8]; /* "none", "gzip", "zstd" */
};

/*
 * Splits a stream into records: NDJSON lines, elements of a top-level JSON
 * array, or one pretty-printed document; plain, gzip or zstd. FEED hands out
 * the next bytes of the input, 0 at its end. Each record goes to TAKE; OVERSIZE
 * gets those that are too long.
 */
struct record_sink {
    void *context;
    enum err (*take)(void *context, struct text record);
    enum err (*oversize)(void *context, struct text kept, uint64_t length,
                         const uint8_t sha256[SHA256_BYTES]);
};
struct byte_source {
    void *context;
    /* ERR_NONE with *LENGTH 0 at the end. The bytes stay valid until the next
     * call. */
    enum err (*feed)(void *context, const char **bytes, size_t *length);
};
MUST_USE enum err read_records(const struct byte_source *source,
                               const struct record_sink *sink,
                               struct reader_report *report);

/* By their beginning: gzip or zstd. */
bool bytes_are_compressed(struct text text);

/* A source that hands out what is LEFT, at once. */
struct byte_source source_of_text(struct text *left);

/* The same for bytes of a stranger: ERR_INPUT as soon as they are more than
 * MOST_BYTES when decompressed, and little memory for decompressing. */
MUST_USE enum err read_records_within(const struct byte_source *source,
                                      const struct record_sink *sink,
                                      uint64_t most_bytes,
                                      struct reader_report *report);

/* ---- the writer's thread ------------------------------------------------- */

/*
 * The one thread that writes. Others hand it work and wait for the answer, so
 * that what they hand over stays theirs and lives until then. Batches that
 * wait together are one transaction; each is answered after the commit, with
 * what became of its own records. In between the thread settles, joins and
 * expires, in small steps.
 */
struct writer;

struct writer_settings {
    /* One unit of settling (settle_step); the room that does it is none of
     * ingest's business. */
    enum err (*settle)(void *context, struct store *store, bool *more);
    void (*give_back)(void *context); /* its memory, as far as it can */
    void *settle_context;
    struct evidence_limits limits; /* of retention, hourly */
};

/* STORE belongs to the thread until writer_stop, which answers what waits,
 * settles for some seconds at most, and frees. */
MUST_USE enum err writer_start(struct writer **writer, struct store *store,
                               const struct writer_settings *settings);
void writer_stop(struct writer *writer);

/* A request that is repeated gets the answer that it had. */
struct batch_key {
    bool given;
    uint8_t key[SHA256_BYTES];  /* of the caller and his word */
    uint8_t body[SHA256_BYTES]; /* of what he sends under it */
};

enum { BATCH_TALLIES_MAX = 24, BATCH_REASON_BYTES = 64 };

struct batch_tally {
    enum evidence_class class;
    char reason[BATCH_REASON_BYTES]; /* "" for accepted */
    uint64_t received;
    uint64_t duplicates; /* of them, known before */
    uint64_t conflicts;  /* of those, with differing content */
};

struct record_batch {
    struct ingest_origin origin; /* the writer fills in the times */
    struct text body;            /* whole, as read_records takes it */
    uint64_t decoded_bytes;      /* of it, when decompressed */
    struct batch_key key;
    /* The answer. */
    struct batch_tally tallies[BATCH_TALLIES_MAX];
    size_t tally_count;
    bool repeated; /* the answer is that of an earlier request */
};

/*
 * Returns when BATCH is durable, or nothing of it exists. ERR_INPUT where its
 * key was used for another body, ERR_LOCKED where too much waits already or
 * the writer stops (come again later), else what the store says.
 */
MUST_USE enum err writer_take(struct writer *writer,
                              struct record_batch *batch);

/* Runs WORK on the writer's thread, outside of any transaction, and returns
 * what it returns. ERR_LOCKED as above, without having run it. */
typedef enum err writer_work(void *context, struct store *store);
MUST_USE enum err writer_call(struct writer *writer, writer_work *work,
                              void *context);

/* The same for who cannot wait: returns at once, and DONE is called when it has
 * run, with what it returned and the sentence to it, on the writer's thread; on
 * the caller's, with ERR_LOCKED, where the writer stops. */
typedef void writer_done(void *context, enum err err, const char *sentence);
void writer_post(struct writer *writer, writer_work *work, void *context,
                 writer_done *done);

/* Somebody was told of a moment of the store and may come back to it: it stays
 * readable for WRITER_SPARED_MS, unless the log grows too long. */
enum { WRITER_SPARED_MS = 60000 };
void writer_spare_log(struct writer *writer);

/* journal_append on the writer's thread. ERR_LOCKED as above. */
MUST_USE enum err writer_append(struct writer *writer,
                                const struct journal_entry *entries,
                                size_t count);

/* Whether the last commit failed. */
bool writer_is_failing(struct writer *writer);

/* What the bodies of all batches that are on their way may take together: the
 * largest, and some. A body is kept as it came, and decompressed and split only
 * when its turn has come, a record at a time. */
enum { WRITER_RESERVED_BYTES_MAX = 12 << 20 };

/* Memory for bodies that are being read is shared out here: false where there
 * is none left at present. What was had is given back. */
MUST_USE bool writer_reserve(struct writer *writer, size_t bytes);
void writer_release(struct writer *writer, size_t bytes);

#endif
