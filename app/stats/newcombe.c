/*
 * newcombe.c: the difference of two shares. Each bound is as far from the
 * difference as the two Wilson bounds that make it are from their shares, by
 * Pythagoras.
 */
#include "stats/stats.h"

#include <math.h>

struct interval rate_difference_newcombe(double first_successes,
                                         double first_trials,
                                         double second_successes,
                                         double second_trials, double level)
{
    if (!(first_trials > 0) || !(second_trials > 0))
        return (struct interval){-1, 1};
    struct interval first = rate_wilson(first_successes, first_trials, level);
    struct interval second =
        rate_wilson(second_successes, second_trials, level);
    double a = first_successes / first_trials;
    double b = second_successes / second_trials;
    return (struct interval){(a - b) - hypot(a - first.low, second.high - b),
                             (a - b) + hypot(first.high - a, b - second.low)};
}
