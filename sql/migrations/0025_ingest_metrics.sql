-- How packets of sessions came in at gateways, and the means of it in hours of
-- lens assay (app/rollup/hour_extras.h).

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

-- The rows of lens assay are made again, because figures are packed in the
-- order of the field lists.
INSERT OR IGNORE INTO dirty_hour (hour, org)
SELECT window_start, org FROM assay_sla;

INSERT OR IGNORE INTO rebuild_wanted (missing)
SELECT 'packets coming in at gateways' WHERE EXISTS
    (SELECT 1 FROM count_total WHERE family = 'stream_ingest_metrics');

DELETE FROM assay_sla;
DELETE FROM assay_gpu_hour;

PRAGMA user_version = 25;
