/*
 * trickle_channel.h: what a trickle channel keeps, and the rules by which
 * segments are written, read and closed (livepeer-protocols.md §4.1). No
 * socket and no clock: the server drives it, and so do the simulated runners,
 * which stand in the same process.
 *
 * A channel is a ring of the last five segments, an integer next (one past the
 * newest segment that received data), a media type and a closed flag. A
 * segment grows while one side writes it; any number of readers follow it
 * from their own place and are woken when there is more.
 *
 * Whoever writes or reads holds a struct trickle_writer or trickle_reader in
 * its own memory, begins it and releases it. They outlive the channel's place
 * in any list: what is held is freed when the last holder lets go.
 *
 * A wake may release its own reader or writer, and nothing else of the same
 * segment.
 */
#ifndef ASSAY_WIRE_TRICKLE_CHANNEL_H
#define ASSAY_WIRE_TRICKLE_CHANNEL_H

#include "base/buf.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    TRICKLE_RING = 5,
    TRICKLE_NEXT = -1,   /* the segment to come */
    TRICKLE_NEWEST = -2, /* the last that has begun */
    TRICKLE_SEGMENT_MAX_BYTES = 16 << 20
};

/* Sequence numbers that are taken; beyond it arithmetic would overflow. */
#define TRICKLE_SEQ_MAX ((int64_t)1 << 60)

struct trickle_segment;

struct trickle_channel {
    char *mime; /* owned; of all segments, "video/MP2T" */
    int64_t next;
    struct trickle_segment *ring[TRICKLE_RING]; /* slot = seq mod 5 */
    bool closed;
    int64_t begun_us; /* when a segment was last begun, or the channel made */
    size_t holders;   /* private */
};

/* Held once by the caller. */
struct trickle_channel *trickle_channel_new(const char *mime, int64_t now_us)
    __attribute__((returns_nonnull));

/* Closes all segments for good and wakes everybody. Twice does nothing. */
void trickle_channel_close(struct trickle_channel *channel);

/* One more holder, for one more release. */
void trickle_channel_hold(struct trickle_channel *channel);

/* The caller's hold ends. */
void trickle_channel_release(struct trickle_channel *channel);

/* Closes segment SEQ as if it had been written; false where it is not in the
 * ring. */
bool trickle_channel_close_segment(struct trickle_channel *channel,
                                   int64_t seq);

/* One who waits for a segment to change. */
struct trickle_watch {
    void (*wake)(void *context);
    void *context;
    struct trickle_watch *before; /* private, as the rest */
    struct trickle_watch *after;
};

/* ---- writing ------------------------------------------------------------- */

struct trickle_writer {
    struct trickle_channel *channel;
    struct trickle_segment *segment;
    int64_t seq;
    bool discarding; /* the segment was closed before this began */
    bool wrote;
    struct trickle_watch watch;
};

/*
 * Begins segment SEQ, or the next one for TRICKLE_NEXT. Whatever stood in its
 * place of the ring is closed. RESET first closes every retained segment that
 * is older. WAKE (null for none) is called when the segment is closed from
 * elsewhere; SEQ lies in -1..TRICKLE_SEQ_MAX.
 */
void trickle_write_begin(struct trickle_writer *writer,
                         struct trickle_channel *channel, int64_t seq,
                         bool reset, int64_t now_us, void (*wake)(void *),
                         void *context);

/* Appends to the segment; the first bytes set next. What comes for a closed
 * segment is dropped. False where the segment would grow past its limit. */
MUST_USE bool trickle_write(struct trickle_writer *writer, const void *bytes,
                            size_t length);

enum trickle_written {
    TRICKLE_WRITTEN,
    TRICKLE_DISCARDED, /* it was empty, or closed before: next is now seq + 1,
                          even where that is backwards */
    TRICKLE_TERMINATED /* the channel has been closed */
};

/* The segment is whole: closes and releases it. */
enum trickle_written trickle_write_end(struct trickle_writer *writer);

/* Releases it as a connection that breaks does: the segment stays open, and
 * its readers wait. */
void trickle_write_break(struct trickle_writer *writer);

/* ---- reading ------------------------------------------------------------- */

struct trickle_reader {
    struct trickle_channel *channel;
    struct trickle_segment *segment;
    int64_t seq;
    int64_t latest; /* next, when the reading began */
    size_t offset;  /* bytes taken so far */
    struct trickle_watch watch;
};

enum trickle_found {
    TRICKLE_FOUND,
    TRICKLE_NOT_RETAINED, /* answered with status 470 */
    TRICKLE_NO_SEQ        /* other negative numbers: the connection is cut */
};

/* Begins to read SEQ, TRICKLE_NEXT or TRICKLE_NEWEST. Only what is found must
 * be released; seq and latest are set in any case. */
MUST_USE enum trickle_found trickle_read_begin(struct trickle_reader *reader,
                                               struct trickle_channel *channel,
                                               int64_t seq,
                                               void (*wake)(void *),
                                               void *context);

/* What has come since the last call of trickle_read_take; borrowed until the
 * segment changes. */
struct text trickle_read_peek(const struct trickle_reader *reader);
void trickle_read_take(struct trickle_reader *reader, size_t length);

/* Nothing more will come. */
bool trickle_read_ended(const struct trickle_reader *reader);

void trickle_read_release(struct trickle_reader *reader);

/* ---- addresses ----------------------------------------------------------- */

enum trickle_target {
    TRICKLE_NO_TARGET,      /* no path of a channel */
    TRICKLE_CHANNEL,        /* "name" */
    TRICKLE_CHANNEL_NEXT,   /* "name/next" */
    TRICKLE_SEGMENT,        /* "name/7", "name/-1" */
    TRICKLE_SEGMENT_INVALID /* "name/seven" */
};

struct trickle_path {
    enum trickle_target target;
    struct text name; /* of the channel, borrowed */
    int64_t seq;      /* TRICKLE_SEGMENT only */
};

/* Of what follows "/ai/trickle/" in a path, without its query. */
struct trickle_path trickle_path_parse(struct text path);

#endif
