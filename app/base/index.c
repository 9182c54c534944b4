/*
 * index.c: see index.h.
 */
#include "base/index.h"

#include "base/hash.h"

#include <stdlib.h>

enum { FIRST_SLOTS = 64 };

/* The slot that holds TEXT, or the empty one where it would go. */
static size_t slot_of(const struct text_index *index, struct text text)
{
    size_t mask = index->slot_count - 1;
    size_t slot = (size_t)hash_fast(text.data, text.length) & mask;
    while (index->slots[slot] &&
           !text_equal(index->texts[index->slots[slot] - 1], text))
        slot = (slot + 1) & mask;
    return slot;
}

static void grow_slots(struct text_index *index)
{
    free(index->slots);
    index->slot_count = index->slot_count ? index->slot_count * 2 : FIRST_SLOTS;
    index->slots = memory_zeroed(index->slot_count, sizeof *index->slots);
    for (size_t i = 0; i < index->count; i++)
        index->slots[slot_of(index, index->texts[i])] = (uint32_t)(i + 1);
}

size_t text_index_add(struct text_index *index, struct text text, bool *added)
{
    if ((index->count + 1) * 3 > index->slot_count * 2)
        grow_slots(index);
    size_t slot = slot_of(index, text);
    if (added)
        *added = !index->slots[slot];
    if (index->slots[slot])
        return index->slots[slot] - 1;
    if (index->count == index->capacity) {
        index->capacity = index->capacity ? index->capacity * 2 : FIRST_SLOTS;
        index->texts =
            memory_resize(index->texts, index->capacity * sizeof *index->texts);
    }
    index->texts[index->count++] = (struct text){
        arena_text(&index->arena, text.data, text.length), text.length};
    index->slots[slot] = (uint32_t)index->count;
    return index->count - 1;
}

ptrdiff_t text_index_find(const struct text_index *index, struct text text)
{
    if (!index->slot_count)
        return TEXT_INDEX_ABSENT;
    size_t slot = slot_of(index, text);
    return (ptrdiff_t)index->slots[slot] - 1;
}

void text_index_free(struct text_index *index)
{
    arena_free(&index->arena);
    free(index->texts);
    free(index->slots);
    *index = (struct text_index){0};
}
