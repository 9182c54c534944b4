/*
 * shred_decode.c: records out of shapes, columns and noise. The format is in
 * shred.c.
 *
 * The bytes may be damaged: readers stay failed after the first short read,
 * numbers of shapes, columns and texts are checked, and what comes out is
 * bounded by the caller.
 */
#include "store/shred_int.h"

#include "base/hash.h"

#include <stdlib.h>
#include <string.h>

/* Greater numbers of a block leave no room for its lines' ids. */
static const uint64_t NUMBER_MAX = (uint64_t)INT64_MAX >> BLOCK_LINE_BITS;

/* ---- values ----------------------------------------------------- */

static int64_t read_number(struct shredder *shredder, struct column *column,
                           size_t context)
{
    struct guesses guesses = guesses_of(column, context, shredder->event_ms);
    int64_t number = wrapping_sum(read_signed(&column->reader),
                                  best_guess(column, &guesses));
    column_learn(column, context, &guesses, number);
    return number;
}

static void read_decimal(struct shredder *shredder, struct column *column,
                         size_t context, struct buf *line)
{
    unsigned decimals = read_byte(&column->reader);
    int64_t number;
    if (decimals < MANY_DIGITS) {
        number = read_number(shredder, column, context);
    } else {
        uint64_t zigzag = read_varint(&column->reader) << NOISE_BITS;
        for (int i = 0; i < NOISE_BYTES; i++)
            zigzag |= (uint64_t)read_byte(&shredder->noise_reader) << 8 * i;
        number = (int64_t)(zigzag >> 1);
        number = zigzag & 1 ? ~number : number;
    }
    if (decimals > SHAPE_DIGITS_MAX)
        column->reader.failed = true;
    else
        value_write(line, VALUE_DECIMAL, number, decimals);
}

static void read_uuid(struct reader *noise, struct buf *line)
{
    struct text bytes = read_bytes(noise, UUID_BYTES);
    if (bytes.length != UUID_BYTES)
        return;
    buf_reserve(line, UUID_LENGTH);
    uuid_write((const uint8_t *)bytes.data, line->data + line->length);
    line->length += UUID_LENGTH;
}

static void add_word(struct column *column, struct text text)
{
    if (column->text_count == column->text_capacity) {
        column->text_capacity = column->text_capacity * 2 + 16;
        column->texts = memory_resize(column->texts, column->text_capacity *
                                                         sizeof *column->texts);
    }
    column->texts[column->text_count++] = text;
}

/* The number of the next text; 0 of an empty list where there is none. */
static size_t read_word(struct column *column, size_t context)
{
    struct memory *memory = &column->memories[context];
    uint64_t code = read_varint(&column->reader);
    if (code == WORD_SAME) {
        code = memory->word;
    } else if (code == WORD_ADDED) {
        add_word(column, read_text(&column->reader));
        code = column->text_count - 1 + WORD_FIRST;
    }
    if (code < WORD_FIRST || code - WORD_FIRST >= column->text_count) {
        column->reader.failed = true;
        return 0;
    }
    memory->word = (uint32_t)code;
    return code - WORD_FIRST;
}

static void read_text_value(struct column *column, size_t context,
                            struct buf *line)
{
    size_t number = read_word(column, context);
    if (number < column->text_count)
        buf_add(line, column->texts[number].data, column->texts[number].length);
}

static bool read_value(struct shredder *shredder, const struct shape_slot *slot,
                       size_t context, struct buf *line)
{
    struct column *column = column_at(shredder, slot->column);
    switch (slot->kind) {
    case VALUE_INTEGER:
        value_write(line, VALUE_INTEGER, read_number(shredder, column, context),
                    0);
        break;
    case VALUE_DECIMAL:
        read_decimal(shredder, column, context, line);
        break;
    case VALUE_UUID:
        read_uuid(&shredder->noise_reader, line);
        break;
    case VALUE_TEXT:
        read_text_value(column, context, line);
        break;
    }
    return !column->reader.failed && !shredder->noise_reader.failed;
}

/* Appends the line of SHAPE; the context's value comes first in its column. */
static bool read_values(struct shredder *shredder, const struct shape *shape,
                        struct buf *line)
{
    size_t context = 0;
    struct text name = {"", 0};
    if (shape->context != SHAPE_NO_CONTEXT) {
        struct column *column =
            column_at(shredder, shape->slots[shape->context].column);
        size_t number = read_word(column, 0);
        if (column->reader.failed)
            return false;
        name = column->texts[number];
        context = context_of(number);
    }
    for (size_t i = 0; i < shape->slot_count; i++) {
        const struct shape_slot *slot = &shape->slots[i];
        buf_add(line, slot->before.data, slot->before.length);
        if (i == shape->context)
            buf_add(line, name.data, name.length);
        else if (!read_value(shredder, slot, context, line))
            return false;
    }
    buf_add(line, shape->rest.data, shape->rest.length);
    return true;
}

/* ---- records ---------------------------------------------------- */

struct reading {
    struct shredder *shredder;
    struct reader records;
    struct buf line;
    struct block block; /* whose raw bytes come out */
    int64_t arrival_ms;
    int64_t event_ms;
};

static bool read_shaped(struct reading *reading)
{
    struct shredder *shredder = reading->shredder;
    uint64_t number = read_varint(&reading->records);
    return number < shredder->shape_count && !reading->records.failed &&
           read_values(shredder, &shredder->shapes[number], &reading->line);
}

static bool read_payload(struct reading *reading, bool whole,
                         struct evidence_line *line)
{
    struct reader *records = &reading->records;
    if (line->kind == EVIDENCE_LINE) {
        buf_clear(&reading->line);
        if (whole)
            line->bytes = read_text(records);
        else if (!read_shaped(reading))
            return false;
        else
            line->bytes =
                (struct text){reading->line.data, reading->line.length};
        line->length = line->bytes.length;
        return true;
    }
    line->length = read_varint(records);
    if (line->kind == EVIDENCE_REPEAT) {
        int64_t id = reading->block.number << BLOCK_LINE_BITS |
                     (int64_t)reading->block.lines;
        line->repeats = wrapping_difference(id, read_signed(records));
        return true;
    }
    struct text digest = read_bytes(records, SHA256_BYTES);
    if (digest.length == SHA256_BYTES)
        memcpy(line->sha256, digest.data, SHA256_BYTES);
    line->bytes = read_text(records);
    return true;
}

static bool read_record(struct reading *reading)
{
    struct reader *records = &reading->records;
    uint8_t tag = read_byte(records);
    struct evidence_line line = {.kind = (enum evidence_kind)(tag & TAG_KIND),
                                 .event_ms = INT64_MIN,
                                 .bytes = {"", 0}};
    if ((tag & TAG_KIND) > EVIDENCE_OVERSIZE ||
        tag > (TAG_KIND | TAG_TIMED | TAG_WHOLE))
        return false;
    reading->arrival_ms =
        wrapping_sum(reading->arrival_ms, read_signed(records));
    line.arrival_ms = reading->arrival_ms;
    if (tag & TAG_TIMED) {
        reading->event_ms =
            wrapping_sum(reading->event_ms, read_signed(records));
        line.event_ms = reading->event_ms;
    }
    reading->shredder->event_ms = reading->event_ms;
    if (!read_payload(reading, tag & TAG_WHOLE, &line) || records->failed)
        return false;
    block_add(&reading->block, &line);
    return true;
}

/* A count of things that take at least a byte each. */
static uint64_t read_count(struct reader *in)
{
    uint64_t count = read_varint(in);
    if (count > (uint64_t)(in->end - in->at))
        in->failed = true;
    return in->failed ? 0 : count;
}

static bool read_head(struct shredder *shredder, struct reader *in)
{
    uint64_t shapes = read_count(in);
    for (uint64_t i = 0; i < shapes && !in->failed; i++)
        shape_add(shredder, read_text(in));
    uint64_t columns = read_count(in);
    if (columns != shredder->names.count)
        return false;
    for (uint32_t i = 0; i < columns && !in->failed; i++) {
        struct text codes = read_text(in);
        if (codes.length)
            column_at(shredder, i)->reader =
                reader_over(codes.data, codes.length);
    }
    return !in->failed;
}

/* The next record, if it is sound and fits, is added to the block. */
static bool read_next(struct reading *reading)
{
    return reading->block.lines < BLOCK_LINES && read_record(reading);
}

static bool is_at_end(const struct reading *reading)
{
    return reading->records.at == reading->records.end;
}

/* False where the head is damaged. */
static bool begin(struct reading *reading, struct text pack, struct text noise)
{
    *reading = (struct reading){.shredder = shredder_new(),
                                .records = reader_over(pack.data, pack.length)};
    reading->shredder->noise_reader = reader_over(noise.data, noise.length);
    uint64_t number = read_varint(&reading->records);
    block_start(&reading->block, (int64_t)number);
    return number <= NUMBER_MAX &&
           read_head(reading->shredder, &reading->records);
}

static void end(struct reading *reading)
{
    block_free(&reading->block);
    buf_free(&reading->line);
    shredder_free(reading->shredder);
}

bool shred_decode(struct text pack, struct text noise, size_t most,
                  struct buf *out)
{
    struct reading reading;
    const struct buf *raw = &reading.block.raw;
    bool good = begin(&reading, pack, noise);
    while (good && !is_at_end(&reading))
        good = read_next(&reading) && raw->length <= most;
    if (good)
        buf_add(out, raw->data, raw->length);
    end(&reading);
    return good;
}

/* Takes the raw bytes made so far off the beginning of what is WANTED. */
static bool take_off(struct reading *reading, struct text *wanted)
{
    struct buf *raw = &reading->block.raw;
    if (raw->length > wanted->length ||
        memcmp(raw->data, wanted->data, raw->length))
        return false;
    wanted->data += raw->length;
    wanted->length -= raw->length;
    buf_clear(raw);
    return true;
}

bool shred_gives(struct text pack, struct text noise, struct text raw)
{
    struct reading reading;
    bool good = begin(&reading, pack, noise) && take_off(&reading, &raw);
    while (good && !is_at_end(&reading))
        good = read_next(&reading) && take_off(&reading, &raw);
    end(&reading);
    return good && !raw.length;
}
