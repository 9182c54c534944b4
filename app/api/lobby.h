/*
 * lobby.h: where connections wait while there is nothing to serve.
 *
 * A worker serves one connection at a time, so whoever holds a worker without
 * asking for anything takes it from everybody. Here a connection gets a worker
 * when the whole header of its request has arrived and loses it when it falls
 * idle. Waiting costs a descriptor and a few bytes, no thread and no buffer:
 * the header stays in the kernel until it is whole. Over TLS a worker takes a
 * step of the handshake, or decrypts what has come of the header, and gives the
 * connection back where that is not all.
 *
 * Promises: nobody waits longer than its kind of waiting allows, however its
 * bytes come; one address never holds all workers, and addresses take turns,
 * however many connections each has; where all places are taken, the address
 * that holds most of them loses its oldest.
 *
 * Any thread may call; the lobby has one thread of its own.
 */
#ifndef ASSAY_API_LOBBY_H
#define ASSAY_API_LOBBY_H

#include "base/err.h"
#include "base/tls.h"

#include <stdbool.h>
#include <stddef.h>

struct lobby;

struct lobby_limits {
    size_t workers;
    size_t places;          /* connections in all, at most */
    size_t per_address;     /* connections of one address; 0: see below */
    struct tls_server *tls; /* borrowed; null: plain HTTP */
    /* Gives the connection to a worker; never waits. */
    void (*serve)(void *context, int connection);
    void *context;
};

/* Without a limit per address, other machines get LOBBY_PER_ADDRESS and this
 * one gets all it asks for. */
enum { LOBBY_PER_ADDRESS = 64 };

/* As many places as descriptors allow, WANTED at most. Raises the process's
 * soft limit of descriptors where that helps. */
size_t lobby_places(size_t wanted);

MUST_USE enum err lobby_open(struct lobby **lobby,
                             const struct lobby_limits *limits);

/* No connection gets a worker from now on. */
void lobby_shut(struct lobby *lobby);

/* Closes whatever waits. No worker may run any more. Null is allowed. */
void lobby_free(struct lobby *lobby);

/* A connection has been accepted. */
void lobby_enter(struct lobby *lobby, int connection);

/* Bytes of the next request that a worker has in its buffer. */
struct lobby_bytes {
    char *bytes;
    size_t room; /* HEADER_MAX_BYTES at least */
    size_t length;
};

enum lobby_wish { LOBBY_CLOSE, LOBBY_STAY, LOBBY_TAKEN };

/*
 * A worker has been given a connection. STAY: serve it; what was read of the
 * request already is in THERE, and *SESSION, where it is not null, is to be
 * read and written instead of the socket. TAKEN: the connection waits here
 * again, or is gone, and the worker is free.
 */
enum lobby_wish lobby_begin(struct lobby *lobby, int connection,
                            struct lobby_bytes *there,
                            struct tls_stream **stream);

/*
 * A worker has answered and would read the next request, of which THERE holds
 * the beginning. STAY: read on; THERE may hold more now. TAKEN: the connection
 * waits here again, with those bytes, and the worker is free. CLOSE: end it.
 */
enum lobby_wish lobby_return(struct lobby *lobby, int connection,
                             struct lobby_bytes *there);

/*
 * A worker is done with a connection for good. The lobby says goodbye: it
 * sends the end, reads what still comes for a moment, so that the answer is
 * not lost with it, and closes.
 */
void lobby_leave(struct lobby *lobby, int connection);

#endif
