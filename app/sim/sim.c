/*
 * sim.c: see sim.h.
 */
#include "sim/sim.h"
#include "base/clock.h"
#include "sim/gateway.h"
#include "sim/signer.h"

#include <stdlib.h>
#include <string.h>

enum { SHORT_STATUS_MS = 1000 };

struct sim {
    struct network network;
    size_t opened; /* orchestrators */
    struct signer *signer;
    struct gateway gateway;
};

void url_write(char url[URL_BYTES], const char *scheme, const char *host,
               uint16_t port)
{
    snprintf(url, URL_BYTES, strchr(host, ':') ? "%s://[%s]:%u" : "%s://%s:%u",
             scheme, host, (unsigned)port);
}

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

const char *sim_flattered(const struct scenario *scenario, uint64_t seed)
{
    struct draw draw = draw_from(seed, "flattery", 0, 0);
    const char *names[ORCHESTRATORS_MAX];
    size_t count = 0;
    if (*scenario->flatter)
        return scenario->flatter;
    for (size_t i = 0; i < scenario->orchestrator_count; i++) {
        const struct behaviour *behaviour = &scenario->orchestrators[i];
        if (behaviour->works && behaviour->slots)
            names[count++] = behaviour->name;
    }
    return count ? names[draw_below(&draw, count)] : "";
}

static enum err open_gateway(struct sim *sim,
                             const struct sim_settings *settings)
{
    struct gateway_settings gateway = {
        .host = settings->host,
        .sessions = settings->sessions,
        .hour_s = settings->hour_s,
        .clock_start_ms = settings->clock_start_ms,
        .clock_origin_us = settings->clock_origin_us,
        .flattered = settings->flattered,
        .events_path = settings->events_path,
        .target_count = settings->target_count};
    for (size_t i = 0; i < settings->target_count; i++)
        gateway.targets[i] = (struct telemetry_target){
            settings->targets[i].url, settings->targets[i].token};
    return gateway_open(&sim->gateway, &sim->network, &gateway);
}

/* On the loop: what was set up for it before is seen there from now on. */
static void begin_answering(void *context)
{
    struct network *network = context;
    network->is_open = true;
}

enum err sim_start(struct sim **result, const struct sim_settings *settings)
{
    struct sim *sim = memory_zeroed(1, sizeof *sim);
    struct network *network = &sim->network;
    network->seed = settings->seed;
    network->started_us = clock_monotonic_us();
    /* In short hours sessions are short, too, and must have a status. */
    if (settings->hour_s < SIM_HOUR_S)
        network->status_every_ms = SHORT_STATUS_MS;
    enum err err = truth_open(&network->truth, settings->truth_path);
    if (!err)
        err = loop_start(&network->loop);
    if (!err)
        err = open_orchestrators(sim, settings);
    if (!err)
        err = signer_open(&sim->signer, network, settings->host);
    if (!err)
        err = open_gateway(sim, settings);
    if (!err)
        loop_call(network->loop, begin_answering, network);
    *result = sim;
    if (!err)
        return ERR_NONE;
    enum err ended = sim_stop(sim);
    return ended ? ended : err;
}

enum err sim_stop(struct sim *sim)
{
    struct network *network = &sim->network;
    enum err err = gateway_close(&sim->gateway);
    signer_close(sim->signer);
    for (size_t i = 0; i < sim->opened; i++)
        orchestrator_close(&network->orchestrators[i]);
    loop_stop(network->loop);
    enum err told = network->truth ? truth_close(network->truth) : ERR_NONE;
    free(network->orchestrators);
    free(sim);
    return err ? err : told;
}

/* ---- what there is ------------------------------------------------------- */

size_t sim_count(const struct sim *sim)
{
    return sim->network.orchestrator_count;
}

struct sim_orchestrator sim_orchestrator(const struct sim *sim, size_t i)
{
    const struct orchestrator *orchestrator = &sim->network.orchestrators[i];
    struct sim_orchestrator told = {
        .name = orchestrator->behaviour->name,
        .model = orchestrator->behaviour->model,
        .url = orchestrator->url,
    };
    ethereum_address_text_lower(orchestrator->address, told.address);
    ethereum_address_text_lower(orchestrator->signing_address,
                                told.signing_address);
    return told;
}

const char *sim_gateway_url(const struct sim *sim)
{
    return sim->gateway.url;
}

const char *sim_signer_url(const struct sim *sim)
{
    return signer_url(sim->signer);
}

int64_t sim_time_ms(const struct sim *sim)
{
    return gateway_time_ms(&sim->gateway, clock_monotonic_us());
}

static void add_orchestrator(struct json_writer *writer,
                             const struct sim_orchestrator *orchestrator)
{
    json_member_string(writer, "kind", "orchestrator");
    json_member_string(writer, "url", orchestrator->url);
    json_member_string(writer, "address", orchestrator->address);
    json_member_string(writer, "signing_address",
                       orchestrator->signing_address);
    json_member_string(writer, "model", orchestrator->model);
    json_member_string(writer, "behaviour", orchestrator->name);
}

static void print_line(FILE *out, const char *kind, const char *url,
                       const struct sim_orchestrator *orchestrator)
{
    struct buf line = {0};
    struct json_writer writer = {.out = &line};
    json_begin(&writer, '{');
    if (orchestrator) {
        add_orchestrator(&writer, orchestrator);
    } else {
        json_member_string(&writer, "kind", kind);
        json_member_string(&writer, "url", url);
    }
    json_end(&writer, '}');
    fprintf(out, "%s\n", buf_string(&line));
    buf_free(&line);
}

void sim_describe(const struct sim *sim, const char *publisher, FILE *out)
{
    for (size_t i = 0; i < sim_count(sim); i++) {
        struct sim_orchestrator orchestrator = sim_orchestrator(sim, i);
        print_line(out, NULL, NULL, &orchestrator);
    }
    if (publisher)
        print_line(out, "publisher", publisher, NULL);
    print_line(out, "signer", sim_signer_url(sim), NULL);
    print_line(out, "gateway", sim_gateway_url(sim), NULL);
    fflush(out);
}
