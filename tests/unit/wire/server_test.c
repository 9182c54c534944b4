/*
 * server_test.c: what the server answers to bytes, good and bad ones.
 *
 * In the clear: TLS and HTTP/2 are tested by foreign clients in tests/cases.
 */
#include "harness.h"
#include "wire/wire.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { ANSWER_BYTES = 64 << 10 };

struct place {
    struct loop *loop;
    struct server *server;
    struct trickle_server *trickle;
    struct exchange *kept;
    int closed;
    int drained;
    size_t body_bytes;
};

/* ---- a small site -------------------------------------------------------- */

static void count_body(void *context, const char *bytes, size_t length)
{
    struct place *place = context;
    (void)bytes;
    place->body_bytes += length;
}

static void count_closed(void *context)
{
    struct place *place = context;
    place->closed++;
    place->kept = NULL;
}

static void count_drained(void *context)
{
    struct place *place = context;
    place->drained++;
}

static void echo(void *context, struct exchange *exchange, struct text body)
{
    (void)context;
    exchange_reply(exchange, 200, "text/plain", body);
}

static void stream_pieces(struct exchange *exchange)
{
    struct exchange_field field = {"X-Kind", "streamed"};
    exchange_begin(exchange, 200, &field, 1, EXCHANGE_STREAMED);
    exchange_write(exchange, "one", 3);
    exchange_write(exchange, "two", 3);
    exchange_end(exchange, NULL, 0);
}

static void site(void *context, struct exchange *exchange)
{
    static const struct exchange_handler keep = {
        .body = count_body, .drained = count_drained, .closed = count_closed};
    struct place *place = context;
    const char *path = exchange_path(exchange);
    if (strncmp(path, TRICKLE_PATH, strlen(TRICKLE_PATH)) == 0) {
        trickle_server_handle(place->trickle, exchange);
    } else if (strcmp(path, "/echo") == 0) {
        exchange_collect(exchange, 1000, echo, NULL, place);
    } else if (strcmp(path, "/pieces") == 0) {
        stream_pieces(exchange);
    } else if (strcmp(path, "/drop") == 0) {
        exchange_drop(exchange);
    } else if (strcmp(path, "/keep") == 0) {
        place->kept = exchange;
        exchange_keep(exchange, &keep, place);
    } else if (strcmp(path, "/query") == 0) {
        exchange_reply(exchange, 200, "text/plain",
                       text_of(exchange_query(exchange)));
    } else {
        exchange_reply(exchange, 404, "text/plain", text_of("nothing\n"));
    }
}

static void make_trickle(void *context)
{
    static const struct trickle_observer nobody;
    struct place *place = context;
    place->trickle = trickle_server_new(place->loop);
    trickle_server_add(place->trickle, "abc", "video/MP2T", &nobody);
}

static void free_trickle(void *context)
{
    struct place *place = context;
    trickle_server_free(place->trickle);
}

static void open_place(struct place *place)
{
    *place = (struct place){0};
    struct server_settings settings = {
        .host = "127.0.0.1", .handle = site, .context = place};
    REQUIRE_OK(loop_start(&place->loop));
    loop_call(place->loop, make_trickle, place);
    REQUIRE_OK(server_open(&place->server, place->loop, &settings));
}

static void close_place(struct place *place)
{
    server_close(place->server);
    loop_call(place->loop, free_trickle, place);
    loop_stop(place->loop);
}

/* ---- a client of bytes --------------------------------------------------- */

static int dial(const struct place *place)
{
    struct timeval patience = {.tv_sec = 20};
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons(server_port(place->server)),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int connection = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    REQUIRE(connection >= 0);
    setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    REQUIRE(connect(connection, (struct sockaddr *)&address, sizeof address) ==
            0);
    return connection;
}

static void say(int connection, const char *bytes)
{
    size_t length = strlen(bytes);
    CHECK(send(connection, bytes, length, MSG_NOSIGNAL) == (ssize_t)length);
}

/* Reads until WANTED was seen, or the end; what came, zero-terminated. */
static const char *hear(int connection, const char *wanted)
{
    static char answer[ANSWER_BYTES];
    size_t length = 0;
    for (;;) {
        ssize_t got =
            recv(connection, answer + length, sizeof answer - 1 - length, 0);
        if (got <= 0)
            break;
        length += (size_t)got;
        answer[length] = '\0';
        if (wanted && strstr(answer, wanted))
            break;
    }
    answer[length] = '\0';
    return answer;
}

/* The answer's own Date is cut out: it is another each time. */
static void check_answer(const char *answer, const char *wanted)
{
    static char cut[ANSWER_BYTES];
    size_t length = 0;
    while (*answer) {
        size_t line = strcspn(answer, "\n");
        line += answer[line] == '\n';
        if (strncmp(answer, "Date: ", 6) != 0) {
            memcpy(cut + length, answer, line);
            length += line;
        }
        answer += line;
    }
    cut[length] = '\0';
    CHECK_EQ_TEXT(cut, wanted);
}

TEST(requests_get_their_answers)
{
    static const struct {
        const char *request;
        const char *end; /* null: until the server ends the connection */
        const char *answer;
    } rows[] = {
        {"GET /none HTTP/1.1\r\nHost: h\r\n\r\n", "nothing\n",
         "HTTP/1.1 404 Not Found\r\nContent-Type: text/plain\r\n"
         "Content-Length: 8\r\n\r\nnothing\n"},
        {"HEAD /none HTTP/1.1\r\nHost: h\r\n\r\n", "\r\n\r\n",
         "HTTP/1.1 404 Not Found\r\nContent-Type: text/plain\r\n"
         "Content-Length: 8\r\n\r\n"},
        {"GET /query?a=1&b=%20 HTTP/1.1\r\nConnection: close\r\n\r\n", NULL,
         "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
         "Content-Length: 9\r\nConnection: close\r\n\r\na=1&b=%20"},
        {"POST /echo HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello", "hello",
         "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
         "Content-Length: 5\r\n\r\nhello"},
        {"POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
         "3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n",
         "hello",
         "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
         "Content-Length: 5\r\n\r\nhello"},
        {"GET /pieces HTTP/1.1\r\n\r\n", "0\r\n\r\n",
         "HTTP/1.1 200 OK\r\nX-Kind: streamed\r\n"
         "Transfer-Encoding: chunked\r\n\r\n3\r\none\r\n3\r\ntwo\r\n"
         "0\r\n\r\n"},
        {"GET /drop HTTP/1.1\r\n\r\n", NULL, ""},
        /* Two at once are answered one after the other. */
        {"POST /echo HTTP/1.1\r\nContent-Length: 1\r\n\r\na"
         "POST /echo HTTP/1.1\r\nContent-Length: 1\r\n\r\nb",
         "\r\n\r\nb",
         "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
         "Content-Length: 1\r\n\r\na"
         "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
         "Content-Length: 1\r\n\r\nb"},
        {"POST /echo HTTP/1.1\r\nExpect: 100-continue\r\n"
         "Content-Length: 1\r\n\r\na",
         "\r\n\r\na",
         "HTTP/1.1 100 Continue\r\n\r\n"
         "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
         "Content-Length: 1\r\n\r\na"},
        {"nonsense\r\n\r\n", NULL,
         "HTTP/1.1 400 Bad Request\r\n"
         "Content-Type: text/plain; charset=utf-8\r\n"
         "Content-Length: 17\r\nConnection: close\r\n\r\n"
         "this is not HTTP\n"},
        {"POST /echo HTTP/1.1\r\nContent-Length: 1001\r\n\r\n", NULL, ""},
        {"POST /echo HTTP/1.1\r\nContent-Length: 1\r\n"
         "Transfer-Encoding: chunked\r\n\r\n",
         NULL,
         "HTTP/1.1 400 Bad Request\r\n"
         "Content-Type: text/plain; charset=utf-8\r\n"
         "Content-Length: 17\r\nConnection: close\r\n\r\n"
         "this is not HTTP\n"},
    };
    struct place place;
    open_place(&place);
    EACH_ROW (row, rows) {
        int connection = dial(&place);
        say(connection, row->request);
        if (!row->end && !*row->answer)
            shutdown(connection, SHUT_WR);
        check_answer(hear(connection, row->end), row->answer);
        close(connection);
    }
    close_place(&place);
}

TEST(what_is_too_large_is_refused)
{
    struct place place;
    char *request = memory_zeroed(1, 40000);
    int length = snprintf(request, 40000, "GET / HTTP/1.1\r\nA: ");
    memset(request + length, 'a', 35000);
    open_place(&place);
    int connection = dial(&place);
    say(connection, request);
    CHECK(strncmp(hear(connection, NULL), "HTTP/1.1 431 ", 13) == 0);
    close(connection);
    connection = dial(&place);
    say(connection, "GET / HTTP/1.1\r\n");
    for (int i = 0; i < SERVER_HEADERS_MAX + 1; i++)
        say(connection, "A: b\r\n");
    say(connection, "\r\n");
    CHECK(strncmp(hear(connection, NULL), "HTTP/1.1 431 ", 13) == 0);
    close(connection);
    connection = dial(&place);
    memset(request, 'a', 1001);
    request[1001] = '\0';
    say(connection, "POST /echo HTTP/1.1\r\nContent-Length: 1001\r\n\r\n");
    say(connection, request);
    CHECK(strncmp(hear(connection, NULL), "HTTP/1.1 413 ", 13) == 0);
    close(connection);
    free(request);
    close_place(&place);
}

/* ---- exchanges that are kept --------------------------------------------- */

static void answer_kept(void *context)
{
    struct place *place = context;
    exchange_continue(place->kept);
    exchange_reply(place->kept, 200, "text/plain", text_of("late"));
}

static void nothing(void *context)
{
    (void)context;
}

static bool has_kept(struct place *place)
{
    loop_call(place->loop, nothing, place);
    return place->kept != NULL;
}

static void wait_kept(struct place *place, bool wanted)
{
    for (int i = 0; i < 2000 && has_kept(place) != wanted; i++)
        usleep(5000);
    CHECK_EQ_INT(has_kept(place), wanted);
}

TEST(a_kept_exchange_is_answered_later_and_closed_once)
{
    struct place place;
    open_place(&place);
    int connection = dial(&place);
    say(connection, "GET /keep HTTP/1.1\r\n\r\n");
    wait_kept(&place, true);
    loop_call(place.loop, answer_kept, &place);
    check_answer(hear(connection, "late"),
                 "HTTP/1.1 100 Continue\r\n\r\n"
                 "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
                 "Content-Length: 4\r\n\r\nlate");
    wait_kept(&place, false);
    CHECK_EQ_INT(place.closed, 1);
    /* The other side goes away. */
    say(connection, "POST /keep HTTP/1.1\r\nContent-Length: 9\r\n\r\nabc");
    wait_kept(&place, true);
    close(connection);
    wait_kept(&place, false);
    CHECK_EQ_INT(place.closed, 2);
    CHECK_EQ_INT(place.body_bytes, 3);
    /* The server goes away. */
    connection = dial(&place);
    say(connection, "GET /keep HTTP/1.1\r\n\r\n");
    wait_kept(&place, true);
    close_place(&place);
    CHECK_EQ_INT(place.closed, 3);
    CHECK_EQ_TEXT(hear(connection, NULL), "");
    close(connection);
}

enum { FLOOD_BYTES = 8 << 20, FLOOD_PIECE_BYTES = 64 << 10 };

static void flood_kept(void *context)
{
    struct place *place = context;
    static char piece[FLOOD_PIECE_BYTES];
    exchange_begin(place->kept, 200, NULL, 0, FLOOD_BYTES);
    for (int i = 0; i < FLOOD_BYTES / FLOOD_PIECE_BYTES; i++)
        exchange_write(place->kept, piece, sizeof piece);
    CHECK(exchange_unsent(place->kept) > 0);
}

static void end_kept(void *context)
{
    struct place *place = context;
    CHECK_EQ_INT(exchange_unsent(place->kept), 0);
    exchange_end(place->kept, NULL, 0);
}

TEST(who_reads_slowly_is_written_to_when_he_can_take_it)
{
    struct place place;
    static char sink[FLOOD_PIECE_BYTES];
    size_t length = 0;
    open_place(&place);
    int connection = dial(&place);
    say(connection, "GET /keep HTTP/1.1\r\n\r\n");
    wait_kept(&place, true);
    loop_call(place.loop, flood_kept, &place);
    CHECK_EQ_INT(place.drained, 0);
    while (length < FLOOD_BYTES) {
        ssize_t got = recv(connection, sink, sizeof sink, 0);
        REQUIRE(got > 0);
        length += (size_t)got;
    }
    for (int i = 0; i < 2000 && !place.drained; i++) {
        usleep(5000);
        loop_call(place.loop, nothing, NULL);
    }
    CHECK_EQ_INT(place.drained, 1);
    loop_call(place.loop, end_kept, &place);
    wait_kept(&place, false);
    close(connection);
    close_place(&place);
}

/* ---- trickle ------------------------------------------------------------- */

#define OK_EMPTY(fields) "HTTP/1.1 200 OK\r\n" fields "Content-Length: 0\r\n"

TEST(trickle_answers_as_the_transcripts_say)
{
    static const struct {
        const char *request; /* "METHOD path", its body after a blank line */
        const char *answer;  /* its beginning without Date */
    } rows[] = {
        {"GET abc/5",
         "HTTP/1.1 470 \r\nContent-Type: text/plain; charset=utf-8\r\n"
         "Lp-Trickle-Seq: 5\r\nLp-Trickle-Latest: 0\r\n"
         "Content-Length: 16\r\nConnection: close\r\n\r\nEntry not found\n"},
        {"GET abc/next",
         "HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\n"
         "Lp-Trickle-Latest: 0\r\nContent-Length: 1\r\n"
         "Connection: close\r\n\r\n0"},
        {"POST abc/0\nhello", OK_EMPTY("Lp-Trickle-Seq: 0\r\n")},
        {"GET abc/0", "HTTP/1.1 200 OK\r\nContent-Type: video/MP2T\r\n"
                      "Lp-Trickle-Seq: 0\r\nLp-Trickle-Latest: 1\r\n"
                      "Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
                      "5\r\nhello\r\n0\r\n\r\n"},
        {"GET abc/-2", "HTTP/1.1 200 OK\r\nContent-Type: video/MP2T\r\n"
                       "Lp-Trickle-Seq: 0\r\nLp-Trickle-Latest: 1\r\n"
                       "Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
                       "5\r\nhello\r\n0\r\n\r\n"},
        {"HEAD abc/0",
         "HTTP/1.1 200 OK\r\nContent-Type: video/MP2T\r\n"
         "Lp-Trickle-Seq: 0\r\nLp-Trickle-Latest: 1\r\n"
         "Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n"},
        {"GET abc/-3", ""},
        {"POST abc/-3\nx", ""},
        {"POST abc/-1\nmore", OK_EMPTY("Lp-Trickle-Seq: 1\r\n")},
        {"POST abc/7\nx", OK_EMPTY("Lp-Trickle-Seq: 7\r\n")},
        {"POST abc/4\n", OK_EMPTY("Lp-Trickle-Seq: 4\r\n")},
        {"GET abc/next",
         "HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\n"
         "Lp-Trickle-Latest: 5\r\nContent-Length: 1\r\n"
         "Connection: close\r\n\r\n5"},
        {"GET abc/4", "HTTP/1.1 200 OK\r\nContent-Type: video/MP2T\r\n"
                      "Lp-Trickle-Seq: 4\r\nLp-Trickle-Latest: 5\r\n"
                      "Content-Length: 0\r\n"},
        {"POST abc/x\n", "HTTP/1.1 400 Bad Request\r\n"},
        {"DELETE abc/3", "HTTP/1.1 400 Bad Request\r\n"},
        {"DELETE abc/7", "HTTP/1.1 200 OK\r\n"},
        {"PUT abc/0\nx", "HTTP/1.1 405 Method Not Allowed\r\n"},
        {"POST abc\n", "HTTP/1.1 200 OK\r\n"},
        {"POST none/0\nx",
         "HTTP/1.1 404 Not Found\r\n"
         "Content-Type: text/plain; charset=utf-8\r\n"
         "Content-Length: 17\r\nConnection: close\r\n\r\nStream not found\n"},
        {"DELETE none", "HTTP/1.1 400 Bad Request\r\n"},
        {"DELETE abc", "HTTP/1.1 200 OK\r\n"},
        {"GET abc/0", "HTTP/1.1 404 Not Found\r\n"},
    };
    struct place place;
    open_place(&place);
    EACH_ROW (row, rows) {
        char request[300];
        int connection = dial(&place);
        const char *space = strchr(row->request, ' ');
        const char *line = strchr(row->request, '\n');
        int length = (int)(line ? line - space - 1 : (long)strlen(space + 1));
        const char *body = line ? line + 1 : "";
        snprintf(request, sizeof request,
                 "%.*s /ai/trickle/%.*s HTTP/1.1\r\nConnection: close\r\n"
                 "Content-Length: %zu\r\n\r\n%s",
                 (int)(space - row->request), row->request, length, space + 1,
                 strlen(body), body);
        say(connection, request);
        const char *answer = hear(connection, NULL);
        char *head = strstr((char *)(uintptr_t)answer, "Date: ");
        if (head)
            memmove(head, strchr(head, '\n') + 1,
                    strlen(strchr(head, '\n') + 1) + 1);
        CHECK_EQ_MEMORY(answer, row->answer,
                        *row->answer ? strlen(row->answer) : 1);
        close(connection);
    }
    close_place(&place);
}

TEST(a_reader_is_sent_what_comes_when_it_comes)
{
    struct place place;
    open_place(&place);
    int reader = dial(&place);
    int writer = dial(&place);
    say(reader, "GET /ai/trickle/abc/-1 HTTP/1.1\r\n\r\n");
    say(writer, "POST /ai/trickle/abc/0 HTTP/1.1\r\n"
                "Transfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n");
    check_answer(hear(reader, "hel\r\n"),
                 "HTTP/1.1 200 OK\r\nContent-Type: video/MP2T\r\n"
                 "Lp-Trickle-Seq: 0\r\n"
                 "Transfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n");
    say(writer, "2\r\nlo\r\n");
    CHECK_EQ_TEXT(hear(reader, "lo\r\n"), "2\r\nlo\r\n");
    /* Broken off: the reader waits, until a reset ends it. */
    close(writer);
    writer = dial(&place);
    say(writer, "POST /ai/trickle/abc/1 HTTP/1.1\r\nLp-Trickle-Reset: 1\r\n"
                "Transfer-Encoding: chunked\r\n\r\n");
    CHECK_EQ_TEXT(hear(reader, "0\r\n\r\n"), "0\r\n\r\n");
    /* Idle at both ends when the channel is deleted. */
    say(reader, "GET /ai/trickle/abc/1 HTTP/1.1\r\n\r\n");
    int other = dial(&place);
    say(other, "DELETE /ai/trickle/abc HTTP/1.1\r\n\r\n");
    hear(other, "\r\n\r\n");
    check_answer(hear(writer, "\r\n\r\n"),
                 "HTTP/1.1 200 OK\r\nLp-Trickle-Seq: 1\r\n"
                 "Lp-Trickle-Closed: terminated\r\nContent-Length: 0\r\n"
                 "Connection: close\r\n\r\n");
    const char *end = hear(reader, "\r\n\r\n");
    CHECK(strstr(end, "200 OK\r\n"));
    /* Deleted before its request was read, it is unknown. */
    CHECK(strstr(end, "Lp-Trickle-Closed: terminated\r\n") ||
          strstr(end, "404"));
    close(other);
    close(reader);
    close(writer);
    close_place(&place);
}
