/*
 * server.h: an HTTP server on a loop, for the sandbox network.
 *
 * One port speaks what an orchestrator's port speaks: TLS with a self-signed
 * certificate (or none), HTTP/1.1 and HTTP/2 by ALPN, and both in the clear.
 * A request and its answer are one struct exchange. Its head is handed to the
 * server's handler, which answers at once or keeps it and answers later, in
 * pieces, while the request may still be coming in:
 *
 *     static void handle(void *context, struct exchange *exchange)
 *     {
 *         exchange_reply(exchange, 200, "text/plain", text_of("hello\n"));
 *     }
 *
 *     struct server_settings settings = {.host = "127.0.0.1",
 *                                        .handle = handle};
 *     err = server_open(&server, loop, &settings);
 *     ... server_port(server) ...
 *     server_close(server);
 *
 * Promises: no call of an exchange runs a callback of that or any other
 * exchange, so that callers need not expect to be re-entered; what is written
 * is handed to the kernel before exchange_write returns unless the socket is
 * full, so that a time taken after it is the time of writing.
 *
 * Caps: SERVER_HEAD_MAX_BYTES and SERVER_HEADERS_MAX of a request's head, ten
 * seconds for a handshake and for a head, two minutes between requests,
 * SERVER_CONNECTIONS_MAX connections. Bodies are the handlers' to cap.
 *
 * Everything here belongs to the loop's thread, except where it says
 * otherwise. Turned down: civetweb, which serves the page, but has a thread a
 * connection and no HTTP/2; a thread a stream would disturb what is measured.
 */
#ifndef ASSAY_WIRE_SERVER_H
#define ASSAY_WIRE_SERVER_H

#include "base/buf.h"
#include "base/err.h"
#include "wire/loop.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct server;
struct exchange;

enum {
    SERVER_HEAD_MAX_BYTES = 32 << 10,
    SERVER_HEADERS_MAX = 100,
    SERVER_CONNECTIONS_MAX = 4096
};

struct server_settings {
    const char *host; /* numeric */
    uint16_t port;    /* 0: any free one */
    bool tls;         /* with a certificate for HOST, made anew */
    void (*handle)(void *context, struct exchange *exchange);
    void *context;
};

/* Any thread. ERR_NETWORK where the address cannot be listened on. */
MUST_USE enum err server_open(struct server **server, struct loop *loop,
                              const struct server_settings *settings);

uint16_t server_port(const struct server *server);

/* Any thread; null is allowed. Ends every exchange (its closed callback runs)
 * and lets go of the port; no callback runs after it has returned. */
void server_close(struct server *server);

/* ---- the request --------------------------------------------------------- */

/* Texts live as long as the exchange. */
const char *exchange_method(const struct exchange *exchange);
/* Without the query; as it was sent, percent signs and all. */
const char *exchange_path(const struct exchange *exchange);
/* Behind the question mark, "" where there is none. */
const char *exchange_query(const struct exchange *exchange);
/* The first header of that name in any case, null where there is none. */
const char *exchange_header(const struct exchange *exchange, const char *name);
/* 1 for HTTP/1, 2 for HTTP/2. */
int exchange_version(const struct exchange *exchange);

/* What happens to an exchange that is kept. Every callback may be null. */
struct exchange_handler {
    /* Bytes of the request's body, as they come. */
    void (*body)(void *context, const char *bytes, size_t length);
    /* The request is whole. */
    void (*end)(void *context);
    /* Nothing is unsent any more. */
    void (*drained)(void *context);
    /* The last callback: the answer is complete, or the other side is gone.
     * The exchange must not be used after it. */
    void (*closed)(void *context);
};

/* Called once, in the server's handler. HANDLER must outlive the exchange. */
void exchange_keep(struct exchange *exchange,
                   const struct exchange_handler *handler, void *context);

/* The same for a body that is wanted whole: DONE gets it, or is not called
 * where it is larger than MOST bytes (413) or the other side goes away. CLOSED
 * may be null. */
void exchange_collect(struct exchange *exchange, size_t most,
                      void (*done)(void *context, struct exchange *exchange,
                                   struct text body),
                      void (*closed)(void *context), void *context);

/* ---- the answer ---------------------------------------------------------- */

struct exchange_field {
    const char *name;
    const char *value;
};

/* "100 Continue" in between; as often as wanted, before exchange_begin. */
void exchange_continue(struct exchange *exchange);

/*
 * The answer's head; sent together with what follows it. HEAD and empty
 * answers are the server's business. BODY_BYTES is the length of the body, or
 * EXCHANGE_STREAMED for one that is written until exchange_end.
 */
#define EXCHANGE_STREAMED ((int64_t)-1)
void exchange_begin(struct exchange *exchange, int status,
                    const struct exchange_field *fields, size_t count,
                    int64_t body_bytes);

void exchange_write(struct exchange *exchange, const void *bytes,
                    size_t length);

/* FIELDS are trailers, which only HTTP/2 carries. */
void exchange_end(struct exchange *exchange,
                  const struct exchange_field *fields, size_t count);

/* All three at once. */
void exchange_reply(struct exchange *exchange, int status, const char *type,
                    struct text body);
void exchange_reply_fields(struct exchange *exchange, int status,
                           const struct exchange_field *fields, size_t count,
                           struct text body);

/* Bytes written that the kernel has not taken yet; 0 as long as the other side
 * keeps up. Whoever goes on writing beyond a cap of his own waits for drained.
 */
size_t exchange_unsent(const struct exchange *exchange);

/* HTTP/1: the connection ends with this answer. Before exchange_begin. */
void exchange_close_after(struct exchange *exchange);

/* Cuts the connection without an answer. */
void exchange_drop(struct exchange *exchange);

#endif
