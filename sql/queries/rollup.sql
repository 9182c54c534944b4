-- Derived rows of the published lens: writing them and reading them back. The
-- order of columns is that of the field lists in app/rollup/fields.c.

-- name: selection_put
INSERT OR REPLACE INTO selection (
    selection_event_id, org, session_key, selection_ts, selection_trigger,
    event_id, orchestrator_identity, observed_address, observed_url,
    pipeline_hint, model_hint, attribution_status, attribution_reason,
    attribution_method, attribution_confidence, attribution_snapshot_ts,
    orchestrator_address, orchestrator_uri, pipeline_id, model_id, gpu_id,
    day, position, line
) VALUES (
    ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16,
    ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24
);

-- name: selection_delete
-- One session's selections of one pass, from position ?4 on.
DELETE FROM selection
WHERE org = ?1 AND day = ?2 AND session_key = ?3 AND position >= ?4;

-- name: selection_of_day_after
-- Up to ?4 of a day, of the sessions behind ?3.
SELECT
    selection_event_id, org, session_key, selection_ts, selection_trigger,
    event_id, orchestrator_identity, observed_address, observed_url,
    pipeline_hint, model_hint, attribution_status, attribution_reason,
    attribution_method, attribution_confidence, attribution_snapshot_ts,
    orchestrator_address, orchestrator_uri, pipeline_id, model_id, gpu_id,
    day, position, line
FROM selection
WHERE org = ?1 AND day = ?2 AND session_key > ?3
ORDER BY session_key, position
LIMIT ?4;

-- name: selection_of_session_day
SELECT
    selection_event_id, org, session_key, selection_ts, selection_trigger,
    event_id, orchestrator_identity, observed_address, observed_url,
    pipeline_hint, model_hint, attribution_status, attribution_reason,
    attribution_method, attribution_confidence, attribution_snapshot_ts,
    orchestrator_address, orchestrator_uri, pipeline_id, model_id, gpu_id,
    day, position, line
FROM selection
WHERE org = ?1 AND day = ?2 AND session_key = ?3
ORDER BY position;

-- name: selection_names
-- Of a day: who names which orchestrator. Of sessions in packs nobody says who.
SELECT session_key, observed_address, observed_url
FROM selection
WHERE org = ?1 AND day = ?2
UNION ALL
SELECT '', observed_address, observed_url
FROM pack_name
WHERE org = ?1 AND day = ?2;

-- name: selection_of_session
SELECT
    selection_event_id, org, session_key, selection_ts, selection_trigger,
    event_id, orchestrator_identity, observed_address, observed_url,
    pipeline_hint, model_hint, attribution_status, attribution_reason,
    attribution_method, attribution_confidence, attribution_snapshot_ts,
    orchestrator_address, orchestrator_uri, pipeline_id, model_id, gpu_id,
    day, position, line
FROM selection
WHERE session_key = ?1
ORDER BY day, position;

-- name: selection_export
SELECT
    selection_event_id, org, session_key, selection_ts, selection_trigger,
    event_id, orchestrator_identity, observed_address, observed_url,
    pipeline_hint, model_hint, attribution_status, attribution_reason,
    attribution_method, attribution_confidence, attribution_snapshot_ts,
    orchestrator_address, orchestrator_uri, pipeline_id, model_id, gpu_id,
    day, position, line
FROM selection
WHERE selection_ts >= ?1 AND selection_ts < ?2
UNION ALL
SELECT * FROM packed_selection
WHERE pack IN (SELECT pack FROM pack_day
               WHERE day > ?1 - 86400000 AND day < ?2)
    AND selection_ts >= ?1 AND selection_ts < ?2
ORDER BY session_key, selection_ts, selection_event_id;

-- name: session_put
INSERT OR REPLACE INTO session (
    session_key, org, stream_id, request_id, gateway, started_at,
    first_processed_at, few_processed_at, first_ingest_at,
    runner_first_processed_at, status_start_time, last_seen, started_count,
    playable_count, no_orch_count, completed_count, swap_count,
    status_samples, online_samples, running_samples, fps_positive_samples,
    degraded_input_samples, degraded_inference_samples, error_samples,
    error_seen, startup_error_count, excusable_error_count, status_hint,
    trace_hint, event_hint, requested_seen, playable_seen, completed,
    selection_event_id, selection_ts, selection_trigger, selection_outcome,
    attribution_status, attribution_reason, attribution_method,
    attribution_confidence, attribution_snapshot_ts, orchestrator_address,
    orchestrator_uri, pipeline_id, model_id, gpu_id, startup_outcome,
    startup_label, excusal_reason, loading_only_session,
    zero_output_fps_session, health_signal_count,
    health_expected_signal_count, startup_latency_ms, e2e_latency_ms, ptff_ms,
    assay, assay_start
) VALUES (
    ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16,
    ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27, ?28, ?29, ?30, ?31,
    ?32, ?33, ?34, ?35, ?36, ?37, ?38, ?39, ?40, ?41, ?42, ?43, ?44, ?45, ?46,
    ?47, ?48, ?49, ?50, ?51, ?52, ?53, ?54, ?55, ?56, ?57, ?58, ?59
);

-- name: session_get
SELECT
    session_key, org, stream_id, request_id, gateway, started_at,
    first_processed_at, few_processed_at, first_ingest_at,
    runner_first_processed_at, status_start_time, last_seen, started_count,
    playable_count, no_orch_count, completed_count, swap_count,
    status_samples, online_samples, running_samples, fps_positive_samples,
    degraded_input_samples, degraded_inference_samples, error_samples,
    error_seen, startup_error_count, excusable_error_count, status_hint,
    trace_hint, event_hint, requested_seen, playable_seen, completed,
    selection_event_id, selection_ts, selection_trigger, selection_outcome,
    attribution_status, attribution_reason, attribution_method,
    attribution_confidence, attribution_snapshot_ts, orchestrator_address,
    orchestrator_uri, pipeline_id, model_id, gpu_id, startup_outcome,
    startup_label, excusal_reason, loading_only_session,
    zero_output_fps_session, health_signal_count,
    health_expected_signal_count, startup_latency_ms, e2e_latency_ms, ptff_ms,
    assay, assay_start
FROM session
WHERE session_key = ?1;

-- name: session_get_packed
-- The same of one in a pack.
SELECT * FROM packed_session WHERE session_key = ?1;

-- name: session_export
-- A session is placed by its start, else by its last event.
SELECT
    session_key, org, stream_id, request_id, gateway, started_at,
    first_processed_at, few_processed_at, first_ingest_at,
    runner_first_processed_at, status_start_time, last_seen, started_count,
    playable_count, no_orch_count, completed_count, swap_count,
    status_samples, online_samples, running_samples, fps_positive_samples,
    degraded_input_samples, degraded_inference_samples, error_samples,
    error_seen, startup_error_count, excusable_error_count, status_hint,
    trace_hint, event_hint, requested_seen, playable_seen, completed,
    selection_event_id, selection_ts, selection_trigger, selection_outcome,
    attribution_status, attribution_reason, attribution_method,
    attribution_confidence, attribution_snapshot_ts, orchestrator_address,
    orchestrator_uri, pipeline_id, model_id, gpu_id, startup_outcome,
    startup_label, excusal_reason, loading_only_session,
    zero_output_fps_session, health_signal_count,
    health_expected_signal_count, startup_latency_ms, e2e_latency_ms, ptff_ms,
    assay, assay_start
FROM session
WHERE ifnull(started_at, last_seen) >= ?1
    AND ifnull(started_at, last_seen) < ?2
UNION ALL
SELECT * FROM packed_session
WHERE pack IN (SELECT pack FROM pack_hour
               WHERE hour > ?1 - 3600000 AND hour < ?2)
    AND ifnull(started_at, last_seen) >= ?1
    AND ifnull(started_at, last_seen) < ?2
ORDER BY session_key;

-- name: session_delete
DELETE FROM session WHERE session_key = ?1;

-- name: session_hour_put
INSERT OR REPLACE INTO session_hour (
    org, hour, session_key, day, orchestrator_address, pipeline_id, model_id,
    status_samples, fps_positive_samples, running_samples, error_samples,
    fps_sum, latency_samples, latency_sum, tail_artefact, assay,
    fps_sketch, latency_sketch
) VALUES (
    ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17,
    ?18
);

-- name: session_hour_of_session
SELECT
    org, hour, session_key, day, orchestrator_address, pipeline_id, model_id,
    status_samples, fps_positive_samples, running_samples, error_samples,
    fps_sum, latency_samples, latency_sum, tail_artefact, assay,
    fps_sketch, latency_sketch
FROM session_hour
WHERE session_key = ?1
ORDER BY hour;

-- name: session_hour_of_hour
SELECT
    org, hour, session_key, day, orchestrator_address, pipeline_id, model_id,
    status_samples, fps_positive_samples, running_samples, error_samples,
    fps_sum, latency_samples, latency_sum, tail_artefact, assay,
    fps_sketch, latency_sketch
FROM session_hour
WHERE org = ?1 AND hour = ?2
UNION ALL
SELECT * FROM packed_session_hour
WHERE pack IN (SELECT pack FROM pack_hour WHERE org = ?1 AND hour = ?2)
    AND org = ?1 AND hour = ?2
ORDER BY session_key;

-- name: session_hour_delete
DELETE FROM session_hour WHERE org = ?1 AND hour = ?2 AND session_key = ?3;

-- name: sla_put
INSERT OR REPLACE INTO sla VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9);

-- name: sla_delete
-- Of one hour, from position ?3 on.
DELETE FROM sla WHERE window_start = ?1 AND org = ?2 AND position >= ?3;

-- name: settled_hour_put
INSERT OR IGNORE INTO settled_hour (hour) VALUES (?1);

-- name: settled_hour_drop_empty
DELETE FROM settled_hour
WHERE hour = ?1
  AND NOT EXISTS (SELECT 1 FROM sla WHERE window_start = ?1)
  AND NOT EXISTS (SELECT 1 FROM assay_sla WHERE window_start = ?1)
  AND NOT EXISTS (SELECT 1 FROM demand WHERE window_start = ?1)
  AND NOT EXISTS (SELECT 1 FROM assay_demand WHERE window_start = ?1)
  AND NOT EXISTS (SELECT 1 FROM gpu_hour WHERE window_start = ?1)
  AND NOT EXISTS (SELECT 1 FROM assay_gpu_hour WHERE window_start = ?1);

-- name: sla_of_hour
SELECT * FROM sla WHERE window_start = ?1 AND org = ?2 ORDER BY position;

-- name: sla_between
SELECT * FROM sla
WHERE window_start >= ?1 AND window_start < ?2
ORDER BY window_start, org, position;

-- name: benchmark_day_put
INSERT OR REPLACE INTO benchmark_day (
    day, pipeline_id, model_id, ptff_p50, ptff_p90, ptff_count, e2e_p50,
    e2e_p90, e2e_count, fps_p10, fps_p50, fps_count, position
) VALUES (
    ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13
);

-- name: benchmark_day_delete
DELETE FROM benchmark_day WHERE day = ?1;

-- name: benchmark_day_between
SELECT
    day, pipeline_id, model_id, ptff_p50, ptff_p90, ptff_count, e2e_p50,
    e2e_p90, e2e_count, fps_p10, fps_p50, fps_count, position
FROM benchmark_day
WHERE day >= ?1 AND day < ?2
ORDER BY day, position;
