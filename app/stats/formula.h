/*
 * formula.h: arithmetic that a person wrote in a file: scores as data. Part of
 * stats.h.
 *
 *     clamp(0.6 * min(1, output_fps / 12) + 0.4 * min(1, 8000 / ptff_ms))
 *
 * Numbers, names, + - * / ( ), comparisons (< <= > >= == !=, which give 1 or
 * 0) and the functions of formula.c. Null is a value: whatever is computed
 * with a null is null, but for known(x), or_else(x, y) and the branch of
 * if(c, x, y) that is not taken; so is what has no finite result, like 1 / 0.
 *
 * A formula is compiled once into a short list of steps for a stack and then
 * costs nanoseconds a row. There are no loops and no names but those given, so
 * that foreign files are harmless. Doubles, no contraction: the same result
 * on every machine but for exp, ln and pow, which are the C library's.
 *
 * Turned down: an embedded language, which would be more powerful than a score
 * should be, and a fixed list of weights, which cannot say what exists.
 */
#ifndef ASSAY_STATS_FORMULA_H
#define ASSAY_STATS_FORMULA_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

enum {
    FORMULA_MAX_BYTES = 4096,
    FORMULA_DEPTH_MAX = 64, /* of parentheses, and of the stack */
    FORMULA_NAME_MAX_BYTES = 64
};

struct formula_step {
    uint16_t kind;
    uint16_t count; /* of arguments */
    uint32_t name;  /* place of a variable */
    double number;
};

struct formula {
    struct formula_step *steps;
    size_t count;
};

/*
 * Compiles TEXT into ARENA; NAMES are what it may name, in the order in which
 * formula_value gets their values. ERR_INPUT says what is wrong and at which
 * character.
 */
MUST_USE enum err formula_compile(struct arena *arena, struct text text,
                                  const char *const *names, size_t name_count,
                                  struct formula *formula);

/* Null is NaN, in and out. */
double formula_value(const struct formula *formula, const double *values);

#endif
