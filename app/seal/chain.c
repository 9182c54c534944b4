/*
 * chain.c: the three hash rules of seal.h.
 */
#include "seal/seal.h"

#include <string.h>

static struct text digest_text(const uint8_t digest[SHA256_BYTES])
{
    return (struct text){(const char *)digest, SHA256_BYTES};
}

void seal_chain_start(struct text source, struct text org, struct text class,
                      uint8_t chain[SHA256_BYTES])
{
    /* The string's own zero byte is the separator after it. */
    static const char label[] = "assay evidence chain";
    struct text separator = {"", 1};
    struct text parts[] = {
        {label, sizeof label}, source, separator, org, separator, class};
    hash_sha256_parts(parts, sizeof parts / sizeof parts[0], chain);
}

void seal_chain_add(uint8_t chain[SHA256_BYTES],
                    const uint8_t block_hash[SHA256_BYTES])
{
    struct text parts[] = {digest_text(chain), digest_text(block_hash)};
    hash_sha256_parts(parts, 2, chain);
}

void seal_open_start(uint8_t hash[SHA256_BYTES])
{
    memset(hash, 0, SHA256_BYTES);
}

void seal_open_add(uint8_t hash[SHA256_BYTES], struct text chunk)
{
    struct text parts[] = {digest_text(hash), chunk};
    hash_sha256_parts(parts, 2, hash);
}
