/*
 * live.c: the beginning, the limits and the end of a live run (see live_int.h).
 *
 * A run ends when output was measured for as long as was asked for, counted
 * from its first frame, or at the first thing that goes wrong. From the start
 * request on there may be a job at the orchestrator: it is stopped on every
 * way out, by deleting the channels that are ours to delete (§3.3). Where the
 * start has not been answered yet, its answer is waited for a little, since
 * only that tells which channels there are.
 */
#include "probe/live_int.h"

#include "base/clock.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    MEASURE_US = 10 * US_PER_SECOND,
    PATIENCE_US = 60 * US_PER_SECOND,
    TICK_US = US_PER_SECOND / 4,
    TICKS_PER_PAYMENT = 4,
    /* Output may be silent for so long at the end of a run. */
    SILENCE_MAX_US = 5 * US_PER_SECOND,
    GIVE_UP_US = 3 * US_PER_SECOND,
    VERDICT_US = US_PER_SECOND / 2,
    /* Frames that left later than this were paced by an overloaded machine. */
    LATE_MAX_US = US_PER_SECOND
};

static const struct frame_stamps *received(const struct live *live)
{
    return &live->stamps.received;
}

/* ---- what became of it --------------------------------------------------- */

static bool is_silent(const struct live *live, int64_t now_us)
{
    return now_us - received(live)->newest_us > live->silence_us;
}

/* Nothing, or nothing more, came back. */
static void conclude_missing(struct live *live, enum reason reason,
                             const char *sentence)
{
    const struct claims *claims = &live->claims;
    if (*claims->error)
        probe_conclude(live->probe, REASON_RUNNER_ERROR, "the runner says: %s",
                       claims->error);
    else
        probe_conclude(live->probe, reason, "%s", sentence);
}

static void conclude_measured(struct live *live, int64_t now_us)
{
    if (live->late_us > LATE_MAX_US)
        probe_conclude(live->probe, REASON_VANTAGE_OVERLOADED,
                       "a frame left %g s late",
                       (double)live->late_us / US_PER_SECOND);
    else if (is_silent(live, now_us))
        conclude_missing(live, REASON_OUTPUT_STOPPED,
                         "output ended before the input");
    else if (received(live)->total < 2 && live->cut_short)
        probe_conclude(live->probe, REASON_STOPPED,
                       "it was ended when one frame had come");
    else if (received(live)->total < 2)
        conclude_missing(live, REASON_OUTPUT_TOO_SHORT, "one frame came back");
    else
        probe_conclude(live->probe, REASON_NONE, "%s", "");
}

static void conclude_without_output(struct live *live)
{
    if (live->output_bytes)
        probe_conclude(live->probe, REASON_OUTPUT_INVALID,
                       "%llu bytes came back, and no frame in them",
                       (unsigned long long)live->output_bytes);
    else
        conclude_missing(live, REASON_NO_OUTPUT, "no frame came back in time");
}

static void give_verdict(void *context)
{
    struct live *live = context;
    conclude_missing(live, REASON_CLOSED_EARLY, "its channels were closed");
}

void live_was_closed(struct live *live)
{
    if (!loop_timer_is_set(&live->verdict))
        loop_timer_after(&live->verdict, VERDICT_US);
}

/* ---- time ---------------------------------------------------------------- */

int64_t live_end_us(const struct live *live)
{
    return received(live)->total
               ? received(live)->first_us + live->probe->request.measure_us
               : live->patience_until_us;
}

static void tell_progress(struct live *live, int64_t now_us)
{
    const struct probe *probe = live->probe;
    const struct probe_result *result = probe->result;
    uint64_t *then = &live->frames_at_tick[live->ticks % 4];
    uint64_t frames = received(live)->total;
    struct probe_progress progress = {
        .phase = result->phases[result->phase_count - 1].name,
        .elapsed_us = now_us - probe->started_us,
        .frames_in = live->stamps.sent.total,
        .frames_out = frames,
        .fps = live->ticks >= 4 ? (double)(frames - *then) : 0};
    *then = frames;
    if (probe->request.on_progress)
        probe->request.on_progress(probe->request.context, &progress);
}

static void on_tick(void *context)
{
    struct live *live = context;
    int64_t now_us = clock_monotonic_us();
    loop_timer_after(&live->tick, TICK_US);
    tell_progress(live, now_us);
    live->ticks++;
    if (live->running && now_us >= live_end_us(live)) {
        if (received(live)->total)
            conclude_measured(live, now_us);
        else
            conclude_without_output(live);
    } else if (live->running && live->ticks % TICKS_PER_PAYMENT == 0) {
        payer_tick(live->probe->payer, now_us, live_end_us(live));
        live_pay(live);
    }
}

void live_enough(struct probe *probe)
{
    struct live *live = probe->live;
    int64_t now_us = clock_monotonic_us();
    live->cut_short = true;
    if (received(live)->total)
        probe->request.measure_us = now_us - received(live)->first_us;
    live->patience_until_us = now_us;
    /* Where nothing was accepted yet, patience begins anew with it. */
    probe->request.patience_us = 0;
}

/* ---- the beginning ------------------------------------------------------- */

void live_start(struct probe *probe)
{
    struct live *live = memory_zeroed(1, sizeof *live);
    struct loop *loop = probe->prober->loop;
    struct probe_request *request = &probe->request;
    char *transcoder =
        arena_text(probe->arena, probe->result->info->transcoder.data,
                   probe->result->info->transcoder.length);
    if (!request->measure_us)
        request->measure_us = MEASURE_US;
    if (!request->patience_us)
        request->patience_us = PATIENCE_US;
    probe->live = live;
    live->probe = probe;
    /* Of the length that was asked for: it may be cut (live_enough). */
    live->silence_us = request->measure_us / 2;
    if (live->silence_us > SILENCE_MAX_US)
        live->silence_us = SILENCE_MAX_US;
    live->claims.fps = (double)NAN;
    live_stamps_init(&live->stamps);
    loop_timer_init(&live->tick, loop, on_tick, live);
    loop_timer_init(&live->verdict, loop, give_verdict, live);
    live->patience_until_us = clock_monotonic_us() + request->patience_us;
    if (url_parse(probe->arena, transcoder, &live->transcoder)) {
        probe_conclude(probe, REASON_PROTOCOL_ERROR, "%s", err_message());
        return;
    }
    char *text = live->transcoder.text;
    text[strlen(text) - (text[strlen(text) - 1] == '/')] = '\0';
    probe_enter(probe, "payment");
    loop_timer_after(&live->tick, TICK_US);
    live_pay(live);
}

void live_accepted(struct live *live)
{
    live->running = true;
    if (live->probe->concluded)
        return; /* only to be closed again */
    probe_enter(live->probe, "first frame");
    live->patience_until_us =
        live->stamps.request_us + live->probe->request.patience_us;
    output_start(live);
    events_start(live);
    control_start(live);
    input_start(live);
}

/* ---- the end ------------------------------------------------------------- */

static void channel_closed(void *context)
{
    struct live *live = context;
    if (--live->closing == 0)
        probe_finish(live->probe);
}

/* A job that was accepted when nobody wanted it any more. */
static void open_to_close(struct live *live)
{
    struct trickle_publisher_settings settings = {.mime = "video/MP2T"};
    struct http_client *client = live->probe->prober->orchestrators;
    settings.url = live->channels.publish_url.data;
    if (!live->input)
        live->input = trickle_publish(client, &settings);
    settings.url = live->channels.control_url.data;
    if (!live->control)
        live->control = trickle_publish(client, &settings);
}

static void close_channels(struct live *live)
{
    struct trickle_publisher *input;
    struct trickle_publisher *control;
    if (live->output)
        trickle_subscriber_drop(live->output);
    if (live->events)
        trickle_subscriber_drop(live->events);
    if (live->running)
        open_to_close(live);
    input = live->input;
    control = live->control;
    live->closing = 1u + (input ? 1u : 0u) + (control ? 1u : 0u);
    if (input)
        trickle_publisher_close(input, channel_closed, live);
    if (control)
        trickle_publisher_close(control, channel_closed, live);
    channel_closed(live);
}

static void give_up(void *context)
{
    struct live *live = context;
    if (live->asking)
        http_cancel(live->asking);
    live->asking = NULL;
    live->starting = false;
    close_channels(live);
}

static void count_input(struct live *live)
{
    struct run *run = &live->probe->result->run;
    if (!live->input)
        return;
    struct trickle_published tally = trickle_publisher_tally(live->input);
    run->segments_in = (int64_t)tally.segments;
    run->bytes_in = (int64_t)(tally.bytes - tally.lost);
}

void live_close(struct probe *probe)
{
    struct live *live = probe->live;
    loop_timer_stop(&live->tick);
    loop_timer_stop(&live->verdict);
    loop_timer_stop(&live->frame);
    loop_timer_stop(&live->keepalive);
    count_input(live);
    probe_enter(probe, "closing");
    if (live->terms)
        grpc_cancel(live->terms);
    live->terms = NULL;
    loop_timer_init(&live->give_up, probe->prober->loop, give_up, live);
    loop_timer_after(&live->give_up, live->starting ? GIVE_UP_US : 0);
}

static void list_rates(struct probe_result *result,
                       const struct frame_stamps *stamps)
{
    double rates[MEASURE_SECONDS_MAX];
    size_t count = measure_seconds(stamps, rates, MEASURE_SECONDS_MAX);
    result->rates = arena_array(&result->arena, count, sizeof *rates);
    result->rate_count = count;
    memcpy(result->rates, rates, count * sizeof *rates);
}

void live_result(struct probe *probe)
{
    struct live *live = probe->live;
    struct run *run = &probe->result->run;
    const struct claims *claims = &live->claims;
    struct sample_series *series =
        arena_array(probe->arena, LIVE_SERIES_COUNT, sizeof *series);
    struct arena work = {0};
    measure_live(&work, &live->stamps, run);
    arena_free(&work);
    live_series(probe->arena, &live->stamps, series);
    probe->result->samples.series = series;
    probe->result->samples.series_count = LIVE_SERIES_COUNT;
    list_rates(probe->result, received(live));
    if (!live->running)
        return;
    run->segments_out = live->segments_out;
    run->bytes_out = (int64_t)live->output_bytes;
    if (live->channels.events_url.length)
        run->restarts = claims->restarts;
    run->reported_fps = claims->fps;
    if (*claims->state)
        run->reported_state = text_of(
            arena_text(probe->arena, claims->state, strlen(claims->state)));
    if (claims->loading)
        run->cold = 1;
}

void live_free(struct live *live)
{
    if (!live)
        return;
    loop_timer_stop(&live->give_up);
    live_stamps_free(&live->stamps);
    buf_free(&live->event);
    free(live);
}
