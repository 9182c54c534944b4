/*
 * serve.c: `assay serve`: the page and the API, until it is told to stop.
 *
 * The writer's thread owns the writing connection, and with it the lock on the
 * data directory, for as long as the server runs; the API's workers have
 * their own connections for reading and hand it what they are sent. The signals
 * that end the server are blocked before any other thread exists and taken by
 * sigwait, so that stopping is ordinary code: let running requests finish,
 * settle what came, checkpoint, leave.
 */
#include "cli/derive.h"
#include "cli/service.h"
#include "cli/stop.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct option options[] = {OPTION_LISTEN, {0}};

static const struct example examples[] = {
    {"assay serve", "serve ./assay-data on http://127.0.0.1:8080/"},
    {"assay serve --data store --listen 127.0.0.1:0",
     "serve another store on any free port"},
    {0}};

/* For the person at the terminal, and for programs that started us and wait
 * for the address; therefore also with --quiet. */
static void say_where(const struct api *api, const char *directory)
{
    fprintf(stderr, "assay is listening on %s\nthe store is %s\n", api_url(api),
            directory);
    fflush(stderr);
}

static enum err serve_until_told(const struct config *config,
                                 const char *directory, struct store *store)
{
    struct service service = {0};
    stop_block();
    enum err err = service_open(&service, config, directory, store);
    if (!err) {
        say_where(service.api, directory);
        stop_wait();
    }
    service_close(&service);
    stop_unblock();
    return err;
}

static enum err run(struct invocation *invocation)
{
    const struct config *config = invocation->config;
    struct store *store;
    /* Before a store is made for a server that will not run. */
    enum err err = api_may_listen(config);
    if (!err && config->sched_enabled)
        err = scheduler_check(config);
    if (err)
        return err;
    err = store_open(&store, config->data, STORE_WRITE);
    if (err)
        return err;
    struct progress progress = progress_start(invocation);
    err = derive(store, &progress);
    if (err) {
        store_close(store);
        return err;
    }
    char *directory = realpath(config->data, NULL);
    err = serve_until_told(config, directory ? directory : config->data, store);
    free(directory);
    store_close(store);
    return err;
}

const struct command command_serve = {
    .name = "serve",
    .summary = "serve the page and the API of the store",
    .about =
        "Serves what is in the store: a page for people at /, and the same "
        "numbers as JSON under /v1/. Nothing is changed by reading, and "
        "nothing is fetched from anywhere else. POST /v1/ingest/events takes "
        "events of whoever has a token for it and answers when they are on "
        "the disk.\n\n"
        "It listens on this machine only, unless there is a token (assay "
        "token) or the configuration says public_read: true. While it runs it "
        "holds the store: import and "
        "rebuild refuse until it ends; export and evidence read beside it. "
        "With sched.enabled it measures the orchestrators of section discover, "
        "by plans that `assay plan` shows and checks. "
        "Ctrl-C or SIGTERM ends it in order.",
    .options = options,
    .examples = examples,
    .run = run,
};
