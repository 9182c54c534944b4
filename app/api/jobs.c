/*
 * jobs.c: /v1/requests/ai-batch/jobs and byoc/jobs: jobs one by one, newest
 * first, and the same under /compat as the publisher answers (§4.3).
 *
 * Jobs are no table: they are made of their events, a UTC day at a time, which
 * is the pass that decides whom they are attributed to. So a page reads the
 * days that it shows rows of, and no others.
 */
#include "api/list.h"

#include <stdlib.h>
#include <string.h>

static const struct row_list list_of_batch = {
    .fields = &batch_job_fields,
    .row_bytes = sizeof(struct batch_job_row),
    .keys = {"-completed_at", "request_id", "org"},
    .told_until = "completed_at",
    .compat = {"request_id", "org", "gateway", "pipeline", "model_id",
               "completed_at", "?success", "tries", "duration_ms", "orch_url",
               "selection_outcome", "gpu_model_name", "attribution_status"}};

/* The publisher calls the id of the event that of the request. */
static const struct row_list list_of_byoc = {
    .fields = &byoc_job_fields,
    .row_bytes = sizeof(struct byoc_job_row),
    .keys = {"-completed_at", "event_id", "org"},
    .told_until = "completed_at",
    .compat = {"request_id=event_id", "org", "capability", "model",
               "completed_at", "?success", "duration_ms", "http_status",
               "orch_address", "orch_url", "worker_url", "selection_outcome",
               "gpu_model_name", "attribution_status", "error"}};

/* ---- the jobs of one pass ------------------------------------------------ */

/* Parameters and the fields that they filter. */
struct job_filter {
    const char *parameter;
    const char *field;
};

static const struct job_filter filters_of_batch[] = {
    {"org", "org"},
    {"gateway", "gateway"},
    {"pipeline", "pipeline"},
    {"model", "model_id"},
    {"orchestrator", "orchestrator_address"},
    {"gpu", "gpu_id"},
    {NULL, NULL},
};
static const struct job_filter filters_of_byoc[] = {
    {"org", "org"},
    {"gateway", "gateway"},
    {"capability", "capability"},
    {"model", "model"},
    {"orchestrator", "orchestrator_address"},
    {"gpu", "gpu_id"},
    {NULL, NULL},
};

struct job_walk {
    const struct row_list *list;
    const struct job_filter *filters; /* null: as the publisher, none */
    bool byoc;
    const struct request *request;
    int64_t start_ms;
    int64_t end_ms;
    const void **rows; /* of the pass being read */
    size_t count;
    /* Takes them in order; false where no more are wanted. */
    bool (*take)(struct job_walk *walk, const void *row);
    void *context;
    bool enough;
};

static int64_t completed_at_of(const struct row_list *list, const void *row)
{
    return field_int(field_named(*list->fields, "completed_at"), row);
}

static bool is_wanted(const struct job_walk *walk, const void *row)
{
    const struct job_filter *filter = walk->filters;
    int64_t completed_at = completed_at_of(walk->list, row);
    if (completed_at < walk->start_ms || completed_at >= walk->end_ms)
        return false;
    for (; filter && filter->parameter; filter++) {
        struct text wanted = parameter_text(walk->request, filter->parameter);
        const struct field *field =
            field_named(*walk->list->fields, filter->field);
        struct text value = field_key(field, row);
        bool is_address = strcmp(filter->parameter, "orchestrator") == 0;
        if (wanted.data &&
            !(is_address ? text_equal_ignoring_case(wanted, value)
                         : text_equal(wanted, value)))
            return false;
    }
    return true;
}

static int compare_jobs(const void *left, const void *right, void *list)
{
    return list_compare(list, *(const void *const *)left,
                        *(const void *const *)right);
}

/* The pass is read: its jobs are handed out, newest first. */
static void end_pass(struct job_walk *walk)
{
    if (walk->count)
        qsort_r(walk->rows, walk->count, sizeof *walk->rows, compare_jobs,
                (void *)(uintptr_t)walk->list);
    for (size_t i = 0; !walk->enough && i < walk->count; i++)
        walk->enough = !walk->take(walk, walk->rows[i]);
    walk->rows = NULL;
    walk->count = 0;
}

static enum err add_jobs(void *context, struct arena *arena,
                         const struct jobs *jobs)
{
    struct job_walk *walk = context;
    if (!jobs) {
        end_pass(walk);
        return ERR_NONE;
    }
    const char *row =
        walk->byoc ? (const char *)jobs->byoc : (const char *)jobs->batch;
    size_t count = walk->byoc ? jobs->byoc_count : jobs->batch_count;
    for (size_t i = 0; i < count; i++, row += walk->list->row_bytes) {
        if (!is_wanted(walk, row))
            continue;
        walk->rows =
            arena_grow(arena, walk->rows, walk->count, sizeof *walk->rows);
        walk->rows[walk->count++] = row;
    }
    return ERR_NONE;
}

/* ---- ours ---------------------------------------------------------------- */

static bool add_to_list(struct job_walk *walk, const void *row)
{
    return list_add(walk->context, row);
}

static enum err answer(struct request *request, struct reply *reply,
                       const struct row_list *list,
                       const struct job_filter *filters, bool byoc)
{
    /* With the number of the line at the end. */
    struct fields fields = *list->fields;
    struct row_list shown = *list;
    struct computation computation;
    struct listing listing;
    fields.exported = fields.count;
    shown.fields = &fields;
    enum err err = list_open(&listing, &shown, request);
    if (!err)
        err = read_computation(request, &computation);
    if (err)
        return err;
    int64_t as_of = parameter_time(request, "as_of", INT64_MAX - 1);
    struct job_walk walk = {
        .list = list,
        .filters = filters,
        .byoc = byoc,
        .request = request,
        .start_ms = parameter_time(request, "start", INT64_MIN),
        .end_ms = parameter_time(request, "end", INT64_MAX),
        .take = add_to_list,
        .context = &listing,
    };
    if (as_of + 1 < walk.end_ms)
        walk.end_ms = as_of + 1;
    if (listing.after.given && listing.after.parts[0].number < walk.end_ms)
        walk.end_ms = listing.after.parts[0].number + 1;
    list_begin(&listing, reply, &computation.known);
    err = each_jobs(request, &computation, parameter_text(request, "org"),
                    walk.start_ms, walk.end_ms, add_jobs, &walk, &walk.enough);
    if (!err)
        list_end(&listing);
    return err;
}

enum err answer_batch_jobs(struct request *request, struct reply *reply)
{
    return answer(request, reply, &list_of_batch, filters_of_batch, false);
}

enum err answer_byoc_jobs(struct request *request, struct reply *reply)
{
    return answer(request, reply, &list_of_byoc, filters_of_byoc, true);
}

/* ---- as the publisher answers -------------------------------------------- */

struct compat_jobs {
    struct compat_page page;
    struct text next;
    int64_t last_ms; /* time and id of the last row */
    struct text last_id;
};

/* Its cursor knows no organisation: a job of the second one with the same time
 * and id is lost at the edge of a page. */
static bool is_behind(const struct compat_page *page, int64_t ms,
                      struct text id)
{
    const struct cursor_part *after = page->after.parts;
    if (!page->after.given || after[0].number == 0)
        return true;
    if (ms != after[0].number)
        return ms < after[0].number;
    return text_compare(id, after[1].text) > 0;
}

static bool add_to_compat(struct job_walk *walk, const void *row)
{
    struct compat_jobs *jobs = walk->context;
    struct compat_page *page = &jobs->page;
    struct arena *arena = page->request->arena;
    int64_t ms = completed_at_of(walk->list, row);
    struct text id =
        field_key(field_named(*walk->list->fields, walk->list->keys[1]), row);
    if (!is_behind(page, ms, id))
        return true;
    if (page->rows == page->limit) {
        jobs->next =
            compat_cursor_text(arena, jobs->last_ms, &jobs->last_id, 1);
        return false;
    }
    page->rows++;
    jobs->last_ms = ms;
    jobs->last_id =
        (struct text){arena_text(arena, id.data, id.length), id.length};
    compat_row(&page->writer, walk->list, row);
    return true;
}

static enum err answer_as_published(struct request *request,
                                    struct reply *reply,
                                    const struct row_list *list, bool byoc)
{
    struct compat_jobs jobs = {.next = text_of("")};
    struct computation computation = computation_published(request);
    int64_t now = present_ms(request);
    enum err err = compat_open(&jobs.page, request, 1);
    if (err)
        return err;
    struct job_walk walk = {
        .list = list,
        .byoc = byoc,
        .request = request,
        .start_ms = compat_time(request, "start", now - MS_PER_DAY),
        .end_ms = compat_time(request, "end", now),
        .take = add_to_compat,
        .context = &jobs,
    };
    compat_begin(&jobs.page, reply);
    err = each_jobs(request, &computation, (struct text){0}, walk.start_ms,
                    walk.end_ms, add_jobs, &walk, &walk.enough);
    if (!err)
        compat_end(&jobs.page, jobs.next);
    return err;
}

enum err compat_batch_jobs(struct request *request, struct reply *reply)
{
    return answer_as_published(request, reply, &list_of_batch, false);
}

enum err compat_byoc_jobs(struct request *request, struct reply *reply)
{
    return answer_as_published(request, reply, &list_of_byoc, true);
}
