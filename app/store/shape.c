/*
 * shape.c: see shape.h.
 *
 * One pass over the line, no JSON parser: evidence is whatever arrived, and a
 * parser would forget spaces, escapes and the spelling of numbers. A number is
 * taken as one only where writing it again gives the same bytes.
 */
#include "store/shape.h"

#include <string.h>

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* ---- what a value is ----------------------------------------------------- */

/* Behind the digits at AT, which are added to *NUMBER; it wraps around. */
static inline const char *read_digits(const char *at, const char *end,
                                      uint64_t *number)
{
    for (; at < end && is_digit(*at); at++)
        *number = *number * 10 + (uint64_t)(*at - '0');
    return at;
}

/* Behind the number at AT: digits with one sign and one point at the most,
 * spelled as value_write spells them; else null. */
static inline const char *read_number(const char *at, const char *end,
                                      struct value *value)
{
    bool negative = at < end && *at == '-';
    uint64_t number = 0;
    const char *first = at + negative;
    const char *point = read_digits(first, end, &number);
    at = point;
    if (at < end && *at == '.')
        at = read_digits(at + 1, end, &number);
    ptrdiff_t whole = point - first;
    ptrdiff_t decimals = at > point ? at - point - 1 : 0;
    bool plain = whole >= 1 && (whole == 1 || *first != '0') &&
                 whole + decimals <= SHAPE_DIGITS_MAX &&
                 (number || !negative) && (at == point || decimals);
    value->kind = at > point ? VALUE_DECIMAL : VALUE_INTEGER;
    value->number = negative ? -(int64_t)number : (int64_t)number;
    value->decimals = (unsigned)decimals;
    return plain ? at : NULL;
}

static bool begins_number(char c)
{
    return is_digit(c) || c == '-';
}

static inline void classify(struct value *value)
{
    struct text text = value->text;
    const char *end = text.data + text.length;
    if (text.length && begins_number(text.data[0]) &&
        read_number(text.data, end, value) == end)
        return;
    value->kind = uuid_read(text, value->uuid) ? VALUE_UUID : VALUE_TEXT;
}

/* ---- where it ends ------------------------------------------------------- */

/* Of eight bytes, the top bit of the first that is '"', '\\' or a control
 * character, 0 for none: a byte from which 1 (or ' ') can be taken only by
 * borrowing has its top bit set then. Bits above that one may be set as well.
 */
static uint64_t first_special(uint64_t bytes)
{
    const uint64_t ones = 0x0101010101010101;
    uint64_t quotes = bytes ^ ones * '"';
    uint64_t escapes = bytes ^ ones * '\\';
    return (((quotes - ones) & ~quotes) | ((escapes - ones) & ~escapes) |
            ((bytes - ones * ' ') & ~bytes)) &
           ones << 7;
}

/* The end of the string whose inside begins at AT, or END where it has none or
 * has control characters. The first byte is a word's lowest, as on all machines
 * that we build for. */
static inline const char *string_end(const char *at, const char *end)
{
    uint64_t bytes;
    while (end - at >= 8) {
        memcpy(&bytes, at, sizeof bytes);
        uint64_t special = first_special(bytes);
        if (special) {
            at += __builtin_ctzll(special) / 8;
            break;
        }
        at += 8;
    }
    for (bool escaped = false; at < end; at++) {
        if ((unsigned char)*at < ' ')
            return end;
        if (*at == '"' && !escaped)
            return at;
        escaped = *at == '\\' && !escaped;
    }
    return end;
}

static bool goes_on_number(char c)
{
    return is_digit(c) || c == '.' || c == '-' || c == '+' || c == 'e' ||
           c == 'E';
}

static const char *number_end(const char *at, const char *end)
{
    while (at < end && goes_on_number(*at))
        at++;
    return at;
}

/* Whether the string that ends at AT names a value. */
static bool is_key(const char *at, const char *end)
{
    return at + 1 < end && at[1] == ':';
}

/* ---- cutting ------------------------------------------------------------- */

struct cutter {
    const char *at;
    const char *end;
    const char *copied; /* what lies before is in the shape */
    struct buf *shape;
    struct value *values;
    size_t count;
};

/* The value from START up to the cutter's place. */
static bool take(struct cutter *cutter, const char *start, bool quoted)
{
    if (cutter->count == SHAPE_VALUES_MAX)
        return false;
    struct value *value = &cutter->values[cutter->count++];
    value->quoted = quoted;
    value->text = (struct text){start, (size_t)(cutter->at - start)};
    classify(value);
    buf_add(cutter->shape, cutter->copied, (size_t)(start - cutter->copied));
    buf_add_byte(cutter->shape, (uint8_t)value->kind);
    cutter->copied = cutter->at;
    return true;
}

/* At the opening quote; afterwards behind the closing one. A key stays in the
 * shape. */
static bool cut_string(struct cutter *cutter)
{
    const char *start = ++cutter->at;
    cutter->at = string_end(start, cutter->end);
    if (cutter->at == cutter->end)
        return false;
    bool good = is_key(cutter->at, cutter->end) || take(cutter, start, true);
    cutter->at++;
    return good;
}

static bool cut_number(struct cutter *cutter)
{
    const char *start = cutter->at;
    cutter->at = number_end(start, cutter->end);
    return take(cutter, start, false);
}

bool shape_cut(struct text line, struct buf *shape, struct value *values,
               size_t *count)
{
    struct cutter cutter = {.at = line.data,
                            .end = line.data + line.length,
                            .copied = line.data,
                            .shape = shape,
                            .values = values};
    while (cutter.at < cutter.end) {
        char c = *cutter.at;
        bool good = (unsigned char)c >= ' ';
        if (c == '"')
            good = cut_string(&cutter);
        else if (begins_number(c))
            good = cut_number(&cutter);
        else
            cutter.at++;
        if (!good)
            return false;
    }
    buf_add(shape, cutter.copied, (size_t)(cutter.end - cutter.copied));
    *count = cutter.count;
    return true;
}

void value_write(struct buf *out, enum value_kind kind, int64_t number,
                 unsigned decimals)
{
    char room[INT_TEXT_BYTES];
    struct text digits = int_text(number, room);
    if (kind == VALUE_INTEGER) {
        buf_add(out, digits.data, digits.length);
        return;
    }
    if (number < 0) {
        buf_add_byte(out, '-');
        digits.data++;
        digits.length--;
    }
    if (digits.length <= decimals)
        buf_add_byte(out, '0');
    else
        buf_add(out, digits.data, digits.length - decimals);
    buf_add_byte(out, '.');
    for (size_t zeros = digits.length; zeros < decimals; zeros++)
        buf_add_byte(out, '0');
    size_t fraction = digits.length < decimals ? digits.length : decimals;
    buf_add(out, digits.data + digits.length - fraction, fraction);
}

/* ---- taking a shape apart ------------------------------------------------ */

static bool is_mark(char c)
{
    return c >= VALUE_INTEGER && c <= VALUE_TEXT;
}

/* Behind the string that opens at AT; *KEY becomes its text if it is a key. */
static const char *skip_string(const char *at, const char *end,
                               struct text *key)
{
    const char *start = ++at;
    while (at < end && *at != '"' && !is_mark(*at))
        at += *at == '\\' && at + 1 < end ? 2 : 1;
    if (at + 1 < end && *at == '"' && at[1] == ':')
        *key = (struct text){start, (size_t)(at - start)};
    return at < end && *at == '"' ? at + 1 : at < end ? at : end;
}

/* Columns beyond the cap share one a kind. */
static uint32_t column_of(struct text_index *columns, enum value_kind kind,
                          struct text key)
{
    struct buf name = {0};
    while (columns->count <= VALUE_TEXT)
        text_index_add(columns, (struct text){&"\0\1\2\3\4"[columns->count], 1},
                       NULL);
    buf_add_byte(&name, (uint8_t)kind);
    buf_add(&name, key.data, key.length);
    struct text text = {name.data, name.length};
    ptrdiff_t found = text_index_find(columns, text);
    if (found < 0 && columns->count == SHAPE_COLUMNS_MAX)
        found = kind;
    if (found < 0)
        found = (ptrdiff_t)text_index_add(columns, text, NULL);
    buf_free(&name);
    return (uint32_t)found;
}

static bool names_context(enum value_kind kind, struct text key)
{
    return kind == VALUE_TEXT &&
           (text_is(key, "stream_id") || text_is(key, "request_id"));
}

void shape_parse(struct arena *arena, struct text_index *columns,
                 struct text text, struct shape *shape)
{
    size_t marks = 0;
    for (size_t i = 0; i < text.length; i++)
        marks += is_mark(text.data[i]);
    *shape =
        (struct shape){.slots = arena_array(arena, marks, sizeof *shape->slots),
                       .context = SHAPE_NO_CONTEXT};
    const char *end = text.data + text.length;
    const char *before = text.data;
    struct text key = {"", 0};
    for (const char *at = before; at < end;) {
        if (*at == '"')
            at = skip_string(at, end, &key);
        if (at == end || !is_mark(*at)) {
            at += at < end && *at != '"';
            continue;
        }
        enum value_kind kind = (enum value_kind) * at;
        if (shape->context == SHAPE_NO_CONTEXT && names_context(kind, key))
            shape->context = shape->slot_count;
        shape->slots[shape->slot_count++] =
            (struct shape_slot){.before = {before, (size_t)(at - before)},
                                .kind = kind,
                                .column = column_of(columns, kind, key)};
        before = ++at;
        /* The closing quote of a string that was cut opens no other. */
        at += at < end && *at == '"';
    }
    shape->rest = (struct text){before, (size_t)(end - before)};
}

/* ---- lines of a known shape ---------------------------------------------- */

void shape_remember(struct shape *shape, const struct value *values)
{
    for (size_t i = 0; i < shape->slot_count; i++)
        shape->slots[i].quoted = values[i].quoted;
}

/* Behind TEXT where it stands at AT, else null. */
static inline const char *behind(const char *at, const char *end,
                                 struct text text)
{
    if ((size_t)(end - at) < text.length ||
        (text.length && memcmp(at, text.data, text.length)))
        return NULL;
    return at + text.length;
}

/* Behind the value at AT, or null where there is none in quotes or without. */
static inline const char *match_quoted(const char *at, const char *end,
                                       struct value *value)
{
    const char *stop = string_end(at, end);
    value->text = (struct text){at, (size_t)(stop - at)};
    if (stop == end || is_key(stop, end))
        return NULL;
    classify(value);
    return stop;
}

static inline const char *match_bare(const char *at, const char *end,
                                     struct value *value)
{
    if (at == end || !begins_number(*at))
        return NULL;
    const char *stop = read_number(at, end, value);
    bool whole = stop && (stop == end || !goes_on_number(*stop));
    if (!whole)
        stop = number_end(at, end);
    value->text = (struct text){at, (size_t)(stop - at)};
    if (!whole)
        classify(value);
    return stop;
}

bool shape_match(const struct shape *shape, struct text line,
                 struct value *values)
{
    const char *at = line.data;
    const char *end = line.data + line.length;
    for (size_t i = 0; i < shape->slot_count; i++) {
        const struct shape_slot *slot = &shape->slots[i];
        at = behind(at, end, slot->before);
        if (at && slot->quoted)
            at = match_quoted(at, end, &values[i]);
        else if (at)
            at = match_bare(at, end, &values[i]);
        if (!at || values[i].kind != slot->kind)
            return false;
    }
    return behind(at, end, shape->rest) == end;
}
