/*
 * stored.c: see stored.h.
 *
 * An id is its length and its bytes; a UUID in its usual spelling is length 0
 * and sixteen bytes, and comes back in the same spelling.
 */
#include "livepeer/stored.h"

#include "base/hex.h"

#include <string.h>

enum { UUID_BYTES = 16, UUID_LENGTH = 36 };

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

static bool is_dash_at(size_t i)
{
    return i == 8 || i == 13 || i == 18 || i == 23;
}

static bool uuid_bytes(struct text id, uint8_t bytes[UUID_BYTES])
{
    size_t digits = 0;
    if (id.length != UUID_LENGTH)
        return false;
    memset(bytes, 0, UUID_BYTES);
    for (size_t i = 0; i < UUID_LENGTH; i++) {
        if (is_dash_at(i)) {
            if (id.data[i] != '-')
                return false;
            continue;
        }
        int value = hex_digit(id.data[i]);
        if (value < 0 || (id.data[i] >= 'A' && id.data[i] <= 'F'))
            return false; /* upper case would come back as lower */
        bytes[digits / 2] = (uint8_t)(bytes[digits / 2] << 4 | value);
        digits++;
    }
    return true;
}

void stored_add_id(struct buf *out, struct text id)
{
    uint8_t bytes[UUID_BYTES];
    if (uuid_bytes(id, bytes)) {
        buf_add_byte(out, 0);
        buf_add(out, bytes, sizeof bytes);
    } else {
        buf_add_text(out, id);
    }
}

static struct text uuid_text(struct arena *arena, struct text bytes)
{
    char *text = arena_raw(arena, UUID_LENGTH + 1);
    size_t digits = 0;
    for (size_t i = 0; i < UUID_LENGTH; i++) {
        if (is_dash_at(i)) {
            text[i] = '-';
            continue;
        }
        uint8_t byte = (uint8_t)bytes.data[digits / 2];
        text[i] = "0123456789abcdef"[digits % 2 ? byte & 15 : byte >> 4];
        digits++;
    }
    text[UUID_LENGTH] = '\0';
    return (struct text){text, UUID_LENGTH};
}

struct text stored_id(struct stored *stored)
{
    uint64_t length = read_varint(&stored->in);
    if (length)
        return read_bytes(&stored->in, length);
    struct text bytes = read_bytes(&stored->in, UUID_BYTES);
    if (bytes.length != UUID_BYTES)
        return (struct text){"", 0};
    return uuid_text(stored->arena, bytes);
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
