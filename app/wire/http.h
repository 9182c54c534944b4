/*
 * http.h: asking others over HTTP/1.1 and HTTP/2, measured and under limits.
 *
 * A client lives on a loop and keeps its connections. An exchange is one
 * request and its answer. Nothing blocks: what comes is told by callbacks on
 * the loop's thread, the last of them on_done, exactly once.
 *
 *     struct http_request request = {.method = "POST", .url = url,
 *                                    .body = text_of("{}"),
 *                                    .limit_us = 5000000,
 *                                    .on_done = answered, .context = probe};
 *     exchange = http_start(client, &request);
 *
 * Promises: a peer may do what it likes. Every exchange has an end in time and
 * in bytes, headers included; addresses are judged when connecting; nothing is
 * redirected; proxies of the environment, netrc and cookies do not exist here.
 *
 * Times are the kernel's own stamps (socket_int.h), by clock_monotonic_us.
 *
 * Underneath is libcurl's multi interface on libuv.
 */
#ifndef ASSAY_WIRE_HTTP_H
#define ASSAY_WIRE_HTTP_H

#include "base/buf.h"
#include "base/err.h"
#include "base/hash.h"
#include "wire/address.h"
#include "wire/loop.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct http_client;
struct http_exchange;

struct http_settings {
    const struct address_policy *policy; /* copied; null: the Internet alone */
    /* PEM, borrowed as long as the client lives. With it, certificates must be
     * valid for the host's name; without it any one is accepted, as clients of
     * orchestrators do, and its key is told. */
    struct text ca_bundle;
    int64_t connect_us;     /* patience until connected; 0 means 5 s */
    const char *user_agent; /* null for "assay/VERSION" */
};

/* On the loop's thread. */
MUST_USE enum err http_client_open(struct http_client **client,
                                   struct loop *loop,
                                   const struct http_settings *settings);

/* Drops exchanges that still run, without their on_done. Never from a callback
 * of one of them; null is allowed. */
void http_client_close(struct http_client *client);

struct loop *http_client_loop(const struct http_client *client);

/* ---- the answer ---------------------------------------------------------- */

enum http_outcome {
    HTTP_ANSWERED,        /* a whole answer came; .status says which */
    HTTP_URL_REFUSED,     /* no URL to connect to */
    HTTP_ADDRESS_REFUSED, /* only addresses that must not be connected to */
    HTTP_NOT_RESOLVED,    /* the name has no address */
    HTTP_NOT_CONNECTED,   /* refused, unreachable, or no time left */
    HTTP_TLS_FAILED,      /* no handshake, or a certificate not accepted */
    HTTP_TIMED_OUT,       /* connected, but not answered within the limit */
    HTTP_TOO_LARGE,       /* more bytes than allowed, in headers or body */
    HTTP_LOST,            /* the connection ended before the answer did */
    HTTP_BROKEN           /* what came breaks the protocol */
};

const char *http_outcome_name(enum http_outcome outcome);

/* In microseconds: lengths, -1 where not measured (a kept connection has no
 * DNS, connect and TLS); and instants, 0 where they did not happen. */
struct http_times {
    int64_t dns_us;     /* asking for the name's addresses, which came */
    int64_t connect_us; /* TCP's handshake, one round trip */
    int64_t tls_us;     /* first byte sent to last handshake byte come */
    int64_t started_us; /* http_start was called */
    int64_t sent_us;    /* the first byte of the request left */
    int64_t came_us;    /* the last byte that was read of the answer came */
};

enum { HTTP_DETAIL_BYTES = 160 };

struct http_answer {
    enum http_outcome outcome;
    int status;       /* of the final answer; 0 where none came */
    struct text body; /* where there was no on_body; valid during on_done */
    struct http_times times;
    bool kept;    /* on a connection that was open already */
    bool has_key; /* over TLS, and key_sha256 is set */
    uint8_t key_sha256[SHA256_BYTES]; /* of the certificate's public key, as
                                         SubjectPublicKeyInfo in DER */
    char address[ADDRESS_TEXT_BYTES]; /* that was connected to, or "" */
    int system_code;                /* errno of what the system refused, or 0 */
    char detail[HTTP_DETAIL_BYTES]; /* what went wrong, for a person */
};

/* ---- the request --------------------------------------------------------- */

enum http_version { HTTP_VERSION_1_1, HTTP_VERSION_2 };

struct http_request {
    const char *method;         /* "GET", "POST", "DELETE" */
    const char *url;            /* copied, as headers and body are */
    const char *const *headers; /* "Name: value"; "Name;" for an empty one */
    size_t header_count;
    struct text body;          /* of a POST that is not streamed */
    bool streamed;             /* the body comes by http_send, in chunks */
    enum http_version version; /* HTTP/2 alone, as ALPN where there is TLS */
    bool fresh; /* a connection of its own, and the name asked for anew */
    bool last;  /* the connection is closed after it, not kept */

    int64_t limit_us;    /* until all is answered; 0: none, cancel by hand */
    size_t header_bytes; /* most; 0 means 64 KB */
    size_t body_bytes;   /* most; 0 means 1 MB */

    void *context;
    /* Each may be null. on_connected: the request is about to leave. Headers
     * of interim answers (1xx) are not told; those behind the body (trailers)
     * are. AT_US: their last byte came. */
    void (*on_connected)(void *context);
    void (*on_header)(void *context, struct text name, struct text value);
    void (*on_answer)(void *context, int status, int64_t at_us);
    void (*on_body)(void *context, struct text bytes, int64_t at_us);
    void (*on_done)(void *context, const struct http_answer *answer);
};

/* Never null, and never calls back before it has returned. */
struct http_exchange *http_start(struct http_client *client,
                                 const struct http_request *request);

/* More of a streamed body, copied; then its end. Where the connection stands
 * and the socket is not full, the kernel has the bytes when this returns;
 * callbacks of this exchange may run meanwhile. */
void http_send(struct http_exchange *exchange, struct text bytes);
void http_send_end(struct http_exchange *exchange);

/* Of what was given to http_send, the bytes that libcurl has not taken yet.
 */
size_t http_unsent_bytes(const struct http_exchange *exchange);

/* Ends it without on_done; the pointer is gone. Also from a callback of its
 * own. */
void http_cancel(struct http_exchange *exchange);

#endif
