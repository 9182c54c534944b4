/*
 * block.c: records of evidence in a block.
 *
 * A block's raw bytes are its own number (varint; so a body that was moved to
 * another row is found out), then one record a line:
 *
 *     tag      byte: kind in bits 0-1, bit 2 set where an event time follows
 *     arrival  signed varint, ms since the arrival before (the first: since 0)
 *     event    signed varint, ms since the event time before; only with bit 2
 *     length   varint, bytes of the original line
 *     LINE     the bytes
 *     REPEAT   signed varint: this line's id minus the repeated one's
 *     OVERSIZE 32 bytes of SHA-256, then kept bytes as varint length and bytes
 *
 * Differences wrap around at 64 bits, so that every pair of times has one.
 * The days of a block are a count and signed varint steps.
 */
#include "store/block.h"

#include "base/clock.h"

#include <stdlib.h>
#include <string.h>

enum { TAG_KIND = 3, TAG_EVENT = 4, TAG_ALL = 7 };

/* Larger buffers are given back when a block ends. */
enum { RAW_KEPT_BYTES = 4 << 20 };

/* ---- days ---------------------------------------------------------------- */

void day_set_add(struct day_set *set, int64_t day)
{
    size_t low = 0;
    size_t high = set->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (set->days[middle] < day)
            low = middle + 1;
        else
            high = middle;
    }
    if (low < set->count && set->days[low] == day)
        return;
    if (set->count == set->capacity) {
        set->capacity = set->capacity ? set->capacity * 2 : 8;
        set->days = memory_resize(set->days, set->capacity * sizeof(int64_t));
    }
    memmove(set->days + low + 1, set->days + low,
            (set->count - low) * sizeof(int64_t));
    set->days[low] = day;
    set->count++;
}

void day_set_encode(const struct day_set *set, struct buf *out)
{
    int64_t before = 0;
    buf_add_varint(out, set->count);
    for (size_t i = 0; i < set->count; i++) {
        buf_add_signed(out, wrapping_difference(set->days[i], before));
        before = set->days[i];
    }
}

bool day_set_decode(struct day_set *set, struct text encoded)
{
    struct reader reader = reader_over(encoded.data, encoded.length);
    uint64_t left = read_varint(&reader);
    int64_t day = 0;
    while (left-- && !reader.failed) {
        day = wrapping_sum(day, read_signed(&reader));
        if (!reader.failed)
            day_set_add(set, day);
    }
    return !reader.failed && reader.at == reader.end;
}

void day_set_free(struct day_set *set)
{
    free(set->days);
    *set = (struct day_set){0};
}

/* ---- writing ------------------------------------------------------------- */

void block_start(struct block *block, int64_t number)
{
    struct buf raw = block->raw;
    struct day_set days = block->days;
    raw.length = 0;
    days.count = 0;
    *block = (struct block){.number = number, .raw = raw, .days = days};
    buf_add_varint(&block->raw, (uint64_t)number);
}

static int64_t day_of(int64_t ms)
{
    return ms / MS_PER_DAY - (ms % MS_PER_DAY < 0);
}

/* What stays to be known about a block besides its bytes. */
static void note_line(struct block *block, const struct evidence_line *line)
{
    if (!block->lines || line->arrival_ms < block->first_arrival_ms)
        block->first_arrival_ms = line->arrival_ms;
    if (!block->lines || line->arrival_ms > block->last_arrival_ms)
        block->last_arrival_ms = line->arrival_ms;
    block->previous_arrival_ms = line->arrival_ms;
    if (line->event_ms != INT64_MIN) {
        block->previous_event_ms = line->event_ms;
        day_set_add(&block->days, day_of(line->event_ms));
    }
    block->lines++;
}

void block_add(struct block *block, const struct evidence_line *line)
{
    struct buf *raw = &block->raw;
    bool timed = line->event_ms != INT64_MIN;
    int64_t id = block->number << BLOCK_LINE_BITS | (int64_t)block->lines;
    buf_add_byte(raw, (uint8_t)(line->kind | (timed ? TAG_EVENT : 0)));
    buf_add_signed(
        raw, wrapping_difference(line->arrival_ms, block->previous_arrival_ms));
    if (timed)
        buf_add_signed(
            raw, wrapping_difference(line->event_ms, block->previous_event_ms));
    buf_add_varint(raw, line->length);
    switch (line->kind) {
    case EVIDENCE_LINE:
        buf_add(raw, line->bytes.data, line->bytes.length);
        break;
    case EVIDENCE_REPEAT:
        buf_add_signed(raw, wrapping_difference(id, line->repeats));
        break;
    case EVIDENCE_OVERSIZE:
        buf_add(raw, line->sha256, SHA256_BYTES);
        buf_add_text(raw, line->bytes);
        break;
    }
    note_line(block, line);
}

void block_end(struct block *block)
{
    if (block->raw.capacity > RAW_KEPT_BYTES)
        buf_free(&block->raw);
}

bool block_is_full(const struct block *block)
{
    return block->raw.length >= BLOCK_RAW_BYTES || block->lines >= BLOCK_LINES;
}

void block_free(struct block *block)
{
    buf_free(&block->raw);
    day_set_free(&block->days);
}

bool block_restore(struct block *block, int64_t number, struct text raw)
{
    struct block_cursor cursor;
    struct evidence_line line = {0};
    block_start(block, number);
    if (!block_cursor_start(&cursor, number, raw))
        return false;
    while (block_cursor_next(&cursor, &line))
        note_line(block, &line);
    buf_clear(&block->raw);
    buf_add(&block->raw, raw.data, raw.length);
    return !cursor.reader.failed;
}

/* ---- reading ------------------------------------------------------------- */

bool block_cursor_start(struct block_cursor *cursor, int64_t number,
                        struct text raw)
{
    *cursor = (struct block_cursor){.reader = reader_over(raw.data, raw.length),
                                    .number = number};
    uint64_t found = read_varint(&cursor->reader);
    if (found != (uint64_t)number)
        cursor->reader.failed = true;
    return !cursor->reader.failed;
}

static void read_payload(struct block_cursor *cursor, struct evidence_line *out)
{
    struct reader *reader = &cursor->reader;
    switch (out->kind) {
    case EVIDENCE_LINE:
        out->bytes = read_bytes(reader, out->length);
        break;
    case EVIDENCE_REPEAT:
        out->repeats = wrapping_difference(out->line, read_signed(reader));
        break;
    case EVIDENCE_OVERSIZE: {
        struct text digest = read_bytes(reader, SHA256_BYTES);
        if (digest.length == SHA256_BYTES)
            memcpy(out->sha256, digest.data, SHA256_BYTES);
        out->bytes = read_text(reader);
        break;
    }
    }
}

bool block_cursor_next(struct block_cursor *cursor, struct evidence_line *out)
{
    struct reader *reader = &cursor->reader;
    if (reader->failed || reader->at == reader->end)
        return false;
    uint8_t tag = read_byte(reader);
    if ((tag & TAG_KIND) > EVIDENCE_OVERSIZE || tag > TAG_ALL)
        reader->failed = true;
    out->kind = (enum evidence_kind)(tag & TAG_KIND);
    out->line = (int64_t)((uint64_t)cursor->number << BLOCK_LINE_BITS |
                          (uint64_t)cursor->index);
    out->bytes = (struct text){"", 0};
    out->repeats = 0;
    memset(out->sha256, 0, SHA256_BYTES);
    cursor->arrival_ms = wrapping_sum(cursor->arrival_ms, read_signed(reader));
    out->arrival_ms = cursor->arrival_ms;
    out->event_ms = INT64_MIN;
    if (tag & TAG_EVENT) {
        cursor->event_ms = wrapping_sum(cursor->event_ms, read_signed(reader));
        out->event_ms = cursor->event_ms;
    }
    out->length = read_varint(reader);
    if (!reader->failed)
        read_payload(cursor, out);
    if (reader->failed)
        return false;
    cursor->index++;
    return true;
}
