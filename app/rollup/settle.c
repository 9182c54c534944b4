/*
 * settle.c: derived tables brought up to date, touching only what changed.
 *
 * Ingest notes in dirty tables what new evidence may have changed. Settling
 * works the notes off in four stages, each unit in a transaction of its own
 * that also clears its note, so that it can be interrupted anywhere and goes
 * on with the next call:
 *
 *   days        selections and decisions of one (org, day), and the sessions
 *               and session-hours that follow from them (settle_day.c)
 *   hours       SLA rows of hours whose sessions changed (settle_hours.c)
 *   benchmarks  of days whose SLA rows changed
 *   scores      of those days, and of the seven after a changed benchmark
 *
 * A unit is computed from facts alone, never from what was derived before, so
 * the result depends neither on how often nor in which order settling ran.
 */
#include "rollup/settle_int.h"

#include "base/clock.h"

struct unit {
    struct text org;
    int64_t day;
    bool benchmarks;
};

struct unit_list {
    struct unit *list;
    size_t count;
};

struct progress {
    void (*report)(void *context, const char *stage, uint64_t done,
                   uint64_t all);
    void *context;
};

static void report(const struct progress *progress, const char *stage,
                   size_t done, size_t all)
{
    if (progress->report)
        progress->report(progress->context, stage, done, all);
}

/* Ends a unit's transaction as ERR says. */
static enum err finish(struct store *store, enum err err)
{
    if (err) {
        store_rollback(store);
        return err;
    }
    return store_commit(store);
}

static enum err dirty_org_days(struct store *store, struct arena *arena,
                               struct unit_list *units)
{
    struct query *query = query_start(store, QUERY_DIRTY_SESSION_DAYS);
    bool row;
    enum err err;
    while (!(err = query_step(query, &row)) && row) {
        units->list =
            arena_grow(arena, units->list, units->count, sizeof *units->list);
        units->list[units->count++] = (struct unit){
            .org = query_copy(arena, query, 0), .day = query_int(query, 1)};
    }
    return err;
}

static enum err settle_days(struct store *store,
                            const struct progress *progress)
{
    struct arena arena = {0};
    struct unit_list units = {0};
    enum err err = dirty_org_days(store, &arena, &units);
    for (size_t i = 0; !err && i < units.count; i++) {
        report(progress, "sessions", i, units.count);
        err = store_begin(store);
        if (!err)
            err = finish(
                store, settle_day(store, units.list[i].org, units.list[i].day));
    }
    arena_free(&arena);
    return err;
}

/* The day of the first noted hour; false where none is left. */
static enum err first_dirty_hour(struct store *store, int64_t *day, bool *found)
{
    struct query *query = query_start(store, QUERY_DIRTY_HOUR_FIRST_DAY);
    bool row;
    enum err err = query_step(query, &row);
    *found = false;
    if (err || !row)
        return err;
    *found = !query_is_null(query, 0);
    *day = clock_day_start(query_int(query, 0));
    return query_run(query);
}

static enum err settle_all_hours(struct store *store,
                                 const struct progress *progress)
{
    bool found = true;
    int64_t day = 0;
    size_t done = 0;
    enum err err = ERR_NONE;
    while (!err) {
        err = first_dirty_hour(store, &day, &found);
        if (err || !found)
            break;
        report(progress, "hours", done++, 0);
        err = store_begin(store);
        if (!err)
            err = finish(store, settle_hours(store, day));
    }
    return err;
}

static enum err dirty_days(struct store *store, struct arena *arena,
                           struct unit_list *units)
{
    struct query *query = query_start(store, QUERY_DIRTY_DAYS);
    bool row;
    enum err err;
    *units = (struct unit_list){0};
    while (!(err = query_step(query, &row)) && row) {
        units->list =
            arena_grow(arena, units->list, units->count, sizeof *units->list);
        units->list[units->count++] = (struct unit){
            .day = query_int(query, 0), .benchmarks = query_int(query, 1) != 0};
    }
    return err;
}

/* Benchmarks keep the day noted: its scores are still to come. */
static enum err settle_all_benchmarks(struct store *store, struct arena *arena,
                                      const struct progress *progress)
{
    struct unit_list units;
    enum err err = dirty_days(store, arena, &units);
    for (size_t i = 0; !err && i < units.count; i++) {
        if (!units.list[i].benchmarks)
            continue;
        report(progress, "benchmarks", i, units.count);
        err = store_begin(store);
        if (!err)
            err = finish(store, settle_benchmarks(store, units.list[i].day));
    }
    return err;
}

static enum err settle_all_scores(struct store *store, struct arena *arena,
                                  const struct progress *progress)
{
    struct unit_list units;
    enum err err = dirty_days(store, arena, &units);
    for (size_t i = 0; !err && i < units.count; i++) {
        report(progress, "scores", i, units.count);
        err = store_begin(store);
        if (!err)
            err = finish(store, settle_scores(store, units.list[i].day));
    }
    return err;
}

static enum err join_snapshots(struct store *store)
{
    enum err err = store_begin(store);
    return err ? err : finish(store, snapshots_join(store));
}

enum err settle_pending(struct store *store, bool *pending)
{
    struct query *query = query_start(store, QUERY_DIRTY_ANY);
    bool row;
    enum err err = query_step(query, &row);
    *pending = !err && row && query_int(query, 0);
    return err ? err : query_run(query);
}

enum err settle(struct store *store,
                void (*report_progress)(void *context, const char *stage,
                                        uint64_t done, uint64_t all),
                void *context)
{
    struct progress progress = {report_progress, context};
    struct arena arena = {0};
    enum err err = join_snapshots(store);
    if (!err)
        err = settle_days(store, &progress);
    if (!err)
        err = settle_all_hours(store, &progress);
    if (!err)
        err = settle_all_benchmarks(store, &arena, &progress);
    if (!err)
        err = settle_all_scores(store, &arena, &progress);
    arena_free(&arena);
    return err;
}
