/*
 * http.c: the client of http.h: libcurl's multi interface on a loop.
 *
 * libcurl says which sockets it waits for and until when; the loop watches
 * them and tells it what happened. Whatever libcurl forbids inside of its
 * callbacks (to add and remove transfers) is left to the client's next turn,
 * a timer that is due at once: an exchange that wants something done is put
 * into a list, and its state says what.
 */
#include "base/clock.h"
#include "wire/http_int.h"

#include <errno.h>
#include <psa/crypto.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum {
    US_PER_MS = 1000,
    CONNECT_US = 5000000,
    IDLE_CONNECTIONS_MAX = 256,
    /* What a peer may send until a request goes over the connection. */
    HANDSHAKE_BYTES = 256 << 10
};

/* ---- turns --------------------------------------------------------------- */

void http_exchange_wake(struct http_exchange *exchange)
{
    struct http_client *client = exchange->client;
    if (exchange->is_waiting)
        return;
    exchange->is_waiting = true;
    exchange->next_waiting = NULL;
    *client->waiting_end = exchange;
    client->waiting_end = &exchange->next_waiting;
    if (!loop_timer_is_set(&client->turn))
        loop_timer_at(&client->turn, clock_monotonic_us());
}

static void attend(struct http_exchange *exchange)
{
    switch (exchange->state) {
    case EXCHANGE_NEW:
        http_exchange_begin(exchange);
        break;
    case EXCHANGE_RESOLVED:
        http_exchange_run(exchange);
        break;
    case EXCHANGE_DONE:
        http_exchange_tell(exchange);
        break;
    case EXCHANGE_CANCELLED:
        http_exchange_free(exchange);
        break;
    case EXCHANGE_RESOLVING:
    case EXCHANGE_RUNNING:
        break;
    }
}

static void take_turn(void *context)
{
    struct http_client *client = context;
    struct http_exchange *at = client->waiting;
    client->waiting = NULL;
    client->waiting_end = &client->waiting;
    while (at) {
        struct http_exchange *next = at->next_waiting;
        at->is_waiting = false;
        attend(at);
        at = next;
    }
}

/* ---- what libcurl wants and gets ----------------------------------------- */

static void take_ended(struct http_client *client)
{
    CURLMsg *message;
    int left;
    while ((message = curl_multi_info_read(client->multi, &left))) {
        struct http_exchange *exchange;
        if (message->msg != CURLMSG_DONE)
            continue;
        CURLcode code = message->data.result;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &exchange);
        http_exchange_ended(exchange, code);
    }
}

static void drive(struct http_client *client, curl_socket_t socket, int events)
{
    int running;
    client->driving = true;
    curl_multi_socket_action(client->multi, socket, events, &running);
    client->driving = false;
    take_ended(client);
}

void client_push(struct http_client *client)
{
    if (!client->driving)
        drive(client, CURL_SOCKET_TIMEOUT, 0);
}

void client_push_out(struct connection *connection)
{
    if (!connection->client->driving)
        drive(connection->client, connection->descriptor, CURL_CSELECT_OUT);
}

static void on_curl_timer(void *context)
{
    drive(context, CURL_SOCKET_TIMEOUT, 0);
}

static int set_curl_timer(CURLM *multi, long timeout_ms, void *context)
{
    struct http_client *client = context;
    (void)multi;
    if (timeout_ms < 0)
        loop_timer_stop(&client->curl_timer);
    else
        loop_timer_after(&client->curl_timer, timeout_ms * US_PER_MS);
    return 0;
}

struct connection *client_connection(struct http_client *client,
                                     curl_socket_t descriptor)
{
    return descriptor >= 0 && (size_t)descriptor < client->connection_capacity
               ? client->connections[descriptor]
               : NULL;
}

static void on_event(uv_poll_t *watch, int status, int events);

static void watch_for(struct connection *connection, int events)
{
    connection->events = events;
    if (events)
        uv_poll_start(&connection->watch, events, on_event);
    else
        uv_poll_stop(&connection->watch);
}

/* libuv takes a stamp that waits in the error queue for an error, stops
 * watching, and leaves it to us to look. */
static void on_event(uv_poll_t *watch, int status, int events)
{
    struct connection *connection = watch->data;
    struct http_client *client = connection->client;
    int descriptor = connection->descriptor;
    int wanted = connection->events;
    int happened = (events & UV_READABLE ? CURL_CSELECT_IN : 0) |
                   (events & UV_WRITABLE ? CURL_CSELECT_OUT : 0);
    if (status < 0) {
        happened = CURL_CSELECT_ERR;
        connection->events = 0;
        if (socket_drain_stamps(descriptor)) {
            watch_for(connection, wanted);
            return;
        }
    }
    drive(client, descriptor, happened);
    if (status < 0 && client_connection(client, descriptor) == connection &&
        !connection->events)
        watch_for(connection, wanted);
}

static int set_events(CURL *easy, curl_socket_t descriptor, int what,
                      void *context, void *unused)
{
    struct connection *connection = client_connection(context, descriptor);
    int events = 0;
    (void)easy;
    (void)unused;
    if (what == CURL_POLL_IN || what == CURL_POLL_INOUT)
        events |= UV_READABLE;
    if (what == CURL_POLL_OUT || what == CURL_POLL_INOUT)
        events |= UV_WRITABLE;
    if (connection)
        watch_for(connection, events);
    return 0;
}

/* ---- sockets ------------------------------------------------------------- */

static void remember(struct http_client *client, struct connection *connection)
{
    size_t size = client->connection_capacity;
    size_t at = (size_t)connection->descriptor;
    if (at >= size) {
        size_t wanted = at + 1 + size;
        client->connections = memory_resize(
            client->connections, wanted * sizeof *client->connections);
        memset(client->connections + size, 0,
               (wanted - size) * sizeof *client->connections);
        client->connection_capacity = wanted;
    }
    client->connections[at] = connection;
}

curl_socket_t client_open_socket(void *context, curlsocktype purpose,
                                 struct curl_sockaddr *address)
{
    struct http_exchange *exchange = context;
    struct http_client *client = exchange->client;
    (void)purpose;
    address_text(&address->addr, exchange->answer.address);
    exchange->refusal = address_refusal(&client->policy, &address->addr);
    if (exchange->refusal)
        return CURL_SOCKET_BAD;
    struct connection *connection = memory_zeroed(1, sizeof *connection);
    connection->client = client;
    connection->facts.receive_limit = HANDSHAKE_BYTES;
    connection->descriptor = socket_open(address->family, &connection->facts);
    if (connection->descriptor < 0) {
        exchange->answer.system_code = errno;
        free(connection);
        return CURL_SOCKET_BAD;
    }
    memcpy(connection->address, exchange->answer.address,
           sizeof connection->address);
    uv_poll_init(loop_uv(client->loop), &connection->watch,
                 connection->descriptor);
    connection->watch.data = connection;
    remember(client, connection);
    exchange->opened = connection;
    return connection->descriptor;
}

static void free_connection(uv_handle_t *watch)
{
    free(watch->data);
}

/* Exchanges may still point at it: they learn why it ended. */
static void let_go(struct http_client *client, struct connection *connection)
{
    struct http_exchange *at = client->first;
    for (; at; at = at->next) {
        if (at->connection == connection) {
            at->too_large = at->too_large || connection->facts.exhausted;
            at->lost = connection->facts.ended;
            at->connection = NULL;
        }
        if (at->opened == connection) {
            at->shook_hands = connection->facts.first_sent_us > 0;
            at->answer.times.connect_us = connection->facts.connect_us;
            at->opened = NULL;
        }
    }
}

int client_close_socket(void *context, curl_socket_t descriptor)
{
    struct http_client *client = context;
    struct connection *connection = client_connection(client, descriptor);
    if (connection) {
        let_go(client, connection);
        client->connections[descriptor] = NULL;
        uv_close((uv_handle_t *)&connection->watch, free_connection);
    }
    socket_close(descriptor);
    return 0;
}

/* ---- opening and closing ------------------------------------------------- */

static void start_libraries(void)
{
    psa_crypto_init();
    curl_global_init(CURL_GLOBAL_DEFAULT);
}

enum err http_client_open(struct http_client **result, struct loop *loop,
                          const struct http_settings *settings)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, start_libraries);
    CURLM *multi = curl_multi_init();
    if (!multi)
        return err_set(ERR_NETWORK, "the HTTP client cannot be started");
    struct http_client *client = memory_zeroed(1, sizeof *client);
    client->loop = loop;
    client->multi = multi;
    client->waiting_end = &client->waiting;
    if (settings->policy)
        client->policy = *settings->policy;
    client->ca_bundle = settings->ca_bundle;
    client->connect_us =
        settings->connect_us ? settings->connect_us : CONNECT_US;
    client->user_agent = strdup(settings->user_agent ? settings->user_agent
                                                     : "assay/" ASSAY_VERSION);
    client->stamping = socket_users_begin();
    loop_timer_init(&client->curl_timer, loop, on_curl_timer, client);
    loop_timer_init(&client->turn, loop, take_turn, client);
    curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, set_events);
    curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, client);
    curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, set_curl_timer);
    curl_multi_setopt(multi, CURLMOPT_TIMERDATA, client);
    curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, (long)IDLE_CONNECTIONS_MAX);
    *result = client;
    return ERR_NONE;
}

void http_client_close(struct http_client *client)
{
    if (!client)
        return;
    while (client->first)
        http_exchange_free(client->first);
    curl_multi_cleanup(client->multi);
    loop_timer_stop(&client->curl_timer);
    loop_timer_stop(&client->turn);
    socket_users_end(client->stamping);
    resolve_forget_all(&client->cache);
    free(client->connections);
    free(client->user_agent);
    free(client);
}

struct loop *http_client_loop(const struct http_client *client)
{
    return client->loop;
}
