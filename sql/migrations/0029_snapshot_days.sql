-- Capability snapshots of days long settled, as one row a day.

-- What a row is: 0 of its hour, 1 of the whole day that begins with it, 2 of
-- its hour, because the day is too large to be one row (app/rollup/
-- snapshot_days.h). 0 becomes one of the others when the day is over.
ALTER TABLE snapshot_hour ADD COLUMN form INTEGER NOT NULL DEFAULT 0;
CREATE INDEX snapshot_hour_apart ON snapshot_hour (hour, org) WHERE form = 0;

PRAGMA user_version = 29;
