/*
 * selection.h: selections of one session and one pass, built run by run.
 * Private to this room.
 */
#ifndef ASSAY_ROLLUP_SELECTION_H
#define ASSAY_ROLLUP_SELECTION_H

#include "rollup/rollup.h"

struct candidate;

/* Selections so far, and what the next event is held against. */
struct selections {
    struct arena *arena; /* of all that is in here */
    struct text org;     /* borrowed, with the key */
    struct text key;
    int64_t day;
    struct candidate *instant; /* of the time that was seen last */
    size_t instant_count;
    size_t instant_capacity;
    bool any;             /* any candidate before that */
    struct text identity; /* of the last of them */
    struct text chosen;   /* of the last that could be chosen; "" for none */
    struct selection_row *rows;
    size_t count;
};

struct selections selections_begin(struct arena *arena, struct text org,
                                   struct text session_key, int64_t day);
/* The next events, sorted by (ts, id). They may go after the call. */
void selections_add(struct selections *selections,
                    const struct session_event *events, size_t count);
/* Nothing may be added any more. */
struct selection_row *selections_end(struct selections *selections,
                                     size_t *count);
/* One that goes on by itself; texts stay in the arena of FROM. */
struct selections selections_copy(struct arena *arena,
                                  const struct selections *from);

#endif
