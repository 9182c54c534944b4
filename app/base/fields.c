/*
 * fields.c: walking the fields of a row, see fields.h.
 */
#include "base/fields.h"

#include <math.h>
#include <string.h>

static const void *at(const struct field *field, const void *row)
{
    return (const char *)row + field->offset;
}

const struct field *fields_named(struct fields fields, size_t count,
                                 const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (!strcmp(fields.list[i].name, name))
            return &fields.list[i];
    return NULL;
}

struct text field_text(const struct field *field, const void *row)
{
    return *(const struct text *)at(field, row);
}

int64_t field_int(const struct field *field, const void *row)
{
    return *(const int64_t *)at(field, row);
}

double field_double(const struct field *field, const void *row)
{
    return *(const double *)at(field, row);
}

bool field_holds_text(const struct field *field)
{
    return field->kind == FIELD_TEXT || field->kind == FIELD_BLOB;
}

bool field_is_absent(const struct field *field, const void *row)
{
    if (field_holds_text(field))
        return !field_text(field, row).data;
    if (field->kind == FIELD_DOUBLE)
        return isnan(field_double(field, row));
    return field_int(field, row) == ABSENT_INT;
}

void field_set_absent(const struct field *field, void *row)
{
    void *target = (char *)row + field->offset;
    if (field_holds_text(field))
        *(struct text *)target = (struct text){NULL, 0};
    else if (field->kind == FIELD_DOUBLE)
        *(double *)target = (double)NAN;
    else
        *(int64_t *)target = ABSENT_INT;
}

bool field_equal(const struct field *field, const void *a, const void *b)
{
    bool absent = field_is_absent(field, a);
    if (absent || field_is_absent(field, b))
        return absent == field_is_absent(field, b);
    if (field_holds_text(field))
        return text_equal(field_text(field, a), field_text(field, b));
    if (field->kind == FIELD_DOUBLE)
        return !memcmp(at(field, a), at(field, b), sizeof(double));
    return field_int(field, a) == field_int(field, b);
}

bool fields_equal(struct fields fields, const void *a, const void *b)
{
    for (size_t i = 0; i < fields.count; i++)
        if (!field_equal(&fields.list[i], a, b))
            return false;
    return true;
}

void fields_clear(struct fields fields, void *row)
{
    for (size_t i = 0; i < fields.count; i++)
        field_set_absent(&fields.list[i], row);
}

void fields_copy(struct arena *arena, struct fields fields, void *row)
{
    for (size_t i = 0; i < fields.count; i++) {
        struct text *text = (void *)((char *)row + fields.list[i].offset);
        if (field_holds_text(&fields.list[i]) && text->data)
            text->data = arena_text(arena, text->data, text->length);
    }
}
