/*
 * Up to 200 values the digest is the nearest rank; above, the expected values
 * are those of the publisher's database.
 */
#include "stats/stats.h"

#include "harness.h"

#include <math.h>
#include <stdlib.h>

static struct arena arena;

static double percentile(const double *values, size_t count, double level)
{
    double out;
    tdigest_percentiles(&arena, values, count, &level, 1, &out);
    return out;
}

static double *counting_to(size_t count)
{
    double *values = arena_array(&arena, count, sizeof *values);
    for (size_t i = 0; i < count; i++)
        values[i] = (double)(i + 1);
    return values;
}

/* A fixed permutation: 7919 is prime and divides no count used here. */
static double *permuted(const double *values, size_t count)
{
    double *out = arena_array(&arena, count, sizeof *out);
    for (size_t i = 0; i < count; i++)
        out[i] = values[(i * 7919 + 13) % count];
    return out;
}

TEST(up_to_200_values_the_answer_is_the_nearest_rank)
{
    static const double levels[] = {0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99};
    for (size_t count = 1; count <= 200; count++) {
        double *values = permuted(counting_to(count), count);
        EACH_ROW (level, levels) {
            /* The value's own rank within float error of whole ranks. */
            double rank = ceil(*level * (double)count - 1e-9);
            double wanted = rank < 1 ? 1 : rank;
            double got = percentile(values, count, *level);
            if (got < wanted || got > wanted) {
                CHECK_EQ_INT(count, 0);
                CHECK_EQ_DOUBLE(got, wanted);
            }
        }
        arena_clear(&arena);
    }
    arena_free(&arena);
}

TEST(above_200_values_centroids_interpolate)
{
    static const struct {
        size_t count;
        double level;
        double wanted;
    } rows[] = {{300, 0.5, 150.5},  {1000, 0.1, 100.5}, {1000, 0.5, 500.5},
                {1000, 0.9, 900.5}, {300, 0, 1},        {300, 1, 300},
                {1000, 0, 1},       {1000, 1, 1000}};
    EACH_ROW (row, rows) {
        double *values = counting_to(row->count);
        CHECK_EQ_DOUBLE(percentile(values, row->count, row->level),
                        row->wanted);
        CHECK_EQ_DOUBLE(
            percentile(permuted(values, row->count), row->count, row->level),
            row->wanted);
    }
    arena_free(&arena);
}

TEST(several_levels_at_once_in_any_order)
{
    static const double levels[] = {0.9, 0.1, 0.5};
    double out[3];
    tdigest_percentiles(&arena, counting_to(1000), 1000, levels, 3, out);
    CHECK_EQ_DOUBLE(out[0], 900.5);
    CHECK_EQ_DOUBLE(out[1], 100.5);
    CHECK_EQ_DOUBLE(out[2], 500.5);
    arena_free(&arena);
}

TEST(few_and_equal_values)
{
    static const double equal[1000] = {[0 ... 999] = 24.25};
    static const double one[] = {-3.5};
    static const double two[] = {20, 10};
    static const double levels[] = {0, 0.1, 0.5, 0.9, 1};
    EACH_ROW (level, levels) {
        CHECK_EQ_DOUBLE(percentile(one, 1, *level), -3.5);
        CHECK_EQ_DOUBLE(percentile(equal, 1000, *level), 24.25);
        CHECK_EQ_DOUBLE(percentile(equal, 7, *level), 24.25);
        CHECK(isnan(percentile(one, 0, *level)));
    }
    CHECK_EQ_DOUBLE(percentile(two, 2, 0.5), 10);
    CHECK_EQ_DOUBLE(percentile(two, 2, 0.51), 20);
    arena_free(&arena);
}

TEST(values_pass_through_float32)
{
    static const double values[] = {0.1, 16777217, 1e300};
    CHECK_EQ_DOUBLE(percentile(values, 1, 0.5), (double)0.1F);
    CHECK_EQ_DOUBLE(percentile(values + 1, 1, 0.5), 16777216);
    arena_free(&arena);
}

TEST(the_values_are_not_changed)
{
    double values[] = {3, 1, 2};
    percentile(values, 3, 0.5);
    CHECK_EQ_DOUBLE(values[0], 3);
    CHECK_EQ_DOUBLE(values[1], 1);
    CHECK_EQ_DOUBLE(values[2], 2);
    arena_free(&arena);
}
