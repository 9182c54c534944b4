-- Facts and what is derived from them.
--
-- Facts (session_day, snapshot_hour, seen, count_total) are written in the same
-- transaction as the evidence they were read from. Everything below them is
-- derived from facts by `settle`, and both again from the evidence by `rebuild`.
-- Natural keys and no row numbers: the same evidence gives the same bytes,
-- whatever order it came in. Times are milliseconds since 1970 UTC.

-- What the fold needs of one session's events of one UTC day. A commit adds a
-- chunk; settling joins the chunks into one.
CREATE TABLE session_day (
    session_key TEXT NOT NULL,
    day INTEGER NOT NULL,
    chunk INTEGER NOT NULL,
    org TEXT NOT NULL,
    events BLOB NOT NULL,
    PRIMARY KEY (session_key, day, chunk)
) STRICT, WITHOUT ROWID;

CREATE INDEX session_day_by_day ON session_day (org, day, session_key);

-- One organisation's capability snapshots of one UTC hour, in chunks likewise.
CREATE TABLE snapshot_hour (
    org TEXT NOT NULL,
    hour INTEGER NOT NULL,
    chunk INTEGER NOT NULL,
    snapshots BLOB NOT NULL,
    PRIMARY KEY (org, hour, chunk)
) STRICT, WITHOUT ROWID;

-- Fingerprints of lines already taken, by class, organisation and the event's
-- own hour (rejected lines: by the first byte of their hash).
CREATE TABLE seen (
    class INTEGER NOT NULL,
    org TEXT NOT NULL,
    shard INTEGER NOT NULL,
    chunk INTEGER NOT NULL,
    fingerprints BLOB NOT NULL,
    PRIMARY KEY (class, org, shard, chunk)
) STRICT, WITHOUT ROWID;

-- received counts deliveries, unique_lines distinct ones, conflicts those of
-- them that came with differing content.
CREATE TABLE count_total (
    class TEXT NOT NULL,
    reason TEXT NOT NULL,
    org TEXT NOT NULL,
    family TEXT NOT NULL,
    received INTEGER NOT NULL,
    unique_lines INTEGER NOT NULL,
    conflicts INTEGER NOT NULL,
    first_event INTEGER,
    last_event INTEGER,
    PRIMARY KEY (class, reason, org, family)
) STRICT, WITHOUT ROWID;

-- What settling has still to look at. A session_key of '' means that the
-- snapshots in reach of the day have changed.
CREATE TABLE dirty_session (
    org TEXT NOT NULL,
    day INTEGER NOT NULL,
    session_key TEXT NOT NULL,
    PRIMARY KEY (org, day, session_key)
) STRICT, WITHOUT ROWID;

CREATE TABLE dirty_hour (
    hour INTEGER NOT NULL,
    org TEXT NOT NULL,
    PRIMARY KEY (hour, org)
) STRICT, WITHOUT ROWID;

-- Days whose benchmarks (1) or scores only (0) are to be computed again.
CREATE TABLE dirty_day (
    day INTEGER NOT NULL,
    benchmarks INTEGER NOT NULL,
    PRIMARY KEY (day)
) STRICT, WITHOUT ROWID;

-- Derived: the published lens, settled pass.

CREATE TABLE selection (
    selection_event_id TEXT,
    org TEXT NOT NULL,
    session_key TEXT NOT NULL,
    selection_ts INTEGER,
    selection_trigger TEXT,
    event_id TEXT,
    orchestrator_identity TEXT,
    observed_address TEXT,
    observed_url TEXT,
    pipeline_hint TEXT,
    model_hint TEXT,
    attribution_status TEXT,
    attribution_reason TEXT,
    attribution_method TEXT,
    attribution_confidence TEXT,
    attribution_snapshot_ts INTEGER,
    orchestrator_address TEXT,
    orchestrator_uri TEXT,
    pipeline_id TEXT,
    model_id TEXT,
    gpu_id TEXT,
    day INTEGER NOT NULL,
    position INTEGER NOT NULL,
    line INTEGER,
    PRIMARY KEY (org, day, session_key, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE session (
    session_key TEXT NOT NULL,
    org TEXT,
    stream_id TEXT,
    request_id TEXT,
    gateway TEXT,
    started_at INTEGER,
    first_processed_at INTEGER,
    few_processed_at INTEGER,
    first_ingest_at INTEGER,
    runner_first_processed_at INTEGER,
    status_start_time INTEGER,
    last_seen INTEGER,
    started_count INTEGER,
    playable_count INTEGER,
    no_orch_count INTEGER,
    completed_count INTEGER,
    swap_count INTEGER,
    status_samples INTEGER,
    online_samples INTEGER,
    running_samples INTEGER,
    fps_positive_samples INTEGER,
    degraded_input_samples INTEGER,
    degraded_inference_samples INTEGER,
    error_samples INTEGER,
    error_seen INTEGER,
    startup_error_count INTEGER,
    excusable_error_count INTEGER,
    status_hint TEXT,
    trace_hint TEXT,
    event_hint TEXT,
    requested_seen INTEGER,
    playable_seen INTEGER,
    completed INTEGER,
    selection_event_id TEXT,
    selection_ts INTEGER,
    selection_trigger TEXT,
    selection_outcome TEXT,
    attribution_status TEXT,
    attribution_reason TEXT,
    attribution_method TEXT,
    attribution_confidence TEXT,
    attribution_snapshot_ts INTEGER,
    orchestrator_address TEXT,
    orchestrator_uri TEXT,
    pipeline_id TEXT,
    model_id TEXT,
    gpu_id TEXT,
    startup_outcome TEXT,
    startup_label TEXT,
    excusal_reason TEXT,
    loading_only_session INTEGER,
    zero_output_fps_session INTEGER,
    health_signal_count INTEGER,
    health_expected_signal_count INTEGER,
    startup_latency_ms INTEGER,
    e2e_latency_ms INTEGER,
    ptff_ms INTEGER,
    PRIMARY KEY (session_key)
) STRICT, WITHOUT ROWID;

CREATE TABLE session_hour (
    org TEXT NOT NULL,
    hour INTEGER NOT NULL,
    session_key TEXT NOT NULL,
    day INTEGER,
    orchestrator_address TEXT,
    pipeline_id TEXT,
    model_id TEXT,
    status_samples INTEGER,
    fps_positive_samples INTEGER,
    running_samples INTEGER,
    error_samples INTEGER,
    fps_sum BLOB,
    latency_samples INTEGER,
    latency_sum BLOB,
    tail_artefact INTEGER,
    PRIMARY KEY (org, hour, session_key)
) STRICT, WITHOUT ROWID;

CREATE TABLE sla (
    window_start INTEGER NOT NULL,
    org TEXT NOT NULL,
    orchestrator_address TEXT,
    pipeline_id TEXT,
    model_id TEXT,
    gpu_id TEXT,
    gpu_model_name TEXT,
    region TEXT,
    known_sessions_count INTEGER,
    requested_sessions INTEGER,
    startup_success_sessions INTEGER,
    no_orch_sessions INTEGER,
    startup_excused_sessions INTEGER,
    startup_failed_sessions INTEGER,
    loading_only_sessions INTEGER,
    zero_output_fps_sessions INTEGER,
    output_failed_sessions INTEGER,
    effective_failed_sessions INTEGER,
    confirmed_swapped_sessions INTEGER,
    inferred_swap_sessions INTEGER,
    total_swapped_sessions INTEGER,
    sessions_ending_in_error INTEGER,
    error_status_samples INTEGER,
    health_signal_count INTEGER,
    health_expected_signal_count INTEGER,
    output_fps_sum REAL,
    status_samples INTEGER,
    prompt_to_first_frame_sum_ms REAL,
    prompt_to_first_frame_sample_count INTEGER,
    e2e_latency_sum_ms REAL,
    e2e_latency_sample_count INTEGER,
    health_signal_coverage_ratio REAL,
    startup_success_rate REAL,
    excused_failure_rate REAL,
    effective_success_rate REAL,
    no_swap_rate REAL,
    output_viability_rate REAL,
    avg_output_fps REAL,
    avg_prompt_to_first_frame_ms REAL,
    avg_e2e_latency_ms REAL,
    ptff_p50 REAL,
    ptff_p90 REAL,
    ptff_benchmark_row_count INTEGER,
    e2e_p50 REAL,
    e2e_p90 REAL,
    e2e_benchmark_row_count INTEGER,
    fps_p10 REAL,
    fps_p50 REAL,
    fps_benchmark_row_count INTEGER,
    ptff_score_raw REAL,
    e2e_score_raw REAL,
    fps_score_raw REAL,
    reliability_score REAL,
    ptff_score REAL,
    e2e_score REAL,
    latency_score REAL,
    fps_score REAL,
    quality_score REAL,
    sla_semantics_version TEXT,
    sla_score REAL,
    null_reason TEXT,
    quality_note TEXT,
    position INTEGER NOT NULL,
    PRIMARY KEY (window_start, org, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE benchmark_day (
    day INTEGER NOT NULL,
    pipeline_id TEXT,
    model_id TEXT,
    ptff_p50 REAL,
    ptff_p90 REAL,
    ptff_count INTEGER,
    e2e_p50 REAL,
    e2e_p90 REAL,
    e2e_count INTEGER,
    fps_p10 REAL,
    fps_p50 REAL,
    fps_count INTEGER,
    position INTEGER NOT NULL,
    PRIMARY KEY (day, position)
) STRICT, WITHOUT ROWID;

CREATE INDEX selection_by_session ON selection (session_key, selection_ts);
CREATE INDEX session_by_time ON session (last_seen);
CREATE INDEX session_hour_by_session ON session_hour (session_key, hour);
CREATE INDEX sla_by_orchestrator ON sla (orchestrator_address, window_start);

PRAGMA user_version = 2;
