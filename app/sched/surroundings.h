/*
 * surroundings.h: all that the driver of plans (driver.h) has to do with the
 * world: time, the store, orchestrators, control targets.
 *
 * In the program these are the loop's clock and timers, the writer's thread,
 * probes and HTTP (scheduler.c). In tests they are a simulated day, so that the
 * very same driver lives through weeks in seconds, and through clocks that
 * jump.
 *
 * Everything happens on one thread. Nothing here calls the driver back before
 * it has returned.
 */
#ifndef ASSAY_SCHED_SURROUNDINGS_H
#define ASSAY_SCHED_SURROUNDINGS_H

#include "discover/discover.h"
#include "ingest/ingest.h"
#include "probe/probe.h"

struct instant {
    int64_t wall_ms;      /* since 1970, as the machine believes */
    int64_t monotonic_us; /* stands still while the machine sleeps */
};

/* Something to be done to the store, on the thread that writes. */
struct store_work {
    writer_work *run;
    void *context; /* of RUN */
    /* With what RUN returned, on the driver's thread; SENTENCE explains. */
    void (*done)(struct store_work *work, enum err err, const char *sentence);
};

/* Control targets asked once, all of them. */
struct control_round {
    int64_t asked;
    int64_t failed;
    bool offset_known;     /* of our clock, by their Date headers: */
    int64_t offset_low_ms; /* how far ours is behind, at the least */
    int64_t offset_high_ms;
    bool offset_contradicted; /* they do not agree on any */
};

struct surroundings {
    void *context;
    struct instant (*now)(void *context);
    /* driver_tick then; takes the place of the time that was set before. */
    void (*wake_at)(void *context, int64_t monotonic_us);
    /* In the order of the calls. */
    void (*with_store)(void *context, struct store_work *work);
    /* driver_found follows. */
    void (*discover)(void *context);
    /* driver_controls follows, within CONTROL_PATIENCE_US; never called while
     * a round is under way. */
    void (*ask_controls)(void *context);
    /* As in probe.h. */
    struct probe *(*probe)(void *context, const struct probe_request *request);
    void (*stop)(void *context, struct probe *probe, enum reason reason);
    void (*enough)(void *context, struct probe *probe);
};

enum { CONTROL_PATIENCE_US = 5000000 };

#endif
