/*
 * sessions.c: /v1/sessions, the list.
 *
 * A session stands at the time it was last heard of: every session has one,
 * while a request was not seen for all. With `hour` the list holds the
 * sessions that a score row of that hour was made from: those with status
 * events in it whose samples are no tail artefact.
 */
#include "api/serving.h"

static const char shape[] = "it";

static struct query *ask(struct request *request, const struct page *page,
                         const struct cursor *cursor)
{
    bool hourly = parameter_text(request, "hour").data != NULL;
    struct query *query =
        query_start(request->store,
                    hourly ? QUERY_API_SESSIONS_OF_HOUR : QUERY_API_SESSIONS);
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
    bind_place(query, 8, cursor);
    query_bind_int(query, 10, page_rows(page));
    if (hourly)
        query_bind_int(query, 11, parameter_time(request, "hour", 0));
    return query;
}

static void add_session(struct page *page, const struct session_row *row)
{
    page_tells_until(page, row->last_seen);
    page_add_row(page, session_fields, row);
}

enum err answer_sessions(struct request *request, struct reply *reply)
{
    struct cursor cursor;
    enum err err = cursor_read(request, shape, &cursor);
    if (err)
        return err;
    if (parameter_text(request, "hour").data &&
        !parameter_text(request, "org").data)
        return err_set(ERR_INPUT, "parameter \"hour\" needs \"org\" beside it");
    struct page page = page_begin(request, reply, session_fields, NULL);
    struct query *query = ask(request, &page, &cursor);
    struct session_row row = {0};
    bool more = true;
    while (!(err = query_step(query, &more)) && more && page_wants_row(&page)) {
        fields_read(request->arena, query, 0, session_fields, &row);
        add_session(&page, &row);
    }
    struct cursor last = {
        .parts = {{.number = row.last_seen}, {.text = row.session_key}}};
    if (!err)
        page_end(&page, shape, &last);
    return err;
}
