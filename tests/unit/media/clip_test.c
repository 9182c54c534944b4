/*
 * The clip, its loop, and reading it back however the bytes are cut.
 */
#include "frames.h"

#include "harness.h"

#include <string.h>

static struct clip clip;
static struct frames frames;
static struct mpegts_reader reader;

/* COUNT frames from FIRST_PTS on; ENDS is where each one's packets end. */
static struct buf published(int64_t first_pts, size_t count, size_t *ends)
{
    struct publisher publisher = {.clip = &clip, .first_pts = first_pts};
    struct buf out = {0};
    for (size_t i = 0; i < count; i++) {
        publisher_next(&publisher, &out);
        if (ends)
            ends[i] = out.length;
    }
    return out;
}

TEST(the_clip_is_two_segments_of_two_seconds)
{
    size_t total = 0;
    clip_open(&clip);
    for (size_t i = 0; i < CLIP_FRAMES; i++) {
        struct text bytes = clip.frames[i].bytes;
        CHECK_EQ_INT(clip.frames[i].keyframe, i % CLIP_SEGMENT_FRAMES == 0);
        REQUIRE(bytes.length > 7);
        CHECK_EQ_MEMORY(bytes.data, "\0\0\0\1\x09", 5);
        total += bytes.length;
        if (i > 0)
            CHECK(bytes.data == clip.frames[i - 1].bytes.data +
                                    clip.frames[i - 1].bytes.length);
        /* A decoder needs the parameters with each keyframe. */
        if (clip.frames[i].keyframe)
            CHECK_EQ_MEMORY(bytes.data + 6, "\0\0\0\1\x67", 5);
    }
    CHECK(total > 200000 && total < 600000);
}

TEST(frames_are_due_as_their_timestamps_say)
{
    struct publisher publisher = {.clip = &clip, .first_pts = 1000};
    struct buf out = {0};
    clip_open(&clip);
    for (uint64_t i = 0; i < 5 * CLIP_FRAMES; i++) {
        struct published_frame peeked = publisher_peek(&publisher);
        struct published_frame frame = publisher_next(&publisher, &out);
        CHECK_EQ_INT(peeked.due_us, frame.due_us);
        CHECK_EQ_INT(frame.number, i);
        CHECK_EQ_INT(frame.segment, i / 48);
        CHECK_EQ_INT(frame.starts_segment, i % 48 == 0);
        CHECK_EQ_INT(frame.pts, 1000 + (int64_t)i * 3750);
        CHECK_EQ_INT(frame.due_us, (int64_t)(i * 1000000 / 24));
        buf_clear(&out);
    }
    buf_free(&out);
}

TEST(the_loop_has_no_seam)
{
    enum { COUNT = 5 * CLIP_FRAMES + 7 };
    static size_t ends[COUNT];
    const int64_t first = ((int64_t)1 << 33) - 200000; /* wraps on the way */
    clip_open(&clip);
    struct buf out = published(first, COUNT, ends);
    mpegts_reader_init(&reader, frames_sink(&frames));
    frames_read(&reader, (struct text){out.data, out.length}, 1316);
    mpegts_segment_end(&reader, false);
    REQUIRE(frames.count == COUNT);
    for (size_t i = 0; i < COUNT; i++) {
        const struct mpegts_frame *frame = &frames.list[i];
        CHECK_EQ_INT(frame->pts, first + (int64_t)i * CLIP_FRAME_TICKS);
        CHECK_EQ_INT(frame->end_offset, ends[i]);
        CHECK(frame->arrived_us >= (int64_t)ends[i]);
        CHECK(frame->arrived_us < (int64_t)ends[i] + 1316);
        CHECK_EQ_INT(frame->keyframe, i % 48 == 0);
        CHECK_EQ_INT(frame->bytes, clip.frames[i % CLIP_FRAMES].bytes.length);
    }
    CHECK_EQ_INT(reader.counts.continuity_errors, 0);
    CHECK_EQ_INT(reader.counts.damaged_frames, 0);
    CHECK_EQ_INT(reader.counts.skipped_bytes, 0);
    CHECK_EQ_INT(reader.counts.bad_sections, 0);
    CHECK_EQ_INT(reader.counts.packets, out.length / MPEGTS_PACKET_BYTES);
    frames_free(&frames);
    buf_free(&out);
}

TEST(every_segment_can_be_read_alone)
{
    struct publisher publisher = {.clip = &clip};
    struct buf out = {0};
    clip_open(&clip);
    for (int segment = 0; segment < 5; segment++) {
        buf_clear(&out);
        for (size_t i = 0; i < CLIP_SEGMENT_FRAMES; i++)
            publisher_next(&publisher, &out);
        mpegts_reader_init(&reader, frames_sink(&frames));
        frames_read(&reader, (struct text){out.data, out.length}, out.length);
        mpegts_segment_end(&reader, false);
        REQUIRE(frames.count == CLIP_SEGMENT_FRAMES);
        CHECK(frames.list[0].keyframe);
        CHECK_EQ_INT(frames.list[0].pts, segment * 180000);
        CHECK_EQ_INT(reader.counts.continuity_errors, 0);
        frames_free(&frames);
    }
    buf_free(&out);
}

/* Chunks of every size up to beyond two packets find the same. */
TEST(how_the_bytes_are_cut_changes_nothing)
{
    enum { COUNT = 20 };
    static size_t ends[COUNT];
    clip_open(&clip);
    struct buf clean = published(0, COUNT, ends);
    struct buf out = {0};
    buf_add(&out, clean.data, ends[5]);
    buf_add_string(&out, "garbage G");
    buf_add(&out, clean.data + ends[5], clean.length - ends[5]);
    struct mpegts_counts counts = {0};
    for (size_t size = 1; size <= 400; size++) {
        mpegts_reader_init(&reader, frames_sink(&frames));
        frames_read(&reader, (struct text){out.data, out.length}, size);
        mpegts_segment_end(&reader, false);
        CHECK_EQ_INT(frames.count, COUNT);
        CHECK_EQ_INT(reader.counts.skipped_bytes, 9);
        if (size == 1)
            counts = reader.counts;
        CHECK_EQ_MEMORY(&reader.counts, &counts, sizeof counts);
        for (size_t i = 0; i < frames.count; i++)
            CHECK_EQ_INT(frames.list[i].end_offset, ends[i] + (i > 5 ? 9 : 0));
        frames_free(&frames);
    }
    buf_free(&out);
    buf_free(&clean);
}
