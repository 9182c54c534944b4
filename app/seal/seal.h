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
#include "base/hash.h"

/* The chain of a feed that has no sealed block yet. */
void seal_chain_start(struct text source, struct text org, struct text class,
                      uint8_t chain[SHA256_BYTES]);

/* Moves CHAIN on by one sealed block, given the hash of its stored bytes. */
void seal_chain_add(uint8_t chain[SHA256_BYTES],
                    const uint8_t block_hash[SHA256_BYTES]);

/* Zeroes HASH; then one call a chunk, in the order they were stored. */
void seal_open_start(uint8_t hash[SHA256_BYTES]);
void seal_open_add(uint8_t hash[SHA256_BYTES], struct text chunk);

#endif
