/*
 * shape.h: a line of telemetry as its shape and its values. Private to the
 * store; shred.c builds on it.
 *
 * Lines of one kind of event differ in their values only. The shape of a line
 * is the line with every value cut out and a byte left in its place that says
 * of which kind the value is; a value belongs to a column, which is named by
 * the key before it. The cut is by spelling alone: what looks like JSON is cut
 * well, and anything else is still put together again byte for byte.
 */
#ifndef ASSAY_STORE_SHAPE_H
#define ASSAY_STORE_SHAPE_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/index.h"
#include "base/uuid.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Their values are the marks in a shape: control characters, which no line
 * that is cut contains. */
enum value_kind {
    VALUE_INTEGER = 1, /* -?digits as C prints them, at most 18 */
    VALUE_DECIMAL = 2, /* the same with a point; at most 18 digits in all */
    VALUE_UUID = 3,    /* 8-4-4-4-12 lower-case hexadecimal digits */
    VALUE_TEXT = 4     /* anything else */
};

enum {
    SHAPE_VALUES_MAX = 4096,
    SHAPE_COLUMNS_MAX = 1024,
    SHAPE_DIGITS_MAX = 18
};

struct value {
    enum value_kind kind;
    bool quoted;
    unsigned decimals; /* VALUE_DECIMAL: digits after the point */
    int64_t number;    /* VALUE_INTEGER, and the digits of VALUE_DECIMAL */
    struct text text;  /* in the line, without quotes */
    uint8_t uuid[UUID_BYTES]; /* VALUE_UUID */
};

/*
 * Appends the shape of LINE to SHAPE and fills up to SHAPE_VALUES_MAX VALUES.
 * False where the line cannot be cut: it has control characters, an open
 * string or too many values.
 */
bool shape_cut(struct text line, struct buf *shape, struct value *values,
               size_t *count);

/* Appends the value as it stood in the line, without quotes. */
void value_write(struct buf *out, enum value_kind kind, int64_t number,
                 unsigned decimals);

struct shape_slot {
    struct text before; /* what stands between the value before and this */
    enum value_kind kind;
    bool quoted;     /* only where shape_remember has told */
    uint32_t column; /* below SHAPE_COLUMNS_MAX */
};

struct shape {
    struct shape_slot *slots;
    size_t slot_count;
    struct text rest; /* after the last value */
    /* The value that tells whose line this is, so that numbers can be
     * foreseen from that session's last; SHAPE_NO_CONTEXT for none. */
    size_t context;
};

#define SHAPE_NO_CONTEXT SIZE_MAX

/*
 * Takes the shape TEXT apart. Columns are numbered in COLUMNS by first sight;
 * the same shapes in the same order give the same numbers. Slots lie in ARENA,
 * texts are borrowed.
 */
void shape_parse(struct arena *arena, struct text_index *columns,
                 struct text text, struct shape *shape);

/* SHAPE was parsed from the text of a line that was cut into VALUES: makes it
 * one for shape_match. */
void shape_remember(struct shape *shape, const struct value *values);

/* Whether shape_cut would find this shape in LINE; if so, its values, in a
 * fraction of the time. */
bool shape_match(const struct shape *shape, struct text line,
                 struct value *values);

#endif
