/*
 * base64.h: RFC 4648, the plain alphabet with padding for bytes in JSON and
 * headers, the one for addresses without padding for cursors.
 *
 * Decoding is strict: one text for one sequence of bytes, so that what was
 * decoded and encoded again is the same text.
 */
#ifndef ASSAY_BASE_BASE64_H
#define ASSAY_BASE_BASE64_H

#include "base/arena.h"
#include "base/buf.h"

#include <stdbool.h>

void base64_encode(struct buf *out, struct text bytes);
void base64url_encode(struct buf *out, struct text bytes);

/* False where TEXT is anything but what base64_encode makes. */
bool base64_decode(struct arena *arena, struct text text, struct text *bytes);

/* False where TEXT is anything but what base64url_encode makes. */
bool base64url_decode(struct arena *arena, struct text text,
                      struct text *bytes);

#endif
