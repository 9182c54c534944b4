/*
 * Ticket hashes equal to go-livepeer's own tests, what segments are signed
 * over, and amounts at the edges of 256 bits.
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

static void check_digest(const uint8_t digest[KECCAK_BYTES], const char *wanted)
{
    char hex[2 * KECCAK_BYTES + 1];
    hash_hex(digest, KECCAK_BYTES, hex);
    CHECK_EQ_TEXT(hex, wanted);
}

TEST(a_ticket_has_one_hash)
{
    static const struct {
        uint32_t nonce;
        int64_t round;
        const char *block_hash;
        const char *hash;
    } rows[] = {
        {UINT32_MAX, 0, "",
         "e1393fc7f6de093780674022f96cb8e3872235167d037c04d554e58c0e63d280"},
        {UINT32_MAX, 0,
         "0000000000000000000000000000000000000000000000000000000000000000",
         "e1393fc7f6de093780674022f96cb8e3872235167d037c04d554e58c0e63d280"},
        {0, 10,
         "41b1a0649752af1b28b3dc29a1556eee781e4a4c3a1f7f53f90fa834de098c4d",
         "e502907c16036ab3d11b78c5a2e93c20f3d6415c67f91de4ed01348182b3b2e2"},
    };
    EACH_ROW (row, rows) {
        const struct ticket_params params = {0};
        struct ticket_expiration expiration = {.creation_round = row->round,
                                               .creation_round_block_hash =
                                                   bytes_of(row->block_hash)};
        uint8_t hash[KECCAK_BYTES];
        ticket_hash(&params, &expiration, text_of(""), row->nonce, hash);
        check_digest(hash, row->hash);
    }
    arena_free(&arena);
}

TEST(a_segment_is_signed_over_72_bytes)
{
    struct segment_data segment = {.manifest_id = text_of("cafe0001")};
    uint8_t empty[KECCAK_BYTES];
    uint8_t hash[KECCAK_BYTES];
    keccak256("", 0, empty);
    segment.hash = (struct text){(const char *)empty, KECCAK_BYTES};
    segment_hash(&segment, hash);
    check_digest(
        hash,
        "6c7a68d64be1fd74fbcd82dec1786c3dba660ede122dececec9cab48d0ccfe13");
}

#define FF8 "ffffffff"
#define FF64 FF8 FF8 FF8 FF8 FF8 FF8 FF8 FF8

TEST(a_ticket_is_worth_what_it_wins_on_average)
{
    static const struct {
        const char *face_value;
        const char *win_prob;
        int64_t value;
    } rows[] = {
        {"", "", 0},
        {"0a", FF64, 10}, /* always wins */
        {"7fffffffffffffff", FF64, INT64_MAX},
        {"8000000000000000", FF64, INT64_MAX},
        {FF64, FF64, INT64_MAX},
        {FF64, "01", 1},
        {FF64, "0100000000", INT64_C(4294967296)},
        /* one half of 2^256 - 1, rounded down */
        {"0a", "7fffffffffffffffffffffffffffffff" FF8 FF8 FF8 FF8, 4},
        {"0b",
         "80000000000000000000000000000000000000000000000000000000"
         "00000000",
         5},
        /* 1e15 wei won once in a million */
        {"038d7ea4c68000",
         "000010c6f7a0b5ed8d36b4c7f34938583621fafc8b0079a2834d26fa3fcc9ea9",
         999999999},
        {"038d7ea4c68000",
         "000010c6f7a0b5ed8d36b4c7f34938583621fafc8b0079a2834d26fa3fcc9eaa",
         1000000000},
    };
    EACH_ROW (row, rows)
        CHECK_EQ_INT(ticket_value_wei(bytes_of(row->face_value),
                                      bytes_of(row->win_prob)),
                     row->value);
    arena_free(&arena);
}

TEST(a_payment_is_worth_all_of_its_tickets)
{
    struct ticket_sender_params tickets[3] = {0};
    struct ticket_params params = {.face_value = bytes_of("0a"),
                                   .win_prob = bytes_of(FF64)};
    struct payment payment = {.tickets = tickets, .ticket_count = 3};
    CHECK_EQ_INT(payment_value_wei(&payment), 0);
    payment.ticket_params = &params;
    CHECK_EQ_INT(payment_value_wei(&payment), 30);
    params.face_value = bytes_of("4000000000000000");
    CHECK_EQ_INT(payment_value_wei(&payment), INT64_MAX);
    payment.ticket_count = 0;
    CHECK_EQ_INT(payment_value_wei(&payment), 0);
    arena_free(&arena);
}

TEST(prices_are_rounded_up_to_whole_wei)
{
    static const struct {
        int64_t per_unit;
        int64_t pixels_per_unit;
        int64_t pixels;
        int64_t cost;
    } rows[] = {
        {1, 1, LIVE_PIXELS_PER_SECOND, LIVE_PIXELS_PER_SECOND},
        {0, 1, LIVE_PIXELS_PER_SECOND, 0},
        {1, INT64_C(1000000000000), LIVE_PIXELS_PER_SECOND, 1},
        {3, 2, 1, 2},
        {INT64_MAX, 1, 2, INT64_MAX},
        {INT64_MAX, INT64_MAX, 1, 1},
        {1, 0, 1, ABSENT_INT},
        {1, -1, 1, ABSENT_INT},
        {-1, 1, 1, ABSENT_INT},
    };
    EACH_ROW (row, rows) {
        const struct price_info price = {.price_per_unit = row->per_unit,
                                         .pixels_per_unit =
                                             row->pixels_per_unit};
        CHECK_EQ_INT(price_of_pixels_wei(&price, row->pixels), row->cost);
    }
}

TEST(addresses_have_the_capitals_of_eip_55)
{
    static const char *const rows[] = {
        "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
        "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
        "0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf",
        "0x52908400098527886E0F7030069857D2E4169EE7",
        "0xde709f2102306220921060314715629080e2fb77",
        "0x0000000000000000000000000000000000000000"};
    EACH_ROW (row, rows) {
        uint8_t address[ETHEREUM_ADDRESS_BYTES];
        char text[ETHEREUM_ADDRESS_TEXT_BYTES];
        REQUIRE(ethereum_address_parse(text_of(*row), address));
        ethereum_address_text(address, text);
        CHECK_EQ_TEXT(text, *row);
        ethereum_address_text_lower(address, text);
        CHECK(text_equal_ignoring_case(text_of(text), text_of(*row)));
        CHECK(ethereum_address_parse(text_of(text), address));
    }
}

TEST(what_is_no_address_is_refused)
{
    static const char *const rows[] = {
        "",
        "0x",
        "5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
        "0x5aaeb6053F3E94C9b9A09f33669435E7Ef1BeAed", /* one capital less */
        "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAe",
        "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed0",
        "0X5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
        "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeg"};
    uint8_t address[ETHEREUM_ADDRESS_BYTES];
    EACH_ROW (row, rows)
        CHECK(!ethereum_address_parse(text_of(*row), address));
    CHECK(ethereum_address_is_zero(text_of("")));
    CHECK(ethereum_address_is_zero((struct text){"\0\0", 2}));
    CHECK(!ethereum_address_is_zero((struct text){"\0\1", 2}));
}
