/*
 * expected_value.c: what reported tickets are worth on average.
 *
 * A reported probability is a decimal fraction in text. It is multiplied digit
 * by digit in whole numbers of 384 bits, so that the result is exact and cut to
 * whole wei once, as ticket_value_wei does with the network's own numbers.
 */
#include "livepeer/livepeer.h"

#include <string.h>

enum { LIMBS = 12, DIGITS_MAX = 60 };

/* A whole number, its least limb first. */
struct wide {
    uint32_t limbs[LIMBS];
};

/* The most that is ever asked of it is 10^61 * 2^127. */
static void multiply_add(struct wide *wide, uint32_t factor, uint32_t more)
{
    uint64_t carry = more;
    for (size_t i = 0; i < LIMBS; i++) {
        carry += (uint64_t)wide->limbs[i] * factor;
        wide->limbs[i] = (uint32_t)carry;
        carry >>= 32;
    }
}

static void add(struct wide *wide, const struct wide *more)
{
    uint64_t carry = 0;
    for (size_t i = 0; i < LIMBS; i++) {
        carry += (uint64_t)wide->limbs[i] + more->limbs[i];
        wide->limbs[i] = (uint32_t)carry;
        carry >>= 32;
    }
}

/* Divides by ten and gives what remains. */
static uint32_t divide_by_ten(struct wide *wide)
{
    uint64_t rest = 0;
    for (size_t i = LIMBS; i-- > 0;) {
        rest = rest << 32 | wide->limbs[i];
        wide->limbs[i] = (uint32_t)(rest / 10);
        rest %= 10;
    }
    return (uint32_t)rest;
}

static bool is_zero(const struct wide *wide)
{
    for (size_t i = 0; i < LIMBS; i++)
        if (wide->limbs[i])
            return false;
    return true;
}

static struct wide wide_product(uint64_t face_value_wei, uint64_t tickets)
{
    struct wide product = {0};
    struct wide high = {0};
    product.limbs[0] = (uint32_t)face_value_wei;
    product.limbs[1] = (uint32_t)(face_value_wei >> 32);
    high = product;
    multiply_add(&product, (uint32_t)tickets, 0);
    multiply_add(&high, (uint32_t)(tickets >> 32), 0);
    memmove(high.limbs + 1, high.limbs, (LIMBS - 1) * sizeof *high.limbs);
    high.limbs[0] = 0;
    add(&product, &high);
    return product;
}

/* WIDE times the fraction in TEXT, "0.001"; false where that is none from 0 to
 * 1 of at most DIGITS_MAX digits. *PLACES is how many stand behind the point.
 */
static bool multiply_fraction(struct wide *wide, struct text text,
                              size_t *places)
{
    const struct wide one = *wide;
    struct wide sum = {0};
    bool point = false;
    size_t digits = 0;
    bool above_one = false;
    *places = 0;
    for (size_t i = 0; i < text.length; i++) {
        char c = text.data[i];
        if (c == '.' && !point && digits) {
            point = true;
            continue;
        }
        if (c < '0' || c > '9' || ++digits > DIGITS_MAX)
            return false;
        /* 1 or 0 before the point, and behind a 1 only zeros. */
        if (!point && (digits > 1 || c > '1'))
            return false;
        above_one |= point && c != '0' && text.data[0] == '1';
        *places += point;
        multiply_add(&sum, 10, 0);
        struct wide part = one;
        multiply_add(&part, (uint32_t)(c - '0'), 0);
        add(&sum, &part);
    }
    *wide = sum;
    return digits > *places && (!point || *places) && !above_one;
}

static void write_digits(struct wide *wide, char text[EXPECTED_VALUE_BYTES])
{
    char reversed[EXPECTED_VALUE_BYTES];
    size_t length = 0;
    do
        reversed[length++] = (char)('0' + divide_by_ten(wide));
    while (!is_zero(wide));
    for (size_t i = 0; i < length; i++)
        text[i] = reversed[length - 1 - i];
    text[length] = 0;
}

bool expected_value_wei(uint64_t face_value_wei, int64_t tickets,
                        struct text win_prob, char text[EXPECTED_VALUE_BYTES])
{
    size_t places;
    if (tickets < 0)
        return false;
    struct wide value = wide_product(face_value_wei, (uint64_t)tickets);
    if (!multiply_fraction(&value, win_prob, &places))
        return false;
    for (; places > 0; places--)
        (void)divide_by_ten(&value);
    write_digits(&value, text);
    return true;
}
