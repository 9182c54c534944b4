/*
 * Exchanges over HTTP/1.1 with peers that behave, and with those that do not.
 */
#include "asker.h"
#include "harness.h"
#include "peer.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { MS = 1000, URL_BYTES = 100 };

static char url[URL_BYTES];

static const char *url_of(const struct peer *peer, const char *scheme)
{
    snprintf(url, sizeof url, "%s://127.0.0.1:%u/path", scheme, peer->port);
    return url;
}

#define ANSWER(length, body)                                                   \
    "HTTP/1.1 200 OK\r\nContent-Length: " length "\r\nX-One:  two "            \
    "\r\n\r\n" body

TEST(an_answer_is_told_with_its_times)
{
    static struct peer peer = {
        .talk = peer_answers, .say = ANSWER("5", "hello"), .pause_us = 20 * MS};
    struct asker asker = {0};
    peer_start(&peer);
    asker_open(&asker);
    asker.request =
        (struct http_request){.method = "GET", .url = url_of(&peer, "http")};
    static const struct {
        bool fresh;
        bool last;
        bool kept;
    } rows[] = {{false, false, false},
                {false, true, true},
                {false, false, false},
                {true, false, false}};
    EACH_ROW (row, rows) {
        asker.request.fresh = row->fresh;
        asker.request.last = row->last;
        const struct http_answer *answer = asker_ask(&asker);
        const struct http_times *times = &answer->times;
        CHECK_EQ_INT(answer->outcome, HTTP_ANSWERED);
        CHECK_EQ_INT(answer->status, 200);
        CHECK_EQ_TEXT(buf_string(&asker.body), "hello");
        CHECK_EQ_TEXT(buf_string(&asker.headers),
                      "Content-Length=5\nX-One=two\n");
        CHECK_EQ_INT(answer->kept, row->kept);
        CHECK_EQ_TEXT(answer->address, "127.0.0.1");
        CHECK_EQ_INT(times->dns_us, -1);
        CHECK_EQ_INT(times->tls_us, -1);
        CHECK(row->kept == (times->connect_us == -1));
        CHECK(times->started_us <= times->sent_us);
        CHECK(times->came_us - times->sent_us >= peer.held_us);
        CHECK(times->came_us - times->sent_us < peer.held_us + 500 * MS);
    }
    asker_close(&asker);
    peer_stop(&peer);
    CHECK_EQ_INT(peer.connections, 3);
    CHECK(strstr(peer.heard, "GET /path HTTP/1.1\r\n") != NULL);
    CHECK(strstr(peer.heard, "User-Agent: assay/") != NULL);
}

TEST(bodies_are_posted)
{
    static struct peer peer = {.talk = peer_answers_once,
                               .say = ANSWER("0", "")};
    static const char *const headers[] = {"Content-Type: text/plain",
                                          "Livepeer-Payment;"};
    struct asker asker = {0};
    peer_start(&peer);
    asker_open(&asker);
    asker.request = (struct http_request){.method = "POST",
                                          .url = url_of(&peer, "http"),
                                          .headers = headers,
                                          .header_count = 2,
                                          .body = text_of("\r\n\r\n")};
    CHECK_EQ_INT(asker_ask(&asker)->outcome, HTTP_ANSWERED);
    asker_close(&asker);
    peer_stop(&peer);
    CHECK(strstr(peer.heard, "POST /path") != NULL);
    CHECK(strstr(peer.heard, "Content-Type: text/plain\r\n") != NULL);
    CHECK(strstr(peer.heard, "Livepeer-Payment:\r\n") != NULL);
    CHECK(strstr(peer.heard, "Content-Length: 4\r\n") != NULL);
}

/* ---- streamed bodies ----------------------------------------------------- */

static void say_interim(struct peer *peer, int connection)
{
    if (peer_hear(peer, connection, "\r\n\r\n"))
        for (int i = 0; i < 5; i++)
            peer_say(connection, "HTTP/1.1 100 Continue\r\nX-No: no\r\n\r\n");
    if (peer_hear(peer, connection, "0\r\n\r\n"))
        peer_say(connection, peer->say);
}

static void send_one(void *context)
{
    struct asker *asker = context;
    http_send(asker->exchange, text_of("one"));
}

static void send_two(void *context)
{
    struct asker *asker = context;
    http_send(asker->exchange, text_of("two"));
    CHECK_EQ_INT(http_unsent_bytes(asker->exchange), 0);
    http_send_end(asker->exchange);
}

TEST(bodies_are_streamed_while_interim_answers_come)
{
    static struct peer peer = {.talk = say_interim, .say = ANSWER("0", "")};
    struct asker asker = {0};
    peer_start(&peer);
    asker_open(&asker);
    asker.request = (struct http_request){
        .method = "POST", .url = url_of(&peer, "http"), .streamed = true};
    asker_start(&asker);
    usleep(20 * MS);
    loop_call(asker.loop, send_one, &asker);
    usleep(20 * MS);
    loop_call(asker.loop, send_two, &asker);
    CHECK_EQ_INT(asker_wait(&asker)->outcome, HTTP_ANSWERED);
    CHECK_EQ_INT(asker.answer.status, 200);
    CHECK_EQ_TEXT(buf_string(&asker.headers), "Content-Length=0\nX-One=two\n");
    asker_close(&asker);
    peer_stop(&peer);
    CHECK(strstr(peer.heard, "3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n") != NULL);
    CHECK(strstr(peer.heard, "Expect") == NULL);
}

/* ---- peers that misbehave ------------------------------------------------ */

#define HEAD "HTTP/1.1 200 OK\r\n"
#define CHUNKED HEAD "Transfer-Encoding: chunked\r\n\r\n"

TEST(every_peer_comes_to_an_end)
{
    static const struct {
        const char *scheme;
        void (*talk)(struct peer *peer, int connection);
        const char *say;
        int pause_us;
        enum http_outcome outcome;
    } rows[] = {
        {"http", peer_answers_once, "", 0, HTTP_LOST},
        {"http", peer_answers_once, "what is this?\r\n\r\n", 0, HTTP_BROKEN},
        {"http", peer_answers_once, "HTTP/1.1 20", 0, HTTP_LOST},
        {"http", peer_answers_once, ANSWER("9", "hello"), 0, HTTP_LOST},
        {"http", peer_answers_once, ANSWER("-1", "hello"), 0, HTTP_BROKEN},
        {"http", peer_answers_once, CHUNKED "5\r\nhel", 0, HTTP_LOST},
        {"http", peer_answers_once, CHUNKED "zz\r\nhel", 0, HTTP_BROKEN},
        {"http", peer_answers_once, ANSWER("99999999999", ""), 0, HTTP_LOST},
        {"http", peer_is_silent, "", 0, HTTP_TIMED_OUT},
        {"http", peer_goes_on, HEAD "|X: y\r\n", 0, HTTP_TOO_LARGE},
        {"http", peer_goes_on, HEAD "|xxxxxxxx", 0, HTTP_TOO_LARGE},
        {"http", peer_goes_on, "|HTTP/1.1 100 Continue\r\n\r\n", 0,
         HTTP_TOO_LARGE},
        {"http", peer_goes_on, HEAD "\r\n|hello hello hello", 0,
         HTTP_TOO_LARGE},
        {"http", peer_goes_on, CHUNKED "|1\r\nx\r\n", 0, HTTP_TOO_LARGE},
        {"http", peer_goes_on, CHUNKED "1;|extension", 0, HTTP_TOO_LARGE},
        {"http", peer_goes_on, CHUNKED "0\r\n|X: y\r\n", 0, HTTP_TOO_LARGE},
        {"http", peer_goes_on, "HTTP/1.1 2|0", 20 * MS, HTTP_TIMED_OUT},
        {"http", peer_goes_on, HEAD "|X", 20 * MS, HTTP_TIMED_OUT},
        {"http", peer_goes_on, HEAD "\r\n|x", 20 * MS, HTTP_TIMED_OUT},
        {"https", peer_answers_once, HEAD "\r\n", 0, HTTP_TLS_FAILED},
        {"https", peer_repeats, "what is this?", 0, HTTP_TLS_FAILED},
        {"https", peer_repeats, "\x16\x03\x03\x40", 20 * MS, HTTP_TLS_FAILED},
        {"https", peer_is_silent, "", 0, HTTP_TLS_FAILED},
    };
    EACH_ROW (row, rows) {
        struct peer peer = {
            .talk = row->talk, .say = row->say, .pause_us = row->pause_us};
        struct asker asker = {.settings = {.connect_us = 500 * MS}};
        peer_start(&peer);
        asker_open(&asker);
        asker.request = (struct http_request){.method = "GET",
                                              .url = url_of(&peer, row->scheme),
                                              .limit_us = 500 * MS,
                                              .header_bytes = 10000,
                                              .body_bytes = 10000};
        if (row->outcome == HTTP_TOO_LARGE)
            asker.request.limit_us = 20000 * MS;
        const struct http_answer *answer = asker_ask(&asker);
        CHECK_EQ_TEXT(http_outcome_name(answer->outcome),
                      http_outcome_name(row->outcome));
        CHECK(answer->detail[0] != '\0');
        CHECK(answer->times.connect_us >= 0);
        asker_close(&asker);
        peer_stop(&peer);
    }
}

TEST(who_does_not_listen_is_not_connected)
{
    static struct peer peer = {.talk = peer_is_silent};
    struct asker asker = {0};
    peer_start(&peer);
    peer_stop(&peer);
    asker_open(&asker);
    asker.request =
        (struct http_request){.method = "GET", .url = url_of(&peer, "http")};
    CHECK_EQ_INT(asker_ask(&asker)->outcome, HTTP_NOT_CONNECTED);
    CHECK_EQ_INT(asker.answer.system_code, ECONNREFUSED);
    CHECK_EQ_INT(asker.answer.times.sent_us, 0);
    asker.request.url = "https://";
    CHECK_EQ_INT(asker_ask(&asker)->outcome, HTTP_URL_REFUSED);
    asker.request.url = "https://name.invalid/";
    CHECK_EQ_INT(asker_ask(&asker)->outcome, HTTP_NOT_RESOLVED);
    CHECK_EQ_INT(asker.answer.times.dns_us, -1);
    asker_close(&asker);
}

/* ---- giving up ----------------------------------------------------------- */

static void cancel(void *context)
{
    struct asker *asker = context;
    http_cancel(asker->exchange);
}

static void start_and_cancel(void *context)
{
    struct asker *asker = context;
    asker->exchange = http_start(asker->client, &asker->request);
    http_cancel(asker->exchange);
}

static void cancel_in_answer(void *context, int status, int64_t at_us)
{
    struct asker *asker = context;
    CHECK_EQ_INT(status, 200);
    CHECK(at_us > 0);
    http_cancel(asker->exchange);
}

TEST(exchanges_are_cancelled_anywhere)
{
    static struct peer silent = {.talk = peer_is_silent};
    static struct peer loud = {.talk = peer_answers_once,
                               .say = ANSWER("5", "hello")};
    struct asker asker = {0};
    peer_start(&silent);
    asker_open(&asker);
    asker.request =
        (struct http_request){.method = "GET", .url = url_of(&silent, "http")};
    asker_start(&asker);
    usleep(20 * MS);
    loop_call(asker.loop, cancel, &asker);
    loop_call(asker.loop, start_and_cancel, &asker);
    asker_start(&asker); /* still runs when the client closes */
    peer_start(&loud);
    asker.request.url = url_of(&loud, "http");
    asker.request.on_answer = cancel_in_answer;
    asker_start(&asker);
    usleep(50 * MS);
    asker.request.on_answer = NULL;
    asker.request.url = "http://name.invalid/";
    asker_start(&asker); /* so is a name being looked up */
    asker_close(&asker);
    CHECK(!asker.done);
    peer_stop(&silent);
    peer_stop(&loud);
}
