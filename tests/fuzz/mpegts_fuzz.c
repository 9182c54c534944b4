/*
 * Any bytes as a transport stream. The first byte says how the others are cut
 * into chunks: the frames and counts are those of one whole chunk, all bytes
 * are accounted for, frames come in order and within the cap, and their bytes
 * add up.
 */
#include "media/media.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool condition)
{
    if (!condition)
        abort();
}

struct found {
    uint64_t frames;
    uint64_t last_end;
    uint64_t mixed; /* of everything that was reported */
    uint32_t gathered;
    size_t fed;
};

static void mix(struct found *found, uint64_t value)
{
    found->mixed = (found->mixed ^ value) * 0x9e3779b97f4a7c15u;
    found->mixed ^= found->mixed >> 29;
}

static void on_bytes(void *context, const uint8_t *bytes, size_t length,
                     bool begins)
{
    struct found *found = context;
    found->gathered = (begins ? 0 : found->gathered) + (uint32_t)length;
    for (size_t i = 0; i < length; i++)
        mix(found, bytes[i]);
}

static void on_frame(void *context, const struct mpegts_frame *frame)
{
    struct found *found = context;
    must(frame->end_offset >= found->last_end);
    must(frame->end_offset <= found->fed);
    must(frame->bytes <= MPEGTS_FRAME_BYTES_MAX);
    must(frame->bytes == found->gathered);
    must(frame->arrived_us >= 0 && frame->arrived_us <= (int64_t)found->fed);
    found->last_end = frame->end_offset;
    found->frames++;
    mix(found, (uint64_t)frame->pts);
    mix(found, (uint64_t)frame->dts);
    mix(found, frame->end_offset);
    mix(found, (frame->keyframe ? 2u : 0u) | (frame->damaged ? 1u : 0u));
}

static struct found read_all(struct mpegts_reader *reader, const uint8_t *data,
                             size_t size, size_t chunk)
{
    struct found found = {0};
    struct mpegts_sink sink = {&found, on_frame, on_bytes};
    mpegts_reader_init(reader, sink);
    for (size_t at = 0; at < size; at += chunk) {
        size_t length = size - at < chunk ? size - at : chunk;
        found.fed = at + length;
        mpegts_read(reader, data + at, length, (int64_t)found.fed);
    }
    mpegts_segment_end(reader, false);
    must(reader->counts.bytes == size);
    must(reader->counts.skipped_bytes +
             reader->counts.packets * MPEGTS_PACKET_BYTES ==
         size);
    must(reader->counts.frames == found.frames);
    return found;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct mpegts_reader whole;
    static struct mpegts_reader parts;
    if (size < 2)
        return 0;
    size_t chunk = (size_t)data[0] + 1;
    struct found one = read_all(&whole, data + 1, size - 1, size - 1);
    struct found many = read_all(&parts, data + 1, size - 1, chunk);
    must(one.mixed == many.mixed);
    must(!memcmp(&whole.counts, &parts.counts, sizeof whole.counts));
    must(whole.stream_count <= MPEGTS_STREAMS_MAX);
    return 0;
}
