/*
 * judgement.h: the rule by which a run is set aside because its fault, or its
 * merit, may be ours: vantage_suspect in place of the outcome as measured
 * (audit method §1.3, 6 and 7).
 *
 * It holds for every run that tells something of its orchestrator, one that
 * delivered as well as one that failed: in a bad minute neither is known. A
 * minute is bad
 *
 *     where more than the plan's share of the control targets failed in one
 *     round during the run, or in the one right after it;
 *     where more than the plan's share of the orchestrators failed within half
 *     a window of the run's end (fleet.h), of at least
 *     FLEET_ORCHESTRATORS_LEAST;
 *     where our clock jumped, or we stood still, before it was judged.
 *
 * Both shares stand in the plan, before its first run. What was counted stands
 * in the ledger's row, so that whoever has the journal comes to the same.
 *
 * Turned down: to set aside failures alone. Whoever keeps the successes of
 * minutes whose failures are left out raises every rate.
 */
#ifndef ASSAY_SCHED_JUDGEMENT_H
#define ASSAY_SCHED_JUDGEMENT_H

#include "journal/journal.h"

enum { FLEET_ORCHESTRATORS_LEAST = 4 };

/* By the counts in ROW, of a run that tells something; REASON_NONE where its
 * outcome stands. */
enum reason judgement_of(const struct plan *plan, const struct ledger_row *row);

/* Whether more than PPM of ASKED failed. */
bool judgement_is_bad(int64_t failed, int64_t asked, int64_t ppm);

#endif
