/*
 * compute.c: rows that are not stored, computed in memory: by another lens, as
 * one pass, or from what was known at some time.
 */
#include "rollup/assembly.h"

enum err compute(struct store *store, struct arena *arena,
                 const struct computation *computation, struct computed *out)
{
    struct assembly assembly = {
        .store = store, .arena = arena, .computation = computation, .out = out};
    *out = (struct computed){0};
    enum err err = computation->pass == PASS_WHOLE ? compute_whole(&assembly)
                                                   : compute_settled(&assembly);
    if (!err)
        assembly_finish(&assembly);
    arena_free(&assembly.scratch);
    return err;
}
