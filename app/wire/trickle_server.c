/*
 * trickle_server.c: see trickle_server.h.
 */
#include "wire/trickle_server.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/hash.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    BUCKETS = 256,
    UNSENT_MAX_BYTES = 256 << 10, /* beyond it a reader waits for its socket */
    NUMBER_BYTES = 24
};

struct entry {
    struct entry *after; /* in its bucket */
    char *name;          /* owned */
    struct trickle_channel *channel;
    struct trickle_observer observer;
    size_t holders; /* the table, and exchanges that tell the observer */
    bool is_gone;   /* out of the table: the observer is not called any more */
};

struct trickle_server {
    struct loop *loop;
    struct entry *buckets[BUCKETS];
    struct loop_timer sweep;
};

/* ---- the table ----------------------------------------------------------- */

static struct entry **bucket_of(struct trickle_server *server, struct text name)
{
    return &server->buckets[hash_fast(name.data, name.length) % BUCKETS];
}

static struct entry **find(struct trickle_server *server, struct text name)
{
    struct entry **at = bucket_of(server, name);
    while (*at && !text_is(name, (*at)->name))
        at = &(*at)->after;
    return at;
}

static void entry_release(struct entry *entry)
{
    if (--entry->holders)
        return;
    trickle_channel_release(entry->channel);
    free(entry->name);
    free(entry);
}

/* Takes the entry at AT out of the table and closes its channel. */
static void forget(struct entry **at, bool tell)
{
    struct entry *entry = *at;
    *at = entry->after;
    entry->is_gone = true;
    trickle_channel_close(entry->channel);
    if (tell && entry->observer.closed)
        entry->observer.closed(entry->observer.context);
    entry_release(entry);
}

/* The observers of closed channels may remove others: start again. */
static bool sweep_one(struct trickle_server *server, int64_t now_us)
{
    for (size_t i = 0; i < BUCKETS; i++) {
        for (struct entry **at = &server->buckets[i]; *at; at = &(*at)->after) {
            if ((*at)->channel->begun_us + TRICKLE_IDLE_US > now_us)
                continue;
            forget(at, true);
            return true;
        }
    }
    return false;
}

static void sweep(void *context)
{
    struct trickle_server *server = context;
    int64_t now_us = clock_monotonic_us();
    while (sweep_one(server, now_us))
        continue;
    loop_timer_after(&server->sweep, TRICKLE_SWEEP_US);
}

struct trickle_server *trickle_server_new(struct loop *loop)
{
    struct trickle_server *server = memory_zeroed(1, sizeof *server);
    server->loop = loop;
    loop_timer_init(&server->sweep, loop, sweep, server);
    loop_timer_after(&server->sweep, TRICKLE_SWEEP_US);
    return server;
}

void trickle_server_free(struct trickle_server *server)
{
    loop_timer_stop(&server->sweep);
    for (size_t i = 0; i < BUCKETS; i++) {
        while (server->buckets[i])
            forget(&server->buckets[i], false);
    }
    free(server);
}

struct trickle_channel *
trickle_server_add(struct trickle_server *server, const char *name,
                   const char *mime, const struct trickle_observer *observer)
{
    struct entry *entry = memory_zeroed(1, sizeof *entry);
    struct entry **bucket = bucket_of(server, text_of(name));
    size_t bytes = strlen(name) + 1;
    entry->name = memory_alloc(bytes);
    memcpy(entry->name, name, bytes);
    entry->channel = trickle_channel_new(mime, clock_monotonic_us());
    entry->observer = *observer;
    entry->holders = 1;
    entry->after = *bucket;
    *bucket = entry;
    return entry->channel;
}

void trickle_server_remove(struct trickle_server *server, const char *name)
{
    struct entry **at = find(server, text_of(name));
    if (*at)
        forget(at, false);
}

/* ---- answers ------------------------------------------------------------- */

static const char plain[] = "text/plain; charset=utf-8";

static void refuse(struct exchange *exchange, int status, const char *sentence)
{
    exchange_reply(exchange, status, plain, text_of(sentence));
}

static struct exchange_field number_field(const char *name, int64_t number,
                                          char bytes[NUMBER_BYTES])
{
    snprintf(bytes, NUMBER_BYTES, "%lld", (long long)number);
    return (struct exchange_field){name, bytes};
}

static struct exchange_field seq_field(int64_t seq, char bytes[NUMBER_BYTES])
{
    return number_field("Lp-Trickle-Seq", seq, bytes);
}

static struct exchange_field latest_field(int64_t next,
                                          char bytes[NUMBER_BYTES])
{
    return number_field("Lp-Trickle-Latest", next, bytes);
}

static const struct exchange_field closed_field = {"Lp-Trickle-Closed",
                                                   "terminated"};

/* ---- publishing ---------------------------------------------------------- */

struct publication {
    struct exchange *exchange;
    struct trickle_writer writer; /* without a channel once it is released */
    struct loop_timer interim;
};

static void answer_publication(struct publication *publication)
{
    char bytes[NUMBER_BYTES];
    struct exchange_field fields[2];
    struct exchange *exchange = publication->exchange;
    fields[0] = seq_field(publication->writer.seq, bytes);
    fields[1] = closed_field;
    loop_timer_stop(&publication->interim);
    enum trickle_written written = trickle_write_end(&publication->writer);
    if (written != TRICKLE_WRITTEN)
        exchange_close_after(exchange);
    exchange_reply_fields(exchange, 200, fields,
                          written == TRICKLE_TERMINATED ? 2 : 1, text_of(""));
}

static void send_interim(void *context)
{
    struct publication *publication = context;
    exchange_continue(publication->exchange);
    loop_timer_after(&publication->interim, TRICKLE_CONTINUE_US);
}

static void publish_body(void *context, const char *bytes, size_t length)
{
    struct publication *publication = context;
    loop_timer_stop(&publication->interim);
    if (!publication->writer.channel ||
        trickle_write(&publication->writer, bytes, length))
        return;
    trickle_write_break(&publication->writer);
    exchange_close_after(publication->exchange);
    refuse(publication->exchange, 413, "the segment is too large\n");
}

static void publish_end(void *context)
{
    struct publication *publication = context;
    if (publication->writer.channel)
        answer_publication(publication);
}

static void publish_closed(void *context)
{
    struct publication *publication = context;
    loop_timer_stop(&publication->interim);
    if (publication->writer.channel)
        trickle_write_break(&publication->writer);
    free(publication);
}

/* The segment was closed from elsewhere. Who has sent nothing yet learns of a
 * closed channel at once; the others at the end of their body. */
static void publish_wake(void *context)
{
    struct publication *publication = context;
    if (publication->writer.channel->closed && !publication->writer.wrote)
        answer_publication(publication);
}

static void publish(struct trickle_server *server, struct entry *entry,
                    struct exchange *exchange, int64_t seq)
{
    static const struct exchange_handler handler = {
        .body = publish_body, .end = publish_end, .closed = publish_closed};
    struct publication *publication = memory_zeroed(1, sizeof *publication);
    publication->exchange = exchange;
    loop_timer_init(&publication->interim, server->loop, send_interim,
                    publication);
    loop_timer_after(&publication->interim, TRICKLE_CONTINUE_US);
    trickle_write_begin(&publication->writer, entry->channel, seq,
                        exchange_header(exchange, "Lp-Trickle-Reset") != NULL,
                        clock_monotonic_us(), publish_wake, publication);
    exchange_keep(exchange, &handler, publication);
}

/* ---- subscribing --------------------------------------------------------- */

struct subscription {
    struct exchange *exchange;
    struct entry *entry;
    struct trickle_reader reader; /* without a channel once it is released */
    bool begun;
};

static void begin_subscription(struct subscription *subscription)
{
    char seq[NUMBER_BYTES];
    char latest[NUMBER_BYTES];
    const struct trickle_reader *reader = &subscription->reader;
    struct exchange_field fields[3] = {
        {"Content-Type", reader->channel->mime},
        seq_field(reader->seq, seq),
        latest_field(reader->latest, latest),
    };
    subscription->begun = true;
    exchange_begin(subscription->exchange, 200, fields,
                   reader->latest != reader->seq ? 3 : 2, EXCHANGE_STREAMED);
}

/* Closed without a byte: only a closed channel is the end of the stream. */
static void answer_empty(struct subscription *subscription)
{
    char seq[NUMBER_BYTES];
    char latest[NUMBER_BYTES];
    const struct trickle_channel *channel = subscription->reader.channel;
    struct exchange_field fields[4] = {
        {"Content-Type", channel->mime},
        seq_field(subscription->reader.seq, seq),
        latest_field(channel->next, latest),
        closed_field,
    };
    exchange_reply_fields(subscription->exchange, 200, fields,
                          channel->closed ? 4 : 3, text_of(""));
}

/* Where the kernel has all that was written, the observer learns when. */
static void tell_sent(struct subscription *subscription)
{
    const struct trickle_observer *observer = &subscription->entry->observer;
    if (observer->sent && !subscription->entry->is_gone &&
        !exchange_unsent(subscription->exchange))
        observer->sent(observer->context, subscription->reader.seq,
                       subscription->reader.offset, clock_monotonic_us());
}

static void follow(struct subscription *subscription)
{
    struct trickle_reader *reader = &subscription->reader;
    struct text more = trickle_read_peek(reader);
    if (more.length) {
        if (!subscription->begun)
            begin_subscription(subscription);
        trickle_read_take(reader, more.length);
        exchange_write(subscription->exchange, more.data, more.length);
        tell_sent(subscription);
    }
    if (!trickle_read_ended(reader))
        return;
    if (subscription->begun)
        exchange_end(subscription->exchange, NULL, 0);
    else
        answer_empty(subscription);
    trickle_read_release(reader);
}

static void subscribe_wake(void *context)
{
    struct subscription *subscription = context;
    if (exchange_unsent(subscription->exchange) <= UNSENT_MAX_BYTES)
        follow(subscription);
}

static void subscribe_drained(void *context)
{
    struct subscription *subscription = context;
    if (!subscription->reader.channel)
        return;
    tell_sent(subscription);
    follow(subscription);
}

static void subscribe_closed(void *context)
{
    struct subscription *subscription = context;
    if (subscription->reader.channel)
        trickle_read_release(&subscription->reader);
    entry_release(subscription->entry);
    free(subscription);
}

static void refuse_seq(struct exchange *exchange,
                       const struct trickle_reader *reader)
{
    char seq[NUMBER_BYTES];
    char latest[NUMBER_BYTES];
    struct exchange_field fields[3] = {
        {"Content-Type", plain},
        seq_field(reader->seq, seq),
        latest_field(reader->latest, latest),
    };
    exchange_reply_fields(exchange, 470, fields, 3,
                          text_of("Entry not found\n"));
}

static void subscribe(struct entry *entry, struct exchange *exchange,
                      int64_t seq)
{
    static const struct exchange_handler handler = {
        .drained = subscribe_drained, .closed = subscribe_closed};
    struct trickle_reader missing;
    struct subscription *subscription = memory_zeroed(1, sizeof *subscription);
    subscription->exchange = exchange;
    subscription->entry = entry;
    enum trickle_found found =
        trickle_read_begin(&subscription->reader, entry->channel, seq,
                           subscribe_wake, subscription);
    if (found == TRICKLE_FOUND) {
        entry->holders++;
        exchange_keep(exchange, &handler, subscription);
        follow(subscription);
        return;
    }
    missing = subscription->reader;
    free(subscription);
    if (found == TRICKLE_NOT_RETAINED)
        refuse_seq(exchange, &missing);
    else
        exchange_drop(exchange);
}

/* ---- requests ------------------------------------------------------------ */

static void answer_next(const struct entry *entry, struct exchange *exchange)
{
    char latest[NUMBER_BYTES];
    struct exchange_field fields[2] = {
        {"Content-Type", plain}, latest_field(entry->channel->next, latest)};
    exchange_reply_fields(exchange, 200, fields, 2, text_of(latest));
}

static void delete_target(struct entry **at, struct exchange *exchange,
                          const struct trickle_path *path)
{
    if (path->target == TRICKLE_CHANNEL) {
        forget(at, true);
        exchange_reply_fields(exchange, 200, NULL, 0, text_of(""));
    } else if (trickle_channel_close_segment((*at)->channel, path->seq)) {
        exchange_reply_fields(exchange, 200, NULL, 0, text_of(""));
    } else {
        refuse(exchange, 400, "Nonexistent segment\n");
    }
}

/* No channel of that name. */
static void answer_unknown(struct exchange *exchange, const char *method,
                           const struct trickle_path *path)
{
    if (strcmp(method, "DELETE") == 0 && path->target == TRICKLE_CHANNEL) {
        refuse(exchange, 400, "Invalid stream\n");
        return;
    }
    if (strcmp(method, "POST") == 0 && path->target == TRICKLE_SEGMENT)
        exchange_close_after(exchange);
    refuse(exchange, 404, "Stream not found\n");
}

static void answer_found(struct trickle_server *server, struct entry **at,
                         struct exchange *exchange, const char *method,
                         const struct trickle_path *path)
{
    bool is_get = strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0;
    bool is_post = strcmp(method, "POST") == 0;
    if (path->target == TRICKLE_SEGMENT_INVALID)
        refuse(exchange, 400, "Invalid idx\n");
    else if (strcmp(method, "DELETE") == 0 &&
             path->target != TRICKLE_CHANNEL_NEXT)
        delete_target(at, exchange, path);
    else if (is_get && path->target == TRICKLE_CHANNEL_NEXT)
        answer_next(*at, exchange);
    else if (is_get && path->target == TRICKLE_SEGMENT)
        subscribe(*at, exchange, path->seq);
    else if (is_post && path->target == TRICKLE_SEGMENT &&
             path->seq < TRICKLE_NEXT)
        exchange_drop(exchange);
    else if (is_post && path->target == TRICKLE_SEGMENT)
        publish(server, *at, exchange, path->seq);
    else if (is_post && path->target == TRICKLE_CHANNEL)
        exchange_reply_fields(exchange, 200, NULL, 0, text_of(""));
    else
        refuse(exchange, 405, "Method Not Allowed\n");
}

void trickle_server_handle(struct trickle_server *server,
                           struct exchange *exchange)
{
    const char *method = exchange_method(exchange);
    struct trickle_path path = trickle_path_parse(
        text_of(exchange_path(exchange) + strlen(TRICKLE_PATH)));
    struct entry **at = find(server, path.name);
    if (path.target == TRICKLE_NO_TARGET || !*at)
        answer_unknown(exchange, method, &path);
    else
        answer_found(server, at, exchange, method, &path);
}
