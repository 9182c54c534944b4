/*
 * streaming.c: /v1/streaming/models and /v1/streaming/orchestrators: who
 * offered live video in the day before `as_of`, and what is going on there; and
 * the same under /compat as the publisher answers.
 *
 * As published (§4.2): an offer counts whether or not the model was warm, a
 * stream is active if it was heard of within 30 minutes and was not closed,
 * or, as the publisher takes it, was not closed when it was heard of before
 * (open_streams.c). The average of frames is not rounded here, and its sum and
 * count stand beside it.
 */
#include "api/supply.h"

#include <math.h>
#include <stdlib.h>

struct model_row {
    struct text pipeline;
    struct text model;
    int64_t warm_orch_count;
    int64_t gpu_slots;
    int64_t active_streams;
    int64_t available_capacity;
    double output_fps_sum;
    int64_t status_samples;
    double avg_fps;
    /* beside the fields */
    int64_t last_seen; /* the newest offer of it */
};

#define MODEL(kind, member) FIELD(kind, model_row, member)
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
    MODEL(TIME, last_seen),
};
/* clang-format on */

const struct fields model_fields = FIELDS(model_list, 1);

/* ---- lists --------------------------------------------------------------- */

static const struct row_list list_of_models = {
    .fields = &model_fields,
    .row_bytes = sizeof(struct model_row),
    .keys = {"-warm_orch_count", "model"},
    .told_until = "last_seen",
    .compat = {"pipeline", "model", "warm_orch_count", "gpu_slots",
               "active_streams", "available_capacity", "avg_fps"}};

static const struct row_list list_of_orchestrators = {SUPPLIERS("models")};

/* ---- what goes on -------------------------------------------------------- */

/* One question for models; its streams and scores, where they are at hand. */
struct stream_question {
    struct supply_filter filter;
    const struct computed *computed;   /* null: what the tables hold */
    const struct open_stream *streams; /* as the publisher counts; or null */
    size_t stream_count;
};

static void bind_filter(struct query *query, const struct supply_filter *filter,
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

static enum err count_in_table(struct request *request,
                               const struct stream_question *question,
                               struct model_row *row)
{
    const struct supply_filter *filter = &question->filter;
    struct query *query = query_start(request->store, QUERY_ACTIVE_STREAMS);
    bind_filter(query, filter, row->model, filter->now_ms - ACTIVE_MS);
    bool found;
    enum err err = query_step(query, &found);
    if (err)
        return err;
    row->active_streams = query_int(query, 0);
    return query_run(query);
}

static void set_average(struct model_row *row, const struct exact_sum *sum)
{
    row->output_fps_sum = exact_round(sum);
    row->avg_fps = row->status_samples > 0
                       ? row->output_fps_sum / (double)row->status_samples
                       : (double)NAN;
}

static enum err sum_in_table(struct request *request,
                             const struct stream_question *question,
                             struct model_row *row)
{
    const struct supply_filter *filter = &question->filter;
    struct exact_sum sum = {.arena = request->arena};
    struct query *query = query_start(request->store, QUERY_MODEL_OUTPUT);
    bind_filter(query, filter, row->model, filter->now_ms - STREAM_WINDOW_MS);
    bool more;
    enum err err;
    while (!(err = query_step(query, &more)) && more) {
        struct sla_row one;
        fields_borrow(query, sla_fields, &one);
        exact_add(&sum, one.output_fps_sum);
        row->status_samples += one.status_samples;
    }
    set_average(row, &sum);
    return err;
}

/* ---- what went on at an earlier time ------------------------------------- */

/* Of a row of sessions or scores; texts that are not asked for fit. */
static bool fits(const struct supply_filter *filter, struct text model,
                 struct text org, struct text orchestrator,
                 struct text pipeline, struct text row_model, struct text gpu)
{
    return text_is(pipeline, LIVE_PIPELINE) && text_equal(row_model, model) &&
           (!filter->org.data || text_equal(org, filter->org)) &&
           (!filter->orchestrator.data ||
            text_equal_ignoring_case(orchestrator, filter->orchestrator)) &&
           (!filter->gpu.data || text_equal(gpu, filter->gpu));
}

static void count_computed(const struct stream_question *question,
                           struct model_row *row)
{
    const struct computed *computed = question->computed;
    int64_t now_ms = question->filter.now_ms;
    for (size_t i = 0; i < computed->session_count; i++) {
        const struct session_row *one = &computed->sessions[i];
        row->active_streams += !one->completed &&
                               one->last_seen > now_ms - ACTIVE_MS &&
                               one->last_seen <= now_ms &&
                               fits(&question->filter, row->model, one->org,
                                    one->orchestrator_address, one->pipeline_id,
                                    one->model_id, one->gpu_id);
    }
}

static void sum_computed(struct arena *arena,
                         const struct stream_question *question,
                         struct model_row *row)
{
    const struct computed *computed = question->computed;
    int64_t now_ms = question->filter.now_ms;
    struct exact_sum sum = {.arena = arena};
    for (size_t i = 0; i < computed->sla_count; i++) {
        const struct sla_row *one = &computed->sla[i];
        if (one->window_start < now_ms - STREAM_WINDOW_MS ||
            one->window_start > now_ms ||
            !fits(&question->filter, row->model, one->org,
                  one->orchestrator_address, one->pipeline_id, one->model_id,
                  one->gpu_id))
            continue;
        exact_add(&sum, one->output_fps_sum);
        row->status_samples += one->status_samples;
    }
    set_average(row, &sum);
}

static void count_as_published(const struct stream_question *question,
                               struct model_row *row)
{
    for (size_t i = 0; i < question->stream_count; i++) {
        const struct session_row *one = question->streams[i].session;
        row->active_streams += fits(&question->filter, row->model, one->org,
                                    one->orchestrator_address, one->pipeline_id,
                                    one->model_id, one->gpu_id);
    }
}

static enum err add_activity(struct request *request,
                             const struct stream_question *question,
                             struct model_row *row)
{
    enum err err = ERR_NONE;
    if (question->computed)
        count_computed(question, row);
    else if (question->streams)
        count_as_published(question, row);
    else
        err = count_in_table(request, question, row);
    row->available_capacity = row->gpu_slots - row->active_streams;
    if (question->computed)
        sum_computed(request->arena, question, row);
    else if (!err)
        err = sum_in_table(request, question, row);
    return err;
}

/* ---- models -------------------------------------------------------------- */

static int compare_by_model(const void *left, const void *right)
{
    const struct offer_row *a = left;
    const struct offer_row *b = right;
    int order = text_compare(a->model_id, b->model_id);
    return order ? order : text_compare(a->orch_address, b->orch_address);
}

/* OFFERS are those of one model, sorted by address. */
static struct model_row model_of(const struct offer_row *offers, size_t count)
{
    struct model_row row = {.pipeline = text_of(LIVE_PIPELINE),
                            .model = offers[0].model_id};
    for (size_t i = 0; i < count; i++) {
        row.warm_orch_count += !i || !text_equal(offers[i].orch_address,
                                                 offers[i - 1].orch_address);
        if (offers[i].last_seen > row.last_seen)
            row.last_seen = offers[i].last_seen;
    }
    row.gpu_slots = (int64_t)count_gpus(offers, count);
    return row;
}

/* Offers of live video by a named model; the filter may ask for others, then
 * there are none. */
static enum err live_offers(struct request *request,
                            const struct supply_filter *filter,
                            struct offer_row **offers, size_t *count)
{
    enum err err = supply_offers(request, filter, offers, count);
    size_t kept = 0;
    for (size_t i = 0; !err && i < *count; i++)
        if (text_is((*offers)[i].pipeline_id, LIVE_PIPELINE) &&
            (*offers)[i].model_id.length)
            (*offers)[kept++] = (*offers)[i];
    *count = kept;
    return err;
}

/* Most orchestrators first, then by model. */
static enum err stream_models(struct request *request,
                              const struct stream_question *question,
                              struct model_row **rows, size_t *count)
{
    struct offer_row *offers;
    size_t offer_count;
    enum err err =
        live_offers(request, &question->filter, &offers, &offer_count);
    if (err)
        return err;
    if (offer_count)
        qsort(offers, offer_count, sizeof *offers, compare_by_model);
    *rows = arena_array(request->arena, offer_count, sizeof **rows);
    *count = 0;
    for (size_t i = 0; !err && i < offer_count;) {
        size_t first = i;
        while (i < offer_count &&
               text_equal(offers[i].model_id, offers[first].model_id))
            i++;
        struct model_row *row = &(*rows)[(*count)++];
        *row = model_of(offers + first, i - first);
        err = add_activity(request, question, row);
    }
    list_sort(&list_of_models, *rows, *count);
    return err;
}

/* Rows as of an earlier time are computed, of the day before it. */
static enum err find_models(struct request *request,
                            struct computation *computation,
                            struct stream_question *question,
                            struct model_row **rows, size_t *count)
{
    int64_t now_ms = question->filter.now_ms;
    enum err err = ERR_NONE;
    if (is_computed(computation)) {
        computation->from_day = clock_day_start(now_ms - STREAM_WINDOW_MS);
        computation->until_day = clock_day_start(now_ms) + MS_PER_DAY;
        err = computed_rows(request, computation, &question->computed);
    }
    if (!err)
        err = stream_models(request, question, rows, count);
    computed_release(request, question->computed);
    return err;
}

enum err answer_stream_models(struct request *request, struct reply *reply)
{
    struct supply_asked asked;
    struct model_row *rows;
    size_t count;
    enum err err = supply_ask(&asked, &list_of_models, request);
    if (err)
        return err;
    struct stream_question question = {.filter = asked.filter};
    err = find_models(request, &asked.computation, &question, &rows, &count);
    if (!err)
        list_answer(&asked.listing, reply, &asked.computation.known, rows,
                    count);
    return err;
}

/* To one decimal, halves to even. */
static double rounded(double value)
{
    return isnan(value) ? 0 : nearbyint(value * 10) / 10;
}

enum err compat_models(struct request *request, struct reply *reply)
{
    struct stream_question question = {.filter = supply_of_all(request)};
    int64_t now_ms = question.filter.now_ms;
    struct open_stream *streams;
    struct model_row *rows;
    size_t count;
    enum err err =
        open_streams(request, &lens_published, true, now_ms - ACTIVE_MS, now_ms,
                     INT64_MAX, &streams, &question.stream_count);
    question.streams = streams ? streams : &(struct open_stream){0};
    if (!err)
        err = stream_models(request, &question, &rows, &count);
    for (size_t i = 0; !err && i < count; i++)
        rows[i].avg_fps = rounded(rows[i].avg_fps);
    if (!err)
        compat_array(reply, &list_of_models, rows, count);
    return err;
}

/* ---- orchestrators ------------------------------------------------------- */

static struct text model_of_offer(struct arena *arena,
                                  const struct offer_row *offer)
{
    (void)arena;
    return offer->model_id;
}

static enum err stream_orchestrators(struct request *request,
                                     const struct supply_filter *filter,
                                     struct supplier_row **rows, size_t *count)
{
    struct offer_row *offers;
    size_t offer_count;
    enum err err = live_offers(request, filter, &offers, &offer_count);
    if (!err)
        *rows = suppliers(request->arena, &list_of_orchestrators, offers,
                          offer_count, model_of_offer, count);
    return err;
}

enum err answer_stream_orchestrators(struct request *request,
                                     struct reply *reply)
{
    struct supply_asked asked;
    struct supplier_row *rows;
    size_t count;
    enum err err = supply_ask(&asked, &list_of_orchestrators, request);
    if (!err)
        err = stream_orchestrators(request, &asked.filter, &rows, &count);
    if (!err)
        list_answer(&asked.listing, reply, &asked.computation.known, rows,
                    count);
    return err;
}

enum err compat_orchestrators(struct request *request, struct reply *reply)
{
    struct supply_filter filter = supply_of_all(request);
    struct supplier_row *rows;
    size_t count;
    enum err err = stream_orchestrators(request, &filter, &rows, &count);
    if (!err)
        compat_array(reply, &list_of_orchestrators, rows, count);
    return err;
}
