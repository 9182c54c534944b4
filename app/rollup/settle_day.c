/*
 * settle_day.c: the first stage of settling, one (org, day).
 *
 * New events of a session can change that session's selections, and through
 * the orchestrators they name also which snapshots the day's pass loads, and so
 * the decisions of other sessions. Therefore, as soon as any selection or
 * snapshot of the day differs, all its decisions are made again; they are
 * cheap. Only sessions with a different decision, or with new events, are
 * folded again.
 */
#include "rollup/hot.h"
#include "rollup/settle_int.h"

#include "base/clock.h"
#include "base/index.h"

#include <string.h>

struct day_work {
    struct settling *settling; /* may be null */
    struct store *store;
    struct arena arena; /* lives as long as the day */
    struct text org;
    int64_t day;
    struct text_index touched; /* sessions to fold again */
    bool decide;               /* decisions have to be made again */
};

/* ---- selections -----------------------------------------------------------
 */

/* True where A and B would be decided alike: same event, same hints. */
static bool same_selection(const struct selection_row *a,
                           const struct selection_row *b)
{
    return a->selection_ts == b->selection_ts && a->position == b->position &&
           a->line == b->line && text_equal(a->event_id, b->event_id) &&
           text_equal(a->selection_trigger, b->selection_trigger) &&
           text_equal(a->observed_address, b->observed_address) &&
           text_equal(a->observed_url, b->observed_url) &&
           text_equal(a->pipeline_hint, b->pipeline_hint) &&
           text_equal(a->model_hint, b->model_hint);
}

static bool same_selections(const struct selection_row *before,
                            size_t before_count,
                            const struct selection_list *now)
{
    if (before_count != now->count)
        return false;
    for (size_t i = 0; i < before_count; i++)
        if (!same_selection(&before[i], &now->rows[i]))
            return false;
    return true;
}

/* The run of LIST from *AT on that belongs to KEY or to keys before it; rows of
 * both are sorted by key. Moves *AT past the run of KEY. */
static size_t run_of(const struct selection_list *list, struct text key,
                     size_t *first)
{
    size_t end = *first;
    while (end < list->count &&
           text_compare(list->rows[end].session_key, key) < 0)
        end++;
    *first = end;
    while (end < list->count && text_equal(list->rows[end].session_key, key))
        end++;
    return end;
}

static void append(struct day_work *work, struct selection_list *to,
                   const struct selection_row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        to->rows =
            arena_grow(&work->arena, to->rows, to->count, sizeof *to->rows);
        to->rows[to->count++] = rows[i];
    }
}

/* One dirty session: BEFORE's rows from *AT to its run, then its own. */
static enum err refresh_session(struct day_work *work,
                                const struct selection_list *before, size_t *at,
                                struct text key, struct selection_list *all)
{
    struct selection_list now;
    struct part_place changed = {work->day, 0};
    enum err err = session_day_join(work->store, key, work->org, work->day,
                                    &changed.number);
    if (err)
        return err;
    hot_note_change(work->settling, key, changed);
    err = hot_selections(work->settling, work->store, &work->arena, work->org,
                         key, work->day, &now.rows, &now.count);
    if (err)
        return err;
    size_t first = *at;
    size_t end = run_of(before, key, &first);
    append(work, all, before->rows + *at, first - *at);
    if (same_selections(before->rows + first, end - first, &now)) {
        append(work, all, before->rows + first, end - first);
    } else {
        append(work, all, now.rows, now.count);
        work->decide = true;
    }
    *at = end;
    text_index_add(&work->touched, key, NULL);
    return ERR_NONE;
}

/* The day's selections with those of the dirty sessions built anew, in ALL. */
static enum err refresh_selections(struct day_work *work,
                                   const struct selection_list *before,
                                   const struct text_list *dirty,
                                   struct selection_list *all)
{
    size_t at = 0;
    enum err err = ERR_NONE;
    *all = (struct selection_list){0};
    for (size_t i = 0; !err && i < dirty->count; i++) {
        if (dirty->texts[i].length)
            err = refresh_session(work, before, &at, dirty->texts[i], all);
        else
            work->decide = true;
    }
    append(work, all, before->rows + at, before->count - at);
    return err;
}

/* ---- decisions -------------------------------------------------------------
 */

static enum err decide(struct day_work *work, struct selection_list *all)
{
    struct capability_snapshot *snapshots;
    size_t count;
    enum err err = snapshots_between(
        work->store, &work->arena, work->org, work->day - SNAPSHOT_BEFORE_MS,
        work->day + MS_PER_DAY + SNAPSHOT_AFTER_MS, &snapshots, &count);
    if (err)
        return err;
    struct capability_index *index =
        capability_index_build(&work->arena, &lens_published, work->org,
                               snapshots, count, all->rows, all->count);
    for (size_t i = 0; i < all->count; i++)
        attribute(&work->arena, index, &all->rows[i]);
    capability_index_free(index);
    return ERR_NONE;
}

/* Rows of one session, by position: those that differ are written. */
static enum err write_selections(struct day_work *work, struct text key,
                                 const struct selection_row *before,
                                 size_t before_count,
                                 const struct selection_row *rows, size_t count)
{
    struct query *query;
    enum err err = ERR_NONE;
    if (before_count > count) {
        query = query_start(work->store, QUERY_SELECTION_DELETE);
        query_bind_text(query, 1, work->org);
        query_bind_int(query, 2, work->day);
        query_bind_text(query, 3, key);
        query_bind_int(query, 4, (int64_t)count);
        err = query_run(query);
    }
    for (size_t i = 0; !err && i < count; i++) {
        if (i < before_count &&
            fields_equal(selection_fields, &before[i], &rows[i]))
            continue;
        query = query_start(work->store, QUERY_SELECTION_PUT);
        fields_bind(query, 1, selection_fields, &rows[i]);
        err = query_run(query);
    }
    return err;
}

static bool equal_runs(const struct selection_row *a, size_t a_count,
                       const struct selection_row *b, size_t b_count)
{
    if (a_count != b_count)
        return false;
    for (size_t i = 0; i < a_count; i++)
        if (!fields_equal(selection_fields, &a[i], &b[i]))
            return false;
    return true;
}

/* The key that comes first in either list from A and B on. */
static struct text next_key(const struct selection_list *before, size_t a,
                            const struct selection_list *now, size_t b)
{
    if (a == before->count)
        return now->rows[b].session_key;
    if (b == now->count ||
        text_compare(before->rows[a].session_key, now->rows[b].session_key) < 0)
        return before->rows[a].session_key;
    return now->rows[b].session_key;
}

/* Writes the sessions whose selections differ, and marks them touched. */
static enum err store_differences(struct day_work *work,
                                  const struct selection_list *before,
                                  const struct selection_list *now)
{
    size_t a = 0;
    size_t b = 0;
    enum err err = ERR_NONE;
    while (!err && (a < before->count || b < now->count)) {
        struct text key = next_key(before, a, now, b);
        size_t a_end = run_of(before, key, &a);
        size_t b_end = run_of(now, key, &b);
        if (!equal_runs(before->rows + a, a_end - a, now->rows + b,
                        b_end - b)) {
            err = write_selections(work, key, before->rows + a, a_end - a,
                                   now->rows + b, b_end - b);
            text_index_add(&work->touched, key, NULL);
        }
        a = a_end;
        b = b_end;
    }
    return err;
}

/* ---- sessions ------------------------------------------------------------ */

static enum err refold_touched(struct day_work *work)
{
    struct arena arena = {0};
    enum err err = ERR_NONE;
    for (size_t i = 0; !err && i < work->touched.count; i++) {
        err = settle_session(work->settling, work->store, &arena, work->org,
                             work->touched.texts[i]);
        arena_clear(&arena);
    }
    arena_free(&arena);
    return err;
}

/* ---- the day ------------------------------------------------------------- */

/* What was to do is done, and may have left parts that are warm. */
static enum err change_notes(struct day_work *work)
{
    static const enum query_id changes[] = {QUERY_DIRTY_SESSION_CLEAR,
                                            QUERY_WARM_DAY_ADD};
    enum err err = ERR_NONE;
    for (size_t i = 0; !err && i < sizeof changes / sizeof *changes; i++) {
        struct query *query = query_start(work->store, changes[i]);
        query_bind_text(query, 1, work->org);
        query_bind_int(query, 2, work->day);
        err = query_run(query);
    }
    return err;
}

static enum err work_day(struct day_work *work)
{
    struct text_list dirty;
    struct selection_list before;
    struct selection_list now;
    struct query *query = query_start(work->store, QUERY_DIRTY_SESSION_OF_DAY);
    query_bind_text(query, 1, work->org);
    query_bind_int(query, 2, work->day);
    enum err err = read_texts(query, &work->arena, &dirty);
    if (err)
        return err;
    query = query_start(work->store, QUERY_SELECTION_OF_DAY);
    query_bind_text(query, 1, work->org);
    query_bind_int(query, 2, work->day);
    err = read_selections(query, &work->arena, &before);
    if (!err)
        err = refresh_selections(work, &before, &dirty, &now);
    if (!err && work->decide)
        err = decide(work, &now);
    if (!err && work->decide)
        err = store_differences(work, &before, &now);
    if (!err)
        err = refold_touched(work);
    return err ? err : change_notes(work);
}

enum err settle_day(struct settling *settling, struct store *store,
                    struct text org, int64_t day)
{
    struct day_work work = {
        .settling = settling, .store = store, .org = org, .day = day};
    enum err err = work_day(&work);
    text_index_free(&work.touched);
    arena_free(&work.arena);
    return err;
}
