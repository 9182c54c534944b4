/*
 * grpc.c: see grpc.h.
 */
#include "sim/grpc.h"

#include <stdio.h>
#include <string.h>

enum { PREFIX_BYTES = 5 };

static const char content_type[] = "application/grpc";

bool grpc_is_call(const struct exchange *exchange)
{
    const char *type = exchange_header(exchange, "content-type");
    return exchange_version(exchange) == 2 && type &&
           strncmp(type, content_type, sizeof content_type - 1) == 0;
}

void grpc_reply(struct exchange *exchange, struct text message)
{
    static const struct exchange_field head = {"content-type", content_type};
    static const struct exchange_field trailer = {"grpc-status", "0"};
    unsigned char prefix[PREFIX_BYTES] = {
        0, (unsigned char)(message.length >> 24),
        (unsigned char)(message.length >> 16),
        (unsigned char)(message.length >> 8), (unsigned char)message.length};
    exchange_begin(exchange, 200, &head, 1, EXCHANGE_STREAMED);
    exchange_write(exchange, prefix, sizeof prefix);
    exchange_write(exchange, message.data, message.length);
    exchange_end(exchange, &trailer, 1);
}

/* Printable ASCII stays, but for the percent sign. */
static void add_encoded(struct buf *out, const char *sentence)
{
    for (; *sentence; sentence++) {
        unsigned char c = (unsigned char)*sentence;
        if (c >= ' ' && c <= '~' && c != '%')
            buf_add_byte(out, c);
        else
            buf_printf(out, "%%%02X", c);
    }
}

void grpc_refuse(struct exchange *exchange, enum grpc_status status,
                 const char *sentence)
{
    struct buf encoded = {0};
    char code[8];
    snprintf(code, sizeof code, "%d", (int)status);
    add_encoded(&encoded, sentence);
    struct exchange_field fields[3] = {
        {"content-type", content_type},
        {"grpc-status", code},
        {"grpc-message", buf_string(&encoded)},
    };
    exchange_reply_fields(exchange, 200, fields, 3, text_of(""));
    buf_free(&encoded);
}
