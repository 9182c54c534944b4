/*
 * publisher.c: see publisher.h.
 */
#include "cli/publisher.h"
#include "cli/service.h"
#include "cli/temporary.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { URL_BYTES = 200 };

/* Its events' organisation, which its rows carry. */
static const char org[] = "sandbox";

struct publisher {
    struct config config;
    char directory[TEMPORARY_PATH_BYTES];
    struct store *store;
    struct service service;
    char token[TOKEN_TEXT_BYTES];
    char url[URL_BYTES];
    char events_url[URL_BYTES];
};

static enum err make_config(struct publisher *publisher, const char *host)
{
    char yaml[TEMPORARY_PATH_BYTES + 200];
    int length = snprintf(yaml, sizeof yaml,
                          strchr(host, ':') ? "data: '%s'\nlisten: '[%s]:0'\n"
                                              "public_read: true\n"
                                            : "data: '%s'\nlisten: '%s:0'\n"
                                              "public_read: true\n",
                          publisher->directory, host);
    return config_load_bytes(&publisher->config, "publisher", yaml,
                             (size_t)length);
}

static enum err open_store(struct publisher *publisher,
                           const struct simulation *simulation)
{
    struct token token;
    enum err err =
        store_open(&publisher->store, publisher->directory, STORE_WRITE);
    if (!err)
        err = store_simulate(publisher->store, simulation);
    if (!err)
        err = token_create(publisher->store, SCOPE_INGEST, text_of(org), &token,
                           publisher->token);
    return err;
}

static void set_urls(struct publisher *publisher)
{
    const char *root = api_url(publisher->service.api);
    int length = (int)strlen(root) - 1; /* without its last slash */
    snprintf(publisher->url, sizeof publisher->url, "%.*s/compat", length,
             root);
    snprintf(publisher->events_url, sizeof publisher->events_url, "%.*s",
             length, root);
}

enum err publisher_start(struct publisher **result, const char *host,
                         const struct simulation *simulation)
{
    struct publisher *publisher = memory_zeroed(1, sizeof *publisher);
    enum err err = temporary_make("publisher", publisher->directory);
    if (!err)
        err = make_config(publisher, host);
    if (!err)
        err = open_store(publisher, simulation);
    if (!err)
        err = service_open(&publisher->service, &publisher->config,
                           publisher->directory, publisher->store);
    if (err) {
        publisher_stop(publisher);
        return err;
    }
    set_urls(publisher);
    *result = publisher;
    return ERR_NONE;
}

void publisher_stop(struct publisher *publisher)
{
    if (!publisher)
        return;
    service_close(&publisher->service);
    if (publisher->store)
        store_close(publisher->store);
    temporary_remove(publisher->directory);
    config_free(&publisher->config);
    free(publisher);
}

const char *publisher_url(const struct publisher *publisher)
{
    return publisher->url;
}

const char *publisher_events_url(const struct publisher *publisher)
{
    return publisher->events_url;
}

const char *publisher_token(const struct publisher *publisher)
{
    return publisher->token;
}
