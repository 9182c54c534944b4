/*
 * exact_sum.c: error-free accumulation, see stats.h. The rounding step follows
 * from the parts being non-overlapping: add from the largest down until
 * something is lost, then look at the next part to break a tie.
 */
#include "stats/stats.h"

#include <string.h>

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

static void push(struct exact_sum *sum, double part)
{
    if (sum->count == sum->capacity) {
        size_t capacity = sum->capacity ? sum->capacity * 2 : 4;
        double *grown = arena_array(sum->arena, capacity, sizeof *grown);
        if (sum->count)
            memcpy(grown, sum->parts, sum->count * sizeof *grown);
        sum->parts = grown;
        sum->capacity = capacity;
    }
    sum->parts[sum->count++] = part;
}

void exact_add(struct exact_sum *sum, double value)
{
    size_t kept = 0;
    for (size_t i = 0; i < sum->count; i++) {
        double lost;
        value = two_sum(value, sum->parts[i], &lost);
        if (!is_zero(lost))
            sum->parts[kept++] = lost;
    }
    sum->count = kept;
    if (!is_zero(value))
        push(sum, value);
}

void exact_add_sum(struct exact_sum *sum, const struct exact_sum *other)
{
    for (size_t i = 0; i < other->count; i++)
        exact_add(sum, other->parts[i]);
}

double exact_round(const struct exact_sum *sum)
{
    if (!sum->count)
        return 0;
    size_t i = sum->count - 1;
    double high = sum->parts[i];
    double lost = 0;
    while (i > 0 && is_zero(lost))
        high = two_sum(high, sum->parts[--i], &lost);
    /* Half a unit was lost and more of the same sign follows: away from the
     * even neighbour. */
    if (i > 0 && !is_zero(lost) && (lost < 0) == (sum->parts[i - 1] < 0)) {
        double doubled = lost * 2;
        double next = high + doubled;
        if (is_zero((next - high) - doubled))
            high = next;
    }
    return high;
}

void exact_encode(struct buf *out, const struct exact_sum *sum)
{
    struct arena scratch = {0};
    struct exact_sum rest = {.arena = &scratch};
    exact_add_sum(&rest, sum);
    while (rest.count) {
        double part = exact_round(&rest);
        buf_add_double(out, part);
        exact_add(&rest, -part);
    }
    arena_free(&scratch);
}

bool exact_decode(struct exact_sum *sum, struct text bytes)
{
    struct reader in = reader_over(bytes.data, bytes.length);
    sum->count = 0;
    while (in.at < in.end && !in.failed)
        exact_add(sum, read_double(&in));
    return !in.failed;
}
