/*
 * UUIDs in their usual spelling, both ways, and nothing else.
 */
#include "base/uuid.h"

#include "harness.h"

#include <string.h>

TEST(uuids_are_read_and_written)
{
    static const struct {
        const char *text;
        uint8_t bytes[UUID_BYTES];
    } rows[] = {
        {"00000000-0000-0000-0000-000000000000", {0}},
        {"01234567-89ab-cdef-0123-456789abcdef",
         {0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef, 0x01, 0x23, 0x45,
          0x67, 0x89, 0xab, 0xcd, 0xef}},
        {"fedcba98-7654-3210-ffff-a0b1c2d3e4f5",
         {0xfe, 0xdc, 0xba, 0x98, 0x76, 0x54, 0x32, 0x10, 0xff, 0xff, 0xa0,
          0xb1, 0xc2, 0xd3, 0xe4, 0xf5}},
    };
    EACH_ROW (row, rows) {
        uint8_t bytes[UUID_BYTES];
        char text[UUID_LENGTH + 1] = {0};
        REQUIRE(uuid_read(text_of(row->text), bytes));
        CHECK_EQ_MEMORY(bytes, row->bytes, UUID_BYTES);
        uuid_write(bytes, text);
        CHECK_EQ_TEXT(text, row->text);
    }
}

/* Any other byte at any place is refused. */
TEST(what_is_no_uuid_is_refused)
{
    static const char good[] = "01234567-89ab-cdef-0123-456789abcdef";
    uint8_t bytes[UUID_BYTES];
    for (size_t place = 0; place < UUID_LENGTH; place++)
        for (int byte = 0; byte < 256; byte++) {
            char text[UUID_LENGTH];
            bool is_digit = byte && strchr("0123456789abcdef", byte);
            memcpy(text, good, sizeof text);
            text[place] = (char)byte;
            CHECK(uuid_read((struct text){text, sizeof text}, bytes) ==
                  (good[place] == '-' ? byte == '-' : is_digit));
        }
    CHECK(!uuid_read((struct text){good, UUID_LENGTH - 1}, bytes));
    CHECK(!uuid_read(text_of(""), bytes));
}
