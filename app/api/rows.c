/*
 * rows.c: rows as JSON, column by column as the table of fields says.
 */
#include "api/api_int.h"
#include "base/clock.h"

#include <math.h>

#define WHOLE_MAX 1e15

void json_time(struct json_writer *writer, int64_t ms)
{
    char bytes[CLOCK_TEXT_BYTES];
    if (ms == ABSENT_INT)
        json_null(writer);
    else
        json_string(writer, clock_text_ms(ms, bytes));
}

void json_window(struct json_writer *writer, int64_t ms)
{
    char bytes[CLOCK_TEXT_BYTES];
    if (ms == ABSENT_INT)
        json_null(writer);
    else
        json_string(writer, clock_text_s(ms, bytes));
}

void json_text_or_null(struct json_writer *writer, struct text text)
{
    if (text.data)
        json_text(writer, text);
    else
        json_null(writer);
}

/* Of a row's doubles most are whole, and those need no search for the shortest
 * digits. */
void json_row_double(struct json_writer *writer, double value)
{
    char bytes[32];
    char *at = bytes + sizeof bytes;
    if (!(fabs(value) < WHOLE_MAX) || value != trunc(value) ||
        (value == 0 && signbit(value))) {
        json_double(writer, value);
        return;
    }
    *--at = '0';
    *--at = '.';
    uint64_t rest = (uint64_t)fabs(value);
    do
        *--at = (char)('0' + rest % 10);
    while (rest /= 10);
    if (value < 0)
        *--at = '-';
    json_raw(writer, (struct text){at, (size_t)(bytes + sizeof bytes - at)});
}

static void json_field(struct json_writer *writer, const struct field *field,
                       const void *row)
{
    if (field_is_absent(field, row)) {
        json_null(writer);
        return;
    }
    switch (field->kind) {
    case FIELD_TEXT:
        json_text(writer, field_text(field, row));
        break;
    case FIELD_INT:
        json_int(writer, field_int(field, row));
        break;
    case FIELD_DOUBLE:
        json_row_double(writer, field_double(field, row));
        break;
    case FIELD_TIME:
        json_time(writer, field_int(field, row));
        break;
    case FIELD_WINDOW:
        json_window(writer, field_int(field, row));
        break;
    case FIELD_BLOB: /* internal sums; their doubles stand beside them */
        json_null(writer);
        break;
    }
}

void json_fields(struct json_writer *writer, struct fields fields, size_t count,
                 const void *row)
{
    for (size_t i = 0; i < count; i++) {
        json_name(writer, fields.list[i].name, fields.list[i].name_length);
        json_field(writer, &fields.list[i], row);
    }
}

void bind_optional(struct query *query, int at, struct text text)
{
    if (text.data)
        query_bind_text(query, at, text);
    else
        query_bind_null(query, at);
}

void bind_place(struct query *query, int at, const struct cursor *cursor)
{
    if (!cursor->given) {
        query_bind_null(query, at);
        query_bind_null(query, at + 1);
        return;
    }
    query_bind_int(query, at, cursor->parts[0].number);
    if (cursor->parts[1].text.data)
        query_bind_text(query, at + 1, cursor->parts[1].text);
    else
        query_bind_int(query, at + 1, cursor->parts[1].number);
}
