-- Where the journal's entries lie, and our own runs.
--
-- Derived from the evidence of source "journal", and again by `rebuild`. Times
-- are milliseconds since 1970 UTC.

CREATE TABLE journal_entry (
    seq INTEGER PRIMARY KEY,         -- of the chain, from 1
    type TEXT NOT NULL,              -- "assay_run", ...
    id TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    line INTEGER NOT NULL,           -- of evidence
    hash BLOB NOT NULL               -- SHA-256 of the line
) STRICT;

CREATE INDEX journal_entry_of_type ON journal_entry (type, at_ms);

-- Columns in the order of the fields in journal/run.c.
CREATE TABLE run (
    run_id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    workflow TEXT,
    orchestrator_url TEXT,
    orchestrator_address TEXT,
    signing_address TEXT,
    pipeline_id TEXT,
    model_id TEXT,
    gpu_id TEXT,
    vantage TEXT,
    started_at INTEGER NOT NULL,
    outcome TEXT NOT NULL,
    reason TEXT,
    startup_ms REAL,
    ptff_ms REAL,
    playable_ms REAL,
    output_fps REAL,
    jitter_interval REAL,
    jitter_fps REAL,
    freeze_ms REAL,
    e2e_p50_ms REAL,
    e2e_p95_ms REAL,
    e2e_p99_ms REAL,
    input_fps REAL,
    reported_fps REAL,
    reported_state TEXT,
    restarts INTEGER,
    segments_in INTEGER,
    segments_out INTEGER,
    bytes_in INTEGER,
    bytes_out INTEGER,
    cold INTEGER,
    prompt_id TEXT,
    prompt_class TEXT,
    cost_wei INTEGER,
    dns_ms REAL,
    connect_ms REAL,
    tls_ms REAL,
    rpc_ms REAL,
    tls_key_sha256 TEXT,
    version TEXT,
    idle INTEGER,
    busy INTEGER,
    price_wei INTEGER,
    plan_hash TEXT,
    first_segment_ms REAL,
    e2e_reason TEXT,
    frames_in INTEGER,
    frames_out INTEGER,
    samples_sha256 TEXT,
    line INTEGER NOT NULL           -- of evidence
) STRICT, WITHOUT ROWID;

CREATE INDEX run_by_start ON run (started_at, run_id);

-- Samples are another feed, whose evidence may expire before the runs'.
CREATE TABLE run_samples (
    run_id TEXT PRIMARY KEY,
    line INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

PRAGMA user_version = 8;
