/*
 * retime.c: see retime.h. Of the frames since a keyframe (number 0), number n
 * goes out ceil((n + 1) rate) - ceil(n rate) times, which spreads any rate
 * evenly and always lets the keyframe through.
 */
#include "media/retime.h"

#include <math.h>

static void add_bytes(void *context, const uint8_t *bytes, size_t length,
                      bool begins)
{
    struct retimer *retimer = context;
    if (begins)
        buf_clear(&retimer->unit);
    buf_add(&retimer->unit, bytes, length);
}

static void put_out(struct retimer *retimer, const struct mpegts_frame *frame)
{
    int64_t renewed = retimer->first_pts +
                      (int64_t)retimer->frame_number * retimer->frame_ticks;
    int64_t pts = retimer->keep_times ? frame->pts : renewed;
    int64_t dts = retimer->keep_times ? frame->dts : renewed;
    struct retimed_frame out = {
        .picture = {pts,
                    dts,
                    frame->keyframe,
                    {retimer->unit.data, retimer->unit.length}},
        .arrived_us = frame->arrived_us,
        .arrived_pts = frame->pts,
        .number = retimer->frame_number++};
    retimer->on_frame(retimer->context, &out);
}

static void on_frame(void *context, const struct mpegts_frame *frame)
{
    struct retimer *retimer = context;
    bool usable = !frame->damaged && frame->pts != MPEGTS_NO_TIME;
    if (frame->keyframe)
        retimer->since_key = 0;
    double before = ceil((double)retimer->since_key * retimer->rate);
    double after = ceil((double)(retimer->since_key + 1) * retimer->rate);
    retimer->since_key++;
    for (double i = before; usable && i < after; i++)
        put_out(retimer, frame);
}

void retimer_init(struct retimer *retimer)
{
    struct mpegts_sink sink = {retimer, on_frame, add_bytes};
    mpegts_reader_init(&retimer->reader, sink);
    retimer->unit = (struct buf){0};
    retimer->since_key = 0;
    retimer->frame_number = 0;
}

void retimer_read(struct retimer *retimer, const uint8_t *bytes, size_t length,
                  int64_t stamp_us)
{
    mpegts_read(&retimer->reader, bytes, length, stamp_us);
}

void retimer_segment_end(struct retimer *retimer, bool cut)
{
    mpegts_segment_end(&retimer->reader, cut);
}

void retimer_free(struct retimer *retimer)
{
    buf_free(&retimer->unit);
}
