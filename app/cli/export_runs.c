/*
 * export_runs.c: `assay export runs`, `ledger`, `hours` and `prompts`: what we
 * measured ourselves, and what follows from it.
 *
 * Runs and the ledger are read as they stand; hours and shares are computed
 * from the runs that --from and --to leave.
 */
#include "cli/export.h"
#include "journal/journal.h"

#include <stdlib.h>
#include <string.h>

enum err read_query(struct invocation *invocation, struct store *store,
                    enum query_id id, struct fields fields, size_t row_bytes,
                    char **rows, size_t *count)
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

/* ---- as they stand ------------------------------------------------------- */

typedef enum err rows_print(struct invocation *invocation, struct store *store,
                            struct field_rows *printed);

static enum err with_store(struct invocation *invocation, struct fields fields,
                           rows_print *print)
{
    struct field_rows rows;
    struct store *store;
    field_rows_open(&rows, fields,
                    table_format_named(option_text(invocation, "--format")));
    enum err err = store_open(&store, invocation->config->data, STORE_READ);
    if (!err) {
        err = print(invocation, store, &rows);
        store_close(store);
    }
    enum err closed = table_close(rows.table);
    return err ? err : closed;
}

static enum err print_runs(struct invocation *invocation, struct store *store,
                           struct field_rows *printed)
{
    return print_query(invocation, store, QUERY_JOURNAL_RUN_EXPORT,
                       sizeof(struct run), printed);
}

enum err export_runs(struct invocation *invocation)
{
    return with_store(invocation, run_fields, print_runs);
}

static enum err print_ledger(struct invocation *invocation, struct store *store,
                             struct field_rows *printed)
{
    return print_query(invocation, store, QUERY_LEDGER_EXPORT,
                       sizeof(struct ledger_row), printed);
}

enum err export_ledger(struct invocation *invocation)
{
    return with_store(invocation, ledger_fields, print_ledger);
}

/* ---- computed ------------------------------------------------------------ */

typedef void *rows_build(struct arena *arena, const struct run *runs,
                         size_t run_count, size_t *count);

static enum err print_built(struct invocation *invocation, struct store *store,
                            struct field_rows *printed, rows_build *build,
                            size_t row_bytes)
{
    char *runs;
    size_t run_count;
    size_t count;
    enum err err =
        read_query(invocation, store, QUERY_JOURNAL_RUN_EXPORT, run_fields,
                   sizeof(struct run), &runs, &run_count);
    if (!err) {
        const char *rows =
            build(&invocation->arena, (const struct run *)(const void *)runs,
                  run_count, &count);
        for (size_t i = 0; !err && i < count; i++)
            err = field_rows_print(printed, rows + i * row_bytes);
    }
    free(runs);
    return err;
}

static void *build_hours(struct arena *arena, const struct run *runs,
                         size_t run_count, size_t *count)
{
    return run_hours_build(arena, runs, run_count, count);
}

static enum err print_hours(struct invocation *invocation, struct store *store,
                            struct field_rows *printed)
{
    return print_built(invocation, store, printed, build_hours,
                       sizeof(struct run_hour));
}

enum err export_hours(struct invocation *invocation)
{
    const char *source = option_text(invocation, "--source");
    if (source && strcmp(source, "runs") != 0)
        return err_set(ERR_USAGE, "hours are those of --source runs; those of "
                                  "gateways are `assay export sla`");
    return with_store(invocation, run_hour_fields, print_hours);
}

static void *build_prompts(struct arena *arena, const struct run *runs,
                           size_t run_count, size_t *count)
{
    return prompt_shares_build(arena, runs, run_count, count);
}

static enum err print_prompts(struct invocation *invocation,
                              struct store *store, struct field_rows *printed)
{
    return print_built(invocation, store, printed, build_prompts,
                       sizeof(struct prompt_share));
}

enum err export_prompts(struct invocation *invocation)
{
    return with_store(invocation, prompt_share_fields, print_prompts);
}
