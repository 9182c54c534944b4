/*
 * histogram.c: see histogram.h. The buckets are a sorted list without empty
 * ones; a search finds one, an insertion moves those above it. An hour of one
 * orchestrator holds a few dozen.
 *
 * In bytes: 0 to 7, then as many doubles; or 16 + n, then n whole numbers,
 * each as the difference to the one before; or 8, then the number of buckets,
 * of the first bucket, gaps between the others, counts less one, and how many
 * samples were 0. All numbers as varints.
 */
#include "stats/stats.h"

#include <math.h>
#include <string.h>

enum { FORM_BUCKETS = HISTOGRAM_EXACT, FORM_WHOLE = 16 };

/* Every whole number up to here is a double. */
static const double WHOLE_MAX = 0x1p53;

/* 2^(j/32), j = 0 ... 32, correctly rounded: no logarithm of some C library
 * decides into which bucket a value falls. */
static const double edges[] = {
    0x1.0p0,
    0x1.059b0d3158574p0,
    0x1.0b5586cf9890fp0,
    0x1.11301d0125b51p0,
    0x1.172b83c7d517bp0,
    0x1.1d4873168b9aap0,
    0x1.2387a6e756238p0,
    0x1.29e9df51fdee1p0,
    0x1.306fe0a31b715p0,
    0x1.371a7373aa9cbp0,
    0x1.3dea64c123422p0,
    0x1.44e086061892dp0,
    0x1.4bfdad5362a27p0,
    0x1.5342b569d4f82p0,
    0x1.5ab07dd485429p0,
    0x1.6247eb03a5585p0,
    0x1.6a09e667f3bcdp0,
    0x1.71f75e8ec5f74p0,
    0x1.7a11473eb0187p0,
    0x1.82589994cce13p0,
    0x1.8ace5422aa0dbp0,
    0x1.93737b0cdc5e5p0,
    0x1.9c49182a3f09p0,
    0x1.a5503b23e255dp0,
    0x1.ae89f995ad3adp0,
    0x1.b7f76f2fb5e47p0,
    0x1.c199bdd85529cp0,
    0x1.cb720dcef9069p0,
    0x1.d5818dcfba487p0,
    0x1.dfc97337b9b5fp0,
    0x1.ea4afa2a490dap0,
    0x1.f50765b6e454p0,
    0x1.0p1,
};

enum { PER_DOUBLING = 1 << HISTOGRAM_SCALE };

/* ---- buckets ------------------------------------------------------------- */

/* The first edge that is not below FRACTION, which lies from 1 to below 2. */
static int edge_above(double fraction)
{
    int low = 0;
    int high = PER_DOUBLING;
    while (low < high) {
        int middle = (low + high) / 2;
        if (edges[middle] < fraction)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

int32_t histogram_bucket_of(double value)
{
    int exponent;
    double fraction = frexp(value, &exponent) * 2;
    int bucket = (exponent - 1) * PER_DOUBLING + edge_above(fraction) - 1;
    if (bucket < HISTOGRAM_LOW)
        return HISTOGRAM_LOW;
    return bucket > HISTOGRAM_HIGH ? HISTOGRAM_HIGH : bucket;
}

double histogram_value_of(int32_t bucket)
{
    int doublings = bucket >> HISTOGRAM_SCALE; /* rounds down, also below 0 */
    int edge = bucket - doublings * PER_DOUBLING;
    double low = edges[edge];
    double high = edges[edge + 1];
    return ldexp(2 * low * high / (low + high), doublings);
}

/* Where bucket NUMBER stands, or would stand. */
static size_t place_of(const struct histogram *histogram, int32_t number)
{
    size_t low = 0;
    size_t high = histogram->bucket_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (histogram->buckets[middle].number < number)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void make_room(struct histogram *histogram)
{
    if (histogram->bucket_count < histogram->bucket_capacity)
        return;
    size_t capacity = histogram->bucket_capacity * 2;
    if (capacity < HISTOGRAM_EXACT)
        capacity = HISTOGRAM_EXACT;
    struct histogram_bucket *grown =
        arena_array(histogram->arena, capacity, sizeof *grown);
    if (histogram->bucket_count)
        memcpy(grown, histogram->buckets,
               histogram->bucket_count * sizeof *grown);
    histogram->buckets = grown;
    histogram->bucket_capacity = capacity;
}

/* PLACE is where the bucket stands or is to stand. */
static void add_at(struct histogram *histogram, size_t place, int32_t number,
                   uint64_t count)
{
    if (place == histogram->bucket_count ||
        histogram->buckets[place].number != number) {
        make_room(histogram);
        struct histogram_bucket *at = &histogram->buckets[place];
        memmove(at + 1, at, (histogram->bucket_count - place) * sizeof *at);
        *at = (struct histogram_bucket){.number = number};
        histogram->bucket_count++;
    }
    histogram->buckets[place].count += count;
}

/* ---- adding -------------------------------------------------------------- */

static bool is_exact(const struct histogram *histogram)
{
    return histogram->count < HISTOGRAM_EXACT;
}

static void file_into_bucket(struct histogram *histogram, double value)
{
    if (value > 0) {
        int32_t number = histogram_bucket_of(value);
        add_at(histogram, place_of(histogram, number), number, 1);
    } else {
        histogram->zero_count++;
    }
}

static void insert_exact(struct histogram *histogram, double value)
{
    size_t at = (size_t)histogram->count;
    for (; at > 0 && histogram->exact[at - 1] > value; at--)
        histogram->exact[at] = histogram->exact[at - 1];
    histogram->exact[at] = value;
}

/* The list becomes buckets: the next sample is the one too many. */
static void leave_exact(struct histogram *histogram)
{
    for (size_t i = 0; i < histogram->count; i++)
        file_into_bucket(histogram, histogram->exact[i]);
}

void histogram_add(struct histogram *histogram, double value)
{
    if (!(value > 0))
        value = 0;
    if (histogram->count + 1 < HISTOGRAM_EXACT) {
        insert_exact(histogram, value);
    } else {
        if (is_exact(histogram))
            leave_exact(histogram);
        file_into_bucket(histogram, value);
    }
    histogram->count++;
}

void histogram_add_zeros(struct histogram *histogram, uint64_t count)
{
    for (; count > 0 && histogram->count + 1 < HISTOGRAM_EXACT; count--)
        histogram_add(histogram, 0);
    if (!count)
        return;
    if (is_exact(histogram))
        leave_exact(histogram);
    histogram->zero_count += count;
    histogram->count += count;
}

void histogram_clear(struct histogram *histogram)
{
    histogram->count = 0;
    histogram->zero_count = 0;
    histogram->bucket_count = 0;
}

/* Both lists are sorted, so the search goes on where the last one ended. */
static void merge_buckets(struct histogram *into, const struct histogram *from)
{
    size_t place = 0;
    for (size_t i = 0; i < from->bucket_count; i++) {
        int32_t number = from->buckets[i].number;
        while (place < into->bucket_count &&
               into->buckets[place].number < number)
            place++;
        add_at(into, place, number, from->buckets[i].count);
    }
}

void histogram_merge(struct histogram *into, const struct histogram *from)
{
    if (is_exact(from)) {
        for (size_t i = 0; i < from->count; i++)
            histogram_add(into, from->exact[i]);
        return;
    }
    if (is_exact(into))
        leave_exact(into);
    merge_buckets(into, from);
    into->zero_count += from->zero_count;
    into->count += from->count;
}

/* ---- reading ------------------------------------------------------------- */

double histogram_quantile(const struct histogram *histogram, double level)
{
    if (!histogram->count)
        return (double)NAN;
    double rank = floor(level * (double)(histogram->count - 1));
    if (is_exact(histogram))
        return histogram->exact[(size_t)rank];
    double passed = (double)histogram->zero_count;
    /* Counts beyond 2^53 round, so the rank may lie past the last sample. */
    if (rank < passed || !histogram->bucket_count)
        return 0;
    size_t last = histogram->bucket_count - 1;
    size_t i = 0;
    for (; i < last; i++) {
        passed += (double)histogram->buckets[i].count;
        if (rank < passed)
            break;
    }
    return histogram_value_of(histogram->buckets[i].number);
}

/* ---- bytes --------------------------------------------------------------- */

static bool all_whole(const struct histogram *histogram)
{
    for (size_t i = 0; i < histogram->count; i++) {
        double value = histogram->exact[i];
        if (value > WHOLE_MAX || value > floor(value))
            return false;
    }
    return true;
}

static void encode_exact(struct buf *out, const struct histogram *histogram)
{
    bool whole = all_whole(histogram);
    buf_add_byte(out, (uint8_t)(histogram->count + (whole ? FORM_WHOLE : 0)));
    uint64_t before = 0;
    for (size_t i = 0; i < histogram->count; i++) {
        if (whole) {
            uint64_t value = (uint64_t)histogram->exact[i];
            buf_add_varint(out, value - before);
            before = value;
        } else {
            buf_add_double(out, histogram->exact[i]);
        }
    }
}

void histogram_encode(struct buf *out, const struct histogram *histogram)
{
    if (is_exact(histogram)) {
        encode_exact(out, histogram);
        return;
    }
    const struct histogram_bucket *buckets = histogram->buckets;
    buf_add_byte(out, FORM_BUCKETS);
    buf_add_varint(out, histogram->bucket_count);
    for (size_t i = 0; i < histogram->bucket_count; i++) {
        if (i == 0)
            buf_add_signed(out, buckets[i].number);
        else
            buf_add_varint(
                out, (uint64_t)(buckets[i].number - buckets[i - 1].number - 1));
    }
    for (size_t i = 0; i < histogram->bucket_count; i++)
        buf_add_varint(out, buckets[i].count - 1);
    buf_add_varint(out, histogram->zero_count);
}

static bool decode_whole(struct histogram *histogram, struct reader *in,
                         uint8_t count)
{
    uint64_t value = 0;
    for (uint8_t i = 0; i < count; i++) {
        uint64_t more = read_varint(in);
        if (more > (uint64_t)WHOLE_MAX - value)
            return false;
        value += more;
        histogram_add(histogram, (double)value);
    }
    return true;
}

static bool decode_doubles(struct histogram *histogram, struct reader *in,
                           uint8_t count)
{
    double before = 0;
    for (uint8_t i = 0; i < count; i++) {
        double value = read_double(in);
        if (!(value >= before) || !isfinite(value))
            return false;
        histogram_add(histogram, value);
        before = value;
    }
    return true;
}

/* The numbers of COUNT buckets; false where one lies outside the range. */
static bool decode_numbers(struct histogram *histogram, struct reader *in,
                           uint64_t count)
{
    int64_t number = read_signed(in);
    for (uint64_t i = 0; i < count; i++) {
        if (i > 0) {
            uint64_t gap = read_varint(in);
            if (gap > HISTOGRAM_HIGH - HISTOGRAM_LOW)
                return false;
            number += (int64_t)gap + 1;
        }
        if (in->failed || number < HISTOGRAM_LOW || number > HISTOGRAM_HIGH)
            return false;
        make_room(histogram);
        histogram->buckets[histogram->bucket_count++].number = (int32_t)number;
    }
    return true;
}

static bool count_more(struct histogram *histogram, uint64_t more)
{
    if (more > (uint64_t)WHOLE_MAX - histogram->count)
        return false;
    histogram->count += more;
    return true;
}

static bool decode_buckets(struct histogram *histogram, struct reader *in)
{
    uint64_t count = read_varint(in);
    if (count > HISTOGRAM_HIGH - HISTOGRAM_LOW + 1)
        return false;
    if (count && !decode_numbers(histogram, in, count))
        return false;
    for (uint64_t i = 0; i < count; i++) {
        uint64_t less_one = read_varint(in);
        if (less_one >= (uint64_t)WHOLE_MAX ||
            !count_more(histogram, less_one + 1))
            return false;
        histogram->buckets[i].count = less_one + 1;
    }
    histogram->zero_count = read_varint(in);
    return count_more(histogram, histogram->zero_count) && !is_exact(histogram);
}

static bool decode_form(struct histogram *histogram, struct reader *in)
{
    uint8_t form = read_byte(in);
    if (form == FORM_BUCKETS)
        return decode_buckets(histogram, in);
    if (form < FORM_BUCKETS)
        return decode_doubles(histogram, in, form);
    return form >= FORM_WHOLE && form < FORM_WHOLE + HISTOGRAM_EXACT &&
           decode_whole(histogram, in, (uint8_t)(form - FORM_WHOLE));
}

bool histogram_decode(struct histogram *histogram, struct text bytes)
{
    struct reader in = reader_over(bytes.data, bytes.length);
    return decode_form(histogram, &in) && !in.failed && in.at == in.end;
}
