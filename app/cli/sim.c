/*
 * sim.c: `assay sim`: a Livepeer network on this machine, until it is told to
 * stop.
 */
#include "sim/sim.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/random.h"
#include "cli/cli.h"
#include "cli/publisher.h"
#include "cli/stop.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { ORCHESTRATORS_USUAL = 3, SESSIONS_MAX = 64, TOKEN_MAX_BYTES = 200 };

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
    {.name = "--sessions",
     .value = "N",
     .type = OPTION_INT,
     .help = "users' sessions at once on each orchestrator, which the gateway "
             "reports (default 0; 1 with --ingest or --events)",
     .most = SESSIONS_MAX},
    {.name = "--ingest",
     .value = "URL",
     .type = OPTION_TEXT,
     .help = "send the gateway's events to the assay server there"},
    {.name = "--token-file",
     .value = "FILE",
     .type = OPTION_TEXT,
     .help = "the token for --ingest"},
    {.name = "--events",
     .value = "FILE",
     .type = OPTION_TEXT,
     .help = "write the gateway's events, as JSON lines"},
    {.name = "--honest",
     .type = OPTION_FLAG,
     .help = "the gateway flatters nobody"},
    {.name = "--hour-seconds",
     .value = "N",
     .type = OPTION_INT,
     .help = "how long an hour of the gateway's clock lasts (default 3600)",
     .least = 1,
     .most = SIM_HOUR_S},
    {.name = "--clock-start",
     .value = "TIME",
     .type = OPTION_TIME,
     .help = "what the gateway's clock says at first (default now)"},
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
    {"assay sim --ingest http://127.0.0.1:8080 --token-file token "
     "--hour-seconds 20",
     "a network in a hurry, reporting to a server"},
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

/* ---- the gateway --------------------------------------------------------- */

static enum err read_token(struct invocation *invocation, const char **token)
{
    const char *path = option_text(invocation, "--token-file");
    struct buf bytes = {0};
    *token = "";
    if (!path)
        return ERR_NONE;
    if (!file_read(path, TOKEN_MAX_BYTES, &bytes))
        return err_set(ERR_USAGE, "%s cannot be read: %s", path,
                       strerror(errno));
    const char *text = buf_string(&bytes);
    *token = arena_text(&invocation->arena, text, strcspn(text, "\r\n"));
    buf_free(&bytes);
    return ERR_NONE;
}

static enum err add_target(struct invocation *invocation,
                           struct sim_settings *settings)
{
    const char *url = option_text(invocation, "--ingest");
    const char *token;
    enum err err = read_token(invocation, &token);
    if (!err && *token && !url)
        err = err_set(ERR_USAGE, "--token-file is for --ingest");
    if (err || !url)
        return err;
    size_t length = strlen(url);
    while (length && url[length - 1] == '/')
        length--;
    settings->targets[settings->target_count++] =
        (struct sim_target){arena_text(&invocation->arena, url, length), token};
    return ERR_NONE;
}

static enum err set_gateway(struct invocation *invocation,
                            const struct scenario *scenario,
                            struct sim_settings *settings)
{
    bool reports = option_given(invocation, "--ingest") ||
                   option_given(invocation, "--events");
    settings->sessions = option_int(invocation, "--sessions", reports ? 1 : 0);
    settings->hour_s = option_int(invocation, "--hour-seconds", SIM_HOUR_S);
    settings->clock_start_ms =
        option_time(invocation, "--clock-start", clock_wall_ms());
    settings->flattered = option_flag(invocation, "--honest")
                              ? ""
                              : sim_flattered(scenario, settings->seed);
    settings->events_path = option_text(invocation, "--events");
    return add_target(invocation, settings);
}

/* ---- the network --------------------------------------------------------- */

static enum err run_with_publisher(const struct sim_settings *settings)
{
    struct sim_settings with = *settings;
    struct publisher *publisher;
    struct sim *sim;
    const struct simulation simulation = {.seed = (int64_t)settings->seed,
                                          .honest = !*settings->flattered,
                                          .began_at = settings->clock_start_ms,
                                          .hour_ms =
                                              settings->hour_s * MS_PER_SECOND};
    enum err err = publisher_start(&publisher, settings->host, &simulation);
    if (err)
        return err;
    with.targets[with.target_count++] = (struct sim_target){
        publisher_events_url(publisher), publisher_token(publisher)};
    err = sim_start(&sim, &with);
    if (!err) {
        sim_describe(sim, publisher_url(publisher), stdout);
        stop_wait();
        err = sim_stop(sim);
    }
    publisher_stop(publisher);
    return err;
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
    if (settings.port + scenario->orchestrator_count > UINT16_MAX)
        return err_set(ERR_USAGE,
                       "there are not %zu ports from %u on; begin lower",
                       scenario->orchestrator_count, (unsigned)settings.port);
    enum err err = set_gateway(invocation, scenario, &settings);
    if (err)
        return err;
    stop_block();
    err = run_with_publisher(&settings);
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
        "four slots. There are also a remote signer for those that want to be "
        "paid, a gateway, and a publisher.\n\n"
        "When all listen, a JSON line for each is printed. Those of kind "
        "orchestrator have url, address (the recipient of tickets), "
        "signing_address, model and behaviour; publisher, signer and gateway "
        "have a url. Then it runs until Ctrl-C or SIGTERM.\n\n"
        "With --sessions the gateway has users, who come and go at every "
        "orchestrator, and reports about them: to the publisher, to --ingest "
        "and to --events. It flatters one orchestrator (the scenario says "
        "which, or the seed), so that what the publisher publishes of it is "
        "too good; with --honest it flatters none.\n\n"
        "The truth has a JSON object a line with kind, orchestrator, at_us "
        "(monotonic microseconds, the clock of whoever measures on this "
        "machine) and wall_ms, written when it happens: network, "
        "get_orchestrator, start, output (a frame: when it was written, and "
        "sent_us, when the kernel had it), event, params, payment, run (the "
        "sums of a job when it ends), session (of the gateway), outage.",
    .options = options,
    .examples = examples,
    .run = run,
};
