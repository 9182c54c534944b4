/*
 * messages.h: the protobuf messages between gateways, orchestrators and
 * signers (package net of go-livepeer, lp_rpc.proto), as plain structs.
 *
 * Only what a client, or its double, needs: fields and messages that are not
 * here are passed over when reading. Field names are the protocol's, in our
 * spelling, with three exceptions that say what the numbers mean: a model's
 * `capacity` is `idle`, its `capacityInUse` is `busy`, and SegData's `profiles`
 * is the `profile_text`.
 *
 * Texts of a message that was read are borrowed from the bytes it was read
 * from; they and the arena must outlive it. Bytes of unsigned integers are
 * big-endian of minimal length. Amounts of money are in wei.
 */
#ifndef ASSAY_LIVEPEER_MESSAGES_H
#define ASSAY_LIVEPEER_MESSAGES_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/keccak.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- what an orchestrator offers ----------------------------------------- */

/* One entry of the map `models`, key and value. For live-video-to-video both
 * numbers are live, containers that wait and containers that work; for other
 * pipelines `idle` is static configuration. */
struct model_offer {
    struct text model_id;
    bool warm;
    uint32_t idle;
    struct text runner_version;
    uint32_t busy;
};

/* One entry of the map `PerCapability`. */
struct capability_models {
    uint32_t capability;
    const struct model_offer *models;
    size_t model_count;
};

struct capability_constraints {
    struct text min_version;
    const struct capability_models *per_capability;
    size_t per_capability_count;
};

/* One entry of the map `capacities`. */
struct capacity {
    uint32_t capability;
    uint32_t count;
};

struct capabilities {
    const uint64_t *bitstring; /* bit n lies in word n / 64, at n % 64 */
    size_t bitstring_count;
    const uint64_t *mandatories;
    size_t mandatory_count;
    const struct capacity *capacities;
    size_t capacity_count;
    struct text version;
    const struct capability_constraints *constraints;
};

struct price_info {
    int64_t price_per_unit; /* wei for PIXELS_PER_UNIT */
    int64_t pixels_per_unit;
    uint32_t capability;
    struct text constraint; /* model id; for BYOC the registered name */
};

/* One entry of the map `gpu_info`. */
struct gpu_info {
    struct text slot; /* the map's key: "0" */
    struct text id;
    struct text name;
    uint32_t major;
    uint32_t minor;
    int64_t memory_free_bytes;
    int64_t memory_total_bytes;
};

struct hardware_information {
    struct text pipeline;
    struct text model_id;
    const struct gpu_info *gpus;
    size_t gpu_count;
};

/* ---- payment ------------------------------------------------------------- */

struct ticket_expiration {
    int64_t creation_round;
    struct text creation_round_block_hash; /* 32 bytes */
};

struct ticket_params {
    struct text recipient; /* ETHEREUM_ADDRESS_BYTES */
    struct text face_value;
    struct text win_prob; /* of 2^256 - 1 */
    struct text recipient_rand_hash;
    struct text seed;
    struct text expiration_block; /* of the first layer */
    const struct ticket_expiration *expiration;
};

struct ticket_sender_params {
    uint32_t sender_nonce;
    struct text sig; /* ETHEREUM_SIGNATURE_BYTES */
};

struct payment {
    const struct ticket_params *ticket_params;
    struct text sender; /* ETHEREUM_ADDRESS_BYTES */
    const struct ticket_expiration *expiration;
    const struct ticket_sender_params *tickets;
    size_t ticket_count;
    const struct price_info *expected_price;
};

/* ---- discovery ----------------------------------------------------------- */

struct orchestrator_request {
    struct text address; /* ETHEREUM_ADDRESS_BYTES */
    struct text sig;     /* ETHEREUM_SIGNATURE_BYTES */
    const struct capabilities *capabilities;
    bool ignore_capacity_check;
};

/* Proof of a fresh OrchestratorInfo, asked for with every job. */
struct auth_token {
    struct text token;
    struct text session_id;
    int64_t expiration_s; /* since 1970 */
};

struct orchestrator_info {
    struct text transcoder; /* where jobs go; "" for nodes only */
    const struct ticket_params *ticket_params;
    const struct price_info *price_info;
    struct text address; /* ETHEREUM_ADDRESS_BYTES; zeros off-chain */
    const struct capabilities *capabilities;
    const struct auth_token *auth_token;
    const struct hardware_information *hardware;
    size_t hardware_count;
    const struct price_info *capabilities_prices;
    size_t capabilities_price_count;
    const struct text *nodes;
    size_t node_count;
};

/* ---- jobs ---------------------------------------------------------------- */

/* What a job's segment carries: header Livepeer-Segment. */
struct segment_data {
    struct text manifest_id;
    int64_t seq;
    struct text hash;
    struct text profile_text; /* current senders write "invalid" */
    struct text sig;
    int32_t duration_ms;
    const struct capabilities *capabilities;
    const struct auth_token *auth_token;
};

/* The answer to POST /payment. Its OrchestratorInfo is kept as it came, since
 * signers take it so. */
struct payment_result {
    struct text info;
};

/* ---- reading and writing ------------------------------------------------- */

/*
 * For each message: `..._encode` appends it to OUT; `..._decode` fills all of
 * MESSAGE, or gives ERR_INPUT with a sentence that names message and place.
 */
#define MESSAGE_FUNCTIONS(name)                                                \
    void name##_encode(struct buf *out, const struct name *message);           \
    MUST_USE enum err name##_decode(struct arena *arena, struct text bytes,    \
                                    struct name *message);

MESSAGE_FUNCTIONS(orchestrator_request)
MESSAGE_FUNCTIONS(orchestrator_info)
MESSAGE_FUNCTIONS(capabilities)
MESSAGE_FUNCTIONS(auth_token)
MESSAGE_FUNCTIONS(payment)
MESSAGE_FUNCTIONS(payment_result)
MESSAGE_FUNCTIONS(segment_data)
#undef MESSAGE_FUNCTIONS

#endif
