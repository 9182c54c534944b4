/*
 * http_exchange.c: one request and its answer (see http.h).
 *
 * The state says where it is: resolved by us, run by libcurl, told by us. All
 * limits are held here: a timer for the time until connected and then until
 * answered, a count of header and body bytes, and, under all that libcurl
 * reads without showing it, a limit on the socket itself.
 */
#include "base/clock.h"
#include "wire/http_int.h"

#include <mbedtls/ssl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    HEADER_BYTES = 64 << 10,
    BODY_BYTES = 1 << 20,
    /* Beyond headers and body: framing, and what HTTP/2 says beside it. */
    FRAMING_BYTES = 256 << 10,
    STATUS_FINAL = 200,
    SEND_KEPT_BYTES = 64 << 10,
    UNSENT_KEPT_BYTES = 4 << 10, /* of room, where nothing waits */
    /* What libcurl takes of a body at a time; the least it can be told. */
    TAKEN_BYTES = 4096
};

const char *http_outcome_name(enum http_outcome outcome)
{
    static const char *const names[] = {[HTTP_ANSWERED] = "answered",
                                        [HTTP_URL_REFUSED] = "url_refused",
                                        [HTTP_ADDRESS_REFUSED] =
                                            "address_refused",
                                        [HTTP_NOT_RESOLVED] = "not_resolved",
                                        [HTTP_NOT_CONNECTED] = "not_connected",
                                        [HTTP_TLS_FAILED] = "tls_failed",
                                        [HTTP_TIMED_OUT] = "timed_out",
                                        [HTTP_TOO_LARGE] = "too_large",
                                        [HTTP_LOST] = "lost",
                                        [HTTP_BROKEN] = "broken"};
    return names[outcome];
}

/* ---- ending -------------------------------------------------------------- */

static void end_as(struct http_exchange *exchange, enum http_outcome outcome)
{
    exchange->answer.outcome = outcome;
    exchange->state = EXCHANGE_DONE;
    http_exchange_wake(exchange);
}

static bool has_ended(const struct http_exchange *exchange)
{
    return exchange->state == EXCHANGE_DONE ||
           exchange->state == EXCHANGE_CANCELLED;
}

void http_exchange_fail(struct http_exchange *exchange,
                        enum http_outcome outcome, const char *format, ...)
{
    va_list arguments;
    if (has_ended(exchange))
        return;
    va_start(arguments, format);
    vsnprintf(exchange->answer.detail, sizeof exchange->answer.detail, format,
              arguments);
    va_end(arguments);
    end_as(exchange, outcome);
}

void http_exchange_free(struct http_exchange *exchange)
{
    if (exchange->lookup)
        resolve_let_go(exchange->lookup);
    if (exchange->easy) {
        curl_multi_remove_handle(exchange->client->multi, exchange->easy);
        curl_easy_cleanup(exchange->easy);
    }
    loop_timer_stop(&exchange->limit);
    curl_slist_free_all(exchange->headers);
    curl_slist_free_all(exchange->addresses);
    buf_free(&exchange->unsent);
    buf_free(&exchange->body);
    arena_free(&exchange->arena);
    *exchange->link = exchange->next;
    if (exchange->next)
        exchange->next->link = exchange->link;
    free(exchange);
}

/* The connection is given back before on_done, so that whatever it starts
 * next can use it. */
void http_exchange_tell(struct http_exchange *exchange)
{
    if (exchange->easy) {
        curl_multi_remove_handle(exchange->client->multi, exchange->easy);
        curl_easy_cleanup(exchange->easy);
        exchange->easy = NULL;
    }
    exchange->answer.body =
        (struct text){exchange->body.data, exchange->body.length};
    if (exchange->on_done)
        exchange->on_done(exchange->context, &exchange->answer);
    http_exchange_free(exchange);
}

/* ---- times --------------------------------------------------------------- */

static void note_times(struct http_exchange *exchange)
{
    const struct connection *connection = exchange->connection;
    struct http_times *times = &exchange->answer.times;
    if (!connection && exchange->opened)
        times->connect_us = exchange->opened->facts.connect_us;
    if (!connection)
        return;
    if (times->sent_us == 0 && !connection->facts.stamp_next)
        times->sent_us = connection->facts.sent_us;
    if (!exchange->answer.kept)
        times->connect_us = connection->facts.connect_us;
    times->came_us = connection->facts.received_us;
}

/* TCP's handshake was done, and TLS' was begun. */
static bool began_tls(const struct http_exchange *exchange)
{
    bool sent = exchange->opened ? exchange->opened->facts.first_sent_us > 0
                                 : exchange->shook_hands;
    return exchange->url.secure && sent;
}

static void on_limit(void *context)
{
    struct http_exchange *exchange = context;
    double seconds = (double)exchange->limit_us / 1e6;
    note_times(exchange);
    if (exchange->connected) {
        http_exchange_fail(exchange, HTTP_TIMED_OUT,
                           "no whole answer within %g s", seconds);
        return;
    }
    seconds = (double)exchange->client->connect_us / 1e6;
    if (exchange->lookup)
        http_exchange_fail(exchange, HTTP_NOT_RESOLVED,
                           "no address of %.60s within %g s",
                           exchange->url.host, seconds);
    else if (began_tls(exchange))
        http_exchange_fail(exchange, HTTP_TLS_FAILED,
                           "no TLS handshake within %g s", seconds);
    else
        http_exchange_fail(exchange, HTTP_NOT_CONNECTED,
                           "no connection to %.60s within %g s",
                           exchange->answer.address, seconds);
}

/* ---- what libcurl asks --------------------------------------------------- */

/* Certificates are only asked for their key where none is verified. */
static CURLcode set_up_tls(CURL *easy, void *settings, void *context)
{
    struct http_exchange *exchange = context;
    (void)easy;
    if (!exchange->client->ca_bundle.length)
        mbedtls_ssl_conf_authmode(settings, MBEDTLS_SSL_VERIFY_NONE);
    /* No maximum fragment length, though it would spare some buffers: servers
     * of OpenSSL answer it under TLS 1.3, which mbedtls does not expect. */
    return CURLE_OK;
}

static void ask_key(struct http_exchange *exchange,
                    struct connection *connection)
{
    struct curl_tlssessioninfo *session = NULL;
    connection->key_was_asked = true;
    curl_easy_getinfo(exchange->easy, CURLINFO_TLS_SSL_PTR, &session);
    if (!session || !session->internals)
        return;
    const mbedtls_x509_crt *certificate =
        mbedtls_ssl_get_peer_cert(session->internals);
    if (!certificate)
        return;
    hash_sha256(certificate->pk_raw.p, certificate->pk_raw.len,
                connection->key_sha256);
    connection->has_key = true;
}

static void take_over(struct http_exchange *exchange,
                      struct connection *connection)
{
    struct http_answer *answer = &exchange->answer;
    struct socket_facts *facts = &connection->facts;
    exchange->connection = connection;
    exchange->connected = true;
    answer->kept = connection->used;
    connection->used = true;
    if (exchange->url.secure && !connection->key_was_asked)
        ask_key(exchange, connection);
    if (exchange->url.secure && !answer->kept)
        answer->times.tls_us = facts->received_us - facts->first_sent_us;
    answer->has_key = connection->has_key;
    memcpy(answer->key_sha256, connection->key_sha256, SHA256_BYTES);
    memcpy(answer->address, connection->address, sizeof answer->address);
    facts->sent_us = 0;
    facts->stamp_next = true;
    facts->receive_limit = facts->received_bytes + exchange->header_bytes_max +
                           exchange->body_bytes_max +
                           exchange->body_bytes_max / 8 + FRAMING_BYTES;
}

/* The connection stands; the request is about to leave. */
static int on_connected(void *context, char *to, char *from, int to_port,
                        int from_port)
{
    struct http_exchange *exchange = context;
    curl_socket_t descriptor = CURL_SOCKET_BAD;
    (void)to;
    (void)from;
    (void)to_port;
    (void)from_port;
    if (has_ended(exchange))
        return CURL_PREREQFUNC_ABORT;
    curl_easy_getinfo(exchange->easy, CURLINFO_ACTIVESOCKET, &descriptor);
    struct connection *connection =
        client_connection(exchange->client, descriptor);
    if (!connection)
        return CURL_PREREQFUNC_ABORT;
    take_over(exchange, connection);
    loop_timer_stop(&exchange->limit);
    if (exchange->limit_us)
        loop_timer_at(&exchange->limit,
                      exchange->answer.times.started_us + exchange->limit_us);
    if (exchange->on_connected)
        exchange->on_connected(exchange->context);
    return has_ended(exchange) ? CURL_PREREQFUNC_ABORT : CURL_PREREQFUNC_OK;
}

static size_t give_body(char *room, size_t size, size_t count, void *context)
{
    struct http_exchange *exchange = context;
    size_t left = exchange->unsent.length - exchange->unsent_at;
    size_t length = left < size * count ? left : size * count;
    if (has_ended(exchange))
        return CURL_READFUNC_ABORT;
    if (length == 0 && !exchange->sent_all) {
        exchange->paused = true;
        return CURL_READFUNC_PAUSE;
    }
    if (length)
        memcpy(room, exchange->unsent.data + exchange->unsent_at, length);
    exchange->unsent_at += length;
    return length;
}

/* ---- what comes ---------------------------------------------------------- */

static struct text trimmed(const char *from, const char *to)
{
    while (from < to && (*from == ' ' || *from == '\t'))
        from++;
    while (to > from && (to[-1] == ' ' || to[-1] == '\t' || to[-1] == '\r' ||
                         to[-1] == '\n'))
        to--;
    return (struct text){from, (size_t)(to - from)};
}

/* "HTTP/1.1 470 Some Reason", "HTTP/2 200". */
static int status_of(const char *line, size_t length)
{
    const char *blank = memchr(line, ' ', length);
    int status = 0;
    if (!blank)
        return 0;
    for (const char *at = blank + 1;
         at < line + length && *at >= '0' && *at <= '9' && status < 1000; at++)
        status = status * 10 + (*at - '0');
    return status;
}

static void take_header(struct http_exchange *exchange, const char *line,
                        size_t length)
{
    const char *colon = memchr(line, ':', length);
    if (colon && exchange->on_header)
        exchange->on_header(exchange->context, trimmed(line, colon),
                            trimmed(colon + 1, line + length));
}

static size_t on_header_line(char *line, size_t size, size_t count,
                             void *context)
{
    struct http_exchange *exchange = context;
    size_t length = size * count;
    if (has_ended(exchange))
        return 0;
    exchange->header_bytes += length;
    if (exchange->header_bytes > exchange->header_bytes_max) {
        exchange->too_large = true;
        return 0;
    }
    note_times(exchange);
    if (length >= 5 && memcmp(line, "HTTP/", 5) == 0) {
        exchange->answer.status = status_of(line, length);
        exchange->interim = exchange->answer.status < STATUS_FINAL;
    } else if (!exchange->interim && trimmed(line, line + length).length) {
        take_header(exchange, line, length);
    } else if (!exchange->interim && !exchange->is_answered) {
        exchange->is_answered = true;
        if (exchange->on_answer)
            exchange->on_answer(exchange->context, exchange->answer.status,
                                exchange->answer.times.came_us);
    }
    return has_ended(exchange) ? 0 : length;
}

static size_t on_body_bytes(char *bytes, size_t size, size_t count,
                            void *context)
{
    struct http_exchange *exchange = context;
    size_t length = size * count;
    if (has_ended(exchange))
        return CURL_WRITEFUNC_ERROR;
    exchange->body_bytes += length;
    if (exchange->body_bytes > exchange->body_bytes_max) {
        exchange->too_large = true;
        return CURL_WRITEFUNC_ERROR;
    }
    note_times(exchange);
    if (exchange->on_body)
        exchange->on_body(exchange->context, (struct text){bytes, length},
                          exchange->answer.times.came_us);
    else
        buf_add(&exchange->body, bytes, length);
    return has_ended(exchange) ? CURL_WRITEFUNC_ERROR : length;
}

/* What is wrong where libcurl gives up while connecting. */
static enum http_outcome connecting_outcome(struct http_exchange *exchange,
                                            CURLcode code)
{
    long system_code = 0;
    if (code == CURLE_COULDNT_RESOLVE_HOST)
        return HTTP_NOT_RESOLVED;
    if (exchange->refusal)
        return HTTP_ADDRESS_REFUSED;
    if (began_tls(exchange))
        return HTTP_TLS_FAILED;
    curl_easy_getinfo(exchange->easy, CURLINFO_OS_ERRNO, &system_code);
    if (!exchange->answer.system_code)
        exchange->answer.system_code = (int)system_code;
    return HTTP_NOT_CONNECTED;
}

static enum http_outcome outcome_of(struct http_exchange *exchange,
                                    CURLcode code)
{
    if (exchange->too_large || code == CURLE_TOO_LARGE)
        return HTTP_TOO_LARGE;
    if (!exchange->connected)
        return connecting_outcome(exchange, code);
    bool lost = exchange->connection ? exchange->connection->facts.ended
                                     : exchange->lost;
    lost |= code == CURLE_SEND_ERROR; /* noticed by writing to it */
    return lost && code != CURLE_WEIRD_SERVER_REPLY &&
                   code != CURLE_UNSUPPORTED_PROTOCOL
               ? HTTP_LOST
               : HTTP_BROKEN;
}

void http_exchange_ended(struct http_exchange *exchange, CURLcode code)
{
    struct http_answer *answer = &exchange->answer;
    if (has_ended(exchange))
        return;
    note_times(exchange);
    if (exchange->connection && exchange->connection->facts.exhausted)
        exchange->too_large = true;
    if (code == CURLE_OK) {
        end_as(exchange, HTTP_ANSWERED);
        return;
    }
    enum http_outcome outcome = outcome_of(exchange, code);
    if (outcome == HTTP_ADDRESS_REFUSED)
        http_exchange_fail(exchange, outcome, "%s is %s", answer->address,
                           exchange->refusal);
    else if (outcome == HTTP_TOO_LARGE)
        http_exchange_fail(exchange, outcome, "more than %zu bytes came",
                           exchange->header_bytes_max +
                               exchange->body_bytes_max);
    else
        http_exchange_fail(exchange, outcome, "%s",
                           *exchange->error ? exchange->error
                                            : curl_easy_strerror(code));
}

/* ---- starting ------------------------------------------------------------ */

/* Fails only where memory is out or the program is wrong. */
#define SET(option, value)                                                     \
    do {                                                                       \
        if (curl_easy_setopt(easy, (option), (value)) != CURLE_OK)             \
            abort();                                                           \
    } while (0)

static void set_tls(const struct http_exchange *exchange, CURL *easy)
{
    struct text bundle = exchange->client->ca_bundle;
    struct curl_blob blob = {.data = (void *)(uintptr_t)bundle.data,
                             .len = bundle.length,
                             .flags = CURL_BLOB_NOCOPY};
    SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    SET(CURLOPT_SSL_VERIFYPEER, bundle.length ? 1L : 0L);
    SET(CURLOPT_SSL_VERIFYHOST, bundle.length ? 2L : 0L);
    if (bundle.length)
        SET(CURLOPT_CAINFO_BLOB, &blob);
    SET(CURLOPT_SSL_SESSIONID_CACHE, 0L);
    SET(CURLOPT_SSL_CTX_FUNCTION, set_up_tls);
}

static void set_method(struct http_exchange *exchange, CURL *easy,
                       const struct http_request *request)
{
    if (request->streamed) {
        SET(CURLOPT_POST, 1L);
        SET(CURLOPT_READFUNCTION, give_body);
        SET(CURLOPT_READDATA, exchange);
        exchange->headers = curl_slist_append(exchange->headers, "Expect:");
    } else if (strcmp(request->method, "POST") == 0) {
        SET(CURLOPT_POST, 1L);
        SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body.length);
        SET(CURLOPT_COPYPOSTFIELDS,
            request->body.length ? request->body.data : "");
    } else if (strcmp(request->method, "GET") != 0) {
        SET(CURLOPT_CUSTOMREQUEST, request->method);
    }
}

static void set_callbacks(struct http_exchange *exchange, CURL *easy)
{
    SET(CURLOPT_PRIVATE, exchange);
    SET(CURLOPT_ERRORBUFFER, exchange->error);
    SET(CURLOPT_OPENSOCKETFUNCTION, client_open_socket);
    SET(CURLOPT_OPENSOCKETDATA, exchange);
    SET(CURLOPT_CLOSESOCKETFUNCTION, client_close_socket);
    SET(CURLOPT_CLOSESOCKETDATA, exchange->client);
    SET(CURLOPT_SSL_CTX_DATA, exchange);
    SET(CURLOPT_PREREQFUNCTION, on_connected);
    SET(CURLOPT_PREREQDATA, exchange);
    SET(CURLOPT_HEADERFUNCTION, on_header_line);
    SET(CURLOPT_HEADERDATA, exchange);
    SET(CURLOPT_WRITEFUNCTION, on_body_bytes);
    SET(CURLOPT_WRITEDATA, exchange);
}

static void set_up(struct http_exchange *exchange,
                   const struct http_request *request)
{
    CURL *easy = exchange->easy;
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_UPLOAD_BUFFERSIZE, (long)TAKEN_BYTES);
    SET(CURLOPT_PROXY, ""); /* also none of the environment */
    SET(CURLOPT_PROTOCOLS_STR, "http,https");
    SET(CURLOPT_FOLLOWLOCATION, 0L);
    SET(CURLOPT_USERAGENT, exchange->client->user_agent);
    SET(CURLOPT_FRESH_CONNECT, request->fresh ? 1L : 0L);
    SET(CURLOPT_FORBID_REUSE, request->last ? 1L : 0L);
    set_callbacks(exchange, easy);
    set_tls(exchange, easy);
    set_method(exchange, easy, request);
    for (size_t i = 0; i < request->header_count; i++)
        exchange->headers =
            curl_slist_append(exchange->headers, request->headers[i]);
    SET(CURLOPT_HTTPHEADER, exchange->headers);
}

/* What depends on the URL. Where HTTP/2 may fall back to HTTP/1.1, a kept
 * connection that speaks that is taken; nothing asked for here can do without
 * HTTP/2. */
void http_exchange_begin(struct http_exchange *exchange)
{
    CURL *easy = exchange->easy;
    long version = exchange->version == HTTP_VERSION_2
                       ? CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE
                       : CURL_HTTP_VERSION_1_1;
    SET(CURLOPT_HTTP_VERSION, version);
    SET(CURLOPT_URL, exchange->url.text);
    resolve_start(exchange);
}

void http_exchange_run(struct http_exchange *exchange)
{
    CURL *easy = exchange->easy;
    if (exchange->addresses)
        SET(CURLOPT_RESOLVE, exchange->addresses);
    exchange->state = EXCHANGE_RUNNING;
    if (curl_multi_add_handle(exchange->client->multi, easy) != CURLM_OK)
        abort();
}

static void copy_wishes(struct http_exchange *exchange,
                        const struct http_request *request)
{
    exchange->version = request->version;
    exchange->fresh = request->fresh;
    exchange->streamed = request->streamed;
    exchange->limit_us = request->limit_us;
    exchange->header_bytes_max =
        request->header_bytes ? request->header_bytes : HEADER_BYTES;
    exchange->body_bytes_max =
        request->body_bytes ? request->body_bytes : BODY_BYTES;
    exchange->context = request->context;
    exchange->on_connected = request->on_connected;
    exchange->on_header = request->on_header;
    exchange->on_answer = request->on_answer;
    exchange->on_body = request->on_body;
    exchange->on_done = request->on_done;
}

struct http_exchange *http_start(struct http_client *client,
                                 const struct http_request *request)
{
    struct http_exchange *exchange = memory_zeroed(1, sizeof *exchange);
    struct http_times *times = &exchange->answer.times;
    exchange->client = client;
    exchange->next = client->first;
    exchange->link = &client->first;
    if (exchange->next)
        exchange->next->link = &exchange->next;
    client->first = exchange;
    copy_wishes(exchange, request);
    times->started_us = clock_monotonic_us();
    times->dns_us = times->connect_us = times->tls_us = -1;
    loop_timer_init(&exchange->limit, client->loop, on_limit, exchange);
    exchange->easy = curl_easy_init();
    if (!exchange->easy)
        abort();
    set_up(exchange, request);
    if (url_parse(&exchange->arena, request->url, &exchange->url)) {
        http_exchange_fail(exchange, HTTP_URL_REFUSED, "%s", err_message());
        return exchange;
    }
    loop_timer_after(&exchange->limit, client->connect_us);
    http_exchange_wake(exchange);
    return exchange;
}

/* ---- while it runs ------------------------------------------------------- */

/* A piece at a time, as long as the socket takes them. */
static void resume(struct http_exchange *exchange)
{
    size_t before;
    if (!exchange->paused || exchange->state != EXCHANGE_RUNNING)
        return;
    exchange->paused = false;
    curl_easy_pause(exchange->easy, CURLPAUSE_CONT);
    client_push(exchange->client);
    do {
        before = exchange->unsent_at;
        if (exchange->state == EXCHANGE_RUNNING && exchange->connection &&
            !exchange->paused)
            client_push_out(exchange->connection);
    } while (exchange->unsent_at > before);
}

/* What libcurl has taken does not stay for long. */
static void forget_taken(struct http_exchange *exchange)
{
    struct buf *unsent = &exchange->unsent;
    size_t left = unsent->length - exchange->unsent_at;
    if (left && exchange->unsent_at < SEND_KEPT_BYTES)
        return;
    if (left)
        memmove(unsent->data, unsent->data + exchange->unsent_at, left);
    unsent->length = left;
    exchange->unsent_at = 0;
    if (!left && unsent->capacity > UNSENT_KEPT_BYTES)
        buf_free(unsent);
}

void http_send(struct http_exchange *exchange, struct text bytes)
{
    buf_add(&exchange->unsent, bytes.data, bytes.length);
    resume(exchange);
    forget_taken(exchange);
}

void http_send_end(struct http_exchange *exchange)
{
    exchange->sent_all = true;
    resume(exchange);
}

size_t http_unsent_bytes(const struct http_exchange *exchange)
{
    return exchange->unsent.length - exchange->unsent_at;
}

void http_cancel(struct http_exchange *exchange)
{
    exchange->on_done = NULL;
    exchange->state = EXCHANGE_CANCELLED;
    http_exchange_wake(exchange);
}
