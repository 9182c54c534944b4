/*
 * requests.h: jobs, request demand, payments and what the network offers, by
 * the published lens (published metrics §1.5, §3.8, §3.9). Part of rollup.h,
 * which includes it.
 *
 *   request events -> batch and byoc jobs -> request demand by the hour
 *   payments       -> links to sessions
 *   snapshots      -> offers and prices
 *
 * Only request demand is kept; jobs, links and offers are made from facts when
 * somebody asks, because a row of each would take many times the bytes of its
 * fact. Jobs are made a UTC day at a time, which is a pass: the day on which
 * they were completed decides which snapshots and workers they see.
 */
#ifndef ASSAY_ROLLUP_REQUESTS_H
#define ASSAY_ROLLUP_REQUESTS_H

#include "base/err.h"
#include "livepeer/livepeer.h"
#include "rollup/rollup.h"

/* ---- jobs (§3.8) -------------------------------------------------------- */

/* One batch request that was completed. */
struct batch_job_row {
    int64_t completed_at;
    struct text org;
    struct text request_id;
    struct text gateway;
    struct text pipeline;
    struct text model_id;
    int64_t received_at;
    int64_t success;
    int64_t tries;
    int64_t duration_ms;
    struct text orch_url; /* as the gateway reported it */
    double latency_score;
    double price_per_unit;
    struct text error_type;
    struct text error;
    struct text selection_outcome; /* selected, no_orch, unknown */
    struct text gpu_model_name;    /* null, as the publisher's join */
    struct text attribution_status;
    struct text attribution_reason;
    struct text attribution_method;
    struct text attribution_confidence;
    int64_t attribution_snapshot_ts;
    struct text orchestrator_address;
    struct text orchestrator_uri;
    struct text gpu_id;
    /* Of the LLM request of the same id; null where there is none. */
    struct text llm_model;
    int64_t prompt_tokens;
    int64_t completion_tokens;
    int64_t total_tokens;
    double tokens_per_second;
    int64_t ttft_ms;
    struct text finish_reason;
    /* not exported */
    int64_t line; /* evidence line of its completion */
};

/* One attempt at a byoc job. */
struct byoc_job_row {
    int64_t completed_at;
    struct text org;
    struct text event_id;
    struct text request_id;
    struct text gateway;
    struct text capability;
    struct text model;
    int64_t success;
    int64_t duration_ms;
    int64_t http_status;
    struct text orch_address; /* as the gateway reported them */
    struct text orch_url;
    struct text worker_url;
    int64_t charged_compute;
    double price_per_unit; /* of the worker; NaN for none */
    struct text selection_outcome;
    struct text gpu_model_name;
    struct text attribution_status;
    struct text attribution_reason;
    struct text attribution_method;
    struct text attribution_confidence;
    int64_t attribution_snapshot_ts;
    struct text orchestrator_address;
    struct text orchestrator_uri;
    struct text gpu_id;
    struct text error;
    /* not exported */
    int64_t line;
};

extern const struct fields batch_job_fields;
extern const struct fields byoc_job_fields;

/* What one pass over an organisation's jobs is made from. */
struct job_facts {
    struct text org;
    int64_t from_ms; /* jobs completed in [from, until) are of the pass */
    int64_t until_ms;
    /* Sorted; those of the pass, and whatever lies elsewhere under the ids of
     * its requests. */
    const struct request_event *events;
    size_t event_count;
    const struct request_event *workers; /* sorted, up to the pass's end */
    size_t worker_count;
    const struct capability_snapshot *snapshots;
    size_t snapshot_count;
};

/* Both sorted by completed_at, then by request or event id. */
struct batch_job_row *batch_jobs_build(struct arena *arena,
                                       const struct job_facts *facts,
                                       size_t *count);
struct byoc_job_row *byoc_jobs_build(struct arena *arena,
                                     const struct job_facts *facts,
                                     size_t *count);

struct jobs {
    struct batch_job_row *batch;
    size_t batch_count;
    struct byoc_job_row *byoc;
    size_t byoc_count;
};

/* The jobs of one pass over the store: of the UTC day that begins at DAY, or of
 * all times where it is INT64_MIN. */
MUST_USE enum err jobs_of_day(struct store *store, struct arena *arena,
                              struct text org, int64_t day, struct jobs *jobs);

/* Days of which ORG (null: anybody) has events of GROUP between FROM and
 * UNTIL, newest first. */
MUST_USE enum err request_days(struct store *store, struct arena *arena,
                               enum request_group group, struct text org,
                               int64_t from_ms, int64_t until_ms,
                               int64_t **days, size_t *count);
/* Organisations with events of GROUP, or only ORG, if it is one. */
MUST_USE enum err request_orgs(struct store *store, struct arena *arena,
                               enum request_group group, struct text org,
                               struct text **orgs, size_t *count);
/* An org's events of GROUP with FROM <= ts < UNTIL, sorted, each once. */
MUST_USE enum err request_events_between(struct store *store,
                                         struct arena *arena, struct text org,
                                         enum request_group group,
                                         int64_t from_ms, int64_t until_ms,
                                         struct request_event **events,
                                         size_t *count);

/* ---- request demand (§3.8) ---------------------------------------------- */

struct request_demand_row {
    int64_t window_start;
    struct text org;
    struct text gateway;
    struct text execution_mode;     /* request */
    struct text capability_family;  /* builtin, byoc */
    struct text capability_name;    /* the pipeline, or byoc's capability */
    int64_t capability_id;          /* 37; null for builtin, as published */
    struct text canonical_pipeline; /* null for byoc */
    struct text pipeline_id;        /* the pipeline, or byoc's capability */
    struct text canonical_model;
    struct text orchestrator_address; /* "" for builtin */
    struct text orchestrator_uri;     /* lower case */
    int64_t job_count;
    int64_t selected_count;
    int64_t no_orch_count;
    int64_t success_count;
    int64_t duration_ms_sum; /* modulo 2^64, as theirs */
    double price_sum;
    int64_t llm_request_count;
    int64_t llm_success_count;
    int64_t llm_total_tokens_sum; /* modulo 2^64 */
    int64_t llm_total_tokens_sample_count;
    double llm_tokens_per_second_sum;
    int64_t llm_tokens_per_second_sample_count;
    int64_t llm_ttft_ms_sum; /* modulo 2^64 */
    int64_t llm_ttft_ms_sample_count;
    /* Whether the publisher shows the hour: only those are published in which
     * some streaming session changed. Found out where rows are read. */
    int64_t published;
    /* not exported */
    int64_t position; /* among the rows of (window_start, org) */
};
extern const struct fields request_demand_fields;

/* Sorted by window_start, then by key. */
struct request_demand_row *request_demand_build(struct arena *arena,
                                                const struct jobs *jobs,
                                                size_t *count);

#endif
