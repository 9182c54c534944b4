/*
 * settle_sketches.c: the distributions of one (lens, organisation, day), merged
 * from those of its hours; written only where they come out different.
 */
#include "rollup/lens_tables.h"
#include "rollup/sketch_groups.h"

#include "base/clock.h"

static enum err merge_hours(struct store *store,
                            const struct lens_tables *tables, struct text org,
                            int64_t day, struct sketch_groups *groups)
{
    struct query *query = query_start(store, tables->sketches_between);
    query_bind_int(query, 1, day);
    query_bind_int(query, 2, day + MS_PER_DAY);
    query_bind_text(query, 3, org);
    bool row;
    enum err err;
    while (!(err = query_step(query, &row)) && row) {
        struct text encoded[SKETCH_METRICS];
        struct sketch_key key = {query_text(query, 1), query_text(query, 2),
                                 query_text(query, 3), query_text(query, 4)};
        if (query_is_null(query, 5))
            continue;
        if (!sketches_read(query_text(query, 5), encoded) ||
            !sketch_groups_add(groups, &key, encoded, query_int(query, 0))) {
            err = damaged_difference(org);
            break;
        }
    }
    return err;
}

static void bind_key(struct query *query, const struct lens_tables *tables,
                     struct text org, int64_t day)
{
    query_bind_int(query, 1, tables - lens_tables);
    query_bind_int(query, 2, day);
    query_bind_text(query, 3, org);
}

static enum err is_same(struct store *store, const struct lens_tables *tables,
                        struct text org, int64_t day,
                        const struct sketch_day *made, bool *same)
{
    struct query *query = query_start(store, QUERY_SKETCH_DAY_GET);
    bind_key(query, tables, org, day);
    bool row;
    enum err err = query_step(query, &row);
    *same = !err && row && query_int(query, 0) == made->last_window &&
            text_equal(query_text(query, 1), made->keys);
    for (int i = 0; *same && i < SKETCH_METRICS; i++)
        *same = text_equal(query_text(query, 2 + i), made->metrics[i]);
    return !err && row ? query_run(query) : err;
}

static enum err put(struct store *store, const struct lens_tables *tables,
                    struct text org, int64_t day, const struct sketch_day *made)
{
    struct query *query = query_start(store, QUERY_SKETCH_DAY_PUT);
    bind_key(query, tables, org, day);
    query_bind_int(query, 4, made->last_window);
    query_bind_blob(query, 5, made->keys.data, made->keys.length);
    for (int i = 0; i < SKETCH_METRICS; i++)
        query_bind_blob(query, 6 + i, made->metrics[i].data,
                        made->metrics[i].length);
    return query_run(query);
}

static enum err remove_day(struct store *store,
                           const struct lens_tables *tables, struct text org,
                           int64_t day)
{
    struct query *query = query_start(store, QUERY_SKETCH_DAY_DELETE);
    bind_key(query, tables, org, day);
    return query_run(query);
}

static enum err replace(struct store *store, struct arena *arena,
                        const struct lens_tables *tables, struct text org,
                        int64_t day, struct sketch_groups *groups)
{
    bool same;
    if (!groups->count)
        return remove_day(store, tables, org, day);
    sketch_groups_sort(groups);
    struct sketch_day made = sketch_day_encode(arena, groups);
    enum err err = is_same(store, tables, org, day, &made, &same);
    return err || same ? err : put(store, tables, org, day, &made);
}

enum err settle_sketches(struct store *store, struct arena *arena,
                         const struct lens_tables *tables, struct text org,
                         int64_t day)
{
    struct sketch_groups groups = {0};
    enum err err = merge_hours(store, tables, org, day, &groups);
    if (!err)
        err = replace(store, arena, tables, org, day, &groups);
    sketch_groups_free(&groups);
    return err;
}
