/*
 * request_event.c: from the payloads of jobs, workers, payments and discovery
 * to facts, and their compact stored form.
 *
 * A kind is a list of members: where each lies in the payload, how it is read
 * (§1.3, §1.4) and where it goes. Reading, storing and reading back all walk
 * that list, so that a member is spelled in one place.
 *
 * Stored form: the distinct strings; the distinct contents, which name strings
 * by number; then one record an event: content, time, line, id, gateway, and
 * those members that differ from one event to the next. Gateways pay the same
 * price with the same words for hours, and workers register again every few
 * minutes, so most events cost little more than their id.
 */
#include "livepeer/livepeer.h"

#include "livepeer/stored.h"

#include <math.h>
#include <string.h>

/* How a member is read. */
enum reading {
    READ_TEXT,
    READ_LOWER,
    READ_INT,
    READ_VARYING, /* as READ_INT; stored with the event, not its content */
    READ_DOUBLE,
    READ_FLAG,
    READ_WEI,  /* "<int> WEI" */
    READ_PRICE /* "<number> wei/pixel" */
};

struct member {
    const char *name;
    enum reading reading;
    uint8_t flag; /* READ_FLAG */
    size_t offset;
    const char *within; /* the object that holds it; null: the payload */
    bool first;         /* the first element of list `within` holds it */
};

#define COUNT_OF(array) (sizeof(array) / sizeof *(array))
#define MEMBER(name, reading, field)                                           \
    {                                                                          \
        name, READ_##reading, 0, offsetof(struct request_event, field), NULL,  \
            false                                                              \
    }
#define FLAG(name, bit)                                                        \
    {                                                                          \
        name, READ_FLAG, REQUEST_##bit, 0, NULL, false                         \
    }
#define OF_ORCHESTRATOR(name, reading, field)                                  \
    {                                                                          \
        name, READ_##reading, 0, offsetof(struct request_event, field),        \
            "orchestrator_info", false                                         \
    }

/* clang-format off */
static const struct member batch_received[] = {
    MEMBER("request_id", TEXT, request_id),
};
static const struct member batch_completed[] = {
    MEMBER("request_id", TEXT, request_id),
    MEMBER("pipeline", TEXT, pipeline),
    MEMBER("model_id", TEXT, model),
    FLAG("success", SUCCESS),
    MEMBER("tries", INT, tries),
    MEMBER("duration_ms", INT, duration_ms),
    MEMBER("orch_url", TEXT, url),
    MEMBER("latency_score", DOUBLE, latency_score),
    MEMBER("price_per_unit", DOUBLE, price_per_unit),
    MEMBER("error_type", TEXT, error_type),
    MEMBER("error", TEXT, error),
};
static const struct member llm[] = {
    MEMBER("request_id", TEXT, request_id),
    MEMBER("model", TEXT, model),
    MEMBER("orch_url", TEXT, url),
    FLAG("streaming", STREAMING),
    MEMBER("prompt_tokens", INT, prompt_tokens),
    MEMBER("completion_tokens", INT, completion_tokens),
    MEMBER("total_tokens", INT, total_tokens),
    MEMBER("total_duration_ms", INT, duration_ms),
    MEMBER("tokens_per_second", DOUBLE, tokens_per_second),
    MEMBER("latency_score", DOUBLE, latency_score),
    MEMBER("price_per_unit", DOUBLE, price_per_unit),
    MEMBER("ttft_ms", INT, ttft_ms),
    MEMBER("finish_reason", TEXT, error_type),
    MEMBER("error", TEXT, error),
};
static const struct member byoc_job[] = {
    MEMBER("request_id", TEXT, request_id),
    MEMBER("capability", TEXT, capability),
    FLAG("success", SUCCESS),
    MEMBER("duration_ms", INT, duration_ms),
    MEMBER("http_status", INT, http_status),
    OF_ORCHESTRATOR("address", LOWER, address),
    OF_ORCHESTRATOR("url", TEXT, url),
    MEMBER("worker_url", TEXT, worker_url),
    FLAG("charged_compute", CHARGED),
    MEMBER("latency_ms", INT, latency_ms),
    MEMBER("available_capacity", INT, available_capacity),
    MEMBER("error", TEXT, error),
};
static const struct member authorised[] = {
    MEMBER("request_id", TEXT, request_id),
    MEMBER("capability", TEXT, capability),
    FLAG("success", SUCCESS),
    MEMBER("error", TEXT, error),
    OF_ORCHESTRATOR("address", LOWER, address),
    OF_ORCHESTRATOR("url", TEXT, url),
};
static const struct member byoc_payment[] = {
    MEMBER("request_id", TEXT, request_id),
    MEMBER("capability", TEXT, capability),
    OF_ORCHESTRATOR("address", LOWER, address),
    MEMBER("amount", DOUBLE, amount),
    MEMBER("currency", TEXT, currency),
    MEMBER("type", TEXT, error_type),
};
static const struct member worker[] = {
    MEMBER("capability", TEXT, capability),
    OF_ORCHESTRATOR("address", LOWER, address),
    OF_ORCHESTRATOR("url", TEXT, url),
    MEMBER("worker_url", TEXT, worker_url),
    MEMBER("price_per_unit", DOUBLE, price_per_unit),
    {"model", READ_TEXT, 0, offsetof(struct request_event, model),
     "worker_options", true},
};
static const struct member payment[] = {
    MEMBER("sessionID", TEXT, session_id),
    MEMBER("requestID", TEXT, request_id),
    MEMBER("manifestID", TEXT, manifest_id),
    MEMBER("sender", LOWER, sender),
    MEMBER("recipient", LOWER, address),
    MEMBER("orchestrator", TEXT, url),
    MEMBER("faceValue", WEI, face_value_wei),
    MEMBER("price", PRICE, price_per_unit),
    MEMBER("winProb", TEXT, win_prob),
    MEMBER("numTickets", VARYING, tries),
};
static const struct member candidate[] = {
    MEMBER("address", LOWER, address),
    MEMBER("url", TEXT, url),
    MEMBER("latency_ms", VARYING, latency_ms),
};

/* In the order of enum request_kind. */
static const struct kind {
    enum family family;
    const char *type; /* data.type; null for any */
    enum request_group group;
    const struct member *members;
    size_t count;
} kinds[REQUEST_KINDS] = {
    {FAMILY_BATCH_REQUEST, "ai_batch_request_received", GROUP_JOBS,
     batch_received, COUNT_OF(batch_received)},
    {FAMILY_BATCH_REQUEST, "ai_batch_request_completed", GROUP_JOBS,
     batch_completed, COUNT_OF(batch_completed)},
    {FAMILY_LLM_REQUEST, "llm_request_completed", GROUP_JOBS, llm,
     COUNT_OF(llm)},
    {FAMILY_JOB_GATEWAY, "job_gateway_submitted", GROUP_JOBS, byoc_job,
     COUNT_OF(byoc_job)},
    {FAMILY_JOB_GATEWAY, "job_gateway_completed", GROUP_JOBS, byoc_job,
     COUNT_OF(byoc_job)},
    {FAMILY_JOB_ORCHESTRATOR, "job_orchestrator_discovery_result", GROUP_JOBS,
     byoc_job, COUNT_OF(byoc_job)},
    {FAMILY_JOB_ORCHESTRATOR, "job_orchestrator_token_fetch_result",
     GROUP_JOBS, byoc_job, COUNT_OF(byoc_job)},
    {FAMILY_JOB_AUTH, NULL, GROUP_JOBS, authorised, COUNT_OF(authorised)},
    {FAMILY_JOB_PAYMENT, NULL, GROUP_JOBS, byoc_payment,
     COUNT_OF(byoc_payment)},
    {FAMILY_WORKER, NULL, GROUP_WORKERS, worker, COUNT_OF(worker)},
    {FAMILY_PAYMENT, NULL, GROUP_PAYMENTS, payment, COUNT_OF(payment)},
    {FAMILY_DISCOVERY, NULL, GROUP_DISCOVERY, candidate, COUNT_OF(candidate)},
};
/* clang-format on */

enum request_group request_group_of(enum request_kind kind)
{
    return kinds[kind].group;
}

bool request_group_is_by_line(enum request_group group)
{
    return group >= GROUP_PAYMENTS;
}

/* ---- amounts (§1.4) ------------------------------------------------------ */

/* TEXT without SUFFIX at its end; the whole text where it has another end. */
static struct text without(struct text text, const char *suffix)
{
    size_t length = strlen(suffix);
    if (text.length >= length &&
        !memcmp(text.data + text.length - length, suffix, length))
        text.length -= length;
    return text;
}

uint64_t wei_parse(struct text text)
{
    struct text digits = without(text, " WEI");
    uint64_t value = 0;
    for (size_t i = 0; i < digits.length; i++) {
        unsigned digit = (unsigned)(digits.data[i] - '0');
        if (digit > 9 || value > (UINT64_MAX - digit) / 10)
            return 0;
        value = value * 10 + digit;
    }
    return value;
}

/* ---- reading a payload --------------------------------------------------- */

static void *place_of(struct request_event *event, const struct member *member)
{
    return (char *)event + member->offset;
}

static struct yyjson_val *value_of(struct yyjson_val *data,
                                   const struct member *member)
{
    struct yyjson_val *holder = data;
    if (member->within)
        holder = json_get(data, member->within);
    if (member->first) {
        struct json_iterator iterator =
            json_iterate(json_is_array(holder) ? holder : NULL);
        holder = json_next(&iterator, NULL);
    }
    return json_get(holder, member->name);
}

static void read_member(struct arena *arena, struct yyjson_val *value,
                        const struct member *member,
                        struct request_event *event)
{
    void *place = place_of(event, member);
    switch (member->reading) {
    case READ_TEXT:
        *(struct text *)place = json_to_text(arena, value);
        break;
    case READ_LOWER:
        *(struct text *)place = text_lower(arena, json_to_text(arena, value));
        break;
    case READ_INT:
    case READ_VARYING:
        *(int64_t *)place = json_to_int(value);
        break;
    case READ_DOUBLE:
        *(double *)place = json_to_double(value);
        break;
    case READ_FLAG:
        event->flags |= json_to_bool(value) ? member->flag : 0;
        break;
    case READ_WEI:
        *(uint64_t *)place = wei_parse(json_to_text(arena, value));
        break;
    case READ_PRICE:
        *(double *)place = json_text_to_double(
            arena, without(json_to_text(arena, value), " wei/pixel"));
        break;
    }
}

void request_event_texts(struct request_event *event,
                         struct text *texts[REQUEST_TEXTS])
{
    struct text *all[REQUEST_TEXTS] = {
        &event->gateway,    &event->request_id, &event->address,
        &event->url,        &event->pipeline,   &event->model,
        &event->capability, &event->worker_url, &event->error_type,
        &event->error,      &event->session_id, &event->manifest_id,
        &event->sender,     &event->win_prob,   &event->currency};
    memcpy(texts, all, sizeof all);
}

static struct request_event blank(enum request_kind kind)
{
    struct request_event event = {.kind = kind, .id = text_of("")};
    struct text *texts[REQUEST_TEXTS];
    request_event_texts(&event, texts);
    for (size_t i = 0; i < REQUEST_TEXTS; i++)
        *texts[i] = text_of("");
    return event;
}

static struct request_event
read_event(struct arena *arena, enum request_kind kind, struct yyjson_val *data)
{
    struct request_event event = blank(kind);
    for (size_t i = 0; i < kinds[kind].count; i++)
        read_member(arena, value_of(data, &kinds[kind].members[i]),
                    &kinds[kind].members[i], &event);
    return event;
}

/* Both names of a completed LLM request mean the same here. */
static bool type_matches(const struct kind *kind, struct text type)
{
    return !kind->type || text_is(type, kind->type) ||
           (kind->family == FAMILY_LLM_REQUEST &&
            text_is(type, "llm_stream_completed"));
}

static struct request_event *
read_candidates(struct arena *arena, struct yyjson_val *data, size_t *count)
{
    struct json_iterator iterator =
        json_iterate(json_is_array(data) ? data : NULL);
    struct request_event *events = NULL;
    struct yyjson_val *value;
    *count = 0;
    while ((value = json_next(&iterator, NULL))) {
        if (!json_is_object(value))
            continue;
        events = arena_grow(arena, events, *count, sizeof *events);
        events[*count] = read_event(arena, REQUEST_DISCOVERY, value);
        events[*count].position = (int64_t)*count;
        (*count)++;
    }
    return events;
}

struct request_event *request_events_read(struct arena *arena,
                                          enum family family,
                                          struct yyjson_val *data,
                                          size_t *count)
{
    *count = 0;
    if (family == FAMILY_DISCOVERY)
        return read_candidates(arena, data, count);
    struct text type = json_to_text(arena, json_get(data, "type"));
    size_t kind = 0;
    while (kind < REQUEST_KINDS &&
           (kinds[kind].family != family || !type_matches(&kinds[kind], type)))
        kind++;
    if (kind == REQUEST_KINDS)
        return NULL;
    struct request_event *event = arena_alloc(arena, sizeof *event);
    *event = read_event(arena, (enum request_kind)kind, data);
    *count = 1;
    return event;
}

int request_event_compare(const struct request_event *a,
                          const struct request_event *b)
{
    if (a->ts != b->ts)
        return a->ts < b->ts ? -1 : 1;
    int order = text_compare(a->id, b->id);
    if (!order)
        order = (int)a->kind - (int)b->kind;
    if (!order && a->position != b->position)
        order = a->position < b->position ? -1 : 1;
    return order;
}

/* ---- storing ------------------------------------------------------------- */

static void encode_member(struct buf *out, struct text_index *strings,
                          const struct member *member,
                          const struct request_event *event)
{
    const void *place = (const char *)event + member->offset;
    switch (member->reading) {
    case READ_TEXT:
    case READ_LOWER:
        stored_add_string(out, strings, *(const struct text *)place);
        break;
    case READ_INT:
        buf_add_signed(out, *(const int64_t *)place);
        break;
    case READ_WEI:
        buf_add_varint(out, *(const uint64_t *)place);
        break;
    case READ_DOUBLE:
    case READ_PRICE:
        buf_add_double(out, *(const double *)place);
        break;
    case READ_FLAG: /* in the content's flags */
    case READ_VARYING:
        break;
    }
}

/* The number of the content of EVENT. */
static size_t content_number(struct text_index *contents,
                             struct text_index *strings,
                             const struct request_event *event)
{
    const struct kind *kind = &kinds[event->kind];
    struct buf bytes = {0};
    buf_add_byte(&bytes, (uint8_t)event->kind);
    buf_add_byte(&bytes, (uint8_t)(event->flags & ~(unsigned)REQUEST_REMOVED));
    for (size_t i = 0; i < kind->count; i++)
        encode_member(&bytes, strings, &kind->members[i], event);
    size_t number =
        text_index_add(contents, (struct text){bytes.data, bytes.length}, NULL);
    buf_free(&bytes);
    return number;
}

static void encode_varying(struct buf *out, const struct request_event *event)
{
    const struct kind *kind = &kinds[event->kind];
    for (size_t i = 0; i < kind->count; i++)
        if (kind->members[i].reading == READ_VARYING)
            buf_add_signed(out, *(const int64_t *)((const char *)event +
                                                   kind->members[i].offset));
}

/* Bits of a record's first number; the rest is the place in a list. */
enum { RECORD_REMOVED = 1, RECORD_SAME_ID = 2, RECORD_BITS = 2 };

static void encode_record(struct buf *out, struct text_index *strings,
                          const struct request_event *event,
                          const struct request_event *before)
{
    bool same_id = before->id.length && text_equal(event->id, before->id);
    bool removed = event->flags & REQUEST_REMOVED;
    buf_add_varint(out, (uint64_t)event->position << RECORD_BITS |
                            (removed ? RECORD_REMOVED : 0) |
                            (same_id ? RECORD_SAME_ID : 0));
    buf_add_signed(out, event->ts - before->ts);
    buf_add_signed(out, event->line - before->line);
    if (!same_id)
        stored_add_id(out, event->id);
    stored_add_string(out, strings, event->gateway);
    encode_varying(out, event);
}

void request_events_encode(struct buf *out, const struct request_event *events,
                           size_t count)
{
    struct text_index strings = {0};
    struct text_index contents = {0};
    struct buf records = {0};
    const struct request_event first = {0};
    for (size_t i = 0; i < count; i++) {
        buf_add_varint(&records,
                       content_number(&contents, &strings, &events[i]));
        encode_record(&records, &strings, &events[i],
                      i ? &events[i - 1] : &first);
    }
    stored_add_strings(out, &strings);
    buf_add_varint(out, contents.count);
    for (size_t i = 0; i < contents.count; i++)
        buf_add(out, contents.texts[i].data, contents.texts[i].length);
    buf_add_varint(out, count);
    buf_add(out, records.data, records.length);
    text_index_free(&strings);
    text_index_free(&contents);
    buf_free(&records);
}

/* ---- reading back -------------------------------------------------------- */

static double decode_double(struct reader *in)
{
    double value = read_double(in);
    in->failed |= !isfinite(value);
    return value;
}

static void decode_member(struct stored *stored, const struct member *member,
                          struct request_event *event)
{
    void *place = place_of(event, member);
    switch (member->reading) {
    case READ_TEXT:
    case READ_LOWER:
        *(struct text *)place = stored_string(stored);
        break;
    case READ_INT:
        *(int64_t *)place = read_signed(&stored->in);
        break;
    case READ_WEI:
        *(uint64_t *)place = read_varint(&stored->in);
        break;
    case READ_DOUBLE:
    case READ_PRICE:
        *(double *)place = decode_double(&stored->in);
        break;
    case READ_FLAG:
    case READ_VARYING:
        break;
    }
}

static void decode_varying(struct reader *in, struct request_event *event)
{
    const struct kind *kind = &kinds[event->kind];
    for (size_t i = 0; i < kind->count; i++)
        if (kind->members[i].reading == READ_VARYING)
            *(int64_t *)place_of(event, &kind->members[i]) = read_signed(in);
}

static struct request_event decode_content(struct stored *stored)
{
    uint8_t kind = read_byte(&stored->in);
    uint8_t flags = read_byte(&stored->in);
    if (kind >= REQUEST_KINDS) {
        stored->in.failed = true;
        kind = 0;
    }
    struct request_event content = blank((enum request_kind)kind);
    content.flags = flags & ~(unsigned)REQUEST_REMOVED;
    for (size_t i = 0; i < kinds[kind].count; i++)
        decode_member(stored, &kinds[kind].members[i], &content);
    return content;
}

static void decode_record(struct stored *stored,
                          const struct request_event *contents,
                          size_t content_count, struct request_event *event,
                          const struct request_event *before)
{
    struct reader *in = &stored->in;
    uint64_t content = read_varint(in);
    if (content >= content_count) {
        in->failed = true;
        return;
    }
    *event = contents[content];
    uint64_t first = read_varint(in);
    event->position = (int64_t)(first >> RECORD_BITS);
    event->flags |= first & RECORD_REMOVED ? REQUEST_REMOVED : 0;
    event->ts = (int64_t)((uint64_t)before->ts + (uint64_t)read_signed(in));
    event->line = (int64_t)((uint64_t)before->line + (uint64_t)read_signed(in));
    event->id = first & RECORD_SAME_ID ? before->id : stored_id(stored);
    event->gateway = stored_string(stored);
    decode_varying(in, event);
    if (event->ts < 0 || event->ts > EVENT_TIME_MS_MAX || !event->id.length)
        in->failed = true;
}

bool request_events_decode(struct arena *arena, struct text bytes,
                           struct request_event **events, size_t *count)
{
    struct stored stored = stored_over(arena, bytes);
    size_t content_count = stored_count(&stored);
    struct request_event *contents =
        arena_array(arena, content_count, sizeof *contents);
    for (size_t i = 0; i < content_count && !stored.in.failed; i++)
        contents[i] = decode_content(&stored);
    *count = stored_count(&stored);
    *events = arena_array(arena, *count, sizeof **events);
    const struct request_event first = {0};
    for (size_t i = 0; i < *count && !stored.in.failed; i++)
        decode_record(&stored, contents, content_count, &(*events)[i],
                      i ? &(*events)[i - 1] : &first);
    return stored_is_sound(&stored);
}
