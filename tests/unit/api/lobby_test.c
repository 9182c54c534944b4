/* Who gets a worker, and in which order; over real connections from several
 * addresses of this machine. */
#include "harness.h"

#include "api/lobby.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { SERVED_MAX = 64, PATIENCE_MS = 5000 };

static const char request[] = "GET / HTTP/1.1\r\n\r\n";

/* What the lobby has given to workers. */
struct served {
    pthread_mutex_t mutex;
    int connections[SERVED_MAX];
    size_t count;
};

static void take(void *context, int connection)
{
    struct served *served = context;
    pthread_mutex_lock(&served->mutex);
    if (served->count < SERVED_MAX)
        served->connections[served->count++] = connection;
    pthread_mutex_unlock(&served->mutex);
}

static size_t count_of(struct served *served)
{
    pthread_mutex_lock(&served->mutex);
    size_t count = served->count;
    pthread_mutex_unlock(&served->mutex);
    return count;
}

/* Waits until COUNT have been served, and a moment for those that must not. */
static void wait_for(struct served *served, size_t count)
{
    const struct timespec moment = {.tv_nsec = 10000000};
    for (int i = 0; count_of(served) < count && i < PATIENCE_MS / 10; i++)
        nanosleep(&moment, NULL);
    nanosleep(&moment, NULL);
    CHECK_EQ_INT(count_of(served), count);
}

struct place {
    struct lobby *lobby;
    struct served served;
    int listener;
    struct sockaddr_in address;
    int clients[SERVED_MAX];
    size_t client_count;
};

static void open_place(struct place *place, size_t workers)
{
    socklen_t length = sizeof place->address;
    *place = (struct place){.served.mutex = PTHREAD_MUTEX_INITIALIZER};
    place->address = (struct sockaddr_in){
        .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    place->listener = socket(AF_INET, SOCK_STREAM, 0);
    REQUIRE(bind(place->listener, (struct sockaddr *)&place->address, length) ==
            0);
    REQUIRE(listen(place->listener, SERVED_MAX) == 0);
    REQUIRE(getsockname(place->listener, (struct sockaddr *)&place->address,
                        &length) == 0);
    const struct lobby_limits limits = {.workers = workers,
                                        .places = SERVED_MAX,
                                        .serve = take,
                                        .context = &place->served};
    REQUIRE_OK(lobby_open(&place->lobby, &limits));
}

static void close_place(struct place *place)
{
    lobby_shut(place->lobby);
    lobby_free(place->lobby);
    for (size_t i = 0; i < place->client_count; i++)
        close(place->clients[i]);
    close(place->listener);
}

/* A client at 127.0.0.LAST that has sent BYTES; the server's descriptor. */
static int come(struct place *place, uint32_t last, const char *bytes)
{
    struct sockaddr_in from = {.sin_family = AF_INET,
                               .sin_addr.s_addr = htonl(0x7f000000 | last)};
    int client = socket(AF_INET, SOCK_STREAM, 0);
    REQUIRE(bind(client, (struct sockaddr *)&from, sizeof from) == 0);
    REQUIRE(connect(client, (struct sockaddr *)&place->address,
                    sizeof place->address) == 0);
    CHECK_EQ_INT(send(client, bytes, strlen(bytes), 0), strlen(bytes));
    place->clients[place->client_count++] = client;
    int connection = accept4(place->listener, NULL, NULL, SOCK_NONBLOCK);
    REQUIRE(connection >= 0);
    lobby_enter(place->lobby, connection);
    return connection;
}

TEST(one_address_leaves_a_worker_to_others)
{
    struct place place;
    open_place(&place, 2);
    for (int i = 0; i < 20; i++)
        (void)come(&place, 2, request);
    wait_for(&place.served, 1);
    int other = come(&place, 3, request);
    wait_for(&place.served, 2);
    CHECK_EQ_INT(place.served.connections[1], other);
    close_place(&place);
}

TEST(addresses_take_turns)
{
    struct place place;
    open_place(&place, 4);
    /* Three workers for the first, one for the second, none for the third. */
    for (int i = 0; i < 10; i++)
        (void)come(&place, 2, request);
    wait_for(&place.served, 3);
    for (int i = 0; i < 10; i++)
        (void)come(&place, 3, request);
    wait_for(&place.served, 4);
    int third = come(&place, 4, request);
    wait_for(&place.served, 4);
    /* Sixteen wait longer; yet it is among the next three. */
    for (int i = 0; i < 3; i++)
        lobby_leave(place.lobby, place.served.connections[i]);
    wait_for(&place.served, 7);
    bool found = false;
    for (int i = 4; i < 7; i++)
        found |= place.served.connections[i] == third;
    CHECK(found);
    close_place(&place);
}

TEST(nobody_gets_a_worker_for_a_part_of_a_header)
{
    struct place place;
    open_place(&place, 2);
    int connection = come(&place, 2, "GET / HTTP/1.1\r\n");
    wait_for(&place.served, 0);
    CHECK_EQ_INT(send(place.clients[0], "\r\n", 2, 0), 2);
    wait_for(&place.served, 1);
    CHECK_EQ_INT(place.served.connections[0], connection);
    close_place(&place);
}

/* A worker that has read too much gives it back with the connection. */
TEST(a_part_of_the_next_request_is_kept)
{
    struct place place;
    struct tls_stream *stream;
    char bytes[20000] = "GET / HTT";
    struct lobby_bytes there = {bytes, sizeof bytes, 9};
    open_place(&place, 2);
    int connection = come(&place, 2, request);
    wait_for(&place.served, 1);
    char thrown[sizeof request];
    CHECK_EQ_INT(recv(connection, thrown, sizeof thrown, 0),
                 sizeof request - 1);
    CHECK_EQ_INT(lobby_return(place.lobby, connection, &there), LOBBY_TAKEN);
    CHECK_EQ_INT(send(place.clients[0], "P/1.1\r\n", 7, 0), 7);
    wait_for(&place.served, 2);
    CHECK_EQ_INT(lobby_begin(place.lobby, connection, &there, &stream),
                 LOBBY_TAKEN);
    CHECK_EQ_INT(send(place.clients[0], "\r\n", 2, 0), 2);
    wait_for(&place.served, 3);
    CHECK_EQ_INT(lobby_begin(place.lobby, connection, &there, &stream),
                 LOBBY_STAY);
    CHECK(stream == NULL);
    CHECK_EQ_INT(there.length, sizeof request - 1);
    CHECK_EQ_MEMORY(there.bytes, request, sizeof request - 1);
    close_place(&place);
}

TEST(a_connection_that_goes_leaves_the_worker_free)
{
    struct place place;
    struct lobby_bytes there = {NULL, 0, 0};
    open_place(&place, 2);
    int connection = come(&place, 2, request);
    wait_for(&place.served, 1);
    int next = come(&place, 2, request);
    wait_for(&place.served, 1);
    CHECK_EQ_INT(close(place.clients[0]), 0);
    place.clients[0] = -1;
    char thrown[sizeof request];
    CHECK_EQ_INT(recv(connection, thrown, sizeof thrown, 0),
                 sizeof request - 1);
    CHECK(lobby_return(place.lobby, connection, &there) != LOBBY_STAY);
    lobby_leave(place.lobby, connection);
    wait_for(&place.served, 2);
    CHECK_EQ_INT(place.served.connections[1], next);
    close_place(&place);
}
