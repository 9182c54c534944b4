-- What the doctor asks.

-- name: doctor_last_arrival
-- Null in a store without lines.
SELECT max(last_arrival_ms) FROM evidence_feed;
