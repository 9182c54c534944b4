-- Feeds, blocks and bodies of evidence.

-- name: evidence_feeds
-- For people: one row a feed.
SELECT feed, source, org,
       CASE class WHEN 0 THEN 'accepted' WHEN 1 THEN 'ignored'
                  ELSE 'rejected' END AS class,
       blocks, lines, raw_bytes, stored_bytes, first_arrival_ms,
       last_arrival_ms, lower(hex(chain)) AS chain
FROM evidence_feed ORDER BY source, org, evidence_feed.class;

-- name: evidence_feed_find
SELECT feed, blocks, lines, raw_bytes, stored_bytes, first_arrival_ms,
       last_arrival_ms, chain
FROM evidence_feed WHERE source = ?1 AND org = ?2 AND class = ?3;

-- name: evidence_feed_next
-- The first feed after ?1, for walking over all of them.
SELECT feed, blocks, lines, raw_bytes, stored_bytes, first_arrival_ms,
       last_arrival_ms, chain, source, org, class
FROM evidence_feed WHERE feed > ?1 ORDER BY feed LIMIT 1;

-- name: evidence_feed_write
INSERT INTO evidence_feed (feed, source, org, class, blocks, lines, raw_bytes,
                           stored_bytes, first_arrival_ms, last_arrival_ms,
                           chain)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
ON CONFLICT (feed) DO UPDATE SET
    blocks = excluded.blocks, lines = excluded.lines,
    raw_bytes = excluded.raw_bytes, stored_bytes = excluded.stored_bytes,
    first_arrival_ms = excluded.first_arrival_ms,
    last_arrival_ms = excluded.last_arrival_ms, chain = excluded.chain;

-- name: evidence_numbers
-- The first free numbers.
SELECT (SELECT coalesce(max(feed), 0) + 1 FROM evidence_feed),
       (SELECT coalesce(max(block), 0) + 1 FROM evidence_block);

-- name: evidence_totals
SELECT (SELECT count(*) FROM evidence_block),
       (SELECT coalesce(sum(stored_bytes), 0) FROM evidence_feed);

-- name: evidence_block_write
INSERT INTO evidence_block (block, feed, state, lines, raw_bytes,
                            stored_bytes, first_arrival_ms, last_arrival_ms,
                            days, hash, chain)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
ON CONFLICT (block) DO UPDATE SET
    state = excluded.state, lines = excluded.lines,
    raw_bytes = excluded.raw_bytes, stored_bytes = excluded.stored_bytes,
    first_arrival_ms = excluded.first_arrival_ms,
    last_arrival_ms = excluded.last_arrival_ms, days = excluded.days,
    hash = excluded.hash, chain = excluded.chain;

-- name: evidence_block_open
SELECT block, state, lines, raw_bytes, stored_bytes, first_arrival_ms,
       last_arrival_ms, days, hash, chain
FROM evidence_block WHERE feed = ?1 AND state = 0;

-- name: evidence_block_next
-- The first block from ?1 on that still has its lines.
SELECT b.block, b.state, b.lines, b.raw_bytes, b.stored_bytes,
       b.first_arrival_ms, b.last_arrival_ms, b.days, b.hash, b.chain,
       f.source, f.org, f.class
FROM evidence_block AS b JOIN evidence_feed AS f ON f.feed = b.feed
WHERE b.block >= ?1 AND b.state < 2 ORDER BY b.block LIMIT 1;

-- name: evidence_block_one
SELECT b.block, b.state, b.lines, b.raw_bytes, b.stored_bytes,
       b.first_arrival_ms, b.last_arrival_ms, b.days, b.hash, b.chain,
       f.source, f.org, f.class
FROM evidence_block AS b JOIN evidence_feed AS f ON f.feed = b.feed
WHERE b.block = ?1;

-- name: evidence_block_of_feed
-- The first block of feed ?1 after block ?2.
SELECT block, state, lines, raw_bytes, stored_bytes, first_arrival_ms,
       last_arrival_ms, days, hash, chain
FROM evidence_block WHERE feed = ?1 AND block > ?2 ORDER BY block LIMIT 1;

-- name: evidence_open_next
-- The first open block after block ?1, with its feed's names.
SELECT b.block, b.last_arrival_ms, f.source, f.org, f.class
FROM evidence_block AS b JOIN evidence_feed AS f ON f.feed = b.feed
WHERE b.state = 0 AND b.block > ?1 ORDER BY b.block LIMIT 1;

-- name: evidence_oldest_of_feed
-- The next block of feed ?1 that retention would take, if it is sealed.
SELECT b.block, b.last_arrival_ms, b.stored_bytes, b.days, f.org, f.class,
       f.feed
FROM evidence_feed AS f JOIN evidence_block AS b
     ON b.feed = f.feed AND b.block > f.expired_block
WHERE f.feed = ?1 AND b.state = 1 AND f.source <> 'journal'
ORDER BY b.block LIMIT 1;

-- name: evidence_oldest
-- The same over all feeds.
SELECT b.block, b.last_arrival_ms, b.stored_bytes, b.days, f.org, f.class,
       f.feed
FROM evidence_block AS b JOIN evidence_feed AS f ON f.feed = b.feed
WHERE b.state = 1 AND f.source <> 'journal' ORDER BY b.block LIMIT 1;

-- name: evidence_block_expire
UPDATE evidence_block SET state = 2 WHERE block = ?1;

-- name: evidence_feed_expire
-- Feed ?1 no longer holds block ?2 of ?3 bytes.
UPDATE evidence_feed
SET stored_bytes = stored_bytes - ?3, expired_block = ?2 WHERE feed = ?1;

-- name: evidence_body_write
INSERT INTO evidence_body (block, body) VALUES (?1, ?2);

-- name: evidence_body_read
SELECT body FROM evidence_body WHERE block = ?1;

-- name: evidence_body_drop
DELETE FROM evidence_body WHERE block = ?1;

-- name: evidence_chunk_write
INSERT INTO evidence_chunk (chunk, body) VALUES (?1, ?2);

-- name: evidence_chunks
-- Of block ?1, in order.
SELECT chunk, body FROM evidence_chunk
WHERE chunk BETWEEN ?1 * 65536 AND ?1 * 65536 + 65535 ORDER BY chunk;

-- name: evidence_chunks_drop
DELETE FROM evidence_chunk
WHERE chunk BETWEEN ?1 * 65536 AND ?1 * 65536 + 65535;

-- name: evidence_expired_day_add
INSERT OR IGNORE INTO evidence_expired_day (org, day) VALUES (?1, ?2);

-- name: evidence_expired_day_has
SELECT 1 FROM evidence_expired_day WHERE org = ?1 AND day = ?2;

-- name: evidence_expired_days
SELECT org, day FROM evidence_expired_day ORDER BY org, day;

-- name: evidence_orphans
-- Rows that belong to nothing, of each kind.
SELECT (SELECT count(*) FROM evidence_block
        WHERE feed NOT IN (SELECT feed FROM evidence_feed)),
       (SELECT count(*) FROM evidence_body WHERE block NOT IN
            (SELECT block FROM evidence_block WHERE state = 1)),
       (SELECT count(*) FROM evidence_chunk WHERE chunk / 65536 NOT IN
            (SELECT block FROM evidence_block WHERE state = 0));

-- name: evidence_block_seal
-- What vouches for the lines of block ?1.
SELECT CASE state WHEN 0 THEN 'open' WHEN 1 THEN 'sealed' ELSE 'expired' END,
       lower(hex(hash)), lower(hex(chain))
FROM evidence_block WHERE block = ?1;

-- name: evidence_expired_count
-- UTC days in a span that lost accepted evidence, over all organisations.
SELECT count(DISTINCT day) FROM evidence_expired_day
WHERE day >= ?1 - 86399999 AND day < ?2;
