/*
 * row_diff.c: the stored form of rows that are nearly those of another lens.
 *
 * A difference is a list of (number of the field and whether it is absent,
 * value); its end is the end of the bytes. Numbers follow the order of the
 * field list, so a list may grow at its end and never otherwise.
 */
#include "rollup/row_diff.h"

static void *target_of(const struct field *field, void *row)
{
    return (char *)row + field->offset;
}

static void encode_value(struct buf *out, const struct field *field,
                         const void *row)
{
    if (field_holds_text(field))
        buf_add_text(out, field_text(field, row));
    else if (field->kind == FIELD_DOUBLE)
        buf_add_double(out, field_double(field, row));
    else
        buf_add_signed(out, field_int(field, row));
}

void row_diff_encode(struct buf *out, struct fields fields, const void *base,
                     const void *row)
{
    for (size_t i = 0; i < fields.count; i++) {
        const struct field *field = &fields.list[i];
        if (field_equal(field, base, row))
            continue;
        bool absent = field_is_absent(field, row);
        buf_add_varint(out, i << 1 | absent);
        if (!absent)
            encode_value(out, field, row);
    }
}

static void decode_value(struct reader *in, const struct field *field,
                         void *row)
{
    void *target = target_of(field, row);
    if (field_holds_text(field))
        *(struct text *)target = read_text(in);
    else if (field->kind == FIELD_DOUBLE)
        *(double *)target = read_double(in);
    else
        *(int64_t *)target = read_signed(in);
}

bool row_diff_decode(struct text bytes, struct fields fields, void *row)
{
    struct reader in = reader_over(bytes.data, bytes.length);
    while (!in.failed && in.at < in.end) {
        uint64_t tag = read_varint(&in);
        if (in.failed || tag >> 1 >= fields.count)
            return false;
        const struct field *field = &fields.list[tag >> 1];
        if (tag & 1)
            field_set_absent(field, row);
        else
            decode_value(&in, field, row);
    }
    return !in.failed;
}
