/*
 * containers.h: how many jobs an orchestrator can run, and how warm it is for
 * the next. No clock: times are passed in.
 *
 * A container runs one job at a time. It is warm from its job's first output
 * until it has been idle for a while; the warmest idle one is taken first.
 */
#ifndef ASSAY_SIM_CONTAINERS_H
#define ASSAY_SIM_CONTAINERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct container {
    bool is_busy;
    bool is_warm;     /* as of its last job */
    int64_t used_us;  /* when that job ended */
    int64_t restarts; /* survive from job to job */
};

struct containers {
    struct container *list; /* owned */
    size_t count;
    int64_t cools_after_us;
};

/* WARM: as if all had just been used. */
void containers_init(struct containers *containers, size_t count, bool warm,
                     int64_t cools_after_us, int64_t now_us);
void containers_free(struct containers *containers);

/* Null where all are busy. *COLD says whether it must warm up first. */
struct container *container_take(struct containers *containers, int64_t now_us,
                                 bool *cold);

/* WARM: its job got as far as putting something out. */
void container_release(struct container *container, bool warm, int64_t now_us);

size_t containers_idle(const struct containers *containers);
/* Whether any container is warm now. */
bool containers_warm(const struct containers *containers, int64_t now_us);

#endif
