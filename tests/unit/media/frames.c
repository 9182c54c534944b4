/*
 * frames.c: see frames.h.
 */
#include "frames.h"

#include "harness.h"

#include <string.h>

static void on_frame(void *context, const struct mpegts_frame *frame)
{
    struct frames *frames = context;
    REQUIRE(frames->count < FRAMES_MAX);
    CHECK_EQ_INT(frames->bytes.length, frame->bytes);
    buf_add(&frames->whole, frames->bytes.data, frames->bytes.length);
    frames->list[frames->count++] = *frame;
}

static void on_bytes(void *context, const uint8_t *bytes, size_t length,
                     bool begins)
{
    struct frames *frames = context;
    if (begins)
        buf_clear(&frames->bytes);
    buf_add(&frames->bytes, bytes, length);
}

struct mpegts_sink frames_sink(struct frames *frames)
{
    *frames = (struct frames){.count = 0};
    return (struct mpegts_sink){frames, on_frame, on_bytes};
}

void frames_free(struct frames *frames)
{
    buf_free(&frames->bytes);
    buf_free(&frames->whole);
}

void frames_read(struct mpegts_reader *reader, struct text bytes, size_t size)
{
    for (size_t at = 0; at < bytes.length; at += size) {
        size_t chunk = bytes.length - at < size ? bytes.length - at : size;
        mpegts_read(reader, (const uint8_t *)bytes.data + at, chunk,
                    (int64_t)(at + chunk));
    }
}

void test_packet(struct buf *out, struct test_packet packet)
{
    size_t stuffing = 184 - packet.length;
    uint8_t control = packet.length ? 0x10 : 0;
    if (stuffing)
        control |= 0x20;
    buf_add_byte(out, 0x47);
    buf_add_byte(out, (uint8_t)((packet.begins ? 0x40u : 0) | packet.pid >> 8 |
                                packet.header_flags));
    buf_add_byte(out, (uint8_t)packet.pid);
    buf_add_byte(out, (uint8_t)(control | packet.counter | packet.scrambling));
    for (size_t i = 0; i < stuffing; i++)
        buf_add_byte(out, i == 0   ? (uint8_t)(stuffing - 1)
                          : i == 1 ? packet.adaptation_flags
                                   : 0xff);
    buf_add(out, packet.payload, packet.length);
}

void test_tables(struct buf *out)
{
    static const char pat[] = "\x00\x00\xb0\x0d\x00\x01\xc1\x00\x00\x00\x01\xf0"
                              "\x00\x2a\xb1\x04\xb2";
    static const char pmt[] = "\x00\x02\xb0\x12\x00\x01\xc1\x00\x00\xe1\x00\xf0"
                              "\x00\x1b\xe1\x00\xf0\x00\x15\xbd\x4d\x56";
    test_packet(out,
                (struct test_packet){.pid = 0, .begins = true, PAYLOAD(pat)});
    test_packet(out, (struct test_packet){
                         .pid = TEST_PMT, .begins = true, PAYLOAD(pmt)});
}
