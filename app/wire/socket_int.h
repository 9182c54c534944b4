/*
 * socket_int.h: when bytes left and when they came, in the kernel's words.
 *
 * libcurl is built to read and write its sockets by the two functions at the
 * end of this file (vendor/edits/curl.edit).
 * They take the kernel's own stamps with the bytes, so that a time is right
 * to some ten microseconds also where this thread had to wait for a processor
 * until it could look. The other way, a pair of sockets with a pump between
 * libcurl and the network, would copy every byte twice more, and double
 * descriptors and system calls.
 *
 * Stamps of arrival come with every read. A stamp of leaving costs a system
 * call, so it is taken where somebody asks for it, and for the first bytes.
 *
 * Sockets are known by descriptor, for the thread that opened them.
 */
#ifndef ASSAY_WIRE_SOCKET_INT_H
#define ASSAY_WIRE_SOCKET_INT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

/* All times are those of clock_monotonic_us; 0 where it has not happened. */
struct socket_facts {
    int64_t opened_us;
    int64_t connect_us; /* round trip of the handshake, -1 before it ended */
    int64_t first_sent_us;
    int64_t sent_us;     /* the last send that was stamped */
    int64_t received_us; /* the last byte that was read came */
    uint64_t sent_bytes;
    uint64_t received_bytes;
    uint64_t receive_limit; /* of received_bytes: reading fails beyond it */
    bool stamp_next;        /* the next send shall be stamped */
    bool exhausted;         /* the limit was reached */
    bool ended;             /* the other side has ended the connection */
};

/* Opens a non-blocking TCP socket of FAMILY whose facts are kept; -1 with
 * errno. */
int socket_open(int family, struct socket_facts *facts);

/* Closes it and forgets where its facts are. */
void socket_close(int descriptor);

/*
 * A client of this thread begins, and ends. In between the kernel keeps
 * stamping: switching that on and off for single sockets rewrites kernel code,
 * which costs more than a probe. The descriptor may be -1.
 */
int socket_users_begin(void);
void socket_users_end(int descriptor);

/* Reads the stamps that came late, so that the socket is not reported to be
 * in error because of them. False where it truly is. */
bool socket_drain_stamps(int descriptor);

/* As recv and send with MSG_NOSIGNAL. */
ssize_t socket_receive(int descriptor, void *bytes, size_t length);
ssize_t socket_send(int descriptor, const void *bytes, size_t length);

/*
 * For packets, on sockets whose facts nobody keeps: as sendto and recvmsg,
 * with the stamp of each. MESSAGE comes without room for control messages.
 */
ssize_t socket_send_to(int descriptor, const void *bytes, size_t length,
                       const struct sockaddr *to, socklen_t to_length,
                       int64_t *sent_us);
ssize_t socket_receive_from(int descriptor, struct msghdr *message,
                            int64_t *received_us);

#endif
