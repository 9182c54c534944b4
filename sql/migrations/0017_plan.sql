-- Plans, what became of their runs, and their seeds.
--
-- Derived from the journal's lines, and again by `rebuild`, except plan_seed.
-- Times are milliseconds since 1970 UTC, stamps of the vantage's clock.

-- Columns in the order of the fields in journal/plan.c, between the two of its
-- own at either end.
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
    made_at INTEGER NOT NULL,
    runs INTEGER NOT NULL,          -- that it has, all targets together
    line INTEGER NOT NULL           -- of evidence
) STRICT, WITHOUT ROWID;

CREATE INDEX plan_by_start ON plan (starts_at, plan_hash);

-- In the order of the fields in journal/plan.c.
CREATE TABLE plan_target (
    plan_hash TEXT NOT NULL,
    number INTEGER NOT NULL,        -- place in the plan, from 0
    orchestrator_url TEXT NOT NULL,
    workflow TEXT NOT NULL,
    workflow_sha256 TEXT,
    model_id TEXT,
    gpu_id TEXT,
    prompts_sha256 TEXT,
    prompts INTEGER NOT NULL,
    strata INTEGER NOT NULL,
    PRIMARY KEY (plan_hash, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE plan_reveal (
    plan_hash TEXT PRIMARY KEY,
    seed BLOB NOT NULL,
    revealed_at INTEGER NOT NULL,
    line INTEGER NOT NULL           -- of evidence
) STRICT, WITHOUT ROWID;

-- Secret until it is revealed, and then deleted here. The one table that no
-- evidence gives again: a plan whose seed is lost cannot be gone on with.
CREATE TABLE plan_seed (
    plan_hash TEXT PRIMARY KEY,
    seed BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- Every row that was written; of one planned run the latest one stands. Columns
-- in the order of the fields in journal/ledger.c.
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
    stopped_early TEXT,
    seq INTEGER PRIMARY KEY,        -- of the journal's chain
    line INTEGER NOT NULL,          -- of evidence
    latest INTEGER NOT NULL         -- 1: it stands for its planned run
) STRICT;

CREATE INDEX ledger_of_plan ON ledger (plan_hash, latest, due_at);
CREATE INDEX ledger_by_time ON ledger (due_at, seq) WHERE latest = 1;

PRAGMA user_version = 17;
