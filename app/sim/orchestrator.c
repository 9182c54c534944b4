/*
 * orchestrator.c: one orchestrator: its port, what is served there, and its
 * outages.
 *
 * An outage is the end of the process and its new start: the port refuses
 * connections, jobs are lost, and afterwards certificate and secrets are other
 * ones and all containers are cold.
 */
#include "base/clock.h"
#include "base/random.h"
#include "sim/admission.h"
#include "sim/grpc.h"
#include "sim/payment.h"

#include <stdio.h>
#include <string.h>

struct json_writer *orchestrator_truth(struct orchestrator *orchestrator,
                                       const char *kind, int64_t at_us)
{
    struct json_writer *writer =
        truth_begin(orchestrator->network->truth, kind, at_us);
    json_member_string(writer, "orchestrator", orchestrator->behaviour->name);
    return writer;
}

void orchestrator_refuse(struct orchestrator *orchestrator,
                         struct exchange *exchange, const char *what,
                         int status, const char *sentence)
{
    struct buf body = {0};
    buf_printf(&body, "%s\n", sentence);
    exchange_reply(exchange, status, "text/plain; charset=utf-8",
                   (struct text){body.data, body.length});
    buf_free(&body);
    struct json_writer *writer =
        orchestrator_truth(orchestrator, what, clock_monotonic_us());
    json_member_int(writer, "status", status);
    json_member_string(writer, "sentence", sentence);
    truth_end(orchestrator->network->truth);
}

/* ---- requests ------------------------------------------------------------ */

void orchestrator_handle(void *context, struct exchange *exchange)
{
    struct orchestrator *orchestrator = context;
    const char *path = exchange_path(exchange);
    bool is_post = strcmp(exchange_method(exchange), "POST") == 0;
    if (!orchestrator->network->is_open)
        exchange_drop(exchange);
    else if (grpc_is_call(exchange))
        discovery_handle(orchestrator, exchange);
    else if (strncmp(path, TRICKLE_PATH, strlen(TRICKLE_PATH)) == 0)
        trickle_server_handle(orchestrator->trickle, exchange);
    else if (is_post && strcmp(path, JOB_PATH_START) == 0)
        start_handle(orchestrator, exchange);
    else if (is_post && strcmp(path, JOB_PATH_PAYMENT) == 0)
        payment_handle(orchestrator, exchange);
    else if (strcmp(path, "/discovery") == 0)
        orchestrator_refuse(orchestrator, exchange, "discovery", 404,
                            "live runners are not supported");
    else
        orchestrator_refuse(orchestrator, exchange, "unknown", 404,
                            "404 page not found");
}

/* ---- life ---------------------------------------------------------------- */

/* A new process: nothing is left of the one before. */
static void begin_here(void *context)
{
    struct orchestrator *orchestrator = context;
    const struct behaviour *behaviour = orchestrator->behaviour;
    random_bytes(orchestrator->secret, SECRET_BYTES);
    containers_init(&orchestrator->containers, (size_t)behaviour->slots,
                    behaviour->warm_up_ms == 0,
                    behaviour->cools_after_ms * US_PER_MS,
                    clock_monotonic_us());
    orchestrator->trickle = trickle_server_new(orchestrator->network->loop);
}

/* After its server has closed: exchanges release what they hold. */
static void end_here(void *context)
{
    struct orchestrator *orchestrator = context;
    admissions_fail(orchestrator);
    while (orchestrator->jobs)
        job_end(orchestrator->jobs, "orchestrator stopped");
    trickle_server_free(orchestrator->trickle);
    containers_free(&orchestrator->containers);
    payment_forget(orchestrator);
}

static enum err listen_again(struct orchestrator *orchestrator)
{
    struct server_settings settings = {.host = orchestrator->host,
                                       .port = orchestrator->port,
                                       .tls = true,
                                       .handle = orchestrator_handle,
                                       .context = orchestrator};
    return server_open(&orchestrator->server, orchestrator->network->loop,
                       &settings);
}

static void say_outage(struct orchestrator *orchestrator, const char *what)
{
    struct json_writer *writer =
        orchestrator_truth(orchestrator, "outage", clock_monotonic_us());
    json_member_string(writer, "what", what);
    truth_end(orchestrator->network->truth);
}

/* The next instant at which an outage begins or ends. */
static void plan_outage(struct orchestrator *orchestrator)
{
    const struct behaviour *behaviour = orchestrator->behaviour;
    int64_t passed_ms =
        (clock_monotonic_us() - orchestrator->network->started_us) / US_PER_MS;
    int64_t next_ms = INT64_MAX;
    for (size_t i = 0; i < behaviour->outage_count; i++) {
        const struct outage *outage = &behaviour->outages[i];
        if (outage->from_ms > passed_ms && outage->from_ms < next_ms)
            next_ms = outage->from_ms;
        if (outage->to_ms > passed_ms && outage->to_ms < next_ms)
            next_ms = outage->to_ms;
    }
    if (next_ms != INT64_MAX)
        loop_timer_at(&orchestrator->outage,
                      orchestrator->network->started_us + next_ms * US_PER_MS);
}

static bool is_out(const struct orchestrator *orchestrator)
{
    const struct behaviour *behaviour = orchestrator->behaviour;
    int64_t passed_ms =
        (clock_monotonic_us() - orchestrator->network->started_us) / US_PER_MS;
    for (size_t i = 0; i < behaviour->outage_count; i++) {
        if (passed_ms >= behaviour->outages[i].from_ms &&
            passed_ms < behaviour->outages[i].to_ms)
            return true;
    }
    return false;
}

static void change_outage(void *context)
{
    struct orchestrator *orchestrator = context;
    bool out = is_out(orchestrator);
    if (out && orchestrator->server) {
        server_close(orchestrator->server);
        orchestrator->server = NULL;
        end_here(orchestrator);
        say_outage(orchestrator, "begins");
    } else if (!out && !orchestrator->server) {
        begin_here(orchestrator);
        if (listen_again(orchestrator)) {
            /* Somebody else has the port by now: it stays out. */
            end_here(orchestrator);
            orchestrator->server = NULL;
            return;
        }
        say_outage(orchestrator, "ends");
    }
    plan_outage(orchestrator);
}

static void start_outages(void *context)
{
    struct orchestrator *orchestrator = context;
    loop_timer_init(&orchestrator->outage, orchestrator->network->loop,
                    change_outage, orchestrator);
    change_outage(orchestrator);
}

static void stop_outages(void *context)
{
    struct orchestrator *orchestrator = context;
    loop_timer_stop(&orchestrator->outage);
}

static void draw_address(const struct orchestrator *orchestrator,
                         const char *purpose,
                         uint8_t address[ETHEREUM_ADDRESS_BYTES])
{
    struct draw draw =
        draw_from(orchestrator->network->seed, purpose, orchestrator->place, 0);
    for (size_t i = 0; i < ETHEREUM_ADDRESS_BYTES; i++)
        address[i] = (uint8_t)draw_bits(&draw);
}

enum err orchestrator_open(struct orchestrator *orchestrator,
                           struct network *network, size_t place,
                           const struct behaviour *behaviour, const char *host,
                           uint16_t port)
{
    *orchestrator = (struct orchestrator){.network = network,
                                          .place = place,
                                          .behaviour = behaviour,
                                          .host = host,
                                          .port = port};
    draw_address(orchestrator, "recipient", orchestrator->address);
    draw_address(orchestrator, "signer", orchestrator->signing_address);
    loop_call(network->loop, begin_here, orchestrator);
    enum err err = listen_again(orchestrator);
    if (err) {
        loop_call(network->loop, end_here, orchestrator);
        return err;
    }
    orchestrator->port = server_port(orchestrator->server);
    url_write(orchestrator->url, "https", host, orchestrator->port);
    loop_call(network->loop, start_outages, orchestrator);
    return ERR_NONE;
}

void orchestrator_close(struct orchestrator *orchestrator)
{
    if (!orchestrator->network)
        return;
    loop_call(orchestrator->network->loop, stop_outages, orchestrator);
    if (!orchestrator->server)
        return;
    server_close(orchestrator->server);
    loop_call(orchestrator->network->loop, end_here, orchestrator);
}
