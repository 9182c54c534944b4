/*
 * live_output.c: what comes back, frame by frame (see live_int.h).
 *
 * The transport stream is read as it arrives, with the kernel's stamps; a
 * frame counts when it is whole. Whatever is not video is counted and let go.
 */
#include "probe/live_int.h"

enum {
    SEGMENT_BYTES = 16 << 20,
    SEGMENT_US = 30 * US_PER_SECOND,
    SEGMENTS_BESIDE = 50, /* more than ten a second are too many */
    SEGMENTS_PER_SECOND = 10,
    THIRD = 3
};

static void on_frame(void *context, const struct mpegts_frame *frame)
{
    struct live *live = context;
    struct frame_stamps *received = &live->stamps.received;
    if (frame->damaged)
        return;
    if (received->total == 0)
        probe_enter(live->probe, "output");
    frame_stamps_add(received, frame->arrived_us,
                     frame->pts == MPEGTS_NO_TIME ? NO_STAMP : frame->pts);
}

static void on_bytes(void *context, struct text bytes, int64_t at_us)
{
    struct live *live = context;
    live->output_bytes += bytes.length;
    live->last_bytes_us = at_us;
    mpegts_read(&live->reader, (const uint8_t *)bytes.data, bytes.length,
                at_us);
}

static void on_segment_end(void *context, int64_t seq, bool whole)
{
    struct live *live = context;
    struct live_stamps *stamps = &live->stamps;
    (void)seq;
    mpegts_segment_end(&live->reader, !whole);
    if (!whole)
        return;
    live->segments_out++;
    if (live->segments_out == 1)
        stamps->first_segment_received_us = live->last_bytes_us;
    if (live->segments_out == THIRD)
        stamps->third_segment_received_us = live->last_bytes_us;
}

static void on_end(void *context, enum trickle_end end, const char *detail)
{
    struct live *live = context;
    enum reason reason = REASON_CONNECTION_LOST;
    if (end == TRICKLE_BROKEN)
        reason = REASON_PROTOCOL_ERROR;
    if (end == TRICKLE_TOO_MUCH || end == TRICKLE_STALLED)
        reason = REASON_LIMIT_EXCEEDED;
    if (end == TRICKLE_CLOSED)
        live_was_closed(live);
    else
        probe_conclude(live->probe, reason, "output: %s", detail);
}

static uint64_t most_segments(const struct probe_request *request)
{
    int64_t seconds =
        (request->measure_us + request->patience_us) / US_PER_SECOND;
    return SEGMENTS_BESIDE + SEGMENTS_PER_SECOND * (uint64_t)seconds;
}

void output_start(struct live *live)
{
    struct trickle_subscriber_settings settings = {
        .url = live->channels.subscribe_url.data,
        .first = TRICKLE_NEWEST,
        .preconnect = true,
        .segment_bytes = SEGMENT_BYTES,
        .segment_us = SEGMENT_US,
        .segments = most_segments(&live->probe->request),
        .context = live,
        .on_bytes = on_bytes,
        .on_segment_end = on_segment_end,
        .on_end = on_end};
    mpegts_reader_init(
        &live->reader,
        (struct mpegts_sink){.context = live, .on_frame = on_frame});
    live->output =
        trickle_subscribe(live->probe->prober->orchestrators, &settings);
}
