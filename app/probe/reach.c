/*
 * reach.c: what an orchestrator offers, asked twice (livepeer-protocols.md
 * §2.2): the whole of a run of kind `reach`, and the beginning of all others.
 *
 * Without capabilities it tells its hardware and its prices; with those of a
 * model it tells the terms of a job of that model. Both answers are kept as
 * they came. The first call makes the connection, and its times are the run's;
 * the second one closes it, since what it takes in memory is more than all that
 * a stream needs.
 */
#include "probe/probe_int.h"

#include <math.h>
#include <string.h>

#define CALL_PATH "/net.Orchestrator/GetOrchestrator"
#define PIPELINE_LIVE "live-video-to-video"

enum { CALL_US = 5 * US_PER_SECOND, SIGNER_US = 10 * US_PER_SECOND };

/* ---- asking -------------------------------------------------------------- */

static struct grpc_call *
ask(struct probe *probe, const struct orchestrator_request *request, bool fresh,
    void (*on_done)(void *context, const struct grpc_answer *answer))
{
    struct buf message = {0};
    orchestrator_request_encode(&message, request);
    struct grpc_request call = {.origin = probe->url.origin,
                                .path = CALL_PATH,
                                .message = {message.data, message.length},
                                .limit_us = CALL_US,
                                .fresh = fresh,
                                .last = request->capabilities != NULL,
                                .context = probe,
                                .on_done = on_done};
    struct grpc_call *asked = grpc_start(probe->prober->orchestrators, &call);
    buf_free(&message);
    return asked;
}

struct grpc_call *ask_about_model(
    struct probe *probe, bool ignore_capacity_check,
    void (*on_done)(void *context, const struct grpc_answer *answer))
{
    struct orchestrator_request request = {.ignore_capacity_check =
                                               ignore_capacity_check};
    payer_identify(probe->payer, &request);
    request.capabilities = capabilities_for_model(
        probe->arena, CAPABILITY_LIVE_VIDEO, probe->result->run.model_id);
    return ask(probe, &request, false, on_done);
}

struct http_exchange *
ask_signer(struct probe *probe, const char *path,
           void (*on_done)(void *context, const struct http_answer *answer))
{
    const struct prober *prober = probe->prober;
    const char *authorization = prober->settings.signer_authorization;
    bool authorized = authorization && *authorization;
    const char *headers[] = {
        "Content-Type: application/json",
        authorized
            ? arena_printf(probe->arena, "Authorization: %s", authorization)
            : NULL};
    struct http_request request = {
        .method = "POST",
        .url =
            arena_printf(probe->arena, "%s%s", prober->signer_url.origin, path),
        .headers = headers,
        .header_count = authorized ? 2 : 1,
        .body = payer_body(probe->payer),
        .limit_us = SIGNER_US,
        .body_bytes = SIGNER_ANSWER_BYTES_MAX,
        .context = probe,
        .on_done = on_done};
    return http_start(prober->signer, &request);
}

/* ---- what is offered ----------------------------------------------------- */

static struct text lower_address(struct arena *arena, struct text address)
{
    char text[ETHEREUM_ADDRESS_TEXT_BYTES];
    if (address.length != ETHEREUM_ADDRESS_BYTES ||
        ethereum_address_is_zero(address))
        return (struct text){0};
    ethereum_address_text_lower((const uint8_t *)address.data, text);
    return text_of(arena_text(arena, text, strlen(text)));
}

static void take_addresses(struct run *run, struct arena *arena,
                           const struct orchestrator_info *info)
{
    if (info->ticket_params && !run->orchestrator_address.data)
        run->orchestrator_address =
            lower_address(arena, info->ticket_params->recipient);
    if (!run->signing_address.data)
        run->signing_address = lower_address(arena, info->address);
}

/* The model's GPU, where it works on exactly one. */
static struct text gpu_of_model(const struct orchestrator_info *info,
                                struct text model)
{
    struct text found = {0};
    for (size_t i = 0; i < info->hardware_count; i++) {
        const struct hardware_information *one = &info->hardware[i];
        if (!text_is(one->pipeline, PIPELINE_LIVE) ||
            !text_equal(one->model_id, model))
            continue;
        if (one->gpu_count != 1 || found.data)
            return (struct text){0};
        found = one->gpus[0].id;
    }
    return found.length ? found : (struct text){0};
}

/* Where nobody said which: one with room, else any. */
static struct text first_model(const struct capabilities *offered)
{
    const struct capability_constraints *constraints =
        offered ? offered->constraints : NULL;
    struct text found = {0};
    size_t count = constraints ? constraints->per_capability_count : 0;
    for (size_t i = 0; i < count; i++) {
        const struct capability_models *models =
            &constraints->per_capability[i];
        for (size_t j = 0; models->capability == CAPABILITY_LIVE_VIDEO &&
                           j < models->model_count;
             j++) {
            const struct model_offer *one = &models->models[j];
            if (!found.length || one->idle > 0)
                found = one->model_id;
            if (one->idle > 0)
                return found;
        }
    }
    return found;
}

static void take_offer(struct run *run, const struct orchestrator_info *info)
{
    const struct model_offer *offer = offer_of_model(
        info->capabilities, CAPABILITY_LIVE_VIDEO, run->model_id);
    if (info->capabilities && info->capabilities->version.length)
        run->version = info->capabilities->version;
    if (!offer)
        return;
    run->pipeline_id = text_of(PIPELINE_LIVE);
    run->idle = offer->idle;
    run->busy = offer->busy;
    run->cold = offer->warm ? 0 : 1;
}

/* ---- answers ------------------------------------------------------------- */

static bool was_answered(struct probe *probe, const struct grpc_answer *answer)
{
    const struct http_answer *http = answer->http;
    if (answer->status == GRPC_OK)
        return true;
    if (http->outcome != HTTP_ANSWERED)
        probe_conclude(probe, probe_reason_of(http, REASON_CALL_TIMEOUT), "%s",
                       http->detail);
    else if (answer->status == GRPC_NO_STATUS)
        probe_conclude(probe, REASON_PROTOCOL_ERROR, "%s", answer->text);
    else
        probe_conclude(probe,
                       call_refusal(answer->status, text_of(answer->text)),
                       "%s", answer->text);
    return false;
}

/* Copies the message, so that what was read of it stays. */
static bool read_info(struct probe *probe, struct text message,
                      struct orchestrator_info **info)
{
    struct text copy = {arena_text(probe->arena, message.data, message.length),
                        message.length};
    *info = arena_alloc(probe->arena, sizeof **info);
    if (orchestrator_info_decode(probe->arena, copy, *info)) {
        probe_conclude(probe, REASON_PROTOCOL_ERROR, "%s", err_message());
        return false;
    }
    return true;
}

static double ms_of(int64_t us)
{
    return us < 0 ? (double)NAN : (double)us / US_PER_MS;
}

/* The parts of the first call, as phases and as figures. */
static void take_times(struct probe *probe, const struct http_answer *http)
{
    struct run *run = &probe->result->run;
    const struct http_times *times = &http->times;
    int64_t at_us = times->started_us;
    run->dns_ms = ms_of(times->dns_us);
    run->connect_ms = ms_of(times->connect_us);
    run->tls_ms = ms_of(times->tls_us);
    if (times->dns_us >= 0)
        probe_add_phase(probe, "name lookup", at_us, at_us + times->dns_us);
    at_us += times->dns_us >= 0 ? times->dns_us : 0;
    if (times->connect_us >= 0)
        probe_add_phase(probe, "connect", at_us, at_us + times->connect_us);
    at_us += times->connect_us >= 0 ? times->connect_us : 0;
    if (times->tls_us >= 0)
        probe_add_phase(probe, "TLS handshake", at_us, at_us + times->tls_us);
    if (times->sent_us && times->came_us >= times->sent_us)
        probe_add_phase(probe, "call", times->sent_us, times->came_us);
}

/* All is known that can be asked for. */
static void go_on(struct probe *probe)
{
    const struct run *run = &probe->result->run;
    if (run->model_id.data && !run->pipeline_id.data)
        probe_conclude(probe, REASON_MODEL_NOT_OFFERED, "%.*s is not offered",
                       (int)run->model_id.length, run->model_id.data);
    else if (probe->request.kind == PROBE_REACH)
        probe_conclude(probe, REASON_NONE, "%s", "");
    else if (!run->model_id.data)
        probe_conclude(probe, REASON_MODEL_NOT_OFFERED,
                       "it offers no model for live video");
    else
        live_start(probe);
}

static void on_terms(void *context, const struct grpc_answer *answer)
{
    struct probe *probe = context;
    struct run *run = &probe->result->run;
    struct orchestrator_info *info;
    probe->reach.call = NULL;
    if (!was_answered(probe, answer))
        return;
    probe_keep(probe, "terms", answer->message);
    if (!read_info(probe, answer->message, &info))
        return;
    take_addresses(run, probe->arena, info);
    take_offer(run, info);
    payer_terms(probe->payer, answer->message);
    run->price_wei = payer_price_wei(probe->payer);
    go_on(probe);
}

static void on_plain_info(void *context, const struct grpc_answer *answer)
{
    struct probe *probe = context;
    struct run *run = &probe->result->run;
    struct orchestrator_info *info;
    probe->reach.call = NULL;
    take_times(probe, answer->http);
    probe_note_key(probe, answer->http);
    if (!was_answered(probe, answer))
        return;
    run->rpc_ms =
        ms_of(answer->http->times.came_us - answer->http->times.sent_us);
    probe_keep(probe, "orchestrator_info", answer->message);
    if (!read_info(probe, answer->message, &info))
        return;
    probe->result->info = info;
    take_addresses(run, probe->arena, info);
    if (!run->model_id.data)
        run->model_id = first_model(info->capabilities);
    if (!run->model_id.length)
        run->model_id = (struct text){0};
    take_offer(run, info);
    run->gpu_id = gpu_of_model(info, run->model_id);
    if (info->transcoder.length == 0) {
        probe_conclude(probe, REASON_NO_TRANSCODER, "%s", "");
    } else if (!run->pipeline_id.data) {
        go_on(probe);
    } else {
        bool reach = probe->request.kind == PROBE_REACH;
        probe_enter(probe, "terms");
        probe->reach.call = ask_about_model(probe, reach, on_terms);
    }
}

/* ---- the way ------------------------------------------------------------- */

static void ask_plainly(struct probe *probe)
{
    struct orchestrator_request request = {0};
    payer_identify(probe->payer, &request);
    probe->reach.call = ask(probe, &request, true, on_plain_info);
}

static void on_signed(void *context, const struct http_answer *answer)
{
    struct probe *probe = context;
    bool answered = answer->outcome == HTTP_ANSWERED;
    probe->reach.signing = NULL;
    payer_signed(probe->payer, answered ? answer->status : 0, answer->body);
    probe_enter(probe, NULL);
    if (payer_step(probe->payer) == PAYER_REFUSED)
        probe_conclude(probe, payer_reason(probe->payer), "%s", answer->detail);
    else
        ask_plainly(probe);
}

void reach_start(struct probe *probe)
{
    if (payer_step(probe->payer) == PAYER_SIGN) {
        probe_enter(probe, "signature");
        probe->reach.signing = ask_signer(probe, SIGNER_PATH_SIGN, on_signed);
    } else {
        ask_plainly(probe);
    }
}

void reach_cancel(struct probe *probe)
{
    struct reach *reach = &probe->reach;
    if (reach->signing)
        http_cancel(reach->signing);
    if (reach->call)
        grpc_cancel(reach->call);
    *reach = (struct reach){0};
}
