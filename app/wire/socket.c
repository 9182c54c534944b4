/*
 * socket.c: see socket_int.h.
 *
 * The kernel stamps by the wall clock; the difference to the monotonic one is
 * taken at the moment of reading the stamp, so that a step of the wall clock
 * matters only where it falls between the two.
 */
#include "base/arena.h"
#include "base/clock.h"
#include "wire/socket_int.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { CONTROL_BYTES = 256, TABLE_LEAST = 64, LATE_STAMPS_MAX = 16 };

/* Linux's <linux/net_tstamp.h> and <linux/errqueue.h>, which the product's C
 * library comes without. */
enum {
    STAMP_SENDING = 1 << 1,
    STAMP_ARRIVAL = 1 << 3,
    STAMP_REPORT = 1 << 4,
    STAMP_ALONE = 1 << 11 /* without the packet it belongs to */
};

struct kernel_stamps {
    struct timespec software; /* by the wall clock */
    struct timespec unused[2];
};

/* The facts of each descriptor of this thread, null for others. */
static __thread struct socket_facts **table;
static __thread size_t table_size;
static __thread size_t users;

static struct socket_facts *facts_of(int descriptor)
{
    return descriptor >= 0 && (size_t)descriptor < table_size
               ? table[descriptor]
               : NULL;
}

static void remember(int descriptor, struct socket_facts *facts)
{
    size_t size = table_size ? table_size : TABLE_LEAST;
    while ((size_t)descriptor >= size)
        size *= 2;
    if (size > table_size) {
        table = memory_resize(table, size * sizeof *table);
        memset(table + table_size, 0, (size - table_size) * sizeof *table);
        table_size = size;
    }
    table[descriptor] = facts;
}

/* ---- stamps -------------------------------------------------------------- */

static int64_t us_of(const struct timespec *time)
{
    return (int64_t)time->tv_sec * 1000000 + time->tv_nsec / 1000;
}

static int64_t monotonic_of(const struct timespec *wall)
{
    struct timespec wall_now;
    clock_gettime(CLOCK_REALTIME, &wall_now);
    return clock_monotonic_us() - (us_of(&wall_now) - us_of(wall));
}

/* The kernel's stamp in MESSAGE, where it comes first, or OTHERWISE. */
static int64_t stamp_in(struct msghdr *message, int64_t otherwise)
{
    struct cmsghdr *first = CMSG_FIRSTHDR(message);
    struct kernel_stamps stamps;
    if (!first || first->cmsg_level != SOL_SOCKET ||
        first->cmsg_type != SCM_TIMESTAMPING)
        return otherwise;
    memcpy(&stamps, CMSG_DATA(first), sizeof stamps);
    return stamps.software.tv_sec ? monotonic_of(&stamps.software) : otherwise;
}

/* The next stamp of leaving that waits, 0 where none does. */
static int64_t read_sent_stamp(int descriptor)
{
    char control[CONTROL_BYTES];
    struct msghdr message = {.msg_control = control,
                             .msg_controllen = sizeof control};
    if (recvmsg(descriptor, &message, MSG_ERRQUEUE | MSG_DONTWAIT) < 0)
        return 0;
    return stamp_in(&message, 0);
}

bool socket_drain_stamps(int descriptor)
{
    struct pollfd look = {.fd = descriptor};
    bool drained = false;
    for (int i = 0; i < LATE_STAMPS_MAX && read_sent_stamp(descriptor); i++)
        drained = true;
    /* Asking for the error itself would take it from libcurl. */
    return drained && poll(&look, 1, 0) == 0;
}

static void ask_for_stamps(int descriptor)
{
    int flags = STAMP_REPORT | STAMP_ARRIVAL | STAMP_ALONE;
    setsockopt(descriptor, SOL_SOCKET, SO_TIMESTAMPING, &flags, sizeof flags);
}

int socket_users_begin(void)
{
    int descriptor = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (descriptor >= 0)
        ask_for_stamps(descriptor);
    users++;
    return descriptor;
}

void socket_users_end(int descriptor)
{
    if (descriptor >= 0)
        close(descriptor);
    if (--users > 0)
        return;
    free(table);
    table = NULL;
    table_size = 0;
}

/* ---- opening and closing ------------------------------------------------- */

int socket_open(int family, struct socket_facts *facts)
{
    int descriptor =
        socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (descriptor < 0)
        return -1;
    ask_for_stamps(descriptor);
    facts->opened_us = clock_monotonic_us();
    facts->connect_us = -1;
    remember(descriptor, facts);
    return descriptor;
}

void socket_close(int descriptor)
{
    if (facts_of(descriptor))
        table[descriptor] = NULL;
    close(descriptor);
}

/*
 * The kernel measured the handshake's round trip for its own use. Where a
 * packet had to be repeated that is no measure of it, and the time until now
 * is taken.
 */
static int64_t handshake_us(int descriptor, const struct socket_facts *facts)
{
    struct tcp_info info = {0};
    socklen_t length = sizeof info;
    int64_t passed = clock_monotonic_us() - facts->opened_us;
    if (getsockopt(descriptor, IPPROTO_TCP, TCP_INFO, &info, &length) != 0 ||
        info.tcpi_rtt == 0 || info.tcpi_total_retrans > 0)
        return passed;
    return info.tcpi_rtt < passed ? info.tcpi_rtt : passed;
}

/* ---- for libcurl --------------------------------------------------------- */

ssize_t socket_receive(int descriptor, void *bytes, size_t length)
{
    struct socket_facts *facts = facts_of(descriptor);
    if (!facts)
        return recv(descriptor, bytes, length, 0);
    if (facts->received_bytes >= facts->receive_limit) {
        facts->exhausted = true;
        errno = ECONNRESET;
        return -1;
    }
    char control[CONTROL_BYTES];
    struct iovec part = {.iov_base = bytes, .iov_len = length};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = control,
                             .msg_controllen = sizeof control};
    ssize_t got = recvmsg(descriptor, &message, 0);
    facts->ended = got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR);
    if (got > 0) {
        facts->received_us = stamp_in(&message, clock_monotonic_us());
        facts->received_bytes += (uint64_t)got;
    }
    return got;
}

/* Asks for a stamp of this send alone. TO may be null where the socket is
 * connected. */
static ssize_t send_stamped(int descriptor, const void *bytes, size_t length,
                            const struct sockaddr *to, socklen_t to_length)
{
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(uint32_t))];
    } control = {.header = {.cmsg_level = SOL_SOCKET,
                            .cmsg_type = SO_TIMESTAMPING,
                            .cmsg_len = CMSG_LEN(sizeof(uint32_t))}};
    uint32_t wish = STAMP_SENDING;
    struct iovec part = {.iov_base = (void *)(uintptr_t)bytes,
                         .iov_len = length};
    struct msghdr message = {.msg_name = (void *)(uintptr_t)to,
                             .msg_namelen = to_length,
                             .msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = sizeof control};
    memcpy(CMSG_DATA(&control.header), &wish, sizeof wish);
    return sendmsg(descriptor, &message, MSG_NOSIGNAL);
}

ssize_t socket_send(int descriptor, const void *bytes, size_t length)
{
    struct socket_facts *facts = facts_of(descriptor);
    if (!facts)
        return send(descriptor, bytes, length, MSG_NOSIGNAL);
    if (facts->connect_us < 0)
        facts->connect_us = handshake_us(descriptor, facts);
    bool first = facts->first_sent_us == 0;
    if (!facts->stamp_next && !first) {
        ssize_t sent = send(descriptor, bytes, length, MSG_NOSIGNAL);
        facts->sent_bytes += sent > 0 ? (uint64_t)sent : 0;
        return sent;
    }
    int64_t before_us = clock_monotonic_us();
    ssize_t sent = send_stamped(descriptor, bytes, length, NULL, 0);
    if (sent > 0) {
        int64_t stamp = read_sent_stamp(descriptor);
        facts->sent_us = stamp ? stamp : before_us;
        if (first)
            facts->first_sent_us = facts->sent_us;
        facts->stamp_next = false;
        facts->sent_bytes += (uint64_t)sent;
    }
    return sent;
}

/* ---- for packets --------------------------------------------------------- */

ssize_t socket_send_to(int descriptor, const void *bytes, size_t length,
                       const struct sockaddr *to, socklen_t to_length,
                       int64_t *sent_us)
{
    ask_for_stamps(descriptor);
    int64_t before_us = clock_monotonic_us();
    ssize_t sent = send_stamped(descriptor, bytes, length, to, to_length);
    int64_t stamp_us = sent > 0 ? read_sent_stamp(descriptor) : 0;
    *sent_us = stamp_us ? stamp_us : before_us;
    return sent;
}

ssize_t socket_receive_from(int descriptor, struct msghdr *message,
                            int64_t *received_us)
{
    char control[CONTROL_BYTES];
    socket_drain_stamps(descriptor);
    message->msg_control = control;
    message->msg_controllen = sizeof control;
    ssize_t got = recvmsg(descriptor, message, 0);
    if (got >= 0)
        *received_us = stamp_in(message, clock_monotonic_us());
    message->msg_control = NULL;
    message->msg_controllen = 0;
    return got;
}
