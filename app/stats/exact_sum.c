/*
 * exact_sum.c: error-free accumulation, see stats.h. The rounding step follows
 * from the parts being non-overlapping: add from the largest down until
 * something is lost, then look at the next part to break a tie.
 *
 * Values near the end of the range are accumulated apart, scaled down by a
 * power of two, so that no order of adding overflows on the way to a sum that
 * a double can hold.
 */
#include "stats/stats.h"

#include <float.h>
#include <math.h>
#include <string.h>

/* Values from 2^900 on are large; 2^64 of them fit once scaled by 2^-64. */
static const double LARGE = 0x1p900;
static const double SCALE = 0x1p64;

/* a + b = the returned value + *lost, exactly (Knuth's two-sum). */
static double two_sum(double a, double b, double *lost)
{
    double sum = a + b;
    double b_part = sum - a;
    *lost = (a - (sum - b_part)) + (b - b_part);
    return sum;
}

static bool is_zero(double value)
{
    return !(value < 0) && !(value > 0);
}

static void push(struct arena *arena, struct exact_parts *parts, double part)
{
    if (parts->count == parts->capacity) {
        size_t capacity = parts->capacity ? parts->capacity * 2 : 4;
        double *grown = arena_array(arena, capacity, sizeof *grown);
        if (parts->count)
            memcpy(grown, parts->list, parts->count * sizeof *grown);
        parts->list = grown;
        parts->capacity = capacity;
    }
    parts->list[parts->count++] = part;
}

static void add_part(struct arena *arena, struct exact_parts *parts,
                     double value)
{
    size_t kept = 0;
    for (size_t i = 0; i < parts->count; i++) {
        double lost;
        value = two_sum(value, parts->list[i], &lost);
        if (!is_zero(lost))
            parts->list[kept++] = lost;
    }
    parts->count = kept;
    if (!is_zero(value))
        push(arena, parts, value);
}

void exact_add(struct exact_sum *sum, double value)
{
    if (!isfinite(value))
        sum->special += value;
    else if (fabs(value) >= LARGE)
        add_part(sum->arena, &sum->large, value / SCALE);
    else
        add_part(sum->arena, &sum->parts, value);
}

void exact_add_sum(struct exact_sum *sum, const struct exact_sum *other)
{
    for (size_t i = 0; i < other->parts.count; i++)
        exact_add(sum, other->parts.list[i]);
    for (size_t i = 0; i < other->large.count; i++)
        add_part(sum->arena, &sum->large, other->large.list[i]);
    sum->special += other->special;
}

/* a * b, exactly: what rounding loses is a double within the bounds given in
 * stats.h. */
static void add_product(struct exact_sum *sum, double a, double b)
{
    double product = a * b;
    exact_add(sum, product);
    exact_add(sum, fma(a, b, -product));
}

void exact_add_square(struct exact_sum *sum, double value)
{
    add_product(sum, value, value);
}

double exact_variation(struct arena *arena, const struct exact_sum *sum,
                       const struct exact_sum *squares, int64_t count)
{
    struct exact_sum spread = {.arena = arena};
    const struct exact_parts *parts = &sum->parts;
    if (count < 2)
        return (double)NAN;
    for (size_t i = 0; i < squares->parts.count; i++)
        add_product(&spread, squares->parts.list[i], (double)count);
    for (size_t i = 0; i < parts->count; i++)
        for (size_t k = 0; k < parts->count; k++)
            add_product(&spread, -parts->list[i], parts->list[k]);
    return sqrt(exact_round(&spread)) / exact_round(sum);
}

static double round_parts(const struct exact_parts *parts)
{
    if (!parts->count)
        return 0;
    size_t i = parts->count - 1;
    double high = parts->list[i];
    double lost = 0;
    while (i > 0 && is_zero(lost))
        high = two_sum(high, parts->list[--i], &lost);
    /* Half a unit was lost and more of the same sign follows: away from the
     * even neighbour. */
    if (i > 0 && !is_zero(lost) && (lost < 0) == (parts->list[i - 1] < 0)) {
        double doubled = lost * 2;
        double next = high + doubled;
        if (is_zero((next - high) - doubled))
            high = next;
    }
    return high;
}

/* PART scaled; what would vanish stays as the smallest number, because its
 * sign may still break a tie. */
static double scaled(double part)
{
    double small = part / SCALE;
    return is_zero(small) ? copysign(DBL_TRUE_MIN, part) : small;
}

/* All of SUM in the scaled domain, in ARENA. */
static struct exact_parts all_scaled(struct arena *arena,
                                     const struct exact_sum *sum)
{
    struct exact_parts all = {0};
    for (size_t i = 0; i < sum->large.count; i++)
        add_part(arena, &all, sum->large.list[i]);
    for (size_t i = 0; i < sum->parts.count; i++)
        add_part(arena, &all, scaled(sum->parts.list[i]));
    return all;
}

double exact_round(const struct exact_sum *sum)
{
    if (!is_zero(sum->special) || isnan(sum->special))
        return sum->special;
    if (!sum->large.count)
        return round_parts(&sum->parts);
    struct arena scratch = {0};
    struct exact_parts all = all_scaled(&scratch, sum);
    double rounded = round_parts(&all) * SCALE;
    arena_free(&scratch);
    return rounded;
}

/* Rounded, then the rest rounded, until nothing is left. */
static void encode_parts(struct buf *out, struct arena *arena,
                         struct exact_parts *rest)
{
    while (rest->count) {
        double part = round_parts(rest);
        buf_add_double(out, part);
        add_part(arena, rest, -part);
    }
}

/* The parts; where some are large, these in the scaled domain after a NaN. */
void exact_encode(struct buf *out, const struct exact_sum *sum)
{
    struct arena scratch = {0};
    struct exact_sum rest = {.arena = &scratch};
    exact_add_sum(&rest, sum);
    encode_parts(out, &scratch, &rest.parts);
    if (rest.large.count)
        buf_add_double(out, (double)NAN);
    encode_parts(out, &scratch, &rest.large);
    arena_free(&scratch);
}

bool exact_decode(struct exact_sum *sum, struct text bytes)
{
    struct reader in = reader_over(bytes.data, bytes.length);
    bool is_large = false;
    while (in.at < in.end && !in.failed) {
        double part = read_double(&in);
        if (isnan(part))
            is_large = true;
        else if (is_large)
            add_part(sum->arena, &sum->large, part);
        else
            exact_add(sum, part);
    }
    return !in.failed;
}
