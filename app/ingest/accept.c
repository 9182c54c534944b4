/*
 * accept.c: the input contract (published metrics §1.1 and §1.2 with §11).
 *
 * A record is an envelope {id, type, timestamp, gateway, data}, or a wrapper
 * around one: an object without `data` whose `value` is an object, as Kafka
 * viewers save it, with topic, partition and offset beside it. The tests come
 * in the publisher's order, so that a record wrong in several ways is counted
 * under the first.
 *
 * What is made of a record is kept in memory and in keys of tables, so it has
 * limits. They are far beyond anything that means something: a snapshot of ten
 * times today's network fits.
 */
#include "ingest/accept.h"

#include "base/clock.h"
#include "journal/journal.h"

#include <string.h>

enum {
    /* In the data of an event that is folded: keys and values, and the longest
     * text. What else is in the record is not looked at. */
    FOLDED_VALUES_MAX = 1 << 16,
    FOLDED_TEXT_MAX = 1 << 16,
    FOLDED_LEAST_BYTES = 1 << 16, /* of a record that may be beyond them */
    /* Of id, type, gateway and org of any. */
    NAME_BYTES_MAX = 1 << 16
};

static const struct topic {
    const char *name;
    const char *org;
} topics[] = {{"streaming_events", "cloudspe"}, {"network_events", "daydream"}};

static size_t leading_digits(struct text text)
{
    size_t count = 0;
    while (count < text.length && text.data[count] >= '0' &&
           text.data[count] <= '9')
        count++;
    return count;
}

static int64_t digits_value(const char *digits, size_t count)
{
    int64_t value = 0;
    for (size_t i = 0; i < count; i++)
        value = value * 10 + (digits[i] - '0');
    return value;
}

/* ".5", ".123456789" as milliseconds, cut; false for anything else. */
static bool fraction_ms(struct text text, int64_t *ms)
{
    if (text.length < 2 || text.length > 10 || text.data[0] != '.')
        return false;
    struct text digits = {text.data + 1, text.length - 1};
    if (leading_digits(digits) != digits.length)
        return false;
    char padded[4] = "000";
    memcpy(padded, digits.data, digits.length < 3 ? digits.length : 3);
    *ms = digits_value(padded, 3);
    return true;
}

static bool epoch_parse(struct text text, int64_t *ms)
{
    size_t digits = leading_digits(text);
    struct text rest = {text.data + digits, text.length - digits};
    int64_t fraction = 0;
    if (digits == 13 && !rest.length) {
        *ms = digits_value(text.data, digits);
        return true;
    }
    if ((digits != 10 && digits != 9) ||
        (rest.length && !fraction_ms(rest, &fraction)))
        return false;
    *ms = digits_value(text.data, digits) * MS_PER_SECOND + fraction;
    return true;
}

bool event_time_parse(struct text text, int64_t *ms)
{
    if (epoch_parse(text, ms))
        return true;
    return clock_parse(text.data, text.length, ms) && *ms >= 0 &&
           *ms <= EVENT_TIME_MS_MAX;
}

static struct text org_of_topic(struct text topic)
{
    for (size_t i = 0; i < sizeof topics / sizeof *topics; i++) {
        if (topic.length != strlen(topics[i].name))
            continue;
        size_t at = 0;
        while (at < topic.length &&
               (topic.data[at] == '-' ? '_' : topic.data[at]) ==
                   topics[i].name[at])
            at++;
        if (at == topic.length)
            return text_of(topics[i].org);
    }
    return (struct text){"", 0};
}

static struct text member(struct arena *arena, struct yyjson_val *object,
                          const char *key)
{
    return json_to_text(arena, json_get(object, key));
}

/* The record's own word, then the caller's, then the topic's. */
static struct text org_of(struct arena *arena, struct yyjson_val *root,
                          struct yyjson_val *envelope, struct text default_org)
{
    struct text org = member(arena, root, "org");
    if (!org.length && envelope != root)
        org = member(arena, envelope, "org");
    if (!org.length)
        org = default_org;
    if (!org.length && envelope != root)
        org = org_of_topic(member(arena, root, "topic"));
    /* It would make two sessions one: the key is "org|stream|request". */
    if (memchr(org.data, '|', org.length) || org.length > NAME_BYTES_MAX)
        org = text_of("");
    return org;
}

static void reject(struct event *event, const char *reason)
{
    event->class = EVIDENCE_REJECTED;
    event->reason = reason;
    event->ts = INT64_MIN;
}

static struct yyjson_val *envelope_of(struct yyjson_val *root)
{
    struct yyjson_val *value = json_get(root, "value");
    return json_is_object(value) && !json_get(root, "data") ? value : root;
}

static bool begins_with(struct text text, const char *start)
{
    size_t length = strlen(start);
    return text.length >= length && !memcmp(text.data, start, length);
}

/* Runs are measured here or nowhere, and so with all of the journal: whoever
 * could send it in could make up what this program claims to have done. Null
 * for what is none of it. */
static const char *own_reason(struct text type)
{
    if (begins_with(type, JOURNAL_TYPE_RUN))
        return "run_from_outside";
    return begins_with(type, JOURNAL_TYPE_PREFIX) ? "journal_from_outside"
                                                  : NULL;
}

static bool has_long_name(const struct event *event)
{
    return event->id.length > NAME_BYTES_MAX ||
           event->type.length > NAME_BYTES_MAX ||
           event->gateway.length > NAME_BYTES_MAX;
}

/* Records without a long text or many values are known by their length. */
static bool is_beyond_limits(struct yyjson_val *data, size_t record_length)
{
    if (record_length <= FOLDED_LEAST_BYTES)
        return false;
    struct json_extent extent = json_extent(data);
    return extent.values > FOLDED_VALUES_MAX ||
           extent.longest_text > FOLDED_TEXT_MAX;
}

static void read_envelope(struct arena *arena, struct yyjson_val *root,
                          struct text org, bool decided, struct event *event)
{
    struct yyjson_val *envelope = envelope_of(root);
    event->root = root;
    event->org =
        decided && org.length ? org : org_of(arena, root, envelope, org);
    event->id = member(arena, envelope, "id");
    event->type = member(arena, envelope, "type");
    event->gateway = member(arena, envelope, "gateway");
    event->data = json_get(envelope, "data");
    event->family = family_of(event->type);
    if (envelope != root) {
        event->partition = json_to_int(json_get(root, "partition"));
        event->offset = json_to_int(json_get(root, "offset"));
    }
    if (own_reason(event->type))
        reject(event, own_reason(event->type));
    else if (has_long_name(event))
        reject(event, "invalid_json");
    else if (!event->id.length)
        reject(event, "blank_id");
    else if (!event_time_parse(member(arena, envelope, "timestamp"),
                               &event->ts))
        reject(event, "invalid_timestamp");
    else if (!event->org.length)
        reject(event, "blank_org");
}

void event_judge(struct arena *arena, struct text record, struct text org,
                 bool decided, struct event *event)
{
    struct text blank = text_of("");
    *event = (struct event){.class = EVIDENCE_ACCEPTED, .reason = ""};
    event->org = event->id = event->type = event->gateway = blank;
    event->family = FAMILY_UNKNOWN;
    struct yyjson_val *root = json_parse(arena, record.data, record.length);
    if (!json_is_object(root)) {
        event->org = org;
        reject(event, "invalid_json");
        return;
    }
    read_envelope(arena, root, org, decided, event);
    if (event->class == EVIDENCE_REJECTED)
        return;
    const char *ignored = ignore_reason(arena, event->type, event->data);
    if (ignored) {
        event->class = EVIDENCE_IGNORED;
        event->reason = ignored;
    } else if (is_beyond_limits(event->data, record.length)) {
        reject(event, "invalid_json");
    }
}

bool capability_dump(struct arena *arena, const struct event *event,
                     int64_t at_ms, struct text *record)
{
    struct yyjson_val *list = json_get(event->root, "orchestrators");
    if (event->id.length || !json_is_array(list) ||
        json_get(event->root, "data") || is_beyond_limits(list, SIZE_MAX))
        return false;
    struct text compact = json_compact(arena, list, false);
    uint8_t digest[SHA256_BYTES];
    char hex[2 * SHA256_BYTES + 1];
    hash_sha256(compact.data, compact.length, digest);
    hash_hex(digest, sizeof digest, hex);
    struct buf out = {0};
    buf_printf(&out,
               "{\"id\":\"capability-dump-%.32s\",\"type\":"
               "\"network_capabilities\",\"timestamp\":\"%013lld\","
               "\"gateway\":\"\",\"data\":",
               hex, (long long)at_ms);
    buf_add(&out, compact.data, compact.length);
    buf_add_byte(&out, '}');
    /* What it became is kept as a line, so it must not be too long for one. */
    bool fits = out.length <= EVIDENCE_LINE_MAX_BYTES;
    if (fits)
        *record =
            (struct text){arena_text(arena, out.data, out.length), out.length};
    buf_free(&out);
    return fits;
}
