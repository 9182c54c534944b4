-- How packets of sessions came in at gateways, and the means of it in hours of
-- lens assay. Its tables are made anew, because columns stand in the order of
-- the field lists (app/rollup/hour_extras.h).

-- What reports on one organisation's sessions of one UTC hour add up to, in
-- chunks as session_day.
CREATE TABLE ingest_hour (
    org TEXT NOT NULL,
    hour INTEGER NOT NULL,
    chunk INTEGER NOT NULL,
    sums BLOB NOT NULL,
    PRIMARY KEY (org, hour, chunk)
) STRICT, WITHOUT ROWID;

CREATE INDEX ingest_hour_chunked ON ingest_hour (org, hour) WHERE chunk > 0;

-- Their rows are made again.
INSERT OR IGNORE INTO dirty_hour (hour, org)
SELECT window_start, org FROM assay_sla;

INSERT OR IGNORE INTO rebuild_wanted (missing)
SELECT 'packets coming in at gateways' WHERE EXISTS
    (SELECT 1 FROM count_total WHERE family = 'stream_ingest_metrics');

DROP TABLE assay_sla;
DROP TABLE assay_gpu_hour;

CREATE TABLE assay_sla (
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
    fps_samples INTEGER,
    fps_jitter_coefficient REAL,
    fps_jitter_sum REAL,
    fps_jitter_hour_count INTEGER,
    cold_sessions INTEGER,
    cold_startup_latency_sum_ms INTEGER,
    cold_startup_latency_sample_count INTEGER,
    avg_cold_startup_latency_ms REAL,
    warm_startup_latency_sum_ms INTEGER,
    warm_startup_latency_sample_count INTEGER,
    avg_warm_startup_latency_ms REAL,
    ingest_video_packet_jitter_sum_ms REAL,
    ingest_video_packet_jitter_sample_count INTEGER,
    avg_ingest_video_packet_jitter_ms REAL,
    ingest_audio_packet_jitter_sum_ms REAL,
    ingest_audio_packet_jitter_sample_count INTEGER,
    avg_ingest_audio_packet_jitter_ms REAL,
    null_reason TEXT,
    quality_note TEXT,
    position INTEGER NOT NULL,
    sketches BLOB,
    PRIMARY KEY (window_start, org, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE assay_gpu_hour (
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
    fps_jitter_sum REAL,
    fps_jitter_hour_count INTEGER,
    cold_sessions INTEGER,
    cold_startup_latency_sum_ms INTEGER,
    cold_startup_latency_sample_count INTEGER,
    avg_cold_startup_latency_ms REAL,
    warm_startup_latency_sum_ms INTEGER,
    warm_startup_latency_sample_count INTEGER,
    avg_warm_startup_latency_ms REAL,
    ingest_video_packet_jitter_sum_ms REAL,
    ingest_video_packet_jitter_sample_count INTEGER,
    avg_ingest_video_packet_jitter_ms REAL,
    ingest_audio_packet_jitter_sum_ms REAL,
    ingest_audio_packet_jitter_sample_count INTEGER,
    avg_ingest_audio_packet_jitter_ms REAL,
    position INTEGER NOT NULL,
    PRIMARY KEY (window_start, org, position)
) STRICT, WITHOUT ROWID;

CREATE INDEX assay_sla_newest
    ON assay_sla (window_start DESC, org, position);
CREATE INDEX assay_sla_by_orchestrator
    ON assay_sla (orchestrator_address, window_start DESC, org, position);
CREATE INDEX assay_gpu_hour_newest
    ON assay_gpu_hour (window_start DESC, org, position);
CREATE INDEX assay_gpu_hour_by_orchestrator
    ON assay_gpu_hour (orchestrator_address, window_start DESC, org, position);

PRAGMA user_version = 25;
