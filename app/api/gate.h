/*
 * gate.h: who may ask what. Private to the API.
 *
 * One function judges every request, before any handler or file is looked at,
 * from facts alone, so that it is tested as a table.
 */
#ifndef ASSAY_API_GATE_H
#define ASSAY_API_GATE_H

#include "api/api.h"

/* A request as the gate sees it. Headers are null where they are absent. */
struct visit {
    const char *method; /* "GET" also for HEAD */
    const char *host;
    const char *origin;
    const char *fetch_site;    /* Sec-Fetch-Site */
    bool encrypted;            /* came by TLS */
    bool claims;               /* has an Authorization header */
    const struct token *token; /* null where that holds no good token */
};

struct judgement {
    int status; /* 0 lets it pass */
    const char *detail;
};

/* The name by which it was called: before anything else is looked at. */
struct judgement gate_host(const struct config *config,
                           const struct visit *visit);

/* Whether a request that passed gate_host may have what needs SCOPE. */
struct judgement gate_judge(const struct config *config,
                            const struct visit *visit, enum scope scope);

/* Whether pages of any origin may read the answer, a refusal included: what
 * everybody may read, asked for without a credential. */
bool gate_is_public(const struct config *config, const struct visit *visit,
                    enum scope scope);

/* ---- limits ---------------------------------------------------------- */

/* A bucket an address: RATE tokens a second drop in, at most BURST; a taker
 * that finds it empty is told no. Any thread may ask. */
struct limiter;
struct limiter *limiter_new(double rate, double burst);
void limiter_free(struct limiter *limiter);
/* COST 0 only asks whether a token is left. */
bool limiter_take(struct limiter *limiter, const char *address, double cost,
                  int64_t now_us);

bool address_is_loopback(const char *address);

#endif
