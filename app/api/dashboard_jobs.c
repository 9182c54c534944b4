/*
 * dashboard_jobs.c: the question of a dashboard, and jobs by pipeline and by
 * capability.
 */
#include "api/dashboard.h"
#include "base/index.h"

#include <math.h>
#include <stdlib.h>

/* ---- the question -------------------------------------------------------- */

static void set_window(struct dashboard *dashboard, int64_t hours)
{
    dashboard->hours = hours;
    dashboard->since_ms = dashboard->now_ms - hours * MS_PER_HOUR;
}

enum err dashboard_open(struct dashboard *dashboard, struct request *request)
{
    return dashboard_open_at(dashboard, request, as_of_ms(request));
}

enum err dashboard_open_at(struct dashboard *dashboard, struct request *request,
                           int64_t now_ms)
{
    *dashboard = (struct dashboard){
        .request = request,
        .now_ms = now_ms,
        .org = parameter_text(request, "org"),
        .pipeline = parameter_text(request, "pipeline"),
        .model = parameter_text(request, "model_id"),
    };
    set_window(dashboard, parameter_window_hours(request));
    return read_computation(request, &dashboard->computation);
}

void dashboard_open_as_published(struct dashboard *dashboard,
                                 struct request *request, bool filters)
{
    *dashboard = (struct dashboard){
        .request = request,
        .as_published = true,
        .now_ms = present_ms(request),
        .computation = computation_published(request),
    };
    set_window(dashboard, compat_window_hours(request));
    if (!filters)
        return;
    dashboard->pipeline = parameter_text(request, "pipeline");
    dashboard->model = parameter_text(request, "model_id");
    /* An empty filter is none there. */
    if (!dashboard->pipeline.length)
        dashboard->pipeline.data = NULL;
    if (!dashboard->model.length)
        dashboard->model.data = NULL;
}

int64_t dashboard_end_ms(const struct dashboard *dashboard)
{
    return dashboard->now_ms + 1;
}

/* ---- members ------------------------------------------------------------- */

void add_figure(const struct dashboard *dashboard, struct json_writer *writer,
                const char *name, double value)
{
    json_key(writer, name);
    if (dashboard->as_published)
        compat_number(writer, value);
    else if (isnan(value))
        json_null(writer);
    else
        json_row_double(writer, value);
}

void add_count(struct json_writer *writer, const char *name, int64_t value)
{
    json_key(writer, name);
    json_int(writer, value);
}

void add_text(struct json_writer *writer, const char *name, struct text text)
{
    json_key(writer, name);
    json_text(writer, text.data ? text : text_of(""));
}

double ratio_of(double sum, int64_t count)
{
    return count ? sum / (double)count : (double)NAN;
}

/* ---- jobs ---------------------------------------------------------------- */

struct grouping {
    struct arena *arena;
    struct text_index names;
    struct job_group *list; /* by number */
};

struct grouping_jobs {
    const struct dashboard *dashboard;
    struct grouping batch;
    struct grouping byoc;
    bool enough;
};

/* A job of either kind, as far as it is counted. */
struct counted_job {
    int64_t completed_at;
    struct text name;
    struct text outcome;
    int64_t success;
    int64_t duration_ms;
};

static void count_job(const struct dashboard *dashboard,
                      struct grouping *grouping, const struct counted_job *job)
{
    bool added;
    if (job->completed_at < dashboard->since_ms ||
        job->completed_at >= dashboard_end_ms(dashboard))
        return;
    size_t number = text_index_add(&grouping->names, job->name, &added);
    if (added) {
        grouping->list = arena_grow(grouping->arena, grouping->list, number,
                                    sizeof *grouping->list);
        grouping->list[number] =
            (struct job_group){.duration_ms.arena = grouping->arena};
    }
    struct job_group *group = &grouping->list[number];
    group->total++;
    group->selected += text_is(job->outcome, "selected");
    group->no_orch += text_is(job->outcome, "no_orch");
    group->succeeded += job->success == 1;
    exact_add(&group->duration_ms, (double)job->duration_ms);
}

static enum err count_pass(void *context, struct arena *arena,
                           const struct jobs *jobs)
{
    struct grouping_jobs *grouping = context;
    (void)arena;
    for (size_t i = 0; jobs && i < jobs->batch_count; i++) {
        const struct batch_job_row *row = &jobs->batch[i];
        const struct counted_job job = {row->completed_at, row->pipeline,
                                        row->selection_outcome, row->success,
                                        row->duration_ms};
        count_job(grouping->dashboard, &grouping->batch, &job);
    }
    for (size_t i = 0; jobs && i < jobs->byoc_count; i++) {
        const struct byoc_job_row *row = &jobs->byoc[i];
        const struct counted_job job = {row->completed_at, row->capability,
                                        row->selection_outcome, row->success,
                                        row->duration_ms};
        count_job(grouping->dashboard, &grouping->byoc, &job);
    }
    return ERR_NONE;
}

static int compare_groups(const void *left, const void *right)
{
    const struct job_group *a = left;
    const struct job_group *b = right;
    if (a->total != b->total)
        return a->total > b->total ? -1 : 1;
    return text_compare(a->name, b->name);
}

static struct job_group *take_groups(struct grouping *grouping, size_t *count)
{
    *count = grouping->names.count;
    for (size_t i = 0; i < *count; i++) {
        struct text name = grouping->names.texts[i];
        grouping->list[i].name = (struct text){
            arena_text(grouping->arena, name.data, name.length), name.length};
    }
    if (*count)
        qsort(grouping->list, *count, sizeof *grouping->list, compare_groups);
    text_index_free(&grouping->names);
    return grouping->list;
}

enum err dashboard_jobs(struct dashboard *dashboard, struct job_groups *groups)
{
    struct arena *arena = dashboard->request->arena;
    struct grouping_jobs grouping = {.dashboard = dashboard,
                                     .batch = {.arena = arena},
                                     .byoc = {.arena = arena}};
    enum err err =
        each_jobs(dashboard->request, &dashboard->computation, dashboard->org,
                  dashboard->since_ms, dashboard_end_ms(dashboard), count_pass,
                  &grouping, &grouping.enough);
    groups->batch = take_groups(&grouping.batch, &groups->batch_count);
    groups->byoc = take_groups(&grouping.byoc, &groups->byoc_count);
    return err;
}

struct job_group job_total(const struct job_group *groups, size_t count)
{
    struct job_group total = {0};
    if (count)
        total.duration_ms.arena = groups[0].duration_ms.arena;
    for (size_t i = 0; i < count; i++) {
        total.total += groups[i].total;
        total.selected += groups[i].selected;
        total.no_orch += groups[i].no_orch;
        total.succeeded += groups[i].succeeded;
        exact_add_sum(&total.duration_ms, &groups[i].duration_ms);
    }
    return total;
}

void add_job_group(const struct dashboard *dashboard,
                   struct json_writer *writer, const struct job_group *group)
{
    add_count(writer, "total_jobs", group->total);
    add_count(writer, "selected_jobs", group->selected);
    add_count(writer, "no_orch_jobs", group->no_orch);
    add_figure(dashboard, writer, "success_rate",
               ratio_of((double)group->succeeded, group->total));
    add_figure(dashboard, writer, "avg_duration_ms",
               ratio_of(exact_round(&group->duration_ms), group->total));
}
