/*
 * batch_requests.h: the part of a batch that is about jobs, workers, payments
 * and discovery. Private to this room.
 */
#ifndef ASSAY_INGEST_BATCH_REQUESTS_H
#define ASSAY_INGEST_BATCH_REQUESTS_H

#include "base/index.h"
#include "ingest/accept.h"

/* One organisation's events of one hour and group. */
struct request_hour;

struct request_batch {
    struct arena arena;
    struct text_index strings; /* each kept once */
    struct text_index keys;
    struct request_hour *hours; /* by number of the key */
    size_t capacity;
};

/* The facts of an event that lies at LINE; copies what it keeps. */
void request_batch_add(struct request_batch *batch, struct arena *arena,
                       const struct event *event, int64_t line, bool removed);

/* Writes facts and notes, in the open transaction. */
MUST_USE enum err request_batch_write(struct request_batch *batch,
                                      struct store *store);
void request_batch_clear(struct request_batch *batch);
void request_batch_free(struct request_batch *batch);

/* A change between FROM_MS and UNTIL_MS reaches the jobs of ORG there. */
MUST_USE enum err note_jobs_between(struct store *store, struct text org,
                                    int64_t from_ms, int64_t until_ms);

#endif
