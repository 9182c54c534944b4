/*
 * trickle_text.c: the headers and URLs of trickle, read from anybody
 * (see trickle.h). Pure.
 */
#include "wire/trickle.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* So many digits always fit, and no channel counts beyond them. */
enum { DIGITS_MAX = 15 };

const char *trickle_end_name(enum trickle_end end)
{
    static const char *const names[] = {
        [TRICKLE_CLOSED] = "closed",     [TRICKLE_FAILED] = "failed",
        [TRICKLE_BROKEN] = "broken",     [TRICKLE_SLOW] = "slow",
        [TRICKLE_TOO_MUCH] = "too_much", [TRICKLE_STALLED] = "stalled"};
    return names[end];
}

static bool is_named(struct text name, const char *wanted)
{
    return name.length == strlen(wanted) &&
           strncasecmp(name.data, wanted, name.length) == 0;
}

static int64_t read_number(struct text value)
{
    int64_t number = 0;
    if (value.length == 0 || value.length > DIGITS_MAX)
        return -1;
    for (size_t i = 0; i < value.length; i++) {
        if (value.data[i] < '0' || value.data[i] > '9')
            return -1;
        number = number * 10 + (value.data[i] - '0');
    }
    return number;
}

void trickle_headers_begin(struct trickle_headers *headers)
{
    *headers = (struct trickle_headers){.seq = -1, .latest = -1};
}

void trickle_headers_add(struct trickle_headers *headers, struct text name,
                         struct text value)
{
    if (is_named(name, "Lp-Trickle-Seq"))
        headers->seq = read_number(value);
    else if (is_named(name, "Lp-Trickle-Latest"))
        headers->latest = read_number(value);
    else if (is_named(name, "Lp-Trickle-Closed"))
        headers->closed = true;
}

bool trickle_segment_url(const char *channel, int64_t seq,
                         char url[TRICKLE_URL_BYTES])
{
    size_t path = strcspn(channel, "?#");
    size_t query = strcspn(channel + path, "#");
    while (path > 0 && channel[path - 1] == '/')
        path--;
    const char *rest = channel + strcspn(channel, "?#");
    int length = snprintf(url, TRICKLE_URL_BYTES, "%.*s/%lld%.*s", (int)path,
                          channel, (long long)seq, (int)query, rest);
    return length > 0 && length < TRICKLE_URL_BYTES;
}
