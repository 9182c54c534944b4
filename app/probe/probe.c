/*
 * probe.c: a prober, and how every probe begins and ends (see probe.h).
 */
#include "probe/probe_int.h"

#include "base/clock.h"
#include "base/random.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the prober ---------------------------------------------------------- */

struct opening {
    struct prober *prober;
    enum err err;
    char sentence[200];
};

static enum err open_signer(struct prober *prober)
{
    const char *text = prober->settings.signer_url;
    struct address_policy any = {0};
    struct http_settings settings = {.policy = &any,
                                     .ca_bundle = prober->settings.ca_bundle};
    if (!text)
        return ERR_NONE;
    const char *scheme = strncmp(text, "http", 4) == 0 ? "" : "https://";
    enum err err = url_parse(&prober->arena,
                             arena_printf(&prober->arena, "%s%s", scheme, text),
                             &prober->signer_url);
    if (err)
        return err_wrap(ERR_CONFIG, "the signer");
    if (address_allow(&any, "0.0.0.0/0") || address_allow(&any, "::/0"))
        return ERR_CONFIG;
    return http_client_open(&prober->signer, prober->loop, &settings);
}

static void open_clients(void *context)
{
    struct opening *opening = context;
    struct prober *prober = opening->prober;
    struct http_settings settings = {.policy = &prober->policy};
    opening->err =
        http_client_open(&prober->orchestrators, prober->loop, &settings);
    if (!opening->err)
        opening->err = open_signer(prober);
    /* The sentence belongs to the loop's thread. */
    if (opening->err)
        snprintf(opening->sentence, sizeof opening->sentence, "%s",
                 err_message());
}

static void close_clients(void *context)
{
    struct prober *prober = context;
    http_client_close(prober->orchestrators);
    http_client_close(prober->signer);
}

enum err prober_open(struct prober **result, struct loop *loop,
                     const struct prober_settings *settings)
{
    struct prober *prober = memory_zeroed(1, sizeof *prober);
    struct opening opening = {.prober = prober};
    prober->loop = loop;
    prober->settings = *settings;
    if (settings->policy)
        prober->policy = *settings->policy;
    clip_open(&prober->clip);
    if (settings->key)
        identity_of_key(settings->key, &prober->identity);
    loop_call(loop, open_clients, &opening);
    if (opening.err) {
        prober_close(prober);
        return err_set(opening.err, "%s", opening.sentence);
    }
    *result = prober;
    return ERR_NONE;
}

void prober_close(struct prober *prober)
{
    if (!prober)
        return;
    loop_call(prober->loop, close_clients, prober);
    buf_free(&prober->packets);
    arena_free(&prober->arena);
    free(prober);
}

/* ---- phases -------------------------------------------------------------- */

static int64_t since_start(const struct probe *probe, int64_t at_us)
{
    return at_us > probe->started_us ? at_us - probe->started_us : 0;
}

void probe_add_phase(struct probe *probe, const char *name, int64_t from_us,
                     int64_t to_us)
{
    struct probe_result *result = probe->result;
    if (result->phase_count < PROBE_PHASES_MAX)
        result->phases[result->phase_count++] =
            (struct probe_phase){name, since_start(probe, from_us),
                                 to_us ? since_start(probe, to_us) : 0};
}

void probe_enter(struct probe *probe, const char *phase)
{
    struct probe_result *result = probe->result;
    int64_t now_us = clock_monotonic_us();
    if (result->phase_count) {
        struct probe_phase *last = &result->phases[result->phase_count - 1];
        if (last->to_us == 0)
            last->to_us = since_start(probe, now_us);
    }
    if (phase)
        probe_add_phase(probe, phase, now_us, 0);
}

/* ---- evidence ------------------------------------------------------------ */

void probe_keep(struct probe *probe, const char *name, struct text bytes)
{
    struct run_samples *samples = &probe->result->samples;
    if (bytes.length > RUN_RECEIVED_BYTES_MAX - probe->received_bytes)
        return;
    probe->received_bytes += bytes.length;
    struct received_bytes *list =
        arena_grow(probe->arena, (void *)(uintptr_t)samples->received,
                   samples->received_count, sizeof *samples->received);
    list[samples->received_count++] = (struct received_bytes){
        .name = name,
        .at_us = since_start(probe, clock_monotonic_us()),
        .bytes = {arena_text(probe->arena, bytes.data, bytes.length),
                  bytes.length}};
    samples->received = list;
}

void probe_note_key(struct probe *probe, const struct http_answer *answer)
{
    struct run *run = &probe->result->run;
    char hex[2 * SHA256_BYTES + 1];
    if (!answer->has_key)
        return;
    hash_hex(answer->key_sha256, SHA256_BYTES, hex);
    if (!run->tls_key_sha256.data)
        run->tls_key_sha256 =
            text_of(arena_text(probe->arena, hex, sizeof hex - 1));
    else if (!text_is(run->tls_key_sha256, hex))
        probe->result->key_changed = true;
}

/* ---- reasons ------------------------------------------------------------- */

static enum reason reason_of_system(int code)
{
    switch (code) {
    case ECONNREFUSED:
        return REASON_CONNECT_REFUSED;
    case ECONNRESET: /* taken, and thrown away before we had seen it */
    case ECONNABORTED:
    case EPIPE:
        return REASON_CONNECTION_LOST;
    case EHOSTUNREACH:
        return REASON_UNREACHABLE;
    case ENETUNREACH:
    case ENETDOWN:
        return REASON_VANTAGE_UNREACHABLE;
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
    case EACCES: /* a firewall of our own */
    case EPERM:
    case EADDRNOTAVAIL:
        return REASON_VANTAGE_FAULT;
    default:
        return REASON_CONNECT_TIMEOUT;
    }
}

enum reason probe_reason_of(const struct http_answer *answer,
                            enum reason timed_out)
{
    switch (answer->outcome) {
    case HTTP_NOT_RESOLVED:
        return REASON_NAME_NOT_RESOLVED;
    case HTTP_ADDRESS_REFUSED:
        return REASON_ADDRESS_FORBIDDEN;
    case HTTP_NOT_CONNECTED:
        return reason_of_system(answer->system_code);
    case HTTP_TLS_FAILED:
        return REASON_TLS_FAILED;
    case HTTP_TIMED_OUT:
        return timed_out;
    case HTTP_TOO_LARGE:
        return REASON_ANSWER_TOO_LARGE;
    case HTTP_LOST:
        return REASON_CONNECTION_LOST;
    case HTTP_URL_REFUSED:
    case HTTP_BROKEN:
    case HTTP_ANSWERED:
        break;
    }
    return REASON_PROTOCOL_ERROR;
}

/* ---- the end ------------------------------------------------------------- */

void probe_conclude(struct probe *probe, enum reason reason, const char *format,
                    ...)
{
    va_list arguments;
    if (probe->concluded)
        return;
    probe->concluded = true;
    probe->reason = reason;
    va_start(arguments, format);
    vsnprintf(probe->result->detail, sizeof probe->result->detail, format,
              arguments);
    va_end(arguments);
    probe_enter(probe, NULL);
    reach_cancel(probe);
    if (probe->live)
        live_close(probe);
    else
        probe_finish(probe);
}

void probe_finish(struct probe *probe)
{
    loop_timer_after(&probe->done, 0);
}

static void tell_done(void *context)
{
    struct probe *probe = context;
    struct probe_result *result = probe->result;
    struct probe_request request = probe->request;
    int64_t spent_wei = probe->payer ? payer_spent_wei(probe->payer) : 0;
    probe_enter(probe, NULL);
    if (probe->live)
        live_result(probe);
    if (spent_wei > 0)
        result->run.cost_wei = spent_wei;
    run_conclude(&result->run, probe->reason);
    run_round(&result->run);
    live_free(probe->live);
    payer_free(probe->payer);
    free(probe);
    request.on_done(request.context, result);
}

void probe_result_free(struct probe_result *result)
{
    struct arena arena = result->arena;
    arena_free(&arena);
    free(result);
}

/* ---- the beginning ------------------------------------------------------- */

static struct text copy_text(struct arena *arena, const char *text)
{
    return text ? text_of(arena_text(arena, text, strlen(text)))
                : (struct text){0};
}

static const char *copy_string(struct arena *arena, const char *text)
{
    return copy_text(arena, text).data;
}

static void copy_request(struct probe *probe,
                         const struct probe_request *request)
{
    struct arena *arena = probe->arena;
    probe->request = *request;
    probe->request.url = copy_string(arena, request->url);
    probe->request.model = copy_string(arena, request->model);
    probe->request.params = copy_string(arena, request->params);
    struct run *run = &probe->result->run;
    run->orchestrator_url = text_of(probe->request.url);
    run->model_id = copy_text(arena, request->model);
    run->workflow = copy_text(arena, request->workflow);
    run->prompt_id = copy_text(arena, request->prompt_id);
    run->prompt_class = copy_text(arena, request->prompt_class);
    run->plan_hash = copy_text(arena, request->plan_hash);
}

static void name_run(struct probe *probe)
{
    struct run *run = &probe->result->run;
    uint8_t random[16];
    char id[37];
    random_bytes(random, sizeof random);
    run_id_text(random, id);
    run->run_id = copy_text(probe->arena, id);
    run->kind = text_of(probe->request.kind == PROBE_LIVE ? RUN_KIND_LIVE
                                                          : RUN_KIND_REACH);
    run->vantage = copy_text(probe->arena, probe->prober->settings.vantage);
    run->started_at = clock_wall_ms();
}

static void begin(void *context)
{
    struct probe *probe = context;
    struct run *run = &probe->result->run;
    if (probe->concluded)
        return;
    if (url_of_orchestrator(probe->arena, probe->request.url, &probe->url)) {
        probe_conclude(probe, REASON_UNREACHABLE, "%s", err_message());
        return;
    }
    run->orchestrator_url = text_of(probe->url.origin);
    reach_start(probe);
}

struct probe *probe_start(struct prober *prober,
                          const struct probe_request *request)
{
    struct probe *probe = memory_zeroed(1, sizeof *probe);
    struct probe_result *result = memory_zeroed(1, sizeof *result);
    struct payer_settings money = {
        .key = prober->settings.key,
        .identity = prober->identity.known ? &prober->identity : NULL,
        .has_signer = prober->signer != NULL,
        .run_max_wei = request->run_max_wei,
        .day_left_wei = request->day_left_wei};
    probe->prober = prober;
    probe->result = result;
    probe->arena = &result->arena;
    probe->started_us = clock_monotonic_us();
    result->run = run_empty();
    copy_request(probe, request);
    name_run(probe);
    probe->payer = payer_new(&money);
    loop_timer_init(&probe->begin, prober->loop, begin, probe);
    loop_timer_init(&probe->done, prober->loop, tell_done, probe);
    loop_timer_after(&probe->begin, 0);
    return probe;
}

void probe_stop(struct probe *probe, enum reason reason)
{
    loop_timer_stop(&probe->begin);
    probe_conclude(probe, reason, "%s", "");
}

void probe_enough(struct probe *probe)
{
    if (probe->live && !probe->concluded)
        live_enough(probe);
}
