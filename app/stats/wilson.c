/*
 * wilson.c: Wilson's interval, and the normal quantile that it needs. The
 * quantile is found by halving, on the complementary error function: no table
 * of coefficients to trust, and fast enough for what asks.
 */
#include "stats/stats.h"

#include <math.h>

double normal_quantile(double p)
{
    enum { HALVINGS = 200 };
    double low = -40;
    double high = 40;
    for (int i = 0; i < HALVINGS; i++) {
        double middle = (low + high) / 2;
        if (erfc(-middle / M_SQRT2) / 2 < p)
            low = middle;
        else
            high = middle;
    }
    return (low + high) / 2;
}

struct interval rate_wilson(double successes, double trials, double level)
{
    if (!(trials > 0))
        return (struct interval){0, 1};
    double z = normal_quantile((1 + level) / 2);
    double share = successes / trials;
    double weight = z * z / trials;
    double middle = share + weight / 2;
    double half =
        z * sqrt(share * (1 - share) / trials + weight / (4 * trials));
    return (struct interval){fmax(0, (middle - half) / (1 + weight)),
                             fmin(1, (middle + half) / (1 + weight))};
}
