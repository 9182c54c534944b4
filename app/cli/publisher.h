/*
 * publisher.h: the sandbox network's publisher: whoever computes scores from
 * what gateways report, and publishes them.
 *
 * It is a second assay, on a store of its own that lasts as long as it runs:
 * its arithmetic is the published one, and honest. What it publishes is
 * flattered only because what it is told is. Its routes are those of the
 * published API, under its URL: URL/v1/streaming/sla.
 */
#ifndef ASSAY_CLI_PUBLISHER_H
#define ASSAY_CLI_PUBLISHER_H

#include "base/err.h"
#include "store/store.h"

struct publisher;

/* On a free port of HOST; SIMULATION is what its store says of itself.
 * ERR_STORE where there is no room for its store in
 * TMPDIR, ERR_NETWORK where there is no port. */
MUST_USE enum err publisher_start(struct publisher **publisher,
                                  const char *host,
                                  const struct simulation *simulation);
/* Its store goes with it. Null is allowed. */
void publisher_stop(struct publisher *publisher);

/* "http://127.0.0.1:40010/compat": where the published paths begin. */
const char *publisher_url(const struct publisher *publisher);
/* Where it takes events, and by what token. */
const char *publisher_events_url(const struct publisher *publisher);
const char *publisher_token(const struct publisher *publisher);

#endif
