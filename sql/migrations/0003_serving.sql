-- What the published series are served from, beside the SLA rows.
--
-- Derived like everything in the migration before: written by settling, and
-- again by `rebuild`.

-- Status samples of one session's hour by the gateway that reported them.
CREATE TABLE gateway_hour (
    org TEXT NOT NULL,
    hour INTEGER NOT NULL,
    session_key TEXT NOT NULL,
    gateway TEXT NOT NULL,
    status_samples INTEGER,
    fps_sum BLOB,
    PRIMARY KEY (org, hour, session_key, gateway)
) STRICT, WITHOUT ROWID;

CREATE INDEX gateway_hour_by_session ON gateway_hour (session_key, hour);

CREATE TABLE demand (
    window_start INTEGER NOT NULL,
    org TEXT NOT NULL,
    gateway TEXT,
    region TEXT,
    pipeline_id TEXT,
    model_id TEXT,
    sessions_count INTEGER,
    known_sessions_count INTEGER,
    requested_sessions INTEGER,
    startup_success_sessions INTEGER,
    no_orch_sessions INTEGER,
    startup_excused_sessions INTEGER,
    startup_failed_sessions INTEGER,
    loading_only_sessions INTEGER,
    zero_output_fps_sessions INTEGER,
    effective_failed_sessions INTEGER,
    confirmed_swapped_sessions INTEGER,
    inferred_swap_sessions INTEGER,
    total_swapped_sessions INTEGER,
    sessions_ending_in_error INTEGER,
    error_status_samples INTEGER,
    health_signal_count INTEGER,
    health_expected_signal_count INTEGER,
    health_signal_coverage_ratio REAL,
    startup_success_rate REAL,
    excused_failure_rate REAL,
    effective_success_rate REAL,
    output_fps_sum REAL,
    status_samples INTEGER,
    avg_output_fps REAL,
    total_minutes REAL,
    ticket_face_value_eth REAL,
    position INTEGER NOT NULL,
    PRIMARY KEY (window_start, org, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE gpu_hour (
    window_start INTEGER NOT NULL,
    org TEXT NOT NULL,
    orchestrator_address TEXT,
    pipeline_id TEXT,
    model_id TEXT,
    gpu_id TEXT,
    gpu_model_name TEXT,
    region TEXT,
    gpu_memory_bytes_total INTEGER,
    runner_version TEXT,
    cuda_version TEXT,
    known_sessions_count INTEGER,
    startup_success_sessions INTEGER,
    no_orch_sessions INTEGER,
    startup_excused_sessions INTEGER,
    startup_failed_sessions INTEGER,
    confirmed_swapped_sessions INTEGER,
    inferred_swap_sessions INTEGER,
    total_swapped_sessions INTEGER,
    sessions_ending_in_error INTEGER,
    error_status_samples INTEGER,
    health_signal_count INTEGER,
    health_expected_signal_count INTEGER,
    health_signal_coverage_ratio REAL,
    output_fps_sum REAL,
    status_samples INTEGER,
    avg_output_fps REAL,
    p95_output_fps REAL,
    fps_jitter_coefficient REAL,
    prompt_to_first_frame_sum_ms REAL,
    prompt_to_first_frame_sample_count INTEGER,
    avg_prompt_to_first_frame_ms REAL,
    p95_prompt_to_first_frame_latency_ms REAL,
    startup_latency_sum_ms REAL,
    startup_latency_sample_count INTEGER,
    avg_startup_latency_ms REAL,
    p95_startup_latency_ms REAL,
    e2e_latency_sum_ms REAL,
    e2e_latency_sample_count INTEGER,
    avg_e2e_latency_ms REAL,
    p95_e2e_latency_ms REAL,
    startup_failed_rate REAL,
    swap_rate REAL,
    position INTEGER NOT NULL,
    PRIMARY KEY (window_start, org, position)
) STRICT, WITHOUT ROWID;

-- A session is demand in the hour of its start, else of its end.
CREATE INDEX session_by_start ON session (org, ifnull(started_at, last_seen));

-- What was settled before has none of these rows yet.
INSERT OR IGNORE INTO dirty_session (org, day, session_key)
SELECT org, day, session_key FROM session_day;

INSERT OR IGNORE INTO dirty_hour (hour, org)
SELECT hour, org FROM session_hour
UNION
SELECT ifnull(started_at, last_seen) / 3600000 * 3600000, org FROM session;

PRAGMA user_version = 3;
