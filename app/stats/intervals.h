/*
 * intervals.h: how sure a figure is. Part of stats.h.
 *
 *     wilson.c          a share, looked at once
 *     newcombe.c        the difference of two shares, looked at once
 *     rate_sequence.c   a share or a difference, looked at as often as one
 *                       likes: what verdicts rest on
 *     quantile_ranks.c  a quantile, by the ranks of samples
 *     signed_rank.c     the middle of paired differences
 *     variance_share.c  how much of a variance groups explain
 *
 * All are exact or conservative, need no random numbers, and give the same
 * bits for the same input. LEVEL is the coverage (0.95), ALPHA what may go
 * wrong (0.05).
 */
#ifndef ASSAY_STATS_INTERVALS_H
#define ASSAY_STATS_INTERVALS_H

#include "base/arena.h"

#include <stddef.h>

struct interval {
    double low;
    double high;
};

/* ---- shares, looked at once ---------------------------------------------- */

/* The value below which a standard normal variable lies with probability P,
 * 0 < P < 1, to the last digits. */
double normal_quantile(double p);

/*
 * Wilson's score interval of a share (Wilson 1927; Brown, Cai and DasGupta
 * 2001 for why not the textbook's). Counts may be fractions. [0, 1] without
 * any trials.
 */
struct interval rate_wilson(double successes, double trials, double level);

/*
 * The difference of two independent shares, first less second, from their
 * Wilson intervals (Newcombe 1998, method 10). [-1, 1] where one has no trials.
 */
struct interval rate_difference_newcombe(double first_successes,
                                         double first_trials,
                                         double second_successes,
                                         double second_trials, double level);

/* ---- shares, looked at any time ------------------------------------------ */

/* What is thought of a share beforehand, as a Beta distribution: fixed for
 * good, because an interval holds only if it was not chosen by the data. */
struct rate_prior {
    double successes;
    double failures;
};

/* For shares of success, which live near 1. */
extern const struct rate_prior rate_prior_success; /* Beta(5, 1/2) */
/* For the share of values at or below the LEVEL-quantile. */
struct rate_prior rate_prior_quantile(double level); /* Beta(10q, 10(1-q)) */

/*
 * ln E(p), the evidence against share P: E is the likelihood of what was seen
 * under the prior, over that under P. While P is true, E is a martingale of
 * mean 1, so it exceeds 1/alpha at any time with a probability of at most
 * alpha (Ville 1939; Robbins 1970; Howard et al. 2021). Counts may be
 * fractions. Infinite where P makes what was seen impossible.
 */
double rate_log_evidence(struct rate_prior prior, double successes,
                         double failures, double p);

/* All shares with E(p) < 1/ALPHA: covers the true one at all times at once. */
struct interval rate_sequence(struct rate_prior prior, double successes,
                              double failures, double alpha);

/* Measured less published, each by its sequence at half of ALPHA: holds under
 * any dependence between them, at any time. */
struct interval rate_difference_sequence(double measured_successes,
                                         double measured_failures,
                                         double published_successes,
                                         double published_failures,
                                         double alpha);

/* ---- quantiles ----------------------------------------------------------- */

/* Ranks from 1 of two ordered samples between which a quantile lies; 0 for one
 * that does not exist: then the quantile is unbounded on that side. */
struct rank_interval {
    size_t low;
    size_t high;
};

/* Of COUNT samples, looked at once: equal tails of the binomial distribution,
 * without assuming a shape of the samples' own. */
struct rank_interval quantile_ranks(size_t count, double level, double alpha);
/* The same, looked at any time. */
struct rank_interval quantile_sequence_ranks(size_t count, double level,
                                             double alpha);

/* ---- paired differences -------------------------------------------------- */

/* What may go wrong at look 1, 2, ... so that all looks together are at ALPHA:
 * 6 alpha / (pi k)^2. */
double alpha_of_look(double alpha, unsigned look);

struct shift {
    double estimate; /* the Hodges-Lehmann estimate; NaN without differences */
    struct interval interval;
};

/*
 * Where the COUNT differences, symmetric about it, have their middle: the
 * median of all means of two of them (Hodges and Lehmann 1963), with the
 * interval that Wilcoxon's signed-rank test does not reject (1945). Exact up
 * to SIGNED_RANK_EXACT differences, beyond by the normal approximation.
 * Infinite on both sides where they are too few for ALPHA. Takes memory for
 * COUNT (COUNT + 1) / 2 doubles from ARENA.
 */
enum { SIGNED_RANK_EXACT = 200 };
struct shift paired_shift(struct arena *arena, const double *differences,
                          size_t count, double alpha);

/* The largest C for which a signed-rank sum of COUNT differences is at most C
 * with a probability of at most TAIL; -1 where there is none. */
long signed_rank_critical(size_t count, double tail);

/* ---- tests --------------------------------------------------------------- */

/* P(X >= VALUE) for X of the chi-square distribution with FREEDOM degrees of
 * freedom; NaN without any. */
double chi_square_tail(double value, double freedom);

/* The same of the F distribution with ABOVE and BELOW degrees of freedom. */
double f_tail(double value, double above, double below);
/* The value that is passed with probability TAIL. */
double f_quantile(double tail, double above, double below);

/* ---- shares of variance -------------------------------------------------- */

/* A value, of a group (a prompt, say) and a block (an orchestrator, say), both
 * numbered from 0. */
struct graded {
    double value;
    size_t group;
    size_t block;
};

struct variance_share {
    double share;             /* NaN where there is too little */
    struct interval interval; /* both may lie below 0: then none can be told */
};

/*
 * The share of variance within blocks that groups explain: s_g^2 / (s_g^2 +
 * s_e^2), the intraclass correlation of random groups beside fixed blocks. It
 * is fitted for both at once (Henderson 1953, method 3; Searle, Casella and
 * McCulloch 1992), so that groups may be spread over blocks in any way and
 * number; its expectation is not raised by chance as that of a plain share of
 * squares is. The interval is that of the F distribution (Shrout and Fleiss
 * 1979) with the mean size n0: exact for normal values where the design is
 * balanced, near its level elsewhere. No share where fewer than three groups
 * can be compared within blocks, where there are fewer than ten degrees of
 * freedom left, nothing that varies, or more than VARIANCE_GROUPS_MAX groups.
 * The same values in the same order give the same bits. Takes memory for
 * GROUPS^2 doubles from ARENA.
 */
enum { VARIANCE_GROUPS_MAX = 512 };
struct variance_share variance_share(struct arena *arena,
                                     const struct graded *values, size_t count,
                                     size_t groups, size_t blocks,
                                     double alpha);

#endif
