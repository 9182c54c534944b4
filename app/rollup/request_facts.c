/*
 * request_facts.c: request events out of their chunks, as facts.c does it for
 * sessions: of two events with one key the later written stands, and one
 * written as removed is none. Of groups that are kept by their lines the events
 * are read from the evidence (request_lines.c), but for days that have lost
 * some of it: those are whole.
 */
#include "rollup/request_lines.h"

#include "base/clock.h"

#include <stdlib.h>

/* Pointers into one array: of equal keys the later written comes last. */
static int compare_written(const void *left, const void *right)
{
    const struct request_event *a = *(const struct request_event *const *)left;
    const struct request_event *b = *(const struct request_event *const *)right;
    int order = request_event_compare(a, b);
    return order ? order : (a > b) - (a < b);
}

struct request_event *request_list_settle(struct arena *arena,
                                          const struct request_list *all,
                                          int64_t from_ms, int64_t until_ms,
                                          size_t *count)
{
    const struct request_event **order =
        arena_array(arena, all->count, sizeof *order);
    for (size_t i = 0; i < all->count; i++)
        order[i] = &all->list[i];
    if (all->count)
        qsort(order, all->count, sizeof *order, compare_written);
    struct request_event *events =
        arena_array(arena, all->count, sizeof *events);
    *count = 0;
    for (size_t i = 0; i < all->count; i++) {
        bool replaced = i + 1 < all->count &&
                        !request_event_compare(order[i], order[i + 1]);
        if (!replaced && !(order[i]->flags & REQUEST_REMOVED) &&
            order[i]->ts >= from_ms && order[i]->ts < until_ms)
            events[(*count)++] = *order[i];
    }
    return events;
}

/* ---- by the hour --------------------------------------------------------- */

static struct text line_key(const int64_t *line)
{
    return (struct text){(const char *)line, sizeof *line};
}

static enum err add_lines(struct arena *arena, struct text org,
                          struct request_hour *hour, struct text bytes)
{
    struct request_runs more;
    if (!request_runs_decode(arena, bytes, hour->hour, &more))
        return facts_damaged("payments", org);
    for (size_t i = 0; i < more.removed_count; i++)
        text_index_add(&hour->removed, line_key(&more.removed[i]), NULL);
    hour->runs = request_runs_join(arena, &hour->runs, &more);
    return ERR_NONE;
}

static enum err add_whole(struct arena *arena, struct text org,
                          struct request_hour *hour, struct text bytes)
{
    struct request_event *events;
    size_t count;
    if (!request_events_decode(arena, bytes, &events, &count))
        return facts_damaged("jobs and payments", org);
    request_list_add(&hour->whole, events, count);
    return ERR_NONE;
}

/* Visits what was gathered of an hour, and begins that of NEXT. */
static enum err end_hour(struct request_hour *hour, int64_t next,
                         request_hour_visit *visit, void *context)
{
    enum err err = ERR_NONE;
    size_t kept = 0;
    for (size_t i = 0; i < hour->whole.count; i++)
        if (text_index_find(&hour->removed,
                            line_key(&hour->whole.list[i].line)) < 0)
            hour->whole.list[kept++] = hour->whole.list[i];
    hour->whole.count = kept;
    if (kept || hour->runs.count)
        err = visit(context, hour);
    text_index_free(&hour->removed);
    hour->whole.count = 0;
    hour->runs = (struct request_runs){0};
    hour->hour = next;
    return err;
}

enum err request_hours_each(struct store *store, struct arena *arena,
                            const struct request_question *asked,
                            request_hour_visit *visit, void *context)
{
    struct request_hour hour = {0};
    struct query *query = query_start(store, QUERY_REQUEST_HOUR_BETWEEN);
    query_bind_text(query, 1, asked->org);
    query_bind_int(query, 2, (int64_t)asked->group);
    query_bind_int(query, 3,
                   asked->from_ms == INT64_MIN
                       ? asked->from_ms
                       : clock_hour_start(asked->from_ms));
    query_bind_int(query, 4, asked->until_ms);
    bool row;
    enum err err;
    while (!(err = query_step(query, &row)) && row) {
        if (query_int(query, 0) != hour.hour)
            err = end_hour(&hour, query_int(query, 0), visit, context);
        bool by_line = query_int(query, 1) == FORM_LINES;
        struct text bytes = query_copy(arena, query, 2);
        if (!err)
            err = (by_line ? add_lines : add_whole)(arena, asked->org, &hour,
                                                    bytes);
        if (err)
            break;
    }
    if (!err)
        err = end_hour(&hour, 0, visit, context);
    text_index_free(&hour.removed);
    request_list_free(&hour.whole);
    return err;
}

/* ---- events -------------------------------------------------------------- */

struct event_reading {
    const struct request_question *asked;
    const uint16_t *names;
    struct line_reader lines;
    struct request_list all;
};

static enum err read_hour(void *context, const struct request_hour *hour)
{
    struct event_reading *reading = context;
    const struct request_question *asked = reading->asked;
    enum err err = ERR_NONE;
    request_list_add(&reading->all, hour->whole.list, hour->whole.count);
    for (size_t i = 0; !err && i < hour->runs.count; i++)
        if (request_run_may_hold(&hour->runs.list[i], asked->from_ms,
                                 asked->until_ms, reading->names,
                                 asked->name_count))
            err = request_run_read(&reading->lines, &hour->runs.list[i],
                                   &reading->all);
    return err;
}

enum err request_events_asked(struct store *store, struct arena *arena,
                              const struct request_question *asked,
                              struct request_event **events, size_t *count)
{
    uint16_t *names = arena_array(arena, asked->name_count, sizeof *names);
    for (size_t i = 0; i < asked->name_count; i++)
        names[i] = request_name(asked->names[i]);
    struct event_reading reading = {.asked = asked,
                                    .names = names,
                                    .lines = {.store = store,
                                              .arena = arena,
                                              .org = asked->org,
                                              .group = asked->group}};
    enum err err = request_hours_each(store, arena, asked, read_hour, &reading);
    *count = 0;
    *events = NULL;
    if (!err)
        *events = request_list_settle(arena, &reading.all, asked->from_ms,
                                      asked->until_ms, count);
    request_list_free(&reading.all);
    line_reader_free(&reading.lines);
    return err;
}

enum err request_events_between(struct store *store, struct arena *arena,
                                struct text org, enum request_group group,
                                int64_t from_ms, int64_t until_ms,
                                struct request_event **events, size_t *count)
{
    const struct request_question asked = {
        .org = org, .group = group, .from_ms = from_ms, .until_ms = until_ms};
    return request_events_asked(store, arena, &asked, events, count);
}

/* ---- what there is ------------------------------------------------------- */

enum err request_orgs(struct store *store, struct arena *arena,
                      enum request_group group, struct text org,
                      struct text **orgs, size_t *count)
{
    struct query *query = query_start(store, QUERY_REQUEST_ORGS);
    query_bind_int(query, 1, (int64_t)group);
    query_bind_text(query, 2, org);
    bool row;
    enum err err;
    *orgs = NULL;
    *count = 0;
    while (!(err = query_step(query, &row)) && row) {
        *orgs = arena_grow(arena, *orgs, *count, sizeof **orgs);
        (*orgs)[(*count)++] = query_copy(arena, query, 0);
    }
    return err;
}

enum err request_days(struct store *store, struct arena *arena,
                      enum request_group group, struct text org,
                      int64_t from_ms, int64_t until_ms, int64_t **days,
                      size_t *count)
{
    struct query *query = query_start(store, QUERY_REQUEST_DAYS);
    query_bind_int(query, 1, (int64_t)group);
    query_bind_int(query, 2,
                   from_ms == INT64_MIN ? from_ms : clock_hour_start(from_ms));
    query_bind_int(query, 3, until_ms);
    query_bind_text(query, 4, org);
    bool row;
    enum err err;
    *days = NULL;
    *count = 0;
    while (!(err = query_step(query, &row)) && row) {
        *days = arena_grow(arena, *days, *count, sizeof **days);
        (*days)[(*count)++] = query_int(query, 0);
    }
    return err;
}
