/*
 * facts.h: reading facts back from the store. Private to this room.
 */
#ifndef ASSAY_ROLLUP_FACTS_H
#define ASSAY_ROLLUP_FACTS_H

#include "rollup/rollup.h"

/* Puts what waits of one session's day into its place. *FIRST is the number of
 * the first part that changed, INT64_MAX for none. */
MUST_USE enum err session_day_join(struct store *store, struct text session_key,
                                   struct text org, int64_t day,
                                   int64_t *first);

/* session_parts of a session that is in no pack. */
struct query *session_parts_unpacked(struct store *store,
                                     struct text session_key,
                                     struct part_place from, int64_t until_day);

/* Joins the chunks of snapshot hours, in the caller's transaction. */
MUST_USE enum err snapshots_join(struct store *store);

/* The same for one hour of request events; *FOUND is false where none wants
 * it. */
MUST_USE enum err requests_join(struct store *store, bool *found);

/* The error of stored facts that cannot be read. */
MUST_USE enum err facts_damaged(const char *what, struct text key);

#endif
