/*
 * request_supply.c: /v1/requests/models and /v1/requests/orchestrators: who
 * offered anything but live video in the day before `as_of`, and how the jobs
 * of that day went; and the same under /compat as the publisher answers (§4.3).
 *
 * Batch models are known by what orchestrators announce, models of byoc by
 * what is reported of workers, and have no cards. The publisher lists offers
 * alone, with the jobs of the hours that it shows; ours counts all jobs, and
 * lists models that had jobs and no offer, too.
 */
#include "api/supply.h"
#include "base/index.h"

#include <math.h>

struct model_row {
    struct text pipeline;
    struct text model;
    struct text job_type;
    int64_t warm_orch_count;
    int64_t gpu_slots;
    int64_t job_count_24h;
    double success_rate;
    double avg_duration_ms;
    /* beside the fields */
    int64_t last_seen; /* the newest offer or hour of it */
};

static const struct field model_list[] = {
    FIELD(TEXT, model_row, pipeline),
    FIELD(TEXT, model_row, model),
    FIELD(TEXT, model_row, job_type),
    FIELD(INT, model_row, warm_orch_count),
    FIELD(INT, model_row, gpu_slots),
    FIELD(INT, model_row, job_count_24h),
    FIELD(DOUBLE, model_row, success_rate),
    FIELD(DOUBLE, model_row, avg_duration_ms),
    FIELD(TIME, model_row, last_seen)};

const struct fields request_model_fields = FIELDS(model_list, 1);

static const struct row_list list_of_models = {
    .fields = &request_model_fields,
    .row_bytes = sizeof(struct model_row),
    .keys = {"-job_count_24h", "-warm_orch_count", "pipeline", "model",
             "job_type"},
    .told_until = "last_seen",
    .compat = {"pipeline", "model", "job_type", "warm_orch_count", "gpu_slots",
               "job_count_24h", "success_rate", "avg_duration_ms"}};

static const struct row_list list_of_orchestrators = {
    SUPPLIERS("capabilities")};

/* ---- models -------------------------------------------------------------- */

/* One model of one kind of job. */
struct model_sum {
    struct model_row row;
    struct text_index addresses;
    struct text_index gpus;
    bool offered;
    int64_t succeeded;
    int64_t duration_ms;
};

struct models {
    struct arena *arena;
    const struct supply_filter *filter;
    bool as_published;
    struct text_index keys;
    struct model_sum *sums; /* by number */
};

static struct text kept(struct arena *arena, struct text text)
{
    return (struct text){arena_text(arena, text.data, text.length),
                         text.length};
}

static struct model_sum *sum_of(struct models *models, const char *job_type,
                                struct text pipeline, struct text model)
{
    struct buf key = {0};
    bool added;
    buf_add_string(&key, job_type);
    buf_add_text(&key, pipeline);
    buf_add_text(&key, model);
    size_t number = text_index_add(&models->keys,
                                   (struct text){key.data, key.length}, &added);
    buf_free(&key);
    if (added) {
        models->sums = arena_grow(models->arena, models->sums, number,
                                  sizeof *models->sums);
        models->sums[number] = (struct model_sum){
            .row = {.pipeline = kept(models->arena, pipeline),
                    .model = kept(models->arena, model),
                    .job_type = text_of(job_type),
                    .last_seen = INT64_MIN}};
    }
    return &models->sums[number];
}

static void note_offer(struct model_sum *sum, struct text address,
                       struct text gpu, int64_t last_seen)
{
    sum->offered = true;
    text_index_add(&sum->addresses, address, NULL);
    if (gpu.length)
        text_index_add(&sum->gpus, gpu, NULL);
    if (last_seen > sum->row.last_seen)
        sum->row.last_seen = last_seen;
}

static bool is_batch_offer(const struct offer_row *offer)
{
    return offer->supports_request && offer->model_id.length &&
           text_is(offer->capability_family, "builtin") &&
           !text_is(offer->pipeline_id, LIVE_PIPELINE);
}

static bool fits(struct text wanted, struct text value)
{
    return !wanted.data || text_equal(wanted, value);
}

static void add_worker(void *context, const struct request_event *event)
{
    struct models *models = context;
    const struct supply_filter *filter = models->filter;
    if (event->capability.length && event->model.length && !filter->gpu.data &&
        fits(filter->pipeline, event->capability) &&
        fits(filter->model, event->model) &&
        (!filter->orchestrator.data ||
         text_equal_ignoring_case(filter->orchestrator, event->address)))
        note_offer(sum_of(models, "byoc", event->capability, event->model),
                   event->address, text_of(""), event->ts);
}

static struct text or_blank(struct text text)
{
    return text.data ? text : text_of("");
}

/* Jobs know no card, and of batches no orchestrator's address. */
static bool is_wanted(const struct models *models,
                      const struct request_demand_row *row)
{
    const struct supply_filter *filter = models->filter;
    return (!models->as_published || row->published) &&
           !text_is(row->pipeline_id, LIVE_PIPELINE) &&
           fits(filter->org, row->org) &&
           fits(filter->pipeline, row->pipeline_id) &&
           fits(filter->model, or_blank(row->canonical_model));
}

static enum err add_jobs(void *context, const void *pointer)
{
    const struct request_demand_row *row = pointer;
    struct models *models = context;
    bool byoc = text_is(row->capability_family, "byoc");
    if (!is_wanted(models, row))
        return ERR_NONE;
    struct model_sum *sum =
        sum_of(models, byoc ? "byoc" : "ai-batch", row->pipeline_id,
               or_blank(row->canonical_model));
    sum->row.job_count_24h += row->job_count;
    sum->succeeded += row->success_count;
    sum->duration_ms =
        (int64_t)((uint64_t)sum->duration_ms + (uint64_t)row->duration_ms_sum);
    if (row->window_start > sum->row.last_seen)
        sum->row.last_seen = row->window_start;
    return ERR_NONE;
}

static enum err gather(struct request *request, struct computation *computation,
                       struct models *models)
{
    const struct supply_filter *filter = models->filter;
    int64_t since_ms = filter->now_ms - STREAM_WINDOW_MS;
    struct offer_row *offers;
    size_t count;
    enum err err = supply_offers(request, filter, &offers, &count);
    for (size_t i = 0; !err && i < count; i++)
        if (is_batch_offer(&offers[i]))
            note_offer(sum_of(models, "ai-batch", offers[i].pipeline_id,
                              offers[i].model_id),
                       offers[i].orch_address, or_blank(offers[i].gpu_id),
                       offers[i].last_seen);
    if (!err)
        err = each_request_event(request, filter->known, filter->org,
                                 GROUP_WORKERS, since_ms, filter->now_ms,
                                 add_worker, models);
    if (!err)
        err = each_request_demand_row(request, computation, since_ms,
                                      filter->now_ms, add_jobs, models);
    return err;
}

static struct model_row row_of(struct model_sum *sum)
{
    struct model_row row = sum->row;
    row.warm_orch_count = (int64_t)sum->addresses.count;
    row.gpu_slots = (int64_t)sum->gpus.count;
    row.success_rate = row.avg_duration_ms = (double)NAN;
    if (row.job_count_24h) {
        row.success_rate = (double)sum->succeeded / (double)row.job_count_24h;
        row.avg_duration_ms =
            (double)sum->duration_ms / (double)row.job_count_24h;
    }
    text_index_free(&sum->addresses);
    text_index_free(&sum->gpus);
    return row;
}

/* Most jobs first. Filters by orchestrator or card leave jobs alone out: whose
 * they were is not known. */
static enum err find_models(struct request *request,
                            struct computation *computation,
                            const struct supply_filter *filter,
                            bool as_published, struct model_row **rows,
                            size_t *count)
{
    struct models models = {.arena = request->arena,
                            .filter = filter,
                            .as_published = as_published};
    bool offered_only =
        as_published || filter->orchestrator.data || filter->gpu.data;
    enum err err = gather(request, computation, &models);
    *rows = arena_array(request->arena, models.keys.count, sizeof **rows);
    *count = 0;
    for (size_t i = 0; i < models.keys.count; i++) {
        bool offered = models.sums[i].offered;
        struct model_row row = row_of(&models.sums[i]);
        if (offered || !offered_only)
            (*rows)[(*count)++] = row;
    }
    text_index_free(&models.keys);
    list_sort(&list_of_models, *rows, *count);
    return err;
}

enum err answer_request_models(struct request *request, struct reply *reply)
{
    struct supply_asked asked;
    struct model_row *rows;
    size_t count;
    enum err err = supply_ask(&asked, &list_of_models, request);
    if (!err)
        err = find_models(request, &asked.computation, &asked.filter, false,
                          &rows, &count);
    if (!err)
        list_answer(&asked.listing, reply, &asked.computation.known, rows,
                    count);
    return err;
}

/* To PLACES decimals, halves to even; 0 for none. */
static double rounded(double value, double unit)
{
    return isnan(value) ? 0 : nearbyint(value * unit) / unit;
}

enum err compat_request_models(struct request *request, struct reply *reply)
{
    struct computation computation = computation_published(request);
    struct supply_filter filter = supply_of_all(request);
    struct model_row *rows;
    size_t count;
    enum err err =
        find_models(request, &computation, &filter, true, &rows, &count);
    if (err)
        return err;
    for (size_t i = 0; i < count; i++) {
        rows[i].success_rate = rounded(rows[i].success_rate, 1000);
        rows[i].avg_duration_ms = rounded(rows[i].avg_duration_ms, 1);
    }
    compat_array(reply, &list_of_models, rows, count);
    return ERR_NONE;
}

/* ---- orchestrators ------------------------------------------------------- */

/* "pipeline:model" of what takes requests; cards of live video count all the
 * same. */
static struct text name_of_offer(struct arena *arena,
                                 const struct offer_row *offer)
{
    if (!offer->supports_request || !offer->pipeline_id.length ||
        !offer->model_id.length || text_is(offer->pipeline_id, LIVE_PIPELINE))
        return (struct text){0};
    return text_of(
        arena_printf(arena, "%.*s:%.*s", (int)offer->pipeline_id.length,
                     offer->pipeline_id.data, (int)offer->model_id.length,
                     offer->model_id.data));
}

static enum err find_orchestrators(struct request *request,
                                   const struct supply_filter *filter,
                                   struct supplier_row **rows, size_t *count)
{
    struct offer_row *offers;
    size_t offer_count;
    enum err err = supply_offers(request, filter, &offers, &offer_count);
    if (!err)
        *rows = suppliers(request->arena, &list_of_orchestrators, offers,
                          offer_count, name_of_offer, count);
    return err;
}

enum err answer_request_orchestrators(struct request *request,
                                      struct reply *reply)
{
    struct supply_asked asked;
    struct supplier_row *rows;
    size_t count;
    enum err err = supply_ask(&asked, &list_of_orchestrators, request);
    if (!err)
        err = find_orchestrators(request, &asked.filter, &rows, &count);
    if (!err)
        list_answer(&asked.listing, reply, &asked.computation.known, rows,
                    count);
    return err;
}

enum err compat_request_orchestrators(struct request *request,
                                      struct reply *reply)
{
    struct supply_filter filter = supply_of_all(request);
    struct supplier_row *rows;
    size_t count;
    enum err err = find_orchestrators(request, &filter, &rows, &count);
    if (!err)
        compat_array(reply, &list_of_orchestrators, rows, count);
    return err;
}
