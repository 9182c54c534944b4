/*
 * session_event.c: from an event's payload to what the fold needs of it, and
 * the compact stored form of one session's day.
 *
 * Stored form: the distinct strings, then one record an event that names them
 * by number. Gateways repeat the same few addresses, URLs and hints all day
 * long, so a record costs little more than its id; the store compresses the
 * rest away. Turned down: a row per event, which costs twenty times the bytes
 * and ten times the time.
 */
#include "livepeer/livepeer.h"

#include "livepeer/stored.h"

#include <math.h>
#include <string.h>

static const char *const state_names[] = {
    [STATE_OTHER] = "",
    [STATE_LOADING] = "LOADING",
    [STATE_OFFLINE] = "OFFLINE",
    [STATE_ONLINE] = "ONLINE",
    [STATE_DEGRADED_INPUT] = "DEGRADED_INPUT",
    [STATE_DEGRADED_INFERENCE] = "DEGRADED_INFERENCE",
    [STATE_ERROR] = "ERROR",
};

/* §2.2, excusable_error_count. */
static const char *const excusable_parts[] = {
    "no orchestrators available",  "mediamtx ingest disconnected",
    "whip disconnected",           "missing video",
    "ice connection state failed", "user disconnected",
};

#define COUNT_OF(array) (sizeof(array) / sizeof *(array))

const char *stream_state_name(enum stream_state state)
{
    return state_names[state];
}

struct text session_key(struct arena *arena, struct text org,
                        struct yyjson_val *data)
{
    struct text stream = json_to_text(arena, json_get(data, "stream_id"));
    struct text request = json_to_text(arena, json_get(data, "request_id"));
    if (!org.length || (!stream.length && !request.length))
        return (struct text){"", 0};
    if (!stream.length)
        stream = text_of("_missing_stream");
    if (!request.length)
        request = text_of("_missing_request");
    size_t length = org.length + stream.length + request.length + 2;
    char *key = arena_raw(arena, length + 1);
    char *at = mempcpy(key, org.data, org.length);
    *at++ = '|';
    at = mempcpy(at, stream.data, stream.length);
    *at++ = '|';
    at = mempcpy(at, request.data, request.length);
    *at = '\0';
    return (struct text){key, length};
}

static void read_status(struct arena *arena, struct yyjson_val *data,
                        struct session_event *event)
{
    struct yyjson_val *inference = json_get(data, "inference_status");
    struct text state = json_to_text(arena, json_get(data, "state"));
    for (size_t i = STATE_LOADING; i < COUNT_OF(state_names); i++)
        if (text_is(state, state_names[i]))
            event->state = (enum stream_state)i;
    struct yyjson_val *start = json_get(data, "start_time");
    int64_t start_time = json_to_int(start);
    if (start_time > 0 && start_time <= EVENT_TIME_MS_MAX) {
        event->start_time = start_time;
        event->flags |= EVENT_HAS_START;
    }
    event->output_fps = json_to_double(json_get(inference, "fps"));
    event->latency_ms = json_to_double(json_get(inference, "latency_ms"));
    struct text error = json_to_text(arena, json_get(inference, "last_error"));
    if (error.length && !text_is(error, "null"))
        event->flags |= EVENT_LAST_ERROR;
}

static void read_stream_event(struct arena *arena, struct yyjson_val *data,
                              struct session_event *event)
{
    struct text type = json_to_text(arena, json_get(data, "type"));
    struct text message = json_to_text(arena, json_get(data, "message"));
    if (memmem(type.data, type.length, "swap", 4))
        event->flags |= EVENT_NAMES_SWAP;
    if (!text_equal_ignoring_case(type, text_of("error")))
        return;
    event->flags |= EVENT_ERROR;
    for (size_t i = 0; i < COUNT_OF(excusable_parts); i++)
        if (text_contains_ignoring_case(message, excusable_parts[i]))
            event->flags |= EVENT_EXCUSABLE;
}

void session_event_read(struct arena *arena, enum family family,
                        struct yyjson_val *data, struct session_event *event)
{
    struct yyjson_val *info = json_get(data, "orchestrator_info");
    *event = (struct session_event){.family = family, .trace = TRACE_UNKNOWN};
    event->address =
        text_lower(arena, json_to_text(arena, json_get(info, "address")));
    event->url = text_lower(arena, json_to_text(arena, json_get(info, "url")));
    event->stream_id = json_to_text(arena, json_get(data, "stream_id"));
    event->request_id = json_to_text(arena, json_get(data, "request_id"));
    event->pipeline = json_to_text(arena, json_get(data, "pipeline"));
    event->pipeline_id = json_to_text(arena, json_get(data, "pipeline_id"));
    if (family == FAMILY_STREAM_TRACE)
        event->trace = trace_of(json_to_text(arena, json_get(data, "type")));
    else if (family == FAMILY_STREAM_STATUS)
        read_status(arena, data, event);
    else
        read_stream_event(arena, data, event);
}

void session_event_keep(struct arena *arena, struct session_event *event)
{
    struct text *texts[] = {&event->id,         &event->stream_id,
                            &event->request_id, &event->gateway,
                            &event->address,    &event->url,
                            &event->pipeline,   &event->pipeline_id};
    for (size_t i = 0; i < COUNT_OF(texts); i++)
        texts[i]->data = arena_text(arena, texts[i]->data, texts[i]->length);
}

/* ---- stored form --------------------------------------------------------- */

static void encode_status(struct buf *out, const struct session_event *event)
{
    buf_add_byte(out, (uint8_t)event->state);
    buf_add_signed(out, event->start_time);
    buf_add_double(out, event->output_fps);
    buf_add_double(out, event->latency_ms);
}

static void encode_event(struct buf *out, struct text_index *strings,
                         const struct session_event *event, int64_t before_ms)
{
    buf_add_byte(out, (uint8_t)event->family);
    buf_add_byte(out, (uint8_t)event->flags);
    buf_add_signed(out, event->ts - before_ms);
    buf_add_signed(out, event->line);
    buf_add_signed(out, event->partition);
    buf_add_signed(out, event->offset);
    stored_add_id(out, event->id);
    stored_add_string(out, strings, event->stream_id);
    stored_add_string(out, strings, event->request_id);
    stored_add_string(out, strings, event->gateway);
    stored_add_string(out, strings, event->address);
    stored_add_string(out, strings, event->url);
    stored_add_string(out, strings, event->pipeline);
    stored_add_string(out, strings, event->pipeline_id);
    if (event->family == FAMILY_STREAM_TRACE)
        buf_add_byte(out, (uint8_t)event->trace);
    else if (event->family == FAMILY_STREAM_STATUS)
        encode_status(out, event);
}

void session_events_encode(struct buf *out, const struct session_event *events,
                           size_t count)
{
    struct text_index strings = {0};
    struct buf records = {0};
    for (size_t i = 0; i < count; i++)
        encode_event(&records, &strings, &events[i], i ? events[i - 1].ts : 0);
    stored_add_strings(out, &strings);
    buf_add_varint(out, count);
    buf_add(out, records.data, records.length);
    buf_free(&records);
    text_index_free(&strings);
}

static void decode_status(struct reader *in, struct session_event *event)
{
    uint8_t state = read_byte(in);
    if (state >= COUNT_OF(state_names))
        in->failed = true;
    else
        event->state = (enum stream_state)state;
    event->start_time = read_signed(in);
    event->output_fps = read_double(in);
    event->latency_ms = read_double(in);
    if (!isfinite(event->output_fps) || !isfinite(event->latency_ms))
        in->failed = true;
}

static void decode_trace(struct reader *in, struct session_event *event)
{
    uint8_t trace = read_byte(in);
    if (trace > TRACE_UNKNOWN)
        in->failed = true;
    else
        event->trace = (enum trace)trace;
}

static void decode_event(struct stored *stored, struct session_event *event,
                         int64_t before_ms)
{
    struct reader *in = &stored->in;
    uint8_t family = read_byte(in);
    if (family > FAMILY_STREAM_EVENT)
        in->failed = true;
    else
        event->family = (enum family)family;
    event->trace = TRACE_UNKNOWN;
    event->flags = read_byte(in);
    event->ts = (int64_t)((uint64_t)before_ms + (uint64_t)read_signed(in));
    if (event->ts < 0 || event->ts > EVENT_TIME_MS_MAX)
        in->failed = true;
    event->line = read_signed(in);
    event->partition = read_signed(in);
    event->offset = read_signed(in);
    event->id = stored_id(stored);
    event->stream_id = stored_string(stored);
    event->request_id = stored_string(stored);
    event->gateway = stored_string(stored);
    event->address = stored_string(stored);
    event->url = stored_string(stored);
    event->pipeline = stored_string(stored);
    event->pipeline_id = stored_string(stored);
    if (event->family == FAMILY_STREAM_TRACE)
        decode_trace(in, event);
    else if (event->family == FAMILY_STREAM_STATUS)
        decode_status(in, event);
}

bool session_events_decode(struct arena *arena, struct text bytes,
                           struct session_event **events, size_t *count)
{
    struct stored stored = stored_over(arena, bytes);
    *count = stored_count(&stored);
    *events = arena_array(arena, *count, sizeof **events);
    for (size_t i = 0; i < *count && !stored.in.failed; i++)
        decode_event(&stored, &(*events)[i], i ? (*events)[i - 1].ts : 0);
    return stored_is_sound(&stored);
}
