/*
 * sim.c: see sim.h.
 */
#include "sim/sim.h"
#include "base/clock.h"
#include "sim/network.h"

#include <stdlib.h>

struct sim {
    struct network network;
    size_t opened; /* orchestrators */
};

static void say_start(struct network *network)
{
    struct json_writer *writer =
        truth_begin(network->truth, "network", network->started_us);
    json_member_int(writer, "seed", (int64_t)network->seed);
    json_member_int(writer, "orchestrators",
                    (int64_t)network->orchestrator_count);
    truth_end(network->truth);
}

static enum err open_orchestrators(struct sim *sim,
                                   const struct sim_settings *settings)
{
    struct network *network = &sim->network;
    const struct scenario *scenario = settings->scenario;
    network->orchestrator_count = scenario->orchestrator_count;
    network->orchestrators = memory_zeroed(network->orchestrator_count,
                                           sizeof *network->orchestrators);
    say_start(network);
    for (size_t i = 0; i < network->orchestrator_count; i++) {
        uint16_t port = settings->port ? (uint16_t)(settings->port + i) : 0;
        enum err err = orchestrator_open(&network->orchestrators[i], network, i,
                                         &scenario->orchestrators[i],
                                         settings->host, port);
        if (err)
            return err;
        sim->opened++;
    }
    return ERR_NONE;
}

enum err sim_start(struct sim **result, const struct sim_settings *settings)
{
    struct sim *sim = memory_zeroed(1, sizeof *sim);
    struct network *network = &sim->network;
    network->seed = settings->seed;
    network->started_us = clock_monotonic_us();
    enum err err = truth_open(&network->truth, settings->truth_path);
    if (!err)
        err = loop_start(&network->loop);
    if (!err)
        err = open_orchestrators(sim, settings);
    *result = sim;
    if (!err)
        return ERR_NONE;
    enum err ended = sim_stop(sim);
    return ended ? ended : err;
}

enum err sim_stop(struct sim *sim)
{
    struct network *network = &sim->network;
    for (size_t i = 0; i < sim->opened; i++)
        orchestrator_close(&network->orchestrators[i]);
    loop_stop(network->loop);
    enum err err = network->truth ? truth_close(network->truth) : ERR_NONE;
    free(network->orchestrators);
    free(sim);
    return err;
}

static void add_address(struct json_writer *writer, const char *key,
                        const uint8_t address[ETHEREUM_ADDRESS_BYTES])
{
    char text[ETHEREUM_ADDRESS_TEXT_BYTES];
    ethereum_address_text_lower(address, text);
    json_member_string(writer, key, text);
}

void sim_describe(const struct sim *sim, FILE *out)
{
    struct buf line = {0};
    for (size_t i = 0; i < sim->network.orchestrator_count; i++) {
        const struct orchestrator *orchestrator =
            &sim->network.orchestrators[i];
        struct json_writer writer = {.out = &line};
        buf_clear(&line);
        json_begin(&writer, '{');
        json_member_string(&writer, "kind", "orchestrator");
        json_member_string(&writer, "url", orchestrator->url);
        add_address(&writer, "address", orchestrator->address);
        add_address(&writer, "signing_address", orchestrator->signing_address);
        json_member_string(&writer, "model", orchestrator->behaviour->model);
        json_member_string(&writer, "behaviour", orchestrator->behaviour->name);
        json_end(&writer, '}');
        fprintf(out, "%s\n", buf_string(&line));
    }
    buf_free(&line);
    fflush(out);
}
