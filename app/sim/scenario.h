/*
 * scenario.h: how the orchestrators of a sandbox network behave, as a file
 * says it.
 *
 *     defaults:
 *         model: noop
 *     orchestrators:
 *       - name: steady
 *       - name: slow
 *         count: 2
 *         fps: {mean: 12}
 *         latency: {mean_ms: 400, deviation_ms: 30, shape: normal}
 *       - name: failing
 *         failure: {rate: 0.2, kind: silent}
 *         outages: [{from: 2m, to: 3m}]
 *
 * All options with their defaults: scenario_options[] in scenario.c, printed
 * by `assay sim --options`.
 */
#ifndef ASSAY_SIM_SCENARIO_H
#define ASSAY_SIM_SCENARIO_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "config/config.h"
#include "sim/draw.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ORCHESTRATORS_MAX = 256, OUTAGES_MAX = 64 };

/* How a job fails that was drawn to fail. */
enum failure_kind {
    FAILURE_START,  /* the start is answered with 500 */
    FAILURE_SILENT, /* it is accepted, but nothing ever comes out */
    FAILURE_STOP,   /* it ends after some output, its channels closed */
    FAILURE_ERROR   /* it reports errors and puts out nothing more */
};

enum timestamps { TIMESTAMPS_KEPT, TIMESTAMPS_DROPPED };
enum claimed_state { CLAIM_TRUE, CLAIM_ONLINE };

/* From the network's start, in ms: no request is answered in between. */
struct outage {
    int64_t from_ms;
    int64_t to_ms;
};

struct behaviour {
    const char *name;
    int64_t count; /* how many like this; 1 once a scenario has been read */
    const char *model;
    const char *gpu;          /* "": one is drawn (gpu.h) */
    int64_t gpu_memory_bytes; /* 0: what such a GPU has */
    const char *version;
    const char *runner_version;
    bool works;          /* else it only points to its nodes */
    const char *nodes;   /* names, parted by commas */
    int64_t slots;       /* containers */
    int64_t price_wei;   /* for one pixel; 0: off-chain */
    bool trusts_senders; /* else each is said to have too little reserve */

    int64_t start_ms;            /* the runner's answer to its start */
    int64_t warm_up_ms;          /* more of a cold container, before output */
    int64_t cools_after_ms;      /* unused; a container is cold again */
    struct distribution fps;     /* highest output rate; drawn per job */
    struct distribution latency; /* ms from frame in to frame out; per job */
    struct distribution jitter;  /* ms more; drawn per frame */
    int64_t freeze_every_ms;     /* 0: never */
    int64_t freeze_length_ms;
    int64_t restart_every_ms; /* 0: never */
    int64_t restart_length_ms;
    int timestamps;          /* enum timestamps */
    int64_t status_every_ms; /* on the events channel */

    double failure_rate;
    int failure_kind;  /* enum failure_kind */
    double claims_fps; /* in its status; 0: what it delivers */
    int claims_state;  /* enum claimed_state */
    const struct outage *outages;
    size_t outage_count;
};

struct scenario {
    struct behaviour *orchestrators;
    size_t orchestrator_count;
    int64_t seed;        /* -1 where the file names none */
    const char *flatter; /* a name; "" where the file leaves it open */
    struct config_problems problems;
    struct arena arena; /* owns all texts */
};

/*
 * Fills SCENARIO from the file at PATH, or from BYTES that are called NAME in
 * messages. ERR_CONFIG where anything is wrong; scenario->problems has all.
 * To be freed in either case.
 */
MUST_USE enum err scenario_load(struct scenario *scenario, const char *path);
MUST_USE enum err scenario_load_bytes(struct scenario *scenario,
                                      const char *name, const char *bytes,
                                      size_t length);

/* COUNT orchestrators (up to ORCHESTRATORS_MAX) that behave as the defaults
 * say: steady, off-chain, four slots. */
void scenario_steady(struct scenario *scenario, size_t count);

void scenario_free(struct scenario *scenario);

/* A commented file that sets every option of an orchestrator to its default. */
void scenario_default_yaml(struct buf *out);

#endif
