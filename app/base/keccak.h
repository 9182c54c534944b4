/*
 * keccak.h: Keccak-256 as Ethereum uses it: the original padding (01), not
 * the one that became SHA3-256 (06). Ours, as mbedtls has only the latter.
 *
 * Source: https://keccak.team/files/Keccak-reference-3.0.pdf
 */
#ifndef ASSAY_BASE_KECCAK_H
#define ASSAY_BASE_KECCAK_H

#include "base/buf.h"

#include <stddef.h>
#include <stdint.h>

enum { KECCAK_BYTES = 32 };

/* What Ethereum makes with it: an address is the end of a public key's hash, a
 * signature is r || s || v. */
enum { ETHEREUM_ADDRESS_BYTES = 20, ETHEREUM_SIGNATURE_BYTES = 65 };

void keccak256(const void *bytes, size_t length, uint8_t out[KECCAK_BYTES]);
/* Of the bytes of several runs as if they stood in one. */
void keccak256_parts(const struct text *parts, size_t count,
                     uint8_t out[KECCAK_BYTES]);

#endif
