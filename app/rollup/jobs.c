/*
 * jobs.c: batch and byoc jobs of one pass (§3.8), attributed as selections are
 * (§2.6).
 *
 * A batch request that was completed several times is the last completion. It
 * chose its orchestrator when it was received, and nobody knows when that was
 * where no such event came: the publisher then looks in 1970 and finds nothing,
 * and so does this. A byoc job is every completion by itself, and the model it
 * ran is told by its worker's registration alone.
 */
#include "rollup/capability_index.h"

#include "base/clock.h"
#include "base/index.h"

#include <math.h>
#include <stdlib.h>

/* clang-format off */
static const struct field batch_list[] = {
    FIELD(TIME, batch_job_row, completed_at),
    FIELD(TEXT, batch_job_row, org),
    FIELD(TEXT, batch_job_row, request_id),
    FIELD(TEXT, batch_job_row, gateway),
    FIELD(TEXT, batch_job_row, pipeline),
    FIELD(TEXT, batch_job_row, model_id),
    FIELD(TIME, batch_job_row, received_at),
    FIELD(INT, batch_job_row, success),
    FIELD(INT, batch_job_row, tries),
    FIELD(INT, batch_job_row, duration_ms),
    FIELD(TEXT, batch_job_row, orch_url),
    FIELD(DOUBLE, batch_job_row, latency_score),
    FIELD(DOUBLE, batch_job_row, price_per_unit),
    FIELD(TEXT, batch_job_row, error_type),
    FIELD(TEXT, batch_job_row, error),
    FIELD(TEXT, batch_job_row, selection_outcome),
    FIELD(TEXT, batch_job_row, gpu_model_name),
    FIELD(TEXT, batch_job_row, attribution_status),
    FIELD(TEXT, batch_job_row, attribution_reason),
    FIELD(TEXT, batch_job_row, attribution_method),
    FIELD(TEXT, batch_job_row, attribution_confidence),
    FIELD(TIME, batch_job_row, attribution_snapshot_ts),
    FIELD(TEXT, batch_job_row, orchestrator_address),
    FIELD(TEXT, batch_job_row, orchestrator_uri),
    FIELD(TEXT, batch_job_row, gpu_id),
    FIELD(TEXT, batch_job_row, llm_model),
    FIELD(INT, batch_job_row, prompt_tokens),
    FIELD(INT, batch_job_row, completion_tokens),
    FIELD(INT, batch_job_row, total_tokens),
    FIELD(DOUBLE, batch_job_row, tokens_per_second),
    FIELD(INT, batch_job_row, ttft_ms),
    FIELD(TEXT, batch_job_row, finish_reason),
    FIELD(INT, batch_job_row, line),
};

static const struct field byoc_list[] = {
    FIELD(TIME, byoc_job_row, completed_at),
    FIELD(TEXT, byoc_job_row, org),
    FIELD(TEXT, byoc_job_row, event_id),
    FIELD(TEXT, byoc_job_row, request_id),
    FIELD(TEXT, byoc_job_row, gateway),
    FIELD(TEXT, byoc_job_row, capability),
    FIELD(TEXT, byoc_job_row, model),
    FIELD(INT, byoc_job_row, success),
    FIELD(INT, byoc_job_row, duration_ms),
    FIELD(INT, byoc_job_row, http_status),
    FIELD(TEXT, byoc_job_row, orch_address),
    FIELD(TEXT, byoc_job_row, orch_url),
    FIELD(TEXT, byoc_job_row, worker_url),
    FIELD(INT, byoc_job_row, charged_compute),
    FIELD(DOUBLE, byoc_job_row, price_per_unit),
    FIELD(TEXT, byoc_job_row, selection_outcome),
    FIELD(TEXT, byoc_job_row, gpu_model_name),
    FIELD(TEXT, byoc_job_row, attribution_status),
    FIELD(TEXT, byoc_job_row, attribution_reason),
    FIELD(TEXT, byoc_job_row, attribution_method),
    FIELD(TEXT, byoc_job_row, attribution_confidence),
    FIELD(TIME, byoc_job_row, attribution_snapshot_ts),
    FIELD(TEXT, byoc_job_row, orchestrator_address),
    FIELD(TEXT, byoc_job_row, orchestrator_uri),
    FIELD(TEXT, byoc_job_row, gpu_id),
    FIELD(TEXT, byoc_job_row, error),
    FIELD(INT, byoc_job_row, line),
};
/* clang-format on */

const struct fields batch_job_fields = FIELDS(batch_list, 1);
const struct fields byoc_job_fields = FIELDS(byoc_list, 1);

static struct text null_if_blank(struct text text)
{
    return text.length ? text : (struct text){NULL, 0};
}

static bool is_of_pass(const struct job_facts *facts,
                       const struct request_event *event)
{
    return event->ts >= facts->from_ms && event->ts < facts->until_ms;
}

/* ---- batch --------------------------------------------------------------- */

/* What came under one request id. Events are walked in order of time. */
struct request {
    const struct request_event *completed; /* the last */
    const struct request_event *received;  /* the first */
    const struct request_event *llm;       /* the last */
};

static struct request *gather_requests(struct arena *arena,
                                       const struct job_facts *facts,
                                       struct text_index *ids)
{
    for (size_t i = 0; i < facts->event_count; i++)
        if (facts->events[i].kind == REQUEST_BATCH_COMPLETED &&
            facts->events[i].request_id.length)
            text_index_add(ids, facts->events[i].request_id, NULL);
    struct request *requests = arena_array(arena, ids->count, sizeof *requests);
    for (size_t i = 0; i < facts->event_count; i++) {
        const struct request_event *event = &facts->events[i];
        ptrdiff_t number = event->kind <= REQUEST_LLM
                               ? text_index_find(ids, event->request_id)
                               : TEXT_INDEX_ABSENT;
        if (number < 0)
            continue;
        struct request *request = &requests[number];
        if (event->kind == REQUEST_BATCH_COMPLETED)
            request->completed = event;
        else if (event->kind == REQUEST_LLM)
            request->llm = event;
        else if (!request->received)
            request->received = event;
    }
    return requests;
}

static const char *batch_outcome(const struct request_event *completed)
{
    if (completed->url.length)
        return "selected";
    bool failed = !(completed->flags & REQUEST_SUCCESS);
    return failed && text_is(completed->error_type, "no_orchestrators")
               ? "no_orch"
               : "unknown";
}

static void set_llm(struct batch_job_row *row, const struct request_event *llm)
{
    row->prompt_tokens = row->completion_tokens = ABSENT_INT;
    row->total_tokens = row->ttft_ms = ABSENT_INT;
    row->tokens_per_second = (double)NAN;
    if (!llm)
        return;
    row->llm_model = llm->model;
    row->prompt_tokens = llm->prompt_tokens;
    row->completion_tokens = llm->completion_tokens;
    row->total_tokens = llm->total_tokens;
    row->tokens_per_second = llm->tokens_per_second;
    row->ttft_ms = llm->ttft_ms;
    row->finish_reason = llm->error_type;
}

static struct batch_job_row batch_row(struct text org,
                                      const struct request *request)
{
    const struct request_event *completed = request->completed;
    const struct request_event *received = request->received;
    bool in_time = received && received->ts <= completed->ts;
    struct batch_job_row row = {
        .completed_at = completed->ts,
        .org = org,
        .request_id = completed->request_id,
        .gateway = completed->gateway,
        .pipeline = completed->pipeline,
        .model_id = null_if_blank(completed->model),
        .received_at = in_time ? received->ts : ABSENT_INT,
        .success = (completed->flags & REQUEST_SUCCESS) != 0,
        .tries = completed->tries,
        .duration_ms = completed->duration_ms,
        .orch_url = completed->url,
        .latency_score = completed->latency_score,
        .price_per_unit = completed->price_per_unit,
        .error_type = completed->error_type,
        .error = completed->error,
        .selection_outcome = text_of(batch_outcome(completed)),
        .line = completed->line,
    };
    set_llm(&row, request->llm);
    return row;
}

static int compare_batch(const void *left, const void *right)
{
    const struct batch_job_row *a = left;
    const struct batch_job_row *b = right;
    if (a->completed_at != b->completed_at)
        return a->completed_at < b->completed_at ? -1 : 1;
    return text_compare(a->request_id, b->request_id);
}

/* ---- attribution --------------------------------------------------------- */

/* The decision columns that both kinds of rows have. */
#define SET_DECISION(row, selection)                                           \
    do {                                                                       \
        (row)->attribution_status = (selection)->attribution_status;           \
        (row)->attribution_reason = (selection)->attribution_reason;           \
        (row)->attribution_method = (selection)->attribution_method;           \
        (row)->attribution_confidence = (selection)->attribution_confidence;   \
        (row)->attribution_snapshot_ts = (selection)->attribution_snapshot_ts; \
        (row)->orchestrator_address = (selection)->orchestrator_address;       \
        (row)->orchestrator_uri = (selection)->orchestrator_uri;               \
        (row)->gpu_id = (selection)->gpu_id;                                   \
    } while (0)

static void decide(struct arena *arena, const struct job_facts *facts,
                   struct selection_row *selections, size_t count)
{
    struct capability_index *index =
        capability_index_build(arena, facts->lens, facts->org, facts->snapshots,
                               facts->snapshot_count, selections, count);
    for (size_t i = 0; i < count; i++)
        attribute(arena, index, &selections[i]);
    capability_index_free(index);
}

static void attribute_batch(struct arena *arena, const struct job_facts *facts,
                            struct batch_job_row *rows, size_t count)
{
    struct selection_row *selections =
        arena_array(arena, count, sizeof *selections);
    for (size_t i = 0; i < count; i++) {
        struct hint hint =
            hint_normalise(arena, rows[i].pipeline, rows[i].model_id);
        bool received = rows[i].received_at != ABSENT_INT;
        selections[i] = (struct selection_row){
            .selection_ts = received ? rows[i].received_at : 0,
            .observed_address = text_of(""),
            .observed_url = text_lower(arena, rows[i].orch_url),
            .pipeline_hint = hint.pipeline,
            .model_hint = hint.model,
        };
    }
    decide(arena, facts, selections, count);
    for (size_t i = 0; i < count; i++)
        SET_DECISION(&rows[i], &selections[i]);
}

struct batch_job_row *batch_jobs_build(struct arena *arena,
                                       const struct job_facts *facts,
                                       size_t *count)
{
    struct text_index ids = {0};
    struct request *requests = gather_requests(arena, facts, &ids);
    struct batch_job_row *rows = arena_array(arena, ids.count, sizeof *rows);
    *count = 0;
    for (size_t i = 0; i < ids.count; i++)
        if (is_of_pass(facts, requests[i].completed))
            rows[(*count)++] = batch_row(facts->org, &requests[i]);
    text_index_free(&ids);
    if (*count)
        qsort(rows, *count, sizeof *rows, compare_batch);
    attribute_batch(arena, facts, rows, *count);
    return rows;
}

/* ---- byoc ---------------------------------------------------------------- */

static const char *byoc_outcome(const struct request_event *completed)
{
    if (completed->url.length || completed->address.length)
        return "selected";
    bool failed = !(completed->flags & REQUEST_SUCCESS);
    return failed && text_contains_ignoring_case(completed->error,
                                                 "no orchestrators")
               ? "no_orch"
               : "unknown";
}

/* Registrations by address and capability, the newest first. */
struct worker_index {
    const struct request_event *workers;
    struct text_index keys;
    size_t *newest; /* by key: number of the registration + 1 */
    size_t *older;  /* by registration: the one before it, + 1 */
};

/* Both kinds of events have the two. */
static ptrdiff_t worker_key(struct text_index *keys,
                            const struct request_event *event, bool add)
{
    struct buf key = {0};
    buf_add_text(&key, event->address);
    buf_add(&key, event->capability.data, event->capability.length);
    struct text bytes = {key.data, key.length};
    ptrdiff_t number = add ? (ptrdiff_t)text_index_add(keys, bytes, NULL)
                           : text_index_find(keys, bytes);
    buf_free(&key);
    return number;
}

static struct worker_index index_workers(struct arena *arena,
                                         const struct job_facts *facts)
{
    size_t count = facts->worker_count;
    struct worker_index index = {.workers = facts->workers};
    index.newest = arena_array(arena, count, sizeof *index.newest);
    index.older = arena_array(arena, count, sizeof *index.older);
    for (size_t i = 0; i < count; i++) {
        ptrdiff_t key = worker_key(&index.keys, &facts->workers[i], true);
        index.older[i] = index.newest[key];
        index.newest[key] = i + 1;
    }
    return index;
}

static bool same_worker_url(const struct request_event *worker,
                            const struct request_event *job)
{
    return job->worker_url.length &&
           text_equal_ignoring_case(worker->worker_url, job->worker_url);
}

/* The last registration before JOB's end of the same worker, else of one
 * whose URL, or the job's, is not known. */
static const struct request_event *worker_of(struct worker_index *index,
                                             const struct request_event *job)
{
    ptrdiff_t key = TEXT_INDEX_ABSENT;
    if (job->address.length)
        key = worker_key(&index->keys, job, false);
    const struct request_event *otherwise = NULL;
    for (size_t at = key < 0 ? 0 : index->newest[key]; at;
         at = index->older[at - 1]) {
        const struct request_event *worker = &index->workers[at - 1];
        if (worker->ts > job->ts)
            continue;
        if (same_worker_url(worker, job))
            return worker;
        bool unknown = !worker->worker_url.length || !job->worker_url.length;
        if (!otherwise && unknown)
            otherwise = worker;
    }
    return otherwise;
}

static struct byoc_job_row byoc_row(struct text org, struct worker_index *index,
                                    const struct request_event *job)
{
    const struct request_event *worker = worker_of(index, job);
    return (struct byoc_job_row){
        .completed_at = job->ts,
        .org = org,
        .event_id = job->id,
        .request_id = job->request_id,
        .gateway = job->gateway,
        .capability = job->capability,
        .model = worker ? null_if_blank(worker->model) : (struct text){0},
        .success = (job->flags & REQUEST_SUCCESS) != 0,
        .duration_ms = job->duration_ms,
        .http_status = job->http_status,
        .orch_address = job->address,
        .orch_url = job->url,
        .worker_url = job->worker_url,
        .charged_compute = (job->flags & REQUEST_CHARGED) != 0,
        .price_per_unit = worker ? worker->price_per_unit : (double)NAN,
        .selection_outcome = text_of(byoc_outcome(job)),
        .error = job->error,
        .line = job->line,
    };
}

static struct text or_blank(struct text text)
{
    return text.data ? text : text_of("");
}

/* The capability is compared as it stands: it is no canonical pipeline, and
 * the hints' allow-list knows nothing of it. */
static void attribute_byoc(struct arena *arena, const struct job_facts *facts,
                           struct byoc_job_row *rows, size_t count)
{
    struct selection_row *selections =
        arena_array(arena, count, sizeof *selections);
    for (size_t i = 0; i < count; i++)
        selections[i] = (struct selection_row){
            .selection_ts = rows[i].completed_at,
            .observed_address = rows[i].orch_address,
            .observed_url = text_lower(arena, rows[i].orch_url),
            .pipeline_hint = rows[i].capability,
            .model_hint = or_blank(rows[i].model),
        };
    decide(arena, facts, selections, count);
    for (size_t i = 0; i < count; i++) {
        SET_DECISION(&rows[i], &selections[i]);
        if (!rows[i].model.length)
            rows[i].model = selections[i].model_id;
    }
}

struct byoc_job_row *byoc_jobs_build(struct arena *arena,
                                     const struct job_facts *facts,
                                     size_t *count)
{
    struct worker_index workers = index_workers(arena, facts);
    struct byoc_job_row *rows = NULL;
    *count = 0;
    for (size_t i = 0; i < facts->event_count; i++) {
        const struct request_event *event = &facts->events[i];
        if (event->kind != REQUEST_COMPLETED || !is_of_pass(facts, event))
            continue;
        rows = arena_grow(arena, rows, *count, sizeof *rows);
        rows[(*count)++] = byoc_row(facts->org, &workers, event);
    }
    text_index_free(&workers.keys);
    attribute_byoc(arena, facts, rows, *count);
    return rows;
}
