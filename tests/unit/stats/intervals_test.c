/*
 * Vectors that were computed apart from the code, and values that textbooks
 * print.
 */
#include "stats/stats.h"

#include "harness.h"

#include <math.h>

static struct arena arena;

static bool near(double got, double wanted)
{
    return fabs(got - wanted) <= 1e-6;
}

static void check_interval(struct interval got, double low, double high)
{
    CHECK(near(got.low, low));
    CHECK(near(got.high, high));
}

TEST(normal_quantiles_are_those_of_the_tables)
{
    static const struct {
        double p, z;
    } rows[] = {{0.5, 0},
                {0.975, 1.959963985},
                {0.995, 2.575829304},
                {0.025, -1.959963985},
                {1e-6, -4.753424309},
                {0.84134474606854, 1}};
    EACH_ROW (row, rows) {
        CHECK(near(normal_quantile(row->p), row->z));
    }
}

TEST(shares_have_two_kinds_of_interval)
{
    static const struct {
        double successes, trials;
        struct interval wilson, sequence;
    } rows[] = {
        {47, 50, {.837829, .979385}, {.795841, .993701}},
        {20, 20, {.838875, 1}, {.826116, 1}},
        {0, 20, {0, .161125}, {0, .531584}},
        {488, 500, {.958523, .986219}, {.947414, .991845}},
        {0, 0, {0, 1}, {0, 1}},
    };
    EACH_ROW (row, rows) {
        check_interval(rate_wilson(row->successes, row->trials, 0.95),
                       row->wilson.low, row->wilson.high);
        check_interval(rate_sequence(rate_prior_success, row->successes,
                                     row->trials - row->successes, 0.05),
                       row->sequence.low, row->sequence.high);
    }
    check_interval(rate_sequence(rate_prior_success, 194, 6, 0.025), .912961739,
                   .994529318);
    check_interval(rate_sequence(rate_prior_success, 1960, 40, 0.025),
                   .966619202, .989270772);
}

TEST(evidence_against_a_share_is_as_computed_by_hand)
{
    static const struct {
        double p, successes, failures, log_evidence;
    } rows[] = {{.99, 47, 3, 1.784331564},
                {.98, 180, 20, 14.855101300},
                {.93, 180, 20, -.773920677},
                {.98, 194, 6, -1.233995497}};
    EACH_ROW (row, rows) {
        CHECK(near(rate_log_evidence(rate_prior_success, row->successes,
                                     row->failures, row->p),
                   row->log_evidence));
    }
    CHECK(isinf(rate_log_evidence(rate_prior_success, 3, 1, 1)));
    CHECK(isinf(rate_log_evidence(rate_prior_success, 3, 1, 0)));
    CHECK(isfinite(rate_log_evidence(rate_prior_success, 3, 0, 1)));
}

/* While the share is true, the evidence has a mean of exactly 1. */
TEST(evidence_is_a_martingale)
{
    static const double shares[] = {0.5, 0.9, 0.98};
    enum { TRIALS = 50 };
    EACH_ROW (share, shares) {
        double mean = 0;
        double probability = pow(1 - *share, TRIALS);
        for (int k = 0; k <= TRIALS; k++) {
            mean += probability * exp(rate_log_evidence(rate_prior_success, k,
                                                        TRIALS - k, *share));
            probability *=
                (double)(TRIALS - k) / (k + 1) * *share / (1 - *share);
        }
        CHECK(near(mean, 1));
    }
}

TEST(differences_of_shares_have_two_kinds_of_interval)
{
    static const struct {
        double measured, of, published, among;
        struct interval sequence, newcombe;
    } rows[] = {
        {47, 50, 990, 1000, {-.216796, .020299}, {-.152273, -.009748}},
        {194, 200, 1960, 2000, {-.076309, .027910}, {-.044303, .007676}},
        {970, 1000, 1960, 2000, {-.042167, .018621}, {-.023572, .001402}},
        {160, 200, 1960, 2000, {-.300039, -.080220}, {-.241084, -.129943}},
        {196, 200, 170, 200, {.006788, .247762}, {.077515, .187367}},
    };
    EACH_ROW (row, rows) {
        check_interval(rate_difference_sequence(
                           row->measured, row->of - row->measured,
                           row->published, row->among - row->published, 0.05),
                       row->sequence.low, row->sequence.high);
        check_interval(rate_difference_newcombe(row->measured, row->of,
                                                row->published, row->among,
                                                0.95),
                       row->newcombe.low, row->newcombe.high);
    }
    /* Newcombe's own example, to his four digits. */
    struct interval own = rate_difference_newcombe(56, 70, 48, 80, 0.95);
    CHECK(fabs(own.low - .0524) < 5e-5 && fabs(own.high - .3339) < 5e-5);
    check_interval(rate_difference_newcombe(0, 0, 3, 4, 0.95), -1, 1);
    struct interval few = rate_difference_sequence(9, 11, 495, 5, 0.05);
    check_interval(few, -.886900, -.139491);
}

TEST(quantiles_lie_between_ranks)
{
    static const struct {
        double level;
        size_t count;
        struct rank_interval once, sequence; /* low 0 and high 0: not given */
    } rows[] = {
        {.5, 20, {6, 15}, {0, 0}},
        {.5, 50, {18, 33}, {0, 0}},
        {.5, 100, {40, 61}, {35, 66}},
        {.5, 200, {86, 115}, {0, 0}},
        {.95, 20, {17, 0}, {0, 0}},
        {.95, 72, {64, 72}, {0, 0}},
        {.95, 100, {90, 100}, {0, 0}},
        {.95, 200, {184, 197}, {179, 198}},
        {.95, 500, {465, 485}, {458, 489}},
        {.5, 0, {0, 0}, {0, 0}},
        {.5, 3, {0, 0}, {0, 0}},
    };
    EACH_ROW (row, rows) {
        struct rank_interval once =
            quantile_ranks(row->count, row->level, 0.05);
        CHECK_EQ_INT(once.low, row->once.low);
        CHECK_EQ_INT(once.high, row->once.high);
        struct rank_interval sequence =
            quantile_sequence_ranks(row->count, row->level, 0.05);
        if (row->sequence.low) {
            CHECK_EQ_INT(sequence.low, row->sequence.low);
            CHECK_EQ_INT(sequence.high, row->sequence.high);
        }
        /* What may be looked at any time is never tighter. */
        CHECK(sequence.low <= once.low);
        CHECK(!sequence.high || (once.high && sequence.high >= once.high));
    }
}

/* A claim that is held against samples: a quantile's prior. */
TEST(claims_of_quantiles_are_held_against_counts)
{
    static const struct {
        double at_or_below, above, log_evidence;
    } rows[] = {{50, 10, 3.305135},
                {52, 8, 1.213519},
                {88, 12, 1.780252},
                {192, 8, -1.351778}};
    struct rate_prior prior = rate_prior_quantile(0.95);
    EACH_ROW (row, rows) {
        CHECK(near(rate_log_evidence(prior, row->at_or_below, row->above, .95),
                   row->log_evidence));
    }
    struct interval share = rate_sequence(prior, 50, 10, 0.05);
    CHECK(fabs(share.low - .6464) < 5e-5 && fabs(share.high - .9478) < 5e-5);
}

TEST(critical_values_are_those_of_the_tables)
{
    static const struct {
        size_t count;
        long critical;
    } rows[] = {{5, -1}, {6, 0}, {8, 3}, {10, 8}, {12, 13}, {20, 52}, {25, 89}};
    EACH_ROW (row, rows) {
        CHECK_EQ_INT(signed_rank_critical(row->count, 0.025), row->critical);
    }
    /* Where exact values end, the approximation is next to them. */
    long exact = signed_rank_critical(SIGNED_RANK_EXACT, 0.025);
    long next = signed_rank_critical(SIGNED_RANK_EXACT + 1, 0.025);
    CHECK(next > exact && next < exact + 110);
}

TEST(looks_share_what_may_go_wrong)
{
    static const struct {
        unsigned look;
        size_t least; /* differences that give an interval at all */
    } rows[] = {{1, 7}, {2, 9}, {3, 10}, {5, 11}, {7, 12}, {14, 14}, {30, 16}};
    EACH_ROW (row, rows) {
        double tail = alpha_of_look(0.05, row->look) / 2;
        CHECK(signed_rank_critical(row->least, tail) >= 0);
        CHECK_EQ_INT(signed_rank_critical(row->least - 1, tail), -1);
    }
    double sum = 0;
    for (unsigned look = 1; look <= 100000; look++)
        sum += alpha_of_look(0.05, look);
    CHECK(sum < 0.05 && sum > 0.0499);
}

TEST(paired_differences_have_a_middle_and_its_interval)
{
    static const double measured_ms[] = {812, 790, 845, 901, 770, 820,
                                         866, 910, 798, 835, 888, 860};
    static const double published_ms[] = {640, 655, 700, 690, 610, 668,
                                          702, 731, 640, 689, 700, 655};
    static const struct {
        double alpha;
        struct interval interval;
    } rows[] = {{.05, {.203644, .241124}},
                {.030396, {.201071, .243727}},
                {.007599, {.196207, .252423}},
                {.003377, {.189794, .255165}},
                {1e-6, {-INFINITY, INFINITY}}};
    double differences[12];
    for (size_t i = 0; i < 12; i++)
        differences[i] = log(measured_ms[i] / published_ms[i]);
    EACH_ROW (row, rows) {
        struct shift got = paired_shift(&arena, differences, 12, row->alpha);
        CHECK(near(got.estimate, .221448));
        if (isinf(row->interval.low))
            CHECK(isinf(got.interval.low) && isinf(got.interval.high));
        else
            check_interval(got.interval, row->interval.low, row->interval.high);
    }
    CHECK(isnan(paired_shift(&arena, differences, 0, 0.05).estimate));
    CHECK_EQ_DOUBLE(paired_shift(&arena, differences, 1, 0.05).estimate,
                    differences[0]);
    arena_free(&arena);
}

/* Printed tables (Abramowitz & Stegun 26.8), and exp(-x/2) for two degrees. */
TEST(the_chi_square_tail_is_that_of_the_tables)
{
    static const struct {
        double value;
        double freedom;
        double tail;
    } rows[] = {{3.841458821, 1, .05},   {6.634896601, 1, .01},
                {18.307038053, 10, .05}, {124.342113404, 100, .05},
                {2, 2, .367879441},      {0, 3, 1},
                {.003932140, 1, .95},    {67.327563305, 100, .995}};
    EACH_ROW (row, rows)
        CHECK(near(chi_square_tail(row->value, row->freedom), row->tail));
    CHECK(isnan(chi_square_tail(1, 0)));
}

TEST(the_f_tail_is_that_of_the_tables)
{
    static const struct {
        double value;
        double above;
        double below;
        double tail;
    } rows[] = {{3.708264820, 3, 10, .05},
                {3.514695184, 4, 20, .025},
                {161.4476388, 1, 1, .05},
                {1, 7, 7, .5},
                {0, 2, 3, 1}};
    EACH_ROW (row, rows)
        CHECK(near(f_tail(row->value, row->above, row->below), row->tail));
}
