/*
 * start.c: POST /live-video-to-video, the start of a job, with the checks and
 * refusals of go-livepeer in their order (livepeer-protocols.md §3.1).
 */
#include "base/clock.h"
#include "sim/admission.h"
#include "sim/payment.h"

#include <stdlib.h>

static const char what[] = "start";

/* From the request's arrival to its answer. */
struct starting {
    struct orchestrator *orchestrator;
    struct exchange *exchange;
    struct arena arena;
    struct admission admission;
    int64_t credit_wei;
    bool promised_payment; /* to an off-chain orchestrator, which cannot bill */
};

/* ---- answers ------------------------------------------------------------- */

static void refuse(struct starting *starting, int status, const char *sentence)
{
    orchestrator_refuse(starting->orchestrator, starting->exchange, what,
                        status, sentence);
}

static struct text channel_url(struct starting *starting, const struct job *job,
                               const char *suffix)
{
    return text_of(arena_printf(&starting->arena, "%s" TRICKLE_PATH "%s%s",
                                starting->orchestrator->url, job->id, suffix));
}

static void accept_job(struct starting *starting, struct job *job)
{
    struct buf body = {0};
    struct job_channels channels = {
        .publish_url = channel_url(starting, job, ""),
        .subscribe_url = channel_url(starting, job, "-out"),
        .control_url = channel_url(starting, job, "-control"),
        .events_url = channel_url(starting, job, "-events"),
        .manifest_id = text_of(job->id)};
    job_channels_encode(&body, &channels);
    exchange_reply(starting->exchange, 200, "application/json",
                   (struct text){body.data, body.length});
    buf_free(&body);
    struct json_writer *truth = job_truth(job, what, clock_monotonic_us());
    json_member_int(truth, "received_us", job->received_us);
    json_member_int(truth, "status", 200);
    json_member_string(truth, "request_id", job->request_id);
    json_member_bool(truth, "cold", job->cold);
    json_member_int(truth, "credit_wei", starting->credit_wei);
    truth_end(starting->orchestrator->network->truth);
}

static void runner_answered(void *context, struct job *job)
{
    struct starting *starting = context;
    if (!job) {
        refuse(starting, 500, "the runner could not start the pipeline");
        return;
    }
    job->balance_wei = starting->credit_wei;
    job->is_billed = starting->promised_payment ||
                     starting->orchestrator->behaviour->price_wei > 0;
    accept_job(starting, job);
}

/* ---- the request --------------------------------------------------------- */

/* What the body says, else what the header does. */
static struct text id_of(struct starting *starting, struct text said,
                         const char *header)
{
    const char *value = exchange_header(starting->exchange, header);
    return said.length || !value ? said : text_of(value);
}

/* False where the request has been answered. */
static bool read_body(struct starting *starting, struct text bytes,
                      struct job_start *start)
{
    *start = (struct job_start){0};
    if (job_start_decode(&starting->arena, bytes, start) == ERR_NONE)
        return true;
    /* Without a model go-livepeer's handler crashes. */
    if (start->params.length && !start->model_id.length)
        exchange_drop(starting->exchange);
    else
        refuse(starting, 400, err_message());
    return false;
}

static void check(struct starting *starting, struct text bytes)
{
    struct orchestrator *orchestrator = starting->orchestrator;
    struct job_start start;
    struct credentials credentials;
    if (!read_body(starting, bytes, &start))
        return;
    if (!admission_take(&starting->admission, orchestrator, start.model_id)) {
        refuse(starting, 503, "insufficient capacity");
        return;
    }
    struct refusal refusal =
        payment_judge(orchestrator, &starting->arena, starting->exchange,
                      &credentials, &starting->credit_wei);
    if (!refusal.status && orchestrator->behaviour->price_wei &&
        starting->credit_wei < payment_ticket_wei(orchestrator))
        refusal = (struct refusal){400, "Insufficient balance"};
    if (refusal.status) {
        admission_cancel(&starting->admission);
        refuse(starting, refusal.status, refusal.sentence);
        return;
    }
    const struct price_info *expected = credentials.payment.expected_price;
    starting->promised_payment = expected && expected->price_per_unit > 0;
    starting->admission.request = (struct job_request){
        id_of(starting, start.gateway_request_id, "requestID"),
        id_of(starting, start.stream_id, "streamID"), start.params};
    admission_start(&starting->admission, runner_answered, starting);
}

static void received(void *context, struct exchange *exchange, struct text body)
{
    (void)exchange;
    check(context, body);
}

static void closed(void *context)
{
    struct starting *starting = context;
    admission_cancel(&starting->admission);
    arena_free(&starting->arena);
    free(starting);
}

void start_handle(struct orchestrator *orchestrator, struct exchange *exchange)
{
    struct starting *starting = memory_zeroed(1, sizeof *starting);
    starting->orchestrator = orchestrator;
    starting->exchange = exchange;
    exchange_collect(exchange, JOB_START_BYTES_MAX, received, closed, starting);
}
