/*
 * trickle_publish.c: the publisher of trickle.h.
 *
 * A posting is one segment's POST. One is present and written to; one may be
 * ahead, open but empty; others have ended and wait to be answered, at most
 * three: an orchestrator that lets more pile up is slow. The one ahead is
 * opened when the one that has ended is answered, whose connection it then
 * gets, or a quarter of a second later. What fails before a byte was in it is
 * posted again a quarter of a second later; what fails with bytes in it is
 * lost, and its segment deleted, so that nobody waits for the rest (§4.2, as
 * go-livepeer's client does).
 */
#include "base/arena.h"
#include "base/clock.h"
#include "wire/trickle.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    RETRY_US = 250000,
    AHEAD_US = 250000,
    DELETE_US = 2000000,
    UNSENT_BYTES = 4 << 20,
    UNANSWERED_MAX = 3,
    FAILURES_MAX = 3,
    HTTP_OK = 200,
    HTTP_NOT_FOUND = 404
};

struct posting {
    struct posting *next; /* newer */
    struct trickle_publisher *publisher;
    struct http_exchange *exchange; /* null where it is to be posted anew */
    struct trickle_headers headers;
    int64_t seq;
    uint64_t bytes; /* written into it */
    bool ended;     /* by us */
    bool lost;      /* it failed with bytes in it */
};

struct trickle_publisher {
    struct http_client *client;
    char *channel;
    char *type; /* the header that names the MIME type */
    bool preconnect;
    size_t unsent_max;
    void *context;
    void (*on_ready)(void *context);
    void (*on_end)(void *context, enum trickle_end end, const char *detail);

    struct posting *first; /* oldest */
    struct posting *present;
    struct posting *ahead; /* null without preconnect */
    unsigned failures;     /* in a row */
    struct loop_timer retry;
    struct loop_timer ahead_due;
    struct trickle_published tally;

    bool has_ended;
    enum trickle_end end;
    char detail[TRICKLE_DETAIL_BYTES];
    struct loop_timer tell; /* on_end, or on_closed where nothing was asked */

    struct http_exchange *deleting;
    void (*on_closed)(void *context);
    void *closed_context;
};

/* ---- the list ------------------------------------------------------------ */

static struct posting *add_posting(struct trickle_publisher *publisher,
                                   int64_t seq)
{
    struct posting *posting = memory_zeroed(1, sizeof *posting);
    struct posting **link = &publisher->first;
    while (*link)
        link = &(*link)->next;
    *link = posting;
    posting->publisher = publisher;
    posting->seq = seq;
    return posting;
}

static void remove_posting(struct posting *posting)
{
    struct trickle_publisher *publisher = posting->publisher;
    struct posting **link = &publisher->first;
    while (*link != posting)
        link = &(*link)->next;
    *link = posting->next;
    if (publisher->present == posting)
        publisher->present = NULL;
    if (publisher->ahead == posting)
        publisher->ahead = NULL;
    if (posting->exchange)
        http_cancel(posting->exchange);
    free(posting);
}

static unsigned unanswered(const struct trickle_publisher *publisher)
{
    unsigned count = 0;
    const struct posting *at = publisher->first;
    for (; at; at = at->next)
        count += at->ended;
    return count;
}

/* ---- ending -------------------------------------------------------------- */

static void finish(struct trickle_publisher *publisher, enum trickle_end end,
                   const char *format, ...) PRINTF_LIKE(3, 4);

static void finish(struct trickle_publisher *publisher, enum trickle_end end,
                   const char *format, ...)
{
    va_list arguments;
    if (publisher->has_ended)
        return;
    va_start(arguments, format);
    vsnprintf(publisher->detail, sizeof publisher->detail, format, arguments);
    va_end(arguments);
    publisher->has_ended = true;
    publisher->end = end;
    loop_timer_stop(&publisher->retry);
    loop_timer_stop(&publisher->ahead_due);
    loop_timer_after(&publisher->tell, 0);
}

static void tell_end(void *context)
{
    struct trickle_publisher *publisher = context;
    while (publisher->first)
        remove_posting(publisher->first);
    if (publisher->on_end)
        publisher->on_end(publisher->context, publisher->end,
                          publisher->detail);
}

/* ---- one POST ------------------------------------------------------------ */

static void on_header(void *context, struct text name, struct text value)
{
    struct posting *posting = context;
    trickle_headers_add(&posting->headers, name, value);
}

static void on_connected(void *context)
{
    struct posting *posting = context;
    struct trickle_publisher *publisher = posting->publisher;
    void (*on_ready)(void *context) = publisher->on_ready;
    if (!on_ready || posting != publisher->present)
        return;
    publisher->on_ready = NULL;
    on_ready(publisher->context);
}

/* An answer before the body's end: the other side wants no more of it. */
static void on_answer(void *context, int status, int64_t at_us)
{
    struct posting *posting = context;
    (void)status;
    (void)at_us;
    http_send_end(posting->exchange);
}

/* Nobody shall wait for the rest of what was cut off. */
static void delete_segment(struct trickle_publisher *publisher, int64_t seq)
{
    char url[TRICKLE_URL_BYTES];
    struct http_request request = {
        .method = "DELETE", .url = url, .limit_us = DELETE_US};
    if (trickle_segment_url(publisher->channel, seq, url))
        http_start(publisher->client, &request);
}

static void failed(struct posting *posting, const struct http_answer *answer)
{
    struct trickle_publisher *publisher = posting->publisher;
    bool open = posting == publisher->present || posting == publisher->ahead;
    if (++publisher->failures > FAILURES_MAX) {
        if (answer->outcome == HTTP_ANSWERED)
            finish(publisher, TRICKLE_FAILED, "segment %lld is answered %d",
                   (long long)posting->seq, answer->status);
        else
            finish(publisher, TRICKLE_FAILED, "segment %lld: %s",
                   (long long)posting->seq, answer->detail);
        return;
    }
    if (posting->bytes) {
        publisher->tally.lost += posting->bytes;
        delete_segment(publisher, posting->seq);
    }
    posting->lost = posting->bytes > 0;
    if (!open)
        remove_posting(posting);
    else if (!posting->lost)
        loop_timer_after(&publisher->retry, RETRY_US);
}

static void on_done(void *context, const struct http_answer *answer)
{
    struct posting *posting = context;
    struct trickle_publisher *publisher = posting->publisher;
    bool answered = answer->outcome == HTTP_ANSWERED;
    posting->exchange = NULL;
    if (publisher->has_ended)
        return;
    if (answered &&
        (posting->headers.closed || answer->status == HTTP_NOT_FOUND)) {
        finish(publisher, TRICKLE_CLOSED, "the channel is %s",
               posting->headers.closed ? "closed" : "not there");
    } else if (answered && answer->status == HTTP_OK && posting->ended) {
        publisher->failures = 0;
        publisher->tally.segments++;
        remove_posting(posting);
        if (loop_timer_is_set(&publisher->ahead_due))
            loop_timer_after(&publisher->ahead_due, 0);
    } else {
        failed(posting, answer);
    }
}

static void post(struct posting *posting)
{
    struct trickle_publisher *publisher = posting->publisher;
    char url[TRICKLE_URL_BYTES];
    const char *headers[] = {publisher->type};
    struct http_request request = {.method = "POST",
                                   .url = url,
                                   .headers = headers,
                                   .header_count = 1,
                                   .streamed = true,
                                   .context = posting,
                                   .on_connected = on_connected,
                                   .on_header = on_header,
                                   .on_answer = on_answer,
                                   .on_done = on_done};
    if (!trickle_segment_url(publisher->channel, posting->seq, url)) {
        finish(publisher, TRICKLE_FAILED, "the channel's URL is too long");
        return;
    }
    trickle_headers_begin(&posting->headers);
    posting->exchange = http_start(publisher->client, &request);
}

static void post_again(void *context)
{
    struct trickle_publisher *publisher = context;
    struct posting *open[] = {publisher->present, publisher->ahead};
    for (size_t i = 0; i < 2; i++) {
        if (open[i] && !open[i]->exchange && !open[i]->lost &&
            publisher->preconnect)
            post(open[i]);
    }
}

/* ---- the publisher ------------------------------------------------------- */

static void open_ahead(void *context)
{
    struct trickle_publisher *publisher = context;
    publisher->ahead = add_posting(publisher, publisher->present->seq + 1);
    post(publisher->ahead);
}

struct trickle_publisher *
trickle_publish(struct http_client *client,
                const struct trickle_publisher_settings *settings)
{
    struct trickle_publisher *publisher = memory_zeroed(1, sizeof *publisher);
    struct loop *loop = http_client_loop(client);
    struct buf type = {0};
    buf_printf(&type, "Content-Type: %s", settings->mime);
    publisher->client = client;
    publisher->channel = strdup(settings->url);
    publisher->type = buf_string(&type);
    publisher->preconnect = settings->preconnect;
    publisher->unsent_max =
        settings->unsent_bytes ? settings->unsent_bytes : UNSENT_BYTES;
    publisher->context = settings->context;
    publisher->on_ready = settings->preconnect ? settings->on_ready : NULL;
    publisher->on_end = settings->on_end;
    loop_timer_init(&publisher->retry, loop, post_again, publisher);
    loop_timer_init(&publisher->ahead_due, loop, open_ahead, publisher);
    loop_timer_init(&publisher->tell, loop, tell_end, publisher);
    publisher->present = add_posting(publisher, 0);
    if (publisher->preconnect) {
        post(publisher->present);
        open_ahead(publisher);
    }
    return publisher;
}

void trickle_publisher_write(struct trickle_publisher *publisher,
                             struct text bytes)
{
    struct posting *present = publisher->present;
    publisher->tally.bytes += bytes.length;
    if (publisher->has_ended || present->lost) {
        publisher->tally.lost += bytes.length;
        return;
    }
    if (!present->exchange)
        post(present);
    if (!present->exchange)
        return;
    present->bytes += bytes.length;
    http_send(present->exchange, bytes);
    size_t unsent = http_unsent_bytes(present->exchange);
    if (unsent > publisher->unsent_max)
        finish(publisher, TRICKLE_SLOW, "%zu bytes wait to be taken", unsent);
}

void trickle_publisher_next(struct trickle_publisher *publisher)
{
    struct posting *present = publisher->present;
    if (publisher->has_ended)
        return;
    int64_t next = present->seq + 1;
    present->ended = true;
    publisher->present = publisher->ahead;
    publisher->ahead = NULL;
    if (present->exchange)
        http_send_end(present->exchange);
    else
        remove_posting(present);
    if (!publisher->present)
        publisher->present = add_posting(publisher, next);
    if (publisher->preconnect)
        loop_timer_after(&publisher->ahead_due, AHEAD_US);
    if (unanswered(publisher) > UNANSWERED_MAX)
        finish(publisher, TRICKLE_SLOW, "%u segments wait to be taken",
               unanswered(publisher));
}

struct trickle_published
trickle_publisher_tally(const struct trickle_publisher *publisher)
{
    return publisher->tally;
}

/* ---- closing ------------------------------------------------------------- */

static void free_publisher(struct trickle_publisher *publisher)
{
    while (publisher->first)
        remove_posting(publisher->first);
    if (publisher->deleting)
        http_cancel(publisher->deleting);
    loop_timer_stop(&publisher->retry);
    loop_timer_stop(&publisher->ahead_due);
    loop_timer_stop(&publisher->tell);
    free(publisher->channel);
    free(publisher->type);
    free(publisher);
}

static void closed(void *context)
{
    struct trickle_publisher *publisher = context;
    void (*on_closed)(void *context) = publisher->on_closed;
    void *closed_context = publisher->closed_context;
    free_publisher(publisher);
    if (on_closed)
        on_closed(closed_context);
}

static void on_deleted(void *context, const struct http_answer *answer)
{
    struct trickle_publisher *publisher = context;
    (void)answer;
    publisher->deleting = NULL;
    closed(publisher);
}

void trickle_publisher_close(struct trickle_publisher *publisher,
                             void (*on_closed)(void *context), void *context)
{
    bool is_there = !publisher->has_ended || publisher->end != TRICKLE_CLOSED;
    struct http_request request = {.method = "DELETE",
                                   .url = publisher->channel,
                                   .limit_us = DELETE_US,
                                   .context = publisher,
                                   .on_done = on_deleted};
    publisher->has_ended = true;
    publisher->on_closed = on_closed;
    publisher->closed_context = context;
    while (publisher->first)
        remove_posting(publisher->first);
    loop_timer_stop(&publisher->retry);
    loop_timer_stop(&publisher->ahead_due);
    loop_timer_stop(&publisher->tell);
    if (is_there) {
        publisher->deleting = http_start(publisher->client, &request);
    } else {
        publisher->tell.work = closed;
        loop_timer_after(&publisher->tell, 0);
    }
}

void trickle_publisher_drop(struct trickle_publisher *publisher)
{
    free_publisher(publisher);
}
