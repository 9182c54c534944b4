/*
 * snapshot.c: the stored form of capability snapshots.
 *
 * Orchestrators announce themselves every few seconds. What they offer changes
 * rarely, but each announcement tells the memory that is free, so the payload
 * differs every time. Therefore one hour of one organisation holds, each once:
 * the strings, the offers (the intervals and prices of an element), the
 * elements (who, which payload, which offers), and for every snapshot the
 * numbers of its elements. The payload's hash stands for the payload:
 * attribution needs no more of it, and the exact bytes stay in the evidence.
 */
#include "livepeer/livepeer.h"

#include "base/hex.h"
#include "livepeer/stored.h"

#include <string.h>

/* ---- encoding ------------------------------------------------------------ */

/* Of the hashes of this program, which are hex. */
static void add_hash(struct buf *out, const char hash[MD5_HEX_BYTES])
{
    uint8_t bytes[MD5_BYTES] = {0};
    (void)hex_decode(text_of(hash), bytes, sizeof bytes);
    buf_add(out, bytes, sizeof bytes);
}

struct encoder {
    struct text_index strings;
    struct text_index offers;   /* by their bytes */
    struct text_index elements; /* by payload hash */
    struct buf element_bytes;
    struct buf snapshot_bytes;
};

/* Bits of the byte that says what an interval has. */
enum { HAS_HARDWARE = 1, HAS_RUNNER_VERSION = 2 };

static void encode_interval(struct encoder *encoder, struct buf *out,
                            const struct capability_interval *interval)
{
    stored_add_string(out, &encoder->strings, interval->pipeline);
    stored_add_string(out, &encoder->strings, interval->model);
    stored_add_string(out, &encoder->strings, interval->gpu_id);
    stored_add_string(out, &encoder->strings, interval->gpu_name);
    buf_add_signed(out, interval->gpu_memory_bytes);
    buf_add_byte(out, (uint8_t)interval->source);
    bool has_version = interval->runner_version.length > 0;
    buf_add_byte(out, (uint8_t)((interval->has_hardware ? HAS_HARDWARE : 0) |
                                (has_version ? HAS_RUNNER_VERSION : 0)));
    buf_add_byte(out, interval->warm);
    buf_add_signed(out, interval->capacity);
    add_hash(out, interval->suffix);
    if (has_version)
        stored_add_string(out, &encoder->strings, interval->runner_version);
}

static void encode_price(struct encoder *encoder, struct buf *out,
                         const struct capability_price *price)
{
    buf_add_signed(out, price->capability);
    stored_add_string(out, &encoder->strings, price->constraint);
    buf_add_signed(out, price->price_per_unit);
    buf_add_signed(out, price->pixels_per_unit);
}

/* The number of what ELEMENT offers. */
static size_t offers_number(struct encoder *encoder,
                            const struct capability_element *element)
{
    struct buf bytes = {0};
    buf_add_varint(&bytes, element->interval_count);
    for (size_t i = 0; i < element->interval_count; i++)
        encode_interval(encoder, &bytes, &element->intervals[i]);
    buf_add_varint(&bytes, element->price_count);
    for (size_t i = 0; i < element->price_count; i++)
        encode_price(encoder, &bytes, &element->prices[i]);
    size_t number = text_index_add(
        &encoder->offers, (struct text){bytes.data, bytes.length}, NULL);
    buf_free(&bytes);
    return number;
}

static void encode_element(struct encoder *encoder,
                           const struct capability_element *element)
{
    struct buf *out = &encoder->element_bytes;
    stored_add_string(out, &encoder->strings, element->address);
    stored_add_string(out, &encoder->strings, element->uri);
    stored_add_string(out, &encoder->strings, element->alias);
    add_hash(out, element->payload);
    buf_add_varint(out, offers_number(encoder, element));
}

static void encode_snapshot(struct encoder *encoder,
                            const struct capability_snapshot *snapshot)
{
    struct buf *out = &encoder->snapshot_bytes;
    buf_add_signed(out, snapshot->ts);
    buf_add_signed(out, snapshot->line);
    buf_add_byte(out, snapshot->removed);
    stored_add_id(out, snapshot->id);
    buf_add_varint(out, snapshot->element_count);
    for (size_t i = 0; i < snapshot->element_count; i++) {
        const struct capability_element *element = &snapshot->elements[i];
        struct text payload = text_of(element->payload);
        bool added;
        buf_add_varint(out,
                       text_index_add(&encoder->elements, payload, &added));
        if (added)
            encode_element(encoder, element);
    }
}

void snapshots_encode(struct buf *out,
                      const struct capability_snapshot *snapshots, size_t count)
{
    struct encoder encoder = {0};
    for (size_t i = 0; i < count; i++)
        encode_snapshot(&encoder, &snapshots[i]);
    stored_add_strings(out, &encoder.strings);
    buf_add_varint(out, encoder.offers.count);
    for (size_t i = 0; i < encoder.offers.count; i++)
        buf_add(out, encoder.offers.texts[i].data,
                encoder.offers.texts[i].length);
    buf_add_varint(out, encoder.elements.count);
    buf_add(out, encoder.element_bytes.data, encoder.element_bytes.length);
    buf_add_varint(out, count);
    buf_add(out, encoder.snapshot_bytes.data, encoder.snapshot_bytes.length);
    text_index_free(&encoder.strings);
    text_index_free(&encoder.offers);
    text_index_free(&encoder.elements);
    buf_free(&encoder.element_bytes);
    buf_free(&encoder.snapshot_bytes);
}

/* ---- decoding ------------------------------------------------------------ */

/* An element of which only the offers are known yet, and so on. */
struct decoder {
    struct stored stored;
    struct capability_element *offers;
    size_t offers_count;
    struct capability_element *elements;
    size_t element_count;
};

static void decode_hash(struct stored *stored, char hash[MD5_HEX_BYTES])
{
    struct text bytes = read_bytes(&stored->in, MD5_BYTES);
    hash_hex((const uint8_t *)bytes.data, bytes.length, hash);
}

static void decode_interval(struct stored *stored,
                            struct capability_interval *interval)
{
    interval->pipeline = stored_string(stored);
    interval->model = stored_string(stored);
    interval->gpu_id = stored_string(stored);
    interval->gpu_name = stored_string(stored);
    interval->gpu_memory_bytes = read_signed(&stored->in);
    uint8_t source = read_byte(&stored->in);
    if (source > SOURCE_PER_CAPABILITY)
        stored->in.failed = true;
    else
        interval->source = (enum capability_source)source;
    uint8_t has = read_byte(&stored->in);
    interval->has_hardware = (has & HAS_HARDWARE) != 0;
    interval->warm = read_byte(&stored->in) != 0;
    interval->capacity = read_signed(&stored->in);
    decode_hash(stored, interval->suffix);
    interval->runner_version = text_of("");
    if (has & HAS_RUNNER_VERSION)
        interval->runner_version = stored_string(stored);
}

static void decode_price(struct stored *stored, struct capability_price *price)
{
    price->capability = read_signed(&stored->in);
    price->constraint = stored_string(stored);
    price->price_per_unit = read_signed(&stored->in);
    price->pixels_per_unit = read_signed(&stored->in);
}

static void decode_offers(struct stored *stored,
                          struct capability_element *offers)
{
    offers->interval_count = stored_count(stored);
    offers->intervals = arena_array(stored->arena, offers->interval_count,
                                    sizeof *offers->intervals);
    for (size_t i = 0; i < offers->interval_count; i++)
        decode_interval(stored, &offers->intervals[i]);
    offers->price_count = stored_count(stored);
    offers->prices =
        arena_array(stored->arena, offers->price_count, sizeof *offers->prices);
    for (size_t i = 0; i < offers->price_count; i++)
        decode_price(stored, &offers->prices[i]);
}

static void decode_element(struct decoder *decoder,
                           struct capability_element *element)
{
    struct stored *stored = &decoder->stored;
    struct text address = stored_string(stored);
    struct text uri = stored_string(stored);
    struct text alias = stored_string(stored);
    char payload[MD5_HEX_BYTES];
    decode_hash(stored, payload);
    uint64_t offers = read_varint(&stored->in);
    if (offers >= decoder->offers_count) {
        stored->in.failed = true;
        return;
    }
    *element = decoder->offers[offers];
    element->address = address;
    element->uri = uri;
    element->alias = alias;
    memcpy(element->payload, payload, sizeof payload);
}

static void decode_snapshot(struct decoder *decoder,
                            struct capability_snapshot *snapshot)
{
    struct stored *stored = &decoder->stored;
    snapshot->ts = read_signed(&stored->in);
    if (snapshot->ts < 0 || snapshot->ts > EVENT_TIME_MS_MAX)
        stored->in.failed = true;
    snapshot->line = read_signed(&stored->in);
    snapshot->removed = read_byte(&stored->in) != 0;
    snapshot->id = stored_id(stored);
    snapshot->element_count = stored_count(stored);
    snapshot->elements = arena_array(stored->arena, snapshot->element_count,
                                     sizeof *snapshot->elements);
    for (size_t i = 0; i < snapshot->element_count; i++) {
        uint64_t number = read_varint(&stored->in);
        if (number < decoder->element_count)
            snapshot->elements[i] = decoder->elements[number];
        else
            stored->in.failed = true;
    }
}

bool snapshots_decode(struct arena *arena, struct text bytes,
                      struct capability_snapshot **snapshots, size_t *count)
{
    struct decoder decoder = {.stored = stored_over(arena, bytes)};
    struct stored *stored = &decoder.stored;
    decoder.offers_count = stored_count(stored);
    decoder.offers =
        arena_array(arena, decoder.offers_count, sizeof *decoder.offers);
    for (size_t i = 0; i < decoder.offers_count && !stored->in.failed; i++)
        decode_offers(stored, &decoder.offers[i]);
    decoder.element_count = stored_count(stored);
    decoder.elements =
        arena_array(arena, decoder.element_count, sizeof *decoder.elements);
    for (size_t i = 0; i < decoder.element_count && !stored->in.failed; i++)
        decode_element(&decoder, &decoder.elements[i]);
    *count = stored_count(stored);
    *snapshots = arena_array(arena, *count, sizeof **snapshots);
    for (size_t i = 0; i < *count && !stored->in.failed; i++)
        decode_snapshot(&decoder, &(*snapshots)[i]);
    return stored_is_sound(stored);
}
