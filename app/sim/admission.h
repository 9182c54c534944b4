/*
 * admission.h: how a job gets into an orchestrator: a container is taken, the
 * runner is asked to start, and after a while it does or does not.
 */
#ifndef ASSAY_SIM_ADMISSION_H
#define ASSAY_SIM_ADMISSION_H

#include "sim/job.h"

/* Lies in its owner's memory, zeroed at first. */
struct admission {
    struct orchestrator *orchestrator;
    struct admission *before; /* others of the same orchestrator */
    struct admission *after;
    struct container *container; /* while it is taken and nobody has it */
    bool cold;
    int64_t received_us;
    struct job_request request;
    struct loop_timer runner; /* when it answers */
    /* The job, or null where the runner could not start it. */
    void (*done)(void *context, struct job *job);
    void *context;
};

/* Takes a container for MODEL; false where there is none. */
MUST_USE bool admission_take(struct admission *admission,
                             struct orchestrator *orchestrator,
                             struct text model);

/* Asks the runner; DONE is called later, unless it is cancelled. What the
 * admission's request says must live until then. */
void admission_start(struct admission *admission,
                     void (*done)(void *context, struct job *job),
                     void *context);

/* Gives back what was taken; at any time. */
void admission_cancel(struct admission *admission);

/* The orchestrator ends: all that is under way fails. */
void admissions_fail(struct orchestrator *orchestrator);

#endif
