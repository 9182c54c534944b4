/*
 * cohort.h: the edges that a row is scored against. Private to this room.
 */
#ifndef ASSAY_ROLLUP_COHORT_H
#define ASSAY_ROLLUP_COHORT_H

#include "rollup/rollup.h"

/* One metric's edges over the cohort: NaN where nothing is known. */
struct edges {
    double first;  /* p50 of latencies, p10 of FPS */
    double second; /* p90 of latencies, p50 of FPS */
    int64_t rows;  /* benchmark rows under them */
    bool active;   /* enough rows to be compared with */
};

/* What was usual for one (pipeline, model) in the seven days before one. */
struct cohort {
    struct text pipeline_id;
    struct text model_id;
    struct edges ptff;
    struct edges e2e;
    struct edges fps;
};

/* That of (PIPELINE, MODEL) on DAY; benchmarks of other days and surfaces are
 * passed over. */
struct cohort cohort_of(struct arena *arena, const struct lens *lens,
                        int64_t day, struct text pipeline, struct text model,
                        const struct benchmark_row *benchmarks, size_t count);

/* The edges of one metric, as ROWS benchmark rows gave them. */
struct edges edges_from(const struct lens *lens, double first, double second,
                        int64_t rows);

/* Whether COHORT is that of the surface of ROW. */
bool cohort_fits(const struct cohort *cohort, const struct sla_row *row);

#endif
