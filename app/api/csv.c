/*
 * csv.c: rows as CSV, spelled as `assay export` spells them: null is an empty
 * cell, an empty text is "".
 */
#include "api/serving.h"
#include "base/clock.h"

#include <math.h>
#include <string.h>

static bool needs_quotes(struct text value)
{
    if (!value.length)
        return true;
    for (size_t i = 0; i < value.length; i++)
        if (memchr(",\"\r\n", value.data[i], 4))
            return true;
    /* Some readers take blanks at the ends away. */
    return value.data[0] == ' ' || value.data[value.length - 1] == ' ';
}

/* Spreadsheets run what begins so, and texts come from strangers: a quote in
 * front makes it text. `assay export` writes files as they are. */
static bool looks_like_formula(struct text text)
{
    return text.length && memchr("=+-@\t\r", text.data[0], 6);
}

void csv_text(struct buf *out, struct text text)
{
    const char *guard = looks_like_formula(text) ? "'" : "";
    if (!needs_quotes(text)) {
        buf_add_string(out, guard);
        buf_add(out, text.data, text.length);
        return;
    }
    buf_add_byte(out, '"');
    buf_add_string(out, guard);
    for (size_t i = 0; i < text.length; i++) {
        if (text.data[i] == '"')
            buf_add_byte(out, '"');
        buf_add_byte(out, (uint8_t)text.data[i]);
    }
    buf_add_byte(out, '"');
}

static void add_cell(struct buf *out, const struct field *field,
                     const void *row)
{
    char bytes[CLOCK_TEXT_BYTES];
    if (field_is_absent(field, row) || field->kind == FIELD_BLOB)
        return;
    if (field->kind == FIELD_TEXT) {
        csv_text(out, field_text(field, row));
    } else if (field->kind == FIELD_INT) {
        buf_printf(out, "%lld", (long long)field_int(field, row));
    } else if (field->kind == FIELD_DOUBLE) {
        struct json_writer writer = {.out = out};
        if (isfinite(field_double(field, row)))
            json_row_double(&writer, field_double(field, row));
    } else if (field->kind == FIELD_TIME) {
        buf_add_string(out, clock_text_ms(field_int(field, row), bytes));
    } else {
        buf_add_string(out, clock_text_s(field_int(field, row), bytes));
    }
}

void csv_row(struct buf *out, struct fields fields, const void *row)
{
    for (size_t i = 0; i < fields.exported; i++) {
        if (i)
            buf_add_byte(out, ',');
        add_cell(out, &fields.list[i], row);
    }
}

void csv_names(struct buf *out, struct fields fields)
{
    for (size_t i = 0; i < fields.exported; i++)
        buf_printf(out, "%s%s", i ? "," : "", fields.list[i].name);
}
