/*
 * whole.c: the whole pass, once over everything, in memory.
 *
 * The same steps as in settling, with one window that has no bounds, by any
 * lens. Nobody looks at it every day, so it is not kept: an export or a
 * question computes it. Memory grows with the number of sessions, about two
 * kilobytes each.
 */
#include "rollup/settle_int.h"

#include "base/clock.h"

#include <stdlib.h>
#include <string.h>

struct whole_work {
    struct store *store;
    struct arena *arena;
    const struct lens *lens;
    struct whole_pass *pass;
    struct hour_row *hours;
    size_t hour_count;
    size_t *hour_sessions; /* by hour: number of its session */
    struct gateway_hour_row *gateways;
    size_t gateway_count;
    size_t *gateway_sessions;
};

struct org_session {
    struct text org;
    struct text key;
};

struct session_list {
    struct org_session *list;
    size_t count;
};

static enum err read_sessions(struct whole_work *work, struct session_list *all)
{
    struct query *query = query_start(work->store, QUERY_SESSION_KEYS);
    bool row;
    enum err err;
    while (!(err = query_step(query, &row)) && row) {
        all->list =
            arena_grow(work->arena, all->list, all->count, sizeof *all->list);
        all->list[all->count++] =
            (struct org_session){query_copy(work->arena, query, 0),
                                 query_copy(work->arena, query, 1)};
    }
    return err;
}

static void keep_selections(struct whole_work *work, struct selection_row *rows,
                            size_t count)
{
    struct whole_pass *pass = work->pass;
    for (size_t i = 0; i < count; i++) {
        fields_copy(work->arena, selection_fields, &rows[i]);
        pass->selections =
            arena_grow(work->arena, pass->selections, pass->selection_count,
                       sizeof *pass->selections);
        pass->selections[pass->selection_count++] = rows[i];
    }
}

static enum err select_session(struct whole_work *work, struct arena *scratch,
                               const struct org_session *session)
{
    struct session_event *events;
    size_t event_count;
    enum err err = session_events(work->store, scratch, session->key, &events,
                                  &event_count);
    if (err)
        return err;
    events_dedup(scratch, work->lens, events, &event_count);
    size_t count;
    struct selection_row *rows = selections_build(
        scratch, session->org, session->key, 0, events, event_count, &count);
    keep_selections(work, rows, count);
    return ERR_NONE;
}

static enum err decide(struct whole_work *work, struct text org, size_t first)
{
    struct whole_pass *pass = work->pass;
    struct arena scratch = {0};
    struct capability_snapshot *snapshots;
    size_t count;
    enum err err = snapshots_between(work->store, &scratch, org, INT64_MIN,
                                     INT64_MAX, &snapshots, &count);
    if (!err) {
        struct capability_index *index = capability_index_build(
            &scratch, work->lens, org, snapshots, count,
            pass->selections + first, pass->selection_count - first);
        for (size_t i = first; i < pass->selection_count; i++) {
            attribute(&scratch, index, &pass->selections[i]);
            fields_copy(work->arena, selection_fields, &pass->selections[i]);
        }
        capability_index_free(index);
    }
    arena_free(&scratch);
    return err;
}

/* Before the session is kept: its number is the count so far. */
static void keep_gateways(struct whole_work *work,
                          const struct gateway_hour_row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        size_t at = work->gateway_count++;
        work->gateways =
            arena_grow(work->arena, work->gateways, at, sizeof *work->gateways);
        work->gateway_sessions = arena_grow(work->arena, work->gateway_sessions,
                                            at, sizeof *work->gateway_sessions);
        work->gateways[at] = rows[i];
        fields_copy(work->arena, gateway_hour_fields, &work->gateways[at]);
        work->gateway_sessions[at] = work->pass->session_count;
    }
}

static void keep_fold(struct whole_work *work, struct session_row *row,
                      struct hour_row *hours, size_t hour_count)
{
    struct whole_pass *pass = work->pass;
    fields_copy(work->arena, session_fields, row);
    pass->sessions = arena_grow(work->arena, pass->sessions,
                                pass->session_count, sizeof *pass->sessions);
    for (size_t i = 0; i < hour_count; i++) {
        fields_copy(work->arena, hour_fields, &hours[i]);
        work->hours = arena_grow(work->arena, work->hours, work->hour_count,
                                 sizeof *work->hours);
        work->hour_sessions =
            arena_grow(work->arena, work->hour_sessions, work->hour_count,
                       sizeof *work->hour_sessions);
        work->hour_sessions[work->hour_count] = pass->session_count;
        work->hours[work->hour_count++] = hours[i];
    }
    pass->sessions[pass->session_count++] = *row;
}

/* Folds one session; *AT is where its selections begin. */
static enum err fold_session(struct whole_work *work, struct arena *scratch,
                             const struct org_session *session, size_t *at)
{
    struct session_event *events;
    size_t event_count;
    enum err err = session_events(work->store, scratch, session->key, &events,
                                  &event_count);
    if (err)
        return err;
    events_dedup(scratch, work->lens, events, &event_count);
    struct whole_pass *all = work->pass;
    struct session_pass pass = {INT64_MIN, all->selections + *at, 0};
    while (*at < all->selection_count &&
           text_equal(all->selections[*at].session_key, session->key)) {
        pass.selection_count++;
        (*at)++;
    }
    struct session_row row;
    struct hour_row *hours;
    size_t hour_count;
    if (!session_fold(scratch, work->lens, session->org, session->key, events,
                      event_count, &pass, 1, &row, &hours, &hour_count))
        return ERR_NONE;
    size_t gateway_count;
    struct gateway_hour_row *gateways = gateway_hours_build(
        scratch, work->lens, &row, events, event_count, &gateway_count);
    keep_gateways(work, gateways, gateway_count);
    keep_fold(work, &row, hours, hour_count);
    return ERR_NONE;
}

static enum err select_org(struct whole_work *work,
                           const struct session_list *all, size_t first,
                           size_t end)
{
    struct arena scratch = {0};
    size_t before = work->pass->selection_count;
    enum err err = ERR_NONE;
    for (size_t i = first; !err && i < end; i++) {
        err = select_session(work, &scratch, &all->list[i]);
        arena_clear(&scratch);
    }
    arena_free(&scratch);
    return err ? err : decide(work, all->list[first].org, before);
}

static enum err fold_all(struct whole_work *work,
                         const struct session_list *all)
{
    struct arena scratch = {0};
    size_t at = 0;
    enum err err = ERR_NONE;
    for (size_t i = 0; !err && i < all->count; i++) {
        err = fold_session(work, &scratch, &all->list[i], &at);
        arena_clear(&scratch);
    }
    arena_free(&scratch);
    return err;
}

static int compare_sessions(const void *left, const void *right)
{
    const struct session_row *a = left;
    const struct session_row *b = right;
    return text_compare(a->session_key, b->session_key);
}

static int compare_selections(const void *left, const void *right)
{
    const struct selection_row *a = left;
    const struct selection_row *b = right;
    int order = text_compare(a->session_key, b->session_key);
    if (order)
        return order;
    if (a->selection_ts != b->selection_ts)
        return a->selection_ts < b->selection_ts ? -1 : 1;
    return text_compare(a->selection_event_id, b->selection_event_id);
}

static void build_hours(struct whole_work *work)
{
    struct whole_pass *pass = work->pass;
    struct session_hour *pairs =
        arena_array(work->arena, work->hour_count, sizeof *pairs);
    for (size_t i = 0; i < work->hour_count; i++)
        pairs[i] = (struct session_hour){
            &work->hours[i], &pass->sessions[work->hour_sessions[i]]};
    pass->sla = sla_build(work->arena, work->lens, pairs, work->hour_count,
                          &pass->sla_count);
    pass->gpus = gpu_metrics_build(work->arena, work->lens, pairs,
                                   work->hour_count, &pass->gpu_count);
}

static void build_demand(struct whole_work *work)
{
    struct whole_pass *pass = work->pass;
    size_t count = pass->session_count;
    struct demand_part *parts =
        arena_array(work->arena, count + work->gateway_count, sizeof *parts);
    for (size_t i = 0; i < count; i++)
        parts[i].session = &pass->sessions[i];
    for (size_t i = 0; i < work->gateway_count; i++)
        parts[count + i] = (struct demand_part){
            &pass->sessions[work->gateway_sessions[i]], &work->gateways[i]};
    pass->demand =
        demand_build(work->arena, work->lens, parts,
                     count + work->gateway_count, &pass->demand_count);
}

/* All days' benchmarks, then every row's score. Rows come sorted by time. */
static void score_all(struct whole_work *work)
{
    struct whole_pass *pass = work->pass;
    struct benchmark_list benchmarks = {0};
    for (size_t i = 0; i < pass->sla_count;) {
        int64_t day = clock_day_start(pass->sla[i].window_start);
        size_t first = i;
        while (i < pass->sla_count &&
               clock_day_start(pass->sla[i].window_start) == day)
            i++;
        sla_score(work->arena, work->lens, pass->sla + first, i - first,
                  benchmarks.rows, benchmarks.count);
        size_t count;
        struct benchmark_row *rows = benchmarks_build(
            work->arena, work->lens, day, pass->sla + first, i - first, &count);
        for (size_t j = 0; j < count; j++) {
            benchmarks.rows =
                arena_grow(work->arena, benchmarks.rows, benchmarks.count,
                           sizeof *benchmarks.rows);
            benchmarks.rows[benchmarks.count++] = rows[j];
        }
    }
}

enum err whole_compute(struct store *store, struct arena *arena,
                       const struct lens *lens, struct whole_pass *pass)
{
    *pass = (struct whole_pass){0};
    struct whole_work work = {
        .store = store, .arena = arena, .lens = lens, .pass = pass};
    struct session_list all = {0};
    enum err err = read_sessions(&work, &all);
    for (size_t i = 0; !err && i < all.count;) {
        size_t end = i;
        while (end < all.count &&
               text_equal(all.list[end].org, all.list[i].org))
            end++;
        err = select_org(&work, &all, i, end);
        i = end;
    }
    if (!err)
        err = fold_all(&work, &all);
    if (err)
        return err;
    build_hours(&work);
    build_demand(&work);
    score_all(&work);
    if (pass->session_count)
        qsort(pass->sessions, pass->session_count, sizeof *pass->sessions,
              compare_sessions);
    if (pass->selection_count)
        qsort(pass->selections, pass->selection_count, sizeof *pass->selections,
              compare_selections);
    return ERR_NONE;
}
