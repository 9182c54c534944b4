/*
 * lobby.c: see lobby.h.
 *
 * How: one epoll, edge-triggered, wakes the lobby's thread when bytes arrive.
 * Whether a header is whole is found by peeking. What cannot be peeked at (see
 * beginning.h) is read by a worker as soon as bytes come. A connection that a
 * worker holds is not watched. Four times a second those are turned away whose
 * time is over.
 *
 * Turned down: a thread for each connection (10,000 stacks), reading plain
 * headers here (every byte would be handed over in a buffer of ours), and
 * handshakes on this thread (a millisecond each, for which all would wait).
 */
#include "api/headers.h"
#include "api/lobby_int.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/random.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

static const int64_t patience_us[STATES] = {[IDLE] = 30000000,
                                            [STARTED] = 5000000,
                                            [READY] = 10000000,
                                            [SERVED] = INT64_MAX,
                                            [LEAVING] = 2000000};

enum {
    EVENTS = 256,
    TICK_MS = 250,
    /* Of a connection that ends, a megabyte a turn; what is still to come of
     * the longest body, several times. */
    LEAVING_READS = 64,
    LEAVING_MAX_BYTES = 64 << 20,
    /* Workers that one address leaves to others, as a share. */
    SHARE = 4,
    DESCRIPTORS_KEPT = 512 /* for files and everything else */
};

/* ---- watching, getting a worker ------------------------------------------ */

void lobby_watch(struct lobby *lobby, int connection, bool write)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP | EPOLLET |
                                          (write ? EPOLLOUT : 0U),
                                .data.fd = connection};
    epoll_ctl(lobby->epoll, EPOLL_CTL_ADD, connection, &event);
}

static void unwatch(struct lobby *lobby, int connection)
{
    struct epoll_event unused = {0};
    epoll_ctl(lobby->epoll, EPOLL_CTL_DEL, connection, &unused);
}

static size_t share_of_one(const struct lobby *lobby)
{
    size_t workers = lobby->limits.workers;
    size_t left = workers / SHARE;
    return workers > 1 ? workers - (left ? left : 1) : 1;
}

void lobby_dispatch(struct lobby *lobby)
{
    size_t share = share_of_one(lobby);
    while (lobby->served < lobby->limits.workers && !lobby->shut) {
        int next = guest_next_ready(lobby, share);
        if (next < 0)
            return;
        unwatch(lobby, next);
        guest_move(lobby, next, SERVED);
        lobby->limits.serve(lobby->limits.context, next);
    }
}

/* ---- looking at what has come -------------------------------------------- */

/* What those hear who never get to a worker. */
struct refusal {
    int status;
    const char *title;
    const char *detail;
    const char *more; /* headers */
};

static const struct refusal not_secure = {
    400, "Bad Request", "this port speaks https, and not http", ""};
static const struct refusal too_slow = {
    408, "Request Timeout", "the request took too long to come", ""};
static const struct refusal too_busy = {503, "Service Unavailable",
                                        "all workers are busy; come again",
                                        "Retry-After: 5\r\n"};

enum { REFUSAL_BYTES_MAX = 2048 };

static size_t refusal_write(char bytes[REFUSAL_BYTES_MAX],
                            const struct refusal *refusal)
{
    char body[REFUSAL_BYTES_MAX / 4];
    int length = snprintf(body, sizeof body,
                          "{\"type\":\"about:blank\",\"title\":\"%s\","
                          "\"status\":%d,\"detail\":\"%s\"}",
                          refusal->title, refusal->status, refusal->detail);
    return (size_t)snprintf(
        bytes, REFUSAL_BYTES_MAX,
        "HTTP/1.1 %d %s\r\nContent-Type: application/problem+json\r\n"
        "Content-Length: %d\r\nCache-Control: no-store\r\n" SAFE_HEADERS
        "%sConnection: close\r\n\r\n%s",
        refusal->status, refusal->title, length, refusal->more, body);
}

/* Says ANSWER where it can be understood, and ends the connection. */
static void turn_away(struct lobby *lobby, int connection,
                      const struct refusal *answer)
{
    const struct beginning *beginning = lobby->guests[connection].beginning;
    char bytes[REFUSAL_BYTES_MAX];
    size_t length = refusal_write(bytes, answer);
    bool secure = lobby->limits.tls && answer != &not_secure;
    if (!secure)
        (void)!send(connection, bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL);
    else if (beginning && beginning->open)
        (void)tls_stream_write(beginning->stream, bytes, length);
    guest_say_goodbye(lobby, connection);
}

/* A client that has sent all it will send may still wait for its answer; one
 * that has sent nothing whole never gets one. */
static void look_again(struct lobby *lobby, int connection)
{
    struct guest *guest = &lobby->guests[connection];
    enum sight sight =
        guest->beginning
            ? SIGHT_WHOLE
            : sight_by_peeking(connection, lobby->limits.tls != NULL);
    switch (sight) {
    case SIGHT_GONE:
        guest_drop(lobby, connection);
        break;
    case SIGHT_NOTHING:
        break;
    case SIGHT_PART:
        if (guest->state == IDLE)
            guest_move(lobby, connection, STARTED);
        break;
    case SIGHT_WHOLE:
        guest_move(lobby, connection, READY);
        break;
    case SIGHT_NOT_SECURE:
        turn_away(lobby, connection, &not_secure);
        break;
    }
}

/* Some of what still comes; the rest when the others had their turn. */
static void throw_away(struct lobby *lobby, int connection)
{
    char bytes[HEADER_MAX_BYTES];
    struct guest *guest = &lobby->guests[connection];
    ssize_t got = 1;
    for (int i = 0; got > 0 && i < LEAVING_READS; i++) {
        got = recv(connection, bytes, sizeof bytes, MSG_DONTWAIT);
        guest->thrown_away_bytes += got > 0 ? (uint32_t)got : 0;
    }
    bool waits = got < 0 && (errno == EAGAIN || errno == EINTR);
    if ((got <= 0 && !waits) || guest->thrown_away_bytes > LEAVING_MAX_BYTES) {
        guest_drop(lobby, connection);
    } else if (got > 0) {
        unwatch(lobby, connection);
        lobby_watch(lobby, connection, false);
    }
}

static void on_event(struct lobby *lobby, int connection)
{
    switch (lobby->guests[connection].state) {
    case IDLE:
    case STARTED:
        look_again(lobby, connection);
        break;
    case LEAVING:
        throw_away(lobby, connection);
        break;
    default:
        break;
    }
}

/* ---- time ---------------------------------------------------------------- */

static void expire_list(struct lobby *lobby, int at, enum state state,
                        const struct refusal *answer)
{
    int64_t before_us = clock_monotonic_us() - patience_us[state];
    while (at >= 0) {
        int next = lobby->guests[at].next;
        if (lobby->guests[at].since_us >= before_us)
            ; /* not yet */
        else if (answer)
            turn_away(lobby, at, answer);
        else
            guest_drop(lobby, at);
        at = next;
    }
}

static void expire_all(struct lobby *lobby)
{
    static const struct {
        enum state state;
        const struct refusal *answer; /* null for none */
    } rows[] = {{IDLE, NULL}, {STARTED, &too_slow}, {LEAVING, NULL}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        expire_list(lobby, lobby->lists[rows[i].state].first, rows[i].state,
                    rows[i].answer);
    for (size_t i = 0; i < LOBBY_BUCKETS; i++)
        expire_list(lobby, lobby->buckets[i].ready.first, READY, &too_busy);
}

/* ---- the thread ---------------------------------------------------------- */

static void wake(struct lobby *lobby)
{
    uint64_t one = 1;
    (void)!write(lobby->wake, &one, sizeof one);
}

static void *run(void *pointer)
{
    struct lobby *lobby = pointer;
    struct epoll_event events[EVENTS];
    int64_t looked_us = 0;
    bool running = true;
    while (running) {
        int count = epoll_wait(lobby->epoll, events, EVENTS, TICK_MS);
        pthread_mutex_lock(&lobby->mutex);
        for (int i = 0; i < count; i++) {
            uint64_t unused;
            if (events[i].data.fd == lobby->wake)
                (void)!read(lobby->wake, &unused, sizeof unused);
            else
                on_event(lobby, events[i].data.fd);
        }
        if (clock_monotonic_us() - looked_us > TICK_MS * MS_PER_SECOND) {
            looked_us = clock_monotonic_us();
            expire_all(lobby);
        }
        lobby_dispatch(lobby);
        running = lobby->running;
        pthread_mutex_unlock(&lobby->mutex);
    }
    return NULL;
}

/* ---- coming -------------------------------------------------------------- */

void lobby_enter(struct lobby *lobby, int connection)
{
    struct guest guest = {0};
    guest_identify(lobby, connection, &guest);
    pthread_mutex_lock(&lobby->mutex);
    if (lobby->shut || (size_t)connection >= lobby->capacity ||
        guest_is_over_limit(lobby, &guest)) {
        close(connection);
    } else {
        guest_add(lobby, connection, &guest);
        lobby_watch(lobby, connection, false);
    }
    pthread_mutex_unlock(&lobby->mutex);
}

/* ---- opening and closing ------------------------------------------------- */

size_t lobby_places(size_t wanted)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return wanted;
    rlim_t needed = wanted + DESCRIPTORS_KEPT;
    if (limit.rlim_cur < needed) {
        limit.rlim_cur = needed < limit.rlim_max ? needed : limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
        getrlimit(RLIMIT_NOFILE, &limit);
    }
    if (limit.rlim_cur >= needed)
        return wanted;
    return limit.rlim_cur > 2 * DESCRIPTORS_KEPT
               ? limit.rlim_cur - DESCRIPTORS_KEPT
               : limit.rlim_cur / 2;
}

enum err lobby_open(struct lobby **out, const struct lobby_limits *limits)
{
    struct lobby *lobby = memory_zeroed(1, sizeof *lobby);
    lobby->limits = *limits;
    lobby->capacity = limits->places + (size_t)2 * DESCRIPTORS_KEPT;
    lobby->guests = memory_zeroed(lobby->capacity, sizeof *lobby->guests);
    random_bytes(&lobby->key, sizeof lobby->key);
    for (size_t i = 0; i < STATES; i++)
        lobby->lists[i] = (struct list){-1, -1};
    for (size_t i = 0; i < LOBBY_BUCKETS; i++)
        lobby->buckets[i].ready = (struct list){-1, -1};
    pthread_mutex_init(&lobby->mutex, NULL);
    lobby->epoll = epoll_create1(EPOLL_CLOEXEC);
    lobby->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    lobby_watch(lobby, lobby->wake, false);
    lobby->running = true;
    if (lobby->epoll < 0 || lobby->wake < 0 ||
        pthread_create(&lobby->thread, NULL, run, lobby) != 0) {
        lobby->running = false;
        lobby_free(lobby);
        return err_set(ERR_NETWORK, "the system has no thread or descriptor "
                                    "left for the server");
    }
    *out = lobby;
    return ERR_NONE;
}

void lobby_shut(struct lobby *lobby)
{
    pthread_mutex_lock(&lobby->mutex);
    __atomic_store_n(&lobby->shut, true, __ATOMIC_RELAXED);
    pthread_mutex_unlock(&lobby->mutex);
}

void lobby_free(struct lobby *lobby)
{
    if (!lobby)
        return;
    pthread_mutex_lock(&lobby->mutex);
    bool running = lobby->running;
    lobby->running = false;
    pthread_mutex_unlock(&lobby->mutex);
    if (running) {
        wake(lobby);
        pthread_join(lobby->thread, NULL);
    }
    for (size_t i = 0; i < lobby->capacity; i++) {
        if (lobby->guests[i].state != ABSENT)
            guest_drop(lobby, (int)i);
    }
    close(lobby->epoll);
    close(lobby->wake);
    pthread_mutex_destroy(&lobby->mutex);
    free(lobby->guests);
    free(lobby);
}
