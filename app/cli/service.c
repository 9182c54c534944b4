/*
 * service.c: see service.h.
 */
#include "cli/service.h"

#include "cli/derive.h"

#include <signal.h>

static enum err settle_some(void *context, struct store *store, bool *more)
{
    return settle_step(context, store, more);
}

enum err service_measure(struct service *service, const struct config *config)
{
    enum err err = loop_start(&service->loop);
    const struct scheduler_settings settings = {
        .config = config, .loop = service->loop, .writer = service->writer};
    return err ? err : scheduler_start(&service->scheduler, &settings);
}

static void give_back(void *context)
{
    settling_give_back(context);
}

enum err service_open(struct service *service, const struct config *config,
                      const char *directory, struct store *store)
{
    service->settling = settling_new();
    const struct writer_settings settings = {
        .settle = settle_some,
        .give_back = give_back,
        .settle_context = service->settling,
        .limits = {config->evidence_keep_accepted_days,
                   config->evidence_keep_ignored_days,
                   config->evidence_keep_rejected_days,
                   config->evidence_max_bytes, keep_facts},
    };
    /* A file at its limit is a full disk: told to the sender, not fatal. */
    signal(SIGXFSZ, SIG_IGN);
    memory_be_frugal();
    enum err err = writer_start(&service->writer, store, &settings);
    if (!err)
        err = api_start(&service->api, config, directory, service->writer);
    if (!err && config->sched_enabled)
        err = service_measure(service, config);
    return err;
}

void service_rest(struct service *service)
{
    scheduler_stop(service->scheduler);
    loop_stop(service->loop);
    service->scheduler = NULL;
    service->loop = NULL;
}

void service_close(struct service *service)
{
    service_rest(service);
    if (service->api)
        api_stop(service->api);
    if (service->writer)
        writer_stop(service->writer);
    settling_free(service->settling);
    *service = (struct service){0};
}
