/*
 * row_diff.h: a row as what it differs in from another one. Private to this
 * room.
 */
#ifndef ASSAY_ROLLUP_ROW_DIFF_H
#define ASSAY_ROLLUP_ROW_DIFF_H

#include "base/buf.h"
#include "base/fields.h"

/* Appends the fields of ROW that are not those of BASE; nothing where all are
 * equal. */
void row_diff_encode(struct buf *out, struct fields fields, const void *base,
                     const void *row);

/* Sets the fields that BYTES tell in ROW, which starts as a copy of the base;
 * texts point into BYTES. False where BYTES are not what row_diff_encode wrote.
 */
bool row_diff_decode(struct text bytes, struct fields fields, void *row);

#endif
