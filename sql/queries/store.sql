-- Opening, transactions, and the health of the file.

-- name: store_application_id
-- 0 in a file that nobody has claimed yet.
PRAGMA application_id;

-- name: store_claim
-- Says again what the first migration said ("assy"): a commit without change.
PRAGMA application_id = 0x61737379;

-- name: store_user_version
-- The number of the last migration that was applied.
PRAGMA user_version;

-- name: store_table_count
SELECT count(*) FROM sqlite_schema;

-- name: store_set_page_size
-- Before the first table is made; chosen for blobs of some 30 KB.
PRAGMA page_size = 8192;

-- name: store_set_auto_vacuum
-- 2, incremental (shrink.c); before the first table is made, too.
PRAGMA auto_vacuum = 2;

-- name: store_auto_vacuum
PRAGMA auto_vacuum;

-- name: store_free_pages
PRAGMA freelist_count;

-- name: store_shrink_some
PRAGMA incremental_vacuum(256);

-- name: store_rewrite
-- All that is in use, in a new file ?1.
VACUUM INTO ?1;

-- name: store_set_wal
PRAGMA journal_mode = WAL;

-- name: store_set_synchronous
-- Commit returns after the log is on the disk.
PRAGMA synchronous = FULL;

-- name: store_set_journal_limit
-- A log that grew under a slow reader is cut back to 64 MB.
PRAGMA journal_size_limit = 67108864;

-- name: store_set_cache
-- Kibibytes, as a negative number.
PRAGMA cache_size = -8192;

-- name: store_set_large_cache
PRAGMA cache_size = -65536;

-- name: store_set_temporary
-- No files in /tmp: containers have none.
PRAGMA temp_store = MEMORY;

-- name: store_set_map
-- Readers take pages from the page cache without copying them.
PRAGMA mmap_size = 268435456;

-- name: store_set_query_only
PRAGMA query_only = 1;

-- name: store_set_cell_check
-- Damaged pages are found when they are read.
PRAGMA cell_size_check = 1;

-- name: store_begin_write
BEGIN IMMEDIATE;

-- name: store_begin_snapshot
BEGIN;

-- name: store_commit_transaction
COMMIT;

-- name: store_rollback_transaction
ROLLBACK;

-- name: store_checkpoint
PRAGMA wal_checkpoint(TRUNCATE);

-- name: store_quick_check
-- One row 'ok', or one row a defect.
PRAGMA quick_check(20);

-- name: store_schema
-- What a migrated file and a fresh one must have in common.
SELECT type, name, tbl_name, coalesce(sql, '')
FROM sqlite_schema ORDER BY type, name;

-- name: simulation
SELECT seed, honest, began_at, hour_ms FROM simulation;

-- name: simulation_set
INSERT INTO simulation VALUES (1, ?1, ?2, ?3, ?4);

-- name: simulation_forbidden
-- Whether there is anything that could be real, or a demonstration's.
SELECT EXISTS (SELECT 1 FROM evidence_feed) OR EXISTS (SELECT 1 FROM simulation);

-- name: simulation_clock
-- The newest stamp that it holds; null before the first.
SELECT nullif(max((SELECT coalesce(max(last_event), 0) FROM count_total),
                  (SELECT coalesce(max(at_ms), 0) FROM journal_entry)), 0);
