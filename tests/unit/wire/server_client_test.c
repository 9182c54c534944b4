/*
 * server_client_test.c: the server by our own client, over TLS and in the
 * clear, HTTP/1.1 and HTTP/2: bodies larger than any window or buffer, in both
 * directions, and heads that are too large.
 */
#include "asker.h"

#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LARGE_BYTES = 3 << 20, PIECE_BYTES = 40000, URL_BYTES = 100 };

struct place {
    struct asker asker;
    struct server *server;
    struct exchange *kept;
    size_t written;
    int drained;
    int versions; /* bits of what was spoken */
};

static char byte_at(size_t offset)
{
    return (char)('a' + offset % 23);
}

static void echo(void *context, struct exchange *exchange, struct text body)
{
    (void)context;
    exchange_reply(exchange, 200, "text/plain", body);
}

/* As much as fits without waiting, then more when it has gone. */
static void flood(void *context)
{
    struct place *place = context;
    char piece[PIECE_BYTES];
    while (place->written < LARGE_BYTES &&
           exchange_unsent(place->kept) < 2 * PIECE_BYTES) {
        size_t length = LARGE_BYTES - place->written;
        if (length > sizeof piece)
            length = sizeof piece;
        for (size_t i = 0; i < length; i++)
            piece[i] = byte_at(place->written + i);
        exchange_write(place->kept, piece, length);
        place->written += length;
    }
    if (place->written == LARGE_BYTES)
        exchange_end(place->kept, NULL, 0);
}

static void drained(void *context)
{
    struct place *place = context;
    place->drained++;
    if (place->written < LARGE_BYTES)
        flood(place);
}

static void site(void *context, struct exchange *exchange)
{
    static const struct exchange_handler handler = {.drained = drained};
    struct place *place = context;
    place->versions |= exchange_version(exchange);
    if (strcmp(exchange_path(exchange), "/echo") == 0) {
        exchange_collect(exchange, LARGE_BYTES, echo, NULL, place);
    } else if (strcmp(exchange_path(exchange), "/flood") == 0) {
        place->kept = exchange;
        place->written = 0;
        exchange_keep(exchange, &handler, place);
        exchange_begin(exchange, 200, NULL, 0, EXCHANGE_STREAMED);
        flood(place);
    } else {
        exchange_reply(exchange, 404, "text/plain", text_of("nothing\n"));
    }
}

static void open_place(struct place *place, bool tls)
{
    *place = (struct place){0};
    asker_open(&place->asker);
    struct server_settings settings = {
        .host = "127.0.0.1", .tls = tls, .handle = site, .context = place};
    REQUIRE_OK(server_open(&place->server, place->asker.loop, &settings));
}

static void close_place(struct place *place)
{
    asker_close_client(&place->asker);
    server_close(place->server);
    asker_close(&place->asker);
}

static const struct http_answer *ask(struct place *place, bool tls,
                                     enum http_version version,
                                     const char *method, const char *path,
                                     struct text body)
{
    static char url[URL_BYTES];
    snprintf(url, sizeof url, "%s://127.0.0.1:%u%s", tls ? "https" : "http",
             (unsigned)server_port(place->server), path);
    place->asker.request = (struct http_request){.method = method,
                                                 .url = url,
                                                 .body = body,
                                                 .version = version,
                                                 .limit_us = 60000000,
                                                 .body_bytes = LARGE_BYTES};
    return asker_ask(&place->asker);
}

static const struct {
    bool tls;
    enum http_version version;
    int spoken;
} ways[] = {
    {false, HTTP_VERSION_1_1, 1},
    {false, HTTP_VERSION_2, 2},
    {true, HTTP_VERSION_1_1, 1},
    {true, HTTP_VERSION_2, 2},
};

TEST(large_bodies_pass_in_both_directions)
{
    char *large = memory_alloc(LARGE_BYTES);
    for (size_t i = 0; i < LARGE_BYTES; i++)
        large[i] = byte_at(i);
    EACH_ROW (way, ways) {
        struct place place;
        open_place(&place, way->tls);
        const struct http_answer *answer =
            ask(&place, way->tls, way->version, "POST", "/echo",
                (struct text){large, LARGE_BYTES});
        CHECK_EQ_INT(answer->outcome, HTTP_ANSWERED);
        CHECK_EQ_INT(answer->status, 200);
        CHECK_EQ_INT(place.asker.body.length, LARGE_BYTES);
        CHECK_EQ_MEMORY(place.asker.body.data, large, LARGE_BYTES);
        answer =
            ask(&place, way->tls, way->version, "GET", "/flood", text_of(""));
        CHECK_EQ_INT(answer->outcome, HTTP_ANSWERED);
        CHECK_EQ_INT(place.asker.body.length, LARGE_BYTES);
        CHECK_EQ_MEMORY(place.asker.body.data, large, LARGE_BYTES);
        CHECK(place.drained > 0);
        CHECK_EQ_INT(place.versions, way->spoken);
        close_place(&place);
    }
    free(large);
}

TEST(small_questions_are_answered_over_and_over)
{
    EACH_ROW (way, ways) {
        struct place place;
        open_place(&place, way->tls);
        for (int i = 0; i < 20; i++) {
            char text[40];
            snprintf(text, sizeof text, "question %d", i);
            const struct http_answer *answer = ask(
                &place, way->tls, way->version, "POST", "/echo", text_of(text));
            CHECK_EQ_INT(answer->status, 200);
            CHECK_EQ_TEXT(buf_string(&place.asker.body), text);
            CHECK_EQ_INT(answer->kept, i > 0);
        }
        CHECK_EQ_INT(
            ask(&place, way->tls, way->version, "GET", "/none", text_of(""))
                ->status,
            404);
        CHECK_EQ_TEXT(buf_string(&place.asker.body), "nothing\n");
        close_place(&place);
    }
}

TEST(too_large_a_head_or_body_is_refused)
{
    char *header = memory_zeroed(1, SERVER_HEAD_MAX_BYTES + 100);
    char *large = memory_zeroed(1, LARGE_BYTES + 1);
    int start = snprintf(header, 10, "A: ");
    memset(header + start, 'x', SERVER_HEAD_MAX_BYTES + 50);
    EACH_ROW (way, ways) {
        struct place place;
        const char *headers[1] = {header};
        open_place(&place, way->tls);
        const struct http_answer *answer =
            ask(&place, way->tls, way->version, "GET", "/none", text_of(""));
        CHECK_EQ_INT(answer->status, 404);
        place.asker.request.headers = headers;
        place.asker.request.header_count = 1;
        answer = asker_ask(&place.asker);
        /* HTTP/2 resets the one stream. */
        CHECK(answer->status == 431 || answer->outcome == HTTP_BROKEN);
        answer = ask(&place, way->tls, way->version, "POST", "/echo",
                     (struct text){large, LARGE_BYTES + 1});
        CHECK_EQ_INT(answer->status, 413);
        close_place(&place);
    }
    free(header);
    free(large);
}
