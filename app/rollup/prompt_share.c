/*
 * prompt_share.c: see prompt_share.h. Runs are compared within blocks of what
 * else makes them differ on average: the orchestrator, the vantage, and whether
 * the model had to be loaded, which is most of a cold run's time to its first
 * frame.
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

/* ---- taking -------------------------------------------------------------- */

/* Values of one figure. */
struct figure {
    struct graded *values;
    size_t count;
    size_t capacity;
};

/* A workflow with a model. */
struct model {
    struct text workflow;
    struct text model_id;
    int64_t runs;
    struct text_index prompts;
    struct text_index orchestrators;
    struct text_index blocks;
    struct figure output_fps;
    struct figure ptff_ms;
};

struct prompt_shares {
    struct arena arena; /* of names */
    struct text_index keys;
    struct model *models; /* by number of the key */
    size_t capacity;
};

struct prompt_shares *prompt_shares_new(void)
{
    return memory_zeroed(1, sizeof(struct prompt_shares));
}

static void model_free(struct model *model)
{
    text_index_free(&model->prompts);
    text_index_free(&model->orchestrators);
    text_index_free(&model->blocks);
    free(model->output_fps.values);
    free(model->ptff_ms.values);
}

void prompt_shares_free(struct prompt_shares *shares)
{
    if (!shares)
        return;
    for (size_t i = 0; i < shares->keys.count; i++)
        model_free(&shares->models[i]);
    text_index_free(&shares->keys);
    arena_free(&shares->arena);
    free(shares->models);
    free(shares);
}

static struct model *model_of(struct prompt_shares *shares,
                              const struct run *run)
{
    struct buf key = {0};
    bool added;
    buf_add_text(&key, run->workflow);
    buf_add_text(&key, run->model_id);
    size_t number = text_index_add(&shares->keys,
                                   (struct text){key.data, key.length}, &added);
    buf_free(&key);
    if (number >= shares->capacity) {
        shares->capacity = 2 * number + 16;
        shares->models = memory_resize(
            shares->models, shares->capacity * sizeof *shares->models);
    }
    if (added)
        shares->models[number] = (struct model){
            .workflow = text_kept(&shares->arena, run->workflow),
            .model_id = text_kept(&shares->arena, run->model_id)};
    return &shares->models[number];
}

static void add(struct figure *figure, double value, size_t prompt,
                size_t block)
{
    if (isnan(value))
        return;
    if (figure->count == figure->capacity) {
        figure->capacity = 2 * figure->capacity + 64;
        figure->values = memory_resize(
            figure->values, figure->capacity * sizeof *figure->values);
    }
    figure->values[figure->count++] = (struct graded){value, prompt, block};
}

static size_t block_of(struct model *model, const struct run *run)
{
    struct buf key = {0};
    buf_add_text(&key, run->orchestrator_url);
    buf_add_text(&key, run->vantage);
    buf_add_signed(&key, run->cold);
    size_t number = text_index_add(&model->blocks,
                                   (struct text){key.data, key.length}, NULL);
    buf_free(&key);
    return number;
}

void prompt_shares_take(struct prompt_shares *shares, const struct run *run)
{
    if (!counts(run))
        return;
    struct model *model = model_of(shares, run);
    size_t prompt = text_index_add(&model->prompts, run->prompt_id, NULL);
    size_t block = block_of(model, run);
    text_index_add(&model->orchestrators, run->orchestrator_url, NULL);
    model->runs++;
    add(&model->output_fps, run->output_fps, prompt, block);
    add(&model->ptff_ms, run->ptff_ms, prompt, block);
}

/* ---- ending -------------------------------------------------------------- */

static int compare_rows(const void *left, const void *right)
{
    const struct prompt_share *a = left;
    const struct prompt_share *b = right;
    int order = text_compare(a->workflow, b->workflow);
    return order ? order : text_compare(a->model_id, b->model_id);
}

static struct variance_share share_of(const struct model *model,
                                      const struct figure *figure)
{
    struct arena arena = {0};
    struct variance_share share =
        variance_share(&arena, figure->values, figure->count,
                       model->prompts.count, model->blocks.count, ALPHA);
    arena_free(&arena);
    return share;
}

static void build(struct arena *arena, const struct model *model,
                  struct prompt_share *row)
{
    struct variance_share fps = share_of(model, &model->output_fps);
    struct variance_share ptff = share_of(model, &model->ptff_ms);
    *row = (struct prompt_share){.workflow = model->workflow,
                                 .model_id = model->model_id,
                                 .runs = model->runs,
                                 .prompts = (int64_t)model->prompts.count,
                                 .orchestrators =
                                     (int64_t)model->orchestrators.count,
                                 .output_fps_share = fps.share,
                                 .output_fps_share_low = fps.interval.low,
                                 .output_fps_share_high = fps.interval.high,
                                 .ptff_ms_share = ptff.share,
                                 .ptff_ms_share_low = ptff.interval.low,
                                 .ptff_ms_share_high = ptff.interval.high};
    fields_copy(arena, prompt_share_fields, row);
}

struct prompt_share *prompt_shares_end(const struct prompt_shares *shares,
                                       struct arena *arena, size_t *count)
{
    *count = shares->keys.count;
    struct prompt_share *rows = arena_array(arena, *count, sizeof *rows);
    for (size_t i = 0; i < *count; i++)
        build(arena, &shares->models[i], &rows[i]);
    if (*count)
        qsort(rows, *count, sizeof *rows, compare_rows);
    return rows;
}
