-- The journal: what we did ourselves, and runs.

-- name: journal_head
SELECT seq, hash FROM journal_entry ORDER BY seq DESC LIMIT 1;

-- name: journal_entry_add
INSERT OR REPLACE INTO journal_entry (seq, type, id, at_ms, line, hash)
VALUES (?1, ?2, ?3, ?4, ?5, ?6);

-- name: journal_run_add
INSERT OR REPLACE INTO run VALUES (
    ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16,
    ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27, ?28, ?29, ?30,
    ?31, ?32, ?33, ?34, ?35, ?36, ?37, ?38, ?39, ?40, ?41, ?42, ?43, ?44,
    ?45, ?46, ?47, ?48, ?49, ?50, ?51
);

-- name: journal_run_set_aside
-- Its line keeps what was measured.
UPDATE run SET outcome = ?2, reason = ?3 WHERE run_id = ?1;

-- name: journal_samples_add
INSERT OR REPLACE INTO run_samples (run_id, line) VALUES (?1, ?2);

-- name: journal_samples_hash
-- What a run says of its samples.
SELECT samples_sha256 FROM run WHERE run_id = ?1;

-- name: journal_samples_missing
SELECT run_id FROM run
WHERE samples_sha256 IS NOT NULL
    AND run_id NOT IN (SELECT run_id FROM run_samples);

-- name: journal_run_export
-- Oldest first.
SELECT * FROM run
WHERE started_at >= ?1 AND started_at < ?2
ORDER BY started_at, run_id;

-- name: journal_run_costs
-- Of the runs that started within the time.
SELECT cost_wei FROM run
WHERE started_at >= ?1 AND started_at < ?2 AND cost_wei IS NOT NULL;

-- name: journal_run_costs_by_hand
-- The same of runs that no plan had.
SELECT cost_wei FROM run
WHERE started_at >= ?1 AND started_at < ?2 AND cost_wei IS NOT NULL
    AND plan_hash IS NULL;

-- name: replay_clear_journal
DELETE FROM journal_entry;

-- name: replay_clear_runs
DELETE FROM run;
