/*
 * labels.c: options that give labels to names.
 */
#include "config/config.h"

#include <string.h>

static struct text trimmed(const char *from, const char *to)
{
    while (from < to && *from == ' ')
        from++;
    while (to > from && to[-1] == ' ')
        to--;
    return (struct text){from, (size_t)(to - from)};
}

/* Whether NAME is among the pairs from TEXT up to END. */
static bool is_named(const char *text, const char *end, struct text name)
{
    while (text < end) {
        size_t length = strcspn(text, ",");
        const char *equals = memchr(text, '=', length);
        if (equals && text_equal(trimmed(text, equals), name))
            return true;
        text += length + 1;
    }
    return false;
}

const char *config_labels(const char *text, label_visit *visit, void *context)
{
    const char *at = text;
    while (*at) {
        size_t length = strcspn(at, ",");
        const char *equals = memchr(at, '=', length);
        if (!equals)
            return "a name without \"=label\"";
        struct text name = trimmed(at, equals);
        struct text label = trimmed(equals + 1, at + length);
        if (!name.length || !label.length)
            return "a pair with nothing on one side of \"=\"";
        if (is_named(text, at, name))
            return "a name twice";
        if (visit)
            visit(context, name, label);
        at += length;
        if (*at && !*++at)
            return "a comma at the end";
    }
    return NULL;
}
