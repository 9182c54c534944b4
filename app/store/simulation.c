/*
 * simulation.c: the mark of a store whose network does not exist, see store.h.
 *
 * It is a row of its own and no member of the evidence: lines of a sandbox are
 * the same bytes as real ones, that is their use. What reads a store asks for
 * the mark once and says so wherever it shows a figure.
 */
#include "store/store.h"

enum err store_simulation(struct store *store, struct simulation *simulation,
                          bool *is_one)
{
    struct query *query = query_start(store, QUERY_SIMULATION);
    *simulation = (struct simulation){0};
    enum err err = query_step(query, is_one);
    if (err || !*is_one)
        return err;
    *simulation = (struct simulation){.seed = query_int(query, 0),
                                      .honest = query_int(query, 1) != 0,
                                      .began_at = query_int(query, 2),
                                      .hour_ms = query_int(query, 3)};
    return query_run(query);
}

static enum err check_empty(struct store *store)
{
    struct query *query = query_start(store, QUERY_SIMULATION_FORBIDDEN);
    bool row;
    enum err err = query_step(query, &row);
    if (err)
        return err;
    bool is_used = query_int(query, 0) != 0;
    err = query_run(query);
    if (!err && is_used)
        err = err_set(ERR_USAGE,
                      "%s holds evidence already; a demonstration never mixes "
                      "with anything: name a new directory",
                      store_directory(store));
    return err;
}

static enum err mark(struct store *store, const struct simulation *simulation)
{
    struct query *query = query_start(store, QUERY_SIMULATION_SET);
    query_bind_int(query, 1, simulation->seed);
    query_bind_int(query, 2, simulation->honest);
    query_bind_int(query, 3, simulation->began_at);
    query_bind_int(query, 4, simulation->hour_ms);
    return query_run(query);
}

enum err store_simulate(struct store *store,
                        const struct simulation *simulation)
{
    enum err err = check_empty(store);
    if (!err)
        err = store_begin(store);
    if (err)
        return err;
    err = mark(store, simulation);
    if (err) {
        store_rollback(store);
        return err;
    }
    return store_commit(store);
}

enum err store_refuse_simulation(struct store *store, const char *what)
{
    struct simulation simulation;
    bool is_one;
    enum err err = store_simulation(store, &simulation, &is_one);
    if (!err && is_one)
        err = err_set(ERR_USAGE,
                      "%s holds a demonstration's simulated data, which %s "
                      "would mix with real ones; name another directory",
                      store_directory(store), what);
    return err;
}

enum err store_simulation_clock(struct store *store, int64_t otherwise_ms,
                                int64_t *ms)
{
    struct query *query = query_start(store, QUERY_SIMULATION_CLOCK);
    bool found;
    *ms = otherwise_ms;
    return query_first_int(query, ms, &found);
}
