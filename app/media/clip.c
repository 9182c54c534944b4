/*
 * clip.c: see clip.h. The bytes enter as web/ does, by .incbin; vendor/Makefile
 * knows that this file depends on them.
 */
#include "media/clip.h"

#include "media/packet.h"

__asm__(".pushsection .rodata.clip_bytes, \"a\"\n"
        "clip_bytes: .incbin \"app/media/clip.h264\"\n"
        "clip_bytes_end:\n"
        ".popsection\n");
extern const uint8_t clip_bytes[];
extern const uint8_t clip_bytes_end[];

/* The clip is ours, so it holds exactly its frames: the unit tests say so. */
void clip_open(struct clip *clip)
{
    size_t length = (size_t)(clip_bytes_end - clip_bytes);
    struct nal nal = {.after = 0};
    size_t count = 0;
    size_t begin = 0;
    bool has_slice = false;
    bool keyframe = false;
    for (;;) {
        bool found = nal_next(clip_bytes, length, nal.after, &nal);
        if (has_slice && (!found || nal_begins_unit(&nal, true))) {
            size_t end = found ? nal.begin : length;
            clip->frames[count++] = (struct clip_frame){
                {(const char *)clip_bytes + begin, end - begin}, keyframe};
            begin = end;
            has_slice = keyframe = false;
        }
        if (!found || count == CLIP_FRAMES)
            return;
        has_slice |= nal_is_slice(&nal);
        keyframe |= nal.type == NAL_IDR_SLICE;
    }
}

struct published_frame publisher_peek(const struct publisher *publisher)
{
    uint64_t number = publisher->frame_number;
    return (struct published_frame){
        .number = number,
        .segment = number / CLIP_SEGMENT_FRAMES,
        .due_us = (int64_t)(number * 1000000 / CLIP_FPS),
        .pts = publisher->first_pts + (int64_t)number * CLIP_FRAME_TICKS,
        .starts_segment = number % CLIP_SEGMENT_FRAMES == 0};
}

struct published_frame publisher_next(struct publisher *publisher,
                                      struct buf *out)
{
    struct published_frame next = publisher_peek(publisher);
    const struct clip_frame *frame =
        &publisher->clip->frames[next.number % CLIP_FRAMES];
    struct mpegts_picture picture = {next.pts, next.pts, frame->keyframe,
                                     frame->bytes};
    if (next.starts_segment)
        mpegts_write_tables(&publisher->writer, out);
    mpegts_write_frame(&publisher->writer, out, &picture);
    publisher->frame_number++;
    return next;
}
