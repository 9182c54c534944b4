/*
 * identity.h: proofs of who we are, by a key of ours or a signer's word
 * (livepeer-protocols.md §2.2).
 */
#ifndef ASSAY_PROBE_IDENTITY_H
#define ASSAY_PROBE_IDENTITY_H

#include "livepeer/livepeer.h"
#include "seal/seal.h"

/* What GetOrchestrator carries: the signature is over the address's text with
 * its capitals, and is always the same. */
struct identity {
    bool known;
    uint8_t address[ETHEREUM_ADDRESS_BYTES];
    uint8_t signature[ETHEREUM_SIGNATURE_BYTES];
};

void identity_of_key(const struct ethereum_key *key, struct identity *identity);

/* From the answer of a remote signer to POST /sign-orchestrator-info. ERR_INPUT
 * also where the signature is not the address's. */
MUST_USE enum err identity_of_signer(struct arena *arena, struct text body,
                                     struct identity *identity);

/* Signs SEGMENT; the signature lives in ARENA. */
void segment_sign(struct arena *arena, const struct ethereum_key *key,
                  struct segment_data *segment);

#endif
