/*
 * tdigest.c: the percentile function of the publisher's database, which names
 * it quantileTDigest, for one thread and one block of values (§3.3).
 *
 * Values become Float32 centroids of count 1, are sorted, and one walk merges
 * neighbours as long as the merged centroid stays small near the ends of the
 * distribution. Reading a level interpolates between centroid centres, and a
 * centroid of count 1 answers for half a unit on either side. With up to 200
 * values nothing merges and the answer is the nearest rank.
 *
 * All arithmetic is Float32 where the original's is: that is the point.
 */
#include "stats/stats.h"

#include <math.h>
#include <stdlib.h>

struct centroid {
    float mean;
    float count;
};

static int compare_centroids(const void *a, const void *b)
{
    const struct centroid *left = a;
    const struct centroid *right = b;
    return (left->mean > right->mean) - (left->mean < right->mean);
}

static bool differ(float a, float b)
{
    return a < b || a > b;
}

/* Dunning's size bound with the original's epsilon of 0.01. */
static bool may_merge(float total, float before, struct centroid left,
                      struct centroid right)
{
    float q_left = (before + left.count * 0.5F) / total;
    float q_right = (before + left.count + right.count * 0.5F) / total;
    float error_left = q_left * (1 - q_left);
    float error_right = q_right * (1 - q_right);
    float least = error_left < error_right ? error_left : error_right;
    float limit = total * 0.01F * 4 * least;
    return left.count + right.count <= limit;
}

/* An infinite mean cannot be averaged with another. */
static bool comparable(float a, float b)
{
    return !differ(a, b) || (isfinite(a) && isfinite(b));
}

/* Returns the number of centroids left; *TOTAL becomes their summed count. */
static size_t compress(struct centroid *centroids, size_t count, float *total)
{
    size_t left = 0;
    float before = 0;
    for (size_t right = 1; right < count; right++) {
        struct centroid *into = &centroids[left];
        struct centroid from = centroids[right];
        if (comparable(into->mean, from.mean) &&
            may_merge(*total, before, *into, from)) {
            into->count += from.count;
            if (differ(into->mean, from.mean))
                into->mean +=
                    from.count * (from.mean - into->mean) / into->count;
        } else {
            before += into->count;
            centroids[++left] = from;
        }
    }
    *total = before + centroids[left].count;
    return left + 1;
}

static bool is_single(float count)
{
    return !differ(count, 1);
}

static double interpolate(double x, double left_x, float left, double right_x,
                          float right)
{
    float k = ((float)x - (float)left_x) / ((float)right_x - (float)left_x);
    return (float)((1 - (double)k) * (double)left + (double)k * (double)right);
}

static double read_level(const struct centroid *centroids, size_t count,
                         float total, double level)
{
    if (count == 1)
        return (double)centroids[0].mean;
    double x = level * (double)total;
    double before_x = 0;
    float sum = 0;
    struct centroid before = centroids[0];
    for (size_t i = 0; i < count; i++) {
        struct centroid here = centroids[i];
        double centre = (double)sum + (double)here.count * 0.5;
        if (centre >= x) {
            double left = is_single(before.count) ? before_x + 0.5 : before_x;
            double right = is_single(here.count) ? centre - 0.5 : centre;
            if (x <= left)
                return (double)before.mean;
            if (x >= right)
                return (double)here.mean;
            return interpolate(x, left, before.mean, right, here.mean);
        }
        sum += here.count;
        before = here;
        before_x = centre;
    }
    return (double)centroids[count - 1].mean;
}

void tdigest_percentiles(struct arena *arena, const double *values,
                         size_t count, const double *levels, size_t level_count,
                         double *out)
{
    for (size_t i = 0; i < level_count; i++)
        out[i] = (double)NAN;
    if (!count)
        return;
    struct centroid *centroids = arena_array(arena, count, sizeof *centroids);
    for (size_t i = 0; i < count; i++)
        centroids[i] = (struct centroid){(float)values[i], 1};
    qsort(centroids, count, sizeof *centroids, compare_centroids);
    float total = (float)count;
    size_t left = compress(centroids, count, &total);
    for (size_t i = 0; i < level_count; i++)
        out[i] = read_level(centroids, left, total, levels[i]);
}
