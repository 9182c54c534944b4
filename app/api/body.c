/*
 * body.c: see body.h. civetweb unpacks chunks and holds the deadline.
 */
#include "api/body.h"

#include <civetweb.h>
#include <string.h>
#include <strings.h>

enum { BUFFER_BYTES = 64 << 10 };

/* Some senders wait for this word before they send anything long. */
static void say_go_on(struct request_body *body)
{
    static const char line[] = "HTTP/1.1 100 Continue\r\n\r\n";
    if (body->expected)
        mg_write(body->connection, line, sizeof line - 1);
    body->expected = false;
}

uint64_t body_promised_bytes(const struct request_body *body)
{
    int64_t promised = mg_get_request_info(body->connection)->content_length;
    return promised > 0 ? (uint64_t)promised : 0;
}

static enum err refuse_length(struct request_body *body)
{
    body->too_long = true;
    return err_set(ERR_INPUT, "the body is longer than %llu bytes",
                   (unsigned long long)body->most_bytes);
}

static enum err feed(void *context, const char **bytes, size_t *length)
{
    struct request_body *body = context;
    *bytes = body->buffer;
    *length = 0;
    if (body->ended)
        return ERR_NONE;
    if (body_promised_bytes(body) > body->most_bytes)
        return refuse_length(body);
    say_go_on(body);
    int count = mg_read(body->connection, body->buffer, BUFFER_BYTES);
    if (count < 0)
        return err_set(ERR_INPUT, "the body ends before its end, is not what "
                                  "its header says, or came too slowly");
    body->ended = count == 0;
    body->bytes += (uint64_t)count;
    if (body->bytes > body->most_bytes)
        return refuse_length(body);
    *length = (size_t)count;
    return ERR_NONE;
}

/* Without a promise to check, a lack of bytes is the end; with one it is not.
 */
static enum err feed_counted(void *context, const char **bytes, size_t *length)
{
    struct request_body *body = context;
    enum err err = feed(context, bytes, length);
    uint64_t promised = body_promised_bytes(body);
    if (!err && body->ended && promised > 0 && body->bytes != promised) {
        body->ended = false;
        return err_set(ERR_INPUT,
                       "the body ends after %llu of the %llu bytes that its "
                       "header promises",
                       (unsigned long long)body->bytes,
                       (unsigned long long)promised);
    }
    return err;
}

bool has_body(struct mg_connection *connection)
{
    return mg_get_request_info(connection)->content_length > 0 ||
           mg_get_header(connection, "Transfer-Encoding");
}

struct request_body *body_of(struct arena *arena,
                             struct mg_connection *connection)
{
    const char *expected = mg_get_header(connection, "Expect");
    if (!has_body(connection))
        return NULL;
    struct request_body *body = arena_alloc(arena, sizeof *body);
    body->source = (struct byte_source){body, feed_counted};
    body->connection = connection;
    body->expected = expected && strcasecmp(expected, "100-continue") == 0;
    body->buffer = arena_raw(arena, BUFFER_BYTES);
    return body;
}

enum err body_read(struct request_body *body, struct arena *arena,
                   size_t most_bytes, struct text *bytes)
{
    struct buf all = {0};
    const char *some;
    size_t length = 1;
    enum err err = ERR_NONE;
    if (!body)
        return err_set(ERR_INPUT, "the request has no body");
    body->most_bytes = most_bytes;
    while (!err && length) {
        err = body->source.feed(body->source.context, &some, &length);
        if (!err)
            buf_add(&all, some, length);
    }
    *bytes = (struct text){arena_text(arena, all.data, all.length), all.length};
    buf_free(&all);
    return err;
}
