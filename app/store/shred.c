/*
 * shred.c: see shred.h.
 *
 * The packed part is, with varints as in buf.h:
 *
 *     number    of the block
 *     shapes    count, then each as a text (shape.h)
 *     columns   count, then each as a text: the codes of its values
 *     records   one after another, see below
 *
 * A record is as block.c writes it (tag, times) up to the line, which becomes
 * the number of its shape; with TAG_WHOLE in the tag it stays as it was. The
 * values of a shaped line stand in their columns:
 *
 *     integer   signed difference to what was foreseen
 *     decimal   digits after the point as a byte, then as an integer; with many
 *               digits the low 48 bits of the zigzag number are noise
 *     uuid      16 bytes of noise
 *     text      0: as the context's last; 1: a text that follows, which gets
 *               the next number; n + 2: the text of number n
 *
 * A number is foreseen as the last one of the same column and context (the
 * session, by stream_id), as that plus its last step, or as the record's
 * event time: whichever has been nearest of late in this column. Both sides
 * keep the same books, so that nothing has to say which it was.
 */
#include "store/shred_int.h"

#include <stdlib.h>

struct shredder *shredder_new(void)
{
    return memory_zeroed(1, sizeof(struct shredder));
}

struct column *column_make(struct shredder *shredder, uint32_t number)
{
    struct column *column = memory_zeroed(1, sizeof *column);
    shredder->columns[number] = column;
    return column;
}

void shape_add(struct shredder *shredder, struct text text)
{
    if (shredder->shape_count == shredder->shape_capacity) {
        shredder->shape_capacity = shredder->shape_capacity * 2 + 16;
        shredder->shapes =
            memory_resize(shredder->shapes,
                          shredder->shape_capacity * sizeof *shredder->shapes);
    }
    shape_parse(&shredder->arena, &shredder->names, text,
                &shredder->shapes[shredder->shape_count++]);
}

void shredder_free(struct shredder *shredder)
{
    for (size_t i = 0; i < SHAPE_COLUMNS_MAX; i++) {
        struct column *column = shredder->columns[i];
        if (!column)
            continue;
        buf_free(&column->codes);
        text_index_free(&column->words);
        free(column->texts);
        free(column);
    }
    free(shredder->shapes);
    text_index_free(&shredder->names);
    text_index_free(&shredder->shape_texts);
    arena_free(&shredder->arena);
    free(shredder);
}

size_t context_of(size_t number)
{
    return 1 + number % (CONTEXTS - 1);
}
