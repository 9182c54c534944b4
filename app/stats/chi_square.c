/*
 * chi_square.c: the upper tail of the chi-square distribution, by the
 * incomplete gamma function: its series (Abramowitz & Stegun 6.5.29) below the
 * mean, its continued fraction (6.5.31, by Lentz's method) above.
 */
#include "stats/intervals.h"

#include <math.h>

#define CLOSE 1e-15
#define TINY 1e-300

enum { TERMS_MAX = 100000 };

static double log_factor(double a, double x)
{
    int sign;
    return a * log(x) - x - lgamma_r(a, &sign);
}

static double lower_by_series(double a, double x)
{
    double term = 1 / a;
    double sum = term;
    for (int i = 1; i < TERMS_MAX && term > sum * CLOSE; i++) {
        term *= x / (a + i);
        sum += term;
    }
    return sum * exp(log_factor(a, x));
}

static double kept_from_zero(double value)
{
    return fabs(value) < TINY ? TINY : value;
}

static double upper_by_fraction(double a, double x)
{
    double b = x + 1 - a;
    double c = 1 / TINY;
    double d = 1 / kept_from_zero(b);
    double fraction = d;
    double step = 0;
    for (int i = 1; i < TERMS_MAX && fabs(step - 1) > CLOSE; i++) {
        double numerator = -i * (i - a);
        b += 2;
        d = 1 / kept_from_zero(numerator * d + b);
        c = kept_from_zero(b + numerator / c);
        step = d * c;
        fraction *= step;
    }
    return fraction * exp(log_factor(a, x));
}

double chi_square_tail(double value, double freedom)
{
    double a = freedom / 2;
    double x = value / 2;
    if (!(freedom > 0) || isnan(value))
        return (double)NAN;
    if (x <= 0)
        return 1;
    return x < a + 1 ? 1 - lower_by_series(a, x) : upper_by_fraction(a, x);
}
