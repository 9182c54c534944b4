/*
 * The headers by which a client chooses a form, as a stranger writes them: no
 * reading beyond the end, and the same answer for the same header.
 */
#include "api/serving.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct arena arena;
    const char *header = arena_text(&arena, (const char *)data, size);
    if (prefers_csv(header) != prefers_csv(header))
        abort();
    (void)accepts_gzip(header);
    (void)etag_matches(header, "\"0123456789abcdef\"");
    arena_clear(&arena);
    return 0;
}
