/*
 * What strangers write where trickle is spoken: headers of answers, and URLs
 * of channels, relative ones included. A number that is taken must fit; a URL
 * that is taken must be one of http, without credentials, and of the length
 * that was promised.
 */
#include "wire/wire.h"

#include <stdlib.h>
#include <string.h>

static void must(bool condition)
{
    if (!condition)
        abort();
}

static void read_header(struct text line)
{
    struct trickle_headers headers;
    const char *colon = memchr(line.data, ':', line.length);
    size_t length = colon ? (size_t)(colon - line.data) : line.length;
    struct text name = {line.data, length};
    struct text value = {line.data + length, line.length - length};
    trickle_headers_begin(&headers);
    if (value.length)
        value = (struct text){value.data + 1, value.length - 1};
    trickle_headers_add(&headers, name, value);
    must(headers.seq >= -1 && headers.latest >= -1);
    must(headers.seq < TRICKLE_SEQ_MAX && headers.latest < TRICKLE_SEQ_MAX);
}

static void read_url(struct arena *arena, const char *text)
{
    struct url base;
    struct url url;
    char segment[TRICKLE_URL_BYTES];
    if (url_parse(arena, "https://o.example:8935/", &base) ||
        url_join(arena, &base, text, &url))
        return;
    must(strncmp(url.text, "http://", 7) == 0 ||
         strncmp(url.text, "https://", 8) == 0);
    must(url.port > 0 && *url.host);
    size_t authority = strcspn(strstr(url.text, "//") + 2, "/?");
    must(!memchr(strstr(url.text, "//") + 2, '@', authority));
    if (trickle_segment_url(url.text, 7, segment)) {
        struct url again;
        must(strlen(segment) < sizeof segment);
        must(url_parse(arena, segment, &again) ||
             strcmp(again.origin, url.origin) == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct arena arena;
    if (size > 20000)
        return 0;
    read_header((struct text){(const char *)data, size});
    read_url(&arena, arena_text(&arena, (const char *)data, size));
    arena_clear(&arena);
    return 0;
}
