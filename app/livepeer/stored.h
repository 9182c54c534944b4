/*
 * stored.h: what the stored forms of facts have in common. Private to this
 * room.
 *
 * A form begins with the distinct strings of its run of events; records name
 * them by number. Ids of events are mostly random UUIDs, which nothing
 * compresses: sixteen bytes instead of thirty-six is all that can be won.
 */
#ifndef ASSAY_LIVEPEER_STORED_H
#define ASSAY_LIVEPEER_STORED_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/index.h"

#include <stddef.h>
#include <stdint.h>

void stored_add_strings(struct buf *out, const struct text_index *strings);
void stored_add_string(struct buf *out, struct text_index *strings,
                       struct text text);
/* An event's id, which is never "". */
void stored_add_id(struct buf *out, struct text id);

/* Reading back; after the first mistake in.failed stays set and everything
 * comes out empty. Texts point into the bytes read or lie in ARENA. */
struct stored {
    struct arena *arena;
    struct reader in;
    struct text *strings;
    size_t string_count;
};

/* Over BYTES, with the strings at their beginning read. */
struct stored stored_over(struct arena *arena, struct text bytes);
struct text stored_string(struct stored *stored);
struct text stored_id(struct stored *stored);
/* A count of things that take at least one byte each, so that one past the
 * end is seen before memory is asked for. */
size_t stored_count(struct stored *stored);
/* Whether everything was read, and nothing was wrong. */
bool stored_is_sound(const struct stored *stored);

#endif
