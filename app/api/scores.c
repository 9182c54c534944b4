/*
 * scores.c: /v1/streaming/sla.
 *
 * All columns of the export, the reason where a score is null, why rows
 * without an orchestrator have none, and whether the row's day is still
 * running.
 */
#include "api/api_int.h"
#include "base/clock.h"

/* The order of the list: newest hour first, then the key. */
static const char shape[] = "ittttt";

static struct text known(struct text text)
{
    return text.data ? text : text_of("");
}

static struct cursor cursor_of(const struct sla_row *row)
{
    return (struct cursor){
        .parts = {{.number = row->window_start},
                  {.text = row->org},
                  {.text = row->orchestrator_address},
                  {.text = known(row->pipeline_id)},
                  {.text = known(row->model_id)},
                  {.text = known(row->gpu_id)}},
    };
}

/* Hours from START to END, both as parameters; a cursor bounds the end, too,
 * so that only hours that can still come are looked at. */
static struct query *ask(struct request *request, const struct page *page,
                         const struct cursor *cursor)
{
    struct query *query = query_start(request->store, QUERY_API_SCORES);
    int64_t end = parameter_time(request, "end", INT64_MAX);
    if (cursor->given && cursor->parts[0].number < end)
        end = cursor->parts[0].number + 1;
    query_bind_int(query, 1, parameter_time(request, "start", INT64_MIN));
    query_bind_int(query, 2, end);
    bind_optional(query, 3, parameter_text(request, "org"));
    bind_optional(query, 4, parameter_text(request, "orchestrator"));
    bind_optional(query, 5, parameter_text(request, "pipeline"));
    bind_optional(query, 6, parameter_text(request, "model"));
    bind_optional(query, 7, parameter_text(request, "gpu"));
    if (cursor->given) {
        query_bind_int(query, 8, cursor->parts[0].number);
        for (int i = 1; i <= 5; i++)
            query_bind_text(query, 8 + i, cursor->parts[i].text);
    } else {
        query_bind_null(query, 8);
    }
    query_bind_int(query, 14, page_rows(page));
    return query;
}

/* The reasons of the sessions under a row without orchestrator. */
static enum err add_reasons(struct request *request, struct json_writer *writer,
                            const struct sla_row *row)
{
    json_key(writer, "attribution_reasons");
    json_begin(writer, '[');
    bool more = row->orchestrator_address.length == 0;
    enum err err = ERR_NONE;
    struct query *query = NULL;
    if (more) {
        query = query_start(request->store, QUERY_API_SCORE_REASONS);
        query_bind_text(query, 1, row->org);
        query_bind_int(query, 2, row->window_start);
        query_bind_text(query, 3, known(row->pipeline_id));
        query_bind_text(query, 4, known(row->model_id));
    }
    while (more && !err) {
        err = query_step(query, &more);
        if (!err && more)
            json_text(writer, query_text(query, 0));
    }
    json_end(writer, ']');
    return err;
}

static enum err add_row(struct request *request, struct json_writer *writer,
                        const struct sla_row *row)
{
    json_begin(writer, '{');
    json_fields(writer, sla_fields, sla_fields.exported, row);
    json_key(writer, "null_reason");
    json_text_or_null(writer, row->null_reason);
    json_key(writer, "quality_note");
    json_text_or_null(writer, row->quality_note);
    json_key(writer, "provisional");
    json_bool(writer, row->window_start >= clock_day_start(clock_wall_ms()));
    enum err err = add_reasons(request, writer, row);
    json_end(writer, '}');
    return err;
}

enum err answer_scores(struct request *request, struct reply *reply)
{
    struct cursor cursor;
    enum err err = cursor_read(request, shape, &cursor);
    if (err)
        return err;
    struct page page = page_begin(request, reply);
    struct query *query = ask(request, &page, &cursor);
    struct sla_row row = {0};
    bool more = true;
    while (!(err = query_step(query, &more)) && more && page_wants_row(&page)) {
        fields_read(request->arena, query, 0, sla_fields, &row);
        err = add_row(request, &page.writer, &row);
        if (err)
            break;
    }
    if (err)
        return err;
    struct cursor last = cursor_of(&row);
    page_end(&page, page.more ? cursor_write(request->arena, shape, &last)
                              : (struct text){0});
    return ERR_NONE;
}
