/*
 * keccak.c: the sponge of 1600 bits with a rate of 1088, see keccak.h.
 *
 * The state is 5 x 5 words of 64 bits, word (x, y) at x + 5 y. Five steps a
 * round, 24 rounds; round constants, rotations and the way of words through
 * the plane are those of the reference, section 1.2.
 */
#include "base/keccak.h"

#include <string.h>

enum { WORDS = 25, ROUNDS = 24, RATE_BYTES = 136 };

struct sponge {
    uint64_t words[WORDS];
    uint8_t block[RATE_BYTES]; /* taken, not yet absorbed */
    size_t filled;
};

static const uint64_t round_constants[ROUNDS] = {
    0x0000000000000001u, 0x0000000000008082u, 0x800000000000808au,
    0x8000000080008000u, 0x000000000000808bu, 0x0000000080000001u,
    0x8000000080008081u, 0x8000000000008009u, 0x000000000000008au,
    0x0000000000000088u, 0x0000000080008009u, 0x000000008000000au,
    0x000000008000808bu, 0x800000000000008bu, 0x8000000000008089u,
    0x8000000000008003u, 0x8000000000008002u, 0x8000000000000080u,
    0x000000000000800au, 0x800000008000000au, 0x8000000080008081u,
    0x8000000000008080u, 0x0000000080000001u, 0x8000000080008008u};

/* Steps rho and pi in one walk that starts at word 1: where the word goes
 * next, and how far it is rotated on its way. */
static const uint8_t next_word[WORDS - 1] = {10, 7,  11, 17, 18, 3,  5,  16,
                                             8,  21, 24, 4,  15, 23, 19, 13,
                                             12, 2,  20, 14, 22, 9,  6,  1};
static const uint8_t rotations[WORDS - 1] = {1,  3,  6,  10, 15, 21, 28, 36,
                                             45, 55, 2,  14, 27, 41, 56, 8,
                                             25, 43, 62, 18, 39, 61, 20, 44};

static uint64_t rotated(uint64_t word, unsigned bits)
{
    return word << bits | word >> (64 - bits);
}

static void theta(uint64_t *words)
{
    uint64_t columns[5];
    for (size_t x = 0; x < 5; x++)
        columns[x] = words[x] ^ words[x + 5] ^ words[x + 10] ^ words[x + 15] ^
                     words[x + 20];
    for (size_t x = 0; x < 5; x++) {
        uint64_t mixed =
            columns[(x + 4) % 5] ^ rotated(columns[(x + 1) % 5], 1);
        for (size_t y = 0; y < WORDS; y += 5)
            words[x + y] ^= mixed;
    }
}

static void rho_and_pi(uint64_t *words)
{
    uint64_t carried = words[1];
    for (size_t i = 0; i < WORDS - 1; i++) {
        uint64_t displaced = words[next_word[i]];
        words[next_word[i]] = rotated(carried, rotations[i]);
        carried = displaced;
    }
}

static void chi(uint64_t *words)
{
    for (size_t y = 0; y < WORDS; y += 5) {
        uint64_t row[5];
        memcpy(row, words + y, sizeof row);
        for (size_t x = 0; x < 5; x++)
            words[y + x] = row[x] ^ (~row[(x + 1) % 5] & row[(x + 2) % 5]);
    }
}

static void absorb_block(struct sponge *sponge)
{
    for (size_t i = 0; i < RATE_BYTES; i++)
        sponge->words[i / 8] ^= (uint64_t)sponge->block[i] << (8 * (i % 8));
    for (size_t round = 0; round < ROUNDS; round++) {
        theta(sponge->words);
        rho_and_pi(sponge->words);
        chi(sponge->words);
        sponge->words[0] ^= round_constants[round];
    }
    sponge->filled = 0;
}

static void absorb(struct sponge *sponge, struct text bytes)
{
    while (bytes.length) {
        size_t room = RATE_BYTES - sponge->filled;
        size_t step = bytes.length < room ? bytes.length : room;
        memcpy(sponge->block + sponge->filled, bytes.data, step);
        sponge->filled += step;
        bytes.data += step;
        bytes.length -= step;
        if (sponge->filled == RATE_BYTES)
            absorb_block(sponge);
    }
}

void keccak256_parts(const struct text *parts, size_t count,
                     uint8_t out[KECCAK_BYTES])
{
    struct sponge sponge = {0};
    for (size_t i = 0; i < count; i++)
        absorb(&sponge, parts[i]);
    memset(sponge.block + sponge.filled, 0, RATE_BYTES - sponge.filled);
    sponge.block[sponge.filled] ^= 0x01;
    sponge.block[RATE_BYTES - 1] ^= 0x80;
    absorb_block(&sponge);
    for (size_t i = 0; i < KECCAK_BYTES; i++)
        out[i] = (uint8_t)(sponge.words[i / 8] >> (8 * (i % 8)));
}

void keccak256(const void *bytes, size_t length, uint8_t out[KECCAK_BYTES])
{
    struct text whole = {bytes, length};
    keccak256_parts(&whole, 1, out);
}
