-- Evidence: what arrived, exactly, in compressed blocks, and the hashes that
-- tie it down. Rows of these tables are only ever added and sealed; nothing
-- else in the database is needed to read them, and everything else in the
-- database can be derived from them.
--
-- Times are milliseconds since 1970 UTC. Hashes are 32 bytes of SHA-256.

PRAGMA application_id = 0x61737379; -- "assy"

-- A feed is everything of one class that came from one source for one
-- organisation. It has its own hash chain.
CREATE TABLE evidence_feed (
    feed INTEGER PRIMARY KEY,
    source TEXT NOT NULL,            -- "import", "http", "kafka:topic"
    org TEXT NOT NULL,               -- '' where none was known
    class INTEGER NOT NULL,          -- 0 accepted, 1 ignored, 2 rejected
    blocks INTEGER NOT NULL,         -- open, sealed and expired ones
    lines INTEGER NOT NULL,
    raw_bytes INTEGER NOT NULL,      -- of records before compression
    stored_bytes INTEGER NOT NULL,   -- still held, expired ones not counted
    first_arrival_ms INTEGER NOT NULL,
    last_arrival_ms INTEGER NOT NULL,
    chain BLOB NOT NULL,             -- after the last sealed block
    expired_block INTEGER NOT NULL DEFAULT 0, -- newest that lost its lines
    UNIQUE (source, org, class)
) STRICT;

-- Blocks are numbered over all feeds in the order they were opened, from 1.
-- The id of a line is block * 65536 + its place in the block. A feed has at
-- most one open block, and its blocks expire in their order.
CREATE TABLE evidence_block (
    block INTEGER PRIMARY KEY,
    feed INTEGER NOT NULL,
    state INTEGER NOT NULL,          -- 0 open, 1 sealed, 2 expired
    lines INTEGER NOT NULL,
    raw_bytes INTEGER NOT NULL,
    stored_bytes INTEGER NOT NULL,   -- of the body, or of all chunks
    first_arrival_ms INTEGER NOT NULL,
    last_arrival_ms INTEGER NOT NULL,
    days BLOB NOT NULL,              -- distinct event days, see block.c
    hash BLOB NOT NULL,              -- of the body; open: running over chunks
    chain BLOB                       -- the feed's, after this block; null: open
) STRICT;

CREATE INDEX evidence_block_of_feed ON evidence_block (feed, block);
CREATE INDEX evidence_block_in_state ON evidence_block (state, block);
CREATE UNIQUE INDEX evidence_block_open ON evidence_block (feed)
    WHERE state = 0;

-- The one zstd frame of a sealed block; gone once the block has expired. It
-- stands apart from evidence_block so that lists of blocks stay small.
CREATE TABLE evidence_body (
    block INTEGER PRIMARY KEY,
    body BLOB NOT NULL
) STRICT;

-- What each commit added to a block that is still open. Sealing replaces a
-- block's chunks by its body.
CREATE TABLE evidence_chunk (
    chunk INTEGER PRIMARY KEY,       -- the id of its first line
    body BLOB NOT NULL               -- 0 and records, or 1 and a zstd frame
) STRICT;

-- Days that lost accepted evidence to retention: their rows are frozen, and a
-- rebuild leaves them as they are.
CREATE TABLE evidence_expired_day (
    org TEXT NOT NULL,
    day INTEGER NOT NULL,            -- start of the UTC day
    PRIMARY KEY (org, day)
) STRICT, WITHOUT ROWID;

PRAGMA user_version = 1;
