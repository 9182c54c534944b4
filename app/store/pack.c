/*
 * pack.c: zstd for bodies and chunks.
 *
 * A body is shredded (shred.h) before it is compressed:
 *
 *     'S', the length of the noise as a varint, the noise, one zstd frame
 *
 * or one zstd frame alone, as all bodies were before shredding, and as those
 * are that would not come back byte for byte: every body is taken apart again
 * before its chunks are given up. Level 3: higher ones never paid for
 * telemetry. A chunk is what a single commit brought, often one line, so it is
 * compressed only where that is shorter. Columns of rows are packed once and
 * kept for years: for them level 6 pays, and a checksum, since no hash chain
 * goes over them. A frame says how large its content is, and nothing is
 * unpacked that claims to be larger than a block, or rows, can be.
 */
#include "base/arena.h"
#include "store/block.h"
#include "store/shred.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

enum { BODY_LEVEL = 3, CHUNK_LEVEL = 1, ROWS_LEVEL = 6 };
enum { BODY_SHREDDED = 'S' };
/* Of a body that is shredded, which takes four times as much memory: more have
 * only those with a line so long that it has no shape. */
enum { SHRED_MAX_BYTES = BLOCK_RAW_BYTES + (1 << 20) };
/* Scratch memory beyond it is given back. */
enum { SCRATCH_KEPT_BYTES = 256 << 10 };
enum { CHUNK_PLAIN = 0, CHUNK_ZSTD = 1, CHUNK_LEAST_BYTES = 256 };

struct packer {
    ZSTD_CCtx *pack; /* made on first use: readers need only the other */
    ZSTD_DCtx *unpack;
    struct buf parts; /* what is compressed of a shredded body */
    struct buf noise;
};

struct packer *packer_new(void)
{
    return memory_zeroed(1, sizeof(struct packer));
}

static void free_scratch(struct packer *packer, size_t kept_bytes)
{
    struct buf *scratch[] = {&packer->parts, &packer->noise};
    for (size_t i = 0; i < sizeof scratch / sizeof *scratch; i++)
        if (scratch[i]->capacity > kept_bytes)
            buf_free(scratch[i]);
}

void packer_give_back(struct packer *packer)
{
    ZSTD_freeCCtx(packer->pack);
    ZSTD_freeDCtx(packer->unpack);
    packer->pack = NULL;
    packer->unpack = NULL;
    free_scratch(packer, 0);
}

void packer_free(struct packer *packer)
{
    if (!packer)
        return;
    packer_give_back(packer);
    free(packer);
}

/* Contexts are lacking only where memory is. */
static void *must(void *context)
{
    if (!context) {
        fputs("assay: out of memory (zstd); acknowledged data is safe on "
              "disk\n",
              stderr);
        abort();
    }
    return context;
}

static void compress(struct packer *packer, int level, struct text raw,
                     struct buf *out)
{
    if (!packer->pack)
        packer->pack = must(ZSTD_createCCtx());
    size_t bound = ZSTD_compressBound(raw.length);
    buf_reserve(out, bound);
    size_t length = ZSTD_compressCCtx(packer->pack, out->data + out->length,
                                      bound, raw.data, raw.length, level);
    /* With room for the bound, only memory can be lacking. */
    must(ZSTD_isError(length) ? NULL : packer->pack);
    out->length += length;
}

static bool decompress_within(struct packer *packer, struct text frame,
                              size_t max_bytes, struct buf *out)
{
    unsigned long long size =
        ZSTD_getFrameContentSize(frame.data, frame.length);
    if (size > max_bytes) /* also: unknown, or no frame */
        return false;
    if (!packer->unpack)
        packer->unpack = must(ZSTD_createDCtx());
    buf_reserve(out, (size_t)size + 1);
    size_t length = ZSTD_decompressDCtx(packer->unpack, out->data + out->length,
                                        (size_t)size, frame.data, frame.length);
    if (ZSTD_isError(length) || length != size)
        return false;
    out->length += length;
    return true;
}

static bool decompress(struct packer *packer, struct text frame,
                       struct buf *out)
{
    return decompress_within(packer, frame, BLOCK_RAW_MAX_BYTES, out);
}

static struct text text_in(const struct buf *buf)
{
    return (struct text){buf->data, buf->length};
}

static void pack_shredded(struct packer *packer, struct buf *out)
{
    buf_add_byte(out, BODY_SHREDDED);
    buf_add_text(out, text_in(&packer->noise));
    compress(packer, BODY_LEVEL, text_in(&packer->parts), out);
}

void pack_body(struct packer *packer, struct text raw, struct buf *out)
{
    if (raw.length <= SHRED_MAX_BYTES &&
        shred_encode(raw, &packer->parts, &packer->noise) &&
        shred_gives(text_in(&packer->parts), text_in(&packer->noise), raw))
        pack_shredded(packer, out);
    else
        compress(packer, BODY_LEVEL, raw, out);
    free_scratch(packer, SCRATCH_KEPT_BYTES);
}

void pack_chunk(struct packer *packer, struct text raw, struct buf *out)
{
    size_t start = out->length;
    if (raw.length >= CHUNK_LEAST_BYTES) {
        buf_add_byte(out, CHUNK_ZSTD);
        compress(packer, CHUNK_LEVEL, raw, out);
        if (out->length - start <= raw.length)
            return;
        out->length = start;
    }
    buf_add_byte(out, CHUNK_PLAIN);
    buf_add(out, raw.data, raw.length);
}

static bool unpack_shredded(struct packer *packer, struct text body,
                            struct buf *out)
{
    struct reader reader = reader_over(body.data, body.length);
    read_byte(&reader);
    struct text noise = read_text(&reader);
    struct text frame = {(const char *)reader.at,
                         (size_t)(reader.end - reader.at)};
    buf_clear(&packer->parts);
    bool whole =
        !reader.failed && decompress(packer, frame, &packer->parts) &&
        shred_decode(text_in(&packer->parts), noise, BLOCK_RAW_MAX_BYTES, out);
    free_scratch(packer, SCRATCH_KEPT_BYTES);
    return whole;
}

bool unpack_body(struct packer *packer, struct text body, struct buf *out)
{
    return body.length && body.data[0] == BODY_SHREDDED
               ? unpack_shredded(packer, body, out)
               : decompress(packer, body, out);
}

bool unpack_chunk(struct packer *packer, struct text chunk, struct buf *out)
{
    if (!chunk.length)
        return false;
    struct text rest = {chunk.data + 1, chunk.length - 1};
    if (chunk.data[0] == CHUNK_ZSTD)
        return decompress(packer, rest, out);
    if (chunk.data[0] != CHUNK_PLAIN)
        return false;
    buf_add(out, rest.data, rest.length);
    return true;
}

void pack_rows(struct packer *packer, struct text raw, struct buf *out)
{
    if (!packer->pack)
        packer->pack = must(ZSTD_createCCtx());
    ZSTD_CCtx *context = packer->pack;
    size_t bound = ZSTD_compressBound(raw.length) + 4;
    buf_reserve(out, bound);
    ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, ROWS_LEVEL);
    ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
    size_t length = ZSTD_compress2(context, out->data + out->length, bound,
                                   raw.data, raw.length);
    must(ZSTD_isError(length) ? NULL : context);
    out->length += length;
}

bool unpack_rows(struct packer *packer, struct text stored, size_t max_bytes,
                 struct buf *out)
{
    return decompress_within(packer, stored, max_bytes, out);
}
