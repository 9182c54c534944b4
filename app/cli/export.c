/*
 * export.c: `assay export`: rows out of the store, as NDJSON, CSV or a table.
 *
 * Rows of the settled pass and of lens assay are read as they stand; those of
 * the whole pass, and of single switches, are computed now. Columns, spelling
 * and order are fixed (README, "Rows").
 */
#include "cli/export.h"
#include "base/clock.h"
#include "base/log.h"
#include "cli/derive.h"
#include "journal/journal.h"

#include <string.h>

static const struct option options[] = {
    LENS_OPTIONS,
    {.name = "--from",
     .value = "TIME",
     .type = OPTION_TIME,
     .help = "rows at or after this time"},
    {.name = "--to",
     .value = "TIME",
     .type = OPTION_TIME,
     .help = "rows before this time"},
    {.name = "--scorecard",
     .value = "NAME|FILE",
     .type = OPTION_TEXT,
     .help = "of scores: one that is built in, or a YAML file (default "
             "assay; a wrong name tells which there are)"},
    {.name = "--workflow",
     .value = "NAME|FILE",
     .type = OPTION_TEXT,
     .help = "of report: one that is built in, or a YAML file"},
    {.name = "--by",
     .value = PERCENTILE_GROUPS,
     .type = OPTION_CHOICE,
     .help = "of percentiles: what gets a row of its own (default "
             "orchestrator); all else is merged"},
    {.name = "--source",
     .value = "sla|runs",
     .type = OPTION_CHOICE,
     .help = "of scores: rows of the gateways' events, or own runs (default: "
             "that of the scorecard); hours are of runs"},
    {.name = "--format",
     .value = TABLE_FORMATS,
     .type = OPTION_CHOICE,
     .help = "how rows are printed (default ndjson)"},
    {0}};

static const struct example examples[] = {
    {"assay export sla --format table", "scores with all their components"},
    {"assay export sessions --from 2026-01-08 --to 2026-01-09",
     "sessions that started on one day"},
    {"assay export percentiles --from 2026-01-01 --to 2026-01-31",
     "p50, p95, p99 of a month, per orchestrator and model"},
    {"assay export scores --scorecard leaderboard-ai",
     "own runs as the leaderboard would score them"},
    {"assay export sla --switch ptff_from_request",
     "what that one departure from the documents costs or gives"},
    {0}};

/* Rows that are stored by day and computed for the whole pass. */
struct subject {
    struct fields fields;
    struct fields assay_fields; /* with what lens assay adds */
    size_t row_bytes;
    enum query_id query;
    enum query_id assay_query; /* QUERY_COUNT where its rows are not stored */
    /* Makes a row of lens assay of a stored one; null where it is one. */
    enum err (*assay_row)(const void *stored, void *row, bool *exists);
    size_t time_offset; /* of the time that --from and --to are about */
    size_t time_offset_otherwise;
    size_t whole_rows; /* within struct computed */
    size_t whole_count;
};

/* ---- settled ------------------------------------------------------------- */

enum err print_query(struct invocation *invocation, struct store *store,
                     enum query_id id, size_t row_bytes,
                     struct field_rows *printed)
{
    struct arena arena = {0};
    void *row = arena_alloc(&invocation->arena, row_bytes);
    struct query *query = query_start(store, id);
    query_bind_int(query, 1, option_time(invocation, "--from", INT64_MIN));
    query_bind_int(query, 2, option_time(invocation, "--to", INT64_MAX));
    bool found;
    enum err err;
    while (!(err = query_step(query, &found)) && found) {
        fields_read(&arena, query, 0, printed->fields, row);
        regions_label(printed->regions, printed->fields, row);
        err = field_rows_print(printed, row);
        if (err)
            break;
        arena_clear(&arena);
    }
    arena_free(&arena);
    return err;
}

static int64_t time_of(const struct subject *subject, const char *row)
{
    int64_t time = *(const int64_t *)(const void *)(row + subject->time_offset);
    if (time != ABSENT_INT)
        return time;
    return *(const int64_t *)(const void *)(row +
                                            subject->time_offset_otherwise);
}

static enum err print_within(const struct exporting *exporting,
                             const struct subject *subject, void *row)
{
    int64_t from = option_time(exporting->invocation, "--from", INT64_MIN);
    int64_t to = option_time(exporting->invocation, "--to", INT64_MAX);
    int64_t time = time_of(subject, row);
    if (time < from || time >= to)
        return ERR_NONE;
    regions_label(exporting->printed->regions, exporting->printed->fields, row);
    return field_rows_print(exporting->printed, row);
}

/* Rows of lens assay that are made of published ones; they may lie at another
 * time, so all are looked at. */
static enum err print_derived(const struct exporting *exporting,
                              const struct subject *subject)
{
    struct arena arena = {0};
    struct arena *kept = &exporting->invocation->arena;
    void *stored = arena_alloc(kept, subject->row_bytes);
    void *row = arena_alloc(kept, subject->row_bytes);
    struct query *query = query_start(exporting->store, subject->query);
    query_bind_int(query, 1, INT64_MIN);
    query_bind_int(query, 2, INT64_MAX);
    bool found;
    enum err err;
    while (!(err = query_step(query, &found)) && found) {
        bool exists;
        fields_read(&arena, query, 0, subject->fields, stored);
        err = subject->assay_row(stored, row, &exists);
        if (!err && exists)
            err = print_within(exporting, subject, row);
        if (err)
            break;
        arena_clear(&arena);
    }
    arena_free(&arena);
    return err;
}

/* ---- computed ------------------------------------------------------------ */

static enum err print_computed(const struct exporting *exporting,
                               const struct subject *subject)
{
    struct computed pass;
    const struct computation computation = {
        .lens = &exporting->lens, .pass = PASS_WHOLE, .known = knowledge_all};
    enum err err = compute(exporting->store, &exporting->invocation->arena,
                           &computation, &pass);
    if (err)
        return err;
    const char *all = (const char *)&pass;
    char *rows = *(char *const *)(const void *)(all + subject->whole_rows);
    size_t count = *(const size_t *)(const void *)(all + subject->whole_count);
    for (size_t i = 0; !err && i < count; i++)
        err = print_within(exporting, subject, rows + i * subject->row_bytes);
    return err;
}

/* Rows of a day that lost evidence stand, but nobody can check them any more:
 * that is to be said wherever they are shown. */
static enum err warn_of_expired(struct invocation *invocation,
                                struct store *store)
{
    struct query *query = query_start(store, QUERY_EVIDENCE_EXPIRED_COUNT);
    query_bind_int(query, 1, option_time(invocation, "--from", INT64_MIN));
    query_bind_int(query, 2, option_time(invocation, "--to", INT64_MAX));
    bool found;
    enum err err = query_step(query, &found);
    int64_t days = !err && found ? query_int(query, 0) : 0;
    if (days)
        log_message(LOG_WARNING,
                    "%lld of the days have lost evidence to retention; their "
                    "rows are frozen",
                    (long long)days);
    return !err && found ? query_run(query) : err;
}

static enum err open_and_print(struct exporting *exporting, export_rows *rows,
                               const void *context)
{
    struct invocation *invocation = exporting->invocation;
    struct store *store;
    enum err err = open_settled(invocation, &store);
    if (err)
        return err;
    exporting->store = store;
    err = store_begin_read(store);
    if (!err)
        err = rows(exporting, context);
    if (!err)
        err = warn_of_expired(invocation, store);
    store_close(store);
    return err;
}

/* By which lens, from the options. */
static enum err begin(struct exporting *exporting,
                      struct invocation *invocation, struct field_rows *printed)
{
    *exporting =
        (struct exporting){.invocation = invocation, .printed = printed};
    enum err err =
        lens_from_options(invocation, &exporting->lens, &exporting->source);
    exporting->whole = exporting->source != ROWS_SETTLED;
    return err;
}

enum err export_by_lens(struct invocation *invocation, struct fields fields,
                        struct fields assay_fields, export_rows *rows,
                        const void *context)
{
    struct field_rows printed;
    struct exporting exporting;
    enum err err = begin(&exporting, invocation, &printed);
    if (err)
        return err;
    field_rows_open(&printed,
                    lens_is_assay(&exporting.lens) ? assay_fields : fields,
                    table_format_named(option_text(invocation, "--format")));
    if (lens_is_assay(&exporting.lens))
        printed.regions = regions_of(&invocation->arena, invocation->config);
    err = open_and_print(&exporting, rows, context);
    enum err closed = table_close(printed.table);
    return err ? err : closed;
}

enum err export_all(struct invocation *invocation, struct fields fields,
                    export_rows *rows, const void *context)
{
    return export_by_lens(invocation, fields, fields, rows, context);
}

enum err export_columns(struct invocation *invocation,
                        const struct column *columns, size_t count,
                        export_rows *rows, const void *context)
{
    struct field_rows printed = {.fields = {0}};
    struct exporting exporting;
    enum err err = begin(&exporting, invocation, &printed);
    if (err)
        return err;
    printed.table = table_open(
        stdout, table_format_named(option_text(invocation, "--format")),
        columns, count);
    err = open_and_print(&exporting, rows, context);
    enum err closed = table_close(printed.table);
    return err ? err : closed;
}

static enum err print_subject(const struct exporting *exporting,
                              const void *context)
{
    const struct subject *subject = context;
    bool stored = exporting->source == ROWS_SETTLED ||
                  (exporting->source == ROWS_ASSAY &&
                   subject->assay_query != QUERY_COUNT);
    if (!stored)
        return print_computed(exporting, subject);
    if (exporting->source == ROWS_ASSAY && subject->assay_row)
        return print_derived(exporting, subject);
    return print_query(exporting->invocation, exporting->store,
                       exporting->source == ROWS_ASSAY ? subject->assay_query
                                                       : subject->query,
                       subject->row_bytes, exporting->printed);
}

static enum err export_subject(struct invocation *invocation,
                               const struct subject *subject)
{
    return export_by_lens(invocation, subject->fields, subject->assay_fields,
                          print_subject, subject);
}

static enum err session_of_stored(const void *stored, void *row, bool *exists)
{
    return session_of_assay(stored, row, exists);
}

static enum err export_sla(struct invocation *invocation)
{
    struct subject subject = {
        .fields = sla_fields,
        .assay_fields = sla_assay_fields,
        .row_bytes = sizeof(struct sla_row),
        .query = QUERY_SLA_BETWEEN,
        .assay_query = QUERY_ASSAY_SLA_BETWEEN,
        .time_offset = offsetof(struct sla_row, window_start),
        .whole_rows = offsetof(struct computed, sla),
        .whole_count = offsetof(struct computed, sla_count)};
    return export_subject(invocation, &subject);
}

static enum err export_sessions(struct invocation *invocation)
{
    struct subject subject = {
        .fields = session_fields,
        .assay_fields = session_fields,
        .row_bytes = sizeof(struct session_row),
        .query = QUERY_SESSION_EXPORT,
        .assay_query = QUERY_SESSION_EXPORT,
        .assay_row = session_of_stored,
        .time_offset = offsetof(struct session_row, started_at),
        .time_offset_otherwise = offsetof(struct session_row, last_seen),
        .whole_rows = offsetof(struct computed, sessions),
        .whole_count = offsetof(struct computed, session_count)};
    return export_subject(invocation, &subject);
}

static enum err export_selections(struct invocation *invocation)
{
    struct subject subject = {
        .fields = selection_fields,
        .assay_fields = selection_fields,
        .row_bytes = sizeof(struct selection_row),
        .query = QUERY_SELECTION_EXPORT,
        .assay_query = QUERY_COUNT,
        .time_offset = offsetof(struct selection_row, selection_ts),
        .whole_rows = offsetof(struct computed, selections),
        .whole_count = offsetof(struct computed, selection_count)};
    return export_subject(invocation, &subject);
}

static enum err export_demand(struct invocation *invocation)
{
    struct subject subject = {
        .fields = demand_fields,
        .assay_fields = demand_fields,
        .row_bytes = sizeof(struct demand_row),
        .query = QUERY_DEMAND_BETWEEN,
        .assay_query = QUERY_ASSAY_DEMAND_BETWEEN,
        .time_offset = offsetof(struct demand_row, window_start),
        .whole_rows = offsetof(struct computed, demand),
        .whole_count = offsetof(struct computed, demand_count)};
    return export_subject(invocation, &subject);
}

static enum err export_gpu(struct invocation *invocation)
{
    struct subject subject = {
        .fields = gpu_fields,
        .assay_fields = gpu_assay_fields,
        .row_bytes = sizeof(struct gpu_row),
        .query = QUERY_GPU_HOUR_BETWEEN,
        .assay_query = QUERY_ASSAY_GPU_HOUR_BETWEEN,
        .time_offset = offsetof(struct gpu_row, window_start),
        .whole_rows = offsetof(struct computed, gpus),
        .whole_count = offsetof(struct computed, gpu_count)};
    return export_subject(invocation, &subject);
}

/* ---- percentiles --------------------------------------------------------- */

static enum err print_percentiles(const struct exporting *exporting,
                                  const void *context)
{
    struct invocation *invocation = exporting->invocation;
    const char *by = option_text(invocation, "--by");
    struct computed computed;
    struct percentile_question question = {
        .lens = &exporting->lens,
        .from_ms = option_time(invocation, "--from", INT64_MIN),
        .until_ms = option_time(invocation, "--to", INT64_MAX),
        .metric = SKETCH_METRICS,
        .by = percentile_group_named(text_of(by ? by : "")),
    };
    const struct computation computation = {
        .lens = &exporting->lens, .pass = PASS_WHOLE, .known = knowledge_all};
    struct percentile_row *rows;
    size_t count = 0;
    enum err err = ERR_NONE;
    (void)context;
    if (exporting->source == ROWS_COMPUTED) {
        err = compute(exporting->store, &invocation->arena, &computation,
                      &computed);
        question.computed = &computed;
    }
    if (!err)
        err = percentiles(exporting->store, &invocation->arena, &question,
                          &rows, &count);
    for (size_t i = 0; !err && i < count; i++)
        err = field_rows_print(exporting->printed, &rows[i]);
    return err;
}

static enum err export_percentiles(struct invocation *invocation)
{
    return export_all(invocation, percentile_fields, print_percentiles, NULL);
}

/* ---- counts -------------------------------------------------------------- */

static enum err print_counts(struct store *store, struct table *table)
{
    struct query *query = query_start(store, QUERY_COUNT_EXPORT);
    bool found;
    enum err err;
    while (!(err = query_step(query, &found)) && found) {
        for (int column = 0; column < 3; column++)
            table_text(table, query_text(query, column));
        table_int(table, query_int(query, 3));
        table_int(table, query_int(query, 4));
        err = table_end_row(table);
        if (err)
            break;
    }
    return err;
}

static enum err export_counts(struct invocation *invocation)
{
    static const struct column columns[] = {{"class", COLUMN_TEXT},
                                            {"reason", COLUMN_TEXT},
                                            {"org", COLUMN_TEXT},
                                            {"received", COLUMN_INT},
                                            {"unique", COLUMN_INT}};
    if (option_given(invocation, "--from") || option_given(invocation, "--to"))
        log_message(LOG_WARNING, "counts are of all times; --from and --to do "
                                 "not narrow them");
    struct table *table = table_open(
        stdout, table_format_named(option_text(invocation, "--format")),
        columns, 5);
    struct store *store;
    enum err err = store_open(&store, invocation->config->data, STORE_READ);
    if (!err) {
        err = print_counts(store, table);
        store_close(store);
    }
    enum err closed = table_close(table);
    return err ? err : closed;
}

static const struct verb verbs[] = {
    {"sla", "", "scored hours per orchestrator, pipeline, model and GPU", 0, 0,
     export_sla},
    {"percentiles", "",
     "of latencies and frames per second, over --from to --to", 0, 0,
     export_percentiles},
    {"sessions", "", "sessions with their facts, attribution and outcome", 0, 0,
     export_sessions},
    {"selections", "", "selection events and the decision on each", 0, 0,
     export_selections},
    {"demand", "", "hourly demand of gateways by pipeline and model", 0, 0,
     export_demand},
    {"gpu", "", "hours of single GPUs", 0, 0, export_gpu},
    {"requests", "", "hourly request demand: batch and byoc jobs", 0, 0,
     export_requests},
    {"batch-jobs", "", "completed batch requests, attributed", 0, 0,
     export_batch_jobs},
    {"byoc-jobs", "", "attempts at byoc jobs, attributed", 0, 0,
     export_byoc_jobs},
    {"payments", "", "payments with the sessions they name", 0, 0,
     export_payments},
    {"inventory", "", "what orchestrators offered, as it was seen last", 0, 0,
     export_inventory},
    {"scores", "", "rows under a scorecard, with an interval where it has one",
     0, 0, export_scores},
    {"counts", "", "lines received, by class, reason and organisation", 0, 0,
     export_counts},
    {"runs", "", "our own measurements of orchestrators", 0, 0, export_runs},
    {"ledger", "", "what became of every planned run", 0, 0, export_ledger},
    {"hours", "", "hours of own runs: counts, sums and histograms", 0, 0,
     export_hours},
    {"report", "",
     "own runs of one --workflow: the columns its file names, met or missed "
     "against its targets",
     0, 0, export_report},
    {"prompts", "",
     "how much of what differs between runs is due to prompts: both fitted "
     "with "
     "the orchestrators (`assay metrics` has the method)",
     0, 0, export_prompts},
    {0}};

/* Those of scores are in the scorecard, those of counts in the code above. */
static const struct verb_columns columns[] = {
    {"sla", &sla_fields, &sla_assay_fields},
    {"percentiles", &percentile_fields, NULL},
    {"sessions", &session_fields, NULL},
    {"selections", &selection_fields, NULL},
    {"demand", &demand_fields, NULL},
    {"gpu", &gpu_fields, &gpu_assay_fields},
    {"requests", &request_demand_fields, NULL},
    {"batch-jobs", &batch_job_fields, NULL},
    {"byoc-jobs", &byoc_job_fields, NULL},
    {"payments", &payment_fields, &payment_assay_fields},
    {"inventory", &offer_fields, NULL},
    {"runs", &run_fields, NULL},
    {"ledger", &ledger_fields, NULL},
    {0}};

const struct command command_export = {
    .name = "export",
    .summary = "print rows: scores, sessions, demand, payments and others",
    .about =
        "Prints rows as the publisher's code computes them, or as its "
        "documents define them (--lens assay), or with single departures "
        "corrected (--switch). Times are UTC, nulls are nulls, and the order "
        "is fixed, so that two exports can be compared byte by byte. --from "
        "and --to look at a row's window, a session's start (its "
        "last event where it has none), a selection's or payment's time, or "
        "when a job was completed, an offer seen or a run begun; counts take "
        "neither. Runs are the same under every lens. "
        "Requests of hours that "
        "the publisher never shows say published 0. \"assay export WHAT "
        "--help\" "
        "lists the columns of its rows.\n\n"
        "Reads beside a running server.",
    .verbs = verbs,
    .columns = columns,
    .options = options,
    .examples = examples,
    .run = NULL,
};
