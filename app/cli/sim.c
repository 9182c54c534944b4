/*
 * sim.c: `assay sim`: a Livepeer network on this machine, until it is told to
 * stop.
 */
#include "sim/sim.h"
#include "base/log.h"
#include "base/random.h"
#include "cli/cli.h"
#include "cli/stop.h"

#include <stdio.h>

enum { ORCHESTRATORS_USUAL = 3 };

static const struct option options[] = {
    {.name = "--orchestrators",
     .value = "N",
     .type = OPTION_INT,
     .help = "how many steady ones (default 3); a scenario has its own",
     .least = 1,
     .most = ORCHESTRATORS_MAX},
    {.name = "--scenario",
     .value = "FILE",
     .type = OPTION_TEXT,
     .help = "YAML file that says how each orchestrator behaves"},
    {.name = "--options",
     .type = OPTION_FLAG,
     .help = "print all that a scenario can say, and end"},
    {.name = "--seed",
     .value = "N",
     .type = OPTION_INT,
     .help = "of all chance; printed if it was drawn",
     .most = INT64_MAX},
    {.name = "--truth",
     .value = "FILE",
     .type = OPTION_TEXT,
     .help = "write what really happens, as JSON lines"},
    {.name = "--listen",
     .value = "ADDR:PORT",
     .type = OPTION_CONFIG,
     .help = "where to listen (default 127.0.0.1:0); the port of the first, "
             "the others follow it; 0 takes free ones",
     .key = "listen"},
    {0}};

static const struct example examples[] = {
    {"assay sim --orchestrators 8", "eight orchestrators on free ports"},
    {"assay sim --options", "all that a scenario can say"},
    {"assay sim --scenario bad.yaml --seed 7 --truth truth.ndjson",
     "the same misbehaviour each time, and its record"},
    {0}};

static enum err read_scenario(const struct invocation *invocation,
                              struct scenario *scenario)
{
    const char *path = option_text(invocation, "--scenario");
    int64_t count =
        option_int(invocation, "--orchestrators", ORCHESTRATORS_USUAL);
    if (!path) {
        scenario_steady(scenario, (size_t)count);
        return ERR_NONE;
    }
    enum err err = scenario_load(scenario, path);
    for (size_t i = 1; err && i < scenario->problems.count; i++)
        log_message(LOG_ERROR, "%s: %s", scenario->problems.items[i].where,
                    scenario->problems.items[i].what);
    if (!err && option_given(invocation, "--orchestrators"))
        err = err_set(ERR_USAGE,
                      "--orchestrators is for networks without a "
                      "scenario; %s lists its own",
                      path);
    return err;
}

/* The flag's, else the scenario's, else a drawn one, which is told. */
static uint64_t choose_seed(const struct invocation *invocation,
                            const struct scenario *scenario)
{
    uint32_t drawn;
    if (option_given(invocation, "--seed"))
        return (uint64_t)option_int(invocation, "--seed", 0);
    if (scenario->seed >= 0)
        return (uint64_t)scenario->seed;
    random_bytes(&drawn, sizeof drawn);
    log_message(LOG_INFO, "the seed is %u", (unsigned)drawn);
    return drawn;
}

static enum err run_network(struct invocation *invocation,
                            const struct scenario *scenario)
{
    const struct config *config = invocation->config;
    bool placed = option_given(invocation, "--listen");
    struct sim_settings settings = {
        .scenario = scenario,
        .seed = choose_seed(invocation, scenario),
        .host = placed ? config->listen.host : "127.0.0.1",
        .port = placed ? config->listen.port : 0,
        .truth_path = option_text(invocation, "--truth")};
    struct sim *sim;
    stop_block();
    enum err err = sim_start(&sim, &settings);
    if (!err) {
        sim_describe(sim, stdout);
        stop_wait();
        err = sim_stop(sim);
    }
    stop_unblock();
    return err;
}

static enum err run(struct invocation *invocation)
{
    if (option_flag(invocation, "--options")) {
        struct buf yaml = {0};
        scenario_default_yaml(&yaml);
        fwrite(yaml.data, 1, yaml.length, stdout);
        buf_free(&yaml);
        return ERR_NONE;
    }
    struct scenario scenario;
    enum err err = read_scenario(invocation, &scenario);
    if (!err)
        err = run_network(invocation, &scenario);
    scenario_free(&scenario);
    return err;
}

const struct command command_sim = {
    .name = "sim",
    .summary = "run a sandbox network with known truth",
    .arguments = "",
    .about =
        "Runs orchestrators on this machine that speak the network's real "
        "protocols: gRPC over TLS, the live-video-to-video endpoint, trickle "
        "channels, events. Nothing else of a network is needed: no chain, no "
        "GPU, no Internet. Without a scenario all are steady, off-chain, with "
        "four slots.\n\n"
        "When all listen, one JSON line for each is printed: kind, url, "
        "address (the recipient of tickets), signing_address, model and "
        "behaviour. Then it runs until Ctrl-C or SIGTERM.\n\n"
        "The truth has a JSON object a line with kind, orchestrator, at_us "
        "(monotonic microseconds, the clock of whoever measures on this "
        "machine) and wall_ms, written when it happens: network, "
        "get_orchestrator, start, output (a frame: when it was written, and "
        "sent_us, when the kernel had it), event, params, run (the sums of a "
        "job when it ends), outage.",
    .options = options,
    .examples = examples,
    .run = run,
};
