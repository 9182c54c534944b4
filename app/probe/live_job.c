/*
 * live_job.c: paying for a job, starting it, and paying on (see live_int.h).
 *
 * The payer says what it needs; here it is asked for. Exactly one question is
 * under way at a time.
 */
#include "probe/live_int.h"

#include "base/clock.h"

#include <string.h>

enum {
    START_MAX_US = 15 * US_PER_SECOND,
    PAYMENT_US = 10 * US_PER_SECOND,
    ERROR_BODY_BYTES = 4096,
    HTTP_OK = 200
};

static int status_of(const struct http_answer *answer)
{
    return answer->outcome == HTTP_ANSWERED ? answer->status : 0;
}

/* ---- money --------------------------------------------------------------- */

static void on_generated(void *context, const struct http_answer *answer)
{
    struct probe *probe = context;
    struct live *live = probe->live;
    live->asking = NULL;
    payer_generated(probe->payer, status_of(answer), answer->body);
    live_pay(live);
}

static void on_terms(void *context, const struct grpc_answer *answer)
{
    struct probe *probe = context;
    struct live *live = probe->live;
    live->terms = NULL;
    if (answer->status == GRPC_OK) {
        probe_keep(probe, "terms", answer->message);
        payer_terms(probe->payer, answer->message);
        live_pay(live);
    } else if (answer->http->outcome != HTTP_ANSWERED) {
        probe_conclude(probe,
                       probe_reason_of(answer->http, REASON_CALL_TIMEOUT), "%s",
                       answer->http->detail);
    } else {
        probe_conclude(probe,
                       call_refusal(answer->status, text_of(answer->text)),
                       "%s", answer->text);
    }
}

static void on_payment_answered(void *context, const struct http_answer *answer)
{
    struct probe *probe = context;
    struct live *live = probe->live;
    live->asking = NULL;
    payer_answered(probe->payer, status_of(answer), answer->body,
                   clock_monotonic_us());
    live_pay(live);
}

/* ---- starting ------------------------------------------------------------ */

static char *whole_url(struct live *live, struct text text)
{
    struct arena *arena = live->probe->arena;
    struct url url;
    if (url_join(arena, &live->transcoder,
                 arena_text(arena, text.data, text.length), &url))
        return NULL;
    return url.text;
}

/* Relative URLs made whole; false where one cannot be. */
static bool complete(struct live *live)
{
    struct job_channels *channels = &live->channels;
    struct text *urls[] = {&channels->publish_url, &channels->subscribe_url,
                           &channels->control_url, &channels->events_url};
    for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
        if (urls[i]->length == 0)
            continue;
        char *whole = whole_url(live, *urls[i]);
        if (!whole)
            return false;
        *urls[i] = text_of(whole);
    }
    return true;
}

static void read_channels(struct live *live, struct text body)
{
    struct probe *probe = live->probe;
    struct text copy = {arena_text(probe->arena, body.data, body.length),
                        body.length};
    probe_keep(probe, "job", body);
    if (job_channels_decode(probe->arena, copy, &live->channels) ||
        !complete(live)) {
        probe_conclude(probe, REASON_PROTOCOL_ERROR, "%s", err_message());
        return;
    }
    payer_started(probe->payer, live->channels.manifest_id,
                  clock_monotonic_us());
    live_accepted(live);
}

static void refused(struct probe *probe, const struct http_answer *answer)
{
    probe_keep(probe, "refusal", answer->body);
    if (answer->outcome != HTTP_ANSWERED)
        probe_conclude(probe, probe_reason_of(answer, REASON_START_TIMEOUT),
                       "%s", answer->detail);
    else
        probe_conclude(probe, job_refusal(answer->status, answer->body),
                       "the start is answered %d: %.*s", answer->status,
                       (int)answer->body.length, answer->body.data);
}

static void on_started(void *context, const struct http_answer *answer)
{
    struct probe *probe = context;
    struct live *live = probe->live;
    live->asking = NULL;
    live->starting = false;
    probe_note_key(probe, answer);
    if (answer->times.sent_us)
        live->stamps.request_us = answer->times.sent_us;
    if (answer->outcome == HTTP_ANSWERED && answer->status == HTTP_OK) {
        live->stamps.accepted_us = answer->times.came_us;
        read_channels(live, answer->body);
    } else {
        refused(probe, answer);
    }
    if (probe->concluded && loop_timer_is_set(&live->give_up))
        loop_timer_after(&live->give_up, 0); /* the answer was waited for */
}

/* POST to PATH with what the payer gives. */
static void
post(struct live *live, const char *path, struct text body, int64_t limit_us,
     void (*on_done)(void *context, const struct http_answer *answer))
{
    struct probe *probe = live->probe;
    struct payer_credentials credentials = payer_take(probe->payer);
    const char *headers[] = {
        "Content-Type: application/json",
        JOB_HEADER_AUTHORIZATION ": " JOB_AUTHORIZATION,
        arena_printf(probe->arena, JOB_HEADER_PAYMENT "%s%.*s",
                     credentials.payment.length ? ": " : ";",
                     (int)credentials.payment.length, credentials.payment.data),
        arena_printf(probe->arena, JOB_HEADER_SEGMENT ": %.*s",
                     (int)credentials.segment.length,
                     credentials.segment.data)};
    struct http_request request = {
        .method = "POST",
        .url = arena_printf(probe->arena, "%s%s", live->transcoder.text, path),
        .headers = headers,
        .header_count = sizeof headers / sizeof *headers,
        .body = body,
        .limit_us = limit_us,
        .body_bytes = JOB_CHANNELS_BYTES_MAX,
        .context = probe,
        .on_done = on_done};
    live->asking = http_start(probe->prober->orchestrators, &request);
}

static void start(struct live *live)
{
    struct probe *probe = live->probe;
    const struct run *run = &probe->result->run;
    struct job_start job = {.model_id = run->model_id,
                            .gateway_request_id = run->run_id,
                            .stream_id = run->run_id};
    struct buf body = {0};
    int64_t limit_us = probe->request.patience_us < START_MAX_US
                           ? probe->request.patience_us
                           : START_MAX_US;
    if (probe->request.params)
        job.params = text_of(probe->request.params);
    job_start_encode(&body, &job);
    probe_enter(probe, "start");
    live->starting = true;
    post(live, JOB_PATH_START, (struct text){body.data, body.length}, limit_us,
         on_started);
    buf_free(&body);
}

/* ---- what the payer wants ------------------------------------------------ */

void live_pay(struct live *live)
{
    struct probe *probe = live->probe;
    if (live->asking || live->terms || probe->concluded)
        return;
    switch (payer_step(probe->payer)) {
    case PAYER_SIGN: /* was done before the first call */
    case PAYER_PAID:
        break;
    case PAYER_ASK:
        live->terms = ask_about_model(probe, true, on_terms);
        break;
    case PAYER_GENERATE:
        live->asking = ask_signer(probe, SIGNER_PATH_GENERATE, on_generated);
        break;
    case PAYER_READY:
        if (live->running)
            post(live, JOB_PATH_PAYMENT, (struct text){0}, PAYMENT_US,
                 on_payment_answered);
        else
            start(live);
        break;
    case PAYER_REFUSED:
        probe_conclude(probe, payer_reason(probe->payer), "%s", "");
        break;
    }
}
