/*
 * buf.c: see buf.h. Capacity doubles; sizes that overflow end the process.
 */
#include "base/buf.h"

#include "base/arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct text text_kept(struct arena *arena, struct text text)
{
    if (text.data)
        text.data = arena_text(arena, text.data, text.length);
    return text;
}

void buf_free(struct buf *buf)
{
    free(buf->data);
    *buf = (struct buf){0};
}

void buf_grow(struct buf *buf, size_t more)
{
    size_t wanted = buf->capacity ? buf->capacity : 64;
    while (wanted - buf->length < more) {
        if (wanted > SIZE_MAX / 2)
            abort();
        wanted *= 2;
    }
    buf->data = memory_resize(buf->data, wanted);
    buf->capacity = wanted;
}

void buf_add_string(struct buf *buf, const char *string)
{
    buf_add(buf, string, strlen(string));
}

void buf_printf(struct buf *buf, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    va_list again;
    va_copy(again, arguments);
    int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    if (length > 0) {
        buf_reserve(buf, (size_t)length + 1);
        vsnprintf(buf->data + buf->length, (size_t)length + 1, format, again);
        buf->length += (size_t)length;
    }
    va_end(again);
}

void buf_add_double(struct buf *buf, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    buf_add_u64(buf, bits);
}

void buf_drop(struct buf *buf, size_t length)
{
    if (length)
        memmove(buf->data, buf->data + length, buf->length - length);
    buf->length -= length;
}

char *buf_string(struct buf *buf)
{
    buf_reserve(buf, 1);
    buf->data[buf->length] = '\0';
    return buf->data;
}

struct reader reader_over(const void *bytes, size_t length)
{
    static const uint8_t nothing[1];
    const uint8_t *at = length ? bytes : nothing;
    return (struct reader){at, at + length, false};
}

uint64_t read_u64(struct reader *reader)
{
    uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 8)
        value |= (uint64_t)read_byte(reader) << shift;
    return value;
}

double read_double(struct reader *reader)
{
    uint64_t bits = read_u64(reader);
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

struct text read_bytes(struct reader *reader, uint64_t length)
{
    if (length > (uint64_t)(reader->end - reader->at)) {
        reader->failed = true;
        reader->at = reader->end;
        return (struct text){"", 0};
    }
    struct text bytes = {(const char *)reader->at, (size_t)length};
    reader->at += length;
    return bytes;
}

struct text read_text(struct reader *reader)
{
    return read_bytes(reader, read_varint(reader));
}

/* Two digits at a time take half as many divisions. */
static const char pairs[] =
    "00010203040506070809101112131415161718192021222324"
    "25262728293031323334353637383940414243444546474849"
    "50515253545556575859606162636465666768697071727374"
    "75767778798081828384858687888990919293949596979899";

struct text int_text(int64_t value, char room[INT_TEXT_BYTES])
{
    char *end = room + INT_TEXT_BYTES;
    char *at = end;
    uint64_t left = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    for (; left >= 100; left /= 100) {
        at -= 2;
        memcpy(at, pairs + left % 100 * 2, 2);
    }
    if (left >= 10)
        *--at = (char)('0' + left % 10);
    *--at = (char)('0' + (left >= 10 ? left / 10 : left));
    if (value < 0)
        *--at = '-';
    return (struct text){at, (size_t)(end - at)};
}

int text_compare(struct text a, struct text b)
{
    size_t shorter = a.length < b.length ? a.length : b.length;
    int order = shorter ? memcmp(a.data, b.data, shorter) : 0;
    if (order)
        return order;
    return (a.length > b.length) - (a.length < b.length);
}
