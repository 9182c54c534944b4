/*
 * assay_sum.h: what a session's events add up to by lens assay, run by run.
 * Private to this room.
 */
#ifndef ASSAY_ROLLUP_ASSAY_SUM_H
#define ASSAY_ROLLUP_ASSAY_SUM_H

#include "rollup/selection.h"
#include "rollup/session.h"

/* Fingerprints of ids, by open addressing; 0 is an empty slot. */
struct id_set {
    uint64_t *slots;
    size_t slot_count; /* a power of two, or 0 */
    size_t count;
};

/*
 * All runs so far as one pass, of each id the first event (dedup_first). An id
 * is known by 64 bits of it: of a million events of one session two share them
 * once in 37 million sessions.
 */
struct assay_sum {
    struct arena *arena; /* of all that is in here */
    struct session_sum sum;
    struct selections selections;
    struct id_set ids;
    const struct id_set *ids_before; /* of the sum that this one goes on */
};

struct assay_sum assay_sum_begin(struct arena *arena, struct text org,
                                 struct text session_key);
/* The next events, sorted by (ts, id). They may go after the call; SCRATCH
 * too. */
void assay_sum_add(struct assay_sum *sum, struct arena *scratch,
                   const struct session_event *events, size_t count);
/* One that goes on by itself, as long as FROM is left as it is. */
struct assay_sum assay_sum_go_on(struct arena *arena,
                                 const struct assay_sum *from);

#endif
