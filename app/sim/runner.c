/*
 * runner.c: from a job's input to its output.
 *
 * Frames of the input wait until their latency is over and then go out, evenly
 * as far as the drawn rate allows, plus what jitter is drawn for each. Nothing
 * is decoded or encoded: a runner's pictures are its input's. Where output
 * must begin or go on at a frame that is no keyframe, the last keyframe's
 * picture is sent with that frame's timestamps.
 *
 * A frame of the input is known to be whole when the next one begins, so that
 * a latency below one interval of the input cannot be had.
 */
#include "base/clock.h"
#include "sim/job.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    RATE_SPAN_US = 11 * US_PER_S,
    BEHIND_MAX_US = US_PER_S / 4, /* then it drops what it owes */
    STOP_AFTER_MS = 1000,         /* a failing job's output lasts at least */
    STOP_SPREAD_MS = 2000,
    SENT_MAX = 4096
};

struct frame {
    struct frame *after;
    int64_t due_us;
    int64_t input_us; /* when it had arrived */
    int64_t input_pts;
    struct mpegts_picture picture; /* its bytes follow */
    char bytes[];
};

/* A frame that was written, for the truth. */
struct sent_frame {
    struct sent_frame *after;
    uint64_t number;
    int64_t seq;
    size_t end_offset; /* in its segment */
    int64_t pts;
    int64_t input_pts;
    int64_t input_us;
    int64_t at_us;
};

/* ---- rates --------------------------------------------------------------- */

void rate_add(struct rate *rate, int64_t at_us)
{
    rate->times_us[rate->count++ % RATE_WINDOW] = at_us;
}

double rate_now(const struct rate *rate, int64_t now_us)
{
    uint64_t kept = rate->count < RATE_WINDOW ? rate->count : RATE_WINDOW;
    uint64_t seen = 0;
    int64_t first_us = 0;
    int64_t last_us = 0;
    for (; seen < kept; seen++) {
        int64_t at_us = rate->times_us[(rate->count - 1 - seen) % RATE_WINDOW];
        if (at_us <= now_us - RATE_SPAN_US)
            break;
        first_us = at_us;
        last_us = seen ? last_us : at_us;
    }
    /* What has stopped slows down. */
    if (now_us - last_us > US_PER_S)
        last_us = now_us;
    return seen > 1 && last_us > first_us
               ? (double)(seen - 1) * US_PER_S / (double)(last_us - first_us)
               : 0;
}

/* ---- the truth about frames ---------------------------------------------- */

static void say_frame(struct runner *runner, const struct sent_frame *frame,
                      int64_t sent_us)
{
    struct network *network = runner->job->orchestrator->network;
    struct json_writer *writer = job_truth(runner->job, "output", frame->at_us);
    json_member_int(writer, "frame", (int64_t)frame->number);
    json_member_int(writer, "seq", frame->seq);
    json_member_int(writer, "pts", frame->pts);
    json_member_int(writer, "input_pts", frame->input_pts);
    json_member_int(writer, "input_us", frame->input_us);
    json_key(writer, "sent_us");
    if (sent_us)
        json_int(writer, sent_us);
    else
        json_null(writer);
    truth_end(network->truth);
}

/* Tells the oldest frame and forgets it. */
static void tell_first(struct runner *runner, int64_t sent_us)
{
    struct sent_frame *frame = runner->sent_first;
    runner->sent_first = frame->after;
    say_frame(runner, frame, sent_us);
    free(frame);
}

void runner_sent(struct runner *runner, int64_t seq, size_t offset,
                 int64_t at_us)
{
    struct sent_frame *frame;
    while ((frame = runner->sent_first) &&
           (frame->seq < seq ||
            (frame->seq == seq && frame->end_offset <= offset)))
        tell_first(runner, frame->seq == seq ? at_us : 0);
}

/* Before it is written: whoever reads may be sent it at once. */
static void remember(struct runner *runner, const struct frame *frame,
                     int64_t now_us)
{
    if (!truth_is_kept(runner->job->orchestrator->network->truth))
        return;
    struct sent_frame *sent = memory_zeroed(1, sizeof *sent);
    *sent = (struct sent_frame){.number = runner->frames_out,
                                .seq = runner->segment.seq,
                                .end_offset = runner->segment_bytes,
                                .pts = frame->picture.pts,
                                .input_pts = frame->input_pts,
                                .input_us = frame->input_us,
                                .at_us = now_us};
    if (runner->sent_first)
        runner->sent_last->after = sent;
    else
        runner->sent_first = sent;
    runner->sent_last = sent;
    if (runner->frames_out - runner->sent_first->number > SENT_MAX)
        tell_first(runner, 0);
}

/* ---- what stands still --------------------------------------------------- */

static const struct behaviour *behaviour_of(const struct runner *runner)
{
    return runner->job->orchestrator->behaviour;
}

/* Restarts and failures whose time has come. */
static void suffer(struct runner *runner, int64_t now_us)
{
    const struct behaviour *behaviour = behaviour_of(runner);
    if (now_us >= runner->restart_us) {
        runner->restart_us += behaviour->restart_every_ms * US_PER_MS;
        runner->ready_us = now_us + behaviour->restart_length_ms * US_PER_MS;
        report_restart(&runner->job->report);
    }
    if (now_us < runner->stop_us)
        return;
    runner->stop_us = INT64_MAX;
    runner->is_stopped = true;
    if (behaviour->failure_kind == FAILURE_STOP)
        job_give_up(runner->job, "runner stopped");
    else
        report_error(&runner->job->report, "the pipeline failed");
}

static bool stands_still(struct runner *runner, int64_t now_us)
{
    const struct behaviour *behaviour = behaviour_of(runner);
    suffer(runner, now_us);
    while (now_us > runner->freeze_us &&
           now_us - runner->freeze_us >=
               behaviour->freeze_length_ms * US_PER_MS)
        runner->freeze_us += behaviour->freeze_every_ms * US_PER_MS;
    return runner->is_stopped || now_us < runner->ready_us ||
           now_us >= runner->freeze_us;
}

/* From the first output on. */
static void plan_trouble(struct runner *runner, int64_t now_us)
{
    const struct behaviour *behaviour = behaviour_of(runner);
    struct job *job = runner->job;
    struct draw draw = draw_from(job->orchestrator->network->seed, "trouble",
                                 job->orchestrator->place, job->number);
    if (behaviour->freeze_every_ms)
        runner->freeze_us = now_us + behaviour->freeze_every_ms * US_PER_MS;
    if (behaviour->restart_every_ms)
        runner->restart_us = now_us + behaviour->restart_every_ms * US_PER_MS;
    if (job->fails)
        runner->stop_us =
            now_us +
            (STOP_AFTER_MS + (int64_t)draw_below(&draw, STOP_SPREAD_MS)) *
                US_PER_MS;
}

/* ---- going out ----------------------------------------------------------- */

static void end_segment(struct runner *runner)
{
    if (runner->segment.channel)
        (void)trickle_write_end(&runner->segment);
    runner->segment_bytes = 0;
}

static void begin_segment(struct runner *runner, int64_t now_us)
{
    end_segment(runner);
    trickle_write_begin(&runner->segment, runner->output, runner->next_seq++,
                        false, now_us, NULL, NULL);
    mpegts_write_tables(&runner->writer, &runner->packets);
}

static void put_out(struct runner *runner, const struct frame *frame,
                    int64_t now_us)
{
    struct mpegts_picture picture = frame->picture;
    bool begins =
        picture.keyframe || !runner->segment.channel || runner->needs_key;
    buf_clear(&runner->packets);
    if (begins && !picture.keyframe) {
        picture.keyframe = true;
        picture.bytes = (struct text){runner->key.data, runner->key.length};
    }
    if (begins)
        begin_segment(runner, now_us);
    runner->needs_key = false;
    mpegts_write_frame(&runner->writer, &runner->packets, &picture);
    runner->segment_bytes += runner->packets.length;
    if (!runner->first_output_us) {
        runner->first_output_us = now_us;
        plan_trouble(runner, now_us);
    }
    runner->last_output_us = now_us;
    rate_add(&runner->output_rate, now_us);
    remember(runner, frame, now_us);
    runner->frames_out++;
    if (!trickle_write(&runner->segment, runner->packets.data,
                       runner->packets.length))
        runner->needs_key = true;
}

static void emit(void *context)
{
    struct runner *runner = context;
    int64_t now_us = clock_monotonic_us();
    struct frame *frame;
    while ((frame = runner->first) && frame->due_us <= now_us) {
        runner->first = frame->after;
        if (stands_still(runner, now_us))
            runner->needs_key |= frame->picture.keyframe;
        else
            put_out(runner, frame, now_us);
        free(frame);
    }
    if (frame)
        loop_timer_at(&runner->due, frame->due_us);
}

/* ---- coming in ----------------------------------------------------------- */

/* When a frame that arrived at INPUT_US is to go out. */
static int64_t schedule(struct runner *runner, int64_t input_us)
{
    int64_t earliest = input_us + (int64_t)(runner->latency_ms * US_PER_MS);
    int64_t even = runner->schedule_us + (int64_t)(US_PER_S / runner->fps);
    bool is_behind = even - earliest > BEHIND_MAX_US;
    runner->schedule_us = even > earliest && !is_behind ? even : earliest;
    double jitter_ms =
        draw_from_distribution(&runner->jitter, &behaviour_of(runner)->jitter);
    int64_t due_us = runner->schedule_us + (int64_t)(jitter_ms * US_PER_MS);
    /* Frames never overtake each other. */
    if (runner->first && due_us < runner->last->due_us)
        due_us = runner->last->due_us;
    return due_us;
}

static void take_frame(void *context, const struct retimed_frame *retimed)
{
    struct runner *runner = context;
    const struct text *bytes = &retimed->picture.bytes;
    struct frame *frame = memory_alloc(sizeof *frame + bytes->length);
    *frame = (struct frame){.input_us = retimed->arrived_us,
                            .input_pts = retimed->arrived_pts,
                            .picture = retimed->picture};
    memcpy(frame->bytes, bytes->data, bytes->length);
    frame->picture.bytes.data = frame->bytes;
    frame->due_us = schedule(runner, retimed->arrived_us);
    if (frame->picture.keyframe) {
        buf_clear(&runner->key);
        buf_add(&runner->key, bytes->data, bytes->length);
    }
    if (runner->first)
        runner->last->after = frame;
    else
        runner->first = frame;
    runner->last = frame;
    if (runner->first == frame)
        loop_timer_at(&runner->due, frame->due_us);
}

static void count_input(struct runner *runner, int64_t now_us)
{
    uint64_t frames = runner->retimer.reader.counts.frames;
    for (; runner->frames_in < frames; runner->frames_in++)
        rate_add(&runner->input_rate, now_us);
    runner->last_input_us = now_us;
    if (!runner->first_input_us)
        runner->first_input_us = now_us;
}

void runner_input(struct runner *runner, const char *bytes, size_t length)
{
    int64_t now_us = clock_monotonic_us();
    retimer_read(&runner->retimer, (const uint8_t *)bytes, length, now_us);
    runner->segment_has_input = true;
    count_input(runner, now_us);
}

void runner_input_end(struct runner *runner)
{
    if (!runner->segment_has_input)
        return; /* closed before it began */
    runner->segment_has_input = false;
    runner->segments_in++;
    retimer_segment_end(&runner->retimer, false);
    count_input(runner, runner->last_input_us);
}

/* ---- life ---------------------------------------------------------------- */

void runner_start(struct runner *runner, struct job *job,
                  struct trickle_channel *output)
{
    const struct behaviour *behaviour = job->orchestrator->behaviour;
    uint64_t seed = job->orchestrator->network->seed;
    size_t place = job->orchestrator->place;
    struct draw draw = draw_from(seed, "pace", place, job->number);
    *runner = (struct runner){.job = job, .output = output};
    trickle_channel_hold(output);
    /* Slower than one frame in ten seconds would never be told from nothing. */
    runner->fps = fmax(draw_from_distribution(&draw, &behaviour->fps), 0.1);
    runner->latency_ms = draw_from_distribution(&draw, &behaviour->latency);
    runner->jitter = draw_from(seed, "jitter", place, job->number);
    runner->is_stopped =
        job->fails && behaviour->failure_kind == FAILURE_SILENT;
    runner->freeze_us = runner->restart_us = runner->stop_us = INT64_MAX;
    runner->ready_us =
        job->accepted_us + (job->cold ? behaviour->warm_up_ms * US_PER_MS : 0);
    runner->retimer = (struct retimer){
        .rate = runner->fps < CLIP_FPS ? runner->fps / CLIP_FPS : 1,
        .keep_times = behaviour->timestamps == TIMESTAMPS_KEPT,
        .frame_ticks = runner->fps < CLIP_FPS
                           ? (int64_t)(MPEGTS_TICKS_PER_SECOND / runner->fps)
                           : CLIP_FRAME_TICKS,
        .context = runner,
        .on_frame = take_frame};
    retimer_init(&runner->retimer);
    loop_timer_init(&runner->due, job->orchestrator->network->loop, emit,
                    runner);
}

void runner_free(struct runner *runner)
{
    loop_timer_stop(&runner->due);
    while (runner->first) {
        struct frame *frame = runner->first;
        runner->first = frame->after;
        free(frame);
    }
    while (runner->sent_first)
        tell_first(runner, 0);
    /* Broken off; its readers get its end when the channel closes. */
    if (runner->segment.channel)
        trickle_write_break(&runner->segment);
    trickle_channel_release(runner->output);
    retimer_free(&runner->retimer);
    buf_free(&runner->key);
    buf_free(&runner->packets);
}
