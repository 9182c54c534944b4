/*
 * shred.h: a block's raw bytes with lines taken apart, so that a general
 * compressor finds little left to do. Private to the store.
 *
 * Promises: shred_decode gives back exactly what shred_encode was given, and
 * refuses what it did not write without reading out of bounds. Turned down:
 * a dictionary for zstd, which saves nothing once a block holds hundreds of
 * lines, and a parser of JSON, which forgets how things were spelled.
 */
#ifndef ASSAY_STORE_SHRED_H
#define ASSAY_STORE_SHRED_H

#include "base/buf.h"

#include <stdbool.h>

/*
 * RAW, the content of a block (block.c), in two parts: PACK wants compressing,
 * NOISE (ids, digits of measured numbers) does not compress. Both are cleared
 * first. False where RAW is no content of a block; it is then kept as it is.
 */
bool shred_encode(struct text raw, struct buf *pack, struct buf *noise);

/* Appends the raw bytes to OUT; false where the parts are damaged or what they
 * hold is larger than MOST bytes. */
bool shred_decode(struct text pack, struct text noise, size_t most,
                  struct buf *out);

/* Whether shred_decode gives RAW of the parts; line by line, so that there is
 * no second copy of a block. */
bool shred_gives(struct text pack, struct text noise, struct text raw);

#endif
