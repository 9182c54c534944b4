/*
 * payment.c: see payment.h.
 */
#include "sim/payment.h"
#include "base/clock.h"
#include "seal/seal.h"
#include "sim/job.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    WIN_ONE_IN = 1000, /* tickets */
    BLOCK_S = 12,      /* of the first layer */
    BLOCKS_VALID = 40,
    ROUND_S = 20 * 60 * 60,
    NUMBER_BYTES = 8,
    RANDS_MAX = 1024,
    NONCE_MAX = 600,
    BODY_MAX_BYTES = 1024
};

/* The last nonce used with a recipient's rand hash. */
struct rand_use {
    uint8_t hash[SHA256_BYTES];
    uint32_t nonce;
};

static const char what[] = "payment";

/* ---- what is asked for --------------------------------------------------- */

int64_t payment_ticket_wei(const struct orchestrator *orchestrator)
{
    return orchestrator->behaviour->price_wei * LIVE_PIXELS_PER_SECOND;
}

/* Big-endian without leading zeros. */
static struct text number_bytes(struct arena *arena, uint64_t number)
{
    char *bytes = arena_alloc(arena, NUMBER_BYTES);
    size_t at = NUMBER_BYTES;
    for (; number; number >>= 8)
        bytes[--at] = (char)(number & 255);
    return (struct text){bytes + at, NUMBER_BYTES - at};
}

/* (2^256 - 1) / DIVISOR, by long division. */
static struct text win_probability(struct arena *arena, unsigned divisor)
{
    uint8_t *bytes = arena_alloc(arena, SHA256_BYTES);
    unsigned rest = 0;
    size_t zeros = 0;
    for (size_t i = 0; i < SHA256_BYTES; i++) {
        unsigned part = rest << 8 | 255;
        bytes[i] = (uint8_t)(part / divisor);
        rest = part % divisor;
    }
    while (!bytes[zeros])
        zeros++;
    return (struct text){(const char *)bytes + zeros, SHA256_BYTES - zeros};
}

/* The hash that belongs to SEED: nobody else can make one. */
static void rand_hash(const struct orchestrator *orchestrator, struct text seed,
                      uint8_t hash[SHA256_BYTES])
{
    struct text key = {(const char *)orchestrator->secret, SECRET_BYTES};
    struct text parts[2] = {text_of("recipient rand"), seed};
    hash_hmac_sha256(key, parts, 2, hash);
}

static uint64_t block_now(void)
{
    return (uint64_t)(clock_wall_ms() / MS_PER_SECOND / BLOCK_S);
}

static const struct ticket_expiration *expiration_now(struct arena *arena)
{
    struct ticket_expiration *expiration =
        arena_alloc(arena, sizeof *expiration);
    uint8_t *hash = arena_alloc(arena, SHA256_BYTES);
    int64_t round = clock_wall_ms() / MS_PER_SECOND / ROUND_S;
    hash_sha256(&round, sizeof round, hash);
    *expiration =
        (struct ticket_expiration){round, {(const char *)hash, SHA256_BYTES}};
    return expiration;
}

const struct ticket_params *
payment_params(const struct orchestrator *orchestrator, struct arena *arena)
{
    struct ticket_params *params = arena_alloc(arena, sizeof *params);
    uint8_t *hash = arena_alloc(arena, SHA256_BYTES);
    uint64_t face = (uint64_t)payment_ticket_wei(orchestrator) * WIN_ONE_IN;
    params->seed = number_bytes(arena, (uint64_t)clock_monotonic_us() + 1);
    rand_hash(orchestrator, params->seed, hash);
    params->recipient = (struct text){(const char *)orchestrator->address,
                                      ETHEREUM_ADDRESS_BYTES};
    params->face_value = number_bytes(arena, face);
    params->win_prob = win_probability(arena, WIN_ONE_IN);
    params->recipient_rand_hash =
        (struct text){(const char *)hash, SHA256_BYTES};
    params->expiration_block = number_bytes(arena, block_now() + BLOCKS_VALID);
    params->expiration = expiration_now(arena);
    return params;
}

/* ---- what is got --------------------------------------------------------- */

static struct text header_of(const struct exchange *exchange, const char *name)
{
    const char *value = exchange_header(exchange, name);
    return text_of(value ? value : "");
}

static uint64_t number_of(struct text bytes)
{
    uint64_t number = 0;
    for (size_t i = 0; i < bytes.length; i++)
        number = number << 8 | (unsigned char)bytes.data[i];
    return number;
}

/* The use of HASH so far; made where there is none. */
static struct rand_use *use_of(struct rand_uses *uses, struct text hash)
{
    size_t known = uses->count < RANDS_MAX ? uses->count : RANDS_MAX;
    if (!uses->list)
        uses->list = memory_zeroed(RANDS_MAX, sizeof *uses->list);
    for (size_t i = 0; i < known; i++) {
        if (memcmp(uses->list[i].hash, hash.data, SHA256_BYTES) == 0)
            return &uses->list[i];
    }
    struct rand_use *use = &uses->list[uses->count++ % RANDS_MAX];
    memcpy(use->hash, hash.data, SHA256_BYTES);
    use->nonce = 0;
    return use;
}

static bool was_signed(const uint8_t hash[KECCAK_BYTES], struct text signature,
                       struct text by)
{
    uint8_t address[ETHEREUM_ADDRESS_BYTES];
    return ethereum_recover(hash, signature, address) &&
           text_equal(by, (struct text){(const char *)address,
                                        ETHEREUM_ADDRESS_BYTES});
}

/* Null where PARAMS are ones that we asked for and still stand. */
static const char *params_flaw(const struct orchestrator *orchestrator,
                               const struct ticket_params *params)
{
    uint8_t hash[SHA256_BYTES];
    struct text wanted = {(const char *)hash, SHA256_BYTES};
    struct text recipient = {(const char *)orchestrator->address,
                             ETHEREUM_ADDRESS_BYTES};
    if (!params)
        return "missing ticket params";
    rand_hash(orchestrator, params->seed, hash);
    if (!text_equal(params->recipient, recipient))
        return "invalid ticket recipient";
    if (!text_equal(params->recipient_rand_hash, wanted))
        return "invalid recipientRand for ticket recipientRandHash";
    if (params->expiration_block.length > NUMBER_BYTES ||
        number_of(params->expiration_block) <= block_now())
        return "TicketParams expired";
    return NULL;
}

static const char *tickets_flaw(struct orchestrator *orchestrator,
                                struct arena *arena,
                                const struct payment *payment)
{
    uint8_t hash[KECCAK_BYTES];
    struct rand_use *use = use_of(&orchestrator->rand_uses,
                                  payment->ticket_params->recipient_rand_hash);
    for (size_t i = 0; i < payment->ticket_count; i++) {
        const struct ticket_sender_params *ticket = &payment->tickets[i];
        if (ticket->sender_nonce <= use->nonce ||
            ticket->sender_nonce > NONCE_MAX)
            return arena_printf(arena, "invalid ticket senderNonce: %u",
                                (unsigned)ticket->sender_nonce);
        ticket_hash(payment->ticket_params, payment->expiration,
                    payment->sender, ticket->sender_nonce, hash);
        if (!was_signed(hash, ticket->sig, payment->sender))
            return "invalid ticket signature";
        use->nonce = ticket->sender_nonce;
    }
    return NULL;
}

static const char *payment_flaw(struct orchestrator *orchestrator,
                                struct arena *arena,
                                const struct payment *payment,
                                int64_t *credit_wei)
{
    const char *flaw = NULL;
    *credit_wei = 0;
    if (!payment->ticket_count)
        return NULL;
    flaw = params_flaw(orchestrator, payment->ticket_params);
    if (!flaw)
        flaw = tickets_flaw(orchestrator, arena, payment);
    if (!flaw)
        *credit_wei =
            (int64_t)payment->ticket_count * payment_ticket_wei(orchestrator);
    return flaw;
}

static const char *segment_flaw(const struct orchestrator *orchestrator,
                                const struct credentials *credentials)
{
    const struct segment_data *segment = &credentials->segment;
    uint8_t hash[KECCAK_BYTES];
    if (segment->duration_ms < 0)
        return "invalid duration";
    segment_hash(segment, hash);
    if (orchestrator->behaviour->price_wei &&
        !was_signed(hash, segment->sig, credentials->payment.sender))
        return "ErrSegSig";
    return token_flaw(orchestrator, segment->auth_token);
}

struct refusal payment_judge(struct orchestrator *orchestrator,
                             struct arena *arena,
                             const struct exchange *exchange,
                             struct credentials *credentials,
                             int64_t *credit_wei)
{
    struct text payment = header_of(exchange, JOB_HEADER_PAYMENT);
    struct text segment = header_of(exchange, JOB_HEADER_SEGMENT);
    *credentials = (struct credentials){0};
    *credit_wei = 0;
    if (payment_header_read(arena, payment, &credentials->payment))
        return (struct refusal){402, "the payment cannot be read"};
    if (segment_header_read(arena, segment, &credentials->segment))
        return (struct refusal){403, "ErrorSegEncoding"};
    const char *flaw = segment_flaw(orchestrator, credentials);
    if (flaw)
        return (struct refusal){403, flaw};
    if (orchestrator->behaviour->price_wei)
        flaw = payment_flaw(orchestrator, arena, &credentials->payment,
                            credit_wei);
    return (struct refusal){flaw ? 400 : 0, flaw};
}

void payment_forget(struct orchestrator *orchestrator)
{
    free(orchestrator->rand_uses.list);
    orchestrator->rand_uses = (struct rand_uses){0};
}

/* ---- more for a job ------------------------------------------------------ */

static struct job *job_of(struct orchestrator *orchestrator, struct text id)
{
    struct job *job = orchestrator->jobs;
    while (job && !text_is(id, job->id))
        job = job->after;
    return job;
}

static void say_paid(struct job *job, int64_t credit_wei)
{
    struct json_writer *writer = job_truth(job, what, clock_monotonic_us());
    json_member_int(writer, "credit_wei", credit_wei);
    json_member_int(writer, "balance_wei", job->balance_wei);
    truth_end(job->orchestrator->network->truth);
}

/* Fresh ticket parameters and the same price, for the next time. */
static void answer(struct orchestrator *orchestrator, struct arena *arena,
                   struct exchange *exchange,
                   const struct credentials *credentials)
{
    struct buf body = {0};
    struct buf offer = {0};
    struct capabilities none = {0};
    struct orchestrator_info info = offer_make(orchestrator, arena, &none);
    info.auth_token = credentials->segment.auth_token;
    orchestrator_info_encode(&offer, &info);
    struct payment_result result = {.info = {offer.data, offer.length}};
    payment_result_encode(&body, &result);
    buf_free(&offer);
    exchange_reply(exchange, 200, "application/octet-stream",
                   (struct text){body.data, body.length});
    buf_free(&body);
}

static void paid(void *context, struct exchange *exchange, struct text body)
{
    struct orchestrator *orchestrator = context;
    struct arena arena = {0};
    struct credentials credentials;
    int64_t credit_wei;
    (void)body;
    struct refusal refusal = payment_judge(orchestrator, &arena, exchange,
                                           &credentials, &credit_wei);
    struct job *job = job_of(orchestrator, credentials.segment.manifest_id);
    if (refusal.status) {
        orchestrator_refuse(orchestrator, exchange, what, refusal.status,
                            refusal.sentence);
    } else {
        /* A payment for a job that has ended is taken all the same. */
        if (job) {
            job->balance_wei += credit_wei;
            say_paid(job, credit_wei);
        }
        answer(orchestrator, &arena, exchange, &credentials);
    }
    arena_free(&arena);
}

void payment_handle(struct orchestrator *orchestrator,
                    struct exchange *exchange)
{
    exchange_collect(exchange, BODY_MAX_BYTES, paid, NULL, orchestrator);
}
