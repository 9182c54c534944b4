/*
 * integers.c: rows as JSON members without fractions, see journal.h. What a
 * double's integer is called, and in which unit it counts, follows from the
 * field's name.
 */
#include "journal/journal.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { NAME_BYTES = 64 };

#define MICRO 1e6
/* Below it an integer divided by its scale and multiplied again is itself. */
#define SCALED_MAX 1e15

static bool ends_with(const char *name, const char *end)
{
    size_t length = strlen(name);
    size_t part = strlen(end);
    return length >= part && !strcmp(name + length - part, end);
}

static bool is_wei(const struct field *field)
{
    return field->kind == FIELD_INT && ends_with(field->name, "_wei");
}

static bool is_duration(const struct field *field)
{
    return field->kind == FIELD_DOUBLE && ends_with(field->name, "_ms");
}

/* Integers in one unit of the row: microseconds in a millisecond. */
static double scale_of(const struct field *field)
{
    return is_duration(field) ? 1e3 : MICRO;
}

static void member_name(const struct field *field, char name[NAME_BYTES])
{
    int stem = (int)strlen(field->name);
    const char *end = "";
    if (field->kind == FIELD_DOUBLE)
        end = is_duration(field) ? "_us" : "_ppm";
    else if (field->kind == FIELD_TIME)
        end = "_ms";
    if (is_duration(field))
        stem -= (int)strlen("_ms");
    snprintf(name, NAME_BYTES, "%.*s%s", stem, field->name, end);
}

static bool scaled(const struct field *field, const void *row, int64_t *value)
{
    double exact = field_double(field, row) * scale_of(field);
    if (!(fabs(exact) < SCALED_MAX))
        return false;
    *value = llround(exact);
    return true;
}

/* ---- writing ------------------------------------------------------------- */

static void write_field(struct json_writer *writer, const struct field *field,
                        const void *row)
{
    char digits[24];
    int64_t value;
    switch (field->kind) {
    case FIELD_TEXT:
    case FIELD_BLOB:
        json_text(writer, field_text(field, row));
        return;
    case FIELD_DOUBLE:
        if (scaled(field, row, &value))
            json_int(writer, value);
        else
            json_null(writer);
        return;
    case FIELD_INT:
    case FIELD_TIME:
    case FIELD_WINDOW:
        value = field_int(field, row);
        snprintf(digits, sizeof digits, "%lld", (long long)value);
        if (is_wei(field))
            json_string(writer, digits);
        else
            json_int(writer, value);
    }
}

void fields_write_integers(struct json_writer *writer, struct fields fields,
                           const void *row)
{
    char name[NAME_BYTES];
    for (size_t i = 0; i < fields.exported; i++) {
        const struct field *field = &fields.list[i];
        if (field_is_absent(field, row))
            continue;
        member_name(field, name);
        json_key(writer, name);
        write_field(writer, field, row);
    }
}

void fields_round(struct fields fields, void *row)
{
    for (size_t i = 0; i < fields.count; i++) {
        const struct field *field = &fields.list[i];
        int64_t value;
        if (field->kind != FIELD_DOUBLE || field_is_absent(field, row))
            continue;
        double *target = (void *)((char *)row + field->offset);
        *target = scaled(field, row, &value) ? (double)value / scale_of(field)
                                             : (double)NAN;
    }
}

/* ---- reading ------------------------------------------------------------- */

static bool read_wei(struct text digits, int64_t *value)
{
    *value = 0;
    for (size_t i = 0; i < digits.length; i++) {
        int digit = digits.data[i] - '0';
        if (digit < 0 || digit > 9 || *value > (INT64_MAX - digit) / 10)
            return false;
        *value = *value * 10 + digit;
    }
    return digits.length > 0;
}

static bool read_field(struct arena *arena, struct yyjson_val *value,
                       const struct field *field, void *row)
{
    void *target = (char *)row + field->offset;
    bool is_text = json_is_string(value);
    if (is_wei(field))
        return is_text && read_wei(json_to_text(arena, value), target);
    if (field_holds_text(field)) {
        *(struct text *)target = json_to_text(arena, value);
        return is_text;
    }
    if (!json_is_int64(value))
        return false;
    if (field->kind == FIELD_DOUBLE)
        *(double *)target = (double)json_to_int(value) / scale_of(field);
    else
        *(int64_t *)target = json_to_int(value);
    return true;
}

enum err fields_read_integers(struct arena *arena, struct yyjson_val *object,
                              struct fields fields, void *row)
{
    char name[NAME_BYTES];
    fields_clear(fields, row);
    for (size_t i = 0; i < fields.exported; i++) {
        const struct field *field = &fields.list[i];
        member_name(field, name);
        struct yyjson_val *value = json_get(object, name);
        if (!json_is_null(value) && !read_field(arena, value, field, row))
            return err_set(ERR_INPUT, "its %s has a wrong type", name);
    }
    return ERR_NONE;
}
