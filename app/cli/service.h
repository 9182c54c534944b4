/*
 * service.h: a store with its writer, its server and, where the configuration
 * wants it, its scheduler, as `assay serve` runs one, and the sandbox network's
 * publisher another.
 */
#ifndef ASSAY_CLI_SERVICE_H
#define ASSAY_CLI_SERVICE_H

#include "api/api.h"
#include "ingest/ingest.h"
#include "rollup/rollup.h"
#include "sched/sched.h"
#include "store/store.h"
#include "wire/wire.h"

/* A row of the options of a command that serves. */
#define OPTION_LISTEN                                                          \
    {                                                                          \
        .name = "--listen", .value = "ADDR:PORT", .type = OPTION_CONFIG,       \
        .help = "where to listen (default 127.0.0.1:8080; port 0 takes a "     \
                "free one)",                                                   \
        .key = "listen"                                                        \
    }

/* Zeroed at first. */
struct service {
    struct writer *writer;
    struct api *api;
    struct settling *settling;
    struct loop *loop; /* null without a scheduler */
    struct scheduler *scheduler;
};

/* Serves STORE, which lies in DIRECTORY, as CONFIG says; all three must outlive
 * it. Where it fails, service_close is called all the same. */
MUST_USE enum err service_open(struct service *service,
                               const struct config *config,
                               const char *directory, struct store *store);

/* Measures by plans as CONFIG says, which must outlive it, from now on;
 * service_open does it by itself where sched.enabled is set. */
MUST_USE enum err service_measure(struct service *service,
                                  const struct config *config);

/* Ends what is being measured, in order. */
void service_rest(struct service *service);

/* Ends what is being measured, lets running requests finish, settles what
 * came. */
void service_close(struct service *service);

#endif
