/*
 * fields_pack.h: many fields of a row in one run of bytes, for tables of which
 * thousands of rows are read at a time.
 *
 * An hour of scores has fifty figures, most of them small. As columns each
 * costs a call to be read, and its share of what SQLite notes of every row; a
 * run of bytes takes half the room and is read in a fifth of the time. What a
 * query asks by stays a column. Turned down: compressed hours, for the hours of
 * one orchestrator lie in as many places as it has hours.
 */
#ifndef ASSAY_BASE_FIELDS_PACK_H
#define ASSAY_BASE_FIELDS_PACK_H

#include "base/fields.h"

/* Appends the packed ones of FIELDS, but the derived ones. */
void fields_pack(struct buf *out, struct fields fields, const void *row);

/* Sets the packed ones of FIELDS in ROW, and of them the derived ones, for
 * which ROW has its columns already; texts point into BYTES. False where BYTES
 * are not what fields_pack made of the same fields: all of them are absent
 * then. */
bool fields_unpack(struct text bytes, struct fields fields, void *row);

#endif
