/*
 * percentiles.c: /v1/streaming/percentiles: percentiles of latencies and frames
 * per second over any range of hours, by model, orchestrator or GPU
 * (rollup/percentiles.h).
 *
 * Rows are merged anew for each page: a cursor is the number of the row before,
 * which is the same row as long as the state of the store is.
 */
#include "api/serving.h"
#include "base/clock.h"

static const char shape[] = "i";

struct percentiles_asked {
    struct percentile_question question;
    struct computation computation;
    const struct computed *computed;
    struct cursor cursor;
};

static void read_range(const struct request *request,
                       struct percentile_question *question)
{
    int64_t as_of = parameter_time(request, "as_of", INT64_MAX - 1);
    question->from_ms = parameter_time(request, "start", INT64_MIN);
    question->until_ms = parameter_time(request, "end", INT64_MAX);
    if (as_of + 1 < question->until_ms)
        question->until_ms = as_of + 1;
}

static void read_filters(struct request *request,
                         struct percentile_question *question)
{
    struct text orchestrator = parameter_text(request, "orchestrator");
    if (orchestrator.data)
        question->orchestrator = text_lower(request->arena, orchestrator);
    question->org = parameter_text(request, "org");
    question->pipeline = parameter_text(request, "pipeline");
    question->model = parameter_text(request, "model");
    question->gpu = parameter_text(request, "gpu");
    question->metric = sketch_metric_named(parameter_text(request, "metric"));
    question->by = percentile_group_named(parameter_text(request, "by"));
}

/* The hours that are asked for, where they are not in the tables. */
static enum err read_computed(struct request *request,
                              struct percentiles_asked *asked)
{
    struct computation *computation = &asked->computation;
    if (is_kept_by_assay(request, computation) || !is_computed(computation))
        return ERR_NONE;
    if (asked->question.from_ms != INT64_MIN)
        computation->from_day = clock_day_start(asked->question.from_ms);
    if (asked->question.until_ms != INT64_MAX)
        computation->until_day =
            clock_day_start(asked->question.until_ms - 1) + MS_PER_DAY;
    enum err err = computed_rows(request, computation, &asked->computed);
    asked->question.computed = asked->computed;
    return err;
}

static enum err read_asked(struct request *request,
                           struct percentiles_asked *asked)
{
    enum err err = cursor_read(request, shape, &asked->cursor);
    if (!err)
        err = read_computation(request, &asked->computation);
    if (err)
        return err;
    asked->question.lens = asked->computation.lens;
    read_range(request, &asked->question);
    read_filters(request, &asked->question);
    return read_computed(request, asked);
}

static void add_row(struct page *page, const struct percentile_row *row)
{
    page_tells_until(page,
                     told_until(row->last_window, as_of_ms(page->request)));
    if (page->csv) {
        csv_row(page->reply->body, percentile_fields, row);
        buf_add_string(page->reply->body, "\r\n");
        return;
    }
    json_begin(&page->writer, '{');
    json_fields(&page->writer, percentile_fields, percentile_fields.exported,
                row);
    json_end(&page->writer, '}');
}

static void add_rows(struct page *page, const struct percentiles_asked *asked,
                     const struct percentile_row *rows, size_t count)
{
    struct cursor last = {0};
    size_t at = asked->cursor.given ? (size_t)asked->cursor.parts[0].number : 0;
    while (at < count && page_wants_row(page)) {
        add_row(page, &rows[at++]);
        last.parts[0].number = (int64_t)at;
    }
    page_end(page, shape, &last);
}

enum err answer_percentiles(struct request *request, struct reply *reply)
{
    struct percentiles_asked asked = {0};
    struct percentile_row *rows = NULL;
    size_t count = 0;
    enum err err = read_asked(request, &asked);
    if (!err)
        err = percentiles(request->store, request->arena, &asked.question,
                          &rows, &count);
    if (!err) {
        struct page page = page_begin(request, reply, percentile_fields, NULL);
        page_as_of(&page, &asked.computation.known);
        add_rows(&page, &asked, rows, count);
    }
    computed_release(request, asked.computed);
    return err;
}
