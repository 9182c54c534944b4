/*
 * envelope.c: the outside of a record (published metrics §1.1 with §11).
 *
 * A record is an envelope {id, type, timestamp, gateway, data}, or a wrapper
 * around one: an object without `data` whose `value` is an object, as Kafka
 * viewers save it, with topic, partition and offset beside it. Whether what it
 * holds is accepted is for ingest to judge.
 */
#include "livepeer/livepeer.h"

#include "base/clock.h"

#include <string.h>

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

static struct text member(struct arena *arena, struct yyjson_val *object,
                          const char *key)
{
    return json_to_text(arena, json_get(object, key));
}

static struct yyjson_val *inside_of(struct yyjson_val *root)
{
    struct yyjson_val *value = json_get(root, "value");
    return json_is_object(value) && !json_get(root, "data") ? value : root;
}

void envelope_read(struct arena *arena, struct yyjson_val *root,
                   struct envelope *envelope)
{
    struct yyjson_val *inside = inside_of(root);
    *envelope =
        (struct envelope){.root = root,
                          .inside = inside,
                          .id = member(arena, inside, "id"),
                          .type = member(arena, inside, "type"),
                          .timestamp = member(arena, inside, "timestamp"),
                          .gateway = member(arena, inside, "gateway"),
                          .data = json_get(inside, "data")};
    if (inside == root)
        return;
    envelope->partition = json_to_int(json_get(root, "partition"));
    envelope->offset = json_to_int(json_get(root, "offset"));
}
