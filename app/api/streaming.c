/*
 * streaming.c: /v1/streaming/models and /v1/streaming/orchestrators: who
 * offered live video in the day before `as_of`, and what is going on there.
 *
 * As published (§4.2): an offer counts whether or not the model was warm, a
 * stream is active if it was not closed and was heard of within 30 minutes.
 * The average of frames is not rounded here, and its sum and count stand
 * beside it.
 */
#include "api/serving.h"
#include "base/clock.h"
#include "base/index.h"

#include <math.h>
#include <stdlib.h>

enum { ACTIVE_MS = 30 * MS_PER_MINUTE };

#define MODEL(kind, member) FIELD(kind, model_row, member)
#define ORCHESTRATOR(kind, member) FIELD(kind, orchestrator_row, member)
#define COUNT_OF(array) (sizeof(array) / sizeof *(array))

/* clang-format off */
static const struct field model_list[] = {
    MODEL(TEXT, pipeline),
    MODEL(TEXT, model),
    MODEL(INT, warm_orch_count),
    MODEL(INT, gpu_slots),
    MODEL(INT, active_streams),
    MODEL(INT, available_capacity),
    MODEL(DOUBLE, output_fps_sum),
    MODEL(INT, status_samples),
    MODEL(DOUBLE, avg_fps),
};

static const struct field orchestrator_list[] = {
    ORCHESTRATOR(TEXT, address),
    ORCHESTRATOR(TEXT, uri),
    ORCHESTRATOR(INT, gpu_count),
    ORCHESTRATOR(TIME, last_seen),
};
/* clang-format on */

const struct fields model_fields = {model_list, COUNT_OF(model_list),
                                    COUNT_OF(model_list)};
const struct fields orchestrator_fields = {orchestrator_list,
                                           COUNT_OF(orchestrator_list),
                                           COUNT_OF(orchestrator_list)};

/* ---- offers -------------------------------------------------------------- */

struct offers {
    struct offer *list;
    size_t count;
};

static bool is_wanted(const struct stream_filter *filter,
                      const struct offer *offer)
{
    return (!filter->orchestrator.data ||
            text_equal_ignoring_case(offer->address, filter->orchestrator)) &&
           (!filter->model.data || text_equal(offer->model, filter->model)) &&
           (!filter->gpu.data || text_equal(offer->gpu_id, filter->gpu));
}

static enum err add_offers(struct request *request,
                           const struct stream_filter *filter, struct text org,
                           struct offers *offers)
{
    struct arena *arena = request->arena;
    struct capability_snapshot *snapshots;
    size_t count;
    enum err err = snapshots_between(request->store, arena, org,
                                     filter->now_ms - STREAM_WINDOW_MS,
                                     filter->now_ms, &snapshots, &count);
    if (err)
        return err;
    if (filter->known)
        known_snapshots(filter->known, snapshots, &count);
    struct offer *list =
        offers_build(arena, org, snapshots, count, LIVE_PIPELINE, &count);
    for (size_t i = 0; i < count; i++) {
        if (!is_wanted(filter, &list[i]))
            continue;
        offers->list = arena_grow(arena, offers->list, offers->count,
                                  sizeof *offers->list);
        offers->list[offers->count++] = list[i];
    }
    return ERR_NONE;
}

/* Of all organisations that FILTER lets through. */
static enum err read_offers(struct request *request,
                            const struct stream_filter *filter,
                            struct offers *offers)
{
    struct text *orgs = NULL;
    size_t count = 0;
    struct query *query = query_start(request->store, QUERY_INVENTORY_ORGS);
    bind_optional(query, 1, filter->org);
    bool row;
    enum err err;
    while (!(err = query_step(query, &row)) && row) {
        orgs = arena_grow(request->arena, orgs, count, sizeof *orgs);
        orgs[count++] = query_copy(request->arena, query, 0);
    }
    for (size_t i = 0; !err && i < count; i++)
        err = add_offers(request, filter, orgs[i], offers);
    return err;
}

static int compare_by_model(const void *left, const void *right)
{
    const struct offer *a = left;
    const struct offer *b = right;
    int order = text_compare(a->model, b->model);
    if (!order)
        order = text_compare(a->address, b->address);
    return order ? order : text_compare(a->gpu_id, b->gpu_id);
}

static int compare_by_address(const void *left, const void *right)
{
    const struct offer *a = left;
    const struct offer *b = right;
    int order = text_compare(a->address, b->address);
    if (!order && a->last_seen != b->last_seen)
        order = a->last_seen < b->last_seen ? -1 : 1;
    return order ? order : compare_by_model(left, right);
}

static size_t count_gpus(const struct offer *offers, size_t count)
{
    struct text_index gpus = {0};
    for (size_t i = 0; i < count; i++)
        if (offers[i].gpu_id.length)
            text_index_add(&gpus, offers[i].gpu_id, NULL);
    size_t distinct = gpus.count;
    text_index_free(&gpus);
    return distinct;
}

/* ---- models -------------------------------------------------------------- */

static void bind_filter(struct query *query, const struct stream_filter *filter,
                        struct text model, int64_t since_ms)
{
    query_bind_string(query, 1, LIVE_PIPELINE);
    query_bind_text(query, 2, model);
    query_bind_int(query, 3, since_ms);
    query_bind_int(query, 4, filter->now_ms);
    bind_optional(query, 5, filter->org);
    bind_optional(query, 6, filter->orchestrator);
    bind_optional(query, 7, filter->gpu);
}

static enum err add_streams(struct request *request,
                            const struct stream_filter *filter,
                            struct model_row *row)
{
    struct query *query = query_start(request->store, QUERY_ACTIVE_STREAMS);
    bind_filter(query, filter, row->model, filter->now_ms - ACTIVE_MS);
    bool found;
    enum err err = query_step(query, &found);
    if (err)
        return err;
    row->active_streams = query_int(query, 0);
    row->available_capacity = row->gpu_slots - row->active_streams;
    return query_run(query);
}

static void set_average(struct model_row *row, const struct exact_sum *sum)
{
    row->output_fps_sum = exact_round(sum);
    row->avg_fps = row->status_samples > 0
                       ? row->output_fps_sum / (double)row->status_samples
                       : (double)NAN;
}

static enum err add_output(struct request *request,
                           const struct stream_filter *filter,
                           struct model_row *row)
{
    struct exact_sum sum = {.arena = request->arena};
    struct query *query = query_start(request->store, QUERY_MODEL_OUTPUT);
    bind_filter(query, filter, row->model, filter->now_ms - STREAM_WINDOW_MS);
    bool more;
    enum err err;
    while (!(err = query_step(query, &more)) && more) {
        exact_add(&sum, query_double(query, 0));
        row->status_samples += query_int(query, 1);
    }
    set_average(row, &sum);
    return err;
}

/* ---- models as of an earlier time ---------------------------------------- */

/* Of a row of sessions or scores; texts that are not asked for fit. */
static bool fits(const struct stream_filter *filter, struct text model,
                 struct text org, struct text orchestrator,
                 struct text pipeline, struct text row_model, struct text gpu)
{
    return text_is(pipeline, LIVE_PIPELINE) && text_equal(row_model, model) &&
           (!filter->org.data || text_equal(org, filter->org)) &&
           (!filter->orchestrator.data ||
            text_equal_ignoring_case(orchestrator, filter->orchestrator)) &&
           (!filter->gpu.data || text_equal(gpu, filter->gpu));
}

static void count_streams(const struct stream_filter *filter,
                          struct model_row *row)
{
    const struct computed *computed = filter->computed;
    for (size_t i = 0; i < computed->session_count; i++) {
        const struct session_row *one = &computed->sessions[i];
        row->active_streams +=
            !one->completed && one->last_seen > filter->now_ms - ACTIVE_MS &&
            one->last_seen <= filter->now_ms &&
            fits(filter, row->model, one->org, one->orchestrator_address,
                 one->pipeline_id, one->model_id, one->gpu_id);
    }
    row->available_capacity = row->gpu_slots - row->active_streams;
}

static void sum_output(struct arena *arena, const struct stream_filter *filter,
                       struct model_row *row)
{
    const struct computed *computed = filter->computed;
    struct exact_sum sum = {.arena = arena};
    for (size_t i = 0; i < computed->sla_count; i++) {
        const struct sla_row *one = &computed->sla[i];
        if (one->window_start < filter->now_ms - STREAM_WINDOW_MS ||
            one->window_start > filter->now_ms ||
            !fits(filter, row->model, one->org, one->orchestrator_address,
                  one->pipeline_id, one->model_id, one->gpu_id))
            continue;
        exact_add(&sum, one->output_fps_sum);
        row->status_samples += one->status_samples;
    }
    set_average(row, &sum);
}

static enum err add_activity(struct request *request,
                             const struct stream_filter *filter,
                             struct model_row *row)
{
    if (filter->computed) {
        count_streams(filter, row);
        sum_output(request->arena, filter, row);
        return ERR_NONE;
    }
    enum err err = add_streams(request, filter, row);
    return err ? err : add_output(request, filter, row);
}

/* OFFERS are those of one model, sorted by address. */
static struct model_row model_of(const struct offer *offers, size_t count)
{
    struct model_row row = {.pipeline = text_of(LIVE_PIPELINE),
                            .model = offers[0].model};
    for (size_t i = 0; i < count; i++) {
        row.warm_orch_count +=
            !i || !text_equal(offers[i].address, offers[i - 1].address);
        if (offers[i].last_seen > row.last_seen)
            row.last_seen = offers[i].last_seen;
    }
    row.gpu_slots = (int64_t)count_gpus(offers, count);
    return row;
}

static int compare_models(const void *left, const void *right)
{
    const struct model_row *a = left;
    const struct model_row *b = right;
    if (a->warm_orch_count != b->warm_orch_count)
        return a->warm_orch_count > b->warm_orch_count ? -1 : 1;
    return text_compare(a->model, b->model);
}

enum err stream_models(struct request *request,
                       const struct stream_filter *filter,
                       struct model_row **rows, size_t *count)
{
    struct offers offers = {0};
    enum err err = read_offers(request, filter, &offers);
    if (offers.count)
        qsort(offers.list, offers.count, sizeof *offers.list, compare_by_model);
    *rows = arena_array(request->arena, offers.count, sizeof **rows);
    *count = 0;
    for (size_t i = 0; !err && i < offers.count;) {
        size_t first = i;
        while (i < offers.count &&
               text_equal(offers.list[i].model, offers.list[first].model))
            i++;
        struct model_row *row = &(*rows)[(*count)++];
        *row = model_of(offers.list + first, i - first);
        err = add_activity(request, filter, row);
    }
    if (*count)
        qsort(*rows, *count, sizeof **rows, compare_models);
    return err;
}

/* ---- orchestrators ------------------------------------------------------- */

static int compare_texts(const void *left, const void *right)
{
    return text_compare(*(const struct text *)left,
                        *(const struct text *)right);
}

/* OFFERS are those of one address, the one seen last at the end. */
static struct orchestrator_row
orchestrator_of(struct arena *arena, const struct offer *offers, size_t count)
{
    struct orchestrator_row row = {
        .address = offers[0].address,
        .uri = offers[count - 1].uri,
        .gpu_count = (int64_t)count_gpus(offers, count),
        .last_seen = offers[count - 1].last_seen,
        .models = arena_array(arena, count, sizeof *row.models),
    };
    struct text *models = arena_array(arena, count, sizeof *models);
    for (size_t i = 0; i < count; i++)
        models[i] = offers[i].model;
    qsort(models, count, sizeof *models, compare_texts);
    for (size_t i = 0; i < count; i++)
        if (!i || !text_equal(models[i], models[i - 1]))
            row.models[row.model_count++] = models[i];
    return row;
}

static int compare_orchestrators(const void *left, const void *right)
{
    const struct orchestrator_row *a = left;
    const struct orchestrator_row *b = right;
    if (a->gpu_count != b->gpu_count)
        return a->gpu_count > b->gpu_count ? -1 : 1;
    return text_compare(a->address, b->address);
}

enum err stream_orchestrators(struct request *request,
                              const struct stream_filter *filter,
                              struct orchestrator_row **rows, size_t *count)
{
    struct offers offers = {0};
    enum err err = read_offers(request, filter, &offers);
    if (offers.count)
        qsort(offers.list, offers.count, sizeof *offers.list,
              compare_by_address);
    *rows = arena_array(request->arena, offers.count, sizeof **rows);
    *count = 0;
    for (size_t i = 0; !err && i < offers.count;) {
        size_t first = i;
        while (i < offers.count &&
               text_equal(offers.list[i].address, offers.list[first].address))
            i++;
        (*rows)[(*count)++] =
            orchestrator_of(request->arena, offers.list + first, i - first);
    }
    if (*count)
        qsort(*rows, *count, sizeof **rows, compare_orchestrators);
    return err;
}

/* ---- the lists ----------------------------------------------------------- */

/* Number and name of the last row, and the time that the list is about: it is
 * the same on all pages. */
static const char shape[] = "iti";

struct stream_question {
    struct request *request;
    struct cursor cursor;
    struct computation computation;
    struct stream_filter filter;
};

static enum err read_question(struct stream_question *question)
{
    struct request *request = question->request;
    struct cursor *cursor = &question->cursor;
    enum err err = cursor_read(request, shape, cursor);
    if (!err)
        err = read_computation(request, &question->computation);
    if (err)
        return err;
    question->filter = (struct stream_filter){
        .now_ms = cursor->given ? cursor->parts[2].number : as_of_ms(request),
        .known = &question->computation.known,
        .org = parameter_text(request, "org"),
        .orchestrator = parameter_text(request, "orchestrator"),
        .model = parameter_text(request, "model"),
        .gpu = parameter_text(request, "gpu"),
    };
    return ERR_NONE;
}

/* Only one pipeline streams. */
static bool other_pipeline(const struct request *request)
{
    struct text pipeline = parameter_text(request, "pipeline");
    return pipeline.data && !text_is(pipeline, LIVE_PIPELINE);
}

/* A row's number, which orders downwards, and its name. */
static bool is_behind(const struct cursor *cursor, int64_t number,
                      struct text name)
{
    if (!cursor->given || number < cursor->parts[0].number)
        return true;
    return number == cursor->parts[0].number &&
           text_compare(name, cursor->parts[1].text) > 0;
}

static void add_model(struct page *page, const struct model_row *row)
{
    page_tells_until(page, row->last_seen);
    page_add_row(page, model_fields, row);
}

/* Rows as of an earlier time are computed, of the day before it. */
static enum err find_models(struct stream_question *question,
                            struct model_row **rows, size_t *count)
{
    struct request *request = question->request;
    struct stream_filter *filter = &question->filter;
    struct computation *computation = &question->computation;
    enum err err = ERR_NONE;
    if (is_computed(computation)) {
        computation->from_day =
            clock_day_start(filter->now_ms - STREAM_WINDOW_MS);
        computation->until_day = clock_day_start(filter->now_ms) + MS_PER_DAY;
        err = computed_rows(request, computation, &filter->computed);
    }
    if (!err)
        err = stream_models(request, filter, rows, count);
    computed_release(request, filter->computed);
    return err;
}

enum err answer_stream_models(struct request *request, struct reply *reply)
{
    struct stream_question question = {.request = request};
    struct cursor last = {0};
    struct model_row *rows;
    size_t count;
    enum err err = read_question(&question);
    if (!err)
        err = find_models(&question, &rows, &count);
    if (err)
        return err;
    struct page page = page_begin(request, reply, model_fields, NULL);
    page_as_of(&page, &question.computation.known);
    last.parts[2].number = question.filter.now_ms;
    for (size_t i = 0; !other_pipeline(request) && i < count; i++) {
        if (!is_behind(&question.cursor, rows[i].warm_orch_count,
                       rows[i].model))
            continue;
        if (!page_wants_row(&page))
            break;
        add_model(&page, &rows[i]);
        last.parts[0].number = rows[i].warm_orch_count;
        last.parts[1].text = rows[i].model;
    }
    page_end(&page, shape, &last);
    return ERR_NONE;
}

static void add_orchestrator_line(struct buf *out, struct arena *arena,
                                  const struct orchestrator_row *row)
{
    struct buf models = {0};
    for (size_t i = 0; i < row->model_count; i++)
        buf_printf(&models, "%s%.*s", i ? " " : "", (int)row->models[i].length,
                   row->models[i].data);
    char *joined = arena_text(arena, models.data, models.length);
    csv_row(out, orchestrator_fields, row);
    buf_add_byte(out, ',');
    csv_text(out, (struct text){joined, models.length});
    buf_add_string(out, "\r\n");
    buf_free(&models);
}

static void add_orchestrator(struct page *page,
                             const struct orchestrator_row *row)
{
    struct json_writer *writer = &page->writer;
    page_tells_until(page, row->last_seen);
    if (page->csv) {
        add_orchestrator_line(page->reply->body, page->request->arena, row);
        return;
    }
    json_begin(writer, '{');
    json_fields(writer, orchestrator_fields, orchestrator_fields.exported, row);
    json_key(writer, "models");
    json_begin(writer, '[');
    for (size_t i = 0; i < row->model_count; i++)
        json_text(writer, row->models[i]);
    json_end(writer, ']');
    json_end(writer, '}');
}

enum err answer_stream_orchestrators(struct request *request,
                                     struct reply *reply)
{
    struct stream_question question = {.request = request};
    struct cursor last = {0};
    struct orchestrator_row *rows;
    size_t count;
    enum err err = read_question(&question);
    if (!err)
        err = stream_orchestrators(request, &question.filter, &rows, &count);
    if (err)
        return err;
    struct page page =
        page_begin(request, reply, orchestrator_fields, ",models");
    page_as_of(&page, &question.computation.known);
    last.parts[2].number = question.filter.now_ms;
    for (size_t i = 0; !other_pipeline(request) && i < count; i++) {
        if (!is_behind(&question.cursor, rows[i].gpu_count, rows[i].address))
            continue;
        if (!page_wants_row(&page))
            break;
        add_orchestrator(&page, &rows[i]);
        last.parts[0].number = rows[i].gpu_count;
        last.parts[1].text = rows[i].address;
    }
    page_end(&page, shape, &last);
    return ERR_NONE;
}
