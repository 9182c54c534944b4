/*
 * config_fuzz.c: any bytes as a configuration file. Whatever they are, every
 * option ends with a value that can be shown, and a file is refused exactly
 * where a problem can be named.
 */
#include "config/config.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct arena arena = {0};
    struct config config;
    enum err err =
        config_load_bytes(&config, "fuzz", (const char *)bytes, length);
    if ((err != ERR_NONE) != (config.problems.count != 0))
        abort();
    for (size_t i = 0; i < config_key_count(); i++) {
        struct config_entry entry = config_entry(&arena, &config, i);
        if (!entry.value || !entry.origin)
            abort();
    }
    config_free(&config);
    arena_free(&arena);
    return 0;
}
