/*
 * demo.c: `assay demo`: a sandbox network and the appliance beside it, in one
 * process, on a clock whose hour lasts twenty seconds.
 *
 * Nothing is staged. The orchestrators speak the real protocols on ports of
 * their own, the gateway sends its telemetry over HTTP like any other, the
 * publisher is a second service with a store of its own. Only instants run
 * fast: what happens within a session or a run takes as long as it takes.
 *
 * The store says from before its first line that it is simulated (store.h), and
 * every page and answer repeats it. It is a directory of its own that goes with
 * the demonstration; --data keeps one, which must be new: a store that holds
 * anything is refused.
 *
 * Threads: main's waits for the signal. Network, servers and writers have their
 * own; what depends on another is stopped before it.
 */
#include "base/clock.h"
#include "base/log.h"
#include "base/random.h"
#include "cli/cli.h"
#include "cli/publisher.h"
#include "cli/service.h"
#include "cli/stop.h"
#include "cli/temporary.h"
#include "sim/sim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

BUILTIN_FILE(demo_scenario, "app/sim/files/demo.scenario.yaml");

#define DEMO_FLAG "assay demo" /* what sets these options, for messages */

enum { HOUR_S = 20, SESSIONS = 1, URL_BYTES = 200 };

/* Of the gateway's events, as of those that the publisher takes. */
static const char org[] = "sandbox";

static const struct option options[] = {
    {.name = "--seed",
     .value = "N",
     .type = OPTION_INT,
     .help = "of all chance, and of whom the gateway flatters (default drawn)",
     .most = INT64_MAX},
    {.name = "--honest",
     .type = OPTION_FLAG,
     .help = "the gateway flatters nobody"},
    OPTION_LISTEN,
    {0}};

static const struct example examples[] = {
    {"assay demo", "a network that lies about one orchestrator"},
    {"assay demo --seed 7 --honest", "the same for everybody, and no lie"},
    {"assay demo --data demo-data", "keep what it measured"},
    {0}};

struct demo {
    struct invocation *invocation;
    struct config config;
    struct config measuring; /* with what the network told */
    struct scenario scenario;
    struct simulation simulation;
    const char *flattered; /* its name; "" for nobody */
    char temporary[TEMPORARY_PATH_BYTES];
    char *directory; /* absolute */
    struct store *store;
    char token[TOKEN_TEXT_BYTES];
    char ingest_url[URL_BYTES];
    struct service service;
    struct publisher *publisher;
    struct sim *sim;
};

/* ---- before anything runs ------------------------------------------------ */

static enum err read_scenario(struct demo *demo)
{
    enum err err = scenario_load_bytes(
        &demo->scenario, "demo.scenario.yaml", demo_scenario,
        (size_t)(demo_scenario_end - demo_scenario));
    if (err)
        return err;
    const struct invocation *invocation = demo->invocation;
    uint32_t drawn;
    random_bytes(&drawn, sizeof drawn);
    int64_t seed = option_int(invocation, "--seed", drawn);
    bool honest = option_flag(invocation, "--honest");
    demo->flattered =
        honest ? "" : sim_flattered(&demo->scenario, (uint64_t)seed);
    demo->simulation = (struct simulation){.seed = seed,
                                           .honest = honest,
                                           .began_at = clock_wall_ms(),
                                           .hour_ms = HOUR_S * MS_PER_SECOND};
    return ERR_NONE;
}

/* The invocation's, and over it COUNT options of the demonstration's OWN. */
static enum err load_config(struct demo *demo, const struct config_flag *own,
                            size_t own_count, struct config *config)
{
    struct invocation *invocation = demo->invocation;
    const struct config_flag *given;
    size_t count = option_overrides(invocation, &given);
    struct config_flag *flags =
        arena_array(&invocation->arena, count + own_count + 1, sizeof *flags);
    memcpy(flags, given, count * sizeof *flags);
    memcpy(flags + count, own, own_count * sizeof *flags);
    struct config_sources sources = {.path = invocation->config_path,
                                     .environment = environ,
                                     .flags = flags,
                                     .flag_count = count + own_count};
    return config_load(config, &sources);
}

/* Whoever starts a demonstration wants nothing measured but its network. */
static enum err load_serving(struct demo *demo)
{
    const struct config_flag own[] = {
        {"sched.enabled", "false", DEMO_FLAG},
        {"data", demo->temporary, DEMO_FLAG},
    };
    return load_config(demo, own, *demo->temporary ? 2 : 1, &demo->config);
}

/*
 * The plan's terms: three runs of three seconds an hour on each orchestrator,
 * which is less than a fifth of what three idle slots have in 20 s. Plans of
 * two hours are over, and their seeds revealed, within a minute; so what failed
 * is judged by what ended within three seconds of it.
 */
static enum err load_measuring(struct demo *demo)
{
    struct arena *arena = &demo->invocation->arena;
    const struct config_flag own[] = {
        {"discover.static", "", DEMO_FLAG},
        {"discover.file", "", DEMO_FLAG},
        {"discover.webhook_url", "", DEMO_FLAG},
        {"discover.discovery_url", "", DEMO_FLAG},
        {"discover.capabilities_url",
         arena_printf(arena, "%s/getNetworkCapabilities",
                      sim_gateway_url(demo->sim)),
         DEMO_FLAG},
        {"ethereum.key_file", "", DEMO_FLAG},
        {"payment.signer_authorization_file", "", DEMO_FLAG},
        {"payment.signer_url", sim_signer_url(demo->sim), DEMO_FLAG},
        {"payment.run_max_wei", "1000000000000", DEMO_FLAG},
        {"payment.day_max_wei", "1000000000000000", DEMO_FLAG},
        {"sched.vantage", "simulated", DEMO_FLAG},
        {"sched.workflows", "streamdiffusion-sdxl", DEMO_FLAG},
        {"sched.allow_cidrs", "127.0.0.0/8", DEMO_FLAG},
        {"sched.control_targets",
         arena_printf(arena, "%s/healthz",
                      publisher_events_url(demo->publisher)),
         DEMO_FLAG},
        {"sched.hour_ms", arena_printf(arena, "%d", HOUR_S * MS_PER_SECOND),
         DEMO_FLAG},
        {"sched.span_hours", "2", DEMO_FLAG},
        {"sched.run_ms", "3000", DEMO_FLAG},
        {"sched.run_spread_ms", "500", DEMO_FLAG},
        {"sched.runs_per_hour", "3", DEMO_FLAG},
        {"sched.idle_share_ppm", "250000", DEMO_FLAG},
        {"sched.run_ms_per_hour", "120000", DEMO_FLAG},
        {"sched.runs_at_once", "8", DEMO_FLAG},
        {"sched.tight_ppm", "0", DEMO_FLAG},
        {"sched.fleet_window_ms", "6000", DEMO_FLAG},
    };
    return load_config(demo, own, sizeof own / sizeof *own, &demo->measuring);
}

/* Made for it, unless a directory was named. */
static enum err make_directory(struct demo *demo)
{
    if (config_is_set(demo->invocation->config, "data"))
        return ERR_NONE;
    return temporary_make("demo", demo->temporary);
}

static enum err open_store(struct demo *demo)
{
    struct token token;
    enum err err = store_open(&demo->store, demo->config.data, STORE_WRITE);
    if (err)
        return err;
    demo->directory = realpath(demo->config.data, NULL);
    err = store_simulate(demo->store, &demo->simulation);
    if (!err)
        err = token_create(demo->store, SCOPE_INGEST, text_of(org), &token,
                           demo->token);
    return err;
}

/* ---- running ------------------------------------------------------------- */

static enum err start_network(struct demo *demo)
{
    const char *root = api_url(demo->service.api);
    snprintf(demo->ingest_url, sizeof demo->ingest_url, "%.*s",
             (int)strlen(root) - 1, root); /* without its last slash */
    const struct sim_settings settings = {
        .scenario = &demo->scenario,
        .seed = (uint64_t)demo->simulation.seed,
        .host = "127.0.0.1",
        .sessions = SESSIONS,
        .hour_s = HOUR_S,
        .clock_start_ms = demo->simulation.began_at,
        .flattered = demo->flattered,
        .targets = {{demo->ingest_url, demo->token},
                    {publisher_events_url(demo->publisher),
                     publisher_token(demo->publisher)}},
        .target_count = 2};
    return sim_start(&demo->sim, &settings);
}

static enum err start(struct demo *demo)
{
    enum err err = service_open(
        &demo->service, &demo->config,
        demo->directory ? demo->directory : demo->config.data, demo->store);
    if (!err)
        err = publisher_start(&demo->publisher, "127.0.0.1", &demo->simulation);
    if (!err)
        err = start_network(demo);
    if (!err)
        err = load_measuring(demo);
    if (!err)
        err = service_measure(&demo->service, &demo->measuring);
    return err;
}

/* In the order in which one needs the other. */
static enum err stop(struct demo *demo)
{
    service_rest(&demo->service);
    enum err err = demo->sim ? sim_stop(demo->sim) : ERR_NONE;
    publisher_stop(demo->publisher);
    service_close(&demo->service);
    return err;
}

/* For the person at the terminal, and for programs that wait for the address;
 * therefore also with --quiet. */
static void say_where(const struct demo *demo)
{
    fprintf(stderr,
            "assay demo: a simulated network of %zu orchestrators; an hour "
            "lasts %d s\n"
            "assay is listening on %s\n"
            "the store is %s%s\n"
            "the seed is %lld; Ctrl-C ends it\n",
            sim_count(demo->sim), HOUR_S, api_url(demo->service.api),
            demo->directory ? demo->directory : demo->config.data,
            *demo->temporary ? ", which goes with the demonstration" : "",
            (long long)demo->simulation.seed);
    fflush(stderr);
    sim_describe(demo->sim, publisher_url(demo->publisher), stdout);
}

/* Whom the gateway flattered: told when it is over, so that whoever looked for
 * it can see whether it was found. */
static void say_truth(const struct demo *demo)
{
    if (!*demo->flattered) {
        fprintf(stderr, "the gateway flattered nobody\n");
        return;
    }
    for (size_t i = 0; i < sim_count(demo->sim); i++) {
        struct sim_orchestrator one = sim_orchestrator(demo->sim, i);
        if (strcmp(one.name, demo->flattered) == 0)
            fprintf(stderr, "the gateway flattered %s (%s)\n", one.address,
                    one.name);
    }
}

static enum err run_until_told(struct demo *demo)
{
    stop_block();
    enum err err = start(demo);
    if (!err) {
        say_where(demo);
        stop_wait();
        say_truth(demo);
    }
    enum err stopped = stop(demo);
    stop_unblock();
    return err ? err : stopped;
}

static enum err run(struct invocation *invocation)
{
    struct demo demo = {.invocation = invocation};
    enum err err = read_scenario(&demo);
    if (!err)
        err = make_directory(&demo);
    if (!err)
        err = load_serving(&demo);
    if (!err)
        err = api_may_listen(&demo.config);
    if (!err)
        err = open_store(&demo);
    if (!err)
        err = run_until_told(&demo);
    store_close(demo.store);
    temporary_remove(demo.temporary);
    free(demo.directory);
    scenario_free(&demo.scenario);
    config_free(&demo.measuring);
    config_free(&demo.config);
    return err;
}

const struct command command_demo = {
    .name = "demo",
    .summary = "serve a simulated network, to see all of it work",
    .arguments = "",
    .about =
        "Runs a sandbox network on this machine and this program beside it: "
        "orchestrators that speak the real protocols, a gateway that reports "
        "about its users, a publisher that computes scores from that. Nothing "
        "else is needed: no key, no GPU, no Internet. An hour of its clock "
        "lasts 20 s, so that hours and scores are there within a minute.\n\n"
        "The gateway flatters one orchestrator, which one is the seed's choice "
        "(with --honest nobody): more frames, shorter waits, no failures. What "
        "is published of it follows from what was reported and is wrong all "
        "the same. Only measuring tells; who it was is said at the end.\n\n"
        "Everything in its store is marked as simulated, on every page and in "
        "every answer. The store is a temporary directory, or with --data a "
        "new one that stays. Ctrl-C or SIGTERM ends it in order.",
    .options = options,
    .examples = examples,
    .run = run,
};
