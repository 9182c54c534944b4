/*
 * exchange.c: one request and its answer, whatever protocol carries them.
 */
#include "wire/server_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- the request --------------------------------------------------------- */

struct exchange *exchange_new(struct connection *connection)
{
    struct exchange *exchange = memory_zeroed(1, sizeof *exchange);
    exchange->connection = connection;
    exchange->method = exchange->path = exchange->query = "";
    exchange->after = connection->exchanges;
    if (connection->exchanges)
        connection->exchanges->before = exchange;
    connection->exchanges = exchange;
    return exchange;
}

bool exchange_add_field(struct exchange *exchange, const char *name,
                        size_t name_length, const char *value,
                        size_t value_length)
{
    exchange->head_bytes += name_length + value_length;
    if (exchange->field_count == SERVER_HEADERS_MAX ||
        exchange->head_bytes > SERVER_HEAD_MAX_BYTES)
        return false;
    exchange->fields =
        arena_grow(&exchange->arena, exchange->fields, exchange->field_count,
                   sizeof *exchange->fields);
    exchange->fields[exchange->field_count++] = (struct exchange_field){
        .name = arena_text(&exchange->arena, name, name_length),
        .value = arena_text(&exchange->arena, value, value_length)};
    return true;
}

void exchange_set_target(struct exchange *exchange, const char *target,
                         size_t length)
{
    char *path = arena_text(&exchange->arena, target, length);
    char *mark = strchr(path, '?');
    exchange->path = path;
    if (mark) {
        *mark = '\0';
        exchange->query = mark + 1;
    }
}

const char *exchange_method(const struct exchange *exchange)
{
    return exchange->method;
}

const char *exchange_path(const struct exchange *exchange)
{
    return exchange->path;
}

const char *exchange_query(const struct exchange *exchange)
{
    return exchange->query;
}

const char *exchange_header(const struct exchange *exchange, const char *name)
{
    for (size_t i = 0; i < exchange->field_count; i++) {
        if (strcasecmp(exchange->fields[i].name, name) == 0)
            return exchange->fields[i].value;
    }
    return NULL;
}

int exchange_version(const struct exchange *exchange)
{
    return exchange->connection->protocol == &protocol_http2 ? 2 : 1;
}

/* ---- what the protocols tell --------------------------------------------- */

void exchange_handle(struct exchange *exchange)
{
    exchange->head_only = strcmp(exchange->method, "HEAD") == 0;
    server_handle(exchange->connection->server, exchange);
}

void exchange_body(struct exchange *exchange, const char *bytes, size_t length)
{
    if (exchange->handler && exchange->handler->body && !exchange->ended)
        exchange->handler->body(exchange->context, bytes, length);
}

void exchange_request_end(struct exchange *exchange)
{
    exchange->request_ended = true;
    if (exchange->handler && exchange->handler->end && !exchange->ended)
        exchange->handler->end(exchange->context);
}

void exchange_drained(struct exchange *exchange)
{
    if (!exchange->was_unsent || exchange_unsent(exchange))
        return;
    exchange->was_unsent = false;
    if (exchange->handler && exchange->handler->drained)
        exchange->handler->drained(exchange->context);
}

void exchange_free(struct exchange *exchange)
{
    struct connection *connection = exchange->connection;
    if (exchange->before)
        exchange->before->after = exchange->after;
    else
        connection->exchanges = exchange->after;
    if (exchange->after)
        exchange->after->before = exchange->before;
    if (exchange->handler && exchange->handler->closed)
        exchange->handler->closed(exchange->context);
    buf_free(&exchange->out);
    arena_free(&exchange->arena);
    free(exchange);
}

/* ---- keeping ------------------------------------------------------------- */

void exchange_keep(struct exchange *exchange,
                   const struct exchange_handler *handler, void *context)
{
    exchange->handler = handler;
    exchange->context = context;
    const char *expected = exchange_header(exchange, "Expect");
    if (expected && handler->body && !exchange->begun &&
        strcasecmp(expected, "100-continue") == 0)
        exchange_continue(exchange);
}

struct collection {
    struct exchange *exchange;
    struct buf body;
    size_t most;
    void (*done)(void *context, struct exchange *exchange, struct text body);
    void (*closed)(void *context);
    void *context;
};

static void collect_body(void *context, const char *bytes, size_t length)
{
    struct collection *collection = context;
    if (length <= collection->most - collection->body.length) {
        buf_add(&collection->body, bytes, length);
        return;
    }
    exchange_close_after(collection->exchange);
    exchange_reply(collection->exchange, 413, "text/plain",
                   text_of("the body is too large\n"));
}

static void collect_end(void *context)
{
    struct collection *collection = context;
    collection->done(
        collection->context, collection->exchange,
        (struct text){buf_string(&collection->body), collection->body.length});
}

static void collect_closed(void *context)
{
    struct collection *collection = context;
    if (collection->closed)
        collection->closed(collection->context);
    buf_free(&collection->body);
    free(collection);
}

void exchange_collect(struct exchange *exchange, size_t most,
                      void (*done)(void *context, struct exchange *exchange,
                                   struct text body),
                      void (*closed)(void *context), void *context)
{
    static const struct exchange_handler handler = {
        .body = collect_body, .end = collect_end, .closed = collect_closed};
    struct collection *collection = memory_zeroed(1, sizeof *collection);
    *collection = (struct collection){.exchange = exchange,
                                      .most = most,
                                      .done = done,
                                      .closed = closed,
                                      .context = context};
    exchange_keep(exchange, &handler, collection);
}

/* ---- the answer ---------------------------------------------------------- */

static bool is_gone(const struct exchange *exchange)
{
    return exchange->connection->is_broken || exchange->is_over;
}

/* Nothing may be sent any more, or the caller forgot that it was. */
static bool is_mute(const struct exchange *exchange)
{
    return is_gone(exchange) || exchange->ended;
}

void exchange_continue(struct exchange *exchange)
{
    if (is_mute(exchange) || exchange->begun)
        return;
    exchange->connection->protocol->interim(exchange);
    connection_flush(exchange->connection);
}

void exchange_close_after(struct exchange *exchange)
{
    exchange->close_after = true;
}

void exchange_begin(struct exchange *exchange, int status,
                    const struct exchange_field *fields, size_t count,
                    int64_t body_bytes)
{
    if (is_mute(exchange) || exchange->begun)
        return;
    exchange->begun = true;
    exchange->body_bytes = body_bytes;
    exchange->connection->protocol->begin(exchange, status, fields, count);
}

void exchange_write(struct exchange *exchange, const void *bytes, size_t length)
{
    if (is_mute(exchange) || !length || exchange->head_only)
        return;
    exchange->connection->protocol->write(exchange, bytes, length);
    connection_flush(exchange->connection);
    exchange->was_unsent = exchange_unsent(exchange) > 0;
}

void exchange_end(struct exchange *exchange,
                  const struct exchange_field *fields, size_t count)
{
    if (is_mute(exchange))
        return;
    exchange->ended = true;
    exchange->connection->protocol->end(exchange, fields, count);
    connection_flush(exchange->connection);
    connection_settle_soon(exchange->connection);
}

void exchange_reply_fields(struct exchange *exchange, int status,
                           const struct exchange_field *fields, size_t count,
                           struct text body)
{
    if (is_mute(exchange))
        return;
    exchange_begin(exchange, status, fields, count, (int64_t)body.length);
    if (body.length && !exchange->head_only)
        exchange->connection->protocol->write(exchange, body.data, body.length);
    exchange_end(exchange, NULL, 0);
}

void exchange_reply(struct exchange *exchange, int status, const char *type,
                    struct text body)
{
    struct exchange_field field = {"Content-Type", type};
    exchange_reply_fields(exchange, status, &field, 1, body);
}

void exchange_drop(struct exchange *exchange)
{
    if (!is_gone(exchange))
        connection_break(exchange->connection);
}

size_t exchange_unsent(const struct exchange *exchange)
{
    return is_gone(exchange) ? 0
                             : exchange->connection->protocol->unsent(exchange);
}

/* ---- words --------------------------------------------------------------- */

const char *http_reason(int status)
{
    static const struct {
        int status;
        const char *reason;
    } rows[] = {{100, "Continue"},
                {200, "OK"},
                {201, "Created"},
                {204, "No Content"},
                {400, "Bad Request"},
                {401, "Unauthorized"},
                {402, "Payment Required"},
                {403, "Forbidden"},
                {404, "Not Found"},
                {405, "Method Not Allowed"},
                {409, "Conflict"},
                {413, "Payload Too Large"},
                {431, "Request Header Fields Too Large"},
                {500, "Internal Server Error"},
                {503, "Service Unavailable"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (rows[i].status == status)
            return rows[i].reason;
    }
    return "";
}
