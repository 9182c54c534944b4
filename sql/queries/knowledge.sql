-- What had come in by a time.

-- name: knowledge_bounds
-- When the first and the last accepted line came, and the time of the last
-- event; null where there is none.
SELECT (SELECT min(first_arrival_ms) FROM evidence_feed WHERE class = 0),
       (SELECT max(last_arrival_ms) FROM evidence_feed WHERE class = 0),
       (SELECT ifnull(max(last_event), 0) FROM count_total
        WHERE class = 'accepted');

-- name: knowledge_end
-- The first block that was opened after ?1.
SELECT min(b.block)
FROM evidence_block AS b JOIN evidence_feed AS f ON f.feed = b.feed
WHERE f.class = 0 AND b.first_arrival_ms > ?1;

-- name: knowledge_cuts
-- Blocks before ?2 that were open at ?1, and whether they have expired.
SELECT b.block, b.state = 2
FROM evidence_block AS b JOIN evidence_feed AS f ON f.feed = b.feed
WHERE f.class = 0 AND b.block < ?2 AND b.first_arrival_ms <= ?1
    AND b.last_arrival_ms > ?1
ORDER BY b.block;
