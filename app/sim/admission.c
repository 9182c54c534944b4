/*
 * admission.c: see admission.h.
 */
#include "sim/admission.h"
#include "base/clock.h"

static void link_admission(struct admission *admission)
{
    struct orchestrator *orchestrator = admission->orchestrator;
    admission->before = NULL;
    admission->after = orchestrator->admissions;
    if (orchestrator->admissions)
        orchestrator->admissions->before = admission;
    orchestrator->admissions = admission;
}

static void unlink_admission(struct admission *admission)
{
    if (admission->before)
        admission->before->after = admission->after;
    else
        admission->orchestrator->admissions = admission->after;
    if (admission->after)
        admission->after->before = admission->before;
}

bool admission_take(struct admission *admission,
                    struct orchestrator *orchestrator, struct text model)
{
    const struct behaviour *behaviour = orchestrator->behaviour;
    admission->orchestrator = orchestrator;
    admission->received_us = clock_monotonic_us();
    /* While it is out it has no containers. */
    if (behaviour->works && text_is(model, behaviour->model))
        admission->container =
            container_take(&orchestrator->containers, admission->received_us,
                           &admission->cold);
    if (!admission->container)
        return false;
    link_admission(admission);
    return true;
}

static bool is_to_fail(const struct orchestrator *orchestrator)
{
    struct draw draw = draw_from(orchestrator->network->seed, "failure",
                                 orchestrator->place, orchestrator->job_count);
    return draw_chance(&draw, orchestrator->behaviour->failure_rate);
}

static void runner_answers(void *context)
{
    struct admission *admission = context;
    struct orchestrator *orchestrator = admission->orchestrator;
    struct job *job = NULL;
    bool fails = is_to_fail(orchestrator);
    if (fails && orchestrator->behaviour->failure_kind == FAILURE_START) {
        orchestrator->job_count++;
        admission_cancel(admission);
    } else {
        job = job_begin(admission, fails);
        unlink_admission(admission);
        admission->container = NULL; /* the job's */
    }
    admission->done(admission->context, job);
}

void admission_start(struct admission *admission,
                     void (*done)(void *context, struct job *job),
                     void *context)
{
    struct orchestrator *orchestrator = admission->orchestrator;
    admission->done = done;
    admission->context = context;
    loop_timer_init(&admission->runner, orchestrator->network->loop,
                    runner_answers, admission);
    loop_timer_after(&admission->runner,
                     orchestrator->behaviour->start_ms * US_PER_MS);
}

void admission_cancel(struct admission *admission)
{
    if (!admission->container)
        return;
    loop_timer_stop(&admission->runner);
    unlink_admission(admission);
    container_release(admission->container, false, clock_monotonic_us());
    admission->container = NULL;
}

void admissions_fail(struct orchestrator *orchestrator)
{
    struct admission *admission;
    while ((admission = orchestrator->admissions)) {
        admission_cancel(admission);
        if (admission->done)
            admission->done(admission->context, NULL);
    }
}
