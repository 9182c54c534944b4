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
    struct row_array all;
    enum err err = fields_read_all(arena, query, request_demand_stored,
                                   sizeof *list->rows, &all);
    *list = (struct demand_list){all.rows, all.count};
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
