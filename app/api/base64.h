/*
 * base64.h: RFC 4648, the plain alphabet with padding for bytes in answers,
 * the one for addresses without padding for cursors.
 */
#ifndef ASSAY_API_BASE64_H
#define ASSAY_API_BASE64_H

#include "base/arena.h"
#include "base/buf.h"

#include <stdbool.h>

void base64_encode(struct buf *out, struct text bytes);
void base64url_encode(struct buf *out, struct text bytes);

/* False where TEXT is anything but what base64url_encode makes. */
bool base64url_decode(struct arena *arena, struct text text,
                      struct text *bytes);

#endif
