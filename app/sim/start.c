/*
 * start.c: POST /live-video-to-video, the start of a job, with the checks and
 * refusals of go-livepeer in their order (livepeer-protocols.md §3.1).
 */
#include "base/base64.h"
#include "base/clock.h"
#include "sim/job.h"

#include <stdlib.h>
#include <string.h>

enum { BODY_MAX_BYTES = 1 << 20, HEADER_MAX_BYTES = 16 << 10 };

static const char what[] = "start";

/* From the request's arrival to its answer. */
struct starting {
    struct orchestrator *orchestrator;
    struct exchange *exchange;
    struct arena arena;
    struct loop_timer runner; /* when it has accepted the job */
    struct job_request job;   /* with a container once one is taken */
};

/* ---- credentials --------------------------------------------------------- */

/* The bytes of a header in base64, empty where it is missing; false where it
 * is no base64. */
static bool header_bytes(struct starting *starting, const char *name,
                         struct text *bytes)
{
    const char *text = exchange_header(starting->exchange, name);
    *bytes = (struct text){"", 0};
    return !text || !*text ||
           (strlen(text) <= HEADER_MAX_BYTES &&
            base64_decode(&starting->arena, text_of(text), bytes));
}

static const char *segment_flaw(struct starting *starting)
{
    struct text bytes;
    struct segment_data segment;
    if (!header_bytes(starting, "Livepeer-Segment", &bytes) ||
        segment_data_decode(&starting->arena, bytes, &segment))
        return "ErrorSegEncoding";
    if (segment.duration_ms < 0)
        return "invalid duration";
    return token_flaw(starting->orchestrator, segment.auth_token);
}

static bool payment_is_readable(struct starting *starting)
{
    struct text bytes;
    struct payment payment;
    return header_bytes(starting, "Livepeer-Payment", &bytes) &&
           payment_decode(&starting->arena, bytes, &payment) == ERR_NONE;
}

/* ---- answers ------------------------------------------------------------- */

static void refuse(struct starting *starting, int status, const char *sentence)
{
    orchestrator_refuse(starting->orchestrator, starting->exchange, what,
                        status, sentence);
}

static void add_url(struct json_writer *writer, const char *key,
                    struct starting *starting, const struct job *job,
                    const char *suffix)
{
    json_member_string(writer, key,
                       arena_printf(&starting->arena, "%s" TRICKLE_PATH "%s%s",
                                    starting->orchestrator->url, job->id,
                                    suffix));
}

static void accept_job(struct starting *starting, struct job *job)
{
    struct buf body = {0};
    struct json_writer writer = {.out = &body};
    json_begin(&writer, '{');
    add_url(&writer, "publish_url", starting, job, "");
    add_url(&writer, "subscribe_url", starting, job, "-out");
    add_url(&writer, "control_url", starting, job, "-control");
    add_url(&writer, "events_url", starting, job, "-events");
    json_member_string(&writer, "manifest_id", job->id);
    json_end(&writer, '}');
    exchange_reply(starting->exchange, 200, "application/json",
                   (struct text){body.data, body.length});
    buf_free(&body);
    struct json_writer *truth = job_truth(job, what, clock_monotonic_us());
    json_member_int(truth, "received_us", starting->job.received_us);
    json_member_int(truth, "status", 200);
    json_member_string(truth, "request_id", job->request_id);
    json_member_bool(truth, "cold", job->cold);
    truth_end(starting->orchestrator->network->truth);
}

/* ---- the runner's answer ------------------------------------------------- */

static bool is_to_fail(const struct orchestrator *orchestrator)
{
    struct draw draw = draw_from(orchestrator->network->seed, "failure",
                                 orchestrator->place, orchestrator->job_count);
    return draw_chance(&draw, orchestrator->behaviour->failure_rate);
}

static void runner_answers(void *context)
{
    struct starting *starting = context;
    struct orchestrator *orchestrator = starting->orchestrator;
    bool fails = is_to_fail(orchestrator);
    if (fails && orchestrator->behaviour->failure_kind == FAILURE_START) {
        container_release(starting->job.container, false, clock_monotonic_us());
        starting->job.container = NULL;
        orchestrator->job_count++;
        refuse(starting, 500, "the runner could not start the pipeline");
        return;
    }
    starting->job.fails = fails;
    struct job *job = job_start(orchestrator, &starting->job);
    starting->job.container = NULL; /* the job's */
    accept_job(starting, job);
}

/* ---- the request --------------------------------------------------------- */

static const char *text_member(struct arena *arena, struct yyjson_val *body,
                               const char *key, const char *otherwise)
{
    struct yyjson_val *member = json_get(body, key);
    if (!json_is_string(member))
        return otherwise ? otherwise : "";
    struct text text = json_to_text(arena, member);
    return arena_text(arena, text.data, text.length);
}

/* Null MODEL: the body names none. */
static const char *read_body(struct starting *starting, struct yyjson_val *body)
{
    struct arena *arena = &starting->arena;
    struct job_request *job = &starting->job;
    struct yyjson_val *params = json_get(body, "params");
    job->request_id =
        text_member(arena, body, "gateway_request_id",
                    exchange_header(starting->exchange, "requestID"));
    job->stream_id =
        text_member(arena, body, "stream_id",
                    exchange_header(starting->exchange, "streamID"));
    if (json_is_object(params))
        job->params = json_compact(arena, params, false);
    return json_is_string(json_get(body, "model_id"))
               ? text_member(arena, body, "model_id", NULL)
               : NULL;
}

static void check(struct starting *starting, struct text bytes)
{
    struct orchestrator *orchestrator = starting->orchestrator;
    struct yyjson_val *body =
        json_parse(&starting->arena, bytes.data, bytes.length);
    if (!json_is_object(body)) {
        refuse(starting, 400, "the body is not a JSON object");
        return;
    }
    const char *model = read_body(starting, body);
    if (!model) {
        exchange_drop(starting->exchange);
        return;
    }
    if (strcmp(model, orchestrator->behaviour->model) == 0 &&
        orchestrator->behaviour->works)
        starting->job.container =
            container_take(&orchestrator->containers, starting->job.received_us,
                           &starting->job.cold);
    const char *flaw = NULL;
    if (!starting->job.container)
        refuse(starting, 503, "insufficient capacity");
    else if (!payment_is_readable(starting))
        refuse(starting, 402, "the payment cannot be read");
    else if ((flaw = segment_flaw(starting)))
        refuse(starting, 403, flaw);
    else
        loop_timer_after(&starting->runner,
                         orchestrator->behaviour->start_ms * US_PER_MS);
}

static void received(void *context, struct exchange *exchange, struct text body)
{
    struct starting *starting = context;
    (void)exchange;
    starting->job.received_us = clock_monotonic_us();
    check(starting, body);
}

static void closed(void *context)
{
    struct starting *starting = context;
    loop_timer_stop(&starting->runner);
    if (starting->job.container)
        container_release(starting->job.container, false, clock_monotonic_us());
    arena_free(&starting->arena);
    free(starting);
}

void start_handle(struct orchestrator *orchestrator, struct exchange *exchange)
{
    struct starting *starting = memory_zeroed(1, sizeof *starting);
    starting->orchestrator = orchestrator;
    starting->exchange = exchange;
    loop_timer_init(&starting->runner, orchestrator->network->loop,
                    runner_answers, starting);
    exchange_collect(exchange, BODY_MAX_BYTES, received, closed, starting);
}
