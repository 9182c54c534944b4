/*
 * settle_requests.c: jobs of one day out of the store, and request demand
 * brought up to date with them, a day of one organisation at a time.
 *
 * A job depends on more than its own hour: on when its request was received,
 * on workers, on snapshots, and, because a snapshot is loaded only if a job of
 * the day names it, on the other jobs of the day. So a day is made as a whole;
 * what is written is only what differs.
 */
#include "rollup/settle_int.h"

#include "base/clock.h"
#include "base/index.h"

#include <stdlib.h>
#include <string.h>

/* ---- facts of one pass --------------------------------------------------- */

struct gathering {
    struct store *store;
    struct arena *arena;
    const struct knowledge *known;
    struct job_facts *facts;
    struct text_index hours; /* read already, as text */
    struct text_index ids;   /* of batch requests of the pass */
    struct request_event *elsewhere;
    size_t elsewhere_count;
};

static int64_t before(int64_t ms, int64_t reach)
{
    return ms == INT64_MIN ? ms : ms - reach;
}

static int64_t after(int64_t ms, int64_t reach)
{
    return ms == INT64_MAX ? ms : ms + reach;
}

/* What HOUR holds of the pass's requests. */
static enum err gather_hour(struct gathering *gathering, int64_t hour)
{
    struct request_event *events;
    size_t count;
    enum err err = request_events_between(
        gathering->store, gathering->arena, gathering->facts->org, GROUP_JOBS,
        hour, hour + MS_PER_HOUR, &events, &count);
    if (!err)
        known_requests(gathering->known, events, &count);
    for (size_t i = 0; !err && i < count; i++) {
        if (events[i].kind > REQUEST_LLM ||
            text_index_find(&gathering->ids, events[i].request_id) < 0)
            continue;
        gathering->elsewhere =
            arena_grow(gathering->arena, gathering->elsewhere,
                       gathering->elsewhere_count, sizeof *events);
        gathering->elsewhere[gathering->elsewhere_count++] = events[i];
    }
    return err;
}

/* The hours outside of the pass in which request ID was heard of. */
static enum err find_hours(struct gathering *gathering, struct text id,
                           int64_t **hours, size_t *count)
{
    struct query *query =
        query_start(gathering->store, QUERY_REQUEST_INDEX_HOURS);
    query_bind_text(query, 1, gathering->facts->org);
    query_bind_int(query, 2, (int64_t)hash_fast(id.data, id.length));
    bool row;
    enum err err;
    while (!(err = query_step(query, &row)) && row) {
        int64_t hour = query_int(query, 0);
        bool added;
        if (hour >= gathering->facts->from_ms &&
            hour < gathering->facts->until_ms)
            continue;
        text_index_add(&gathering->hours,
                       (struct text){(const char *)&hour, sizeof hour}, &added);
        if (!added)
            continue;
        *hours = arena_grow(gathering->arena, *hours, *count, sizeof **hours);
        (*hours)[(*count)++] = hour;
    }
    return err;
}

static int compare_events(const void *left, const void *right)
{
    return request_event_compare(left, right);
}

/* Adds what came under the pass's request ids at other times. */
static enum err gather_elsewhere(struct gathering *gathering)
{
    struct job_facts *facts = gathering->facts;
    int64_t *hours = NULL;
    size_t hour_count = 0;
    enum err err = ERR_NONE;
    for (size_t i = 0; i < facts->event_count; i++)
        if (facts->events[i].kind == REQUEST_BATCH_COMPLETED &&
            facts->events[i].request_id.length)
            text_index_add(&gathering->ids, facts->events[i].request_id, NULL);
    for (size_t i = 0; !err && i < gathering->ids.count; i++)
        err =
            find_hours(gathering, gathering->ids.texts[i], &hours, &hour_count);
    for (size_t i = 0; !err && i < hour_count; i++)
        err = gather_hour(gathering, hours[i]);
    size_t more = gathering->elsewhere_count;
    if (err || !more)
        return err;
    struct request_event *all =
        arena_array(gathering->arena, facts->event_count + more, sizeof *all);
    memcpy(all, facts->events, facts->event_count * sizeof *all);
    memcpy(all + facts->event_count, gathering->elsewhere, more * sizeof *all);
    facts->events = all;
    facts->event_count += more;
    qsort(all, facts->event_count, sizeof *all, compare_events);
    return ERR_NONE;
}

static bool has_kind(const struct job_facts *facts, enum request_kind kind)
{
    for (size_t i = 0; i < facts->event_count; i++)
        if (facts->events[i].kind == kind)
            return true;
    return false;
}

static enum err gather_supply(struct gathering *gathering)
{
    struct job_facts *facts = gathering->facts;
    struct request_event *workers = NULL;
    struct capability_snapshot *snapshots;
    enum err err = ERR_NONE;
    if (has_kind(facts, REQUEST_COMPLETED))
        err = request_events_between(
            gathering->store, gathering->arena, facts->org, GROUP_WORKERS,
            before(facts->from_ms, WORKER_REACH_MS), facts->until_ms, &workers,
            &facts->worker_count);
    else if (!has_kind(facts, REQUEST_BATCH_COMPLETED))
        return ERR_NONE;
    if (err)
        return err;
    known_requests(gathering->known, workers, &facts->worker_count);
    facts->workers = workers;
    err = snapshots_between(gathering->store, gathering->arena, facts->org,
                            before(facts->from_ms, SNAPSHOT_BEFORE_MS),
                            after(facts->until_ms, SNAPSHOT_AFTER_MS),
                            &snapshots, &facts->snapshot_count);
    if (err)
        return err;
    known_snapshots(gathering->known, snapshots, &facts->snapshot_count);
    facts->snapshots = snapshots;
    return ERR_NONE;
}

static enum err gather(struct store *store, struct arena *arena,
                       const struct knowledge *known, struct job_facts *facts)
{
    struct gathering gathering = {
        .store = store, .arena = arena, .known = known, .facts = facts};
    struct request_event *events;
    enum err err = request_events_between(store, arena, facts->org, GROUP_JOBS,
                                          facts->from_ms, facts->until_ms,
                                          &events, &facts->event_count);
    if (!err)
        known_requests(known, events, &facts->event_count);
    facts->events = events;
    if (!err)
        err = gather_elsewhere(&gathering);
    if (!err)
        err = gather_supply(&gathering);
    text_index_free(&gathering.hours);
    text_index_free(&gathering.ids);
    return err;
}

enum err jobs_of_day(struct store *store, struct arena *arena,
                     const struct lens *lens, const struct knowledge *known,
                     struct text org, int64_t day, struct jobs *jobs)
{
    struct job_facts facts = {.lens = lens,
                              .org = org,
                              .from_ms = day,
                              .until_ms = day == INT64_MIN ? INT64_MAX
                                                           : day + MS_PER_DAY};
    *jobs = (struct jobs){0};
    enum err err = gather(store, arena, known, &facts);
    if (err)
        return err;
    jobs->batch = batch_jobs_build(arena, &facts, &jobs->batch_count);
    jobs->byoc = byoc_jobs_build(arena, &facts, &jobs->byoc_count);
    return ERR_NONE;
}

/* ---- request demand ------------------------------------------------------ */

struct demand_list {
    struct request_demand_row *rows;
    size_t count;
};

static void bind_day(struct query *query, struct text org, int64_t day)
{
    query_bind_int(query, 1, day);
    query_bind_int(query, 2, day + MS_PER_DAY);
    query_bind_text(query, 3, org);
}

static enum err read_demand(struct store *store, struct arena *arena,
                            struct text org, int64_t day,
                            struct demand_list *list)
{
    struct query *query = query_start(store, QUERY_REQUEST_DEMAND_OF_DAY);
    bind_day(query, org, day);
    bool row;
    enum err err;
    *list = (struct demand_list){0};
    while (!(err = query_step(query, &row)) && row) {
        list->rows =
            arena_grow(arena, list->rows, list->count, sizeof *list->rows);
        fields_read(arena, query, 0, request_demand_stored,
                    &list->rows[list->count++]);
    }
    return err;
}

static bool equal_demand(const struct demand_list *a,
                         const struct demand_list *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (!fields_equal(request_demand_stored, &a->rows[i], &b->rows[i]))
            return false;
    return true;
}

static enum err write_demand(struct store *store, struct text org, int64_t day,
                             const struct demand_list *list)
{
    struct query *query = query_start(store, QUERY_REQUEST_DEMAND_DELETE);
    bind_day(query, org, day);
    enum err err = query_run(query);
    for (size_t i = 0; !err && i < list->count; i++) {
        query = query_start(store, QUERY_REQUEST_DEMAND_PUT);
        fields_bind(query, 1, request_demand_stored, &list->rows[i]);
        err = query_run(query);
    }
    return err;
}

static enum err settle_day_of(struct store *store, struct arena *arena,
                              struct text org, int64_t day)
{
    struct jobs jobs;
    struct demand_list former;
    struct demand_list now;
    enum err err = jobs_of_day(store, arena, &lens_published, &knowledge_all,
                               org, day, &jobs);
    if (!err)
        err = read_demand(store, arena, org, day, &former);
    if (err)
        return err;
    now.rows = request_demand_build(arena, &jobs, &now.count);
    return equal_demand(&former, &now) ? ERR_NONE
                                       : write_demand(store, org, day, &now);
}

enum err settle_requests(struct store *store, struct text org, int64_t day)
{
    struct arena arena = {0};
    enum err err = settle_day_of(store, &arena, org, day);
    arena_free(&arena);
    if (err)
        return err;
    struct query *query = query_start(store, QUERY_DIRTY_REQUEST_CLEAR);
    query_bind_text(query, 1, org);
    query_bind_int(query, 2, day);
    return query_run(query);
}

/* ---- computed ------------------------------------------------------------ */

/* Bytes in memory for one of a stored event, rows included: measured, and
 * rounded up. */
enum { GROWTH = 32 };

/* Whether the jobs of ORG from FROM_MS on are few enough; a pass is read as a
 * whole, so that is asked before. */
static enum err has_room(struct store *store, const struct arena *arena,
                         const struct computation *computation, struct text org,
                         int64_t from_ms, int64_t until_ms)
{
    if (!computation->bytes_max)
        return ERR_NONE;
    struct query *query = query_start(store, QUERY_REQUEST_HOUR_BYTES);
    query_bind_text(query, 1, org);
    query_bind_int(query, 2, GROUP_JOBS);
    query_bind_int(query, 3, from_ms);
    query_bind_int(query, 4, until_ms);
    bool row;
    enum err err = query_step(query, &row);
    if (err)
        return err;
    uint64_t wanted = (uint64_t)query_int(query, 0) * GROWTH;
    err = query_run(query);
    if (!err && arena->used_bytes + wanted > computation->bytes_max)
        err =
            err_set(ERR_LARGE, "there are too many jobs for %lld MB of memory",
                    (long long)(computation->bytes_max >> 20));
    return err;
}

enum err jobs_computed(struct store *store, struct arena *arena,
                       const struct computation *computation, struct text org,
                       int64_t day, struct jobs *jobs)
{
    int64_t until_ms = day == INT64_MIN ? INT64_MAX : day + MS_PER_DAY;
    enum err err = has_room(store, arena, computation, org, day, until_ms);
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
    bool row;
    enum err err = query_step(query, &row);
    if (err)
        return err;
    *published = query_int(query, 0);
    return query_run(query);
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
