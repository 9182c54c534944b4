/*
 * The errors that orchestrators answer with, and whose fault they are.
 */
#include "probe/refusal.h"

#include "harness.h"

TEST(status_and_text_of_a_refused_call_decide)
{
    static const struct {
        int status;
        const char *message;
        const char *reason;
        enum outcome outcome;
    } rows[] = {
        {2, "Invalid orchestrator request: orchestrator req sig check failed",
         "signature_refused", OUTCOME_EXCUSED},
        {2, "Invalid orchestrator request: OrchestratorCapped",
         "orchestrator_capped", OUTCOME_BUSY},
        {2, "insufficient sender reserve", "insufficient_sender_reserve",
         OUTCOME_EXCUSED},
        {2, "authentication failed: forbidden", "not_authorized",
         OUTCOME_EXCUSED},
        {2, "something else", "call_refused", OUTCOME_FAILED},
        {2, "", "call_refused", OUTCOME_FAILED},
        {4, "Deadline Exceeded", "call_timeout", OUTCOME_FAILED},
    };
    EACH_ROW (row, rows) {
        const struct reason_entry *entry =
            reason_entry(call_refusal(row->status, text_of(row->message)));
        CHECK_EQ_TEXT(entry->name, row->reason);
        CHECK_EQ_INT(entry->outcome, row->outcome);
    }
}

TEST(status_and_text_of_a_refused_job_decide)
{
    static const struct {
        int status;
        const char *body;
        const char *reason;
        enum outcome outcome;
    } rows[] = {
        {503, "insufficient capacity\n", "insufficient_capacity", OUTCOME_BUSY},
        {503, "", "insufficient_capacity", OUTCOME_BUSY},
        {402, "invalid payment", "payment_refused", OUTCOME_EXCUSED},
        {403, "ErrorSegEncoding", "credentials_refused", OUTCOME_EXCUSED},
        {403, "ErrSegSig", "credentials_refused", OUTCOME_EXCUSED},
        {403, "missing auth token", "credentials_refused", OUTCOME_EXCUSED},
        {403, "invalid duration", "credentials_refused", OUTCOME_EXCUSED},
        {403, "incompatible capabilities", "model_not_offered",
         OUTCOME_EXCUSED},
        {403, "invalid auth token", "auth_token_refused", OUTCOME_FAILED},
        {403, "expired auth token", "session_outdated", OUTCOME_EXCUSED},
        {403, "OrchestratorCapped", "orchestrator_capped", OUTCOME_BUSY},
        {400, "Insufficient balance", "insufficient_balance", OUTCOME_EXCUSED},
        {400, "TicketParams expired", "session_outdated", OUTCOME_EXCUSED},
        {400, "invalid ticket senderNonce: 1", "ticket_refused",
         OUTCOME_EXCUSED},
        {400, "unexpected end of JSON input", "start_refused", OUTCOME_FAILED},
        {401, "", "not_authorized", OUTCOME_EXCUSED},
        {500, "runner did not start", "runner_start_failed", OUTCOME_FAILED},
        {404, "404 page not found", "unexpected_status", OUTCOME_FAILED},
        {302, "", "unexpected_status", OUTCOME_FAILED},
        {599, "", "unexpected_status", OUTCOME_FAILED},
    };
    EACH_ROW (row, rows) {
        const struct reason_entry *entry =
            reason_entry(job_refusal(row->status, text_of(row->body)));
        CHECK_EQ_TEXT(entry->name, row->reason);
        CHECK_EQ_INT(entry->outcome, row->outcome);
    }
}
