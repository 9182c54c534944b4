/*
 * index.h: numbers texts 0, 1, 2, ... in order of first sight.
 *
 * The one hash table of this program: whoever needs a map keeps a plain array
 * beside it, at the numbers that this gives. Open addressing over hash_fast,
 * grown at two thirds; texts are copied, so that keys may be temporary.
 */
#ifndef ASSAY_BASE_INDEX_H
#define ASSAY_BASE_INDEX_H

#include "base/arena.h"
#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct text_index {
    struct arena arena;
    struct text *texts; /* by number */
    size_t count;
    size_t capacity;
    uint32_t *slots; /* number + 1, 0 for empty */
    size_t slot_count;
};

enum { TEXT_INDEX_ABSENT = -1 };

/* The number of TEXT, given to it now if it had none; *ADDED may be null. */
size_t text_index_add(struct text_index *index, struct text text, bool *added);

/* The number of TEXT, or TEXT_INDEX_ABSENT. */
ptrdiff_t text_index_find(const struct text_index *index, struct text text);

/* Forgets all texts; the index may be used again. */
void text_index_free(struct text_index *index);

#endif
