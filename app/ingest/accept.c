/*
 * accept.c: the input contract (published metrics §1.1 and §1.2 with §11).
 *
 * What a record looks like from outside is in livepeer/envelope.c. The tests
 * come in the publisher's order, so that a record wrong in several ways is
 * counted under the first.
 *
 * What is made of a record is kept in memory and in keys of tables, so it has
 * limits. They are far beyond anything that means something: a snapshot of ten
 * times today's network fits.
 */
#include "ingest/accept.h"

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

static void judge_envelope(struct arena *arena, struct yyjson_val *root,
                           struct text org, bool decided, struct event *event)
{
    struct envelope envelope;
    envelope_read(arena, root, &envelope);
    event->root = root;
    event->org =
        decided && org.length ? org : org_of(arena, root, envelope.inside, org);
    event->id = envelope.id;
    event->type = envelope.type;
    event->gateway = envelope.gateway;
    event->data = envelope.data;
    event->family = family_of(event->type);
    event->partition = envelope.partition;
    event->offset = envelope.offset;
    if (own_reason(event->type))
        reject(event, own_reason(event->type));
    else if (has_long_name(event))
        reject(event, "invalid_json");
    else if (!event->id.length)
        reject(event, "blank_id");
    else if (!event_time_parse(envelope.timestamp, &event->ts))
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
    judge_envelope(arena, root, org, decided, event);
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

/* Time and id, which are nearly always 50 bytes: up to 55 are one round of
 * SHA-256, and what else makes the key is compared where two are alike. */
uint64_t event_fingerprint(const struct event *event)
{
    uint8_t digest[SHA256_BYTES];
    uint64_t word;
    char room[INT_TEXT_BYTES];
    struct text parts[] = {int_text(event->ts, room), {"", 1}, event->id};
    hash_sha256_parts(parts, 3, digest);
    memcpy(&word, digest, sizeof word);
    return word;
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
