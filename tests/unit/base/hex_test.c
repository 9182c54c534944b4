/*
 * Digits of either case, and nothing else.
 */
#include "base/hex.h"

#include "harness.h"

TEST(hex_is_read_in_either_case)
{
    uint8_t bytes[4];
    REQUIRE(hex_decode(text_of("009faAFf"), bytes, 4));
    CHECK_EQ_MEMORY(bytes, "\x00\x9f\xaa\xff", 4);
    CHECK(hex_decode(text_of(""), bytes, 0));
}

TEST(what_is_no_hex_is_refused)
{
    static const char *const rows[] = {"",     "00",
                                       "0",    "00112",
                                       "0x12", "001g",
                                       "00 1", "00:1",
                                       "0/11", "0@11",
                                       "0`11", "00112233",
                                       "+011", "\xC3\xA9\x31\x31"};
    uint8_t bytes[2];
    EACH_ROW (row, rows)
        CHECK(!hex_decode(text_of(*row), bytes, 2));
}
