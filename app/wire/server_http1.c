/*
 * server_http1.c: HTTP/1.1 on a connection, parsed by llhttp.
 *
 * One exchange at a time: what comes behind a request waits until it is
 * answered. An answer may end before its request's body has; the rest of the
 * body is read and dropped.
 */
#include "wire/server_int.h"

#include <llhttp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { PENDING_MAX_BYTES = 64 << 10 };

struct http1 {
    llhttp_t parser;
    struct connection *connection;
    struct exchange *exchange; /* the present one, null in between */
    struct buf target;         /* these three: of the head being read */
    struct buf name;
    struct buf value;
    struct buf pending; /* came behind a request that is being answered */
    struct buf out;     /* room for putting pieces together */
    bool keep_alive;    /* of the present request */
};

static const char preface[] = "PRI * HTTP/2.0";

static struct http1 *http1_of(llhttp_t *parser)
{
    return parser->data;
}

/* ---- the head ------------------------------------------------------------ */

static bool head_fits(const struct http1 *http1)
{
    return http1->target.length + http1->name.length + http1->value.length <=
           SERVER_HEAD_MAX_BYTES;
}

static int add_piece(struct http1 *http1, struct buf *buf, const char *at,
                     size_t length)
{
    buf_add(buf, at, length);
    return head_fits(http1) ? 0 : -1;
}

static int on_begin(llhttp_t *parser)
{
    struct http1 *http1 = http1_of(parser);
    buf_clear(&http1->target);
    http1->exchange = exchange_new(http1->connection);
    loop_timer_after(&http1->connection->deadline, SERVER_HEAD_US);
    return 0;
}

static int on_target(llhttp_t *parser, const char *at, size_t length)
{
    struct http1 *http1 = http1_of(parser);
    return add_piece(http1, &http1->target, at, length);
}

static int on_name(llhttp_t *parser, const char *at, size_t length)
{
    struct http1 *http1 = http1_of(parser);
    return add_piece(http1, &http1->name, at, length);
}

static int on_value(llhttp_t *parser, const char *at, size_t length)
{
    struct http1 *http1 = http1_of(parser);
    return add_piece(http1, &http1->value, at, length);
}

/* Its answer would be ignored: what does not fit is found at the head's end. */
static int on_field_complete(llhttp_t *parser)
{
    struct http1 *http1 = http1_of(parser);
    struct exchange *exchange = http1->exchange;
    if (!exchange->request_ended &&
        !exchange_add_field(exchange, buf_string(&http1->name),
                            http1->name.length, buf_string(&http1->value),
                            http1->value.length))
        exchange->head_bytes = SIZE_MAX / 2;
    buf_clear(&http1->name);
    buf_clear(&http1->value);
    return 0;
}

static int on_head(llhttp_t *parser)
{
    struct http1 *http1 = http1_of(parser);
    struct exchange *exchange = http1->exchange;
    if (exchange->head_bytes > SERVER_HEAD_MAX_BYTES)
        return -1;
    exchange->method = llhttp_method_name((llhttp_method_t)parser->method);
    exchange_set_target(exchange, buf_string(&http1->target),
                        http1->target.length);
    http1->keep_alive = llhttp_should_keep_alive(parser) != 0;
    parser->upgrade = 0; /* nothing else is spoken here */
    loop_timer_stop(&http1->connection->deadline);
    exchange_handle(exchange);
    return http1->connection->is_broken ? -1 : 0;
}

/* ---- the body ------------------------------------------------------------ */

static int on_body(llhttp_t *parser, const char *at, size_t length)
{
    struct http1 *http1 = http1_of(parser);
    exchange_body(http1->exchange, at, length);
    return http1->connection->is_broken ? -1 : 0;
}

static int on_complete(llhttp_t *parser)
{
    struct http1 *http1 = http1_of(parser);
    exchange_request_end(http1->exchange);
    return HPE_PAUSED;
}

static const llhttp_settings_t callbacks = {
    .on_message_begin = on_begin,
    .on_url = on_target,
    .on_header_field = on_name,
    .on_header_value = on_value,
    .on_header_value_complete = on_field_complete,
    .on_headers_complete = on_head,
    .on_body = on_body,
    .on_message_complete = on_complete,
};

/* ---- input --------------------------------------------------------------- */

/* Says what is wrong, after which the connection ends; false where an answer
 * has begun already. */
static bool refuse(struct http1 *http1)
{
    struct exchange *exchange = http1->exchange;
    if (http1->connection->is_broken || (exchange && exchange->ended))
        return true;
    if (exchange && exchange->begun)
        return false;
    if (!exchange)
        exchange = http1->exchange = exchange_new(http1->connection);
    bool large =
        !head_fits(http1) || exchange->head_bytes > SERVER_HEAD_MAX_BYTES;
    exchange_close_after(exchange);
    exchange_reply(
        exchange, large ? 431 : 400, "text/plain; charset=utf-8",
        text_of(large ? "the head is too large\n" : "this is not HTTP\n"));
    return true;
}

/* False where the connection cannot go on. */
static bool parse(struct http1 *http1, const char *bytes, size_t length)
{
    enum llhttp_errno code = llhttp_execute(&http1->parser, bytes, length);
    if (code == HPE_OK)
        return true;
    if (code != HPE_PAUSED)
        return refuse(http1);
    const char *end = llhttp_get_error_pos(&http1->parser);
    buf_add(&http1->pending, end, length - (size_t)(end - bytes));
    return true;
}

static bool is_waiting(const struct http1 *http1)
{
    return http1->exchange && http1->exchange->request_ended;
}

/* Whether what has come so far begins as HTTP/2 does, in the clear. */
static bool is_preface(const struct http1 *http1, const char *bytes,
                       size_t length)
{
    size_t wanted = sizeof preface - 1;
    return !http1->connection->tls && !http1->exchange && length >= wanted &&
           memcmp(bytes, preface, wanted) == 0;
}

static void http1_free(struct connection *connection);

static bool http1_input(struct connection *connection, const char *bytes,
                        size_t length)
{
    struct http1 *http1 = connection->http1;
    if (is_waiting(http1)) {
        buf_add(&http1->pending, bytes, length);
        return http1->pending.length <= PENDING_MAX_BYTES;
    }
    if (is_preface(http1, bytes, length)) {
        http1_free(connection);
        http2_start(connection);
        return connection->protocol->input(connection, bytes, length);
    }
    return parse(http1, bytes, length);
}

/* What waited behind the request that has just been answered. */
static void parse_pending(struct http1 *http1)
{
    struct buf pending = http1->pending;
    http1->pending = (struct buf){0};
    llhttp_resume(&http1->parser);
    if (pending.length && !parse(http1, pending.data, pending.length))
        connection_break(http1->connection);
    buf_free(&pending);
}

static void http1_settle(struct connection *connection)
{
    struct http1 *http1 = connection->http1;
    struct exchange *exchange = http1->exchange;
    while (exchange && exchange->ended && !connection->is_leaving &&
           (exchange->request_ended || exchange->close_after)) {
        bool leave = exchange->close_after;
        http1->exchange = NULL;
        exchange_free(exchange);
        if (leave) {
            connection_leave(connection);
            return;
        }
        loop_timer_after(&connection->deadline, SERVER_IDLE_US);
        parse_pending(http1);
        exchange = http1->exchange;
    }
}

/* ---- output -------------------------------------------------------------- */

static void http1_interim(struct exchange *exchange)
{
    static const char line[] = "HTTP/1.1 100 Continue\r\n\r\n";
    connection_output(exchange->connection, line, sizeof line - 1);
}

static bool is_chunked(const struct exchange *exchange)
{
    return exchange->body_bytes == EXCHANGE_STREAMED;
}

static void http1_begin(struct exchange *exchange, int status,
                        const struct exchange_field *fields, size_t count)
{
    struct connection *connection = exchange->connection;
    struct buf *out = &connection->http1->out;
    buf_clear(out);
    buf_printf(out, "HTTP/1.1 %d %s\r\nDate: %s\r\n", status,
               http_reason(status), server_date(connection->server));
    for (size_t i = 0; i < count; i++)
        buf_printf(out, "%s: %s\r\n", fields[i].name, fields[i].value);
    if (is_chunked(exchange))
        buf_add_string(out, "Transfer-Encoding: chunked\r\n");
    else
        buf_printf(out, "Content-Length: %lld\r\n",
                   (long long)exchange->body_bytes);
    exchange->close_after |= !connection->http1->keep_alive;
    if (exchange->close_after)
        buf_add_string(out, "Connection: close\r\n");
    buf_add_string(out, "\r\n");
    connection_output(connection, out->data, out->length);
}

static void http1_write(struct exchange *exchange, const void *bytes,
                        size_t length)
{
    struct connection *connection = exchange->connection;
    if (!is_chunked(exchange)) {
        connection_output(connection, bytes, length);
        return;
    }
    /* In one piece: one record of TLS. */
    struct buf *out = &connection->http1->out;
    buf_clear(out);
    buf_printf(out, "%zx\r\n", length);
    buf_add(out, bytes, length);
    buf_add_string(out, "\r\n");
    connection_output(connection, out->data, out->length);
}

static void http1_end(struct exchange *exchange,
                      const struct exchange_field *fields, size_t count)
{
    static const char last[] = "0\r\n\r\n";
    (void)fields;
    (void)count;
    if (exchange->begun && is_chunked(exchange) && !exchange->head_only)
        connection_output(exchange->connection, last, sizeof last - 1);
}

static size_t http1_unsent(const struct exchange *exchange)
{
    return connection_unsent(exchange->connection);
}

/* ---- life ---------------------------------------------------------------- */

static void http1_free(struct connection *connection)
{
    struct http1 *http1 = connection->http1;
    buf_free(&http1->target);
    buf_free(&http1->name);
    buf_free(&http1->value);
    buf_free(&http1->pending);
    buf_free(&http1->out);
    free(http1);
}

const struct protocol protocol_http1 = {
    .input = http1_input,
    .interim = http1_interim,
    .begin = http1_begin,
    .write = http1_write,
    .end = http1_end,
    .unsent = http1_unsent,
    .settle = http1_settle,
    .free = http1_free,
};

void http1_start(struct connection *connection)
{
    struct http1 *http1 = memory_zeroed(1, sizeof *http1);
    http1->connection = connection;
    llhttp_init(&http1->parser, HTTP_REQUEST, &callbacks);
    http1->parser.data = http1;
    connection->protocol = &protocol_http1;
    connection->http1 = http1;
}
