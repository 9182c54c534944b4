/*
 * asker.h: a loop with a client, and one exchange at a time that a test waits
 * for.
 */
#ifndef ASSAY_TESTS_ASKER_H
#define ASSAY_TESTS_ASKER_H

#include "base/buf.h"
#include "wire/wire.h"

#include <pthread.h>

struct asker {
    struct loop *loop;
    struct http_client *client;
    struct http_settings settings;
    struct address_policy policy;
    bool forbids_loopback; /* as the program does unless told */
    /* The exchange. .context and .on_done are the asker's. */
    struct http_request request;
    struct http_exchange *exchange;
    struct http_answer answer; /* its .body is null; see body */
    struct buf body;
    struct buf headers; /* "name=value\n" each */

    pthread_mutex_t mutex;
    pthread_cond_t changed;
    bool done;
};

void asker_open(struct asker *asker);
/* The client alone, where a server on the same loop outlives it. */
void asker_close_client(struct asker *asker);
void asker_close(struct asker *asker);

/* Starts the exchange; then waits until it is done. */
void asker_start(struct asker *asker);
const struct http_answer *asker_wait(struct asker *asker);
/* Both. */
const struct http_answer *asker_ask(struct asker *asker);

#endif
