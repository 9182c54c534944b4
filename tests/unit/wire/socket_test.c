/*
 * Packets with the kernel's stamps: what the resolver's questions are timed
 * by.
 */
#include "base/clock.h"
#include "harness.h"
#include "wire/socket_int.h"

#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

/* A packet socket on loopback, and its ADDRESS. */
static int open_here(struct sockaddr_in *address)
{
    socklen_t length = sizeof *address;
    int descriptor = socket(AF_INET, SOCK_DGRAM, 0);
    *address = (struct sockaddr_in){.sin_family = AF_INET,
                                    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    REQUIRE(bind(descriptor, (struct sockaddr *)address, length) == 0);
    REQUIRE(getsockname(descriptor, (struct sockaddr *)address, &length) == 0);
    return descriptor;
}

TEST(packets_pass_with_the_stamps_of_both_ends)
{
    struct sockaddr_in to;
    struct sockaddr_in unused;
    int server = open_here(&to);
    int client = open_here(&unused);
    int users = socket_users_begin();
    int64_t sent_us = 0;
    int64_t received_us = 0;
    char bytes[16];
    struct iovec part = {.iov_base = bytes, .iov_len = sizeof bytes};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    int64_t before_us = clock_monotonic_us();
    CHECK_EQ_INT(socket_send_to(client, "question", 8, (struct sockaddr *)&to,
                                sizeof to, &sent_us),
                 8);
    CHECK_EQ_INT(socket_receive_from(server, &message, &received_us), 8);
    CHECK(memcmp(bytes, "question", 8) == 0);
    /* The stamps are of the wall clock, which may be moved a little. */
    CHECK(sent_us > before_us - 1000);
    CHECK(received_us > sent_us - 1000);
    CHECK(received_us < clock_monotonic_us() + 1000);
    socket_users_end(users);
    close(client);
    close(server);
}

TEST(a_question_to_nobody_is_an_error)
{
    const struct sockaddr_in to = {.sin_family = AF_INET}; /* port 0 */
    struct sockaddr_in unused;
    int client = open_here(&unused);
    int64_t sent_us = 0;
    CHECK_EQ_INT(socket_send_to(client, "question", 8,
                                (const struct sockaddr *)&to, sizeof to,
                                &sent_us),
                 -1);
    close(client);
}
