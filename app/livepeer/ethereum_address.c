/*
 * ethereum_address.c: Ethereum addresses as text, EIP-55.
 *
 * A letter of the forty hex digits is a capital where the digit of the same
 * place in the Keccak-256 of the lower-case digits is 8 or more.
 */
#include "livepeer/livepeer.h"

#include "base/hex.h"
#include "base/keccak.h"

#include <string.h>

enum { DIGITS = 2 * ETHEREUM_ADDRESS_BYTES };

void ethereum_address_text(const uint8_t address[ETHEREUM_ADDRESS_BYTES],
                           char text[ETHEREUM_ADDRESS_TEXT_BYTES])
{
    uint8_t digest[KECCAK_BYTES];
    ethereum_address_text_lower(address, text);
    keccak256(text + 2, DIGITS, digest);
    for (size_t i = 0; i < DIGITS; i++) {
        unsigned nibble = i % 2 ? digest[i / 2] & 15u : digest[i / 2] >> 4;
        if (text[i + 2] >= 'a' && nibble >= 8)
            text[i + 2] = (char)(text[i + 2] - 'a' + 'A');
    }
}

void ethereum_address_text_lower(const uint8_t address[ETHEREUM_ADDRESS_BYTES],
                                 char text[ETHEREUM_ADDRESS_TEXT_BYTES])
{
    memcpy(text, "0x", 2);
    hash_hex(address, ETHEREUM_ADDRESS_BYTES, text + 2);
}

static bool has_both_cases(struct text digits)
{
    bool lower = false;
    bool upper = false;
    for (size_t i = 0; i < digits.length; i++) {
        lower |= digits.data[i] >= 'a' && digits.data[i] <= 'f';
        upper |= digits.data[i] >= 'A' && digits.data[i] <= 'F';
    }
    return lower && upper;
}

bool ethereum_address_parse(struct text text,
                            uint8_t address[ETHEREUM_ADDRESS_BYTES])
{
    char checked[ETHEREUM_ADDRESS_TEXT_BYTES];
    if (text.length != DIGITS + 2 || memcmp(text.data, "0x", 2) != 0)
        return false;
    struct text digits = {text.data + 2, DIGITS};
    if (!hex_decode(digits, address, ETHEREUM_ADDRESS_BYTES))
        return false;
    ethereum_address_text(address, checked);
    return !has_both_cases(digits) || text_is(text, checked);
}

bool ethereum_address_is_zero(struct text address)
{
    for (size_t i = 0; i < address.length; i++)
        if (address.data[i])
            return false;
    return true;
}
