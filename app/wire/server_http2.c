/*
 * server_http2.c: HTTP/2 on a connection, by nghttp2: what unary calls of gRPC
 * need, and requests as over HTTP/1.
 *
 * An answer's body waits in its exchange until nghttp2 asks for it, so that
 * flow control is nghttp2's; frames are made only as the socket takes them.
 * nghttp2's session is never entered from one of its own callbacks, because
 * frames are produced only when no input is being worked on.
 */
#include "wire/server_int.h"

#include <nghttp2/nghttp2.h>
#include <stdlib.h>
#include <string.h>

enum {
    STREAMS_MAX = 128,
    OUTPUT_MAX_BYTES = 256 << 10,
    TRAILERS_MAX = 8,
    FIELDS_MAX = 24
};

struct http2 {
    nghttp2_session *session;
};

/* ---- from the other side ------------------------------------------------- */

static struct exchange *exchange_of(nghttp2_session *session, int32_t stream)
{
    return nghttp2_session_get_stream_user_data(session, stream);
}

static int on_begin(nghttp2_session *session, const nghttp2_frame *frame,
                    void *context)
{
    if (frame->hd.type != NGHTTP2_HEADERS ||
        frame->headers.cat != NGHTTP2_HCAT_REQUEST)
        return 0;
    struct exchange *exchange = exchange_new(context);
    exchange->stream = frame->hd.stream_id;
    nghttp2_session_set_stream_user_data(session, exchange->stream, exchange);
    return 0;
}

static bool take_field(struct exchange *exchange, const char *name,
                       size_t name_length, const char *value,
                       size_t value_length)
{
    struct text field = {name, name_length};
    exchange->head_bytes += value_length;
    if (text_is(field, ":method"))
        exchange->method = arena_text(&exchange->arena, value, value_length);
    else if (text_is(field, ":path"))
        exchange_set_target(exchange, value, value_length);
    else if (text_is(field, ":authority"))
        return exchange_add_field(exchange, "host", 4, value, value_length);
    else if (*name != ':')
        return exchange_add_field(exchange, name, name_length, value,
                                  value_length);
    return exchange->head_bytes <= SERVER_HEAD_MAX_BYTES;
}

static int on_field(nghttp2_session *session, const nghttp2_frame *frame,
                    const uint8_t *name, size_t name_length,
                    const uint8_t *value, size_t value_length, uint8_t flags,
                    void *context)
{
    struct exchange *exchange = exchange_of(session, frame->hd.stream_id);
    (void)flags;
    (void)context;
    /* Trailers of a request say nothing here. */
    if (!exchange || frame->headers.cat != NGHTTP2_HCAT_REQUEST)
        return 0;
    return take_field(exchange, (const char *)name, name_length,
                      (const char *)value, value_length)
               ? 0
               : NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame,
                    void *context)
{
    struct connection *connection = context;
    struct exchange *exchange = exchange_of(session, frame->hd.stream_id);
    if (!exchange)
        return 0;
    if (frame->hd.type == NGHTTP2_HEADERS &&
        frame->headers.cat == NGHTTP2_HCAT_REQUEST) {
        loop_timer_stop(&connection->deadline);
        exchange_handle(exchange);
    }
    if ((frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA) &&
        (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0)
        exchange_request_end(exchange);
    return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t stream,
                   const uint8_t *bytes, size_t length, void *context)
{
    struct exchange *exchange = exchange_of(session, stream);
    (void)flags;
    (void)context;
    if (exchange)
        exchange_body(exchange, (const char *)bytes, length);
    return 0;
}

/* May be told while frames are made, that is, in the middle of a call of an
 * exchange: only noted. */
static int on_stream_close(nghttp2_session *session, int32_t stream,
                           uint32_t code, void *context)
{
    struct exchange *exchange = exchange_of(session, stream);
    (void)code;
    if (!exchange)
        return 0;
    exchange->is_over = true;
    nghttp2_session_set_stream_user_data(session, stream, NULL);
    connection_settle_soon(context);
    return 0;
}

static bool http2_input(struct connection *connection, const char *bytes,
                        size_t length)
{
    return nghttp2_session_mem_recv(connection->http2->session,
                                    (const uint8_t *)bytes, length) >= 0;
}

/* ---- to the other side --------------------------------------------------- */

static void http2_produce(struct connection *connection)
{
    nghttp2_session *session = connection->http2->session;
    while (connection->output.length < OUTPUT_MAX_BYTES) {
        const uint8_t *bytes;
        ssize_t length = nghttp2_session_mem_send(session, &bytes);
        if (length <= 0)
            return;
        connection_output(connection, bytes, (size_t)length);
    }
}

/* Names are lower-cased in place: they are copies. */
static nghttp2_nv field_of(struct exchange *exchange, const char *name,
                           const char *value)
{
    size_t length = strlen(name);
    char *lower = arena_text(&exchange->arena, name, length);
    for (char *at = lower; *at; at++)
        *at = *at >= 'A' && *at <= 'Z' ? (char)(*at - 'A' + 'a') : *at;
    char *copy = arena_text(&exchange->arena, value, strlen(value));
    return (nghttp2_nv){.name = (uint8_t *)lower,
                        .namelen = length,
                        .value = (uint8_t *)copy,
                        .valuelen = strlen(copy)};
}

static void http2_interim(struct exchange *exchange)
{
    nghttp2_nv status = field_of(exchange, ":status", "100");
    nghttp2_submit_headers(exchange->connection->http2->session,
                           NGHTTP2_FLAG_NONE, exchange->stream, NULL, &status,
                           1, NULL);
}

static void submit_trailers(nghttp2_session *session, struct exchange *exchange,
                            uint32_t *flags)
{
    nghttp2_nv list[TRAILERS_MAX];
    size_t count = exchange->trailer_count;
    if (!count)
        return;
    for (size_t i = 0; i < count; i++)
        list[i] = field_of(exchange, exchange->trailers[i].name,
                           exchange->trailers[i].value);
    if (nghttp2_submit_trailer(session, exchange->stream, list, count) == 0)
        *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
}

static ssize_t give_body(nghttp2_session *session, int32_t stream,
                         uint8_t *bytes, size_t room, uint32_t *flags,
                         nghttp2_data_source *source, void *context)
{
    struct exchange *exchange = source->ptr;
    size_t length = exchange->out.length - exchange->out_taken;
    (void)stream;
    (void)context;
    if (length > room)
        length = room;
    if (length)
        memcpy(bytes, exchange->out.data + exchange->out_taken, length);
    exchange->out_taken += length;
    if (exchange->out_taken < exchange->out.length)
        return (ssize_t)length;
    buf_clear(&exchange->out);
    exchange->out_taken = 0;
    if (exchange->ended) {
        *flags |= NGHTTP2_DATA_FLAG_EOF;
        submit_trailers(session, exchange, flags);
    } else if (!length) {
        exchange->deferred = true;
        return NGHTTP2_ERR_DEFERRED;
    }
    return (ssize_t)length;
}

static void http2_begin(struct exchange *exchange, int status,
                        const struct exchange_field *fields, size_t count)
{
    nghttp2_nv list[FIELDS_MAX];
    nghttp2_data_provider body = {.source.ptr = exchange,
                                  .read_callback = give_body};
    struct connection *connection = exchange->connection;
    char *text = arena_printf(&exchange->arena, "%d", status);
    list[0] = field_of(exchange, ":status", text);
    list[1] = field_of(exchange, "date", server_date(connection->server));
    for (size_t i = 0; i < count && i + 2 < FIELDS_MAX; i++)
        list[i + 2] = field_of(exchange, fields[i].name, fields[i].value);
    bool empty = exchange->body_bytes == 0 || exchange->head_only;
    nghttp2_submit_response(connection->http2->session, exchange->stream, list,
                            count + 2 < FIELDS_MAX ? count + 2 : FIELDS_MAX,
                            empty ? NULL : &body);
}

static void resume(struct exchange *exchange)
{
    if (!exchange->deferred)
        return;
    exchange->deferred = false;
    nghttp2_session_resume_data(exchange->connection->http2->session,
                                exchange->stream);
}

static void http2_write(struct exchange *exchange, const void *bytes,
                        size_t length)
{
    buf_add(&exchange->out, bytes, length);
    resume(exchange);
}

static void http2_end(struct exchange *exchange,
                      const struct exchange_field *fields, size_t count)
{
    struct exchange_field *kept =
        arena_array(&exchange->arena, count + 1, sizeof *kept);
    if (count > TRAILERS_MAX)
        count = TRAILERS_MAX;
    for (size_t i = 0; i < count; i++)
        kept[i] = (struct exchange_field){
            arena_text(&exchange->arena, fields[i].name,
                       strlen(fields[i].name)),
            arena_text(&exchange->arena, fields[i].value,
                       strlen(fields[i].value))};
    exchange->trailers = kept;
    exchange->trailer_count = count;
    resume(exchange);
}

static size_t http2_unsent(const struct exchange *exchange)
{
    return exchange->out.length - exchange->out_taken +
           connection_unsent(exchange->connection);
}

/* ---- life ---------------------------------------------------------------- */

static void http2_settle(struct connection *connection)
{
    struct exchange *at = connection->exchanges;
    nghttp2_session *session = connection->http2->session;
    while (at) {
        struct exchange *after = at->after;
        if (at->is_over)
            exchange_free(at);
        at = after;
    }
    connection_flush(connection);
    if (!connection->exchanges && !loop_timer_is_set(&connection->deadline))
        loop_timer_after(&connection->deadline, SERVER_IDLE_US);
    if (!nghttp2_session_want_read(session) &&
        !nghttp2_session_want_write(session))
        connection_leave(connection);
}

static void http2_free(struct connection *connection)
{
    nghttp2_session_del(connection->http2->session);
    free(connection->http2);
}

const struct protocol protocol_http2 = {
    .input = http2_input,
    .interim = http2_interim,
    .begin = http2_begin,
    .write = http2_write,
    .end = http2_end,
    .unsent = http2_unsent,
    .produce = http2_produce,
    .settle = http2_settle,
    .free = http2_free,
};

static nghttp2_session_callbacks *make_callbacks(void)
{
    nghttp2_session_callbacks *callbacks;
    if (nghttp2_session_callbacks_new(&callbacks) != 0)
        abort();
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks,
                                                            on_begin);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_field);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks,
                                                              on_data);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks,
                                                           on_stream_close);
    return callbacks;
}

void http2_start(struct connection *connection)
{
    static const nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, STREAMS_MAX},
        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, SERVER_HEAD_MAX_BYTES}};
    struct http2 *http2 = memory_zeroed(1, sizeof *http2);
    nghttp2_session_callbacks *callbacks = make_callbacks();
    if (nghttp2_session_server_new(&http2->session, callbacks, connection) != 0)
        abort();
    nghttp2_session_callbacks_del(callbacks);
    nghttp2_submit_settings(http2->session, NGHTTP2_FLAG_NONE, settings,
                            sizeof settings / sizeof *settings);
    connection->protocol = &protocol_http2;
    connection->http2 = http2;
}
