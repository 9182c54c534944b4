/*
 * entropy.c: where mbedtls gets its randomness.
 *
 * Left alone, mbedtls calls getrandom(2) only where it sees glibc, and opens
 * /dev/urandom elsewhere. A container that holds nothing but this program has
 * no /dev, so every TLS connection would fail there. The system call needs no
 * file, and blocks only until the kernel has gathered entropy after boot.
 */
#include <errno.h>
#include <stddef.h>
#include <sys/random.h>

#include <mbedtls/entropy.h>

int mbedtls_hardware_poll(void *unused, unsigned char *output, size_t length,
                          size_t *written);

int mbedtls_hardware_poll(void *unused, unsigned char *output, size_t length,
                          size_t *written)
{
    (void)unused;
    *written = 0;
    while (*written < length) {
        ssize_t got = getrandom(output + *written, length - *written, 0);
        if (got < 0 && errno != EINTR) {
            return MBEDTLS_ERR_ENTROPY_SOURCE_FAILED;
        }
        if (got > 0) {
            *written += (size_t)got;
        }
    }
    return 0;
}
