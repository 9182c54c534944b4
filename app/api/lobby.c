/*
 * lobby.c: see lobby.h.
 *
 * How: every connection is a row of a table by descriptor and stands in one
 * list a state, oldest first. Each state has one patience for all, so only the
 * head of a list can be out of time. One epoll, edge-triggered, wakes the
 * lobby's thread when bytes arrive; whether a header is whole is found by
 * peeking. A connection that a worker holds is not watched.
 *
 * Addresses are counted by a hash into a fixed table: an IPv6 network of 64
 * bits is one address, and two addresses that share a row share its limits,
 * which does no harm beyond that.
 *
 * Turned down: a thread for each connection (10,000 stacks), and reading
 * headers here (every byte would be handed over in a buffer of ours, and with
 * TLS there is nothing to read).
 */
#include "api/lobby.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/random.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum state {
    ABSENT,
    IDLE,    /* nothing of a request is there */
    STARTED, /* a part of a header is there */
    READY,   /* waits for a worker */
    SERVED,  /* a worker holds it */
    LEAVING, /* the end is sent; what still comes is thrown away */
    STATES
};

static const int64_t patience_us[STATES] = {[IDLE] = 30000000,
                                            [STARTED] = 5000000,
                                            [READY] = 10000000,
                                            [SERVED] = INT64_MAX,
                                            [LEAVING] = 2000000};

enum {
    HEADER_BYTES = 16384,
    BUCKETS = 4096,
    EVENTS = 256,
    TICK_MS = 250,
    /* How long a worker may wait for the next request of a connection. */
    STAY_MS = 5,
    TLS_STAY_MS = 2000,
    TLS_SLICE_MS = 20,
    /* Workers that one address leaves to others, as a share. */
    SHARE = 4,
    DESCRIPTORS_KEPT = 512 /* for files and everything else */
};

struct guest {
    int64_t since_us; /* in this state */
    int previous;     /* in its list, or -1 */
    int next;
    uint16_t bucket;
    uint8_t state;
    bool tls;
    bool local; /* from this machine */
};

struct list {
    int first; /* or -1 */
    int last;
};

struct bucket {
    uint32_t guests;
    uint32_t served;
};

struct lobby {
    struct lobby_limits limits;
    pthread_mutex_t mutex;
    pthread_t thread;
    int epoll;
    int wake;
    bool running;
    bool shut;
    struct guest *guests; /* by descriptor */
    size_t capacity;
    size_t count;
    size_t served;
    /* The same where it stands alone, so that workers need no lock. */
    size_t ready;
    uint64_t key; /* of the hash of addresses */
    struct list lists[STATES];
    struct bucket buckets[BUCKETS];
};

/* ---- lists --------------------------------------------------------------- */

static void unlink_guest(struct lobby *lobby, int connection)
{
    struct guest *guest = &lobby->guests[connection];
    struct list *list = &lobby->lists[guest->state];
    if (guest->previous >= 0)
        lobby->guests[guest->previous].next = guest->next;
    else
        list->first = guest->next;
    if (guest->next >= 0)
        lobby->guests[guest->next].previous = guest->previous;
    else
        list->last = guest->previous;
}

static void append_guest(struct lobby *lobby, int connection, enum state state)
{
    struct guest *guest = &lobby->guests[connection];
    struct list *list = &lobby->lists[state];
    guest->state = (uint8_t)state;
    guest->since_us = clock_monotonic_us();
    guest->previous = list->last;
    guest->next = -1;
    if (list->last >= 0)
        lobby->guests[list->last].next = connection;
    else
        list->first = connection;
    list->last = connection;
}

static void count_state(struct lobby *lobby, const struct guest *guest, int by)
{
    struct bucket *bucket = &lobby->buckets[guest->bucket];
    if (guest->state == SERVED) {
        lobby->served += (size_t)by;
        bucket->served += (uint32_t)by;
    }
    if (guest->state == READY)
        __atomic_fetch_add(&lobby->ready, (size_t)by, __ATOMIC_RELAXED);
}

static void move_guest(struct lobby *lobby, int connection, enum state state)
{
    struct guest *guest = &lobby->guests[connection];
    count_state(lobby, guest, -1);
    unlink_guest(lobby, connection);
    append_guest(lobby, connection, state);
    count_state(lobby, guest, 1);
}

static void watch(struct lobby *lobby, int connection)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP | EPOLLET,
                                .data.fd = connection};
    epoll_ctl(lobby->epoll, EPOLL_CTL_ADD, connection, &event);
}

static void unwatch(struct lobby *lobby, int connection)
{
    struct epoll_event unused = {0};
    epoll_ctl(lobby->epoll, EPOLL_CTL_DEL, connection, &unused);
}

/* Closing forgets the watch, too. */
static void drop(struct lobby *lobby, int connection)
{
    struct guest *guest = &lobby->guests[connection];
    count_state(lobby, guest, -1);
    unlink_guest(lobby, connection);
    guest->state = ABSENT;
    lobby->buckets[guest->bucket].guests--;
    lobby->count--;
    close(connection);
}

/* ---- addresses ----------------------------------------------------------- */

static bool is_local(const struct sockaddr_storage *address)
{
    if (address->ss_family == AF_INET) {
        struct sockaddr_in four;
        memcpy(&four, address, sizeof four);
        return ntohl(four.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
    }
    struct sockaddr_in6 six;
    memcpy(&six, address, sizeof six);
    return IN6_IS_ADDR_LOOPBACK(&six.sin6_addr) != 0;
}

/* The hash is keyed, so that nobody can choose with whom to share a row. */
static void identify(const struct lobby *lobby, int connection,
                     struct guest *guest)
{
    struct sockaddr_storage address = {0};
    socklen_t length = sizeof address;
    uint64_t parts[2] = {lobby->key, 0};
    getpeername(connection, (struct sockaddr *)&address, &length);
    if (address.ss_family == AF_INET)
        memcpy(&parts[1],
               (const char *)&address + offsetof(struct sockaddr_in, sin_addr),
               sizeof(struct in_addr));
    else
        memcpy(&parts[1],
               (const char *)&address +
                   offsetof(struct sockaddr_in6, sin6_addr),
               sizeof parts[1]);
    guest->bucket = (uint16_t)(hash_fast(parts, sizeof parts) % BUCKETS);
    guest->local = is_local(&address);
}

static bool is_over_limit(const struct lobby *lobby, const struct guest *guest)
{
    size_t most = lobby->limits.per_address;
    if (most == 0 && guest->local)
        return false;
    if (most == 0)
        most = LOBBY_PER_ADDRESS;
    return lobby->buckets[guest->bucket].guests >= most;
}

/* ---- making room --------------------------------------------------------- */

static int oldest_of(const struct lobby *lobby, uint16_t bucket)
{
    static const enum state order[] = {LEAVING, STARTED, IDLE, READY};
    for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
        int at = lobby->lists[order[i]].first;
        while (at >= 0 && lobby->guests[at].bucket != bucket)
            at = lobby->guests[at].next;
        if (at >= 0)
            return at;
    }
    return -1;
}

static void make_room(struct lobby *lobby)
{
    uint16_t most = 0;
    for (uint16_t i = 1; i < BUCKETS; i++) {
        if (lobby->buckets[i].guests > lobby->buckets[most].guests)
            most = i;
    }
    int oldest = oldest_of(lobby, most);
    if (oldest >= 0)
        drop(lobby, oldest);
}

/* ---- getting a worker ---------------------------------------------------- */

static size_t share_of_one(const struct lobby *lobby)
{
    size_t workers = lobby->limits.workers;
    size_t left = workers / SHARE;
    return workers > 1 ? workers - (left ? left : 1) : 1;
}

/* The longest-waiting guests whose address may have one more worker. */
static void dispatch(struct lobby *lobby)
{
    size_t share = share_of_one(lobby);
    int at = lobby->lists[READY].first;
    while (at >= 0 && lobby->served < lobby->limits.workers && !lobby->shut) {
        struct guest *guest = &lobby->guests[at];
        int next = guest->next;
        if (lobby->buckets[guest->bucket].served < share) {
            unwatch(lobby, at);
            move_guest(lobby, at, SERVED);
            lobby->limits.serve(lobby->limits.context, at, guest->tls);
        }
        at = next;
    }
}

/* ---- looking at what has come -------------------------------------------- */

/* As the server finds the end of a header; whether it is well-formed is for
 * the server to say. */
static bool header_is_whole(const char *bytes, size_t length)
{
    const char *end = bytes + length;
    const char *at = bytes;
    while ((at = memchr(at, '\n', (size_t)(end - at)))) {
        at++;
        if (at < end && *at == '\n')
            return true;
        if (end - at >= 2 && at[0] == '\r' && at[1] == '\n')
            return true;
    }
    return length == HEADER_BYTES;
}

enum sight { SIGHT_GONE, SIGHT_NOTHING, SIGHT_PART, SIGHT_WHOLE };

static enum sight look(int connection, bool tls)
{
    char bytes[HEADER_BYTES];
    ssize_t got = recv(connection, bytes, tls ? 1 : sizeof bytes,
                       MSG_PEEK | MSG_DONTWAIT);
    if (got < 0)
        return errno == EAGAIN || errno == EINTR ? SIGHT_NOTHING : SIGHT_GONE;
    if (got == 0)
        return SIGHT_GONE;
    return tls || header_is_whole(bytes, (size_t)got) ? SIGHT_WHOLE
                                                      : SIGHT_PART;
}

/* A client that has sent all it will send may still wait for its answer; one
 * that has sent nothing whole never gets one. */
static void look_again(struct lobby *lobby, int connection)
{
    switch (look(connection, lobby->guests[connection].tls)) {
    case SIGHT_GONE:
        drop(lobby, connection);
        break;
    case SIGHT_NOTHING:
        break;
    case SIGHT_PART:
        if (lobby->guests[connection].state == IDLE)
            move_guest(lobby, connection, STARTED);
        break;
    case SIGHT_WHOLE:
        move_guest(lobby, connection, READY);
        break;
    }
}

enum { LEAVING_READS = 64 };

static void throw_away(struct lobby *lobby, int connection)
{
    char bytes[HEADER_BYTES];
    for (int i = 0; i < LEAVING_READS; i++) {
        ssize_t got = recv(connection, bytes, sizeof bytes, MSG_DONTWAIT);
        if (got < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        if (got <= 0)
            break;
    }
    drop(lobby, connection);
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

static const char too_slow[] =
    "HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n"
    "Connection: close\r\n\r\n";
static const char too_busy[] =
    "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n"
    "Retry-After: 5\r\nConnection: close\r\n\r\n";

static void say(const struct lobby *lobby, int connection, const char *answer)
{
    if (!lobby->guests[connection].tls)
        (void)!send(connection, answer, strlen(answer),
                    MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void expire(struct lobby *lobby, enum state state, const char *answer)
{
    int64_t before_us = clock_monotonic_us() - patience_us[state];
    int at = lobby->lists[state].first;
    while (at >= 0 && lobby->guests[at].since_us < before_us) {
        int next = lobby->guests[at].next;
        if (answer)
            say(lobby, at, answer);
        drop(lobby, at);
        at = next;
    }
}

static void expire_all(struct lobby *lobby)
{
    expire(lobby, IDLE, NULL);
    expire(lobby, STARTED, too_slow);
    expire(lobby, READY, too_busy);
    expire(lobby, LEAVING, NULL);
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
        dispatch(lobby);
        running = lobby->running;
        pthread_mutex_unlock(&lobby->mutex);
    }
    return NULL;
}

/* ---- what workers and the listener call ---------------------------------- */

void lobby_enter(struct lobby *lobby, int connection, bool tls)
{
    struct guest guest = {.tls = tls};
    identify(lobby, connection, &guest);
    pthread_mutex_lock(&lobby->mutex);
    if (lobby->shut || (size_t)connection >= lobby->capacity ||
        is_over_limit(lobby, &guest)) {
        close(connection);
    } else {
        if (lobby->count >= lobby->limits.places)
            make_room(lobby);
        lobby->guests[connection] = guest;
        append_guest(lobby, connection, IDLE);
        lobby->buckets[guest.bucket].guests++;
        lobby->count++;
        watch(lobby, connection);
    }
    pthread_mutex_unlock(&lobby->mutex);
}

/* Whether somebody waits for a worker, or all are to end: a hint. */
static bool is_wanted(const struct lobby *lobby)
{
    return __atomic_load_n(&lobby->ready, __ATOMIC_RELAXED) > 0 ||
           __atomic_load_n(&lobby->shut, __ATOMIC_RELAXED);
}

/* True where bytes come within MS, without anybody waiting for the worker. */
static bool comes_soon(struct lobby *lobby, int connection, int ms, int slice)
{
    struct pollfd one = {.fd = connection, .events = POLLIN};
    for (int waited = 0; waited < ms; waited += slice) {
        if (poll(&one, 1, slice) != 0)
            return true;
        if (is_wanted(lobby))
            break;
    }
    return false;
}

/* Whether the worker has nobody else to serve, or has served this connection
 * for less than its turn. */
static bool has_turn(struct lobby *lobby, int connection)
{
    if (!is_wanted(lobby))
        return true;
    int64_t since_us = lobby->guests[connection].since_us;
    return clock_monotonic_us() - since_us < STAY_MS * MS_PER_SECOND;
}

enum lobby_wish lobby_return(struct lobby *lobby, int connection, bool buffered,
                             bool tls)
{
    if (buffered)
        return LOBBY_STAY;
    if (tls)
        return comes_soon(lobby, connection, TLS_STAY_MS, TLS_SLICE_MS)
                   ? LOBBY_STAY
                   : LOBBY_CLOSE;
    enum sight sight =
        has_turn(lobby, connection) ? look(connection, false) : SIGHT_PART;
    if (sight == SIGHT_NOTHING &&
        comes_soon(lobby, connection, STAY_MS, STAY_MS))
        sight = look(connection, false);
    if (sight == SIGHT_WHOLE || sight == SIGHT_GONE)
        return sight == SIGHT_WHOLE ? LOBBY_STAY : LOBBY_CLOSE;
    pthread_mutex_lock(&lobby->mutex);
    move_guest(lobby, connection, IDLE);
    watch(lobby, connection);
    dispatch(lobby);
    pthread_mutex_unlock(&lobby->mutex);
    return LOBBY_TAKEN;
}

void lobby_leave(struct lobby *lobby, int connection)
{
    shutdown(connection, SHUT_WR);
    pthread_mutex_lock(&lobby->mutex);
    move_guest(lobby, connection, LEAVING);
    watch(lobby, connection);
    dispatch(lobby);
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
    pthread_mutex_init(&lobby->mutex, NULL);
    lobby->epoll = epoll_create1(EPOLL_CLOEXEC);
    lobby->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    watch(lobby, lobby->wake);
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
            close((int)i);
    }
    close(lobby->epoll);
    close(lobby->wake);
    pthread_mutex_destroy(&lobby->mutex);
    free(lobby->guests);
    free(lobby);
}
