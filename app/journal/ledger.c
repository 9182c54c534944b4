/*
 * ledger.c: the names in a ledger, see ledger.h.
 */
#include "journal/ledger.h"

/* clang-format off */
static const struct field ledger_list[] = {
    FIELD(TEXT, ledger_row, plan_hash),
    FIELD(TEXT, ledger_row, orchestrator_url),
    FIELD(TEXT, ledger_row, workflow),
    FIELD(TEXT, ledger_row, model_id),
    FIELD(TEXT, ledger_row, gpu_id),
    FIELD(INT, ledger_row, stratum),
    FIELD(TIME, ledger_row, due_at),
    FIELD(TIME, ledger_row, decided_at),
    FIELD(TIME, ledger_row, began_at),
    FIELD(TIME, ledger_row, ended_at),
    FIELD(TEXT, ledger_row, state),
    FIELD(TEXT, ledger_row, reason),
    FIELD(TEXT, ledger_row, run_id),
    FIELD(TEXT, ledger_row, prompt_id),
    FIELD(INT, ledger_row, idle),
    FIELD(INT, ledger_row, busy),
    FIELD(INT, ledger_row, idle_ms),
    FIELD(INT, ledger_row, used_ms),
    FIELD(INT, ledger_row, planned_ms),
    FIELD(INT, ledger_row, run_ms),
    FIELD(INT, ledger_row, cost_wei),
    FIELD(INT, ledger_row, clock_offset_ms),
    FIELD(INT, ledger_row, controls),
    FIELD(INT, ledger_row, controls_failed),
    FIELD(INT, ledger_row, fleet),
    FIELD(INT, ledger_row, fleet_failed),
    FIELD(TEXT, ledger_row, measured),
    FIELD(TEXT, ledger_row, set_aside),
    FIELD(TEXT, ledger_row, stopped_early),
    FIELD(INT, ledger_row, seq),
};

static const struct skip_entry skips[SKIP_COUNT] = {
    [SKIP_NONE] = {"", "it was not skipped"},
    [SKIP_BUSY] = {"busy", "no slot was idle when asked right before"},
    [SKIP_NO_CAPACITY] = {"no_capacity", "it does not offer the model"},
    [SKIP_OVER_BUDGET] = {"over_budget",
                          "its share of idle capacity is used up"},
    [SKIP_GLOBAL_BUDGET] = {"global_budget",
                            "the share of all runs of the hour is used up"},
    [SKIP_AT_ONCE] = {"at_once", "as many runs as allowed are under way"},
    [SKIP_WEI] = {"wei", "the day's ceiling would be passed"},
    [SKIP_CLOCK] = {"clock", "our clock jumped or is not known well enough"},
    [SKIP_VANTAGE] = {"vantage", "our own control targets fail"},
    [SKIP_MISSED] = {"missed", "this program was not running at its instant"},
    [SKIP_STORE] = {"store", "its start could not be written down"},
    [SKIP_STOPPED] = {"stopped", "this program was told to stop"},
    [SKIP_INTERRUPTED] = {"interrupted",
                          "this program was killed during the run"},
};
/* clang-format on */

const struct fields ledger_fields = FIELDS(ledger_list, 1);

const struct skip_entry *skip_entry(enum skip skip)
{
    return &skips[skip];
}

bool skip_named(struct text name, enum skip *skip)
{
    for (size_t i = 1; i < SKIP_COUNT; i++) {
        if (text_is(name, skips[i].name)) {
            *skip = (enum skip)i;
            return true;
        }
    }
    return false;
}
