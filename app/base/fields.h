/*
 * fields.h: a row is a struct and a table of its fields beside it: name, kind,
 * offset. Storing, reading back, exporting and serving a row all walk that
 * table, so that a column is spelled in one place.
 *
 * In rows: an absent text has data null, an absent integer or time is
 * ABSENT_INT, an absent double is NaN.
 */
#ifndef ASSAY_BASE_FIELDS_H
#define ASSAY_BASE_FIELDS_H

#include "base/arena.h"
#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ABSENT_INT INT64_MIN

enum field_kind {
    FIELD_TEXT,   /* struct text */
    FIELD_BLOB,   /* struct text, bytes */
    FIELD_INT,    /* int64_t */
    FIELD_DOUBLE, /* double */
    FIELD_TIME,   /* int64_t, ms since 1970; RFC 3339 with ms outside */
    FIELD_WINDOW  /* int64_t, ms since 1970; RFC 3339 without ms outside */
};

struct field {
    const char *name; /* a word of C: nothing in it needs escaping anywhere */
    enum field_kind kind;
    size_t offset;
    size_t name_length;
    bool derived; /* struct fields tells how */
};

/* A line of a table: FIELD(TEXT, session_row, org) */
#define FIELD(kind, row, member)                                               \
    {                                                                          \
#member, FIELD_##kind, offsetof(struct row, member),                   \
            sizeof #member - 1, false                                          \
    }

/* One that follows from others of the row. */
#define DERIVED_FIELD(kind, row, member)                                       \
    {                                                                          \
#member, FIELD_##kind, offsetof(struct row, member),                   \
            sizeof #member - 1, true                                           \
    }

/* The same of a struct within the row: FIELD_IN(TEXT, session_row, card, x) */
#define FIELD_IN(kind, row, part, member)                                      \
    {                                                                          \
#member, FIELD_##kind, offsetof(struct row, part.member),              \
            sizeof #member - 1, false                                          \
    }
#define DERIVED_FIELD_IN(kind, row, part, member)                              \
    {                                                                          \
#member, FIELD_##kind, offsetof(struct row, part.member),              \
            sizeof #member - 1, true                                           \
    }

/* The same under another name outside. */
#define NAMED_FIELD(kind, row, member, name)                                   \
    {                                                                          \
        name, FIELD_##kind, offsetof(struct row, member), sizeof name - 1,     \
            false                                                              \
    }

struct fields {
    const struct field *list;
    size_t count;    /* all of them, in the order of the SQL table */
    size_t exported; /* the first so many are what `assay export` prints */
    /* PACKED of them from PACKED_FROM on are one column of the SQL table, in
     * their place (base/fields_pack.h); mostly none. Derived ones among them
     * are not stored: DERIVE sets them in a row that has the others. */
    size_t packed_from;
    size_t packed;
    void (*derive)(void *row); /* null where none is derived */
};

/* All fields of an array, of which the last INTERNAL are not exported. */
#define FIELDS(array, internal)                                                \
    {                                                                          \
        .list = (array), .count = sizeof(array) / sizeof *(array),             \
        .exported = sizeof(array) / sizeof *(array) - (internal)               \
    }

/* The same, with columns only for the first COLUMNS fields and the LAST ones.
 */
#define PACKED_FIELDS(array, internal, columns, last, derivation)              \
    {                                                                          \
        .list = (array), .count = sizeof(array) / sizeof *(array),             \
        .exported = sizeof(array) / sizeof *(array) - (internal),              \
        .packed_from = (columns),                                              \
        .packed = sizeof(array) / sizeof *(array) - (columns) - (last),        \
        .derive = (derivation)                                                 \
    }

/* The one called NAME among the first COUNT, or null. */
const struct field *fields_named(struct fields fields, size_t count,
                                 const char *name);

/* One field of a row that FIELDS describes. */
struct text field_text(const struct field *field, const void *row);
int64_t field_int(const struct field *field, const void *row);
double field_double(const struct field *field, const void *row);
bool field_is_absent(const struct field *field, const void *row);
/* Of kind FIELD_TEXT or FIELD_BLOB. */
bool field_holds_text(const struct field *field);
void field_set_absent(const struct field *field, void *row);

/* Doubles by their bits. */
bool field_equal(const struct field *field, const void *a, const void *b);
bool fields_equal(struct fields fields, const void *a, const void *b);
/* Makes every field of ROW absent. */
void fields_clear(struct fields fields, void *row);
/* Moves the texts of ROW into ARENA. */
void fields_copy(struct arena *arena, struct fields fields, void *row);

#endif
