/*
 * request_join.c: chunks of one hour of request events made one.
 *
 * Of groups that are kept by their lines this is to join sets of numbers, and
 * reads no event, but for a run that lost a line: its times and names are made
 * again from the lines that stay. So one late payment costs its hour a few
 * kilobytes, however old it is.
 */
#include "rollup/request_lines.h"

#include "base/clock.h"

/* An hour that is written anew. */
struct joining {
    struct store *store;
    struct arena *arena;
    struct request_question hour; /* no more, no less */
    struct request_runs runs;
};

static struct joining joining_of(struct store *store, struct arena *arena,
                                 struct text org, enum request_group group,
                                 int64_t hour)
{
    return (struct joining){store,
                            arena,
                            {.org = org,
                             .group = group,
                             .from_ms = hour,
                             .until_ms = hour + MS_PER_HOUR},
                            {0}};
}

/* BYTES without length are of an hour that holds nothing. */
static enum err replace_hour(const struct joining *joining,
                             enum request_form form, const struct buf *bytes)
{
    struct query *query =
        query_start(joining->store, QUERY_REQUEST_HOUR_DELETE);
    query_bind_text(query, 1, joining->hour.org);
    query_bind_int(query, 2, (int64_t)joining->hour.group);
    query_bind_int(query, 3, joining->hour.from_ms);
    enum err err = query_run(query);
    if (err || !bytes->length)
        return err;
    query = query_start(joining->store, QUERY_REQUEST_HOUR_PUT);
    query_bind_text(query, 1, joining->hour.org);
    query_bind_int(query, 2, (int64_t)joining->hour.group);
    query_bind_int(query, 3, joining->hour.from_ms);
    query_bind_blob(query, 4, bytes->data, bytes->length);
    query_bind_int(query, 5, form);
    return query_run(query);
}

static enum err join_whole(const struct joining *joining,
                           enum request_form form)
{
    struct request_event *events;
    struct buf bytes = {0};
    size_t count;
    enum err err = request_events_asked(joining->store, joining->arena,
                                        &joining->hour, &events, &count);
    if (!err && count)
        request_events_encode(&bytes, events, count);
    if (!err)
        err = replace_hour(joining, form, &bytes);
    buf_free(&bytes);
    return err;
}

/* What lies in the store whole, as in former times, by its lines. */
static struct request_runs runs_of_events(struct arena *arena,
                                          const struct request_event *events,
                                          size_t count)
{
    struct request_mark *marks = arena_array(arena, count, sizeof *marks);
    for (size_t i = 0; i < count; i++)
        marks[i] = request_mark_of(&events[i]);
    return request_runs_of(arena, marks, count, NULL, 0);
}

static struct request_runs runs_of_whole(struct arena *arena,
                                         const struct request_list *whole)
{
    size_t count;
    struct request_event *events =
        request_list_settle(arena, whole, INT64_MIN, INT64_MAX, &count);
    return runs_of_events(arena, events, count);
}

/* A run that lost lines tells times and names of the others alone. */
static enum err mark_again(struct joining *joining, struct request_run *run)
{
    struct line_reader lines = {.store = joining->store,
                                .arena = joining->arena,
                                .org = joining->hour.org,
                                .group = joining->hour.group};
    struct request_list events = {0};
    enum err err = request_run_read(&lines, run, &events);
    if (!err)
        *run =
            runs_of_events(joining->arena, events.list, events.count).list[0];
    request_list_free(&events);
    line_reader_free(&lines);
    return err;
}

static enum err gather_runs(void *context, const struct request_hour *hour)
{
    struct joining *joining = context;
    struct request_runs whole = runs_of_whole(joining->arena, &hour->whole);
    enum err err = ERR_NONE;
    joining->runs = request_runs_join(joining->arena, &hour->runs, &whole);
    for (size_t i = 0; !err && i < joining->runs.count; i++)
        if (joining->runs.list[i].lost_some)
            err = mark_again(joining, &joining->runs.list[i]);
    return err;
}

static enum err join_lines(struct joining *joining)
{
    struct buf bytes = {0};
    enum err err = request_hours_each(joining->store, joining->arena,
                                      &joining->hour, gather_runs, joining);
    if (!err && joining->runs.count)
        request_runs_encode(&bytes, joining->hour.from_ms, &joining->runs);
    if (!err)
        err = replace_hour(joining, FORM_LINES, &bytes);
    buf_free(&bytes);
    return err;
}

static enum err join_hour(struct joining *joining)
{
    bool expired = false;
    if (!request_group_is_by_line(joining->hour.group))
        return join_whole(joining, FORM_WHOLE);
    enum err err =
        evidence_day_expired(joining->store, joining->hour.org,
                             clock_day_start(joining->hour.from_ms), &expired);
    if (err)
        return err;
    return expired ? join_whole(joining, FORM_FOR_GOOD) : join_lines(joining);
}

enum err requests_join(struct store *store, bool *found)
{
    struct arena arena = {0};
    struct query *query = query_start(store, QUERY_REQUEST_HOUR_UNJOINED_FIRST);
    enum err err = query_step(query, found);
    if (!err && *found) {
        struct text org = query_copy(&arena, query, 0);
        enum request_group group = (enum request_group)query_int(query, 1);
        struct joining joining =
            joining_of(store, &arena, org, group, query_int(query, 2));
        err = query_run(query);
        if (!err)
            err = join_hour(&joining);
    }
    arena_free(&arena);
    return err;
}

/* ---- before the evidence goes -------------------------------------------- */

struct hour_of_group {
    enum request_group group;
    int64_t hour;
};

static enum err hours_by_line(struct store *store, struct arena *arena,
                              struct text org, int64_t day,
                              struct hour_of_group **hours, size_t *count)
{
    struct query *query = query_start(store, QUERY_REQUEST_HOURS_BY_LINE);
    query_bind_text(query, 1, org);
    query_bind_int(query, 2, day);
    query_bind_int(query, 3, day + MS_PER_DAY);
    bool row;
    enum err err;
    *hours = NULL;
    *count = 0;
    while (!(err = query_step(query, &row)) && row) {
        *hours = arena_grow(arena, *hours, *count, sizeof **hours);
        (*hours)[(*count)++] = (struct hour_of_group){
            (enum request_group)query_int(query, 0), query_int(query, 1)};
    }
    return err;
}

enum err requests_keep(struct store *store, struct text org, int64_t day)
{
    struct arena names = {0};
    struct arena scratch = {0};
    struct hour_of_group *hours;
    size_t count;
    enum err err = hours_by_line(store, &names, org, day, &hours, &count);
    for (size_t i = 0; !err && i < count; i++) {
        struct joining joining =
            joining_of(store, &scratch, org, hours[i].group, hours[i].hour);
        err = join_whole(&joining, FORM_FOR_GOOD);
        arena_clear(&scratch);
    }
    arena_free(&names);
    arena_free(&scratch);
    return err;
}
