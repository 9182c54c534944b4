/*
 * shred_encode.c: a block's records into shapes, columns and noise. The format
 * is in shred.c.
 */
#include "store/shred_int.h"

#include "base/hash.h"

#include <stdlib.h>
#include <string.h>

static const uint64_t NOISE_MASK = ((uint64_t)1 << NOISE_BITS) - 1;

/* ---- values ----------------------------------------------------- */

static void write_number(struct shredder *shredder, struct column *column,
                         size_t context, int64_t number)
{
    struct guesses guesses = guesses_of(column, context, shredder->event_ms);
    buf_add_signed(&column->codes,
                   wrapping_difference(number, best_guess(column, &guesses)));
    column_learn(column, context, &guesses, number);
}

static void write_decimal(struct shredder *shredder, struct column *column,
                          size_t context, const struct value *value)
{
    buf_add_byte(&column->codes, (uint8_t)value->decimals);
    if (value->decimals < MANY_DIGITS) {
        write_number(shredder, column, context, value->number);
        return;
    }
    uint64_t zigzag = (uint64_t)value->number << 1;
    if (value->number < 0)
        zigzag = ~zigzag;
    uint64_t low = zigzag & NOISE_MASK;
    buf_add_varint(&column->codes, zigzag >> NOISE_BITS);
    for (int i = 0; i < NOISE_BYTES; i++)
        buf_add_byte(shredder->noise, (uint8_t)(low >> 8 * i));
}

/* Returns the text's number. */
static size_t write_text(struct column *column, size_t context,
                         struct text text)
{
    bool added;
    struct memory *memory = &column->memories[context];
    if (memory->word &&
        text_equal(column->words.texts[memory->word - WORD_FIRST], text)) {
        buf_add_byte(&column->codes, WORD_SAME);
        return memory->word - WORD_FIRST;
    }
    size_t number = text_index_add(&column->words, text, &added);
    uint32_t code = (uint32_t)number + WORD_FIRST;
    if (added) {
        buf_add_byte(&column->codes, WORD_ADDED);
        buf_add_text(&column->codes, text);
    } else {
        buf_add_varint(&column->codes, code);
    }
    memory->word = code;
    return number;
}

static void write_value(struct shredder *shredder,
                        const struct shape_slot *slot, size_t context,
                        const struct value *value)
{
    struct column *column = column_at(shredder, slot->column);
    switch (slot->kind) {
    case VALUE_INTEGER:
        write_number(shredder, column, context, value->number);
        break;
    case VALUE_DECIMAL:
        write_decimal(shredder, column, context, value);
        break;
    case VALUE_UUID:
        buf_add(shredder->noise, value->uuid, UUID_BYTES);
        break;
    case VALUE_TEXT:
        write_text(column, context, value->text);
        break;
    }
}

static void write_values(struct shredder *shredder, const struct shape *shape,
                         const struct value *values)
{
    size_t context = 0;
    if (shape->context != SHAPE_NO_CONTEXT) {
        uint32_t column = shape->slots[shape->context].column;
        context = context_of(write_text(column_at(shredder, column), 0,
                                        values[shape->context].text));
    }
    for (size_t i = 0; i < shape->slot_count; i++)
        if (i != shape->context)
            write_value(shredder, &shape->slots[i], context, &values[i]);
}

/* ---- records ------------------------------------------------------------- */

/* Lines of so few shapes follow each other, mostly. */
enum { RECENT_SHAPES = 8 };

/* In what gateways send, behind an id that is a UUID: the event's type. */
enum { HINT_AT = 53 };

struct recent_shape {
    size_t number;
    uint64_t hint; /* of the last line that had it */
};

struct writing {
    struct shredder *shredder;
    struct buf records;
    struct buf scratch;
    struct value *values;                      /* SHAPE_VALUES_MAX of them */
    struct recent_shape recent[RECENT_SHAPES]; /* the last one first */
    size_t recent_count;
    int64_t arrival_ms; /* of the record before */
    int64_t event_ms;
};

/* Bytes that lines of one shape mostly have in common, 0 for a short line. */
static uint64_t hint_of(struct text line)
{
    uint64_t hint = 0;
    if (line.length >= HINT_AT + sizeof hint)
        memcpy(&hint, line.data + HINT_AT, sizeof hint);
    return hint;
}

/* Puts shape NUMBER before the recent ones; the one at PLACE makes room. */
static void make_first(struct writing *writing, size_t place, size_t number,
                       uint64_t hint)
{
    memmove(writing->recent + 1, writing->recent,
            place * sizeof *writing->recent);
    writing->recent[0] = (struct recent_shape){number, hint};
}

/* Tries those whose lines have, or have not, HINT. */
static bool match_recent(struct writing *writing, struct text line,
                         uint64_t hint, bool hinted)
{
    const struct shape *shapes = writing->shredder->shapes;
    for (size_t i = 0; i < writing->recent_count; i++) {
        struct recent_shape recent = writing->recent[i];
        if ((recent.hint == hint) == hinted &&
            shape_match(&shapes[recent.number], line, writing->values)) {
            make_first(writing, i, recent.number, hint);
            return true;
        }
    }
    return false;
}

static bool cut_line(struct writing *writing, struct text line, uint64_t hint)
{
    struct shredder *shredder = writing->shredder;
    size_t count;
    bool added;
    buf_clear(&writing->scratch);
    if (!shape_cut(line, &writing->scratch, writing->values, &count))
        return false;
    struct text text = {writing->scratch.data, writing->scratch.length};
    size_t number = text_index_add(&shredder->shape_texts, text, &added);
    if (added) {
        shape_add(shredder, shredder->shape_texts.texts[number]);
        shape_remember(&shredder->shapes[number], writing->values);
    }
    if (writing->recent_count < RECENT_SHAPES)
        writing->recent_count++;
    make_first(writing, writing->recent_count - 1, number, hint);
    return true;
}

/* True where LINE could be cut; its values are then in their columns. */
static bool write_shaped(struct writing *writing, struct text line)
{
    uint64_t hint = hint_of(line);
    if (!match_recent(writing, line, hint, true) &&
        !match_recent(writing, line, hint, false) &&
        !cut_line(writing, line, hint))
        return false;
    size_t number = writing->recent[0].number;
    buf_add_varint(&writing->records, number);
    write_values(writing->shredder, &writing->shredder->shapes[number],
                 writing->values);
    return true;
}

static void write_payload(struct writing *writing, size_t tag_at,
                          const struct evidence_line *line)
{
    struct buf *records = &writing->records;
    switch (line->kind) {
    case EVIDENCE_LINE:
        if (write_shaped(writing, line->bytes))
            break;
        records->data[tag_at] |= TAG_WHOLE;
        buf_add_text(records, line->bytes);
        break;
    case EVIDENCE_REPEAT:
        buf_add_varint(records, line->length);
        buf_add_signed(records, wrapping_difference(line->line, line->repeats));
        break;
    case EVIDENCE_OVERSIZE:
        buf_add_varint(records, line->length);
        buf_add(records, line->sha256, SHA256_BYTES);
        buf_add_text(records, line->bytes);
        break;
    }
}

static void write_record(struct writing *writing,
                         const struct evidence_line *line)
{
    struct buf *records = &writing->records;
    size_t tag_at = records->length;
    bool timed = line->event_ms != INT64_MIN;
    buf_add_byte(records, (uint8_t)(line->kind | (timed ? TAG_TIMED : 0)));
    buf_add_signed(records,
                   wrapping_difference(line->arrival_ms, writing->arrival_ms));
    writing->arrival_ms = line->arrival_ms;
    if (timed) {
        buf_add_signed(records,
                       wrapping_difference(line->event_ms, writing->event_ms));
        writing->event_ms = line->event_ms;
    }
    writing->shredder->event_ms = writing->event_ms;
    write_payload(writing, tag_at, line);
}

static void write_pack(const struct shredder *shredder, int64_t number,
                       const struct buf *records, struct buf *pack)
{
    buf_add_varint(pack, (uint64_t)number);
    buf_add_varint(pack, shredder->shape_count);
    for (size_t i = 0; i < shredder->shape_count; i++)
        buf_add_text(pack, shredder->shape_texts.texts[i]);
    buf_add_varint(pack, shredder->names.count);
    for (size_t i = 0; i < shredder->names.count; i++) {
        const struct column *column = shredder->columns[i];
        buf_add_varint(pack, column ? column->codes.length : 0);
        if (column)
            buf_add(pack, column->codes.data, column->codes.length);
    }
    buf_add(pack, records->data, records->length);
}

bool shred_encode(struct text raw, struct buf *pack, struct buf *noise)
{
    struct reader head = reader_over(raw.data, raw.length);
    int64_t number = (int64_t)read_varint(&head);
    struct block_cursor cursor;
    struct evidence_line line = {0};
    buf_clear(pack);
    buf_clear(noise);
    if (!block_cursor_start(&cursor, number, raw))
        return false;
    struct writing writing = {
        .shredder = shredder_new(),
        .values = memory_alloc(SHAPE_VALUES_MAX * sizeof *writing.values)};
    writing.shredder->noise = noise;
    while (block_cursor_next(&cursor, &line))
        write_record(&writing, &line);
    write_pack(writing.shredder, number, &writing.records, pack);
    shredder_free(writing.shredder);
    free(writing.values);
    buf_free(&writing.records);
    buf_free(&writing.scratch);
    return !cursor.reader.failed;
}
