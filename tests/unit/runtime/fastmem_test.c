/*
 * fastmem_test.c: the memory functions against loops over bytes.
 *
 * They are called through volatile pointers, so that the compiler does not put
 * its own code in their place. The product's flavour links vendor/runtime/
 * fastmem.c; in the others these are the C library's, and must pass as well.
 */
#include "harness.h"

#include <string.h>

enum { ROOM_BYTES = 9000, GUARD_BYTES = 64 };

static void *(*volatile copy)(void *, const void *, size_t) = memcpy;
static void *(*volatile move)(void *, const void *, size_t) = memmove;
static void *(*volatile fill)(void *, int, size_t) = memset;
static int (*volatile compare)(const void *, const void *, size_t) = memcmp;

static const size_t lengths[] = {
    0,   1,   2,   3,   4,   5,   7,   8,   9,    15,   16,   17,   31,   32,
    33,  47,  48,  63,  64,  65,  95,  127, 128,  129,  130,  143,  144,  145,
    191, 192, 193, 207, 208, 255, 256, 257, 1023, 1024, 1025, 2047, 2048, 4099};

static void pattern(unsigned char *bytes)
{
    unsigned state = 1;
    for (size_t at = 0; at < ROOM_BYTES; at++) {
        state = state * 1103515245u + 12345u;
        bytes[at] = (unsigned char)(state >> 16);
    }
}

static void move_by_bytes(unsigned char *to, const unsigned char *from,
                          size_t length)
{
    static unsigned char between[ROOM_BYTES];
    for (size_t at = 0; at < length; at++) {
        between[at] = from[at];
    }
    for (size_t at = 0; at < length; at++) {
        to[at] = between[at];
    }
}

/* The same move in two equal rooms; the whole rooms must stay equal. */
static void check_move(size_t to, size_t from, size_t length)
{
    static unsigned char room[ROOM_BYTES], expected[ROOM_BYTES];
    pattern(room);
    pattern(expected);
    CHECK(move(room + to, room + from, length) == room + to);
    move_by_bytes(expected + to, expected + from, length);
    CHECK_EQ_MEMORY(room, expected, ROOM_BYTES);
}

TEST(moves_overlap_at_every_distance)
{
    EACH_ROW (length, lengths) {
        for (size_t to = GUARD_BYTES - 20; to < GUARD_BYTES + 20; to++) {
            check_move(to, GUARD_BYTES, *length);
        }
        check_move(GUARD_BYTES, GUARD_BYTES + *length / 2, *length);
        check_move(GUARD_BYTES + *length / 2, GUARD_BYTES, *length);
        check_move(GUARD_BYTES + *length, GUARD_BYTES, *length);
    }
}

TEST(copies_touch_nothing_else)
{
    static unsigned char from[ROOM_BYTES], room[ROOM_BYTES],
        expected[ROOM_BYTES];
    pattern(from);
    EACH_ROW (length, lengths) {
        for (size_t shift = 0; shift < 17; shift++) {
            for (size_t at = 0; at < ROOM_BYTES; at++) {
                room[at] = expected[at] = 0xa5;
            }
            copy(room + shift, from + 16 - shift, *length);
            move_by_bytes(expected + shift, from + 16 - shift, *length);
            CHECK_EQ_MEMORY(room, expected, ROOM_BYTES);
        }
    }
}

TEST(fills_touch_nothing_else)
{
    static unsigned char room[ROOM_BYTES], expected[ROOM_BYTES];
    EACH_ROW (length, lengths) {
        for (size_t shift = 0; shift < 17; shift++) {
            for (size_t at = 0; at < ROOM_BYTES; at++) {
                room[at] = expected[at] = 0x5a;
            }
            for (size_t at = 0; at < *length; at++) {
                expected[shift + at] = 0xfe;
            }
            /* only the low byte of the value counts */
            CHECK(fill(room + shift, 0x7fe, *length) == room + shift);
            CHECK_EQ_MEMORY(room, expected, ROOM_BYTES);
        }
    }
}

static int sign(int value)
{
    return (value > 0) - (value < 0);
}

TEST(comparison_orders_by_the_first_difference)
{
    static unsigned char left[ROOM_BYTES], right[ROOM_BYTES];
    EACH_ROW (length, lengths) {
        pattern(left);
        pattern(right);
        right[*length] ^= 0xff; /* beyond the end */
        CHECK_EQ_INT(compare(left, right, *length), 0);
        for (size_t at = 0; at < *length; at++) {
            right[at] ^= 0x80;
            int wanted = left[at] < right[at] ? -1 : 1;
            CHECK_EQ_INT(sign(compare(left, right, *length)), wanted);
            CHECK_EQ_INT(sign(compare(right, left, *length)), -wanted);
            right[at] ^= 0x80;
        }
    }
}
