/*
 * base64.c: see base64.h.
 */
#include "base/base64.h"

#include <string.h>

static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuv"
                            "wxyz0123456789+/";
static const char url[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuv"
                          "wxyz0123456789-_";

static void encode(struct buf *out, struct text bytes, const char *alphabet,
                   bool padded)
{
    const unsigned char *at = (const unsigned char *)bytes.data;
    for (size_t i = 0; i < bytes.length; i += 3) {
        size_t left = bytes.length - i;
        unsigned group = (unsigned)at[i] << 16;
        if (left > 1)
            group |= (unsigned)at[i + 1] << 8;
        if (left > 2)
            group |= at[i + 2];
        size_t digits = left > 2 ? 4 : left + 1;
        for (size_t k = 0; k < 4; k++) {
            if (k < digits)
                buf_add_byte(out,
                             (uint8_t)alphabet[group >> (18 - 6 * k) & 63]);
            else if (padded)
                buf_add_byte(out, '=');
        }
    }
}

void base64_encode(struct buf *out, struct text bytes)
{
    encode(out, bytes, plain, true);
}

void base64url_encode(struct buf *out, struct text bytes)
{
    encode(out, bytes, url, false);
}

static int digit_of(const char *alphabet, char c)
{
    const char *at = c ? strchr(alphabet, c) : NULL;
    return at ? (int)(at - alphabet) : -1;
}

static bool decode(struct arena *arena, struct text text, const char *alphabet,
                   struct text *bytes)
{
    if (text.length % 4 == 1)
        return false;
    char *out = arena_alloc(arena, text.length + 1);
    size_t length = 0;
    unsigned group = 0;
    unsigned bits = 0;
    for (size_t i = 0; i < text.length; i++) {
        int digit = digit_of(alphabet, text.data[i]);
        if (digit < 0)
            return false;
        group = (group << 6 | (unsigned)digit) & 0xFFFF;
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            out[length++] = (char)(group >> bits & 0xFF);
        }
    }
    *bytes = (struct text){out, length};
    /* What is left over must be zero: one text for one sequence of bytes. */
    return (group & ((1U << bits) - 1)) == 0;
}

bool base64_decode(struct arena *arena, struct text text, struct text *bytes)
{
    if (text.length % 4)
        return false;
    for (int most = 2; most && text.length; most--) {
        if (text.data[text.length - 1] == '=')
            text.length--;
    }
    return decode(arena, text, plain, bytes);
}

bool base64url_decode(struct arena *arena, struct text text, struct text *bytes)
{
    return decode(arena, text, url, bytes);
}
