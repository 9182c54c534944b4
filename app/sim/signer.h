/*
 * signer.h: a double of go-livepeer's remote signer (livepeer-protocols.md
 * §3.5): it holds a key, so that a probe can pay without one.
 *
 * It signs whatever it is asked to, within the protocol's rules: there is no
 * money behind it. Its state travels with its clients, signed by it.
 */
#ifndef ASSAY_SIM_SIGNER_H
#define ASSAY_SIM_SIGNER_H

#include "sim/network.h"

struct signer;

/* Any thread, as the next. The key follows from the network's seed. */
MUST_USE enum err signer_open(struct signer **signer, struct network *network,
                              const char *host);
/* Null is allowed. */
void signer_close(struct signer *signer);

/* "http://127.0.0.1:40007" */
const char *signer_url(const struct signer *signer);

#endif
