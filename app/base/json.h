/*
 * json.h: reading foreign JSON under limits, and writing our own.
 *
 * Reading is yyjson under two caps (size by the caller, depth here), with the
 * coercions of published-metrics.md §1.3, which decide what a field of a wrong
 * type becomes. Duplicate keys: the first one counts. Writing is a small
 * streaming writer onto a buf, so that no document is ever built in memory.
 */
#ifndef ASSAY_BASE_JSON_H
#define ASSAY_BASE_JSON_H

#include "base/arena.h"
#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct yyjson_val; /* opaque outside json.c and the few direct walkers */

/* Values count keys, too: telemetry has one in eight bytes. */
enum { JSON_DEPTH_MAX = 128, JSON_VALUES_MAX = 1 << 19 };

/*
 * The root of a strict RFC 8259 document of LENGTH bytes, allocated in ARENA;
 * null where it is not JSON, nests deeper than JSON_DEPTH_MAX, has more than
 * JSON_VALUES_MAX values, or is more than one. Never modifies BYTES; the values
 * stay valid as long as ARENA.
 */
struct yyjson_val *json_parse(struct arena *arena, const char *bytes,
                              size_t length);

/* How many values there are in VALUE, itself and keys included, and the length
 * of the longest text among them. */
struct json_extent {
    size_t values;
    size_t longest_text;
};
struct json_extent json_extent(struct yyjson_val *value);

/* A member of an object, or null: also where PARENT is null or no object. */
struct yyjson_val *json_member(struct yyjson_val *parent, struct text key);
static inline struct yyjson_val *json_get(struct yyjson_val *parent,
                                          const char *key)
{
    return json_member(parent, text_of(key));
}
bool json_is_object(struct yyjson_val *value);
bool json_is_array(struct yyjson_val *value);
bool json_is_string(struct yyjson_val *value);
bool json_is_number(struct yyjson_val *value);
/* True where the member is missing, or present and null. */
bool json_is_null(struct yyjson_val *value);
size_t json_count(struct yyjson_val *array_or_object);
/* Element I of an array; linear in I, so walk with json_iterator. */
struct json_iterator {
    struct yyjson_val *container;
    struct yyjson_val *next;
    size_t left;
};
struct json_iterator json_iterate(struct yyjson_val *array_or_object);
/* The next element or member value, null at the end; KEY may be null. */
struct yyjson_val *json_next(struct json_iterator *iterator, struct text *key);

/* True for a number written without point and exponent that fits int64. */
bool json_is_int64(struct yyjson_val *value);

/* Coercions of published-metrics.md §1.3. */
struct text json_to_text(struct arena *arena, struct yyjson_val *value);
int64_t json_to_int(struct yyjson_val *value);
double json_to_double(struct yyjson_val *value);
bool json_to_bool(struct yyjson_val *value);
/* As json_to_double reads a text. */
double json_text_to_double(struct arena *arena, struct text text);

/* Compact JSON; key order kept, or keys SORTED bytewise at every level. */
struct text json_compact(struct arena *arena, struct yyjson_val *value,
                         bool sorted);

/* The same, appended to OUT; ARENA is for sorting. */
void json_compact_to(struct buf *out, struct arena *arena,
                     struct yyjson_val *value, bool sorted);

/* Writing. Commas are placed by the writer; the caller keeps the nesting. */
struct json_writer {
    struct buf *out;
    bool need_comma;
};

void json_begin(struct json_writer *writer, char bracket);
void json_end(struct json_writer *writer, char bracket);
void json_key(struct json_writer *writer, const char *key);
/* The same for a key that needs no escaping, of known length. */
void json_name(struct json_writer *writer, const char *name, size_t length);
void json_text(struct json_writer *writer, struct text text);
void json_string(struct json_writer *writer, const char *string);
void json_int(struct json_writer *writer, int64_t value);
/* Shortest decimal that reads back as the same double; null for NaN, Inf. */
void json_double(struct json_writer *writer, double value);
void json_bool(struct json_writer *writer, bool value);
void json_null(struct json_writer *writer);
/* Bytes that are JSON already. */
void json_raw(struct json_writer *writer, struct text json);

/* A key and its value. */
void json_member_string(struct json_writer *writer, const char *key,
                        const char *value);
void json_member_text(struct json_writer *writer, const char *key,
                      struct text value);
void json_member_int(struct json_writer *writer, const char *key,
                     int64_t value);
void json_member_double(struct json_writer *writer, const char *key,
                        double value);
void json_member_bool(struct json_writer *writer, const char *key, bool value);

/* The shortest decimal text of a finite double, as json_double writes it.
 * BYTES must hold 32. Returns the length. */
size_t double_text(double value, char bytes[32]);

#endif
