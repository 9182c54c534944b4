-- A session's day in parts of bounded size, so that a session of any length is
-- read, folded and shown part by part.

ALTER TABLE session_day RENAME TO session_day_before;
DROP INDEX session_day_by_day;

-- What the fold needs of one session's events of one UTC day. Parts are
-- numbered from 0: sorted, each event once, all full but the last. What a
-- commit adds waits beside them until settling puts it into its place.
CREATE TABLE session_day (
    session_key TEXT NOT NULL,
    day INTEGER NOT NULL,
    chunk INTEGER NOT NULL,          -- of what waits: from 1048576
    org TEXT NOT NULL,
    event_count INTEGER,             -- of a part; null for what waits
    first_ts INTEGER,                -- likewise
    events BLOB NOT NULL,
    PRIMARY KEY (session_key, day, chunk)
) STRICT, WITHOUT ROWID;

CREATE INDEX session_day_by_day ON session_day (org, day, session_key);

INSERT INTO session_day (session_key, day, chunk, org, events)
SELECT session_key, day, 1048576 + chunk, org, events FROM session_day_before;

DROP TABLE session_day_before;

INSERT OR IGNORE INTO dirty_session (org, day, session_key)
SELECT org, day, session_key FROM session_day;

-- A session's selections are read in the order in which they were made.
DROP INDEX selection_by_session;
CREATE INDEX selection_in_order ON selection (session_key, day, position);

PRAGMA user_version = 11;
