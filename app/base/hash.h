/*
 * hash.h: SHA-256 for evidence, MD5 for the ids that the publisher derives
 * with MD5 (published-metrics.md §11 "Hash inputs"), both by mbedtls, and a
 * fast 64-bit hash for tables in memory.
 */
#ifndef ASSAY_BASE_HASH_H
#define ASSAY_BASE_HASH_H

#include "base/buf.h"

#include <stddef.h>
#include <stdint.h>

enum { SHA256_BYTES = 32, MD5_BYTES = 16, MD5_HEX_BYTES = 33 };

void hash_sha256(const void *bytes, size_t length, uint8_t out[SHA256_BYTES]);
/* Of the bytes of several runs as if they stood in one. */
void hash_sha256_parts(const struct text *parts, size_t count,
                       uint8_t out[SHA256_BYTES]);

/* HMAC-SHA256 (RFC 2104) of the parts under KEY. */
void hash_hmac_sha256(struct text key, const struct text *parts, size_t count,
                      uint8_t out[SHA256_BYTES]);

/* SHA-256 of bytes that never stand together in memory. Finishing or freeing
 * ends the stream; free accepts null. */
struct hash_stream;
struct hash_stream *hash_stream_new(void);
void hash_stream_add(struct hash_stream *stream, const void *bytes,
                     size_t length);
void hash_stream_finish(struct hash_stream *stream, uint8_t out[SHA256_BYTES]);
void hash_stream_free(struct hash_stream *stream);

/* Lower-case hex MD5 of the parts joined with '|', zero-terminated. */
void hash_md5_joined(const struct text *parts, size_t count,
                     char out[MD5_HEX_BYTES]);

/* Lower-case hex, zero-terminated; OUT holds 2 * LENGTH + 1 bytes. */
void hash_hex(const uint8_t *bytes, size_t length, char *out);

/* Not for foreign keys that must resist collisions by choice. */
uint64_t hash_fast(const void *bytes, size_t length);

#endif
