/*
 * columns_fuzz.c: any bytes as stored rows. They are refused, or give the same
 * rows when they are stored again.
 */
#include "store/columns.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { CELLS_MAX = 1 << 18 };

static bool equal(const struct cell *a, const struct cell *b)
{
    if (a->kind != b->kind)
        return false;
    switch (a->kind) {
    case CELL_NULL:
        return true;
    case CELL_INTEGER:
        return a->integer == b->integer;
    case CELL_REAL:
        return !memcmp(&a->real, &b->real, sizeof a->real);
    case CELL_TEXT:
    case CELL_BLOB:
        return text_equal(a->bytes, b->bytes);
    }
    return false;
}

/* The cells of a table, row after row; null where a column is damaged. */
static struct cell *rows_of(struct arena *arena, const struct column_pack *pack,
                            size_t table)
{
    size_t rows = pack->tables[table].row_count;
    size_t count = pack->tables[table].column_count;
    struct cell *cells = arena_array(arena, rows * count, sizeof *cells);
    for (size_t i = 0; i < count; i++) {
        struct cell *column = columns_read(arena, pack, table, i);
        for (size_t k = 0; column && k < rows; k++)
            cells[k * count + i] = column[k];
        if (!column)
            return NULL;
    }
    return cells;
}

static void store_again(struct arena *arena, const struct column_pack *pack,
                        struct cell *const *tables)
{
    struct columns *columns = columns_new();
    struct column_pack again;
    struct buf out = {0};
    for (size_t i = 0; i < COLUMNS_TABLES_MAX; i++)
        for (size_t k = 0; k < pack->tables[i].row_count; k++)
            columns_add(columns, i,
                        tables[i] + k * pack->tables[i].column_count,
                        pack->tables[i].column_count);
    columns_encode(columns, &out);
    if (!columns_open(arena, (struct text){out.data, out.length}, &again))
        abort();
    for (size_t i = 0; i < COLUMNS_TABLES_MAX; i++) {
        struct cell *cells = rows_of(arena, &again, i);
        size_t count = pack->tables[i].row_count * pack->tables[i].column_count;
        for (size_t k = 0; k < count; k++)
            if (!cells || !equal(&tables[i][k], &cells[k]))
                abort();
    }
    buf_free(&out);
    columns_free(columns);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena = {0};
    struct column_pack pack;
    struct cell *tables[COLUMNS_TABLES_MAX];
    size_t cells = 0;
    bool sound =
        columns_open(&arena, (struct text){(const char *)data, size}, &pack);
    for (size_t i = 0; sound && i < COLUMNS_TABLES_MAX; i++)
        cells += pack.tables[i].row_count * pack.tables[i].column_count;
    sound = sound && cells < CELLS_MAX;
    for (size_t i = 0; sound && i < COLUMNS_TABLES_MAX; i++)
        sound = (tables[i] = rows_of(&arena, &pack, i));
    if (sound)
        store_again(&arena, &pack, tables);
    arena_free(&arena);
    return 0;
}
