/*
 * trickle_channel.c: see trickle_channel.h.
 */
#include "wire/trickle_channel.h"
#include "base/arena.h"

#include <stdlib.h>
#include <string.h>

struct trickle_segment {
    int64_t seq;
    struct buf bytes;
    bool closed;
    size_t holders; /* the ring, writers and readers */
    struct trickle_watch *watches;
};

/* ---- segments ------------------------------------------------------------ */

static struct trickle_segment *segment_new(int64_t seq)
{
    struct trickle_segment *segment = memory_zeroed(1, sizeof *segment);
    segment->seq = seq;
    segment->holders = 1;
    return segment;
}

static void segment_release(struct trickle_segment *segment)
{
    if (!segment || --segment->holders)
        return;
    buf_free(&segment->bytes);
    free(segment);
}

static void segment_wake(struct trickle_segment *segment)
{
    segment->holders++;
    for (struct trickle_watch *at = segment->watches; at;) {
        struct trickle_watch *after = at->after;
        at->wake(at->context);
        at = after;
    }
    segment_release(segment);
}

static void segment_close(struct trickle_segment *segment)
{
    if (!segment || segment->closed)
        return;
    segment->closed = true;
    segment_wake(segment);
}

static void watch_begin(struct trickle_segment *segment,
                        struct trickle_watch *watch, void (*wake)(void *),
                        void *context)
{
    *watch = (struct trickle_watch){.wake = wake, .context = context};
    segment->holders++;
    if (!wake)
        return;
    watch->after = segment->watches;
    if (segment->watches)
        segment->watches->before = watch;
    segment->watches = watch;
}

static void watch_end(struct trickle_segment *segment,
                      struct trickle_watch *watch)
{
    if (watch->before)
        watch->before->after = watch->after;
    else if (segment->watches == watch)
        segment->watches = watch->after;
    if (watch->after)
        watch->after->before = watch->before;
    *watch = (struct trickle_watch){0};
    segment_release(segment);
}

/* ---- channels ------------------------------------------------------------ */

struct trickle_channel *trickle_channel_new(const char *mime, int64_t now_us)
{
    struct trickle_channel *channel = memory_zeroed(1, sizeof *channel);
    size_t bytes = strlen(mime) + 1;
    channel->mime = memory_alloc(bytes);
    memcpy(channel->mime, mime, bytes);
    channel->begun_us = now_us;
    channel->holders = 1;
    return channel;
}

void trickle_channel_hold(struct trickle_channel *channel)
{
    channel->holders++;
}

void trickle_channel_release(struct trickle_channel *channel)
{
    if (--channel->holders)
        return;
    for (size_t i = 0; i < TRICKLE_RING; i++)
        segment_release(channel->ring[i]);
    free(channel->mime);
    free(channel);
}

static struct trickle_segment **slot_of(struct trickle_channel *channel,
                                        int64_t seq)
{
    return &channel->ring[seq % TRICKLE_RING];
}

/* The retained segment SEQ, or null. */
static struct trickle_segment *retained(struct trickle_channel *channel,
                                        int64_t seq)
{
    if (seq < 0)
        return NULL;
    struct trickle_segment *segment = *slot_of(channel, seq);
    return segment && segment->seq == seq ? segment : NULL;
}

/* A new segment SEQ in its place of the ring. Who still follows the one that
 * stood there gets its end, as after five newer segments. */
static struct trickle_segment *place(struct trickle_channel *channel,
                                     int64_t seq)
{
    struct trickle_segment **slot = slot_of(channel, seq);
    struct trickle_segment *former = *slot;
    *slot = segment_new(seq);
    segment_close(former);
    segment_release(former);
    return *slot;
}

void trickle_channel_close(struct trickle_channel *channel)
{
    channel->closed = true;
    trickle_channel_hold(channel);
    for (size_t i = 0; i < TRICKLE_RING; i++)
        segment_close(channel->ring[i]);
    trickle_channel_release(channel);
}

bool trickle_channel_close_segment(struct trickle_channel *channel, int64_t seq)
{
    struct trickle_segment *segment = retained(channel, seq);
    segment_close(segment);
    return segment != NULL;
}

static void close_older(struct trickle_channel *channel, int64_t seq)
{
    for (size_t i = 0; i < TRICKLE_RING; i++) {
        struct trickle_segment *segment = channel->ring[i];
        if (segment && segment->seq < seq)
            segment_close(segment);
    }
}

/* ---- writing ------------------------------------------------------------- */

void trickle_write_begin(struct trickle_writer *writer,
                         struct trickle_channel *channel, int64_t seq,
                         bool reset, int64_t now_us, void (*wake)(void *),
                         void *context)
{
    if (seq < 0)
        seq = channel->next;
    *writer = (struct trickle_writer){.channel = channel, .seq = seq};
    trickle_channel_hold(channel);
    channel->begun_us = now_us;
    if (reset)
        close_older(channel, seq);
    struct trickle_segment *segment = retained(channel, seq);
    if (!segment)
        segment = place(channel, seq);
    segment->closed |= channel->closed;
    writer->discarding = segment->closed;
    writer->segment = segment;
    watch_begin(segment, &writer->watch, wake, context);
}

bool trickle_write(struct trickle_writer *writer, const void *bytes,
                   size_t length)
{
    struct trickle_segment *segment = writer->segment;
    if (segment->closed || !length)
        return true;
    if (length > TRICKLE_SEGMENT_MAX_BYTES - segment->bytes.length)
        return false;
    if (!writer->wrote)
        writer->channel->next = writer->seq + 1;
    writer->wrote = true;
    buf_add(&segment->bytes, bytes, length);
    segment_wake(segment);
    return true;
}

void trickle_write_break(struct trickle_writer *writer)
{
    struct trickle_channel *channel = writer->channel;
    watch_end(writer->segment, &writer->watch);
    *writer = (struct trickle_writer){0};
    trickle_channel_release(channel);
}

enum trickle_written trickle_write_end(struct trickle_writer *writer)
{
    struct trickle_channel *channel = writer->channel;
    struct trickle_segment *segment = writer->segment;
    enum trickle_written written = TRICKLE_WRITTEN;
    if (channel->closed) {
        written = TRICKLE_TERMINATED;
    } else if (writer->discarding || !writer->wrote) {
        channel->next = writer->seq + 1;
        written = TRICKLE_DISCARDED;
    }
    segment->holders++;
    trickle_write_break(writer);
    segment_close(segment);
    segment_release(segment);
    return written;
}

/* ---- reading ------------------------------------------------------------- */

/* What SEQ stands for, or a negative number where it stands for nothing. */
static int64_t resolve(const struct trickle_channel *channel, int64_t seq)
{
    if (seq == TRICKLE_NEXT)
        return channel->next;
    if (seq == TRICKLE_NEWEST)
        return channel->next > 0 ? channel->next - 1 : 0;
    return seq;
}

/* A reader may be one ahead of the writer, and at the start two. */
static bool may_wait_for(const struct trickle_channel *channel, int64_t seq)
{
    return seq == channel->next || (seq == 1 && channel->next == 0);
}

enum trickle_found trickle_read_begin(struct trickle_reader *reader,
                                      struct trickle_channel *channel,
                                      int64_t seq, void (*wake)(void *),
                                      void *context)
{
    seq = resolve(channel, seq);
    *reader = (struct trickle_reader){
        .channel = channel, .seq = seq, .latest = channel->next};
    if (seq < 0)
        return TRICKLE_NO_SEQ;
    struct trickle_segment *segment = retained(channel, seq);
    if (!segment && !may_wait_for(channel, seq))
        return TRICKLE_NOT_RETAINED;
    if (!segment)
        segment = place(channel, seq);
    segment->closed |= channel->closed;
    trickle_channel_hold(channel);
    reader->segment = segment;
    watch_begin(segment, &reader->watch, wake, context);
    return TRICKLE_FOUND;
}

struct text trickle_read_peek(const struct trickle_reader *reader)
{
    const struct buf *bytes = &reader->segment->bytes;
    if (reader->offset >= bytes->length)
        return (struct text){"", 0};
    return (struct text){bytes->data + reader->offset,
                         bytes->length - reader->offset};
}

void trickle_read_take(struct trickle_reader *reader, size_t length)
{
    reader->offset += length;
}

bool trickle_read_ended(const struct trickle_reader *reader)
{
    return reader->segment->closed &&
           reader->offset >= reader->segment->bytes.length;
}

void trickle_read_release(struct trickle_reader *reader)
{
    struct trickle_channel *channel = reader->channel;
    watch_end(reader->segment, &reader->watch);
    *reader = (struct trickle_reader){0};
    trickle_channel_release(channel);
}

/* ---- addresses ----------------------------------------------------------- */

/* A decimal integer with nothing around it. */
static bool read_seq(struct text text, int64_t *seq)
{
    size_t at = text.length && text.data[0] == '-';
    int64_t value = 0;
    if (at == text.length)
        return false;
    for (; at < text.length; at++) {
        if (text.data[at] < '0' || text.data[at] > '9' ||
            value > TRICKLE_SEQ_MAX / 10)
            return false;
        value = value * 10 + (text.data[at] - '0');
    }
    *seq = text.data[0] == '-' ? -value : value;
    return value <= TRICKLE_SEQ_MAX;
}

struct trickle_path trickle_path_parse(struct text path)
{
    struct trickle_path parsed = {.name = path};
    const char *slash = memchr(path.data, '/', path.length);
    if (slash)
        parsed.name.length = (size_t)(slash - path.data);
    if (!parsed.name.length)
        return parsed;
    parsed.target = TRICKLE_CHANNEL;
    if (!slash)
        return parsed;
    struct text rest = {slash + 1, path.length - parsed.name.length - 1};
    if (text_is(rest, "next"))
        parsed.target = TRICKLE_CHANNEL_NEXT;
    else if (read_seq(rest, &parsed.seq))
        parsed.target = TRICKLE_SEGMENT;
    else
        parsed.target = TRICKLE_SEGMENT_INVALID;
    return parsed;
}
