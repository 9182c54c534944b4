/*
 * scheduler.h: the driver of plans (driver.h) in its real surroundings: the
 * orchestrators that section discover of the configuration tells, by the terms
 * of section sched.
 *
 *     err = scheduler_start(&scheduler, &settings);
 *     ...
 *     scheduler_stop(scheduler);
 *
 * It lives on a loop; what it reads and writes goes through the writer, whom it
 * never waits for.
 */
#ifndef ASSAY_SCHED_SCHEDULER_H
#define ASSAY_SCHED_SCHEDULER_H

#include "config/config.h"
#include "ingest/ingest.h"
#include "wire/wire.h"

struct scheduler;

/* All borrowed, and all must outlive it. */
struct scheduler_settings {
    const struct config *config;
    struct loop *loop;
    struct writer *writer;
};

/* Any thread but the loop's. ERR_CONFIG says what of the configuration cannot
 * be carried out. */
MUST_USE enum err scheduler_start(struct scheduler **scheduler,
                                  const struct scheduler_settings *settings);

/* Whether CONFIG could be started by, without starting anything. */
MUST_USE enum err scheduler_check(const struct config *config);

/* Ends runs in order and returns when all is written that can be. Any thread
 * but the loop's; null is allowed. */
void scheduler_stop(struct scheduler *scheduler);

#endif
