-- What the HTTP API reads. Rows that go out whole are selected with *, since
-- the columns of their tables stand in the order of the tables of fields.

-- name: api_ready
-- When the newest line came; null in a store without lines.
SELECT max(last_arrival_ms) FROM evidence_feed;

-- name: api_store
-- Evidence as a whole, and what was derived from it.
SELECT (SELECT coalesce(sum(lines), 0) FROM evidence_feed),
       (SELECT coalesce(sum(raw_bytes), 0) FROM evidence_feed),
       (SELECT coalesce(sum(stored_bytes), 0) FROM evidence_feed),
       (SELECT count(*) FROM session) +
           (SELECT ifnull(sum(sessions), 0) FROM session_pack),
       (SELECT count(*) FROM sla),
       (SELECT min(first_event) FROM count_total WHERE class = 'accepted'),
       (SELECT max(last_event) FROM count_total WHERE class = 'accepted');

-- name: api_feeds
-- The chain vouches for sealed blocks, the hash of the open block (if there is
-- one) for the lines after them.
SELECT source, org,
       CASE class WHEN 0 THEN 'accepted' WHEN 1 THEN 'ignored'
                  ELSE 'rejected' END AS class_name,
       CASE WHEN EXISTS (SELECT 1 FROM evidence_block AS b
                         WHERE b.feed = f.feed AND b.state > 0)
            THEN lower(hex(chain)) ELSE '' END,
       coalesce((SELECT lower(hex(hash)) FROM evidence_block AS b
                 WHERE b.feed = f.feed AND b.state = 0), ''),
       lines, blocks, raw_bytes, stored_bytes, first_arrival_ms,
       last_arrival_ms
FROM evidence_feed AS f ORDER BY class, source, org;

-- name: api_counts
SELECT class, reason, org, sum(received), sum(unique_lines)
FROM count_total GROUP BY class, reason, org ORDER BY class, reason, org;

-- name: api_families
SELECT family, org, sum(unique_lines)
FROM count_total WHERE class = 'accepted'
GROUP BY family, org ORDER BY family, org;

-- name: api_scores
-- Rows with ?1 <= window_start < ?2, newest hour first; filters that are null
-- let everything through, ?4 is for api_scores_of; ?8 to ?10 is the key of the
-- row before the page.
SELECT r.* FROM settled_hour AS h
CROSS JOIN sla AS r ON r.window_start = h.hour
WHERE h.hour >= ?1 AND h.hour < ?2
  AND (?3 IS NULL OR r.org = ?3)
  AND (?5 IS NULL OR coalesce(pipeline_id, '') = ?5)
  AND (?6 IS NULL OR coalesce(model_id, '') = ?6)
  AND (?7 IS NULL OR coalesce(gpu_id, '') = ?7)
  AND (?8 IS NULL OR h.hour < ?8 OR (r.org, r.position) > (?9, ?10))
ORDER BY h.hour DESC, r.org, r.position
LIMIT ?11;

-- name: api_scores_of
-- The same of orchestrator ?4.
SELECT * FROM sla
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

-- name: api_score_reasons
-- Why the sessions under the rows of org ?1, hour ?2, pipeline ?3, model ?4
-- without an orchestrator have none.
WITH hours AS (
    SELECT * FROM session_hour WHERE org = ?1 AND hour = ?2
    UNION ALL
    SELECT * FROM packed_session_hour
    WHERE pack IN (SELECT pack FROM pack_hour WHERE org = ?1 AND hour = ?2)
        AND org = ?1 AND hour = ?2
), reasons AS MATERIALIZED (
    SELECT (SELECT s.attribution_reason FROM every_session AS s
            WHERE s.session_key = h.session_key) AS reason
    FROM hours AS h
    WHERE h.tail_artefact = 0
      AND coalesce(h.orchestrator_address, '') = ''
      AND coalesce(h.pipeline_id, '') = ?3 AND coalesce(h.model_id, '') = ?4
)
SELECT DISTINCT reason FROM reasons
WHERE reason IS NOT NULL ORDER BY reason;

-- name: api_sessions
-- Sessions with ?1 <= last_seen < ?2, the one heard of last first; ?8 and ?9
-- are the key of the row before the page.
SELECT * FROM every_session
WHERE last_seen >= ?1 AND last_seen < ?2
  AND (?3 IS NULL OR org = ?3)
  AND (?4 IS NULL OR coalesce(orchestrator_address, '') = lower(?4))
  AND (?5 IS NULL OR coalesce(pipeline_id, '') = ?5)
  AND (?6 IS NULL OR coalesce(model_id, '') = ?6)
  AND (?7 IS NULL OR coalesce(gpu_id, '') = ?7)
  AND (?8 IS NULL OR last_seen < ?8 OR session_key > ?9)
ORDER BY last_seen DESC, session_key LIMIT ?10;

-- name: api_sessions_of_hour
-- The same among the sessions that a score row of hour ?11 was made from.
WITH hours AS (
    SELECT * FROM session_hour WHERE org = ?3 AND hour = ?11
    UNION ALL
    SELECT * FROM packed_session_hour
    WHERE pack IN (SELECT pack FROM pack_hour WHERE org = ?3 AND hour = ?11)
        AND org = ?3 AND hour = ?11
)
SELECT s.*
FROM hours AS h JOIN every_session AS s ON s.session_key = h.session_key
WHERE h.tail_artefact = 0
  AND s.last_seen >= ?1 AND s.last_seen < ?2
  AND (?4 IS NULL OR coalesce(h.orchestrator_address, '') = lower(?4))
  AND (?5 IS NULL OR coalesce(h.pipeline_id, '') = ?5)
  AND (?6 IS NULL OR coalesce(h.model_id, '') = ?6)
  AND (?7 IS NULL OR coalesce(s.gpu_id, '') = ?7)
  AND (?8 IS NULL OR s.last_seen < ?8 OR s.session_key > ?9)
ORDER BY s.last_seen DESC, s.session_key LIMIT ?10;

-- name: api_session
SELECT * FROM every_session WHERE session_key = ?1;

-- name: api_session_selections
-- In the order in which they were made, ?2 of them.
SELECT * FROM every_selection WHERE session_key = ?1
ORDER BY day, position LIMIT ?2;

-- name: api_session_decision
-- The last one decides.
SELECT * FROM every_selection WHERE session_key = ?1
ORDER BY day DESC, position DESC LIMIT 1;

-- name: api_session_hours
-- The first ?2.
SELECT * FROM every_session_hour WHERE session_key = ?1
ORDER BY hour LIMIT ?2;

-- name: api_session_counts
SELECT (SELECT count(*) FROM every_selection WHERE session_key = ?1),
       (SELECT count(*) FROM every_session_hour WHERE session_key = ?1),
       (SELECT ifnull(sum(event_count), 0) FROM every_session_day
        WHERE session_key = ?1);

-- name: api_evidence_block
SELECT state, lines, lower(hex(hash)), coalesce(lower(hex(chain)), '')
FROM evidence_block WHERE block = ?1;

-- name: api_evidence_expired_any
SELECT EXISTS (SELECT 1 FROM evidence_expired_day);

-- name: api_evidence_expired
-- Whether a day of an organisation has lost evidence to retention.
SELECT EXISTS (
    SELECT 1 FROM evidence_expired_day WHERE org = ?1 AND day = ?2
);

-- name: api_runs
-- Own runs with ?1 <= started_at < ?2, the last one first; ?3 is an address or
-- a URL; ?8 and ?9 are the key of the row before the page.
SELECT *, (SELECT s.line FROM run_samples AS s WHERE s.run_id = run.run_id)
FROM run
WHERE started_at >= ?1 AND started_at < ?2
  AND (?3 IS NULL OR coalesce(orchestrator_address, '') = lower(?3)
       OR coalesce(signing_address, '') = lower(?3) OR orchestrator_url = ?3)
  AND (?4 IS NULL OR coalesce(workflow, '') = ?4)
  AND (?5 IS NULL OR coalesce(model_id, '') = ?5)
  AND (?6 IS NULL OR kind = ?6)
  AND (?7 IS NULL OR outcome = ?7)
  AND (?8 IS NULL OR started_at < ?8 OR (started_at = ?8 AND run_id > ?9))
ORDER BY started_at DESC, run_id LIMIT ?10;

-- name: api_run
SELECT *, (SELECT s.line FROM run_samples AS s WHERE s.run_id = run.run_id)
FROM run WHERE run_id = ?1;

-- name: api_plans
-- Plans with ?1 <= starts_at < ?2, the last one first; ?4 and ?5 are the key of
-- the row before the page. The seed is told once it is revealed.
SELECT p.plan_hash, p.vantage, p.seed_sha256, p.starts_at, p.ends_at,
       p.hour_ms, p.run_ms, p.run_spread_ms, p.idle_share_ppm,
       p.run_ms_per_hour, p.runs_at_once, p.run_wei, p.day_wei,
       p.control_targets, p.control_fail_ppm, p.fleet_fail_ppm,
       p.fleet_window_ms, p.made_at,
       (SELECT count(*) FROM plan_target AS t WHERE t.plan_hash = p.plan_hash),
       (SELECT count(DISTINCT t.orchestrator_url) FROM plan_target AS t
        WHERE t.plan_hash = p.plan_hash),
       p.runs,
       (SELECT count(*) FROM ledger AS l WHERE l.plan_hash = p.plan_hash
        AND l.latest = 1 AND l.state IN ('ended', 'executed')),
       (SELECT count(*) FROM ledger AS l WHERE l.plan_hash = p.plan_hash
        AND l.latest = 1 AND l.state = 'skipped'),
       (SELECT count(*) FROM ledger AS l WHERE l.plan_hash = p.plan_hash
        AND l.latest = 1 AND l.state = 'started'),
       r.revealed_at, nullif(lower(hex(r.seed)), ''), p.line, r.line
FROM plan AS p LEFT JOIN plan_reveal AS r USING (plan_hash)
WHERE p.starts_at >= ?1 AND p.starts_at < ?2
  AND (?3 IS NULL OR p.plan_hash = ?3)
  AND (?4 IS NULL OR p.starts_at < ?4
       OR (p.starts_at = ?4 AND p.plan_hash > ?5))
ORDER BY p.starts_at DESC, p.plan_hash LIMIT ?6;

-- name: api_ledger
-- What stands for each planned run with ?1 <= due_at < ?2, the last one first;
-- ?4 is an address or a URL; ?9 and ?10 are the key of the row before the page.
SELECT l.*,
       (SELECT max(o.orchestrator_address) FROM run AS o
        WHERE o.run_id = l.run_id),
       (SELECT o.outcome FROM run AS o WHERE o.run_id = l.run_id)
FROM ledger AS l
WHERE l.latest = 1 AND l.due_at >= ?1 AND l.due_at < ?2
  AND (?3 IS NULL OR l.plan_hash = ?3)
  AND (?4 IS NULL OR l.orchestrator_url = ?4
       OR l.orchestrator_url IN (SELECT o.orchestrator_url FROM run AS o
                                 WHERE o.orchestrator_address = lower(?4)))
  AND (?5 IS NULL OR l.workflow = ?5)
  AND (?6 IS NULL OR coalesce(l.model_id, '') = ?6)
  AND (?7 IS NULL OR l.state = ?7)
  AND (?8 IS NULL OR coalesce(l.reason, '') = ?8)
  AND (?9 IS NULL OR (l.due_at, l.seq) < (?9, ?10))
ORDER BY l.due_at DESC, l.seq DESC LIMIT ?11;

-- name: api_ledger_counts
-- The same planned runs by what became of them.
SELECT l.state, coalesce(l.reason, ''), count(*), max(l.decided_at)
FROM ledger AS l
WHERE l.latest = 1 AND l.due_at >= ?1 AND l.due_at < ?2
  AND (?3 IS NULL OR l.plan_hash = ?3)
  AND (?4 IS NULL OR l.orchestrator_url = ?4
       OR l.orchestrator_url IN (SELECT o.orchestrator_url FROM run AS o
                                 WHERE o.orchestrator_address = lower(?4)))
  AND (?5 IS NULL OR l.workflow = ?5)
  AND (?6 IS NULL OR coalesce(l.model_id, '') = ?6)
  AND (?7 IS NULL OR l.state = ?7)
  AND (?8 IS NULL OR coalesce(l.reason, '') = ?8)
GROUP BY 1, 2 ORDER BY 1, 2;

-- name: api_measured_newest
SELECT max(ifnull((SELECT max(started_at) FROM run), 0),
           ifnull((SELECT max(window_start) FROM sla), 0));

-- name: api_measured_runs
-- Live runs with ?1 <= started_at < ?2 in the order of their rows, the latest
-- run of a row last; ?3 is an address or a URL. Who listens at a URL is known
-- from runs that were told, and from the attribution of sessions.
WITH named AS (
    SELECT orchestrator_url AS url, orchestrator_address AS address FROM run
    WHERE started_at >= ?1 AND started_at < ?2
    UNION ALL
    SELECT orchestrator_uri, orchestrator_address FROM every_session
    WHERE last_seen >= ?1 AND last_seen < ?2
), known AS (
    SELECT url AS orchestrator_url, max(address) AS address FROM named
    WHERE address <> '' GROUP BY url
)
SELECT coalesce(k.address, ''), coalesce(r.orchestrator_url, ''),
       coalesce(r.workflow, ''), coalesce(r.model_id, ''), r.outcome,
       r.output_fps, r.ptff_ms, r.first_segment_ms, r.started_at
FROM run AS r LEFT JOIN known AS k USING (orchestrator_url)
WHERE r.kind = 'live' AND r.started_at >= ?1 AND r.started_at < ?2
  AND (?3 IS NULL OR k.address = lower(?3) OR r.orchestrator_url = ?3)
  AND (?4 IS NULL OR coalesce(r.workflow, '') = ?4)
  AND (?5 IS NULL OR coalesce(r.model_id, '') = ?5)
ORDER BY 1, 3, 4, 2, r.started_at;

-- name: api_measured_budget
-- Of planned runs in that time: how many ran and did not, run time, and the
-- time that each hour's plan allowed of the idle capacity seen in it.
WITH named AS (
    SELECT orchestrator_url AS url, orchestrator_address AS address FROM run
    WHERE started_at >= ?1 AND started_at < ?2
    UNION ALL
    SELECT orchestrator_uri, orchestrator_address FROM every_session
    WHERE last_seen >= ?1 AND last_seen < ?2
), known AS (
    SELECT url AS orchestrator_url, max(address) AS address FROM named
    WHERE address <> '' GROUP BY url
), hourly AS (
    SELECT l.orchestrator_url, l.workflow, l.model_id,
           sum(l.state IN ('ended', 'executed')) AS executed,
           sum(l.state = 'skipped') AS skipped,
           sum(ifnull(l.run_ms, 0)) AS used_ms,
           min(l.idle_ms) * p.idle_share_ppm / 1000000 AS budget_ms
    FROM ledger AS l JOIN plan AS p USING (plan_hash)
    WHERE l.latest = 1 AND l.due_at >= ?1 AND l.due_at < ?2
    GROUP BY l.plan_hash, l.orchestrator_url, l.workflow, l.model_id,
             l.gpu_id, l.due_at / 3600000
)
SELECT coalesce(k.address, ''), h.orchestrator_url, h.workflow,
       coalesce(h.model_id, ''), sum(h.executed), sum(h.skipped),
       sum(h.used_ms), sum(h.budget_ms)
FROM hourly AS h LEFT JOIN known AS k USING (orchestrator_url)
WHERE (?3 IS NULL OR k.address = lower(?3) OR h.orchestrator_url = ?3)
  AND (?4 IS NULL OR h.workflow = ?4)
  AND (?5 IS NULL OR coalesce(h.model_id, '') = ?5)
GROUP BY coalesce(k.address, h.orchestrator_url), h.workflow, h.model_id;

-- name: api_measured_published
-- Settled hours with ?1 <= window_start < ?2, the newest first; ?4 is not for
-- them.
SELECT * FROM sla
WHERE window_start >= ?1 - ?1 % 3600000 AND window_start < ?2
  AND ifnull(orchestrator_address, '') <> ''
  AND (?3 IS NULL OR orchestrator_address = lower(?3))
  AND (?5 IS NULL OR coalesce(model_id, '') = ?5)
ORDER BY window_start DESC;
