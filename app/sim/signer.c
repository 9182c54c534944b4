/*
 * signer.c: see signer.h.
 *
 * POST /sign-orchestrator-info     who asks, signed
 * POST /generate-live-payment      tickets and credentials for a live job
 * GET  /discover-orchestrators     who there is, by capability
 */
#include "sim/signer.h"
#include "base/base64.h"
#include "base/clock.h"
#include "base/hash.h"
#include "seal/seal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    BODY_MAX_BYTES = 256 << 10,
    TICKETS_MAX = 100,
    TOKEN_VALID_S = 30 * 60,
    TOKEN_LEAST_S = TOKEN_VALID_S / 10, /* left, or it must be asked again */
    STATUS_REFRESH = 480,
    STATUS_TOO_DEAR = 481,
    STATUS_NO_TICKETS = 482
};

#define TERMS_MAX_WEI (INT64_MAX / 4) /* of a ticket, and of a payment */

struct signer {
    struct network *network;
    struct server *server;
    struct ethereum_key *key;
    char url[URL_BYTES];
};

/* What a client carries from one payment to the next, as JSON. */
struct payment_state {
    struct text rand_hash;  /* of the tickets so far, base64 */
    struct text transcoder; /* whom it pays */
    int64_t nonce;          /* the last one used */
    int64_t paid_us;        /* until when, by the monotonic clock */
    int64_t balance_wei;
    int64_t price_wei; /* of the first payment */
    bool is_first;
};

/* One request for a payment. */
struct demand {
    struct signer *signer;
    struct exchange *exchange;
    struct arena arena;
    struct yyjson_val *body;
    struct orchestrator_info info;
    struct payment_state state;
    const char *manifest_id;
};

static void refuse(struct exchange *exchange, int status, const char *sentence)
{
    struct buf body = {0};
    struct json_writer writer = {.out = &body};
    json_begin(&writer, '{');
    json_key(&writer, "error");
    json_begin(&writer, '{');
    json_member_string(&writer, "message", sentence);
    json_end(&writer, '}');
    json_end(&writer, '}');
    exchange_reply(exchange, status, "application/json",
                   (struct text){body.data, body.length});
    buf_free(&body);
}

static void add_base64(struct json_writer *writer, const char *key,
                       struct text bytes)
{
    struct buf text = {0};
    base64_encode(&text, bytes);
    json_member_text(writer, key, (struct text){text.data, text.length});
    buf_free(&text);
}

static struct text address_of(const struct signer *signer)
{
    return (struct text){(const char *)ethereum_key_address(signer->key),
                         ETHEREUM_ADDRESS_BYTES};
}

/* ---- who asks ------------------------------------------------------------ */

static void add_hex(struct json_writer *writer, const char *key,
                    const uint8_t *bytes, size_t length)
{
    char text[2 * ETHEREUM_SIGNATURE_BYTES + 3] = "0x";
    hash_hex(bytes, length, text + 2);
    json_member_string(writer, key, text);
}

static void sign_info(void *context, struct exchange *exchange,
                      struct text unused)
{
    struct signer *signer = context;
    struct buf body = {0};
    struct json_writer writer = {.out = &body};
    char text[ETHEREUM_ADDRESS_TEXT_BYTES];
    uint8_t hash[KECCAK_BYTES];
    uint8_t signature[ETHEREUM_SIGNATURE_BYTES];
    (void)unused;
    ethereum_address_text(ethereum_key_address(signer->key), text);
    keccak256(text, strlen(text), hash);
    ethereum_sign(signer->key, hash, signature);
    json_begin(&writer, '{');
    json_member_string(&writer, "address", text);
    add_hex(&writer, "signature", signature, sizeof signature);
    json_end(&writer, '}');
    exchange_reply(exchange, 200, "application/json",
                   (struct text){body.data, body.length});
    buf_free(&body);
}

/* ---- state --------------------------------------------------------------- */

static void sign_bytes(const struct signer *signer, struct text bytes,
                       uint8_t signature[ETHEREUM_SIGNATURE_BYTES])
{
    uint8_t hash[KECCAK_BYTES];
    keccak256(bytes.data, bytes.length, hash);
    ethereum_sign(signer->key, hash, signature);
}

static void add_state(struct json_writer *writer, const struct demand *demand)
{
    const struct payment_state *state = &demand->state;
    struct buf bytes = {0};
    struct json_writer inner = {.out = &bytes};
    uint8_t signature[ETHEREUM_SIGNATURE_BYTES];
    json_begin(&inner, '{');
    json_member_text(&inner, "rand_hash", state->rand_hash);
    json_member_text(&inner, "transcoder", state->transcoder);
    json_member_int(&inner, "nonce", state->nonce);
    json_member_int(&inner, "paid_us", state->paid_us);
    json_member_int(&inner, "balance_wei", state->balance_wei);
    json_member_int(&inner, "price_wei", state->price_wei);
    json_end(&inner, '}');
    struct text text = {bytes.data, bytes.length};
    sign_bytes(demand->signer, text, signature);
    json_key(writer, "state");
    json_begin(writer, '{');
    add_base64(writer, "State", text);
    add_base64(writer, "Sig",
               (struct text){(const char *)signature, sizeof signature});
    json_end(writer, '}');
    buf_free(&bytes);
}

static bool member_bytes(struct demand *demand, struct yyjson_val *parent,
                         const char *key, struct text *bytes)
{
    struct yyjson_val *member = json_get(parent, key);
    return json_is_string(member) &&
           base64_decode(&demand->arena, json_to_text(&demand->arena, member),
                         bytes);
}

/* Null, or what is wrong with the state that came back. */
static const char *read_state(struct demand *demand)
{
    struct arena *arena = &demand->arena;
    struct payment_state *state = &demand->state;
    struct yyjson_val *member = json_get(demand->body, "state");
    struct text bytes;
    struct text signature;
    uint8_t wanted[ETHEREUM_SIGNATURE_BYTES];
    state->is_first = json_is_null(member);
    if (state->is_first)
        return NULL;
    if (!*demand->manifest_id)
        return "a payment with a state needs the ManifestID";
    if (!member_bytes(demand, member, "State", &bytes) ||
        !member_bytes(demand, member, "Sig", &signature))
        return "the state cannot be read";
    sign_bytes(demand->signer, bytes, wanted);
    if (!text_equal(signature,
                    (struct text){(const char *)wanted, sizeof wanted}))
        return "invalid state signature";
    struct yyjson_val *root = json_parse(arena, bytes.data, bytes.length);
    state->rand_hash = json_to_text(arena, json_get(root, "rand_hash"));
    state->transcoder = json_to_text(arena, json_get(root, "transcoder"));
    state->nonce = json_to_int(json_get(root, "nonce"));
    state->paid_us = json_to_int(json_get(root, "paid_us"));
    state->balance_wei = json_to_int(json_get(root, "balance_wei"));
    state->price_wei = json_to_int(json_get(root, "price_wei"));
    return text_equal(state->transcoder, demand->info.transcoder)
               ? NULL
               : "the state is another orchestrator's";
}

/* ---- payments ------------------------------------------------------------ */

/* What has passed since the last payment, or a minute in advance. */
static int64_t pixels_due(struct demand *demand)
{
    struct payment_state *state = &demand->state;
    int64_t now_us = clock_monotonic_us();
    int64_t pixels = json_to_int(json_get(demand->body, "inPixels"));
    if (!pixels && state->is_first)
        pixels = LIVE_FIRST_PAYMENT_S * LIVE_PIXELS_PER_SECOND;
    else if (!pixels)
        pixels = (now_us - state->paid_us) / US_PER_MS *
                 LIVE_PIXELS_PER_SECOND / MS_PER_SECOND;
    state->paid_us = now_us;
    return pixels;
}

/* How many tickets cover PIXELS; moves the balance. More than TICKETS_MAX where
 * the terms, which anybody may have written, are beyond all sense. */
static int64_t tickets_for(struct demand *demand, int64_t pixels)
{
    struct payment_state *state = &demand->state;
    const struct ticket_params *params = demand->info.ticket_params;
    int64_t value_wei = ticket_value_wei(params->face_value, params->win_prob);
    int64_t fee_wei = price_of_pixels_wei(demand->info.price_info, pixels);
    if (value_wei <= 0 || value_wei > TERMS_MAX_WEI || fee_wei < 0 ||
        fee_wei > TERMS_MAX_WEI)
        return TICKETS_MAX + 1;
    int64_t need_wei =
        (fee_wei > value_wei ? fee_wei : value_wei) - state->balance_wei;
    int64_t count =
        need_wei > 0 ? need_wei / value_wei + (need_wei % value_wei != 0) : 0;
    if (count <= TICKETS_MAX)
        state->balance_wei += count * value_wei - fee_wei;
    return count;
}

static void sign_tickets(struct demand *demand, struct payment *payment,
                         size_t count)
{
    struct ticket_sender_params *tickets =
        arena_array(&demand->arena, count, sizeof *tickets);
    for (size_t i = 0; i < count; i++) {
        uint8_t hash[KECCAK_BYTES];
        uint8_t *signature =
            arena_alloc(&demand->arena, ETHEREUM_SIGNATURE_BYTES);
        tickets[i].sender_nonce = (uint32_t)++demand->state.nonce;
        ticket_hash(payment->ticket_params, payment->expiration,
                    payment->sender, tickets[i].sender_nonce, hash);
        ethereum_sign(demand->signer->key, hash, signature);
        tickets[i].sig =
            (struct text){(const char *)signature, ETHEREUM_SIGNATURE_BYTES};
    }
    payment->tickets = tickets;
    payment->ticket_count = count;
}

static void add_payment(struct json_writer *writer, struct demand *demand,
                        size_t tickets)
{
    struct buf bytes = {0};
    struct ticket_params params = *demand->info.ticket_params;
    struct payment payment = {.ticket_params = &params,
                              .sender = address_of(demand->signer),
                              .expiration = params.expiration,
                              .expected_price = demand->info.price_info};
    params.expiration = NULL; /* stands beside them */
    sign_tickets(demand, &payment, tickets);
    payment_encode(&bytes, &payment);
    add_base64(writer, "payment", (struct text){bytes.data, bytes.length});
    buf_free(&bytes);
}

static void add_credentials(struct json_writer *writer, struct demand *demand)
{
    struct buf bytes = {0};
    uint8_t hash[KECCAK_BYTES];
    uint8_t signature[ETHEREUM_SIGNATURE_BYTES];
    struct segment_data segment = {.manifest_id = text_of(demand->manifest_id),
                                   .auth_token = demand->info.auth_token};
    segment_hash(&segment, hash);
    ethereum_sign(demand->signer->key, hash, signature);
    segment.sig = (struct text){(const char *)signature, sizeof signature};
    segment_data_encode(&bytes, &segment);
    add_base64(writer, "segCreds", (struct text){bytes.data, bytes.length});
    buf_free(&bytes);
}

/* A new rand hash starts its nonces anew. */
static void follow_rand_hash(struct demand *demand)
{
    struct buf text = {0};
    base64_encode(&text, demand->info.ticket_params->recipient_rand_hash);
    struct text hash = {text.data, text.length};
    if (!text_equal(hash, demand->state.rand_hash))
        demand->state.nonce = 0;
    demand->state.rand_hash =
        text_of(arena_text(&demand->arena, hash.data, hash.length));
    buf_free(&text);
}

static void pay(struct demand *demand)
{
    struct buf body = {0};
    struct json_writer writer = {.out = &body};
    int64_t pixels = pixels_due(demand);
    int64_t tickets = tickets_for(demand, pixels);
    if (tickets > TICKETS_MAX) {
        refuse(demand->exchange, 400, "too many tickets");
        return;
    }
    if (!tickets) {
        refuse(demand->exchange, STATUS_NO_TICKETS, "no tickets");
        return;
    }
    follow_rand_hash(demand);
    json_begin(&writer, '{');
    add_payment(&writer, demand, (size_t)tickets);
    add_credentials(&writer, demand);
    add_state(&writer, demand);
    json_end(&writer, '}');
    exchange_reply(demand->exchange, 200, "application/json",
                   (struct text){body.data, body.length});
    buf_free(&body);
}

/* ---- what is refused ----------------------------------------------------- */

static void ask_again(struct demand *demand)
{
    struct text url = demand->info.transcoder;
    struct exchange_field fields[2] = {
        {"Content-Type", "application/json"},
        {"Livepeer-Orchestrator-URL",
         arena_text(&demand->arena, url.data, url.length)}};
    exchange_reply_fields(
        demand->exchange, STATUS_REFRESH, fields, 2,
        text_of("{\"error\":{\"message\":\"refresh the session\"}}"));
}

/* True where the price is more than the client or the session allows. */
static bool is_too_dear(const struct demand *demand)
{
    struct yyjson_val *most = json_get(demand->body, "maxPrice");
    int64_t price_wei = demand->info.price_info->price_per_unit;
    const struct payment_state *state = &demand->state;
    return (!json_is_null(most) &&
            (double)price_wei > json_to_double(json_get(most, "price"))) ||
           (!state->is_first && price_wei > state->price_wei);
}

static const char *info_flaw(const struct demand *demand)
{
    const struct orchestrator_info *info = &demand->info;
    struct yyjson_val *type = json_get(demand->body, "type");
    if (!json_is_string(type) &&
        json_is_null(json_get(demand->body, "inPixels")))
        return "either type or inPixels is needed";
    if (json_to_int(json_get(demand->body, "inPixels")) < 0)
        return "inPixels is not negative";
    if (!info->price_info || info->price_info->price_per_unit <= 0 ||
        info->price_info->pixels_per_unit <= 0)
        return "missing or zero price";
    if (!info->ticket_params)
        return "missing ticket params";
    if (!info->auth_token)
        return "missing auth token";
    return NULL;
}

static void judge(struct demand *demand)
{
    struct payment_state *state = &demand->state;
    int64_t now_s = clock_wall_ms() / MS_PER_SECOND;
    const char *flaw = info_flaw(demand);
    if (!flaw)
        flaw = read_state(demand);
    if (flaw) {
        refuse(demand->exchange, 400, flaw);
        return;
    }
    if (demand->info.auth_token->expiration_s < now_s + TOKEN_LEAST_S) {
        ask_again(demand);
        return;
    }
    if (state->is_first) {
        state->price_wei = demand->info.price_info->price_per_unit;
        state->transcoder = demand->info.transcoder;
    }
    if (is_too_dear(demand))
        refuse(demand->exchange, STATUS_TOO_DEAR, "the price is too high");
    else
        pay(demand);
}

static void generate_payment(void *context, struct exchange *exchange,
                             struct text bytes)
{
    struct demand demand = {.signer = context, .exchange = exchange};
    struct text info;
    demand.body = json_parse(&demand.arena, bytes.data, bytes.length);
    struct text id =
        json_to_text(&demand.arena, json_get(demand.body, "ManifestID"));
    demand.manifest_id = arena_text(&demand.arena, id.data, id.length);
    if (!json_is_object(demand.body))
        refuse(exchange, 400, "the body is not a JSON object");
    else if (!member_bytes(&demand, demand.body, "orchestrator", &info) ||
             orchestrator_info_decode(&demand.arena, info, &demand.info))
        refuse(exchange, 400, "the orchestrator cannot be read");
    else
        judge(&demand);
    arena_free(&demand.arena);
}

/* ---- discovery ----------------------------------------------------------- */

/* Whether the query names no capability, or this one among others. */
static bool is_wanted(const char *query, const char *capability)
{
    size_t length = strlen(capability);
    if (!strstr(query, "caps="))
        return true;
    for (const char *at = query; (at = strstr(at, "caps=")); at++) {
        const char *value = at + strlen("caps=");
        if (strncmp(value, capability, length) == 0 &&
            (value[length] == '&' || !value[length]))
            return true;
    }
    return false;
}

static void discover(struct signer *signer, struct exchange *exchange)
{
    struct buf body = {0};
    struct arena arena = {0};
    struct json_writer writer = {.out = &body};
    json_begin(&writer, '[');
    for (size_t i = 0; i < signer->network->orchestrator_count; i++) {
        const struct orchestrator *orchestrator =
            &signer->network->orchestrators[i];
        const char *capability = arena_printf(&arena, "live-video-to-video/%s",
                                              orchestrator->behaviour->model);
        if (!is_wanted(exchange_query(exchange), capability))
            continue;
        json_begin(&writer, '{');
        json_member_string(&writer, "address", orchestrator->url);
        json_member_int(&writer, "score", 1);
        json_key(&writer, "capabilities");
        json_begin(&writer, '[');
        json_string(&writer, capability);
        json_end(&writer, ']');
        json_end(&writer, '}');
    }
    json_end(&writer, ']');
    exchange_reply(exchange, 200, "application/json",
                   (struct text){body.data, body.length});
    arena_free(&arena);
    buf_free(&body);
}

/* ---- life ---------------------------------------------------------------- */

static void handle(void *context, struct exchange *exchange)
{
    struct signer *signer = context;
    const char *path = exchange_path(exchange);
    bool is_post = strcmp(exchange_method(exchange), "POST") == 0;
    if (is_post && strcmp(path, "/sign-orchestrator-info") == 0)
        exchange_collect(exchange, BODY_MAX_BYTES, sign_info, NULL, signer);
    else if (is_post && strcmp(path, "/generate-live-payment") == 0)
        exchange_collect(exchange, BODY_MAX_BYTES, generate_payment, NULL,
                         signer);
    else if (strcmp(path, "/discover-orchestrators") == 0)
        discover(signer, exchange);
    else
        refuse(exchange, 404, "not found");
}

static enum err make_key(struct signer *signer)
{
    uint8_t bytes[SHA256_BYTES];
    char text[2 * SHA256_BYTES + 1];
    struct draw draw = draw_from(signer->network->seed, "signer's key", 0, 0);
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)draw_bits(&draw);
    hash_hex(bytes, sizeof bytes, text);
    return ethereum_key_parse(text_of(text), &signer->key);
}

enum err signer_open(struct signer **result, struct network *network,
                     const char *host)
{
    struct signer *signer = memory_zeroed(1, sizeof *signer);
    struct server_settings settings = {
        .host = host, .handle = handle, .context = signer};
    signer->network = network;
    enum err err = make_key(signer);
    if (!err)
        err = server_open(&signer->server, network->loop, &settings);
    if (err) {
        signer_close(signer);
        return err;
    }
    url_write(signer->url, "http", host, server_port(signer->server));
    *result = signer;
    return ERR_NONE;
}

void signer_close(struct signer *signer)
{
    if (!signer)
        return;
    server_close(signer->server);
    ethereum_key_free(signer->key);
    free(signer);
}

const char *signer_url(const struct signer *signer)
{
    return signer->url;
}
