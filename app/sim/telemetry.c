/*
 * telemetry.c: see telemetry.h.
 */
#include "sim/telemetry.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/random.h"
#include "base/uuid.h"
#include "sim/line_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    SEND_EVERY_US = US_PER_S / 4,
    AGAIN_US = US_PER_S, /* after a failure */
    LIMIT_US = 30 * US_PER_S,
    BATCH_BYTES = 1 << 20,
    WAITING_MAX_BYTES = 16 << 20,
    CLOSE_PATIENCE_MS = 5000,
    CLOSE_LOOK_EVERY_MS = 20
};

/* A server that takes events. */
struct outlet {
    struct telemetry *telemetry;
    char *url;
    char *authorization; /* the header, null without a token */
    struct buf waiting;
    size_t sending_bytes; /* at its front, while an exchange runs */
    struct http_exchange *exchange;
    struct loop_timer next;
    uint64_t dropped_bytes;
    bool has_complained;
};

struct telemetry {
    struct loop *loop;
    const char *gateway;
    struct line_file *file; /* null for none */
    struct http_client *client;
    struct outlet outlets[TELEMETRY_TARGETS_MAX];
    size_t outlet_count;
};

/* ---- one event ----------------------------------------------------------- */

static void random_uuid(char text[UUID_LENGTH + 1])
{
    uint8_t bytes[UUID_BYTES];
    random_bytes(bytes, sizeof bytes);
    bytes[6] = (uint8_t)((bytes[6] & 0x0f) | 0x40); /* RFC 9562, version 4 */
    bytes[8] = (uint8_t)((bytes[8] & 0x3f) | 0x80);
    uuid_write(bytes, text);
    text[UUID_LENGTH] = '\0';
}

struct json_writer *event_begin(struct event *event, struct buf *out,
                                const struct telemetry *telemetry,
                                const char *type, int64_t timestamp_ms)
{
    char uuid[UUID_LENGTH + 1];
    char timestamp[24];
    struct json_writer *writer = &event->writer;
    random_uuid(uuid);
    snprintf(timestamp, sizeof timestamp, "%lld", (long long)timestamp_ms);
    *event = (struct event){.out = out, .writer = {.out = out}};
    json_begin(writer, '{');
    json_member_string(writer, "id", uuid);
    json_member_string(writer, "type", type);
    json_member_string(writer, "timestamp", timestamp);
    json_member_string(writer, "gateway", telemetry->gateway);
    json_key(writer, "data");
    return writer;
}

void event_end(struct event *event)
{
    json_end(&event->writer, '}');
    buf_add_byte(event->out, '\n');
}

/* ---- sending ------------------------------------------------------------- */

/* Whole lines of at most MOST bytes at the front; one line at least. */
static size_t front_lines(const struct buf *buf, size_t most)
{
    size_t end = buf->length < most ? buf->length : most;
    while (end && buf->data[end - 1] != '\n')
        end--;
    if (end || !buf->length)
        return end;
    const char *line = memchr(buf->data, '\n', buf->length);
    return line ? (size_t)(line - buf->data) + 1 : buf->length;
}

static void send_some(void *context);

static void sent(void *context, const struct http_answer *answer)
{
    struct outlet *outlet = context;
    bool taken = answer->outcome == HTTP_ANSWERED && answer->status == 200;
    /* What a server does not understand it will not understand later. */
    bool refused = answer->outcome == HTTP_ANSWERED && answer->status == 400;
    outlet->exchange = NULL;
    if (taken || refused)
        buf_drop(&outlet->waiting, outlet->sending_bytes);
    outlet->sending_bytes = 0;
    if (!taken && !outlet->has_complained)
        log_message(LOG_WARNING, "%s does not take events: %s, status %d",
                    outlet->url, http_outcome_name(answer->outcome),
                    answer->status);
    outlet->has_complained = !taken;
    loop_timer_after(
        &outlet->next,
        taken || refused
            ? (outlet->waiting.length > BATCH_BYTES ? 0 : SEND_EVERY_US)
            : AGAIN_US);
}

static void send_some(void *context)
{
    struct outlet *outlet = context;
    const char *headers[2] = {"Content-Type: application/x-ndjson",
                              outlet->authorization};
    if (outlet->exchange)
        return;
    outlet->sending_bytes = front_lines(&outlet->waiting, BATCH_BYTES);
    if (!outlet->sending_bytes) {
        loop_timer_after(&outlet->next, SEND_EVERY_US);
        return;
    }
    struct http_request request = {
        .method = "POST",
        .url = outlet->url,
        .headers = headers,
        .header_count = outlet->authorization ? 2 : 1,
        .body = {outlet->waiting.data, outlet->sending_bytes},
        .limit_us = LIMIT_US,
        .context = outlet,
        .on_done = sent};
    outlet->exchange = http_start(outlet->telemetry->client, &request);
}

/* The oldest that are not under way. */
static void make_room(struct outlet *outlet)
{
    struct buf *waiting = &outlet->waiting;
    if (waiting->length <= WAITING_MAX_BYTES || outlet->exchange)
        return;
    size_t length = front_lines(waiting, waiting->length / 2);
    outlet->dropped_bytes += length;
    buf_drop(waiting, length);
}

void telemetry_add(struct telemetry *telemetry, struct text lines)
{
    if (telemetry->file)
        line_file_add(telemetry->file, lines);
    for (size_t i = 0; i < telemetry->outlet_count; i++) {
        buf_add(&telemetry->outlets[i].waiting, lines.data, lines.length);
        make_room(&telemetry->outlets[i]);
    }
}

/* ---- life ---------------------------------------------------------------- */

static char *text_copy(const char *before, const char *text, const char *after)
{
    size_t bytes = strlen(before) + strlen(text) + strlen(after) + 1;
    char *copy = memory_alloc(bytes);
    snprintf(copy, bytes, "%s%s%s", before, text, after);
    return copy;
}

static void open_outlet(struct telemetry *telemetry,
                        const struct telemetry_target *target)
{
    struct outlet *outlet = &telemetry->outlets[telemetry->outlet_count++];
    outlet->telemetry = telemetry;
    outlet->url = text_copy("", target->url, "/v1/ingest/events");
    if (*target->token)
        outlet->authorization =
            text_copy("Authorization: Bearer ", target->token, "");
    loop_timer_init(&outlet->next, telemetry->loop, send_some, outlet);
    loop_timer_after(&outlet->next, SEND_EVERY_US);
}

struct opening {
    struct telemetry *telemetry;
    const struct telemetry_settings *settings;
    enum err err;
};

/* Its user names the servers himself: all addresses are allowed. */
static void open_here(void *context)
{
    static const char *const everywhere[] = {"0.0.0.0/0", "::/0"};
    struct opening *opening = context;
    struct telemetry *telemetry = opening->telemetry;
    struct address_policy policy = {0};
    struct http_settings settings = {.policy = &policy};
    for (size_t i = 0; !opening->err && i < 2; i++)
        opening->err = address_allow(&policy, everywhere[i]);
    if (!opening->err)
        opening->err =
            http_client_open(&telemetry->client, telemetry->loop, &settings);
    for (size_t i = 0; !opening->err && i < opening->settings->target_count;
         i++)
        open_outlet(telemetry, &opening->settings->targets[i]);
}

enum err telemetry_open(struct telemetry **result, struct loop *loop,
                        const struct telemetry_settings *settings)
{
    struct telemetry *telemetry = memory_zeroed(1, sizeof *telemetry);
    telemetry->loop = loop;
    telemetry->gateway = settings->gateway;
    struct opening opening = {telemetry, settings, ERR_NONE};
    if (settings->events_path)
        opening.err = line_file_open(&telemetry->file, settings->events_path);
    if (!opening.err)
        loop_call(loop, open_here, &opening);
    *result = telemetry;
    return opening.err;
}

struct looking {
    struct telemetry *telemetry;
    bool is_empty;
};

static void look(void *context)
{
    struct looking *looking = context;
    looking->is_empty = true;
    for (size_t i = 0; i < looking->telemetry->outlet_count; i++)
        looking->is_empty &= !looking->telemetry->outlets[i].waiting.length;
}

static void close_here(void *context)
{
    struct telemetry *telemetry = context;
    for (size_t i = 0; i < telemetry->outlet_count; i++) {
        struct outlet *outlet = &telemetry->outlets[i];
        size_t lost = outlet->waiting.length + outlet->dropped_bytes;
        loop_timer_stop(&outlet->next);
        if (lost)
            log_message(LOG_WARNING, "%zu bytes of events did not get to %s",
                        lost, outlet->url);
        free(outlet->url);
        free(outlet->authorization);
        buf_free(&outlet->waiting);
    }
    http_client_close(telemetry->client);
}

enum err telemetry_close(struct telemetry *telemetry)
{
    if (!telemetry)
        return ERR_NONE;
    struct looking looking = {.telemetry = telemetry};
    for (int ms = 0; ms < CLOSE_PATIENCE_MS; ms += CLOSE_LOOK_EVERY_MS) {
        loop_call(telemetry->loop, look, &looking);
        if (looking.is_empty)
            break;
        usleep(CLOSE_LOOK_EVERY_MS * US_PER_MS);
    }
    loop_call(telemetry->loop, close_here, telemetry);
    enum err err =
        telemetry->file ? line_file_close(telemetry->file) : ERR_NONE;
    free(telemetry);
    return err;
}
