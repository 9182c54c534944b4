/*
 * The query string as a stranger writes it. What is accepted must keep its
 * promises: names that are not empty and not doubled, UTF-8 without control
 * characters, lengths within the limits. As the publisher reads it, anything
 * is accepted.
 */
#include "api/query_string.h"
#include "base/utf8.h"

#include <stdint.h>
#include <stdlib.h>

static void must(bool condition)
{
    if (!condition)
        abort();
}

static void check_text(struct text text, size_t most)
{
    must(text.data != NULL && text.length <= most && text_is_utf8(text));
    for (size_t i = 0; i < text.length; i++)
        must((unsigned char)text.data[i] >= 0x20);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct arena arena;
    struct query_string query;
    struct text text = {(const char *)data, size};
    if (query_string_parse(&arena, text, &query) == ERR_NONE) {
        must(size <= QUERY_BYTES_MAX && query.count <= QUERY_PARAMETERS_MAX);
        for (size_t i = 0; i < query.count; i++) {
            const struct query_parameter *one = &query.list[i];
            check_text(one->name, QUERY_NAME_BYTES_MAX);
            check_text(one->value, QUERY_VALUE_BYTES_MAX);
            must(one->name.length > 0);
            for (size_t k = 0; k < i; k++)
                must(!text_equal(one->name, query.list[k].name));
        }
    }
    query_string_parse_as_published(&arena, text, &query);
    must(query.count <= QUERY_PARAMETERS_MAX);
    arena_clear(&arena);
    return 0;
}
