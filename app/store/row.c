/*
 * row.c: rows with a table of fields (base/fields.h) into queries and out.
 */
#include "base/fields_pack.h"
#include "store/store_int.h"

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

/* Whether field I is the first of those that share a column. */
static bool begins_packed(struct fields fields, size_t i)
{
    return fields.packed && i == fields.packed_from;
}

static void bind_packed(struct query *query, int position, struct fields fields,
                        const void *row)
{
    struct buf bytes = {0};
    fields_pack(&bytes, fields, row);
    int code = sqlite3_bind_blob64(query->statement, position, bytes.data,
                                   bytes.length, SQLITE_TRANSIENT);
    if (!query->failure)
        query->failure = code;
    buf_free(&bytes);
}

void fields_bind(struct query *query, int first, struct fields fields,
                 const void *row)
{
    int position = first;
    for (size_t i = 0; i < fields.count; position++) {
        bool packed = begins_packed(fields, i);
        if (packed)
            bind_packed(query, position, fields, row);
        else
            bind_field(query, position, &fields.list[i], row);
        i += packed ? fields.packed : 1;
    }
}

/* Damage is told by the next step of QUERY. */
static void unpack(struct query *query, sqlite3_value *value,
                   struct fields fields, void *row)
{
    struct text bytes = {sqlite3_value_blob(value),
                         (size_t)sqlite3_value_bytes(value)};
    if (!fields_unpack(bytes, fields, row))
        query->failure = SQLITE_CORRUPT;
}

static void read_packed(struct arena *arena, struct query *query, int column,
                        struct fields fields, void *row)
{
    struct fields packed = {.list = fields.list + fields.packed_from,
                            .count = fields.packed};
    unpack(query, sqlite3_column_value(query->statement, column), fields, row);
    fields_copy(arena, packed, row);
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
    int column = first;
    for (size_t i = 0; i < fields.count; column++) {
        bool packed = begins_packed(fields, i);
        if (packed)
            read_packed(arena, query, column, fields, row);
        else
            read_field(arena, query, column, &fields.list[i], row);
        i += packed ? fields.packed : 1;
    }
}

enum err fields_read_all(struct arena *arena, struct query *query,
                         struct fields fields, size_t row_bytes,
                         struct row_array *all)
{
    bool row;
    enum err err;
    *all = (struct row_array){0};
    while (!(err = query_step(query, &row)) && row) {
        all->rows = arena_grow(arena, all->rows, all->count, row_bytes);
        fields_read(arena, query, 0, fields,
                    (char *)all->rows + all->count++ * row_bytes);
    }
    return err;
}

static struct text borrow_text(sqlite3_value *value, enum field_kind kind)
{
    const void *data = kind == FIELD_BLOB ? sqlite3_value_blob(value)
                                          : sqlite3_value_text(value);
    return (struct text){data ? data : "", (size_t)sqlite3_value_bytes(value)};
}

static void borrow_field(sqlite3_value *value, const struct field *field,
                         void *row)
{
    void *target = (char *)row + field->offset;
    if (sqlite3_value_type(value) == SQLITE_NULL)
        field_set_absent(field, row);
    else if (field_holds_text(field))
        *(struct text *)target = borrow_text(value, field->kind);
    else if (field->kind == FIELD_DOUBLE)
        *(double *)target = sqlite3_value_double(value);
    else
        *(int64_t *)target = sqlite3_value_int64(value);
}

void fields_borrow(struct query *query, struct fields fields, void *row)
{
    int column = 0;
    for (size_t i = 0; i < fields.count; column++) {
        sqlite3_value *value = sqlite3_column_value(query->statement, column);
        bool packed = begins_packed(fields, i);
        if (packed)
            unpack(query, value, fields, row);
        else
            borrow_field(value, &fields.list[i], row);
        i += packed ? fields.packed : 1;
    }
}
