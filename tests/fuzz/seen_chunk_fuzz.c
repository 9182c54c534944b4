/*
 * seen_chunk_fuzz.c: any bytes as a stored chunk of taken keys. They are
 * refused, or what they hold comes back from being stored again.
 */
#include "base/arena.h"
#include "ingest/seen_chunk.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct gathered {
    struct seen_entry *list;
    size_t count;
};

static void gather(void *context, const struct seen_entry *entry)
{
    struct gathered *gathered = context;
    if ((gathered->count & (gathered->count - 1)) == 0)
        gathered->list = memory_resize(
            gathered->list, (gathered->count * 2 + 1) * sizeof *gathered->list);
    gathered->list[gathered->count++] = *entry;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gathered first = {0};
    struct gathered again = {0};
    struct buf bytes = {0};
    if (seen_chunk_decode((struct text){(const char *)data, size}, gather,
                          &first)) {
        seen_chunk_encode(&bytes, first.list, first.count, false);
        if (!seen_chunk_decode((struct text){bytes.data, bytes.length}, gather,
                               &again) ||
            again.count != first.count)
            abort();
    }
    free(first.list);
    free(again.list);
    buf_free(&bytes);
    return 0;
}
