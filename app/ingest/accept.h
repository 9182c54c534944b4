/*
 * accept.h: what one record is. Private to this room.
 */
#ifndef ASSAY_INGEST_ACCEPT_H
#define ASSAY_INGEST_ACCEPT_H

#include "ingest/ingest.h"
#include "livepeer/livepeer.h"

/* One judged record; texts point into the record or ARENA of event_judge(). */
struct event {
    enum evidence_class class;
    const char *reason; /* "" where accepted */
    struct text org;
    struct text id;
    struct text type;
    enum family family;
    int64_t ts; /* INT64_MIN where rejected */
    struct text gateway;
    struct yyjson_val *data;
    struct yyjson_val *root; /* null where it is not JSON */
    int64_t partition;
    int64_t offset;
};

/* Judges RECORD. ORG is for records that name none, or, where it is DECIDED
 * and not empty, for all. Never fails: what is wrong with a record is its
 * reason. */
void event_judge(struct arena *arena, struct text record, struct text org,
                 bool decided, struct event *event);

/* What nearly tells the key of an event that is not rejected. */
uint64_t event_fingerprint(const struct event *event);

/*
 * A capability dump (an object with a list `orchestrators`, as the network's
 * tools save it) as the event it would have been, at AT_MS; false where RECORD
 * is none. The same list always gets the same id.
 */
bool capability_dump(struct arena *arena, const struct event *event,
                     int64_t at_ms, struct text *record);

#endif
