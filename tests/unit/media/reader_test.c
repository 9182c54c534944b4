/*
 * Streams written down byte by byte, and what a reader must find in them. The
 * clip's own stream is read in clip_test.c.
 */
#include "frames.h"

#include "harness.h"

#include <string.h>

static struct frames frames;
static struct mpegts_reader reader;
static struct buf stream;

/* PES headers: a timestamp of 0, of 1 second, of 2^33 - 3000; two of them. */
#define PES_0 "\0\0\1\xe0\0\0\x80\x80\5!\0\1\0\1"
#define PES_1S "\0\0\1\xe0\0\0\x80\x80\5!\0\5\xbf\x21"
#define PES_END "\0\0\1\xe0\0\0\x80\x80\5/\xff\xff\xe8\x91"
#define PES_BOTH                                                               \
    "\0\0\1\xe0\0\0\x80\xc0\x0a"                                               \
    "1\0\5\xbf\x21"                                                            \
    "\x11\0\1\0\1"
#define PES_NONE "\0\0\1\xe0\0\0\x80\0\0"
/* NAL units: delimiter, parameters, an IDR picture in two slices, a picture,
 * the rest of a picture. */
#define AUD "\0\0\0\1\x09\x10"
#define SPS "\0\0\0\1\x67\x42\xc0\x1e"
#define IDR                                                                    \
    "\0\0\1\x65\x88"                                                           \
    "abc"                                                                      \
    "\0\0\1\x65\x01"                                                           \
    "def"
#define PICTURE                                                                \
    "\0\0\1\x41\x9a"                                                           \
    "ghi"
#define REST                                                                   \
    "\0\0\1\x41\x5a"                                                           \
    "jkl"

static void start(void)
{
    buf_free(&stream);
    stream = (struct buf){0};
    mpegts_reader_init(&reader, frames_sink(&frames));
    test_tables(&stream);
}

static void video(bool begins, unsigned counter, const char *bytes,
                  size_t length)
{
    test_packet(&stream, (struct test_packet){.pid = TEST_VIDEO,
                                              .begins = begins,
                                              .counter = counter & 0x0f,
                                              .payload = bytes,
                                              .length = length});
}

#define VIDEO(begins, counter, bytes)                                          \
    video((begins), (counter), (bytes), sizeof(bytes) - 1)

static struct text bytes_of(const struct buf *buf)
{
    return (struct text){buf->data, buf->length};
}

static void finish(void)
{
    frames_read(&reader, bytes_of(&stream), MPEGTS_PACKET_BYTES);
    mpegts_segment_end(&reader, false);
}

static void end(void)
{
    frames_free(&frames);
    buf_free(&stream);
    stream = (struct buf){0};
}

static const struct mpegts_frame *frame(size_t i)
{
    REQUIRE(i < frames.count);
    return &frames.list[i];
}

TEST(a_frame_arrives_with_its_last_packet)
{
    start();
    VIDEO(true, 0, PES_0 AUD SPS IDR);
    VIDEO(false, 1, "more");
    VIDEO(false, 2, "end");
    VIDEO(true, 3, PES_1S AUD PICTURE);
    frames_read(&reader, bytes_of(&stream), 100);
    CHECK_EQ_INT(frames.count, 1);
    mpegts_segment_end(&reader, false);
    CHECK_EQ_INT(frames.count, 2);
    /* Packets 0 and 1 are tables; chunks of 100 end at multiples of it. */
    CHECK_EQ_INT(frame(0)->end_offset, 5 * 188);
    CHECK_EQ_INT(frame(0)->arrived_us, 1000);
    CHECK_EQ_INT(frame(0)->pts, 0);
    CHECK(frame(0)->keyframe && !frame(0)->damaged);
    CHECK_EQ_INT(frame(0)->bytes, sizeof AUD SPS IDR "moreend" - 1);
    CHECK_EQ_INT(frame(1)->end_offset, 6 * 188);
    CHECK_EQ_INT(frame(1)->arrived_us, 6 * 188);
    CHECK_EQ_INT(frame(1)->pts, 90000);
    CHECK(!frame(1)->keyframe && !frame(1)->damaged);
    CHECK_EQ_INT(reader.counts.packets, 6);
    CHECK_EQ_INT(reader.counts.keyframes, 1);
    CHECK_EQ_INT(reader.video_type, MPEGTS_VIDEO_H264);
    end();
}

TEST(frames_are_parted_by_their_contents_and_not_by_pes_packets)
{
    start();
    VIDEO(true, 0, PES_0 AUD SPS IDR AUD PICTURE); /* two in one */
    VIDEO(true, 1, PES_NONE REST);                 /* the second goes on */
    VIDEO(true, 2, PES_1S PICTURE PICTURE REST);   /* no delimiters */
    finish();
    REQUIRE(frames.count == 4);
    CHECK_EQ_INT(frame(0)->end_offset, 3 * 188);
    CHECK_EQ_INT(frame(0)->bytes, sizeof AUD SPS IDR - 1);
    CHECK_EQ_INT(frame(1)->end_offset, 4 * 188);
    CHECK_EQ_INT(frame(1)->bytes, sizeof AUD PICTURE REST - 1);
    CHECK_EQ_INT(frame(1)->pts, MPEGTS_NO_TIME);
    CHECK_EQ_INT(frame(2)->pts, 90000);
    CHECK_EQ_INT(frame(2)->end_offset, 5 * 188);
    CHECK_EQ_INT(frame(3)->pts, MPEGTS_NO_TIME);
    CHECK_EQ_INT(frame(3)->bytes, sizeof PICTURE REST - 1);
    end();
}

/* A packet with these bytes, or none for no bytes. */
static void part(unsigned *counter, const char *bytes, size_t length)
{
    if (length)
        video(false, (*counter)++, bytes, length);
}

TEST(a_start_code_may_lie_across_packets)
{
    static const char all[] = AUD SPS IDR AUD PICTURE AUD PICTURE;
    for (size_t cut = 0; cut <= sizeof all - 1; cut++) {
        for (size_t again = cut; again <= cut + 6; again++) {
            size_t second = again < sizeof all - 1 ? again : sizeof all - 1;
            start();
            VIDEO(true, 0, PES_1S);
            unsigned counter = 1;
            part(&counter, all, cut);
            part(&counter, all + cut, second - cut);
            part(&counter, all + second, sizeof all - 1 - second);
            finish();
            CHECK_EQ_INT(frames.count, 3);
            CHECK_EQ_INT(frame(0)->pts, 90000);
            CHECK(frame(0)->keyframe && !frame(1)->keyframe);
            CHECK_EQ_INT(frame(0)->bytes, sizeof AUD SPS IDR - 1);
            CHECK_EQ_INT(frame(1)->bytes, sizeof AUD PICTURE - 1);
            REQUIRE(frames.whole.length == sizeof all - 1);
            CHECK_EQ_MEMORY(frames.whole.data, all, sizeof all - 1);
            frames_free(&frames);
        }
    }
    end();
}

TEST(timestamps_go_on_over_their_wrap)
{
    const int64_t wrap = (int64_t)1 << 33;
    start();
    VIDEO(true, 0, PES_END AUD IDR);
    VIDEO(true, 1, PES_0 AUD PICTURE);
    VIDEO(true, 2, PES_1S AUD PICTURE);
    VIDEO(true, 3, PES_END AUD PICTURE); /* back again */
    VIDEO(true, 4, PES_BOTH AUD PICTURE);
    VIDEO(true, 5, PES_NONE AUD PICTURE);
    finish();
    REQUIRE(frames.count == 6);
    CHECK_EQ_INT(frame(0)->pts, wrap - 3000);
    CHECK_EQ_INT(frame(1)->pts, wrap);
    CHECK_EQ_INT(frame(2)->pts, wrap + 90000);
    CHECK_EQ_INT(frame(3)->pts, wrap - 3000);
    CHECK_EQ_INT(frame(4)->pts, wrap + 90000);
    CHECK_EQ_INT(frame(4)->dts, wrap);
    CHECK_EQ_INT(frame(3)->dts, wrap - 3000);
    CHECK_EQ_INT(frame(5)->pts, MPEGTS_NO_TIME);
    CHECK_EQ_INT(frame(5)->dts, MPEGTS_NO_TIME);
    end();
}

TEST(a_missing_packet_damages_the_frame_that_it_was_of)
{
    start();
    VIDEO(true, 0, PES_0 AUD SPS IDR);
    VIDEO(false, 1, "more");
    VIDEO(false, 3, "end");
    VIDEO(true, 4, PES_1S AUD PICTURE);
    finish();
    CHECK_EQ_INT(frames.count, 2);
    CHECK(frame(0)->damaged && !frame(1)->damaged);
    CHECK_EQ_INT(reader.counts.continuity_errors, 1);
    CHECK_EQ_INT(reader.counts.damaged_frames, 1);
    end();
}

TEST(counters_are_judged_as_the_standard_says)
{
    static const struct {
        uint8_t counters[4]; /* of packets with one frame each */
        uint8_t flags[4];    /* of their adaptation fields */
        int frames, gaps, announced, repeated;
    } rows[] = {
        {{0, 1, 2, 3}, {0}, 4, 0, 0, 0},
        {{14, 15, 0, 1}, {0}, 4, 0, 0, 0},
        {{0, 2, 3, 4}, {0}, 4, 1, 0, 0},
        {{5, 5, 6, 7}, {0}, 3, 0, 0, 1},
        {{5, 5, 5, 6}, {0}, 3, 1, 0, 1}, /* thrice is not allowed */
        {{0, 9, 10, 11}, {0, 0x80, 0, 0}, 4, 0, 1, 0},
        {{3, 3, 4, 5}, {0, 0x80, 0, 0}, 4, 0, 1, 0},
        {{3, 4, 5, 6}, {0, 0x80, 0, 0}, 4, 0, 0, 0},
    };
    EACH_ROW (row, rows) {
        start();
        for (size_t i = 0; i < 4; i++)
            test_packet(&stream,
                        (struct test_packet){.pid = TEST_VIDEO,
                                             .begins = true,
                                             .counter = row->counters[i],
                                             .adaptation_flags = row->flags[i],
                                             PAYLOAD(PES_0 AUD PICTURE)});
        finish();
        CHECK_EQ_INT(frames.count, row->frames);
        CHECK_EQ_INT(reader.counts.continuity_errors, row->gaps);
        CHECK_EQ_INT(reader.counts.discontinuities, row->announced);
        CHECK_EQ_INT(reader.counts.repeated_packets, row->repeated);
        frames_free(&frames);
    }
    end();
}

TEST(packets_that_say_they_are_wrong_damage_and_are_counted)
{
    static const struct {
        uint8_t header_flags, scrambling;
    } rows[] = {{0x80, 0}, {0, 0x40}, {0, 0x80}, {0, 0xc0}};
    EACH_ROW (row, rows) {
        start();
        VIDEO(true, 0, PES_0 AUD IDR);
        test_packet(&stream,
                    (struct test_packet){.pid = TEST_VIDEO,
                                         .counter = 1,
                                         .header_flags = row->header_flags,
                                         .scrambling = row->scrambling,
                                         PAYLOAD("lost")});
        VIDEO(false, 2, "rest");
        VIDEO(true, 3, PES_1S AUD PICTURE);
        finish();
        CHECK_EQ_INT(frames.count, 2);
        CHECK(frame(0)->damaged && !frame(1)->damaged);
        CHECK_EQ_INT(reader.counts.bad_packets, 1);
        frames_free(&frames);
    }
    end();
}

TEST(adaptation_fields_of_impossible_length_are_refused)
{
    static const struct {
        uint8_t control, length;
        bool good;
    } rows[] = {{0x20, 183, true}, {0x20, 182, false}, {0x20, 255, false},
                {0x30, 182, true}, {0x30, 183, false}, {0x30, 200, false},
                {0x00, 0, false},  {0x30, 0, true}};
    EACH_ROW (row, rows) {
        start();
        size_t at = stream.length;
        VIDEO(false, 0, "x");
        stream.data[at + 3] = (char)row->control;
        stream.data[at + 4] = (char)row->length;
        finish();
        CHECK_EQ_INT(reader.counts.bad_packets, row->good ? 0 : 1);
        frames_free(&frames);
    }
    end();
}

TEST(garbage_is_skipped_to_the_next_packet)
{
    static const char garbage[] = "no packetGG";
    static const struct {
        size_t garbage; /* bytes of it between two packets */
        size_t skipped;
    } rows[] = {{0, 0}, {1, 1}, {5, 5}, {10, 10}, {11, 11}};
    EACH_ROW (row, rows) {
        for (size_t chunk = 1; chunk < 400; chunk += 37) {
            start();
            VIDEO(true, 0, PES_0 AUD SPS IDR);
            buf_add(&stream, garbage, row->garbage);
            VIDEO(true, 1, PES_1S AUD PICTURE);
            VIDEO(true, 2, PES_BOTH AUD PICTURE);
            frames_read(&reader, bytes_of(&stream), chunk);
            mpegts_segment_end(&reader, false);
            CHECK_EQ_INT(frames.count, 3);
            CHECK_EQ_INT(reader.counts.packets, 5);
            CHECK_EQ_INT(reader.counts.skipped_bytes, row->skipped);
            CHECK_EQ_INT(reader.counts.sync_losses, row->garbage ? 1 : 0);
            CHECK_EQ_INT(frame(2)->end_offset, stream.length);
            CHECK_EQ_INT(reader.counts.bytes, stream.length);
            frames_free(&frames);
        }
    }
    end();
}

TEST(garbage_that_looks_like_a_packet_costs_the_one_behind_it)
{
    start();
    VIDEO(true, 0, PES_0 AUD SPS IDR);
    buf_add(&stream, "G", 1);
    VIDEO(true, 1, PES_1S AUD PICTURE);
    VIDEO(true, 2, PES_1S AUD PICTURE);
    VIDEO(true, 3, PES_1S AUD PICTURE);
    finish();
    CHECK_EQ_INT(frames.count, 3);
    CHECK_EQ_INT(reader.counts.packets, 6);
    CHECK_EQ_INT(reader.counts.skipped_bytes, 1);
    CHECK_EQ_INT(frame(2)->end_offset, stream.length);
    end();
}

TEST(a_stream_that_is_garbage_to_its_end_gives_nothing)
{
    start();
    buf_clear(&stream);
    uint32_t state = 1;
    for (size_t i = 0; i < 50000; i++) {
        state = state * 1664525 + 1013904223;
        buf_add_byte(&stream, i % 3 ? (uint8_t)(state >> 24) : 0x47);
    }
    finish();
    CHECK_EQ_INT(frames.count, 0);
    CHECK_EQ_INT(reader.counts.skipped_bytes +
                     reader.counts.packets * MPEGTS_PACKET_BYTES,
                 stream.length);
    end();
}

TEST(a_segment_ends_its_last_frame)
{
    start();
    VIDEO(true, 7, PES_0 AUD SPS IDR);
    finish();
    CHECK_EQ_INT(frames.count, 1);
    CHECK(!frame(0)->damaged);
    /* The next one counts its packets from anywhere. */
    buf_clear(&stream);
    VIDEO(true, 3, PES_1S AUD SPS IDR);
    VIDEO(false, 4, "cut he");
    frames_read(&reader, bytes_of(&stream), 99);
    mpegts_segment_end(&reader, true);
    CHECK_EQ_INT(frames.count, 2);
    CHECK(frame(1)->damaged);
    CHECK_EQ_INT(frame(1)->end_offset, 5 * 188);
    CHECK_EQ_INT(reader.counts.continuity_errors, 0);
    /* Cut within a packet: what is left of it is no packet. */
    buf_clear(&stream);
    VIDEO(true, 0, PES_1S AUD PICTURE);
    VIDEO(false, 1, "half");
    stream.length -= 60;
    frames_read(&reader, bytes_of(&stream), 188);
    mpegts_segment_end(&reader, false);
    CHECK_EQ_INT(frames.count, 3);
    CHECK(frame(2)->damaged);
    CHECK_EQ_INT(reader.counts.skipped_bytes, 128);
    /* And the one after that begins a packet again. */
    buf_clear(&stream);
    VIDEO(true, 0, PES_1S AUD PICTURE);
    finish();
    CHECK_EQ_INT(frames.count, 4);
    CHECK(!frame(3)->damaged);
    end();
}

TEST(what_comes_before_the_first_beginning_is_no_frame)
{
    start();
    VIDEO(false, 0, "the end of something" REST);
    VIDEO(true, 1, PES_0 REST);
    VIDEO(true, 2, PES_1S AUD PICTURE);
    finish();
    CHECK_EQ_INT(frames.count, 1);
    CHECK_EQ_INT(frame(0)->pts, 90000);
    CHECK_EQ_INT(frame(0)->bytes, sizeof AUD PICTURE - 1);
    end();
}

TEST(headers_that_are_none_of_video_are_counted_and_their_packets_passed_over)
{
    static const struct {
        const char *payload;
        size_t length;
    } rows[] = {
        {PAYLOAD("\0\0\2\xe0\0\0\x80\0\0" AUD PICTURE)},
        {PAYLOAD("\0\0\1\xc0\0\0\x80\0\0" AUD PICTURE)}, /* audio */
        {PAYLOAD("\0\0\1\xe0\0\0\x40\0\0" AUD PICTURE)}, /* MPEG-1 */
        {PAYLOAD("\0\0\1\xe0\0\0\x80\x40\5!\0\1\0\1" AUD PICTURE)},
        {PAYLOAD("\0\0\1\xe0\0\0\x80\xc0\5!\0\1\0\1" AUD PICTURE)},
        {PAYLOAD("\0\0\1\xe0\0\0\x80\x80\5 \0\1\0\1" AUD PICTURE)},
        {PAYLOAD("\0\0\1\xe0\0\0\x80\x80\5!\0\1\0\0" AUD PICTURE)},
        {PAYLOAD("\0\0\1\xe0\0\0\x80\x80\xff!\0\1\0\1" AUD PICTURE)},
        {PAYLOAD("\0\0\1\xe0\0\0\x80\0")},
    };
    EACH_ROW (row, rows) {
        start();
        video(true, 0, row->payload, row->length);
        VIDEO(false, 1, AUD PICTURE);
        VIDEO(true, 2, PES_1S AUD PICTURE);
        finish();
        CHECK_EQ_INT(frames.count, 1);
        CHECK_EQ_INT(reader.counts.bad_pes, 1);
        frames_free(&frames);
    }
    end();
}

TEST(a_frame_beyond_the_cap_is_damaged_and_hands_out_no_more)
{
    static char filler[185];
    memset(filler, 'x', sizeof filler - 1);
    start();
    VIDEO(true, 0, PES_0 AUD SPS IDR);
    unsigned packets = MPEGTS_FRAME_BYTES_MAX / 184 + 10;
    for (unsigned i = 1; i <= packets; i++)
        VIDEO(false, i, filler);
    VIDEO(true, packets + 1, PES_1S AUD PICTURE);
    finish();
    CHECK_EQ_INT(frames.count, 2);
    CHECK(frame(0)->damaged && !frame(1)->damaged);
    CHECK(frame(0)->bytes <= MPEGTS_FRAME_BYTES_MAX);
    CHECK(frame(0)->bytes > MPEGTS_FRAME_BYTES_MAX - 184);
    end();
}

TEST(the_clock_reference_is_read)
{
    start();
    buf_clear(&stream);
    test_packet(&stream, (struct test_packet){.pid = TEST_VIDEO,
                                              .adaptation_flags = 0x10});
    memcpy(stream.data + 6, "\x01\x02\x03\x04\xff\x01", 6);
    finish();
    CHECK_EQ_INT(reader.counts.clock_references, 1);
    /* 0x01020304 and a bit more are 33; the rest is 0x101. */
    CHECK_EQ_INT(reader.clock_reference, (0x01020304LL * 2 + 1) * 300 + 0x101);
    end();
}

/* ---- tables -------------------------------------------------------------- */

/* Checksums by another program. */
#define PMT_AUDIO_FIRST                                                        \
    "\x02\xb0\x17\x00\x01\xc1\x00\x00\xe1\x00\xf0\x00\x0f\xe1\x01\xf0\x00"     \
    "\x1b\xe1\x00\xf0\x00\xf2\xd9\x15\x63"
#define PMT_H265                                                               \
    "\x02\xb0\x12\x00\x01\xc1\x00\x00\xe1\x00\xf0\x00\x24\xe1\x00\xf0\x00"     \
    "\x2f\x00\x6e\xe7"

static void pmt(uint8_t counter, bool begins, const char *bytes, size_t length)
{
    test_packet(&stream, (struct test_packet){.pid = TEST_PMT,
                                              .begins = begins,
                                              .counter = counter,
                                              .payload = bytes,
                                              .length = length});
}
#define PMT(counter, begins, bytes)                                            \
    pmt((counter), (begins), (bytes), sizeof(bytes) - 1)

TEST(the_map_says_which_stream_is_the_video)
{
    start();
    PMT(1, true, "\0" PMT_AUDIO_FIRST);
    finish();
    REQUIRE(reader.stream_count == 2);
    CHECK_EQ_INT(reader.streams[0].type, 0x0f);
    CHECK_EQ_INT(reader.streams[0].pid, 0x101);
    CHECK_EQ_INT(reader.streams[1].type, MPEGTS_VIDEO_H264);
    CHECK_EQ_INT(reader.video.pid, 0x100);
    CHECK_EQ_INT(reader.counts.bad_sections, 0);
    end();
}

TEST(video_that_cannot_be_read_is_named)
{
    start();
    VIDEO(true, 0, PES_0 AUD IDR);
    PMT(1, true, "\0" PMT_H265);
    VIDEO(true, 1, PES_1S AUD PICTURE);
    finish();
    CHECK_EQ_INT(reader.video_type, 0x24);
    CHECK_EQ_INT(frames.count, 1);
    end();
}

TEST(tables_may_span_packets_and_share_them)
{
    static const char both[] = PMT_H265 PMT_AUDIO_FIRST;
    const size_t first = sizeof PMT_H265 - 1;
    for (size_t cut = 1; cut < sizeof both - 1; cut++) {
        start();
        char second[64] = {(char)(cut < first ? first - cut : 0)};
        size_t rest = sizeof both - 1 - cut;
        memcpy(second + 1, both + cut, rest);
        char head[64] = {0};
        memcpy(head + 1, both, cut);
        pmt(1, true, head, cut + 1);
        /* A second beginning only where a table does begin in it. */
        if (cut <= first)
            pmt(2, true, second, rest + 1);
        else
            pmt(2, false, second + 1, rest);
        finish();
        CHECK_EQ_INT(reader.video_type, MPEGTS_VIDEO_H264);
        CHECK_EQ_INT(reader.stream_count, 2);
        CHECK_EQ_INT(reader.counts.bad_sections, 0);
        frames_free(&frames);
    }
    end();
}

TEST(tables_that_are_wrong_change_nothing)
{
    static const struct {
        const char *payload;
        size_t length;
        int wrong;
    } rows[] = {
        {PAYLOAD("\0\x02\xb0\x12\0\1\xc1\0\0\xe1\0\xf0\0\x24\xe1\0\xf0\0"
                 "1234"),
         1},                                    /* checksum */
        {PAYLOAD("\0\x02\xbf\xff\0\1\xc1"), 1}, /* too long */
        {PAYLOAD("\0\x02\xb0\3\0\1\xc1"), 1},   /* too short */
        {PAYLOAD("\xff\x02\xb0\x12"), 1},       /* begins elsewhere */
        {PAYLOAD("\0\xff\xff\xff\xff"), 0},     /* nothing but filling */
        {PAYLOAD("\0\x02\xb0"), 0},             /* no end */
    };
    EACH_ROW (row, rows) {
        start();
        video(true, 0, PES_0 AUD IDR, sizeof PES_0 AUD IDR - 1);
        pmt(1, true, row->payload, row->length);
        finish();
        CHECK_EQ_INT(reader.video_type, MPEGTS_VIDEO_H264);
        CHECK_EQ_INT(reader.counts.bad_sections, row->wrong);
        CHECK_EQ_INT(frames.count, 1);
        frames_free(&frames);
    }
    end();
}
