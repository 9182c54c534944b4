/*
 * stored.c: see stored.h.
 *
 * An id is its length and its bytes; a UUID in its usual spelling is length 0
 * and sixteen bytes, and comes back in the same spelling.
 */
#include "livepeer/stored.h"

#include "base/uuid.h"

void stored_add_strings(struct buf *out, const struct text_index *strings)
{
    buf_add_varint(out, strings->count);
    for (size_t i = 0; i < strings->count; i++)
        buf_add_text(out, strings->texts[i]);
}

void stored_add_string(struct buf *out, struct text_index *strings,
                       struct text text)
{
    buf_add_varint(out, text_index_add(strings, text, NULL));
}

/* ---- ids ----------------------------------------------------------------- */

void stored_add_id(struct buf *out, struct text id)
{
    uint8_t bytes[UUID_BYTES];
    if (uuid_read(id, bytes)) {
        buf_add_byte(out, 0);
        buf_add(out, bytes, sizeof bytes);
    } else {
        buf_add_text(out, id);
    }
}

struct text stored_id(struct stored *stored)
{
    uint64_t length = read_varint(&stored->in);
    if (length)
        return read_bytes(&stored->in, length);
    struct text bytes = read_bytes(&stored->in, UUID_BYTES);
    if (bytes.length != UUID_BYTES)
        return (struct text){"", 0};
    char *text = arena_raw(stored->arena, UUID_LENGTH);
    uuid_write((const uint8_t *)bytes.data, text);
    return (struct text){text, UUID_LENGTH};
}

/* ---- reading ------------------------------------------------------------- */

struct stored stored_over(struct arena *arena, struct text bytes)
{
    struct stored stored = {.arena = arena,
                            .in = reader_over(bytes.data, bytes.length)};
    stored.string_count = stored_count(&stored);
    stored.strings =
        arena_array(arena, stored.string_count, sizeof *stored.strings);
    for (size_t i = 0; i < stored.string_count; i++)
        stored.strings[i] = read_text(&stored.in);
    return stored;
}

struct text stored_string(struct stored *stored)
{
    uint64_t number = read_varint(&stored->in);
    if (number < stored->string_count)
        return stored->strings[number];
    stored->in.failed = true;
    return (struct text){"", 0};
}

size_t stored_count(struct stored *stored)
{
    uint64_t count = read_varint(&stored->in);
    if (count <= (uint64_t)(stored->in.end - stored->in.at))
        return (size_t)count;
    stored->in.failed = true;
    return 0;
}

bool stored_is_sound(const struct stored *stored)
{
    return !stored->in.failed && stored->in.at == stored->in.end;
}
