-- Rows of the published series: writing them, reading them back, serving them.
-- The order of columns is that of the field lists in app/rollup/.

-- name: gateway_hour_put
INSERT OR REPLACE INTO gateway_hour (
    org, hour, session_key, gateway, status_samples, fps_sum, assay
) VALUES (
    ?1, ?2, ?3, ?4, ?5, ?6, ?7
);

-- name: gateway_hour_of_session
SELECT
    org, hour, session_key, gateway, status_samples, fps_sum, assay
FROM gateway_hour
WHERE session_key = ?1
ORDER BY hour, gateway;

-- name: gateway_hour_of_hour
SELECT
    org, hour, session_key, gateway, status_samples, fps_sum, assay
FROM gateway_hour
WHERE org = ?1 AND hour = ?2
UNION ALL
SELECT * FROM packed_gateway_hour
WHERE pack IN (SELECT pack FROM pack_hour WHERE org = ?1 AND hour = ?2)
    AND org = ?1 AND hour = ?2
ORDER BY session_key, gateway;

-- name: gateway_hour_delete
DELETE FROM gateway_hour
WHERE org = ?1 AND hour = ?2 AND session_key = ?3 AND gateway = ?4;

-- name: session_started_between
-- In the hour that begins at ?2 and ends before ?3.
SELECT session_key FROM session
WHERE org = ?1 AND ifnull(started_at, last_seen) >= ?2
    AND ifnull(started_at, last_seen) < ?3
UNION ALL
SELECT session_key FROM packed_session
WHERE pack IN (SELECT pack FROM pack_hour WHERE org = ?1 AND hour = ?2)
    AND org = ?1 AND ifnull(started_at, last_seen) >= ?2
    AND ifnull(started_at, last_seen) < ?3
ORDER BY session_key;

-- name: demand_put
INSERT OR REPLACE INTO demand VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8);

-- name: demand_delete
-- Of one hour, from position ?3 on.
DELETE FROM demand WHERE window_start = ?1 AND org = ?2 AND position >= ?3;

-- name: demand_of_hour
SELECT * FROM demand WHERE window_start = ?1 AND org = ?2 ORDER BY position;

-- name: demand_between
SELECT * FROM demand
WHERE window_start >= ?1 AND window_start < ?2
ORDER BY window_start, org, position;

-- name: gpu_hour_put
INSERT OR REPLACE INTO gpu_hour VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8);

-- name: gpu_hour_delete
-- Of one hour, from position ?3 on.
DELETE FROM gpu_hour WHERE window_start = ?1 AND org = ?2 AND position >= ?3;

-- name: gpu_hour_of_hour
SELECT * FROM gpu_hour WHERE window_start = ?1 AND org = ?2 ORDER BY position;

-- name: gpu_hour_between
SELECT * FROM gpu_hour
WHERE window_start >= ?1 AND window_start < ?2
ORDER BY window_start, org, position;

-- name: replay_clear_gateway_hours
DELETE FROM gateway_hour;

-- name: replay_clear_demand
DELETE FROM demand;

-- name: replay_clear_gpu_hours
DELETE FROM gpu_hour;

-- name: api_demand
-- As api_scores, with ?4 a gateway.
SELECT r.* FROM settled_hour AS h
CROSS JOIN demand AS r ON r.window_start = h.hour
WHERE h.hour >= ?1 AND h.hour < ?2
  AND (?3 IS NULL OR r.org = ?3)
  AND (?4 IS NULL OR gateway = ?4)
  AND (?5 IS NULL OR coalesce(pipeline_id, '') = ?5)
  AND (?6 IS NULL OR coalesce(model_id, '') = ?6)
  AND (?8 IS NULL OR h.hour < ?8 OR (r.org, r.position) > (?9, ?10))
ORDER BY h.hour DESC, r.org, r.position
LIMIT ?11;

-- name: api_gpu_metrics
-- As api_scores.
SELECT r.* FROM settled_hour AS h
CROSS JOIN gpu_hour AS r ON r.window_start = h.hour
WHERE h.hour >= ?1 AND h.hour < ?2
  AND (?3 IS NULL OR r.org = ?3)
  AND (?5 IS NULL OR coalesce(pipeline_id, '') = ?5)
  AND (?6 IS NULL OR coalesce(model_id, '') = ?6)
  AND (?7 IS NULL OR coalesce(gpu_id, '') = ?7)
  AND (?8 IS NULL OR h.hour < ?8 OR (r.org, r.position) > (?9, ?10))
ORDER BY h.hour DESC, r.org, r.position
LIMIT ?11;

-- name: api_gpu_metrics_of
-- As api_scores_of.
SELECT * FROM gpu_hour
WHERE substr(orchestrator_address, 3, 8) = substr(?4, 3, 8)
  AND orchestrator_address = ?4
  AND window_start >= ?1 AND window_start < ?2
  AND (?3 IS NULL OR org = ?3)
  AND (?5 IS NULL OR coalesce(pipeline_id, '') = ?5)
  AND (?6 IS NULL OR coalesce(model_id, '') = ?6)
  AND (?7 IS NULL OR coalesce(gpu_id, '') = ?7)
  AND (?8 IS NULL OR window_start < ?8 OR (org, position) > (?9, ?10))
ORDER BY window_start DESC, org, position
LIMIT ?11;

-- name: compat_sla
-- The publisher's order and cursor, which leave the organisation out.
SELECT * FROM sla
WHERE window_start >= ?1 AND window_start < ?2
  AND pipeline_id = 'live-video-to-video'
  AND (?3 IS NULL OR window_start < ?3
       OR (window_start = ?3
           AND (orchestrator_address, pipeline_id, coalesce(model_id, ''),
                coalesce(gpu_id, '')) > (?4, ?5, ?6, ?7)))
ORDER BY window_start DESC, orchestrator_address, pipeline_id,
         coalesce(model_id, ''), coalesce(gpu_id, ''), org
LIMIT ?8;

-- name: compat_demand
SELECT * FROM demand
WHERE window_start >= ?1 AND window_start < ?2
  AND pipeline_id = 'live-video-to-video'
  AND (?3 IS NULL OR window_start < ?3
       OR (window_start = ?3
           AND (gateway, pipeline_id, coalesce(model_id, ''))
               > (?4, ?5, ?6)))
ORDER BY window_start DESC, gateway, pipeline_id, coalesce(model_id, ''), org
LIMIT ?8;

-- name: compat_gpu_metrics
SELECT * FROM gpu_hour
WHERE window_start >= ?1 AND window_start < ?2
  AND pipeline_id = 'live-video-to-video'
  AND (?3 IS NULL OR window_start < ?3
       OR (window_start = ?3
           AND (orchestrator_address, pipeline_id, coalesce(model_id, ''),
                coalesce(gpu_id, '')) > (?4, ?5, ?6, ?7)))
ORDER BY window_start DESC, orchestrator_address, pipeline_id,
         coalesce(model_id, ''), coalesce(gpu_id, ''), org
LIMIT ?8;

-- name: active_streams
-- Sessions of pipeline ?1 and model ?2 that were not closed and were heard of
-- after ?3, up to ?4.
SELECT count(*) FROM every_session
WHERE last_seen > ?3 AND last_seen <= ?4
  AND completed = 0 AND pipeline_id = ?1 AND coalesce(model_id, '') = ?2
  AND (?5 IS NULL OR org = ?5)
  AND (?6 IS NULL OR coalesce(orchestrator_address, '') = lower(?6))
  AND (?7 IS NULL OR coalesce(gpu_id, '') = ?7);

-- name: model_output
-- Rows of pipeline ?1 and model ?2 in hours ?3 and later, up to ?4.
SELECT * FROM sla
WHERE window_start >= ?3 AND window_start <= ?4
  AND pipeline_id = ?1 AND coalesce(model_id, '') = ?2
  AND (?5 IS NULL OR org = ?5)
  AND (?6 IS NULL OR coalesce(orchestrator_address, '') = lower(?6))
  AND (?7 IS NULL OR coalesce(gpu_id, '') = ?7);
