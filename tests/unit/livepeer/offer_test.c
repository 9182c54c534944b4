/*
 * Which orchestrator takes which job (livepeer-protocols.md §2.4).
 */
#include "livepeer/livepeer.h"

#include "harness.h"

static struct arena arena;

TEST(a_request_for_a_model_is_as_small_as_can_be)
{
    const struct orchestrator_request request = {
        .capabilities = capabilities_for_model(&arena, CAPABILITY_LIVE_VIDEO,
                                               text_of("noop")),
        .ignore_capacity_check = true};
    char hex[64];
    struct buf out = {0};
    orchestrator_request_encode(&out, &request);
    REQUIRE(out.length == 28);
    hash_hex((const uint8_t *)out.data, out.length, hex);
    CHECK_EQ_TEXT(hex,
                  "1a181a04082310012a10120e0823120a0a080a046e6f6f7012002001");
    buf_free(&out);
    arena_free(&arena);
}

TEST(versions_are_compared_as_semantic_ones)
{
    static const struct {
        const char *version;
        const char *least;
        bool reaches;
    } rows[] = {
        {"", "", true},
        {"undefined", "", true},
        {"", "0.1.0", false},
        {"undefined", "0.1.0", false},
        {"0.14.1", "0.14.1", true},
        {"0.14.1", "0.9.9", true},
        {"0.9.9", "0.14.1", false},
        {"1.0.0", "0.99.99", true},
        {"0.14.1-dirty", "0.14.1", true},
        {"0.14.0-9", "0.14.1", false},
        {"v0.14.1", "0.14.1", true},
        {"0.14", "0.14.0", true},
        {"1", "1.0.0", true},
        {"0.14.x", "0.1.0", false},
        {"0.14.1.2", "0.1.0", false},
        {"1..2", "0.1.0", false},
        {"9999999999.0.0", "0.1.0", false},
        {"1.0.0+build", "1.0.0", true},
        {"1.0.0", "latest", false},
    };
    EACH_ROW (row, rows)
        CHECK_EQ_INT(
            version_reaches(text_of(row->version), text_of(row->least)),
            row->reaches);
}

static const uint64_t live_bits[] = {UINT64_C(1) << 35};
static const uint64_t more_bits[] = {UINT64_C(1) << 35 | 1, 1};
static const uint64_t other_bits[] = {UINT64_C(1) << 34};

TEST(bits_must_be_offered)
{
    static const struct {
        struct capabilities wanted;
        struct capabilities offered;
        const char *misfit;
    } rows[] = {
        {{0}, {0}, NULL},
        {{.bitstring = live_bits, .bitstring_count = 1},
         {.bitstring = more_bits, .bitstring_count = 2},
         NULL},
        {{.bitstring = more_bits, .bitstring_count = 2},
         {.bitstring = live_bits, .bitstring_count = 1},
         "it lacks a capability"},
        {{.bitstring = live_bits, .bitstring_count = 1},
         {.bitstring = other_bits, .bitstring_count = 1},
         "it lacks a capability"},
        {{.bitstring = live_bits, .bitstring_count = 1},
         {0},
         "it lacks a capability"},
        {{.bitstring = more_bits, .bitstring_count = 1},
         {.bitstring = more_bits,
          .bitstring_count = 2,
          .mandatories = live_bits,
          .mandatory_count = 1},
         NULL},
        {{0},
         {.mandatories = live_bits, .mandatory_count = 1},
         "it insists on a capability that was not asked for"},
    };
    EACH_ROW (row, rows)
        CHECK_EQ_TEXT(capabilities_misfit(&row->wanted, &row->offered),
                      row->misfit);
    CHECK_EQ_TEXT(capabilities_misfit(&rows[0].wanted, NULL),
                  "it names no capabilities");
    CHECK(capabilities_have_bit(&rows[1].wanted, 35));
    CHECK(!capabilities_have_bit(&rows[1].wanted, 34));
    CHECK(capabilities_have_bit(&rows[1].offered, 64));
    CHECK(!capabilities_have_bit(&rows[1].offered, 128));
}

TEST(models_must_be_offered_as_wanted)
{
    static const struct {
        struct model_offer wanted;
        struct model_offer offered;
        const char *misfit;
    } rows[] = {
        {{.model_id = {"noop", 4}}, {.model_id = {"noop", 4}}, NULL},
        {{.model_id = {"noop", 4}},
         {.model_id = {"noo", 3}},
         "it does not offer the model"},
        {{.model_id = {"noop", 4}, .warm = true},
         {.model_id = {"noop", 4}},
         "it does not keep the model warm"},
        {{.model_id = {"noop", 4}},
         {.model_id = {"noop", 4}, .warm = true},
         NULL},
        {{.model_id = {"noop", 4}, .runner_version = {"0.9.0", 5}},
         {.model_id = {"noop", 4}, .runner_version = {"0.8.0", 5}},
         "its runner is older than wanted"},
        {{.model_id = {"noop", 4}, .runner_version = {"0.9.0", 5}},
         {.model_id = {"noop", 4}, .runner_version = {"0.9.0-1", 7}},
         NULL},
    };
    EACH_ROW (row, rows) {
        const struct capability_models models[] = {{35, &row->wanted, 1},
                                                   {35, &row->offered, 1}};
        const struct capability_constraints constraints[] = {
            {.per_capability = &models[0], .per_capability_count = 1},
            {.per_capability = &models[1], .per_capability_count = 1}};
        const struct capabilities wanted = {.constraints = &constraints[0]};
        const struct capabilities offered = {.constraints = &constraints[1]};
        CHECK_EQ_TEXT(capabilities_misfit(&wanted, &offered), row->misfit);
    }
}

TEST(what_is_offered_is_found)
{
    static const struct model_offer offers[] = {
        {.model_id = {"a", 1}, .idle = 1},
        {.model_id = {"b", 1}, .idle = 2},
        {.model_id = {"a", 1}, .idle = 3}};
    static const struct capability_models models[] = {{27, offers, 1},
                                                      {35, offers, 3}};
    static const struct capability_constraints constraints = {
        .min_version = {"0.9.0", 5},
        .per_capability = models,
        .per_capability_count = 2};
    static const struct capabilities offered = {.constraints = &constraints};
    static const struct price_info prices[] = {{9, 1, 27, {"a", 1}},
                                               {7, 1, 35, {"a", 1}}};
    static const struct orchestrator_info info = {
        .capabilities_prices = prices, .capabilities_price_count = 2};
    REQUIRE(offer_of_model(&offered, 35, text_of("a")));
    CHECK_EQ_INT(offer_of_model(&offered, 35, text_of("a"))->idle, 3);
    CHECK_EQ_INT(offer_of_model(&offered, 27, text_of("a"))->idle, 1);
    CHECK(!offer_of_model(&offered, 27, text_of("b")));
    CHECK(!offer_of_model(&offered, 36, text_of("a")));
    CHECK(!offer_of_model(NULL, 35, text_of("a")));
    CHECK_EQ_INT(price_of_model(&info, 35, text_of("a"))->price_per_unit, 7);
    CHECK(!price_of_model(&info, 35, text_of("b")));
    static const struct capabilities older = {.version = {"0.8.9", 5}};
    CHECK_EQ_TEXT(capabilities_misfit(&offered, &older),
                  "it is older than wanted");
}
