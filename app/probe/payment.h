/*
 * payment.h: who we are to an orchestrator, and paying it.
 *
 * A payer is the state of one run's money and signatures, without a socket and
 * without a clock: it says what to ask whom, is told the answers, and gives the
 * credentials of the job. Three ways, of which the orchestrator's terms choose:
 *
 *   off-chain orchestrator   its token, nothing else
 *   price 0                  signed by a key of ours
 *   price above 0            tickets by a remote signer (go-livepeer's
 *                            -remoteSigner), which holds deposit and key
 *
 * With a signer the terms are asked for in its name first; with none, in that
 * of our key; with neither, in nobody's.
 *
 *     struct payer *payer = payer_new(&settings);
 *     while (...) switch (payer_step(payer)) {
 *     case PAYER_SIGN: POST {signer}/sign-orchestrator-info
 *                                    -> payer_signed(payer, status, body)
 *     case PAYER_ASK:  GetOrchestrator -> payer_terms(payer, bytes)
 *     case PAYER_GENERATE: POST {signer}/generate-live-payment
 *                                    -> payer_generated(payer, status, body)
 *     case PAYER_READY: take credentials, start the job -> payer_started()
 *                       or POST /payment -> payer_answered()
 *     case PAYER_PAID: nothing now; payer_tick() says when again
 *     case PAYER_REFUSED: payer_reason() says why; the run ends
 *     }
 *
 * No more is handed over than the ceilings allow, counted in the expected
 * value of tickets before they leave. A ceiling of 0 pays nobody.
 *
 * Where the network failed to bring an answer, its status is 0.
 */
#ifndef ASSAY_PROBE_PAYMENT_H
#define ASSAY_PROBE_PAYMENT_H

#include "journal/journal.h"
#include "livepeer/livepeer.h"
#include "probe/identity.h"
#include "seal/seal.h"

#define SIGNER_PATH_SIGN "/sign-orchestrator-info"
#define SIGNER_PATH_GENERATE "/generate-live-payment"

enum { SIGNER_ANSWER_BYTES_MAX = 256 << 10 };

struct payer_settings {
    const struct ethereum_key *key; /* borrowed; null for none */
    /* Of the key, as identity_of_key() makes it: who has many payers makes it
     * once. Null: each payer makes its own, in some 60 us. */
    const struct identity *identity;
    bool has_signer;
    int64_t run_max_wei;  /* this run may hand over so much */
    int64_t day_left_wei; /* the day's ceiling less what the day has spent */
};

enum payer_step {
    PAYER_SIGN,
    PAYER_ASK,
    PAYER_GENERATE,
    PAYER_READY,
    PAYER_PAID,
    PAYER_REFUSED
};

struct payer;

struct payer *payer_new(const struct payer_settings *settings);
void payer_free(struct payer *payer);

enum payer_step payer_step(const struct payer *payer);
/* Of PAYER_REFUSED. */
enum reason payer_reason(const struct payer *payer);

/* The body to POST in PAYER_SIGN and PAYER_GENERATE; valid until the payer is
 * told its answer. */
struct text payer_body(const struct payer *payer);

/* Address and signature for GetOrchestrator, empty where we have none; valid as
 * long as the payer. */
void payer_identify(const struct payer *payer,
                    struct orchestrator_request *request);

void payer_signed(struct payer *payer, int status, struct text body);

/* An OrchestratorInfo as it came, of a request that named the model. */
void payer_terms(struct payer *payer, struct text info);

void payer_generated(struct payer *payer, int status, struct text body);

/* The two headers; texts are valid until the payer is told anything. Taking
 * them counts what they are worth as spent. Only in PAYER_READY. */
struct payer_credentials {
    struct text payment;
    struct text segment;
};
struct payer_credentials payer_take(struct payer *payer);

/* The job runs: under this id, from this moment of the monotonic clock. */
void payer_started(struct payer *payer, struct text manifest_id,
                   int64_t now_us);

/* The answer to POST {transcoder}/payment. */
void payer_answered(struct payer *payer, int status, struct text body,
                    int64_t now_us);

/* Call it every second or so, with the moment at which the job is to end.
 * Leaves PAYER_PAID when it is time to pay more. */
void payer_tick(struct payer *payer, int64_t now_us, int64_t end_us);

/* Expected value of all that was taken. */
int64_t payer_spent_wei(const struct payer *payer);

/* The price of a second of live video by the terms; ABSENT_INT where there is
 * none. */
int64_t payer_price_wei(const struct payer *payer);

#endif
