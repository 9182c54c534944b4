/*
 * random.c: see random.h. The kernel's generator is asked each time; what it
 * gives is never stretched by one of ours.
 */
#include "base/random.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

void random_bytes(void *bytes, size_t length)
{
    uint8_t *at = bytes;
    while (length) {
        ssize_t got = getrandom(at, length, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0) {
            fprintf(stderr, "assay: the kernel gives no random bytes: %s\n",
                    strerror(errno));
            abort();
        }
        at += got;
        length -= (size_t)got;
    }
}
