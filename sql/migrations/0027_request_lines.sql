-- Payments and candidates of discovery by the numbers of their evidence lines.

-- How EVENTS are kept: 0 whole, 1 by their lines (app/livepeer/request_runs.h),
-- 2 whole for good, because the evidence of their day is going. Kinds 2 and 3
-- become 1 where they are still 0.
ALTER TABLE request_hour ADD COLUMN form INTEGER NOT NULL DEFAULT 0;

DROP INDEX request_hour_chunked;
CREATE INDEX request_hour_unjoined ON request_hour (org, kind, hour)
    WHERE chunk > 0 OR (kind >= 2 AND form = 0);

PRAGMA user_version = 27;
