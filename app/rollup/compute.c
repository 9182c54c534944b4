/*
 * compute.c: rows that are not stored, computed in memory: by another lens, as
 * one pass, or from what was known at some time.
 */
#include "rollup/assembly.h"

/* Sessions of cold days come by their beginning, and each is read from the
 * blocks of its time: a few hours of them at a million events a day. */
enum { BLOCKS_AT_HAND = 24 };

enum err compute(struct store *store, struct arena *arena,
                 const struct computation *computation, struct computed *out)
{
    struct assembly assembly = {
        .store = store, .arena = arena, .computation = computation, .out = out};
    *out = (struct computed){0};
    evidence_keep_blocks(store, BLOCKS_AT_HAND);
    enum err err = computation->pass == PASS_WHOLE ? compute_whole(&assembly)
                                                   : compute_settled(&assembly);
    if (!err)
        err = assembly_finish(&assembly);
    evidence_keep_blocks(store, 0);
    arena_free(&assembly.scratch);
    return err;
}
