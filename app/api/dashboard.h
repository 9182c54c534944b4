/*
 * dashboard.h: what the routes of /v1/dashboard and /v1/discover share: one
 * question, asked by our parameters or by the publisher's, and figures that are
 * null in our answers where the publisher writes 0. Figures that are no whole
 * numbers are added up exactly, so that no order of rows changes them. Private
 * to the API.
 *
 *     dashboard_kpi.c            kpi
 *     dashboard_pipelines.c      pipelines
 *     dashboard_jobs.c           jobs by pipeline and capability, for both
 *     dashboard_orchestrators.c  orchestrators
 *     dashboard_network.c        gpu-capacity, pipeline-catalog, pricing
 *     job_feed.c                 job-feed
 *     discover.c                 /v1/discover/orchestrators
 */
#ifndef ASSAY_API_DASHBOARD_H
#define ASSAY_API_DASHBOARD_H

#include "api/supply.h"

struct dashboard {
    struct request *request;
    bool as_published;
    int64_t now_ms;
    int64_t since_ms; /* the window's beginning */
    int64_t hours;
    struct computation computation;
    struct text org; /* filters; without data: all */
    struct text pipeline;
    struct text model;
};

/* By our parameters: window, as_of, lens, pass, org, pipeline, model_id. */
MUST_USE enum err dashboard_open(struct dashboard *dashboard,
                                 struct request *request);
/* The same of a list, which says what time it is of. */
MUST_USE enum err dashboard_open_at(struct dashboard *dashboard,
                                    struct request *request, int64_t now_ms);
/* By the publisher's: window, and what FILTERS says: pipeline and model_id. */
void dashboard_open_as_published(struct dashboard *dashboard,
                                 struct request *request, bool filters);
/* Rows with FROM <= time < this are of the window. */
int64_t dashboard_end_ms(const struct dashboard *dashboard);

/* Members of the object being written. NaN is null, or 0 as published. */
void add_figure(const struct dashboard *dashboard, struct json_writer *writer,
                const char *name, double value);
void add_count(struct json_writer *writer, const char *name, int64_t value);
void add_text(struct json_writer *writer, const char *name, struct text text);

/* SUM / COUNT, NaN where there is nothing to divide by. */
double ratio_of(double sum, int64_t count);

/* ---- jobs ---------------------------------------------------------------- */

struct job_group {
    struct text name; /* pipeline or capability */
    int64_t total;
    int64_t selected;
    int64_t no_orch;
    int64_t succeeded;
    struct exact_sum duration_ms;
};

/* Jobs completed in the window, as such: hours that the publisher hides are
 * none of theirs. Most first. */
struct job_groups {
    struct job_group *batch;
    size_t batch_count;
    struct job_group *byoc;
    size_t byoc_count;
};
MUST_USE enum err dashboard_jobs(struct dashboard *dashboard,
                                 struct job_groups *groups);
/* All of GROUPS in one. */
struct job_group job_total(const struct job_group *groups, size_t count);
/* Members of the object being written, without the name. */
void add_job_group(const struct dashboard *dashboard,
                   struct json_writer *writer, const struct job_group *group);

#endif
