/*
 * seal.h: how bytes are tied down so that nobody can change them unnoticed.
 *
 * Pure functions over bytes: no clock, no file, no state of their own. Every
 * rule here is one SHA-256 over a concatenation, so that a stranger can repeat
 * it with a shell and sha256sum.
 *
 *     chain start of a feed   SHA256("assay evidence chain" NUL source NUL
 *                                    org NUL class)
 *     chain after a block     SHA256(chain before || SHA256(block's bytes))
 *     hash of an open block   SHA256(hash before || chunk's bytes), beginning
 *                             with 32 zero bytes
 *
 * The start depends on the names, so that the blocks of one feed can never be
 * passed off as those of another.
 */
#ifndef ASSAY_SEAL_SEAL_H
#define ASSAY_SEAL_SEAL_H

#include "base/buf.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/keccak.h"

#include <stdbool.h>
#include <stdint.h>

/* The chain of a feed that has no sealed block yet. */
void seal_chain_start(struct text source, struct text org, struct text class,
                      uint8_t chain[SHA256_BYTES]);

/* Moves CHAIN on by one sealed block, given the hash of its stored bytes. */
void seal_chain_add(uint8_t chain[SHA256_BYTES],
                    const uint8_t block_hash[SHA256_BYTES]);

/* Zeroes HASH; then one call a chunk, in the order they were stored. */
void seal_open_start(uint8_t hash[SHA256_BYTES]);
void seal_open_add(uint8_t hash[SHA256_BYTES], struct text chunk);

/* ---- signatures of Ethereum accounts ------------------------------------- */

/*
 * What is signed is always a hash of 32 bytes, put into the text of EIP-191:
 *
 *     digest = keccak256("\x19Ethereum Signed Message:\n32" || hash)
 *
 * Most messages are hashed with Keccak-256 first; a ticket's hash is signed as
 * it is. Signatures are r || s || v with a low s and v 27 or 28.
 */
/* A private key. It is never shown and is wiped when freed. */
struct ethereum_key;

/* 64 hexadecimal digits, 0x before and white space after them allowed.
 * ERR_CONFIG says what is wrong without saying the text. */
MUST_USE enum err ethereum_key_parse(struct text text,
                                     struct ethereum_key **key);
void ethereum_key_free(struct ethereum_key *key);
/* ETHEREUM_ADDRESS_BYTES, of the key. */
const uint8_t *ethereum_key_address(const struct ethereum_key *key);

void ethereum_digest(const uint8_t hash[KECCAK_BYTES],
                     uint8_t digest[KECCAK_BYTES]);
/* Always the same signature for the same key and hash (RFC 6979). */
void ethereum_sign(const struct ethereum_key *key,
                   const uint8_t hash[KECCAK_BYTES],
                   uint8_t signature[ETHEREUM_SIGNATURE_BYTES]);
/* Who signed; false where SIGNATURE is malformed, has a high s, or belongs to
 * nobody. */
bool ethereum_recover(const uint8_t hash[KECCAK_BYTES], struct text signature,
                      uint8_t address[ETHEREUM_ADDRESS_BYTES]);

#endif
