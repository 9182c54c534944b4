/*
 * trickle_server.h: trickle channels over HTTP (livepeer-protocols.md §4.1),
 * as an orchestrator serves them under /ai/trickle/.
 *
 * Channels are made by the orchestrator, not by who asks. The simulated runner
 * stands in the same process: it reads and writes the channels directly
 * (trickle_channel.h), and is told when a reader on the network has been sent
 * what it wrote.
 *
 * On the loop's thread.
 */
#ifndef ASSAY_WIRE_TRICKLE_SERVER_H
#define ASSAY_WIRE_TRICKLE_SERVER_H

#include "wire/server.h"
#include "wire/trickle_channel.h"

struct trickle_server;

/* Where channels live; what follows is the channel's name. */
#define TRICKLE_PATH "/ai/trickle/"

enum {
    TRICKLE_CONTINUE_US = 10 * 1000000, /* between interim answers */
    TRICKLE_SWEEP_US = 60 * 1000000,    /* how often idle channels are sought */
    TRICKLE_IDLE_US = 300 * 1000000     /* without a new segment: closed */
};

/* Never fails. */
struct trickle_server *trickle_server_new(struct loop *loop)
    __attribute__((returns_nonnull));

/* Closes all channels. Exchanges may still be open; they end with their
 * connections. */
void trickle_server_free(struct trickle_server *server);

/* What somebody wants to know about a channel. Both may be null. */
struct trickle_observer {
    /* Bytes up to OFFSET of segment SEQ were handed to the kernel at AT_US,
     * for one of the channel's readers. */
    void (*sent)(void *context, int64_t seq, size_t offset, int64_t at_us);
    /* It was deleted or swept; the last call. */
    void (*closed)(void *context);
    void *context;
};

/* Makes channel NAME, which no channel has; borrowed until it is closed. */
struct trickle_channel *
trickle_server_add(struct trickle_server *server, const char *name,
                   const char *mime, const struct trickle_observer *observer);

/* Closes and forgets channel NAME; nothing where there is none. Its observer
 * is not called. */
void trickle_server_remove(struct trickle_server *server, const char *name);

/* Answers an exchange whose path begins with TRICKLE_PATH. */
void trickle_server_handle(struct trickle_server *server,
                           struct exchange *exchange);

#endif
