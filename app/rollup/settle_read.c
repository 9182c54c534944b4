/*
 * settle_read.c: whole results of queries into arrays.
 */
#include "rollup/settle_int.h"

enum err read_selections(struct query *query, struct arena *arena,
                         struct selection_list *list)
{
    struct row_array all;
    enum err err = fields_read_all(arena, query, selection_fields,
                                   sizeof *list->rows, &all);
    *list = (struct selection_list){all.rows, all.count};
    return err;
}

enum err read_sla(struct query *query, struct fields fields,
                  struct arena *arena, struct sla_list *list)
{
    struct row_array all;
    enum err err =
        fields_read_all(arena, query, fields, sizeof *list->rows, &all);
    *list = (struct sla_list){all.rows, all.count};
    return err;
}

enum err read_benchmarks(struct query *query, struct fields fields,
                         struct arena *arena, struct benchmark_list *list)
{
    struct row_array all;
    enum err err =
        fields_read_all(arena, query, fields, sizeof *list->rows, &all);
    *list = (struct benchmark_list){all.rows, all.count};
    return err;
}

enum err read_texts(struct query *query, struct arena *arena,
                    struct text_list *list)
{
    bool row;
    enum err err;
    *list = (struct text_list){0};
    while (!(err = query_step(query, &row)) && row) {
        list->texts =
            arena_grow(arena, list->texts, list->count, sizeof *list->texts);
        list->texts[list->count++] = query_copy(arena, query, 0);
    }
    return err;
}
