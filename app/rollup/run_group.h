/*
 * run_group.h: own runs added up by orchestrator, workflow and GPU, for scores.
 *
 * Null is not zero, busy is not failed: rates are over runs that say something
 * about the orchestrator (ok and failed), means over those that are ok and
 * measured the figure.
 */
#ifndef ASSAY_ROLLUP_RUN_GROUP_H
#define ASSAY_ROLLUP_RUN_GROUP_H

#include "base/arena.h"
#include "base/fields.h"
#include "journal/journal.h"

struct run_group {
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
};
extern const struct fields run_group_fields;

/* In the making: nothing of a run is held but these sums. */
struct run_groups;

struct run_groups *run_groups_new(void);
/* Null is allowed. */
void run_groups_free(struct run_groups *groups);
/* Live runs alone count. Texts of RUN are borrowed for the call. */
void run_groups_take(struct run_groups *groups, const struct run *run);
/* Sorted by the text fields, then cold; as long as GROUPS. Nothing more is
 * taken after it. */
const struct run_group *run_groups_end(struct run_groups *groups,
                                       size_t *count);

#endif
