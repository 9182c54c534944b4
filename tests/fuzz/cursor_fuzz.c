/*
 * A cursor as a stranger makes it up: refused, or read into parts that write
 * back to a cursor which reads the same.
 */
#include "api/api_int.h"

#include <stdint.h>
#include <stdlib.h>

static void must(bool condition)
{
    if (!condition)
        abort();
}

static bool read_cursor(struct arena *arena, struct text text,
                        const char *shape, struct cursor *cursor)
{
    struct request request = {.arena = arena};
    request.query.count = 1;
    request.query.list[0] = (struct query_parameter){text_of("cursor"), text};
    return cursor_read(&request, shape, cursor) == ERR_NONE;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const shapes[] = {"it", "ittttt", "itttt", "ttttt"};
    static struct arena arena;
    struct text text = {(const char *)data, size};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        struct cursor one = {0};
        struct cursor two = {0};
        if (!read_cursor(&arena, text, shapes[i], &one))
            continue;
        struct text written = cursor_write(&arena, shapes[i], &one);
        must(read_cursor(&arena, written, shapes[i], &two));
        for (size_t k = 0; shapes[i][k]; k++) {
            if (shapes[i][k] == 'i')
                must(one.parts[k].number == two.parts[k].number);
            else
                must(text_equal(one.parts[k].text, two.parts[k].text));
        }
    }
    arena_clear(&arena);
    return 0;
}
