/*
 * plans.c: /v1/plan, /v1/ledger and /v1/ledger/counts: what was planned, and
 * what became of every planned run.
 *
 * A plan stands with the sums of its ledger, and with its seed once that is
 * revealed; its targets are in its line of evidence, over which its hash is.
 * Of the ledger the row that stands for each planned run is listed: a run that
 * was started and then executed is one row. Before a seed is revealed nobody
 * can know the instants to come, so those rows are not there.
 */
#include "api/list.h"
#include "journal/journal.h"

/* ---- plans --------------------------------------------------------------- */

#define PLAN(kind, member) FIELD(kind, plan_row, member)

/* In the order of the columns of api_plans. */
static const struct field plan_row_list[] = {
    PLAN(TEXT, plan_hash),
    PLAN(TEXT, vantage),
    PLAN(TEXT, seed_sha256),
    PLAN(TIME, starts_at),
    PLAN(TIME, ends_at),
    PLAN(INT, hour_ms),
    PLAN(INT, run_ms),
    PLAN(INT, run_spread_ms),
    PLAN(INT, idle_share_ppm),
    PLAN(INT, run_ms_per_hour),
    PLAN(INT, runs_at_once),
    PLAN(INT, run_wei),
    PLAN(INT, day_wei),
    PLAN(TEXT, control_targets),
    PLAN(INT, control_fail_ppm),
    PLAN(INT, fleet_fail_ppm),
    PLAN(INT, fleet_window_ms),
    PLAN(TIME, made_at),
    PLAN(INT, targets),
    PLAN(INT, orchestrators),
    PLAN(INT, runs),
    PLAN(INT, executed),
    PLAN(INT, skipped),
    PLAN(INT, started),
    PLAN(TIME, revealed_at),
    PLAN(TEXT, seed),
    PLAN(INT, line),
    PLAN(INT, reveal_line),
};

const struct fields plan_row_fields = FIELDS(plan_row_list, 0);

enum err answer_plans(struct request *request, struct reply *reply)
{
    static const char shape[] = "it";
    struct cursor cursor;
    enum err err = cursor_read(request, shape, &cursor);
    if (err)
        return err;
    struct page page = page_begin(request, reply, plan_row_fields, NULL);
    struct query *query = query_start(request->store, QUERY_API_PLANS);
    query_bind_int(query, 1, parameter_time(request, "start", INT64_MIN));
    query_bind_int(query, 2, parameter_time(request, "end", INT64_MAX));
    bind_optional(query, 3, parameter_text(request, "plan"));
    bind_place(query, 4, &cursor);
    query_bind_int(query, 6, page_rows(&page));
    struct plan_row row = {0};
    bool more = true;
    while (!(err = query_step(query, &more)) && more && page_wants_row(&page)) {
        fields_read(request->arena, query, 0, plan_row_fields, &row);
        page_tells_until(&page, row.made_at);
        page_add_row(&page, plan_row_fields, &row);
    }
    struct cursor last = {
        .parts = {{.number = row.starts_at}, {.text = row.plan_hash}}};
    if (!err)
        page_end(&page, shape, &last);
    return err;
}

/* ---- the ledger ---------------------------------------------------------- */

/* The columns behind those of the ledger's row. */
enum { AT_LINE, AT_LATEST, AT_ADDRESS, AT_OUTCOME };

static void add_text(struct json_writer *writer, const char *name,
                     struct query *query, int column)
{
    json_key(writer, name);
    if (query_is_null(query, column))
        json_null(writer);
    else
        json_text(writer, query_text(query, column));
}

static void add_decision(struct page *page, struct query *query,
                         const struct ledger_row *row)
{
    int more = (int)ledger_fields.count;
    struct json_writer *writer = &page->writer;
    page_tells_until(page, row->decided_at);
    if (page->csv) {
        page_add_row(page, ledger_fields, row);
        return;
    }
    json_begin(writer, '{');
    json_fields(writer, ledger_fields, ledger_fields.exported, row);
    add_text(writer, "orchestrator_address", query, more + AT_ADDRESS);
    add_text(writer, "outcome", query, more + AT_OUTCOME);
    json_member_int(writer, "line", query_int(query, more + AT_LINE));
    json_end(writer, '}');
}

/* With the parameters that choose rows. */
static struct query *ask_ledger(struct request *request, enum query_id id)
{
    struct query *query = query_start(request->store, id);
    query_bind_int(query, 1, parameter_time(request, "start", INT64_MIN));
    query_bind_int(query, 2, parameter_time(request, "end", INT64_MAX));
    bind_optional(query, 3, parameter_text(request, "plan"));
    bind_optional(query, 4, parameter_text(request, "orchestrator"));
    bind_optional(query, 5, parameter_text(request, "workflow"));
    bind_optional(query, 6, parameter_text(request, "model"));
    bind_optional(query, 7, parameter_text(request, "state"));
    bind_optional(query, 8, parameter_text(request, "reason"));
    return query;
}

enum err answer_ledger(struct request *request, struct reply *reply)
{
    static const char shape[] = "ii";
    struct cursor cursor;
    enum err err = cursor_read(request, shape, &cursor);
    if (err)
        return err;
    struct page page = page_begin(request, reply, ledger_fields, NULL);
    struct query *query = ask_ledger(request, QUERY_API_LEDGER);
    bind_place(query, 9, &cursor);
    query_bind_int(query, 11, page_rows(&page));
    struct ledger_row row = {0};
    struct cursor last = {0};
    bool more = true;
    while (!(err = query_step(query, &more)) && more && page_wants_row(&page)) {
        fields_read(request->arena, query, 0, ledger_fields, &row);
        add_decision(&page, query, &row);
        last.parts[0].number = row.due_at;
        last.parts[1].number = row.seq;
    }
    if (!err)
        page_end(&page, shape, &last);
    return err;
}

/* ---- sums of the ledger -------------------------------------------------- */

/* In the order of the columns of api_ledger_counts. */
static const struct field ledger_count_list[] = {
    FIELD(TEXT, ledger_count, state), FIELD(TEXT, ledger_count, reason),
    FIELD(INT, ledger_count, runs), FIELD(TIME, ledger_count, last_decided_at)};

const struct fields ledger_count_fields = FIELDS(ledger_count_list, 0);

static const struct row_list list_of_ledger_counts = {
    .fields = &ledger_count_fields,
    .row_bytes = sizeof(struct ledger_count),
    .keys = {"state", "reason"},
    .told_until = "last_decided_at"};

enum err answer_ledger_counts(struct request *request, struct reply *reply)
{
    struct listing listing;
    struct row_array all;
    enum err err = list_open(&listing, &list_of_ledger_counts, request);
    if (!err)
        err = fields_read_all(
            request->arena, ask_ledger(request, QUERY_API_LEDGER_COUNTS),
            ledger_count_fields, sizeof(struct ledger_count), &all);
    if (!err)
        list_answer(&listing, reply, NULL, all.rows, all.count);
    return err;
}
