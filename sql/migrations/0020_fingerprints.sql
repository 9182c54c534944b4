-- Fingerprints are of time and id alone now. Those that were kept are made
-- again from the evidence when their hour is next asked for, as those of cold
-- hours are. Where the evidence has expired they stay as they are.
UPDATE seen SET cold = 1 WHERE class < 2;

-- Stores of before the index was added have none.
CREATE INDEX IF NOT EXISTS assay_demand_newest
    ON assay_demand (window_start DESC, org, position);

CREATE INDEX IF NOT EXISTS run_by_orchestrator
    ON run (orchestrator_address, orchestrator_url);

PRAGMA user_version = 20;
