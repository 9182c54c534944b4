/*
 * export_scores.c: `assay export scores`: rows under a scorecard, now.
 *
 * Scores are never stored: they follow from rows and a file, and both have
 * names that do not change. So another scorecard changes nothing but what is
 * printed, and what was printed before can be printed again.
 */
#include "base/clock.h"
#include "cli/derive.h"
#include "cli/export.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Beside the keys: name, hash, score, low, high. */
enum { OWN_COLUMNS = 5, KEYS_MAX = 16 };

struct scoring {
    struct scorecard card;
    const struct field *keys[KEYS_MAX];
    size_t key_count;
    struct column columns[KEYS_MAX + OWN_COLUMNS + SCORE_VALUES_MAX];
    size_t column_count;
};

/* What says which row it is, and of how much. */
static const char *const sla_keys[] = {
    "window_start", "org",    "orchestrator_address", "pipeline_id",
    "model_id",     "gpu_id", "requested_sessions",   NULL};
static const char *const run_keys[] = {
    "window_start",     "window_end", "vantage",     "orchestrator_address",
    "orchestrator_url", "workflow",   "pipeline_id", "model_id",
    "gpu_id",           "cold",       "runs",        "ok",
    "failed",           "busy",       "excused",     NULL};

static void add_column(struct scoring *scoring, const char *name,
                       enum column_kind kind)
{
    scoring->columns[scoring->column_count++] = (struct column){name, kind};
}

static bool is_end(const struct scorecard *card, size_t value)
{
    return value == card->score || value == card->low || value == card->high;
}

static void plan_columns(struct scoring *scoring)
{
    const struct scorecard *card = &scoring->card;
    struct fields fields = score_source_fields((enum score_source)card->source);
    const char *const *keys = card->source == SCORE_SLA ? sla_keys : run_keys;
    for (; *keys; keys++) {
        const struct field *key = fields_named(fields, fields.exported, *keys);
        if (!key)
            continue;
        scoring->keys[scoring->key_count++] = key;
        add_column(scoring, *keys,
                   key->kind == FIELD_INT ? COLUMN_INT : COLUMN_TEXT);
    }
    add_column(scoring, "scorecard", COLUMN_TEXT);
    add_column(scoring, "scorecard_sha256", COLUMN_TEXT);
    add_column(scoring, "score", COLUMN_DOUBLE);
    add_column(scoring, "score_low", COLUMN_DOUBLE);
    add_column(scoring, "score_high", COLUMN_DOUBLE);
    for (size_t i = 0; i < card->value_count; i++)
        if (!is_end(card, i))
            add_column(scoring, card->values[i].name, COLUMN_DOUBLE);
}

static enum err print_scores(const struct scoring *scoring, struct arena *arena,
                             struct table *table, const void *rows,
                             size_t row_bytes, size_t count)
{
    const struct scorecard *card = &scoring->card;
    double *all = scorecard_apply(arena, card, rows, row_bytes, count);
    enum err err = ERR_NONE;
    for (size_t i = 0; !err && i < count; i++) {
        const double *values = all + i * card->value_count;
        bool has_interval = card->low != card->score;
        for (size_t k = 0; k < scoring->key_count; k++)
            field_print(table, scoring->keys[k],
                        (const char *)rows + i * row_bytes);
        table_text(table, text_of(card->name));
        table_text(table, text_of(card->sha256));
        table_double(table, values[card->score]);
        table_double(table, has_interval ? values[card->low] : (double)NAN);
        table_double(table, has_interval ? values[card->high] : (double)NAN);
        for (size_t k = 0; k < card->value_count; k++)
            if (!is_end(card, k))
                table_double(table, values[k]);
        err = table_end_row(table);
    }
    return err;
}

/* ---- rows ---------------------------------------------------------------- */

static enum err read_query(struct invocation *invocation, struct store *store,
                           enum query_id id, struct fields fields,
                           size_t row_bytes, char **rows, size_t *count)
{
    struct query *query = query_start(store, id);
    size_t capacity = 0;
    bool found;
    enum err err;
    query_bind_int(query, 1, option_time(invocation, "--from", INT64_MIN));
    query_bind_int(query, 2, option_time(invocation, "--to", INT64_MAX));
    *rows = NULL;
    *count = 0;
    while (!(err = query_step(query, &found)) && found) {
        if (*count == capacity) {
            capacity = 2 * capacity + 64;
            *rows = memory_resize(*rows, capacity * row_bytes);
        }
        fields_read(&invocation->arena, query, 0, fields,
                    *rows + (*count)++ * row_bytes);
    }
    return err;
}

static enum err score_settled(const struct exporting *exporting,
                              const struct scoring *scoring)
{
    char *rows;
    size_t count;
    enum err err =
        read_query(exporting->invocation, exporting->store, QUERY_SLA_BETWEEN,
                   sla_fields, sizeof(struct sla_row), &rows, &count);
    if (!err)
        err = print_scores(scoring, &exporting->invocation->arena,
                           exporting->printed->table, rows,
                           sizeof(struct sla_row), count);
    free(rows);
    return err;
}

static enum err score_whole(const struct exporting *exporting,
                            const struct scoring *scoring)
{
    struct arena *arena = &exporting->invocation->arena;
    struct computed pass;
    const struct computation computation = {
        .lens = &exporting->lens, .pass = PASS_WHOLE, .known = knowledge_all};
    int64_t from = option_time(exporting->invocation, "--from", INT64_MIN);
    int64_t to = option_time(exporting->invocation, "--to", INT64_MAX);
    enum err err = compute(exporting->store, arena, &computation, &pass);
    if (err)
        return err;
    size_t first = 0;
    while (first < pass.sla_count && pass.sla[first].window_start < from)
        first++;
    size_t end = first;
    while (end < pass.sla_count && pass.sla[end].window_start < to)
        end++;
    return print_scores(scoring, arena, exporting->printed->table,
                        pass.sla + first, sizeof *pass.sla, end - first);
}

static enum err group_hour(void *context, const struct run_hour *hour)
{
    run_groups_take(context, hour);
    return ERR_NONE;
}

static enum err score_runs(const struct exporting *exporting,
                           const struct scoring *scoring)
{
    struct run_groups *groups =
        run_groups_new((enum run_split)scoring->card.split);
    size_t count;
    enum err err = each_run_hour(exporting->invocation, exporting->store,
                                 group_hour, groups);
    const struct run_group *rows = run_groups_end(groups, &count);
    if (!err)
        err =
            print_scores(scoring, &exporting->invocation->arena,
                         exporting->printed->table, rows, sizeof *rows, count);
    run_groups_free(groups);
    return err;
}

static enum err score_rows(const struct exporting *exporting,
                           const void *context)
{
    const struct scoring *scoring = context;
    if (scoring->card.source == SCORE_RUNS)
        return score_runs(exporting, scoring);
    return exporting->whole ? score_whole(exporting, scoring)
                            : score_settled(exporting, scoring);
}

/* The scorecard that was named, else the first built-in one of the source. */
static enum err find_card(struct invocation *invocation, struct scorecard *card)
{
    const char *name = option_text(invocation, "--scorecard");
    const char *source = option_text(invocation, "--source");
    bool of_runs = source && strcmp(source, "runs") == 0;
    int wanted = of_runs ? SCORE_RUNS : SCORE_SLA;
    enum err err = scorecard_find(&invocation->arena,
                                  name ? name : scorecard_files[0].name, card);
    for (size_t i = 1; !err && !name && source && card->source != wanted &&
                       scorecard_files[i].name;
         i++)
        err = scorecard_find(&invocation->arena, scorecard_files[i].name, card);
    if (!err && source && card->source != wanted)
        err = err_set(ERR_USAGE, "the scorecard %s is not one of %s",
                      card->name, source);
    return err;
}

enum err export_scores(struct invocation *invocation)
{
    struct scoring *scoring = arena_alloc(&invocation->arena, sizeof *scoring);
    *scoring = (struct scoring){.key_count = 0};
    enum err err = find_card(invocation, &scoring->card);
    if (err)
        return err;
    plan_columns(scoring);
    return export_columns(invocation, scoring->columns, scoring->column_count,
                          score_rows, scoring);
}
