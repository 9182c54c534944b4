/*
 * lobby_worker.c: what workers ask of the lobby: a connection to begin with,
 * whether to go on with one, and to be rid of it.
 *
 * What cannot be peeked at is read here, without waiting and without the lock:
 * the guest is the worker's. A connection comes back as often as its bytes were
 * not enough; its deadline counts from the first of them all the same.
 */
#include "api/lobby_int.h"
#include "base/clock.h"

#include <poll.h>
#include <string.h>

/* How long a worker may wait for the next request of a connection. */
enum { STAY_MS = 5 };

/* Whether somebody waits for a worker, or all are to end: a hint. */
static bool is_wanted(const struct lobby *lobby)
{
    return __atomic_load_n(&lobby->ready, __ATOMIC_RELAXED) > 0 ||
           __atomic_load_n(&lobby->shut, __ATOMIC_RELAXED);
}

static bool comes_soon(int connection)
{
    struct pollfd one = {.fd = connection, .events = POLLIN};
    return poll(&one, 1, STAY_MS) != 0;
}

/* Whether the worker has nobody else to serve, or has served this connection
 * for less than its turn. */
static bool has_time(struct lobby *lobby, int connection)
{
    if (!is_wanted(lobby))
        return true;
    int64_t since_us = lobby->guests[connection].since_us;
    return clock_monotonic_us() - since_us < STAY_MS * MS_PER_SECOND;
}

/* The worker is free; the guest waits for more, or for a worker. */
static enum lobby_wish wait_again(struct lobby *lobby, int connection,
                                  enum state state)
{
    struct guest *guest = &lobby->guests[connection];
    pthread_mutex_lock(&lobby->mutex);
    if (state == IDLE && guest->beginning && !guest->beginning->stream)
        guest_drop_beginning(lobby, connection);
    bool write = guest->beginning && guest->beginning->waits_to_write;
    guest_move(lobby, connection, state);
    if (state != READY)
        lobby_watch(lobby, connection, write);
    lobby_dispatch(lobby);
    pthread_mutex_unlock(&lobby->mutex);
    return LOBBY_TAKEN;
}

/* What was read goes from the worker's buffer to the guest, or back. */
static void keep_bytes(struct beginning *beginning, struct lobby_bytes *there)
{
    buf_add(&beginning->bytes, there->bytes, there->length);
    there->length = 0;
}

static void give_bytes(struct beginning *beginning, struct lobby_bytes *there)
{
    there->length = beginning->bytes.length;
    memcpy(there->bytes, beginning->bytes.data, there->length);
    buf_free(&beginning->bytes);
}

enum lobby_wish lobby_begin(struct lobby *lobby, int connection,
                            struct lobby_bytes *there,
                            struct tls_stream **stream)
{
    struct guest *guest = &lobby->guests[connection];
    *stream = NULL;
    there->length = 0;
    if (!lobby->limits.tls && !guest->beginning)
        return LOBBY_STAY;
    guest_need_beginning(lobby, connection);
    switch (beginning_read(guest->beginning, connection)) {
    case SIGHT_WHOLE:
        *stream = guest->beginning->stream;
        give_bytes(guest->beginning, there);
        return LOBBY_STAY;
    case SIGHT_PART:
        return wait_again(lobby, connection, STARTED);
    case SIGHT_NOTHING:
        return wait_again(lobby, connection, IDLE);
    default:
        lobby_leave(lobby, connection);
        return LOBBY_TAKEN;
    }
}

/* Of a connection that can be peeked at. */
static enum sight look_for_next(struct lobby *lobby, int connection)
{
    enum sight sight = has_time(lobby, connection)
                           ? sight_by_peeking(connection, false)
                           : SIGHT_NOTHING;
    if (sight == SIGHT_NOTHING && !is_wanted(lobby) && comes_soon(connection))
        sight = sight_by_peeking(connection, false);
    return sight;
}

/* Of one that cannot. */
static enum sight read_next(struct lobby *lobby, int connection,
                            struct lobby_bytes *there)
{
    guest_need_beginning(lobby, connection);
    struct beginning *beginning = lobby->guests[connection].beginning;
    keep_bytes(beginning, there);
    enum sight sight = beginning_read(beginning, connection);
    if (sight == SIGHT_NOTHING && !is_wanted(lobby) && comes_soon(connection))
        sight = beginning_read(beginning, connection);
    if (sight == SIGHT_WHOLE && has_time(lobby, connection))
        give_bytes(beginning, there);
    return sight;
}

enum lobby_wish lobby_return(struct lobby *lobby, int connection,
                             struct lobby_bytes *there)
{
    bool peeks = !lobby->limits.tls && !there->length;
    lobby->guests[connection].started_us = 0;
    switch (peeks ? look_for_next(lobby, connection)
                  : read_next(lobby, connection, there)) {
    case SIGHT_WHOLE:
        return peeks || there->length ? LOBBY_STAY
                                      : wait_again(lobby, connection, READY);
    case SIGHT_PART:
        return wait_again(lobby, connection, STARTED);
    case SIGHT_NOTHING:
        return wait_again(lobby, connection, IDLE);
    default:
        return LOBBY_CLOSE;
    }
}

void lobby_leave(struct lobby *lobby, int connection)
{
    pthread_mutex_lock(&lobby->mutex);
    guest_say_goodbye(lobby, connection);
    lobby_watch(lobby, connection, false);
    lobby_dispatch(lobby);
    pthread_mutex_unlock(&lobby->mutex);
}
