/*
 * sketch.h: the distributions that an hour of one row is kept with, so that
 * percentiles of days and months are those of their samples and never averages
 * of averages. Private to this room.
 *
 * A row's column `sketches` holds one histogram (stats/histogram.h) for each
 * metric, over the samples that the row's average of the same name is made of;
 * start-up latencies, which SLA rows have no average of, count as PTFF does.
 * Merging adds counts: neither the order of arrival nor the way that hours are
 * put together changes a byte.
 *
 * Stored form: the histograms in the order of enum sketch_metric, each with its
 * length before it, 0 for one without samples; null where none has any. Turned
 * down: one column for each, because most rows have all or none.
 */
#ifndef ASSAY_ROLLUP_SKETCH_H
#define ASSAY_ROLLUP_SKETCH_H

#include "rollup/rollup.h"

struct sketches {
    struct histogram of[SKETCH_METRICS];
    struct histogram scratch; /* what is merged is decoded here */
};

struct sketches sketches_of(struct arena *arena);
void sketches_add(struct sketches *sketches, enum sketch_metric metric,
                  int64_t value);
/* Adds what histogram_encode wrote; null is nothing. */
void sketches_merge(struct sketches *sketches, enum sketch_metric metric,
                    struct text encoded);
/* Lives as long as the arena that SKETCHES were begun in. */
struct text sketches_encoded(const struct sketches *sketches);

/* The histograms in a column, each still encoded, null for none; false where
 * the column is damaged. */
bool sketches_read(struct text column, struct text encoded[SKETCH_METRICS]);

/* Adds ENCODED to INTO; SCRATCH must be one with an arena, which is reused.
 * False where ENCODED is damaged: then INTO is as it was. */
bool sketch_merge(struct histogram *into, struct text encoded,
                  struct histogram *scratch);

#endif
