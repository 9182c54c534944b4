/*
 * dashboard_pipelines.c: /v1/dashboard/pipelines: streams by pipeline and
 * model, batch jobs by pipeline, byoc jobs by capability (§4.4); and the same
 * under /compat as the publisher answers, who shows five pipelines of streams
 * unless asked for more.
 */
#include "api/dashboard.h"
#include "base/index.h"

#include <stdlib.h>

struct usage {
    struct text name; /* of a pipeline, or of a model of it */
    int64_t sessions;
    struct exact_sum minutes;
    struct exact_sum fps;
    int64_t samples;
    struct usage *models; /* of a pipeline, by number, then by sessions */
    struct text_index numbers;
};

struct usages {
    struct dashboard dashboard;
    struct arena *arena;
    struct usage all; /* its models are the pipelines */
};

static struct usage *part_of(struct arena *arena, struct usage *usage,
                             struct text name)
{
    bool added;
    size_t number = text_index_add(&usage->numbers, name, &added);
    if (added) {
        usage->models =
            arena_grow(arena, usage->models, number, sizeof *usage->models);
        usage->models[number] = (struct usage){
            .name = {arena_text(arena, name.data, name.length), name.length},
            .minutes.arena = arena,
            .fps.arena = arena};
    }
    return &usage->models[number];
}

static void add_to(struct usage *usage, const struct demand_row *row)
{
    usage->sessions += row->requested_sessions;
    exact_add(&usage->minutes, row->total_minutes);
    exact_add(&usage->fps, row->output_fps_sum);
    usage->samples += row->status_samples;
}

static enum err add_hour(void *context, const void *pointer)
{
    const struct demand_row *row = pointer;
    struct usages *usages = context;
    struct text org = usages->dashboard.org;
    if (!row->pipeline_id.length || (org.data && !text_equal(org, row->org)))
        return ERR_NONE;
    struct usage *pipeline =
        part_of(usages->arena, &usages->all, row->pipeline_id);
    add_to(pipeline, row);
    add_to(part_of(usages->arena, pipeline,
                   row->model_id.data ? row->model_id : text_of("")),
           row);
    return ERR_NONE;
}

static int compare_usage(const void *left, const void *right)
{
    const struct usage *a = left;
    const struct usage *b = right;
    if (a->sessions != b->sessions)
        return a->sessions > b->sessions ? -1 : 1;
    return text_compare(a->name, b->name);
}

/* Most sessions first, in all parts; frees their numbers. */
static size_t settle_usage(struct usage *usage)
{
    size_t count = usage->numbers.count;
    text_index_free(&usage->numbers);
    if (count)
        qsort(usage->models, count, sizeof *usage->models, compare_usage);
    return count;
}

/* ---- the answer ---------------------------------------------------------- */

static void add_usage(const struct dashboard *dashboard,
                      struct json_writer *writer, const struct usage *usage,
                      bool is_pipeline)
{
    add_text(writer, is_pipeline ? "name" : "model", usage->name);
    add_figure(dashboard, writer, "mins", exact_round(&usage->minutes));
    add_count(writer, "sessions", usage->sessions);
    add_figure(dashboard, writer, "avgFps",
               ratio_of(exact_round(&usage->fps), usage->samples));
}

static void add_pipelines(struct usages *usages, struct json_writer *writer,
                          int64_t limit)
{
    size_t count = settle_usage(&usages->all);
    json_key(writer, "streaming");
    json_begin(writer, '[');
    for (size_t i = 0; i < count; i++) {
        struct usage *pipeline = &usages->all.models[i];
        size_t models = settle_usage(pipeline);
        if ((int64_t)i >= limit)
            continue;
        json_begin(writer, '{');
        add_usage(&usages->dashboard, writer, pipeline, true);
        json_key(writer, "modelMins");
        json_begin(writer, '[');
        for (size_t k = 0; k < models; k++) {
            json_begin(writer, '{');
            add_usage(&usages->dashboard, writer, &pipeline->models[k], false);
            json_end(writer, '}');
        }
        json_end(writer, ']');
        json_end(writer, '}');
    }
    json_end(writer, ']');
}

/* The publisher's empty list is a null. */
static void add_jobs(const struct dashboard *dashboard,
                     struct json_writer *writer, const char *list,
                     const char *name, const struct job_group *groups,
                     size_t count)
{
    json_key(writer, list);
    if (!count && dashboard->as_published) {
        json_null(writer);
        return;
    }
    json_begin(writer, '[');
    for (size_t i = 0; i < count; i++) {
        json_begin(writer, '{');
        add_text(writer, name, groups[i].name);
        add_job_group(dashboard, writer, &groups[i]);
        json_end(writer, '}');
    }
    json_end(writer, ']');
}

static enum err answer(struct usages *usages, struct reply *reply,
                       int64_t limit)
{
    struct dashboard *dashboard = &usages->dashboard;
    struct job_groups jobs;
    usages->arena = dashboard->request->arena;
    enum err err = dashboard_jobs(dashboard, &jobs);
    if (!err)
        err = each_demand_row(dashboard->request, &dashboard->computation,
                              dashboard->since_ms, dashboard_end_ms(dashboard),
                              add_hour, usages);
    struct json_writer writer = reply_json(reply);
    json_begin(&writer, '{');
    add_pipelines(usages, &writer, limit);
    json_key(&writer, "requests");
    json_begin(&writer, '{');
    add_jobs(dashboard, &writer, "by_pipeline", "pipeline", jobs.batch,
             jobs.batch_count);
    add_jobs(dashboard, &writer, "by_capability", "capability", jobs.byoc,
             jobs.byoc_count);
    json_end(&writer, '}');
    json_end(&writer, '}');
    return err;
}

enum err answer_dashboard_pipelines(struct request *request,
                                    struct reply *reply)
{
    struct usages usages = {0};
    enum err err = dashboard_open(&usages.dashboard, request);
    return err ? err : answer(&usages, reply, parameter_limit(request));
}

enum err compat_dashboard_pipelines(struct request *request,
                                    struct reply *reply)
{
    enum { STANDARD = 5, MOST = 20 };
    struct usages usages = {0};
    dashboard_open_as_published(&usages.dashboard, request, false);
    return answer(&usages, reply, compat_limit(request, STANDARD, MOST));
}
