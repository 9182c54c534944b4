-- Rows of sessions that are long over lie together in packs.

-- All rows of session, selection, session_hour, gateway_hour and session_day of
-- the sessions that were heard of last in one hour, up to a number of them, in
-- compressed columns (see app/store/packed.h). Of a session with very many rows
-- only the one in table session is here, the others stay where they were.
CREATE TABLE session_pack (
    pack INTEGER PRIMARY KEY,       -- the greater, the later
    hour INTEGER NOT NULL,
    sessions INTEGER NOT NULL,
    rows BLOB NOT NULL
) STRICT;

-- Where the sessions of packs are, by their keys and by their requests.
CREATE TABLE session_place (
    place INTEGER NOT NULL,         -- place_of_session(session_key)
    pack INTEGER NOT NULL,
    PRIMARY KEY (place, pack)
) STRICT, WITHOUT ROWID;

-- Which packs have rows that tell of an hour: of session_hour and gateway_hour,
-- and sessions that began in it, by either lens.
CREATE TABLE pack_hour (
    pack INTEGER NOT NULL,
    org TEXT NOT NULL,
    hour INTEGER NOT NULL,
    PRIMARY KEY (org, hour, pack)
) STRICT, WITHOUT ROWID;
CREATE INDEX pack_hour_of_pack ON pack_hour (pack);

-- Which packs have selections or events of a day.
CREATE TABLE pack_day (
    pack INTEGER NOT NULL,
    org TEXT NOT NULL,
    day INTEGER NOT NULL,
    PRIMARY KEY (org, day, pack)
) STRICT, WITHOUT ROWID;
CREATE INDEX pack_day_of_pack ON pack_day (pack);

-- Whom the selections of a day in packs name, and how many packs do.
CREATE TABLE pack_name (
    org TEXT NOT NULL,
    day INTEGER NOT NULL,
    observed_address TEXT NOT NULL,
    observed_url TEXT NOT NULL,
    packs INTEGER NOT NULL,
    PRIMARY KEY (org, day, observed_address, observed_url)
) STRICT, WITHOUT ROWID;

-- The tables packed_... are no tables of this file but of the program; what is
-- not in a pack can be read without it.
CREATE VIEW every_session AS
SELECT * FROM session UNION ALL SELECT * FROM packed_session;

CREATE VIEW every_selection AS
SELECT * FROM selection UNION ALL SELECT * FROM packed_selection;

CREATE VIEW every_session_hour AS
SELECT * FROM session_hour UNION ALL SELECT * FROM packed_session_hour;

CREATE VIEW every_gateway_hour AS
SELECT * FROM gateway_hour UNION ALL SELECT * FROM packed_gateway_hour;

CREATE VIEW every_session_day AS
SELECT * FROM session_day UNION ALL SELECT * FROM packed_session_day;

PRAGMA user_version = 28;
