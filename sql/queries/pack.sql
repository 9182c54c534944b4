-- Packs of rows of sessions (app/store/packed.h, app/rollup/packing.c).

-- name: packed_declaration
-- The virtual table over table ?1, how many columns that has, and which of them
-- are the key of a session and when it was heard of last.
SELECT 'CREATE TABLE packed (' ||
           group_concat(name || ' ' || type, ', ' ORDER BY cid) ||
           ', pack INTEGER HIDDEN)',
       count(*), max(cid) FILTER (WHERE name = 'session_key'),
       ifnull(max(cid) FILTER (WHERE name = 'last_seen'), -1)
FROM pragma_table_info(?1);

-- name: session_pack_rows
SELECT rows FROM session_pack WHERE pack = ?1;

-- name: session_packs_between
SELECT pack FROM session_pack WHERE pack BETWEEN ?1 AND ?2
ORDER BY pack DESC;

-- name: session_places
SELECT pack FROM session_place WHERE place = place_of_session(?1)
ORDER BY pack DESC;

-- name: session_pack_put
INSERT INTO session_pack (pack, hour, sessions, rows) VALUES (?1, ?2, ?3, ?4);

-- name: session_pack_note_places
-- What tells of the new pack ?1 where to look.
INSERT OR IGNORE INTO session_place (place, pack)
SELECT place_of_session(session_key), pack
FROM packed_session WHERE pack = ?1;

-- name: session_pack_note_hours
INSERT INTO pack_hour (pack, org, hour)
SELECT pack, org, hour FROM packed_session_hour WHERE pack = ?1
UNION
SELECT pack, org, hour FROM packed_gateway_hour WHERE pack = ?1
UNION
SELECT pack, org, ifnull(started_at, last_seen) / 3600000 * 3600000
FROM packed_session WHERE pack = ?1
UNION
SELECT pack, org, assay_start FROM packed_session
WHERE pack = ?1 AND assay_start IS NOT NULL;

-- name: session_pack_note_days
INSERT INTO pack_day (pack, org, day)
SELECT pack, org, day FROM packed_session_day WHERE pack = ?1
UNION
SELECT pack, org, day FROM packed_selection WHERE pack = ?1;

-- name: session_pack_note_names
INSERT INTO pack_name (org, day, observed_address, observed_url, packs)
SELECT DISTINCT org, day, ifnull(observed_address, ''),
    ifnull(observed_url, ''), 1
FROM packed_selection WHERE pack = ?1
ON CONFLICT (org, day, observed_address, observed_url)
DO UPDATE SET packs = packs + 1;

-- name: session_pack_hour
SELECT hour FROM session_pack WHERE pack = ?1;

-- name: unpack_sessions
-- Rows of pack ?1 back into their tables.
INSERT INTO session SELECT * FROM packed_session WHERE pack = ?1;

-- name: unpack_selections
INSERT INTO selection SELECT * FROM packed_selection WHERE pack = ?1;

-- name: unpack_session_hours
INSERT INTO session_hour SELECT * FROM packed_session_hour WHERE pack = ?1;

-- name: unpack_gateway_hours
INSERT INTO gateway_hour SELECT * FROM packed_gateway_hour WHERE pack = ?1;

-- name: unpack_session_days
INSERT INTO session_day SELECT * FROM packed_session_day WHERE pack = ?1;

-- name: unpack_name_each
UPDATE pack_name SET packs = packs - 1
WHERE (org, day, observed_address, observed_url) IN (
    SELECT org, day, ifnull(observed_address, ''), ifnull(observed_url, '')
    FROM packed_selection WHERE pack = ?1);

-- name: unpack_name_none
DELETE FROM pack_name
WHERE packs = 0 AND (org, day) IN (
    SELECT org, day FROM packed_selection WHERE pack = ?1);

-- name: unpack_places
DELETE FROM session_place
WHERE pack = ?1 AND place IN (
    SELECT place_of_session(session_key) FROM packed_session WHERE pack = ?1);

-- name: unpack_hours
DELETE FROM pack_hour WHERE pack = ?1;

-- name: unpack_days
DELETE FROM pack_day WHERE pack = ?1;

-- name: unpack_rows
DELETE FROM session_pack WHERE pack = ?1;

-- name: sessions_over_before
-- Sessions that were heard of last before this are packed, hour by hour: two
-- hours more have been told, and also passed before the last arrival, since a
-- stamp of the future tells nothing. Null where nothing was taken.
SELECT (min(max(last_event),
            (SELECT max(last_arrival_ms) FROM evidence_feed)) - 7200000)
    / 3600000 * 3600000
FROM count_total WHERE class = 'accepted';

-- name: session_first_before
SELECT min(last_seen) FROM session WHERE last_seen < ?1;

-- name: sessions_to_pack
-- Those heard of last from ?1 on and before ?2, in the order of packs.
SELECT * FROM session WHERE last_seen >= ?1 AND last_seen < ?2
ORDER BY last_seen DESC, session_key;

-- name: selections_to_pack
SELECT * FROM selection WHERE session_key = ?1 ORDER BY day, position;

-- name: session_hours_to_pack
SELECT * FROM session_hour WHERE session_key = ?1 ORDER BY hour;

-- name: gateway_hours_to_pack
SELECT * FROM gateway_hour WHERE session_key = ?1 ORDER BY hour, gateway;

-- name: session_parts_to_pack
-- All columns as the table has them, and whether the events stay what they are:
-- numbers of lines already, or of lines that expire.
SELECT s.*,
    cold OR EXISTS (SELECT 1 FROM evidence_expired_day AS e
                    WHERE e.org = s.org AND e.day = s.day)
FROM session_day AS s WHERE session_key = ?1 AND event_count IS NOT NULL
ORDER BY day, chunk;

-- name: selections_of_session_delete
DELETE FROM selection WHERE session_key = ?1;

-- name: session_hours_of_session_delete
DELETE FROM session_hour WHERE session_key = ?1;

-- name: gateway_hours_of_session_delete
DELETE FROM gateway_hour WHERE session_key = ?1;

-- name: session_parts_of_session_delete
DELETE FROM session_day
WHERE session_key = ?1 AND event_count IS NOT NULL;

-- name: packs_of_day
-- With their hours.
SELECT p.pack, p.hour FROM pack_day AS d JOIN session_pack AS p USING (pack)
WHERE d.org = ?1 AND d.day = ?2;

-- name: packed_selections_of_day
-- Those of pack ?3, session by session.
SELECT * FROM packed_selection WHERE pack = ?3 AND org = ?1 AND day = ?2;

-- name: packed_hours_by_lines
-- Hours with packs that name lines of a day.
SELECT DISTINCT p.hour
FROM pack_day AS d JOIN session_pack AS p USING (pack)
WHERE d.org = ?1 AND d.day = ?2 AND EXISTS (
    SELECT 1 FROM packed_session_day AS s
    WHERE s.pack = d.pack AND s.org = ?1 AND s.day = ?2 AND s.cold);

-- name: packed_hours_expired
-- Hours with packs that hold facts of days that lost evidence.
SELECT DISTINCT p.hour
FROM evidence_expired_day AS e JOIN pack_day AS d USING (org, day)
    JOIN session_pack AS p USING (pack);

-- name: packs_clear
DELETE FROM session_pack;

-- name: pack_places_clear
DELETE FROM session_place;

-- name: pack_hours_clear
DELETE FROM pack_hour;

-- name: pack_days_clear
DELETE FROM pack_day;

-- name: pack_names_clear
DELETE FROM pack_name;
