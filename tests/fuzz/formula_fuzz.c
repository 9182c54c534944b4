/*
 * formula_fuzz.c: any text as a formula. It is refused, or it gives a finite
 * number or null.
 */
#include "stats/stats.h"

#include <math.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct arena arena;
    static const char *const names[] = {"a", "b", "nothing"};
    static const double values[] = {2.5, -3, NAN};
    struct formula formula;
    if (!formula_compile(&arena, (struct text){(const char *)data, size}, names,
                         3, &formula)) {
        double value = formula_value(&formula, values);
        if (isinf(value))
            abort();
    }
    arena_clear(&arena);
    return 0;
}
