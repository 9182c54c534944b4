/*
 * rate_sequence.c: intervals of shares that stay valid however often one looks
 * and whenever one stops. The prior is mixed over, so the evidence has a
 * closed form in Beta functions; it is convex in p with its least value at the
 * observed share, so that each bound is found by halving on its own side.
 */
#include "stats/stats.h"

#include <math.h>

const struct rate_prior rate_prior_success = {5, 0.5};

struct rate_prior rate_prior_quantile(double level)
{
    enum { STRENGTH = 10 };
    return (struct rate_prior){STRENGTH * level, STRENGTH * (1 - level)};
}

static double log_gamma(double x)
{
    int sign; /* lgamma() would keep it in a global variable */
    return lgamma_r(x, &sign);
}

static double log_beta(double a, double b)
{
    return log_gamma(a) + log_gamma(b) - log_gamma(a + b);
}

/* COUNT ln P, where nothing seen says nothing, also about P = 0. */
static double log_power(double count, double p)
{
    return count > 0 ? count * log(p) : 0;
}

double rate_log_evidence(struct rate_prior prior, double successes,
                         double failures, double p)
{
    return log_beta(prior.successes + successes, prior.failures + failures) -
           log_beta(prior.successes, prior.failures) - log_power(successes, p) -
           log_power(failures, 1 - p);
}

/* The edge between INSIDE, a share that is kept, and OUTSIDE, which may be. */
static double edge(struct rate_prior prior, double successes, double failures,
                   double limit, double inside, double outside)
{
    enum { HALVINGS = 100 };
    if (rate_log_evidence(prior, successes, failures, outside) < limit)
        return outside;
    for (int i = 0; i < HALVINGS; i++) {
        double middle = (inside + outside) / 2;
        if (rate_log_evidence(prior, successes, failures, middle) < limit)
            inside = middle;
        else
            outside = middle;
    }
    return inside;
}

struct interval rate_sequence(struct rate_prior prior, double successes,
                              double failures, double alpha)
{
    double trials = successes + failures;
    if (!(trials > 0))
        return (struct interval){0, 1};
    double share = successes / trials;
    double limit = -log(alpha);
    return (struct interval){edge(prior, successes, failures, limit, share, 0),
                             edge(prior, successes, failures, limit, share, 1)};
}

struct interval rate_difference_sequence(double measured_successes,
                                         double measured_failures,
                                         double published_successes,
                                         double published_failures,
                                         double alpha)
{
    struct interval measured = rate_sequence(
        rate_prior_success, measured_successes, measured_failures, alpha / 2);
    struct interval published = rate_sequence(
        rate_prior_success, published_successes, published_failures, alpha / 2);
    return (struct interval){measured.low - published.high,
                             measured.high - published.low};
}
