/*
 * prompt_share.c: see prompt_share.h.
 */
#include "rollup/prompt_share.h"

#include "base/index.h"
#include "stats/stats.h"

#include <math.h>
#include <stdlib.h>

#define ALPHA 0.05

/* clang-format off */
static const struct field share_list[] = {
    FIELD(TEXT, prompt_share, workflow),
    FIELD(TEXT, prompt_share, model_id),
    FIELD(INT, prompt_share, runs),
    FIELD(INT, prompt_share, prompts),
    FIELD(INT, prompt_share, orchestrators),
    FIELD(DOUBLE, prompt_share, output_fps_share),
    FIELD(DOUBLE, prompt_share, output_fps_share_low),
    FIELD(DOUBLE, prompt_share, output_fps_share_high),
    FIELD(DOUBLE, prompt_share, ptff_ms_share),
    FIELD(DOUBLE, prompt_share, ptff_ms_share_low),
    FIELD(DOUBLE, prompt_share, ptff_ms_share_high),
};
/* clang-format on */

const struct fields prompt_share_fields = FIELDS(share_list, 0);

static bool counts(const struct run *run)
{
    return text_is(run->kind, RUN_KIND_LIVE) && run->prompt_id.data &&
           text_is(run->outcome, outcome_name(OUTCOME_OK));
}

/* By workflow, then model. */
static int compare_runs(const void *left, const void *right)
{
    const struct run *a = *(const struct run *const *)left;
    const struct run *b = *(const struct run *const *)right;
    int order = text_compare(a->workflow, b->workflow);
    return order ? order : text_compare(a->model_id, b->model_id);
}

static struct variance_share
share_of(struct arena *arena, const struct run *const *runs, size_t count,
         double (*figure)(const struct run *run), struct prompt_share *row)
{
    struct text_index prompts = {0};
    struct text_index orchestrators = {0};
    struct graded *values = arena_array(arena, count, sizeof *values);
    size_t valid = 0;
    for (size_t i = 0; i < count; i++) {
        double value = figure(runs[i]);
        if (isnan(value))
            continue;
        values[valid++] = (struct graded){
            value, text_index_add(&prompts, runs[i]->prompt_id, NULL),
            text_index_add(&orchestrators, runs[i]->orchestrator_url, NULL)};
    }
    if ((int64_t)prompts.count > row->prompts)
        row->prompts = (int64_t)prompts.count;
    if ((int64_t)orchestrators.count > row->orchestrators)
        row->orchestrators = (int64_t)orchestrators.count;
    struct variance_share share = variance_share(
        arena, values, valid, prompts.count, orchestrators.count, ALPHA);
    text_index_free(&prompts);
    text_index_free(&orchestrators);
    return share;
}

static double fps_of(const struct run *run)
{
    return run->output_fps;
}

static double ptff_of(const struct run *run)
{
    return run->ptff_ms;
}

static void build(struct arena *arena, const struct run *const *runs,
                  size_t count, struct prompt_share *row)
{
    *row = (struct prompt_share){.workflow = runs[0]->workflow,
                                 .model_id = runs[0]->model_id,
                                 .runs = (int64_t)count};
    struct variance_share fps = share_of(arena, runs, count, fps_of, row);
    struct variance_share ptff = share_of(arena, runs, count, ptff_of, row);
    row->output_fps_share = fps.share;
    row->output_fps_share_low = fps.interval.low;
    row->output_fps_share_high = fps.interval.high;
    row->ptff_ms_share = ptff.share;
    row->ptff_ms_share_low = ptff.interval.low;
    row->ptff_ms_share_high = ptff.interval.high;
}

struct prompt_share *prompt_shares_build(struct arena *arena,
                                         const struct run *runs,
                                         size_t run_count, size_t *count)
{
    const struct run **sorted = arena_array(arena, run_count, sizeof *sorted);
    struct prompt_share *rows = NULL;
    size_t valid = 0;
    *count = 0;
    for (size_t i = 0; i < run_count; i++)
        if (counts(&runs[i]))
            sorted[valid++] = &runs[i];
    if (valid)
        qsort(sorted, valid, sizeof *sorted, compare_runs);
    for (size_t from = 0; from < valid;) {
        size_t to = from + 1;
        while (to < valid && !compare_runs(&sorted[from], &sorted[to]))
            to++;
        rows = arena_grow(arena, rows, *count, sizeof *rows);
        build(arena, sorted + from, to - from, &rows[(*count)++]);
        from = to;
    }
    return rows;
}
