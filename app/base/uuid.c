/*
 * uuid.c: see uuid.h. Eight digits lie in the bytes of one word, the first in
 * the lowest, as the little-endian machines that we build for load them.
 */
#include "base/uuid.h"

#include <string.h>

static const uint64_t each = 0x0101010101010101; /* 1 in every byte */

/* Where the 32 digits lie, in runs of four. */
static const uint8_t places[] = {0, 4, 9, 14, 19, 24, 28, 32};
static const uint8_t dashes[] = {8, 13, 18, 23};

enum { RUNS = sizeof places, RUN_DIGITS = 4 };

static uint64_t load_digits(const char *text, int run)
{
    uint32_t low;
    uint32_t high;
    memcpy(&low, text + places[run], sizeof low);
    memcpy(&high, text + places[run + 1], sizeof high);
    return low | (uint64_t)high << 32;
}

/* Digits of numbers 0 to 15, one in each byte. */
static uint64_t digits_of(uint64_t numbers)
{
    uint64_t is_letter = ((numbers + each * 6) >> 4) & each;
    return numbers + each * '0' + is_letter * ('a' - '0' - 10);
}

/* The numbers of digits; of anything else, numbers of other digits. */
static uint64_t numbers_of(uint64_t digits)
{
    uint64_t is_letter = (digits >> 6) & each;
    return ((digits & each * 15) + is_letter * 9) & each * 15;
}

/* Of eight numbers, the pairs as four bytes. */
static uint32_t join_pairs(uint64_t numbers)
{
    uint64_t pairs = (numbers << 4 | numbers >> 8) & 0x00ff00ff00ff00ff;
    pairs = (pairs | pairs >> 8) & 0x0000ffff0000ffff;
    return (uint32_t)(pairs | pairs >> 16);
}

static uint64_t part_pairs(uint32_t bytes)
{
    uint64_t pairs = (bytes | (uint64_t)bytes << 16) & 0x0000ffff0000ffff;
    pairs = (pairs | pairs << 8) & 0x00ff00ff00ff00ff;
    return (pairs >> 4 & 0x000f000f000f000f) |
           (pairs << 8 & 0x0f000f000f000f00);
}

bool uuid_read(struct text text, uint8_t bytes[UUID_BYTES])
{
    bool good = text.length == UUID_LENGTH;
    for (size_t i = 0; good && i < sizeof dashes; i++)
        good = text.data[dashes[i]] == '-';
    for (int run = 0; good && run < RUNS; run += 2) {
        uint64_t digits = load_digits(text.data, run);
        uint64_t numbers = numbers_of(digits);
        uint32_t joined = join_pairs(numbers);
        memcpy(bytes + run * 2, &joined, sizeof joined);
        good = digits_of(numbers) == digits;
    }
    return good;
}

void uuid_write(const uint8_t bytes[UUID_BYTES], char text[UUID_LENGTH])
{
    for (int run = 0; run < RUNS; run += 2) {
        uint32_t joined;
        memcpy(&joined, bytes + run * 2, sizeof joined);
        uint64_t digits = digits_of(part_pairs(joined));
        memcpy(text + places[run], &digits, RUN_DIGITS);
        digits >>= 32;
        memcpy(text + places[run + 1], &digits, RUN_DIGITS);
    }
    for (size_t i = 0; i < sizeof dashes; i++)
        text[dashes[i]] = '-';
}
