/*
 * seen_chunk.c: see seen_chunk.h.
 *
 *     form          byte 1, or 2 without fingerprints
 *     count         varint
 *     lines         varints in pairs, until all entries have one: the step to
 *                   the next line minus one, and how many more have step one
 *     fingerprints  6 bytes each, in the same order (form 1)
 *     flags         count of entries that have any, then for each two varints:
 *                   entries passed over, its flags
 *     padding       zeros, until the length is no multiple of 16
 *
 * Lines of one hour come nearly one after another, so that the order of lines
 * costs nothing, while the order of fingerprints would cost each its line. Of
 * form 2 the fingerprints are made again from the lines that it names. A
 * chunk whose length is a multiple of 16 is of the form before this one: pairs
 * of a fingerprint of eight bytes and a word of line and flags.
 */
#include "ingest/seen_chunk.h"

#include "base/arena.h"

#include <stdlib.h>

enum { FORM = 1, FORM_COLD = 2, FINGERPRINT_BYTES = 6, FORMER_BYTES = 16 };
enum { FLAG_CONFLICT = 1, FLAG_BEATEN = 2 };

static const int64_t LINE_MAX = INT64_MAX >> 3;

/* ---- writing ------------------------------------------------------------- */

static int compare_lines(const void *left, const void *right)
{
    const struct seen_entry *a = left;
    const struct seen_entry *b = right;
    return (a->line > b->line) - (a->line < b->line);
}

static void encode_lines(struct buf *out, const struct seen_entry *entries,
                         size_t count)
{
    int64_t line = -1;
    for (size_t i = 0; i < count;) {
        size_t more = i + 1;
        while (more < count && entries[more].line == entries[more - 1].line + 1)
            more++;
        buf_add_signed(out, entries[i].line - line - 1);
        buf_add_varint(out, more - i - 1);
        line = entries[more - 1].line;
        i = more;
    }
}

static unsigned flags_of(const struct seen_entry *entry)
{
    return (entry->conflict ? FLAG_CONFLICT : 0) |
           (entry->beaten ? FLAG_BEATEN : 0);
}

static void encode_flags(struct buf *out, const struct seen_entry *entries,
                         size_t count)
{
    size_t flagged = 0;
    size_t passed = 0;
    for (size_t i = 0; i < count; i++)
        flagged += flags_of(&entries[i]) != 0;
    buf_add_varint(out, flagged);
    for (size_t i = 0; i < count && flagged; i++) {
        if (!flags_of(&entries[i])) {
            passed++;
            continue;
        }
        buf_add_varint(out, passed);
        buf_add_varint(out, flags_of(&entries[i]));
        passed = 0;
    }
}

/* What a batch adds is sorted when it comes. */
static void sort_by_line(struct seen_entry *entries, size_t count)
{
    for (size_t i = 1; i < count; i++)
        if (entries[i - 1].line > entries[i].line) {
            qsort(entries, count, sizeof *entries, compare_lines);
            return;
        }
}

void seen_chunk_encode(struct buf *out, struct seen_entry *entries,
                       size_t count, bool cold)
{
    size_t start = out->length;
    sort_by_line(entries, count);
    buf_add_byte(out, cold ? FORM_COLD : FORM);
    buf_add_varint(out, count);
    encode_lines(out, entries, count);
    for (size_t i = 0; i < count && !cold; i++)
        for (int byte = 0; byte < FINGERPRINT_BYTES; byte++)
            buf_add_byte(out, (uint8_t)(entries[i].fingerprint >> 8 * byte));
    encode_flags(out, entries, count);
    while ((out->length - start) % FORMER_BYTES == 0)
        buf_add_byte(out, 0);
}

/* ---- reading ------------------------------------------------------------- */

static bool decode_former(struct reader *in,
                          void (*add)(void *context,
                                      const struct seen_entry *entry),
                          void *context)
{
    const uint64_t line_mask = ((uint64_t)1 << 62) - 1;
    while (in->at < in->end && !in->failed) {
        uint64_t fingerprint = read_u64(in);
        uint64_t word = read_u64(in);
        struct seen_entry entry = {.line = (int64_t)(word & line_mask),
                                   .fingerprint =
                                       fingerprint & SEEN_FINGERPRINT_MASK,
                                   .conflict = (word >> 63) != 0,
                                   .beaten = (word >> 62 & 1) != 0};
        if (entry.line > LINE_MAX)
            in->failed = true;
        else
            add(context, &entry);
    }
    return !in->failed;
}

static void decode_lines(struct reader *in, struct seen_entry *entries,
                         size_t count)
{
    int64_t line = -1;
    for (size_t i = 0; i < count && !in->failed;) {
        uint64_t step = (uint64_t)read_signed(in);
        uint64_t more = read_varint(in);
        line = (int64_t)((uint64_t)line + 1 + step);
        if (more >= count - i || line < 0 || line > LINE_MAX - (int64_t)more) {
            in->failed = true;
            return;
        }
        for (uint64_t k = 0; k <= more; k++)
            entries[i++].line = line + (int64_t)k;
        line += (int64_t)more;
    }
}

static void decode_flags(struct reader *in, struct seen_entry *entries,
                         size_t count)
{
    size_t at = 0;
    for (uint64_t left = read_varint(in); left && !in->failed; left--) {
        uint64_t passed = read_varint(in);
        uint64_t flags = read_varint(in);
        if (passed >= count - at || !flags ||
            flags > (FLAG_CONFLICT | FLAG_BEATEN)) {
            in->failed = true;
            return;
        }
        at += passed;
        entries[at].conflict = flags & FLAG_CONFLICT;
        entries[at].beaten = (flags & FLAG_BEATEN) != 0;
        at++;
    }
}

static void decode_entries(struct reader *in, struct seen_entry *entries,
                           size_t count, bool cold)
{
    decode_lines(in, entries, count);
    for (size_t i = 0; i < count && !cold; i++) {
        uint64_t fingerprint = 0;
        for (int byte = 0; byte < FINGERPRINT_BYTES; byte++)
            fingerprint |= (uint64_t)read_byte(in) << 8 * byte;
        entries[i].fingerprint = fingerprint & SEEN_FINGERPRINT_MASK;
    }
    decode_flags(in, entries, count);
    while (in->at < in->end)
        in->failed |= read_byte(in) != 0;
}

bool seen_chunk_decode(struct text bytes,
                       void (*add)(void *context,
                                   const struct seen_entry *entry),
                       void *context)
{
    struct reader in = reader_over(bytes.data, bytes.length);
    if (bytes.length % FORMER_BYTES == 0)
        return decode_former(&in, add, context);
    uint8_t form = read_byte(&in);
    uint64_t count = read_varint(&in);
    bool cold = form == FORM_COLD;
    size_t most = cold ? SEEN_CHUNK_COLD_MAX : bytes.length / FINGERPRINT_BYTES;
    if ((!cold && form != FORM) || count > most)
        return false;
    struct seen_entry *entries = memory_zeroed(count + 1, sizeof *entries);
    decode_entries(&in, entries, count, cold);
    for (uint64_t i = 0; i < count && !in.failed; i++)
        add(context, &entries[i]);
    free(entries);
    return !in.failed;
}
