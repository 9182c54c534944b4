/*
 * fields_pack.c: see fields_pack.h.
 *
 * First the form of each field in two bits, the first field in the lowest ones;
 * then the values of those whose form does not tell it, in the same order. A
 * whole double is written as an integer, and one that a float holds as a
 * float: most percentiles are.
 */
#include "base/fields_pack.h"

#include <math.h>
#include <string.h>

enum form {
    ABSENT,
    VALUE, /* text: length and bytes; number: signed varint */
    /* of integers */
    ZERO = 2,
    ONE = 3,
    /* of doubles */
    FLOAT = 2,
    DOUBLE = 3,
};

enum { FORM_BITS = 2, FORMS_A_BYTE = 4, FORM_MASK = 3 };
static const double whole_max = 1LL << 53;

static bool is_whole(double value)
{
    return fabs(value) <= whole_max && (double)(int64_t)value == value &&
           !(value == 0 && signbit(value));
}

static enum form form_of_double(double value)
{
    if (is_whole(value))
        return VALUE;
    return (double)(float)value == value ? FLOAT : DOUBLE;
}

static enum form form_of(const struct field *field, const void *row)
{
    if (field->derived || field_is_absent(field, row))
        return ABSENT;
    if (field_holds_text(field))
        return VALUE;
    if (field->kind == FIELD_DOUBLE)
        return form_of_double(field_double(field, row));
    int64_t value = field_int(field, row);
    return value == 0 ? ZERO : value == 1 ? ONE : VALUE;
}

static void add_float(struct buf *out, float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    for (int shift = 0; shift < 32; shift += 8)
        buf_add_byte(out, (uint8_t)(bits >> shift));
}

static void add_double(struct buf *out, enum form form, double value)
{
    if (form == VALUE)
        buf_add_signed(out, (int64_t)value);
    else if (form == FLOAT)
        add_float(out, (float)value);
    else
        buf_add_double(out, value);
}

static void add_value(struct buf *out, enum form form,
                      const struct field *field, const void *row)
{
    if (field_holds_text(field))
        buf_add_text(out, field_text(field, row));
    else if (field->kind == FIELD_DOUBLE)
        add_double(out, form, field_double(field, row));
    else if (form == VALUE)
        buf_add_signed(out, field_int(field, row));
}

static size_t form_bytes(struct fields fields)
{
    return (fields.packed + FORMS_A_BYTE - 1) / FORMS_A_BYTE;
}

void fields_pack(struct buf *out, struct fields fields, const void *row)
{
    const struct field *list = fields.list + fields.packed_from;
    size_t forms_at = out->length;
    for (size_t i = 0; i < form_bytes(fields); i++)
        buf_add_byte(out, 0);
    for (size_t i = 0; i < fields.packed; i++) {
        enum form form = form_of(&list[i], row);
        out->data[forms_at + i / FORMS_A_BYTE] |=
            (char)(form << i % FORMS_A_BYTE * FORM_BITS);
        if (form != ABSENT)
            add_value(out, form, &list[i], row);
    }
}

static uint64_t read_little_endian(struct reader *in, size_t length)
{
    struct text bytes = read_bytes(in, length);
    uint64_t value = 0;
    for (size_t i = 0; i < bytes.length; i++)
        value |= (uint64_t)(uint8_t)bytes.data[i] << 8 * i;
    return value;
}

/* Mostly of one byte. */
static int64_t unpacked_int(struct reader *in)
{
    if (in->at == in->end || *in->at & 0x80)
        return read_signed(in);
    int64_t coded = *in->at++;
    return coded & 1 ? ~(coded >> 1) : coded >> 1;
}

static double unpacked_double(struct reader *in, enum form form)
{
    if (form == VALUE)
        return (double)unpacked_int(in);
    if (form == DOUBLE) {
        double value;
        uint64_t bits = read_little_endian(in, sizeof value);
        memcpy(&value, &bits, sizeof value);
        return value;
    }
    float value;
    uint32_t bits = (uint32_t)read_little_endian(in, sizeof value);
    memcpy(&value, &bits, sizeof value);
    return (double)value;
}

static void unpack_field(struct reader *in, enum form form,
                         const struct field *field, void *row)
{
    void *target = (char *)row + field->offset;
    switch (field->kind) {
    case FIELD_TEXT:
    case FIELD_BLOB:
        *(struct text *)target =
            form == ABSENT ? (struct text){NULL, 0} : read_text(in);
        break;
    case FIELD_DOUBLE:
        *(double *)target =
            form == ABSENT ? (double)NAN : unpacked_double(in, form);
        break;
    case FIELD_INT:
    case FIELD_TIME:
    case FIELD_WINDOW:
        *(int64_t *)target = form == ABSENT  ? ABSENT_INT
                             : form == VALUE ? unpacked_int(in)
                                             : form == ONE;
        break;
    }
}

static void unpack_fields(struct reader *in, struct text forms,
                          const struct field *list, size_t count, void *row)
{
    for (size_t i = 0; i < count; i++) {
        unsigned form = (unsigned char)forms.data[i / FORMS_A_BYTE] >>
                            i % FORMS_A_BYTE * FORM_BITS &
                        FORM_MASK;
        if (form != ABSENT || !list[i].derived)
            unpack_field(in, (enum form)form, &list[i], row);
    }
}

bool fields_unpack(struct text bytes, struct fields fields, void *row)
{
    struct reader in = reader_over(bytes.data, bytes.length);
    struct text forms = read_bytes(&in, form_bytes(fields));
    const struct field *list = fields.list + fields.packed_from;
    if (!in.failed)
        unpack_fields(&in, forms, list, fields.packed, row);
    if (in.failed || in.at != in.end) {
        fields_clear((struct fields){.list = list, .count = fields.packed},
                     row);
        return false;
    }
    if (fields.derive)
        fields.derive(row);
    return true;
}
