/*
 * ingest_int.h: what ingest.c and replay.c share. Private to this room.
 */
#ifndef ASSAY_INGEST_INGEST_INT_H
#define ASSAY_INGEST_INGEST_INT_H

#include "ingest/accept.h"
#include "ingest/batch.h"
#include "ingest/ingest.h"
#include "ingest/seen.h"

struct ingest {
    struct store *store;
    struct arena arena;   /* of one record */
    struct arena compare; /* of an earlier line looked at */
    struct seen *seen;
    struct batch *batch;
    bool keeps_totals;
    struct counts counts;  /* committed ones, where totals are kept */
    struct counts written; /* of the open transaction, no longer in the batch */
    struct ingest_total *totals;
    bool in_transaction;
    bool replaying; /* the evidence is there already */
    uint64_t pending;
    uint64_t gathered_bytes; /* of records whose facts are in the batch */
    uint64_t gathered_bytes_max;
    struct ingest_outcome last;
};

/* Opens a transaction unless one is open. */
MUST_USE enum err ingest_begin(struct ingest *ingest);

/* After failure ERR, which is returned: nothing of the open transaction stays.
 */
enum err ingest_abandon(struct ingest *ingest, enum err err);

/* Takes a record in an open transaction. LINE is where it lies already, or -1
 * for one that has just come. */
MUST_USE enum err ingest_take_record(struct ingest *ingest,
                                     const struct ingest_origin *origin,
                                     struct text record, int64_t line);
MUST_USE enum err ingest_take_oversize(struct ingest *ingest,
                                       const struct ingest_origin *origin,
                                       struct text bytes, uint64_t length,
                                       const uint8_t sha256[SHA256_BYTES],
                                       int64_t line);

/* Whether LINE is of the journal's feeds, and deriving it again. */
bool journal_owns(const struct evidence_line *line);
MUST_USE enum err journal_replay(struct store *store,
                                 const struct evidence_line *line);

/* Gives back the memory that is kept from record to record. */
void ingest_give_back(struct ingest *ingest);

/* Writes what the batch holds, in the open transaction. */
MUST_USE enum err ingest_flush(struct ingest *ingest);

#endif
