/*
 * buf.h: a byte buffer that grows, and the two integer encodings that our
 * files use (little-endian fixed width, and LEB128 variable width).
 *
 * A reader over foreign bytes (struct reader) never runs past its end: after
 * the first short read it stays failed and returns zeros, so that decoders
 * check once at the end instead of after every field.
 */
#ifndef ASSAY_BASE_BUF_H
#define ASSAY_BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A borrowed run of bytes; not zero-terminated. */
struct text {
    const char *data;
    size_t length;
};

struct buf {
    char *data; /* owned; null while empty and never grown */
    size_t length;
    size_t capacity;
};

void buf_free(struct buf *buf);
void buf_clear(struct buf *buf);
void buf_reserve(struct buf *buf, size_t more);
void buf_add(struct buf *buf, const void *bytes, size_t length);
void buf_add_byte(struct buf *buf, uint8_t byte);
void buf_add_string(struct buf *buf, const char *string);
void buf_printf(struct buf *buf, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

void buf_add_varint(struct buf *buf, uint64_t value);
/* Signed values are zigzag-coded first, so that small ones stay short. */
void buf_add_signed(struct buf *buf, int64_t value);
void buf_add_u64(struct buf *buf, uint64_t value);
void buf_add_double(struct buf *buf, double value);
/* Length as varint, then the bytes. */
void buf_add_text(struct buf *buf, struct text text);

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
uint8_t read_byte(struct reader *reader);
uint64_t read_varint(struct reader *reader);
int64_t read_signed(struct reader *reader);
uint64_t read_u64(struct reader *reader);
double read_double(struct reader *reader);
/* LENGTH bytes in place; fails as a whole where fewer are left. */
struct text read_bytes(struct reader *reader, uint64_t length);
struct text read_text(struct reader *reader);

struct text text_of(const char *string);
bool text_equal(struct text a, struct text b);
/* Bytewise order, the shorter first where one is the other's beginning. */
int text_compare(struct text a, struct text b);
bool text_is(struct text text, const char *string);

#endif
