/*
 * quantile_ranks.c: the number of samples at or below the q-quantile is
 * binomial with share q, whatever the samples' distribution. So the quantile
 * lies between two of the ordered samples: those whose ranks such a number
 * leaves possible. K samples at or below it means that it lies from sample K
 * up to sample K + 1.
 */
#include "stats/stats.h"

#include <math.h>

/* ln of the probability of K of COUNT. */
static double log_binomial(size_t count, size_t k, double share)
{
    int sign;
    double n = (double)count;
    double of = (double)k;
    double rest = n - of;
    return lgamma_r(n + 1, &sign) - lgamma_r(of + 1, &sign) -
           lgamma_r(rest + 1, &sign) + (k ? of * log(share) : 0) +
           (k < count ? rest * log1p(-share) : 0);
}

struct rank_interval quantile_ranks(size_t count, double level, double alpha)
{
    struct rank_interval ranks = {0, 0};
    double below = 0;
    for (size_t k = 0; k <= count; k++) {
        below += exp(log_binomial(count, k, level));
        if (below > alpha / 2) {
            ranks.low = k;
            break;
        }
    }
    double above = 0;
    for (size_t k = count + 1; k-- > 0;) {
        above += exp(log_binomial(count, k, level));
        if (above > alpha / 2) {
            ranks.high = k < count ? k + 1 : 0;
            break;
        }
    }
    return ranks;
}

struct rank_interval quantile_sequence_ranks(size_t count, double level,
                                             double alpha)
{
    struct rate_prior prior = rate_prior_quantile(level);
    double limit = -log(alpha);
    size_t low = 0;
    while (low < count &&
           rate_log_evidence(prior, (double)low, (double)(count - low),
                             level) >= limit)
        low++;
    size_t high = count;
    while (high > low &&
           rate_log_evidence(prior, (double)high, (double)(count - high),
                             level) >= limit)
        high--;
    return (struct rank_interval){low, high < count ? high + 1 : 0};
}
