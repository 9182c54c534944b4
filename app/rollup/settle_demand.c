/*
 * settle_demand.c: demand rows of one (org, hour): of the sessions that
 * started in it, and of those with status events in it.
 */
#include "rollup/lens_rows.h"
#include "rollup/lens_tables.h"

#include "base/clock.h"

struct part_list {
    struct demand_part *parts;
    size_t count;
};

static void add_part(struct arena *arena, struct part_list *list,
                     const struct session_row *session,
                     const struct gateway_hour_row *hour)
{
    list->parts =
        arena_grow(arena, list->parts, list->count, sizeof *list->parts);
    list->parts[list->count++] = (struct demand_part){session, hour};
}

/* The sessions whose keys QUERY gives. */
static enum err add_sessions(struct store *store, struct arena *arena,
                             struct query *query, struct part_list *list)
{
    struct text_list keys;
    enum err err = read_texts(query, arena, &keys);
    for (size_t i = 0; !err && i < keys.count; i++) {
        struct session_row *session;
        err = session_of_hour(store, arena, keys.texts[i], &session);
        if (!err)
            add_part(arena, list, session, NULL);
    }
    return err;
}

static enum err add_started(struct store *store, struct arena *arena,
                            struct text org, int64_t hour,
                            struct part_list *list)
{
    struct query *query = query_start(store, QUERY_SESSION_STARTED_BETWEEN);
    query_bind_text(query, 1, org);
    query_bind_int(query, 2, hour);
    query_bind_int(query, 3, hour + MS_PER_HOUR);
    return add_sessions(store, arena, query, list);
}

/* Those that start in the hour by lens assay only. */
static enum err add_moved(struct store *store, struct arena *arena,
                          struct text org, int64_t hour, struct part_list *list)
{
    struct query *query = query_start(store, QUERY_SESSION_ASSAY_STARTED);
    query_bind_text(query, 1, org);
    query_bind_int(query, 2, hour);
    return add_sessions(store, arena, query, list);
}

struct sample_list {
    struct gateway_hour_row *rows;
    size_t count;
};

static enum err read_samples(struct store *store, struct arena *arena,
                             struct text org, int64_t hour,
                             struct sample_list *list)
{
    struct query *query = query_start(store, QUERY_GATEWAY_HOUR_OF_HOUR);
    query_bind_text(query, 1, org);
    query_bind_int(query, 2, hour);
    struct row_array all;
    enum err err = fields_read_all(arena, query, gateway_hour_fields,
                                   sizeof *list->rows, &all);
    *list = (struct sample_list){all.rows, all.count};
    return err;
}

static enum err add_sampled(struct store *store, struct arena *arena,
                            struct text org, int64_t hour,
                            struct part_list *list)
{
    struct sample_list samples;
    enum err err = read_samples(store, arena, org, hour, &samples);
    for (size_t i = 0; !err && i < samples.count; i++) {
        struct session_row *session;
        err = session_of_hour(store, arena, samples.rows[i].session_key,
                              &session);
        if (!err)
            add_part(arena, list, session, &samples.rows[i]);
    }
    return err;
}

static enum err write_rows(struct store *store, struct arena *arena,
                           const struct lens_tables *tables, struct text org,
                           int64_t hour, const struct demand_part *parts,
                           size_t part_count)
{
    size_t count;
    struct demand_row *rows =
        demand_build(arena, tables->lens, parts, part_count, &count);
    return hour_rows_replace(store, arena, &tables->demand, hour, org, rows,
                             count);
}

static enum err settle_assay(struct store *store, struct arena *arena,
                             struct text org, int64_t hour,
                             struct part_list *list)
{
    struct demand_part *parts;
    size_t count;
    enum err err = add_moved(store, arena, org, hour, list);
    if (err)
        return err;
    if (!lens_demand_parts(arena, list->parts, list->count, hour, &parts,
                           &count))
        return damaged_difference(org);
    return write_rows(store, arena, &lens_tables[KEPT_ASSAY], org, hour, parts,
                      count);
}

enum err settle_demand(struct store *store, struct arena *arena,
                       struct text org, int64_t hour)
{
    struct part_list list = {0};
    enum err err = add_started(store, arena, org, hour, &list);
    if (!err)
        err = add_sampled(store, arena, org, hour, &list);
    if (!err)
        err = write_rows(store, arena, &lens_tables[KEPT_PUBLISHED], org, hour,
                         list.parts, list.count);
    return err ? err : settle_assay(store, arena, org, hour, &list);
}
