/*
 * query_string.c: see query_string.h.
 */
#include "api/query_string.h"

#include "base/hex.h"
#include "base/utf8.h"

#include <string.h>

static bool has_control(struct text text)
{
    for (size_t i = 0; i < text.length; i++) {
        unsigned char c = (unsigned char)text.data[i];
        if (c < 0x20 || c == 0x7F)
            return true;
    }
    return false;
}

/* ---- percent signs ------------------------------------------------------- */

/* The byte that "%XX" at the start of TEXT stands for, or -1. */
static int escaped_byte(struct text text)
{
    if (text.length < 3)
        return -1;
    int high = hex_digit(text.data[1]);
    int low = hex_digit(text.data[2]);
    return high < 0 || low < 0 ? -1 : high * 16 + low;
}

/* Any bytes; false where a percent sign stands for none. */
static bool decode_bytes(struct arena *arena, struct text text, bool plus,
                         struct text *decoded)
{
    char *out = arena_alloc(arena, text.length + 1);
    size_t length = 0;
    for (size_t i = 0; i < text.length; i++) {
        char c = text.data[i];
        if (c == '%') {
            struct text rest = {text.data + i, text.length - i};
            int byte = escaped_byte(rest);
            if (byte < 0)
                return false;
            c = (char)byte;
            i += 2;
        } else if (plus && c == '+') {
            c = ' ';
        }
        out[length++] = c;
    }
    *decoded = (struct text){out, length};
    return true;
}

enum err percent_decode(struct arena *arena, struct text text, bool plus,
                        struct text *decoded)
{
    if (!decode_bytes(arena, text, plus, decoded))
        return err_set(ERR_INPUT,
                       "a percent sign in the address is not followed by two "
                       "hexadecimal digits");
    if (has_control(*decoded) || !text_is_utf8(*decoded))
        return err_set(ERR_INPUT, "the address holds bytes that are no text "
                                  "(UTF-8 without control characters)");
    return ERR_NONE;
}

/* ---- parameters ---------------------------------------------------------- */

/* Cuts the piece before SEPARATOR off the front of REST. */
static struct text cut(struct text *rest, char separator)
{
    const char *end =
        rest->length ? memchr(rest->data, separator, rest->length) : NULL;
    struct text piece = *rest;
    if (end) {
        piece.length = (size_t)(end - rest->data);
        rest->data = end + 1;
        rest->length -= piece.length + 1;
    } else {
        rest->data += rest->length;
        rest->length = 0;
    }
    return piece;
}

static const struct query_parameter *find(const struct query_string *query,
                                          struct text name)
{
    for (size_t i = 0; i < query->count; i++) {
        if (text_equal(query->list[i].name, name))
            return &query->list[i];
    }
    return NULL;
}

static enum err check(const struct query_string *query,
                      const struct query_parameter *one)
{
    if (one->name.length == 0)
        return err_set(ERR_INPUT, "a parameter in the address has no name");
    if (one->name.length > QUERY_NAME_BYTES_MAX)
        return err_set(ERR_INPUT, "a parameter's name is over %d bytes long",
                       QUERY_NAME_BYTES_MAX);
    int length = (int)one->name.length;
    if (one->value.length > QUERY_VALUE_BYTES_MAX)
        return err_set(ERR_INPUT,
                       "the value of parameter \"%.*s\" is over %d bytes long",
                       length, one->name.data, QUERY_VALUE_BYTES_MAX);
    if (find(query, one->name) && !text_is(one->name, QUERY_REPEATED))
        return err_set(ERR_INPUT, "parameter \"%.*s\" is given twice", length,
                       one->name.data);
    if (query->count == QUERY_PARAMETERS_MAX)
        return err_set(ERR_INPUT, "more than %d parameters are given",
                       QUERY_PARAMETERS_MAX);
    return ERR_NONE;
}

enum err query_string_parse(struct arena *arena, struct text text,
                            struct query_string *query)
{
    query->count = 0;
    if (text.length > QUERY_BYTES_MAX)
        return err_set(ERR_INPUT, "the parameters are over %d bytes long",
                       QUERY_BYTES_MAX);
    struct text rest = text;
    while (rest.length > 0) {
        struct text value = cut(&rest, '&');
        if (value.length == 0)
            continue; /* "a=1&&b=2": nothing stands between */
        struct text name = cut(&value, '=');
        struct query_parameter one;
        enum err err = percent_decode(arena, name, true, &one.name);
        if (!err)
            err = percent_decode(arena, value, true, &one.value);
        if (!err)
            err = check(query, &one);
        if (err)
            return err;
        query->list[query->count++] = one;
    }
    return ERR_NONE;
}

/* As Go does since its version 1.17, which takes a semicolon for a mistake. */
static bool is_passed_over(struct text pair)
{
    return !pair.length || memchr(pair.data, ';', pair.length);
}

void query_string_parse_as_published(struct arena *arena, struct text text,
                                     struct query_string *query)
{
    struct text rest = text;
    query->count = 0;
    if (rest.length > QUERY_BYTES_MAX)
        rest.length = QUERY_BYTES_MAX;
    while (rest.length > 0 && query->count < QUERY_PARAMETERS_MAX) {
        struct text value = cut(&rest, '&');
        if (is_passed_over(value))
            continue;
        struct text name = cut(&value, '=');
        struct query_parameter one;
        if (decode_bytes(arena, name, true, &one.name) &&
            decode_bytes(arena, value, true, &one.value) &&
            (!find(query, one.name) || text_is(one.name, QUERY_REPEATED)))
            query->list[query->count++] = one;
    }
}

struct text query_string_value(const struct query_string *query,
                               const char *name)
{
    const struct query_parameter *one = find(query, text_of(name));
    return one ? one->value : (struct text){0};
}
