/*
 * request_rows.c: jobs and request demand for who asks: computed by any lens,
 * pass and knowledge, or row by row out of the table.
 */
#include "rollup/settle_int.h"

#include "base/clock.h"

/* ---- computed ------------------------------------------------------------ */

/* Bytes in memory for one of a stored event, rows included: measured, and
 * rounded up. */
enum { GROWTH = 32 };

/* Events are read as a whole, so that this is asked before. */
enum err request_events_fit(struct store *store, const struct arena *arena,
                            struct text org, enum request_group group,
                            int64_t from_ms, int64_t until_ms, size_t bytes_max)
{
    if (!bytes_max)
        return ERR_NONE;
    struct query *query = query_start(store, QUERY_REQUEST_HOUR_BYTES);
    query_bind_text(query, 1, org);
    query_bind_int(query, 2, (int64_t)group);
    query_bind_int(query, 3,
                   from_ms == INT64_MIN ? from_ms : clock_hour_start(from_ms));
    query_bind_int(query, 4, until_ms);
    bool row;
    enum err err = query_step(query, &row);
    if (err)
        return err;
    uint64_t wanted = (uint64_t)query_int(query, 0) * GROWTH;
    err = query_run(query);
    if (!err && arena->used_bytes + wanted > bytes_max)
        err = err_set(ERR_LARGE,
                      "there are too many jobs, workers or payments of one "
                      "time for %lld MB of memory (serve.compute_bytes)",
                      (long long)(bytes_max >> 20));
    return err;
}

enum err jobs_computed(struct store *store, struct arena *arena,
                       const struct computation *computation, struct text org,
                       int64_t day, struct jobs *jobs)
{
    int64_t until_ms = day == INT64_MIN ? INT64_MAX : day + MS_PER_DAY;
    enum err err = request_events_fit(store, arena, org, GROUP_JOBS, day,
                                      until_ms, computation->bytes_max);
    if (err)
        return err;
    return jobs_of_day(store, arena, computation->lens, &computation->known,
                       org, day, jobs);
}

static enum err add_jobs(struct store *store, struct arena *arena,
                         const struct computation *computation, struct text org,
                         int64_t day, struct jobs *all)
{
    struct jobs jobs;
    enum err err = jobs_computed(store, arena, computation, org, day, &jobs);
    for (size_t i = 0; !err && i < jobs.batch_count; i++) {
        all->batch =
            arena_grow(arena, all->batch, all->batch_count, sizeof *all->batch);
        all->batch[all->batch_count++] = jobs.batch[i];
    }
    for (size_t i = 0; !err && i < jobs.byoc_count; i++) {
        all->byoc =
            arena_grow(arena, all->byoc, all->byoc_count, sizeof *all->byoc);
        all->byoc[all->byoc_count++] = jobs.byoc[i];
    }
    return err;
}

static enum err add_jobs_of_org(struct store *store, struct arena *arena,
                                const struct computation *computation,
                                struct text org, struct jobs *all)
{
    if (computation->pass == PASS_WHOLE)
        return add_jobs(store, arena, computation, org, INT64_MIN, all);
    int64_t *days;
    size_t count;
    enum err err =
        request_days(store, arena, GROUP_JOBS, org, computation->from_day,
                     computation->until_day, &days, &count);
    for (size_t i = 0; !err && i < count; i++)
        err = add_jobs(store, arena, computation, org, days[i], all);
    return err;
}

/* The one place that knows which hours the publisher shows (§3.8). */
static enum err is_published(struct store *store, int64_t hour,
                             int64_t *published)
{
    struct query *query = query_start(store, QUERY_REQUEST_HOUR_PUBLISHED);
    query_bind_int(query, 1, hour);
    query_bind_int(query, 2, pack_number(hour, PACKS_OF_HOUR - 1));
    query_bind_int(query, 3, pack_number(hour, 0));
    bool found;
    return query_first_int(query, published, &found);
}

enum err request_demand_computed(struct store *store, struct arena *arena,
                                 const struct computation *computation,
                                 struct request_demand_row **rows,
                                 size_t *count)
{
    struct text *orgs;
    size_t org_count;
    struct jobs all = {0};
    enum err err = request_orgs(store, arena, GROUP_JOBS, (struct text){0},
                                &orgs, &org_count);
    for (size_t i = 0; !err && i < org_count; i++)
        err = add_jobs_of_org(store, arena, computation, orgs[i], &all);
    if (err)
        return err;
    *rows = request_demand_build(arena, &all, count);
    for (size_t i = 0; !err && i < *count; i++) {
        struct request_demand_row *row = &(*rows)[i];
        if (i && row[-1].window_start == row->window_start)
            row->published = row[-1].published;
        else
            err = is_published(store, row->window_start, &row->published);
    }
    return err;
}

enum err request_demand_each(struct store *store, int64_t from_ms,
                             int64_t until_ms, request_demand_visit *visit,
                             void *context)
{
    struct query *query = query_start(store, QUERY_REQUEST_DEMAND_BETWEEN);
    query_bind_int(query, 1, from_ms);
    query_bind_int(query, 2, until_ms);
    int64_t hour = INT64_MIN;
    int64_t published = 0;
    bool more;
    enum err err;
    while (!(err = query_step(query, &more)) && more) {
        struct request_demand_row row = {0};
        fields_borrow(query, request_demand_stored, &row);
        if (row.window_start != hour)
            err = is_published(store, row.window_start, &published);
        hour = row.window_start;
        row.published = published;
        if (!err)
            err = visit(context, &row);
        if (err)
            return err;
    }
    return err;
}
