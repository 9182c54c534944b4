/*
 * server.c: listening, the workers, what a request may be, and sending.
 *
 * Every request passes one gate here before any handler sees it (gate.c: host,
 * origin, token; limiter.c: how often). Every answer leaves by one function
 * with the same safe headers, errors that civetweb finds by itself included.
 *
 * civetweb's workers answer one connection each, so connections wait in the
 * lobby until there is a request, and again after it; a body that drips ends
 * with its deadline. Encryption is ours, too (base/tls.c): civetweb reads and
 * writes through it. A worker owns its connection to the store, opened for
 * reading on first use, its arena and its buffer.
 *
 * civetweb's own reply functions are not used: they refuse requests that ask
 * for a WebSocket, which then would get no answer at all.
 */
#include "api/api_int.h"
#include "api/gate.h"
#include "api/headers.h"
#include "api/lobby.h"
#include "api/serving.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/tls.h"

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

/* Of one address. */
struct limit {
    struct limiter *limiter; /* null where there is none */
    bool also_here;          /* for this machine's own addresses, too */
};

struct api {
    const struct config *config;
    struct api_facts facts;
    struct answer_cache *cache;
    struct moments *moments;
    struct computing *computing;
    struct readiness *readiness;
    struct mg_context *context;
    struct tls_server *tls; /* null for plain HTTP */
    struct lobby *lobby;
    struct writer *writer;
    struct limit requests;
    struct limit failures; /* wrong tokens */
    struct arena arena;
    const char *url;
};

/* What one of civetweb's threads keeps between requests. */
struct worker {
    struct api *api;
    struct store *store; /* null until the first request that needs it */
    struct arena arena;
    struct buf head;
    struct buf text;           /* of the answer's body */
    struct request_body *body; /* of the request; null for none */
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
    buf_free(&worker->text);
    free(worker);
}

enum { TOGETHER_BYTES_MAX = 64 << 10, TEXT_KEPT_BYTES = 1 << 20 };

/* ---- sending ------------------------------------------------------------- */

/* Only plain HTTP/1.1 without a wish is kept; civetweb would keep no more. What
 * is left of a body would be taken for the next request. */
static bool stays_open(struct mg_connection *connection,
                       const struct worker *worker, int status)
{
    const struct mg_request_info *info = mg_get_request_info(connection);
    const char *wish = mg_get_header(connection, "Connection");
    bool keeps = !wish || strcasecmp(wish, "keep-alive") == 0;
    bool is_read = worker->body ? worker->body->ended : !has_body(connection);
    return keeps && status < 400 && info->http_version &&
           strcmp(info->http_version, "1.1") == 0 && is_read;
}

static void add_header(struct buf *head, const char *name, const char *value)
{
    if (!value)
        return;
    buf_add_string(head, name);
    buf_add_string(head, ": ");
    buf_add_string(head, value);
    buf_add_string(head, "\r\n");
}

static const char *vary_of(const struct reply *reply)
{
    if (reply->varies_by_accept)
        return reply->varies ? "Accept, Accept-Encoding" : "Accept";
    return reply->varies ? "Accept-Encoding" : NULL;
}

static void send_reply(struct mg_connection *connection, struct worker *worker,
                       const struct reply *reply, bool without_body)
{
    struct buf *head = &worker->head;
    struct text body =
        reply->borrowed.data
            ? reply->borrowed
            : (struct text){reply->body->data, reply->body->length};
    bool stays = stays_open(connection, worker, reply->status);
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
    add_header(head, "Vary", vary_of(reply));
    add_header(head, "Link", reply->link);
    add_header(head, "Content-Location", reply->location);
    add_header(head, "Allow", reply->allow);
    if (reply->retry_after_s)
        buf_printf(head, "Retry-After: %d\r\n", reply->retry_after_s);
    add_header(head, "WWW-Authenticate",
               reply->asks_for_token ? "Bearer realm=\"assay\"" : NULL);
    if (reply->for_everybody)
        buf_add_string(head, HEADERS_FOR_EVERYBODY);
    add_header(head, "Connection", stays ? "keep-alive" : "close");
    add_header(head, "Assay-Simulated",
               worker->api->facts.is_simulated ? "true" : NULL);
    buf_add_string(head, SAFE_HEADERS);
    buf_add_string(head, "\r\n");
    /* One write for short answers: one packet, and no waiting between two. */
    bool together = !without_body && body.length <= TOGETHER_BYTES_MAX;
    if (together)
        buf_add(head, body.data, body.length);
    mg_write(connection, head->data, head->length);
    if (!without_body && !together)
        mg_write(connection, body.data, body.length);
    /* One large answer must not stay in every worker's memory. */
    if (worker->text.capacity > TEXT_KEPT_BYTES)
        buf_free(&worker->text);
}

/* ---- the gate ------------------------------------------------------------ */

static void refuse(struct reply *reply, struct judgement judgement)
{
    reply_problem(reply, judgement.status, judgement.detail, (struct text){0});
    reply->asks_for_token = judgement.status == 401;
}

/* Headers that decide something must not say two things. */
static bool is_ambiguous(const struct mg_request_info *info)
{
    static const char *const single[] = {
        "Host",         "Authorization",    "Origin",
        "Content-Type", "Content-Encoding", "Idempotency-Key"};
    for (size_t i = 0; i < sizeof single / sizeof *single; i++) {
        int times = 0;
        for (int k = 0; k < info->num_headers; k++)
            times += strcasecmp(info->http_headers[k].name, single[i]) == 0;
        if (times > 1)
            return true;
    }
    return false;
}

static struct visit visit_of(struct mg_connection *connection,
                             const struct api *api)
{
    const struct mg_request_info *info = mg_get_request_info(connection);
    const char *method = info->request_method;
    return (struct visit){
        .method = strcmp(method, "HEAD") == 0 ? "GET" : method,
        .host = mg_get_header(connection, "Host"),
        .origin = mg_get_header(connection, "Origin"),
        .fetch_site = mg_get_header(connection, "Sec-Fetch-Site"),
        .encrypted = api->tls != NULL,
        .claims = mg_get_header(connection, "Authorization") != NULL,
    };
}

static bool within(const struct limit *limit, const char *address, int cost)
{
    if (!limit->limiter || (!limit->also_here && address_is_loopback(address)))
        return true;
    return limiter_take(limit->limiter, address, cost, clock_monotonic_us());
}

/* RFC 9112 §3.2. */
static bool lacks_host(const struct mg_request_info *info,
                       const struct visit *visit)
{
    return !visit->host && info->http_version &&
           strcmp(info->http_version, "1.1") == 0;
}

/* What can be said without looking at the address. False where REPLY holds the
 * refusal. */
static bool may_come(const struct mg_request_info *info, struct api *api,
                     const struct visit *visit, struct reply *reply)
{
    struct judgement judgement = gate_host(api->config, visit);
    if (is_ambiguous(info))
        judgement = (struct judgement){
            .status = 400,
            .detail = "a header that may stand once stands there twice"};
    else if (lacks_host(info, visit))
        judgement = (struct judgement){
            .status = 400, .detail = "HTTP/1.1 wants the header Host"};
    else if (!judgement.status && !within(&api->requests, info->remote_addr, 1))
        judgement = (struct judgement){
            .status = 429, .detail = "too many requests from this address"};
    else if (!judgement.status && visit->claims &&
             !within(&api->failures, info->remote_addr, 0))
        judgement = (struct judgement){
            .status = 429,
            .detail = "too many wrong tokens from this address; come again in "
                      "a minute"};
    if (judgement.status)
        refuse(reply, judgement);
    if (judgement.status == 429)
        reply->retry_after_s = visit->claims ? 60 : 1;
    reply->for_everybody = judgement.status != 421 &&
                           gate_is_public(api->config, visit, SCOPE_READ);
    return !judgement.status;
}

static enum err open_store(struct worker *worker)
{
    return worker->store ? ERR_NONE
                         : store_open(&worker->store,
                                      worker->api->facts.directory, STORE_READ);
}

/* Finds out who asks. */
static enum err identify(struct mg_connection *connection,
                         struct worker *worker, struct visit *visit)
{
    struct text text =
        token_of_header(mg_get_header(connection, "Authorization"));
    enum err err = text.data ? open_store(worker) : ERR_NONE;
    if (!err && text.data)
        err = token_find(worker->store, &worker->arena, text, &visit->token);
    if (!err && visit->claims && !visit->token)
        (void)within(&worker->api->failures,
                     mg_get_request_info(connection)->remote_addr, 1);
    return err;
}

/* *PASSED is false where REPLY holds the refusal. */
static enum err pass_gate(struct mg_connection *connection,
                          struct worker *worker, struct visit *visit,
                          enum scope scope, struct reply *reply, bool *passed)
{
    *passed = false;
    enum err err = identify(connection, worker, visit);
    if (err)
        return err;
    struct judgement judgement = gate_judge(worker->api->config, visit, scope);
    if (judgement.status)
        refuse(reply, judgement);
    *passed = !judgement.status;
    return ERR_NONE;
}

/* ---- answering ----------------------------------------------------------- */

static enum err read_path(const struct mg_request_info *info,
                          struct request *request)
{
    struct text path = text_of(info->local_uri_raw ? info->local_uri_raw : "");
    request->raw_query = info->query_string ? info->query_string : "";
    return percent_decode(request->arena, path, false, &request->path);
}

static enum err read_query(const struct route *route, struct request *request)
{
    struct text text = text_of(request->raw_query);
    if (!route || !route_takes_anything(route))
        return query_string_parse(request->arena, text, &request->query);
    query_string_parse_as_published(request->arena, text, &request->query);
    return ERR_NONE;
}

/* The store as one moment for all queries of the request: the present one, or
 * that of the pages before. */
static enum err take_store(struct worker *worker, struct request *request,
                           struct text *wrong)
{
    enum err err = open_store(worker);
    if (err)
        return err;
    request->store = worker->store;
    err = request->goes_on
              ? store_begin_read_at(worker->store, &request->moment)
              : store_begin_read(worker->store);
    if (err == ERR_GONE) {
        *wrong = text_of("cursor");
        return cursor_gone();
    }
    return err ? err : store_moment(worker->store, &request->moment);
}

static enum err answer_anew(const struct route *route, struct request *request,
                            struct reply *reply)
{
    enum err err = route->answer(request, reply);
    if (!err)
        answer_finish(request, reply);
    return err;
}

/* From the cache, or made now and kept there. */
static enum err answer_kept(const struct route *route, struct worker *worker,
                            struct request *request, enum keeping keeping,
                            struct reply *reply)
{
    struct answer_cache *cache = worker->api->cache;
    struct text key = answer_key(request, keeping, clock_wall_ms());
    if (answer_cache_find(cache, request->arena, key, &request->moment, reply))
        return ERR_NONE;
    enum err err = answer_anew(route, request, reply);
    if (!err)
        answer_cache_keep(cache, key, &request->moment, reply);
    return err;
}

static enum err run_route(const struct route *route, struct worker *worker,
                          struct request *request, struct reply *reply,
                          struct text *wrong)
{
    enum err err = parameters_check(route, request, wrong);
    enum keeping keeping = err ? KEEP_NOT : answer_keeping(route, request);
    if (!err && !route->without_store)
        err = take_store(worker, request, wrong);
    if (!err && keeping != KEEP_NOT)
        err = answer_kept(route, worker, request, keeping, reply);
    else if (!err)
        err = answer_anew(route, request, reply);
    if (!err && reply->cursor) {
        moments_note(request->moments, text_of(reply->cursor),
                     &request->moment);
        writer_spare_log(request->writer);
    }
    if (!err)
        answer_pin(request, reply);
    if (!err)
        answer_condition(request, reply);
    if (request->store)
        store_rollback(request->store);
    computing_tidy(worker->api->computing);
    return err;
}

/* A path that is there for other methods only, or for none that changes
 * something. */
static void refuse_method(struct reply *reply, const char *allow)
{
    reply_problem(reply, 405, "this address is not for this method",
                  (struct text){0});
    reply->allow = allow ? allow : "GET, HEAD";
}

static enum err run_or_find(const struct route *route, struct worker *worker,
                            struct request *request, struct reply *reply,
                            struct text *wrong)
{
    if (route)
        return run_route(route, worker, request, reply, wrong);
    if (asset_answer(request, reply))
        return ERR_NONE;
    return err_set(ERR_ABSENT, "there is nothing at \"%.*s\"",
                   (int)request->path.length, request->path.data);
}

static void answer(struct mg_connection *connection, struct worker *worker,
                   struct visit *visit, struct reply *reply)
{
    struct request request = {
        .accept = mg_get_header(connection, "Accept"),
        .accept_encoding = mg_get_header(connection, "Accept-Encoding"),
        .if_none_match = mg_get_header(connection, "If-None-Match"),
        .arena = &worker->arena,
        .facts = &worker->api->facts,
        .method = visit->method,
        .body = body_of(&worker->arena, connection),
        .content_type = mg_get_header(connection, "Content-Type"),
        .content_encoding = mg_get_header(connection, "Content-Encoding"),
        .idempotency_key = mg_get_header(connection, "Idempotency-Key"),
        .writer = worker->api->writer,
        .moments = worker->api->moments,
        .computing = worker->api->computing,
        .readiness = worker->api->readiness,
        .config = worker->api->config,
    };
    struct text wrong = {0};
    const char *allow = NULL;
    bool passed = false;
    worker->body = request.body;
    enum err err = read_path(mg_get_request_info(connection), &request);
    const struct route *route = err ? NULL : route_find(&request, &allow);
    reply->for_everybody = gate_is_public(worker->api->config, visit,
                                          route ? route->scope : SCOPE_READ);
    if (!err)
        err = read_query(route, &request);
    if (!err && !route && (allow || strcmp(visit->method, "GET") != 0)) {
        refuse_method(reply, allow);
        return;
    }
    if (!err)
        err = pass_gate(connection, worker, visit,
                        route ? route->scope : SCOPE_READ, reply, &passed);
    request.token = visit->token;
    if (!err && passed)
        err = run_or_find(route, worker, &request, reply, &wrong);
    if (err)
        reply_err(reply, err, wrong);
    /* That there is too much to do is for who asked, not for the log. */
    if (err && err != ERR_LOCKED && reply->status >= 500)
        log_message(LOG_ERROR, "%.*s: %s", (int)request.path.length,
                    request.path.data, err_message());
}

static int on_request(struct mg_connection *connection)
{
    const struct mg_request_info *info = mg_get_request_info(connection);
    struct worker *worker = mg_get_thread_pointer(connection);
    struct reply reply = {.body = &worker->text};
    struct visit visit = visit_of(connection, worker->api);
    buf_clear(&worker->text);
    worker->body = NULL;
    if (may_come(info, worker->api, &visit, &reply))
        answer(connection, worker, &visit, &reply);
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
    struct reply reply = {.body = &worker->text};
    worker->body = NULL;
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

/* ---- connections --------------------------------------------------------- */

static int on_arrival(struct mg_context *context, int connection)
{
    struct api *api = mg_get_user_data(context);
    /* The first one may come before mg_start2 has returned. */
    __atomic_store_n(&api->context, context, __ATOMIC_RELEASE);
    lobby_enter(api->lobby, connection);
    return 1;
}

static struct lobby *lobby_of(struct mg_connection *connection)
{
    struct api *api = mg_get_user_data(mg_get_context(connection));
    return api->lobby;
}

static int on_start(struct mg_connection *connection, int number, char *bytes,
                    int room, int *length, void **stream)
{
    struct lobby_bytes there = {bytes, (size_t)room, 0};
    struct tls_stream *encrypts;
    enum lobby_wish wish =
        lobby_begin(lobby_of(connection), number, &there, &encrypts);
    *stream = encrypts;
    *length = (int)there.length;
    return (int)wish;
}

static int on_idle(struct mg_connection *connection, int number, char *bytes,
                   int room, int *length)
{
    struct lobby_bytes there = {bytes, (size_t)room, (size_t)*length};
    enum lobby_wish wish = lobby_return(lobby_of(connection), number, &there);
    *length = (int)there.length;
    return (int)wish;
}

static int on_leave(struct mg_connection *connection, int number)
{
    lobby_leave(lobby_of(connection), number);
    return 1;
}

static int on_read(void *stream, char *bytes, int room)
{
    return tls_stream_read(stream, bytes, (size_t)room);
}

static int on_write(void *stream, const char *bytes, int length)
{
    return tls_stream_write(stream, bytes, (size_t)length);
}

static void serve_connection(void *pointer, int connection)
{
    struct api *api = pointer;
    mg_serve_socket(__atomic_load_n(&api->context, __ATOMIC_ACQUIRE),
                    connection);
}

static enum err open_lobby(struct api *api)
{
    const struct config *config = api->config;
    struct lobby_limits limits = {
        .workers = (size_t)config->serve_workers,
        .places = lobby_places((size_t)config->limits_connections),
        .per_address = (size_t)config->limits_connections_per_address,
        .tls = api->tls,
        .serve = serve_connection,
        .context = api,
    };
    return lobby_open(&api->lobby, &limits);
}

/* ---- starting ------------------------------------------------------------ */

/* A store that cannot be read has no tokens here; whatever is wrong with it is
 * said by whoever opens it next. */
static bool has_tokens(const struct config *config)
{
    struct store *store;
    bool any = false;
    if (!store_open(&store, config->data, STORE_READ) && token_any(store, &any))
        any = false;
    store_close(store);
    return any;
}

enum err api_may_listen(const struct config *config)
{
    if (config->listen.loopback || config->public_read || has_tokens(config))
        return ERR_NONE;
    return err_set(
        ERR_CONFIG,
        "%s can be reached from other machines, and whoever reaches it could "
        "read the whole store; make a token first (assay token create --scope "
        "read), or set public_read: true if everybody may read, or listen on "
        "127.0.0.1",
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

static const char *key_file(const struct config *config)
{
    return *config->tls_key_file ? config->tls_key_file
                                 : config->tls_certificate_file;
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
        "request_timeout_ms", "5000",
        "enable_keep_alive", "yes",
        "keep_alive_timeout_ms", "2000",
        "max_request_size", "16384", /* HEADER_MAX_BYTES */
        "connection_queue", "512", /* over serve.workers: it never fills */
        "listen_backlog", "4096",
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
        .socket_arrived = on_arrival,
        .connection_starts = on_start,
        .connection_idle = on_idle,
        .connection_leaves = on_leave,
        .secure_read = on_read,
        .secure_write = on_write,
    };
    char text[200] = "";
    struct mg_init_data init = {&callbacks, api, options};
    struct mg_error_data error = {.text = text,
                                  .text_buffer_size = sizeof text};
    struct mg_context *context = mg_start2(&init, &error);
    __atomic_store_n(&api->context, context, __ATOMIC_RELEASE);
    if (!context)
        return err_set(ERR_NETWORK, "cannot listen on %s: %s",
                       config->listen.text, text);
    return ERR_NONE;
}

/* Limits that were not asked for are for other machines. */
static void open_limits(struct api *api)
{
    const struct config *config = api->config;
    double requests = (double)config->serve_requests_per_second;
    double failures = (double)config->serve_token_failures_per_minute;
    api->requests.also_here =
        config_is_set(config, "serve.requests_per_second");
    api->failures.also_here =
        config_is_set(config, "serve.token_failures_per_minute");
    if (requests > 0)
        api->requests.limiter = limiter_new(requests, 2 * requests);
    if (failures > 0)
        api->failures.limiter = limiter_new(failures / 60, failures);
}

static enum err read_simulation(const char *directory, struct api_facts *facts)
{
    struct store *store;
    enum err err = store_open(&store, directory, STORE_READ);
    if (err)
        return err;
    err = store_simulation(store, &facts->simulation, &facts->is_simulated);
    store_close(store);
    return err;
}

enum err api_start(struct api **out, const struct config *config,
                   const char *directory, struct writer *writer)
{
    enum err err = api_may_listen(config);
    if (!err)
        err = try_address(&config->listen);
    struct tls_server *tls = NULL;
    if (!err && *config->tls_certificate_file)
        err = tls_server_new(&tls, config->tls_certificate_file,
                             key_file(config));
    if (err)
        return err;
    struct api *api = memory_zeroed(1, sizeof *api);
    api->config = config;
    api->writer = writer;
    api->tls = tls;
    api->cache = answer_cache_new(ANSWER_CACHE_BYTES);
    api->moments = moments_new();
    api->computing = computing_new();
    api->readiness = readiness_new();
    open_limits(api);
    api->facts = (struct api_facts){
        .directory = arena_text(&api->arena, directory, strlen(directory)),
        .started_ms = clock_wall_ms(),
    };
    mg_init_library(0);
    err = read_simulation(directory, &api->facts);
    if (!err)
        err = open_lobby(api);
    if (!err)
        err = start(api);
    if (err) {
        api_stop(api);
        return err;
    }
    struct mg_server_port port = {0};
    mg_get_server_ports(api->context, 1, &port);
    bool six = strchr(config->listen.host, ':') != NULL;
    api->url =
        arena_printf(&api->arena, six ? "%s://[%s]:%d/" : "%s://%s:%d/",
                     tls ? "https" : "http", config->listen.host, port.port);
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
    if (api->lobby)
        lobby_shut(api->lobby);
    if (api->context)
        mg_stop(api->context);
    lobby_free(api->lobby);
    tls_server_free(api->tls);
    limiter_free(api->requests.limiter);
    limiter_free(api->failures.limiter);
    mg_exit_library();
    answer_cache_free(api->cache);
    moments_free(api->moments);
    computing_free(api->computing);
    readiness_free(api->readiness);
    arena_free(&api->arena);
    free(api);
}
