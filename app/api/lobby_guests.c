/*
 * lobby_guests.c: the guests of the lobby: a row each, in a table by
 * descriptor, and one list a state, oldest first.
 *
 * Addresses are counted by a hash into a fixed table: an IPv6 network of 64
 * bits is one address, and two addresses that share a row share its limits,
 * which does no harm beyond that. Those that have somebody ready stand in a
 * ring, and the next worker goes to the next of them: ten thousand connections
 * of one address delay another by one request.
 */
#include "api/lobby_int.h"
#include "base/clock.h"
#include "base/hash.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- lists --------------------------------------------------------------- */

static struct list *list_of(struct lobby *lobby, const struct guest *guest)
{
    return guest->state == READY ? &lobby->buckets[guest->bucket].ready
                                 : &lobby->lists[guest->state];
}

static void unlink_guest(struct lobby *lobby, int connection)
{
    struct guest *guest = &lobby->guests[connection];
    struct list *list = list_of(lobby, guest);
    if (guest->previous >= 0)
        lobby->guests[guest->previous].next = guest->next;
    else
        list->first = guest->next;
    if (guest->next >= 0)
        lobby->guests[guest->next].previous = guest->previous;
    else
        list->last = guest->previous;
}

/* What is known of a request ends with IDLE, where the next one begins. */
static void append_guest(struct lobby *lobby, int connection, enum state state)
{
    struct guest *guest = &lobby->guests[connection];
    int64_t now_us = clock_monotonic_us();
    if (state == IDLE)
        guest->started_us = 0;
    else if (!guest->started_us)
        guest->started_us = now_us;
    guest->state = (uint8_t)state;
    guest->since_us = state == STARTED ? guest->started_us : now_us;
    struct list *list = list_of(lobby, guest);
    guest->previous = list->last;
    guest->next = -1;
    if (list->last >= 0)
        lobby->guests[list->last].next = connection;
    else
        list->first = connection;
    list->last = connection;
}

/* The bucket goes to the end of the ring, unless it stands there. */
static void take_turn(struct lobby *lobby, uint16_t at)
{
    struct bucket *bucket = &lobby->buckets[at];
    if (bucket->has_turn)
        return;
    bucket->has_turn = true;
    if (lobby->turns++)
        lobby->buckets[lobby->last_turn].next_turn = at;
    else
        lobby->first_turn = at;
    lobby->last_turn = at;
}

/* Takes the first bucket of a ring that is not empty out of it. */
static uint16_t next_turn(struct lobby *lobby)
{
    uint16_t at = lobby->first_turn;
    lobby->first_turn = lobby->buckets[at].next_turn;
    lobby->buckets[at].has_turn = false;
    lobby->turns--;
    return at;
}

static void count_state(struct lobby *lobby, const struct guest *guest, int by)
{
    struct bucket *bucket = &lobby->buckets[guest->bucket];
    if (guest->state == SERVED) {
        lobby->served += (size_t)by;
        bucket->served += (uint32_t)by;
    }
    if (guest->state == READY) {
        __atomic_fetch_add(&lobby->ready, (size_t)by, __ATOMIC_RELAXED);
        if (by > 0)
            take_turn(lobby, guest->bucket);
    }
}

void guest_move(struct lobby *lobby, int connection, enum state state)
{
    struct guest *guest = &lobby->guests[connection];
    count_state(lobby, guest, -1);
    unlink_guest(lobby, connection);
    append_guest(lobby, connection, state);
    count_state(lobby, guest, 1);
}

void guest_drop_beginning(struct lobby *lobby, int connection)
{
    struct guest *guest = &lobby->guests[connection];
    if (!guest->beginning)
        return;
    if (guest->beginning->stream)
        tls_stream_end(guest->beginning->stream);
    beginning_free(guest->beginning);
    guest->beginning = NULL;
    lobby->beginnings--;
    lobby->buckets[guest->bucket].beginnings--;
}

/* Closing forgets the watch, too. */
void guest_drop(struct lobby *lobby, int connection)
{
    struct guest *guest = &lobby->guests[connection];
    count_state(lobby, guest, -1);
    unlink_guest(lobby, connection);
    guest_drop_beginning(lobby, connection);
    guest->state = ABSENT;
    lobby->buckets[guest->bucket].guests--;
    lobby->count--;
    close(connection);
}

/* The end is sent, and what still comes is thrown away for a moment. */
void guest_say_goodbye(struct lobby *lobby, int connection)
{
    guest_drop_beginning(lobby, connection);
    shutdown(connection, SHUT_WR);
    guest_move(lobby, connection, LEAVING);
}

/* ---- addresses ----------------------------------------------------------- */

/* Four bytes of IPv4, also where it is mapped into IPv6, else the network's
 * eight of IPv6. */
static size_t network_of(const struct sockaddr_storage *address,
                         uint8_t network[8], bool *local)
{
    if (address->ss_family == AF_INET) {
        struct sockaddr_in four;
        memcpy(&four, address, sizeof four);
        memcpy(network, &four.sin_addr, 4);
        *local = network[0] == IN_LOOPBACKNET;
        return 4;
    }
    struct sockaddr_in6 six;
    memcpy(&six, address, sizeof six);
    bool mapped = IN6_IS_ADDR_V4MAPPED(&six.sin6_addr);
    memcpy(network, six.sin6_addr.s6_addr + (mapped ? 12 : 0), mapped ? 4 : 8);
    *local = mapped ? network[0] == IN_LOOPBACKNET
                    : IN6_IS_ADDR_LOOPBACK(&six.sin6_addr);
    return mapped ? 4 : 8;
}

/* The hash is keyed, so that nobody can choose with whom to share a row. */
void guest_identify(const struct lobby *lobby, int connection,
                    struct guest *guest)
{
    struct sockaddr_storage address = {0};
    socklen_t length = sizeof address;
    uint8_t keyed[16] = {0};
    getpeername(connection, (struct sockaddr *)&address, &length);
    memcpy(keyed, &lobby->key, sizeof lobby->key);
    size_t bytes = network_of(&address, keyed + 8, &guest->local);
    guest->bucket = (uint16_t)(hash_fast(keyed, 8 + bytes) % LOBBY_BUCKETS);
}

bool guest_is_over_limit(const struct lobby *lobby, const struct guest *guest)
{
    size_t most = lobby->limits.per_address;
    if (most == 0 && guest->local)
        return false;
    if (most == 0)
        most = LOBBY_PER_ADDRESS;
    return lobby->buckets[guest->bucket].guests >= most;
}

/* ---- making room --------------------------------------------------------- */

static uint32_t held_by(const struct bucket *bucket, bool beginnings)
{
    return beginnings ? bucket->beginnings : bucket->guests;
}

static uint16_t bucket_with_most(const struct lobby *lobby, bool beginnings)
{
    uint16_t most = 0;
    for (uint16_t i = 1; i < LOBBY_BUCKETS; i++) {
        if (held_by(&lobby->buckets[i], beginnings) >
            held_by(&lobby->buckets[most], beginnings))
            most = i;
    }
    return most;
}

/* Of BUCKET, in the list that begins with AT, or -1. */
static int first_in(const struct lobby *lobby, int at, uint16_t bucket,
                    bool with_beginning)
{
    while (at >= 0 && (lobby->guests[at].bucket != bucket ||
                       (with_beginning && !lobby->guests[at].beginning)))
        at = lobby->guests[at].next;
    return at;
}

/* The oldest of the address that has most is dropped; with BEGINNINGS, of
 * those. */
static void make_room(struct lobby *lobby, bool beginnings)
{
    uint16_t most = bucket_with_most(lobby, beginnings);
    const int lists[] = {lobby->lists[LEAVING].first,
                         lobby->lists[STARTED].first, lobby->lists[IDLE].first,
                         lobby->buckets[most].ready.first};
    int oldest = -1;
    for (size_t i = 0; oldest < 0 && i < sizeof lists / sizeof *lists; i++)
        oldest = first_in(lobby, lists[i], most, beginnings);
    if (oldest >= 0)
        guest_drop(lobby, oldest);
}

void guest_need_beginning(struct lobby *lobby, int connection)
{
    struct guest *guest = &lobby->guests[connection];
    struct tls_server *tls = lobby->limits.tls;
    if (guest->beginning)
        return;
    pthread_mutex_lock(&lobby->mutex);
    if (lobby->beginnings >= LOBBY_BEGINNINGS_MAX)
        make_room(lobby, true);
    lobby->beginnings++;
    lobby->buckets[guest->bucket].beginnings++;
    pthread_mutex_unlock(&lobby->mutex);
    guest->beginning =
        beginning_new(tls ? tls_stream_new(tls, connection) : NULL);
}

/* ---- coming and getting a worker ----------------------------------------- */

void guest_add(struct lobby *lobby, int connection, const struct guest *guest)
{
    if (lobby->count >= lobby->limits.places)
        make_room(lobby, false);
    lobby->guests[connection] = *guest;
    append_guest(lobby, connection, IDLE);
    lobby->buckets[guest->bucket].guests++;
    lobby->count++;
}

int guest_next_ready(struct lobby *lobby, size_t share)
{
    for (size_t passed_over = 0; passed_over < lobby->turns;) {
        uint16_t turn = next_turn(lobby);
        struct bucket *bucket = &lobby->buckets[turn];
        int first = bucket->ready.first;
        if (first < 0)
            continue; /* they have gone */
        take_turn(lobby, turn);
        if (bucket->served < share)
            return first;
        passed_over++;
    }
    return -1;
}
