/*
 * job.c: see job.h.
 */
#include "livepeer/job.h"

#include "base/base64.h"
#include "base/fields.h"
#include "base/json.h"

#include <math.h>

static struct text member(struct arena *arena, struct yyjson_val *object,
                          const char *key)
{
    struct yyjson_val *value = json_get(object, key);
    return json_is_string(value) ? json_to_text(arena, value)
                                 : (struct text){"", 0};
}

static enum err parse_object(struct arena *arena, struct text body, size_t most,
                             struct yyjson_val **root)
{
    if (body.length > most)
        return err_set(ERR_INPUT, "%zu bytes are more than the %zu allowed",
                       body.length, most);
    *root = json_parse(arena, body.data, body.length);
    return json_is_object(*root) ? ERR_NONE
                                 : err_set(ERR_INPUT, "it is no JSON object");
}

/* ---- starting ------------------------------------------------------------ */

void job_start_encode(struct buf *out, const struct job_start *start)
{
    struct json_writer writer = {.out = out};
    json_begin(&writer, '{');
    json_key(&writer, "model_id");
    json_text(&writer, start->model_id);
    json_key(&writer, "params");
    json_raw(&writer, start->params.length ? start->params : text_of("{}"));
    json_key(&writer, "gateway_request_id");
    json_text(&writer, start->gateway_request_id);
    json_key(&writer, "stream_id");
    json_text(&writer, start->stream_id);
    json_end(&writer, '}');
}

enum err job_start_decode(struct arena *arena, struct text body,
                          struct job_start *start)
{
    struct yyjson_val *root;
    enum err err = parse_object(arena, body, JOB_START_BYTES_MAX, &root);
    if (err)
        return err;
    struct yyjson_val *params = json_get(root, "params");
    if (!json_is_null(params) && !json_is_object(params))
        return err_set(ERR_INPUT, "params is no object");
    *start = (struct job_start){
        .model_id = member(arena, root, "model_id"),
        .params = params && json_is_object(params)
                      ? json_compact(arena, params, false)
                      : text_of("{}"),
        .gateway_request_id = member(arena, root, "gateway_request_id"),
        .stream_id = member(arena, root, "stream_id")};
    return start->model_id.length ? ERR_NONE
                                  : err_set(ERR_INPUT, "model_id is missing");
}

/* ---- the answer ---------------------------------------------------------- */

static const struct channel_member {
    const char *name;
    size_t offset;
    bool optional;
} channel_members[] = {
    {"publish_url", offsetof(struct job_channels, publish_url), false},
    {"subscribe_url", offsetof(struct job_channels, subscribe_url), false},
    {"control_url", offsetof(struct job_channels, control_url), false},
    {"events_url", offsetof(struct job_channels, events_url), true},
    {"manifest_id", offsetof(struct job_channels, manifest_id), false},
};

enum { CHANNEL_MEMBERS = sizeof channel_members / sizeof *channel_members };

void job_channels_encode(struct buf *out, const struct job_channels *channels)
{
    struct json_writer writer = {.out = out};
    json_begin(&writer, '{');
    for (size_t i = 0; i < CHANNEL_MEMBERS; i++) {
        const char *at = (const char *)channels + channel_members[i].offset;
        json_key(&writer, channel_members[i].name);
        json_text(&writer, *(const struct text *)(const void *)at);
    }
    json_end(&writer, '}');
}

enum err job_channels_decode(struct arena *arena, struct text body,
                             struct job_channels *channels)
{
    struct yyjson_val *root;
    enum err err = parse_object(arena, body, JOB_CHANNELS_BYTES_MAX, &root);
    if (err)
        return err;
    for (size_t i = 0; i < CHANNEL_MEMBERS; i++) {
        const struct channel_member *row = &channel_members[i];
        struct text value = member(arena, root, row->name);
        if (!value.length && !row->optional)
            return err_set(ERR_INPUT, "%s is missing", row->name);
        char *at = (char *)channels + row->offset;
        *(struct text *)(void *)at = value;
    }
    return ERR_NONE;
}

/* ---- headers ------------------------------------------------------------- */

/* Frees BYTES. */
static struct text base64_text(struct arena *arena, struct buf *bytes)
{
    struct buf coded = {0};
    base64_encode(&coded, (struct text){bytes->data, bytes->length});
    struct text text = {arena_text(arena, coded.data, coded.length),
                        coded.length};
    buf_free(&coded);
    buf_free(bytes);
    return text;
}

struct text segment_header(struct arena *arena,
                           const struct segment_data *segment)
{
    struct buf bytes = {0};
    segment_data_encode(&bytes, segment);
    return base64_text(arena, &bytes);
}

struct text payment_header(struct arena *arena, const struct payment *payment)
{
    struct buf bytes = {0};
    payment_encode(&bytes, payment);
    return base64_text(arena, &bytes);
}

static enum err header_bytes(struct arena *arena, struct text header,
                             struct text *bytes)
{
    if (header.length > JOB_HEADER_BYTES_MAX)
        return err_set(ERR_INPUT, "%zu bytes are too many", header.length);
    if (!base64_decode(arena, header, bytes))
        return err_set(ERR_INPUT, "it is no base64");
    return ERR_NONE;
}

enum err segment_header_read(struct arena *arena, struct text header,
                             struct segment_data *segment)
{
    struct text bytes;
    enum err err = header_bytes(arena, header, &bytes);
    return err ? err : segment_data_decode(arena, bytes, segment);
}

enum err payment_header_read(struct arena *arena, struct text header,
                             struct payment *payment)
{
    struct text bytes;
    enum err err = header_bytes(arena, header, &bytes);
    return err ? err : payment_decode(arena, bytes, payment);
}

/* ---- events -------------------------------------------------------------- */

static const struct {
    const char *type;
    enum live_event_kind kind;
} event_kinds[] = {
    {"status", LIVE_EVENT_STATUS},
    {"restart", LIVE_EVENT_RESTART},
    {"error", LIVE_EVENT_ERROR},
    {"heartbeat", LIVE_EVENT_HEARTBEAT},
    {"stream_started", LIVE_EVENT_STARTED},
    {"stream_stopped", LIVE_EVENT_STOPPED},
};

static enum live_event_kind kind_of(struct text type, struct text queue)
{
    if (text_is(queue, "stream_trace"))
        return LIVE_EVENT_TRACE;
    if (text_is(queue, "stream_heartbeat"))
        return LIVE_EVENT_HEARTBEAT;
    for (size_t i = 0; i < sizeof event_kinds / sizeof *event_kinds; i++)
        if (text_is(type, event_kinds[i].type))
            return event_kinds[i].kind;
    return LIVE_EVENT_OTHER;
}

static double number_or_absent(struct yyjson_val *value)
{
    return json_is_number(value) ? json_to_double(value) : (double)NAN;
}

static int64_t int_or_absent(struct yyjson_val *value)
{
    return json_is_int64(value) ? json_to_int(value) : ABSENT_INT;
}

static void read_status(struct arena *arena, struct yyjson_val *root,
                        struct live_event *event)
{
    struct yyjson_val *inference = json_get(root, "inference_status");
    event->state = member(arena, root, "state");
    event->message = member(arena, inference, "last_error");
    event->input_fps =
        number_or_absent(json_get(json_get(root, "input_status"), "fps"));
    event->output_fps = number_or_absent(json_get(inference, "fps"));
    event->last_output_ms =
        int_or_absent(json_get(inference, "last_output_time"));
    event->restart_count = int_or_absent(json_get(inference, "restart_count"));
}

enum err live_event_read(struct arena *arena, struct text segment,
                         struct live_event *event)
{
    struct yyjson_val *root;
    enum err err = parse_object(arena, segment, LIVE_EVENT_BYTES_MAX, &root);
    if (err)
        return err;
    struct text queue = member(arena, root, "queue_event_type");
    struct yyjson_val *inner = json_get(root, "event");
    if (json_is_object(inner))
        root = inner;
    *event = (struct live_event){.type = member(arena, root, "type"),
                                 .state = {"", 0},
                                 .pipeline = member(arena, root, "pipeline"),
                                 .message = member(arena, root, "message"),
                                 .input_fps = (double)NAN,
                                 .output_fps = (double)NAN,
                                 .last_output_ms = ABSENT_INT};
    event->kind = kind_of(event->type, queue);
    event->timestamp_ms = int_or_absent(json_get(root, "timestamp"));
    event->restart_count = int_or_absent(json_get(root, "restart_count"));
    if (event->kind == LIVE_EVENT_STATUS)
        read_status(arena, root, event);
    return ERR_NONE;
}
