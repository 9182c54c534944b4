/*
 * asset.c: the files of the page, from the binary itself.
 *
 * They are kept compressed and go out so; for a client that does not take gzip
 * they are unpacked, under an entity tag of their own.
 */
#include "api/api_int.h"
#include "assets.h" /* generated from web/ */

#include <string.h>
#include <strings.h>
#include <zlib.h>

enum { ASSET_BYTES_MAX = 4 << 20, WINDOW_BITS_GZIP = 15 + 16 };

/* ---- headers ------------------------------------------------------------- */

/* Cuts the next element of a comma-separated list, without blanks around it;
 * data is null at the end. */
static struct text next_element(const char **at)
{
    *at += strspn(*at, ", \t");
    if (!**at)
        return (struct text){0};
    struct text element = {*at, strcspn(*at, ",")};
    *at += element.length;
    while (element.length && strchr(" \t", element.data[element.length - 1]))
        element.length--;
    return element;
}

/* "q=0", "q=0.0" and so on: a coding that the client will not have. */
static bool is_refused(struct text parameters)
{
    const char *at = memmem(parameters.data, parameters.length, "q=0", 3);
    if (!at)
        return false;
    const char *end = parameters.data + parameters.length;
    for (at += 3; at < end; at++) {
        if (*at != '.' && *at != '0')
            return strchr(" \t;", *at) != NULL;
    }
    return true;
}

bool accepts_gzip(const char *header)
{
    while (header) {
        struct text element = next_element(&header);
        if (!element.data)
            return false;
        struct text coding = element;
        const char *end = memchr(element.data, ';', element.length);
        if (end)
            coding.length = (size_t)(end - element.data);
        while (coding.length && coding.data[coding.length - 1] == ' ')
            coding.length--;
        bool named =
            coding.length == 4 && strncasecmp(coding.data, "gzip", 4) == 0;
        if (named || text_is(coding, "*"))
            return !is_refused(element);
    }
    return false;
}

bool etag_matches(const char *header, const char *etag)
{
    while (header) {
        struct text element = next_element(&header);
        if (!element.data)
            return false;
        if (element.length > 2 && memcmp(element.data, "W/", 2) == 0) {
            element.data += 2;
            element.length -= 2;
        }
        if (text_is(element, "*") || text_is(element, etag))
            return true;
    }
    return false;
}

/* ---- files --------------------------------------------------------------- */

static const struct asset *asset_find(struct text path)
{
    if (text_is(path, "/"))
        path = text_of("/index.html");
    for (size_t i = 0; i < asset_count; i++) {
        if (text_is(path, assets[i].path))
            return &assets[i];
    }
    return NULL;
}

static bool unpack(const struct asset *asset, struct buf *out)
{
    z_stream stream = {.next_in = (z_const Bytef *)(uintptr_t)asset->gzip,
                       .avail_in = (uInt)asset->gzip_bytes};
    if (inflateInit2(&stream, WINDOW_BITS_GZIP) != Z_OK)
        return false;
    int code = Z_OK;
    buf_clear(out);
    while (code == Z_OK && out->length < ASSET_BYTES_MAX) {
        Bytef piece[16 << 10];
        stream.next_out = piece;
        stream.avail_out = sizeof piece;
        code = inflate(&stream, Z_NO_FLUSH);
        buf_add(out, piece, sizeof piece - stream.avail_out);
    }
    inflateEnd(&stream);
    return code == Z_STREAM_END;
}

bool asset_answer(const struct request *request, struct reply *reply)
{
    const struct asset *asset = asset_find(request->path);
    if (!asset)
        return false;
    reply->status = 200;
    reply->content_type = asset->content_type;
    reply->cache_control = "no-cache";
    reply->varies = true;
    reply->gzip = accepts_gzip(request->accept_encoding);
    reply->etag = asset->etag;
    if (!reply->gzip)
        reply->etag = arena_printf(request->arena, "%.*s-plain\"",
                                   (int)strlen(asset->etag) - 1, asset->etag);
    if (etag_matches(request->if_none_match, reply->etag)) {
        reply->status = 304;
        reply->borrowed = text_of("");
    } else if (reply->gzip) {
        reply->borrowed =
            (struct text){(const char *)asset->gzip, asset->gzip_bytes};
    } else if (!unpack(asset, reply->body)) {
        reply_problem(reply, 500, "this file cannot be unpacked",
                      (struct text){0});
    }
    return true;
}
