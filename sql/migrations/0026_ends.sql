-- When runs ended, how each was measured, and why it is set aside. The table is
-- made anew, because columns stand in the order of the field list in
-- journal/ledger.c. And the cards that a plan's targets were told to have.

ALTER TABLE plan_target ADD COLUMN gpu_ids TEXT; -- parted by commas

DROP INDEX ledger_of_plan;
DROP INDEX ledger_by_time;
ALTER TABLE ledger RENAME TO ledger_before;

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
    ended_at INTEGER,               -- null in rows from before it was kept
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
    measured TEXT,                  -- outcome, as the run's line has it
    set_aside TEXT,
    stopped_early TEXT,
    seq INTEGER PRIMARY KEY,        -- of the journal's chain
    line INTEGER NOT NULL,          -- of evidence
    latest INTEGER NOT NULL         -- 1: it stands for its planned run
) STRICT;

INSERT INTO ledger
SELECT plan_hash, orchestrator_url, workflow, model_id, gpu_id, stratum,
       due_at, decided_at, began_at, NULL, state, reason, run_id, prompt_id,
       idle, busy, idle_ms, used_ms, planned_ms, run_ms, cost_wei,
       clock_offset_ms, controls, controls_failed, fleet,
       fleet_failed, NULL, NULL, stopped_early, seq, line, latest
FROM ledger_before;
DROP TABLE ledger_before;

CREATE INDEX ledger_of_plan ON ledger (plan_hash, latest, due_at);
CREATE INDEX ledger_by_time ON ledger (due_at, seq) WHERE latest = 1;
CREATE INDEX ledger_by_end ON ledger (ended_at, seq)
WHERE state = 'ended';

PRAGMA user_version = 26;
