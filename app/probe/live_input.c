/*
 * live_input.c: the clip goes in, in real time (see live_int.h).
 *
 * The stream begins when its first connection stands. From then on every frame
 * has its moment, counted from that beginning, so that lateness of one is not
 * passed on to the next.
 */
#include "probe/live_int.h"

#include "base/clock.h"
#include "base/random.h"

enum { CATCH_UP_FRAMES = 24 };

static void send_frame(struct live *live)
{
    struct frame_stamps *sent = &live->stamps.sent;
    struct buf *packets = &live->probe->prober->packets;
    buf_clear(packets);
    struct published_frame frame = publisher_next(&live->clip, packets);
    if (frame.starts_segment && frame.number > 0) {
        trickle_publisher_next(live->input);
        if (live->stamps.first_segment_sent_us == NO_STAMP)
            live->stamps.first_segment_sent_us = clock_monotonic_us();
    }
    trickle_publisher_write(live->input,
                            (struct text){packets->data, packets->length});
    int64_t now_us = clock_monotonic_us();
    int64_t late_us = now_us - live->input_began_us - frame.due_us;
    if (late_us > live->late_us)
        live->late_us = late_us;
    frame_stamps_add(sent, now_us, frame.pts);
}

static void on_frame_due(void *context)
{
    struct live *live = context;
    int64_t next_us = 0;
    for (int i = 0; i < CATCH_UP_FRAMES; i++) {
        next_us = live->input_began_us + publisher_peek(&live->clip).due_us;
        if (next_us > clock_monotonic_us() || live->probe->concluded)
            break;
        send_frame(live);
    }
    if (!live->probe->concluded)
        loop_timer_at(&live->frame, next_us);
}

static void on_ready(void *context)
{
    struct live *live = context;
    live->input_began_us = clock_monotonic_us();
    loop_timer_at(&live->frame, live->input_began_us);
}

static void on_end(void *context, enum trickle_end end, const char *detail)
{
    struct live *live = context;
    loop_timer_stop(&live->frame);
    if (end == TRICKLE_CLOSED)
        live_was_closed(live);
    else
        probe_conclude(live->probe, REASON_INPUT_NOT_TAKEN, "input: %s",
                       detail);
}

void input_start(struct live *live)
{
    struct prober *prober = live->probe->prober;
    struct trickle_publisher_settings settings = {
        .url = live->channels.publish_url.data,
        .mime = "video/MP2T",
        .preconnect = true,
        .context = live,
        .on_ready = on_ready,
        .on_end = on_end};
    uint32_t first_pts;
    /* So that a runner which counts anew does not meet ours by chance. */
    random_bytes(&first_pts, sizeof first_pts);
    live->clip.first_pts = first_pts;
    live->clip.clip = &prober->clip;
    loop_timer_init(&live->frame, prober->loop, on_frame_due, live);
    live->input = trickle_publish(prober->orchestrators, &settings);
}
