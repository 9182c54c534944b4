/*
 * knowledge.h: what was known at a time: of all facts those that an answer of
 * then could rest on.
 *
 * Lines that had come in by then are known by their arrival, which the evidence
 * keeps. Of a time before the first line of all came in, nothing is known by
 * arrival, and everything by the events' own time: as if each event had come in
 * at once. One limit is left: of deliveries of one event that differ, facts
 * keep one, and it counts from when that one came.
 */
#ifndef ASSAY_ROLLUP_KNOWLEDGE_H
#define ASSAY_ROLLUP_KNOWLEDGE_H

#include "base/arena.h"
#include "base/err.h"
#include "livepeer/livepeer.h"
#include "store/store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum knowledge_basis { KNOWN_ALL, KNOWN_BY_TIME, KNOWN_BY_ARRIVAL };

/* A block of evidence in which the time falls. */
struct knowledge_cut {
    int64_t block;
    int64_t end_line; /* the first that came later */
};

struct knowledge {
    enum knowledge_basis basis;
    int64_t until_ms;  /* that time itself included */
    int64_t end_block; /* by arrival: it and all later ones came later */
    struct knowledge_cut *cuts;
    size_t cut_count;
};

extern const struct knowledge knowledge_all;

/* Of UNTIL_MS, by whatever tells it (see above); knowledge_all where nothing
 * came or happened later. ERR_GONE where the evidence that would tell has
 * expired. */
MUST_USE enum err knowledge_at(struct store *store, struct arena *arena,
                               int64_t until_ms, struct knowledge *known);

/* Takes what was not known out of a list, in place. */
void known_events(const struct knowledge *known, struct session_event *events,
                  size_t *count);
void known_snapshots(const struct knowledge *known,
                     struct capability_snapshot *snapshots, size_t *count);
void known_requests(const struct knowledge *known, struct request_event *events,
                    size_t *count);

#endif
