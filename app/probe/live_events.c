/*
 * live_events.c: what the runner tells meanwhile, and the control channel
 * (see live_int.h).
 *
 * Events are claims: they are kept, and set beside what was measured. A
 * channel of events that fails ends nothing, but for what it would have said.
 */
#include "probe/live_int.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum {
    EVENTS_MAX = 2000,
    EVENT_US = 30 * US_PER_SECOND,
    KEEPALIVE_US = CONTROL_KEEPALIVE_EVERY_MS * US_PER_MS
};

static void copy_claim(char *claim, size_t room, struct text text)
{
    snprintf(claim, room, "%.*s", (int)text.length, text.data);
}

static void take_status(struct claims *claims, const struct live_event *event)
{
    if (!isnan(event->output_fps))
        claims->fps = event->output_fps;
    if (event->state.length)
        copy_claim(claims->state, sizeof claims->state, event->state);
    if (text_is(event->state, "LOADING"))
        claims->loading = true;
}

static void take_event(struct claims *claims, const struct live_event *event)
{
    if (event->kind == LIVE_EVENT_STATUS)
        take_status(claims, event);
    else if (event->kind == LIVE_EVENT_RESTART)
        claims->restarts++;
    else if (event->kind == LIVE_EVENT_ERROR)
        copy_claim(claims->error, sizeof claims->error, event->message);
}

static void on_bytes(void *context, struct text bytes, int64_t at_us)
{
    struct live *live = context;
    (void)at_us;
    buf_add(&live->event, bytes.data, bytes.length);
}

static void on_segment_end(void *context, int64_t seq, bool whole)
{
    struct live *live = context;
    struct arena arena = {0};
    struct live_event event;
    struct text segment = {live->event.data, live->event.length};
    (void)seq;
    probe_keep(live->probe, "event", segment);
    if (whole && !live_event_read(&arena, segment, &event))
        take_event(&live->claims, &event);
    arena_free(&arena);
    buf_clear(&live->event);
}

void events_start(struct live *live)
{
    struct trickle_subscriber_settings settings = {
        .url = live->channels.events_url.data,
        .first = TRICKLE_NEWEST,
        .segment_bytes = LIVE_EVENT_BYTES_MAX,
        .segment_us = EVENT_US,
        .segments = EVENTS_MAX,
        .context = live,
        .on_bytes = on_bytes,
        .on_segment_end = on_segment_end};
    if (live->channels.events_url.length)
        live->events =
            trickle_subscribe(live->probe->prober->orchestrators, &settings);
}

/* ---- control ------------------------------------------------------------- */

static void keep_alive(void *context)
{
    struct live *live = context;
    loop_timer_after(&live->keepalive, KEEPALIVE_US);
    trickle_publisher_write(live->control, text_of(CONTROL_KEEPALIVE));
    trickle_publisher_next(live->control);
}

void control_start(struct live *live)
{
    struct prober *prober = live->probe->prober;
    struct trickle_publisher_settings settings = {
        .url = live->channels.control_url.data, .mime = "application/json"};
    loop_timer_init(&live->keepalive, prober->loop, keep_alive, live);
    live->control = trickle_publish(prober->orchestrators, &settings);
    loop_timer_after(&live->keepalive, KEEPALIVE_US);
}
