/*
 * server.c: see server.h. The listening socket and the connections on it.
 *
 * A connection reads into one scratch buffer of its server's, since whatever
 * comes is worked on at once. What a protocol cannot take yet it keeps itself.
 */
#include "base/clock.h"
#include "wire/server_int.h"

#include <stdlib.h>
#include <string.h>

enum { SCRATCH_BYTES = 64 << 10, BACKLOG = 1024, DATE_BYTES = 40 };

struct server {
    struct loop *loop;
    struct tls_identity *identity; /* null without TLS */
    void (*handle)(void *context, struct exchange *exchange);
    void *context;
    uint16_t port;

    uv_tcp_t listener;
    uv_idle_t idle; /* active while connections are to settle */
    size_t handles; /* not yet closed, the two above included */
    struct connection *connections;
    size_t connection_count;
    struct connection *to_settle;

    char date[DATE_BYTES];
    int64_t date_s;
    char scratch[SCRATCH_BYTES];
};

struct loop *server_loop(const struct server *server)
{
    return server->loop;
}

uint16_t server_port(const struct server *server)
{
    return server->port;
}

void server_handle(struct server *server, struct exchange *exchange)
{
    server->handle(server->context, exchange);
}

const char *server_date(struct server *server)
{
    time_t now = (time_t)(clock_wall_ms() / MS_PER_SECOND);
    struct tm parts;
    if (now != server->date_s) {
        server->date_s = now;
        gmtime_r(&now, &parts);
        strftime(server->date, sizeof server->date, "%a, %d %b %Y %H:%M:%S GMT",
                 &parts);
    }
    return server->date;
}

/* ---- the end of handles -------------------------------------------------- */

static void handle_closed(struct server *server)
{
    if (--server->handles)
        return;
    tls_identity_free(server->identity);
    free(server);
}

static void own_handle_closed(uv_handle_t *handle)
{
    handle_closed(handle->data);
}

static void connection_closed(uv_handle_t *handle)
{
    struct connection *connection = handle->data;
    struct server *server = connection->server;
    buf_free(&connection->output);
    buf_free(&connection->writing);
    tls_session_free(connection->tls);
    free(connection);
    handle_closed(server);
}

static void unlink_connection(struct connection *connection)
{
    struct server *server = connection->server;
    if (connection->before)
        connection->before->after = connection->after;
    else
        server->connections = connection->after;
    if (connection->after)
        connection->after->before = connection->before;
    server->connection_count--;
}

static void forget_settling(struct connection *connection)
{
    struct connection **at = &connection->server->to_settle;
    while (*at && *at != connection)
        at = &(*at)->settle_after;
    if (*at)
        *at = connection->settle_after;
    connection->to_settle = false;
}

/* Ends all exchanges and the socket, at once. */
static void connection_close(struct connection *connection)
{
    if (connection->is_closing)
        return;
    connection->is_closing = connection->is_broken = true;
    loop_timer_stop(&connection->deadline);
    if (connection->to_settle)
        forget_settling(connection);
    while (connection->exchanges)
        exchange_free(connection->exchanges);
    if (connection->protocol)
        connection->protocol->free(connection);
    unlink_connection(connection);
    uv_close((uv_handle_t *)&connection->tcp, connection_closed);
}

/* ---- settling ------------------------------------------------------------ */

/* Whether a handler waits to be told that all is sent, as it is. */
static bool owes_drained(const struct connection *connection)
{
    for (const struct exchange *at = connection->exchanges; at; at = at->after)
        if (at->was_unsent && !exchange_unsent(at))
            return true;
    return false;
}

/* Only at the bottom of the stack. */
static void settle(struct connection *connection)
{
    if (connection->is_closing)
        return;
    for (struct exchange *at = connection->exchanges; at; at = at->after)
        exchange_drained(at);
    if (connection->protocol && !connection->is_broken)
        connection->protocol->settle(connection);
    connection_flush(connection);
    if (connection->is_broken)
        connection_close(connection);
    else if (owes_drained(connection))
        connection_settle_soon(connection); /* the socket took it at once */
}

static void settle_all(uv_idle_t *idle)
{
    struct server *server = idle->data;
    struct connection *connection;
    while ((connection = server->to_settle)) {
        server->to_settle = connection->settle_after;
        connection->to_settle = false;
        settle(connection);
    }
    uv_idle_stop(idle);
}

void connection_settle_soon(struct connection *connection)
{
    struct server *server = connection->server;
    if (connection->to_settle || connection->is_closing)
        return;
    connection->to_settle = true;
    connection->settle_after = server->to_settle;
    server->to_settle = connection;
    uv_idle_start(&server->idle, settle_all);
}

void connection_break(struct connection *connection)
{
    connection->is_broken = true;
    connection_settle_soon(connection);
}

/* ---- writing ------------------------------------------------------------- */

size_t connection_unsent(const struct connection *connection)
{
    return connection->output.length + connection->writing.length;
}

void connection_output_raw(struct connection *connection, const void *bytes,
                           size_t length)
{
    buf_add(&connection->output, bytes, length);
}

void connection_output(struct connection *connection, const void *bytes,
                       size_t length)
{
    if (connection->is_broken || connection->is_leaving)
        return;
    if (connection->tls)
        tls_session_output(connection->tls, bytes, length);
    else
        connection_output_raw(connection, bytes, length);
}

static void shut_down(struct connection *connection);

static void written(uv_write_t *write, int status)
{
    struct connection *connection = write->data;
    connection->is_writing = false;
    buf_clear(&connection->writing);
    if (connection->is_closing)
        return;
    if (status < 0)
        connection->is_broken = true;
    settle(connection);
    if (connection->is_leaving && !connection_unsent(connection))
        shut_down(connection);
}

/* Whatever the socket did not take at once goes when it can. */
static void write_rest(struct connection *connection)
{
    struct buf full = connection->output;
    connection->output = connection->writing;
    connection->writing = full;
    connection->is_writing = true;
    connection->write.data = connection;
    uv_buf_t piece = uv_buf_init(full.data, (unsigned)full.length);
    if (uv_write(&connection->write, (uv_stream_t *)&connection->tcp, &piece, 1,
                 written) < 0) {
        connection->is_writing = false;
        connection_break(connection);
    }
}

/* False where the socket takes no more for now. */
static bool write_output(struct connection *connection)
{
    struct buf *output = &connection->output;
    uv_buf_t piece = uv_buf_init(output->data, (unsigned)output->length);
    int sent = uv_try_write((uv_stream_t *)&connection->tcp, &piece, 1);
    if (sent < 0 && sent != UV_EAGAIN) {
        connection_break(connection);
        return false;
    }
    buf_drop(output, sent > 0 ? (size_t)sent : 0);
    if (!output->length)
        return true;
    write_rest(connection);
    return false;
}

/* A protocol may have more to give once its last piece has gone. */
void connection_flush(struct connection *connection)
{
    if (connection->is_busy || connection->is_writing || connection->is_closing)
        return;
    do {
        if (connection->protocol && connection->protocol->produce)
            connection->protocol->produce(connection);
    } while (connection->output.length && write_output(connection));
}

/* ---- leaving ------------------------------------------------------------- */

static void is_shut_down(uv_shutdown_t *shutdown, int status)
{
    (void)shutdown;
    (void)status;
}

/* Nothing is unsent. The other side's end or the deadline does the rest. */
static void shut_down(struct connection *connection)
{
    if (connection->is_closing || connection->is_shut_down)
        return;
    connection->is_shut_down = true;
    loop_timer_after(&connection->deadline, SERVER_LINGER_US);
    if (uv_shutdown(&connection->shutdown, (uv_stream_t *)&connection->tcp,
                    is_shut_down) < 0)
        connection_break(connection);
}

void connection_leave(struct connection *connection)
{
    if (connection->is_leaving || connection->is_broken)
        return;
    if (connection->tls)
        tls_session_goodbye(connection->tls);
    connection->is_leaving = true;
    loop_timer_after(&connection->deadline, SERVER_IDLE_US);
    connection_flush(connection);
    if (!connection_unsent(connection))
        shut_down(connection);
}

static void out_of_time(void *context)
{
    connection_break(context);
}

/* ---- reading ------------------------------------------------------------- */

void connection_input(struct connection *connection, const char *bytes,
                      size_t length)
{
    if (connection->is_broken || connection->is_leaving)
        return;
    if (!connection->protocol->input(connection, bytes, length))
        connection->is_broken = true;
}

static void give_buffer(uv_handle_t *handle, size_t wanted, uv_buf_t *buffer)
{
    struct connection *connection = handle->data;
    (void)wanted;
    *buffer = uv_buf_init(connection->server->scratch, SCRATCH_BYTES);
}

static void work_on_input(struct connection *connection, const char *bytes,
                          size_t length)
{
    connection->is_busy = true;
    if (connection->tls) {
        if (!tls_session_input(connection->tls, bytes, length)) {
            /* An alert may tell the other side why. */
            connection->is_busy = false;
            connection_flush(connection);
            connection->is_broken = true;
        }
    } else {
        connection_input(connection, bytes, length);
    }
    connection->is_busy = false;
}

static void read_some(uv_stream_t *stream, ssize_t got, const uv_buf_t *buffer)
{
    struct connection *connection = stream->data;
    if (got == 0)
        return;
    if (got < 0)
        connection->is_broken = true;
    else if (!connection->is_leaving)
        work_on_input(connection, buffer->base, (size_t)got);
    connection_flush(connection);
    settle(connection);
}

/* ---- listening ----------------------------------------------------------- */

static struct connection *connection_new(struct server *server)
{
    struct connection *connection = memory_zeroed(1, sizeof *connection);
    connection->server = server;
    connection->after = server->connections;
    if (server->connections)
        server->connections->before = connection;
    server->connections = connection;
    server->connection_count++;
    server->handles++;
    uv_tcp_init(loop_uv(server->loop), &connection->tcp);
    connection->tcp.data = connection;
    loop_timer_init(&connection->deadline, server->loop, out_of_time,
                    connection);
    return connection;
}

static void arrived(uv_stream_t *listener, int status)
{
    struct server *server = listener->data;
    if (status < 0)
        return;
    struct connection *connection = connection_new(server);
    if (uv_accept(listener, (uv_stream_t *)&connection->tcp) < 0 ||
        server->connection_count > SERVER_CONNECTIONS_MAX) {
        connection_close(connection);
        return;
    }
    uv_tcp_nodelay(&connection->tcp, 1);
    loop_timer_after(&connection->deadline, SERVER_HEAD_US);
    if (server->identity)
        connection->tls = tls_session_new(server->identity, connection);
    else
        http1_start(connection);
    uv_read_start((uv_stream_t *)&connection->tcp, give_buffer, read_some);
}

static int listen_on(struct server *server, const char *host, uint16_t port)
{
    struct sockaddr_storage address;
    int length = sizeof address;
    int code = uv_ip4_addr(host, port, (struct sockaddr_in *)&address);
    if (code)
        code = uv_ip6_addr(host, port, (struct sockaddr_in6 *)&address);
    if (!code)
        code = uv_tcp_bind(&server->listener, (const struct sockaddr *)&address,
                           0);
    if (!code)
        code = uv_listen((uv_stream_t *)&server->listener, BACKLOG, arrived);
    if (!code)
        code = uv_tcp_getsockname(&server->listener,
                                  (struct sockaddr *)&address, &length);
    /* The port lies at the same place in both kinds. */
    server->port = ntohs(((struct sockaddr_in *)&address)->sin_port);
    return code;
}

struct opening {
    struct server *server;
    const struct server_settings *settings;
    int code;
};

static void close_here(void *context)
{
    struct server *server = context;
    while (server->connections)
        connection_close(server->connections);
    uv_close((uv_handle_t *)&server->listener, own_handle_closed);
    uv_close((uv_handle_t *)&server->idle, own_handle_closed);
}

static void open_here(void *context)
{
    struct opening *opening = context;
    struct server *server = opening->server;
    uv_tcp_init(loop_uv(server->loop), &server->listener);
    uv_idle_init(loop_uv(server->loop), &server->idle);
    server->listener.data = server->idle.data = server;
    server->handles = 2;
    opening->code =
        listen_on(server, opening->settings->host, opening->settings->port);
    if (opening->code)
        close_here(server);
}

enum err server_open(struct server **result, struct loop *loop,
                     const struct server_settings *settings)
{
    struct tls_identity *identity = NULL;
    if (settings->tls) {
        enum err err = tls_identity_new(&identity, settings->host);
        if (err)
            return err;
    }
    struct server *server = memory_zeroed(1, sizeof *server);
    server->loop = loop;
    server->identity = identity;
    server->handle = settings->handle;
    server->context = settings->context;
    struct opening opening = {.server = server, .settings = settings};
    loop_call(loop, open_here, &opening);
    if (opening.code)
        return err_set(ERR_NETWORK, "%s:%u cannot be listened on: %s",
                       settings->host, (unsigned)settings->port,
                       uv_strerror(opening.code));
    *result = server;
    return ERR_NONE;
}

void server_close(struct server *server)
{
    if (server)
        loop_call(server->loop, close_here, server);
}
