/*
 * run.c: the fields of a run, and the closed lists of outcomes and reasons.
 * The order of the fields is the order of the columns of table run.
 */
#include "journal/run.h"

#include "journal/journal.h"

#include <stdio.h>

/* ---- fields -------------------------------------------------------------- */

static const struct field run_list[] = {
    FIELD(TEXT, run, run_id),
    FIELD(TEXT, run, kind),
    FIELD(TEXT, run, workflow),
    FIELD(TEXT, run, orchestrator_url),
    FIELD(TEXT, run, orchestrator_address),
    FIELD(TEXT, run, signing_address),
    FIELD(TEXT, run, pipeline_id),
    FIELD(TEXT, run, model_id),
    FIELD(TEXT, run, gpu_id),
    FIELD(TEXT, run, vantage),
    FIELD(TIME, run, started_at),
    FIELD(TEXT, run, outcome),
    FIELD(TEXT, run, reason),
    FIELD(DOUBLE, run, startup_ms),
    FIELD(DOUBLE, run, ptff_ms),
    FIELD(DOUBLE, run, playable_ms),
    FIELD(DOUBLE, run, output_fps),
    FIELD(DOUBLE, run, jitter_interval),
    FIELD(DOUBLE, run, jitter_fps),
    FIELD(DOUBLE, run, freeze_ms),
    FIELD(DOUBLE, run, e2e_p50_ms),
    FIELD(DOUBLE, run, e2e_p95_ms),
    FIELD(DOUBLE, run, e2e_p99_ms),
    FIELD(DOUBLE, run, input_fps),
    FIELD(DOUBLE, run, reported_fps),
    FIELD(TEXT, run, reported_state),
    FIELD(INT, run, restarts),
    FIELD(INT, run, segments_in),
    FIELD(INT, run, segments_out),
    FIELD(INT, run, bytes_in),
    FIELD(INT, run, bytes_out),
    FIELD(INT, run, cold),
    FIELD(TEXT, run, prompt_id),
    FIELD(TEXT, run, prompt_class),
    FIELD(INT, run, cost_wei),
    FIELD(DOUBLE, run, dns_ms),
    FIELD(DOUBLE, run, connect_ms),
    FIELD(DOUBLE, run, tls_ms),
    FIELD(DOUBLE, run, rpc_ms),
    FIELD(TEXT, run, tls_key_sha256),
    FIELD(TEXT, run, version),
    FIELD(INT, run, idle),
    FIELD(INT, run, busy),
    FIELD(INT, run, price_wei),
    FIELD(TEXT, run, plan_hash),
    FIELD(DOUBLE, run, first_segment_ms),
    FIELD(TEXT, run, e2e_reason),
    FIELD(INT, run, frames_in),
    FIELD(INT, run, frames_out),
    FIELD(TEXT, run, samples_sha256),
    FIELD(INT, run, line),
};

const struct fields run_fields = FIELDS(run_list, 1);

struct run run_empty(void)
{
    struct run run;
    fields_clear(run_fields, &run);
    return run;
}

/* ---- outcomes ------------------------------------------------------------ */

static const char *const outcome_names[OUTCOME_COUNT] = {
    [OUTCOME_OK] = "ok",
    [OUTCOME_FAILED] = "failed",
    [OUTCOME_BUSY] = "busy",
    [OUTCOME_EXCUSED] = "excused",
    [OUTCOME_VANTAGE_SUSPECT] = "vantage_suspect",
};

const char *outcome_name(enum outcome outcome)
{
    return outcome_names[outcome];
}

bool outcome_named(struct text name, enum outcome *outcome)
{
    for (size_t i = 0; i < OUTCOME_COUNT; i++) {
        if (text_is(name, outcome_names[i])) {
            *outcome = (enum outcome)i;
            return true;
        }
    }
    return false;
}

/* ---- reasons ------------------------------------------------------------- */

static const struct reason_entry reasons[REASON_COUNT] = {
    [REASON_NONE] = {"", OUTCOME_OK, "everything was measured"},

    [REASON_NAME_NOT_RESOLVED] = {"name_not_resolved", OUTCOME_FAILED,
                                  "its host name has no address"},
    [REASON_CONNECT_REFUSED] = {"connect_refused", OUTCOME_FAILED,
                                "nobody listens at its address"},
    [REASON_CONNECT_TIMEOUT] = {"connect_timeout", OUTCOME_FAILED,
                                "no connection came about in time"},
    [REASON_UNREACHABLE] = {"unreachable", OUTCOME_FAILED,
                            "no way leads to its address"},
    [REASON_TLS_FAILED] = {"tls_failed", OUTCOME_FAILED,
                           "the TLS handshake did not succeed"},
    [REASON_CONNECTION_LOST] = {"connection_lost", OUTCOME_FAILED,
                                "it ended the connection before answering"},

    [REASON_CALL_TIMEOUT] = {"call_timeout", OUTCOME_FAILED,
                             "it did not answer the call in time"},
    [REASON_CALL_REFUSED] = {"call_refused", OUTCOME_FAILED,
                             "it answered the call with an error"},
    [REASON_PROTOCOL_ERROR] = {"protocol_error", OUTCOME_FAILED,
                               "what it sent is not what the protocol says"},
    [REASON_ANSWER_TOO_LARGE] = {"answer_too_large", OUTCOME_FAILED,
                                 "its answer is larger than any should be"},
    [REASON_NO_TRANSCODER] = {"no_transcoder", OUTCOME_FAILED,
                              "it takes no work and names only other nodes"},

    [REASON_START_TIMEOUT] = {"start_timeout", OUTCOME_FAILED,
                              "it did not answer the start in time"},
    [REASON_START_REFUSED] = {"start_refused", OUTCOME_FAILED,
                              "it did not accept the start as we sent it"},
    [REASON_RUNNER_START_FAILED] = {"runner_start_failed", OUTCOME_FAILED,
                                    "its runner did not start"},
    [REASON_AUTH_TOKEN_REFUSED] = {"auth_token_refused", OUTCOME_FAILED,
                                   "it did not know its own fresh token"},
    [REASON_UNEXPECTED_STATUS] = {"unexpected_status", OUTCOME_FAILED,
                                  "it answered with a status that the "
                                  "protocol does not have"},
    [REASON_INPUT_NOT_TAKEN] = {"input_not_taken", OUTCOME_FAILED,
                                "it did not take the input as it was sent"},
    [REASON_CLOSED_EARLY] = {"closed_early", OUTCOME_FAILED,
                             "it closed the stream before its end"},
    [REASON_NO_OUTPUT] = {"no_output", OUTCOME_FAILED,
                          "no frame came back in time"},
    [REASON_OUTPUT_STOPPED] = {"output_stopped", OUTCOME_FAILED,
                               "output ended long before the input"},
    [REASON_OUTPUT_INVALID] = {"output_invalid", OUTCOME_FAILED,
                               "what came back is no video"},
    [REASON_OUTPUT_TOO_SHORT] = {"output_too_short", OUTCOME_FAILED,
                                 "too few frames came back to measure"},
    [REASON_RUNNER_ERROR] = {"runner_error", OUTCOME_FAILED,
                             "its runner reported an error and ended"},
    [REASON_LIMIT_EXCEEDED] = {"limit_exceeded", OUTCOME_FAILED,
                               "it sent more, or slower, than any limit"},

    [REASON_ORCHESTRATOR_CAPPED] = {"orchestrator_capped", OUTCOME_BUSY,
                                    "it has all the sessions that it takes"},
    [REASON_INSUFFICIENT_CAPACITY] = {"insufficient_capacity", OUTCOME_BUSY,
                                      "no container of this model is idle"},

    [REASON_MODEL_NOT_OFFERED] = {"model_not_offered", OUTCOME_EXCUSED,
                                  "we asked for a model that it lacks"},
    [REASON_ADDRESS_FORBIDDEN] = {"address_forbidden", OUTCOME_EXCUSED,
                                  "we do not connect to addresses of its "
                                  "range unless allowed"},
    [REASON_SIGNATURE_REFUSED] = {"signature_refused", OUTCOME_EXCUSED,
                                  "it wants a signature that we did not "
                                  "give"},
    [REASON_NOT_AUTHORIZED] = {"not_authorized", OUTCOME_EXCUSED,
                               "it lets in only those it knows"},
    [REASON_CREDENTIALS_REFUSED] = {"credentials_refused", OUTCOME_EXCUSED,
                                    "our credentials for the job were wrong"},
    [REASON_INSUFFICIENT_SENDER_RESERVE] =
        {"insufficient_sender_reserve", OUTCOME_EXCUSED,
         "our deposit or reserve is too small for it"},
    [REASON_PAYMENT_NOT_CONFIGURED] = {"payment_not_configured",
                                       OUTCOME_EXCUSED,
                                       "it wants to be paid and we have no "
                                       "signer"},
    [REASON_PAYMENT_REFUSED] = {"payment_refused", OUTCOME_EXCUSED,
                                "it could not read our payment, or did not "
                                "accept it"},
    [REASON_TICKET_REFUSED] = {"ticket_refused", OUTCOME_EXCUSED,
                               "it did not accept our tickets"},
    [REASON_INSUFFICIENT_BALANCE] = {"insufficient_balance", OUTCOME_EXCUSED,
                                     "what we had paid did not cover the job"},
    [REASON_PRICE_ABOVE_LIMIT] = {"price_above_limit", OUTCOME_EXCUSED,
                                  "its price is above what our signer pays"},
    [REASON_SESSION_OUTDATED] = {"session_outdated", OUTCOME_EXCUSED,
                                 "its terms expired faster than we could "
                                 "use them"},
    [REASON_SIGNER_FAILED] = {"signer_failed", OUTCOME_EXCUSED,
                              "our signer did not sign"},
    [REASON_WEI_CEILING_RUN] = {"wei_ceiling_run", OUTCOME_EXCUSED,
                                "it would have cost more than one run may"},
    [REASON_WEI_CEILING_DAY] = {"wei_ceiling_day", OUTCOME_EXCUSED,
                                "it would have cost more than one day may"},
    [REASON_STOPPED] = {"stopped", OUTCOME_EXCUSED, "we were asked to stop"},

    [REASON_CONTROL_TARGETS_FAILED] = {"control_targets_failed",
                                       OUTCOME_VANTAGE_SUSPECT,
                                       "the control targets failed, too"},
    [REASON_FLEET_FAILED] = {"fleet_failed", OUTCOME_VANTAGE_SUSPECT,
                             "most orchestrators failed at that time"},
    [REASON_VANTAGE_UNREACHABLE] = {"vantage_unreachable",
                                    OUTCOME_VANTAGE_SUSPECT,
                                    "this machine has no network"},
    [REASON_VANTAGE_OVERLOADED] = {"vantage_overloaded",
                                   OUTCOME_VANTAGE_SUSPECT,
                                   "this machine was too busy to measure"},
    [REASON_VANTAGE_FAULT] = {"vantage_fault", OUTCOME_VANTAGE_SUSPECT,
                              "this machine lacked something to measure "
                              "with"},
};

const struct reason_entry *reason_entry(enum reason reason)
{
    return &reasons[reason];
}

bool reason_named(struct text name, enum reason *reason)
{
    for (size_t i = REASON_NONE + 1; i < REASON_COUNT; i++) {
        if (text_is(name, reasons[i].name)) {
            *reason = (enum reason)i;
            return true;
        }
    }
    return false;
}

/* ---- a run --------------------------------------------------------------- */

void run_conclude(struct run *run, enum reason reason)
{
    const struct reason_entry *entry = &reasons[reason];
    run->outcome = text_of(outcome_names[entry->outcome]);
    run->reason = (struct text){NULL, 0};
    if (reason != REASON_NONE)
        run->reason = text_of(entry->name);
}

void run_round(struct run *run)
{
    fields_round(run_fields, run);
}

void run_id_text(const uint8_t random[16], char id[37])
{
    uint8_t bytes[16];
    char hex[33];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = random[i];
    bytes[6] = (uint8_t)((bytes[6] & 0x0f) | 0x40);
    bytes[8] = (uint8_t)((bytes[8] & 0x3f) | 0x80);
    hash_hex(bytes, sizeof bytes, hex);
    snprintf(id, 37, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12,
             hex + 16, hex + 20);
}
