/*
 * http_int.h: what http.c (the client), http_exchange.c (one request with its
 * answer) and resolve.c (names) share.
 *
 * Who owns what: the client owns exchanges and the multi handle, libcurl owns
 * connections and asks the client to open and close their sockets. A name
 * being looked up belongs to libuv until it answers, so it only points at its
 * exchange, and lets go of it.
 */
#ifndef ASSAY_WIRE_HTTP_INT_H
#define ASSAY_WIRE_HTTP_INT_H

#include "base/arena.h"
#include "base/index.h"
#include "wire/http.h"
#include "wire/loop_int.h"
#include "wire/socket_int.h"
#include "wire/url.h"

#include <curl/curl.h>

/* A socket that libcurl has open. */
struct connection {
    uv_poll_t watch;
    int descriptor;
    int events; /* libuv's, 0 while not watched */
    struct http_client *client;
    struct socket_facts facts;
    char address[ADDRESS_TEXT_BYTES];
    bool used;          /* has carried a request */
    bool key_was_asked; /* key_sha256 was looked for */
    bool has_key;
    uint8_t key_sha256[SHA256_BYTES];
};

/* Addresses of names that were found not long ago. */
struct name_cache {
    struct text_index names;
    struct name_entry *entries; /* by number in names */
};

struct lookup;

struct http_client {
    struct loop *loop;
    struct address_policy policy;
    struct text ca_bundle;
    int64_t connect_us;
    char *user_agent;
    CURLM *multi;
    struct loop_timer curl_timer;  /* libcurl's own */
    struct loop_timer turn;        /* does what callbacks must not */
    struct http_exchange *first;   /* all exchanges, newest first */
    struct http_exchange *waiting; /* those that the next turn looks at */
    struct http_exchange **waiting_end;
    struct connection **connections; /* by descriptor, null for others */
    size_t connection_capacity;
    struct name_cache cache;
    int stamping; /* see socket_users_begin */
    bool driving; /* libcurl is at work, and must not be entered again */
};

enum exchange_state {
    EXCHANGE_NEW, /* to be resolved and started */
    EXCHANGE_RESOLVING,
    EXCHANGE_RESOLVED, /* to be handed to libcurl */
    EXCHANGE_RUNNING,  /* in libcurl's hands */
    EXCHANGE_DONE,     /* to be told */
    EXCHANGE_CANCELLED /* to be freed */
};

struct http_exchange {
    struct http_client *client;
    struct http_exchange *next;
    struct http_exchange **link; /* what points to this one */
    enum exchange_state state;
    bool is_waiting;
    struct http_exchange *next_waiting;
    struct arena arena; /* of url */
    struct url url;
    struct lookup *lookup; /* while resolving */
    CURL *easy;
    struct curl_slist *headers;
    struct curl_slist *addresses;  /* as CURLOPT_RESOLVE takes them */
    struct connection *opened;     /* for it, the last one */
    struct connection *connection; /* once a request goes over it */
    bool shook_hands;        /* bytes were sent on what was opened for it */
    bool connected;          /* a request went over a connection */
    bool lost;               /* which the other side has ended */
    struct loop_timer limit; /* until connected, then until answered */

    enum http_version version;
    bool fresh;
    bool streamed;
    bool sent_all; /* nothing comes behind what is in unsent */
    bool paused;   /* libcurl was told to wait for more of the body */
    struct buf unsent;
    size_t unsent_at; /* of which libcurl has taken this much */

    int64_t limit_us;
    size_t header_bytes_max;
    size_t body_bytes_max;
    size_t header_bytes;
    size_t body_bytes;
    bool interim;        /* the headers that come are of a 1xx answer */
    bool is_answered;    /* on_answer was told */
    const char *refusal; /* why an address was not connected to */
    bool too_large;

    void *context;
    void (*on_connected)(void *context);
    void (*on_header)(void *context, struct text name, struct text value);
    void (*on_answer)(void *context, int status, int64_t at_us);
    void (*on_body)(void *context, struct text bytes, int64_t at_us);
    void (*on_done)(void *context, const struct http_answer *answer);
    struct buf body;
    struct http_answer answer;
    char error[CURL_ERROR_SIZE];
};

/* ---- http.c -------------------------------------------------------------- */

/* Lets libcurl do what it can do now; and go on sending over CONNECTION. */
void client_push(struct http_client *client);
void client_push_out(struct connection *connection);

/* Has the client's next turn look at EXCHANGE and do what its state says. */
void http_exchange_wake(struct http_exchange *exchange);

/* The connection on DESCRIPTOR, or null. */
struct connection *client_connection(struct http_client *client,
                                     curl_socket_t descriptor);

/* For libcurl: opens a socket if its address passes, and closes it. */
curl_socket_t client_open_socket(void *exchange, curlsocktype purpose,
                                 struct curl_sockaddr *address);
int client_close_socket(void *client, curl_socket_t descriptor);

/* ---- http_exchange.c ----------------------------------------------------- */

/* Reads the URL and looks for its host. */
void http_exchange_begin(struct http_exchange *exchange);

/* Hands it to libcurl, with the addresses that were found. */
void http_exchange_run(struct http_exchange *exchange);

/* libcurl says it has ended. */
void http_exchange_ended(struct http_exchange *exchange, CURLcode code);

/* Ends it from our side; on_done is told in the client's next turn. */
void http_exchange_fail(struct http_exchange *exchange,
                        enum http_outcome outcome, const char *format, ...)
    PRINTF_LIKE(3, 4);

/* Tells on_done and frees it; or only frees it. Never inside of libcurl. */
void http_exchange_tell(struct http_exchange *exchange);
void http_exchange_free(struct http_exchange *exchange);

/* ---- resolve.c ----------------------------------------------------------- */

/* Looks for the addresses of the exchange's host, and sets its state and
 * .addresses when they are there, which may be at once. */
void resolve_start(struct http_exchange *exchange);

/* The exchange no longer waits. */
void resolve_let_go(struct lookup *lookup);

void resolve_forget_all(struct name_cache *cache);

/* For musl's resolver: asks a name server, and reads an answer. */
ssize_t resolve_ask(int descriptor, const void *bytes, size_t length,
                    const struct sockaddr *server, socklen_t server_length);
ssize_t resolve_answer(int descriptor, struct msghdr *message);

#endif
