/*
 * derive.c: settling as commands do it, see derive.h.
 */
#include "cli/derive.h"

#include "base/log.h"
#include "cli/stop.h"
#include "ingest/ingest.h"
#include "rollup/rollup.h"

#include <stdio.h>

struct deriving {
    struct progress *progress;
    int stops; /* asked for before settling began */
};

static enum err show_stage(void *context, const char *stage, uint64_t done)
{
    struct deriving *deriving = context;
    char what[64];
    snprintf(what, sizeof what, "settling %s", stage);
    progress_show(deriving->progress, what, 0, 0, done, "done");
    if (stop_count() > deriving->stops)
        return err_set(ERR_STOPPED,
                       "stopped while settling; what was read is kept, and "
                       "the next command goes on");
    return ERR_NONE;
}

const char *missing_facts(struct store *store, struct arena *arena)
{
    const char *missing = NULL;
    bool row = false;
    struct query *query = query_start(store, QUERY_REBUILD_WANTED_FIRST);
    while (!query_step(query, &row) && row)
        if (!query_is_null(query, 0))
            missing = query_copy(arena, query, 0).data;
    return missing;
}

static void warn_of_missing_facts(struct store *store)
{
    struct arena arena = {0};
    const char *missing = missing_facts(store, &arena);
    if (missing)
        log_message(LOG_WARNING,
                    "this store was filled by an older version; missing are "
                    "%s, until `assay rebuild` reads them again from the "
                    "evidence",
                    missing);
    arena_free(&arena);
}

static void warn_of_simulation(struct store *store)
{
    struct simulation simulation;
    bool is_one;
    if (!store_simulation(store, &simulation, &is_one) && is_one)
        log_message(LOG_WARNING,
                    "%s is of a demonstration: everything in it is simulated",
                    store_directory(store));
}

enum err derive(struct store *store, struct progress *progress)
{
    struct deriving deriving = {progress, stop_count()};
    warn_of_missing_facts(store);
    enum err err = settle(store, show_stage, &deriving);
    progress_end(progress);
    return err;
}

enum err derive_within(struct store *store, struct progress *progress)
{
    struct deriving deriving = {progress, stop_count()};
    enum err err = settle_within(store, show_stage, &deriving);
    progress_end(progress);
    return err;
}

/* Does what an interrupted import left, if nobody else holds the store. */
enum err keep_facts(struct store *store, struct text org, int64_t day)
{
    enum err err = ingest_warm(store, org, day);
    if (!err)
        err = requests_keep(store, org, day);
    return err ? err : sessions_warm(store, org, day);
}

static void settle_left_work(struct invocation *invocation)
{
    struct progress progress = progress_start(invocation);
    struct store *store;
    enum err err = store_open(&store, invocation->config->data, STORE_WRITE);
    if (!err) {
        err = derive(store, &progress);
        store_close(store);
    }
    if (err)
        log_message(LOG_WARNING,
                    "an import was interrupted or is running; rows may be "
                    "behind the evidence (%s)",
                    err_message());
}

enum err open_settled(struct invocation *invocation, struct store **store)
{
    const char *directory = invocation->config->data;
    bool pending;
    enum err err = store_open(store, directory, STORE_READ);
    if (err)
        return err;
    err = settle_pending(*store, &pending);
    if (!err && !pending) {
        warn_of_missing_facts(*store);
        warn_of_simulation(*store);
        return ERR_NONE;
    }
    store_close(*store);
    if (err)
        return err;
    settle_left_work(invocation);
    return store_open(store, directory, STORE_READ);
}
