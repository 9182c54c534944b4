-- Plans, their targets, their seeds, and the ledger.

-- name: plan_add
INSERT OR IGNORE INTO plan VALUES (
    ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16,
    ?17, ?18, ?19, ?20
);

-- name: plan_target_add
INSERT OR IGNORE INTO plan_target VALUES (
    ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11
);

-- name: plan_reveal_add
INSERT OR IGNORE INTO plan_reveal (plan_hash, seed, revealed_at, line)
VALUES (?1, ?2, ?3, ?4);

-- name: plan_all
-- The last one first; with how many runs are planned.
SELECT * FROM plan ORDER BY starts_at DESC, plan_hash;

-- name: plan_line
-- Where the plan's evidence lies.
SELECT line FROM plan WHERE plan_hash = ?1;

-- name: plan_named
-- Plans whose hash begins with ?1; no more than two.
SELECT plan_hash FROM plan
WHERE substr(plan_hash, 1, length(?1)) = ?1 LIMIT 2;

-- name: plan_latest
SELECT plan_hash FROM plan ORDER BY starts_at DESC, made_at DESC, plan_hash
LIMIT 1;

-- name: plan_targets
SELECT * FROM plan_target WHERE plan_hash = ?1 ORDER BY number;

-- name: plan_reveal_of
SELECT seed, revealed_at FROM plan_reveal WHERE plan_hash = ?1;

-- name: plan_seed_add
INSERT OR REPLACE INTO plan_seed (plan_hash, seed) VALUES (?1, ?2);

-- name: plan_seed_drop
DELETE FROM plan_seed WHERE plan_hash = ?1;

-- name: plan_seed_tidy
-- Of plans that were never written down, or are revealed.
DELETE FROM plan_seed
WHERE plan_hash NOT IN (SELECT plan_hash FROM plan)
    OR plan_hash IN (SELECT plan_hash FROM plan_reveal);

-- name: plan_unrevealed
-- Plans that can be gone on with, the earliest first.
SELECT p.plan_hash, p.starts_at, p.ends_at, p.line, s.seed
FROM plan AS p JOIN plan_seed AS s USING (plan_hash)
WHERE p.plan_hash NOT IN (SELECT plan_hash FROM plan_reveal)
ORDER BY p.starts_at, p.plan_hash;

-- name: plan_last_stamp
-- The latest stamp that was ever given.
SELECT max(
    ifnull((SELECT max(decided_at) FROM ledger), 0),
    ifnull((SELECT max(made_at) FROM plan), 0),
    ifnull((SELECT max(revealed_at) FROM plan_reveal), 0)
);

-- name: ledger_supersede
UPDATE ledger SET latest = 0
WHERE plan_hash = ?1 AND latest = 1 AND due_at = ?2
    AND orchestrator_url = ?3 AND workflow = ?4 AND model_id IS ?5
    AND gpu_id IS ?6 AND stratum = ?7;

-- name: ledger_add
INSERT OR REPLACE INTO ledger VALUES (
    ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16,
    ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27, ?28, ?29, ?30,
    ?31, 1
);

-- name: ledger_of_plan
-- All of its rows in the order in which they were written.
SELECT * FROM ledger WHERE plan_hash = ?1 ORDER BY seq;

-- name: ledger_standing
-- One row for each of the plan's runs that has any.
SELECT * FROM ledger WHERE plan_hash = ?1 AND latest = 1 ORDER BY due_at, seq;

-- name: ledger_export
-- One row for each planned run that was decided, by its time.
SELECT * FROM ledger
WHERE latest = 1 AND due_at >= ?1 AND due_at < ?2
ORDER BY due_at, seq;

-- name: ledger_of_day
-- Rows that began on a day, or were decided on it where nothing did, and stand;
-- of any plan.
SELECT * FROM ledger
WHERE latest = 1 AND ifnull(began_at, decided_at) >= ?1
    AND ifnull(began_at, decided_at) < ?2
ORDER BY seq;

-- name: ledger_ends
-- Runs that ended from ?1 until ?2, both included, of any plan but ?3.
SELECT orchestrator_url, ended_at, measured, seq FROM ledger
WHERE state = 'ended' AND ended_at >= ?1 AND ended_at <= ?2
    AND (?3 IS NULL OR plan_hash <> ?3)
ORDER BY ended_at, seq;

-- name: ledger_evidence
-- Runs of each target since ?1 that told something of it: that it is busy is
-- an answer, and who always is would else come first for ever. The last column
-- counts those that show that the model is there.
SELECT orchestrator_url, workflow, model_id, gpu_id, count(*),
    count(*) FILTER (WHERE measured = 'ok' OR reason = 'busy') FROM ledger
WHERE latest = 1 AND due_at >= ?1
    AND (state IN ('ended', 'executed')
         OR reason IN ('busy', 'no_capacity'))
GROUP BY orchestrator_url, workflow, model_id, gpu_id;

-- name: ledger_counts
SELECT state, reason, count(*) FROM ledger
WHERE plan_hash = ?1 AND latest = 1
GROUP BY state, reason ORDER BY state, reason;

-- name: plan_runs_of
SELECT * FROM run WHERE plan_hash = ?1 ORDER BY started_at, run_id;

-- name: replay_clear_plans
DELETE FROM plan;

-- name: replay_clear_plan_targets
DELETE FROM plan_target;

-- name: replay_clear_plan_reveals
DELETE FROM plan_reveal;

-- name: replay_clear_ledger
DELETE FROM ledger;
