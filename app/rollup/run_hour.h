/*
 * run_hour.h: own live runs by the hour: counts by outcome, sums, and
 * histograms of every figure, from which days and months are put together
 * without averaging averages.
 *
 * Figures are those of runs that are ok and measured them; failed, busy,
 * excused and suspect ones count apart. Runs come one by one, and nothing of
 * them is held but these sums: whoever has runs in the order of their start
 * asks after each hour, and a year takes no more memory than its fullest hour.
 */
#ifndef ASSAY_ROLLUP_RUN_HOUR_H
#define ASSAY_ROLLUP_RUN_HOUR_H

#include "base/arena.h"
#include "base/fields.h"
#include "journal/journal.h"

/* Of one figure. */
struct run_figure {
    int64_t count;
    double sum; /* exact, rounded once; null without any */
    double least;
    double most;
    struct text histogram; /* base64 of histogram_encode; null without any */
};

struct run_hour {
    int64_t hour; /* its start */
    struct text vantage;
    struct text orchestrator_address;
    struct text orchestrator_url;
    struct text workflow;
    struct text pipeline_id;
    struct text model_id;
    struct text gpu_id;
    int64_t cold; /* 1, 0, or null where nobody knows */
    int64_t runs;
    int64_t ok;
    int64_t failed;
    int64_t busy;
    int64_t excused;
    int64_t vantage_suspect;
    struct run_figure startup_ms;
    struct run_figure ptff_ms;
    struct run_figure playable_ms;
    struct run_figure first_segment_ms;
    struct run_figure output_fps;
    struct run_figure input_fps;
    struct run_figure jitter_interval;
    struct run_figure jitter_fps;
    struct run_figure freeze_ms;
    struct run_figure e2e_p50_ms;
    struct run_figure e2e_p95_ms;
};
extern const struct fields run_hour_fields;

struct run_hours;

struct run_hours *run_hours_new(void);
/* Null is allowed. */
void run_hours_free(struct run_hours *hours);
/* Texts of RUN are borrowed for the call. */
void run_hours_take(struct run_hours *hours, const struct run *run);
/* Hours of all runs that were taken since the last call, sorted by hour, then
 * the text fields, then cold. They are there until more is taken. */
const struct run_hour *run_hours_end(struct run_hours *hours, size_t *count);

#endif
