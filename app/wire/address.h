/*
 * address.h: which addresses may be connected to.
 *
 * The addresses of orchestrators come from a public registry, from strangers
 * that is, and this program runs inside somebody's network. So every address
 * is judged at the moment of connecting, whatever name or spelling led to it,
 * and only what belongs to the public Internet passes. Ranges of one's own are
 * allowed one by one (--allow-cidr).
 *
 * Judged are addresses, never names: a name is checked once and resolved
 * again, and there are more ways to write 127.0.0.1 than a list can hold.
 *
 * Pure: any thread.
 */
#ifndef ASSAY_WIRE_ADDRESS_H
#define ASSAY_WIRE_ADDRESS_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

enum { ADDRESS_BYTES = 16, ADDRESS_RANGES_MAX = 64, ADDRESS_TEXT_BYTES = 64 };

/* The addresses that begin with the first PREFIX bits of BYTES. Those of IPv4
 * stand in their mapped form, ::ffff:a.b.c.d. */
struct address_range {
    uint8_t bytes[ADDRESS_BYTES];
    unsigned prefix; /* 0 to 128 */
};

/* Zero-initialised allows the public Internet alone. */
struct address_policy {
    struct address_range allowed[ADDRESS_RANGES_MAX];
    size_t count;
};

/* Adds "10.0.0.0/8", "fd00::/8", or one address. ERR_CONFIG says what is wrong
 * with the text, or that there are too many. */
MUST_USE enum err address_allow(struct address_policy *policy,
                                const char *range);

/*
 * Null where ADDRESS may be connected to, else what it is, in words that fit
 * behind "is": "loopback", "a private address (RFC 1918)". An address that
 * carries another one inside (IPv4-mapped, NAT64, 6to4, Teredo ...) is judged
 * by both.
 */
const char *address_refusal(const struct address_policy *policy,
                            const struct sockaddr *address);

/* As people write it, without the port; "?" for another family. Returns TEXT.
 */
char *address_text(const struct sockaddr *address,
                   char text[ADDRESS_TEXT_BYTES]);

#endif
