/*
 * rollup.h: from stored session events to sessions, hours and scores, as the
 * publisher computes them (published metrics §2 to §3.7 with §11), and with
 * the definitions of its documents where a lens says so (lens.h).
 *
 * The fold is a chain of pure functions over rows:
 *
 *   session events -> selections -> decisions -> session and its hours
 *                                   -> SLA rows -> benchmarks -> scores
 *
 * settle.c drives the chain over the store for the settled pass, where every
 * UTC day that holds an organisation's session events is a pass of its own,
 * and touches only what new evidence can have changed. whole.c drives the same
 * functions once over everything. There is no clock in either.
 *
 * Every row is a struct and a table of fields beside it (base/fields.h).
 */
#ifndef ASSAY_ROLLUP_ROLLUP_H
#define ASSAY_ROLLUP_ROLLUP_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/fields.h"
#include "livepeer/livepeer.h"
#include "rollup/knowledge.h"
#include "rollup/lens.h"
#include "rollup/percentiles.h"
#include "rollup/prompt_share.h"
#include "rollup/regions.h"
#include "rollup/run_group.h"
#include "rollup/run_hour.h"
#include "rollup/scorecard.h"
#include "stats/stats.h"
#include "store/store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- lenses and passes --------------------------------------------------- */

/* What options and parameters may name; the first is the default. */
#define LENS_NAMES "published|assay"

/* Settled: each UTC day of an org is a pass of its own. Whole: one pass over
 * everything. Names stand in the order of values. */
enum pass { PASS_SETTLED, PASS_WHOLE };
#define PASS_NAMES "settled|whole"

/* ---- rows --------------------------------------------------------------- */

/* What the snapshots say of the hardware that a session ran on. The publisher
 * joins none of it; lens assay fills it in. */
struct card {
    struct text gpu_model_name;     /* of several the distinct ones, with '+' */
    int64_t gpu_memory_bytes_total; /* of several together */
    struct text runner_version;
};

/* One selection event of one pass, with the decision on it (§2.4, §2.6). */
struct selection_row {
    struct text selection_event_id;
    struct text org;
    struct text session_key;
    int64_t selection_ts;
    struct text selection_trigger; /* initial, swap, orch_change_fallback */
    struct text event_id;
    struct text orchestrator_identity;
    struct text observed_address;
    struct text observed_url;
    struct text pipeline_hint;
    struct text model_hint;
    struct text attribution_status;
    struct text attribution_reason;
    struct text attribution_method;
    struct text attribution_confidence;
    int64_t attribution_snapshot_ts;
    struct text orchestrator_address;
    struct text orchestrator_uri;
    struct text pipeline_id;
    struct text model_id;
    struct text gpu_id;
    /* not exported */
    int64_t day;      /* start of the pass; 0 in the whole pass */
    int64_t position; /* within the session's pass: order of equal times */
    int64_t line;     /* evidence line of the triggering event */
    struct card card; /* of the chosen surface; not stored */
};

/* The last decision on one session and everything known of it (§2.2-2.9). */
struct session_row {
    struct text session_key;
    struct text org;
    struct text stream_id;
    struct text request_id;
    struct text gateway;
    int64_t started_at;
    int64_t first_processed_at;
    int64_t few_processed_at;
    int64_t first_ingest_at;
    int64_t runner_first_processed_at;
    int64_t status_start_time;
    int64_t last_seen;
    int64_t started_count;
    int64_t playable_count;
    int64_t no_orch_count;
    int64_t completed_count;
    int64_t swap_count;
    int64_t status_samples;
    int64_t online_samples;
    int64_t running_samples;
    int64_t fps_positive_samples;
    int64_t degraded_input_samples;
    int64_t degraded_inference_samples;
    int64_t error_samples;
    int64_t error_seen;
    int64_t startup_error_count;
    int64_t excusable_error_count;
    struct text status_hint;
    struct text trace_hint;
    struct text event_hint;
    int64_t requested_seen;
    int64_t playable_seen;
    int64_t completed;
    struct text selection_event_id;
    int64_t selection_ts;
    struct text selection_trigger;
    struct text selection_outcome;
    struct text attribution_status;
    struct text attribution_reason;
    struct text attribution_method;
    struct text attribution_confidence;
    int64_t attribution_snapshot_ts;
    struct text orchestrator_address;
    struct text orchestrator_uri;
    struct text pipeline_id;
    struct text model_id;
    struct text gpu_id;
    struct text startup_outcome;
    struct text startup_label;
    struct text excusal_reason;
    int64_t loading_only_session;
    int64_t zero_output_fps_session;
    int64_t health_signal_count;
    int64_t health_expected_signal_count;
    int64_t startup_latency_ms;
    int64_t e2e_latency_ms;
    int64_t ptff_ms;
    /* not exported */
    struct text assay;   /* how lens assay differs, see lens_rows.h */
    int64_t assay_start; /* its demand_hour, where it is another one */
    /* not stored */
    int64_t loading_samples;  /* status events of state LOADING */
    int64_t first_loading_at; /* the first of them */
    int64_t first_output_at;  /* the first status event with output */
    /* of inferred_swaps: */
    int64_t inferred_swap; /* it changed orchestrators without a swap trace */
    /* of lens assay: */
    int64_t cold; /* it reported LOADING before its first output */
    struct card card;
};

/* How an hour of a session stands to the orchestrator it is counted under. */
enum hour_part {
    HOUR_OWN, /* the session's own: its samples */
    HOUR_LEFT /* swap_charged_to_left: the orchestrator that it left */
};

/* One UTC hour of one session that has status events (§2.10). */
struct hour_row {
    struct text org;
    int64_t hour;
    struct text session_key;
    int64_t day; /* start of the pass that owns the hour */
    struct text orchestrator_address;
    struct text pipeline_id;
    struct text model_id;
    int64_t status_samples;
    int64_t fps_positive_samples;
    int64_t running_samples;
    int64_t error_samples;
    struct text fps_sum; /* exact_encode */
    int64_t latency_samples;
    struct text latency_sum; /* exact_encode */
    int64_t tail_artefact;
    struct text assay; /* what lens assay has in its place, see lens_rows.h */
    /* histogram_encode; null without samples */
    struct text fps_sketch;     /* of samples with output */
    struct text latency_sketch; /* of those in latency_sum */
    /* of lenses other than published; not stored with its rows */
    int64_t part;           /* enum hour_part */
    struct text gpu_id;     /* of a part LEFT; others have the session's */
    struct card card;       /* the same */
    int64_t counts_session; /* 1: session_counted_once counts it here */
    int64_t charges_swap;   /* 1: swap_charged_to_left charges it here */
    /* of lens assay: */
    double fps_jitter; /* sigma / mu of its samples with output, or NaN */
    /* what that is made of; not stored */
    struct text fps_squares; /* exact_encode */
    int64_t fps_square_samples;
};

/* What lens assay adds to an hour of SLA and GPU rows. */
struct hour_extras {
    double fps_jitter_coefficient; /* mean over session-hours; NaN for none */
    double fps_jitter_sum;
    int64_t fps_jitter_hour_count;
    int64_t cold_sessions;
    int64_t cold_startup_latency_sum_ms;
    int64_t cold_startup_latency_sample_count;
    double avg_cold_startup_latency_ms;
    int64_t warm_startup_latency_sum_ms;
    int64_t warm_startup_latency_sample_count;
    double avg_warm_startup_latency_ms;
    double ingest_video_packet_jitter_sum_ms;
    int64_t ingest_video_packet_jitter_sample_count;
    double avg_ingest_video_packet_jitter_ms; /* mean over samples */
    double ingest_audio_packet_jitter_sum_ms;
    int64_t ingest_audio_packet_jitter_sample_count;
    double avg_ingest_audio_packet_jitter_ms;
};

/* One scored hour of one key (§3.1-3.5). */
struct sla_row {
    int64_t window_start;
    struct text org;
    struct text orchestrator_address;
    struct text pipeline_id;
    struct text model_id;
    struct text gpu_id;
    struct text gpu_model_name;
    struct text region;
    int64_t known_sessions_count;
    int64_t requested_sessions;
    int64_t startup_success_sessions;
    int64_t no_orch_sessions;
    int64_t startup_excused_sessions;
    int64_t startup_failed_sessions;
    int64_t loading_only_sessions;
    int64_t zero_output_fps_sessions;
    int64_t output_failed_sessions;
    int64_t effective_failed_sessions;
    int64_t confirmed_swapped_sessions;
    int64_t inferred_swap_sessions;
    int64_t total_swapped_sessions;
    int64_t sessions_ending_in_error;
    int64_t error_status_samples;
    int64_t health_signal_count;
    int64_t health_expected_signal_count;
    double output_fps_sum;
    int64_t status_samples;
    double prompt_to_first_frame_sum_ms;
    int64_t prompt_to_first_frame_sample_count;
    double e2e_latency_sum_ms;
    int64_t e2e_latency_sample_count;
    double health_signal_coverage_ratio;
    double startup_success_rate;
    double excused_failure_rate;
    double effective_success_rate;
    double no_swap_rate;
    double output_viability_rate;
    double avg_output_fps;
    double avg_prompt_to_first_frame_ms;
    double avg_e2e_latency_ms;
    double ptff_p50;
    double ptff_p90;
    int64_t ptff_benchmark_row_count;
    double e2e_p50;
    double e2e_p90;
    int64_t e2e_benchmark_row_count;
    double fps_p10;
    double fps_p50;
    int64_t fps_benchmark_row_count;
    double ptff_score_raw;
    double e2e_score_raw;
    double fps_score_raw;
    double reliability_score;
    double ptff_score;
    double e2e_score;
    double latency_score;
    double fps_score;
    double quality_score;
    struct text sla_semantics_version;
    double sla_score;
    /* not exported */
    struct text null_reason;   /* why sla_score is null; null where it is not */
    struct text quality_note;  /* benchmark_day_without_values, or null */
    int64_t position;          /* among the rows of (window_start, org) */
    int64_t fps_samples;       /* see sla_fps_samples */
    struct text sketches;      /* see sketch.h */
    struct hour_extras extras; /* exported by lens assay */
    /* for GPU rows; the name is a column above */
    int64_t gpu_memory_bytes_total;
    struct text runner_version;
};

/* One day's percentiles of one (pipeline, model) over all orgs (§3.3). A
 * percentile of a metric with count 0 is NaN (§11.2). */
struct benchmark_row {
    int64_t day;
    struct text pipeline_id;
    struct text model_id;
    double ptff_p50;
    double ptff_p90;
    int64_t ptff_count;
    double e2e_p50;
    double e2e_p90;
    int64_t e2e_count;
    double fps_p10;
    double fps_p50;
    int64_t fps_count;
    int64_t position; /* among the rows of the day */
    /* merged_benchmark: the averages themselves, floats in ascending order;
     * not stored with the published rows */
    struct text ptff_values;
    struct text e2e_values;
    struct text fps_values;
};

/* Status samples of one session's hour that came by one gateway (§3.6). */
struct gateway_hour_row {
    struct text org;
    int64_t hour;
    struct text session_key;
    struct text gateway; /* of the event; "" where it named none */
    int64_t status_samples;
    struct text fps_sum;          /* exact_encode */
    struct text assay;            /* how lens assay differs, see lens_rows.h */
    int64_t fps_positive_samples; /* not stored with the published rows */
};

/* One hour of demand of one key (§3.6). */
struct demand_row {
    int64_t window_start;
    struct text org;
    struct text gateway;
    struct text region;
    struct text pipeline_id;
    struct text model_id;
    int64_t sessions_count;
    int64_t known_sessions_count;
    int64_t requested_sessions;
    int64_t startup_success_sessions;
    int64_t no_orch_sessions;
    int64_t startup_excused_sessions;
    int64_t startup_failed_sessions;
    int64_t loading_only_sessions;
    int64_t zero_output_fps_sessions;
    int64_t effective_failed_sessions;
    int64_t confirmed_swapped_sessions;
    int64_t inferred_swap_sessions;
    int64_t total_swapped_sessions;
    int64_t sessions_ending_in_error;
    int64_t error_status_samples;
    int64_t health_signal_count;
    int64_t health_expected_signal_count;
    double health_signal_coverage_ratio;
    double startup_success_rate;
    double excused_failure_rate;
    double effective_success_rate;
    double output_fps_sum;
    int64_t status_samples;
    double avg_output_fps;
    double total_minutes;
    double ticket_face_value_eth; /* always 0, as published */
    /* not exported */
    int64_t position; /* among the rows of (window_start, org) */
};

/* One hour of one GPU (§3.7). */
struct gpu_row {
    int64_t window_start;
    struct text org;
    struct text orchestrator_address;
    struct text pipeline_id;
    struct text model_id;
    struct text gpu_id;
    struct text gpu_model_name; /* null, with all that the publisher joins */
    struct text region;
    int64_t gpu_memory_bytes_total;
    struct text runner_version;
    struct text cuda_version;
    int64_t known_sessions_count;
    int64_t startup_success_sessions;
    int64_t no_orch_sessions;
    int64_t startup_excused_sessions;
    int64_t startup_failed_sessions;
    int64_t confirmed_swapped_sessions;
    int64_t inferred_swap_sessions;
    int64_t total_swapped_sessions;
    int64_t sessions_ending_in_error;
    int64_t error_status_samples;
    int64_t health_signal_count;
    int64_t health_expected_signal_count;
    double health_signal_coverage_ratio;
    double output_fps_sum;
    int64_t status_samples;
    double avg_output_fps;
    double p95_output_fps;
    double fps_jitter_coefficient; /* null */
    double prompt_to_first_frame_sum_ms;
    int64_t prompt_to_first_frame_sample_count;
    double avg_prompt_to_first_frame_ms;
    double p95_prompt_to_first_frame_latency_ms;
    double startup_latency_sum_ms;
    int64_t startup_latency_sample_count;
    double avg_startup_latency_ms;
    double p95_startup_latency_ms;
    double e2e_latency_sum_ms;
    int64_t e2e_latency_sample_count;
    double avg_e2e_latency_ms;
    double p95_e2e_latency_ms;
    double startup_failed_rate;
    double swap_rate;
    struct hour_extras extras; /* exported by lens assay */
    /* not exported */
    int64_t position; /* among the rows of (window_start, org) */
};

extern const struct fields selection_fields;
extern const struct fields session_fields;
extern const struct fields session_lens_fields; /* by a lens with switches */
extern const struct fields hour_fields;
extern const struct fields hour_lens_fields;
extern const struct fields sla_assay_fields;
extern const struct fields benchmark_assay_fields;
extern const struct fields sla_fields;
extern const struct fields benchmark_fields;
extern const struct fields gateway_hour_fields;
extern const struct fields demand_fields;
extern const struct fields gpu_fields;
extern const struct fields gpu_assay_fields;
/* What is not stored of a decision: struct card. */
extern const struct fields selection_card_fields;

/* ---- pure steps --------------------------------------------------------- */

/* What LENS counts of COUNT events of one session, sorted by (ts, id): all, or
 * by dedup_first of each id the first; compacted in place. */
void events_dedup(struct arena *arena, const struct lens *lens,
                  struct session_event *events, size_t *count);

/* The selection events among COUNT events of one session and one pass, sorted
 * by time; decisions are still blank (§2.4, §11 "Selection filter"). At most
 * PASS_SELECTIONS_MAX, the earliest: one in eighty seconds, all day. */
enum { PASS_SELECTIONS_MAX = 1024 };
struct selection_row *selections_build(struct arena *arena, struct text org,
                                       struct text session_key, int64_t day,
                                       const struct session_event *events,
                                       size_t event_count, size_t *count);

/* Capability versions of one (org, pass) by URL, address and alias (§2.5). */
struct capability_index;

/* LOADED are the snapshots of the org whose time lies in the pass's range; an
 * element is used only if a selection's address or URL names it (by
 * late_snapshot in any case). LENS must outlive the index. */
struct capability_index *capability_index_build(
    struct arena *arena, const struct lens *lens, struct text org,
    const struct capability_snapshot *loaded, size_t loaded_count,
    const struct selection_row *selections, size_t selection_count);

/* Gives back what does not lie in the arena. */
void capability_index_free(struct capability_index *index);

/* Fills the decision of SELECTION (§2.6). */
void attribute(struct arena *arena, const struct capability_index *index,
               struct selection_row *selection);

/* A session's selections of one pass, in order. */
struct session_pass {
    int64_t start; /* INT64_MIN for the whole pass */
    const struct selection_row *selections;
    size_t selection_count;
};

/*
 * The session's row and its hours from all its events (sorted by time, then
 * id) and its passes in order (§2.7-2.10). False where the events make no
 * session, because none of them is more than a runner trace. A lens other than
 * published takes one pass, which holds everything.
 */
bool session_fold(struct arena *arena, const struct lens *lens, struct text org,
                  struct text session_key, const struct session_event *events,
                  size_t event_count, const struct session_pass *passes,
                  size_t pass_count, struct session_row *row,
                  struct hour_row **hours, size_t *hour_count);

/* Adds session-hours up to SLA rows of one org and hour, unscored, sorted by
 * key (§3.1, §3.2). */
struct session_hour {
    const struct hour_row *hour;
    const struct session_row *session;
    const struct ingest_hour *ingest; /* null where none is known */
};
struct sla_row *sla_build(struct arena *arena, const struct lens *lens,
                          const struct session_hour *hours, size_t hour_count,
                          size_t *count);

/* All benchmarks of one day from its SLA rows of all orgs (§3.3). */
struct benchmark_row *benchmarks_build(struct arena *arena,
                                       const struct lens *lens, int64_t day,
                                       const struct sla_row *rows,
                                       size_t row_count, size_t *count);

/* Scores ROWS of one UTC day by the benchmarks of the seven days before it;
 * those of other days, pipelines and models are passed over (§3.4, §3.5). */
void sla_score(struct arena *arena, const struct lens *lens,
               struct sla_row *rows, size_t row_count,
               const struct benchmark_row *benchmarks, size_t benchmark_count);

/* Order of rows: window_start, org, orchestrator, pipeline, model, gpu. */
int sla_compare(const void *a, const void *b);

/* Status samples by hour and gateway, in that order, from all events of
 * SESSION, sorted by time. */
struct gateway_hour_row *gateway_hours_build(struct arena *arena,
                                             const struct lens *lens,
                                             const struct session_row *session,
                                             const struct session_event *events,
                                             size_t event_count, size_t *count);

/* A session where HOUR is null: it counts in the hour of its start. Otherwise
 * the samples of one of its hours. */
struct demand_part {
    const struct session_row *session;
    const struct gateway_hour_row *hour;
};
/* The hour in which SESSION is demand: of its start, else of its end. */
int64_t demand_hour(const struct session_row *session);
/* Sorted by window_start, org, gateway, pipeline, model. */
struct demand_row *demand_build(struct arena *arena, const struct lens *lens,
                                const struct demand_part *parts,
                                size_t part_count, size_t *count);

/* From the session-hours that have a GPU, in the order of sla_compare. */
struct gpu_row *gpu_metrics_build(struct arena *arena, const struct lens *lens,
                                  const struct session_hour *hours,
                                  size_t hour_count, size_t *count);

/* ---- over the store ----------------------------------------------------- */

/*
 * Brings every derived table up to date with the facts that changed since the
 * last call, in transactions of its own. REPORT may be null; what it
 * returns ends settling where it is an error.
 */
MUST_USE enum err settle(struct store *store,
                         enum err (*report)(void *context, const char *stage,
                                            uint64_t done),
                         void *context);

/* All of it in the caller's transaction. */
MUST_USE enum err settle_within(struct store *store,
                                enum err (*report)(void *context,
                                                   const char *stage,
                                                   uint64_t done),
                                void *context);

/* What may be remembered from one step to the next, so that a session with
 * many events is not added up from its start each time. Belongs to the thread
 * that settles. */
struct settling;
struct settling *settling_new(void);
void settling_free(struct settling *settling);
/* Forgets what takes much memory; it can be had again. */
void settling_give_back(struct settling *settling);

/* One unit of the same, in one transaction; *MORE is false where nothing was
 * left to do. For writers that have other work in between. */
MUST_USE enum err settle_step(struct settling *settling, struct store *store,
                              bool *more);

/* The session of lens assay out of the STORED row of the published one, as long
 * as that lives; *EXISTS is false where the lens knows none. */
MUST_USE enum err session_of_assay(const struct session_row *stored,
                                   struct session_row *session, bool *exists);

/* Whether anything waits for settling, as after an interrupted import. */
MUST_USE enum err settle_pending(struct store *store, bool *pending);

/* What shall be computed in memory, instead of read from the tables. */
struct computation {
    const struct lens *lens;
    enum pass pass; /* whole, for any lens but the published one */
    struct knowledge known;
    /* Of the settled pass, rows of UTC days from the first and before the
     * second; scores need the seven days before them, too. Whole has all. */
    int64_t from_day;
    int64_t until_day;
    size_t bytes_max; /* of memory, as far as it is known; 0: no limit */
};

/* Valid as long as the arena that it was computed in. */
struct computed {
    struct selection_row *selections; /* by session_key, ts, id */
    size_t selection_count;
    struct session_row *sessions; /* by session_key */
    size_t session_count;
    struct sla_row *sla; /* in row order, as the next two */
    size_t sla_count;
    struct demand_row *demand;
    size_t demand_count;
    struct gpu_row *gpus;
    size_t gpu_count;
};
/* ERR_LARGE where it takes more memory than it may; then OUT is of no use. */
MUST_USE enum err compute(struct store *store, struct arena *arena,
                          const struct computation *computation,
                          struct computed *out);

/* All events of one session, also those that settling has still to put into
 * their place; sorted by time, then id; borrowed from ARENA. */
MUST_USE enum err session_events(struct store *store, struct arena *arena,
                                 struct text session_key,
                                 struct session_event **events, size_t *count);

/* A session's events that are in their place, part by part: at most
 * SESSION_PART_EVENTS of one UTC day, sorted by time, then id. */
struct part_place {
    int64_t day;
    int64_t number; /* within the day */
};
struct session_part {
    struct part_place place;
    struct session_event *events;
    size_t count;
};
/* Parts from FROM on, of days before UNTIL_DAY. */
struct query *session_parts(struct store *store, struct text session_key,
                            struct part_place from, int64_t until_day);
/* The next part, in ARENA; *FOUND is false behind the last. */
MUST_USE enum err session_part_next(struct store *store, struct query *parts,
                                    struct arena *arena,
                                    struct session_part *part, bool *found);

/* Makes the facts of ORG's sessions on DAY stand without the evidence, which is
 * about to go; in the caller's transaction. */
MUST_USE enum err sessions_warm(struct store *store, struct text org,
                                int64_t day);

/* An org's snapshots with FROM <= ts < UNTIL, in no order. */
MUST_USE enum err snapshots_between(struct store *store, struct arena *arena,
                                    struct text org, int64_t from_ms,
                                    int64_t until_ms,
                                    struct capability_snapshot **snapshots,
                                    size_t *count);

#include "rollup/requests.h"

#endif
