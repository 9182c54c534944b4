-- Hourly rows as they are read: what queries ask by in columns, the figures
-- packed in one (base/fields_pack.h, in the order of the field lists). The
-- tables of both lenses are alike.
--
-- Lists go from the newest hour back, and by organisation and position within
-- it. Rows stand in the order in which they come, for a table that grows at its
-- front is half empty; so lists take the hours from settled_hour, the newest
-- first, and each hour's rows as they stand.
--
-- The index of orchestrators takes eight digits of an address: enough to tell
-- them apart, and half the room.

DROP TABLE sla;
DROP TABLE assay_sla;
DROP TABLE demand;
DROP TABLE assay_demand;
DROP TABLE gpu_hour;
DROP TABLE assay_gpu_hour;

CREATE TABLE sla (
    window_start INTEGER NOT NULL,
    org TEXT NOT NULL,
    orchestrator_address TEXT,
    pipeline_id TEXT,
    model_id TEXT,
    gpu_id TEXT,
    figures BLOB NOT NULL,
    position INTEGER NOT NULL,
    sketches BLOB,
    PRIMARY KEY (window_start, org, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE demand (
    window_start INTEGER NOT NULL,
    org TEXT NOT NULL,
    gateway TEXT,
    region TEXT,
    pipeline_id TEXT,
    model_id TEXT,
    figures BLOB NOT NULL,
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
    figures BLOB NOT NULL,
    position INTEGER NOT NULL,
    PRIMARY KEY (window_start, org, position)
) STRICT, WITHOUT ROWID;

CREATE INDEX sla_by_orchestrator ON sla (
    substr(orchestrator_address, 3, 8), window_start DESC, org, position
);
CREATE INDEX gpu_hour_by_orchestrator ON gpu_hour (
    substr(orchestrator_address, 3, 8), window_start DESC, org, position
);

CREATE TABLE assay_sla (
    window_start INTEGER NOT NULL,
    org TEXT NOT NULL,
    orchestrator_address TEXT,
    pipeline_id TEXT,
    model_id TEXT,
    gpu_id TEXT,
    figures BLOB NOT NULL,
    position INTEGER NOT NULL,
    sketches BLOB,
    PRIMARY KEY (window_start, org, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE assay_demand (
    window_start INTEGER NOT NULL,
    org TEXT NOT NULL,
    gateway TEXT,
    region TEXT,
    pipeline_id TEXT,
    model_id TEXT,
    figures BLOB NOT NULL,
    position INTEGER NOT NULL,
    PRIMARY KEY (window_start, org, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE assay_gpu_hour (
    window_start INTEGER NOT NULL,
    org TEXT NOT NULL,
    orchestrator_address TEXT,
    pipeline_id TEXT,
    model_id TEXT,
    gpu_id TEXT,
    figures BLOB NOT NULL,
    position INTEGER NOT NULL,
    PRIMARY KEY (window_start, org, position)
) STRICT, WITHOUT ROWID;

CREATE INDEX assay_sla_by_orchestrator ON assay_sla (
    substr(orchestrator_address, 3, 8), window_start DESC, org, position
);
CREATE INDEX assay_gpu_hour_by_orchestrator ON assay_gpu_hour (
    substr(orchestrator_address, 3, 8), window_start DESC, org, position
);

-- The hours that have a row in any of these tables.
CREATE TABLE settled_hour (
    hour INTEGER PRIMARY KEY
) STRICT;

-- Their rows are made again.
INSERT OR IGNORE INTO dirty_hour (hour, org)
SELECT hour, org FROM session_hour
UNION
SELECT ifnull(started_at, last_seen) / 3600000 * 3600000, org FROM session
UNION
SELECT assay_start, org FROM session WHERE assay_start IS NOT NULL;

PRAGMA user_version = 22;
