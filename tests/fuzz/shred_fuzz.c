/*
 * shred_fuzz.c: any lines come back from shredding as they were, and any bytes
 * as a shredded block are refused or stay within bounds.
 */
#include "store/block.h"
#include "store/shred.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MOST_BYTES = 1 << 20 };

static struct text text_in(const struct buf *buf)
{
    return (struct text){buf->data, buf->length};
}

/* Every line of the input as a line of evidence; times grow by its length. */
static void fill(struct block *block, const char *bytes, size_t size)
{
    int64_t ms = 1767908945298;
    block_start(block, 1);
    while (size && block->lines < BLOCK_LINES) {
        const char *end = memchr(bytes, '\n', size);
        size_t length = end ? (size_t)(end - bytes) : size;
        ms += (int64_t)length;
        struct evidence_line line = {.arrival_ms = ms,
                                     .event_ms = ms,
                                     .length = length,
                                     .bytes = {bytes, length}};
        block_add(block, &line);
        length += end != NULL;
        bytes += length;
        size -= length;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct block block;
    static struct buf pack;
    static struct buf noise;
    static struct buf out;
    fill(&block, (const char *)data, size);
    struct text raw = text_in(&block.raw);
    buf_clear(&out);
    if (!shred_encode(raw, &pack, &noise) ||
        !shred_decode(text_in(&pack), text_in(&noise), raw.length, &out) ||
        !text_equal(text_in(&out), raw))
        abort();
    /* The same bytes as both parts of a block. */
    size_t half = size / 2;
    buf_clear(&out);
    (void)shred_decode((struct text){(const char *)data, half},
                       (struct text){(const char *)data + half, size - half},
                       MOST_BYTES, &out);
    if (out.length > MOST_BYTES)
        abort();
    return 0;
}
