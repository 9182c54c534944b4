/*
 * run_group.h: hours of own runs put together by orchestrator, for scores.
 *
 * Null is not zero, busy is not failed: rates are over runs that say something
 * about the orchestrator (ok and failed), means over those that are ok and
 * measured the figure. Leaderboards that others run do neither: for their
 * scorecards there are rows and figures made as they make them.
 */
#ifndef ASSAY_ROLLUP_RUN_GROUP_H
#define ASSAY_ROLLUP_RUN_GROUP_H

#include "base/arena.h"
#include "base/fields.h"
#include "rollup/run_hour.h"

/* What gets a row of its own. */
enum run_split {
    SPLIT_GPU, /* each orchestrator's GPU by workflow, cold and warm apart */
    /* Each orchestrator by pipeline and model, as leaderboards have it: no
     * workflow, gpu_id and cold, and no URL where the address is known. */
    SPLIT_ORCHESTRATOR
};

struct run_group {
    struct text vantage;
    struct text orchestrator_address;
    struct text orchestrator_url;
    struct text workflow;
    struct text pipeline_id;
    struct text model_id;
    struct text gpu_id;
    int64_t cold;         /* 1, 0, or null where nobody knows */
    int64_t window_start; /* of the hour of the first run */
    int64_t window_end;   /* end of the hour of the last one */
    int64_t runs;
    int64_t ok;
    int64_t failed;
    int64_t busy;
    int64_t excused;
    int64_t vantage_suspect;
    double success_rate; /* ok / (ok + failed) */
    double startup_ms;
    double ptff_ms;
    double playable_ms;
    double first_segment_ms;
    double output_fps;
    double input_fps;
    double jitter_interval;
    double jitter_fps;
    double freeze_ms;
    double e2e_p50_ms;
    double e2e_p95_ms;
    /* Means over ok and failed runs, where one that measured none counts as
     * 0. */
    double ptff_or_0_ms;
    double first_segment_or_0_ms;
    /* Median over the ok runs of the pipeline and model on all orchestrators:
     * exact below HISTOGRAM_EXACT of them, else to 1.083 percent. */
    double surface_ptff_p50_ms;
};
extern const struct fields run_group_fields;

/* In the making: nothing of an hour is held but these sums. */
struct run_groups;

struct run_groups *run_groups_new(enum run_split split);
/* Null is allowed. */
void run_groups_free(struct run_groups *groups);
/* Hours in any order. Texts of HOUR are borrowed for the call. */
void run_groups_take(struct run_groups *groups, const struct run_hour *hour);
/* Sorted by the text fields, then cold; as long as GROUPS. Nothing more is
 * taken after it. */
const struct run_group *run_groups_end(struct run_groups *groups,
                                       size_t *count);

#endif
