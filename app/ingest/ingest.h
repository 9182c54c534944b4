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
#include "store/store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ingest;

/* Where lines come from; texts are borrowed for each call. */
struct ingest_origin {
    struct text source; /* "import", "http", ... */
    struct text org;    /* of lines that name none; "" for none */
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

/* Records taken since the last commit. */
uint64_t ingest_pending(const struct ingest *ingest);

/* Makes everything taken durable. After an error nothing since the last commit
 * exists, and the same records may be given again. */
MUST_USE enum err ingest_commit(struct ingest *ingest);

/* Joins what batches left in pieces; to be called when a run of input ends. */
MUST_USE enum err ingest_finish(struct ingest *ingest);

/* What this ingest has taken since it was made, by class, reason, org, family;
 * valid until the next call. */
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

/* ---- reading files ------------------------------------------------------- */

struct reader_report {
    uint64_t records;
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

#endif
