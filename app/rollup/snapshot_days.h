/*
 * snapshot_days.h: capability snapshots of a day as one row. Private to this
 * room.
 *
 * Orchestrators say the same things every hour, and a row an hour keeps them
 * every hour. A day that is well behind the newest event becomes one row, which
 * has each offer and each payload once: a sixth. It is read whole where an hour
 * of it is asked for, so a day that would be large stays in hours.
 */
#ifndef ASSAY_ROLLUP_SNAPSHOT_DAYS_H
#define ASSAY_ROLLUP_SNAPSHOT_DAYS_H

#include "rollup/rollup.h"

/* Whether ORG's day that begins at DAY is one row. */
MUST_USE enum err snapshot_day_is_one(struct store *store, struct text org,
                                      int64_t day, bool *one);

/* Makes ORG's DAY one row, or rows of hours where it is too large, of whatever
 * is there now; in the caller's transaction. */
MUST_USE enum err snapshot_day_join(struct store *store, struct text org,
                                    int64_t day);

/* The same of the first day that is to become one; *FOUND is false where none
 * is. */
MUST_USE enum err snapshot_days_settle(struct store *store, bool *found);

#endif
