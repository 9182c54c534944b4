/*
 * facts.h: reading facts back from the store. Private to this room.
 */
#ifndef ASSAY_ROLLUP_FACTS_H
#define ASSAY_ROLLUP_FACTS_H

#include "rollup/rollup.h"

/* All events of one session and how they are stored. */
struct session_facts {
    struct session_event *events; /* sorted by (ts, id) */
    size_t count;
    int64_t *chunked_days; /* days whose chunks want joining */
    size_t chunked_count;
};

MUST_USE enum err session_facts_read(struct store *store, struct arena *arena,
                                     struct text session_key,
                                     struct session_facts *facts);

/* Writes each chunked day as one chunk, sorted. */
MUST_USE enum err session_facts_join(struct store *store,
                                     struct text session_key, struct text org,
                                     const struct session_facts *facts);

/* Joins the chunks of snapshot hours, in the caller's transaction. */
MUST_USE enum err snapshots_join(struct store *store);

/* The same for one hour of request events; *FOUND is false where none wants
 * it. */
MUST_USE enum err requests_join(struct store *store, bool *found);

/* The error of stored facts that cannot be read. */
MUST_USE enum err facts_damaged(const char *what, struct text key);

/* The half-open run of events with START <= ts < END. */
struct session_event *events_between(struct session_event *events, size_t count,
                                     int64_t start, int64_t end,
                                     size_t *run_count);

/*
 * The passes of a session: one per UTC day with events that open a pass (see
 * is_session_event), with the day's SELECTIONS; a run each, in order.
 */
struct session_pass *passes_by_day(struct arena *arena,
                                   const struct session_event *events,
                                   size_t event_count,
                                   const struct selection_row *selections,
                                   size_t selection_count, size_t *count);

#endif
