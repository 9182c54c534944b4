/*
 * scorecard.h: a score as data: a YAML file with a hash.
 *
 * A scorecard names the rows that it scores, values that are computed one after
 * another by formulas (stats/formula.h) over a row's columns, and which of
 * them is the score. What depends on others (a median over all orchestrators of
 * a model, the least and the greatest of the list) is a cohort: a statistic of
 * a formula over all rows in hand, or over those with the same keys.
 *
 * The hash of the file stands beside every score, so that old evidence under a
 * changed scorecard gives rows beside the old ones, never in their place.
 *
 * Pure but for scorecard_find; any thread.
 */
#ifndef ASSAY_ROLLUP_SCORECARD_H
#define ASSAY_ROLLUP_SCORECARD_H

#include "base/arena.h"
#include "base/err.h"
#include "base/fields.h"
#include "base/hash.h"
#include "config/config.h"
#include "stats/stats.h"

enum { SCORE_VALUES_MAX = 64, SCORE_COHORTS_MAX = 16, SCORE_KEYS_MAX = 4 };

enum score_statistic {
    STATISTIC_MEDIAN, /* the mean of the middle two where they are two */
    STATISTIC_MEAN,
    STATISTIC_MIN,
    STATISTIC_MAX,
    STATISTIC_COUNT,
    STATISTIC_P10, /* nearest rank, as the next */
    STATISTIC_P90
};

struct score_cohort {
    const char *name;
    struct formula of;
    struct formula where; /* no steps: all rows */
    int statistic;        /* enum score_statistic */
    const struct field *by[SCORE_KEYS_MAX];
    size_t by_count;
};

struct score_value {
    const char *name;
    struct formula formula;
};

struct scorecard {
    const char *name;
    int64_t version;
    char sha256[2 * SHA256_BYTES + 1]; /* of the file, hex */
    const char *about;
    int source; /* enum score_source */
    int split;  /* enum run_split, of runs */
    struct score_cohort cohorts[SCORE_COHORTS_MAX];
    size_t cohort_count;
    struct score_value values[SCORE_VALUES_MAX];
    size_t value_count;
    size_t score; /* places among the values */
    size_t low;   /* the same as score where there is no interval */
    size_t high;
};

/* Which rows a scorecard is for. */
enum score_source {
    SCORE_SLA, /* hours of the lens: struct sla_row */
    SCORE_RUNS /* hours of own runs put together: struct run_group */
};

struct fields score_source_fields(enum score_source source);

/* FILE has its name and arena; its problems are what is wrong. False where
 * there are any. Everything lies in the arena. */
bool scorecard_read(struct config_document *file, const char *bytes,
                    size_t length, struct scorecard *card);

/* A built-in one by name, or the file at the path NAME. */
MUST_USE enum err scorecard_find(struct arena *arena, const char *name,
                                 struct scorecard *card);

/* Those built in; ends with a null name. */
extern const struct config_builtin scorecard_files[];

/*
 * The values of COUNT rows of ROW_BYTES each, value_count a row, in ARENA. Null
 * is NaN.
 */
double *scorecard_apply(struct arena *arena, const struct scorecard *card,
                        const void *rows, size_t row_bytes, size_t count);

#endif
