-- Answers that requests with an Idempotency-Key had.

-- name: ingest_key_find
SELECT body, answer FROM ingest_key WHERE key = ?1 AND at_ms >= ?2;

-- name: ingest_key_add
INSERT OR REPLACE INTO ingest_key (key, body, at_ms, answer)
VALUES (?1, ?2, ?3, ?4);

-- name: ingest_key_expire
DELETE FROM ingest_key WHERE at_ms < ?1;
