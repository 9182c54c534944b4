/*
 * settle.c: derived tables brought up to date, touching only what changed.
 *
 * Ingest notes in dirty tables what new evidence may have changed. Settling
 * works the notes off in stages, each unit in the transaction that also clears
 * its note, so that it can be interrupted anywhere and goes on with the next
 * call:
 *
 *   snapshots   chunks of one hour are joined
 *   closings    what days leave to later ones, for lens assay
 *               (capability_days.c)
 *   attributions  sessions that snapshots can reach
 *   days        selections and decisions of one (org, day), and the sessions
 *               and session-hours that follow from them (settle_day.c)
 *   hours       SLA rows of hours whose sessions changed (settle_hours.c)
 *   benchmarks  of days whose SLA rows changed
 *   scores      of those days, and of the seven after a changed benchmark
 *   facts       chunks of one hour of jobs, payments or incoming packets are
 *               joined
 *   requests    request demand of one (org, day) (settle_requests.c)
 *   packing     sessions long over (packing.c)
 *   cooling     parts of days long settled, of sessions that are not, and
 *               snapshots of such days (cooling.c, snapshot_days.c)
 *
 * A unit is computed from facts alone, never from what was derived before, so
 * the result depends neither on how often nor in which order settling ran.
 */
#include "rollup/capability_days.h"
#include "rollup/hot.h"
#include "rollup/ingest_hours.h"
#include "rollup/settle_int.h"
#include "rollup/snapshot_days.h"

#include "base/clock.h"

/* Ends a unit's transaction as ERR says. */
static enum err finish(struct store *store, enum err err)
{
    if (err) {
        store_rollback(store);
        return err;
    }
    return store_commit(store);
}

/* ---- one unit of each stage ------------------------------------------ */

typedef enum err settle_unit(struct settling *settling, struct store *store,
                             bool *found);

static enum err settle_snapshots(struct settling *settling, struct store *store,
                                 bool *found)
{
    (void)settling;
    int64_t hour;
    enum err err = query_first_int(
        query_start(store, QUERY_SNAPSHOT_HOUR_CHUNKED_FIRST), &hour, found);
    if (err || !*found)
        return err;
    return snapshots_join(store);
}

enum err first_noted(struct store *store, enum query_id id, struct arena *arena,
                     struct text *org, int64_t *time_ms, bool *found)
{
    struct query *query = query_start(store, id);
    enum err err = query_step(query, found);
    if (err || !*found)
        return err;
    *org = query_copy(arena, query, 0);
    *time_ms = query_int(query, 1);
    return query_run(query);
}

static enum err settle_first_closing(struct settling *settling,
                                     struct store *store, bool *found)
{
    (void)settling;
    struct arena arena = {0};
    struct text org;
    int64_t day;
    enum err err = first_noted(store, QUERY_DIRTY_CLOSING_FIRST, &arena, &org,
                               &day, found);
    if (!err && *found)
        err = settle_closing(store, org, day);
    arena_free(&arena);
    return err;
}

/* Turns a note about sessions seen since into notes about the sessions. */
static enum err settle_attribution(struct store *store, struct text org,
                                   int64_t day)
{
    static const enum query_id steps[] = {QUERY_DIRTY_ATTRIBUTION_NOTE,
                                          QUERY_DIRTY_ATTRIBUTION_CLEAR};
    enum err err = ERR_NONE;
    for (size_t i = 0; !err && i < sizeof steps / sizeof *steps; i++) {
        struct query *query = query_start(store, steps[i]);
        query_bind_text(query, 1, org);
        query_bind_int(query, 2, day);
        err = query_run(query);
    }
    return err;
}

static enum err settle_first_attribution(struct settling *settling,
                                         struct store *store, bool *found)
{
    (void)settling;
    struct arena arena = {0};
    struct text org;
    int64_t day;
    enum err err = first_noted(store, QUERY_DIRTY_ATTRIBUTION_FIRST, &arena,
                               &org, &day, found);
    if (!err && *found)
        err = settle_attribution(store, org, day);
    arena_free(&arena);
    return err;
}

static enum err settle_first_day(struct settling *settling, struct store *store,
                                 bool *found)
{
    struct arena arena = {0};
    struct text org;
    int64_t day;
    enum err err = first_noted(store, QUERY_DIRTY_SESSION_FIRST, &arena, &org,
                               &day, found);
    if (!err && *found)
        err = settle_day(settling, store, org, day);
    arena_free(&arena);
    return err;
}

static enum err settle_facts(struct settling *settling, struct store *store,
                             bool *found)
{
    (void)settling;
    enum err err = ingest_hours_join(store, found);
    return err || *found ? err : requests_join(store, found);
}

static enum err settle_first_requests(struct settling *settling,
                                      struct store *store, bool *found)
{
    (void)settling;
    struct arena arena = {0};
    struct text org;
    int64_t day;
    enum err err = first_noted(store, QUERY_DIRTY_REQUEST_FIRST, &arena, &org,
                               &day, found);
    if (!err && *found)
        err = settle_requests(store, org, day);
    arena_free(&arena);
    return err;
}

static enum err settle_some_packing(struct settling *settling,
                                    struct store *store, bool *found)
{
    *found = false;
    if (hot_waits_to_pack(settling))
        return ERR_NONE;
    enum err err = settle_packing(store, found);
    if (!err && !*found)
        hot_note_packed(settling);
    return err;
}

static enum err settle_some_cooling(struct settling *settling,
                                    struct store *store, bool *found)
{
    (void)settling;
    enum err err = settle_cooling(store, found);
    return err || *found ? err : snapshot_days_settle(store, found);
}

static enum err settle_first_hours(struct settling *settling,
                                   struct store *store, bool *found)
{
    (void)settling;
    int64_t hour;
    enum err err = query_first_int(query_start(store, QUERY_DIRTY_HOUR_FIRST),
                                   &hour, found);
    if (err || !*found)
        return err;
    return settle_hours(store, clock_day_start(hour));
}

static enum err settle_first_benchmarks(struct settling *settling,
                                        struct store *store, bool *found)
{
    (void)settling;
    int64_t day;
    enum err err = query_first_int(
        query_start(store, QUERY_DIRTY_DAY_FIRST_BENCHMARK), &day, found);
    if (err || !*found)
        return err;
    return settle_benchmarks(store, day);
}

static enum err settle_first_scores(struct settling *settling,
                                    struct store *store, bool *found)
{
    (void)settling;
    int64_t day;
    enum err err =
        query_first_int(query_start(store, QUERY_DIRTY_DAY_FIRST), &day, found);
    if (err || !*found)
        return err;
    return settle_scores(store, day);
}

/* ---- all of them ------------------------------------------------------ */

static const struct stage {
    const char *name;
    settle_unit *unit;
} stages[] = {
    {"snapshots", settle_snapshots},
    {"closings", settle_first_closing},
    {"attributions", settle_first_attribution},
    {"sessions", settle_first_day},
    {"hours", settle_first_hours},
    {"benchmarks", settle_first_benchmarks},
    {"scores", settle_first_scores},
    {"facts", settle_facts},
    {"requests", settle_first_requests},
    {"packing", settle_some_packing},
    {"cooling", settle_some_cooling},
};

enum {
    STAGES = sizeof stages / sizeof *stages,
    /* A commit costs a wait for the disk; many small days share one. */
    UNITS_PER_COMMIT = 64
};

/* The first unit there is, of any stage, in the open transaction. */
static enum err settle_first(struct settling *settling, struct store *store,
                             bool *found)
{
    enum err err = ERR_NONE;
    *found = false;
    for (size_t i = 0; !err && !*found && i < STAGES; i++)
        err = stages[i].unit(settling, store, found);
    return err;
}

enum err settle_step(struct settling *settling, struct store *store, bool *more)
{
    enum err err = store_begin(store);
    if (!err)
        err = finish(store, settle_first(settling, store, more));
    if (err)
        hot_forget_all(settling);
    return err;
}

enum err settle_pending(struct store *store, bool *pending)
{
    int64_t any = 0;
    bool found;
    enum err err =
        query_first_int(query_start(store, QUERY_DIRTY_ANY), &any, &found);
    *pending = any != 0;
    return err;
}

typedef enum err settle_report(void *context, const char *stage, uint64_t done);

/* Up to UNITS_PER_COMMIT units of one stage, in the open transaction. */
static enum err settle_some(struct store *store, const struct stage *stage,
                            uint64_t *done, bool *found)
{
    enum err err = ERR_NONE;
    *found = true;
    for (int i = 0; !err && *found && i < UNITS_PER_COMMIT; i++) {
        err = stage->unit(NULL, store, found);
        *done += *found;
    }
    return err;
}

/* One stage to its end; OWN says that it makes transactions of its own. */
static enum err settle_stage(struct store *store, const struct stage *stage,
                             bool own, settle_report *report, void *context)
{
    uint64_t done = 0;
    bool found = true;
    enum err err = ERR_NONE;
    while (!err && found) {
        if (report)
            err = report(context, stage->name, done);
        if (!err && own)
            err = store_begin(store);
        if (err)
            break;
        err = settle_some(store, stage, &done, &found);
        if (own)
            err = finish(store, err);
    }
    return err;
}

static enum err settle_stages(struct store *store, bool own,
                              settle_report *report, void *context)
{
    enum err err = ERR_NONE;
    for (size_t i = 0; !err && i < STAGES; i++)
        err = settle_stage(store, &stages[i], own, report, context);
    return err;
}

enum err settle(struct store *store, settle_report *report, void *context)
{
    return settle_stages(store, true, report, context);
}

enum err settle_within(struct store *store, settle_report *report,
                       void *context)
{
    return settle_stages(store, false, report, context);
}
