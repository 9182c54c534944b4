/* What has come of a request, seen by peeking and by reading. */
#include "harness.h"

#include "api/beginning.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void send_all(int to, const char *bytes, size_t length)
{
    CHECK_EQ_INT(send(to, bytes, length, 0), length);
}

TEST(a_header_is_whole_at_its_empty_line)
{
    static const struct {
        const char *bytes;
        bool whole;
    } rows[] = {
        {"", false},
        {"GET / HTTP/1.1", false},
        {"GET / HTTP/1.1\r\n", false},
        {"GET / HTTP/1.1\r\n\r", false},
        {"GET / HTTP/1.1\r\n\r\n", true},
        {"GET / HTTP/1.1\n\n", true},
        {"GET / HTTP/1.1\nHost: a\n\nbody", true},
        {"\r\n\r\n", true},
        {"\n", false},
    };
    EACH_ROW (row, rows)
        CHECK_EQ_INT(header_is_whole(row->bytes, strlen(row->bytes)),
                     row->whole);
    char much[HEADER_MAX_BYTES];
    memset(much, 'a', sizeof much);
    CHECK(!header_is_whole(much, sizeof much - 1));
    CHECK(header_is_whole(much, sizeof much));
}

TEST(peeking_sees_and_takes_nothing)
{
    static const struct {
        const char *bytes;
        size_t length;
        enum sight plain;
        enum sight secure;
    } rows[] = {
        {"", 0, SIGHT_NOTHING, SIGHT_NOTHING},
        {"G", 1, SIGHT_PART, SIGHT_NOT_SECURE},
        {"GET / HTTP/1.1\r\n\r\n", 18, SIGHT_WHOLE, SIGHT_NOT_SECURE},
        {"\x16", 1, SIGHT_PART, SIGHT_PART},
        {"\x16\x03\x01\x00", 4, SIGHT_PART, SIGHT_PART},
        {"\x16\x03\x01\x00\x02\x01", 6, SIGHT_PART, SIGHT_PART},
        {"\x16\x03\x01\x00\x02\x01\x00", 7, SIGHT_PART, SIGHT_WHOLE},
        {"\x16\x03\x01\x00\x02\x01\x00\x16", 8, SIGHT_PART, SIGHT_WHOLE},
        {"\x16\x03\x01\xff\xff\x01\x00", 7, SIGHT_PART, SIGHT_PART},
        {"\x15\x03\x01\x00\x02\x01\x00", 7, SIGHT_PART, SIGHT_NOT_SECURE},
        {"\x80\x2e\x01\x03\x01", 5, SIGHT_PART, SIGHT_NOT_SECURE},
    };
    EACH_ROW (row, rows) {
        int ends[2];
        REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
        if (row->length)
            send_all(ends[0], row->bytes, row->length);
        for (int i = 0; i < 2; i++) {
            CHECK_EQ_INT(sight_by_peeking(ends[1], false), row->plain);
            CHECK_EQ_INT(sight_by_peeking(ends[1], true), row->secure);
        }
        close(ends[0]);
        if (!row->length)
            CHECK_EQ_INT(sight_by_peeking(ends[1], false), SIGHT_GONE);
        close(ends[1]);
    }
}

TEST(a_header_is_read_a_step_at_a_time)
{
    static const char header[] = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    int ends[2];
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
    struct beginning *beginning = beginning_new(NULL);
    CHECK_EQ_INT(beginning_read(beginning, ends[1]), SIGHT_NOTHING);
    for (size_t i = 0; i < sizeof header - 2; i++) {
        send_all(ends[0], header + i, 1);
        CHECK_EQ_INT(beginning_read(beginning, ends[1]), SIGHT_PART);
        CHECK_EQ_INT(beginning_read(beginning, ends[1]), SIGHT_PART);
    }
    send_all(ends[0], "\n", 1);
    CHECK_EQ_INT(beginning_read(beginning, ends[1]), SIGHT_WHOLE);
    CHECK_EQ_INT(beginning->bytes.length, sizeof header - 1);
    CHECK_EQ_MEMORY(beginning->bytes.data, header, sizeof header - 1);
    /* Once whole, nothing more is read. */
    send_all(ends[0], "next", 4);
    CHECK_EQ_INT(beginning_read(beginning, ends[1]), SIGHT_WHOLE);
    CHECK_EQ_INT(beginning->bytes.length, sizeof header - 1);
    close(ends[0]);
    buf_clear(&beginning->bytes);
    CHECK_EQ_INT(beginning_read(beginning, ends[1]), SIGHT_GONE);
    beginning_free(beginning);
    close(ends[1]);
}

TEST(a_header_that_does_not_end_is_whole_at_its_limit)
{
    int ends[2];
    char much[HEADER_MAX_BYTES + 100];
    memset(much, 'a', sizeof much);
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
    send_all(ends[0], much, sizeof much);
    struct beginning *beginning = beginning_new(NULL);
    CHECK_EQ_INT(beginning_read(beginning, ends[1]), SIGHT_WHOLE);
    CHECK_EQ_INT(beginning->bytes.length, HEADER_MAX_BYTES);
    beginning_free(beginning);
    close(ends[0]);
    close(ends[1]);
}
