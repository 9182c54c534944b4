/*
 * conditional.c: what every good answer in JSON or CSV gets before it is sent.
 *
 * The entity tag is the hash of the very bytes, so it is a strong one, holds
 * over a restart, and is the same on every copy of the store. The compressed
 * form has a tag of its own. Files of the page bring their own (asset.c).
 */
#include "api/serving.h"

#include "base/hash.h"

#include <string.h>
#include <zlib.h>

enum {
    GZIP_FROM_BYTES = 1024,
    GZIP_LEVEL = 4,
    WINDOW_BITS_GZIP = 15 + 16,
    MEMORY_LEVEL = 8
};

enum { TAG_BYTES = TAG_DIGITS / 2 };

/* 64 bits are enough to tell the versions of one answer apart, at a tenth of
 * what a cryptographic hash costs. */
static void tag(const struct request *request, struct reply *reply)
{
    const struct buf *body = reply->body;
    size_t done = reply->is_list ? reply->rows_end : 0;
    uint64_t hash =
        hash_fast(body->data + done, body->length - done) + 31 * reply->rows;
    uint8_t bytes[TAG_BYTES];
    char *text = arena_raw(request->arena, 2 * TAG_BYTES + 3);
    for (size_t i = 0; i < TAG_BYTES; i++)
        bytes[i] = (uint8_t)(hash >> (8 * (TAG_BYTES - 1 - i)));
    text[0] = '"';
    hash_hex(bytes, TAG_BYTES, text + 1);
    memcpy(text + 1 + 2 * TAG_BYTES, "\"", 2);
    reply->etag = text;
}

/* False where zlib has no memory: the answer then goes out as it is. */
static bool gzip_into(struct buf *out, struct text text)
{
    z_stream stream = {.next_in = (z_const Bytef *)(uintptr_t)text.data,
                       .avail_in = (uInt)text.length};
    if (deflateInit2(&stream, GZIP_LEVEL, Z_DEFLATED, WINDOW_BITS_GZIP,
                     MEMORY_LEVEL, Z_DEFAULT_STRATEGY) != Z_OK)
        return false;
    size_t most = deflateBound(&stream, text.length);
    buf_clear(out);
    buf_reserve(out, most);
    stream.next_out = (Bytef *)out->data;
    stream.avail_out = (uInt)most;
    int code = deflate(&stream, Z_FINISH);
    out->length = stream.total_out;
    deflateEnd(&stream);
    return code == Z_STREAM_END;
}

static void pack_answer(const struct request *request, struct reply *reply)
{
    struct buf packed = {0};
    struct text body = {reply->body->data, reply->body->length};
    if (gzip_into(&packed, body)) {
        buf_clear(reply->body);
        buf_add(reply->body, packed.data, packed.length);
        reply->gzip = true;
        reply->etag = arena_printf(request->arena, "%.*s-gzip\"",
                                   (int)strlen(reply->etag) - 1, reply->etag);
    }
    buf_free(&packed);
}

void answer_finish(const struct request *request, struct reply *reply)
{
    bool kept =
        reply->cache_control && strcmp(reply->cache_control, "no-store") != 0;
    if (reply->status != 200 || !kept || reply->borrowed.data ||
        !text_is(text_of(request->method), "GET"))
        return;
    if (!reply->etag) {
        bool large = reply->body->length > GZIP_FROM_BYTES;
        tag(request, reply);
        reply->varies = large;
        if (large && accepts_gzip(request->accept_encoding))
            pack_answer(request, reply);
    }
}

/* The entity tag without quotes and without the name of a coding. */
static struct text plain_tag(const char *etag)
{
    return (struct text){etag + 1, strcspn(etag + 1, "-\"")};
}

static const char *pinned_address(const struct request *request,
                                  struct text tag)
{
    struct text query = text_of(request->raw_query);
    size_t length = request->path.length + query.length + tag.length + 6;
    struct buf address = {.data = arena_raw(request->arena, length + 1),
                          .capacity = length + 1};
    buf_add(&address, request->path.data, request->path.length);
    buf_add_byte(&address, '?');
    buf_add(&address, query.data, query.length);
    buf_add_string(&address, query.length ? "&pin=" : "pin=");
    buf_add(&address, tag.data, tag.length);
    return buf_string(&address);
}

void answer_pin(const struct request *request, struct reply *reply)
{
    struct text pin = parameter_text(request, "pin");
    if (reply->status != 200 || !reply->is_list || !reply->etag)
        return;
    struct text tag = plain_tag(reply->etag);
    if (!pin.data)
        reply->location = pinned_address(request, tag);
    else if (text_equal(pin, tag))
        reply->cache_control = "max-age=31536000, immutable";
    else
        reply_problem(reply, 410,
                      "these rows are no longer those that had this entity "
                      "tag; ask again without pin",
                      text_of("pin"));
}

void answer_condition(const struct request *request, struct reply *reply)
{
    if (reply->status == 200 && reply->etag && !reply->borrowed.data &&
        etag_matches(request->if_none_match, reply->etag)) {
        reply->status = 304;
        reply->borrowed = text_of("");
    }
}
