/*
 * Any bytes as a stored histogram: refused, or its samples add up, its
 * quantiles rise, and it is stored again in bytes that read back the same;
 * merged with itself it doubles.
 */
#include "stats/stats.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool condition)
{
    if (!condition)
        abort();
}

static void check_counts(const struct histogram *histogram)
{
    uint64_t count = histogram->zero_count;
    for (size_t i = 0; i < histogram->bucket_count; i++)
        count += histogram->buckets[i].count;
    must(histogram->count < HISTOGRAM_EXACT || count == histogram->count);
    for (size_t i = 1; i < histogram->bucket_count; i++)
        must(histogram->buckets[i - 1].number < histogram->buckets[i].number);
}

static void check_quantiles(const struct histogram *histogram)
{
    double before = 0;
    for (int level = 0; histogram->count && level <= 8; level++) {
        double value = histogram_quantile(histogram, level / 8.0);
        must(isfinite(value) && value >= before);
        before = value;
    }
}

static struct text encoded(struct buf *out, const struct histogram *histogram)
{
    histogram_encode(out, histogram);
    return (struct text){out->data, out->length};
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct arena arena;
    struct histogram first = {.arena = &arena};
    struct histogram second = {.arena = &arena};
    struct buf once = {0};
    struct buf twice = {0};
    if (histogram_decode(&first, (struct text){(const char *)data, size})) {
        check_counts(&first);
        check_quantiles(&first);
        must(histogram_decode(&second, encoded(&once, &first)));
        must(text_equal((struct text){once.data, once.length},
                        encoded(&twice, &second)));
        histogram_merge(&second, &first);
        must(second.count == 2 * first.count);
        check_counts(&second);
        check_quantiles(&second);
    }
    buf_free(&once);
    buf_free(&twice);
    arena_clear(&arena);
    return 0;
}
