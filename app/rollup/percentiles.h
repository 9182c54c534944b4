/*
 * percentiles.h: percentiles over any range of hours, out of merged
 * distributions. Part of rollup.h.
 *
 * Every scored hour is kept with the distributions of its samples (sketch.h),
 * and every UTC day with those of its hours merged, per organisation and lens.
 * A range is answered from its whole days and, at its ends, from single hours:
 * a month of the network is thirty reads. Days and not months are kept, because
 * thirty merges cost a millisecond or two and late events change one day only.
 *
 * A percentile is the sample of rank floor(level * (n - 1)): exact below eight
 * samples, else within 1.083 percent (stats/histogram.h).
 */
#ifndef ASSAY_ROLLUP_PERCENTILES_H
#define ASSAY_ROLLUP_PERCENTILES_H

#include "base/arena.h"
#include "base/err.h"
#include "base/fields.h"
#include "rollup/lens.h"
#include "store/store.h"

#include <stddef.h>
#include <stdint.h>

struct computed;

/* What is kept as a distribution; names in the order of values. */
enum sketch_metric {
    SKETCH_STARTUP_LATENCY, /* of sessions, ms */
    SKETCH_PTFF,            /* of sessions, ms */
    SKETCH_E2E_LATENCY,     /* of samples that name one, else of sessions, ms */
    SKETCH_OUTPUT_FPS,      /* of status samples, 1/s */
    SKETCH_METRICS
};
#define SKETCH_METRIC_NAMES                                                    \
    "startup_latency_ms|ptff_ms|e2e_latency_ms|output_fps"
extern const char *const sketch_metric_names[SKETCH_METRICS];
/* SKETCH_METRICS for another name. */
enum sketch_metric sketch_metric_named(struct text name);

/* What is merged: each divides finer than the one before. Names in the order of
 * values. */
enum percentile_group {
    PERCENTILES_BY_MODEL, /* pipeline and model, over the whole fleet */
    PERCENTILES_BY_ORCHESTRATOR,
    PERCENTILES_BY_GPU
};
#define PERCENTILE_GROUPS "model|orchestrator|gpu"
/* PERCENTILES_BY_ORCHESTRATOR for another name. */
enum percentile_group percentile_group_named(struct text name);

struct percentile_row {
    struct text orchestrator_address; /* null where merged over all */
    struct text pipeline_id;
    struct text model_id;
    struct text gpu_id; /* null where merged over all, or for none */
    struct text metric;
    int64_t samples; /* never 0 */
    double p1;
    double p5;
    double p50;
    double p95;
    double p99;
    /* not exported */
    int64_t last_window; /* the last hour in it */
};
extern const struct fields percentile_fields;

struct percentile_question {
    const struct lens *lens;         /* published or assay: whose tables */
    const struct computed *computed; /* these rows instead; null: the tables */
    int64_t from_ms;                 /* hours that begin at or after it, */
    int64_t until_ms;                /* and before this */
    struct text org;                 /* null, as in all that follow: any */
    struct text orchestrator;        /* lower case */
    struct text pipeline;
    struct text model;
    struct text gpu;
    enum sketch_metric metric; /* SKETCH_METRICS: all of them */
    enum percentile_group by;
};

/* Sorted by orchestrator, pipeline, model, GPU and metric, in ARENA.
 * ERR_CORRUPT where a stored distribution is damaged. */
MUST_USE enum err percentiles(struct store *store, struct arena *arena,
                              const struct percentile_question *question,
                              struct percentile_row **rows, size_t *count);

#endif
