/*
 * ingest_hours.h: what gateways measured of the packets of sessions, by hour.
 * Private to this room.
 */
#ifndef ASSAY_ROLLUP_INGEST_HOURS_H
#define ASSAY_ROLLUP_INGEST_HOURS_H

#include "rollup/rollup.h"

/* Of one hour, by session. */
struct ingest_list {
    struct ingest_hour *rows;
    size_t count;
};
/* What is known of ORG's sessions in HOUR; in ARENA. */
MUST_USE enum err ingest_hours_of(struct store *store, struct arena *arena,
                                  struct text org, int64_t hour,
                                  struct ingest_list *list);
/* That of one session; null for nothing. */
const struct ingest_hour *ingest_hour_of(const struct ingest_list *list,
                                         struct text session_key);

/* Gives each of HOURS, which are of ORG and HOUR, what is known of its session
 * there; in ARENA. */
MUST_USE enum err ingest_hours_attach(struct store *store, struct arena *arena,
                                      struct text org, int64_t hour,
                                      struct session_hour *hours, size_t count);

/* Joins the chunks of one hour, in the caller's transaction; *FOUND is false
 * where none has several. */
MUST_USE enum err ingest_hours_join(struct store *store, bool *found);

#endif
