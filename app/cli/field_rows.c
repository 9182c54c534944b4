/*
 * field_rows.c: see field_rows.h.
 */
#include "cli/field_rows.h"

#include "base/clock.h"

enum column_kind column_kind_of(enum field_kind kind)
{
    if (kind == FIELD_INT)
        return COLUMN_INT;
    return kind == FIELD_DOUBLE ? COLUMN_DOUBLE : COLUMN_TEXT;
}

void field_rows_open(struct field_rows *rows, struct fields fields,
                     enum table_format format)
{
    rows->fields = fields;
    rows->regions = NULL;
    for (size_t i = 0; i < fields.exported && i < FIELD_COLUMNS_MAX; i++)
        rows->columns[i] = (struct column){fields.list[i].name,
                                           column_kind_of(fields.list[i].kind)};
    rows->table = table_open(stdout, format, rows->columns, fields.exported);
}

static void print_time(struct table *table, const struct field *field,
                       const void *row)
{
    char text[CLOCK_TEXT_BYTES];
    int64_t ms = field_int(field, row);
    if (field->kind == FIELD_TIME)
        clock_text_ms(ms, text);
    else
        clock_text_s(ms, text);
    table_text(table, text_of(text));
}

void field_print(struct table *table, const struct field *field,
                 const void *row)
{
    if (field_is_absent(field, row))
        table_null(table);
    else if (field->kind == FIELD_TEXT)
        table_text(table, field_text(field, row));
    else if (field->kind == FIELD_INT)
        table_int(table, field_int(field, row));
    else if (field->kind == FIELD_DOUBLE)
        table_double(table, field_double(field, row));
    else
        print_time(table, field, row);
}

enum err field_rows_print(struct field_rows *rows, const void *row)
{
    for (size_t i = 0; i < rows->fields.exported; i++)
        field_print(rows->table, &rows->fields.list[i], row);
    return table_end_row(rows->table);
}
