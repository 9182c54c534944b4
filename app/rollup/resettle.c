/*
 * resettle.c: the settled pass of some days in memory, from what was known at
 * some time.
 *
 * Sessions with events on the days are folded as settling folds them: each day
 * on which one of them has events is a pass, and is decided with all sessions
 * of that day, since which snapshots a pass looks at depends on all of them.
 * Rows of other days would be incomplete and are left out.
 */
#include "rollup/assembly.h"

#include "base/clock.h"
#include "rollup/settle_int.h"

#include <stdlib.h>

struct day_list {
    int64_t *days;
    size_t count;
};

static enum err read_keys(struct assembly *assembly, struct text org,
                          int64_t from_day, int64_t until_day,
                          struct text_list *keys)
{
    struct query *query = query_start(assembly->store, QUERY_SESSION_DAY_KEYS);
    query_bind_text(query, 1, org);
    query_bind_int(query, 2, from_day);
    query_bind_int(query, 3, until_day);
    enum err err = read_texts(query, assembly->arena, keys);
    return err ? err : assembly_check(assembly);
}

/* ---- days ---------------------------------------------------------------- */

static void add_day(struct arena *arena, struct day_list *list, int64_t day)
{
    for (size_t i = list->count; i-- > 0;)
        if (list->days[i] == day)
            return;
    list->days = arena_grow(arena, list->days, list->count, sizeof *list->days);
    list->days[list->count++] = day;
}

static int compare_days(const void *left, const void *right)
{
    int64_t a = *(const int64_t *)left;
    int64_t b = *(const int64_t *)right;
    return (a > b) - (a < b);
}

/* All days of the sessions KEYS, in order. */
static enum err find_days(struct assembly *assembly,
                          const struct text_list *keys, struct day_list *list)
{
    enum err err = ERR_NONE;
    for (size_t i = 0; !err && i < keys->count; i++) {
        struct session_event *events;
        size_t count;
        err = assembly_events(assembly, keys->texts[i], &events, &count);
        for (size_t k = 0; !err && k < count; k++)
            add_day(assembly->arena, list, clock_day_start(events[k].ts));
        arena_clear(&assembly->scratch);
    }
    if (list->count)
        qsort(list->days, list->count, sizeof *list->days, compare_days);
    return err;
}

/* ---- selections ---------------------------------------------------------- */

static enum err select_session(struct assembly *assembly, struct text org,
                               struct text key, int64_t day)
{
    struct session_event *events;
    size_t count;
    size_t selected;
    size_t first = 0;
    enum err err = assembly_events(assembly, key, &events, &count);
    if (err)
        return err;
    while (first < count && events[first].ts < day)
        first++;
    size_t end = first;
    while (end < count && events[end].ts < day + MS_PER_DAY)
        end++;
    struct selection_row *rows =
        selections_build(&assembly->scratch, org, key, day, events + first,
                         end - first, &selected);
    assembly_keep_selections(assembly, rows, selected);
    arena_clear(&assembly->scratch);
    return assembly_check(assembly);
}

static enum err select_day(struct assembly *assembly, struct text org,
                           int64_t day)
{
    struct text_list keys;
    size_t first = assembly->out->selection_count;
    enum err err = read_keys(assembly, org, day, day + MS_PER_DAY, &keys);
    for (size_t i = 0; !err && i < keys.count; i++)
        err = select_session(assembly, org, keys.texts[i], day);
    return err ? err
               : assembly_decide(assembly, org, first, day - SNAPSHOT_BEFORE_MS,
                                 day + MS_PER_DAY + SNAPSHOT_AFTER_MS);
}

/* By session, then as they were made. */
static int compare_made(const void *left, const void *right)
{
    const struct selection_row *a = left;
    const struct selection_row *b = right;
    int order = text_compare(a->session_key, b->session_key);
    if (!order)
        order = compare_days(&a->day, &b->day);
    return order ? order : compare_days(&a->position, &b->position);
}

/* ---- sessions ------------------------------------------------------------ */

/* The number of the first of KEY, or of a later one. */
static size_t first_of(const struct selection_row *selections, size_t count,
                       struct text key)
{
    size_t first = 0;
    while (count) {
        size_t half = count / 2;
        if (text_compare(selections[first + half].session_key, key) < 0) {
            first += half + 1;
            count -= half + 1;
        } else {
            count = half;
        }
    }
    return first;
}

/* SELECTIONS are those of all sessions, by session. */
static enum err fold_session(struct assembly *assembly, struct text org,
                             struct text key,
                             const struct selection_row *selections,
                             size_t selection_count)
{
    struct session_event *events;
    size_t count;
    size_t pass_count;
    enum err err = assembly_events(assembly, key, &events, &count);
    if (err)
        return err;
    size_t first = first_of(selections, selection_count, key);
    size_t end = first;
    while (end < selection_count &&
           text_equal(selections[end].session_key, key))
        end++;
    struct arena *scratch = &assembly->scratch;
    struct session_sum sum = session_sum_of(
        scratch, assembly->computation->lens, org, key, events, count);
    struct session_pass *passes = passes_by_day(
        scratch, &sum, selections + first, end - first, &pass_count);
    assembly_fold(assembly, org, key, events, count, passes, pass_count);
    arena_clear(scratch);
    return assembly_check(assembly);
}

static enum err compute_org(struct assembly *assembly, struct text org)
{
    const struct computation *computation = assembly->computation;
    struct computed *out = assembly->out;
    struct text_list keys;
    struct day_list days = {0};
    size_t first = out->selection_count;
    enum err err = read_keys(assembly, org, computation->from_day,
                             computation->until_day, &keys);
    if (!err)
        err = find_days(assembly, &keys, &days);
    for (size_t i = 0; !err && i < days.count; i++)
        err = select_day(assembly, org, days.days[i]);
    struct selection_row *selections = out->selections + first;
    size_t count = out->selection_count - first;
    if (!err && count)
        qsort(selections, count, sizeof *selections, compare_made);
    for (size_t i = 0; !err && i < keys.count; i++)
        err = fold_session(assembly, org, keys.texts[i], selections, count);
    return err;
}

enum err compute_settled(struct assembly *assembly)
{
    struct text_list orgs;
    struct query *query = query_start(assembly->store, QUERY_SESSION_DAY_ORGS);
    enum err err = read_texts(query, assembly->arena, &orgs);
    for (size_t i = 0; !err && i < orgs.count; i++)
        err = compute_org(assembly, orgs.texts[i]);
    return err;
}
