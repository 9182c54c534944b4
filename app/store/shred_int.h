/*
 * shred_int.h: what both directions of shredding share. Private to shred.c,
 * shred_encode.c and shred_decode.c.
 */
#ifndef ASSAY_STORE_SHRED_INT_H
#define ASSAY_STORE_SHRED_INT_H

#include "base/arena.h"
#include "base/index.h"
#include "store/block.h"
#include "store/shape.h"
#include "store/shred.h"

enum { TAG_KIND = 3, TAG_TIMED = 4, TAG_WHOLE = 8 };
enum { CONTEXTS = 256, MANY_DIGITS = 12, NOISE_BITS = 48, NOISE_BYTES = 6 };
enum { WORD_SAME, WORD_ADDED, WORD_FIRST };

/* What a number may turn out to be. */
enum { GUESS_LAST, GUESS_STEP, GUESS_TIME, GUESSES };

struct memory {
    int64_t last;
    int64_t step;
    uint32_t word; /* number + WORD_FIRST of the last text */
    bool known;
};

struct column {
    struct buf codes;        /* writing */
    struct reader reader;    /* reading */
    struct text_index words; /* writing */
    struct text *texts;      /* reading: words by number */
    size_t text_count;
    size_t text_capacity;
    uint32_t cost[GUESSES]; /* bits that each guess missed by, of late */
    struct memory recent;   /* whatever the context */
    struct memory memories[CONTEXTS];
};

struct guesses {
    int64_t of[GUESSES];
};

static inline struct guesses guesses_of(const struct column *column,
                                        size_t context, int64_t event_ms)
{
    const struct memory *memory = &column->memories[context];
    if (!memory->known)
        memory = &column->recent;
    return (struct guesses){
        {memory->last, wrapping_sum(memory->last, memory->step), event_ms}};
}

/* The guess that has been nearest of late. */
static inline int64_t best_guess(const struct column *column,
                                 const struct guesses *guesses)
{
    unsigned best = 0;
    for (unsigned i = 1; i < GUESSES; i++)
        if (column->cost[i] < column->cost[best])
            best = i;
    return guesses->of[best];
}

static inline uint32_t missed_bits(int64_t difference)
{
    uint64_t size =
        difference < 0 ? ~(uint64_t)difference : (uint64_t)difference;
    return size ? 64 - (uint32_t)__builtin_clzll(size) : 0;
}

/* Remembers what the number was. */
static inline void column_learn(struct column *column, size_t context,
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

/* ---- what both directions hold ------------------------------------------- */

struct shredder {
    struct arena arena;
    struct text_index names; /* of columns */
    struct column *columns[SHAPE_COLUMNS_MAX];
    struct text_index shape_texts; /* writing */
    struct shape *shapes;
    size_t shape_count;
    size_t shape_capacity;
    int64_t event_ms; /* of the record at hand */
    struct reader noise_reader;
    struct buf *noise;
};

struct shredder *shredder_new(void);
void shredder_free(struct shredder *shredder);
struct column *column_make(struct shredder *shredder, uint32_t number);
void shape_add(struct shredder *shredder, struct text text);

static inline struct column *column_at(struct shredder *shredder,
                                       uint32_t number)
{
    struct column *column = shredder->columns[number];
    return column ? column : column_make(shredder, number);
}

/* The context of the lines of the session with that number; 0 is for lines
 * of none. */
size_t context_of(size_t number);

#endif
