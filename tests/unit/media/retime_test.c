#include "frames.h"

#include "harness.h"

static struct clip clip;
static struct retimed_frame seen[FRAMES_MAX];
static size_t count;
static size_t bytes;

static void on_frame(void *context, const struct retimed_frame *frame)
{
    (void)context;
    REQUIRE(count < FRAMES_MAX);
    bytes += frame->picture.bytes.length;
    seen[count++] = *frame;
}

/* Four seconds of the clip, at a timestamp of 9000, through RETIMER. */
static void run(struct retimer *retimer)
{
    struct publisher publisher = {.clip = &clip, .first_pts = 9000};
    struct buf out = {0};
    count = bytes = 0;
    clip_open(&clip);
    retimer->on_frame = on_frame;
    retimer_init(retimer);
    for (size_t i = 0; i < CLIP_FRAMES; i++) {
        buf_clear(&out);
        struct published_frame frame = publisher_next(&publisher, &out);
        retimer_read(retimer, (const uint8_t *)out.data, out.length,
                     frame.due_us);
    }
    retimer_segment_end(retimer, false);
    retimer_free(retimer);
    buf_free(&out);
}

TEST(frames_are_left_out_or_repeated_evenly)
{
    static const struct {
        double rate;
        size_t frames;
        size_t most; /* frames in between two that go out, and one more */
    } rows[] = {{1, 96, 1},         {0.5, 48, 2},  {15.0 / 24, 60, 2},
                {1.0 / 48, 2, 48},  {2, 192, 1},   {30.0 / 24, 120, 1},
                {23.0 / 24, 92, 2}, {0.001, 2, 48}};
    EACH_ROW (row, rows) {
        struct retimer retimer = {.rate = row->rate, .keep_times = true};
        run(&retimer);
        CHECK_EQ_INT(count, row->frames);
        CHECK(seen[0].picture.keyframe);
        size_t keyframes = 0;
        for (size_t i = 0; i < count; i++) {
            keyframes += seen[i].picture.keyframe;
            CHECK_EQ_INT(seen[i].number, i);
            CHECK_EQ_INT(seen[i].picture.pts, seen[i].arrived_pts);
            CHECK_EQ_INT(seen[i].arrived_us,
                         (seen[i].arrived_pts - 9000) / 3750 * 1000000 / 24);
            if (i > 0)
                CHECK(seen[i].picture.pts - seen[i - 1].picture.pts <=
                      (int64_t)row->most * CLIP_FRAME_TICKS);
        }
        CHECK(keyframes >= 2);
    }
}

TEST(the_bytes_of_frames_go_through)
{
    size_t total = 0;
    struct retimer retimer = {.rate = 1, .keep_times = true};
    run(&retimer);
    for (size_t i = 0; i < CLIP_FRAMES; i++) {
        CHECK_EQ_INT(seen[i].picture.bytes.length, clip.frames[i].bytes.length);
        total += clip.frames[i].bytes.length;
    }
    CHECK_EQ_INT(bytes, total);
}

TEST(timestamps_are_counted_anew)
{
    struct retimer retimer = {
        .rate = 0.5, .first_pts = 126000, .frame_ticks = 6000};
    run(&retimer);
    REQUIRE(count == 48);
    for (size_t i = 0; i < count; i++) {
        CHECK_EQ_INT(seen[i].picture.pts, 126000 + (int64_t)i * 6000);
        CHECK_EQ_INT(seen[i].picture.dts, seen[i].picture.pts);
        CHECK_EQ_INT(seen[i].arrived_pts, 9000 + (int64_t)i * 7500);
    }
}
