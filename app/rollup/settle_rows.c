/*
 * settle_rows.c: the rows of one (org, hour) into their table. Only those that
 * come out different are written: most of an hour stays as it was when one of
 * its sessions has a status more.
 */
#include "rollup/settle_int.h"

/* The rows that are there, in the order of their positions. */
static enum err read_rows(struct store *store, struct arena *arena,
                          const struct hour_table *table, int64_t hour,
                          struct text org, struct row_array *rows)
{
    struct query *query = query_start(store, table->of_hour);
    query_bind_int(query, 1, hour);
    query_bind_text(query, 2, org);
    return fields_read_all(arena, query, *table->fields, table->row_bytes,
                           rows);
}

static enum err delete_from(struct store *store, const struct hour_table *table,
                            int64_t hour, struct text org, size_t position)
{
    struct query *query = query_start(store, table->delete_from);
    query_bind_int(query, 1, hour);
    query_bind_text(query, 2, org);
    query_bind_int(query, 3, (int64_t)position);
    return query_run(query);
}

enum err hour_rows_replace(struct store *store, struct arena *arena,
                           const struct hour_table *table, int64_t hour,
                           struct text org, const void *rows, size_t count)
{
    struct row_array before;
    enum err err = read_rows(store, arena, table, hour, org, &before);
    if (!err && before.count > count)
        err = delete_from(store, table, hour, org, count);
    for (size_t i = 0; !err && i < count; i++) {
        const void *row = (const char *)rows + i * table->row_bytes;
        if (i < before.count &&
            fields_equal(*table->fields,
                         (char *)before.rows + i * table->row_bytes, row))
            continue;
        struct query *query = query_start(store, table->put);
        fields_bind(query, 1, *table->fields, row);
        err = query_run(query);
    }
    return err;
}
