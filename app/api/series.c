/*
 * series.c: the published tables of hourly rows: /v1/streaming/sla, demand and
 * gpu-metrics, as JSON in pages or as CSV.
 *
 * Newest hour first, then by key, the organisation included: a cursor is the
 * whole key of the row before. Rows of the settled pass come out of their
 * table, those of the whole pass are computed for the question. Lens assay is
 * a series of its own, with its tables and what it adds to their columns.
 */
#include "api/serving.h"
#include "base/clock.h"

#include <stdlib.h>
#include <string.h>

/* A day after their day: until then late events are usual. */
enum { CLOSED_AFTER_MS = MS_PER_DAY };

int64_t present_ms(const struct request *request)
{
    int64_t now = clock_wall_ms();
    if (request->facts->is_simulated &&
        store_simulation_clock(request->store, now, &now))
        return clock_wall_ms();
    return now;
}

int64_t as_of_ms(const struct request *request)
{
    return parameter_time(request, "as_of", present_ms(request));
}

const struct field *field_named(struct fields fields, const char *name)
{
    const struct field *field = fields_named(fields, fields.count, name);
    if (!field)
        abort(); /* names are spelled in this program */
    return field;
}

struct text field_key(const struct field *field, const void *row)
{
    struct text text = field_text(field, row);
    return text.data ? text : text_of("");
}

/* ---- what is asked for --------------------------------------------------- */

enum { FILTERS = SERIES_FILTERS_MAX, CURSOR_AT = 8, LIMIT_AT = 11 };
enum { COHORT_DAYS = 7 }; /* that a row is scored by (§3.4) */

/* Hour, organisation, position in the hour: the sort key of a row. */
static const char shape[] = "iti";

static const struct {
    const char *parameter;
    const char *field;
} filter_fields[] = {
    {"org", "org"},         {"orchestrator", "orchestrator_address"},
    {"gateway", "gateway"}, {"pipeline", "pipeline_id"},
    {"model", "model_id"},  {"gpu", "gpu_id"},
};

/* One question: which rows, from where on. */
struct question {
    const struct series *series;
    struct request *request;
    const struct field *window; /* the fields of the sort key */
    const struct field *org;
    const struct field *position;
    int64_t start;
    int64_t end;
    int64_t now_ms;
    struct cursor cursor;
    struct computation computation;
    bool stored; /* there is a table of such rows */
};

static void read_bounds(struct question *question)
{
    struct request *request = question->request;
    int64_t as_of = parameter_time(request, "as_of", INT64_MAX - 1);
    question->now_ms = as_of_ms(request);
    question->start = parameter_time(request, "start", INT64_MIN);
    question->end = parameter_time(request, "end", INT64_MAX);
    if (as_of + 1 < question->end)
        question->end = as_of + 1;
}

/* Days of which rows are wanted, and those that these are scored by. */
static void bound_days(struct question *question)
{
    struct computation *computation = &question->computation;
    if (question->start != INT64_MIN)
        computation->from_day = clock_day_start(question->start) -
                                COHORT_DAYS * (int64_t)MS_PER_DAY;
    if (question->end != INT64_MAX)
        computation->until_day =
            clock_day_start(question->end - 1) + MS_PER_DAY;
}

/* From which table, if any, and what its rows are sorted by. */
static void choose_series(struct question *question)
{
    bool assay = is_kept_by_assay(question->request, &question->computation);
    if (lens_is_assay(question->computation.lens))
        question->series = question->series->assay;
    question->stored = assay || !is_computed(&question->computation);
    struct fields fields = *question->series->fields;
    question->window = field_named(fields, "window_start");
    question->org = field_named(fields, "org");
    question->position = field_named(fields, "position");
}

static enum err read_question(struct question *question)
{
    read_bounds(question);
    enum err err = read_computation(question->request, &question->computation);
    choose_series(question);
    if (!err)
        err = cursor_read(question->request, shape, &question->cursor);
    bound_days(question);
    /* Only hours that can still come are looked at. */
    if (!err && question->cursor.given &&
        question->cursor.parts[0].number < question->end)
        question->end = question->cursor.parts[0].number + 1;
    return err;
}

static struct cursor key_of(const struct question *question, const void *row)
{
    struct cursor key = {0};
    key.parts[0].number = field_int(question->window, row);
    key.parts[1].text = field_text(question->org, row);
    key.parts[2].number = field_int(question->position, row);
    return key;
}

/* ---- settled rows -------------------------------------------------------- */

/* Addresses are kept in lower case. */
static struct text filter_value(struct request *request, const char *parameter)
{
    struct text value = parameter_text(request, parameter);
    return value.data && strcmp(parameter, "orchestrator") == 0
               ? text_lower(request->arena, value)
               : value;
}

static struct query *ask(const struct question *question, int64_t limit)
{
    const struct series *series = question->series;
    struct request *request = question->request;
    const struct cursor *cursor = &question->cursor;
    bool one = parameter_text(request, "orchestrator").data != NULL;
    struct query *query =
        query_start(request->store, one ? series->query_of_one : series->query);
    query_bind_int(query, 1, question->start);
    query_bind_int(query, 2, question->end);
    for (int i = 0; i < FILTERS && series->filters[i]; i++)
        bind_optional(query, 3 + i, filter_value(request, series->filters[i]));
    if (cursor->given) {
        query_bind_int(query, CURSOR_AT, cursor->parts[0].number);
        query_bind_text(query, CURSOR_AT + 1, cursor->parts[1].text);
        query_bind_int(query, CURSOR_AT + 2, cursor->parts[2].number);
    }
    query_bind_int(query, LIMIT_AT, limit);
    return query;
}

/* ---- computed rows ------------------------------------------------------- */

struct walk {
    struct question *question;
    struct query *query; /* null: computed rows */
    void *row;           /* stored and labelled rows are made in this */
    const struct regions *regions; /* that rows are labelled by; null: none */
    const struct computed *computed;
    const char *rows; /* of them, oldest hour first */
    size_t first;     /* of the hour being walked */
    size_t end;
    size_t at;
};

static int64_t window_of(const struct walk *walk, size_t i)
{
    const struct question *question = walk->question;
    return field_int(question->window,
                     walk->rows + i * question->series->row_bytes);
}

static bool matches(const struct question *question, const void *row)
{
    const struct series *series = question->series;
    for (size_t i = 0; i < sizeof filter_fields / sizeof *filter_fields; i++) {
        const char *parameter = filter_fields[i].parameter;
        struct text wanted = filter_value(question->request, parameter);
        if (wanted.data &&
            !text_equal(wanted, field_key(field_named(*series->fields,
                                                      filter_fields[i].field),
                                          row)))
            return false;
    }
    return true;
}

/* Whether ROW comes behind the cursor. */
static bool is_behind(const struct question *question, const void *row)
{
    const struct cursor_part *cursor = question->cursor.parts;
    struct cursor key = key_of(question, row);
    if (!question->cursor.given || key.parts[0].number < cursor[0].number)
        return true;
    if (key.parts[0].number > cursor[0].number)
        return false;
    int order = text_compare(key.parts[1].text, cursor[1].text);
    return order ? order > 0 : key.parts[2].number > cursor[2].number;
}

/* The next hour back in time becomes the one to walk. */
static bool earlier_hour(struct walk *walk)
{
    if (walk->first == 0)
        return false;
    walk->end = walk->first;
    while (walk->first > 0 &&
           window_of(walk, walk->first - 1) == window_of(walk, walk->end - 1))
        walk->first--;
    walk->at = walk->first;
    return true;
}

static const void *next_computed(struct walk *walk)
{
    const struct question *question = walk->question;
    for (;;) {
        if (walk->at == walk->end && !earlier_hour(walk))
            return NULL;
        size_t i = walk->at++;
        const char *row = walk->rows + i * question->series->row_bytes;
        int64_t window = window_of(walk, i);
        if (window >= question->start && window < question->end &&
            matches(question, row) && is_behind(question, row))
            return row;
    }
}

static enum err walk_begin(struct walk *walk, int64_t limit)
{
    const struct question *question = walk->question;
    const struct series *series = question->series;
    struct request *request = question->request;
    if (lens_is_assay(question->computation.lens))
        walk->regions = regions_of(request->arena, request->config);
    walk->row = arena_alloc(request->arena, series->row_bytes);
    if (question->stored) {
        walk->query = ask(question, limit);
        return ERR_NONE;
    }
    enum err err =
        computed_rows(request, &question->computation, &walk->computed);
    if (err)
        return err;
    const char *all = (const char *)walk->computed;
    walk->rows =
        *(const char *const *)(const void *)(all + series->computed_rows);
    walk->first = *(const size_t *)(const void *)(all + series->computed_count);
    walk->end = walk->at = walk->first;
    return ERR_NONE;
}

/* *ROW, where there is one, gets its region; those that are computed are not
 * this request's alone. */
static void label(struct walk *walk, const void **row)
{
    const struct series *series = walk->question->series;
    if (!walk->regions || !*row)
        return;
    if (*row != walk->row)
        memcpy(walk->row, *row, series->row_bytes);
    regions_label(walk->regions, *series->fields, walk->row);
    *row = walk->row;
}

/* *ROW is null at the end; its texts are borrowed until the next one. */
static enum err walk_next(struct walk *walk, const void **row)
{
    bool more = true;
    *row = NULL;
    if (!walk->query) {
        *row = next_computed(walk);
        label(walk, row);
        return ERR_NONE;
    }
    enum err err = query_step(walk->query, &more);
    if (!err && more) {
        fields_borrow(walk->query, *walk->question->series->fields, walk->row);
        *row = walk->row;
        label(walk, row);
    }
    return err;
}

/* ---- answers ------------------------------------------------------------- */

/* Whether any day has lost evidence; mostly none has. */
static enum err any_expired(struct store *store, bool *any)
{
    struct query *query = query_start(store, QUERY_API_EVIDENCE_EXPIRED_ANY);
    bool row;
    enum err err = query_step(query, &row);
    *any = !err && row && query_int(query, 0);
    return err ? err : query_run(query);
}

/* A row outlives the evidence under it; then it is frozen, and says so. */
static enum err is_expired(struct store *store, struct text org, int64_t window,
                           bool *expired)
{
    struct query *query = query_start(store, QUERY_API_EVIDENCE_EXPIRED);
    query_bind_text(query, 1, org);
    query_bind_int(query, 2, clock_day_start(window));
    bool row;
    enum err err = query_step(query, &row);
    *expired = !err && row && query_int(query, 0);
    return err ? err : query_run(query);
}

static enum err add_json(struct walk *walk, struct page *page, const void *row,
                         bool expired)
{
    const struct question *question = walk->question;
    const struct series *series = question->series;
    struct request *request = question->request;
    struct json_writer *writer = &page->writer;
    int64_t window = field_int(question->window, row);
    enum err err = ERR_NONE;
    json_begin(writer, '{');
    json_fields(writer, *series->fields, series->fields->exported, row);
    if (series->extra)
        err =
            series->extra(request, writer, row, !walk->query || !series->assay);
    json_key(writer, "provisional");
    json_bool(writer, window >= clock_day_start(question->now_ms));
    if (!err && expired)
        err = is_expired(request->store, field_text(question->org, row), window,
                         &expired);
    json_key(writer, "evidence_expired");
    json_bool(writer, expired);
    json_end(writer, '}');
    return err;
}

/* EXPIRED says that some day has lost evidence. */
static enum err add_row(struct walk *walk, struct page *page, const void *row,
                        bool expired)
{
    if (!page->csv)
        return add_json(walk, page, row, expired);
    csv_row(page->reply->body, *walk->question->series->fields, row);
    buf_add_string(page->reply->body, "\r\n");
    return ERR_NONE;
}

int64_t told_until(int64_t window_ms, int64_t now_ms)
{
    int64_t end_ms = window_ms + MS_PER_HOUR;
    return end_ms <= now_ms ? end_ms : window_ms;
}

static void keep_org(struct arena *arena, struct cursor *key)
{
    struct text *org = &key->parts[1].text;
    org->data = arena_text(arena, org->data, org->length);
}

static enum err add_rows(struct walk *walk, struct page *page,
                         struct cursor *last)
{
    const struct question *question = walk->question;
    const void *row;
    bool expired;
    enum err err = any_expired(question->request->store, &expired);
    while (!err && !(err = walk_next(walk, &row)) && row &&
           page_wants_row(page)) {
        *last = key_of(question, row);
        page_tells_until(page,
                         told_until(last->parts[0].number, question->now_ms));
        err = add_row(walk, page, row, expired);
        if (page->rows == page->limit)
            keep_org(question->request->arena, last);
    }
    return err;
}

/* Hours that seldom change are not asked about again at once; but they may
 * change, as late as telemetry may come. */
static void set_lifetime(const struct request *request, struct reply *reply)
{
    int64_t closed = clock_day_start(clock_wall_ms()) - CLOSED_AFTER_MS;
    if (parameter_time(request, "end", INT64_MAX) <= closed)
        reply->cache_control = "max-age=60, must-revalidate";
}

static enum err answer_rows(struct walk *walk, struct page *page)
{
    struct cursor last = {0};
    enum err err = walk_begin(walk, page_rows(page));
    if (!err)
        err = add_rows(walk, page, &last);
    if (!err)
        page_end(page, shape, &last);
    return err;
}

enum err series_answer(const struct series *series, struct request *request,
                       struct reply *reply)
{
    struct question question = {.series = series, .request = request};
    struct walk walk = {.question = &question};
    enum err err = read_question(&question);
    if (err)
        return err;
    struct page page =
        page_begin(request, reply, *question.series->fields, NULL);
    page_as_of(&page, &question.computation.known);
    err = answer_rows(&walk, &page);
    computed_release(request, walk.computed);
    if (!err)
        set_lifetime(request, reply);
    return err;
}

/* ---- the two without anything of their own ------------------------------- */

static const struct series demand_by_assay = {
    .fields = &demand_fields,
    .row_bytes = sizeof(struct demand_row),
    .query = QUERY_API_ASSAY_DEMAND,
    .query_of_one = QUERY_API_ASSAY_DEMAND,
    .filters = {"org", "gateway", "pipeline", "model"},
    .computed_rows = offsetof(struct computed, demand),
    .computed_count = offsetof(struct computed, demand_count),
};

const struct series series_demand = {
    .fields = &demand_fields,
    .row_bytes = sizeof(struct demand_row),
    .query = QUERY_API_DEMAND,
    .query_of_one = QUERY_API_DEMAND,
    .filters = {"org", "gateway", "pipeline", "model"},
    .computed_rows = offsetof(struct computed, demand),
    .computed_count = offsetof(struct computed, demand_count),
    .assay = &demand_by_assay,
};

static const struct series gpu_metrics_by_assay = {
    .fields = &gpu_assay_fields,
    .row_bytes = sizeof(struct gpu_row),
    .query = QUERY_API_ASSAY_GPU_METRICS,
    .query_of_one = QUERY_API_ASSAY_GPU_METRICS_OF,
    .filters = {"org", "orchestrator", "pipeline", "model", "gpu"},
    .computed_rows = offsetof(struct computed, gpus),
    .computed_count = offsetof(struct computed, gpu_count),
};

const struct series series_gpu_metrics = {
    .fields = &gpu_fields,
    .row_bytes = sizeof(struct gpu_row),
    .query = QUERY_API_GPU_METRICS,
    .query_of_one = QUERY_API_GPU_METRICS_OF,
    .filters = {"org", "orchestrator", "pipeline", "model", "gpu"},
    .computed_rows = offsetof(struct computed, gpus),
    .computed_count = offsetof(struct computed, gpu_count),
    .assay = &gpu_metrics_by_assay,
};

enum err answer_demand(struct request *request, struct reply *reply)
{
    return series_answer(&series_demand, request, reply);
}

enum err answer_gpu_metrics(struct request *request, struct reply *reply)
{
    return series_answer(&series_gpu_metrics, request, reply);
}
