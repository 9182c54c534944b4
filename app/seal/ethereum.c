/*
 * ethereum.c: signatures of Ethereum accounts by libsecp256k1, see seal.h.
 *
 * The library's nonces are those of RFC 6979 and its signatures have a low s,
 * both unasked. A context is made for each key and blinded with random bytes
 * against side channels.
 */
#include "seal/seal.h"

#include "base/arena.h"
#include "base/hex.h"
#include "base/keccak.h"
#include "base/random.h"

#include <secp256k1.h>
#include <secp256k1_recovery.h>
#include <stdlib.h>
#include <string.h>

enum { SECRET_BYTES = 32, PUBLIC_BYTES = 65, V_OFFSET = 27 };

struct ethereum_key {
    secp256k1_context *context;
    uint8_t secret[SECRET_BYTES];
    uint8_t address[ETHEREUM_ADDRESS_BYTES];
};

/* The last 20 bytes of the Keccak-256 of the uncompressed point without its
 * leading 04. */
static void address_of(const secp256k1_context *context,
                       const secp256k1_pubkey *public_key,
                       uint8_t address[ETHEREUM_ADDRESS_BYTES])
{
    uint8_t point[PUBLIC_BYTES];
    uint8_t digest[KECCAK_BYTES];
    size_t length = sizeof point;
    (void)secp256k1_ec_pubkey_serialize(context, point, &length, public_key,
                                        SECP256K1_EC_UNCOMPRESSED);
    keccak256(point + 1, PUBLIC_BYTES - 1, digest);
    memcpy(address, digest + KECCAK_BYTES - ETHEREUM_ADDRESS_BYTES,
           ETHEREUM_ADDRESS_BYTES);
}

static secp256k1_context *blinded_context(void)
{
    uint8_t seed[32];
    secp256k1_context *context =
        secp256k1_context_create(SECP256K1_CONTEXT_NONE);
    random_bytes(seed, sizeof seed);
    if (!secp256k1_context_randomize(context, seed))
        abort(); /* it fails for static contexts alone */
    explicit_bzero(seed, sizeof seed);
    return context;
}

static bool complete(struct ethereum_key *key)
{
    secp256k1_pubkey public_key;
    key->context = blinded_context();
    if (!secp256k1_ec_pubkey_create(key->context, &public_key, key->secret))
        return false;
    address_of(key->context, &public_key, key->address);
    return true;
}

enum err ethereum_key_parse(struct text text, struct ethereum_key **out)
{
    *out = NULL;
    while (text.length && strchr(" \t\r\n", text.data[text.length - 1]))
        text.length--;
    if (text.length >= 2 && !memcmp(text.data, "0x", 2))
        text = (struct text){text.data + 2, text.length - 2};
    struct ethereum_key *key = memory_zeroed(1, sizeof *key);
    if (!hex_decode(text, key->secret, SECRET_BYTES)) {
        ethereum_key_free(key);
        return err_set(ERR_CONFIG, "an Ethereum key is 64 hexadecimal digits, "
                                   "with or without 0x before them");
    }
    if (!complete(key)) {
        ethereum_key_free(key);
        return err_set(ERR_CONFIG, "this number is no key of Ethereum's "
                                   "curve: zero, or too large");
    }
    *out = key;
    return ERR_NONE;
}

void ethereum_key_free(struct ethereum_key *key)
{
    if (!key)
        return;
    if (key->context)
        secp256k1_context_destroy(key->context);
    explicit_bzero(key, sizeof *key);
    free(key);
}

const uint8_t *ethereum_key_address(const struct ethereum_key *key)
{
    return key->address;
}

void ethereum_digest(const uint8_t hash[KECCAK_BYTES],
                     uint8_t digest[KECCAK_BYTES])
{
    struct text parts[] = {text_of("\x19"
                                   "Ethereum Signed Message:\n32"),
                           {(const char *)hash, KECCAK_BYTES}};
    keccak256_parts(parts, 2, digest);
}

void ethereum_sign(const struct ethereum_key *key,
                   const uint8_t hash[KECCAK_BYTES],
                   uint8_t signature[ETHEREUM_SIGNATURE_BYTES])
{
    uint8_t digest[KECCAK_BYTES];
    secp256k1_ecdsa_recoverable_signature made;
    int recovery_id = 0;
    ethereum_digest(hash, digest);
    if (!secp256k1_ecdsa_sign_recoverable(key->context, &made, digest,
                                          key->secret, NULL, NULL))
        abort(); /* it fails for secrets that parsing has refused alone */
    (void)secp256k1_ecdsa_recoverable_signature_serialize_compact(
        key->context, signature, &recovery_id, &made);
    signature[ETHEREUM_SIGNATURE_BYTES - 1] = (uint8_t)(V_OFFSET + recovery_id);
}

/* The upper half of the group's order is refused, as the network does. */
static bool has_low_s(const uint8_t compact[64])
{
    secp256k1_ecdsa_signature signature;
    return secp256k1_ecdsa_signature_parse_compact(secp256k1_context_static,
                                                   &signature, compact) &&
           !secp256k1_ecdsa_signature_normalize(secp256k1_context_static, NULL,
                                                &signature);
}

bool ethereum_recover(const uint8_t hash[KECCAK_BYTES], struct text signature,
                      uint8_t address[ETHEREUM_ADDRESS_BYTES])
{
    uint8_t digest[KECCAK_BYTES];
    secp256k1_ecdsa_recoverable_signature parsed;
    secp256k1_pubkey public_key;
    const uint8_t *bytes = (const uint8_t *)signature.data;
    if (signature.length != ETHEREUM_SIGNATURE_BYTES)
        return false;
    int recovery_id = bytes[ETHEREUM_SIGNATURE_BYTES - 1] - V_OFFSET;
    if (recovery_id != 0 && recovery_id != 1)
        return false;
    ethereum_digest(hash, digest);
    if (!has_low_s(bytes) ||
        !secp256k1_ecdsa_recoverable_signature_parse_compact(
            secp256k1_context_static, &parsed, bytes, recovery_id) ||
        !secp256k1_ecdsa_recover(secp256k1_context_static, &public_key, &parsed,
                                 digest))
        return false;
    address_of(secp256k1_context_static, &public_key, address);
    return true;
}
