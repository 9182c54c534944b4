/*
 * stats.h: the arithmetic under the rows. Pure: no clock, no file, no socket.
 *
 * Exact sums: floating-point addition depends on its order, and the order in
 * which telemetry arrives must never change a byte of what we publish. So a
 * sum is kept as a list of doubles whose exact sum is the exact sum of all
 * values (Shewchuk 1997, "Adaptive Precision Floating-Point Arithmetic", §2),
 * and rounded once, when it is read.
 *
 * Percentiles: the publisher's t-digest, centroid by centroid in Float32, so
 * that its benchmark edges come out the same (published metrics §3.3). What we
 * measure ourselves is kept in histograms (histogram.h), and how sure a figure
 * is, intervals.h says.
 */
#ifndef ASSAY_STATS_STATS_H
#define ASSAY_STATS_STATS_H

#include "base/arena.h"
#include "base/buf.h"
#include "stats/formula.h"
#include "stats/histogram.h"
#include "stats/intervals.h"

#include <stdbool.h>
#include <stddef.h>

/* Non-overlapping doubles, increasing in magnitude. */
struct exact_parts {
    double *list;
    size_t count;
    size_t capacity;
};

/* Zero-initialised is the sum of nothing. */
struct exact_sum {
    struct arena *arena; /* where more parts come from; set before adding */
    struct exact_parts parts;
    struct exact_parts large; /* of values near overflow, scaled down */
    double special;           /* IEEE sum of values that are not finite */
};

void exact_add(struct exact_sum *sum, double value);
void exact_add_sum(struct exact_sum *sum, const struct exact_sum *other);
/* VALUE squared, which must lie within the bounds of exact_variation. */
void exact_add_square(struct exact_sum *sum, double value);

/*
 * The coefficient of variation sigma / mu of COUNT values above 0, with the
 * population's sigma, from their SUM and that of their SQUARES:
 * sqrt(count * squares - sum^2) / sum. What is under the root is exact and
 * rounded once, so that equal values vary by exactly 0. Values must lie within
 * VARIATION_MIN and VARIATION_MAX. NaN below two values.
 */
#define VARIATION_MIN 1e-60
#define VARIATION_MAX 1e60
double exact_variation(struct arena *arena, const struct exact_sum *sum,
                       const struct exact_sum *squares, int64_t count);

/* The exact sum rounded to the nearest double, ties to even; infinite beyond
 * the range of doubles. Not finite either where a value was not. */
double exact_round(const struct exact_sum *sum);

/* The one byte form of a sum: its value rounded, then what remains rounded,
 * and so on. Equal sums have equal bytes, whatever order made them. All values
 * must have been finite. */
void exact_encode(struct buf *out, const struct exact_sum *sum);
bool exact_decode(struct exact_sum *sum, struct text bytes);

/*
 * Percentiles of COUNT finite values at LEVELS (ascending not required), into
 * OUT; NaN each where COUNT is 0. Does not change VALUES.
 */
void tdigest_percentiles(struct arena *arena, const double *values,
                         size_t count, const double *levels, size_t level_count,
                         double *out);

#endif
