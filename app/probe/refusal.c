/*
 * refusal.c: the tables of refusal.h (livepeer-protocols.md §2.1 and §3.1).
 * The first line that fits counts, so that the more telling ones stand first.
 */
#include "probe/refusal.h"

#include "livepeer/livepeer.h"
#include "wire/wire.h"

struct line {
    int status;             /* 0 fits any */
    const char *lower_part; /* of the text, in small letters; "" fits any */
    enum reason reason;
};

static const struct line calls[] = {
    {GRPC_DEADLINE_EXCEEDED, "", REASON_CALL_TIMEOUT},
    {0, "sig check failed", REASON_SIGNATURE_REFUSED},
    {0, "orchestratorcapped", REASON_ORCHESTRATOR_CAPPED},
    {0, "insufficient sender reserve", REASON_INSUFFICIENT_SENDER_RESERVE},
    {0, "authentication failed", REASON_NOT_AUTHORIZED},
    {0, "", REASON_CALL_REFUSED},
};

static const struct line jobs[] = {
    {503, "", REASON_INSUFFICIENT_CAPACITY},
    {401, "", REASON_NOT_AUTHORIZED},
    {402, "", REASON_PAYMENT_REFUSED},
    {403, "orchestratorcapped", REASON_ORCHESTRATOR_CAPPED},
    {403, "incompatible capabilities", REASON_MODEL_NOT_OFFERED},
    {403, "expired auth token", REASON_SESSION_OUTDATED},
    {403, "invalid auth token", REASON_AUTH_TOKEN_REFUSED},
    {403, "", REASON_CREDENTIALS_REFUSED},
    {400, "insufficient balance", REASON_INSUFFICIENT_BALANCE},
    {400, "insufficient sender reserve", REASON_INSUFFICIENT_SENDER_RESERVE},
    {400, "expired", REASON_SESSION_OUTDATED},
    {400, "ticket", REASON_TICKET_REFUSED},
    {400, "payment", REASON_PAYMENT_REFUSED},
    {400, "", REASON_START_REFUSED},
    {500, "insufficient capacity", REASON_INSUFFICIENT_CAPACITY},
    {500, "", REASON_RUNNER_START_FAILED},
    {0, "", REASON_UNEXPECTED_STATUS},
};

static enum reason reason_of(const struct line *lines, int status,
                             struct text text)
{
    while ((lines->status && lines->status != status) ||
           !text_contains_ignoring_case(text, lines->lower_part))
        lines++;
    return lines->reason;
}

enum reason call_refusal(int status, struct text message)
{
    return reason_of(calls, status, message);
}

enum reason job_refusal(int status, struct text body)
{
    return reason_of(jobs, status, body);
}
