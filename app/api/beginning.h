/*
 * beginning.h: how much of a request has come. Private to the API.
 *
 * Over plain HTTP that is seen by peeking: the header stays in the kernel until
 * it is whole. Where peeking does not help, a beginning holds what has been
 * read: over TLS, where the handshake comes first and all is encrypted, and
 * where a worker found a part of the next request behind the one it answered.
 *
 * Nothing here waits.
 */
#ifndef ASSAY_API_BEGINNING_H
#define ASSAY_API_BEGINNING_H

#include "base/buf.h"
#include "base/tls.h"

#include <stdbool.h>

enum { HEADER_MAX_BYTES = 16384 };

enum sight {
    SIGHT_GONE,      /* the other side has ended it, or broken the protocol */
    SIGHT_NOTHING,   /* no byte of a handshake or a request */
    SIGHT_PART,      /* some, and more is needed */
    SIGHT_WHOLE,     /* a header that can be served */
    SIGHT_NOT_SECURE /* a request in the clear where a handshake is due */
};

/* By peeking: a header; or with SECURE, the first message of a handshake, which
 * is whole when a worker can go on with it. */
enum sight sight_by_peeking(int connection, bool secure);

/* As the server finds the end of a header; whether it is well-formed is for the
 * server to say. Too much for a header is whole, too. */
bool header_is_whole(const char *bytes, size_t length);

struct beginning {
    struct tls_stream *stream; /* null for plain HTTP; owned */
    bool open;                 /* the handshake is done, or none is due */
    bool waits_to_write;       /* it is our side's turn to send */
    struct buf bytes;          /* of the header; at most HEADER_MAX_BYTES */
};

/* SESSION is null for plain HTTP. */
struct beginning *beginning_new(struct tls_stream *stream);
void beginning_free(struct beginning *beginning);

/* Reads as far as bytes reach. A handshake costs a millisecond or two. */
enum sight beginning_read(struct beginning *beginning, int connection);

#endif
