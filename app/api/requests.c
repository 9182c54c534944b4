/*
 * requests.c: /v1/requests/ai-batch/summary, ai-batch/llm-summary and
 * byoc/summary: jobs by pipeline, model or capability, as JSON in pages or as
 * CSV, and the same under /compat as the publisher answers (§4.3).
 *
 * All come from the hours of request demand. The publisher shows such an hour
 * only where some stream changed in it (§3.8), so its sums leave jobs out; ours
 * count them all and say how many it hides, in `unpublished_jobs`.
 */
#include "api/list.h"
#include "base/clock.h"
#include "base/index.h"

#include <math.h>

/* ---- rows ---------------------------------------------------------------- */

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
    NAMED_FIELD(TEXT, job_summary, name, "pipeline"), JOB_FIELDS};
static const struct field byoc_list[] = {
    NAMED_FIELD(TEXT, job_summary, name, "capability"), JOB_FIELDS};
static const struct field llm_list[] = {
    FIELD(TEXT, llm_summary, model),
    FIELD(INT, llm_summary, total_requests),
    FIELD(DOUBLE, llm_summary, success_rate),
    FIELD(DOUBLE, llm_summary, avg_tokens_per_sec),
    FIELD(DOUBLE, llm_summary, avg_ttft_ms),
    FIELD(DOUBLE, llm_summary, avg_total_tokens),
    FIELD(INT, llm_summary, unpublished_requests),
    FIELD(WINDOW, llm_summary, last_window)};

const struct fields batch_summary_fields = FIELDS(batch_list, 0);
const struct fields byoc_summary_fields = FIELDS(byoc_list, 0);
const struct fields llm_summary_fields = FIELDS(llm_list, 0);

/* ---- lists --------------------------------------------------------------- */

#define JOB_LIST(row_fields, name)                                             \
    {                                                                          \
        .fields = &row_fields, .row_bytes = sizeof(struct job_summary),        \
        .keys = {"-total_jobs", name}, .told_until = "last_window",            \
        .compat = {                                                            \
            name,                                                              \
            "total_jobs",                                                      \
            "selected_jobs",                                                   \
            "no_orch_jobs",                                                    \
            "success_rate",                                                    \
            "avg_duration_ms"                                                  \
        }                                                                      \
    }

static const struct row_list list_of_batch =
    JOB_LIST(batch_summary_fields, "pipeline");
static const struct row_list list_of_byoc =
    JOB_LIST(byoc_summary_fields, "capability");
static const struct row_list list_of_llm = {
    .fields = &llm_summary_fields,
    .row_bytes = sizeof(struct llm_summary),
    .keys = {"-total_requests", "model"},
    .told_until = "last_window",
    .compat = {"model", "total_requests", "success_rate", "avg_tokens_per_sec",
               "avg_ttft_ms", "avg_total_tokens"}};

/* ---- sums ---------------------------------------------------------------- */

/* Of the rows of one name. Whole numbers wrap in 64 bits, as theirs. */
struct sums {
    int64_t jobs; /* or requests to language models */
    int64_t selected;
    int64_t no_orch;
    int64_t succeeded;
    int64_t duration_ms;
    int64_t tokens;
    int64_t tokens_samples;
    struct exact_sum speed;
    int64_t speed_samples;
    int64_t ttft_ms;
    int64_t ttft_samples;
    int64_t hidden;
    int64_t last_window;
};

struct summing {
    struct arena *arena;
    const char *family;
    bool llm;            /* by model, of requests to language models alone */
    bool published_only; /* hours that the publisher shows */
    struct text org;     /* filters; without data: all */
    struct text gateway;
    struct text name;
    struct text_index names;
    struct sums *sums; /* by number */
};

static void wrap_add(int64_t *sum, int64_t value)
{
    *sum = (int64_t)((uint64_t)*sum + (uint64_t)value);
}

static struct text name_of(const struct summing *summing,
                           const struct request_demand_row *row)
{
    struct text model = row->canonical_model;
    if (!summing->llm)
        return row->pipeline_id;
    return model.data ? model : text_of("");
}

static bool fits(struct text wanted, struct text value)
{
    return !wanted.data || text_equal(wanted, value);
}

static bool is_wanted(const struct summing *summing,
                      const struct request_demand_row *row)
{
    return text_is(row->capability_family, summing->family) &&
           (summing->llm ? row->llm_request_count > 0
                         : !text_is(row->pipeline_id, LIVE_PIPELINE)) &&
           (!summing->published_only || row->published) &&
           fits(summing->org, row->org) &&
           fits(summing->gateway, row->gateway) &&
           fits(summing->name, name_of(summing, row));
}

static void add_llm(struct sums *sums, const struct request_demand_row *row)
{
    sums->jobs += row->llm_request_count;
    sums->succeeded += row->llm_success_count;
    wrap_add(&sums->tokens, row->llm_total_tokens_sum);
    sums->tokens_samples += row->llm_total_tokens_sample_count;
    exact_add(&sums->speed, row->llm_tokens_per_second_sum);
    sums->speed_samples += row->llm_tokens_per_second_sample_count;
    wrap_add(&sums->ttft_ms, row->llm_ttft_ms_sum);
    sums->ttft_samples += row->llm_ttft_ms_sample_count;
    sums->hidden += row->published ? 0 : row->llm_request_count;
}

static void add_jobs(struct sums *sums, const struct request_demand_row *row)
{
    sums->jobs += row->job_count;
    sums->selected += row->selected_count;
    sums->no_orch += row->no_orch_count;
    sums->succeeded += row->success_count;
    wrap_add(&sums->duration_ms, row->duration_ms_sum);
    sums->hidden += row->published ? 0 : row->job_count;
}

static enum err add_row(void *context, const void *pointer)
{
    const struct request_demand_row *row = pointer;
    struct summing *summing = context;
    if (!is_wanted(summing, row))
        return ERR_NONE;
    bool added;
    size_t number =
        text_index_add(&summing->names, name_of(summing, row), &added);
    if (added) {
        summing->sums = arena_grow(summing->arena, summing->sums, number,
                                   sizeof *summing->sums);
        summing->sums[number] = (struct sums){.speed.arena = summing->arena,
                                              .last_window = row->window_start};
    }
    struct sums *sums = &summing->sums[number];
    if (row->window_start > sums->last_window)
        sums->last_window = row->window_start;
    (summing->llm ? add_llm : add_jobs)(sums, row);
    return ERR_NONE;
}

static double ratio(double sum, int64_t count)
{
    return count ? sum / (double)count : (double)NAN;
}

static struct job_summary job_summary_of(struct text name,
                                         const struct sums *sums)
{
    return (struct job_summary){
        .name = name,
        .total_jobs = sums->jobs,
        .selected_jobs = sums->selected,
        .no_orch_jobs = sums->no_orch,
        .success_rate = ratio((double)sums->succeeded, sums->jobs),
        .avg_duration_ms = ratio((double)sums->duration_ms, sums->jobs),
        .unpublished_jobs = sums->hidden,
        .last_window = sums->last_window,
    };
}

static struct llm_summary llm_summary_of(struct text name,
                                         const struct sums *sums)
{
    return (struct llm_summary){
        .model = name,
        .total_requests = sums->jobs,
        .success_rate = ratio((double)sums->succeeded, sums->jobs),
        .avg_tokens_per_sec =
            ratio(exact_round(&sums->speed), sums->speed_samples),
        .avg_ttft_ms = ratio((double)sums->ttft_ms, sums->ttft_samples),
        .avg_total_tokens = ratio((double)sums->tokens, sums->tokens_samples),
        .unpublished_requests = sums->hidden,
        .last_window = sums->last_window,
    };
}

/* The rows, most first; ends SUMMING. */
static void *take_rows(struct summing *summing, const struct row_list *list,
                       size_t *count)
{
    *count = summing->names.count;
    struct job_summary *jobs =
        arena_array(summing->arena, *count, sizeof *jobs);
    struct llm_summary *llms =
        arena_array(summing->arena, *count, sizeof *llms);
    for (size_t i = 0; i < *count; i++) {
        struct text name = summing->names.texts[i];
        name.data = arena_text(summing->arena, name.data, name.length);
        jobs[i] = job_summary_of(name, &summing->sums[i]);
        llms[i] = llm_summary_of(name, &summing->sums[i]);
    }
    text_index_free(&summing->names);
    void *rows = summing->llm ? (void *)llms : (void *)jobs;
    list_sort(list, rows, *count);
    return rows;
}

/* ---- ours ---------------------------------------------------------------- */

static enum err sum_up(struct request *request, struct summing *summing,
                       struct computation *computation)
{
    int64_t as_of = parameter_time(request, "as_of", INT64_MAX - 1);
    int64_t end = parameter_time(request, "end", INT64_MAX);
    return each_request_demand_row(
        request, computation, parameter_time(request, "start", INT64_MIN),
        as_of + 1 < end ? as_of + 1 : end, add_row, summing);
}

static enum err answer(struct request *request, struct reply *reply,
                       const struct row_list *list, struct summing summing,
                       const char *filter)
{
    struct listing listing;
    struct computation computation;
    enum err err = list_open(&listing, list, request);
    if (!err)
        err = read_computation(request, &computation);
    if (err)
        return err;
    summing.arena = request->arena;
    summing.org = parameter_text(request, "org");
    summing.gateway = parameter_text(request, "gateway");
    summing.name = parameter_text(request, filter);
    err = sum_up(request, &summing, &computation);
    size_t count;
    const void *rows = take_rows(&summing, list, &count);
    if (!err)
        list_answer(&listing, reply, &computation.known, rows, count);
    return err;
}

enum err answer_batch_summary(struct request *request, struct reply *reply)
{
    return answer(request, reply, &list_of_batch,
                  (struct summing){.family = "builtin"}, "pipeline");
}

enum err answer_byoc_summary(struct request *request, struct reply *reply)
{
    return answer(request, reply, &list_of_byoc,
                  (struct summing){.family = "byoc"}, "capability");
}

enum err answer_llm_summary(struct request *request, struct reply *reply)
{
    return answer(request, reply, &list_of_llm,
                  (struct summing){.family = "builtin", .llm = true}, "model");
}

/* ---- as the publisher answers -------------------------------------------- */

static enum err answer_as_published(struct request *request,
                                    struct reply *reply,
                                    const struct row_list *list,
                                    struct summing summing)
{
    int64_t now = present_ms(request);
    struct computation computation = computation_published(request);
    summing.arena = request->arena;
    summing.published_only = true;
    enum err err = each_request_demand_row(
        request, &computation, compat_time(request, "start", now - MS_PER_DAY),
        compat_time(request, "end", now), add_row, &summing);
    size_t count;
    const void *rows = take_rows(&summing, list, &count);
    if (!err)
        compat_array(reply, list, rows, count);
    return err;
}

enum err compat_batch_summary(struct request *request, struct reply *reply)
{
    return answer_as_published(request, reply, &list_of_batch,
                               (struct summing){.family = "builtin"});
}

enum err compat_byoc_summary(struct request *request, struct reply *reply)
{
    return answer_as_published(request, reply, &list_of_byoc,
                               (struct summing){.family = "byoc"});
}

enum err compat_llm_summary(struct request *request, struct reply *reply)
{
    return answer_as_published(
        request, reply, &list_of_llm,
        (struct summing){.family = "builtin", .llm = true});
}
