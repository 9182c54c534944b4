/*
 * histogram.h: the distribution of many samples in a few hundred bytes, for
 * quantiles of hours, days and months. Part of stats.h.
 *
 * Buckets are powers of 2^(1/32): bucket k holds the values x with
 * 2^(k/32) < x <= 2^((k+1)/32), so any value is known to 1.083 percent.
 * That is an OpenTelemetry exponential histogram of scale 5 and, with numbers
 * higher by one, a Prometheus native histogram of schema 5; the bound is
 * DDSketch's (Masson, Rim, Lee, VLDB 2019). Merging adds counts: exact, in
 * any order, so an hour's histogram and a day's come out the same however
 * they were put together, in memory and in bytes.
 *
 * Fewer than HISTOGRAM_EXACT samples are kept as they are, because nobody
 * needs an estimate of five numbers. Whether a histogram is exact depends on
 * the number of its samples alone.
 *
 * Turned down: t-digests (order changes the result, no bound), KLL (random).
 * Sums and extremes are not in here: keep them beside it, they are exact.
 */
#ifndef ASSAY_STATS_HISTOGRAM_H
#define ASSAY_STATS_HISTOGRAM_H

#include "base/arena.h"
#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    HISTOGRAM_SCALE = 5,  /* 2^5 buckets a doubling */
    HISTOGRAM_EXACT = 8,  /* from this many samples on there are buckets */
    HISTOGRAM_LOW = -960, /* lowest bucket; it also takes all that is lower */
    HISTOGRAM_HIGH = 1599 /* highest bucket: up to 2^50; takes all above */
};

struct histogram_bucket {
    int32_t number;
    uint64_t count; /* never 0 */
};

/* Zero-initialised, with its arena set, it is the histogram of nothing. */
struct histogram {
    struct arena *arena;              /* where buckets come from */
    uint64_t count;                   /* of all samples */
    uint64_t zero_count;              /* of samples at or below 0 */
    double exact[HISTOGRAM_EXACT];    /* ascending, while count is below it */
    struct histogram_bucket *buckets; /* ascending by number */
    size_t bucket_count;
    size_t bucket_capacity;
};

/* The bucket of a finite VALUE above 0, the same on every machine. */
int32_t histogram_bucket_of(double value);
/* What a bucket answers for: 2 low high / (low + high), at most 1.083 percent
 * from every value in it. */
double histogram_value_of(int32_t bucket);

/* VALUE is finite; what lies at or below 0 counts as 0. */
void histogram_add(struct histogram *histogram, double value);
/* COUNT samples of 0. */
void histogram_add_zeros(struct histogram *histogram, uint64_t count);
void histogram_merge(struct histogram *into, const struct histogram *from);
/* The histogram of nothing again; what it took of its arena stays its own. */
void histogram_clear(struct histogram *histogram);

/*
 * The sample of rank floor(LEVEL * (count - 1)) counted from 0, LEVEL from 0
 * to 1: exact below HISTOGRAM_EXACT samples, else its bucket's value. NaN for
 * the histogram of nothing.
 */
double histogram_quantile(const struct histogram *histogram, double level);

/* One form of bytes for equal samples. Decoding adds to a histogram of
 * nothing; false where BYTES are no histogram of that form. */
void histogram_encode(struct buf *out, const struct histogram *histogram);
bool histogram_decode(struct histogram *histogram, struct text bytes);

#endif
