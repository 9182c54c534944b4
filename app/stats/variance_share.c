/*
 * variance_share.c: see variance_share in intervals.h.
 *
 * Two-way fit by Henderson's third method (Henderson 1953; Searle, Casella and
 * McCulloch 1992, chapter 5): with N the runs of each group in each block, n_g
 * and n_b its sums, the equations of groups after blocks are
 *
 *     C x = q,  C = diag(n_g) - N diag(1 / n_b) N',
 *
 * where q holds each group's sum of values less their block's mean. Groups,
 * adjusted for blocks, have the sum of squares q'x on rank(C) degrees of
 * freedom, of expectation tr(C) s_g^2 + rank(C) s_e^2; what the fit leaves has
 * count - blocks - rank(C). So n0 = tr(C) / rank(C) stands where a balanced
 * design has its size.
 *
 * C is the Laplacian of a graph: groups that share a block are joined. Its rank
 * is exactly the groups less the connected parts, so nothing is guessed from
 * small pivots: the first group of each part is fixed at 0, and what remains is
 * positive definite (Cholesky). A group that is alone in its blocks says
 * nothing, and costs nothing.
 *
 * Turned down: centring by block and then taking means by group. In a design
 * that is not crossed and balanced the means of blocks take the groups'
 * effects with them: with two runs a block, a share of 0.5 came out as 0.08.
 * The exact interval for unbalanced designs (Wald 1940; Harville and Fenech
 * 1985) needs all eigenvalues of C, to gain a few hundredths of coverage.
 */
#include "stats/intervals.h"

#include <math.h>

/* Variance below this share of the values' squares is their rounding. */
#define NOISE 1e-24

enum { LEAST_RANK = 2, LEAST_FREEDOM = 10 };

/* Values of one block stand together: those at ORDER[starts[b]] and on. */
struct design {
    const struct graded *values;
    size_t count;
    size_t groups;
    size_t blocks;
    size_t *order;
    size_t *starts; /* blocks + 1 of them */
};

static void sort_by_block(struct arena *arena, struct design *design)
{
    size_t *starts =
        arena_array(arena, design->blocks + 2, sizeof *design->starts);
    design->order = arena_array(arena, design->count, sizeof *design->order);
    for (size_t i = 0; i < design->count; i++)
        starts[design->values[i].block + 2]++;
    for (size_t i = 0; i < design->blocks; i++)
        starts[i + 2] += starts[i + 1];
    for (size_t i = 0; i < design->count; i++)
        design->order[starts[design->values[i].block + 1]++] = i;
    design->starts = starts;
}

/* The mean over block B of what each value has in PER_GROUP, or of the values
 * themselves where that is null. */
static double block_mean(const struct design *design, size_t b,
                         const double *per_group)
{
    double sum = 0;
    size_t end = design->starts[b + 1];
    for (size_t i = design->starts[b]; i < end; i++) {
        const struct graded *one = &design->values[design->order[i]];
        sum += per_group ? per_group[one->group] : one->value;
    }
    return sum / (double)(end - design->starts[b]);
}

/* ---- the equations ------------------------------------------------------- */

struct equations {
    double *matrix;  /* C, groups x groups */
    double *right;   /* q */
    double *effects; /* x, in the end */
    size_t *part;    /* of each group: another of its part; itself if first */
    size_t rank;
    double trace;
};

static size_t first_of_part(const struct equations *equations, size_t group)
{
    while (equations->part[group] != group)
        group = equations->part[group];
    return group;
}

static void join(struct equations *equations, size_t a, size_t b)
{
    a = first_of_part(equations, a);
    b = first_of_part(equations, b);
    if (a == b)
        return;
    equations->rank++;
    if (a < b)
        equations->part[b] = a;
    else
        equations->part[a] = b;
}

/* Room for one block: which groups it has, and how many runs of each. */
struct block_runs {
    size_t *groups;
    double *runs; /* by group; all 0 in between */
};

static void add_block(struct equations *equations, const struct design *design,
                      size_t b, const struct block_runs *here)
{
    double mean = block_mean(design, b, NULL);
    double size = (double)(design->starts[b + 1] - design->starts[b]);
    size_t found = 0;
    for (size_t i = design->starts[b]; i < design->starts[b + 1]; i++) {
        const struct graded *one = &design->values[design->order[i]];
        equations->right[one->group] += one->value - mean;
        if (here->runs[one->group]++ == 0)
            here->groups[found++] = one->group;
    }
    for (size_t i = 0; i < found; i++) {
        size_t at = here->groups[i];
        double *row = equations->matrix + at * design->groups;
        row[at] += here->runs[at];
        for (size_t k = 0; k < found; k++)
            row[here->groups[k]] -=
                here->runs[at] * here->runs[here->groups[k]] / size;
        join(equations, here->groups[0], at);
    }
    for (size_t i = 0; i < found; i++)
        here->runs[here->groups[i]] = 0;
}

static struct equations set_up(struct arena *arena, const struct design *design)
{
    size_t groups = design->groups;
    struct equations equations = {
        .matrix = arena_array(arena, groups * groups, sizeof(double)),
        .right = arena_array(arena, groups, sizeof(double)),
        .effects = arena_array(arena, groups, sizeof(double)),
        .part = arena_array(arena, groups, sizeof(size_t))};
    const struct block_runs here = {
        .groups = arena_array(arena, groups, sizeof(size_t)),
        .runs = arena_array(arena, groups, sizeof(double))};
    for (size_t i = 0; i < groups; i++)
        equations.part[i] = i;
    for (size_t b = 0; b < design->blocks; b++)
        add_block(&equations, design, b, &here);
    for (size_t i = 0; i < groups; i++)
        equations.trace += equations.matrix[i * groups + i];
    return equations;
}

/* L of C = L L', over the FREE groups, in the place of C's lower half. */
static void factorise(double *matrix, size_t width, const size_t *free_groups,
                      size_t count)
{
    for (size_t i = 0; i < count; i++) {
        double *row = matrix + free_groups[i] * width;
        for (size_t k = 0; k <= i; k++) {
            const double *other = matrix + free_groups[k] * width;
            double left = row[free_groups[k]];
            for (size_t m = 0; m < k; m++)
                left -= row[free_groups[m]] * other[free_groups[m]];
            row[free_groups[k]] =
                k == i ? sqrt(left) : left / other[free_groups[k]];
        }
    }
}

/* Sets the effects: a solution of C x = q. */
static void solve(struct arena *arena, struct equations *equations,
                  size_t groups)
{
    size_t *at = arena_array(arena, groups, sizeof *at);
    const double *matrix = equations->matrix;
    double *x = equations->effects;
    size_t count = 0;
    for (size_t i = 0; i < groups; i++)
        if (equations->part[i] != i)
            at[count++] = i;
    factorise(equations->matrix, groups, at, count);
    for (size_t i = 0; i < count; i++) {
        x[at[i]] = equations->right[at[i]];
        for (size_t k = 0; k < i; k++)
            x[at[i]] -= matrix[at[i] * groups + at[k]] * x[at[k]];
        x[at[i]] /= matrix[at[i] * groups + at[i]];
    }
    for (size_t i = count; i-- > 0;) {
        for (size_t k = i + 1; k < count; k++)
            x[at[i]] -= matrix[at[k] * groups + at[i]] * x[at[k]];
        x[at[i]] /= matrix[at[i] * groups + at[i]];
    }
}

/* ---- the share ----------------------------------------------------------- */

/* The sum of squares that the fit leaves; NaN where it is nothing but
 * rounding. */
static double left_over(const struct design *design, const double *effects)
{
    double within = 0;
    double all = 0;
    for (size_t b = 0; b < design->blocks; b++) {
        double mean = block_mean(design, b, NULL);
        double effect = block_mean(design, b, effects);
        for (size_t i = design->starts[b]; i < design->starts[b + 1]; i++) {
            const struct graded *one = &design->values[design->order[i]];
            double off = one->value - mean - (effects[one->group] - effect);
            within += off * off;
            all += one->value * one->value;
        }
    }
    return within > NOISE * all ? within : (double)NAN;
}

static double share_of(double ratio, double size)
{
    return (ratio - 1) / (ratio + size - 1);
}

static struct variance_share shares(double ratio, double size, double above,
                                    double below, double alpha)
{
    double high = f_quantile(alpha / 2, above, below);
    double low = f_quantile(1 - alpha / 2, above, below);
    return (struct variance_share){
        share_of(ratio, size),
        {share_of(ratio / high, size), share_of(ratio / low, size)}};
}

static size_t blocks_with_values(const struct design *design)
{
    size_t found = 0;
    for (size_t b = 0; b < design->blocks; b++)
        found += design->starts[b + 1] > design->starts[b];
    return found;
}

struct variance_share variance_share(struct arena *arena,
                                     const struct graded *values, size_t count,
                                     size_t groups, size_t blocks, double alpha)
{
    const struct variance_share none = {(double)NAN,
                                        {(double)NAN, (double)NAN}};
    struct design design = {values, count, groups, blocks, NULL, NULL};
    if (groups > VARIANCE_GROUPS_MAX)
        return none;
    sort_by_block(arena, &design);
    struct equations equations = set_up(arena, &design);
    double above = (double)equations.rank;
    double below = (double)count - (double)blocks_with_values(&design) - above;
    if (equations.rank < LEAST_RANK || below < LEAST_FREEDOM)
        return none;
    solve(arena, &equations, groups);
    double between = 0;
    for (size_t i = 0; i < groups; i++)
        between += equations.effects[i] * equations.right[i];
    double within = left_over(&design, equations.effects);
    if (isnan(within))
        return none;
    return shares(between / above / (within / below), equations.trace / above,
                  above, below, alpha);
}
