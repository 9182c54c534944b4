/*
 * whole.c: the whole pass, once over everything, in memory.
 *
 * The same steps as in settling, with one window that has no bounds, by any
 * lens. Nobody looks at it every day, so it is not stored: an export or a
 * question computes it. Memory grows with the number of sessions, about two
 * kilobytes each.
 */
#include "rollup/assembly.h"

struct org_session {
    struct text org;
    struct text key;
};

struct session_list {
    struct org_session *list;
    size_t count;
};

static enum err read_sessions(struct assembly *assembly,
                              struct session_list *all)
{
    struct query *query = query_start(assembly->store, QUERY_SESSION_KEYS);
    bool row;
    enum err err;
    while (!(err = query_step(query, &row)) && row) {
        all->list = arena_grow(assembly->arena, all->list, all->count,
                               sizeof *all->list);
        all->list[all->count++] =
            (struct org_session){query_copy(assembly->arena, query, 0),
                                 query_copy(assembly->arena, query, 1)};
        err = assembly_check(assembly);
        if (err)
            break;
    }
    return err;
}

static enum err select_session(struct assembly *assembly,
                               const struct org_session *session)
{
    struct session_event *events;
    size_t event_count;
    size_t count;
    enum err err =
        assembly_events(assembly, session->key, &events, &event_count);
    if (err)
        return err;
    struct selection_row *rows =
        selections_build(&assembly->scratch, session->org, session->key, 0,
                         events, event_count, &count);
    assembly_keep_selections(assembly, rows, count);
    return assembly_check(assembly);
}

static enum err select_org(struct assembly *assembly,
                           const struct session_list *all, size_t first,
                           size_t end)
{
    size_t before = assembly->out->selection_count;
    enum err err = ERR_NONE;
    for (size_t i = first; !err && i < end; i++) {
        err = select_session(assembly, &all->list[i]);
        arena_clear(&assembly->scratch);
    }
    return err ? err
               : assembly_decide(assembly, all->list[first].org, before,
                                 INT64_MIN, INT64_MAX);
}

/* *AT is where its selections begin. */
static enum err fold_session(struct assembly *assembly,
                             const struct org_session *session, size_t *at)
{
    struct session_event *events;
    size_t event_count;
    enum err err =
        assembly_events(assembly, session->key, &events, &event_count);
    if (err)
        return err;
    const struct computed *out = assembly->out;
    struct session_pass pass = {INT64_MIN, out->selections + *at, 0};
    while (*at < out->selection_count &&
           text_equal(out->selections[*at].session_key, session->key)) {
        pass.selection_count++;
        (*at)++;
    }
    assembly_fold(assembly, session->org, session->key, events, event_count,
                  &pass, 1);
    return assembly_check(assembly);
}

static enum err fold_all(struct assembly *assembly,
                         const struct session_list *all)
{
    size_t at = 0;
    enum err err = ERR_NONE;
    for (size_t i = 0; !err && i < all->count; i++) {
        err = fold_session(assembly, &all->list[i], &at);
        arena_clear(&assembly->scratch);
    }
    return err;
}

static enum err select_all(struct assembly *assembly,
                           const struct session_list *all)
{
    enum err err = ERR_NONE;
    for (size_t i = 0; !err && i < all->count;) {
        size_t end = i;
        while (end < all->count &&
               text_equal(all->list[end].org, all->list[i].org))
            end++;
        err = select_org(assembly, all, i, end);
        i = end;
    }
    return err;
}

enum err compute_whole(struct assembly *assembly)
{
    struct session_list all = {0};
    enum err err = read_sessions(assembly, &all);
    if (!err)
        err = select_all(assembly, &all);
    if (!err)
        err = fold_all(assembly, &all);
    return err;
}
