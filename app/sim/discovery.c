/*
 * discovery.c: what an orchestrator says about itself: GetOrchestrator
 * (livepeer-protocols.md §2).
 *
 * Asked without capabilities it tells hardware and all prices; asked with
 * them it tells the price of just those, and whether it has room. In both
 * answers the numbers of idle and busy containers are live.
 *
 * One departure from an off-chain orchestrator: its address is its signing
 * address instead of zeros, so that what is measured can be joined with what
 * gateways report also in a network without a chain.
 */
#include "base/clock.h"
#include "base/hash.h"
#include "seal/seal.h"
#include "sim/gpu.h"
#include "sim/grpc.h"
#include "sim/payment.h"

#include <stdio.h>
#include <string.h>

enum { TOKEN_VALID_S = 30 * 60, TOKEN_TEXT_BYTES = 64, BITSTRING_WORDS = 1 };

static const char pipeline[] = "live-video-to-video";

/* ---- auth tokens --------------------------------------------------------- */

/* HMAC over the session's id and the expiration, big-endian without leading
 * zeros. */
static void token_make(const struct orchestrator *orchestrator,
                       struct text session_id, int64_t expiration_s,
                       uint8_t token[SHA256_BYTES])
{
    char expiration[8];
    size_t at = sizeof expiration;
    for (uint64_t left = (uint64_t)expiration_s; left; left >>= 8)
        expiration[--at] = (char)(left & 255);
    struct text parts[2] = {session_id,
                            {expiration + at, sizeof expiration - at}};
    struct text key = {(const char *)orchestrator->secret, SECRET_BYTES};
    hash_hmac_sha256(key, parts, 2, token);
}

const char *token_flaw(const struct orchestrator *orchestrator,
                       const struct auth_token *token)
{
    uint8_t wanted[SHA256_BYTES];
    if (!token || !token->token.length)
        return "missing auth token";
    token_make(orchestrator, token->session_id, token->expiration_s, wanted);
    if (token->token.length != SHA256_BYTES ||
        memcmp(token->token.data, wanted, SHA256_BYTES) != 0)
        return "invalid auth token";
    if (token->expiration_s <= clock_wall_ms() / MS_PER_SECOND)
        return "expired auth token";
    return NULL;
}

static const struct auth_token *new_token(struct orchestrator *orchestrator,
                                          struct arena *arena)
{
    struct auth_token *token = arena_alloc(arena, sizeof *token);
    uint8_t *bytes = arena_alloc(arena, SHA256_BYTES);
    struct draw draw =
        draw_from(orchestrator->network->seed, "session", orchestrator->place,
                  orchestrator->session_count++);
    token->session_id =
        text_of(arena_printf(arena, "%08x", (unsigned)draw_bits(&draw)));
    token->expiration_s = clock_wall_ms() / MS_PER_SECOND + TOKEN_VALID_S;
    token_make(orchestrator, token->session_id, token->expiration_s, bytes);
    token->token = (struct text){(const char *)bytes, SHA256_BYTES};
    return token;
}

/* ---- the parts of the answer --------------------------------------------- */

static const struct capabilities *
capabilities_now(const struct orchestrator *orchestrator, struct arena *arena)
{
    const struct behaviour *behaviour = orchestrator->behaviour;
    const struct containers *containers = &orchestrator->containers;
    struct capabilities *now = arena_alloc(arena, sizeof *now);
    struct capability_constraints *constraints =
        arena_alloc(arena, sizeof *constraints);
    struct capability_models *live = arena_alloc(arena, sizeof *live);
    struct model_offer *model = arena_alloc(arena, sizeof *model);
    struct capacity *capacity = arena_alloc(arena, sizeof *capacity);
    uint64_t *bits = arena_array(arena, BITSTRING_WORDS, sizeof *bits);
    size_t idle = containers_idle(containers);
    bits[0] = (uint64_t)1 << CAPABILITY_LIVE_VIDEO;
    *capacity = (struct capacity){CAPABILITY_LIVE_VIDEO, 1};
    *model = (struct model_offer){
        .model_id = text_of(behaviour->model),
        .warm = containers_warm(containers, clock_monotonic_us()),
        .idle = (uint32_t)idle,
        .runner_version = text_of(behaviour->runner_version),
        .busy = (uint32_t)(containers->count - idle)};
    *live = (struct capability_models){CAPABILITY_LIVE_VIDEO, model, 1};
    *constraints = (struct capability_constraints){{"", 0}, live, 1};
    *now = (struct capabilities){.bitstring = bits,
                                 .bitstring_count = BITSTRING_WORDS,
                                 .capacities = capacity,
                                 .capacity_count = 1,
                                 .version = text_of(behaviour->version),
                                 .constraints = constraints};
    return now;
}

static const struct price_info *live_price(const struct behaviour *behaviour,
                                           struct arena *arena)
{
    struct price_info *price = arena_alloc(arena, sizeof *price);
    *price = (struct price_info){.price_per_unit = behaviour->price_wei,
                                 .pixels_per_unit = 1,
                                 .capability = CAPABILITY_LIVE_VIDEO,
                                 .constraint = text_of(behaviour->model)};
    return price;
}

/* Of transcoding, which is what it tells who does not ask for models. */
static const struct price_info *base_price(const struct behaviour *behaviour,
                                           struct arena *arena)
{
    struct price_info *price = arena_alloc(arena, sizeof *price);
    *price = (struct price_info){behaviour->price_wei, 1, 0, {"", 0}};
    return price;
}

static const struct hardware_information *
hardware_of(const struct orchestrator *orchestrator, struct arena *arena)
{
    const struct behaviour *behaviour = orchestrator->behaviour;
    struct hardware_information *hardware =
        arena_alloc(arena, sizeof *hardware);
    struct gpu_info *gpu = arena_alloc(arena, sizeof *gpu);
    struct gpu_model model = gpu_model_of(orchestrator);
    *gpu = (struct gpu_info){
        .slot = text_of("0"),
        .id = text_of(arena_printf(
            arena, "GPU-%08x-%04zu",
            (unsigned)hash_fast(behaviour->name, strlen(behaviour->name)),
            orchestrator->place)),
        .name = text_of(model.name),
        .major = model.major,
        .minor = model.minor,
        .memory_free_bytes = model.memory_bytes / 2,
        .memory_total_bytes = model.memory_bytes};
    *hardware = (struct hardware_information){
        text_of(pipeline), text_of(behaviour->model), gpu, 1};
    return hardware;
}

static const char *url_of_name(const struct network *network, struct text name)
{
    for (size_t i = 0; i < network->orchestrator_count; i++) {
        const struct orchestrator *other = &network->orchestrators[i];
        if (text_is(name, other->behaviour->name))
            return other->url;
    }
    return "";
}

static void add_nodes(const struct orchestrator *orchestrator,
                      struct arena *arena, struct orchestrator_info *info)
{
    struct text *nodes = NULL;
    const char *at = orchestrator->behaviour->nodes;
    while (*at) {
        size_t length = strcspn(at, ",");
        nodes = arena_grow(arena, nodes, info->node_count, sizeof *nodes);
        nodes[info->node_count++] = text_of(
            url_of_name(orchestrator->network, (struct text){at, length}));
        at += length + (at[length] == ',');
    }
    info->nodes = nodes;
}

struct orchestrator_info offer_make(struct orchestrator *orchestrator,
                                    struct arena *arena,
                                    const struct capabilities *capabilities)
{
    const struct behaviour *behaviour = orchestrator->behaviour;
    struct orchestrator_info info = {
        .address = {(const char *)orchestrator->signing_address,
                    ETHEREUM_ADDRESS_BYTES}};
    add_nodes(orchestrator, arena, &info);
    if (!behaviour->works)
        return info;
    info.transcoder = text_of(orchestrator->url);
    info.auth_token = new_token(orchestrator, arena);
    info.capabilities = capabilities_now(orchestrator, arena);
    if (behaviour->price_wei) {
        info.ticket_params = payment_params(orchestrator, arena);
        info.price_info = capabilities ? live_price(behaviour, arena)
                                       : base_price(behaviour, arena);
    }
    if (capabilities)
        return info;
    info.hardware = hardware_of(orchestrator, arena);
    info.hardware_count = 1;
    if (behaviour->price_wei) {
        info.capabilities_prices = live_price(behaviour, arena);
        info.capabilities_price_count = 1;
    }
    return info;
}

/* ---- the call ------------------------------------------------------------ */

static bool asks_for_live(const struct capabilities *wanted)
{
    const struct capability_constraints *constraints = wanted->constraints;
    for (size_t i = 0; constraints && i < constraints->per_capability_count;
         i++) {
        if (constraints->per_capability[i].capability == CAPABILITY_LIVE_VIDEO)
            return true;
    }
    return false;
}

/* Who asks for live models is refused where none of them is idle. */
static bool has_room(const struct orchestrator *orchestrator,
                     const struct capabilities *wanted)
{
    struct text model = text_of(orchestrator->behaviour->model);
    return !asks_for_live(wanted) ||
           (offer_of_model(wanted, CAPABILITY_LIVE_VIDEO, model) &&
            containers_idle(&orchestrator->containers) > 0);
}

/* Its address, checksummed, hashed and signed (§2.2). */
static bool is_signed(const struct orchestrator_request *request)
{
    char text[ETHEREUM_ADDRESS_TEXT_BYTES];
    uint8_t hash[KECCAK_BYTES];
    uint8_t signer[ETHEREUM_ADDRESS_BYTES];
    if (request->address.length != ETHEREUM_ADDRESS_BYTES)
        return false;
    ethereum_address_text((const uint8_t *)request->address.data, text);
    keccak256(text, strlen(text), hash);
    return ethereum_recover(hash, request->sig, signer) &&
           memcmp(signer, request->address.data, sizeof signer) == 0;
}

static void say_asked(struct orchestrator *orchestrator,
                      const struct orchestrator_request *request,
                      const char *refusal)
{
    struct json_writer *writer = orchestrator_truth(
        orchestrator, "get_orchestrator", clock_monotonic_us());
    json_member_bool(writer, "with_capabilities",
                     request->capabilities != NULL);
    json_member_int(writer, "idle",
                    (int64_t)containers_idle(&orchestrator->containers));
    json_key(writer, "refusal");
    if (refusal)
        json_string(writer, refusal);
    else
        json_null(writer);
    truth_end(orchestrator->network->truth);
}

/* Null, or why the question is refused. */
static const char *flaw_of(const struct orchestrator *orchestrator,
                           const struct orchestrator_request *request)
{
    const struct behaviour *behaviour = orchestrator->behaviour;
    if (behaviour->price_wei && !is_signed(request))
        return "Invalid orchestrator request: orchestrator req sig check "
               "failed";
    if (behaviour->price_wei && !behaviour->trusts_senders)
        return "insufficient sender reserve";
    if (request->capabilities && !request->ignore_capacity_check &&
        !has_room(orchestrator, request->capabilities))
        return "Invalid orchestrator request: OrchestratorCapped";
    return NULL;
}

static void answer(struct orchestrator *orchestrator, struct arena *arena,
                   struct exchange *exchange,
                   const struct orchestrator_request *request)
{
    struct buf message = {0};
    const char *flaw = flaw_of(orchestrator, request);
    if (flaw) {
        grpc_refuse(exchange, GRPC_UNKNOWN, flaw);
    } else {
        struct orchestrator_info info =
            offer_make(orchestrator, arena, request->capabilities);
        orchestrator_info_encode(&message, &info);
        grpc_reply(exchange, (struct text){message.data, message.length});
    }
    say_asked(orchestrator, request, flaw);
    buf_free(&message);
}

static void asked(void *context, struct exchange *exchange, struct text body)
{
    struct orchestrator *orchestrator = context;
    struct arena arena = {0};
    struct orchestrator_request request;
    struct text message;
    if (!grpc_unwrap(body, &message))
        grpc_refuse(exchange, GRPC_UNKNOWN, "the call is not one message");
    else if (orchestrator_request_decode(&arena, message, &request))
        grpc_refuse(exchange, GRPC_UNKNOWN, err_message());
    else
        answer(orchestrator, &arena, exchange, &request);
    arena_free(&arena);
}

void discovery_handle(struct orchestrator *orchestrator,
                      struct exchange *exchange)
{
    if (strcmp(exchange_path(exchange), "/net.Orchestrator/GetOrchestrator") ==
        0)
        exchange_collect(exchange, GRPC_MESSAGE_MAX_BYTES, asked, NULL,
                         orchestrator);
    else
        grpc_refuse(exchange, GRPC_UNIMPLEMENTED, "unknown method");
}
