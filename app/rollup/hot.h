/*
 * hot.h: sessions with many events, added up as far as they will not change.
 * Private to this room.
 *
 * Settling looks at a session again whenever it has new events. Most have a
 * dozen, and are added up from the start in no time. One that has hundreds of
 * thousands must not be, once a second, while everybody waits; so what all of
 * its parts but the last add up to is remembered, and only the rest is read.
 * What is remembered is forgotten where an earlier part changes, after any
 * failure, and where room is needed: it can be had again from the parts.
 */
#ifndef ASSAY_ROLLUP_HOT_H
#define ASSAY_ROLLUP_HOT_H

#include "rollup/assay_sum.h"
#include "rollup/facts.h"
#include "rollup/selection.h"
#include "rollup/session.h"

/* A part of session KEY was written anew. SETTLING may be null, here and
 * below: then nothing is remembered. */
void hot_note_change(struct settling *settling, struct text key,
                     struct part_place place);
void hot_forget_all(struct settling *settling);

/* An hour of packs was unpacked. Late events come in crowds, so packing it
 * again waits for a while without any; and nobody waits where nothing is
 * remembered. */
void hot_note_unpacked(struct settling *settling);
bool hot_waits_to_pack(const struct settling *settling);
/* All that is to be packed is. */
void hot_note_packed(struct settling *settling);

/* The selections of one session of ORG in the pass of DAY, undecided, in
 * ARENA. */
MUST_USE enum err hot_selections(struct settling *settling, struct store *store,
                                 struct arena *arena, struct text org,
                                 struct text key, int64_t day,
                                 struct selection_row **rows, size_t *count);

/* What all parts of the session add up to by either lens, in ARENA; ASSAY only
 * until SETTLING is used again. */
MUST_USE enum err hot_sums(struct settling *settling, struct store *store,
                           struct arena *arena, struct text org,
                           struct text key, struct session_sum *published,
                           struct assay_sum *assay);

#endif
