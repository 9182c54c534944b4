-- Distributions of hours and days, see app/rollup/percentiles.h.

-- name: sla_sketches_between
SELECT
    window_start, orchestrator_address, pipeline_id, model_id, gpu_id, sketches
FROM sla
WHERE window_start >= ?1 AND window_start < ?2 AND (?3 IS NULL OR org = ?3)
ORDER BY window_start, org, position;

-- name: assay_sla_sketches_between
SELECT
    window_start, orchestrator_address, pipeline_id, model_id, gpu_id, sketches
FROM assay_sla
WHERE window_start >= ?1 AND window_start < ?2 AND (?3 IS NULL OR org = ?3)
ORDER BY window_start, org, position;

-- name: sketch_day_get
SELECT
    last_window, keys, startup_latency_ms, ptff_ms, e2e_latency_ms, output_fps
FROM sketch_day
WHERE lens = ?1 AND day = ?2 AND org = ?3;

-- name: sketch_day_between
-- ?5 is the number of the only metric that is asked for, null for all.
SELECT
    last_window, keys,
    CASE WHEN ?5 IS NULL OR ?5 = 0 THEN startup_latency_ms END,
    CASE WHEN ?5 IS NULL OR ?5 = 1 THEN ptff_ms END,
    CASE WHEN ?5 IS NULL OR ?5 = 2 THEN e2e_latency_ms END,
    CASE WHEN ?5 IS NULL OR ?5 = 3 THEN output_fps END
FROM sketch_day
WHERE lens = ?1 AND day >= ?2 AND day < ?3 AND (?4 IS NULL OR org = ?4)
ORDER BY day, org;

-- name: sketch_day_put
INSERT OR REPLACE INTO sketch_day (
    lens, day, org, last_window, keys, startup_latency_ms, ptff_ms,
    e2e_latency_ms, output_fps
) VALUES (
    ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9
);

-- name: sketch_day_delete
DELETE FROM sketch_day WHERE lens = ?1 AND day = ?2 AND org = ?3;

-- name: replay_clear_sketch_days
DELETE FROM sketch_day;
