/*
 * splitter.c: a stream of bytes into records.
 *
 * Three shapes, told apart by the first bytes: NDJSON (one record a line), a
 * top-level JSON array (one record an element), or pretty-printed objects (one
 * record each, over several lines). Memory is bounded by the longest record
 * allowed; longer ones are hashed as they pass and only their beginning is
 * kept.
 *
 * A record that lies within the bytes given is handed on where it lies; only
 * one that is cut is gathered.
 *
 * Damage stays local. In an array a newline ends a string that was left open,
 * because JSON strings cannot hold one, and an element that lacks brackets ends
 * where the next one certainly begins (nesting.h); in a pretty-printed object a
 * line that begins with '{' in the first column begins the next record, unless
 * it can be a value of this one.
 */
#include "ingest/splitter.h"
#include "ingest/nesting.h"

#include <stdlib.h>
#include <string.h>

enum shape {
    SHAPE_UNKNOWN, /* nothing but white space so far */
    SHAPE_FIRST,   /* in a first line that begins with '{' */
    SHAPE_LINES,
    SHAPE_ARRAY,
    SHAPE_PRETTY
};

/* Of what is found to be more than one element only at the end of the input:
 * every time, all that is left is read again. */
enum { READ_AGAIN_BYTES_MAX = 8 * EVIDENCE_LINE_MAX_BYTES };

struct splitter {
    const struct record_sink *sink;
    uint64_t records;
    enum shape shape;
    struct buf record;
    struct nesting nesting; /* SHAPE_ARRAY; the others count */
    uint64_t read_again_bytes;
    int depth;
    bool in_string;
    bool escaped;
    bool at_line_start;
    bool indented;     /* some line of the record begins with white space */
    char last;         /* of the record, outside strings and no white space */
    bool multi_line;   /* a pretty-printed object has been read */
    size_t mark_bytes; /* of a byte order mark at the start, read so far */
    bool started;      /* past the place where it may stand */
    bool oversize;
    uint64_t length;          /* of the record, kept or not */
    struct hash_stream *hash; /* of an oversize record */
};

/* ---- one record ---------------------------------------------------------- */

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static void become_oversize(struct splitter *splitter)
{
    splitter->oversize = true;
    splitter->hash = hash_stream_new();
    hash_stream_add(splitter->hash, splitter->record.data,
                    splitter->record.length);
    if (splitter->record.length > EVIDENCE_KEPT_BYTES)
        splitter->record.length = EVIDENCE_KEPT_BYTES;
}

/* The beginning of an oversize record is kept, wherever it is cut. */
static void add_oversize(struct splitter *splitter, const char *bytes,
                         size_t length)
{
    size_t room = EVIDENCE_KEPT_BYTES - splitter->record.length;
    hash_stream_add(splitter->hash, bytes, length);
    buf_add(&splitter->record, bytes, length < room ? length : room);
}

/* White space before a record is no part of it, however much there is. */
static void keep(struct splitter *splitter, const char *bytes, size_t length)
{
    while (!splitter->length && length && is_space(*bytes)) {
        bytes++;
        length--;
    }
    splitter->length += length;
    if (!splitter->oversize && splitter->length > EVIDENCE_LINE_MAX_BYTES)
        become_oversize(splitter);
    if (splitter->oversize)
        add_oversize(splitter, bytes, length);
    else
        buf_add(&splitter->record, bytes, length);
}

static enum err end_oversize(struct splitter *splitter)
{
    uint8_t digest[SHA256_BYTES];
    hash_stream_finish(splitter->hash, digest);
    splitter->hash = NULL;
    struct text kept = {splitter->record.data, splitter->record.length};
    splitter->records++;
    return splitter->sink->oversize(splitter->sink->context, kept,
                                    splitter->length, digest);
}

static bool is_blank(struct text record)
{
    for (size_t i = 0; i < record.length; i++)
        if (!is_space(record.data[i]))
            return false;
    return true;
}

static enum err give(struct splitter *splitter, struct text record)
{
    if (is_blank(record))
        return ERR_NONE;
    splitter->records++;
    return splitter->sink->take(splitter->sink->context, record);
}

static void begin_record(struct splitter *splitter)
{
    buf_clear(&splitter->record);
    splitter->oversize = false;
    splitter->length = 0;
    splitter->depth = 0;
    splitter->in_string = splitter->escaped = false;
    splitter->indented = false;
    splitter->last = '\0';
    nesting_begin_element(&splitter->nesting);
}

static enum err end_record(struct splitter *splitter)
{
    struct text record = {splitter->record.data, splitter->record.length};
    enum err err =
        splitter->oversize ? end_oversize(splitter) : give(splitter, record);
    begin_record(splitter);
    return err;
}

/* The record ends with these bytes, which may be all of it. */
static enum err end_with(struct splitter *splitter, const char *bytes,
                         size_t length)
{
    if (splitter->length || length > EVIDENCE_LINE_MAX_BYTES) {
        keep(splitter, bytes, length);
        return end_record(splitter);
    }
    while (length && is_space(*bytes)) {
        bytes++;
        length--;
    }
    enum err err = give(splitter, (struct text){bytes, length});
    begin_record(splitter);
    return err;
}

/* ---- nesting ------------------------------------------------------------- */

/* Follows strings and brackets over one byte. */
static void follow(struct splitter *splitter, char c)
{
    if (!splitter->in_string && !is_space(c))
        splitter->last = c;
    if (splitter->in_string) {
        if (splitter->escaped)
            splitter->escaped = false;
        else if (c == '\\')
            splitter->escaped = true;
        else if (c == '"' || c == '\n')
            splitter->in_string = false;
    } else if (c == '"') {
        splitter->in_string = true;
    } else if (c == '{' || c == '[') {
        splitter->depth++;
    } else if ((c == '}' || c == ']') && splitter->depth > 0) {
        splitter->depth--;
    }
}

/* ---- shapes -------------------------------------------------------------- */

/* Each takes bytes from AT on and returns how many it used. */

static enum err split_lines(struct splitter *splitter, const char *at,
                            size_t length, size_t *used)
{
    const char *end = memchr(at, '\n', length);
    *used = end ? (size_t)(end - at) + 1 : length;
    if (!end) {
        keep(splitter, at, length);
        return ERR_NONE;
    }
    /* Between pretty-printed objects, lines are only what is damaged. */
    if (splitter->multi_line)
        splitter->shape = SHAPE_UNKNOWN;
    return end_with(splitter, at, *used - 1);
}

/* The first line decides between lines and pretty-printed objects. */
static enum err split_first(struct splitter *splitter, const char *at,
                            size_t length, size_t *used)
{
    size_t i = 0;
    while (i < length && at[i] != '\n')
        follow(splitter, at[i++]);
    *used = i;
    bool cut = i == length;
    bool goes_on = splitter->depth > 0 && !splitter->in_string &&
                   splitter->length + i <= EVIDENCE_LINE_MAX_BYTES;
    if (cut || goes_on)
        keep(splitter, at, i);
    if (cut)
        return ERR_NONE;
    if (goes_on) {
        splitter->shape = SHAPE_PRETTY;
        splitter->at_line_start = false;
        return ERR_NONE;
    }
    splitter->shape = splitter->multi_line ? SHAPE_UNKNOWN : SHAPE_LINES;
    (*used)++;
    return end_with(splitter, at, i);
}

/* Whether a '{' in the first column begins the next record, so that the present
 * one was cut off. Where nothing is indented it may be a value of this one. */
static bool is_next_record(const struct splitter *splitter)
{
    return splitter->indented || !splitter->last ||
           !strchr("[,:", splitter->last);
}

static enum err split_pretty(struct splitter *splitter, const char *at,
                             size_t length, size_t *used)
{
    size_t i = 0;
    for (; i < length; i++) {
        if (splitter->at_line_start && at[i] == '{' &&
            is_next_record(splitter)) {
            keep(splitter, at, i);
            *used = i;
            splitter->at_line_start = false;
            splitter->shape = SHAPE_FIRST;
            return end_record(splitter);
        }
        if (splitter->at_line_start && is_space(at[i]) && at[i] != '\n')
            splitter->indented = true;
        splitter->at_line_start = at[i] == '\n';
        follow(splitter, at[i]);
        if (!splitter->depth && !splitter->in_string && at[i] == '}') {
            keep(splitter, at, i + 1);
            *used = i + 1;
            splitter->shape = SHAPE_UNKNOWN;
            splitter->multi_line = true;
            return end_record(splitter);
        }
    }
    keep(splitter, at, length);
    *used = length;
    return ERR_NONE;
}

static enum err split(struct splitter *splitter, const char *at, size_t length);

/* The record ends before its byte OFFSET, with which the next one begins. An
 * oversize one is not here any more, and goes on. */
static enum err cut_before(struct splitter *splitter, size_t offset)
{
    struct buf *record = &splitter->record;
    struct buf next = {0};
    if (splitter->oversize || offset > record->length)
        return ERR_NONE;
    buf_add(&next, record->data + offset, record->length - offset);
    splitter->read_again_bytes += next.length;
    while (offset && is_space(record->data[offset - 1]))
        offset--;
    if (offset && record->data[offset - 1] == ',')
        offset--;
    record->length = offset;
    enum err err = end_record(splitter);
    if (!err)
        err = split(splitter, next.data, next.length);
    buf_free(&next);
    return err;
}

static enum err split_array(struct splitter *splitter, const char *at,
                            size_t length, size_t *used)
{
    struct nesting *nesting = &splitter->nesting;
    size_t start = 0;
    while (!splitter->length && start < length && is_space(at[start]))
        start++;
    for (size_t i = start; i < length; i++) {
        *used = i + 1;
        if (nesting_is_outside(nesting) && (at[i] == ',' || at[i] == ']')) {
            if (at[i] == ']')
                splitter->shape = SHAPE_UNKNOWN;
            return end_with(splitter, at + start, i - start);
        }
        if (nesting_follow(nesting, at[i], splitter->length + (i - start))) {
            keep(splitter, at + start, i + 1 - start);
            return cut_before(splitter, (size_t)nesting->brace);
        }
    }
    keep(splitter, at + start, length - start);
    *used = length;
    return ERR_NONE;
}

/* At the end of the input: elements behind one that was not closed. */
static enum err end_array(struct splitter *splitter)
{
    uint64_t offset;
    enum err err = ERR_NONE;
    while (!err && splitter->shape == SHAPE_ARRAY && !splitter->oversize &&
           splitter->read_again_bytes < READ_AGAIN_BYTES_MAX &&
           nesting_was_unclosed(&splitter->nesting, &offset))
        err = cut_before(splitter, (size_t)offset);
    return err;
}

static enum err split_unknown(struct splitter *splitter, const char *at,
                              size_t length, size_t *used)
{
    *used = 0;
    while (*used < length && is_space(at[*used]))
        (*used)++;
    if (*used == length)
        return ERR_NONE;
    if (at[*used] == '[') {
        splitter->shape = SHAPE_ARRAY;
        nesting_begin_array(&splitter->nesting);
        (*used)++;
    } else {
        splitter->shape = at[*used] == '{' ? SHAPE_FIRST : SHAPE_LINES;
    }
    return ERR_NONE;
}

static enum err split(struct splitter *splitter, const char *at, size_t length)
{
    static enum err (*const shapes[])(struct splitter *, const char *, size_t,
                                      size_t *) = {
        split_unknown, split_first, split_lines, split_array, split_pretty};
    enum err err = ERR_NONE;
    while (!err && length) {
        size_t used = 0;
        err = shapes[splitter->shape](splitter, at, length, &used);
        at += used;
        length -= used;
    }
    return err;
}

struct splitter *splitter_new(const struct record_sink *sink)
{
    struct splitter *splitter = memory_zeroed(1, sizeof *splitter);
    splitter->sink = sink;
    return splitter;
}

void splitter_free(struct splitter *splitter)
{
    hash_stream_free(splitter->hash);
    buf_free(&splitter->record);
    free(splitter);
}

uint64_t splitter_records(const struct splitter *splitter)
{
    return splitter->records;
}

static const char mark[] = "\xef\xbb\xbf";
enum { MARK_BYTES = sizeof mark - 1 };

/* What was taken for the beginning of a byte order mark and was none. */
static enum err give_back_mark(struct splitter *splitter)
{
    splitter->started = true;
    return splitter->mark_bytes == MARK_BYTES
               ? ERR_NONE
               : split(splitter, mark, splitter->mark_bytes);
}

enum err splitter_end(struct splitter *splitter)
{
    enum err err = splitter->started ? ERR_NONE : give_back_mark(splitter);
    if (!err)
        err = end_array(splitter);
    return err ? err : end_record(splitter);
}

enum err splitter_take(struct splitter *splitter, const char *bytes,
                       size_t length)
{
    enum err err = ERR_NONE;
    while (!splitter->started && length) {
        if (splitter->mark_bytes == MARK_BYTES ||
            *bytes != mark[splitter->mark_bytes]) {
            err = give_back_mark(splitter);
            break;
        }
        splitter->mark_bytes++;
        bytes++;
        length--;
    }
    return err ? err : split(splitter, bytes, length);
}
