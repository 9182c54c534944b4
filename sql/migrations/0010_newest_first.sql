-- Lists go from the newest hour back, and by position within it. Without these
-- indexes whole hours would be sorted for each page.

CREATE INDEX sla_newest ON sla (window_start DESC, org, position);
CREATE INDEX demand_newest ON demand (window_start DESC, org, position);
CREATE INDEX gpu_hour_newest ON gpu_hour (window_start DESC, org, position);

DROP INDEX sla_by_orchestrator;
CREATE INDEX sla_by_orchestrator
    ON sla (orchestrator_address, window_start DESC, org, position);
CREATE INDEX gpu_hour_by_orchestrator
    ON gpu_hour (orchestrator_address, window_start DESC, org, position);

PRAGMA user_version = 10;
