/*
 * api.h: the HTTP server: the JSON routes under /v1/ and the page in web/.
 *
 * It reads only. Each of civetweb's workers owns one read-only connection to
 * the store, so the server may run beside the writer of its own process, and
 * it never waits for it.
 *
 * What a request may be is decided in one place (server.c: method, host,
 * lengths), what it may ask in one table (routes.c: path and parameters).
 */
#ifndef ASSAY_API_API_H
#define ASSAY_API_API_H

#include "base/err.h"
#include "config/config.h"

struct api;

/*
 * ERR_CONFIG where the address in CONFIG lies beyond loopback and is not
 * declared readable by everybody.
 */
MUST_USE enum err api_may_listen(const struct config *config);

/*
 * Listens at config->listen and serves the store in DIRECTORY, which must
 * exist, from threads of its own. CONFIG must outlive it. ERR_NETWORK where
 * the address cannot be had.
 */
MUST_USE enum err api_start(struct api **api, const struct config *config,
                            const char *directory);

/* "http://127.0.0.1:8080/", with the port that was really taken. */
const char *api_url(const struct api *api);

/* Takes no more requests, lets running ones finish, frees. */
void api_stop(struct api *api);

#endif
