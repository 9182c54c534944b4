/*
 * sim.h: a Livepeer network on this machine, whose truth is known.
 *
 * Orchestrators listen on ports of their own and speak the network's real
 * protocols: gRPC over TLS, the live-video endpoint, trickle, events. How each
 * behaves is a scenario's to say, what each did is written down as it happens
 * (truth.h). `assay sim` runs one; the demonstration and the tests of probes
 * are made of it.
 */
#ifndef ASSAY_SIM_SIM_H
#define ASSAY_SIM_SIM_H

#include "base/err.h"
#include "sim/scenario.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct sim;

/* A server that takes what the network's gateway tells. */
struct sim_target {
    const char *url;   /* "http://127.0.0.1:8080" */
    const char *token; /* of scope ingest; "" for none */
};

enum { SIM_TARGETS_MAX = 4, SIM_HOUR_S = 3600 };

struct sim_settings {
    const struct scenario *scenario; /* must outlive the network, as all */
    uint64_t seed;                   /* of all chance */
    const char *host;                /* numeric, for all ports */
    uint16_t port; /* of the first orchestrator, the others follow; 0: any */
    const char *truth_path; /* null: none is kept */

    /* The gateway: users' sessions, and what it tells about them. */
    int64_t sessions;        /* at once on each orchestrator; 0: it is silent */
    int64_t hour_s;          /* how long an hour of its clock lasts */
    int64_t clock_start_ms;  /* what its clock says at first */
    const char *flattered;   /* whom it flatters; "" for nobody */
    const char *events_path; /* null: no file */
    struct sim_target targets[SIM_TARGETS_MAX];
    size_t target_count;
};

/* ERR_NETWORK where a port is not to be had, ERR_USAGE where a file cannot be
 * written. */
MUST_USE enum err sim_start(struct sim **sim,
                            const struct sim_settings *settings);

/* "http://127.0.0.1:40009": the gateway's own port. */
const char *sim_gateway_url(const struct sim *sim);

/* Prints a JSON line for each orchestrator, then one for PUBLISHER's URL (null:
 * none), and for the signer and the gateway. */
void sim_describe(const struct sim *sim, const char *publisher, FILE *out);

/* Ends everything in order. ERR_INPUT where the truth is not whole. */
MUST_USE enum err sim_stop(struct sim *sim);

#endif
