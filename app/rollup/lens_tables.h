/*
 * lens_tables.h: where the rows of each lens that is kept are stored. Private
 * to this room.
 */
#ifndef ASSAY_ROLLUP_LENS_TABLES_H
#define ASSAY_ROLLUP_LENS_TABLES_H

#include "rollup/settle_int.h"

/* The table of benchmarks, by (day, position). */
struct benchmark_table {
    const struct fields *fields;
    enum query_id put;
    enum query_id remove; /* of one day */
    enum query_id between;
};

struct lens_tables {
    const struct lens *lens;
    struct hour_table sla;
    enum query_id sla_between;
    enum query_id sketches_between;
    struct hour_table demand;
    struct hour_table gpus;
    struct benchmark_table benchmarks;
};

enum { KEPT_PUBLISHED, KEPT_ASSAY, LENSES_KEPT };
extern const struct lens_tables lens_tables[LENSES_KEPT];

/* Merges the distributions of ORG's hours of DAY anew. */
MUST_USE enum err settle_sketches(struct store *store, struct arena *arena,
                                  const struct lens_tables *tables,
                                  struct text org, int64_t day);

#endif
