/*
 * ca_bundle.c: see ca_bundle.h. The list built in is one gzip member
 * (vendor/ca_bundle.sh), unpacked when it is asked for: a quarter of a megabyte
 * that a program without such connections never needs.
 */
#include "base/ca_bundle.h"
#include "base/file.h"
#include "ca_bundle_bytes.h"

#include <errno.h>
#include <mbedtls/x509_crt.h>
#include <psa/crypto.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { GZIP_WINDOW = 15 + 16 };

static const char begin_line[] = "-----BEGIN CERTIFICATE-----";

static size_t count_begun(const char *pem)
{
    size_t count = 0;
    while ((pem = strstr(pem, begin_line))) {
        pem += sizeof begin_line - 1;
        count++;
    }
    return count;
}

/* mbedtls leaves out what it cannot parse, and stops without a word at a
 * certificate that is cut off: what was begun and did not come is unusable. */
static void count_certificates(struct ca_bundle *bundle)
{
    mbedtls_x509_crt chain;
    mbedtls_x509_crt_init(&chain);
    if (psa_crypto_init() == PSA_SUCCESS)
        (void)mbedtls_x509_crt_parse(&chain,
                                     (const unsigned char *)bundle->pem.data,
                                     bundle->pem.length + 1);
    for (const mbedtls_x509_crt *one = &chain; one && one->version;
         one = one->next)
        bundle->count++;
    bundle->unusable = count_begun(bundle->pem.data) - bundle->count;
    mbedtls_x509_crt_free(&chain);
}

/* The bytes are the program's own: that they unpack is not in question. */
static void unpack(struct arena *arena, struct text *pem)
{
    char *bytes = arena_raw(arena, ca_bundle_pem_bytes + 1);
    z_stream stream = {.next_in = (Bytef *)(uintptr_t)ca_bundle_gzip,
                       .avail_in = (uInt)ca_bundle_gzip_bytes,
                       .next_out = (Bytef *)bytes,
                       .avail_out = (uInt)ca_bundle_pem_bytes};
    if (inflateInit2(&stream, GZIP_WINDOW) != Z_OK ||
        inflate(&stream, Z_FINISH) != Z_STREAM_END)
        abort();
    inflateEnd(&stream);
    bytes[ca_bundle_pem_bytes] = '\0';
    *pem = (struct text){bytes, ca_bundle_pem_bytes};
}

static enum err read_file(struct arena *arena, const char *file,
                          struct text *pem)
{
    struct buf bytes = {0};
    enum err err = ERR_NONE;
    if (!file_read(file, CA_BUNDLE_MAX_BYTES, &bytes))
        err = err_set(ERR_CONFIG,
                      "the list of authorities (tls.ca_file) %s cannot be "
                      "read: %s",
                      file, strerror(errno));
    else if (bytes.length > CA_BUNDLE_MAX_BYTES)
        err = err_set(ERR_CONFIG,
                      "the list of authorities (tls.ca_file) %s is over %d "
                      "bytes",
                      file, CA_BUNDLE_MAX_BYTES);
    else
        *pem = (struct text){arena_text(arena, bytes.data, bytes.length),
                             bytes.length};
    buf_free(&bytes);
    return err;
}

enum err ca_bundle_load(struct arena *arena, const char *file,
                        struct ca_bundle *bundle)
{
    *bundle = (struct ca_bundle){.source = ca_bundle_source};
    if (!*file) {
        unpack(arena, &bundle->pem);
    } else {
        enum err err = read_file(arena, file, &bundle->pem);
        if (err)
            return err;
        bundle->source = arena_text(arena, file, strlen(file));
    }
    count_certificates(bundle);
    if (bundle->count)
        return ERR_NONE;
    return err_set(ERR_CONFIG,
                   "the list of authorities (tls.ca_file) %s holds no "
                   "certificate in PEM that can be used",
                   bundle->source);
}
