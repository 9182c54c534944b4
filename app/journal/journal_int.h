/*
 * journal_int.h: what the files of this room share.
 */
#ifndef ASSAY_JOURNAL_JOURNAL_INT_H
#define ASSAY_JOURNAL_JOURNAL_INT_H

#include "journal/journal.h"

/* Moves what BYTES holds into ARENA, zero-terminated. */
static inline struct text kept(struct arena *arena, struct buf *bytes)
{
    struct text text = {arena_text(arena, bytes->data, bytes->length),
                        bytes->length};
    buf_free(bytes);
    return text;
}

#endif
