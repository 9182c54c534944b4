/*
 * identity.c: see identity.h. Here meet the network's messages and the seal's
 * signatures, which know nothing of one another.
 */
#include "probe/identity.h"

#include "base/hex.h"

#include <string.h>

static void address_hash(const uint8_t address[ETHEREUM_ADDRESS_BYTES],
                         uint8_t hash[KECCAK_BYTES])
{
    char text[ETHEREUM_ADDRESS_TEXT_BYTES];
    ethereum_address_text(address, text);
    keccak256(text, strlen(text), hash);
}

void identity_of_key(const struct ethereum_key *key, struct identity *identity)
{
    uint8_t hash[KECCAK_BYTES];
    identity->known = true;
    memcpy(identity->address, ethereum_key_address(key),
           ETHEREUM_ADDRESS_BYTES);
    address_hash(identity->address, hash);
    ethereum_sign(key, hash, identity->signature);
}

static bool read_signature(struct text text,
                           uint8_t signature[ETHEREUM_SIGNATURE_BYTES])
{
    if (text.length >= 2 && !memcmp(text.data, "0x", 2))
        text = (struct text){text.data + 2, text.length - 2};
    return hex_decode(text, signature, ETHEREUM_SIGNATURE_BYTES);
}

enum err identity_of_signer(struct arena *arena, struct text body,
                            struct identity *identity)
{
    uint8_t hash[KECCAK_BYTES];
    uint8_t recovered[ETHEREUM_ADDRESS_BYTES];
    struct yyjson_val *root = json_parse(arena, body.data, body.length);
    struct text address = json_to_text(arena, json_get(root, "address"));
    struct text signature = json_to_text(arena, json_get(root, "signature"));
    identity->known = false;
    if (!ethereum_address_parse(address, identity->address) ||
        !read_signature(signature, identity->signature))
        return err_set(ERR_INPUT, "the signer gave no address and signature");
    address_hash(identity->address, hash);
    struct text bytes = {(const char *)identity->signature,
                         ETHEREUM_SIGNATURE_BYTES};
    if (!ethereum_recover(hash, bytes, recovered) ||
        memcmp(recovered, identity->address, sizeof recovered) != 0)
        return err_set(ERR_INPUT,
                       "the signer's signature is not of its address");
    identity->known = true;
    return ERR_NONE;
}

void segment_sign(struct arena *arena, const struct ethereum_key *key,
                  struct segment_data *segment)
{
    uint8_t hash[KECCAK_BYTES];
    uint8_t *signature = arena_alloc(arena, ETHEREUM_SIGNATURE_BYTES);
    segment_hash(segment, hash);
    ethereum_sign(key, hash, signature);
    segment->sig =
        (struct text){(const char *)signature, ETHEREUM_SIGNATURE_BYTES};
}
