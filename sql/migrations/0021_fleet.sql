-- By which share of failing orchestrators a failed run is set aside, and what
-- was seen of the fleet. Both tables are made anew, because columns stand in
-- the order of the field lists in journal/plan.c and journal/ledger.c.

DROP INDEX plan_by_start;
DROP INDEX ledger_of_plan;
DROP INDEX ledger_by_time;
ALTER TABLE plan RENAME TO plan_before;
ALTER TABLE ledger RENAME TO ledger_before;

CREATE TABLE plan (
    plan_hash TEXT PRIMARY KEY,     -- hex
    vantage TEXT,
    seed_sha256 TEXT NOT NULL,
    starts_at INTEGER NOT NULL,
    ends_at INTEGER NOT NULL,
    hour_ms INTEGER NOT NULL,
    run_ms INTEGER NOT NULL,
    run_spread_ms INTEGER NOT NULL,
    idle_share_ppm INTEGER NOT NULL,
    run_ms_per_hour INTEGER NOT NULL,
    runs_at_once INTEGER NOT NULL,
    run_wei INTEGER NOT NULL,
    day_wei INTEGER NOT NULL,
    control_targets TEXT,
    control_fail_ppm INTEGER NOT NULL,
    fleet_fail_ppm INTEGER,         -- null in plans from before the rule
    fleet_window_ms INTEGER,
    made_at INTEGER NOT NULL,
    runs INTEGER NOT NULL,          -- that it has, all targets together
    line INTEGER NOT NULL           -- of evidence
) STRICT, WITHOUT ROWID;

INSERT INTO plan
SELECT plan_hash, vantage, seed_sha256, starts_at, ends_at, hour_ms,
       run_ms, run_spread_ms, idle_share_ppm, run_ms_per_hour,
       runs_at_once, run_wei, day_wei, control_targets,
       control_fail_ppm, NULL, NULL, made_at, runs, line
FROM plan_before;
DROP TABLE plan_before;

CREATE INDEX plan_by_start ON plan (starts_at, plan_hash);

CREATE TABLE ledger (
    plan_hash TEXT NOT NULL,
    orchestrator_url TEXT NOT NULL,
    workflow TEXT NOT NULL,
    model_id TEXT,
    gpu_id TEXT,
    stratum INTEGER NOT NULL,
    due_at INTEGER NOT NULL,
    decided_at INTEGER NOT NULL,
    began_at INTEGER,
    state TEXT NOT NULL,
    reason TEXT,
    run_id TEXT,
    prompt_id TEXT,
    idle INTEGER,
    busy INTEGER,
    idle_ms INTEGER,
    used_ms INTEGER,
    planned_ms INTEGER NOT NULL,
    run_ms INTEGER,
    cost_wei INTEGER,
    clock_offset_ms INTEGER,
    controls INTEGER,
    controls_failed INTEGER,
    fleet INTEGER,
    fleet_failed INTEGER,
    stopped_early TEXT,
    seq INTEGER PRIMARY KEY,        -- of the journal's chain
    line INTEGER NOT NULL,          -- of evidence
    latest INTEGER NOT NULL         -- 1: it stands for its planned run
) STRICT;

INSERT INTO ledger
SELECT plan_hash, orchestrator_url, workflow, model_id, gpu_id, stratum,
       due_at, decided_at, began_at, state, reason, run_id, prompt_id,
       idle, busy, idle_ms, used_ms, planned_ms, run_ms, cost_wei,
       clock_offset_ms, controls, controls_failed, NULL, NULL,
       stopped_early, seq, line, latest
FROM ledger_before;
DROP TABLE ledger_before;

CREATE INDEX ledger_of_plan ON ledger (plan_hash, latest, due_at);
CREATE INDEX ledger_by_time ON ledger (due_at, seq) WHERE latest = 1;

PRAGMA user_version = 21;
