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
    const struct lens *lens; /* late_snapshot and multi_gpu act on jobs, too */
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

/* The jobs of one pass over the store, from what is KNOWN: of the UTC day that
 * begins at DAY, or of all times where it is INT64_MIN. */
MUST_USE enum err jobs_of_day(struct store *store, struct arena *arena,
                              const struct lens *lens,
                              const struct knowledge *known, struct text org,
                              int64_t day, struct jobs *jobs);

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

/* The same of events that may have to do with one of NAMES: a payment with its
 * recipient or, where it names its request, with that or its session. Others
 * may be among them, and all are where no name is given. */
struct request_question {
    struct text org;
    enum request_group group;
    int64_t from_ms;
    int64_t until_ms;
    const struct text *names;
    size_t name_count;
};
MUST_USE enum err request_events_asked(struct store *store, struct arena *arena,
                                       const struct request_question *asked,
                                       struct request_event **events,
                                       size_t *count);

/* Makes what is kept by lines of ORG's DAY stand without the evidence, which is
 * about to go; in the caller's transaction. */
MUST_USE enum err requests_keep(struct store *store, struct text org,
                                int64_t day);

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

/* The jobs of one pass by COMPUTATION, as jobs_of_day. ERR_LARGE where they
 * would take more memory than it allows. */
MUST_USE enum err jobs_computed(struct store *store, struct arena *arena,
                                const struct computation *computation,
                                struct text org, int64_t day,
                                struct jobs *jobs);

/* Rows that are not in the table, as request_demand_build sorts them;
 * `published` is set. ERR_LARGE as above. */
MUST_USE enum err request_demand_computed(struct store *store,
                                          struct arena *arena,
                                          const struct computation *computation,
                                          struct request_demand_row **rows,
                                          size_t *count);

/* Calls VISIT for the rows of the table with FROM <= window_start < UNTIL, in
 * order, `published` set; texts are borrowed for the call. */
typedef enum err request_demand_visit(void *context,
                                      const struct request_demand_row *row);
MUST_USE enum err request_demand_each(struct store *store, int64_t from_ms,
                                      int64_t until_ms,
                                      request_demand_visit *visit,
                                      void *context);

/* Sorted by window_start, then by key. */
struct request_demand_row *request_demand_build(struct arena *arena,
                                                const struct jobs *jobs,
                                                size_t *count);

/* ERR_LARGE where ORG's events of GROUP of the hours between FROM and UNTIL,
 * and rows made of them, would take more than BYTES_MAX (0: no limit) of
 * memory, together with what ARENA has. */
MUST_USE enum err request_events_fit(struct store *store,
                                     const struct arena *arena, struct text org,
                                     enum request_group group, int64_t from_ms,
                                     int64_t until_ms, size_t bytes_max);

/* ---- payments (§3.9) ---------------------------------------------------- */

/* One payment and the session that it was made for. */
struct payment_row {
    int64_t event_ts;
    struct text org;
    struct text event_id;
    struct text gateway;
    struct text session_id;
    struct text request_id;
    struct text manifest_id;
    struct text pipeline_hint; /* manifest_id without a leading "<digits>_" */
    struct text sender_address;
    struct text recipient_address;
    struct text orchestrator_url;
    struct text face_value_wei; /* decimal, up to 2^64 - 1 */
    double price_wei_per_pixel;
    double win_prob;
    int64_t num_tickets;
    struct text session_key; /* null where unlinked */
    struct text link_method; /* request_id, unlinked; by assay session_id */
    struct text link_status; /* resolved, unresolved */
    /* of lens assay */
    struct text expected_value_wei; /* decimal; null where nothing tells it */
    /* not exported */
    struct text win_prob_text; /* as it came, exact */
    int64_t line;
};
extern const struct fields payment_fields;
extern const struct fields payment_assay_fields;

/* The row of EVENT; SESSION_KEY is null for none. */
struct payment_row payment_row_of(struct arena *arena, struct text org,
                                  const struct request_event *event,
                                  struct text session_key);
/* An org's payments with FROM <= ts < UNTIL, of one UTC day, by time and id;
 * links by session id where LENS is assay. All of them; or, where ABOUT is no
 * empty text, at least those with that recipient or request. */
MUST_USE enum err payments_between(struct store *store, struct arena *arena,
                                   const struct lens *lens, struct text org,
                                   struct text about, int64_t from_ms,
                                   int64_t until_ms, struct payment_row **rows,
                                   size_t *count);

/* ---- what the network offers (§1.5, §4.4) -------------------------------- */

/* A pipeline and model, with a card or without, that an orchestrator was seen
 * to offer: once, as it was seen last. */
struct offer_row {
    int64_t last_seen;
    struct text org;
    struct text orch_address;
    struct text orchestrator_uri;
    int64_t capability_id;
    struct text capability_name;    /* the canonical pipeline, or byoc */
    struct text capability_family;  /* builtin, byoc */
    struct text canonical_pipeline; /* for byoc the name that is offered */
    struct text pipeline_id;        /* the same */
    struct text model_id;           /* null where none is named */
    int64_t warm;                   /* null for hardware, as capacity */
    int64_t advertised_capacity;
    int64_t hardware_present;
    struct text gpu_id;
    struct text gpu_model_name;
    int64_t gpu_memory_bytes_total;
    int64_t supports_stream;
    int64_t supports_request;
    struct text price_per_unit; /* wei, decimal; null where none was told */
    int64_t pixels_per_unit;
    /* not exported */
    bool ever_warm; /* or hardware */
};
extern const struct fields offer_fields;

/* What one orchestrator asks for a pipeline and model, as told last. */
struct price_row {
    int64_t last_seen;
    struct text org;
    struct text orch_address;
    struct text orchestrator_uri;
    int64_t capability_id;
    struct text pipeline_id; /* canonical, or byoc's own name */
    struct text model_id;    /* null for byoc */
    int64_t price_per_unit;  /* wei, above 0 */
    int64_t pixels_per_unit; /* above 0 */
};

/* Anybody who announced himself, whether he offered something or not. */
struct sighting_row {
    int64_t last_seen;
    struct text org;
    struct text orch_address;
    struct text orchestrator_uri;
};

struct network {
    struct offer_row *offers; /* by address, pipeline, model, card, org */
    size_t offer_count;
    struct price_row *prices; /* by address, pipeline, model, org */
    size_t price_count;
    struct sighting_row *sightings; /* by address, org */
    size_t sighting_count;
};

/*
 * Snapshots of any number of organisations, in any order, become the network
 * that they show. Memory grows with what is offered, not with how often.
 */
struct network_builder;
struct network_builder *network_builder_new(void);
void network_builder_add(struct network_builder *builder, struct text org,
                         const struct capability_snapshot *snapshots,
                         size_t count);
/* Frees BUILDER; the rows lie in ARENA. */
struct network network_builder_end(struct network_builder *builder,
                                   struct arena *arena);

/* What ORG (null: anybody) saw with FROM <= ts < UNTIL, as far as it is KNOWN.
 */
MUST_USE enum err network_between(struct store *store, struct arena *arena,
                                  const struct knowledge *known,
                                  struct text org, int64_t from_ms,
                                  int64_t until_ms, struct network *network);

#endif
