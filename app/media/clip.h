/*
 * clip.h: the test pattern, four seconds of it, published in a loop as a live
 * stream. Part of media.h.
 *
 * The clip is app/media/clip.h264, made by ./build.sh clip and linked in. A
 * publisher hands out one frame after another as transport packets; timestamps,
 * clock and packet counters go on over the end of the clip, so the loop has no
 * seam. Every keyframe begins a segment that can be read alone: tables, then
 * the IDR frame, then the rest of its two seconds (livepeer protocols §4.3).
 *
 * It is the caller who waits: a frame's packets are to be sent when it is due.
 */
#ifndef ASSAY_MEDIA_CLIP_H
#define ASSAY_MEDIA_CLIP_H

#include "media/mpegts.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    CLIP_FPS = 24,
    CLIP_FRAME_TICKS = MPEGTS_TICKS_PER_SECOND / CLIP_FPS,
    CLIP_WIDTH = 512,
    CLIP_HEIGHT = 512,
    CLIP_SEGMENT_FRAMES = 48, /* a keyframe and those that refer to it */
    CLIP_FRAMES = 96
};

struct clip_frame {
    struct text bytes; /* H.264, in the program's own memory */
    bool keyframe;
};

struct clip {
    struct clip_frame frames[CLIP_FRAMES];
};

/* Finds the frames; one clip serves any number of publishers and threads. */
void clip_open(struct clip *clip);

/* Zero-initialised but for its first two members, it begins a stream. */
struct publisher {
    const struct clip *clip; /* borrowed */
    int64_t first_pts;       /* of frame 0, ticks, from 0 on; drawn at random,
                                timestamps that come back are surely ours */
    uint64_t frame_number;   /* of the next frame */
    struct mpegts_writer writer;
};

struct published_frame {
    uint64_t number;     /* from 0 */
    uint64_t segment;    /* that it belongs to, from 0 */
    int64_t due_us;      /* after the stream's start */
    int64_t pts;         /* ticks; not wrapped, as in struct mpegts_frame */
    bool starts_segment; /* its packets begin with the tables */
};

/* What the next frame will be; changes nothing. */
struct published_frame publisher_peek(const struct publisher *publisher);
/* Appends the next frame's packets to OUT and moves on. */
struct published_frame publisher_next(struct publisher *publisher,
                                      struct buf *out);

#endif
