/*
 * file.c: see file.h.
 */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

enum { PIECE_BYTES = 16 << 10 };

bool file_read(const char *path, size_t most, struct buf *bytes)
{
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return false;
    ssize_t got = 1;
    while (got && bytes->length <= most) {
        buf_reserve(bytes, PIECE_BYTES);
        got = read(file, bytes->data + bytes->length, PIECE_BYTES);
        if (got < 0 && errno != EINTR)
            break;
        bytes->length += got > 0 ? (size_t)got : 0;
    }
    int failure = errno;
    close(file);
    errno = failure;
    return got >= 0;
}
