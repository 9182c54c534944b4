/*
 * load.c: asks one thing of a server again and again, and measures.
 *
 *     load PORT SECONDS CONNECTIONS REQUEST-FILE
 *
 * Each of the connections sends the bytes of the file, waits for the whole
 * answer, and sends again, until the time is over. A run of six '#' or more in
 * the file becomes a number of as many digits that does not come twice. Prints
 * one object: requests that were answered with a status below 300, others,
 * connections that broke, seconds, bytes of the last answer, p50, p99 and worst
 * in microseconds.
 *
 * One thread and one epoll: it must cost less than what it measures.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    REQUEST_BYTES = 1 << 20,
    ANSWER_BYTES = 4 << 20,
    TIMES_MAX = 8 << 20,
    EVENTS = 64,
    DIGITS_MAX = 20
};

static const char mark[] = "######";

struct client {
    int socket;
    char *answer;
    size_t length;
    int64_t sent_us;
};

static struct {
    struct sockaddr_in address;
    char *request;
    size_t request_length;
    uint64_t number;
    uint32_t *times_us;
    size_t times;
    size_t refused;
    size_t broken;
    size_t answer_bytes;
    int epoll;
} load;

static int64_t now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void fail(const char *what)
{
    perror(what);
    exit(2);
}

/* The runs of marks, found once: afterwards digits stand there. */
struct place {
    size_t at;
    size_t length;
};
static struct place *places;
static size_t place_count;

static void find_places(void)
{
    places = calloc(REQUEST_BYTES / (sizeof mark - 1), sizeof *places);
    if (!places)
        fail("memory");
    char *at = load.request;
    while ((at = strstr(at, mark))) {
        size_t length = strspn(at, "#");
        places[place_count++] =
            (struct place){(size_t)(at - load.request), length};
        at += length;
    }
}

static void number_request(void)
{
    char digits[DIGITS_MAX + 1];
    for (size_t i = 0; i < place_count; i++) {
        size_t length = places[i].length;
        if (length > DIGITS_MAX)
            continue;
        snprintf(digits, sizeof digits, "%020llu",
                 (unsigned long long)load.number++);
        memcpy(load.request + places[i].at, digits + DIGITS_MAX - length,
               length);
    }
}

static void send_request(struct client *client)
{
    size_t sent = 0;
    number_request();
    client->length = 0;
    client->sent_us = now_us();
    while (sent < load.request_length) {
        ssize_t got = send(client->socket, load.request + sent,
                           load.request_length - sent, MSG_NOSIGNAL);
        if (got <= 0)
            return; /* reading will see the end, too */
        sent += (size_t)got;
    }
}

static void open_client(struct client *client)
{
    int yes = 1;
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = client};
    client->socket = socket(AF_INET, SOCK_STREAM, 0);
    if (client->socket < 0 ||
        connect(client->socket, (struct sockaddr *)&load.address,
                sizeof load.address) != 0)
        fail("connect");
    setsockopt(client->socket, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    epoll_ctl(load.epoll, EPOLL_CTL_ADD, client->socket, &event);
    send_request(client);
}

/* Length of the whole answer, 0 where its head is not there yet. */
static size_t answer_length(const struct client *client)
{
    const char *end =
        memmem(client->answer, client->length, "\r\n\r\n", strlen("\r\n\r\n"));
    if (!end)
        return 0;
    size_t head = (size_t)(end - client->answer) + strlen("\r\n\r\n");
    static const char name[] = "\r\nContent-Length: ";
    const char *length = memmem(client->answer, head, name, sizeof name - 1);
    return head + (length ? strtoul(length + sizeof name - 1, NULL, 10) : 0);
}

static void count_answer(struct client *client)
{
    int64_t took = now_us() - client->sent_us;
    load.answer_bytes = client->length;
    if (client->answer[strlen("HTTP/1.1 ")] > '2')
        load.refused++;
    else if (load.times < TIMES_MAX)
        load.times_us[load.times++] = (uint32_t)took;
}

static void on_bytes(struct client *client)
{
    ssize_t got = recv(client->socket, client->answer + client->length,
                       ANSWER_BYTES - client->length, 0);
    if (got <= 0) {
        load.broken++;
        close(client->socket);
        open_client(client);
        return;
    }
    client->length += (size_t)got;
    size_t whole = answer_length(client);
    if (whole && client->length >= whole) {
        count_answer(client);
        send_request(client);
    }
}

static int compare(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a;
    uint32_t y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

static uint32_t percentile(double share)
{
    if (!load.times)
        return 0;
    return load.times_us[(size_t)(share * (double)(load.times - 1))];
}

static void read_request(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        fail(path);
    load.request = calloc(1, REQUEST_BYTES + 1);
    load.times_us = calloc(TIMES_MAX, sizeof *load.times_us);
    if (!load.request || !load.times_us)
        fail("memory");
    load.request_length = fread(load.request, 1, REQUEST_BYTES, file);
    fclose(file);
    load.number = (uint64_t)time(NULL) * 1000000;
    find_places();
}

static void run(double seconds)
{
    struct epoll_event events[EVENTS];
    int64_t end = now_us() + (int64_t)(seconds * 1e6);
    while (now_us() < end) {
        int count = epoll_wait(load.epoll, events, EVENTS, 100);
        for (int i = 0; i < count; i++)
            on_bytes(events[i].data.ptr);
    }
}

int main(int argc, char **argv)
{
    if (argc != 5) {
        fprintf(stderr, "load PORT SECONDS CONNECTIONS REQUEST-FILE\n");
        return 2;
    }
    double seconds = strtod(argv[2], NULL);
    size_t clients = strtoul(argv[3], NULL, 10);
    load.address = (struct sockaddr_in){
        .sin_family = AF_INET,
        .sin_port = htons((uint16_t)strtoul(argv[1], NULL, 10)),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    read_request(argv[4]);
    load.epoll = epoll_create1(0);
    struct client *all = calloc(clients, sizeof *all);
    for (size_t i = 0; all && i < clients; i++) {
        all[i].answer = malloc(ANSWER_BYTES);
        if (!all[i].answer)
            fail("memory");
        open_client(&all[i]);
    }
    run(seconds);
    qsort(load.times_us, load.times, sizeof *load.times_us, compare);
    printf("{\"requests\": %zu, \"refused\": %zu, \"broken\": %zu, "
           "\"seconds\": %.3f, \"bytes\": %zu, \"p50_us\": %u, "
           "\"p99_us\": %u, \"worst_us\": %u}\n",
           load.times, load.refused, load.broken, seconds, load.answer_bytes,
           percentile(0.5), percentile(0.99), percentile(1.0));
    return 0;
}
