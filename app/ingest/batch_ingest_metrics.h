/*
 * batch_ingest_metrics.h: the part of a batch that is about packets coming in
 * at gateways. Private to this room.
 */
#ifndef ASSAY_INGEST_BATCH_INGEST_METRICS_H
#define ASSAY_INGEST_BATCH_INGEST_METRICS_H

#include "base/index.h"
#include "ingest/accept.h"

/* What one session's reports of one hour add up to. */
struct ingest_sum;

struct ingest_metrics_batch {
    struct arena arena;
    struct text_index keys;
    struct ingest_sum *sums; /* by number of the key */
    size_t capacity;
};

/* Adds EVENT to the sum of its session's hour; REMOVED takes it out. */
void ingest_metrics_batch_add(struct ingest_metrics_batch *batch,
                              struct arena *arena, const struct event *event,
                              bool removed);

/* Writes facts and notes, in the open transaction. */
MUST_USE enum err ingest_metrics_batch_write(struct ingest_metrics_batch *batch,
                                             struct store *store);
void ingest_metrics_batch_clear(struct ingest_metrics_batch *batch);
void ingest_metrics_batch_free(struct ingest_metrics_batch *batch);

#endif
