/*
 * runs.c: /v1/runs and /v1/runs/{id}: what we measured ourselves.
 *
 * A run's row holds its figures, and the number of its evidence line, from
 * which two questions lead to the exact bytes and to the raw samples.
 */
#include "api/serving.h"
#include "journal/journal.h"

static const char shape[] = "it";

static struct query *ask(struct request *request, const struct page *page,
                         const struct cursor *cursor)
{
    struct query *query = query_start(request->store, QUERY_API_RUNS);
    query_bind_int(query, 1, parameter_time(request, "start", INT64_MIN));
    query_bind_int(query, 2, parameter_time(request, "end", INT64_MAX));
    bind_optional(query, 3, parameter_text(request, "orchestrator"));
    bind_optional(query, 4, parameter_text(request, "workflow"));
    bind_optional(query, 5, parameter_text(request, "model"));
    bind_optional(query, 6, parameter_text(request, "kind"));
    bind_optional(query, 7, parameter_text(request, "outcome"));
    bind_place(query, 8, cursor);
    query_bind_int(query, 10, page_rows(page));
    return query;
}

static void add_line(struct json_writer *writer, const char *name, int64_t line)
{
    json_key(writer, name);
    if (line == ABSENT_INT)
        json_null(writer);
    else
        json_int(writer, line);
}

/* The column behind those of the row; a run without samples has none. */
static int64_t samples_line_of(struct query *query)
{
    int column = (int)run_fields.count;
    return query_is_null(query, column) ? ABSENT_INT : query_int(query, column);
}

/* The exported fields, and where the evidence is. */
static void add_members(struct json_writer *writer, const struct run *run,
                        int64_t samples_line)
{
    json_begin(writer, '{');
    json_fields(writer, run_fields, run_fields.exported, run);
    add_line(writer, "line", run->line);
    add_line(writer, "samples_line", samples_line);
    json_end(writer, '}');
}

static void add_run(struct page *page, struct query *query,
                    const struct run *run)
{
    page_tells_until(page, run->started_at);
    if (page->csv) {
        csv_row(page->reply->body, run_fields, run);
        buf_add_string(page->reply->body, "\r\n");
        return;
    }
    add_members(&page->writer, run, samples_line_of(query));
}

enum err answer_runs(struct request *request, struct reply *reply)
{
    struct cursor cursor;
    enum err err = cursor_read(request, shape, &cursor);
    if (err)
        return err;
    struct page page = page_begin(request, reply, run_fields, NULL);
    struct query *query = ask(request, &page, &cursor);
    struct run run = run_empty();
    bool more = true;
    while (!(err = query_step(query, &more)) && more && page_wants_row(&page)) {
        fields_read(request->arena, query, 0, run_fields, &run);
        add_run(&page, query, &run);
    }
    struct cursor last = {
        .parts = {{.number = run.started_at}, {.text = run.run_id}}};
    if (!err)
        page_end(&page, shape, &last);
    return err;
}

enum err answer_run(struct request *request, struct reply *reply)
{
    struct query *query = query_start(request->store, QUERY_API_RUN);
    struct json_writer writer = reply_json(reply);
    struct run run = run_empty();
    bool found;
    query_bind_text(query, 1, request->argument);
    enum err err = query_step(query, &found);
    if (err)
        return err;
    if (!found)
        return err_set(ERR_ABSENT, "there is no run %.*s",
                       (int)request->argument.length, request->argument.data);
    fields_read(request->arena, query, 0, run_fields, &run);
    add_members(&writer, &run, samples_line_of(query));
    return query_run(query);
}
