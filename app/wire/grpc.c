/*
 * grpc.c: see grpc.h.
 */
#include "wire/grpc.h"
#include "base/arena.h"
#include "base/hex.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { FRAME_BYTES = 5, STATUS_MAX = 16, URL_BYTES = 512, HTTP_OK = 200 };

struct grpc_call {
    struct http_exchange *exchange;
    void *context;
    void (*on_done)(void *context, const struct grpc_answer *answer);
    bool is_grpc; /* by the content type */
    struct grpc_answer answer;
};

/* ---- bytes --------------------------------------------------------------- */

void grpc_decode_text(struct text encoded, char text[GRPC_TEXT_BYTES])
{
    size_t length = 0;
    for (size_t i = 0; i < encoded.length && length < GRPC_TEXT_BYTES - 1;
         i++) {
        char c = encoded.data[i];
        if (c == '%' && i + 2 < encoded.length) {
            int high = hex_digit(encoded.data[i + 1]);
            int low = hex_digit(encoded.data[i + 2]);
            if (high >= 0 && low >= 0) {
                c = (char)(high << 4 | low);
                i += 2;
            }
        }
        text[length++] = c ? c : ' ';
    }
    text[length] = '\0';
}

bool grpc_unwrap(struct text body, struct text *message)
{
    const uint8_t *bytes = (const uint8_t *)body.data;
    if (body.length < FRAME_BYTES || bytes[0] != 0)
        return false;
    uint32_t length = (uint32_t)bytes[1] << 24 | (uint32_t)bytes[2] << 16 |
                      (uint32_t)bytes[3] << 8 | bytes[4];
    *message =
        (struct text){body.data + FRAME_BYTES, body.length - FRAME_BYTES};
    return length == message->length;
}

static void frame(struct text message, struct buf *body)
{
    uint32_t length = (uint32_t)message.length;
    buf_add_byte(body, 0);
    for (int shift = 24; shift >= 0; shift -= 8)
        buf_add_byte(body, (uint8_t)(length >> shift));
    buf_add(body, message.data, message.length);
}

/* ---- what comes ---------------------------------------------------------- */

static bool is_named(struct text name, const char *wanted)
{
    return name.length == strlen(wanted) &&
           strncasecmp(name.data, wanted, name.length) == 0;
}

static int read_status(struct text value)
{
    int status = 0;
    if (value.length == 0 || value.length > 2)
        return GRPC_NO_STATUS;
    for (size_t i = 0; i < value.length; i++) {
        if (!isdigit((unsigned char)value.data[i]))
            return GRPC_NO_STATUS;
        status = status * 10 + (value.data[i] - '0');
    }
    return status <= STATUS_MAX ? status : GRPC_NO_STATUS;
}

static void on_header(void *context, struct text name, struct text value)
{
    static const char type[] = "application/grpc";
    struct grpc_call *call = context;
    if (is_named(name, "grpc-status"))
        call->answer.status = read_status(value);
    else if (is_named(name, "grpc-message"))
        grpc_decode_text(value, call->answer.text);
    else if (is_named(name, "content-type"))
        call->is_grpc = value.length >= sizeof type - 1 &&
                        strncasecmp(value.data, type, sizeof type - 1) == 0;
}

/* Whoever does not speak gRPC has no status, whatever his headers say. */
static void judge(struct grpc_call *call, const struct http_answer *http)
{
    struct grpc_answer *answer = &call->answer;
    const char *wrong = NULL;
    char status[40];
    snprintf(status, sizeof status, "the answer is HTTP %d", http->status);
    if (http->outcome != HTTP_ANSWERED)
        wrong = http->detail;
    else if (http->status != HTTP_OK)
        wrong = status;
    else if (!call->is_grpc || answer->status == GRPC_NO_STATUS)
        wrong = "the answer is not of gRPC";
    else if (answer->status == GRPC_OK &&
             !grpc_unwrap(http->body, &answer->message))
        wrong = "the answer's message is not framed as gRPC frames it";
    if (wrong) {
        answer->status = GRPC_NO_STATUS;
        snprintf(answer->text, sizeof answer->text, "%s", wrong);
    }
}

static void on_done(void *context, const struct http_answer *http)
{
    struct grpc_call *call = context;
    call->answer.http = http;
    judge(call, http);
    call->on_done(call->context, &call->answer);
    free(call);
}

/* ---- the call ------------------------------------------------------------ */

struct grpc_call *grpc_start(struct http_client *client,
                             const struct grpc_request *request)
{
    struct grpc_call *call = memory_zeroed(1, sizeof *call);
    struct buf body = {0};
    char url[URL_BYTES];
    char timeout[40];
    const char *headers[] = {"content-type: application/grpc", "te: trailers",
                             timeout};
    snprintf(url, sizeof url, "%s%s", request->origin, request->path);
    snprintf(timeout, sizeof timeout, "grpc-timeout: %lldm",
             (long long)(request->limit_us / 1000));
    frame(request->message, &body);
    call->context = request->context;
    call->on_done = request->on_done;
    call->answer.status = GRPC_NO_STATUS;
    struct http_request http = {.method = "POST",
                                .url = url,
                                .headers = headers,
                                .header_count = request->limit_us ? 3 : 2,
                                .body = {body.data, body.length},
                                .version = HTTP_VERSION_2,
                                .fresh = request->fresh,
                                .last = request->last,
                                .limit_us = request->limit_us,
                                .body_bytes =
                                    GRPC_ANSWER_MAX_BYTES + FRAME_BYTES,
                                .context = call,
                                .on_header = on_header,
                                .on_done = on_done};
    call->exchange = http_start(client, &http);
    buf_free(&body);
    return call;
}

void grpc_cancel(struct grpc_call *call)
{
    http_cancel(call->exchange);
    free(call);
}
