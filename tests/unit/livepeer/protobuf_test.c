/*
 * What the encoding allows beyond what anyone writes, and what it does not.
 */
#include "livepeer/protobuf.h"

#include "livepeer/livepeer.h"

#include "base/hex.h"
#include "harness.h"

#include <stdlib.h>
#include <string.h>

static struct arena arena;

static enum err decode(const char *hex, struct capabilities *capabilities)
{
    size_t length = strlen(hex) / 2;
    uint8_t *bytes = arena_alloc(&arena, length + 1);
    REQUIRE(hex_decode(text_of(hex), bytes, length));
    return capabilities_decode(
        &arena, (struct text){(const char *)bytes, length}, capabilities);
}

TEST(what_the_encoding_allows_is_read)
{
    static const struct {
        const char *hex;
        size_t bits;
        uint64_t last_bit;
        const char *version;
    } rows[] = {
        {"", 0, 0, ""},
        {"0a020102", 2, 2, ""},     /* packed */
        {"08010802", 2, 2, ""},     /* not packed */
        {"0a0101080f", 2, 15, ""},  /* both */
        {"0a00", 0, 0, ""},         /* packed, none */
        {"0a03010280", 0, 0, NULL}, /* packed, broken off */
        {"0a0affffffffffffffffff01", 1, UINT64_MAX, ""},
        {"2201612201622201ff", 0, 0, NULL}, /* not UTF-8 */
        {"220161220162", 0, 0, "b"},        /* the last counts */
        {"2000", 0, 0, ""},                 /* another wire type: passed */
        {"0d00000001", 0, 0, ""},           /* fixed32 where varints belong */
        {"7a03616263220161", 0, 0, "a"},    /* unknown fields */
        {"79010203040506070822016a", 0, 0, "j"},
        {"7d01020304220161", 0, 0, "a"},
        {"f8ffffff0f01220161", 0, 0, "a"}, /* the largest field number */
    };
    EACH_ROW (row, rows) {
        struct capabilities read;
        enum err err = decode(row->hex, &read);
        CHECK_EQ_INT(err, row->version ? ERR_NONE : ERR_INPUT);
        if (err || !row->version)
            continue;
        CHECK_EQ_INT(read.bitstring_count, row->bits);
        if (row->bits)
            CHECK_EQ_INT(read.bitstring[row->bits - 1], row->last_bit);
        CHECK_EQ_TEXT(
            arena_text(&arena, read.version.data, read.version.length),
            row->version);
    }
    arena_free(&arena);
}

TEST(broken_messages_are_refused_with_their_place)
{
    static const struct {
        const char *hex;
        const char *message;
    } rows[] = {
        {"0a", "Capabilities: broken at byte 1 of 1"},
        {"0a05", "Capabilities: broken at byte 2 of 2"},
        {"22056162", "Capabilities: broken at byte 4 of 4"},
        {"80", "Capabilities: broken at byte 1 of 1"},
        {"ffffffffffffffffffff01", "Capabilities: broken at byte 11 of 11"},
        {"00", "Capabilities: broken at byte 1 of 1"}, /* field 0 */
        {"0b", "Capabilities: broken at byte 1 of 1"}, /* a group */
        {"0c", "Capabilities: broken at byte 1 of 1"},
        {"0f", "Capabilities: broken at byte 1 of 1"},
        {"f9ffffff1f", "Capabilities: broken at byte 5 of 5"},
        {"2a02120a", "Capabilities: Constraints: broken at byte 2 of 2"},
        {"2a081206080112020a0a",
         "Capabilities: Constraints: PerCapability: CapabilityConstraints: "
         "broken at byte 2 of 2"},
        {"2a0c120a080112060a040a01ff10",
         "Capabilities: Constraints: PerCapability: CapabilityConstraints: "
         "models: broken at byte 4 of 4"},
        {"2201ff", "Capabilities: field 4 is not UTF-8"},
    };
    EACH_ROW (row, rows) {
        struct capabilities read;
        CHECK_ERR(decode(row->hex, &read), ERR_INPUT);
        CHECK_EQ_TEXT(err_message(), row->message);
    }
    arena_free(&arena);
}

TEST(negative_numbers_keep_their_sign)
{
    const struct segment_data segment = {.seq = -1, .duration_ms = INT32_MIN};
    struct segment_data read;
    struct buf out = {0};
    segment_data_encode(&out, &segment);
    CHECK_EQ_INT(out.length, 22);
    CHECK_OK(segment_data_decode(&arena, (struct text){out.data, out.length},
                                 &read));
    CHECK_EQ_INT(read.seq, -1);
    CHECK_EQ_INT(read.duration_ms, INT32_MIN);
    buf_free(&out);
    arena_free(&arena);
}

/* Two bytes on the wire become a struct each: that has a bound, too. */
TEST(few_bytes_cannot_ask_for_much_memory)
{
    size_t most = PROTOBUF_ITEMS_MAX;
    struct buf bytes = {0};
    for (size_t i = 0; i < most; i++)
        buf_add(&bytes, "\x3a\x00", 2);
    struct orchestrator_info info;
    CHECK_OK(orchestrator_info_decode(
        &arena, (struct text){bytes.data, bytes.length}, &info));
    CHECK_EQ_INT(info.hardware_count, most);
    CHECK(arena.used_bytes < most * 64);
    buf_add(&bytes, "\x3a\x00", 2);
    CHECK_ERR(orchestrator_info_decode(
                  &arena, (struct text){bytes.data, bytes.length}, &info),
              ERR_INPUT);
    arena_clear(&arena);
    buf_clear(&bytes);
    for (size_t i = 0; i <= most; i++)
        buf_add(&bytes, "\x12\x00", 2); /* the same message again and again */
    CHECK_ERR(orchestrator_info_decode(
                  &arena, (struct text){bytes.data, bytes.length}, &info),
              ERR_INPUT);
    struct text large = {memory_zeroed(1, PROTOBUF_BYTES_MAX + 1),
                         PROTOBUF_BYTES_MAX + 1};
    CHECK_ERR(orchestrator_info_decode(&arena, large, &info), ERR_INPUT);
    free((void *)(uintptr_t)large.data);
    buf_free(&bytes);
    arena_free(&arena);
}
