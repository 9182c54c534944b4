-- Whether this store tells of a network that does not exist.
--
-- A row stands here from before the first line of a demonstration. Nothing
-- derives it and nothing takes it away, so that what was simulated can never
-- be taken for something that was measured.

CREATE TABLE simulation (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    seed INTEGER NOT NULL,           -- of all chance in it
    honest INTEGER NOT NULL,         -- 1: nobody is flattered
    began_at INTEGER NOT NULL,       -- by its clock, ms since 1970 UTC
    hour_ms INTEGER NOT NULL         -- how long an hour of its clock lasts
) STRICT;

PRAGMA user_version = 19;
