/*
 * peer.c: see peer.h.
 */
#include "peer.h"

#include "base/arena.h"
#include "base/clock.h"

#include "harness.h"

#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct peer_guest {
    struct peer_guest *next;
    struct peer *peer;
    int connection;
    pthread_t thread;
};

static void *talk_to(void *context)
{
    struct peer_guest *guest = context;
    guest->peer->talk(guest->peer, guest->connection);
    shutdown(guest->connection, SHUT_RDWR);
    return NULL;
}

static void *listen_on(void *context)
{
    struct peer *peer = context;
    int connection;
    while ((connection = accept(peer->listener, NULL, NULL)) >= 0) {
        struct peer_guest *guest = memory_zeroed(1, sizeof *guest);
        *guest = (struct peer_guest){
            .next = peer->guests, .peer = peer, .connection = connection};
        peer->guests = guest;
        peer->connections++;
        pthread_create(&guest->thread, NULL, talk_to, guest);
    }
    return NULL;
}

void peer_start(struct peer *peer)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    pthread_t *thread = memory_alloc(sizeof *thread);
    peer->listener = socket(AF_INET, SOCK_STREAM, 0);
    REQUIRE(bind(peer->listener, (struct sockaddr *)&address, length) == 0);
    REQUIRE(listen(peer->listener, 64) == 0);
    getsockname(peer->listener, (struct sockaddr *)&address, &length);
    peer->port = ntohs(address.sin_port);
    REQUIRE(pthread_create(thread, NULL, listen_on, peer) == 0);
    peer->thread = thread;
}

void peer_stop(struct peer *peer)
{
    peer->stopping = true;
    shutdown(peer->listener, SHUT_RDWR);
    pthread_join(*(pthread_t *)peer->thread, NULL);
    while (peer->guests) {
        struct peer_guest *guest = peer->guests;
        peer->guests = guest->next;
        shutdown(guest->connection, SHUT_RDWR);
        pthread_join(guest->thread, NULL);
        close(guest->connection);
        free(guest);
    }
    close(peer->listener);
    free(peer->thread);
}

/* ---- talks --------------------------------------------------------------- */

/* Connections may be heard at the same time. */
static void keep_heard(struct peer *peer, const char *bytes, size_t length)
{
    static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    pthread_mutex_lock(&mutex);
    size_t room = sizeof peer->heard - 1 - peer->heard_length;
    length = length < room ? length : room;
    memcpy(peer->heard + peer->heard_length, bytes, length);
    peer->heard_length += length;
    pthread_mutex_unlock(&mutex);
}

const char *peer_hear(struct peer *peer, int connection, const char *end)
{
    static __thread char text[PEER_HEARD_BYTES];
    size_t length = 0;
    while (length < sizeof text - 1) {
        ssize_t got =
            recv(connection, text + length, sizeof text - 1 - length, 0);
        if (got <= 0)
            return NULL;
        keep_heard(peer, text + length, (size_t)got);
        length += (size_t)got;
        text[length] = '\0';
        if (strstr(text, end))
            return text;
    }
    return NULL;
}

bool peer_say(int connection, const char *text)
{
    size_t length = strlen(text);
    return send(connection, text, length, MSG_NOSIGNAL) == (ssize_t)length;
}

void peer_answers(struct peer *peer, int connection)
{
    while (peer_hear(peer, connection, "\r\n\r\n")) {
        int64_t heard_us = clock_monotonic_us();
        usleep((useconds_t)peer->pause_us);
        peer->held_us = clock_monotonic_us() - heard_us;
        if (!peer_say(connection, peer->say))
            return;
    }
}

void peer_answers_once(struct peer *peer, int connection)
{
    if (peer_hear(peer, connection, "\r\n\r\n"))
        peer_say(connection, peer->say);
}

/* For ever: at once as often as fits into a block, or with pauses. */
static void repeat(struct peer *peer, int connection, const char *text)
{
    char block[4096];
    size_t length = 0;
    do {
        memcpy(block + length, text, strlen(text));
        length += strlen(text);
    } while (!peer->pause_us && length + strlen(text) < sizeof block);
    block[length] = '\0';
    while (!peer->stopping && peer_say(connection, block))
        usleep((useconds_t)peer->pause_us);
}

void peer_repeats(struct peer *peer, int connection)
{
    repeat(peer, connection, peer->say);
}

void peer_goes_on(struct peer *peer, int connection)
{
    const char *rest = strchr(peer->say, '|');
    if (!peer_hear(peer, connection, "\r\n\r\n"))
        return;
    send(connection, peer->say, (size_t)(rest - peer->say), MSG_NOSIGNAL);
    repeat(peer, connection, rest + 1);
}

void peer_is_silent(struct peer *peer, int connection)
{
    char bytes[4096];
    (void)peer;
    while (recv(connection, bytes, sizeof bytes, 0) > 0) {
    }
}
