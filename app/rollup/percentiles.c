/*
 * percentiles.c: see percentiles.h.
 */
#include "rollup/percentiles.h"
#include "rollup/lens_tables.h"
#include "rollup/sketch_groups.h"

#include "base/clock.h"

#include <string.h>

#define COLUMN(kind, member) FIELD(kind, percentile_row, member)
/* clang-format off */
static const struct field percentile_list[] = {
    COLUMN(TEXT, orchestrator_address),
    COLUMN(TEXT, pipeline_id),
    COLUMN(TEXT, model_id),
    COLUMN(TEXT, gpu_id),
    COLUMN(TEXT, metric),
    COLUMN(INT, samples),
    COLUMN(DOUBLE, p1),
    COLUMN(DOUBLE, p5),
    COLUMN(DOUBLE, p50),
    COLUMN(DOUBLE, p95),
    COLUMN(DOUBLE, p99),
    COLUMN(WINDOW, last_window),
};
/* clang-format on */

const struct fields percentile_fields = FIELDS(percentile_list, 1);

enum percentile_group percentile_group_named(struct text name)
{
    if (text_is(name, "model"))
        return PERCENTILES_BY_MODEL;
    return text_is(name, "gpu") ? PERCENTILES_BY_GPU
                                : PERCENTILES_BY_ORCHESTRATOR;
}

/* ---- what goes in -------------------------------------------------------- */

static bool is_wanted(struct text wanted, struct text value)
{
    return !wanted.data || text_equal(wanted, value);
}

static enum err damaged(void)
{
    return err_set(ERR_CORRUPT, "kept distributions cannot be read; run "
                                "`assay rebuild`");
}

static enum err add_one(const struct percentile_question *question,
                        struct sketch_groups *groups, struct sketch_key key,
                        struct text encoded[SKETCH_METRICS],
                        int64_t last_window)
{
    static const struct text blank = {"", 0};
    if (!is_wanted(question->orchestrator, key.orchestrator_address) ||
        !is_wanted(question->pipeline, key.pipeline_id) ||
        !is_wanted(question->model, key.model_id) ||
        !is_wanted(question->gpu, key.gpu_id))
        return ERR_NONE;
    if (question->by < PERCENTILES_BY_GPU)
        key.gpu_id = blank;
    if (question->by < PERCENTILES_BY_ORCHESTRATOR)
        key.orchestrator_address = blank;
    for (int i = 0; i < SKETCH_METRICS; i++)
        if (question->metric != SKETCH_METRICS &&
            question->metric != (unsigned)i)
            encoded[i] = (struct text){NULL, 0};
    return sketch_groups_add(groups, &key, encoded, last_window) ? ERR_NONE
                                                                 : damaged();
}

/* ---- hours --------------------------------------------------------------- */

static enum err add_hour_row(const struct percentile_question *question,
                             struct sketch_groups *groups,
                             const struct sketch_key *key, struct text column,
                             int64_t window)
{
    struct text encoded[SKETCH_METRICS];
    if (!column.data)
        return ERR_NONE;
    if (!sketches_read(column, encoded))
        return damaged();
    return add_one(question, groups, *key, encoded, window);
}

static const struct lens_tables *tables_of(const struct lens *lens)
{
    return &lens_tables[lens_is_published(lens) ? KEPT_PUBLISHED : KEPT_ASSAY];
}

static enum err add_hours(struct store *store,
                          const struct percentile_question *question,
                          struct sketch_groups *groups, int64_t from_ms,
                          int64_t until_ms)
{
    if (from_ms >= until_ms)
        return ERR_NONE;
    struct query *query =
        query_start(store, tables_of(question->lens)->sketches_between);
    query_bind_int(query, 1, from_ms);
    query_bind_int(query, 2, until_ms);
    if (question->org.data)
        query_bind_text(query, 3, question->org);
    bool row;
    enum err err;
    while (!(err = query_step(query, &row)) && row) {
        struct sketch_key key = {query_text(query, 1), query_text(query, 2),
                                 query_text(query, 3), query_text(query, 4)};
        if (query_is_null(query, 5)) /* of what a session left: no samples */
            continue;
        err = add_hour_row(question, groups, &key, query_text(query, 5),
                           query_int(query, 0));
        if (err)
            break;
    }
    return err;
}

static enum err add_computed(const struct percentile_question *question,
                             struct sketch_groups *groups)
{
    const struct computed *computed = question->computed;
    enum err err = ERR_NONE;
    for (size_t i = 0; !err && i < computed->sla_count; i++) {
        const struct sla_row *row = &computed->sla[i];
        if (row->window_start < question->from_ms ||
            row->window_start >= question->until_ms ||
            !is_wanted(question->org, row->org))
            continue;
        struct sketch_key key = {row->orchestrator_address, row->pipeline_id,
                                 row->model_id, row->gpu_id};
        err = add_hour_row(question, groups, &key, row->sketches,
                           row->window_start);
    }
    return err;
}

/* ---- days ---------------------------------------------------------------- */

static enum err add_day(const struct percentile_question *question,
                        struct sketch_groups *groups,
                        const struct sketch_day *day)
{
    struct sketch_day_reader reader = sketch_day_read(day);
    enum err err = ERR_NONE;
    bool more = true;
    while (!err && more) {
        struct sketch_key key;
        struct text encoded[SKETCH_METRICS];
        if (!sketch_day_next(&reader, &key, encoded, &more))
            err = damaged();
        else if (more)
            err = add_one(question, groups, key, encoded, day->last_window);
    }
    sketch_day_end(&reader);
    return err;
}

static enum err add_days(struct store *store,
                         const struct percentile_question *question,
                         struct sketch_groups *groups, int64_t from_day,
                         int64_t until_day)
{
    struct query *query = query_start(store, QUERY_SKETCH_DAY_BETWEEN);
    query_bind_int(query, 1, tables_of(question->lens) - lens_tables);
    query_bind_int(query, 2, from_day);
    query_bind_int(query, 3, until_day);
    if (question->org.data)
        query_bind_text(query, 4, question->org);
    if (question->metric != SKETCH_METRICS)
        query_bind_int(query, 5, question->metric);
    bool row;
    enum err err;
    while (!(err = query_step(query, &row)) && row) {
        struct sketch_day day = {.last_window = query_int(query, 0),
                                 .keys = query_text(query, 1)};
        for (int i = 0; i < SKETCH_METRICS; i++)
            if (!query_is_null(query, 2 + i))
                day.metrics[i] = query_text(query, 2 + i);
        err = add_day(question, groups, &day);
        if (err)
            break;
    }
    return err;
}

/* ---- the range ----------------------------------------------------------- */

/* Whole days from their own table, what is left at the ends from hours. */
static enum err add_range(struct store *store,
                          const struct percentile_question *question,
                          struct sketch_groups *groups)
{
    const int64_t day = MS_PER_DAY;
    int64_t from = question->from_ms > 0 ? question->from_ms : 0;
    int64_t until = question->until_ms <= EVENT_TIME_MS_MAX
                        ? question->until_ms
                        : EVENT_TIME_MS_MAX / day * day + day;
    int64_t from_day = clock_day_start(from + day - 1);
    int64_t until_day = clock_day_start(until);
    if (from_day >= until_day)
        return add_hours(store, question, groups, from, until);
    enum err err = add_hours(store, question, groups, from, from_day);
    if (!err)
        err = add_days(store, question, groups, from_day, until_day);
    return err ? err : add_hours(store, question, groups, until_day, until);
}

/* ---- what comes out ------------------------------------------------------ */

static struct text kept(struct arena *arena, struct text text)
{
    return (struct text){arena_text(arena, text.data, text.length),
                         text.length};
}

/* Null for a blank one: as rows have it, or because it is merged over all. */
static struct text kept_or_null(struct arena *arena, struct text text)
{
    return text.length ? kept(arena, text) : (struct text){NULL, 0};
}

static struct percentile_row row_of(struct arena *arena,
                                    const struct percentile_question *question,
                                    const struct sketch_group *group,
                                    int metric)
{
    const struct histogram *histogram = &group->of[metric];
    struct percentile_row row = {
        .pipeline_id = kept(arena, group->key.pipeline_id),
        .model_id = kept_or_null(arena, group->key.model_id),
        .gpu_id = kept_or_null(arena, group->key.gpu_id),
        .metric = text_of(sketch_metric_names[metric]),
        .samples = (int64_t)histogram->count,
        .p1 = histogram_quantile(histogram, 0.01),
        .p5 = histogram_quantile(histogram, 0.05),
        .p50 = histogram_quantile(histogram, 0.5),
        .p95 = histogram_quantile(histogram, 0.95),
        .p99 = histogram_quantile(histogram, 0.99),
        .last_window = group->last_window,
    };
    if (question->by != PERCENTILES_BY_MODEL)
        row.orchestrator_address = kept(arena, group->key.orchestrator_address);
    return row;
}

static void make_rows(struct arena *arena,
                      const struct percentile_question *question,
                      struct sketch_groups *groups,
                      struct percentile_row **rows, size_t *count)
{
    sketch_groups_sort(groups);
    *rows = arena_array(arena, groups->count * SKETCH_METRICS, sizeof **rows);
    *count = 0;
    for (size_t i = 0; i < groups->count; i++)
        for (int k = 0; k < SKETCH_METRICS; k++)
            if (groups->list[i].of[k].count)
                (*rows)[(*count)++] =
                    row_of(arena, question, &groups->list[i], k);
}

enum err percentiles(struct store *store, struct arena *arena,
                     const struct percentile_question *question,
                     struct percentile_row **rows, size_t *count)
{
    struct sketch_groups groups = {0};
    enum err err = question->computed ? add_computed(question, &groups)
                                      : add_range(store, question, &groups);
    *rows = NULL;
    *count = 0;
    if (!err)
        make_rows(arena, question, &groups, rows, count);
    sketch_groups_free(&groups);
    return err;
}
