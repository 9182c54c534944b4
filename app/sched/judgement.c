/*
 * judgement.c: see judgement.h.
 */
#include "sched/judgement.h"

#include "sched/fleet.h"

bool judgement_is_bad(int64_t failed, int64_t asked, int64_t ppm)
{
    return (__int128)failed * 1000000 > (__int128)asked * ppm;
}

static bool controls_say_so(const struct plan *plan,
                            const struct ledger_row *row)
{
    return row->controls != ABSENT_INT && row->controls_failed != ABSENT_INT &&
           judgement_is_bad(row->controls_failed, row->controls,
                            plan->control_fail_ppm);
}

static bool fleet_says_so(const struct plan *plan, const struct ledger_row *row)
{
    return fleet_wait_ms(plan) && row->fleet != ABSENT_INT &&
           row->fleet_failed != ABSENT_INT &&
           row->fleet >= FLEET_ORCHESTRATORS_LEAST &&
           judgement_is_bad(row->fleet_failed, row->fleet,
                            plan->fleet_fail_ppm);
}

enum reason judgement_of(const struct plan *plan, const struct ledger_row *row)
{
    if (controls_say_so(plan, row))
        return REASON_CONTROL_TARGETS_FAILED;
    return fleet_says_so(plan, row) ? REASON_FLEET_FAILED : REASON_NONE;
}
