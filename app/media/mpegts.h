/*
 * mpegts.h: MPEG transport streams (ISO/IEC 13818-1, "13818" below) that carry
 * H.264 video (ITU-T H.264). Part of media.h.
 *
 * The reader finds frames by their packets and NAL units and never decodes. It
 * takes bytes in chunks of any size and gives the same frames however the
 * bytes were cut. It holds one packet and two short tables, allocates nothing,
 * and survives any input: what is not a packet is skipped and counted, and
 * reading goes on at the next two sync bytes that stand 188 apart.
 *
 * A frame is an H.264 access unit (H.264 §7.4.1.2.3); of interlaced pictures
 * each field is one. Where it ends is known only when the next one begins or
 * the segment ends, so it is reported late, but with the place and the stamp
 * of its own last packet: a frame arrives when its last packet arrives.
 *
 * Turned down: collecting frames in memory (a peer would choose how much), and
 * taking each PES packet for a frame (its length is mostly 0, and nothing
 * forbids two frames in one or one frame in two).
 *
 * A reader or writer belongs to one thread at a time.
 */
#ifndef ASSAY_MEDIA_MPEGTS_H
#define ASSAY_MEDIA_MPEGTS_H

#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    MPEGTS_PACKET_BYTES = 188,
    MPEGTS_SECTION_BYTES_MAX = 1024,  /* of tables (13818 §2.4.4) */
    MPEGTS_STREAMS_MAX = 16,          /* streams that are remembered */
    MPEGTS_FRAME_BYTES_MAX = 4 << 20, /* larger ones are damaged */
    MPEGTS_TICKS_PER_SECOND = 90000,  /* of presentation timestamps */
    MPEGTS_HELD_BYTES = 8,
    MPEGTS_VIDEO_H264 = 0x1b /* stream type (13818 table 2-34) */
};

/* A timestamp that was not given. */
#define MPEGTS_NO_TIME INT64_MIN

struct mpegts_frame {
    int64_t pts;         /* ticks, continuing over wraps; or MPEGTS_NO_TIME */
    int64_t dts;         /* the same as pts where the stream gives only that */
    uint64_t end_offset; /* in the stream, just past its last packet */
    int64_t arrived_us;  /* stamp of the bytes that completed that packet */
    uint32_t bytes;      /* of H.264, start codes included */
    bool keyframe;       /* has an IDR slice: decoding can start here */
    bool damaged;        /* something of it is missing or too large */
};

/* Where frames go. The pointers are valid during the call only. */
struct mpegts_sink {
    void *context;
    void (*on_frame)(void *context, const struct mpegts_frame *frame);
    /* The H.264 bytes of a frame in pieces, all before its on_frame, nothing
     * beyond MPEGTS_FRAME_BYTES_MAX; may be null. With BEGINS a frame begins:
     * what came before without an on_frame was none. */
    void (*on_bytes)(void *context, const uint8_t *bytes, size_t length,
                     bool begins);
};

struct mpegts_stream {
    uint16_t pid;
    uint8_t type;
};

struct mpegts_counts {
    uint64_t bytes;             /* taken, garbage included */
    uint64_t packets;           /* of all streams */
    uint64_t frames;            /* reported, damaged ones included */
    uint64_t keyframes;         /* of these */
    uint64_t damaged_frames;    /* of these */
    uint64_t skipped_bytes;     /* outside of packets */
    uint64_t sync_losses;       /* runs of such bytes */
    uint64_t bad_packets;       /* flagged as wrong, or of impossible form */
    uint64_t continuity_errors; /* gaps in a stream's packet counter */
    uint64_t discontinuities;   /* gaps that the sender announced */
    uint64_t repeated_packets;  /* sent twice, as is allowed */
    uint64_t bad_sections;      /* tables with a wrong checksum or form */
    uint64_t bad_pes;           /* PES headers of impossible form */
    uint64_t clock_references;  /* PCRs seen */
};

/* A table that is being put together from packets. */
struct mpegts_section {
    uint16_t length; /* gathered so far */
    uint16_t wanted; /* whole length, 0 while unknown */
    uint8_t bytes[MPEGTS_SECTION_BYTES_MAX];
};

/* Of one PID that is followed. */
struct mpegts_track {
    uint16_t pid; /* 0x1fff: none */
    uint8_t counter;
    bool counter_known;
    bool repeated; /* the last packet came twice already */
};

/* All members are private but counts, streams, stream_count and video_type. */
struct mpegts_reader {
    struct mpegts_sink sink;
    struct mpegts_counts counts;
    struct mpegts_stream streams[MPEGTS_STREAMS_MAX]; /* as the PMT says */
    size_t stream_count;
    uint8_t video_type; /* stream type of the video, 0 while none is known */

    /* Finding packets. */
    uint8_t carry[MPEGTS_PACKET_BYTES + 1]; /* an unfinished packet */
    size_t carried;
    bool hunting; /* for the sync byte */
    int64_t stamp_us;
    uint64_t packet_end; /* offset of the end of the packet being read */

    /* Tables. */
    struct mpegts_track pat_track;
    struct mpegts_track pmt_track;
    struct mpegts_section pat;
    struct mpegts_section pmt;
    int64_t clock_reference; /* last PCR, ticks of 27 MHz */

    /* The video stream. */
    struct mpegts_track video;
    bool in_pes;            /* a PES packet has begun and is usable */
    uint64_t video_end;     /* offset past the last packet with video */
    int64_t video_stamp_us; /* its stamp */
    int64_t last_time;      /* last timestamp, from which wraps are told */
    int64_t pes_pts;        /* for the next frame that begins */
    int64_t pes_dts;
    struct mpegts_frame unit; /* the frame being read */
    bool unit_open;
    bool unit_has_slice;
    uint8_t held[MPEGTS_HELD_BYTES]; /* video bytes at the end of a packet that
                                        may belong to the next frame */
    size_t held_count;
};

void mpegts_reader_init(struct mpegts_reader *reader, struct mpegts_sink sink);

/* Takes bytes that came at STAMP_US, on a clock of the caller's that never
 * goes back. */
void mpegts_read(struct mpegts_reader *reader, const uint8_t *bytes,
                 size_t length, int64_t stamp_us);

/* The segment has ended: reports its last frame, forgets unfinished packets
 * and what counters to expect. CUT: the end came early, so that frame is
 * damaged. Streams and timestamps go on. */
void mpegts_segment_end(struct mpegts_reader *reader, bool cut);

/* ---- writing ------------------------------------------------------------- */

enum {
    MPEGTS_PMT_PID = 0x1000,
    MPEGTS_VIDEO_PID = 0x100,
    MPEGTS_CLOCK_LEAD = 9000 /* ticks by which the PCR is behind the DTS */
};

/* Zero-initialised it begins a stream; packet counters go on over segments. */
struct mpegts_writer {
    uint8_t pat_counter;
    uint8_t pmt_counter;
    uint8_t video_counter;
};

/* A frame to be written: H.264 with start codes, access unit delimiter first,
 * as 13818 §2.14.1 wants it. Timestamps may be beyond 33 bits. */
struct mpegts_picture {
    int64_t pts;
    int64_t dts;
    bool keyframe;
    struct text bytes;
};

/* The two tables, PAT and PMT, with which every segment must begin. */
void mpegts_write_tables(struct mpegts_writer *writer, struct buf *out);
/* One frame as a PES packet of its own with a clock reference. */
void mpegts_write_frame(struct mpegts_writer *writer, struct buf *out,
                        const struct mpegts_picture *picture);

#endif
