/*
 * row.c: rows with a table of fields (base/fields.h) into queries and out.
 */
#include "store/store.h"

static void bind_field(struct query *query, int position,
                       const struct field *field, const void *row)
{
    if (field_is_absent(field, row))
        query_bind_null(query, position);
    else if (field->kind == FIELD_TEXT)
        query_bind_text(query, position, field_text(field, row));
    else if (field->kind == FIELD_BLOB)
        query_bind_blob(query, position, field_text(field, row).data,
                        field_text(field, row).length);
    else if (field->kind == FIELD_DOUBLE)
        query_bind_double(query, position, field_double(field, row));
    else
        query_bind_int(query, position, field_int(field, row));
}

void fields_bind(struct query *query, int first, struct fields fields,
                 const void *row)
{
    for (size_t i = 0; i < fields.count; i++)
        bind_field(query, first + (int)i, &fields.list[i], row);
}

static void read_field(struct arena *arena, struct query *query, int column,
                       const struct field *field, void *row)
{
    void *target = (char *)row + field->offset;
    if (query_is_null(query, column))
        field_set_absent(field, row);
    else if (field_holds_text(field))
        *(struct text *)target = query_copy(arena, query, column);
    else if (field->kind == FIELD_DOUBLE)
        *(double *)target = query_double(query, column);
    else
        *(int64_t *)target = query_int(query, column);
}

void fields_read(struct arena *arena, struct query *query, int first,
                 struct fields fields, void *row)
{
    for (size_t i = 0; i < fields.count; i++)
        read_field(arena, query, first + (int)i, &fields.list[i], row);
}
