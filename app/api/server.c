/*
 * server.c: listening, the workers, what a request may be, and sending.
 *
 * Every request passes one gate here before any handler sees it: the method
 * (this server only reads), the host (a page of somebody else's that has been
 * pointed at us by its name server must not read the store), the length and
 * form of the address. Every answer leaves by one function with the same safe
 * headers, errors that civetweb finds by itself included.
 *
 * civetweb's workers answer one connection each, so idle ones are let go after
 * a short while and slow ones after ten seconds. A worker owns its connection
 * to the store, opened for reading on first use, its arena and its buffer.
 *
 * civetweb's own reply functions are not used: they refuse requests that ask
 * for a WebSocket, which then would get no answer at all.
 */
#include "api/api_int.h"
#include "base/clock.h"
#include "base/log.h"

#include <arpa/inet.h>
#include <civetweb.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

struct api {
    const struct config *config;
    struct api_facts facts;
    struct mg_context *context;
    struct arena arena;
    const char *url;
};

/* What one of civetweb's threads keeps between requests. */
struct worker {
    struct api *api;
    struct store *store; /* null until the first request that needs it */
    struct arena arena;
    struct buf head;
    struct buf body;
};

/* ---- workers ------------------------------------------------------------- */

enum { THREAD_WORKER = 1 };

static void *on_thread_start(const struct mg_context *context, int type)
{
    if (type != THREAD_WORKER)
        return NULL;
    struct worker *worker = memory_zeroed(1, sizeof *worker);
    worker->api = mg_get_user_data(context);
    return worker;
}

static void on_thread_end(const struct mg_context *context, int type,
                          void *pointer)
{
    (void)context;
    (void)type;
    struct worker *worker = pointer;
    if (!worker)
        return;
    store_close(worker->store);
    arena_free(&worker->arena);
    buf_free(&worker->head);
    buf_free(&worker->body);
    free(worker);
}

/* ---- sending ------------------------------------------------------------- */

/* The page needs its own files and nothing else; no other page may frame it.
 */
static const char safe_headers[] =
    "Content-Security-Policy: default-src 'none'; script-src 'self'; "
    "style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'\r\n"
    "X-Content-Type-Options: nosniff\r\n"
    "X-Frame-Options: DENY\r\n"
    "Referrer-Policy: no-referrer\r\n"
    "Cross-Origin-Resource-Policy: same-origin\r\n"
    "Cross-Origin-Opener-Policy: same-origin\r\n";

/* Only plain HTTP/1.1 without a wish is kept; civetweb would keep no more. */
static bool stays_open(struct mg_connection *connection, int status)
{
    const struct mg_request_info *info = mg_get_request_info(connection);
    const char *wish = mg_get_header(connection, "Connection");
    bool keeps = !wish || strcasecmp(wish, "keep-alive") == 0;
    return keeps && status < 400 && info->http_version &&
           strcmp(info->http_version, "1.1") == 0 && info->content_length <= 0;
}

static void add_header(struct buf *head, const char *name, const char *value)
{
    if (value)
        buf_printf(head, "%s: %s\r\n", name, value);
}

static void send_reply(struct mg_connection *connection, struct worker *worker,
                       const struct reply *reply, bool without_body)
{
    struct buf *head = &worker->head;
    struct text body =
        reply->borrowed.data
            ? reply->borrowed
            : (struct text){reply->body->data, reply->body->length};
    bool stays = stays_open(connection, reply->status);
    if (!stays)
        mg_disable_keep_alive(connection);
    buf_clear(head);
    buf_printf(head, "HTTP/1.1 %d %s\r\n", reply->status,
               status_text(reply->status));
    if (reply->status != 304) {
        add_header(head, "Content-Type", reply->content_type);
        buf_printf(head, "Content-Length: %zu\r\n", body.length);
        add_header(head, "Content-Encoding", reply->gzip ? "gzip" : NULL);
    }
    add_header(head, "Cache-Control", reply->cache_control);
    add_header(head, "ETag", reply->etag);
    add_header(head, "Vary", reply->varies ? "Accept-Encoding" : NULL);
    add_header(head, "Allow", reply->allow);
    add_header(head, "Connection", stays ? "keep-alive" : "close");
    buf_add_string(head, safe_headers);
    buf_add_string(head, "\r\n");
    /* One write for short answers: one packet, and no waiting between two. */
    if (!without_body)
        buf_add(head, body.data, body.length);
    mg_write(connection, head->data, head->length);
}

/* ---- the gate ------------------------------------------------------------ */

/* "[::1]:8080" and "localhost:8080" without the port. */
static struct text host_name(const char *header)
{
    struct text name = {header, strcspn(header, ":")};
    if (*header == '[')
        name.length = strcspn(header, "]") + 1;
    return name.length <= strlen(header) ? name : text_of(header);
}

static bool is_loopback_name(struct text name)
{
    struct in_addr address;
    char copy[INET_ADDRSTRLEN];
    if (name.length == 9 && strncasecmp(name.data, "localhost", 9) == 0)
        return true;
    if (text_is(name, "[::1]"))
        return true;
    if (name.length >= sizeof copy)
        return false;
    memcpy(copy, name.data, name.length);
    copy[name.length] = '\0';
    return inet_pton(AF_INET, copy, &address) == 1 &&
           ntohl(address.s_addr) >> 24 == IN_LOOPBACKNET;
}

/* Whoever may read from everywhere may come by any name. Browsers always say
 * the name; who says none is no browser. */
static bool is_our_host(const struct config *config, const char *header)
{
    if (!config->listen.loopback)
        return true;
    return !header || is_loopback_name(host_name(header));
}

/* False where REPLY holds the refusal. */
static bool passes_gate(struct mg_connection *connection, struct worker *worker,
                        struct reply *reply)
{
    const struct mg_request_info *info = mg_get_request_info(connection);
    const char *method = info->request_method;
    if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0) {
        reply_problem(reply, 405, "this server is read with GET and HEAD only",
                      (struct text){0});
        reply->allow = "GET, HEAD";
        return false;
    }
    if (!is_our_host(worker->api->config, mg_get_header(connection, "Host"))) {
        reply_problem(reply, 421,
                      "this server listens on loopback and answers to "
                      "localhost and 127.0.0.1, not to other host names",
                      (struct text){0});
        return false;
    }
    return true;
}

/* ---- answering ----------------------------------------------------------- */

static enum err read_address(const struct mg_request_info *info,
                             struct request *request)
{
    struct text path = text_of(info->local_uri_raw ? info->local_uri_raw : "");
    struct text query = text_of(info->query_string ? info->query_string : "");
    enum err err = percent_decode(request->arena, path, false, &request->path);
    if (!err)
        err = query_string_parse(request->arena, query, &request->query);
    return err;
}

/* The store as one moment of time for all queries of the request. */
static enum err take_store(struct worker *worker, struct request *request)
{
    if (!worker->store) {
        enum err err = store_open(&worker->store, worker->api->facts.directory,
                                  STORE_READ);
        if (err)
            return err;
    }
    request->store = worker->store;
    return store_begin_read(worker->store);
}

static enum err run_route(const struct route *route, struct worker *worker,
                          struct request *request, struct reply *reply,
                          struct text *wrong)
{
    enum err err = parameters_check(route, request, wrong);
    if (!err && !route->without_store)
        err = take_store(worker, request);
    if (!err)
        err = route->answer(request, reply);
    if (request->store)
        store_rollback(request->store);
    return err;
}

static void answer(struct mg_connection *connection, struct worker *worker,
                   struct reply *reply)
{
    struct request request = {
        .accept_encoding = mg_get_header(connection, "Accept-Encoding"),
        .if_none_match = mg_get_header(connection, "If-None-Match"),
        .arena = &worker->arena,
        .facts = &worker->api->facts,
    };
    struct text wrong = {0};
    enum err err = read_address(mg_get_request_info(connection), &request);
    const struct route *route = err ? NULL : route_find(&request);
    if (route)
        err = run_route(route, worker, &request, reply, &wrong);
    else if (!err && !asset_answer(&request, reply))
        err = err_set(ERR_ABSENT, "there is nothing at \"%.*s\"",
                      (int)request.path.length, request.path.data);
    if (err)
        reply_err(reply, err, wrong);
    if (err && reply->status >= 500)
        log_message(LOG_ERROR, "%.*s: %s", (int)request.path.length,
                    request.path.data, err_message());
}

static int on_request(struct mg_connection *connection)
{
    const struct mg_request_info *info = mg_get_request_info(connection);
    struct worker *worker = mg_get_thread_pointer(connection);
    struct reply reply = {.body = &worker->body};
    buf_clear(&worker->body);
    if (passes_gate(connection, worker, &reply))
        answer(connection, worker, &reply);
    send_reply(connection, worker, &reply,
               strcmp(info->request_method, "HEAD") == 0);
    arena_clear(&worker->arena);
    return reply.status;
}

/* What civetweb refuses before it is a request. */
static int on_error(struct mg_connection *connection, int status,
                    const char *message)
{
    struct worker *worker = mg_get_thread_pointer(connection);
    if (!worker)
        return 1;
    struct reply reply = {.body = &worker->body};
    mg_disable_keep_alive(connection);
    reply_problem(&reply, status,
                  message && *message ? message : status_text(status),
                  (struct text){0});
    send_reply(connection, worker, &reply, false);
    return 0;
}

static int on_log(const struct mg_connection *connection, const char *message)
{
    (void)connection;
    log_message(LOG_DEBUG, "%s", message);
    return 1;
}

/* ---- starting ------------------------------------------------------------ */

enum err api_may_listen(const struct config *config)
{
    if (config->listen.loopback || config->public_read)
        return ERR_NONE;
    return err_set(
        ERR_CONFIG,
        "%s can be reached from other machines, and whoever reaches it could "
        "read the whole store; if that is meant, set public_read: true, else "
        "listen on 127.0.0.1",
        config->listen.text);
}

static enum err not_had(const struct config_address *listen, int code)
{
    if (code == EADDRINUSE)
        return err_set(ERR_NETWORK,
                       "%s is in use by another program; stop that, or choose "
                       "another port with --listen %s:PORT (0 takes a free "
                       "one)",
                       listen->text, listen->host);
    if (code == EACCES)
        return err_set(ERR_NETWORK,
                       "the system does not let this user listen on %s; ports "
                       "under 1024 need privileges",
                       listen->text);
    if (code == EADDRNOTAVAIL)
        return err_set(ERR_NETWORK, "this machine has no address %s",
                       listen->host);
    return err_set(ERR_NETWORK, "cannot listen on %s: %s", listen->text,
                   strerror(code));
}

/* civetweb does not say why it cannot listen, so a socket of our own tries
 * first. */
static enum err try_address(const struct config_address *listen)
{
    char port[8];
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
                             .ai_flags =
                                 AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE};
    struct addrinfo *address;
    snprintf(port, sizeof port, "%u", (unsigned)listen->port);
    if (getaddrinfo(listen->host, port, &hints, &address) != 0)
        return err_set(ERR_CONFIG, "%s is no numeric address", listen->host);
    int code = 0;
    int yes = 1;
    int socket_number = socket(address->ai_family, SOCK_STREAM, 0);
    if (socket_number < 0) {
        code = errno;
    } else {
        setsockopt(socket_number, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
        if (bind(socket_number, address->ai_addr, address->ai_addrlen) != 0)
            code = errno;
        close(socket_number);
    }
    freeaddrinfo(address);
    return code ? not_had(listen, code) : ERR_NONE;
}

static enum err start(struct api *api)
{
    const struct config *config = api->config;
    char workers[16];
    snprintf(workers, sizeof workers, "%d", (int)config->serve_workers);
    /* clang-format off */
    const char *options[] = {
        "listening_ports", config->listen.text,
        "num_threads", workers,
        "request_timeout_ms", "10000",
        "enable_keep_alive", "yes",
        "keep_alive_timeout_ms", "2000",
        "max_request_size", "16384",
        "connection_queue", "128",
        "tcp_nodelay", "1",
        "decode_url", "no", /* percent_decode is stricter */
        "enable_auth_domain_check", "no", /* the gate checks the host */
        "enable_directory_listing", "no",
        "access_control_allow_origin", "",
        "access_control_allow_methods", "",
        "access_control_allow_headers", "",
        NULL,
    };
    /* clang-format on */
    struct mg_callbacks callbacks = {
        .begin_request = on_request,
        .http_error = on_error,
        .log_message = on_log,
        .init_thread = on_thread_start,
        .exit_thread = on_thread_end,
    };
    char text[200] = "";
    struct mg_init_data init = {&callbacks, api, options};
    struct mg_error_data error = {.text = text,
                                  .text_buffer_size = sizeof text};
    api->context = mg_start2(&init, &error);
    if (!api->context)
        return err_set(ERR_NETWORK, "cannot listen on %s: %s",
                       config->listen.text, text);
    return ERR_NONE;
}

enum err api_start(struct api **out, const struct config *config,
                   const char *directory)
{
    enum err err = api_may_listen(config);
    if (!err)
        err = try_address(&config->listen);
    if (err)
        return err;
    struct api *api = memory_zeroed(1, sizeof *api);
    api->config = config;
    api->facts = (struct api_facts){
        .directory = arena_text(&api->arena, directory, strlen(directory)),
        .started_ms = clock_wall_ms(),
    };
    mg_init_library(0);
    err = start(api);
    if (err) {
        api_stop(api);
        return err;
    }
    struct mg_server_port port = {0};
    mg_get_server_ports(api->context, 1, &port);
    bool six = strchr(config->listen.host, ':') != NULL;
    api->url =
        arena_printf(&api->arena, six ? "http://[%s]:%d/" : "http://%s:%d/",
                     config->listen.host, port.port);
    *out = api;
    return ERR_NONE;
}

const char *api_url(const struct api *api)
{
    return api->url;
}

void api_stop(struct api *api)
{
    if (!api)
        return;
    if (api->context)
        mg_stop(api->context);
    mg_exit_library();
    arena_free(&api->arena);
    free(api);
}
