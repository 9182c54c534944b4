-- The distributions of latencies and frames per second (app/rollup/sketch.h),
-- from single hours of sessions up to days.

ALTER TABLE session_hour ADD COLUMN fps_sketch BLOB;
ALTER TABLE session_hour ADD COLUMN latency_sketch BLOB;
ALTER TABLE sla ADD COLUMN sketches BLOB;
ALTER TABLE assay_sla ADD COLUMN sketches BLOB;

-- Of one organisation's UTC day, merged from its hours; see
-- app/rollup/sketch_groups.h. One column for each metric, so that a question
-- about one of them reads no other.
CREATE TABLE sketch_day (
    lens INTEGER NOT NULL,           -- 0 published, 1 assay
    day INTEGER NOT NULL,
    org TEXT NOT NULL,
    last_window INTEGER NOT NULL,
    keys BLOB NOT NULL,
    startup_latency_ms BLOB NOT NULL,
    ptff_ms BLOB NOT NULL,
    e2e_latency_ms BLOB NOT NULL,
    output_fps BLOB NOT NULL,
    PRIMARY KEY (lens, day, org)
) STRICT, WITHOUT ROWID;

-- What was settled before has none of this yet.
INSERT OR IGNORE INTO dirty_session (org, day, session_key)
SELECT org, day, session_key FROM session_day;

INSERT OR IGNORE INTO dirty_hour (hour, org)
SELECT hour, org FROM session_hour;

PRAGMA user_version = 15;
