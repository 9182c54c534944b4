/*
 * A cursor as a stranger makes it up: refused, or read into a place that writes
 * back to the same text, and a sort key that reads the same again.
 */
#include "api/cursor.h"

#include <stdint.h>
#include <stdlib.h>

static void must(bool condition)
{
    if (!condition)
        abort();
}

static void check_key(struct arena *arena, struct text bytes)
{
    static const char *const shapes[] = {"it", "iti", "ittttt", "itttt"};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        struct cursor one = {0};
        struct cursor two = {0};
        if (!cursor_decode(bytes, shapes[i], &one))
            continue;
        struct text again = cursor_encode(arena, shapes[i], &one);
        must(cursor_decode(again, shapes[i], &two));
        for (size_t k = 0; shapes[i][k]; k++) {
            if (shapes[i][k] == 'i')
                must(one.parts[k].number == two.parts[k].number);
            else
                must(text_equal(one.parts[k].text, two.parts[k].text));
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct arena arena;
    struct text text = {(const char *)data, size};
    struct place place;
    if (place_read(&arena, text, &place))
        must(text_equal(place_write(&arena, &place), text));
    /* What hardly any text passes the check for. */
    check_key(&arena, text);
    arena_clear(&arena);
    return 0;
}
