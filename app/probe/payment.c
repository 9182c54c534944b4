/*
 * payment.c: see payment.h (livepeer-protocols.md §3.1, §3.2, §3.5 and §8).
 *
 *   SIGN -> ASK -> READY -> PAID                 off-chain, or price 0
 *           ASK -> GENERATE -> READY -> PAID     paid
 *           ASK <- GENERATE                      480: the terms are too old
 *           PAID -> GENERATE -> READY -> PAID    every so often
 *
 * The first payment covers LIVE_FIRST_PAYMENT_S seconds; each later one the
 * time since the payment before, so what lies ahead is always covered by about
 * as much. It is asked for only where the job goes on beyond what is covered.
 *
 * What the payer keeps between calls lives in buffers that are written anew;
 * the arena holds one call's work.
 */
#include "probe/payment.h"

#include "base/base64.h"
#include "probe/refusal.h"

#include <stdlib.h>
#include <string.h>

enum {
    REFRESHES_MAX = 3, /* as python-gateway; go-livepeer takes 4 */
    FAILURES_MAX = 3,  /* of the signer in a row while the job runs */
    SIGNER_TERMS_OUTDATED = 480,
    SIGNER_PRICE_ABOVE_LIMIT = 481,
    SIGNER_NO_TICKETS = 482
};

#define US_PER_SECOND INT64_C(1000000)
/* Paying begins when less than this lies ahead and the job goes on. */
#define MARGIN_US (40 * US_PER_SECOND)
#define EVERY_US (5 * US_PER_SECOND)
/* What the orchestrator bills beyond our last frame. */
#define TAIL_US (5 * US_PER_SECOND)

struct payer {
    struct payer_settings settings;
    struct arena arena; /* of one call */
    enum payer_step step;
    enum reason reason;
    struct identity identity;
    bool by_key;            /* the identity is our key's, not the signer's */
    struct buf terms;       /* OrchestratorInfo as it came */
    struct buf body;        /* for the signer */
    struct buf state;       /* the signer's, as JSON; empty at first */
    struct buf manifest_id; /* empty until the job runs */
    struct buf payment;     /* the headers */
    struct buf segment;
    int64_t price_wei; /* of a second */
    int64_t worth_wei; /* of the payment in the headers */
    int64_t spent_wei;
    int64_t covered_us; /* until when the job is paid for */
    int64_t paid_us;    /* when it was paid for last */
    int64_t next_us;    /* not before */
    int refreshes;
    int failures;
};

static void set_buf(struct buf *buf, struct text text)
{
    buf_clear(buf);
    buf_add(buf, text.data, text.length);
}

static struct text text_in(const struct buf *buf)
{
    return (struct text){buf->length ? buf->data : "", buf->length};
}

static void refuse(struct payer *payer, enum reason reason)
{
    payer->step = PAYER_REFUSED;
    payer->reason = reason;
}

static bool is_running(const struct payer *payer)
{
    return payer->manifest_id.length > 0;
}

/* Terms are made for whom they are asked by: after this they are asked again.
 */
static void be_our_key(struct payer *payer)
{
    if (payer->settings.identity)
        payer->identity = *payer->settings.identity;
    else
        identity_of_key(payer->settings.key, &payer->identity);
    payer->by_key = true;
    payer->step = PAYER_ASK;
}

struct payer *payer_new(const struct payer_settings *settings)
{
    struct payer *payer = memory_zeroed(1, sizeof *payer);
    payer->settings = *settings;
    payer->price_wei = ABSENT_INT;
    payer->step = PAYER_ASK;
    if (settings->has_signer)
        payer->step = PAYER_SIGN;
    else if (settings->key)
        be_our_key(payer);
    set_buf(&payer->body, text_of("{}"));
    return payer;
}

void payer_free(struct payer *payer)
{
    if (!payer)
        return;
    struct buf *bufs[] = {&payer->terms,   &payer->body,
                          &payer->state,   &payer->manifest_id,
                          &payer->payment, &payer->segment};
    for (size_t i = 0; i < sizeof bufs / sizeof *bufs; i++)
        buf_free(bufs[i]);
    arena_free(&payer->arena);
    free(payer);
}

enum payer_step payer_step(const struct payer *payer)
{
    return payer->step;
}

enum reason payer_reason(const struct payer *payer)
{
    return payer->reason;
}

struct text payer_body(const struct payer *payer)
{
    return text_in(&payer->body);
}

int64_t payer_spent_wei(const struct payer *payer)
{
    return payer->spent_wei;
}

int64_t payer_price_wei(const struct payer *payer)
{
    return payer->price_wei;
}

/* ---- who we are ---------------------------------------------------------- */

void payer_identify(const struct payer *payer,
                    struct orchestrator_request *request)
{
    const struct identity *identity = &payer->identity;
    request->address = request->sig = (struct text){"", 0};
    if (!identity->known)
        return;
    request->address =
        (struct text){(const char *)identity->address, ETHEREUM_ADDRESS_BYTES};
    request->sig = (struct text){(const char *)identity->signature,
                                 ETHEREUM_SIGNATURE_BYTES};
}

void payer_signed(struct payer *payer, int status, struct text body)
{
    arena_clear(&payer->arena);
    if (status != 200 ||
        identity_of_signer(&payer->arena, body, &payer->identity))
        refuse(payer, REASON_SIGNER_FAILED);
    else
        payer->step = PAYER_ASK;
}

/* ---- what may be spent --------------------------------------------------- */

/* What one more payment of WEI would be beyond; REASON_NONE where it fits. */
static enum reason ceiling_of(const struct payer *payer, int64_t wei)
{
    if (wei > payer->settings.run_max_wei - payer->spent_wei)
        return REASON_WEI_CEILING_RUN;
    if (wei > payer->settings.day_left_wei - payer->spent_wei)
        return REASON_WEI_CEILING_DAY;
    return REASON_NONE;
}

/* What the signer will be asked for at least, so that it is not asked in vain:
 * its tickets count for it, whether they are used or not. */
static int64_t fee_wei(const struct payer *payer)
{
    int64_t fee;
    if (is_running(payer))
        return payer->price_wei;
    if (__builtin_mul_overflow(payer->price_wei, (int64_t)LIVE_FIRST_PAYMENT_S,
                               &fee))
        return INT64_MAX;
    return fee;
}

/* ---- asking the signer --------------------------------------------------- */

static void ask_signer(struct payer *payer)
{
    struct buf terms = {0};
    struct json_writer writer = {.out = &payer->body};
    enum reason ceiling = ceiling_of(payer, fee_wei(payer));
    if (ceiling) {
        refuse(payer, ceiling);
        return;
    }
    base64_encode(&terms, text_in(&payer->terms));
    buf_clear(&payer->body);
    json_begin(&writer, '{');
    json_key(&writer, "orchestrator");
    json_text(&writer, text_in(&terms));
    json_key(&writer, "type");
    json_string(&writer, "lv2v");
    if (payer->state.length) {
        json_key(&writer, "ManifestID");
        json_text(&writer, text_in(&payer->manifest_id));
        json_key(&writer, "state");
        json_raw(&writer, text_in(&payer->state));
    }
    json_end(&writer, '}');
    buf_free(&terms);
    payer->step = PAYER_GENERATE;
}

/* ---- terms --------------------------------------------------------------- */

/* Its address is usually zero then, but need not be. */
static bool is_off_chain(const struct orchestrator_info *info)
{
    return !info->ticket_params && !info->price_info;
}

/* The token is all that an orchestrator wants that takes no money. */
static void credentials_by_token(struct payer *payer,
                                 const struct orchestrator_info *info)
{
    const struct segment_data segment = {.auth_token = info->auth_token};
    buf_clear(&payer->payment);
    set_buf(&payer->segment, segment_header(&payer->arena, &segment));
    payer->worth_wei = 0;
    payer->step = PAYER_READY;
}

/* A price of nothing, but signed. The price that we expect has its pixels, as
 * orchestrators divide by them. */
static void credentials_by_key(struct payer *payer,
                               const struct orchestrator_info *info)
{
    const struct price_info nothing = {.pixels_per_unit = 1};
    struct orchestrator_request self;
    payer_identify(payer, &self);
    const struct payment payment = {.sender = self.address,
                                    .expected_price = &nothing};
    struct segment_data segment = {.manifest_id = info->auth_token->session_id,
                                   .auth_token = info->auth_token};
    segment_sign(&payer->arena, payer->settings.key, &segment);
    set_buf(&payer->payment, payment_header(&payer->arena, &payment));
    set_buf(&payer->segment, segment_header(&payer->arena, &segment));
    payer->worth_wei = 0;
    payer->step = PAYER_READY;
}

static void choose_way(struct payer *payer,
                       const struct orchestrator_info *info)
{
    payer->price_wei =
        info->price_info
            ? price_of_pixels_wei(info->price_info, LIVE_PIXELS_PER_SECOND)
            : ABSENT_INT;
    if (is_off_chain(info))
        credentials_by_token(payer, info);
    else if (payer->price_wei <= 0 && payer->by_key)
        credentials_by_key(payer, info);
    else if (payer->price_wei <= 0 && payer->settings.key)
        be_our_key(payer);
    else if (payer->price_wei > 0 && payer->settings.has_signer)
        ask_signer(payer);
    else
        refuse(payer, REASON_PAYMENT_NOT_CONFIGURED);
}

void payer_terms(struct payer *payer, struct text bytes)
{
    struct orchestrator_info info;
    arena_clear(&payer->arena);
    set_buf(&payer->terms, bytes);
    if (orchestrator_info_decode(&payer->arena, text_in(&payer->terms),
                                 &info) ||
        !info.auth_token)
        refuse(payer, REASON_PROTOCOL_ERROR);
    else if (!info.transcoder.length)
        refuse(payer, REASON_NO_TRANSCODER);
    else
        choose_way(payer, &info);
}

/* ---- the signer's answer ------------------------------------------------- */

static bool take_state(struct payer *payer, struct yyjson_val *state)
{
    if (!json_is_object(state))
        return false;
    set_buf(&payer->state, json_compact(&payer->arena, state, false));
    return true;
}

/* Both go into headers as they are, so they must be base64 and nothing else. */
static bool take_payment(struct payer *payer, struct text body)
{
    struct arena *arena = &payer->arena;
    struct yyjson_val *root = json_parse(arena, body.data, body.length);
    struct text coded = json_to_text(arena, json_get(root, "payment"));
    struct text credentials = json_to_text(arena, json_get(root, "segCreds"));
    struct payment payment;
    struct segment_data segment;
    if (payment_header_read(arena, coded, &payment) ||
        segment_header_read(arena, credentials, &segment) ||
        !take_state(payer, json_get(root, "state")))
        return false;
    payer->worth_wei = payment_value_wei(&payment);
    set_buf(&payer->payment, coded);
    set_buf(&payer->segment, credentials);
    return true;
}

static void refresh_terms(struct payer *payer)
{
    if (payer->refreshes++ < REFRESHES_MAX)
        payer->step = PAYER_ASK;
    else
        refuse(payer, REASON_SESSION_OUTDATED);
}

/* While the job runs there is time to try again. */
static void signer_failed(struct payer *payer)
{
    if (is_running(payer) && ++payer->failures < FAILURES_MAX)
        payer->step = PAYER_PAID;
    else
        refuse(payer, REASON_SIGNER_FAILED);
}

void payer_generated(struct payer *payer, int status, struct text body)
{
    arena_clear(&payer->arena);
    if (status == SIGNER_TERMS_OUTDATED) {
        refresh_terms(payer);
    } else if (status == SIGNER_PRICE_ABOVE_LIMIT) {
        refuse(payer, REASON_PRICE_ABOVE_LIMIT);
    } else if (status == SIGNER_NO_TICKETS && is_running(payer)) {
        payer->step = PAYER_PAID; /* what was paid suffices for now */
    } else if (status != 200 || body.length > SIGNER_ANSWER_BYTES_MAX ||
               !take_payment(payer, body)) {
        signer_failed(payer);
    } else {
        enum reason ceiling = ceiling_of(payer, payer->worth_wei);
        payer->failures = 0;
        if (ceiling)
            refuse(payer, ceiling);
        else
            payer->step = PAYER_READY;
    }
}

/* ---- the job ------------------------------------------------------------- */

struct payer_credentials payer_take(struct payer *payer)
{
    payer->spent_wei += payer->worth_wei;
    payer->worth_wei = 0;
    return (struct payer_credentials){text_in(&payer->payment),
                                      text_in(&payer->segment)};
}

void payer_started(struct payer *payer, struct text manifest_id, int64_t now_us)
{
    set_buf(&payer->manifest_id, manifest_id);
    payer->step = PAYER_PAID;
    payer->refreshes = 0;
    payer->paid_us = now_us;
    payer->next_us = now_us + EVERY_US;
    payer->covered_us = now_us + LIVE_FIRST_PAYMENT_S * US_PER_SECOND;
}

static void take_new_terms(struct payer *payer, struct text body)
{
    struct payment_result result;
    struct orchestrator_info info;
    if (!payment_result_decode(&payer->arena, body, &result) &&
        result.info.length &&
        !orchestrator_info_decode(&payer->arena, result.info, &info) &&
        info.ticket_params)
        set_buf(&payer->terms, result.info);
}

void payer_answered(struct payer *payer, int status, struct text body,
                    int64_t now_us)
{
    arena_clear(&payer->arena);
    if (status == 200) {
        take_new_terms(payer, body);
        payer->step = PAYER_PAID;
        payer->refreshes = 0;
        payer->covered_us += now_us - payer->paid_us;
        payer->paid_us = now_us;
        return;
    }
    enum reason reason =
        status ? job_refusal(status, body) : REASON_CONNECTION_LOST;
    if (reason == REASON_SESSION_OUTDATED)
        refresh_terms(payer);
    else
        refuse(payer, reason);
}

void payer_tick(struct payer *payer, int64_t now_us, int64_t end_us)
{
    bool is_paid = payer->state.length > 0;
    if (payer->step != PAYER_PAID || !is_paid || now_us < payer->next_us)
        return;
    if (end_us + TAIL_US <= payer->covered_us ||
        now_us + MARGIN_US < payer->covered_us)
        return;
    payer->next_us = now_us + EVERY_US;
    ask_signer(payer);
}
