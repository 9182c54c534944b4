#include "frames.h"

#include "harness.h"

#include <string.h>

static struct frames frames;
static struct mpegts_reader reader;

TEST(the_tables_are_those_that_other_programs_write)
{
    static const uint8_t pat[] = {
        0x47, 0x40, 0x00, 0x13, 0x00, 0x00, 0xb0, 0x0d, 0x00, 0x01, 0xc1, 0x00,
        0x00, 0x00, 0x01, 0xf0, 0x00, 0x2a, 0xb1, 0x04, 0xb2, 0xff, 0xff};
    static const uint8_t pmt[] = {0x47, 0x50, 0x00, 0x1f, 0x00, 0x02, 0xb0,
                                  0x12, 0x00, 0x01, 0xc1, 0x00, 0x00, 0xe1,
                                  0x00, 0xf0, 0x00, 0x1b, 0xe1, 0x00, 0xf0,
                                  0x00, 0x15, 0xbd, 0x4d, 0x56, 0xff, 0xff};
    struct mpegts_writer writer = {.pat_counter = 3, .pmt_counter = 15};
    struct buf out = {0};
    mpegts_write_tables(&writer, &out);
    REQUIRE(out.length == (size_t)2 * MPEGTS_PACKET_BYTES);
    CHECK_EQ_MEMORY(out.data, pat, sizeof pat);
    CHECK_EQ_MEMORY(out.data + MPEGTS_PACKET_BYTES, pmt, sizeof pmt);
    CHECK_EQ_INT(writer.pat_counter, 4);
    CHECK_EQ_INT(writer.pmt_counter, 0);
    buf_free(&out);
}

TEST(a_frame_is_one_pes_packet_with_its_clock)
{
    static const uint8_t wanted[] = {
        0x47, 0x41, 0x00, 0x37,                         /* begins, field, 7 */
        0x9f, 0x50, 0x80, 0x00, 0x00, 0x00, 0xfe, 0x00, /* clock */
        0xff, 0xff};
    static const uint8_t ends[] = {
        0x00, 0x00, 0x01, 0xe0, 0x00, 0x00, 0x84,
        0xc0, 0x0a, 0x39, 0x00, 0x01, 0x46, 0x51, /* 2^32 + 9000, a mark of 3 */
        0x19, 0x00, 0x01, 0x46, 0x53,             /* one more, a mark of 1 */
        0x00, 0x00, 0x01, 0x65, 0x88};            /* an IDR slice */
    static const int64_t pts = ((int64_t)1 << 32) + 9000;
    struct mpegts_writer writer = {.video_counter = 7};
    struct mpegts_picture picture = {pts, pts + 1, true, {"\0\0\1\x65\x88", 5}};
    struct buf out = {0};
    mpegts_write_frame(&writer, &out, &picture);
    REQUIRE(out.length == MPEGTS_PACKET_BYTES);
    CHECK_EQ_MEMORY(out.data, wanted, sizeof wanted);
    CHECK_EQ_MEMORY(out.data + out.length - sizeof ends, ends, sizeof ends);
    buf_free(&out);
}

/* Frames of every size around those that fill one, two and three packets. */
TEST(frames_of_any_size_are_read_back)
{
    static char bytes[600];
    struct mpegts_writer writer = {0};
    struct buf out = {0};
    struct buf written = {0};
    memset(bytes, 'x', sizeof bytes);
    memcpy(bytes, "\0\0\0\1\x09\xf0\0\0\1\x41\x9a", 11);
    mpegts_write_tables(&writer, &out);
    for (size_t size = 11; size <= sizeof bytes; size++) {
        int64_t time = (int64_t)size * 3750;
        struct mpegts_picture picture = {
            time, size % 2 ? time : time - 3000, size % 5 == 0, {bytes, size}};
        bytes[9] = picture.keyframe ? 0x65 : 0x41;
        mpegts_write_frame(&writer, &out, &picture);
        buf_add(&written, bytes, size);
    }
    CHECK_EQ_INT(out.length % MPEGTS_PACKET_BYTES, 0);
    mpegts_reader_init(&reader, frames_sink(&frames));
    frames_read(&reader, (struct text){out.data, out.length}, 1000);
    mpegts_segment_end(&reader, false);
    REQUIRE(frames.count == sizeof bytes - 10);
    for (size_t i = 0; i < frames.count; i++) {
        size_t size = i + 11;
        int64_t time = (int64_t)size * 3750;
        CHECK_EQ_INT(frames.list[i].bytes, size);
        CHECK_EQ_INT(frames.list[i].pts, time);
        CHECK_EQ_INT(frames.list[i].dts, size % 2 ? time : time - 3000);
        CHECK_EQ_INT(frames.list[i].keyframe, size % 5 == 0);
        CHECK(!frames.list[i].damaged);
    }
    CHECK_EQ_INT(reader.counts.packets, out.length / MPEGTS_PACKET_BYTES);
    CHECK_EQ_INT(reader.counts.clock_references, frames.count);
    REQUIRE(frames.whole.length == written.length);
    CHECK_EQ_MEMORY(frames.whole.data, written.data, written.length);
    frames_free(&frames);
    buf_free(&written);
    buf_free(&out);
}
