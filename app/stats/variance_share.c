/*
 * variance_share.c: see variance_share in intervals.h.
 *
 * The F distribution's tail is the incomplete beta function, by its continued
 * fraction (Abramowitz & Stegun 26.5.8 and 26.6.2, Lentz's method); quantiles
 * by bisection.
 */
#include "stats/intervals.h"

#include <math.h>

#define CLOSE 1e-15
#define TINY 1e-300

enum {
    TERMS_MAX = 10000,
    HALVINGS = 200,
    LEAST_GROUPS = 3,
    LEAST_FREEDOM = 10
};

static double kept_from_zero(double value)
{
    return fabs(value) < TINY ? TINY : value;
}

/* Of the continued fraction's coefficient NUMBER, from 1. */
static double coefficient(double a, double b, double x, int number)
{
    int m = number / 2;
    if (number % 2)
        return -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
    return m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
}

static double beta_fraction(double a, double b, double x)
{
    double c = 1;
    double d = 0;
    double fraction = 1;
    double step = 0;
    for (int i = 1; i < TERMS_MAX && fabs(step - 1) > CLOSE; i++) {
        double of = coefficient(a, b, x, i);
        d = 1 / kept_from_zero(1 + of * d);
        c = kept_from_zero(1 + of / c);
        step = c * d;
        fraction *= step;
    }
    return 1 / fraction;
}

static double log_gamma(double x)
{
    int sign;
    return lgamma_r(x, &sign);
}

/* I_x(a, b); by its mirror image where the fraction would be slow. */
static double incomplete_beta(double a, double b, double x)
{
    if (x <= 0 || x >= 1)
        return x <= 0 ? 0 : 1;
    double factor = exp(log_gamma(a + b) - log_gamma(a) - log_gamma(b) +
                        a * log(x) + b * log1p(-x));
    if (x < (a + 1) / (a + b + 2))
        return factor / a * beta_fraction(a, b, x);
    return 1 - factor / b * beta_fraction(b, a, 1 - x);
}

double f_tail(double value, double above, double below)
{
    if (!(above > 0) || !(below > 0) || isnan(value))
        return (double)NAN;
    return incomplete_beta(below / 2, above / 2,
                           below / (below + above * fmax(value, 0)));
}

/* The value that is passed with probability TAIL. */
static double f_quantile(double tail, double above, double below)
{
    double low = 0;
    double high = 1;
    while (f_tail(high, above, below) > tail && high < 1e12)
        high *= 2;
    for (int i = 0; i < HALVINGS; i++) {
        double middle = (low + high) / 2;
        if (f_tail(middle, above, below) > tail)
            low = middle;
        else
            high = middle;
    }
    return (low + high) / 2;
}

/* ---- the share ----------------------------------------------------------- */

/* What is left of each value without the mean of its block. */
static double *center(struct arena *arena, const struct graded *values,
                      size_t count, size_t blocks)
{
    double *sums = arena_array(arena, blocks, sizeof *sums);
    double *left = arena_array(arena, count, sizeof *left);
    size_t *counts = arena_array(arena, blocks, sizeof *counts);
    for (size_t i = 0; i < count; i++) {
        sums[values[i].block] += values[i].value;
        counts[values[i].block]++;
    }
    for (size_t i = 0; i < count; i++)
        left[i] = values[i].value -
                  sums[values[i].block] / (double)counts[values[i].block];
    return left;
}

struct squares {
    double between;
    double within;
    double of_sizes; /* sum of the squares of the groups' sizes */
    size_t groups;   /* that have any */
};

static struct squares add_up(struct arena *arena, const struct graded *values,
                             const double *left, size_t count, size_t groups)
{
    struct squares squares = {0};
    double *means = arena_array(arena, groups, sizeof *means);
    double *sizes = arena_array(arena, groups, sizeof *sizes);
    for (size_t i = 0; i < count; i++) {
        double size = ++sizes[values[i].group];
        means[values[i].group] += (left[i] - means[values[i].group]) / size;
    }
    for (size_t i = 0; i < groups; i++) {
        squares.groups += sizes[i] > 0;
        squares.between += sizes[i] * means[i] * means[i];
        squares.of_sizes += sizes[i] * sizes[i];
    }
    for (size_t i = 0; i < count; i++) {
        double off = left[i] - means[values[i].group];
        squares.within += off * off;
    }
    return squares;
}

static double share_of(double ratio, double size)
{
    return (ratio - 1) / (ratio + size - 1);
}

struct variance_share variance_share(struct arena *arena,
                                     const struct graded *values, size_t count,
                                     size_t groups, size_t blocks, double alpha)
{
    const struct variance_share none = {(double)NAN,
                                        {(double)NAN, (double)NAN}};
    double *left = center(arena, values, count, blocks);
    struct squares squares = add_up(arena, values, left, count, groups);
    double n = (double)count;
    double above = (double)squares.groups - 1;
    double below = n - (double)squares.groups - ((double)blocks - 1);
    if (squares.groups < LEAST_GROUPS || below < LEAST_FREEDOM ||
        !(squares.within > 0))
        return none;
    double size = (n - squares.of_sizes / n) / above;
    double ratio = squares.between / above / (squares.within / below);
    double high = f_quantile(alpha / 2, above, below);
    double low = f_quantile(1 - alpha / 2, above, below);
    return (struct variance_share){
        share_of(ratio, size),
        {share_of(ratio / high, size), share_of(ratio / low, size)}};
}
