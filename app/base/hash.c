/*
 * hash.c: mbedtls digests behind hash.h. They cannot fail with the software
 * implementations that we build, so their return codes are not passed on.
 */
#include "base/hash.h"

#include "base/arena.h"

#include <mbedtls/md5.h>
#include <mbedtls/sha256.h>
#include <stdlib.h>
#include <string.h>

void hash_sha256(const void *bytes, size_t length, uint8_t out[SHA256_BYTES])
{
    struct text whole = {bytes, length};
    hash_sha256_parts(&whole, 1, out);
}

void hash_sha256_parts(const struct text *parts, size_t count,
                       uint8_t out[SHA256_BYTES])
{
    mbedtls_sha256_context context;
    mbedtls_sha256_init(&context);
    (void)mbedtls_sha256_starts(&context, 0);
    for (size_t i = 0; i < count; i++)
        (void)mbedtls_sha256_update(
            &context, (const unsigned char *)parts[i].data, parts[i].length);
    (void)mbedtls_sha256_finish(&context, out);
    mbedtls_sha256_free(&context);
}

enum { HMAC_BLOCK_BYTES = 64 };

void hash_hmac_sha256(struct text key, const struct text *parts, size_t count,
                      uint8_t out[SHA256_BYTES])
{
    mbedtls_sha256_context context;
    uint8_t hashed[SHA256_BYTES];
    uint8_t inner[HMAC_BLOCK_BYTES];
    uint8_t outer[HMAC_BLOCK_BYTES];
    if (key.length > HMAC_BLOCK_BYTES) {
        hash_sha256(key.data, key.length, hashed);
        key = (struct text){(const char *)hashed, sizeof hashed};
    }
    for (size_t i = 0; i < HMAC_BLOCK_BYTES; i++) {
        uint8_t byte = i < key.length ? (uint8_t)key.data[i] : 0;
        inner[i] = byte ^ 0x36;
        outer[i] = byte ^ 0x5c;
    }
    mbedtls_sha256_init(&context);
    (void)mbedtls_sha256_starts(&context, 0);
    (void)mbedtls_sha256_update(&context, inner, sizeof inner);
    for (size_t i = 0; i < count; i++)
        (void)mbedtls_sha256_update(
            &context, (const unsigned char *)parts[i].data, parts[i].length);
    (void)mbedtls_sha256_finish(&context, out);
    (void)mbedtls_sha256_starts(&context, 0);
    (void)mbedtls_sha256_update(&context, outer, sizeof outer);
    (void)mbedtls_sha256_update(&context, out, SHA256_BYTES);
    (void)mbedtls_sha256_finish(&context, out);
    mbedtls_sha256_free(&context);
}

struct hash_stream {
    mbedtls_sha256_context context;
};

struct hash_stream *hash_stream_new(void)
{
    struct hash_stream *stream = memory_zeroed(1, sizeof *stream);
    mbedtls_sha256_init(&stream->context);
    (void)mbedtls_sha256_starts(&stream->context, 0);
    return stream;
}

void hash_stream_add(struct hash_stream *stream, const void *bytes,
                     size_t length)
{
    (void)mbedtls_sha256_update(&stream->context, bytes, length);
}

void hash_stream_free(struct hash_stream *stream)
{
    if (!stream)
        return;
    mbedtls_sha256_free(&stream->context);
    free(stream);
}

void hash_stream_finish(struct hash_stream *stream, uint8_t out[SHA256_BYTES])
{
    (void)mbedtls_sha256_finish(&stream->context, out);
    hash_stream_free(stream);
}

void hash_md5_joined(const struct text *parts, size_t count,
                     char out[MD5_HEX_BYTES])
{
    uint8_t digest[MD5_BYTES];
    mbedtls_md5_context context;
    mbedtls_md5_init(&context);
    (void)mbedtls_md5_starts(&context);
    for (size_t i = 0; i < count; i++) {
        if (i)
            (void)mbedtls_md5_update(&context, (const unsigned char *)"|", 1);
        (void)mbedtls_md5_update(&context, (const unsigned char *)parts[i].data,
                                 parts[i].length);
    }
    (void)mbedtls_md5_finish(&context, digest);
    mbedtls_md5_free(&context);
    hash_hex(digest, sizeof digest, out);
}

void hash_hex(const uint8_t *bytes, size_t length, char *out)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < length; i++) {
        out[2 * i] = digits[bytes[i] >> 4];
        out[2 * i + 1] = digits[bytes[i] & 15];
    }
    out[2 * length] = '\0';
}

enum { LANES = 4, WORD_BYTES = 8, LANES_FROM_BYTES = 64 };

static uint64_t fold(uint64_t hash, const uint8_t *at, size_t length)
{
    uint64_t word = 0;
    memcpy(&word, at, length);
    hash = (hash ^ word) * 0xbf58476d1ce4e5b9u;
    return hash ^ (hash >> 29);
}

/* What does not wait for what comes before it is done at once; *AT and *LENGTH
 * become the rest. */
static uint64_t fold_lanes(uint64_t hash, const uint8_t **at, size_t *length)
{
    uint64_t lanes[LANES] = {hash, hash + 1, hash + 2, hash + 3};
    for (; *length >= sizeof lanes; *length -= sizeof lanes) {
        for (int i = 0; i < LANES; i++)
            lanes[i] = fold(lanes[i], *at + i * WORD_BYTES, WORD_BYTES);
        *at += sizeof lanes;
    }
    for (int i = 0; i < LANES; i++)
        hash = fold(hash, (const uint8_t *)&lanes[i], WORD_BYTES);
    return hash;
}

/* Multiply and fold eight bytes at a time, long runs in several lanes, then
 * finish with the mixer of SplitMix64 (Steele, Lea, Flood 2014). */
uint64_t hash_fast(const void *bytes, size_t length)
{
    const uint8_t *at = bytes;
    uint64_t hash = 0x9e3779b97f4a7c15u ^ length;
    if (length >= LANES_FROM_BYTES)
        hash = fold_lanes(hash, &at, &length);
    for (; length >= WORD_BYTES; length -= WORD_BYTES, at += WORD_BYTES)
        hash = fold(hash, at, WORD_BYTES);
    if (length)
        hash = fold(hash, at, length);
    hash = (hash ^ (hash >> 30)) * 0xbf58476d1ce4e5b9u;
    hash = (hash ^ (hash >> 27)) * 0x94d049bb133111ebu;
    return hash ^ (hash >> 31);
}
