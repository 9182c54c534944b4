/*
 * retime.h: a stream made over, as a runner does that works at a rate of its
 * own: frames left out or repeated, timestamps kept or counted anew. For the
 * simulated network and its tests. Part of media.h.
 *
 * The frames themselves stay as they are. A viewer would see errors where
 * frames are left out, but nobody views them: what is measured is when they
 * come and what their timestamps say. Keyframes are always kept, so that
 * segments can begin.
 */
#ifndef ASSAY_MEDIA_RETIME_H
#define ASSAY_MEDIA_RETIME_H

#include "media/mpegts.h"

#include <stdbool.h>
#include <stdint.h>

/* A frame on its way out; BYTES are valid during the call only. */
struct retimed_frame {
    struct mpegts_picture picture; /* with its new timestamps */
    int64_t arrived_us;            /* when the frame that it is made of came */
    int64_t arrived_pts;           /* what that one said */
    uint64_t number;               /* from 0 */
};

/* All but the first four members are private. */
struct retimer {
    double rate; /* frames out for each frame in: 0.5 drops every second one */
    bool keep_times;     /* else first_pts and frame_ticks count anew */
    int64_t first_pts;   /* of frame 0, ticks */
    int64_t frame_ticks; /* between two frames */
    void *context;
    void (*on_frame)(void *context, const struct retimed_frame *frame);

    struct mpegts_reader reader;
    struct buf unit;       /* the frame being read */
    uint64_t since_key;    /* frames since the last keyframe */
    uint64_t frame_number; /* of the next frame out */
};

/* RETIMER holds its settings; the rest is set here. */
void retimer_init(struct retimer *retimer);
/* As mpegts_read and mpegts_segment_end; on_frame is called on the way. */
void retimer_read(struct retimer *retimer, const uint8_t *bytes, size_t length,
                  int64_t stamp_us);
void retimer_segment_end(struct retimer *retimer, bool cut);
void retimer_free(struct retimer *retimer);

#endif
