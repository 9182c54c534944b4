/*
 * json_write.c: the writing side of json.h.
 *
 * Doubles are written as the shortest digits that read back as the same
 * double, laid out plainly between 1e-4 and 1e16 and with an exponent outside,
 * always with a point or an exponent, so that a reader sees a float.
 */
#include "base/json.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yyjson.h>

static void place_comma(struct json_writer *writer)
{
    if (writer->need_comma)
        buf_add_byte(writer->out, ',');
    writer->need_comma = true;
}

void json_begin(struct json_writer *writer, char bracket)
{
    place_comma(writer);
    buf_add_byte(writer->out, (uint8_t)bracket);
    writer->need_comma = false;
}

void json_end(struct json_writer *writer, char bracket)
{
    buf_add_byte(writer->out, (uint8_t)bracket);
    writer->need_comma = true;
}

static void add_escaped(struct buf *out, unsigned char c)
{
    static const char named[] = {
        ['\b'] = 'b', ['\f'] = 'f', ['\n'] = 'n', ['\r'] = 'r',
        ['\t'] = 't', ['"'] = '"',  ['\\'] = '\\'};
    if (c < sizeof named && named[c]) {
        buf_add_byte(out, '\\');
        buf_add_byte(out, (uint8_t)named[c]);
    } else {
        buf_printf(out, "\\u%04X", c);
    }
}

static bool is_plain(unsigned char c)
{
    return c >= 0x20 && c != '"' && c != '\\';
}

void json_text(struct json_writer *writer, struct text text)
{
    struct buf *out = writer->out;
    place_comma(writer);
    buf_reserve(out, text.length + 2);
    buf_add_byte(out, '"');
    size_t plain = 0;
    for (size_t i = 0; i < text.length; i++) {
        unsigned char c = (unsigned char)text.data[i];
        if (is_plain(c))
            continue;
        buf_add(out, text.data + plain, i - plain);
        add_escaped(out, c);
        plain = i + 1;
    }
    if (text.length)
        buf_add(out, text.data + plain, text.length - plain);
    buf_add_byte(out, '"');
}

void json_string(struct json_writer *writer, const char *string)
{
    json_text(writer, text_of(string));
}

static bool needs_escaping(struct text text)
{
    for (size_t i = 0; i < text.length; i++) {
        if (!is_plain((unsigned char)text.data[i]))
            return true;
    }
    return false;
}

void json_name(struct json_writer *writer, const char *name, size_t length)
{
    struct buf *out = writer->out;
    buf_reserve(out, length + 4);
    char *at = out->data + out->length;
    if (writer->need_comma)
        *at++ = ',';
    *at++ = '"';
    memcpy(at, name, length);
    memcpy(at + length, "\":", 2);
    out->length = (size_t)(at + length + 2 - out->data);
    writer->need_comma = false;
}

/* Keys are mostly our own words: these go out in one piece. */
void json_key(struct json_writer *writer, const char *key)
{
    struct text text = text_of(key);
    if (!needs_escaping(text)) {
        json_name(writer, text.data, text.length);
        return;
    }
    json_text(writer, text);
    buf_add_byte(writer->out, ':');
    writer->need_comma = false;
}

void json_raw(struct json_writer *writer, struct text json)
{
    place_comma(writer);
    buf_add(writer->out, json.data, json.length);
}

void json_int(struct json_writer *writer, int64_t value)
{
    char room[INT_TEXT_BYTES];
    json_raw(writer, int_text(value, room));
}

void json_double(struct json_writer *writer, double value)
{
    char bytes[32];
    if (!isfinite(value)) {
        json_null(writer);
        return;
    }
    size_t length = double_text(value, bytes);
    json_raw(writer, (struct text){bytes, length});
}

void json_bool(struct json_writer *writer, bool value)
{
    json_raw(writer, text_of(value ? "true" : "false"));
}

void json_null(struct json_writer *writer)
{
    json_raw(writer, text_of("null"));
}

enum { DIGITS_MAX = 19 };

/* The shortest decimal form as yyjson writes it (Schubfach), which is many
 * times faster than printing and reading back. */
static struct text shortest_form(double magnitude, char *pool, size_t size)
{
    yyjson_alc allocator;
    yyjson_val value = {0};
    struct text text = {NULL, 0};
    unsafe_yyjson_set_real(&value, magnitude);
    yyjson_alc_pool_init(&allocator, pool, size);
    text.data = yyjson_val_write_opts(&value, YYJSON_WRITE_NOFLAG, &allocator,
                                      &text.length, NULL);
    return text;
}

/* The significant digits without zeros around them; returns the decimal
 * exponent of the first one. */
static int shortest_digits(const char *c, char digits[DIGITS_MAX + 1])
{
    size_t count = 0;
    int exponent = -1;
    bool fraction = false;
    for (; *c == '.' || (*c >= '0' && *c <= '9'); c++) {
        if (*c == '.') {
            fraction = true;
            continue;
        }
        /* 17 digits suffice (IEEE 754-2019 §5.12.2); zeros may follow. */
        if ((count || *c != '0') && count < DIGITS_MAX)
            digits[count++] = *c;
        if (!fraction && count)
            exponent++;
        else if (fraction && !count)
            exponent--;
    }
    while (count > 1 && digits[count - 1] == '0')
        count--;
    if (!count) {
        digits[count++] = '0';
        exponent = 0;
    }
    digits[count] = '\0';
    return exponent + (*c == 'e' ? (int)strtol(c + 1, NULL, 10) : 0);
}

static char *put(char *at, const char *bytes, size_t length)
{
    memcpy(at, bytes, length);
    return at + length;
}

/* Digits with a point; EXPONENT lies between -4 and 15. Returns the end. */
static char *print_plain(char *at, const char *digits, int exponent)
{
    static const char zeros[] = "0000000000000000";
    size_t count = strlen(digits);
    if (exponent < 0) {
        at = put(at, "0.", 2);
        at = put(at, zeros, (size_t)(-exponent - 1));
        return put(at, digits, count);
    }
    size_t whole = (size_t)exponent + 1;
    if (count <= whole) {
        at = put(at, digits, count);
        at = put(at, zeros, whole - count);
        return put(at, ".0", 2);
    }
    at = put(at, digits, whole);
    *at++ = '.';
    return put(at, digits + whole, count - whole);
}

/* Between these yyjson lays numbers out as we do; a margin for rounding. */
static bool is_laid_out_alike(double magnitude)
{
    return magnitude >= 1e-3 && magnitude < 1e15;
}

size_t double_text(double value, char bytes[32])
{
    char pool[1024];
    char digits[DIGITS_MAX + 1];
    char *at = bytes;
    if (signbit(value))
        *at++ = '-';
    struct text form = shortest_form(fabs(value), pool, sizeof pool);
    if (is_laid_out_alike(fabs(value))) {
        at = put(at, form.data, form.length);
        return (size_t)(at - bytes);
    }
    int exponent = shortest_digits(form.data, digits);
    if (exponent >= -4 && exponent < 16)
        at = print_plain(at, digits, exponent);
    else
        at += snprintf(at, 28, "%c%s%se%c%02d", digits[0], digits[1] ? "." : "",
                       digits + 1, exponent < 0 ? '-' : '+', abs(exponent));
    return (size_t)(at - bytes);
}

/* ---- members ------------------------------------------------------------- */

void json_member_string(struct json_writer *writer, const char *key,
                        const char *value)
{
    json_key(writer, key);
    json_string(writer, value);
}

void json_member_text(struct json_writer *writer, const char *key,
                      struct text value)
{
    json_key(writer, key);
    json_text(writer, value);
}

void json_member_int(struct json_writer *writer, const char *key, int64_t value)
{
    json_key(writer, key);
    json_int(writer, value);
}

void json_member_double(struct json_writer *writer, const char *key,
                        double value)
{
    json_key(writer, key);
    json_double(writer, value);
}

void json_member_bool(struct json_writer *writer, const char *key, bool value)
{
    json_key(writer, key);
    json_bool(writer, value);
}
