/*
 * server_int.h: how the files of the server (server.c, server_tls.c,
 * server_http1.c, server_http2.c, exchange.c) see each other.
 *
 * Bytes come up: socket, then TLS if any, then a protocol, which makes
 * exchanges and calls the handlers. Bytes go down: an exchange asks its
 * connection's protocol, which calls connection_output; connection_flush hands
 * what has gathered to the kernel.
 *
 * What ends something (a finished exchange, a broken socket) is only noted
 * when it happens and done by connection_settle, which runs at the bottom of
 * the stack: after input, or from the server's idle handle.
 */
#ifndef ASSAY_WIRE_SERVER_INT_H
#define ASSAY_WIRE_SERVER_INT_H

#include "base/arena.h"
#include "wire/loop_int.h"
#include "wire/server.h"

struct connection;
struct http1;
struct http2;
struct tls_session;
struct tls_identity;

/* What a protocol does for an exchange, and for a connection as a whole. */
struct protocol {
    /* False where the other side breaks the protocol's rules. */
    bool (*input)(struct connection *connection, const char *bytes,
                  size_t length);
    void (*interim)(struct exchange *exchange);
    void (*begin)(struct exchange *exchange, int status,
                  const struct exchange_field *fields, size_t count);
    void (*write)(struct exchange *exchange, const void *bytes, size_t length);
    void (*end)(struct exchange *exchange, const struct exchange_field *fields,
                size_t count);
    /* Bytes that the kernel has not got yet. */
    size_t (*unsent)(const struct exchange *exchange);
    /* Puts what the protocol keeps for the other side into the connection's
     * output; null where it keeps nothing. */
    void (*produce)(struct connection *connection);
    /* Frees what has ended, and goes on with what has waited for it. */
    void (*settle)(struct connection *connection);
    void (*free)(struct connection *connection);
};

extern const struct protocol protocol_http1;
extern const struct protocol protocol_http2;

/* ---- exchanges ----------------------------------------------------------- */

struct exchange {
    struct connection *connection;
    struct exchange *before; /* others of the same connection */
    struct exchange *after;
    struct arena arena; /* of the head's texts, and of the trailers */

    const char *method;
    const char *path;
    const char *query;
    struct exchange_field *fields;
    size_t field_count;
    size_t head_bytes;
    bool request_ended;

    const struct exchange_handler *handler; /* null until it is kept */
    void *context;
    struct collection *collection; /* exchange_collect's, or null */

    int64_t body_bytes; /* as announced, or EXCHANGE_STREAMED */
    bool begun;
    bool ended;
    bool head_only;   /* the method was HEAD */
    bool close_after; /* HTTP/1 */
    bool was_unsent;  /* drained is owed */

    int32_t stream; /* HTTP/2, as the rest */
    struct buf out; /* of the body, not yet in frames */
    size_t out_taken;
    const struct exchange_field *trailers;
    size_t trailer_count;
    bool deferred; /* nghttp2 waits for more of the body */
    bool is_over;  /* nghttp2 has forgotten the stream */
};

struct exchange *exchange_new(struct connection *connection);

/* Adds a header to the head; false beyond the caps. */
MUST_USE bool exchange_add_field(struct exchange *exchange, const char *name,
                                 size_t name_length, const char *value,
                                 size_t value_length);
/* Splits TARGET into path and query. */
void exchange_set_target(struct exchange *exchange, const char *target,
                         size_t length);
/* The head is whole: calls the server's handler. */
void exchange_handle(struct exchange *exchange);
void exchange_body(struct exchange *exchange, const char *bytes, size_t length);
void exchange_request_end(struct exchange *exchange);
/* Calls drained where it is owed and nothing is unsent. */
void exchange_drained(struct exchange *exchange);
/* Calls closed, and frees. */
void exchange_free(struct exchange *exchange);

/* ---- connections --------------------------------------------------------- */

struct connection {
    struct server *server;
    struct connection *before; /* others of the same server */
    struct connection *after;
    struct connection *settle_after; /* in the server's list of those to
                                        settle */
    bool to_settle;

    uv_tcp_t tcp;
    struct tls_session *tls; /* null without TLS */
    const struct protocol *protocol;
    union {
        struct http1 *http1;
        struct http2 *http2;
    };
    struct exchange *exchanges;

    struct buf output; /* for the socket, not yet handed over */
    struct buf writing;
    uv_write_t write;
    uv_shutdown_t shutdown;
    bool is_writing;

    bool is_busy;    /* input is being worked on */
    bool is_broken;  /* to be cut */
    bool is_leaving; /* said goodbye; input is dropped until the other side
                        ends, or for LINGER_US */
    bool is_shut_down;
    bool is_closing; /* uv_close was called */
    struct loop_timer deadline;
};

enum {
    SERVER_HEAD_US = 10 * 1000000,
    SERVER_IDLE_US = 120 * 1000000,
    SERVER_LINGER_US = 1000000
};

/* Plain bytes for the other side; gathered until connection_flush. */
void connection_output(struct connection *connection, const void *bytes,
                       size_t length);
/* The same after encryption. */
void connection_output_raw(struct connection *connection, const void *bytes,
                           size_t length);
/* Hands over what has gathered, unless input is being worked on, which does it
 * at its end. */
void connection_flush(struct connection *connection);
size_t connection_unsent(const struct connection *connection);

/* Plain bytes of the other side, once TLS has done its part. */
void connection_input(struct connection *connection, const char *bytes,
                      size_t length);
/* Cut it, soon. */
void connection_break(struct connection *connection);
/* Send what is left, then end it in order, soon. */
void connection_leave(struct connection *connection);
/* Has connection_settle run at the bottom of the stack. */
void connection_settle_soon(struct connection *connection);

struct loop *server_loop(const struct server *server);
/* "Mon, 24 Nov 2025 08:02:11 GMT" */
const char *server_date(struct server *server);
void server_handle(struct server *server, struct exchange *exchange);

/* "OK" for 200. */
const char *http_reason(int status);

/* ---- TLS ----------------------------------------------------------------- */

/* A new key and a certificate that it signed itself, for HOST. */
MUST_USE enum err tls_identity_new(struct tls_identity **identity,
                                   const char *host);
void tls_identity_free(struct tls_identity *identity);

struct tls_session *tls_session_new(struct tls_identity *identity,
                                    struct connection *connection);
void tls_session_free(struct tls_session *session);
/* Bytes of the socket; calls connection_input, and sets the connection's
 * protocol when the handshake is done. False where TLS fails. */
MUST_USE bool tls_session_input(struct tls_session *session, const char *bytes,
                                size_t length);
void tls_session_output(struct tls_session *session, const void *bytes,
                        size_t length);
void tls_session_goodbye(struct tls_session *session);

/* ---- protocols ----------------------------------------------------------- */

void http1_start(struct connection *connection);
void http2_start(struct connection *connection);

#endif
