/*
 * The messages of livepeer-protocols.md §10, byte for byte as other programs
 * write them, in both directions.
 */
#include "livepeer/livepeer.h"

#include "base/hex.h"
#include "harness.h"

#include <string.h>

static struct arena arena;

static struct text bytes_of(const char *hex)
{
    size_t length = strlen(hex) / 2;
    uint8_t *bytes = arena_alloc(&arena, length + 1);
    REQUIRE(hex_decode(text_of(hex), bytes, length));
    return (struct text){(const char *)bytes, length};
}

static const char *hex_of(struct text bytes)
{
    char *hex = arena_alloc(&arena, 2 * bytes.length + 1);
    hash_hex((const uint8_t *)bytes.data, bytes.length, hex);
    return hex;
}

static const char *string(struct text text)
{
    return arena_text(&arena, text.data, text.length);
}

/* Encodes MESSAGE, compares with HEX, decodes HEX, encodes that again. */
#define CHECK_VECTOR(name, message, hex)                                       \
    do {                                                                       \
        struct buf out = {0};                                                  \
        struct name decoded;                                                   \
        name##_encode(&out, (message));                                        \
        CHECK_EQ_TEXT(hex_of((struct text){out.data, out.length}), (hex));     \
        CHECK_OK(name##_decode(&arena, bytes_of(hex), &decoded));              \
        buf_clear(&out);                                                       \
        name##_encode(&out, &decoded);                                         \
        CHECK_EQ_TEXT(hex_of((struct text){out.data, out.length}), (hex));     \
        buf_free(&out);                                                        \
    } while (0)

static const struct model_offer empty_noop = {.model_id = {"noop", 4}};
static const struct capability_models empty_models = {35, &empty_noop, 1};
static const struct capability_constraints empty_constraints = {
    .per_capability = &empty_models, .per_capability_count = 1};
static const struct capacity one_live = {35, 1};

TEST(requests_are_as_gateways_write_them)
{
    const struct capabilities wanted = {.capacities = &one_live,
                                        .capacity_count = 1,
                                        .constraints = &empty_constraints};
    const struct orchestrator_request polite = {.ignore_capacity_check = true};
    const struct orchestrator_request for_noop = {
        .capabilities = &wanted, .ignore_capacity_check = true};
    CHECK_VECTOR(orchestrator_request, &polite, "2001");
    CHECK_VECTOR(orchestrator_request, &for_noop,
                 "1a181a04082310012a10120e0823120a0a080a046e6f6f7012002001");
    arena_free(&arena);
}

static const uint64_t live_bit = UINT64_C(1) << 35;

TEST(capabilities_hold_bits_and_models)
{
    const struct model_offer noop = {.model_id = {"noop", 4}, .warm = true};
    const struct capability_models models = {35, &noop, 1};
    const struct capability_constraints constraints = {
        .per_capability = &models, .per_capability_count = 1};
    const struct capabilities offered = {.bitstring = &live_bit,
                                         .bitstring_count = 1,
                                         .capacities = &one_live,
                                         .capacity_count = 1,
                                         .version = {"0.9.1", 5},
                                         .constraints = &constraints};
    const struct orchestrator_request request = {.capabilities = &offered};
    CHECK_VECTOR(orchestrator_request, &request,
                 "1a290a068080808080011a04082310012205302e392e312a12121008"
                 "23120c0a0a0a046e6f6f7012020801");
    arena_free(&arena);
}

static const struct auth_token token = {{"\1\2\3", 3}, {"cafe", 4}, 1700000000};

TEST(credentials_of_a_job)
{
    const struct segment_data segment = {.auth_token = &token};
    CHECK_VECTOR(segment_data, &segment,
                 "42110a030102031204636166651880e2cfaa06");
    const struct price_info price = {.pixels_per_unit = 1};
    struct payment payment = {.expected_price = &price};
    payment.sender = bytes_of("7e5f4552091a69125d5dfcb7b8c2659029395bdf");
    CHECK_VECTOR(payment, &payment,
                 "12147e5f4552091a69125d5dfcb7b8c2659029395bdf2a021001");
    arena_free(&arena);
}

static const char info_hex[] =
    "0a1668747470733a2f2f3132372e302e302e313a383933351a040801100122140001"
    "02030405060708090a0b0c0d0e0f101112132a350a068080808080011a0408231001"
    "2205302e392e312a1e121c082312180a160a046e6f6f70120e080110011a06302e31"
    "342e31200232110a030102031204636166651880e2cfaa063a350a136c6976652d76"
    "6964656f2d746f2d766964656f12046e6f6f701a180a013012130a054750552d3112"
    "04483130302009305038518a020d08e8071001182322046e6f6f7092021668747470"
    "733a2f2f3132372e302e302e323a38393335";

TEST(an_orchestrator_is_written_as_others_write_it)
{
    const struct model_offer noop = {{"noop", 4}, true, 1, {"0.14.1", 6}, 2};
    const struct capability_models models = {35, &noop, 1};
    const struct capability_constraints constraints = {
        .per_capability = &models, .per_capability_count = 1};
    const struct capabilities offered = {.bitstring = &live_bit,
                                         .bitstring_count = 1,
                                         .capacities = &one_live,
                                         .capacity_count = 1,
                                         .version = {"0.9.1", 5},
                                         .constraints = &constraints};
    const struct gpu_info gpu = {{"0", 1}, {"GPU-1", 5}, {"H100", 4}, 9,
                                 0,        80,           81};
    const struct hardware_information hardware = {
        {"live-video-to-video", 19}, {"noop", 4}, &gpu, 1};
    const struct price_info base = {1, 1, 0, {"", 0}};
    const struct price_info live = {1000, 1, 35, {"noop", 4}};
    const struct text node = {"https://127.0.0.2:8935", 22};
    struct orchestrator_info info = {
        .transcoder = {"https://127.0.0.1:8935", 22},
        .price_info = &base,
        .capabilities = &offered,
        .auth_token = &token,
        .hardware = &hardware,
        .hardware_count = 1,
        .capabilities_prices = &live,
        .capabilities_price_count = 1,
        .nodes = &node,
        .node_count = 1};
    info.address = bytes_of("000102030405060708090a0b0c0d0e0f10111213");
    CHECK_VECTOR(orchestrator_info, &info, info_hex);
    const struct payment_result result = {bytes_of(info_hex)};
    CHECK_VECTOR(payment_result, &result,
                 arena_printf(&arena, "8201de01%s", info_hex));
    arena_free(&arena);
}

TEST(an_orchestrator_is_read_field_by_field)
{
    struct orchestrator_info info;
    REQUIRE_OK(orchestrator_info_decode(&arena, bytes_of(info_hex), &info));
    CHECK_EQ_TEXT(string(info.transcoder), "https://127.0.0.1:8935");
    CHECK(!info.ticket_params);
    CHECK_EQ_INT(info.price_info->price_per_unit, 1);
    CHECK_EQ_INT(info.address.length, ETHEREUM_ADDRESS_BYTES);
    CHECK_EQ_INT(info.capabilities->bitstring[0], live_bit);
    CHECK_EQ_INT(info.capabilities->capacities[0].count, 1);
    CHECK_EQ_TEXT(string(info.capabilities->version), "0.9.1");
    const struct capability_models *models =
        info.capabilities->constraints->per_capability;
    CHECK_EQ_INT(models->capability, 35);
    CHECK_EQ_TEXT(string(models->models->model_id), "noop");
    CHECK(models->models->warm);
    CHECK_EQ_INT(models->models->idle, 1);
    CHECK_EQ_TEXT(string(models->models->runner_version), "0.14.1");
    CHECK_EQ_INT(models->models->busy, 2);
    CHECK_EQ_TEXT(string(info.auth_token->session_id), "cafe");
    CHECK_EQ_INT(info.auth_token->expiration_s, 1700000000);
    REQUIRE(info.hardware_count == 1 && info.hardware->gpu_count == 1);
    CHECK_EQ_TEXT(string(info.hardware->gpus->slot), "0");
    CHECK_EQ_TEXT(string(info.hardware->gpus->name), "H100");
    CHECK_EQ_INT(info.hardware->gpus->major, 9);
    CHECK_EQ_INT(info.hardware->gpus->memory_total_bytes, 81);
    REQUIRE(info.capabilities_price_count == 1 && info.node_count == 1);
    CHECK_EQ_TEXT(string(info.capabilities_prices->constraint), "noop");
    CHECK_EQ_TEXT(string(info.nodes[0]), "https://127.0.0.2:8935");
    arena_free(&arena);
}

TEST(a_payment_carries_all_of_its_tickets)
{
    static const struct ticket_expiration expiration = {10, {"\xAA", 1}};
    static const struct ticket_params params = {
        {"R", 1}, {"\x01\x00", 2}, {"W", 1},   {"H", 1},
        {"S", 1}, {"E", 1},        &expiration};
    static const struct ticket_sender_params tickets[] = {{1, {"one", 3}},
                                                          {2, {"two", 3}}};
    static const struct payment payment = {&params, {"me", 2}, &expiration,
                                           tickets, 2,         NULL};
    CHECK_VECTOR(payment, &payment,
                 "0a1a0a0152120201001a01572201482a01533201453a05080a1201aa"
                 "12026d651a05080a1201aa2207080112036f6e652207080212037477"
                 "6f");
    arena_free(&arena);
}
