-- Facts of days long settled, by the numbers of their evidence lines.

-- A part of a cold day names its lines in place of its events (see
-- app/rollup/session_lines.h).
ALTER TABLE session_day ADD COLUMN cold INTEGER NOT NULL DEFAULT 0;

-- Days with parts that are not cold; AFTER is how far cooling has come.
CREATE TABLE warm_day (
    org TEXT NOT NULL,
    day INTEGER NOT NULL,
    after TEXT NOT NULL,
    PRIMARY KEY (org, day)
) STRICT, WITHOUT ROWID;

INSERT INTO warm_day (org, day, after)
SELECT DISTINCT org, day, '' FROM session_day;

-- The same of fingerprints: only their lines, in a cold hour.
ALTER TABLE seen ADD COLUMN cold INTEGER NOT NULL DEFAULT 0;
CREATE INDEX seen_warm ON seen (class, shard) WHERE cold = 0;

PRAGMA user_version = 13;
