/*
 * messages.c: which field number lies where (livepeer-protocols.md §2.3). The
 * tables of protobuf.h, one a message, and the functions that name them.
 */
#include "livepeer/messages.h"

#include "livepeer/protobuf.h"

/* Rows of the table of struct S. */
#define PLAIN(number, kind, member)                                            \
    {                                                                          \
        number, kind, false, offsetof(struct S, member), 0, NULL               \
    }
#define KEY(number, kind, member)                                              \
    {                                                                          \
        number, kind, true, offsetof(struct S, member), 0, NULL                \
    }
#define MESSAGE(number, member, type)                                          \
    {                                                                          \
        number, PROTOBUF_MESSAGE, false, offsetof(struct S, member), 0, &type  \
    }
/* A map's value: its fields lie in the entry's own struct. */
#define VALUE(number, type)                                                    \
    {                                                                          \
        number, PROTOBUF_EMBEDDED, true, 0, 0, &type                           \
    }
#define LIST(number, kind, member, count)                                      \
    {                                                                          \
        number, kind, false, offsetof(struct S, member),                       \
            offsetof(struct S, count), NULL                                    \
    }
#define MESSAGES(number, member, count, type)                                  \
    {                                                                          \
        number, PROTOBUF_MESSAGE_LIST, false, offsetof(struct S, member),      \
            offsetof(struct S, count), &type                                   \
    }
#define TYPE(name, fields)                                                     \
    {                                                                          \
        name, sizeof(struct S), fields, sizeof fields / sizeof *fields         \
    }

/* ---- what an orchestrator offers ----------------------------------------- */

#define S model_offer
static const struct message_field model_constraint_fields[] = {
    PLAIN(1, PROTOBUF_BOOL, warm),
    PLAIN(2, PROTOBUF_UINT32, idle),
    PLAIN(3, PROTOBUF_STRING, runner_version),
    PLAIN(4, PROTOBUF_UINT32, busy),
};
static const struct message_type model_constraint_type =
    TYPE("ModelConstraint", model_constraint_fields);
static const struct message_field model_entry_fields[] = {
    KEY(1, PROTOBUF_STRING, model_id),
    VALUE(2, model_constraint_type),
};
static const struct message_type model_entry_type =
    TYPE("models", model_entry_fields);
#undef S

#define S capability_models
static const struct message_field capability_models_fields[] = {
    MESSAGES(1, models, model_count, model_entry_type),
};
static const struct message_type capability_models_type =
    TYPE("CapabilityConstraints", capability_models_fields);
static const struct message_field per_capability_fields[] = {
    KEY(1, PROTOBUF_UINT32, capability),
    VALUE(2, capability_models_type),
};
static const struct message_type per_capability_type =
    TYPE("PerCapability", per_capability_fields);
#undef S

#define S capability_constraints
static const struct message_field constraints_fields[] = {
    PLAIN(1, PROTOBUF_STRING, min_version),
    MESSAGES(2, per_capability, per_capability_count, per_capability_type),
};
static const struct message_type constraints_type =
    TYPE("Constraints", constraints_fields);
#undef S

#define S capacity
static const struct message_field capacity_fields[] = {
    KEY(1, PROTOBUF_UINT32, capability),
    KEY(2, PROTOBUF_UINT32, count),
};
static const struct message_type capacity_type =
    TYPE("capacities", capacity_fields);
#undef S

#define S capabilities
static const struct message_field capabilities_fields[] = {
    LIST(1, PROTOBUF_UINT64_LIST, bitstring, bitstring_count),
    LIST(2, PROTOBUF_UINT64_LIST, mandatories, mandatory_count),
    MESSAGES(3, capacities, capacity_count, capacity_type),
    PLAIN(4, PROTOBUF_STRING, version),
    MESSAGE(5, constraints, constraints_type),
};
static const struct message_type capabilities_type =
    TYPE("Capabilities", capabilities_fields);
#undef S

#define S price_info
static const struct message_field price_info_fields[] = {
    PLAIN(1, PROTOBUF_INT64, price_per_unit),
    PLAIN(2, PROTOBUF_INT64, pixels_per_unit),
    PLAIN(3, PROTOBUF_UINT32, capability),
    PLAIN(4, PROTOBUF_STRING, constraint),
};
static const struct message_type price_info_type =
    TYPE("PriceInfo", price_info_fields);
#undef S

#define S gpu_info
static const struct message_field gpu_fields[] = {
    PLAIN(1, PROTOBUF_STRING, id),
    PLAIN(2, PROTOBUF_STRING, name),
    PLAIN(4, PROTOBUF_UINT32, major),
    PLAIN(5, PROTOBUF_UINT32, minor),
    PLAIN(6, PROTOBUF_INT64, memory_free_bytes),
    PLAIN(7, PROTOBUF_INT64, memory_total_bytes),
};
static const struct message_type gpu_type = TYPE("GPUComputeInfo", gpu_fields);
static const struct message_field gpu_entry_fields[] = {
    KEY(1, PROTOBUF_STRING, slot),
    VALUE(2, gpu_type),
};
static const struct message_type gpu_entry_type =
    TYPE("gpu_info", gpu_entry_fields);
#undef S

#define S hardware_information
static const struct message_field hardware_fields[] = {
    PLAIN(1, PROTOBUF_STRING, pipeline),
    PLAIN(2, PROTOBUF_STRING, model_id),
    MESSAGES(3, gpus, gpu_count, gpu_entry_type),
};
static const struct message_type hardware_type =
    TYPE("HardwareInformation", hardware_fields);
#undef S

/* ---- payment ------------------------------------------------------------- */

#define S ticket_expiration
static const struct message_field ticket_expiration_fields[] = {
    PLAIN(1, PROTOBUF_INT64, creation_round),
    PLAIN(2, PROTOBUF_BYTES, creation_round_block_hash),
};
static const struct message_type ticket_expiration_type =
    TYPE("TicketExpirationParams", ticket_expiration_fields);
#undef S

#define S ticket_params
static const struct message_field ticket_params_fields[] = {
    PLAIN(1, PROTOBUF_BYTES, recipient),
    PLAIN(2, PROTOBUF_BYTES, face_value),
    PLAIN(3, PROTOBUF_BYTES, win_prob),
    PLAIN(4, PROTOBUF_BYTES, recipient_rand_hash),
    PLAIN(5, PROTOBUF_BYTES, seed),
    PLAIN(6, PROTOBUF_BYTES, expiration_block),
    MESSAGE(7, expiration, ticket_expiration_type),
};
static const struct message_type ticket_params_type =
    TYPE("TicketParams", ticket_params_fields);
#undef S

#define S ticket_sender_params
static const struct message_field ticket_sender_fields[] = {
    PLAIN(1, PROTOBUF_UINT32, sender_nonce),
    PLAIN(2, PROTOBUF_BYTES, sig),
};
static const struct message_type ticket_sender_type =
    TYPE("TicketSenderParams", ticket_sender_fields);
#undef S

#define S payment
static const struct message_field payment_fields[] = {
    MESSAGE(1, ticket_params, ticket_params_type),
    PLAIN(2, PROTOBUF_BYTES, sender),
    MESSAGE(3, expiration, ticket_expiration_type),
    MESSAGES(4, tickets, ticket_count, ticket_sender_type),
    MESSAGE(5, expected_price, price_info_type),
};
static const struct message_type payment_type = TYPE("Payment", payment_fields);
#undef S

/* ---- discovery ----------------------------------------------------------- */

#define S orchestrator_request
static const struct message_field orchestrator_request_fields[] = {
    PLAIN(1, PROTOBUF_BYTES, address),
    PLAIN(2, PROTOBUF_BYTES, sig),
    MESSAGE(3, capabilities, capabilities_type),
    PLAIN(4, PROTOBUF_BOOL, ignore_capacity_check),
};
static const struct message_type orchestrator_request_type =
    TYPE("OrchestratorRequest", orchestrator_request_fields);
#undef S

#define S auth_token
static const struct message_field auth_token_fields[] = {
    PLAIN(1, PROTOBUF_BYTES, token),
    PLAIN(2, PROTOBUF_STRING, session_id),
    PLAIN(3, PROTOBUF_INT64, expiration_s),
};
static const struct message_type auth_token_type =
    TYPE("AuthToken", auth_token_fields);
#undef S

#define S orchestrator_info
static const struct message_field orchestrator_info_fields[] = {
    PLAIN(1, PROTOBUF_STRING, transcoder),
    MESSAGE(2, ticket_params, ticket_params_type),
    MESSAGE(3, price_info, price_info_type),
    PLAIN(4, PROTOBUF_BYTES, address),
    MESSAGE(5, capabilities, capabilities_type),
    MESSAGE(6, auth_token, auth_token_type),
    MESSAGES(7, hardware, hardware_count, hardware_type),
    MESSAGES(33, capabilities_prices, capabilities_price_count,
             price_info_type),
    LIST(34, PROTOBUF_STRING_LIST, nodes, node_count),
};
static const struct message_type orchestrator_info_type =
    TYPE("OrchestratorInfo", orchestrator_info_fields);
#undef S

/* ---- jobs ---------------------------------------------------------------- */

#define S segment_data
static const struct message_field segment_data_fields[] = {
    PLAIN(1, PROTOBUF_BYTES, manifest_id),
    PLAIN(2, PROTOBUF_INT64, seq),
    PLAIN(3, PROTOBUF_BYTES, hash),
    PLAIN(4, PROTOBUF_BYTES, profile_text),
    PLAIN(5, PROTOBUF_BYTES, sig),
    PLAIN(6, PROTOBUF_INT32, duration_ms),
    MESSAGE(7, capabilities, capabilities_type),
    MESSAGE(8, auth_token, auth_token_type),
};
static const struct message_type segment_data_type =
    TYPE("SegData", segment_data_fields);
#undef S

#define S payment_result
static const struct message_field payment_result_fields[] = {
    PLAIN(16, PROTOBUF_BYTES, info),
};
static const struct message_type payment_result_type =
    TYPE("PaymentResult", payment_result_fields);
#undef S

/* ---- reading and writing ------------------------------------------------- */

#define MESSAGE_FUNCTIONS(name)                                                \
    void name##_encode(struct buf *out, const struct name *message)            \
    {                                                                          \
        protobuf_encode(out, &name##_type, message);                           \
    }                                                                          \
    enum err name##_decode(struct arena *arena, struct text bytes,             \
                           struct name *message)                               \
    {                                                                          \
        return protobuf_decode(arena, bytes, &name##_type, message);           \
    }

MESSAGE_FUNCTIONS(orchestrator_request)
MESSAGE_FUNCTIONS(orchestrator_info)
MESSAGE_FUNCTIONS(capabilities)
MESSAGE_FUNCTIONS(auth_token)
MESSAGE_FUNCTIONS(payment)
MESSAGE_FUNCTIONS(payment_result)
MESSAGE_FUNCTIONS(segment_data)
