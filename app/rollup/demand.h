/*
 * demand.h: demand added up part by part. Private to this room.
 */
#ifndef ASSAY_ROLLUP_DEMAND_H
#define ASSAY_ROLLUP_DEMAND_H

#include "base/index.h"
#include "rollup/rollup.h"

/* Parts as they come. All that stays lies in ARENA and the two indexes, of
 * which MEMBERS has sixteen bytes for each session of each row. */
struct demand_sums {
    struct arena *arena;
    const struct lens *lens;
    struct text_index keys;
    struct text_index members;
    struct demand_group *groups; /* by number of the key; see demand.c */
};
struct demand_sums demand_sums_of(struct arena *arena, const struct lens *lens);
/* PART and SCRATCH may go after the call. */
void demand_sums_add(struct demand_sums *sums, struct arena *scratch,
                     const struct demand_part *part);
/* The rows as demand_build sorts them; ends SUMS. */
struct demand_row *demand_sums_end(struct demand_sums *sums, size_t *count);
/* Of sums that are given up. */
void demand_sums_free(struct demand_sums *sums);

#endif
