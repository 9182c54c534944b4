/*
 * cursor.h: where a list goes on.
 *
 * All pages of a list come from one moment of the store, whatever is written
 * meanwhile. A cursor does not hold the moment, though: it names the question,
 * the rows that were shown so far, and the sort key of the last. So the same
 * rows come with the same cursor and the same entity tag, however much else was
 * written, and over a restart. Which moment it stands for is remembered here:
 * the newest at which exactly these rows were shown. Where that is no longer
 * known, or the store no longer holds it, the list has to be asked for again.
 *
 * Turned down: the moment in the cursor (then every commit changes every page),
 * and a cursor that is only a sort key (then a row that moves meanwhile is
 * shown twice, or not at all).
 */
#ifndef ASSAY_API_CURSOR_H
#define ASSAY_API_CURSOR_H

#include "base/arena.h"
#include "base/buf.h"
#include "store/store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a cursor says. */
struct place {
    uint64_t question;   /* fingerprint of path and parameters */
    uint64_t rows;       /* fingerprint of all rows so far */
    struct text row_key; /* of the last, as cursor_encode makes it */
};

struct text place_write(struct arena *arena, const struct place *place);
/* False where TEXT was not made by place_write, or was altered since. */
bool place_read(struct arena *arena, struct text text, struct place *place);

/* ---- sort keys -------------------------------------------------------- */

enum { CURSOR_PARTS_MAX = 8 };

/* One member of a sort key. */
struct cursor_part {
    int64_t number; /* where the shape says 'i' */
    struct text text;
};

struct cursor {
    bool given;
    struct cursor_part parts[CURSOR_PARTS_MAX];
};

/* SHAPE is a letter a part, 'i' or 't'. */
struct text cursor_encode(struct arena *arena, const char *shape,
                          const struct cursor *cursor);
/* False where BYTES were not made with the same shape. Texts are borrowed. */
bool cursor_decode(struct text bytes, const char *shape, struct cursor *cursor);

/* ---- moments ---------------------------------------------------------- */

/* Of the last MOMENTS_KEPT cursors or so; for all threads. */
enum { MOMENTS_KEPT = 16384 };
struct moments;
struct moments *moments_new(void);
void moments_free(struct moments *moments);
void moments_note(struct moments *moments, struct text cursor,
                  const struct store_moment *moment);
bool moments_find(struct moments *moments, struct text cursor,
                  struct store_moment *moment);

#endif
