/*
 * gateway.c: see gateway.h. When sessions begin, what is told between them, and
 * the gateway's own port.
 */
#include "sim/gateway.h"
#include "base/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    LOOK_EVERY_US = US_PER_S / 4,
    GAP_FAST_S = 1, /* between two sessions, on average */
    GAP_REAL_S = 20,
    SNAPSHOT_EVERY_S = 25 * 60, /* of the gateway's own clock, as the next */
    DISCOVERY_EVERY_S = 6 * 60
};

int64_t gateway_time_ms(const struct gateway *gateway, int64_t monotonic_us)
{
    double passed_ms =
        (double)(monotonic_us - gateway->clock_origin_us) / US_PER_MS;
    return gateway->clock_start_ms + (int64_t)(passed_ms * gateway->speed);
}

static int64_t now_ms(const struct gateway *gateway)
{
    return gateway_time_ms(gateway, clock_monotonic_us());
}

/* Of the world's, for a span on the gateway's clock. */
static int64_t span_us(const struct gateway *gateway, int64_t seconds)
{
    return (int64_t)((double)(seconds * US_PER_S) / gateway->speed);
}

/* ---- listings ------------------------------------------------------------ */

static void add_address(struct json_writer *writer, const char *key,
                        const uint8_t address[ETHEREUM_ADDRESS_BYTES])
{
    char text[ETHEREUM_ADDRESS_TEXT_BYTES];
    ethereum_address_text(address, text);
    json_member_string(writer, key, text);
}

/* Zeros are left out, as Go leaves them out. */
static void add_number(struct json_writer *writer, const char *key,
                       int64_t number)
{
    if (number)
        json_member_int(writer, key, number);
}

static void add_model(struct json_writer *writer,
                      const struct model_offer *model)
{
    json_key(writer, "models");
    json_begin(writer, '{');
    json_key(writer, model->model_id.data);
    json_begin(writer, '{');
    if (model->warm)
        json_member_bool(writer, "warm", true);
    add_number(writer, "capacity", model->idle);
    json_member_text(writer, "runnerVersion", model->runner_version);
    add_number(writer, "capacityInUse", model->busy);
    json_end(writer, '}');
    json_end(writer, '}');
}

static void add_capabilities(struct json_writer *writer,
                             const struct capabilities *capabilities)
{
    json_key(writer, "capabilities");
    json_begin(writer, '{');
    json_key(writer, "bitstring");
    json_begin(writer, '[');
    json_int(writer, (int64_t)capabilities->bitstring[0]);
    json_end(writer, ']');
    json_key(writer, "capacities");
    json_begin(writer, '{');
    json_member_int(writer, "35", capabilities->capacities[0].count);
    json_end(writer, '}');
    json_member_text(writer, "version", capabilities->version);
    json_key(writer, "constraints");
    json_begin(writer, '{');
    json_key(writer, "PerCapability");
    json_begin(writer, '{');
    json_key(writer, "35");
    json_begin(writer, '{');
    add_model(writer, capabilities->constraints->per_capability[0].models);
    json_end(writer, '}');
    json_end(writer, '}');
    json_end(writer, '}');
    json_end(writer, '}');
}

static void add_price(struct json_writer *writer,
                      const struct price_info *price)
{
    json_begin(writer, '{');
    json_member_int(writer, "pricePerUnit", price->price_per_unit);
    json_member_int(writer, "pixelsPerUnit", price->pixels_per_unit);
    add_number(writer, "capability", price->capability);
    if (price->constraint.length)
        json_member_text(writer, "constraint", price->constraint);
    json_end(writer, '}');
}

static void add_hardware(struct json_writer *writer,
                         const struct hardware_information *hardware)
{
    const struct gpu_info *gpu = hardware->gpus;
    json_key(writer, "hardware");
    json_begin(writer, '[');
    json_begin(writer, '{');
    json_member_text(writer, "pipeline", hardware->pipeline);
    json_member_text(writer, "model_id", hardware->model_id);
    json_key(writer, "gpu_info");
    json_begin(writer, '{');
    json_key(writer, "0");
    json_begin(writer, '{');
    json_member_text(writer, "id", gpu->id);
    json_member_text(writer, "name", gpu->name);
    json_member_int(writer, "major", gpu->major);
    add_number(writer, "minor", gpu->minor);
    add_number(writer, "memory_free", gpu->memory_free_bytes);
    add_number(writer, "memory_total", gpu->memory_total_bytes);
    json_end(writer, '}');
    json_end(writer, '}');
    json_end(writer, '}');
    json_end(writer, ']');
}

void listing_add(struct json_writer *writer, struct orchestrator *orchestrator)
{
    struct arena arena = {0};
    struct orchestrator_info info = offer_make(orchestrator, &arena, NULL);
    json_begin(writer, '{');
    add_address(writer, "address", orchestrator->address);
    add_address(writer, "local_address", orchestrator->signing_address);
    json_member_string(writer, "orch_uri", orchestrator->url);
    if (info.capabilities)
        add_capabilities(writer, info.capabilities);
    if (info.price_info) {
        json_key(writer, "price_info");
        add_price(writer, info.price_info);
    }
    if (info.capabilities_price_count) {
        json_key(writer, "capabilities_prices");
        json_begin(writer, '[');
        add_price(writer, info.capabilities_prices);
        json_end(writer, ']');
    }
    if (info.hardware_count)
        add_hardware(writer, info.hardware);
    json_end(writer, '}');
    arena_free(&arena);
}

static void add_listings(struct json_writer *writer,
                         const struct gateway *gateway)
{
    struct network *network = gateway->network;
    json_begin(writer, '[');
    for (size_t i = 0; i < network->orchestrator_count; i++) {
        if (network->orchestrators[i].server)
            listing_add(writer, &network->orchestrators[i]);
    }
    json_end(writer, ']');
}

/* ---- what is told between sessions --------------------------------------- */

static void tell(struct gateway *gateway, struct buf *lines)
{
    telemetry_add(gateway->telemetry,
                  (struct text){lines->data, lines->length});
    buf_free(lines);
}

static void tell_capabilities(void *context)
{
    struct gateway *gateway = context;
    struct buf lines = {0};
    struct event event;
    add_listings(event_begin(&event, &lines, gateway->telemetry,
                             "network_capabilities", now_ms(gateway)),
                 gateway);
    event_end(&event);
    tell(gateway, &lines);
    loop_timer_after(&gateway->snapshot, span_us(gateway, SNAPSHOT_EVERY_S));
}

static void tell_discovery(void *context)
{
    struct gateway *gateway = context;
    struct network *network = gateway->network;
    struct buf lines = {0};
    struct event event;
    struct json_writer *writer =
        event_begin(&event, &lines, gateway->telemetry, "discovery_results",
                    now_ms(gateway));
    json_begin(writer, '[');
    for (size_t i = 0; i < network->orchestrator_count; i++) {
        const struct orchestrator *orchestrator = &network->orchestrators[i];
        char address[ETHEREUM_ADDRESS_TEXT_BYTES];
        if (!orchestrator->server)
            continue;
        ethereum_address_text_lower(orchestrator->signing_address, address);
        json_begin(writer, '{');
        json_member_string(writer, "address", address);
        json_member_string(writer, "url", orchestrator->url);
        json_member_string(writer, "latency_ms", "1");
        json_end(writer, '}');
    }
    json_end(writer, ']');
    event_end(&event);
    tell(gateway, &lines);
    loop_timer_after(&gateway->discovery, span_us(gateway, DISCOVERY_EVERY_S));
}

/* ---- sessions ------------------------------------------------------------ */

static int64_t open_sessions(const struct gateway *gateway,
                             const struct orchestrator *orchestrator)
{
    int64_t count = 0;
    for (const struct session *at = gateway->open; at; at = session_after(at))
        count += session_orchestrator(at) == orchestrator;
    return count;
}

static void begin_sessions(void *context)
{
    struct gateway *gateway = context;
    struct network *network = gateway->network;
    double gap_us =
        (gateway->speed > 1 ? GAP_FAST_S : GAP_REAL_S) * (double)US_PER_S;
    struct draw draw =
        draw_from(network->seed, "sessions", 0, gateway->session_count);
    for (size_t i = 0; i < network->orchestrator_count; i++) {
        struct orchestrator *orchestrator = &network->orchestrators[i];
        int64_t free =
            orchestrator->behaviour->works
                ? gateway->sessions - open_sessions(gateway, orchestrator)
                : 0;
        for (; free > 0; free--) {
            if (draw_chance(&draw, LOOK_EVERY_US / gap_us))
                session_start(gateway, orchestrator);
        }
    }
    /* The next look must not repeat this one's chances. */
    gateway->session_count++;
    loop_timer_after(&gateway->begin, LOOK_EVERY_US);
}

/* ---- the port ------------------------------------------------------------ */

static void reply_json(struct exchange *exchange, struct buf *body)
{
    exchange_reply(exchange, 200, "application/json",
                   (struct text){body->data, body->length});
    buf_free(body);
}

static void answer_capabilities(const struct gateway *gateway,
                                struct exchange *exchange)
{
    struct buf body = {0};
    struct json_writer writer = {.out = &body};
    json_begin(&writer, '{');
    json_key(&writer, "capabilities_names");
    json_begin(&writer, '{');
    json_member_string(&writer, "35", "Live video to video");
    json_end(&writer, '}');
    json_key(&writer, "orchestrators");
    add_listings(&writer, gateway);
    json_end(&writer, '}');
    reply_json(exchange, &body);
}

static void answer_webhook(const struct gateway *gateway,
                           struct exchange *exchange)
{
    struct buf body = {0};
    struct json_writer writer = {.out = &body};
    json_begin(&writer, '[');
    for (size_t i = 0; i < gateway->network->orchestrator_count; i++) {
        json_begin(&writer, '{');
        json_member_string(&writer, "address",
                           gateway->network->orchestrators[i].url);
        json_member_double(&writer, "score", 0.0);
        json_end(&writer, '}');
    }
    json_end(&writer, ']');
    reply_json(exchange, &body);
}

static void handle(void *context, struct exchange *exchange)
{
    const struct gateway *gateway = context;
    const char *path = exchange_path(exchange);
    if (strcmp(exchange_method(exchange), "GET") != 0)
        exchange_reply(exchange, 405, "text/plain", text_of("only GET\n"));
    else if (strcmp(path, "/getNetworkCapabilities") == 0)
        answer_capabilities(gateway, exchange);
    else if (strcmp(path, "/orchestrators") == 0)
        answer_webhook(gateway, exchange);
    else
        exchange_reply(exchange, 404, "text/plain",
                       text_of("404 page not found\n"));
}

/* ---- life ---------------------------------------------------------------- */

static void begin_here(void *context)
{
    struct gateway *gateway = context;
    struct loop *loop = gateway->network->loop;
    loop_timer_init(&gateway->begin, loop, begin_sessions, gateway);
    loop_timer_init(&gateway->snapshot, loop, tell_capabilities, gateway);
    loop_timer_init(&gateway->discovery, loop, tell_discovery, gateway);
    tell_capabilities(gateway);
    tell_discovery(gateway);
    loop_timer_after(&gateway->begin, LOOK_EVERY_US);
}

static void end_here(void *context)
{
    struct gateway *gateway = context;
    loop_timer_stop(&gateway->begin);
    loop_timer_stop(&gateway->snapshot);
    loop_timer_stop(&gateway->discovery);
    while (gateway->open)
        session_end(gateway->open, true);
}

static const struct orchestrator *
orchestrator_named(const struct network *network, const char *name)
{
    for (size_t i = 0; i < network->orchestrator_count; i++) {
        if (strcmp(network->orchestrators[i].behaviour->name, name) == 0)
            return &network->orchestrators[i];
    }
    return NULL;
}

static enum err open_telemetry(struct gateway *gateway,
                               const struct gateway_settings *settings)
{
    struct telemetry_settings telemetry = {.gateway = gateway->address,
                                           .events_path = settings->events_path,
                                           .target_count =
                                               settings->target_count};
    for (size_t i = 0; i < settings->target_count; i++)
        telemetry.targets[i] = settings->targets[i];
    enum err err =
        telemetry_open(&gateway->telemetry, gateway->network->loop, &telemetry);
    if (!err)
        loop_call(gateway->network->loop, begin_here, gateway);
    return err;
}

static void set_address(struct gateway *gateway)
{
    uint8_t address[ETHEREUM_ADDRESS_BYTES];
    struct draw draw = draw_from(gateway->network->seed, "gateway", 0, 0);
    for (size_t i = 0; i < sizeof address; i++)
        address[i] = (uint8_t)draw_bits(&draw);
    ethereum_address_text_lower(address, gateway->address);
}

enum err gateway_open(struct gateway *gateway, struct network *network,
                      const struct gateway_settings *settings)
{
    *gateway = (struct gateway){
        .network = network,
        .sessions = settings->sessions,
        .speed = (double)HOUR_S / (double)settings->hour_s,
        .clock_start_ms = settings->clock_start_ms,
        .clock_origin_us = settings->clock_origin_us ? settings->clock_origin_us
                                                     : clock_monotonic_us(),
        .flattered = orchestrator_named(network, settings->flattered)};
    struct server_settings port = {
        .host = settings->host, .handle = handle, .context = gateway};
    clip_open(&gateway->clip);
    set_address(gateway);
    enum err err = server_open(&gateway->server, network->loop, &port);
    if (err)
        return err;
    url_write(gateway->url, "http", settings->host,
              server_port(gateway->server));
    return settings->sessions ? open_telemetry(gateway, settings) : ERR_NONE;
}

enum err gateway_close(struct gateway *gateway)
{
    if (!gateway->network)
        return ERR_NONE;
    server_close(gateway->server);
    if (!gateway->telemetry)
        return ERR_NONE;
    if (gateway->begin.loop)
        loop_call(gateway->network->loop, end_here, gateway);
    return telemetry_close(gateway->telemetry);
}
