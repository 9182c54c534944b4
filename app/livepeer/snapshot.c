/*
 * snapshot.c: the stored form of capability snapshots.
 *
 * Orchestrators announce themselves every few seconds and change rarely, so
 * one hour of one organisation holds the distinct strings once, the distinct
 * elements once, and for every snapshot the numbers of its elements. The
 * payload's hash stands for the payload: attribution needs no more of it, and
 * the exact bytes stay in the evidence.
 */
#include "livepeer/livepeer.h"

#include "base/index.h"

#include <string.h>

enum { SUFFIX_HEX = MD5_HEX_BYTES - 1 };

static void encode_interval(struct buf *out, struct text_index *strings,
                            const struct capability_interval *interval)
{
    buf_add_varint(out, text_index_add(strings, interval->pipeline, NULL));
    buf_add_varint(out, text_index_add(strings, interval->model, NULL));
    buf_add_varint(out, text_index_add(strings, interval->gpu_id, NULL));
    buf_add_byte(out, interval->has_hardware);
    buf_add(out, interval->suffix, SUFFIX_HEX);
}

static void encode_element(struct buf *out, struct text_index *strings,
                           const struct capability_element *element)
{
    buf_add_varint(out, text_index_add(strings, element->address, NULL));
    buf_add_varint(out, text_index_add(strings, element->uri, NULL));
    buf_add_varint(out, text_index_add(strings, element->alias, NULL));
    buf_add(out, element->payload, SUFFIX_HEX);
    buf_add_varint(out, element->interval_count);
    for (size_t i = 0; i < element->interval_count; i++)
        encode_interval(out, strings, &element->intervals[i]);
}

struct encoder {
    struct text_index strings;
    struct text_index elements; /* by payload hash */
    struct buf element_bytes;
    struct buf snapshot_bytes;
};

static void encode_snapshot(struct encoder *encoder,
                            const struct capability_snapshot *snapshot)
{
    struct buf *out = &encoder->snapshot_bytes;
    buf_add_signed(out, snapshot->ts);
    buf_add_signed(out, snapshot->line);
    buf_add_byte(out, snapshot->removed);
    buf_add_text(out, snapshot->id);
    buf_add_varint(out, snapshot->element_count);
    for (size_t i = 0; i < snapshot->element_count; i++) {
        const struct capability_element *element = &snapshot->elements[i];
        bool added;
        struct text payload = {element->payload, SUFFIX_HEX};
        buf_add_varint(out,
                       text_index_add(&encoder->elements, payload, &added));
        if (added)
            encode_element(&encoder->element_bytes, &encoder->strings, element);
    }
}

void snapshots_encode(struct buf *out,
                      const struct capability_snapshot *snapshots, size_t count)
{
    struct encoder encoder = {0};
    for (size_t i = 0; i < count; i++)
        encode_snapshot(&encoder, &snapshots[i]);
    buf_add_varint(out, encoder.strings.count);
    for (size_t i = 0; i < encoder.strings.count; i++)
        buf_add_text(out, encoder.strings.texts[i]);
    buf_add_varint(out, encoder.elements.count);
    buf_add(out, encoder.element_bytes.data, encoder.element_bytes.length);
    buf_add_varint(out, count);
    buf_add(out, encoder.snapshot_bytes.data, encoder.snapshot_bytes.length);
    text_index_free(&encoder.strings);
    text_index_free(&encoder.elements);
    buf_free(&encoder.element_bytes);
    buf_free(&encoder.snapshot_bytes);
}

struct decoder {
    struct arena *arena;
    struct reader in;
    struct text *strings;
    size_t string_count;
    struct capability_element *elements;
    size_t element_count;
};

/* Each counted thing takes at least one byte, so that a count past the end is
 * seen before memory is asked for. */
static size_t decode_count(struct decoder *decoder)
{
    uint64_t count = read_varint(&decoder->in);
    if (count <= (uint64_t)(decoder->in.end - decoder->in.at))
        return (size_t)count;
    decoder->in.failed = true;
    return 0;
}

static struct text decode_string(struct decoder *decoder)
{
    uint64_t number = read_varint(&decoder->in);
    if (number < decoder->string_count)
        return decoder->strings[number];
    decoder->in.failed = true;
    return (struct text){"", 0};
}

static void decode_hash(struct decoder *decoder, char hash[MD5_HEX_BYTES])
{
    struct text bytes = read_bytes(&decoder->in, SUFFIX_HEX);
    memcpy(hash, bytes.data, bytes.length);
    hash[bytes.length] = '\0';
}

static void decode_element(struct decoder *decoder,
                           struct capability_element *element)
{
    element->address = decode_string(decoder);
    element->uri = decode_string(decoder);
    element->alias = decode_string(decoder);
    decode_hash(decoder, element->payload);
    element->interval_count = decode_count(decoder);
    element->intervals = arena_array(decoder->arena, element->interval_count,
                                     sizeof *element->intervals);
    for (size_t i = 0; i < element->interval_count; i++) {
        struct capability_interval *interval = &element->intervals[i];
        interval->pipeline = decode_string(decoder);
        interval->model = decode_string(decoder);
        interval->gpu_id = decode_string(decoder);
        interval->has_hardware = read_byte(&decoder->in) != 0;
        decode_hash(decoder, interval->suffix);
    }
}

static void decode_snapshot(struct decoder *decoder,
                            struct capability_snapshot *snapshot)
{
    snapshot->ts = read_signed(&decoder->in);
    if (snapshot->ts < 0 || snapshot->ts > EVENT_TIME_MS_MAX)
        decoder->in.failed = true;
    snapshot->line = read_signed(&decoder->in);
    snapshot->removed = read_byte(&decoder->in) != 0;
    snapshot->id = read_text(&decoder->in);
    snapshot->element_count = decode_count(decoder);
    snapshot->elements = arena_array(decoder->arena, snapshot->element_count,
                                     sizeof *snapshot->elements);
    for (size_t i = 0; i < snapshot->element_count; i++) {
        uint64_t number = read_varint(&decoder->in);
        if (number < decoder->element_count)
            snapshot->elements[i] = decoder->elements[number];
        else
            decoder->in.failed = true;
    }
}

bool snapshots_decode(struct arena *arena, struct text bytes,
                      struct capability_snapshot **snapshots, size_t *count)
{
    struct decoder decoder = {.arena = arena,
                              .in = reader_over(bytes.data, bytes.length)};
    decoder.string_count = decode_count(&decoder);
    decoder.strings =
        arena_array(arena, decoder.string_count, sizeof *decoder.strings);
    for (size_t i = 0; i < decoder.string_count; i++)
        decoder.strings[i] = read_text(&decoder.in);
    decoder.element_count = decode_count(&decoder);
    decoder.elements =
        arena_array(arena, decoder.element_count, sizeof *decoder.elements);
    for (size_t i = 0; i < decoder.element_count && !decoder.in.failed; i++)
        decode_element(&decoder, &decoder.elements[i]);
    *count = decode_count(&decoder);
    *snapshots = arena_array(arena, *count, sizeof **snapshots);
    for (size_t i = 0; i < *count && !decoder.in.failed; i++)
        decode_snapshot(&decoder, &(*snapshots)[i]);
    return !decoder.in.failed && decoder.in.at == decoder.in.end;
}
