/*
 * beginning.c: see beginning.h.
 */
#include "api/beginning.h"
#include "base/arena.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* ---- peeking ------------------------------------------------------------- */

bool header_is_whole(const char *bytes, size_t length)
{
    if (!length)
        return false;
    const char *end = bytes + length;
    const char *at = bytes;
    while ((at = memchr(at, '\n', (size_t)(end - at)))) {
        at++;
        if (at < end && *at == '\n')
            return true;
        if (end - at >= 2 && at[0] == '\r' && at[1] == '\n')
            return true;
    }
    return length >= HEADER_MAX_BYTES;
}

/* RFC 8446 §5.1: type, version, length, and so many bytes. Where the type is
 * not that of a handshake, somebody speaks something else. */
static enum sight sight_of_record(const uint8_t *bytes, size_t length)
{
    enum { HANDSHAKE = 22, PREFIX = 5 };
    if (bytes[0] != HANDSHAKE)
        return SIGHT_NOT_SECURE;
    if (length < PREFIX)
        return SIGHT_PART;
    size_t record = PREFIX + (size_t)(bytes[3] << 8 | bytes[4]);
    return length >= record || length == HEADER_MAX_BYTES ? SIGHT_WHOLE
                                                          : SIGHT_PART;
}

enum sight sight_by_peeking(int connection, bool secure)
{
    char bytes[HEADER_MAX_BYTES];
    ssize_t got =
        recv(connection, bytes, sizeof bytes, MSG_PEEK | MSG_DONTWAIT);
    if (got < 0)
        return errno == EAGAIN || errno == EINTR ? SIGHT_NOTHING : SIGHT_GONE;
    if (got == 0)
        return SIGHT_GONE;
    if (secure)
        return sight_of_record((const uint8_t *)bytes, (size_t)got);
    return header_is_whole(bytes, (size_t)got) ? SIGHT_WHOLE : SIGHT_PART;
}

/* ---- reading ------------------------------------------------------------- */

struct beginning *beginning_new(struct tls_stream *stream)
{
    struct beginning *beginning = memory_zeroed(1, sizeof *beginning);
    beginning->stream = stream;
    beginning->open = !stream;
    return beginning;
}

void beginning_free(struct beginning *beginning)
{
    if (!beginning)
        return;
    tls_stream_free(beginning->stream);
    buf_free(&beginning->bytes);
    free(beginning);
}

/* Bytes that came, 0 where none are there, less where none will. */
static int read_some(struct beginning *beginning, int connection, char *bytes,
                     size_t room)
{
    if (beginning->stream)
        return tls_stream_read(beginning->stream, bytes, room);
    ssize_t got = recv(connection, bytes, room, MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    return got > 0 ? (int)got : -1;
}

static enum sight read_header(struct beginning *beginning, int connection)
{
    enum { PIECE_BYTES = 2048 };
    struct buf *bytes = &beginning->bytes;
    while (!header_is_whole(bytes->data, bytes->length)) {
        size_t room = HEADER_MAX_BYTES - bytes->length;
        room = room < PIECE_BYTES ? room : PIECE_BYTES;
        buf_reserve(bytes, room);
        int got =
            read_some(beginning, connection, bytes->data + bytes->length, room);
        if (got < 0)
            return SIGHT_GONE;
        if (got == 0)
            return bytes->length ? SIGHT_PART : SIGHT_NOTHING;
        bytes->length += (size_t)got;
    }
    return SIGHT_WHOLE;
}

/* A client that gathers small packets (Nagle's algorithm) sends its request
 * when the end of its handshake is acknowledged, which the kernel would put
 * off. */
static void acknowledge(int connection)
{
    int yes = 1;
    setsockopt(connection, IPPROTO_TCP, TCP_QUICKACK, &yes, sizeof yes);
}

enum sight beginning_read(struct beginning *beginning, int connection)
{
    if (!beginning->open) {
        enum tls_state state = tls_stream_shake(beginning->stream);
        beginning->waits_to_write = state == TLS_WAITS_TO_WRITE;
        if (state == TLS_FAILED)
            return SIGHT_GONE;
        if (state != TLS_OPEN)
            return SIGHT_PART;
        beginning->open = true;
        acknowledge(connection);
    }
    return read_header(beginning, connection);
}
