/*
 * payment.h: how an on-chain orchestrator is paid (livepeer-protocols.md §3.2,
 * §8): the tickets it asks for, the tickets it gets, and what a job has left.
 *
 * There is no chain: rounds and blocks are made up, and no ticket ever wins.
 * Everything that a sender can get wrong is refused as go-livepeer does.
 */
#ifndef ASSAY_SIM_PAYMENT_H
#define ASSAY_SIM_PAYMENT_H

#include "sim/network.h"

/* What an orchestrator asks for now; parts in ARENA. */
const struct ticket_params *
payment_params(const struct orchestrator *orchestrator, struct arena *arena);

/* Expected value of one of its tickets, in wei. */
int64_t payment_ticket_wei(const struct orchestrator *orchestrator);

/* What came with a request. */
struct credentials {
    struct payment payment; /* empty where nothing was sent */
    struct segment_data segment;
};

/* Why a request is refused; status 0: it is not. */
struct refusal {
    int status;
    const char *sentence;
};

/*
 * Reads the two headers and judges them in go-livepeer's order: payment
 * readable (402), segment readable, signed and with a valid token (403),
 * tickets (400). *CREDIT_WEI is what the tickets are worth. Texts live in
 * ARENA.
 */
struct refusal payment_judge(struct orchestrator *orchestrator,
                             struct arena *arena,
                             const struct exchange *exchange,
                             struct credentials *credentials,
                             int64_t *credit_wei);

/* POST /payment: more for a job that runs. */
void payment_handle(struct orchestrator *orchestrator,
                    struct exchange *exchange);

void payment_forget(struct orchestrator *orchestrator);

#endif
