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

/* ---- foreseeing numbers -------------------------------------------------- */

struct guesses guesses_of(const struct column *column, size_t context,
                          int64_t event_ms)
{
    const struct memory *memory = &column->memories[context];
    if (!memory->known)
        memory = &column->recent;
    return (struct guesses){
        {memory->last, wrapping_sum(memory->last, memory->step), event_ms}};
}

int64_t best_guess(const struct column *column, const struct guesses *guesses)
{
    unsigned best = 0;
    for (unsigned i = 1; i < GUESSES; i++)
        if (column->cost[i] < column->cost[best])
            best = i;
    return guesses->of[best];
}

static uint32_t missed_bits(int64_t difference)
{
    uint64_t size =
        difference < 0 ? ~(uint64_t)difference : (uint64_t)difference;
    return size ? 64 - (uint32_t)__builtin_clzll(size) : 0;
}

void column_learn(struct column *column, size_t context,
                  const struct guesses *guesses, int64_t number)
{
    for (unsigned i = 0; i < GUESSES; i++) {
        uint32_t missed =
            missed_bits(wrapping_difference(number, guesses->of[i]));
        column->cost[i] += missed * 16 - column->cost[i] / 16;
    }
    struct memory *memory = &column->memories[context];
    memory->step =
        memory->known ? wrapping_difference(number, memory->last) : 0;
    memory->last = number;
    memory->known = true;
    column->recent.last = number;
}

/* ---- what both directions hold -------------------------------------------
 */

struct shredder *shredder_new(void)
{
    return memory_zeroed(1, sizeof(struct shredder));
}

struct column *column_at(struct shredder *shredder, uint32_t number)
{
    struct column **column = &shredder->columns[number];
    if (!*column)
        *column = memory_zeroed(1, sizeof **column);
    return *column;
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
