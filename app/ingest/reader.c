/*
 * reader.c: files into records: decompression by magic number, then splitting.
 *
 * Compressed input that ends early or is damaged gives what could be read and
 * says so; it is not an error here, because the records before the damage are
 * as good as any.
 */
#include "ingest/splitter.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

enum {
    OUT_BYTES = 256 << 10,
    MAGIC_BYTES = 4,
    GZIP_WINDOW = 15 + 16,
    ZSTD_WINDOW_LOG_MAX = 27,
    /* What HTTP allows a sender (RFC 9659): 8 MB. */
    ZSTD_WINDOW_LOG_STRANGER = 23,
    ZSTD_HEADER_BYTES_MAX = 18 /* of a frame (RFC 8878 §3.1.1.1) */
};

struct reading {
    const struct byte_source *source;
    struct splitter *splitter;
    struct reader_report *report;
    struct buf beginning; /* what decides on the compression */
    const char *at;       /* input not yet used */
    size_t left;
    bool pending; /* a full buffer of output may not have been all */
    char *out;
    uint64_t most_bytes; /* decompressed; UINT64_MAX for no limit */
};

static enum err split(struct reading *reading, const char *bytes, size_t length)
{
    reading->report->bytes += length;
    if (reading->report->bytes > reading->most_bytes) {
        reading->report->too_long = true;
        return err_set(ERR_INPUT,
                       "the data is more than %llu bytes when decompressed",
                       (unsigned long long)reading->most_bytes);
    }
    return splitter_take(reading->splitter, bytes, length);
}

static enum err refill(struct reading *reading)
{
    return reading->source->feed(reading->source->context, &reading->at,
                                 &reading->left);
}

/* More input, unless there is some, or output to come without any. False where
 * nothing more can come. */
static bool has_more(struct reading *reading, enum err *err)
{
    if (!reading->left && !reading->pending)
        *err = refill(reading);
    return !*err && (reading->left || reading->pending);
}

static enum err read_plain(struct reading *reading)
{
    enum err err = ERR_NONE;
    while (!err && reading->left) {
        err = split(reading, reading->at, reading->left);
        if (!err)
            err = refill(reading);
    }
    return err;
}

/* ---- gzip (RFC 1952), several members in a row --------------------------- */

/* One step; *STATUS is zlib's. */
static enum err inflate_some(struct reading *reading, z_stream *stream,
                             int *status)
{
    stream->next_in = (Bytef *)(uintptr_t)reading->at;
    stream->avail_in = (uInt)reading->left;
    stream->next_out = (Bytef *)reading->out;
    stream->avail_out = OUT_BYTES;
    *status = inflate(stream, Z_NO_FLUSH);
    reading->at += reading->left - stream->avail_in;
    reading->left = stream->avail_in;
    reading->pending = *status == Z_OK && !stream->avail_out;
    return split(reading, reading->out, OUT_BYTES - stream->avail_out);
}

static enum err inflate_all(struct reading *reading, z_stream *stream)
{
    bool ended = false;
    enum err err = ERR_NONE;
    while (!err && has_more(reading, &err)) {
        if (ended && inflateReset(stream) != Z_OK)
            break;
        int status;
        err = inflate_some(reading, stream, &status);
        ended = status == Z_STREAM_END;
        if (status != Z_OK && status != Z_STREAM_END && status != Z_BUF_ERROR) {
            ended = false;
            break;
        }
    }
    reading->report->truncated = !ended;
    return err;
}

static enum err read_gzip(struct reading *reading)
{
    z_stream stream = {0};
    if (inflateInit2(&stream, GZIP_WINDOW) != Z_OK)
        return err_set(ERR_STORE, "cannot start gzip decompression");
    enum err err = inflate_all(reading, &stream);
    inflateEnd(&stream);
    return err;
}

/* ---- zstd (RFC 8878) ----------------------------------------------------- */

/* What a frame says of itself, and what came of it. The library compares the
 * two only where it has the frame in one piece. */
struct zstd_frame {
    char header[ZSTD_HEADER_BYTES_MAX];
    size_t header_length;
    uint64_t bytes;
};

static void note_frame(struct zstd_frame *frame, struct text used,
                       size_t decompressed)
{
    size_t room = sizeof frame->header - frame->header_length;
    size_t length = used.length < room ? used.length : room;
    memcpy(frame->header + frame->header_length, used.data, length);
    frame->header_length += length;
    frame->bytes += decompressed;
}

/* At its end; a frame that does not say how long it is is as long as it is. */
static bool frame_is_short(const struct zstd_frame *frame)
{
    unsigned long long said =
        ZSTD_getFrameContentSize(frame->header, frame->header_length);
    return said != ZSTD_CONTENTSIZE_UNKNOWN && said != frame->bytes;
}

static enum err unzstd_all(struct reading *reading, ZSTD_DStream *stream)
{
    struct zstd_frame frame = {.header_length = 0};
    size_t status = 1;
    bool damaged = false;
    enum err err = ERR_NONE;
    while (!err && !damaged && has_more(reading, &err)) {
        ZSTD_inBuffer in = {reading->at, reading->left, 0};
        ZSTD_outBuffer out = {reading->out, OUT_BYTES, 0};
        status = ZSTD_decompressStream(stream, &out, &in);
        note_frame(&frame, (struct text){reading->at, in.pos}, out.pos);
        reading->at += in.pos;
        reading->left -= in.pos;
        if (ZSTD_isError(status))
            break;
        reading->pending = status && out.pos == out.size;
        err = split(reading, reading->out, out.pos);
        if (!status) {
            damaged = frame_is_short(&frame);
            frame = (struct zstd_frame){.header_length = 0};
        }
    }
    reading->report->truncated = damaged || status != 0;
    return err;
}

static enum err read_zstd(struct reading *reading)
{
    ZSTD_DStream *stream = ZSTD_createDStream();
    if (!stream)
        return err_set(ERR_STORE, "cannot start zstd decompression");
    (void)ZSTD_DCtx_setParameter(stream, ZSTD_d_windowLogMax,
                                 reading->most_bytes == UINT64_MAX
                                     ? ZSTD_WINDOW_LOG_MAX
                                     : ZSTD_WINDOW_LOG_STRANGER);
    enum err err = unzstd_all(reading, stream);
    ZSTD_freeDStream(stream);
    return err;
}

/* ---- choosing ------------------------------------------------------------ */

/* A pipe may bring the first bytes one by one; those are gathered. */
static enum err read_beginning(struct reading *reading)
{
    struct buf *beginning = &reading->beginning;
    enum err err = refill(reading);
    if (err || reading->left >= MAGIC_BYTES)
        return err;
    while (!err && reading->left && beginning->length < MAGIC_BYTES) {
        buf_add(beginning, reading->at, reading->left);
        err = refill(reading);
    }
    buf_add(beginning, reading->at, reading->left);
    reading->at = beginning->data;
    reading->left = beginning->length;
    return err;
}

static bool begins_with(struct text text, const char *magic, size_t length)
{
    return text.length >= length && !memcmp(text.data, magic, length);
}

static bool begins_gzip(struct text text)
{
    return begins_with(text, "\x1f\x8b", 2);
}

/* A frame of data, or one to be skipped, as some tools put first. */
static bool begins_zstd(struct text text)
{
    return begins_with(text, "\x28\xb5\x2f\xfd", 4) ||
           (text.length >= 4 && (text.data[0] & 0xf0) == 0x50 &&
            !memcmp(text.data + 1, "\x2a\x4d\x18", 3));
}

bool bytes_are_compressed(struct text text)
{
    return begins_gzip(text) || begins_zstd(text);
}

static enum err read_any(struct reading *reading)
{
    struct reader_report *report = reading->report;
    enum err err = read_beginning(reading);
    if (err)
        return err;
    struct text beginning = {reading->at, reading->left};
    if (begins_gzip(beginning)) {
        memcpy(report->compression, "gzip", 5);
        return read_gzip(reading);
    }
    if (begins_zstd(beginning)) {
        memcpy(report->compression, "zstd", 5);
        return read_zstd(reading);
    }
    memcpy(report->compression, "none", 5);
    return read_plain(reading);
}

enum err read_records(const struct byte_source *source,
                      const struct record_sink *sink,
                      struct reader_report *report)
{
    return read_records_within(source, sink, UINT64_MAX, report);
}

enum err read_records_within(const struct byte_source *source,
                             const struct record_sink *sink,
                             uint64_t most_bytes, struct reader_report *report)
{
    *report = (struct reader_report){0};
    struct reading reading = {
        .source = source, .report = report, .most_bytes = most_bytes};
    reading.splitter = splitter_new(sink);
    reading.out = memory_alloc(OUT_BYTES);
    enum err err = read_any(&reading);
    if (!err)
        err = splitter_end(reading.splitter);
    report->records = splitter_records(reading.splitter);
    splitter_free(reading.splitter);
    buf_free(&reading.beginning);
    free(reading.out);
    return err;
}

static enum err feed_text(void *context, const char **bytes, size_t *length)
{
    struct text *left = context;
    *bytes = left->data;
    *length = left->length;
    left->length = 0;
    return ERR_NONE;
}

struct byte_source source_of_text(struct text *left)
{
    return (struct byte_source){left, feed_text};
}
