/*
 * export_runs.c: `assay export runs`, `ledger`, `hours` and `prompts`: what we
 * measured ourselves, and what follows from it.
 *
 * Runs and the ledger are read as they stand; hours and shares are computed
 * from the runs that --from and --to leave, as they are read: no run is held.
 */
#include "base/clock.h"
#include "cli/export.h"
#include "journal/journal.h"

#include <string.h>

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

/* TAKE of every own run that --from and --to leave, in the order of their
 * start; an error of it ends that. Texts of a run are there for the call. */
static enum err each_run(struct invocation *invocation, struct store *store,
                         enum err (*take)(void *context, const struct run *run),
                         void *context)
{
    struct query *query = query_start(store, QUERY_JOURNAL_RUN_EXPORT);
    bool found;
    enum err err;
    enum err taken = ERR_NONE;
    query_bind_int(query, 1, option_time(invocation, "--from", INT64_MIN));
    query_bind_int(query, 2, option_time(invocation, "--to", INT64_MAX));
    while (!(err = query_step(query, &found)) && found && !taken) {
        struct run run;
        fields_borrow(query, run_fields, &run);
        taken = take(context, &run);
    }
    return taken ? taken : err;
}

/* Hours one after another, as the runs of each are complete. */
struct hour_making {
    struct run_hours *hours;
    int64_t hour; /* of the run before */
    enum err (*take)(void *context, const struct run_hour *hour);
    void *context;
};

static enum err end_hour(const struct hour_making *making)
{
    size_t count;
    enum err err = ERR_NONE;
    const struct run_hour *rows = run_hours_end(making->hours, &count);
    for (size_t i = 0; !err && i < count; i++)
        err = making->take(making->context, &rows[i]);
    return err;
}

static enum err take_run(void *context, const struct run *run)
{
    struct hour_making *making = context;
    int64_t hour = clock_hour_start(run->started_at);
    enum err err = hour == making->hour ? ERR_NONE : end_hour(making);
    making->hour = hour;
    run_hours_take(making->hours, run);
    return err;
}

enum err each_run_hour(struct invocation *invocation, struct store *store,
                       enum err (*take)(void *context,
                                        const struct run_hour *hour),
                       void *context)
{
    struct hour_making making = {.hours = run_hours_new(),
                                 .hour = ABSENT_INT,
                                 .take = take,
                                 .context = context};
    enum err err = each_run(invocation, store, take_run, &making);
    if (!err)
        err = end_hour(&making);
    run_hours_free(making.hours);
    return err;
}

static enum err print_hour(void *context, const struct run_hour *hour)
{
    return field_rows_print(context, hour);
}

static enum err print_hours(struct invocation *invocation, struct store *store,
                            struct field_rows *printed)
{
    return each_run_hour(invocation, store, print_hour, printed);
}

enum err export_hours(struct invocation *invocation)
{
    const char *source = option_text(invocation, "--source");
    if (source && strcmp(source, "runs") != 0)
        return err_set(ERR_USAGE, "hours are those of --source runs; those of "
                                  "gateways are `assay export sla`");
    return with_store(invocation, run_hour_fields, print_hours);
}

static enum err share_run(void *context, const struct run *run)
{
    prompt_shares_take(context, run);
    return ERR_NONE;
}

static enum err print_prompts(struct invocation *invocation,
                              struct store *store, struct field_rows *printed)
{
    struct prompt_shares *shares = prompt_shares_new();
    size_t count;
    enum err err = each_run(invocation, store, share_run, shares);
    const struct prompt_share *rows =
        prompt_shares_end(shares, &invocation->arena, &count);
    for (size_t i = 0; !err && i < count; i++)
        err = field_rows_print(printed, &rows[i]);
    prompt_shares_free(shares);
    return err;
}

enum err export_prompts(struct invocation *invocation)
{
    return with_store(invocation, prompt_share_fields, print_prompts);
}
