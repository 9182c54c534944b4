/*
 * Unary calls over TLS and HTTP/2 with a server of ours, and what is made of
 * answers that are none.
 */
#include "asker.h"
#include "harness.h"

#include <stdio.h>
#include <string.h>

/* How the server answers; the path says which. */
static const struct answer {
    const char *path;
    int status; /* of HTTP */
    const char *type;
    const char *body;
    size_t body_length;
    const char *grpc_status; /* null for none */
    const char *grpc_message;
    int wanted;
    const char *text;
} answers[] = {
    {"/good", 200, "application/grpc", "\0\0\0\0\2hi", 7, "0", NULL, 0, ""},
    {"/proto", 200, "application/grpc+proto", "\0\0\0\0\2hi", 7, "0", NULL, 0,
     ""},
    {"/empty", 200, "application/grpc", "\0\0\0\0\0", 5, "0", NULL, 0, ""},
    {"/refuses", 200, "application/grpc", "", 0, "2", "no%20%E2%82%AC%25", 2,
     "no \xe2\x82\xac%"},
    {"/big_status", 200, "application/grpc", "", 0, "17", NULL, -1,
     "the answer is not of gRPC"},
    {"/odd_status", 200, "application/grpc", "", 0, "0x", NULL, -1,
     "the answer is not of gRPC"},
    {"/without", 200, "application/grpc", "\0\0\0\0\2hi", 7, NULL, NULL, -1,
     "the answer is not of gRPC"},
    {"/page", 200, "text/html", "<html>", 6, NULL, NULL, -1,
     "the answer is not of gRPC"},
    {"/not_there", 404, "text/plain", "no", 2, NULL, NULL, -1,
     "the answer is HTTP 404"},
    {"/short", 200, "application/grpc", "\0\0\0\0\3hi", 7, "0", NULL, -1,
     "the answer's message is not framed as gRPC frames it"},
    {"/long", 200, "application/grpc", "\0\0\0\0\1hi", 7, "0", NULL, -1,
     "the answer's message is not framed as gRPC frames it"},
    {"/packed", 200, "application/grpc", "\1\0\0\0\2hi", 7, "0", NULL, -1,
     "the answer's message is not framed as gRPC frames it"},
    {"/nothing", 200, "application/grpc", "", 0, "0", NULL, -1,
     "the answer's message is not framed as gRPC frames it"},
};

static void on_question(void *context, struct exchange *exchange,
                        struct text body)
{
    const struct answer *answer = context;
    struct exchange_field head = {"content-type", answer->type};
    struct exchange_field trailers[2] = {
        {"grpc-status", answer->grpc_status},
        {"grpc-message", answer->grpc_message}};
    size_t count = (size_t)(answer->grpc_status != NULL) +
                   (size_t)(answer->grpc_message != NULL);
    CHECK_EQ_INT(body.length, 8);
    CHECK_EQ_MEMORY(body.data, "\0\0\0\0\3abc", 8);
    CHECK_EQ_INT(exchange_version(exchange), 2);
    CHECK_EQ_TEXT(exchange_header(exchange, "te"), "trailers");
    exchange_begin(exchange, answer->status, &head, 1, EXCHANGE_STREAMED);
    exchange_write(exchange, answer->body, answer->body_length);
    exchange_end(exchange, trailers, count);
}

static void handle(void *context, struct exchange *exchange)
{
    (void)context;
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        /* The context of an exchange is not const. */
        void *answer = (void *)(uintptr_t)&answers[i];
        if (strcmp(exchange_path(exchange), answers[i].path) == 0)
            exchange_collect(exchange, 1000, on_question, NULL, answer);
    }
}

/* What came of the last call. */
struct seen {
    struct asker *asker;
    struct grpc_request request;
    int status;
    char text[GRPC_TEXT_BYTES];
    struct buf message;
    struct http_answer http;
    bool done;
};

static void on_answer(void *context, const struct grpc_answer *answer)
{
    struct seen *seen = context;
    seen->status = answer->status;
    memcpy(seen->text, answer->text, sizeof seen->text);
    buf_clear(&seen->message);
    buf_add(&seen->message, answer->message.data, answer->message.length);
    seen->http = *answer->http;
    pthread_mutex_lock(&seen->asker->mutex);
    seen->done = true;
    pthread_cond_signal(&seen->asker->changed);
    pthread_mutex_unlock(&seen->asker->mutex);
}

static void start_call(void *context)
{
    struct seen *seen = context;
    grpc_start(seen->asker->client, &seen->request);
}

static void start_and_cancel(void *context)
{
    struct seen *seen = context;
    grpc_cancel(grpc_start(seen->asker->client, &seen->request));
}

static void call(struct seen *seen)
{
    seen->done = false;
    loop_call(seen->asker->loop, start_call, seen);
    pthread_mutex_lock(&seen->asker->mutex);
    while (!seen->done)
        pthread_cond_wait(&seen->asker->changed, &seen->asker->mutex);
    pthread_mutex_unlock(&seen->asker->mutex);
}

TEST(calls_are_answered_by_status_and_message)
{
    struct asker asker = {0};
    struct seen seen = {.asker = &asker};
    struct server *server;
    char origin[60];
    asker_open(&asker);
    struct server_settings settings = {
        .host = "127.0.0.1", .tls = true, .handle = handle};
    REQUIRE_OK(server_open(&server, asker.loop, &settings));
    snprintf(origin, sizeof origin, "https://127.0.0.1:%u",
             (unsigned)server_port(server));
    seen.request = (struct grpc_request){.origin = origin,
                                         .message = text_of("abc"),
                                         .limit_us = 20000000,
                                         .context = &seen,
                                         .on_done = on_answer};
    EACH_ROW (row, answers) {
        seen.request.path = row->path;
        call(&seen);
        CHECK_EQ_INT(seen.status, row->wanted);
        CHECK_EQ_TEXT(seen.text, row->text);
        if (row->wanted == GRPC_OK)
            CHECK_EQ_INT(seen.message.length, row->body_length - 5);
        CHECK_EQ_INT(seen.http.kept, row > answers);
        CHECK(seen.http.has_key);
        CHECK((row > answers) == (seen.http.times.tls_us < 0));
        CHECK((row > answers) == (seen.http.times.connect_us < 0));
        CHECK(seen.http.times.sent_us < seen.http.times.came_us);
    }
    uint8_t key[SHA256_BYTES];
    memcpy(key, seen.http.key_sha256, sizeof key);
    seen.request.fresh = true;
    seen.request.path = "/good";
    call(&seen);
    CHECK_EQ_MEMORY(seen.http.key_sha256, key, sizeof key);
    CHECK(!seen.http.kept);
    CHECK(seen.http.times.tls_us > 0);
    loop_call(asker.loop, start_and_cancel, &seen);
    asker_close_client(&asker);
    server_close(server);
    asker_close(&asker);
    buf_free(&seen.message);
}

TEST(messages_of_refusals_are_decoded)
{
    static const struct {
        const char *encoded;
        const char *text;
    } rows[] = {
        {"", ""},       {"a", "a"},         {"%41", "A"},
        {"%4", "%4"},   {"%", "%"},         {"%zz", "%zz"},
        {"%00a", " a"}, {"100%25", "100%"}, {"%e2%82%ac", "\xe2\x82\xac"},
    };
    EACH_ROW (row, rows) {
        char text[GRPC_TEXT_BYTES];
        grpc_decode_text(text_of(row->encoded), text);
        CHECK_EQ_TEXT(text, row->text);
    }
    char most[1000];
    char text[GRPC_TEXT_BYTES];
    memset(most, 'x', sizeof most);
    grpc_decode_text((struct text){most, sizeof most}, text);
    CHECK_EQ_INT(strlen(text), GRPC_TEXT_BYTES - 1);
}
