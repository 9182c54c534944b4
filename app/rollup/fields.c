/*
 * fields.c: the fields of every row. The order of a list is the order of the
 * columns of its SQL table, exported ones first. Those of hourly rows are
 * mostly packed (base/fields_pack.h): a migration has to make such a table
 * anew where its list changes.
 */
#include "rollup/hour_extras.h"
#include "rollup/sla.h"

#define TEXT(row, member) FIELD(TEXT, row, member)
#define BLOB(row, member) FIELD(BLOB, row, member)
#define INT(row, member) FIELD(INT, row, member)
#define REAL(row, member) FIELD(DOUBLE, row, member)
#define RATE(row, member) DERIVED_FIELD(DOUBLE, row, member)
#define WORD(row, member) DERIVED_FIELD(TEXT, row, member)
#define TIME(row, member) FIELD(TIME, row, member)
#define WINDOW(row, member) FIELD(WINDOW, row, member)
#define CARD(row)                                                              \
    FIELD_IN(TEXT, row, card, gpu_model_name),                                 \
        FIELD_IN(INT, row, card, gpu_memory_bytes_total),                      \
        FIELD_IN(TEXT, row, card, runner_version)

/* clang-format off */
static const struct field selection_list[] = {
    TEXT(selection_row, selection_event_id),
    TEXT(selection_row, org),
    TEXT(selection_row, session_key),
    TIME(selection_row, selection_ts),
    TEXT(selection_row, selection_trigger),
    TEXT(selection_row, event_id),
    TEXT(selection_row, orchestrator_identity),
    TEXT(selection_row, observed_address),
    TEXT(selection_row, observed_url),
    TEXT(selection_row, pipeline_hint),
    TEXT(selection_row, model_hint),
    TEXT(selection_row, attribution_status),
    TEXT(selection_row, attribution_reason),
    TEXT(selection_row, attribution_method),
    TEXT(selection_row, attribution_confidence),
    TIME(selection_row, attribution_snapshot_ts),
    TEXT(selection_row, orchestrator_address),
    TEXT(selection_row, orchestrator_uri),
    TEXT(selection_row, pipeline_id),
    TEXT(selection_row, model_id),
    TEXT(selection_row, gpu_id),
    WINDOW(selection_row, day),
    INT(selection_row, position),
    INT(selection_row, line),
};

static const struct field selection_card_list[] = {CARD(selection_row)};

#define SESSION_COLUMNS                                                        \
    TEXT(session_row, session_key),                                            \
    TEXT(session_row, org),                                                    \
    TEXT(session_row, stream_id),                                              \
    TEXT(session_row, request_id),                                             \
    TEXT(session_row, gateway),                                                \
    TIME(session_row, started_at),                                             \
    TIME(session_row, first_processed_at),                                     \
    TIME(session_row, few_processed_at),                                       \
    TIME(session_row, first_ingest_at),                                        \
    TIME(session_row, runner_first_processed_at),                              \
    TIME(session_row, status_start_time),                                      \
    TIME(session_row, last_seen),                                              \
    INT(session_row, started_count),                                           \
    INT(session_row, playable_count),                                          \
    INT(session_row, no_orch_count),                                           \
    INT(session_row, completed_count),                                         \
    INT(session_row, swap_count),                                              \
    INT(session_row, status_samples),                                          \
    INT(session_row, online_samples),                                          \
    INT(session_row, running_samples),                                         \
    INT(session_row, fps_positive_samples),                                    \
    INT(session_row, degraded_input_samples),                                  \
    INT(session_row, degraded_inference_samples),                              \
    INT(session_row, error_samples),                                           \
    INT(session_row, error_seen),                                              \
    INT(session_row, startup_error_count),                                     \
    INT(session_row, excusable_error_count),                                   \
    TEXT(session_row, status_hint),                                            \
    TEXT(session_row, trace_hint),                                             \
    TEXT(session_row, event_hint),                                             \
    INT(session_row, requested_seen),                                          \
    INT(session_row, playable_seen),                                           \
    INT(session_row, completed),                                               \
    TEXT(session_row, selection_event_id),                                     \
    TIME(session_row, selection_ts),                                           \
    TEXT(session_row, selection_trigger),                                      \
    TEXT(session_row, selection_outcome),                                      \
    TEXT(session_row, attribution_status),                                     \
    TEXT(session_row, attribution_reason),                                     \
    TEXT(session_row, attribution_method),                                     \
    TEXT(session_row, attribution_confidence),                                 \
    TIME(session_row, attribution_snapshot_ts),                                \
    TEXT(session_row, orchestrator_address),                                   \
    TEXT(session_row, orchestrator_uri),                                       \
    TEXT(session_row, pipeline_id),                                            \
    TEXT(session_row, model_id),                                               \
    TEXT(session_row, gpu_id),                                                 \
    TEXT(session_row, startup_outcome),                                        \
    TEXT(session_row, startup_label),                                          \
    TEXT(session_row, excusal_reason),                                         \
    INT(session_row, loading_only_session),                                    \
    INT(session_row, zero_output_fps_session),                                 \
    INT(session_row, health_signal_count),                                     \
    INT(session_row, health_expected_signal_count),                            \
    INT(session_row, startup_latency_ms),                                      \
    INT(session_row, e2e_latency_ms),                                          \
    INT(session_row, ptff_ms)
static const struct field session_list[] = {
    SESSION_COLUMNS,
    BLOB(session_row, assay),
    INT(session_row, assay_start),
};
static const struct field session_lens_list[] = {
    SESSION_COLUMNS,
    INT(session_row, inferred_swap),
    INT(session_row, cold),
    CARD(session_row),
};

#define HOUR_COLUMNS                                                           \
    TEXT(hour_row, org),                                                       \
    WINDOW(hour_row, hour),                                                    \
    TEXT(hour_row, session_key),                                               \
    WINDOW(hour_row, day),                                                     \
    TEXT(hour_row, orchestrator_address),                                      \
    TEXT(hour_row, pipeline_id),                                               \
    TEXT(hour_row, model_id),                                                  \
    INT(hour_row, status_samples),                                             \
    INT(hour_row, fps_positive_samples),                                       \
    INT(hour_row, running_samples),                                            \
    INT(hour_row, error_samples),                                              \
    BLOB(hour_row, fps_sum),                                                   \
    INT(hour_row, latency_samples),                                            \
    BLOB(hour_row, latency_sum),                                               \
    INT(hour_row, tail_artefact)
static const struct field session_hour_list[] = {
    HOUR_COLUMNS,
    BLOB(hour_row, assay),
    BLOB(hour_row, fps_sketch),
    BLOB(hour_row, latency_sketch),
};
static const struct field hour_lens_list[] = {
    HOUR_COLUMNS,
    INT(hour_row, part),
    TEXT(hour_row, gpu_id),
    INT(hour_row, counts_session),
    INT(hour_row, charges_swap),
    BLOB(hour_row, fps_sketch),
    BLOB(hour_row, latency_sketch),
    REAL(hour_row, fps_jitter),
    CARD(hour_row),
};

#define SLA_COLUMNS                                                            \
    WINDOW(sla_row, window_start),                                             \
    TEXT(sla_row, org),                                                        \
    TEXT(sla_row, orchestrator_address),                                       \
    TEXT(sla_row, pipeline_id),                                                \
    TEXT(sla_row, model_id),                                                   \
    TEXT(sla_row, gpu_id),                                                     \
    TEXT(sla_row, gpu_model_name),                                             \
    TEXT(sla_row, region),                                                     \
    INT(sla_row, known_sessions_count),                                        \
    INT(sla_row, requested_sessions),                                          \
    INT(sla_row, startup_success_sessions),                                    \
    INT(sla_row, no_orch_sessions),                                            \
    INT(sla_row, startup_excused_sessions),                                    \
    INT(sla_row, startup_failed_sessions),                                     \
    INT(sla_row, loading_only_sessions),                                       \
    INT(sla_row, zero_output_fps_sessions),                                    \
    INT(sla_row, output_failed_sessions),                                      \
    INT(sla_row, effective_failed_sessions),                                   \
    INT(sla_row, confirmed_swapped_sessions),                                  \
    INT(sla_row, inferred_swap_sessions),                                      \
    INT(sla_row, total_swapped_sessions),                                      \
    INT(sla_row, sessions_ending_in_error),                                    \
    INT(sla_row, error_status_samples),                                        \
    INT(sla_row, health_signal_count),                                         \
    INT(sla_row, health_expected_signal_count),                                \
    REAL(sla_row, output_fps_sum),                                             \
    INT(sla_row, status_samples),                                              \
    REAL(sla_row, prompt_to_first_frame_sum_ms),                               \
    INT(sla_row, prompt_to_first_frame_sample_count),                          \
    REAL(sla_row, e2e_latency_sum_ms),                                         \
    INT(sla_row, e2e_latency_sample_count),                                    \
    RATE(sla_row, health_signal_coverage_ratio),                               \
    RATE(sla_row, startup_success_rate),                                       \
    RATE(sla_row, excused_failure_rate),                                       \
    RATE(sla_row, effective_success_rate),                                     \
    RATE(sla_row, no_swap_rate),                                               \
    RATE(sla_row, output_viability_rate),                                      \
    RATE(sla_row, avg_output_fps),                                             \
    RATE(sla_row, avg_prompt_to_first_frame_ms),                               \
    RATE(sla_row, avg_e2e_latency_ms),                                         \
    REAL(sla_row, ptff_p50),                                                   \
    REAL(sla_row, ptff_p90),                                                   \
    INT(sla_row, ptff_benchmark_row_count),                                    \
    REAL(sla_row, e2e_p50),                                                    \
    REAL(sla_row, e2e_p90),                                                    \
    INT(sla_row, e2e_benchmark_row_count),                                     \
    REAL(sla_row, fps_p10),                                                    \
    REAL(sla_row, fps_p50),                                                    \
    INT(sla_row, fps_benchmark_row_count),                                     \
    RATE(sla_row, ptff_score_raw),                                             \
    RATE(sla_row, e2e_score_raw),                                              \
    RATE(sla_row, fps_score_raw),                                              \
    RATE(sla_row, reliability_score),                                          \
    RATE(sla_row, ptff_score),                                                 \
    RATE(sla_row, e2e_score),                                                  \
    RATE(sla_row, latency_score),                                              \
    RATE(sla_row, fps_score),                                                  \
    RATE(sla_row, quality_score),                                              \
    WORD(sla_row, sla_semantics_version),                                      \
    RATE(sla_row, sla_score)
#define SLA_INTERNAL                                                           \
    WORD(sla_row, null_reason),                                                \
    WORD(sla_row, quality_note),                                               \
    INT(sla_row, position),                                                    \
    BLOB(sla_row, sketches)
static const struct field sla_list[] = {
    SLA_COLUMNS,
    SLA_INTERNAL,
};
static const struct field sla_assay_list[] = {
    SLA_COLUMNS,
    INT(sla_row, fps_samples),
    DERIVED_FIELD_IN(DOUBLE, sla_row, extras, fps_jitter_coefficient),
    HOUR_EXTRAS(sla_row),
    SLA_INTERNAL,
};

#define BENCHMARK_COLUMNS                                                      \
    WINDOW(benchmark_row, day),                                                \
    TEXT(benchmark_row, pipeline_id),                                          \
    TEXT(benchmark_row, model_id),                                             \
    REAL(benchmark_row, ptff_p50),                                             \
    REAL(benchmark_row, ptff_p90),                                             \
    INT(benchmark_row, ptff_count),                                            \
    REAL(benchmark_row, e2e_p50),                                              \
    REAL(benchmark_row, e2e_p90),                                              \
    INT(benchmark_row, e2e_count),                                             \
    REAL(benchmark_row, fps_p10),                                              \
    REAL(benchmark_row, fps_p50),                                              \
    INT(benchmark_row, fps_count),                                             \
    INT(benchmark_row, position)
static const struct field benchmark_day_list[] = {BENCHMARK_COLUMNS};
static const struct field benchmark_assay_list[] = {
    BENCHMARK_COLUMNS,
    BLOB(benchmark_row, ptff_values),
    BLOB(benchmark_row, e2e_values),
    BLOB(benchmark_row, fps_values),
};

/* clang-format on */

#define COUNT_OF(array) (sizeof(array) / sizeof *(array))

const struct fields selection_fields = FIELDS(selection_list, 3);
const struct fields selection_card_fields = {
    .list = selection_card_list, .count = COUNT_OF(selection_card_list)};
const struct fields session_fields = FIELDS(session_list, 2);
const struct fields session_lens_fields = FIELDS(session_lens_list, 5);
const struct fields hour_fields = FIELDS(session_hour_list, 3);
const struct fields hour_lens_fields = {.list = hour_lens_list,
                                        .count = COUNT_OF(hour_lens_list)};

/* Columns are the hour, the key up to the card, the position and the sketches;
 * null_reason and quality_note are packed, but not exported. */
enum { SLA_KEY = 6, SLA_INTERNAL_COUNT = 4, SLA_LAST = 2 };
const struct fields sla_fields = PACKED_FIELDS(
    sla_list, SLA_INTERNAL_COUNT, SLA_KEY, SLA_LAST, sla_derive_published);
const struct fields sla_assay_fields = PACKED_FIELDS(
    sla_assay_list, SLA_INTERNAL_COUNT, SLA_KEY, SLA_LAST, sla_derive_assay);

const struct fields benchmark_assay_fields = FIELDS(benchmark_assay_list, 0);
const struct fields benchmark_fields = FIELDS(benchmark_day_list, 0);
