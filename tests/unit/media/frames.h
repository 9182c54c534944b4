/*
 * frames.h: what the tests of media share: a list of the frames that a reader
 * reports, and packets put together by hand, not by the code under test.
 */
#ifndef ASSAY_TESTS_MEDIA_FRAMES_H
#define ASSAY_TESTS_MEDIA_FRAMES_H

#include "media/media.h"

enum { FRAMES_MAX = 2048 };

struct frames {
    struct mpegts_frame list[FRAMES_MAX];
    size_t count;
    struct buf bytes; /* of the frame being read */
    struct buf whole; /* of all frames that were reported */
};

/* Collects into FRAMES; frames_free gives back what it holds. */
struct mpegts_sink frames_sink(struct frames *frames);
void frames_free(struct frames *frames);

/* Feeds BYTES in chunks of SIZE; the stamp of the chunk that ends at byte N is
 * N. */
void frames_read(struct mpegts_reader *reader, struct text bytes, size_t size);

enum { TEST_VIDEO = 0x100, TEST_PMT = 0x1000 };

/* Parts of a packet; what is zero is left out. */
struct test_packet {
    unsigned pid;
    bool begins;
    uint8_t counter;
    uint8_t adaptation_flags; /* with an adaptation field */
    uint8_t header_flags;     /* added to byte 1 */
    uint8_t scrambling;       /* added to byte 3 */
    const char *payload;      /* behind stuffing that fills the packet */
    size_t length;
};
void test_packet(struct buf *out, struct test_packet packet);

/* PAT and PMT as another program writes them: one H.264 stream. */
void test_tables(struct buf *out);

#define PAYLOAD(bytes) .payload = (bytes), .length = sizeof(bytes) - 1

#endif
