/*
 * accept.c: whether a client rather has CSV than JSON (RFC 9110, §12.5.1).
 *
 * Of the ranges that match a type the most exact one says how much it is
 * wanted. What is not well-formed wants nothing; who wants neither gets JSON.
 */
#include "api/serving.h"

#include <string.h>
#include <strings.h>

enum { QUALITY_MAX = 1000, EXACT = 3, ANY_SUBTYPE = 2, ANY = 1 };

static struct text trimmed(struct text text)
{
    while (text.length && strchr(" \t", text.data[0])) {
        text.data++;
        text.length--;
    }
    while (text.length && strchr(" \t", text.data[text.length - 1]))
        text.length--;
    return text;
}

/* Cuts what stands before SEPARATOR off the front of REST. */
static struct text cut(struct text *rest, char separator)
{
    size_t length = 0;
    while (length < rest->length && rest->data[length] != separator)
        length++;
    struct text piece = {rest->data, length};
    length += length < rest->length;
    rest->data += length;
    rest->length -= length;
    return trimmed(piece);
}

/* "0.75" as 750; -1 where it is no weight. */
static int weight(struct text text)
{
    if (!text.length || text.length > 5 || text.data[0] < '0' ||
        text.data[0] > '1' || (text.length > 1 && text.data[1] != '.'))
        return -1;
    int value = (text.data[0] - '0') * QUALITY_MAX;
    int unit = QUALITY_MAX;
    for (size_t i = 2; i < text.length; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return -1;
        unit /= 10;
        value += (text.data[i] - '0') * unit;
    }
    return value <= QUALITY_MAX ? value : -1;
}

/* The weight among a range's PARAMETERS, 1 where none is given. */
static int weight_of(struct text parameters)
{
    while (parameters.length) {
        struct text one = cut(&parameters, ';');
        if (one.length >= 2 && strncasecmp(one.data, "q=", 2) == 0)
            return weight((struct text){one.data + 2, one.length - 2});
    }
    return QUALITY_MAX;
}

static bool equals(struct text range, const char *type, size_t length)
{
    return range.length == length && strncasecmp(range.data, type, length) == 0;
}

/* How exactly RANGE names TYPE; 0 where it does not. */
static int exactness(struct text range, const char *type)
{
    size_t major = strcspn(type, "/") + 1;
    if (equals(range, type, strlen(type)))
        return EXACT;
    if (range.length == major + 1 && range.data[major] == '*' &&
        strncasecmp(range.data, type, major) == 0)
        return ANY_SUBTYPE;
    return text_is(range, "*/*") ? ANY : 0;
}

static int wanted(const char *header, const char *type)
{
    struct text rest = text_of(header);
    int best = 0;
    int quality = 0;
    while (rest.length) {
        struct text element = cut(&rest, ',');
        struct text range = cut(&element, ';');
        int exact = exactness(range, type);
        int value = weight_of(element);
        if (exact > best && value >= 0) {
            best = exact;
            quality = value;
        }
    }
    return quality;
}

bool prefers_csv(const char *header)
{
    return header &&
           wanted(header, "text/csv") > wanted(header, "application/json");
}

bool wants_csv(const struct request *request)
{
    struct text format = parameter_text(request, "format");
    return format.data ? text_is(format, "csv") : prefers_csv(request->accept);
}
