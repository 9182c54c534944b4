/*
 * signed_rank.c: the middle of paired differences. A signed-rank sum of
 * differences d counts the means (d_i + d_j) / 2, i <= j, that are above 0; so
 * the values that the test does not reject are those between two of the
 * ordered means, and no search is needed.
 */
#include "stats/stats.h"

#include <math.h>
#include <stdlib.h>

double alpha_of_look(double alpha, unsigned look)
{
    return 6 * alpha / (M_PI * M_PI * look * look);
}

/* The probabilities of the sums of ranks 1 ... COUNT: every rank is in the sum
 * or not, each with a probability of a half. Caller frees. */
static double *sum_probabilities(size_t count)
{
    double *probability =
        memory_zeroed(count * (count + 1) / 2 + 1, sizeof *probability);
    size_t highest = 0;
    probability[0] = 1;
    for (size_t rank = 1; rank <= count; rank++) {
        highest += rank;
        for (size_t sum = highest + 1; sum-- > 0;) {
            double with = sum >= rank ? probability[sum - rank] : 0;
            probability[sum] = (probability[sum] + with) / 2;
        }
    }
    return probability;
}

static long exact_critical(size_t count, double tail)
{
    double *probability = sum_probabilities(count);
    double below = 0;
    long sum = 0;
    while (below <= tail && sum <= (long)(count * (count + 1) / 2))
        below += probability[sum++];
    free(probability);
    return sum - 2; /* the last one added was too much, and one is ahead */
}

static long normal_critical(size_t count, double tail)
{
    double n = (double)count;
    double mean = n * (n + 1) / 4;
    double deviation = sqrt(n * (n + 1) * (2 * n + 1) / 24);
    return (long)floor(mean + normal_quantile(tail) * deviation - 0.5);
}

long signed_rank_critical(size_t count, double tail)
{
    return count <= SIGNED_RANK_EXACT ? exact_critical(count, tail)
                                      : normal_critical(count, tail);
}

static int ascending(const void *a, const void *b)
{
    double left = *(const double *)a;
    double right = *(const double *)b;
    return (left > right) - (left < right);
}

/* All means of two differences, each with itself, too; in order. */
static double *means_of_pairs(struct arena *arena, const double *differences,
                              size_t count, size_t *mean_count)
{
    double *means = arena_array(arena, count * (count + 1) / 2, sizeof *means);
    size_t filled = 0;
    for (size_t i = 0; i < count; i++)
        for (size_t j = i; j < count; j++)
            means[filled++] = (differences[i] + differences[j]) / 2;
    qsort(means, filled, sizeof *means, ascending);
    *mean_count = filled;
    return means;
}

struct shift paired_shift(struct arena *arena, const double *differences,
                          size_t count, double alpha)
{
    struct shift shift = {(double)NAN, {-(double)INFINITY, (double)INFINITY}};
    if (count == 0)
        return shift;
    size_t total;
    double *means = means_of_pairs(arena, differences, count, &total);
    shift.estimate = (means[(total - 1) / 2] + means[total / 2]) / 2;
    long critical = signed_rank_critical(count, alpha / 2);
    if (critical >= 0 && (size_t)critical < total / 2) {
        shift.interval.low = means[critical];
        shift.interval.high = means[total - 1 - (size_t)critical];
    }
    return shift;
}
