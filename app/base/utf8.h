/*
 * utf8.h: RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF.
 *
 * JSON and tables hold text. Bytes from outside become text here or nowhere.
 */
#ifndef ASSAY_BASE_UTF8_H
#define ASSAY_BASE_UTF8_H

#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>

bool text_is_utf8(struct text text);

/* At most the first MOST_BYTES of TEXT, without a character that is cut. */
struct text text_whole_characters(struct text text, size_t most_bytes);

/* Appends TEXT with U+FFFD for each byte that is no part of a character. */
void buf_add_repaired(struct buf *out, struct text text);

#endif
