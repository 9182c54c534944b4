/*
 * Publisher and subscriber: with our server between them, and with peers that
 * do what no server should.
 */
#include "asker.h"
#include "base/arena.h"
#include "base/clock.h"
#include "harness.h"
#include "peer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MS = 1000, URL_BYTES = 100, SEGMENTS = 12, PIECES = 5 };

struct scene {
    struct asker asker; /* the loop and the client */
    struct server *server;
    struct trickle_server *trickle;
    struct trickle_publisher *publisher;
    struct trickle_subscriber *subscriber;
    struct trickle_subscriber_settings wishes;
    char url[URL_BYTES];
    struct loop_timer pace;
    int written; /* pieces */

    struct buf got;  /* "[0]bytes" for each segment, "!" where cut off */
    int64_t last_us; /* stamp of the last bytes */
    int stamps_wrong;
    bool ended;
    bool closed;
    enum trickle_end end;
    char detail[TRICKLE_DETAIL_BYTES];
};

/* ---- what a subscriber tells --------------------------------------------- */

static void on_segment(void *context, int64_t seq, int64_t at_us)
{
    struct scene *scene = context;
    buf_printf(&scene->got, "[%lld]", (long long)seq);
    scene->stamps_wrong += at_us < scene->last_us;
}

static void on_bytes(void *context, struct text bytes, int64_t at_us)
{
    struct scene *scene = context;
    buf_add(&scene->got, bytes.data, bytes.length);
    scene->stamps_wrong +=
        at_us < scene->last_us || at_us > clock_monotonic_us();
    scene->last_us = at_us;
}

static void on_segment_end(void *context, int64_t seq, bool whole)
{
    struct scene *scene = context;
    (void)seq;
    if (!whole)
        buf_add_string(&scene->got, "!");
}

static void tell(struct scene *scene, bool *what)
{
    pthread_mutex_lock(&scene->asker.mutex);
    *what = true;
    pthread_cond_signal(&scene->asker.changed);
    pthread_mutex_unlock(&scene->asker.mutex);
}

static void await(struct scene *scene, const bool *what)
{
    pthread_mutex_lock(&scene->asker.mutex);
    while (!*what)
        pthread_cond_wait(&scene->asker.changed, &scene->asker.mutex);
    pthread_mutex_unlock(&scene->asker.mutex);
}

static void on_end(void *context, enum trickle_end end, const char *detail)
{
    struct scene *scene = context;
    scene->end = end;
    snprintf(scene->detail, sizeof scene->detail, "%s", detail);
    tell(scene, &scene->ended);
}

static void on_closed(void *context)
{
    struct scene *scene = context;
    tell(scene, &scene->closed);
}

static void subscribe(void *context)
{
    struct scene *scene = context;
    scene->wishes.url = scene->url;
    scene->wishes.context = scene;
    scene->wishes.on_segment = on_segment;
    scene->wishes.on_bytes = on_bytes;
    scene->wishes.on_segment_end = on_segment_end;
    scene->wishes.on_end = on_end;
    scene->subscriber = trickle_subscribe(scene->asker.client, &scene->wishes);
}

static void unsubscribe(void *context)
{
    struct scene *scene = context;
    trickle_subscriber_drop(scene->subscriber);
}

/* ---- through our server -------------------------------------------------- */

static void handle(void *context, struct exchange *exchange)
{
    struct scene *scene = context;
    trickle_server_handle(scene->trickle, exchange);
}

static void open_trickle(void *context)
{
    static const struct trickle_observer nobody;
    struct scene *scene = context;
    scene->trickle = trickle_server_new(scene->asker.loop);
    trickle_server_add(scene->trickle, "abc", "video/MP2T", &nobody);
}

static void free_trickle(void *context)
{
    struct scene *scene = context;
    trickle_server_free(scene->trickle);
}

static void open_scene(struct scene *scene, bool tls)
{
    asker_open(&scene->asker);
    loop_call(scene->asker.loop, open_trickle, scene);
    struct server_settings settings = {
        .host = "127.0.0.1", .tls = tls, .handle = handle, .context = scene};
    REQUIRE_OK(server_open(&scene->server, scene->asker.loop, &settings));
    snprintf(scene->url, sizeof scene->url, "%s://127.0.0.1:%u/ai/trickle/abc",
             tls ? "https" : "http", (unsigned)server_port(scene->server));
    scene->wishes.first = TRICKLE_NEWEST;
}

static void close_scene(struct scene *scene)
{
    asker_close_client(&scene->asker);
    server_close(scene->server);
    loop_call(scene->asker.loop, free_trickle, scene);
    asker_close(&scene->asker);
    buf_free(&scene->got);
}

static void write_piece(void *context)
{
    struct scene *scene = context;
    char piece[20];
    int length = snprintf(piece, sizeof piece, "<%d>", scene->written++);
    trickle_publisher_write(scene->publisher,
                            (struct text){piece, (size_t)length});
    if (scene->written % PIECES == 0)
        trickle_publisher_next(scene->publisher);
    if (scene->written < SEGMENTS * PIECES)
        loop_timer_after(&scene->pace, 3 * MS);
    else
        loop_timer_after(&scene->pace, 300 * MS);
    if (scene->written == SEGMENTS * PIECES + 1)
        loop_timer_stop(&scene->pace);
    if (scene->written == SEGMENTS * PIECES + 1)
        trickle_publisher_close(scene->publisher, on_closed, scene);
}

static void publish(void *context)
{
    struct scene *scene = context;
    struct trickle_publisher_settings settings = {.url = scene->url,
                                                  .mime = "video/MP2T",
                                                  .preconnect =
                                                      scene->written == 0,
                                                  .context = scene,
                                                  .on_end = on_end};
    scene->written = 0;
    scene->publisher = trickle_publish(scene->asker.client, &settings);
    loop_timer_init(&scene->pace, scene->asker.loop, write_piece, scene);
    loop_timer_after(&scene->pace, 100 * MS);
}

static void wanted_of(struct buf *wanted)
{
    for (int i = 0; i < SEGMENTS * PIECES; i++) {
        if (i % PIECES == 0)
            buf_printf(wanted, "[%d]", i / PIECES);
        buf_printf(wanted, "<%d>", i);
    }
}

TEST(what_is_published_is_subscribed_to)
{
    static const struct {
        bool tls;
        bool preconnect;
    } rows[] = {{false, true}, {true, true}, {false, false}};
    struct buf wanted = {0};
    wanted_of(&wanted);
    EACH_ROW (row, rows) {
        struct scene scene = {.written = row->preconnect ? 0 : 1,
                              .wishes.preconnect = row->preconnect};
        open_scene(&scene, row->tls);
        loop_call(scene.asker.loop, subscribe, &scene);
        loop_call(scene.asker.loop, publish, &scene);
        await(&scene, &scene.closed);
        await(&scene, &scene.ended);
        /* The last piece was cut off by the deletion, or not read at all. */
        scene.got.length =
            scene.got.length < wanted.length ? scene.got.length : wanted.length;
        CHECK_EQ_TEXT(buf_string(&scene.got), buf_string(&wanted));
        CHECK_EQ_TEXT(trickle_end_name(scene.end), "closed");
        CHECK_EQ_INT(scene.stamps_wrong, 0);
        loop_call(scene.asker.loop, unsubscribe, &scene);
        close_scene(&scene);
    }
    buf_free(&wanted);
}

static void publish_nowhere(void *context)
{
    struct scene *scene = context;
    scene->url[strlen(scene->url) - 1] = 'd';
    publish(scene);
    loop_timer_stop(&scene->pace);
}

static void close_publisher(void *context)
{
    struct scene *scene = context;
    trickle_publisher_close(scene->publisher, on_closed, scene);
}

TEST(a_channel_that_is_not_there_has_ended)
{
    struct scene scene = {0};
    open_scene(&scene, false);
    loop_call(scene.asker.loop, publish_nowhere, &scene);
    await(&scene, &scene.ended);
    CHECK_EQ_TEXT(trickle_end_name(scene.end), "closed");
    CHECK_EQ_TEXT(scene.detail, "the channel is not there");
    loop_call(scene.asker.loop, close_publisher, &scene);
    await(&scene, &scene.closed);
    scene.ended = false;
    loop_call(scene.asker.loop, subscribe, &scene);
    await(&scene, &scene.ended);
    CHECK_EQ_TEXT(trickle_end_name(scene.end), "closed");
    loop_call(scene.asker.loop, unsubscribe, &scene);
    close_scene(&scene);
}

/* ---- with peers that misbehave ------------------------------------------- */

#define SEGMENT "HTTP/1.1 200 OK\r\nLp-Trickle-Seq: 0\r\n"
#define CHUNKED SEGMENT "Transfer-Encoding: chunked\r\n\r\n"

/* The first connection gets the segment, the second one waits. */
static void goes_on_once(struct peer *peer, int connection)
{
    if (peer->connections == 1)
        peer_goes_on(peer, connection);
    else
        peer_is_silent(peer, connection);
}

/* The channel is always where nobody has asked yet. */
static void runs_away(struct peer *peer, int connection)
{
    char answer[200];
    for (int latest = 1; peer_hear(peer, connection, "\r\n\r\n"); latest++) {
        snprintf(answer, sizeof answer,
                 "HTTP/1.1 470 Not there\r\nContent-Length: 0\r\n"
                 "Lp-Trickle-Latest: %d\r\n\r\n",
                 latest);
        peer_say(connection, answer);
    }
}

/* Segment after segment, as many as are asked for. */
static void floods(struct peer *peer, int connection)
{
    char answer[200];
    const char *heard;
    while ((heard = peer_hear(peer, connection, "\r\n\r\n"))) {
        const char *number = strstr(heard, "/c/") + 3;
        snprintf(answer, sizeof answer,
                 "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n"
                 "Lp-Trickle-Seq: %d\r\n\r\n%s",
                 (int)strlen(peer->say),
                 *number == '-' ? 0 : (int)strtol(number, NULL, 10), peer->say);
        peer_say(connection, answer);
    }
}

TEST(a_subscriber_comes_to_an_end)
{
    static const struct {
        void (*talk)(struct peer *peer, int connection);
        const char *say;
        int pause_us;
        const char *end;
        const char *detail;
    } rows[] = {
        {peer_answers, "HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n", 0,
         "closed", "the channel is not there"},
        {peer_answers,
         SEGMENT "Lp-Trickle-Closed: terminated\r\nContent-Length: 0\r\n\r\n",
         0, "closed", "the channel is closed"},
        {peer_answers, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx", 0,
         "broken", "a segment without a number came"},
        {peer_answers, SEGMENT "Content-Length: 1\r\n\r\nx", 0, "broken",
         "segment 1 is answered with segment 0"},
        {runs_away, "", 0, "too_much", "100 answers in a row hold no byte"},
        {floods, "", 0, "too_much", "100 answers in a row hold no byte"},
        {floods, "x", 0, "too_much", "more than 1000 segments came"},
        {peer_goes_on, CHUNKED "|8000\r\n", 0, "broken", NULL},
        {goes_on_once, SEGMENT "\r\n|xxxxxxxxxx", 0, "too_much",
         "segment 0 has more than 100000 bytes"},
        {goes_on_once, CHUNKED "|1\r\nx\r\n", 20 * MS, "stalled", NULL},
    };
    EACH_ROW (row, rows) {
        struct peer peer = {
            .talk = row->talk, .say = row->say, .pause_us = row->pause_us};
        struct scene scene = {.wishes = {.first = TRICKLE_NEWEST,
                                         .preconnect = true,
                                         .segment_bytes = 100000,
                                         .segment_us = 2000 * MS,
                                         .segments = 1000}};
        peer_start(&peer);
        asker_open(&scene.asker);
        snprintf(scene.url, sizeof scene.url, "http://127.0.0.1:%u/c",
                 peer.port);
        loop_call(scene.asker.loop, subscribe, &scene);
        await(&scene, &scene.ended);
        CHECK_EQ_TEXT(trickle_end_name(scene.end), row->end);
        if (row->detail)
            CHECK_EQ_TEXT(scene.detail, row->detail);
        loop_call(scene.asker.loop, unsubscribe, &scene);
        asker_close(&scene.asker);
        peer_stop(&peer);
        buf_free(&scene.got);
    }
}

static void does_not_read(struct peer *peer, int connection)
{
    int room = 4096;
    setsockopt(connection, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
    while (!peer->stopping)
        usleep(20 * MS);
}

static void answers_early(struct peer *peer, int connection)
{
    peer_hear(peer, connection, "\r\n\r\n");
    peer_say(connection, peer->say);
    peer_is_silent(peer, connection);
}

/* Pieces large enough to fill any buffer soon. */
static void write_much(void *context)
{
    struct scene *scene = context;
    static char piece[64 << 10];
    trickle_publisher_write(scene->publisher,
                            (struct text){piece, sizeof piece});
    if (++scene->written % PIECES == 0 && scene->wishes.first == 0)
        trickle_publisher_next(scene->publisher);
    if (!scene->ended)
        loop_timer_after(&scene->pace, 5 * MS);
}

static void publish_much(void *context)
{
    struct scene *scene = context;
    publish(scene);
    loop_timer_init(&scene->pace, scene->asker.loop, write_much, scene);
    loop_timer_after(&scene->pace, 0);
}

static void end_publishing(void *context)
{
    struct scene *scene = context;
    struct trickle_published tally = trickle_publisher_tally(scene->publisher);
    CHECK_EQ_INT(tally.segments, 0);
    CHECK(tally.bytes > 0);
    loop_timer_stop(&scene->pace);
    trickle_publisher_drop(scene->publisher);
}

TEST(a_publisher_comes_to_an_end)
{
    static const struct {
        void (*talk)(struct peer *peer, int connection);
        const char *say;
        bool one_segment;
        const char *end;
    } rows[] = {
        {peer_answers, "HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n", false,
         "failed"},
        {peer_answers_once, "", false, "failed"},
        {peer_answers_once, "what is this?\r\n\r\n", false, "failed"},
        {peer_repeats, "HTTP/1.1 100 Continue\r\n\r\n", false, "failed"},
        {peer_is_silent, "", false, "slow"},
        {does_not_read, "", true, "slow"},
        {answers_early,
         "HTTP/1.1 200 OK\r\nLp-Trickle-Closed: terminated\r\n"
         "Connection: close\r\nContent-Length: 0\r\n\r\n",
         false, "closed"},
        {answers_early,
         "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
         false, "failed"},
    };
    EACH_ROW (row, rows) {
        struct peer *peer = memory_zeroed(1, sizeof *peer);
        struct scene scene = {.wishes = {.first = row->one_segment}};
        peer->talk = row->talk;
        peer->say = row->say;
        peer_start(peer);
        asker_open(&scene.asker);
        snprintf(scene.url, sizeof scene.url, "http://127.0.0.1:%u/c",
                 peer->port);
        loop_call(scene.asker.loop, publish_much, &scene);
        await(&scene, &scene.ended);
        CHECK_EQ_TEXT(trickle_end_name(scene.end), row->end);
        loop_call(scene.asker.loop, end_publishing, &scene);
        asker_close(&scene.asker);
        peer_stop(peer);
        free(peer);
    }
}
