-- Jobs, workers, payments and discovery: facts, notes for settling, derived
-- rows. The order of columns is that of the field lists in app/rollup/.

-- name: request_hour_add
-- The next chunk, but none before number ?5. What comes by its lines (?6) of a
-- day that has lost evidence is to be made whole.
INSERT INTO request_hour (org, kind, hour, chunk, events, form)
VALUES (?1, ?2, ?3,
    max((SELECT ifnull(max(chunk), -1) + 1 FROM request_hour
         WHERE org = ?1 AND kind = ?2 AND hour = ?3), ifnull(?5, 0),
        ?6 AND EXISTS (SELECT 1 FROM evidence_expired_day
                       WHERE org = ?1 AND day = ?3 / 86400000 * 86400000)),
    ?4, ?6);

-- name: request_hour_put
INSERT INTO request_hour (org, kind, hour, chunk, events, form)
VALUES (?1, ?2, ?3, 0, ?4, ?5);

-- name: request_hour_delete
DELETE FROM request_hour WHERE org = ?1 AND kind = ?2 AND hour = ?3;

-- name: request_hour_between
SELECT hour, form, events FROM request_hour
WHERE org = ?1 AND kind = ?2 AND hour >= ?3 AND hour < ?4
ORDER BY hour, chunk;

-- name: request_hour_unjoined_first
-- Something that wants joining, or is still whole and need not be.
SELECT org, kind, hour FROM request_hour
WHERE chunk > 0 OR (kind >= 2 AND form = 0) LIMIT 1;

-- name: request_hours_by_line
-- Those of an organisation from ?2 and before ?3.
SELECT DISTINCT kind, hour FROM request_hour
WHERE org = ?1 AND kind IN (2, 3) AND hour >= ?2 AND hour < ?3 AND form = 1
ORDER BY kind, hour;

-- name: request_orgs
-- Organisations with events of kind ?1, or only ?2.
SELECT DISTINCT org FROM request_hour
WHERE kind = ?1 AND (?2 IS NULL OR org = ?2) ORDER BY org;

-- name: request_days
-- Days of kind ?1 that hold something between ?2 and ?3, newest first.
SELECT DISTINCT hour / 86400000 * 86400000 AS day FROM request_hour
WHERE kind = ?1 AND hour >= ?2 AND hour < ?3 AND (?4 IS NULL OR org = ?4)
ORDER BY day DESC;

-- name: request_index_add
INSERT OR IGNORE INTO request_index (org, request, hour) VALUES (?1, ?2, ?3);

-- name: request_index_hours
SELECT hour FROM request_index
WHERE org = ?1 AND request = ?2 ORDER BY hour;

-- name: dirty_request_add
INSERT OR IGNORE INTO dirty_request (org, day) VALUES (?1, ?2);

-- name: dirty_request_add_jobs
-- All days between ?2 and ?3 on which ?1 has jobs.
INSERT OR IGNORE INTO dirty_request (org, day)
SELECT DISTINCT org, hour / 86400000 * 86400000 FROM request_hour
WHERE org = ?1 AND kind = 0 AND hour >= ?2 AND hour < ?3;

-- name: dirty_request_first
SELECT org, day FROM dirty_request ORDER BY org, day LIMIT 1;

-- name: dirty_request_clear
DELETE FROM dirty_request WHERE org = ?1 AND day = ?2;

-- name: request_demand_put
INSERT OR REPLACE INTO request_demand (
    window_start, org, gateway, execution_mode, capability_family,
    capability_name, capability_id, canonical_pipeline, pipeline_id,
    canonical_model, orchestrator_address, orchestrator_uri, job_count,
    selected_count, no_orch_count, success_count, duration_ms_sum, price_sum,
    llm_request_count, llm_success_count, llm_total_tokens_sum,
    llm_total_tokens_sample_count, llm_tokens_per_second_sum,
    llm_tokens_per_second_sample_count, llm_ttft_ms_sum,
    llm_ttft_ms_sample_count, position
) VALUES (
    ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16,
    ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27
);

-- name: request_demand_delete
DELETE FROM request_demand
WHERE window_start >= ?1 AND window_start < ?2 AND org = ?3;

-- name: request_demand_of_day
SELECT * FROM request_demand
WHERE window_start >= ?1 AND window_start < ?2 AND org = ?3
ORDER BY window_start, org, position;

-- name: replay_clear_request_hours
DELETE FROM request_hour
WHERE (org, hour / 86400000 * 86400000) NOT IN
    (SELECT org, day FROM evidence_expired_day);

-- name: replay_clear_request_index
DELETE FROM request_index
WHERE (org, hour / 86400000 * 86400000) NOT IN
    (SELECT org, day FROM evidence_expired_day);

-- name: replay_clear_request_demand
DELETE FROM request_demand;

-- name: replay_clear_dirty_requests
DELETE FROM dirty_request;

-- name: replay_note_requests
INSERT OR IGNORE INTO dirty_request (org, day)
SELECT DISTINCT org, hour / 86400000 * 86400000 FROM request_hour
WHERE kind = 0;

-- name: replay_clear_wanted
DELETE FROM rebuild_wanted;

-- name: rebuild_wanted_first
-- What is missing until a rebuild, all in one text; null where nothing is.
SELECT group_concat(missing, '; ') FROM rebuild_wanted;

-- name: session_of_request
SELECT session_key FROM session
WHERE org = ?1 AND request_id = ?2
UNION ALL
SELECT session_key FROM packed_session
WHERE pack IN (SELECT pack FROM session_place
               WHERE place BETWEEN place_of_request(?2)
                               AND place_of_request(?2) + 8388607)
    AND org = ?1 AND request_id = ?2
ORDER BY session_key LIMIT 1;

-- name: session_request
SELECT request_id FROM every_session WHERE session_key = ?1;

-- name: snapshot_hours
-- Hours with snapshots of ?1 (null: of anybody) between ?2 and ?3; in their
-- place the day, and 1, where that is one row.
SELECT DISTINCT org,
    iif(one, hour / 86400000 * 86400000, hour) AS start, one
FROM (SELECT org, hour, EXISTS (
          SELECT 1 FROM snapshot_hour AS d WHERE d.org = s.org
              AND d.hour = s.hour / 86400000 * 86400000 AND d.form = 1) AS one
      FROM snapshot_hour AS s
      WHERE (?1 IS NULL OR org = ?1)
          AND hour >= ?2 / 86400000 * 86400000 AND hour < ?3
          AND (hour >= ?2 OR form = 1))
ORDER BY org, start;

-- name: request_hour_published
-- Whether the publisher shows the requests of hour ?1: hours are published in
-- which a streaming session of anybody began, ended, or had status events.
-- Packs of that hour have numbers from ?2 to ?3.
SELECT EXISTS (SELECT 1 FROM demand WHERE window_start = ?1)
    OR EXISTS (SELECT 1 FROM session
               WHERE last_seen >= ?1 AND last_seen < ?1 + 3600000)
    OR EXISTS (SELECT 1 FROM session_pack
               WHERE pack BETWEEN ?2 AND ?3);

-- name: request_demand_between
SELECT * FROM request_demand
WHERE window_start >= ?1 AND window_start < ?2
ORDER BY window_start, org, position;

-- name: request_hour_bytes
-- Of events of ?1 and kind ?2 between ?3 and ?4; by their lines they take about
-- a thirtieth.
SELECT ifnull(sum(length(events) * iif(form = 1, 30, 1)), 0) FROM request_hour
WHERE org = ?1 AND kind = ?2 AND hour >= ?3 AND hour < ?4;
