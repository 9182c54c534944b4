/*
 * text.c: comparisons that ignore ASCII case.
 */
#include "livepeer/livepeer.h"

static unsigned char lower_byte(char byte)
{
    unsigned char c = (unsigned char)byte;
    return c >= 'A' && c <= 'Z' ? (unsigned char)(c + 32) : c;
}

struct text text_lower(struct arena *arena, struct text text)
{
    size_t upper = 0;
    while (upper < text.length &&
           lower_byte(text.data[upper]) == (unsigned char)text.data[upper])
        upper++;
    if (upper == text.length)
        return text;
    char *copy = arena_text(arena, text.data, text.length);
    for (size_t i = upper; i < text.length; i++)
        copy[i] = (char)lower_byte(copy[i]);
    return (struct text){copy, text.length};
}

bool text_equal_ignoring_case(struct text a, struct text b)
{
    if (a.length != b.length)
        return false;
    for (size_t i = 0; i < a.length; i++)
        if (lower_byte(a.data[i]) != lower_byte(b.data[i]))
            return false;
    return true;
}

static bool starts_with(struct text text, size_t at, const char *lower_part)
{
    for (; *lower_part; lower_part++, at++)
        if (at == text.length ||
            lower_byte(text.data[at]) != (unsigned char)*lower_part)
            return false;
    return true;
}

bool text_contains_ignoring_case(struct text text, const char *lower_part)
{
    for (size_t i = 0; i <= text.length; i++)
        if (starts_with(text, i, lower_part))
            return true;
    return false;
}
