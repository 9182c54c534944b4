-- Clearing facts and derived rows before they are read from the evidence again.
-- Days that lost evidence (evidence_expired_day) keep their facts.

-- name: replay_expired_days
SELECT org, day FROM evidence_expired_day;

-- name: replay_any_expired
SELECT EXISTS (SELECT 1 FROM evidence_block WHERE state = 2);

-- name: replay_clear_session_days
DELETE FROM session_day
WHERE (org, day) NOT IN (SELECT org, day FROM evidence_expired_day);

-- name: replay_clear_snapshot_hours
DELETE FROM snapshot_hour
WHERE (org, hour / 86400000 * 86400000) NOT IN
    (SELECT org, day FROM evidence_expired_day);

-- name: replay_clear_ingest_hours
DELETE FROM ingest_hour
WHERE (org, hour / 86400000 * 86400000) NOT IN
    (SELECT org, day FROM evidence_expired_day);

-- name: replay_clear_seen
-- With ?1 something has expired: then only what is read again is forgotten.
DELETE FROM seen
WHERE NOT ?1 OR (class = 0
    AND (org, shard / 24 * 86400000) NOT IN
        (SELECT org, day FROM evidence_expired_day));

-- name: replay_clear_counts
DELETE FROM count_total WHERE NOT ?1;

-- name: replay_clear_selections
DELETE FROM selection;

-- name: replay_clear_sessions
DELETE FROM session;

-- name: replay_clear_hours
DELETE FROM session_hour;

-- name: replay_clear_sla
DELETE FROM sla;

-- name: replay_clear_settled_hours
DELETE FROM settled_hour;

-- name: replay_clear_benchmarks
DELETE FROM benchmark_day;

-- name: replay_clear_dirty_sessions
DELETE FROM dirty_session;

-- name: replay_clear_dirty_hours
DELETE FROM dirty_hour;

-- name: replay_clear_dirty_days
DELETE FROM dirty_day;

-- name: replay_note_sessions
INSERT OR IGNORE INTO dirty_session (org, day, session_key)
SELECT org, day, session_key FROM session_day;

-- name: replay_note_days
INSERT OR IGNORE INTO dirty_session (org, day, session_key)
SELECT DISTINCT org, day, '' FROM session_day;
