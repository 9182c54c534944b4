-- Who may do what over the network, and what was answered to requests that
-- may be sent again. Neither is derived from evidence; a rebuild leaves both.

-- A token is "assay_ID_SECRET". The secret is 32 random bytes, so that one
-- plain hash hides it; the id finds the row without any comparison of secrets.
CREATE TABLE token (
    id TEXT PRIMARY KEY,
    scope TEXT NOT NULL,             -- "read", "ingest", "admin"
    org TEXT NOT NULL,               -- of what comes in by it; '' for any
    hash BLOB NOT NULL,              -- SHA-256 of the whole token
    created_ms INTEGER NOT NULL,
    revoked_ms INTEGER               -- null while it is good
) STRICT, WITHOUT ROWID;

-- Written in the transaction that makes the request durable.
CREATE TABLE ingest_key (
    key BLOB PRIMARY KEY,            -- SHA-256 of the token's id and the key
    body BLOB NOT NULL,              -- SHA-256 of the request's body
    at_ms INTEGER NOT NULL,
    answer BLOB NOT NULL             -- the tallies, see writer.c
) STRICT, WITHOUT ROWID;

CREATE INDEX ingest_key_by_time ON ingest_key (at_ms);

PRAGMA user_version = 4;
