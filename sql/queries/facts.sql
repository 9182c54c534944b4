-- Facts: written with the evidence, read by settling.

-- name: session_day_add
-- The first chunk as part 0 where ?5 and ?6, its count and first time, are
-- given; else, and where there are others, or may be in a pack, it waits.
INSERT INTO session_day (session_key, day, chunk, org, events, event_count,
    first_ts)
SELECT ?1, ?2, iif(alone, 0, max(before + 1, 1048576)), ?3, ?4,
    iif(alone, ?5, NULL), iif(alone, ?6, NULL)
FROM (SELECT ifnull(max(chunk), -1) AS before,
          count(*) = 0 AND ?5 IS NOT NULL
              AND NOT EXISTS (SELECT 1 FROM session_place
                              WHERE place = place_of_session(?1)) AS alone
      FROM session_day WHERE session_key = ?1 AND day = ?2);

-- name: session_part_put
INSERT INTO session_day (session_key, day, chunk, org, events, event_count,
    first_ts, cold)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8);

-- name: session_part_first
-- The first part that a new event of time ?3 can change.
SELECT chunk FROM session_day
WHERE session_key = ?1 AND day = ?2 AND event_count IS NOT NULL
    AND (first_ts < ?3 OR chunk = 0)
ORDER BY chunk DESC LIMIT 1;

-- name: session_parts
-- Parts from day ?2 and number ?3 on, before day ?4.
SELECT day, chunk, events, cold FROM session_day
WHERE session_key = ?1 AND (day, chunk) >= (?2, ?3) AND day < ?4
    AND event_count IS NOT NULL
ORDER BY day, chunk;

-- name: every_session_parts
-- Likewise, wherever they are.
SELECT day, chunk, events, cold FROM every_session_day
WHERE session_key = ?1 AND (day, chunk) >= (?2, ?3) AND day < ?4
    AND event_count IS NOT NULL
ORDER BY day, chunk;

-- name: session_part_count
SELECT count(*) FROM session_day
WHERE session_key = ?1 AND event_count IS NOT NULL;

-- name: session_day_waiting
SELECT events, cold FROM session_day
WHERE session_key = ?1 AND day = ?2 AND event_count IS NULL
ORDER BY chunk;

-- name: session_day_delete
-- What waits, and parts from number ?3 on.
DELETE FROM session_day WHERE session_key = ?1 AND day = ?2 AND chunk >= ?3;

-- name: session_day_of_session
SELECT events, cold, day, chunk FROM every_session_day
WHERE session_key = ?1
ORDER BY day, chunk;

-- name: session_event_bytes
-- Those of a cold part are about as many as they were.
SELECT ifnull(sum(iif(cold, event_count * 120, length(events))), 0)
FROM every_session_day WHERE session_key = ?1;

-- name: session_day_orgs
SELECT org FROM session_day UNION SELECT org FROM pack_day ORDER BY org;

-- name: session_day_keys
-- Sessions of org ?1 with events on days from ?2 and before ?3.
-- By their beginning: neighbours in time are neighbours in the evidence.
SELECT session_key FROM (
    SELECT session_key, first_ts FROM session_day
    WHERE org = ?1 AND day >= ?2 AND day < ?3
    UNION ALL
    SELECT session_key, first_ts FROM packed_session_day
    WHERE pack IN (SELECT pack FROM pack_day
                   WHERE org = ?1 AND day >= ?2 AND day < ?3)
        AND org = ?1 AND day >= ?2 AND day < ?3
)
GROUP BY session_key ORDER BY min(first_ts), session_key;

-- name: session_keys
-- Every session with facts, with its organisation, likewise ordered.
SELECT org, session_key FROM every_session_day
GROUP BY org, session_key
ORDER BY org, min(first_ts), session_key;

-- name: facts_cold_before
-- Days before this one are cold: the facts of their lines are in the evidence
-- alone. A day becomes so when six hours of the next have been told, and also
-- passed before the last arrival: a stamp of the future tells nothing. Null
-- where nothing was taken.
SELECT (min(max(last_event),
            (SELECT max(last_arrival_ms) FROM evidence_feed)) - 21600000)
    / 86400000 * 86400000
FROM count_total WHERE class = 'accepted';

-- name: facts_cold_hours_before
-- The same by the hour: one is cold when six hours after it have been told.
SELECT (min(max(last_event),
            (SELECT max(last_arrival_ms) FROM evidence_feed)) - 21600000)
    / 3600000 * 3600000
FROM count_total WHERE class = 'accepted';

-- name: warm_day_add
INSERT INTO warm_day (org, day, after) VALUES (?1, ?2, '')
ON CONFLICT (org, day) DO UPDATE SET after = '';

-- name: warm_day_past
-- One before day ?1, and whether it has lost evidence.
SELECT org, day, after,
    EXISTS (SELECT 1 FROM evidence_expired_day AS e
            WHERE e.org = w.org AND e.day = w.day)
FROM warm_day AS w WHERE day < ?1 ORDER BY day, org LIMIT 1;

-- name: warm_day_cooled
-- Up to session ?3.
UPDATE warm_day SET after = ?3 WHERE org = ?1 AND day = ?2;

-- name: warm_day_clear
DELETE FROM warm_day WHERE org = ?1 AND day = ?2;

-- name: session_parts_to_cool
-- Of sessions from ?3 on.
SELECT session_key, chunk, events, event_count, first_ts, org, day
FROM session_day
WHERE org = ?1 AND day = ?2 AND session_key >= ?3
    AND event_count IS NOT NULL AND NOT cold
ORDER BY session_key, chunk LIMIT ?4;

-- name: session_parts_to_warm
SELECT session_key, chunk, events, event_count, first_ts, org, day
FROM session_day
WHERE org = ?1 AND day = ?2 AND cold ORDER BY first_ts, session_key LIMIT ?3;

-- name: session_parts_unpacked
-- Cold ones of session ?1 on days from ?2 on.
SELECT session_key, chunk, events, event_count, first_ts, org, day
FROM session_day
WHERE session_key = ?1 AND day >= ?2 AND cold ORDER BY day, chunk;

-- name: session_part_delete
DELETE FROM session_day WHERE session_key = ?1 AND day = ?2 AND chunk = ?3;

-- name: snapshot_hour_add
-- The next chunk, but none before number ?4.
INSERT INTO snapshot_hour (org, hour, chunk, snapshots)
VALUES (?1, ?2,
    max((SELECT ifnull(max(chunk), -1) + 1 FROM snapshot_hour
         WHERE org = ?1 AND hour = ?2), ifnull(?4, 0)),
    ?3);

-- name: snapshot_hour_delete
DELETE FROM snapshot_hour WHERE org = ?1 AND hour = ?2;

-- name: snapshot_hour_put
INSERT INTO snapshot_hour (org, hour, chunk, snapshots, form)
VALUES (?1, ?2, 0, ?3, ?4);

-- name: snapshot_hour_between
-- From hour ?2 on, and the day that it is in where that is one row.
SELECT hour, chunk, snapshots FROM snapshot_hour
WHERE org = ?1 AND hour >= ?2 / 86400000 * 86400000 AND hour < ?3
    AND (hour >= ?2 OR form = 1)
ORDER BY hour, chunk;

-- name: snapshot_bytes
-- About as many as they would be by the hour.
SELECT ifnull(sum(length(snapshots) * iif(form = 1, 6, 1)), 0)
FROM snapshot_hour
WHERE org = ?1 AND hour >= ?2 / 86400000 * 86400000 AND hour < ?3
    AND (hour >= ?2 OR form = 1);

-- name: snapshot_day_is_one
SELECT EXISTS (SELECT 1 FROM snapshot_hour
               WHERE org = ?1 AND hour = ?2 AND form = 1);

-- name: snapshot_day_first
-- One that is cold (see facts_cold_before) and has hours apart.
SELECT org, hour / 86400000 * 86400000 FROM snapshot_hour
WHERE form = 0 AND hour <
    (SELECT (min(max(last_event),
                 (SELECT max(last_arrival_ms) FROM evidence_feed)) - 21600000)
         / 86400000 * 86400000
     FROM count_total WHERE class = 'accepted')
ORDER BY hour, org LIMIT 1;

-- name: snapshot_day_delete
DELETE FROM snapshot_hour WHERE org = ?1 AND hour >= ?2 AND hour < ?3;

-- name: snapshot_day_leave
UPDATE snapshot_hour SET form = 2
WHERE org = ?1 AND hour >= ?2 AND hour < ?3 AND form = 0;

-- name: snapshot_hour_chunked_first
SELECT min(hour) FROM snapshot_hour WHERE chunk > 0;

-- name: snapshot_hour_chunked
-- Hours that want joining.
SELECT org, hour FROM snapshot_hour WHERE chunk > 0
GROUP BY org, hour ORDER BY org, hour;

-- name: ingest_hour_add
-- The next chunk, but none before number ?4.
INSERT INTO ingest_hour (org, hour, chunk, sums)
VALUES (?1, ?2,
    max((SELECT ifnull(max(chunk), -1) + 1 FROM ingest_hour
         WHERE org = ?1 AND hour = ?2), ifnull(?4, 0)),
    ?3);

-- name: ingest_hour_delete
DELETE FROM ingest_hour WHERE org = ?1 AND hour = ?2;

-- name: ingest_hour_of_hour
SELECT sums FROM ingest_hour WHERE org = ?1 AND hour = ?2 ORDER BY chunk;

-- name: ingest_hour_chunked_first
-- Something that wants joining.
SELECT org, hour FROM ingest_hour WHERE chunk > 0 LIMIT 1;

-- name: seen_add
INSERT INTO seen (class, org, shard, chunk, fingerprints, cold)
VALUES (?1, ?2, ?3,
    (SELECT ifnull(max(chunk), -1) + 1 FROM seen
     WHERE class = ?1 AND org = ?2 AND shard = ?3),
    ?4, ifnull(?5, 0));

-- name: seen_delete
DELETE FROM seen WHERE class = ?1 AND org = ?2 AND shard = ?3;

-- name: seen_of_shard
SELECT fingerprints, cold FROM seen
WHERE class = ?1 AND org = ?2 AND shard = ?3
ORDER BY chunk;

-- name: seen_unjoined
-- Shards in several chunks, and hours before number ?1 that are to be cold: not
-- those of 2^20 entries of six bytes, more than a cold chunk may have.
SELECT class, org, shard FROM seen WHERE chunk > 0
UNION
SELECT class, org, shard FROM seen AS s
WHERE class = 0 AND shard < ?1 AND cold = 0
    AND length(fingerprints) < 6291456
    AND NOT EXISTS (SELECT 1 FROM evidence_expired_day AS e
                    WHERE e.org = s.org AND e.day = shard / 24 * 86400000)
ORDER BY class, org, shard;

-- name: seen_cold_of_day
-- Hours ?2 to ?3 of an organisation.
SELECT class, org, shard FROM seen
WHERE class = 0 AND org = ?1 AND shard >= ?2 AND shard < ?3 AND cold
ORDER BY shard;

-- name: count_add
INSERT INTO count_total (class, reason, org, family, received, unique_lines,
    conflicts, first_event, last_event)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
ON CONFLICT (class, reason, org, family) DO UPDATE SET
    received = received + excluded.received,
    unique_lines = unique_lines + excluded.unique_lines,
    conflicts = conflicts + excluded.conflicts,
    first_event = min(ifnull(first_event, excluded.first_event),
        ifnull(excluded.first_event, first_event)),
    last_event = max(ifnull(last_event, excluded.last_event),
        ifnull(excluded.last_event, last_event));

-- name: count_export
SELECT class, reason, org, sum(received), sum(unique_lines)
FROM count_total
GROUP BY class, reason, org
ORDER BY class, reason, org;

-- name: dirty_session_add
INSERT OR IGNORE INTO dirty_session (org, day, session_key)
VALUES (?1, ?2, ?3);

-- name: dirty_session_first
SELECT org, day FROM dirty_session ORDER BY org, day LIMIT 1;

-- name: dirty_session_of_day
-- The first ?3.
SELECT session_key FROM dirty_session
WHERE org = ?1 AND day = ?2 ORDER BY session_key LIMIT ?3;

-- name: dirty_any
-- Whether rows are behind; what is only to be kept in fewer bytes is not.
SELECT EXISTS (SELECT 1 FROM dirty_session)
    OR EXISTS (SELECT 1 FROM dirty_closing)
    OR EXISTS (SELECT 1 FROM dirty_attribution)
    OR EXISTS (SELECT 1 FROM dirty_hour)
    OR EXISTS (SELECT 1 FROM dirty_day)
    OR EXISTS (SELECT 1 FROM dirty_request);

-- name: dirty_session_clear
-- Up to ?3.
DELETE FROM dirty_session WHERE org = ?1 AND day = ?2 AND session_key <= ?3;

-- name: dirty_hour_add
INSERT OR IGNORE INTO dirty_hour (hour, org) VALUES (?1, ?2);

-- name: dirty_hour_first
SELECT min(hour) FROM dirty_hour;

-- name: dirty_hours_between
SELECT hour, org FROM dirty_hour
WHERE hour >= ?1 AND hour < ?2 ORDER BY hour, org;

-- name: dirty_hour_clear
DELETE FROM dirty_hour WHERE hour >= ?1 AND hour < ?2;

-- name: dirty_day_add
INSERT INTO dirty_day (day, benchmarks) VALUES (?1, ?2)
ON CONFLICT (day) DO UPDATE SET
    benchmarks = max(benchmarks, excluded.benchmarks);

-- name: dirty_day_first_benchmark
SELECT min(day) FROM dirty_day WHERE benchmarks = 1;

-- name: dirty_day_first
SELECT min(day) FROM dirty_day;

-- name: dirty_day_benchmarked
-- The day stays noted: its scores are still to come.
UPDATE dirty_day SET benchmarks = 0 WHERE day = ?1;

-- name: dirty_day_clear
DELETE FROM dirty_day WHERE day = ?1;
