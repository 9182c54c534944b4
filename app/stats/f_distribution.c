/*
 * f_distribution.c: the F distribution. Its tail is the incomplete beta
 * function, by its continued fraction (Abramowitz & Stegun 26.5.8 and 26.6.2,
 * Lentz's method); quantiles by bisection.
 */
#include "stats/intervals.h"

#include <math.h>

#define CLOSE 1e-15
#define TINY 1e-300

enum { TERMS_MAX = 10000, HALVINGS = 100 };

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

double f_quantile(double tail, double above, double below)
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
