/*
 * terms.h: by which terms plans are made and carried out: what the operator
 * decided (section sched of the configuration), and the workflows with their
 * prompts. Nothing changes while a driver lives.
 */
#ifndef ASSAY_SCHED_TERMS_H
#define ASSAY_SCHED_TERMS_H

#include "sched/workflow.h"

struct terms_workflow {
    struct workflow workflow;
    struct prompt_set prompts;
};

struct terms {
    const char *vantage;
    int64_t hour_ms; /* how long an hour of stamps lasts */
    int64_t span_ms; /* of a plan, in stamps; divides a day */
    int64_t run_ms;
    int64_t run_spread_ms;
    int64_t idle_share_ppm;
    int64_t runs_per_hour; /* of one target, at the most */
    int64_t run_ms_per_hour;
    int64_t runs_at_once;
    int64_t run_wei;
    int64_t day_wei;
    int64_t tight_ppm; /* a run may end when its rate is known so well; 0: it
                          never does */
    const char *control_targets; /* URLs, parted by commas; "" for none */
    int64_t control_fail_ppm;
    int64_t fleet_fail_ppm;
    int64_t fleet_window_ms;
    const struct terms_workflow *workflows;
    size_t workflow_count;
};

/* Reads the terms of CONFIG into ARENA. ERR_CONFIG says which workflow or set
 * of prompts is none. */
MUST_USE enum err terms_read(struct arena *arena, const struct config *config,
                             struct terms *terms);

/* The one called NAME with the hash SHA256, or null. */
const struct terms_workflow *
terms_workflow(const struct terms *terms, struct text name, struct text sha256);

#endif
