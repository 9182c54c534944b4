-- Jobs, workers, payments and discovery, and who offers what at which price.

-- One organisation's events of one UTC hour and kind (0 jobs, 1 workers,
-- 2 payments, 3 candidates of discovery), in chunks as session_day.
CREATE TABLE request_hour (
    org TEXT NOT NULL,
    kind INTEGER NOT NULL,
    hour INTEGER NOT NULL,
    chunk INTEGER NOT NULL,
    events BLOB NOT NULL,
    PRIMARY KEY (org, kind, hour, chunk)
) STRICT, WITHOUT ROWID;

CREATE INDEX request_hour_by_time ON request_hour (kind, hour, org);

-- What wants joining is few among many rows with large blobs.
CREATE INDEX request_hour_chunked ON request_hour (org, kind, hour)
    WHERE chunk > 0;
CREATE INDEX snapshot_hour_by_time ON snapshot_hour (hour, org);
CREATE INDEX snapshot_hour_chunked ON snapshot_hour (hour) WHERE chunk > 0;

-- In which hours a batch request was heard of: it may be received in one and
-- completed in another. REQUEST is a hash of its id; that two share one costs
-- a look at an hour too many.
CREATE TABLE request_index (
    org TEXT NOT NULL,
    request INTEGER NOT NULL,
    hour INTEGER NOT NULL,
    PRIMARY KEY (org, request, hour)
) STRICT, WITHOUT ROWID;

-- Days whose request demand is to be computed again.
CREATE TABLE dirty_request (
    org TEXT NOT NULL,
    day INTEGER NOT NULL,
    PRIMARY KEY (org, day)
) STRICT, WITHOUT ROWID;

-- Derived: hours of completed jobs.
CREATE TABLE request_demand (
    window_start INTEGER NOT NULL,
    org TEXT NOT NULL,
    gateway TEXT,
    execution_mode TEXT,
    capability_family TEXT,
    capability_name TEXT,
    capability_id INTEGER,
    canonical_pipeline TEXT,
    pipeline_id TEXT,
    canonical_model TEXT,
    orchestrator_address TEXT,
    orchestrator_uri TEXT,
    job_count INTEGER,
    selected_count INTEGER,
    no_orch_count INTEGER,
    success_count INTEGER,
    duration_ms_sum INTEGER,
    price_sum REAL,
    llm_request_count INTEGER,
    llm_success_count INTEGER,
    llm_total_tokens_sum INTEGER,
    llm_total_tokens_sample_count INTEGER,
    llm_tokens_per_second_sum REAL,
    llm_tokens_per_second_sample_count INTEGER,
    llm_ttft_ms_sum INTEGER,
    llm_ttft_ms_sample_count INTEGER,
    position INTEGER NOT NULL,
    PRIMARY KEY (window_start, org, position)
) STRICT, WITHOUT ROWID;

-- A payment names its session by the request's id alone.
CREATE INDEX session_by_request ON session (org, request_id, session_key);

-- Facts that an older program did not keep, or kept in another form, are read
-- again from the evidence by `assay rebuild`; until then they are missing, and
-- every command says so.
CREATE TABLE rebuild_wanted (
    missing TEXT PRIMARY KEY         -- what, in words
) STRICT, WITHOUT ROWID;

INSERT INTO rebuild_wanted (missing)
SELECT 'jobs, workers, payments and discovery'
WHERE EXISTS (SELECT 1 FROM evidence_feed);

INSERT INTO rebuild_wanted (missing)
SELECT 'capability snapshots' WHERE EXISTS (SELECT 1 FROM snapshot_hour);

DELETE FROM snapshot_hour;

PRAGMA user_version = 5;
