/*
 * trickle.h: the client's side of trickle (livepeer-protocols.md §4): a live
 * stream as numbered HTTP bodies, "segments", that are written while others
 * read them.
 *
 * A publisher posts segment after segment, and has the next POST open before
 * the present one ends, so that no frame waits for a connection. A subscriber
 * gets segment after segment, with the next GET open likewise, and hands on
 * bytes in order, each run with the kernel's stamp of its arrival. Both do so
 * where they are told to (.preconnect).
 *
 * Promises: whatever the other side does, both end within their caps and then
 * say so once, by on_end. Nothing is called back from inside of a call.
 *
 * On the loop's thread.
 */
#ifndef ASSAY_WIRE_TRICKLE_H
#define ASSAY_WIRE_TRICKLE_H

#include "wire/http.h"
#include "wire/trickle_channel.h"

enum trickle_end {
    TRICKLE_CLOSED,   /* the channel was closed, or is not there */
    TRICKLE_FAILED,   /* errors, again and again */
    TRICKLE_BROKEN,   /* what came breaks the protocol */
    TRICKLE_SLOW,     /* the other side does not take what is published */
    TRICKLE_TOO_MUCH, /* more bytes, segments or misses than the caps allow */
    TRICKLE_STALLED   /* a segment that neither goes on nor ends */
};

const char *trickle_end_name(enum trickle_end end);

enum { TRICKLE_DETAIL_BYTES = 160 };

/* ---- publishing ---------------------------------------------------------- */

struct trickle_publisher;

struct trickle_publisher_settings {
    const char *url;  /* of the channel; copied */
    const char *mime; /* "video/MP2T"; copied */
    /* The next POST is opened ahead of time. Off for channels of rare small
     * segments, which need no connection of their own in between. */
    bool preconnect;
    size_t unsent_bytes; /* most that may wait to be taken; 0 means 4 MB */
    void *context;
    /* Its first connection stands: what is written from now on leaves at once.
     * May be null, as on_end. Without preconnect it is not told. */
    void (*on_ready)(void *context);
    /* The last call, except after trickle_publisher_close; DETAIL is for a
     * person. */
    void (*on_end)(void *context, enum trickle_end end, const char *detail);
};

/* Begins with segment 0. Never fails; errors come by on_end. */
struct trickle_publisher *
trickle_publish(struct http_client *client,
                const struct trickle_publisher_settings *settings);

/* More of the present segment; dropped where it, or the channel, has ended. */
void trickle_publisher_write(struct trickle_publisher *publisher,
                             struct text bytes);

/* Ends the present segment and begins the next one. */
void trickle_publisher_next(struct trickle_publisher *publisher);

struct trickle_published {
    uint64_t segments; /* whole ones that were answered */
    uint64_t bytes;    /* that were written into segments */
    uint64_t lost;     /* of which the other side cannot have taken these */
};
struct trickle_published
trickle_publisher_tally(const struct trickle_publisher *publisher);

/* Ends the present segment, deletes the channel and frees the publisher.
 * ON_CLOSED (null is allowed) is called when that is answered, or has not been
 * for two seconds. Also after on_end, and from it. */
void trickle_publisher_close(struct trickle_publisher *publisher,
                             void (*on_closed)(void *context), void *context);

/* Frees it at once, without a word to the other side. */
void trickle_publisher_drop(struct trickle_publisher *publisher);

/* ---- subscribing --------------------------------------------------------- */

struct trickle_subscriber;

struct trickle_subscriber_settings {
    const char *url; /* of the channel; copied */
    int64_t first;   /* a number, TRICKLE_NEXT or TRICKLE_NEWEST */
    /* The next GET is open while the present segment comes, on a connection of
     * its own. Off for channels of rare small segments. */
    bool preconnect;
    size_t segment_bytes; /* most in one segment; 0 means 32 MB */
    int64_t segment_us;   /* most that one segment may last; 0 means 60 s */
    uint64_t segments;    /* most of all; 0 means 10,000 */
    void *context;
    /* SEQ begins, with its first byte; its bytes, in order; it ends, WHOLE or
     * cut off. */
    void (*on_segment)(void *context, int64_t seq, int64_t at_us);
    void (*on_bytes)(void *context, struct text bytes, int64_t at_us);
    void (*on_segment_end)(void *context, int64_t seq, bool whole);
    /* The last call; DETAIL is for a person. */
    void (*on_end)(void *context, enum trickle_end end, const char *detail);
};

struct trickle_subscriber *
trickle_subscribe(struct http_client *client,
                  const struct trickle_subscriber_settings *settings);

/* Frees it, whether it has ended or not; also from a callback of its own. */
void trickle_subscriber_drop(struct trickle_subscriber *subscriber);

/* ---- pure, for tests ----------------------------------------------------- */

/* What the headers of an answer say. */
struct trickle_headers {
    int64_t seq;    /* -1 where not given or senseless */
    int64_t latest; /* likewise */
    bool closed;
};

void trickle_headers_begin(struct trickle_headers *headers);
void trickle_headers_add(struct trickle_headers *headers, struct text name,
                         struct text value);

enum { TRICKLE_URL_BYTES = 9000 };

/* The URL of segment SEQ of a channel: its number stands behind the path and
 * before a query. False where it is too long. */
bool trickle_segment_url(const char *channel, int64_t seq,
                         char url[TRICKLE_URL_BYTES]);

#endif
