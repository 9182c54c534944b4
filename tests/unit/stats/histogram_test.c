/*
 * The vector was computed apart from the code, from the definition alone.
 */
#include "stats/stats.h"

#include "harness.h"

#include <math.h>
#include <string.h>

static struct arena arena;

static bool near(double got, double wanted)
{
    return fabs(got - wanted) <= 1e-6 * fabs(wanted);
}

static struct histogram of_values(const double *values, size_t count)
{
    struct histogram histogram = {.arena = &arena};
    for (size_t i = 0; i < count; i++)
        histogram_add(&histogram, values[i]);
    return histogram;
}

static void check_same_bytes(const struct histogram *a,
                             const struct histogram *b)
{
    struct buf left = {0};
    struct buf right = {0};
    histogram_encode(&left, a);
    histogram_encode(&right, b);
    REQUIRE(left.length == right.length);
    CHECK_EQ_MEMORY(left.data, right.data, left.length);
    buf_free(&left);
    buf_free(&right);
}

/* Steps through [0, 1) without pattern; 7919 divides no count used here. */
static double spread(size_t i, size_t count)
{
    return (double)(i * 7919 % count) / (double)count;
}

TEST(a_bucket_begins_above_one_edge_and_ends_on_the_next)
{
    static const struct {
        double value;
        int32_t bucket;
    } rows[] = {
        {1, -1},
        {1.0000000000000002, 0},
        {1.0218971486541166, 0}, /* 2^(1/32) rounded */
        {1.0218971486541169, 1},
        {2, 31},
        {2.0000000000000004, 32},
        {0.5, -33},
        {1024, 319},
        {4096, 383},
        {0x1p50, 1599},
        {0x1p51, 1599},
        {0x1p-30, -960},
        {0x1p-31, -960},
        {4.9e-324, -960},
        {1.7976931348623157e308, 1599},
    };
    EACH_ROW (row, rows) {
        CHECK_EQ_INT(histogram_bucket_of(row->value), row->bucket);
    }
}

TEST(what_a_bucket_answers_is_within_its_bound_of_every_value)
{
    const double bound = (exp2(1.0 / 32) - 1) / (exp2(1.0 / 32) + 1);
    CHECK(near(bound, 0.01083));
    for (size_t i = 0; i < 20000; i++) {
        double value = exp2(spread(i, 20000) * 75 - 28);
        int32_t bucket = histogram_bucket_of(value);
        double answer = histogram_value_of(bucket);
        CHECK(fabs(answer - value) <= (bound + 1e-12) * value);
        CHECK_EQ_INT(histogram_bucket_of(answer), bucket);
    }
}

TEST(ten_values_fall_where_paper_says)
{
    static const double values[] = {10,  12,  12.5, 100,  101,
                                    250, 999, 1000, 1001, 4096};
    static const struct histogram_bucket buckets[] = {
        {106, 1}, {114, 1}, {116, 1}, {212, 1},
        {213, 1}, {254, 1}, {318, 3}, {383, 1}};
    struct histogram histogram = of_values(values, 10);
    REQUIRE(histogram.bucket_count == 8);
    for (size_t i = 0; i < 8; i++) {
        CHECK_EQ_INT(histogram.buckets[i].number, buckets[i].number);
        CHECK_EQ_INT(histogram.buckets[i].count, buckets[i].count);
    }
    CHECK(near(histogram_quantile(&histogram, 0.5), 101.955118));
    CHECK(near(histogram_quantile(&histogram, 0.95), 991.205504));
    CHECK(near(histogram_quantile(&histogram, 0), histogram_value_of(106)));
    CHECK(near(histogram_quantile(&histogram, 1), histogram_value_of(383)));
    struct buf bytes = {0};
    histogram_encode(&bytes, &histogram);
    CHECK_EQ_INT(bytes.length, 20);
    buf_free(&bytes);
    arena_free(&arena);
}

TEST(a_few_samples_stay_as_they_are)
{
    static const double values[] = {812345, 3, 790001.25, 0, 812345, 99, -5};
    static const double sorted[] = {0, 0, 3, 99, 790001.25, 812345, 812345};
    struct histogram histogram = of_values(values, 7);
    for (size_t i = 0; i < 7; i++)
        CHECK_EQ_DOUBLE(histogram_quantile(&histogram, (double)i / 6),
                        sorted[i]);
    CHECK_EQ_DOUBLE(histogram_quantile(&histogram, 0.999), 812345);
    histogram_add(&histogram, 99);
    CHECK_EQ_INT(histogram.count, 8);
    CHECK_EQ_INT(histogram.zero_count, 2);
    CHECK_EQ_DOUBLE(histogram_quantile(&histogram, 0.2), 0);
    CHECK_EQ_DOUBLE(histogram_quantile(&histogram, 0.5),
                    histogram_value_of(histogram_bucket_of(99)));
    struct histogram nothing = {.arena = &arena};
    CHECK(isnan(histogram_quantile(&nothing, 0.5)));
    arena_free(&arena);
}

TEST(merged_parts_equal_the_whole_in_any_order_to_the_byte)
{
    enum { VALUES = 240, PARTS = 24 };
    double values[VALUES];
    for (size_t i = 0; i < VALUES; i++)
        values[i] = i % 17 ? floor(exp(13 + 2 * spread(i, VALUES))) : 0;
    for (size_t size = 1; size <= VALUES; size = size * 3 / 2 + 1) {
        struct histogram whole = of_values(values, size);
        struct histogram forward = {.arena = &arena};
        struct histogram backward = {.arena = &arena};
        for (size_t part = 0; part < PARTS; part++) {
            struct histogram ahead = {.arena = &arena};
            struct histogram behind = {.arena = &arena};
            for (size_t i = part; i < size; i += PARTS)
                histogram_add(&ahead, values[i]);
            for (size_t i = size; i-- > 0;)
                if (i % PARTS == PARTS - 1 - part)
                    histogram_add(&behind, values[i]);
            histogram_merge(&forward, &ahead);
            histogram_merge(&backward, &behind);
        }
        CHECK_EQ_INT(forward.count, size);
        check_same_bytes(&forward, &whole);
        check_same_bytes(&backward, &whole);
    }
    arena_free(&arena);
}

TEST(zeros_are_added_at_once_as_one_by_one)
{
    for (size_t samples = 0; samples < 12; samples++) {
        for (size_t zeros = 0; zeros < 12; zeros++) {
            struct histogram at_once = {.arena = &arena};
            struct histogram singly = {.arena = &arena};
            for (size_t i = 0; i < samples; i++) {
                histogram_add(&at_once, (double)(i * i) + 0.5);
                histogram_add(&singly, (double)(i * i) + 0.5);
            }
            histogram_add_zeros(&at_once, zeros);
            for (size_t i = 0; i < zeros; i++)
                histogram_add(&singly, 0);
            CHECK_EQ_INT(at_once.count, samples + zeros);
            check_same_bytes(&at_once, &singly);
        }
    }
    arena_free(&arena);
}

TEST(a_cleared_histogram_is_that_of_nothing)
{
    for (size_t samples = 0; samples < 20; samples += 5) {
        struct histogram used = {.arena = &arena};
        struct histogram fresh = {.arena = &arena};
        for (size_t i = 0; i < samples; i++)
            histogram_add(&used, (double)i);
        histogram_clear(&used);
        check_same_bytes(&used, &fresh);
        histogram_add(&used, 3);
        histogram_add(&fresh, 3);
        check_same_bytes(&used, &fresh);
    }
    arena_free(&arena);
}

TEST(a_histogram_is_stored_and_read_back)
{
    static const struct {
        double values[9];
        size_t count;
        size_t bytes;
    } rows[] = {
        {{0}, 0, 1},
        {{5}, 1, 2},
        {{0.5}, 1, 9},
        {{0, 0, 0}, 3, 4},
        {{1, 2, 3, 4, 5, 6, 7}, 7, 8},
        {{1e17}, 1, 9},
        {{0, 0, 0, 0, 0, 0, 0, 0}, 8, 3},
        {{1, 1, 1, 1, 1, 1, 1, 1, 2}, 9, 7},
    };
    EACH_ROW (row, rows) {
        struct histogram histogram = of_values(row->values, row->count);
        struct buf bytes = {0};
        histogram_encode(&bytes, &histogram);
        CHECK_EQ_INT(bytes.length, row->bytes);
        struct histogram again = {.arena = &arena};
        CHECK(
            histogram_decode(&again, (struct text){bytes.data, bytes.length}));
        CHECK_EQ_INT(again.count, histogram.count);
        check_same_bytes(&again, &histogram);
        for (size_t cut = 0; cut < bytes.length; cut++) {
            struct histogram part = {.arena = &arena};
            CHECK(!histogram_decode(&part, (struct text){bytes.data, cut}));
        }
        buf_free(&bytes);
    }
    arena_free(&arena);
}

TEST(bytes_that_are_no_histogram_are_refused)
{
    static const struct {
        const char *bytes;
        size_t length;
    } rows[] = {
        {"", 0},
        {"\0\0", 2},                                 /* more behind it */
        {"\x09", 1},                                 /* no such form */
        {"\x18\1\1\1\1\1\1\1\1", 9},                 /* eight exact ones */
        {"\2\0\0\0\0\0\0\xf0?\0\0\0\0\0\0\0\0", 17}, /* 1, then 0 */
        {"\1\0\0\0\0\0\0\xf0\x7f", 9},               /* infinity */
        {"\1\0\0\0\0\0\0\xf8\x7f", 9},               /* not a number */
        {"\1\0\0\0\0\0\0\xf0\xbf", 9},               /* -1 */
        {"\x11\x80\x80\x80\x80\x80\x80\x80\x20", 9}, /* 2^54 */
        {"\x08\1\0\6\0", 5},                         /* seven in buckets */
        {"\x08\1\x80\x19\7\0", 6},                   /* bucket 1600 */
        {"\x08\1\x81\x0f\7\0", 6},                   /* bucket -961 */
        {"\x08\2\xfe\x18\0\7\7\0", 8},               /* 1599 and 1600 */
        {"\x08\x80\x15\0", 4},                       /* 2688 buckets */
        {"\x08\0\7", 3}, /* seven zeros in buckets */
        {"\x08\1\0\xff\xff\xff\xff\xff\xff\xff\xff\xff\1\0", 14},
    };
    EACH_ROW (row, rows) {
        struct histogram histogram = {.arena = &arena};
        CHECK(!histogram_decode(&histogram,
                                (struct text){row->bytes, row->length}));
    }
    arena_free(&arena);
}

/* Latencies in microseconds around 300 ms, as wide as networks are. */
TEST(an_hour_of_latencies_takes_a_few_hundred_bytes)
{
    static const struct {
        size_t samples;
        double sigma;
        size_t bytes_max;
    } rows[] = {{20, 0.25, 60},
                {100, 0.6, 170},
                {500, 0.6, 290},
                {500, 1.0, 420},
                {10000, 0.6, 430}};
    EACH_ROW (row, rows) {
        struct histogram histogram = {.arena = &arena};
        for (size_t i = 0; i < row->samples; i++) {
            /* Irwin-Hall: near enough to normal to fill the same buckets. */
            double sum = 0;
            for (size_t k = 0; k < 12; k++)
                sum += spread(i * 12 + k, row->samples * 12);
            histogram_add(&histogram, 300000 * exp(row->sigma * (sum - 6)));
        }
        struct buf bytes = {0};
        histogram_encode(&bytes, &histogram);
        CHECK(bytes.length <= row->bytes_max);
        buf_free(&bytes);
    }
    arena_free(&arena);
}
