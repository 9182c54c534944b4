/*
 * batch.h: facts of one transaction before they are written. Private to this
 * room.
 */
#ifndef ASSAY_INGEST_BATCH_H
#define ASSAY_INGEST_BATCH_H

#include "base/index.h"
#include "ingest/accept.h"

struct batch;
struct batch *batch_new(void);
void batch_free(struct batch *batch);

/* The fact of an accepted event that lies at LINE; REMOVED writes it as taken
 * back. Families without facts are passed over. Copies what it keeps. */
void batch_add(struct batch *batch, struct arena *arena,
               const struct event *event, int64_t line, bool removed);

/* Counts one delivery; IS_FIRST says that its key is seen for the first time,
 * CONFLICT that for the first time it came with differing content. */
void batch_count(struct batch *batch, const struct event *event, bool is_first,
                 bool conflict);

void batch_forget_counts(struct batch *batch);

/* Writes facts and notes for settling, in the open transaction, and forgets
 * them. */
MUST_USE enum err batch_write_facts(struct batch *batch, struct store *store);
/* Writes the counts, in the open transaction. */
MUST_USE enum err batch_write_counts(struct batch *batch, struct store *store);

/* Empties it for the next transaction. */
void batch_clear(struct batch *batch);
/* Gives back the memory of an empty one. */
void batch_give_back(struct batch *batch);

struct count {
    enum evidence_class class;
    struct text reason;
    struct text org;
    struct text family;
    uint64_t received;
    uint64_t unique;
    uint64_t conflicts;
    int64_t first_event; /* INT64_MIN for none */
    int64_t last_event;
};

/* A table of counts, keyed by class, reason, org and family. */
struct counts {
    struct text_index keys;
    struct count *list; /* by number of the key; texts owned by keys */
    size_t capacity;
};
const struct counts *batch_counts(const struct batch *batch);
void counts_add(struct counts *counts, const struct count *count);
void counts_free(struct counts *counts);

#endif
