/*
 * utf8.c: see utf8.h.
 */
#include "base/utf8.h"

/* Length of the well-formed character at AT, 0 where there is none. */
static size_t character_bytes(const unsigned char *at, size_t left)
{
    size_t length = at[0] < 0x80                    ? 1
                    : at[0] >= 0xc2 && at[0] < 0xe0 ? 2
                    : at[0] >= 0xe0 && at[0] < 0xf0 ? 3
                    : at[0] >= 0xf0 && at[0] < 0xf5 ? 4
                                                    : 0;
    if (!length || length > left)
        return 0;
    for (size_t i = 1; i < length; i++) {
        if ((at[i] & 0xc0) != 0x80)
            return 0;
    }
    /* Too long for their value, surrogates, beyond U+10FFFF. */
    bool wrong =
        (at[0] == 0xe0 && at[1] < 0xa0) || (at[0] == 0xed && at[1] > 0x9f) ||
        (at[0] == 0xf0 && at[1] < 0x90) || (at[0] == 0xf4 && at[1] > 0x8f);
    return wrong ? 0 : length;
}

bool text_is_utf8(struct text text)
{
    const unsigned char *at = (const unsigned char *)text.data;
    for (size_t i = 0; i < text.length;) {
        size_t length = character_bytes(at + i, text.length - i);
        if (!length)
            return false;
        i += length;
    }
    return true;
}

struct text text_whole_characters(struct text text, size_t most_bytes)
{
    if (text.length <= most_bytes)
        return text;
    size_t end = most_bytes;
    while (end && most_bytes - end < 3 && (text.data[end] & 0xc0) == 0x80)
        end--;
    return (struct text){text.data, end};
}

void buf_add_repaired(struct buf *out, struct text text)
{
    const unsigned char *at = (const unsigned char *)text.data;
    for (size_t i = 0; i < text.length;) {
        size_t length = character_bytes(at + i, text.length - i);
        if (length)
            buf_add(out, at + i, length);
        else
            buf_add_string(out, "\xef\xbf\xbd");
        i += length ? length : 1;
    }
}
