/*
 * capability_days.h: what an organisation's orchestrators were known to offer,
 * for lens assay. Private to this room.
 *
 * That lens is one pass over everything: a selection may be attributed to a
 * snapshot of any earlier day. So that a day can be looked at without reading
 * all before it, each day with snapshots leaves a closing: the last version of
 * each orchestrator at its end. A day's index is made of the closing before it,
 * its own snapshots, and those of the first hour after it (late_snapshot).
 */
#ifndef ASSAY_ROLLUP_CAPABILITY_DAYS_H
#define ASSAY_ROLLUP_CAPABILITY_DAYS_H

#include "rollup/rollup.h"

/*
 * The index for ORG's selections with DAY <= time < DAY + 24 h. Indexes of the
 * last few days asked for are kept with the store; *INDEX is valid until the
 * next call.
 */
MUST_USE enum err capability_day(struct store *store, struct text org,
                                 int64_t day,
                                 const struct capability_index **index);

/* After snapshots or closings changed, or a transaction was rolled back. */
void capability_days_forget(struct store *store);

/*
 * A unit of settling: the closing of (ORG, DAY) anew. Where it comes out
 * different, the days up to the next snapshots, whose sessions it reaches, and
 * that day's closing are noted.
 */
MUST_USE enum err settle_closing(struct store *store, struct text org,
                                 int64_t day);

#endif
