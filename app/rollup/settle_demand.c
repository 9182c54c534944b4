/*
 * settle_demand.c: demand rows of one (org, hour): of the sessions that
 * started in it, and of those with status events in it.
 *
 * There may be very many, so each is added up and forgotten.
 */
#include "rollup/demand.h"
#include "rollup/lens_rows.h"
#include "rollup/lens_tables.h"

#include "base/clock.h"

struct hour_demand {
    struct store *store;
    struct text org;
    int64_t hour;
    struct demand_sums sums[LENSES_KEPT];
    struct arena scratch; /* of one part */
};

/* *PART by lens assay, if it has it in the hour. */
static enum err add_to_assay(struct hour_demand *demand,
                             const struct demand_part *published)
{
    struct demand_part *parts;
    size_t count;
    if (!lens_demand_parts(&demand->scratch, published, 1, demand->hour, &parts,
                           &count))
        return damaged_difference(demand->org);
    for (size_t i = 0; i < count; i++)
        demand_sums_add(&demand->sums[KEPT_ASSAY], &demand->scratch, &parts[i]);
    return ERR_NONE;
}

/* Sessions that MOVED start in the hour by lens assay only. */
static enum err add_session(struct hour_demand *demand, struct text key,
                            const struct gateway_hour_row *hour, bool moved)
{
    struct session_row *session;
    enum err err =
        session_of_hour(demand->store, &demand->scratch, key, &session);
    if (err)
        return err;
    const struct demand_part part = {session, hour};
    if (!moved)
        demand_sums_add(&demand->sums[KEPT_PUBLISHED], &demand->scratch, &part);
    return add_to_assay(demand, &part);
}

/* The sessions whose keys QUERY gives. */
static enum err add_sessions(struct hour_demand *demand, struct query *query,
                             bool moved)
{
    bool row;
    enum err err = ERR_NONE;
    while (!err && !(err = query_step(query, &row)) && row) {
        struct text key = query_copy(&demand->scratch, query, 0);
        err = add_session(demand, key, NULL, moved);
        arena_clear(&demand->scratch);
    }
    return err;
}

static enum err add_started(struct hour_demand *demand)
{
    struct query *query =
        query_start(demand->store, QUERY_SESSION_STARTED_BETWEEN);
    query_bind_text(query, 1, demand->org);
    query_bind_int(query, 2, demand->hour);
    query_bind_int(query, 3, demand->hour + MS_PER_HOUR);
    return add_sessions(demand, query, false);
}

static enum err add_moved(struct hour_demand *demand)
{
    struct query *query =
        query_start(demand->store, QUERY_SESSION_ASSAY_STARTED);
    query_bind_text(query, 1, demand->org);
    query_bind_int(query, 2, demand->hour);
    return add_sessions(demand, query, true);
}

static enum err add_sampled(struct hour_demand *demand)
{
    struct query *query =
        query_start(demand->store, QUERY_GATEWAY_HOUR_OF_HOUR);
    query_bind_text(query, 1, demand->org);
    query_bind_int(query, 2, demand->hour);
    bool row;
    enum err err = ERR_NONE;
    while (!err && !(err = query_step(query, &row)) && row) {
        struct gateway_hour_row hour = {0};
        fields_read(&demand->scratch, query, 0, gateway_hour_fields, &hour);
        err = add_session(demand, hour.session_key, &hour, false);
        arena_clear(&demand->scratch);
    }
    return err;
}

static enum err write_rows(struct hour_demand *demand, struct arena *arena,
                           size_t lens)
{
    size_t count;
    struct demand_row *rows = demand_sums_end(&demand->sums[lens], &count);
    return hour_rows_replace(demand->store, arena, &lens_tables[lens].demand,
                             demand->hour, demand->org, rows, count);
}

enum err settle_demand(struct store *store, struct arena *arena,
                       struct text org, int64_t hour)
{
    struct hour_demand demand = {.store = store, .org = org, .hour = hour};
    for (size_t i = 0; i < LENSES_KEPT; i++)
        demand.sums[i] = demand_sums_of(arena, lens_tables[i].lens);
    enum err err = add_started(&demand);
    if (!err)
        err = add_sampled(&demand);
    if (!err)
        err = add_moved(&demand);
    for (size_t i = 0; !err && i < LENSES_KEPT; i++)
        err = write_rows(&demand, arena, i);
    for (size_t i = 0; i < LENSES_KEPT; i++)
        demand_sums_free(&demand.sums[i]);
    arena_free(&demand.scratch);
    return err;
}
