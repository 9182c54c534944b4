/*
 * lines.c: orchestrators that the operator lists, in an option or in a file.
 *
 * Items are trimmed and may be short, as for -orchAddr (§1.2): HOST, HOST:PORT
 * or :PORT. One departure: an empty item is nothing, not this machine's port
 * 8935, since a comma too many is no wish.
 */
#include "discover/found.h"

#include <string.h>

static bool is_blank(char byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

static struct text trim(struct text text)
{
    while (text.length && is_blank(text.data[0])) {
        text.data++;
        text.length--;
    }
    while (text.length && is_blank(text.data[text.length - 1]))
        text.length--;
    return text;
}

static struct text without_comment(struct text line)
{
    const char *hash = line.length ? memchr(line.data, '#', line.length) : NULL;
    return hash ? (struct text){line.data, (size_t)(hash - line.data)} : line;
}

void read_lines(struct reading *reading, struct text bytes)
{
    char end = reading->kind == DISCOVER_FILE ? '\n' : ',';
    while (bytes.length) {
        const char *found = memchr(bytes.data, end, bytes.length);
        size_t length = found ? (size_t)(found - bytes.data) : bytes.length;
        struct text item = {bytes.data, length};
        struct discovered entry = {0};
        if (reading->kind == DISCOVER_FILE)
            item = without_comment(item);
        item = trim(item);
        if (item.length)
            found_add(reading, &entry, item);
        length += found != NULL;
        bytes.data += length;
        bytes.length -= length;
    }
}
