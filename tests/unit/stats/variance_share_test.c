/*
 * The share of variance: a paper's figures, figures that were computed apart
 * by plain elimination, and how often its interval is right.
 */
#include "stats/stats.h"

#include "harness.h"

#include <math.h>

static struct arena arena;

/* Six subjects, four judges (Shrout and Fleiss 1979, table 2): ICC(1,1) is
 * .17, its interval -.13 to .72. */
TEST(a_share_of_variance_is_that_of_the_paper)
{
    static const double ratings[6][4] = {{9, 2, 5, 8},  {6, 1, 3, 2},
                                         {8, 4, 6, 8},  {7, 1, 2, 6},
                                         {10, 5, 6, 9}, {6, 2, 4, 7}};
    struct graded values[24];
    for (size_t i = 0; i < 24; i++)
        values[i] = (struct graded){ratings[i / 4][i % 4], i / 4, 0};
    struct variance_share got = variance_share(&arena, values, 24, 6, 1, .05);
    CHECK(fabs(got.share - .16574) < 1e-5);
    CHECK(fabs(got.interval.low - -.13295) < 1e-4);
    CHECK(fabs(got.interval.high - .72256) < 1e-4);
    /* Judges taken out, it is clear that subjects differ. */
    for (size_t i = 0; i < 24; i++)
        values[i].block = i % 4;
    got = variance_share(&arena, values, 24, 6, 4, .05);
    CHECK(got.interval.low > .3 && got.share > .6);
    CHECK(isnan(variance_share(&arena, values, 12, 3, 4, .05).share));
    arena_free(&arena);
}

/* Twenty runs, four prompts, five orchestrators, no cell like another. */
static const struct graded uneven[] = {
    {21, 0, 0}, {24, 1, 0}, {22, 0, 0}, {30, 2, 0}, {11, 0, 1},
    {15, 1, 1}, {14, 1, 1}, {22, 3, 1}, {35, 2, 2}, {34, 2, 2},
    {38, 3, 2}, {26, 0, 2}, {9, 1, 3},  {15, 2, 3}, {8, 1, 3},
    {18, 3, 3}, {17, 3, 3}, {40, 0, 4}, {44, 1, 4}, {41, 0, 4}};
enum { UNEVEN = sizeof uneven / sizeof *uneven };

static void check_close(double got, double wanted)
{
    if (!(fabs(got - wanted) < 1e-7))
        CHECK_EQ_DOUBLE(got, wanted);
}

TEST(a_share_in_an_uneven_design)
{
    struct variance_share got =
        variance_share(&arena, uneven, UNEVEN, 4, 5, .05);
    check_close(got.share, 0.983014369);
    check_close(got.interval.low, 0.927226942);
    check_close(got.interval.high, 0.998801000);
    /* Numbers that no value has, and a block with one run, change nothing. */
    struct graded more[UNEVEN + 1];
    for (size_t i = 0; i < UNEVEN; i++)
        more[i] = (struct graded){uneven[i].value, uneven[i].group + 1,
                                  uneven[i].block + 1};
    more[UNEVEN] = (struct graded){700, 6, 7};
    struct variance_share same =
        variance_share(&arena, more, UNEVEN + 1, 8, 9, .05);
    check_close(same.share, got.share);
    check_close(same.interval.low, got.interval.low);
    /* What a block has more or less of is not the prompts'. */
    for (size_t i = 0; i < UNEVEN; i++)
        more[i].value += 100 * (double)more[i].block;
    same = variance_share(&arena, more, UNEVEN + 1, 8, 9, .05);
    CHECK(fabs(same.share - got.share) < 1e-6);
    arena_free(&arena);
}

/* Where every orchestrator has prompts of its own nothing can be compared;
 * where two halves have no prompt in common each is compared within. */
TEST(a_share_where_prompts_do_not_meet)
{
    struct graded values[40];
    for (size_t i = 0; i < 40; i++)
        values[i] = (struct graded){(double)(i * 7 % 11), i / 10, i / 10};
    CHECK(isnan(variance_share(&arena, values, 40, 4, 4, .05).share));
    /* Two prompts in each of two halves: one comparison each, enough for two
     * degrees of freedom; the halves may differ by anything. */
    for (size_t i = 0; i < 40; i++) {
        size_t half = i / 20;
        values[i].group = 2 * half + i % 2;
        values[i].block = half;
        values[i].value += 30 * (double)(i % 2) + 1000 * (double)half;
    }
    struct variance_share got = variance_share(&arena, values, 40, 4, 2, .05);
    CHECK(got.share > .9 && got.share < 1);
    /* One half alone has but two prompts. */
    CHECK(isnan(variance_share(&arena, values, 20, 2, 1, .05).share));
    arena_free(&arena);
}

TEST(no_share_of_too_little_or_too_much)
{
    struct graded values[40];
    for (size_t i = 0; i < 40; i++)
        values[i] = (struct graded){20.1, i % 5, i % 3};
    CHECK(isnan(variance_share(&arena, values, 40, 5, 3, .05).share));
    CHECK(isnan(variance_share(&arena, values, 0, 0, 0, .05).share));
    for (size_t i = 0; i < 40; i++)
        values[i].value = (double)(i * 7 % 11);
    CHECK(!isnan(variance_share(&arena, values, 40, 5, 3, .05).share));
    CHECK(isnan(variance_share(&arena, values, 16, 5, 3, .05).share));
    CHECK(!isnan(
        variance_share(&arena, values, 40, VARIANCE_GROUPS_MAX, 3, .05).share));
    CHECK(isnan(
        variance_share(&arena, values, 40, VARIANCE_GROUPS_MAX + 1, 3, .05)
            .share));
    arena_free(&arena);
}

/* ---- coverage ------------------------------------------------------------ */

static uint64_t chance = 88172645463325252;

/* Uniform in [0, 1): xorshift64 (Marsaglia 2003). */
static double uniform(void)
{
    chance ^= chance << 13;
    chance ^= chance >> 7;
    chance ^= chance << 17;
    return (double)(chance >> 11) * 0x1p-53;
}

static double gauss(void)
{
    double radius = sqrt(-2 * log(1 - uniform()));
    return radius * cos(2 * 3.14159265358979323846 * uniform());
}

/* As the scheduler draws: every orchestrator has the same number of runs, each
 * with one of the prompts at random. */
static struct variance_share drawn(size_t orchestrators, size_t runs_each,
                                   size_t prompts, double share)
{
    enum { VALUES_MAX = 200, PROMPTS_MAX = 20 };
    static struct graded values[VALUES_MAX];
    double effects[PROMPTS_MAX];
    size_t count = orchestrators * runs_each;
    REQUIRE(count <= VALUES_MAX && prompts <= PROMPTS_MAX);
    for (size_t i = 0; i < prompts; i++)
        effects[i] = sqrt(share) * gauss();
    double level = 0;
    for (size_t i = 0; i < count; i++) {
        size_t prompt = (size_t)(uniform() * (double)prompts);
        if (i % runs_each == 0)
            level = 3 * gauss();
        values[i] =
            (struct graded){level + effects[prompt] + sqrt(1 - share) * gauss(),
                            prompt, i / runs_each};
    }
    return variance_share(&arena, values, count, prompts, orchestrators, .05);
}

TEST(the_interval_of_a_share_covers_it)
{
    enum { DRAWS = 300 };
    static const struct {
        size_t orchestrators, runs_each, prompts;
        double share;
    } rows[] = {{50, 2, 12, .5}, {50, 3, 12, .8}, {20, 4, 20, .8}};
    EACH_ROW (row, rows) {
        int covered = 0;
        double sum = 0;
        for (int i = 0; i < DRAWS; i++) {
            struct variance_share got = drawn(
                row->orchestrators, row->runs_each, row->prompts, row->share);
            covered += got.interval.low <= row->share &&
                       row->share <= got.interval.high;
            sum += got.share;
            arena_clear(&arena);
        }
        CHECK(covered >= DRAWS * 88 / 100);
        CHECK(fabs(sum / DRAWS - row->share) < .06);
    }
    arena_free(&arena);
}
