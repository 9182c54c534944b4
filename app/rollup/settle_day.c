/*
 * settle_day.c: the first stage of settling: sessions of one (org, day).
 *
 * New events of a session can change that session's selections, and through
 * the orchestrators they name also which snapshots the day's pass loads, and so
 * the decisions of other sessions. What a day names seldom changes. So a unit
 * takes as many noted sessions as fit, decides on their selections, and only
 * where the names or the snapshots of the day are others than before, it makes
 * the decisions of all others again, some at a time. Only sessions with a
 * different decision, or with new events, are folded again.
 *
 * So neither memory nor the time for which everybody waits grows with the
 * sessions of a day. After every unit all decisions of the day are those that
 * its selections and snapshots, as they are in the store, lead to; so it does
 * not matter in which pieces notes are worked off.
 */
#include "rollup/capability_index.h"
#include "rollup/hot.h"
#include "rollup/settle_int.h"

#include "base/clock.h"
#include "base/index.h"

#include <string.h>

enum {
    SESSIONS_AT_ONCE = 4096,
    /* Reached, no further session is taken; more than one can have. */
    SELECTIONS_AT_ONCE = 8 * PASS_SELECTIONS_MAX
};

/* A session whose events changed: its selections as stored and as they are. */
struct changed_session {
    struct text key;
    struct selection_list before;
    struct selection_list now;
};

struct day_work {
    struct settling *settling; /* may be null */
    struct store *store;
    struct arena arena; /* lives as long as the unit */
    struct text org;
    int64_t day;
    struct changed_session *sessions;
    size_t count;
    struct text_index keys; /* of SESSIONS, by the same numbers */
    struct text last;       /* note that was read */
    bool snapshots;         /* those of the day have changed, */
    bool selections;        /* or those of a session have */
};

/* ---- the noted sessions --------------------------------------------------
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

static bool same_selections(const struct selection_list *before,
                            const struct selection_list *now)
{
    if (before->count != now->count)
        return false;
    for (size_t i = 0; i < before->count; i++)
        if (!same_selection(&before->rows[i], &now->rows[i]))
            return false;
    return true;
}

static enum err read_before(struct day_work *work, struct text key,
                            struct selection_list *list)
{
    struct query *query =
        query_start(work->store, QUERY_SELECTION_OF_SESSION_DAY);
    query_bind_text(query, 1, work->org);
    query_bind_int(query, 2, work->day);
    query_bind_text(query, 3, key);
    return read_selections(query, &work->arena, list);
}

static enum err refresh_session(struct day_work *work, struct text key)
{
    struct changed_session *session = &work->sessions[work->count];
    struct part_place changed = {work->day, 0};
    enum err err = settle_unpacked(work->settling, work->store, key);
    if (!err)
        err = session_day_join(work->store, key, work->org, work->day,
                               &changed.number);
    if (err)
        return err;
    hot_note_change(work->settling, key, changed);
    session->key = key;
    err =
        hot_selections(work->settling, work->store, &work->arena, work->org,
                       key, work->day, &session->now.rows, &session->now.count);
    if (!err)
        err = read_before(work, key, &session->before);
    if (err)
        return err;
    text_index_add(&work->keys, key, NULL);
    work->count++;
    work->selections |= !same_selections(&session->before, &session->now);
    return ERR_NONE;
}

static enum err read_notes(struct day_work *work, struct text_list *notes)
{
    struct query *query = query_start(work->store, QUERY_DIRTY_SESSION_OF_DAY);
    query_bind_text(query, 1, work->org);
    query_bind_int(query, 2, work->day);
    query_bind_int(query, 3, SESSIONS_AT_ONCE);
    return read_texts(query, &work->arena, notes);
}

static enum err refresh_sessions(struct day_work *work)
{
    struct text_list notes;
    size_t selections = 0;
    enum err err = read_notes(work, &notes);
    if (err)
        return err;
    work->sessions =
        arena_array(&work->arena, notes.count, sizeof *work->sessions);
    for (size_t i = 0; i < notes.count && selections < SELECTIONS_AT_ONCE;
         i++) {
        work->last = notes.texts[i];
        if (!work->last.length) {
            work->snapshots = true;
            continue;
        }
        err = refresh_session(work, work->last);
        if (err)
            return err;
        selections += work->sessions[work->count - 1].now.count;
    }
    return ERR_NONE;
}

/* ---- what the day names ---------------------------------------------------
 */

struct day_names {
    struct text_index before;
    struct text_index now;
};

static bool same_names(const struct day_names *names)
{
    if (names->before.count != names->now.count)
        return false;
    for (size_t i = 0; i < names->now.count; i++)
        if (text_index_find(&names->before, names->now.texts[i]) < 0)
            return false;
    return true;
}

static enum err read_names(struct day_work *work, struct day_names *names)
{
    struct query *query = query_start(work->store, QUERY_SELECTION_NAMES);
    query_bind_text(query, 1, work->org);
    query_bind_int(query, 2, work->day);
    bool row;
    enum err err;
    while (!(err = query_step(query, &row)) && row) {
        struct text address = query_text(query, 1);
        struct text url = query_text(query, 2);
        capability_names_add(&names->before, address, url);
        if (text_index_find(&work->keys, query_text(query, 0)) < 0)
            capability_names_add(&names->now, address, url);
    }
    for (size_t i = 0; !err && i < work->count; i++) {
        const struct selection_list *list = &work->sessions[i].now;
        for (size_t j = 0; j < list->count; j++)
            capability_names_add(&names->now, list->rows[j].observed_address,
                                 list->rows[j].observed_url);
    }
    return err;
}

static enum err build_index(struct day_work *work,
                            const struct text_index *names,
                            struct capability_index **index)
{
    struct capability_snapshot *snapshots;
    size_t count;
    enum err err = snapshots_between(
        work->store, &work->arena, work->org, work->day - SNAPSHOT_BEFORE_MS,
        work->day + MS_PER_DAY + SNAPSHOT_AFTER_MS, &snapshots, &count);
    if (!err)
        *index = capability_index_of_names(&work->arena, &lens_published,
                                           work->org, snapshots, count, names);
    return err;
}

/* ---- decisions -------------------------------------------------------------
 */

/* Rows of one session, by position: those that differ are written. */
static enum err write_selections(struct day_work *work, struct text key,
                                 const struct selection_list *before,
                                 const struct selection_list *now)
{
    struct query *query;
    enum err err = ERR_NONE;
    if (before->count > now->count) {
        query = query_start(work->store, QUERY_SELECTION_DELETE);
        query_bind_text(query, 1, work->org);
        query_bind_int(query, 2, work->day);
        query_bind_text(query, 3, key);
        query_bind_int(query, 4, (int64_t)now->count);
        err = query_run(query);
    }
    for (size_t i = 0; !err && i < now->count; i++) {
        if (i < before->count &&
            fields_equal(selection_fields, &before->rows[i], &now->rows[i]))
            continue;
        query = query_start(work->store, QUERY_SELECTION_PUT);
        fields_bind(query, 1, selection_fields, &now->rows[i]);
        err = query_run(query);
    }
    return err;
}

/* A copy of ROWS, to decide on. */
static struct selection_row *
copy_rows(struct arena *arena, const struct selection_row *rows, size_t count)
{
    struct selection_row *copy = arena_array(arena, count, sizeof *copy);
    for (size_t i = 0; i < count; i++)
        copy[i] = rows[i];
    return copy;
}

static enum err decide_changed(struct day_work *work,
                               const struct capability_index *index)
{
    enum err err = ERR_NONE;
    for (size_t i = 0; !err && i < work->count; i++) {
        struct changed_session *session = &work->sessions[i];
        for (size_t j = 0; j < session->now.count; j++)
            attribute(&work->arena, index, &session->now.rows[j]);
        err = write_selections(work, session->key, &session->before,
                               &session->now);
    }
    return err;
}

static bool equal_runs(const struct selection_row *a,
                       const struct selection_row *b, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!fields_equal(selection_fields, &a[i], &b[i]))
            return false;
    return true;
}

/* COUNT selections of one session; it is folded where a decision differs. */
static enum err decide_run(struct day_work *work, struct arena *arena,
                           struct selection_row *before,
                           struct selection_row *now, size_t count)
{
    struct text key = now->session_key;
    if (text_index_find(&work->keys, key) >= 0 ||
        equal_runs(before, now, count))
        return ERR_NONE;
    enum err err =
        write_selections(work, key, &(struct selection_list){before, count},
                         &(struct selection_list){now, count});
    return err ? err
               : settle_session(work->settling, work->store, arena, work->org,
                                key);
}

static size_t run_length(const struct selection_row *rows, size_t count)
{
    size_t length = 1;
    while (length < count &&
           text_equal(rows[length].session_key, rows->session_key))
        length++;
    return length;
}

/* LIST is whole but for its last session, unless it is the END of all. Moves
 * *AFTER to the last one that was decided. */
static enum err decide_list(struct day_work *work, struct arena *arena,
                            const struct capability_index *index,
                            const struct selection_list *list, bool end,
                            struct text *after)
{
    struct arena fold = {0};
    struct selection_row *now = copy_rows(arena, list->rows, list->count);
    enum err err = ERR_NONE;
    for (size_t i = 0; i < list->count; i++)
        attribute(arena, index, &now[i]);
    for (size_t at = 0; !err && at < list->count;) {
        size_t length = run_length(now + at, list->count - at);
        if (!end && at > 0 && at + length == list->count)
            break;
        err = decide_run(work, &fold, list->rows + at, now + at, length);
        *after = now[at].session_key;
        at += length;
        arena_clear(&fold);
    }
    arena_free(&fold);
    return err;
}

/* Two arenas take turns: where a list ended is needed for the next. */
static enum err decide_unpacked(struct day_work *work,
                                const struct capability_index *index)
{
    struct arena turns[2] = {0};
    struct selection_list list;
    struct text after = text_of("");
    size_t turn = 0;
    enum err err;
    do {
        struct query *query =
            query_start(work->store, QUERY_SELECTION_OF_DAY_AFTER);
        query_bind_text(query, 1, work->org);
        query_bind_int(query, 2, work->day);
        query_bind_text(query, 3, after);
        query_bind_int(query, 4, SELECTIONS_AT_ONCE);
        turn = !turn;
        arena_clear(&turns[turn]);
        err = read_selections(query, &turns[turn], &list);
        if (!err)
            err = decide_list(work, &turns[turn], index, &list,
                              list.count < SELECTIONS_AT_ONCE, &after);
    } while (!err && list.count == SELECTIONS_AT_ONCE);
    arena_free(&turns[0]);
    arena_free(&turns[1]);
    return err;
}

/* ---- in packs ------------------------------------------------------------ */

struct pack_list {
    struct pack {
        int64_t number;
        int64_t hour;
    } * packs;
    size_t count;
};

static enum err read_packs(struct day_work *work, struct pack_list *list)
{
    struct query *query = query_start(work->store, QUERY_PACKS_OF_DAY);
    query_bind_text(query, 1, work->org);
    query_bind_int(query, 2, work->day);
    bool row;
    enum err err;
    *list = (struct pack_list){0};
    while (!(err = query_step(query, &row)) && row) {
        list->packs = arena_grow(&work->arena, list->packs, list->count,
                                 sizeof *list->packs);
        list->packs[list->count++] =
            (struct pack){query_int(query, 0), query_int(query, 1)};
    }
    return err;
}

/* Unpacks the hour of a pack in which a decision differs. One that is gone
 * since has no rows. */
static enum err unpack_differing(struct day_work *work, struct arena *arena,
                                 const struct capability_index *index,
                                 const struct pack *pack)
{
    struct selection_list list;
    struct query *query =
        query_start(work->store, QUERY_PACKED_SELECTIONS_OF_DAY);
    query_bind_text(query, 1, work->org);
    query_bind_int(query, 2, work->day);
    query_bind_int(query, 3, pack->number);
    enum err err = read_selections(query, arena, &list);
    if (err)
        return err;
    struct selection_row *now = copy_rows(arena, list.rows, list.count);
    for (size_t i = 0; i < list.count; i++)
        attribute(arena, index, &now[i]);
    if (equal_runs(list.rows, now, list.count))
        return ERR_NONE;
    hot_note_unpacked(work->settling);
    return packs_unpack(work->store, pack->hour);
}

static enum err decide_others(struct day_work *work,
                              const struct capability_index *index)
{
    struct pack_list list;
    struct arena arena = {0};
    enum err err = read_packs(work, &list);
    for (size_t i = 0; !err && i < list.count; i++) {
        err = unpack_differing(work, &arena, index, &list.packs[i]);
        arena_clear(&arena);
    }
    arena_free(&arena);
    return err ? err : decide_unpacked(work, index);
}

static enum err decide(struct day_work *work)
{
    struct day_names names = {0};
    struct capability_index *index = NULL;
    enum err err = read_names(work, &names);
    if (!err)
        err = build_index(work, &names.now, &index);
    if (!err)
        err = decide_changed(work, index);
    if (!err && (work->snapshots || !same_names(&names)))
        err = decide_others(work, index);
    if (index)
        capability_index_free(index);
    text_index_free(&names.before);
    text_index_free(&names.now);
    return err;
}

/* ---- the unit ------------------------------------------------------------ */

static enum err fold_changed(struct day_work *work)
{
    struct arena arena = {0};
    enum err err = ERR_NONE;
    for (size_t i = 0; !err && i < work->count; i++) {
        err = settle_session(work->settling, work->store, &arena, work->org,
                             work->sessions[i].key);
        arena_clear(&arena);
    }
    arena_free(&arena);
    return err;
}

static enum err clear_notes(struct day_work *work)
{
    struct query *query = query_start(work->store, QUERY_DIRTY_SESSION_CLEAR);
    query_bind_text(query, 1, work->org);
    query_bind_int(query, 2, work->day);
    query_bind_text(query, 3, work->last);
    return query_run(query);
}

/* What was to do is done, and may have left parts that are warm. */
static enum err change_notes(struct day_work *work)
{
    enum err err = clear_notes(work);
    if (err)
        return err;
    struct query *query = query_start(work->store, QUERY_WARM_DAY_ADD);
    query_bind_text(query, 1, work->org);
    query_bind_int(query, 2, work->day);
    return query_run(query);
}

enum err settle_day(struct settling *settling, struct store *store,
                    struct text org, int64_t day)
{
    struct day_work work = {
        .settling = settling, .store = store, .org = org, .day = day};
    enum err err = refresh_sessions(&work);
    if (!err && (work.snapshots || work.selections))
        err = decide(&work);
    if (!err)
        err = fold_changed(&work);
    if (!err)
        err = change_notes(&work);
    text_index_free(&work.keys);
    arena_free(&work.arena);
    return err;
}
