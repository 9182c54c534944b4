/*
 * query_string.h: what stands behind the question mark, and percent-decoding.
 *
 * Pure. The bytes come from anybody, so everything has a limit and nothing is
 * repaired: what is not well-formed is refused with a sentence.
 */
#ifndef ASSAY_API_QUERY_STRING_H
#define ASSAY_API_QUERY_STRING_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

enum {
    QUERY_BYTES_MAX = 4096,
    QUERY_PARAMETERS_MAX = 32,
    QUERY_NAME_BYTES_MAX = 64,
    QUERY_VALUE_BYTES_MAX = 1024
};

struct query_parameter {
    struct text name;  /* never "" */
    struct text value; /* "" for both "name" and "name=" */
};

struct query_string {
    struct query_parameter list[QUERY_PARAMETERS_MAX];
    size_t count;
};

/* The one name that may stand several times, as the publisher has it (§4.4). */
#define QUERY_REPEATED "caps"

/*
 * Splits and decodes TEXT into QUERY; decoded texts live in ARENA and are
 * UTF-8 without control characters. ERR_INPUT with a sentence otherwise, and
 * where a name stands twice.
 */
MUST_USE enum err query_string_parse(struct arena *arena, struct text text,
                                     struct query_string *query);

/*
 * The same as the publisher reads it, with Go's net/url: of a name that stands
 * twice the first counts, what is not well-formed is passed over, and a value
 * may be any bytes. What is beyond the limits above is passed over, too.
 */
void query_string_parse_as_published(struct arena *arena, struct text text,
                                     struct query_string *query);

/* The value of NAME; data is null where it is not there. */
struct text query_string_value(const struct query_string *query,
                               const char *name);

/* Decodes %XX, and with PLUS also '+' for a blank. ERR_INPUT where a percent
 * sign is not followed by two hexadecimal digits, or where the outcome is not
 * UTF-8 or holds control characters. */
MUST_USE enum err percent_decode(struct arena *arena, struct text text,
                                 bool plus, struct text *decoded);

#endif
