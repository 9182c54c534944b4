/*
 * The body of a request to ingest, as a stranger sends it. The first byte
 * chooses what its header says, and how large the pieces are in which it is
 * read the second time. What passes the check must be read as the check said.
 */
#include "api/api_int.h"

#include <stdint.h>
#include <stdlib.h>

enum { MOST_BYTES = 1 << 20 };

struct pieces {
    const char *at;
    size_t left;
    size_t size;
};

static enum err feed(void *context, const char **bytes, size_t *length)
{
    struct pieces *pieces = context;
    *bytes = pieces->at;
    *length = pieces->left < pieces->size ? pieces->left : pieces->size;
    pieces->at += *length;
    pieces->left -= *length;
    return ERR_NONE;
}

static void must(bool condition)
{
    if (!condition)
        abort();
}

struct taken {
    uint64_t records;
    uint64_t bytes;
};

static enum err take(void *context, struct text record)
{
    struct taken *taken = context;
    must(record.length > 0);
    taken->records++;
    taken->bytes += record.length;
    return ERR_NONE;
}

static enum err take_oversize(void *context, struct text kept, uint64_t length,
                              const uint8_t sha256[SHA256_BYTES])
{
    (void)context;
    (void)kept;
    (void)length;
    (void)sha256;
    abort(); /* the limit on all is under the one on lines */
}

static void read_again(struct text body, size_t size,
                       const struct reader_report *checked)
{
    struct pieces pieces = {body.data, body.length, size};
    const struct byte_source source = {&pieces, feed};
    struct taken taken = {0};
    const struct record_sink sink = {&taken, take, take_oversize};
    struct reader_report report;
    must(!read_records_within(&source, &sink, checked->bytes, &report));
    must(report.bytes == checked->bytes && !report.truncated);
    must(report.records == taken.records && taken.bytes <= report.bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const encodings[] = {NULL, "gzip", "zstd", "identity"};
    struct reader_report report;
    if (size < 1)
        return 0;
    struct text body = {(const char *)data + 1, size - 1};
    const char *encoding = encodings[data[0] % 4];
    if (!body_check(body, encoding, MOST_BYTES, &report)) {
        must(report.bytes <= MOST_BYTES);
        read_again(body, 1 + (size_t)data[0], &report);
    }
    return 0;
}
