/*
 * buf.h: a byte buffer that grows, and the two integer encodings that our
 * files use (little-endian fixed width, and LEB128 variable width).
 *
 * A reader over foreign bytes (struct reader) never runs past its end: after
 * the first short read it stays failed and returns zeros, so that decoders
 * check once at the end instead of after every field.
 *
 * What is done for every byte or value stands here, for the compiler to put in
 * place: a call costs more than the work.
 */
#ifndef ASSAY_BASE_BUF_H
#define ASSAY_BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* A borrowed run of bytes; not zero-terminated. */
struct text {
    const char *data;
    size_t length;
};

struct arena;

/* A copy in ARENA, zero-terminated; null stays null. */
struct text text_kept(struct arena *arena, struct text text);

struct buf {
    char *data; /* owned; null while empty and never grown */
    size_t length;
    size_t capacity;
};

void buf_free(struct buf *buf);
/* Makes room for MORE bytes where there is none. */
void buf_grow(struct buf *buf, size_t more);
void buf_add_string(struct buf *buf, const char *string);
void buf_printf(struct buf *buf, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void buf_add_double(struct buf *buf, double value);

static inline void buf_clear(struct buf *buf)
{
    buf->length = 0;
}

static inline void buf_reserve(struct buf *buf, size_t more)
{
    if (buf->capacity - buf->length < more)
        buf_grow(buf, more);
}

static inline void buf_add(struct buf *buf, const void *bytes, size_t length)
{
    if (!length)
        return;
    buf_reserve(buf, length);
    memcpy(buf->data + buf->length, bytes, length);
    buf->length += length;
}

static inline void buf_add_byte(struct buf *buf, uint8_t byte)
{
    buf_reserve(buf, 1);
    buf->data[buf->length++] = (char)byte;
}

static inline void buf_add_varint(struct buf *buf, uint64_t value)
{
    while (value >= 0x80) {
        buf_add_byte(buf, (uint8_t)(value | 0x80));
        value >>= 7;
    }
    buf_add_byte(buf, (uint8_t)value);
}

/* Signed values are zigzag-coded first, so that small ones stay short. */
static inline void buf_add_signed(struct buf *buf, int64_t value)
{
    uint64_t shifted = (uint64_t)value << 1;
    buf_add_varint(buf, value < 0 ? ~shifted : shifted);
}

static inline void buf_add_u64(struct buf *buf, uint64_t value)
{
    buf_reserve(buf, sizeof value);
    for (int shift = 0; shift < 64; shift += 8)
        buf->data[buf->length++] = (char)(value >> shift);
}

/* Length as varint, then the bytes. */
static inline void buf_add_text(struct buf *buf, struct text text)
{
    buf_add_varint(buf, text.length);
    buf_add(buf, text.data, text.length);
}

/* Takes the first LENGTH bytes away; the rest moves to the front. */
void buf_drop(struct buf *buf, size_t length);

/* Zero-terminates without counting the zero; returns the data. */
char *buf_string(struct buf *buf);

struct reader {
    const uint8_t *at;
    const uint8_t *end;
    bool failed;
};

struct reader reader_over(const void *bytes, size_t length);
uint64_t read_u64(struct reader *reader);
double read_double(struct reader *reader);

static inline uint8_t read_byte(struct reader *reader)
{
    if (reader->at == reader->end) {
        reader->failed = true;
        return 0;
    }
    return *reader->at++;
}

static inline uint64_t read_varint(struct reader *reader)
{
    uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
        uint8_t byte = read_byte(reader);
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80))
            return value;
    }
    reader->failed = true;
    return 0;
}

static inline int64_t read_signed(struct reader *reader)
{
    uint64_t coded = read_varint(reader);
    uint64_t half = coded >> 1;
    return (int64_t)(coded & 1 ? ~half : half);
}

/* LENGTH bytes in place; fails as a whole where fewer are left. */
struct text read_bytes(struct reader *reader, uint64_t length);
struct text read_text(struct reader *reader);

enum { INT_TEXT_BYTES = 20 };

/* VALUE in decimal digits, which end where ROOM does. */
struct text int_text(int64_t value, char room[INT_TEXT_BYTES]);

/* The length of a literal is known when it is compiled. */
static inline struct text text_of(const char *string)
{
    return (struct text){string, strlen(string)};
}

static inline bool text_equal(struct text a, struct text b)
{
    /* Empty texts may have no data, which memcmp must not see. */
    return a.length == b.length &&
           (!a.length || !memcmp(a.data, b.data, a.length));
}

static inline bool text_is(struct text text, const char *string)
{
    return text_equal(text, text_of(string));
}

/* Bytewise order, the shorter first where one is the other's beginning. */
int text_compare(struct text a, struct text b);

#endif
