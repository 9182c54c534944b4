/*
 * report.c: what a runner tells about a job on its events channel
 * (livepeer-protocols.md §5.1): one JSON document a segment, a status every ten
 * seconds, restarts and errors as they come. What it claims is the scenario's
 * to say.
 */
#include "base/clock.h"
#include "base/hash.h"
#include "sim/job.h"

#include <stdlib.h>
#include <string.h>

enum {
    IDLE_US = 2 * US_PER_S, /* no frames: degraded */
    ERROR_LASTS_US = 15 * US_PER_S,
    RESTART_LASTS_US = 60 * US_PER_S
};

/* ---- states -------------------------------------------------------------- */

static bool is_recent(int64_t at_us, int64_t now_us, int64_t span_us)
{
    return at_us && now_us - at_us <= span_us;
}

static enum stream_state state_now(const struct report *report, int64_t now_us,
                                   double input_fps, double output_fps)
{
    const struct runner *runner = &report->job->runner;
    double enough = 0.8 * input_fps < 10 ? 0.8 * input_fps : 10;
    if (report->job->orchestrator->behaviour->claims_state == CLAIM_ONLINE)
        return STATE_ONLINE;
    if (!runner->first_output_us && now_us < runner->ready_us)
        return STATE_LOADING;
    if (!is_recent(runner->last_input_us, now_us, IDLE_US) || input_fps < 15)
        return STATE_DEGRADED_INPUT;
    if (!is_recent(runner->last_output_us, now_us, IDLE_US) ||
        output_fps < enough ||
        is_recent(report->error_us, now_us, ERROR_LASTS_US) ||
        is_recent(report->restarted_us, now_us, RESTART_LASTS_US))
        return STATE_DEGRADED_INFERENCE;
    return STATE_ONLINE;
}

/* ---- documents ----------------------------------------------------------- */

/* Wall time of a monotonic instant; null for none. */
static void add_wall(struct json_writer *writer, const char *key,
                     int64_t monotonic_us)
{
    json_key(writer, key);
    if (monotonic_us)
        json_int(writer, clock_wall_ms() -
                             (clock_monotonic_us() - monotonic_us) / US_PER_MS);
    else
        json_null(writer);
}

static void add_null(struct json_writer *writer, const char *key)
{
    json_key(writer, key);
    json_null(writer);
}

static void add_params(struct json_writer *writer, struct report *report)
{
    const char *params = report->job->params;
    add_wall(writer, "last_params_update_time", report->params_us);
    json_key(writer, "last_params");
    if (report->tell_params && params)
        json_raw(writer, text_of(params));
    else
        json_null(writer);
    report->tell_params = false;
    if (params) {
        char hash[MD5_HEX_BYTES];
        struct text part = text_of(params);
        hash_md5_joined(&part, 1, hash);
        json_member_string(writer, "last_params_hash", hash);
    } else {
        json_member_string(writer, "last_params_hash", "");
    }
}

static void add_inference(struct json_writer *writer, struct report *report,
                          double fps)
{
    json_key(writer, "inference_status");
    json_begin(writer, '{');
    add_wall(writer, "last_output_time", report->job->runner.last_output_us);
    json_member_double(writer, "fps", fps);
    add_params(writer, report);
    add_wall(writer, "last_error_time", report->error_us);
    if (report->error)
        json_member_string(writer, "last_error", report->error);
    else
        add_null(writer, "last_error");
    add_wall(writer, "last_restart_time", report->restarted_us);
    add_null(writer, "last_restart_logs");
    json_member_int(writer, "restart_count", report->job->container->restarts);
    json_end(writer, '}');
}

static void add_status(struct json_writer *writer, struct report *report)
{
    struct job *job = report->job;
    const struct runner *runner = &job->runner;
    const struct behaviour *behaviour = job->orchestrator->behaviour;
    int64_t now_us = clock_monotonic_us();
    int64_t now_ms = clock_wall_ms();
    double input_fps = rate_now(&runner->input_rate, now_us);
    double output_fps = rate_now(&runner->output_rate, now_us);
    json_member_string(writer, "type", "status");
    json_member_string(writer, "pipeline", behaviour->model);
    add_wall(writer, "start_time", job->accepted_us);
    json_member_string(
        writer, "state",
        stream_state_name(state_now(report, now_us, input_fps, output_fps)));
    json_member_int(writer, "last_state_update_time", now_ms);
    json_key(writer, "input_status");
    json_begin(writer, '{');
    add_wall(writer, "last_input_time", runner->last_input_us);
    json_member_double(writer, "fps", input_fps);
    json_end(writer, '}');
    add_inference(writer, report,
                  behaviour->claims_fps > 0 ? behaviour->claims_fps
                                            : output_fps);
    json_member_int(writer, "timestamp", now_ms);
    json_member_int(writer, "last_status_timestamp", now_ms);
}

/* ---- sending ------------------------------------------------------------- */

static void say_event(struct report *report, const char *type, int64_t at_us,
                      struct text event)
{
    struct json_writer *writer = job_truth(report->job, "event", at_us);
    json_member_string(writer, "type", type);
    json_key(writer, "event");
    json_raw(writer, event);
    truth_end(report->job->orchestrator->network->truth);
}

/* EVENT is the members' JSON with its braces. */
static void send_event(struct report *report, const char *type,
                       struct text event)
{
    struct buf document = {0};
    struct json_writer writer = {.out = &document};
    struct trickle_writer segment;
    int64_t now_us = clock_monotonic_us();
    json_begin(&writer, '{');
    json_key(&writer, "event");
    json_raw(&writer, event);
    json_member_string(&writer, "queue_event_type", "ai_stream_events");
    json_end(&writer, '}');
    trickle_write_begin(&segment, report->events, TRICKLE_NEXT, false, now_us,
                        NULL, NULL);
    if (trickle_write(&segment, document.data, document.length))
        say_event(report, type, now_us, event);
    (void)trickle_write_end(&segment);
    buf_free(&document);
}

static void plan_status(struct report *report)
{
    const struct orchestrator *orchestrator = report->job->orchestrator;
    int64_t every_ms = orchestrator->behaviour->status_every_ms;
    int64_t most_ms = orchestrator->network->status_every_ms;
    if (most_ms && every_ms > most_ms)
        every_ms = most_ms;
    loop_timer_after(&report->next, every_ms * US_PER_MS);
}

static void send_status(void *context)
{
    struct report *report = context;
    struct buf event = {0};
    struct json_writer writer = {.out = &event};
    plan_status(report);
    json_begin(&writer, '{');
    add_status(&writer, report);
    json_end(&writer, '}');
    send_event(report, "status", (struct text){event.data, event.length});
    buf_free(&event);
}

void report_params(struct report *report)
{
    report->params_us = clock_monotonic_us();
    report->tell_params = true;
    struct json_writer *writer =
        job_truth(report->job, "params", report->params_us);
    json_key(writer, "params");
    json_raw(writer, text_of(report->job->params));
    truth_end(report->job->orchestrator->network->truth);
}

void report_restart(struct report *report)
{
    struct job *job = report->job;
    struct buf event = {0};
    struct json_writer writer = {.out = &event};
    report->restarted_us = clock_monotonic_us();
    job->container->restarts++;
    json_begin(&writer, '{');
    json_member_string(&writer, "type", "restart");
    json_member_string(&writer, "pipeline",
                       job->orchestrator->behaviour->model);
    json_member_int(&writer, "restart_count", job->container->restarts);
    json_member_double(&writer, "restart_time", (double)clock_wall_ms() / 1e3);
    json_member_string(&writer, "restart_logs", "the pipeline was restarted");
    json_end(&writer, '}');
    send_event(report, "restart", (struct text){event.data, event.length});
    buf_free(&event);
}

void report_error(struct report *report, const char *sentence)
{
    struct buf event = {0};
    struct json_writer writer = {.out = &event};
    size_t bytes = strlen(sentence) + 1;
    report->error_us = clock_monotonic_us();
    free(report->error);
    report->error = memory_alloc(bytes);
    memcpy(report->error, sentence, bytes);
    json_begin(&writer, '{');
    json_member_string(&writer, "type", "error");
    json_member_string(&writer, "pipeline",
                       report->job->orchestrator->behaviour->model);
    json_member_string(&writer, "message", sentence);
    json_member_double(&writer, "time", (double)clock_wall_ms() / 1e3);
    json_end(&writer, '}');
    send_event(report, "error", (struct text){event.data, event.length});
    buf_free(&event);
}

/* ---- life ---------------------------------------------------------------- */

void report_start(struct report *report, struct job *job,
                  struct trickle_channel *events)
{
    *report = (struct report){
        .job = job, .events = events, .tell_params = job->params != NULL};
    trickle_channel_hold(events);
    loop_timer_init(&report->next, job->orchestrator->network->loop,
                    send_status, report);
    plan_status(report);
}

void report_free(struct report *report)
{
    loop_timer_stop(&report->next);
    trickle_channel_release(report->events);
    free(report->error);
}
