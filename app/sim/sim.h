/*
 * sim.h: a Livepeer network on this machine, whose truth is known.
 *
 * Orchestrators listen on ports of their own and speak the network's real
 * protocols: gRPC over TLS, the live-video endpoint, trickle, events. How each
 * behaves is a scenario's to say, what each did is written down as it happens
 * (truth.h). `assay sim` runs one; the demonstration and the tests of probes
 * are made of it.
 *
 * A network lives on one loop thread of its own and shares nothing with what
 * else the process does, another network included:
 *
 *     err = scenario_load_bytes(&scenario, "here", yaml, length);
 *     settings.scenario = &scenario;
 *     settings.flattered = sim_flattered(&scenario, seed);
 *     err = sim_start(&sim, &settings);    all ports listen from here on
 *     for (size_t i = 0; i < sim_count(sim); i++)
 *         ... sim_orchestrator(sim, i).url ...
 *     err = sim_stop(sim);
 *     scenario_free(&scenario);
 *
 * Every function here may be called on any thread but the network's own.
 */
#ifndef ASSAY_SIM_SIM_H
#define ASSAY_SIM_SIM_H

#include "base/err.h"
#include "livepeer/livepeer.h"
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
    int64_t clock_start_ms;  /* what its clock says at the next instant */
    int64_t clock_origin_us; /* of clock_monotonic_us; 0: when it starts */
    const char *flattered;   /* whom it flatters; "" for nobody */
    const char *events_path; /* null: no file */
    struct sim_target targets[SIM_TARGETS_MAX];
    size_t target_count;
};

/* Whom a gateway under SEED flatters: the scenario's choice, else one drawn
 * among those that take jobs; "" where there is none. */
const char *sim_flattered(const struct scenario *scenario, uint64_t seed);

/* ERR_NETWORK where a port is not to be had, ERR_USAGE where a file cannot be
 * written. */
MUST_USE enum err sim_start(struct sim **sim,
                            const struct sim_settings *settings);

/* Ends everything in order; telemetry has some seconds to arrive, so that the
 * servers that take it must still run. ERR_INPUT where the truth is not whole.
 */
MUST_USE enum err sim_stop(struct sim *sim);

/* ---- what there is: as long as the network runs -------------------------- */

struct sim_orchestrator {
    const char *name; /* the scenario's */
    const char *model;
    const char *url;                           /* "https://127.0.0.1:40001" */
    char address[ETHEREUM_ADDRESS_TEXT_BYTES]; /* of its tickets, lower case */
    char signing_address[ETHEREUM_ADDRESS_TEXT_BYTES];
};

size_t sim_count(const struct sim *sim);
/* I below sim_count(). */
struct sim_orchestrator sim_orchestrator(const struct sim *sim, size_t i);

/* "http://127.0.0.1:40009": the gateway's own port, and the remote signer's. */
const char *sim_gateway_url(const struct sim *sim);
const char *sim_signer_url(const struct sim *sim);

/* What the gateway's clock says now. */
int64_t sim_time_ms(const struct sim *sim);

/* Prints a JSON line for each orchestrator, then one for PUBLISHER's URL (null:
 * none), and for the signer and the gateway. */
void sim_describe(const struct sim *sim, const char *publisher, FILE *out);

#endif
