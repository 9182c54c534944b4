/*
 * service.h: a store with its writer and its server, as `assay serve` runs
 * one, and the sandbox network's publisher another.
 */
#ifndef ASSAY_CLI_SERVICE_H
#define ASSAY_CLI_SERVICE_H

#include "api/api.h"
#include "ingest/ingest.h"
#include "rollup/rollup.h"
#include "store/store.h"

/* Zeroed at first. */
struct service {
    struct writer *writer;
    struct api *api;
    struct settling *settling;
};

/* Serves STORE, which lies in DIRECTORY, as CONFIG says; all three must outlive
 * it. Where it fails, service_close is called all the same. */
MUST_USE enum err service_open(struct service *service,
                               const struct config *config,
                               const char *directory, struct store *store);

/* Lets running requests finish, settles what came. */
void service_close(struct service *service);

#endif
