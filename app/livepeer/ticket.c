/*
 * ticket.c: what a ticket's signature is over, and what a ticket is worth
 * (go-livepeer pm/ticket.go; livepeer-protocols.md §8).
 */
#include "livepeer/livepeer.h"

#include "base/keccak.h"

#include <string.h>

enum { WORD_BYTES = 32, LIMBS = 8 };

/* ---- words --------------------------------------------------------------- */

/* Big-endian bytes right-aligned in a word; of longer ones the last 32. */
static void word_of(struct text bytes, uint8_t word[WORD_BYTES])
{
    memset(word, 0, WORD_BYTES);
    if (bytes.length > WORD_BYTES) {
        bytes.data += bytes.length - WORD_BYTES;
        bytes.length = WORD_BYTES;
    }
    if (bytes.length)
        memcpy(word + WORD_BYTES - bytes.length, bytes.data, bytes.length);
}

static void word_of_number(uint64_t number, uint8_t word[WORD_BYTES])
{
    memset(word, 0, WORD_BYTES);
    for (size_t i = 0; i < 8; i++)
        word[WORD_BYTES - 1 - i] = (uint8_t)(number >> (8 * i));
}

static struct text word_text(const uint8_t *word)
{
    return (struct text){(const char *)word, WORD_BYTES};
}

/* The last 20 bytes of a word: addresses stand without padding. */
static struct text address_part(const uint8_t *word)
{
    return (struct text){(const char *)word + WORD_BYTES -
                             ETHEREUM_ADDRESS_BYTES,
                         ETHEREUM_ADDRESS_BYTES};
}

/* ---- the hash ------------------------------------------------------------ */

void ticket_hash(const struct ticket_params *params,
                 const struct ticket_expiration *expiration, struct text sender,
                 uint32_t sender_nonce, uint8_t hash[KECCAK_BYTES])
{
    uint8_t words[8][WORD_BYTES];
    word_of(params->recipient, words[0]);
    word_of(sender, words[1]);
    word_of(params->face_value, words[2]);
    word_of(params->win_prob, words[3]);
    word_of_number(sender_nonce, words[4]);
    word_of(params->recipient_rand_hash, words[5]);
    struct text parts[8] = {address_part(words[0]), address_part(words[1])};
    for (size_t i = 2; i < 6; i++)
        parts[i] = word_text(words[i]);
    size_t count = 6;
    if (expiration &&
        (expiration->creation_round ||
         !ethereum_address_is_zero(expiration->creation_round_block_hash))) {
        word_of_number((uint64_t)expiration->creation_round, words[6]);
        word_of(expiration->creation_round_block_hash, words[7]);
        parts[6] = word_text(words[6]);
        parts[7] = word_text(words[7]);
        count = 8;
    }
    keccak256_parts(parts, count, hash);
}

void segment_hash(const struct segment_data *segment,
                  uint8_t hash[KECCAK_BYTES])
{
    uint8_t seq[WORD_BYTES];
    uint8_t body[WORD_BYTES];
    word_of_number((uint64_t)segment->seq, seq);
    word_of(segment->hash, body);
    struct text parts[] = {segment->manifest_id, word_text(seq),
                           word_text(body)};
    keccak256_parts(parts, 3, hash);
}

/* ---- the value ----------------------------------------------------------- */

/* Numbers of 256 bits as eight words of 32, the least significant first. */
static void limbs_of(struct text bytes, uint32_t limbs[LIMBS])
{
    uint8_t word[WORD_BYTES];
    word_of(bytes, word);
    for (size_t i = 0; i < LIMBS; i++) {
        const uint8_t *at = word + WORD_BYTES - 4 * (i + 1);
        limbs[i] = (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 |
                   (uint32_t)at[2] << 8 | at[3];
    }
}

static void multiply(const uint32_t a[LIMBS], const uint32_t b[LIMBS],
                     uint32_t product[2 * LIMBS])
{
    memset(product, 0, 2 * LIMBS * sizeof *product);
    for (size_t i = 0; i < LIMBS; i++) {
        uint64_t carry = 0;
        for (size_t k = 0; k < LIMBS; k++) {
            carry += (uint64_t)a[i] * b[k] + product[i + k];
            product[i + k] = (uint32_t)carry;
            carry >>= 32;
        }
        product[i + LIMBS] = (uint32_t)carry;
    }
}

/* Whether high + low reaches 2^256 - 1, once or at all. */
static bool sum_reaches_all_ones(const uint32_t *low, const uint32_t *high)
{
    bool all_ones = true;
    uint64_t carry = 0;
    for (size_t i = 0; i < LIMBS; i++) {
        carry += (uint64_t)low[i] + high[i];
        all_ones = all_ones && (uint32_t)carry == UINT32_MAX;
        carry >>= 32;
    }
    return carry || all_ones;
}

/*
 * face value * win probability / (2^256 - 1). With the product high * 2^256 +
 * low = high * (2^256 - 1) + (high + low), the quotient is high, and one more
 * where high + low holds the divisor once; it cannot hold it twice unless both
 * factors are 2^256 - 1.
 */
int64_t ticket_value_wei(struct text face_value, struct text win_prob)
{
    uint32_t a[LIMBS];
    uint32_t b[LIMBS];
    uint32_t product[2 * LIMBS];
    limbs_of(face_value, a);
    limbs_of(win_prob, b);
    multiply(a, b, product);
    const uint32_t *high = product + LIMBS;
    for (size_t i = 2; i < LIMBS; i++)
        if (high[i])
            return INT64_MAX;
    uint64_t value = (uint64_t)high[1] << 32 | high[0];
    if (value >= INT64_MAX)
        return INT64_MAX;
    return (int64_t)value + sum_reaches_all_ones(product, high);
}

int64_t payment_value_wei(const struct payment *payment)
{
    if (!payment->ticket_params || !payment->ticket_count)
        return 0;
    int64_t one = ticket_value_wei(payment->ticket_params->face_value,
                                   payment->ticket_params->win_prob);
    int64_t all;
    if (payment->ticket_count > INT32_MAX ||
        __builtin_mul_overflow(one, (int64_t)payment->ticket_count, &all))
        return INT64_MAX;
    return all;
}

/* ---- prices -------------------------------------------------------------- */

int64_t price_of_pixels_wei(const struct price_info *price, int64_t pixels)
{
    __int128 cost = (__int128)price->price_per_unit * pixels;
    if (price->pixels_per_unit <= 0 || price->price_per_unit < 0)
        return ABSENT_INT;
    cost = (cost + price->pixels_per_unit - 1) / price->pixels_per_unit;
    return cost > INT64_MAX ? INT64_MAX : (int64_t)cost;
}
