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

struct sim_settings {
    const struct scenario *scenario; /* must outlive the network */
    uint64_t seed;                   /* of all chance */
    const char *host;                /* numeric, for all ports */
    uint16_t port; /* of the first orchestrator, the others follow; 0: any */
    const char *truth_path; /* null: none is kept */
};

/* ERR_NETWORK where a port is not to be had, ERR_USAGE where the truth cannot
 * be written. */
MUST_USE enum err sim_start(struct sim **sim,
                            const struct sim_settings *settings);

/* Prints a JSON line for whatever can be connected to: orchestrators first. */
void sim_describe(const struct sim *sim, FILE *out);

/* Ends everything in order. ERR_INPUT where the truth is not whole. */
MUST_USE enum err sim_stop(struct sim *sim);

#endif
