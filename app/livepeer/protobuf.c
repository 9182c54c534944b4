/*
 * protobuf.c: see protobuf.h.
 *
 * A list is counted before it is filled, so that it is allocated once and
 * exactly: hostile bytes cannot make an array grow and be copied.
 */
#include "livepeer/protobuf.h"

#include "base/utf8.h"

#include <string.h>

enum wire_type {
    WIRE_VARINT = 0,
    WIRE_FIXED64 = 1,
    WIRE_LENGTH = 2,
    WIRE_FIXED32 = 5 /* 3 and 4, groups, are refused: proto3 has none */
};

static bool is_list(enum protobuf_kind kind)
{
    return kind == PROTOBUF_UINT64_LIST || kind == PROTOBUF_STRING_LIST ||
           kind == PROTOBUF_MESSAGE_LIST;
}

static enum wire_type wire_type_of(enum protobuf_kind kind)
{
    switch (kind) {
    case PROTOBUF_BOOL:
    case PROTOBUF_INT32:
    case PROTOBUF_UINT32:
    case PROTOBUF_INT64:
        return WIRE_VARINT;
    default:
        return WIRE_LENGTH;
    }
}

static size_t element_bytes(const struct message_field *field)
{
    return field->kind == PROTOBUF_UINT64_LIST   ? sizeof(uint64_t)
           : field->kind == PROTOBUF_STRING_LIST ? sizeof(struct text)
                                                 : field->type->bytes;
}

static const void *member_of(const void *message, size_t offset)
{
    return (const char *)message + offset;
}

/* ---- writing ------------------------------------------------------------- */

static void add_tag(struct buf *out, const struct message_field *field)
{
    buf_add_varint(out, (uint64_t)field->number << 3 |
                            (uint64_t)wire_type_of(field->kind));
}

/* Puts the length of what was written since START before it. */
static void close_length(struct buf *out, size_t start)
{
    size_t length = out->length - start;
    buf_add_varint(out, length);
    size_t prefix = out->length - start - length;
    uint8_t bytes[10];
    memcpy(bytes, out->data + start + length, prefix);
    memmove(out->data + start + prefix, out->data + start, length);
    memcpy(out->data + start, bytes, prefix);
}

static void add_submessage(struct buf *out, const struct message_field *field,
                           const void *message)
{
    add_tag(out, field);
    size_t start = out->length;
    protobuf_encode(out, field->type, message);
    close_length(out, start);
}

static void add_list(struct buf *out, const struct message_field *field,
                     const void *items, size_t count)
{
    if (field->kind == PROTOBUF_UINT64_LIST && count) {
        add_tag(out, field);
        size_t start = out->length;
        for (size_t i = 0; i < count; i++)
            buf_add_varint(out, ((const uint64_t *)items)[i]);
        close_length(out, start);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        const void *item = member_of(items, i * element_bytes(field));
        if (field->kind == PROTOBUF_MESSAGE_LIST) {
            add_submessage(out, field, item);
        } else {
            add_tag(out, field);
            buf_add_text(out, *(const struct text *)item);
        }
    }
}

static void add_number(struct buf *out, const struct message_field *field,
                       uint64_t value)
{
    if (!value && !field->always)
        return;
    add_tag(out, field);
    buf_add_varint(out, value);
}

static void add_bytes(struct buf *out, const struct message_field *field,
                      struct text text)
{
    if (!text.length && !field->always)
        return;
    add_tag(out, field);
    buf_add_text(out, text);
}

static void add_field(struct buf *out, const struct message_field *field,
                      const void *message)
{
    const void *member = member_of(message, field->offset);
    switch (field->kind) {
    case PROTOBUF_BOOL:
        add_number(out, field, *(const bool *)member);
        break;
    case PROTOBUF_INT32:
        add_number(out, field, (uint64_t)(int64_t) * (const int32_t *)member);
        break;
    case PROTOBUF_UINT32:
        add_number(out, field, *(const uint32_t *)member);
        break;
    case PROTOBUF_INT64:
        add_number(out, field, (uint64_t) * (const int64_t *)member);
        break;
    case PROTOBUF_BYTES:
    case PROTOBUF_STRING:
        add_bytes(out, field, *(const struct text *)member);
        break;
    case PROTOBUF_MESSAGE:
        if (*(const void *const *)member)
            add_submessage(out, field, *(const void *const *)member);
        break;
    case PROTOBUF_EMBEDDED:
        add_submessage(out, field, member);
        break;
    case PROTOBUF_UINT64_LIST:
    case PROTOBUF_STRING_LIST:
    case PROTOBUF_MESSAGE_LIST:
        add_list(out, field, *(const void *const *)member,
                 *(const size_t *)member_of(message, field->count_offset));
        break;
    }
}

void protobuf_encode(struct buf *out, const struct message_type *type,
                     const void *message)
{
    for (size_t i = 0; i < type->field_count; i++)
        add_field(out, &type->fields[i], message);
}

/* ---- reading ------------------------------------------------------------- */

struct decoding {
    struct arena *arena;
    size_t items_left;
};

/* One field as it stands on the wire. */
struct wire_field {
    uint64_t number;
    enum wire_type wire_type;
    uint64_t value;    /* WIRE_VARINT */
    struct text bytes; /* WIRE_LENGTH */
};

static bool read_wire_field(struct reader *in, struct wire_field *field)
{
    uint64_t tag = read_varint(in);
    *field = (struct wire_field){tag >> 3, (enum wire_type)(tag & 7), 0, {0}};
    switch (tag & 7) {
    case WIRE_VARINT:
        field->value = read_varint(in);
        break;
    case WIRE_LENGTH:
        field->bytes = read_text(in);
        break;
    case WIRE_FIXED64:
        read_bytes(in, 8);
        break;
    case WIRE_FIXED32:
        read_bytes(in, 4);
        break;
    default:
        in->failed = true;
    }
    if (!field->number || field->number > UINT32_MAX >> 3)
        in->failed = true;
    return !in->failed;
}

/* The table's row for what stands on the wire, null to pass over it. */
static const struct message_field *known_field(const struct message_type *type,
                                               const struct wire_field *wire)
{
    for (size_t i = 0; i < type->field_count; i++) {
        const struct message_field *field = &type->fields[i];
        if (field->number != wire->number)
            continue;
        bool unpacked = field->kind == PROTOBUF_UINT64_LIST &&
                        wire->wire_type == WIRE_VARINT;
        return wire->wire_type == wire_type_of(field->kind) || unpacked ? field
                                                                        : NULL;
    }
    return NULL;
}

static size_t packed_count(struct text bytes)
{
    size_t count = 0;
    for (size_t i = 0; i < bytes.length; i++)
        count += !(bytes.data[i] & 0x80);
    return count;
}

static size_t items_in(const struct message_field *field,
                       const struct wire_field *wire)
{
    return field->kind == PROTOBUF_UINT64_LIST && wire->wire_type == WIRE_LENGTH
               ? packed_count(wire->bytes)
               : 1;
}

static enum err take_items(struct decoding *decoding, size_t count)
{
    if (count > decoding->items_left)
        return err_set(ERR_INPUT, "it holds more than %d things",
                       PROTOBUF_ITEMS_MAX);
    decoding->items_left -= count;
    return ERR_NONE;
}

/* Walks the message once: its form, and how long each list becomes. The counts
 * are left in the struct. */
static enum err count_lists(const struct message_type *type, struct text bytes,
                            char *message)
{
    struct reader in = reader_over(bytes.data, bytes.length);
    struct wire_field wire;
    while (in.at < in.end) {
        if (!read_wire_field(&in, &wire))
            return err_set(ERR_INPUT, "broken at byte %zu of %zu",
                           (size_t)(in.at - (const uint8_t *)bytes.data),
                           bytes.length);
        const struct message_field *field = known_field(type, &wire);
        if (field && is_list(field->kind))
            *(size_t *)(void *)(message + field->count_offset) +=
                items_in(field, &wire);
    }
    return ERR_NONE;
}

/* Allocates the counted lists and sets their counts back to zero, from where
 * filling counts up again. */
static enum err make_lists(struct decoding *decoding,
                           const struct message_type *type, char *message)
{
    for (size_t i = 0; i < type->field_count; i++) {
        const struct message_field *field = &type->fields[i];
        if (!is_list(field->kind))
            continue;
        size_t *count = (size_t *)(void *)(message + field->count_offset);
        if (!*count)
            continue;
        enum err err = take_items(decoding, *count);
        if (err)
            return err;
        *(void **)(void *)(message + field->offset) =
            arena_array(decoding->arena, *count, element_bytes(field));
        *count = 0;
    }
    return ERR_NONE;
}

static enum err decode_message(struct decoding *decoding,
                               const struct message_type *type,
                               struct text bytes, char *message);

static enum err decode_text(const struct message_field *field,
                            struct text bytes, struct text *text)
{
    *text = bytes;
    if (field->kind != PROTOBUF_BYTES && !text_is_utf8(bytes))
        return err_set(ERR_INPUT, "field %u is not UTF-8", field->number);
    return ERR_NONE;
}

static enum err decode_numbers(const struct wire_field *wire, uint64_t *list,
                               size_t *count)
{
    if (wire->wire_type == WIRE_VARINT) {
        list[(*count)++] = wire->value;
        return ERR_NONE;
    }
    struct reader in = reader_over(wire->bytes.data, wire->bytes.length);
    while (in.at < in.end) {
        uint64_t value = read_varint(&in);
        if (in.failed)
            return err_set(ERR_INPUT, "a packed number is broken");
        list[(*count)++] = value;
    }
    return ERR_NONE;
}

static enum err decode_list(struct decoding *decoding,
                            const struct message_field *field,
                            const struct wire_field *wire, char *message)
{
    size_t *count = (size_t *)(void *)(message + field->count_offset);
    char *items = *(char **)(void *)(message + field->offset);
    if (field->kind == PROTOBUF_UINT64_LIST)
        return decode_numbers(wire, (uint64_t *)(void *)items, count);
    char *item = items + (*count)++ * element_bytes(field);
    if (field->kind == PROTOBUF_STRING_LIST)
        return decode_text(field, wire->bytes, (struct text *)(void *)item);
    return decode_message(decoding, field->type, wire->bytes, item);
}

static enum err decode_pointed(struct decoding *decoding,
                               const struct message_field *field,
                               struct text bytes, void **member)
{
    enum err err = take_items(decoding, 1);
    if (err)
        return err;
    *member = arena_alloc(decoding->arena, field->type->bytes);
    return decode_message(decoding, field->type, bytes, *member);
}

static enum err decode_field(struct decoding *decoding,
                             const struct message_field *field,
                             const struct wire_field *wire, char *message)
{
    void *member = message + field->offset;
    switch (field->kind) {
    case PROTOBUF_BOOL:
        *(bool *)member = wire->value != 0;
        return ERR_NONE;
    case PROTOBUF_INT32:
        *(int32_t *)member = (int32_t)(uint32_t)wire->value;
        return ERR_NONE;
    case PROTOBUF_UINT32:
        *(uint32_t *)member = (uint32_t)wire->value;
        return ERR_NONE;
    case PROTOBUF_INT64:
        *(int64_t *)member = (int64_t)wire->value;
        return ERR_NONE;
    case PROTOBUF_BYTES:
    case PROTOBUF_STRING:
        return decode_text(field, wire->bytes, member);
    case PROTOBUF_MESSAGE:
        return decode_pointed(decoding, field, wire->bytes, member);
    case PROTOBUF_EMBEDDED:
        return decode_message(decoding, field->type, wire->bytes, member);
    case PROTOBUF_UINT64_LIST:
    case PROTOBUF_STRING_LIST:
    case PROTOBUF_MESSAGE_LIST:
        return decode_list(decoding, field, wire, message);
    }
    return ERR_NONE;
}

static enum err fill_fields(struct decoding *decoding,
                            const struct message_type *type, struct text bytes,
                            char *message)
{
    struct reader in = reader_over(bytes.data, bytes.length);
    struct wire_field wire;
    while (in.at < in.end && read_wire_field(&in, &wire)) {
        const struct message_field *field = known_field(type, &wire);
        enum err err =
            field ? decode_field(decoding, field, &wire, message) : ERR_NONE;
        if (err)
            return err;
    }
    return ERR_NONE;
}

/* MESSAGE is not zeroed here: an embedded one may share its struct with the
 * message around it, as a map's value does with its key. */
static enum err decode_message(struct decoding *decoding,
                               const struct message_type *type,
                               struct text bytes, char *message)
{
    enum err err = count_lists(type, bytes, message);
    if (!err)
        err = make_lists(decoding, type, message);
    if (!err)
        err = fill_fields(decoding, type, bytes, message);
    return err ? err_wrap(err, "%s", type->name) : ERR_NONE;
}

enum err protobuf_decode(struct arena *arena, struct text bytes,
                         const struct message_type *type, void *message)
{
    struct decoding decoding = {arena, PROTOBUF_ITEMS_MAX};
    memset(message, 0, type->bytes);
    if (bytes.length > PROTOBUF_BYTES_MAX)
        return err_set(ERR_INPUT, "%s: %zu bytes, more than %d", type->name,
                       bytes.length, PROTOBUF_BYTES_MAX);
    return decode_message(&decoding, type, bytes, message);
}
