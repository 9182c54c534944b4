/*
 * scheduler.c: see scheduler.h.
 *
 * Everything of it lives on the loop's thread but starting and stopping. Work
 * for the store is handed to the writer and comes back as a post to the loop.
 */
#include "sched/scheduler.h"

#include "base/ca_bundle.h"
#include "base/clock.h"
#include "base/log.h"
#include "probe/probe.h"
#include "sched/control_targets.h"
#include "sched/driver.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SOURCES_MAX = 5 };

struct scheduler {
    struct arena arena;
    struct scheduler_settings settings;
    struct terms terms;
    struct address_policy policy;
    struct ca_bundle bundle;
    struct ethereum_key *key;
    struct discover_source sources[SOURCES_MAX];
    size_t source_count;
    struct prober *prober;
    struct discover_clients clients;
    struct discoverer *discoverer;
    struct control_targets *controls;
    struct surroundings surroundings;
    struct driver *driver;
    struct loop_timer timer;
    enum err err; /* of opening on the loop, with its sentence */
    char sentence[512];

    pthread_mutex_t mutex; /* of stopped */
    pthread_cond_t changed;
    bool stopped;
};

/* ---- surroundings -------------------------------------------------------- */

static struct instant now(void *context)
{
    (void)context;
    return (struct instant){clock_wall_ms(), clock_monotonic_us()};
}

static void wake_at(void *context, int64_t monotonic_us)
{
    struct scheduler *scheduler = context;
    loop_timer_at(&scheduler->timer, monotonic_us);
}

/* A piece of work on its way to the writer and back. */
struct store_errand {
    struct scheduler *scheduler;
    struct store_work *work;
    enum err err;
    char sentence[512];
};

static void come_back(void *context)
{
    struct store_errand *way = context;
    way->work->done(way->work, way->err, way->sentence);
    free(way);
}

/* On the writer's thread, as the next. */
static enum err run_work(void *context, struct store *store)
{
    struct store_errand *way = context;
    return way->work->run(way->work->context, store);
}

static void on_worked(void *context, enum err err, const char *sentence)
{
    struct store_errand *way = context;
    way->err = err;
    snprintf(way->sentence, sizeof way->sentence, "%s", sentence);
    loop_post(way->scheduler->settings.loop, come_back, way);
}

static void with_store(void *context, struct store_work *work)
{
    struct scheduler *scheduler = context;
    struct store_errand *way = memory_zeroed(1, sizeof *way);
    way->scheduler = scheduler;
    way->work = work;
    writer_post(scheduler->settings.writer, run_work, way, on_worked);
}

static void tell_found(void *context)
{
    struct scheduler *scheduler = context;
    struct discovery found = {0};
    for (size_t i = 0; i < scheduler->source_count; i++) {
        const char *problem = discoverer_problem(scheduler->discoverer, i);
        if (*problem)
            log_message(LOG_WARNING, "%.200s: %s", scheduler->sources[i].place,
                        problem);
    }
    discoverer_join(scheduler->discoverer, &found);
    driver_found(scheduler->driver, &found);
    discovery_free(&found);
}

/* Perhaps before discoverer_refresh has returned. */
static void on_found(void *context, struct discoverer *discoverer)
{
    struct scheduler *scheduler = context;
    (void)discoverer;
    loop_post(scheduler->settings.loop, tell_found, scheduler);
}

static void discover(void *context)
{
    struct scheduler *scheduler = context;
    discoverer_refresh(scheduler->discoverer, clock_monotonic_us(), on_found,
                       scheduler);
}

static void on_controls(void *context, const struct control_round *round)
{
    struct scheduler *scheduler = context;
    driver_controls(scheduler->driver, round);
}

static void ask_controls(void *context)
{
    struct scheduler *scheduler = context;
    control_targets_ask(scheduler->controls, on_controls, scheduler);
}

static struct probe *begin_probe(void *context,
                                 const struct probe_request *request)
{
    struct scheduler *scheduler = context;
    return probe_start(scheduler->prober, request);
}

static void stop_probe(void *context, struct probe *probe, enum reason reason)
{
    (void)context;
    probe_stop(probe, reason);
}

static void end_probe(void *context, struct probe *probe)
{
    (void)context;
    probe_enough(probe);
}

static void tick(void *context)
{
    struct scheduler *scheduler = context;
    driver_tick(scheduler->driver);
}

/* ---- what the configuration says ----------------------------------------- */

static enum err read_policy(struct arena *arena, const char *ranges,
                            struct address_policy *policy)
{
    enum err err = ERR_NONE;
    for (const char *at = ranges; !err && *at;) {
        size_t blank = strspn(at, " ");
        size_t length = strcspn(at, ",");
        if (length > blank)
            err = address_allow(policy,
                                arena_text(arena, at + blank, length - blank));
        at += length + (at[length] == ',');
    }
    return err ? err_wrap(err, "sched.allow_cidrs") : ERR_NONE;
}

static void read_sources(const struct config *config,
                         struct scheduler *scheduler)
{
    const struct discover_source all[SOURCES_MAX] = {
        {DISCOVER_LIST, config->discover_static},
        {DISCOVER_FILE, config->discover_file},
        {DISCOVER_WEBHOOK, config->discover_webhook_url},
        {DISCOVER_CAPABILITIES, config->discover_capabilities_url},
        {DISCOVER_ENDPOINT, config->discover_discovery_url}};
    for (size_t i = 0; i < SOURCES_MAX; i++)
        if (*all[i].place)
            scheduler->sources[scheduler->source_count++] = all[i];
}

static enum err read_config(struct scheduler *scheduler,
                            const struct config *config)
{
    const char *secret = config->ethereum_key_file.secret;
    enum err err = terms_read(&scheduler->arena, config, &scheduler->terms);
    read_sources(config, scheduler);
    if (!err && !scheduler->source_count)
        err = err_set(ERR_CONFIG, "sched.enabled needs orchestrators: set one "
                                  "of discover.*");
    if (!err)
        err = read_policy(&scheduler->arena, config->sched_allow_cidrs,
                          &scheduler->policy);
    if (!err && *secret)
        err = ethereum_key_parse(text_of(secret), &scheduler->key);
    if (!err)
        err = ca_bundle_load(&scheduler->arena, config->tls_ca_file,
                             &scheduler->bundle);
    return err;
}

static void drop(struct scheduler *scheduler)
{
    ethereum_key_free(scheduler->key);
    arena_free(&scheduler->arena);
    free(scheduler);
}

enum err scheduler_check(const struct config *config)
{
    struct scheduler *scheduler = memory_zeroed(1, sizeof *scheduler);
    enum err err = read_config(scheduler, config);
    drop(scheduler);
    return err;
}

/* ---- starting ------------------------------------------------------------ */

static enum err open_clients(struct scheduler *scheduler)
{
    struct http_settings settings = {.policy = &scheduler->policy,
                                     .ca_bundle = scheduler->bundle.pem};
    struct loop *loop = scheduler->settings.loop;
    enum err err =
        http_client_open(&scheduler->clients.verified, loop, &settings);
    settings.ca_bundle = (struct text){0};
    if (!err)
        err = http_client_open(&scheduler->clients.unverified, loop, &settings);
    if (!err)
        err = control_targets_open(&scheduler->controls,
                                   scheduler->clients.verified,
                                   scheduler->terms.control_targets);
    return err;
}

static void open_on_loop(void *context)
{
    struct scheduler *scheduler = context;
    scheduler->err = open_clients(scheduler);
    if (scheduler->err) {
        snprintf(scheduler->sentence, sizeof scheduler->sentence, "%s",
                 err_message());
        return;
    }
    scheduler->discoverer = discoverer_open(
        &scheduler->clients, scheduler->sources, scheduler->source_count);
    scheduler->surroundings =
        (struct surroundings){.context = scheduler,
                              .now = now,
                              .wake_at = wake_at,
                              .with_store = with_store,
                              .discover = discover,
                              .ask_controls = ask_controls,
                              .probe = begin_probe,
                              .stop = stop_probe,
                              .enough = end_probe};
    loop_timer_init(&scheduler->timer, scheduler->settings.loop, tick,
                    scheduler);
    scheduler->driver = driver_new(&scheduler->terms, &scheduler->surroundings);
    driver_tick(scheduler->driver);
}

static void close_on_loop(void *context)
{
    struct scheduler *scheduler = context;
    if (scheduler->driver)
        loop_timer_stop(&scheduler->timer);
    driver_free(scheduler->driver);
    control_targets_close(scheduler->controls);
    discoverer_close(scheduler->discoverer);
    http_client_close(scheduler->clients.verified);
    http_client_close(scheduler->clients.unverified);
}

static void free_all(struct scheduler *scheduler)
{
    loop_call(scheduler->settings.loop, close_on_loop, scheduler);
    prober_close(scheduler->prober);
    pthread_mutex_destroy(&scheduler->mutex);
    pthread_cond_destroy(&scheduler->changed);
    drop(scheduler);
}

static enum err open_prober(struct scheduler *scheduler)
{
    const struct config *config = scheduler->settings.config;
    const bool pays = *config->payment_signer_url != '\0';
    struct prober_settings settings = {
        .policy = &scheduler->policy,
        .key = scheduler->key,
        .signer_url = pays ? config->payment_signer_url : NULL,
        .signer_authorization =
            config->payment_signer_authorization_file.secret,
        .ca_bundle = scheduler->bundle.pem,
        .vantage = scheduler->terms.vantage};
    return prober_open(&scheduler->prober, scheduler->settings.loop, &settings);
}

enum err scheduler_start(struct scheduler **result,
                         const struct scheduler_settings *settings)
{
    struct scheduler *scheduler = memory_zeroed(1, sizeof *scheduler);
    scheduler->settings = *settings;
    pthread_mutex_init(&scheduler->mutex, NULL);
    pthread_cond_init(&scheduler->changed, NULL);
    enum err err = read_config(scheduler, settings->config);
    if (!err)
        err = open_prober(scheduler);
    if (!err) {
        loop_call(settings->loop, open_on_loop, scheduler);
        if (scheduler->err)
            err = err_set(scheduler->err, "%s", scheduler->sentence);
    }
    if (err)
        free_all(scheduler);
    else
        *result = scheduler;
    return err;
}

/* ---- stopping ------------------------------------------------------------ */

static void on_stopped(void *context)
{
    struct scheduler *scheduler = context;
    pthread_mutex_lock(&scheduler->mutex);
    scheduler->stopped = true;
    pthread_cond_signal(&scheduler->changed);
    pthread_mutex_unlock(&scheduler->mutex);
}

static void stop_on_loop(void *context)
{
    struct scheduler *scheduler = context;
    driver_stop(scheduler->driver, on_stopped, scheduler);
}

void scheduler_stop(struct scheduler *scheduler)
{
    if (!scheduler)
        return;
    loop_call(scheduler->settings.loop, stop_on_loop, scheduler);
    pthread_mutex_lock(&scheduler->mutex);
    while (!scheduler->stopped)
        pthread_cond_wait(&scheduler->changed, &scheduler->mutex);
    pthread_mutex_unlock(&scheduler->mutex);
    free_all(scheduler);
}
