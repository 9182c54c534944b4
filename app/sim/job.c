/*
 * job.c: the life of a job (livepeer-protocols.md §3).
 *
 * The client publishes to ID and reads from ID-out; ID-control brings it
 * parameters, ID-events its reports. When the input channel goes, the job
 * goes, and its other channels with it.
 */
#include "sim/job.h"
#include "base/clock.h"
#include "sim/admission.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    NO_INPUT_US = 60 * US_PER_S, /* then a runner ends by itself */
    BILL_EVERY_US = 5 * US_PER_S,
    DOCUMENT_MAX_BYTES = 256 << 10,
    NAME_BYTES = 24
};

/* ---- followers ----------------------------------------------------------- */

static void follower_wake(void *context);

/* Goes on with segment SEQ, or, where that is not to be had, the newest. */
static void begin_segment(struct follower *follower, int64_t seq)
{
    enum trickle_found found = trickle_read_begin(
        &follower->reader, follower->channel, seq, follower_wake, follower);
    if (found != TRICKLE_FOUND)
        found = trickle_read_begin(&follower->reader, follower->channel,
                                   TRICKLE_NEWEST, follower_wake, follower);
    if (found != TRICKLE_FOUND)
        follower->reader = (struct trickle_reader){0};
}

/* False once there is nothing more for now, or for good. */
static bool follow_segment(struct follower *follower)
{
    struct text more = trickle_read_peek(&follower->reader);
    if (more.length) {
        trickle_read_take(&follower->reader, more.length);
        follower->bytes(follower->context, more.data, more.length);
    }
    if (!follower->channel || !trickle_read_ended(&follower->reader))
        return false;
    int64_t seq = follower->reader.seq;
    bool closed = follower->channel->closed;
    trickle_read_release(&follower->reader);
    follower->segment_end(follower->context);
    if (closed) {
        follower->channel = NULL;
        follower->ended(follower->context);
    } else if (follower->channel) {
        begin_segment(follower, seq + 1);
    }
    return follower->channel && follower->reader.channel;
}

static void follower_wake(void *context)
{
    struct follower *follower = context;
    while (follow_segment(follower))
        continue;
}

void follower_start(struct follower *follower, struct trickle_channel *channel)
{
    follower->channel = channel;
    begin_segment(follower, TRICKLE_NEWEST);
    follower_wake(follower);
}

void follower_stop(struct follower *follower)
{
    follower->channel = NULL;
    if (follower->reader.channel)
        trickle_read_release(&follower->reader);
}

/* ---- truth --------------------------------------------------------------- */

struct json_writer *job_truth(struct job *job, const char *kind, int64_t at_us)
{
    struct json_writer *writer =
        orchestrator_truth(job->orchestrator, kind, at_us);
    json_member_string(writer, "manifest_id", job->id);
    return writer;
}

static void add_time(struct json_writer *writer, const char *key, int64_t us)
{
    json_key(writer, key);
    if (us)
        json_int(writer, us);
    else
        json_null(writer);
}

/* The line "run": what became of the job as a whole. */
static void say_ended(struct job *job)
{
    const struct runner *runner = &job->runner;
    struct json_writer *writer = job_truth(job, "run", clock_monotonic_us());
    json_member_string(writer, "request_id", job->request_id);
    json_member_string(writer, "model", job->orchestrator->behaviour->model);
    json_member_string(writer, "end", job->end_reason);
    json_member_bool(writer, "cold", job->cold);
    json_member_int(writer, "received_us", job->received_us);
    json_member_int(writer, "accepted_us", job->accepted_us);
    add_time(writer, "first_input_us", runner->first_input_us);
    add_time(writer, "first_output_us", runner->first_output_us);
    add_time(writer, "last_output_us", runner->last_output_us);
    json_member_int(writer, "frames_in", (int64_t)runner->frames_in);
    json_member_int(writer, "frames_out", (int64_t)runner->frames_out);
    json_member_int(writer, "segments_in", (int64_t)runner->segments_in);
    json_member_int(writer, "segments_out", runner->next_seq);
    json_member_int(writer, "restarts", job->container->restarts);
    truth_end(job->orchestrator->network->truth);
}

/* ---- channels ------------------------------------------------------------ */

static const char *const suffixes[] = {"", "-out", "-control", "-events"};
enum { CHANNELS = sizeof suffixes / sizeof *suffixes };

static const char *channel_name(const struct job *job, size_t i,
                                char name[NAME_BYTES])
{
    snprintf(name, NAME_BYTES, "%s%s", job->id, suffixes[i]);
    return name;
}

static void output_sent(void *context, int64_t seq, size_t offset,
                        int64_t at_us)
{
    struct job *job = context;
    runner_sent(&job->runner, seq, offset, at_us);
}

static void input_deleted(void *context)
{
    job_give_up(context, "input deleted");
}

static struct trickle_channel *add_channel(struct job *job, size_t i,
                                           const char *mime,
                                           struct trickle_observer observer)
{
    char name[NAME_BYTES];
    observer.context = job;
    return trickle_server_add(job->orchestrator->trickle,
                              channel_name(job, i, name), mime, &observer);
}

/* ---- what comes in ------------------------------------------------------- */

/* By wall time, whatever the stream's size, when a segment arrives and the
 * last bill is old enough (§3.2). */
static void bill(struct job *job)
{
    const struct behaviour *behaviour = job->orchestrator->behaviour;
    int64_t now_us = clock_monotonic_us();
    if (!job->billed_us)
        job->billed_us = now_us;
    int64_t span_us = now_us - job->billed_us;
    if (!job->is_billed || span_us < BILL_EVERY_US)
        return;
    int64_t fee_wei =
        behaviour->price_wei *
        (span_us / US_PER_MS * LIVE_PIXELS_PER_SECOND / MS_PER_SECOND);
    if (job->balance_wei < fee_wei || !behaviour->price_wei)
        job_give_up(job, "unpaid");
    job->balance_wei -= fee_wei;
    job->billed_us = now_us;
}

static void input_bytes(void *context, const char *bytes, size_t length)
{
    struct job *job = context;
    loop_timer_after(&job->no_input, NO_INPUT_US);
    if (!job->runner.segment_has_input)
        bill(job);
    runner_input(&job->runner, bytes, length);
}

static void input_segment_end(void *context)
{
    struct job *job = context;
    runner_input_end(&job->runner);
}

static void input_ended(void *context)
{
    job_give_up(context, "input closed");
}

static void no_input(void *context)
{
    job_end(context, "no input");
}

static void control_bytes(void *context, const char *bytes, size_t length)
{
    struct job *job = context;
    if (job->control_document.length + length <= DOCUMENT_MAX_BYTES)
        buf_add(&job->control_document, bytes, length);
}

static void set_params(struct job *job, struct text params)
{
    free(job->params);
    job->params = memory_zeroed(1, params.length + 1);
    memcpy(job->params, params.data, params.length);
}

/* Whether DOCUMENT only says that somebody is there. */
static bool is_keepalive(struct yyjson_val *document)
{
    return json_count(document) == 1 && json_get(document, "keep");
}

/* One JSON object a segment: new parameters. */
static void control_segment_end(void *context)
{
    struct job *job = context;
    struct arena arena = {0};
    struct buf *bytes = &job->control_document;
    struct yyjson_val *document =
        json_parse(&arena, buf_string(bytes), bytes->length);
    if (!bytes->length || is_keepalive(document)) {
        /* Nothing to do. */
    } else if (!json_is_object(document)) {
        report_error(&job->report, "parameters are not a JSON object");
    } else {
        set_params(job, json_compact(&arena, document, false));
        report_params(&job->report);
    }
    buf_clear(bytes);
    arena_free(&arena);
}

static void control_ended(void *context)
{
    (void)context;
}

/* ---- life ---------------------------------------------------------------- */

static void give_up_now(void *context)
{
    struct job *job = context;
    job_end(job, job->end_reason);
}

void job_give_up(struct job *job, const char *reason)
{
    if (job->end_reason)
        return;
    job->end_reason = reason;
    loop_timer_after(&job->end, 0);
}

static void start_channels(struct job *job)
{
    static const char video[] = "video/MP2T";
    static const char json[] = "application/json";
    struct trickle_observer on_output = {.sent = output_sent};
    struct trickle_observer on_input = {.closed = input_deleted};
    struct trickle_observer nobody = {0};
    struct trickle_channel *input = add_channel(job, 0, video, on_input);
    struct trickle_channel *output = add_channel(job, 1, video, on_output);
    struct trickle_channel *control = add_channel(job, 2, json, nobody);
    struct trickle_channel *events = add_channel(job, 3, json, nobody);
    runner_start(&job->runner, job, output);
    report_start(&job->report, job, events);
    job->input = (struct follower){.bytes = input_bytes,
                                   .segment_end = input_segment_end,
                                   .ended = input_ended,
                                   .context = job};
    job->control = (struct follower){.bytes = control_bytes,
                                     .segment_end = control_segment_end,
                                     .ended = control_ended,
                                     .context = job};
    follower_start(&job->input, input);
    follower_start(&job->control, control);
}

static void set_id(struct job *job)
{
    struct draw draw = draw_from(job->orchestrator->network->seed, "manifest",
                                 job->orchestrator->place, job->number);
    snprintf(job->id, sizeof job->id, "%08x", (unsigned)draw_bits(&draw));
}

static void link_job(struct job *job)
{
    struct orchestrator *orchestrator = job->orchestrator;
    job->after = orchestrator->jobs;
    if (orchestrator->jobs)
        orchestrator->jobs->before = job;
    orchestrator->jobs = job;
}

static void unlink_job(struct job *job)
{
    if (job->before)
        job->before->after = job->after;
    else
        job->orchestrator->jobs = job->after;
    if (job->after)
        job->after->before = job->before;
}

struct job *job_begin(const struct admission *admission, bool fails)
{
    struct job *job = memory_zeroed(1, sizeof *job);
    struct orchestrator *orchestrator = admission->orchestrator;
    const struct job_request *request = &admission->request;
    struct loop *loop = orchestrator->network->loop;
    job->orchestrator = orchestrator;
    job->number = orchestrator->job_count++;
    set_id(job);
    job->request_id = arena_text(&job->arena, request->request_id.data,
                                 request->request_id.length);
    job->stream_id = arena_text(&job->arena, request->stream_id.data,
                                request->stream_id.length);
    if (request->params.length)
        set_params(job, request->params);
    job->received_us = admission->received_us;
    job->accepted_us = clock_monotonic_us();
    job->container = admission->container;
    job->cold = admission->cold;
    job->fails = fails;
    link_job(job);
    loop_timer_init(&job->end, loop, give_up_now, job);
    loop_timer_init(&job->no_input, loop, no_input, job);
    loop_timer_after(&job->no_input, NO_INPUT_US);
    start_channels(job);
    return job;
}

void job_end(struct job *job, const char *reason)
{
    char name[NAME_BYTES];
    job->end_reason = reason;
    say_ended(job);
    loop_timer_stop(&job->end);
    loop_timer_stop(&job->no_input);
    follower_stop(&job->input);
    follower_stop(&job->control);
    container_release(job->container, job->runner.frames_out > 0,
                      clock_monotonic_us());
    runner_free(&job->runner);
    report_free(&job->report);
    for (size_t i = 0; i < CHANNELS; i++)
        trickle_server_remove(job->orchestrator->trickle,
                              channel_name(job, i, name));
    unlink_job(job);
    buf_free(&job->control_document);
    free(job->params);
    arena_free(&job->arena);
    free(job);
}
