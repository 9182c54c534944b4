/*
 * metrics.h: the registry of metrics: what every figure here means, measured or
 * published, in one table. `assay metrics` prints it, /v1/metrics serves it,
 * and a test holds it against the fields of the rows: a figure without a
 * definition fails.
 *
 * A definition says enough to compute the figure again from its evidence:
 * between which events, on which clock, over which population, rounded how,
 * and when it is null. The order of fields and rules follows RFC 6390 §5.4
 * (how to define a performance metric). Published figures are defined as the
 * publisher's code computes them; where its documents say otherwise, the
 * definition says that, too.
 *
 * Pure: text in, text out.
 */
#ifndef ASSAY_METRICS_METRICS_H
#define ASSAY_METRICS_METRICS_H

#include "base/hash.h"
#include "base/json.h"

/* The rows that have a field of this name and meaning. */
enum metric_set {
    METRIC_RUN = 1,          /* one own measurement */
    METRIC_SLA = 2,          /* export sla, /v1/streaming/sla */
    METRIC_DEMAND = 4,       /* /v1/streaming/demand */
    METRIC_GPU = 8,          /* /v1/streaming/gpu-metrics */
    METRIC_COMPARED = 16,    /* own figure for a published one, in verdicts */
    METRIC_REQUESTS = 32,    /* export requests */
    METRIC_PERCENTILES = 64, /* /v1/streaming/percentiles */
    METRIC_ASSAY = 128,      /* of SLA and GPU rows by lens assay only */
    METRIC_PROMPTS = 256,    /* export prompts */
    METRIC_SETS_END = 512
};

enum metric_direction { NEITHER_IS_BETTER, HIGHER_IS_BETTER, LOWER_IS_BETTER };

struct metric {
    const char *name; /* of the field */
    unsigned sets;
    const char *title; /* a phrase for people */
    const char *unit; /* "ms", "1/s", "ratio", "count", ...; "text" for words */
    enum metric_direction direction;
    char statistics;         /* letter of a metric_class, '-' for none */
    char comparability;      /* the same */
    const char *counterpart; /* what it is compared with; null for nothing */
    const char *target;      /* a goal that somebody has published, or null */
    const char *definition;  /* sentences */
    const char *formula;     /* null where the sentences say it all */
    const char *null_when;   /* null where the figure is never null */
    const char *source;      /* where the definition comes from */
};

/* The whole registry, one chapter for each file; ends without a title. */
struct metric_chapter {
    const char *title;
    const char *about;
    const struct metric *metrics; /* ends with one without a name */
};
extern const struct metric_chapter metric_chapters[];

/* Classes of statistics: how many runs are judged together. Classes of
 * comparability: what a comparison of our figure with a published one says. */
struct metric_class {
    char letter;
    const char *name;
    const char *meaning;
};
extern const struct metric_class statistics_classes[];    /* ends with 0 */
extern const struct metric_class comparability_classes[]; /* the same */

/* What holds for all definitions; ends with null. */
extern const char *const metric_rules[];

/* The metric NAME in one of SETS; null where there is none. */
const struct metric *metric_find(const char *name, unsigned sets);

/* "run", "sla", "demand", "gpu", "compared", "requests", "percentiles",
 * "assay", "prompts"; 0 for another word. */
unsigned metric_set_named(const char *name);
/* Name of one set. */
const char *metric_set_name(enum metric_set set);
const char *metric_direction_name(enum metric_direction direction);

/* ---- written out --------------------------------------------------------- */

/* One metric as an object. */
void metric_write_json(struct json_writer *writer, const struct metric *metric);
/* Everything as members of an object: sha256 (metrics_hash), rules,
 * statistics, comparability, reasons (of runs), metrics. */
void metrics_write_json(struct json_writer *writer);

/* Everything as a Markdown document; it ends with an empty line, so that more
 * chapters may follow. */
void metrics_write_markdown(struct buf *out);

/* Over the JSON of all metrics: which definitions a figure was made under. */
void metrics_hash(char hex[2 * SHA256_BYTES + 1]);

#endif
