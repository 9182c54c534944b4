/*
 * requests.c: /v1/requests/ai-batch/summary, ai-batch/llm-summary and
 * byoc/summary: jobs by pipeline, model or capability, as JSON in pages or as
 * CSV, and the same under /compat as the publisher answers (§4.3).
 *
 * All come from the hours of request demand. The publisher shows such an hour
 * only where some stream changed in it (§3.8), so its sums leave jobs out; ours
 * count them all and say how many it hides, in `unpublished_jobs`.
 */
#include "api/serving.h"
#include "base/clock.h"

struct job_summary {
    struct text name; /* pipeline or capability */
    int64_t total_jobs;
    int64_t selected_jobs;
    int64_t no_orch_jobs;
    double success_rate;
    double avg_duration_ms;
    int64_t unpublished_jobs;
    int64_t last_window;
};

struct llm_summary {
    struct text model;
    int64_t total_requests;
    double success_rate;
    double avg_tokens_per_sec;
    double avg_ttft_ms;
    double avg_total_tokens;
    int64_t unpublished_requests;
    int64_t last_window;
};

#define NAMED_FIELD(row, member, name)                                         \
    {                                                                          \
        name, FIELD_TEXT, offsetof(struct row, member), sizeof name - 1        \
    }

#define JOB_FIELDS                                                             \
    FIELD(INT, job_summary, total_jobs),                                       \
        FIELD(INT, job_summary, selected_jobs),                                \
        FIELD(INT, job_summary, no_orch_jobs),                                 \
        FIELD(DOUBLE, job_summary, success_rate),                              \
        FIELD(DOUBLE, job_summary, avg_duration_ms),                           \
        FIELD(INT, job_summary, unpublished_jobs),                             \
        FIELD(WINDOW, job_summary, last_window)

/* Every row begins with its name and the number that it is ordered by, and
 * ends with two fields that the publisher has not. */
static const struct field batch_list[] = {
    NAMED_FIELD(job_summary, name, "pipeline"), JOB_FIELDS};
static const struct field byoc_list[] = {
    NAMED_FIELD(job_summary, name, "capability"), JOB_FIELDS};
static const struct field llm_list[] = {
    FIELD(TEXT, llm_summary, model),
    FIELD(INT, llm_summary, total_requests),
    FIELD(DOUBLE, llm_summary, success_rate),
    FIELD(DOUBLE, llm_summary, avg_tokens_per_sec),
    FIELD(DOUBLE, llm_summary, avg_ttft_ms),
    FIELD(DOUBLE, llm_summary, avg_total_tokens),
    FIELD(INT, llm_summary, unpublished_requests),
    FIELD(WINDOW, llm_summary, last_window)};

enum { JOB_COLUMNS = 8, LLM_COLUMNS = 8, NOT_PUBLISHED = 2 };

const struct fields batch_summary_fields = {batch_list, JOB_COLUMNS,
                                            JOB_COLUMNS};
const struct fields byoc_summary_fields = {byoc_list, JOB_COLUMNS, JOB_COLUMNS};
const struct fields llm_summary_fields = {llm_list, LLM_COLUMNS, LLM_COLUMNS};

struct summary {
    const struct fields *fields;
    size_t row_bytes;
    enum query_id query;
    const char *family;
    const char *filter; /* the parameter that names one row */
};

static const struct summary of_batch = {
    &batch_summary_fields, sizeof(struct job_summary), QUERY_REQUEST_SUMMARY,
    "builtin", "pipeline"};
static const struct summary of_byoc = {
    &byoc_summary_fields, sizeof(struct job_summary), QUERY_REQUEST_SUMMARY,
    "byoc", "capability"};
static const struct summary of_llm = {&llm_summary_fields,
                                      sizeof(struct llm_summary),
                                      QUERY_LLM_SUMMARY, "builtin", "model"};

/* ---- ours ---------------------------------------------------------------- */

/* How many, and what: the sort key of a row. */
static const char shape[] = "it";

static struct query *ask(struct request *request, const struct summary *summary,
                         const struct cursor *cursor, int64_t limit)
{
    struct query *query = query_start(request->store, summary->query);
    int64_t as_of = parameter_time(request, "as_of", INT64_MAX - 1);
    int64_t end = parameter_time(request, "end", INT64_MAX);
    query_bind_text(query, 1, text_of(summary->family));
    query_bind_int(query, 2, parameter_time(request, "start", INT64_MIN));
    query_bind_int(query, 3, as_of + 1 < end ? as_of + 1 : end);
    bind_optional(query, 4, parameter_text(request, "org"));
    bind_optional(query, 5, parameter_text(request, "gateway"));
    bind_optional(query, 6, parameter_text(request, summary->filter));
    if (cursor->given) {
        query_bind_int(query, 7, cursor->parts[0].number);
        query_bind_text(query, 8, cursor->parts[1].text);
    }
    query_bind_int(query, 10, limit);
    return query;
}

static void add_row(struct page *page, struct fields fields, const void *row)
{
    const struct field *window = &fields.list[fields.count - 1];
    page_tells_until(
        page, told_until(field_int(window, row), as_of_ms(page->request)));
    if (page->csv) {
        csv_row(page->reply->body, fields, row);
        buf_add_string(page->reply->body, "\r\n");
        return;
    }
    json_begin(&page->writer, '{');
    json_fields(&page->writer, fields, fields.exported, row);
    json_end(&page->writer, '}');
}

static enum err answer(const struct summary *summary, struct request *request,
                       struct reply *reply)
{
    struct fields fields = *summary->fields;
    struct cursor cursor;
    struct cursor last = {0};
    enum err err = cursor_read(request, shape, &cursor);
    if (err)
        return err;
    struct page page = page_begin(request, reply, fields, NULL);
    struct query *query = ask(request, summary, &cursor, page_rows(&page));
    void *row = arena_alloc(request->arena, summary->row_bytes);
    bool more;
    while (!(err = query_step(query, &more)) && more && page_wants_row(&page)) {
        fields_read(request->arena, query, 0, fields, row);
        add_row(&page, fields, row);
        last.parts[0].number = field_int(&fields.list[1], row);
        last.parts[1].text = field_text(&fields.list[0], row);
    }
    if (!err)
        page_end(&page, shape, &last);
    return err;
}

enum err answer_batch_summary(struct request *request, struct reply *reply)
{
    return answer(&of_batch, request, reply);
}

enum err answer_byoc_summary(struct request *request, struct reply *reply)
{
    return answer(&of_byoc, request, reply);
}

enum err answer_llm_summary(struct request *request, struct reply *reply)
{
    return answer(&of_llm, request, reply);
}

/* ---- as the publisher answers -------------------------------------------- */

static struct query *ask_as_published(struct request *request,
                                      const struct summary *summary)
{
    int64_t now = present_ms(request);
    struct query *query = query_start(request->store, summary->query);
    query_bind_text(query, 1, text_of(summary->family));
    query_bind_int(query, 2, compat_time(request, "start", now - MS_PER_DAY));
    query_bind_int(query, 3, compat_time(request, "end", now));
    query_bind_int(query, 9, 1);
    query_bind_int(query, 10, INT64_MAX);
    return query;
}

static enum err answer_as_published(const struct summary *summary,
                                    struct request *request,
                                    struct reply *reply)
{
    struct fields fields = *summary->fields;
    struct query *query = ask_as_published(request, summary);
    struct json_writer writer = reply_json(reply);
    void *row = arena_alloc(request->arena, summary->row_bytes);
    enum err err;
    bool more;
    json_begin(&writer, '[');
    while (!(err = query_step(query, &more)) && more) {
        fields_read(request->arena, query, 0, fields, row);
        json_begin(&writer, '{');
        for (size_t i = 0; i < fields.count - NOT_PUBLISHED; i++)
            compat_value(&writer, &fields.list[i], row);
        json_end(&writer, '}');
    }
    json_end(&writer, ']');
    return err;
}

enum err compat_batch_summary(struct request *request, struct reply *reply)
{
    return answer_as_published(&of_batch, request, reply);
}

enum err compat_byoc_summary(struct request *request, struct reply *reply)
{
    return answer_as_published(&of_byoc, request, reply);
}

enum err compat_llm_summary(struct request *request, struct reply *reply)
{
    return answer_as_published(&of_llm, request, reply);
}
