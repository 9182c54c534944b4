/*
 * json.c: the reading side over yyjson, see json.h. yyjson itself accepts any
 * depth, and later walkers here recurse; and a document takes 16 bytes a value,
 * which can be eight times its own length. So depth and values are counted on
 * the bytes: before parsing where a document is long, afterwards where it is
 * short and has so many values that it could be too deep.
 */
#include "base/json.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yyjson.h>

/* Room for a document's values. yyjson guesses how many there are by the length
 * and asks for half as much again as often as there are more; of a long one, so
 * much is there from the beginning, and costs nothing until it is written to.
 */
struct values_room {
    struct arena *arena;
    size_t bytes;
};

static void *give_room(void *context, size_t size)
{
    struct values_room *room = context;
    if (room->bytes < size)
        room->bytes = size;
    return arena_raw(room->arena, room->bytes);
}

static void *give_more(void *context, void *old, size_t old_size, size_t size)
{
    struct values_room *room = context;
    if (size <= room->bytes)
        return old;
    room->bytes = size;
    return memcpy(arena_raw(room->arena, size), old, old_size);
}

static void leave_to_arena(void *context, void *memory)
{
    (void)context;
    (void)memory;
}

/* At least as many as there are values; SIZE_MAX where they nest too deeply.
 * Every value but the first stands behind a comma, a colon or a bracket. */
static size_t count_values(const char *bytes, size_t length)
{
    size_t count = 1;
    int depth = 0;
    bool in_string = false;
    for (size_t i = 0; i < length; i++) {
        char c = bytes[i];
        if (in_string) {
            if (c == '\\')
                i++;
            else if (c == '"')
                in_string = false;
        } else if (c == '"') {
            in_string = true;
        } else if (c == ',' || c == ':') {
            count++;
        } else if (c == '{' || c == '[') {
            count++;
            if (++depth > JSON_DEPTH_MAX)
                return SIZE_MAX;
        } else if (c == '}' || c == ']') {
            depth--;
        }
    }
    return count;
}

/* The values of so short a document never take much memory. */
enum { SHORT_BYTES = 1 << 16 };

struct yyjson_val *json_parse(struct arena *arena, const char *bytes,
                              size_t length)
{
    struct values_room room = {.arena = arena};
    if (length > SHORT_BYTES) {
        size_t values = count_values(bytes, length);
        if (values > JSON_VALUES_MAX)
            return NULL;
        room.bytes = (values + values / 2 + 16) * sizeof(struct yyjson_val);
    }
    /* A copy that the parser may write on. */
    char *copy = arena_raw(arena, length + YYJSON_PADDING_SIZE);
    if (length)
        memcpy(copy, bytes, length);
    memset(copy + length, 0, YYJSON_PADDING_SIZE);
    yyjson_alc allocator = {give_room, give_more, leave_to_arena, &room};
    yyjson_doc *document =
        yyjson_read_opts(copy, length, YYJSON_READ_INSITU, &allocator, NULL);
    if (!document ||
        (yyjson_doc_get_val_count(document) > JSON_DEPTH_MAX &&
         length <= SHORT_BYTES && count_values(bytes, length) == SIZE_MAX))
        return NULL;
    return yyjson_doc_get_root(document);
}

static void measure(struct yyjson_val *value, struct json_extent *extent)
{
    extent->values++;
    if (yyjson_is_str(value) && yyjson_get_len(value) > extent->longest_text)
        extent->longest_text = yyjson_get_len(value);
    struct json_iterator iterator = json_iterate(value);
    struct yyjson_val *member;
    struct text key = {NULL, 0};
    while ((member = json_next(&iterator, &key))) {
        extent->values += key.data != NULL;
        if (key.length > extent->longest_text)
            extent->longest_text = key.length;
        measure(member, extent);
    }
}

struct json_extent json_extent(struct yyjson_val *value)
{
    struct json_extent extent = {0};
    if (value)
        measure(value, &extent);
    return extent;
}

struct yyjson_val *json_member(struct yyjson_val *parent, struct text key)
{
    return yyjson_is_obj(parent) ? yyjson_obj_getn(parent, key.data, key.length)
                                 : NULL;
}

bool json_is_object(struct yyjson_val *value)
{
    return yyjson_is_obj(value);
}

bool json_is_array(struct yyjson_val *value)
{
    return yyjson_is_arr(value);
}

bool json_is_string(struct yyjson_val *value)
{
    return yyjson_is_str(value);
}

bool json_is_number(struct yyjson_val *value)
{
    return yyjson_is_num(value);
}

bool json_is_int64(struct yyjson_val *value)
{
    return yyjson_is_sint(value) ||
           (yyjson_is_uint(value) && yyjson_get_uint(value) <= INT64_MAX);
}

bool json_is_null(struct yyjson_val *value)
{
    return !value || yyjson_is_null(value);
}

size_t json_count(struct yyjson_val *array_or_object)
{
    return yyjson_is_ctn(array_or_object) ? yyjson_get_len(array_or_object) : 0;
}

struct json_iterator json_iterate(struct yyjson_val *array_or_object)
{
    struct json_iterator iterator = {array_or_object, NULL,
                                     json_count(array_or_object)};
    if (iterator.left)
        iterator.next = unsafe_yyjson_get_first(array_or_object);
    return iterator;
}

struct yyjson_val *json_next(struct json_iterator *iterator, struct text *key)
{
    if (!iterator->left)
        return NULL;
    iterator->left--;
    struct yyjson_val *value = iterator->next;
    if (yyjson_is_obj(iterator->container)) {
        if (key)
            *key = (struct text){yyjson_get_str(value), yyjson_get_len(value)};
        value++;
    }
    iterator->next = unsafe_yyjson_get_next(value);
    return value;
}

struct text json_to_text(struct arena *arena, struct yyjson_val *value)
{
    if (json_is_null(value))
        return (struct text){"", 0};
    if (yyjson_is_str(value))
        return (struct text){yyjson_get_str(value), yyjson_get_len(value)};
    return json_compact(arena, value, false);
}

static const char *skip_digits(const char *at)
{
    return at + strspn(at, "0123456789");
}

/* The end of an RFC 8259 §6 number at AT, or null. */
static const char *number_end(const char *at)
{
    at += *at == '-';
    const char *whole = at;
    at = skip_digits(at);
    if (at == whole || (*whole == '0' && at > whole + 1))
        return NULL;
    if (*at == '.') {
        const char *fraction = at + 1;
        at = skip_digits(fraction);
        if (at == fraction)
            return NULL;
    }
    if (*at == 'e' || *at == 'E') {
        const char *exponent = at + 1 + (at[1] == '-' || at[1] == '+');
        at = skip_digits(exponent);
        if (at == exponent)
            return NULL;
    }
    return at;
}

/* A text that is one JSON number and nothing else. INTEGER tells whether it
 * has neither point nor exponent. */
static bool is_number(const char *text, size_t length, double *number)
{
    if (number_end(text) != text + length)
        return false;
    *number = strtod(text, NULL);
    return isfinite(*number);
}

static bool numeric_text(struct yyjson_val *value, double *number,
                         bool *integer)
{
    const char *text = yyjson_get_str(value); /* zero-terminated */
    *integer = !strpbrk(text, ".eE");
    return is_number(text, yyjson_get_len(value), number);
}

static int64_t double_to_int(double number)
{
    if (number >= 9223372036854775808.0 || number < -9223372036854775808.0)
        return 0;
    return (int64_t)number;
}

int64_t json_to_int(struct yyjson_val *value)
{
    double number;
    if (yyjson_is_sint(value))
        return yyjson_get_sint(value);
    if (yyjson_is_uint(value))
        return yyjson_get_uint(value) > INT64_MAX
                   ? 0
                   : (int64_t)yyjson_get_uint(value);
    if (yyjson_is_real(value))
        return double_to_int(yyjson_get_real(value));
    bool integer;
    if (!yyjson_is_str(value) || !numeric_text(value, &number, &integer))
        return 0;
    errno = 0;
    long long exact = strtoll(yyjson_get_str(value), NULL, 10);
    if (integer && !errno)
        return exact;
    int64_t whole = double_to_int(number);
    return (double)whole < number || (double)whole > number ? 0 : whole;
}

double json_to_double(struct yyjson_val *value)
{
    double number;
    bool integer;
    if (yyjson_is_num(value))
        return yyjson_get_num(value);
    if (yyjson_is_str(value) && numeric_text(value, &number, &integer))
        return number;
    return 0;
}

double json_text_to_double(struct arena *arena, struct text text)
{
    double number;
    const char *copy = arena_text(arena, text.data, text.length);
    return is_number(copy, text.length, &number) ? number : 0;
}

bool json_to_bool(struct yyjson_val *value)
{
    if (yyjson_is_bool(value))
        return yyjson_get_bool(value);
    double number = yyjson_is_num(value) ? yyjson_get_num(value) : 0;
    return number < 0 || number > 0;
}

struct member {
    struct text key;
    struct yyjson_val *value;
};

static int compare_members(const void *a, const void *b)
{
    const struct member *left = a;
    const struct member *right = b;
    int order = text_compare(left->key, right->key);
    /* Equal keys keep their order: values lie in document order. */
    return order ? order
                 : (left->value > right->value) - (left->value < right->value);
}

static void write_value(struct arena *arena, struct json_writer *writer,
                        struct yyjson_val *value, bool sorted);

static void write_object(struct arena *arena, struct json_writer *writer,
                         struct yyjson_val *object, bool sorted)
{
    size_t count = json_count(object);
    struct member *members = arena_array(arena, count, sizeof *members);
    struct json_iterator iterator = json_iterate(object);
    for (size_t i = 0; i < count; i++)
        members[i].value = json_next(&iterator, &members[i].key);
    if (sorted && count)
        qsort(members, count, sizeof *members, compare_members);
    json_begin(writer, '{');
    for (size_t i = 0; i < count; i++) {
        json_text(writer, members[i].key);
        buf_add_byte(writer->out, ':');
        writer->need_comma = false;
        write_value(arena, writer, members[i].value, sorted);
    }
    json_end(writer, '}');
}

static void write_array(struct arena *arena, struct json_writer *writer,
                        struct yyjson_val *array, bool sorted)
{
    json_begin(writer, '[');
    struct json_iterator iterator = json_iterate(array);
    struct yyjson_val *element;
    while ((element = json_next(&iterator, NULL)))
        write_value(arena, writer, element, sorted);
    json_end(writer, ']');
}

/* Real numbers are written as the first of %.15g, %.16g, %.17g that reads back
 * as the same: payload hashes depend on these bytes. */
static int real_text(double number, char bytes[32])
{
    int length = 0;
    for (int precision = 15; precision <= 17; precision++) {
        length = snprintf(bytes, 32, "%.*g", precision, number);
        double back = strtod(bytes, NULL);
        if (!(back < number || back > number))
            break;
    }
    return length;
}

static void write_number(struct json_writer *writer, struct yyjson_val *value)
{
    char bytes[32];
    int length;
    /* The parser makes -0 a negative integer, but it is none: its text has the
     * sign. */
    bool negative_zero = yyjson_is_sint(value) && !yyjson_get_sint(value);
    if (yyjson_is_real(value) || negative_zero)
        length =
            real_text(negative_zero ? -0.0 : yyjson_get_real(value), bytes);
    else if (yyjson_is_uint(value))
        length = snprintf(bytes, sizeof bytes, "%llu",
                          (unsigned long long)yyjson_get_uint(value));
    else
        length = snprintf(bytes, sizeof bytes, "%lld",
                          (long long)yyjson_get_sint(value));
    json_raw(writer, (struct text){bytes, (size_t)length});
}

static void write_value(struct arena *arena, struct json_writer *writer,
                        struct yyjson_val *value, bool sorted)
{
    if (yyjson_is_obj(value))
        write_object(arena, writer, value, sorted);
    else if (yyjson_is_arr(value))
        write_array(arena, writer, value, sorted);
    else if (yyjson_is_str(value))
        json_text(writer,
                  (struct text){yyjson_get_str(value), yyjson_get_len(value)});
    else if (yyjson_is_num(value))
        write_number(writer, value);
    else if (yyjson_is_bool(value))
        json_bool(writer, yyjson_get_bool(value));
    else
        json_null(writer);
}

void json_compact_to(struct buf *out, struct arena *arena,
                     struct yyjson_val *value, bool sorted)
{
    struct json_writer writer = {.out = out};
    write_value(arena, &writer, value, sorted);
}

struct text json_compact(struct arena *arena, struct yyjson_val *value,
                         bool sorted)
{
    struct buf out = {0};
    json_compact_to(&out, arena, value, sorted);
    struct text text = {arena_text(arena, out.data, out.length), out.length};
    buf_free(&out);
    return text;
}
