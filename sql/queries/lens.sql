-- The lens `assay` over the store. Tables whose names begin with assay_ hold the
-- rows of the published ones; columns are in the order of the field lists.

-- name: capability_closing_before
-- The last one of an organisation before day ?2.
SELECT snapshots FROM capability_closing
WHERE org = ?1 AND day < ?2
ORDER BY day DESC LIMIT 1;

-- name: capability_closing_get
SELECT snapshots FROM capability_closing WHERE org = ?1 AND day = ?2;

-- name: capability_closing_put
INSERT OR REPLACE INTO capability_closing (org, day, snapshots)
VALUES (?1, ?2, ?3);

-- name: snapshot_hour_after
SELECT min(hour) FROM snapshot_hour WHERE org = ?1 AND hour >= ?2;

-- name: dirty_closing_add
INSERT OR IGNORE INTO dirty_closing (org, day) VALUES (?1, ?2);

-- name: dirty_closing_first
SELECT org, day FROM dirty_closing ORDER BY org, day LIMIT 1;

-- name: dirty_closing_clear
DELETE FROM dirty_closing WHERE org = ?1 AND day = ?2;

-- name: dirty_attribution_add
INSERT INTO dirty_attribution (org, day, since) VALUES (?1, ?2, ?3)
ON CONFLICT (org, day) DO UPDATE SET since = min(since, excluded.since);

-- name: dirty_attribution_after
-- All days with sessions after ?2, up to ?3.
INSERT INTO dirty_attribution (org, day, since)
SELECT org, day, day FROM session_day
WHERE org = ?1 AND day > ?2 AND day <= ?3
UNION
SELECT org, day, day FROM pack_day
WHERE org = ?1 AND day > ?2 AND day <= ?3
ON CONFLICT (org, day) DO UPDATE SET since = min(since, excluded.since);

-- name: dirty_attribution_first
SELECT org, day FROM dirty_attribution ORDER BY org, day LIMIT 1;

-- name: dirty_attribution_note
-- The sessions it is about; those that were never settled are noted already.
INSERT OR IGNORE INTO dirty_session (org, day, session_key)
SELECT s.org, s.day, s.session_key
FROM dirty_attribution a
JOIN session_day s ON s.org = a.org AND s.day = a.day
JOIN session t ON t.session_key = s.session_key AND t.last_seen >= a.since
WHERE a.org = ?1 AND a.day = ?2
UNION
SELECT s.org, s.day, s.session_key
FROM dirty_attribution a
JOIN session_day s ON s.org = a.org AND s.day = a.day
JOIN packed_session t ON t.session_key = s.session_key
    AND t.last_seen >= a.since
WHERE a.org = ?1 AND a.day = ?2
UNION
SELECT s.org, s.day, s.session_key
FROM dirty_attribution a
JOIN pack_day p ON p.org = a.org AND p.day = a.day
JOIN packed_session_day s ON s.pack = p.pack AND s.org = a.org AND s.day = a.day
JOIN packed_session t ON t.pack = s.pack AND t.session_key = s.session_key
    AND t.last_seen >= a.since
WHERE a.org = ?1 AND a.day = ?2;

-- name: dirty_attribution_clear
DELETE FROM dirty_attribution WHERE org = ?1 AND day = ?2;

-- name: session_assay_started
-- Sessions that only lens assay has as demand in this hour.
SELECT session_key FROM session
WHERE org = ?1 AND assay_start = ?2
UNION ALL
SELECT session_key FROM packed_session
WHERE pack IN (SELECT pack FROM pack_hour WHERE org = ?1 AND hour = ?2)
    AND org = ?1 AND assay_start = ?2
ORDER BY session_key;

-- name: assay_sla_put
INSERT OR REPLACE INTO assay_sla
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9);

-- name: assay_sla_delete
-- Of one hour, from position ?3 on.
DELETE FROM assay_sla
WHERE window_start = ?1 AND org = ?2 AND position >= ?3;

-- name: assay_sla_of_hour
SELECT * FROM assay_sla
WHERE window_start = ?1 AND org = ?2 ORDER BY position;

-- name: assay_sla_between
SELECT * FROM assay_sla
WHERE window_start >= ?1 AND window_start < ?2
ORDER BY window_start, org, position;

-- name: assay_benchmark_day_put
INSERT OR REPLACE INTO assay_benchmark_day VALUES (
    ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16
);

-- name: assay_benchmark_day_delete
DELETE FROM assay_benchmark_day WHERE day = ?1;

-- name: assay_benchmark_day_between
SELECT * FROM assay_benchmark_day
WHERE day >= ?1 AND day < ?2
ORDER BY day, position;

-- name: assay_demand_put
INSERT OR REPLACE INTO assay_demand
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8);

-- name: assay_demand_delete
-- Of one hour, from position ?3 on.
DELETE FROM assay_demand
WHERE window_start = ?1 AND org = ?2 AND position >= ?3;

-- name: assay_demand_of_hour
SELECT * FROM assay_demand
WHERE window_start = ?1 AND org = ?2 ORDER BY position;

-- name: assay_demand_between
SELECT * FROM assay_demand
WHERE window_start >= ?1 AND window_start < ?2
ORDER BY window_start, org, position;

-- name: assay_gpu_hour_put
INSERT OR REPLACE INTO assay_gpu_hour
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8);

-- name: assay_gpu_hour_delete
-- Of one hour, from position ?3 on.
DELETE FROM assay_gpu_hour
WHERE window_start = ?1 AND org = ?2 AND position >= ?3;

-- name: assay_gpu_hour_of_hour
SELECT * FROM assay_gpu_hour
WHERE window_start = ?1 AND org = ?2 ORDER BY position;

-- name: assay_gpu_hour_between
SELECT * FROM assay_gpu_hour
WHERE window_start >= ?1 AND window_start < ?2
ORDER BY window_start, org, position;

-- name: api_assay_scores
-- As api_scores.
SELECT r.* FROM settled_hour AS h
CROSS JOIN assay_sla AS r ON r.window_start = h.hour
WHERE h.hour >= ?1 AND h.hour < ?2
  AND (?3 IS NULL OR r.org = ?3)
  AND (?5 IS NULL OR coalesce(pipeline_id, '') = ?5)
  AND (?6 IS NULL OR coalesce(model_id, '') = ?6)
  AND (?7 IS NULL OR coalesce(gpu_id, '') = ?7)
  AND (?8 IS NULL OR h.hour < ?8 OR (r.org, r.position) > (?9, ?10))
ORDER BY h.hour DESC, r.org, r.position
LIMIT ?11;

-- name: api_assay_scores_of
-- As api_scores_of.
SELECT * FROM assay_sla
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

-- name: api_assay_demand
-- As api_demand.
SELECT r.* FROM settled_hour AS h
CROSS JOIN assay_demand AS r ON r.window_start = h.hour
WHERE h.hour >= ?1 AND h.hour < ?2
  AND (?3 IS NULL OR r.org = ?3)
  AND (?4 IS NULL OR gateway = ?4)
  AND (?5 IS NULL OR coalesce(pipeline_id, '') = ?5)
  AND (?6 IS NULL OR coalesce(model_id, '') = ?6)
  AND (?8 IS NULL OR h.hour < ?8 OR (r.org, r.position) > (?9, ?10))
ORDER BY h.hour DESC, r.org, r.position
LIMIT ?11;

-- name: api_assay_gpu_metrics
-- As api_gpu_metrics.
SELECT r.* FROM settled_hour AS h
CROSS JOIN assay_gpu_hour AS r ON r.window_start = h.hour
WHERE h.hour >= ?1 AND h.hour < ?2
  AND (?3 IS NULL OR r.org = ?3)
  AND (?5 IS NULL OR coalesce(pipeline_id, '') = ?5)
  AND (?6 IS NULL OR coalesce(model_id, '') = ?6)
  AND (?7 IS NULL OR coalesce(gpu_id, '') = ?7)
  AND (?8 IS NULL OR h.hour < ?8 OR (r.org, r.position) > (?9, ?10))
ORDER BY h.hour DESC, r.org, r.position
LIMIT ?11;

-- name: api_assay_gpu_metrics_of
-- As api_gpu_metrics_of.
SELECT * FROM assay_gpu_hour
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

-- name: replay_clear_closings
DELETE FROM capability_closing;

-- name: replay_clear_dirty_closings
DELETE FROM dirty_closing;

-- name: replay_clear_dirty_attributions
DELETE FROM dirty_attribution;

-- name: replay_clear_assay_sla
DELETE FROM assay_sla;

-- name: replay_clear_assay_benchmarks
DELETE FROM assay_benchmark_day;

-- name: replay_clear_assay_demand
DELETE FROM assay_demand;

-- name: replay_clear_assay_gpu_hours
DELETE FROM assay_gpu_hour;

-- name: replay_note_closings
INSERT OR IGNORE INTO dirty_closing (org, day)
SELECT org, hour / 86400000 * 86400000 FROM snapshot_hour;
