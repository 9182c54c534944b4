/*
 * The body of a request to ingest, as a stranger sends it. The first byte
 * chooses how large the pieces are in which it arrives. What is read must lie
 * within the limits; the same bytes in one piece must give the same records.
 */
#include "api/api_int.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

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

static enum err read_in(struct arena *arena, const char *bytes, size_t length,
                        size_t size, struct record_batch *batch)
{
    struct pieces pieces = {bytes, length, size};
    const struct byte_source source = {&pieces, feed};
    struct batch_reading reading = {.arena = arena, .most_bytes = MOST_BYTES};
    *batch = (struct record_batch){0};
    return batch_read(&reading, &source, batch);
}

static void compare(const struct record_batch *a, const struct record_batch *b)
{
    const struct batch_record *left = a->first;
    const struct batch_record *right = b->first;
    for (; left && right; left = left->next, right = right->next) {
        must(left->bytes.length > 0);
        must(text_equal(left->bytes, right->bytes));
        must(left->length == right->length);
        must(!left->sha256 == !right->sha256);
    }
    must(!left && !right && a->bytes == b->bytes && a->bytes <= MOST_BYTES);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct arena arena;
    struct record_batch whole;
    struct record_batch pieces;
    if (size < 1)
        return 0;
    const char *bytes = (const char *)data + 1;
    enum err err = read_in(&arena, bytes, size - 1, size, &whole);
    must(read_in(&arena, bytes, size - 1, 1 + (size_t)data[0], &pieces) == err);
    if (!err)
        compare(&whole, &pieces);
    arena_clear(&arena);
    return 0;
}
