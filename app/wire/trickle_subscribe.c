/*
 * trickle_subscribe.c: the subscriber of trickle.h.
 *
 * A fetch is one segment's GET. Two are open at a time, with .preconnect: the
 * present segment, whose bytes are handed on as they come, and the one ahead,
 * asked for as soon as the present one has begun. What comes of the one ahead
 * before the present one has ended is held, each run of bytes with its stamp,
 * and handed on then.
 *
 * What an answer that is no segment means (§4.2): 470 says where the channel
 * is, 404 and Lp-Trickle-Closed that it has ended; all else is an error, five
 * of which in a row end the subscription.
 */
#include "base/arena.h"
#include "base/clock.h"
#include "wire/trickle.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    SEGMENT_BYTES = 32 << 20,
    SEGMENT_US = 60000000,
    SEGMENTS = 10000,
    WATCH_US = 1000000,
    /* A GET without an answer is asked again after so long. */
    REFRESH_US = 20000000,
    /* How long a segment may be silent when the next one has begun. */
    OVERTAKEN_US = 2000000,
    MISS_US = 250000,
    ERROR_US = 300000,
    ERRORS_MAX = 5,
    MISSES_MAX = 100, /* answers in a row without a byte */
    HTTP_OK = 200,
    HTTP_NOT_FOUND = 404,
    TRICKLE_NOT_THERE = 470
};

struct fetch {
    struct trickle_subscriber *subscriber;
    struct http_exchange *exchange; /* null before and after */
    struct trickle_headers headers;
    int64_t seq; /* asked for; the server's once it has begun */
    int64_t asked_us;
    int64_t begun_us; /* the head of a segment came, 0 before */
    int64_t came_us;  /* the last bytes came */
    uint64_t bytes;
    bool told; /* on_segment */
    bool done;
    bool whole; /* where done */
    int status; /* where done; 0 for none */
    char detail[TRICKLE_DETAIL_BYTES];
    struct buf held; /* of the one ahead: struct run, then its bytes */
};

struct run {
    int64_t at_us;
    size_t length;
};

struct trickle_subscriber {
    struct http_client *client;
    char *channel;
    struct trickle_subscriber_settings settings;
    struct fetch *present; /* always one of these two */
    struct fetch *ahead;
    struct fetch fetches[2];
    unsigned errors;
    unsigned misses;
    uint64_t segments;
    struct loop_timer watch;
    struct loop_timer again; /* asks for the present segment once more */
    struct loop_timer tell;
    bool has_ended;
    enum trickle_end end;
    char detail[TRICKLE_DETAIL_BYTES];
};

static void go_on(struct trickle_subscriber *subscriber);

/* ---- ending -------------------------------------------------------------- */

static void stop_fetch(struct fetch *fetch)
{
    if (fetch->exchange)
        http_cancel(fetch->exchange);
    fetch->exchange = NULL;
    buf_free(&fetch->held);
}

static void stop_all(struct trickle_subscriber *subscriber)
{
    stop_fetch(subscriber->present);
    stop_fetch(subscriber->ahead);
    loop_timer_stop(&subscriber->watch);
    loop_timer_stop(&subscriber->again);
}

static void finish(struct trickle_subscriber *subscriber, enum trickle_end end,
                   const char *format, ...) PRINTF_LIKE(3, 4);

static void finish(struct trickle_subscriber *subscriber, enum trickle_end end,
                   const char *format, ...)
{
    va_list arguments;
    if (subscriber->has_ended)
        return;
    va_start(arguments, format);
    vsnprintf(subscriber->detail, sizeof subscriber->detail, format, arguments);
    va_end(arguments);
    subscriber->has_ended = true;
    subscriber->end = end;
    stop_all(subscriber);
    loop_timer_after(&subscriber->tell, 0);
}

static void tell_end(void *context)
{
    struct trickle_subscriber *subscriber = context;
    if (subscriber->settings.on_end)
        subscriber->settings.on_end(subscriber->settings.context,
                                    subscriber->end, subscriber->detail);
}

static void free_subscriber(void *context)
{
    struct trickle_subscriber *subscriber = context;
    free(subscriber->channel);
    free(subscriber);
}

/* Its memory stays until whatever calls back at the moment has returned. */
void trickle_subscriber_drop(struct trickle_subscriber *subscriber)
{
    stop_all(subscriber);
    loop_timer_stop(&subscriber->tell);
    subscriber->has_ended = true;
    loop_post(subscriber->tell.loop, free_subscriber, subscriber);
}

/* ---- handing on ---------------------------------------------------------- */

static void tell_bytes(struct fetch *fetch, struct text bytes, int64_t at_us)
{
    const struct trickle_subscriber *subscriber = fetch->subscriber;
    const struct trickle_subscriber_settings *to = &subscriber->settings;
    bool first = !fetch->told;
    fetch->told = true;
    if (first && to->on_segment && !subscriber->has_ended)
        to->on_segment(to->context, fetch->seq, at_us);
    if (to->on_bytes && !subscriber->has_ended)
        to->on_bytes(to->context, bytes, at_us);
}

static void tell_segment_end(struct fetch *fetch)
{
    const struct trickle_subscriber *subscriber = fetch->subscriber;
    const struct trickle_subscriber_settings *to = &subscriber->settings;
    if (fetch->told && to->on_segment_end && !subscriber->has_ended)
        to->on_segment_end(to->context, fetch->seq, fetch->whole);
}

static void hold(struct fetch *fetch, struct text bytes, int64_t at_us)
{
    struct run run = {.at_us = at_us, .length = bytes.length};
    buf_add(&fetch->held, &run, sizeof run);
    buf_add(&fetch->held, bytes.data, bytes.length);
}

static void tell_held(struct fetch *fetch)
{
    struct buf held = fetch->held;
    size_t at = 0;
    fetch->held = (struct buf){0};
    while (at < held.length) {
        struct run run;
        memcpy(&run, held.data + at, sizeof run);
        at += sizeof run;
        tell_bytes(fetch, (struct text){held.data + at, run.length}, run.at_us);
        at += run.length;
    }
    buf_free(&held);
}

/* ---- one GET ------------------------------------------------------------- */

static void ask(struct fetch *fetch, int64_t seq);

static void on_header(void *context, struct text name, struct text value)
{
    struct fetch *fetch = context;
    trickle_headers_add(&fetch->headers, name, value);
}

static void ask_ahead(struct trickle_subscriber *subscriber)
{
    struct fetch *present = subscriber->present;
    if (subscriber->settings.preconnect && !subscriber->has_ended &&
        !present->headers.closed)
        ask(subscriber->ahead, present->seq + 1);
}

static void on_answer(void *context, int status, int64_t at_us)
{
    struct fetch *fetch = context;
    struct trickle_subscriber *subscriber = fetch->subscriber;
    if (status != HTTP_OK)
        return;
    if (fetch->headers.seq >= 0 && fetch->seq >= 0 &&
        fetch->headers.seq != fetch->seq) {
        finish(subscriber, TRICKLE_BROKEN,
               "segment %lld is answered with segment %lld",
               (long long)fetch->seq, (long long)fetch->headers.seq);
        return;
    }
    if (fetch->headers.seq >= 0)
        fetch->seq = fetch->headers.seq;
    if (fetch->seq < 0) {
        finish(subscriber, TRICKLE_BROKEN, "a segment without a number came");
        return;
    }
    fetch->begun_us = fetch->came_us = at_us;
    if (++subscriber->segments > subscriber->settings.segments) {
        finish(subscriber, TRICKLE_TOO_MUCH, "more than %llu segments came",
               (unsigned long long)subscriber->settings.segments);
        return;
    }
    if (fetch == subscriber->present)
        ask_ahead(subscriber);
}

static void on_body(void *context, struct text bytes, int64_t at_us)
{
    struct fetch *fetch = context;
    struct trickle_subscriber *subscriber = fetch->subscriber;
    if (!fetch->begun_us)
        return; /* the words of an error */
    fetch->bytes += bytes.length;
    fetch->came_us = at_us;
    subscriber->misses = subscriber->errors = 0;
    if (fetch == subscriber->present)
        tell_bytes(fetch, bytes, at_us);
    else
        hold(fetch, bytes, at_us);
}

static void on_done(void *context, const struct http_answer *answer)
{
    struct fetch *fetch = context;
    fetch->exchange = NULL;
    fetch->done = true;
    fetch->whole = answer->outcome == HTTP_ANSWERED;
    fetch->status = answer->status;
    snprintf(fetch->detail, sizeof fetch->detail, "%s", answer->detail);
    if (answer->outcome == HTTP_TOO_LARGE)
        finish(fetch->subscriber, TRICKLE_TOO_MUCH,
               "segment %lld has more than %zu bytes", (long long)fetch->seq,
               fetch->subscriber->settings.segment_bytes);
    else if (fetch == fetch->subscriber->present)
        go_on(fetch->subscriber);
}

static void ask(struct fetch *fetch, int64_t seq)
{
    struct trickle_subscriber *subscriber = fetch->subscriber;
    char url[TRICKLE_URL_BYTES];
    struct http_request request = {.method = "GET",
                                   .url = url,
                                   .body_bytes =
                                       subscriber->settings.segment_bytes,
                                   .context = fetch,
                                   .on_header = on_header,
                                   .on_answer = on_answer,
                                   .on_body = on_body,
                                   .on_done = on_done};
    if (!trickle_segment_url(subscriber->channel, seq, url)) {
        finish(subscriber, TRICKLE_FAILED, "the channel's URL is too long");
        return;
    }
    stop_fetch(fetch);
    *fetch = (struct fetch){
        .subscriber = subscriber, .seq = seq, .asked_us = clock_monotonic_us()};
    trickle_headers_begin(&fetch->headers);
    fetch->exchange = http_start(subscriber->client, &request);
}

/* ---- what comes next ----------------------------------------------------- */

static void ask_again(void *context)
{
    struct trickle_subscriber *subscriber = context;
    ask(subscriber->present, subscriber->present->seq);
}

/* The one ahead becomes present, with all that came of it; where there is none
 * it is asked for. */
static void turn_page(struct trickle_subscriber *subscriber)
{
    struct fetch *past = subscriber->present;
    int64_t next = past->seq + 1;
    subscriber->present = subscriber->ahead;
    subscriber->ahead = past;
    stop_fetch(past);
    *past = (struct fetch){.subscriber = subscriber, .done = true};
    struct fetch *present = subscriber->present;
    if (present->seq != next || (!present->exchange && !present->done)) {
        ask(present, next);
    } else if (present->begun_us) {
        tell_held(present);
        if (!present->done)
            ask_ahead(subscriber);
    }
}

static void missed(struct trickle_subscriber *subscriber)
{
    if (++subscriber->misses > MISSES_MAX)
        finish(subscriber, TRICKLE_TOO_MUCH, "%d answers in a row hold no byte",
               MISSES_MAX);
}

static void end_segment(struct trickle_subscriber *subscriber)
{
    struct fetch *past = subscriber->present;
    bool closed = past->headers.closed;
    tell_segment_end(past);
    if (past->bytes == 0)
        missed(subscriber);
    if (closed)
        finish(subscriber, TRICKLE_CLOSED, "the channel is closed");
    if (!subscriber->has_ended)
        turn_page(subscriber);
}

/* 470: the channel is elsewhere, or not yet there. */
static void seek(struct trickle_subscriber *subscriber)
{
    struct fetch *present = subscriber->present;
    int64_t latest = present->headers.latest;
    missed(subscriber);
    if (subscriber->has_ended)
        return;
    if (latest > present->seq)
        ask(present, latest);
    else
        loop_timer_after(&subscriber->again, MISS_US);
}

static void went_wrong(struct trickle_subscriber *subscriber)
{
    const struct fetch *present = subscriber->present;
    if (++subscriber->errors <= ERRORS_MAX) {
        loop_timer_after(&subscriber->again, ERROR_US);
        return;
    }
    if (present->whole)
        finish(subscriber, TRICKLE_FAILED, "segment %lld is answered %d",
               (long long)present->seq, present->status);
    else
        finish(subscriber, TRICKLE_FAILED, "segment %lld: %s",
               (long long)present->seq, present->detail);
}

/* After the present fetch has ended, as long as there is something to do. */
static void go_on(struct trickle_subscriber *subscriber)
{
    while (!subscriber->has_ended && subscriber->present->done &&
           !loop_timer_is_set(&subscriber->again)) {
        const struct fetch *present = subscriber->present;
        if (present->begun_us)
            end_segment(subscriber);
        else if (present->whole && present->status == HTTP_NOT_FOUND)
            finish(subscriber, TRICKLE_CLOSED, "the channel is not there");
        else if (present->whole && present->status == TRICKLE_NOT_THERE)
            seek(subscriber);
        else
            went_wrong(subscriber);
    }
}

/* ---- watching ------------------------------------------------------------ */

static void refresh(struct fetch *fetch, int64_t now_us)
{
    if (fetch->exchange && !fetch->begun_us &&
        now_us - fetch->asked_us > REFRESH_US)
        ask(fetch, fetch->seq);
}

static void watch(void *context)
{
    struct trickle_subscriber *subscriber = context;
    struct fetch *present = subscriber->present;
    struct fetch *ahead = subscriber->ahead;
    int64_t now_us = clock_monotonic_us();
    loop_timer_after(&subscriber->watch, WATCH_US);
    refresh(present, now_us);
    refresh(ahead, now_us);
    if (!present->exchange || !present->begun_us)
        return;
    if (now_us - present->begun_us > subscriber->settings.segment_us) {
        finish(subscriber, TRICKLE_STALLED,
               "segment %lld did not end within %lld s",
               (long long)present->seq,
               (long long)(subscriber->settings.segment_us / 1000000));
    } else if (ahead->bytes && now_us - ahead->begun_us > OVERTAKEN_US &&
               now_us - present->came_us > OVERTAKEN_US) {
        http_cancel(present->exchange);
        present->exchange = NULL;
        present->done = true;
        present->whole = false;
        go_on(subscriber);
    }
}

static void set_caps(struct trickle_subscriber_settings *settings)
{
    if (!settings->segment_bytes)
        settings->segment_bytes = SEGMENT_BYTES;
    if (!settings->segment_us)
        settings->segment_us = SEGMENT_US;
    if (!settings->segments)
        settings->segments = SEGMENTS;
}

struct trickle_subscriber *
trickle_subscribe(struct http_client *client,
                  const struct trickle_subscriber_settings *settings)
{
    struct trickle_subscriber *subscriber =
        memory_zeroed(1, sizeof *subscriber);
    struct loop *loop = http_client_loop(client);
    subscriber->client = client;
    subscriber->channel = strdup(settings->url);
    subscriber->settings = *settings;
    set_caps(&subscriber->settings);
    loop_timer_init(&subscriber->watch, loop, watch, subscriber);
    loop_timer_init(&subscriber->again, loop, ask_again, subscriber);
    loop_timer_init(&subscriber->tell, loop, tell_end, subscriber);
    subscriber->present = &subscriber->fetches[0];
    subscriber->ahead = &subscriber->fetches[1];
    subscriber->present->subscriber = subscriber;
    *subscriber->ahead = (struct fetch){.subscriber = subscriber, .done = true};
    ask(subscriber->present, settings->first);
    loop_timer_after(&subscriber->watch, WATCH_US);
    return subscriber;
}
