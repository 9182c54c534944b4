/*
 * columns.h: rows of several tables, column by column, in few bytes.
 *
 * Rows that are about the same things repeat themselves: down a column, and
 * from table to table. So every text stands once, and a column says which one
 * its rows have; numbers are the steps from row to row. What comes out is to be
 * compressed, and mostly tells of texts that are nowhere else.
 *
 *     1, the texts, how many tables, of each how many rows and columns, and
 *     the bytes of its columns
 *
 * Of the texts first all lengths stand, then all bytes. A column is five runs
 * of bytes, each with its length before it: kinds (a kind, and for how many
 * rows), steps of integers, reals, codes of texts, and sources of texts that
 * are new to the column. A code is 0 for a new one, 1 for that of the row
 * before, else 2 and its number among those of the column. A source is 0 for
 * the next text of all, else 1 and the step from the last source. Rows that the
 * kinds do not reach are as the last one they reach.
 *
 * Turned down: SQLite's own records under a dictionary, which stay twice as
 * large, and a form for each table, which would be three more to keep in step
 * with the schema.
 */
#ifndef ASSAY_STORE_COLUMNS_H
#define ASSAY_STORE_COLUMNS_H

#include "base/arena.h"
#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum cell_kind { CELL_NULL, CELL_INTEGER, CELL_REAL, CELL_TEXT, CELL_BLOB };

/* One value of a row, as SQLite knows them. */
struct cell {
    enum cell_kind kind;
    union {
        int64_t integer;
        double real;
        struct text bytes; /* of CELL_TEXT and CELL_BLOB; borrowed */
    };
};

enum {
    COLUMNS_TABLES_MAX = 8,
    COLUMNS_ROWS_MAX = 65536, /* of one table */
    COLUMNS_OF_TABLE_MAX = 256,
    COLUMNS_TEXTS_MAX = 1 << 20
};

/* ---- writing ------------------------------------------------------------- */

struct columns;

struct columns *columns_new(void);
void columns_free(struct columns *columns);
void columns_clear(struct columns *columns);

/* Adds a row of COUNT cells to TABLE; all rows of a table have as many. What
 * cells borrow is copied. */
void columns_add(struct columns *columns, size_t table,
                 const struct cell *cells, size_t count);

/* How many rows of TABLE there are, and what all rows together would take
 * without any coding. */
size_t columns_rows(const struct columns *columns, size_t table);
size_t columns_bytes(const struct columns *columns);

/* Where rows end, and back to there. */
struct columns_mark {
    size_t rows[COLUMNS_TABLES_MAX];
    size_t bytes;
};
struct columns_mark columns_mark(const struct columns *columns);
void columns_rewind(struct columns *columns, struct columns_mark mark);

/* Appends all rows to OUT. */
void columns_encode(struct columns *columns, struct buf *out);

/* ---- reading ------------------------------------------------------------- */

struct column_table {
    size_t row_count;
    size_t column_count;
    struct text *columns; /* their bytes */
};

struct column_pack {
    struct text *texts;
    size_t text_count;
    struct column_table tables[COLUMNS_TABLES_MAX];
};

/* Finds the parts of BYTES, which must stay; lists lie in ARENA. False where
 * they are not what columns_encode wrote. */
bool columns_open(struct arena *arena, struct text bytes,
                  struct column_pack *pack);

/* All cells of one column, in ARENA; null where they are damaged. */
struct cell *columns_read(struct arena *arena, const struct column_pack *pack,
                          size_t table, size_t column);

#endif
