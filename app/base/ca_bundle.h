/*
 * ca_bundle.h: the authorities whose signature makes a certificate good, for
 * connections that this program makes.
 *
 * A list is built in, so that an image that holds nothing else can verify whom
 * it talks to: Mozilla's roots for servers, as vendor/lock.txt pins them. A
 * file of the operator's takes its place, for private authorities and for roots
 * newer than the program; the two are never mixed.
 */
#ifndef ASSAY_BASE_CA_BUNDLE_H
#define ASSAY_BASE_CA_BUNDLE_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

enum { CA_BUNDLE_MAX_BYTES = 8 << 20 };

struct ca_bundle {
    struct text pem;    /* the certificates; a zero follows the last byte */
    size_t count;       /* of those that can be used */
    size_t unusable;    /* of those that cannot, which are as good as absent */
    const char *source; /* the file, or of what the list built in was made */
};

/*
 * The list of FILE (PEM), or where that is "", the one built in. Everything
 * lives in ARENA. ERR_CONFIG where FILE cannot be read or has no certificate
 * that can be used. Costs some milliseconds: to be called once.
 */
MUST_USE enum err ca_bundle_load(struct arena *arena, const char *file,
                                 struct ca_bundle *bundle);

#endif
