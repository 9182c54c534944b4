/*
 * table.h: rows for people and programs, streamed to standard output.
 *
 * The caller names its columns once, then gives each row cell by cell in that
 * order and ends it. NDJSON and CSV leave row by row; the aligned form for
 * terminals keeps what it is given until close, because a width is known only
 * at the end. The first failure to write is kept and returned by every later
 * table_end_row() and by table_close().
 *
 * Null is null in NDJSON, an empty field in CSV (an empty text is "" there),
 * and "-" in the aligned form. Doubles are the shortest text that reads back
 * as the same double; NaN and infinities are nulls.
 *
 *     struct table *table = table_open(stdout, TABLE_NDJSON, columns, 3);
 *     table_text(table, text_of("a"));
 *     table_int(table, 1);
 *     table_null(table);
 *     err = table_end_row(table);
 *     ...
 *     closed = table_close(table);
 */
#ifndef ASSAY_CLI_TABLE_H
#define ASSAY_CLI_TABLE_H

#include "base/buf.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct table;

enum table_format { TABLE_NDJSON, TABLE_CSV, TABLE_ALIGNED };

/* For help and OPTION_CHOICE: the names of the formats, and the way back;
 * null means the default, ndjson. */
#define TABLE_FORMATS "ndjson|csv|table"
enum table_format table_format_named(const char *name);

/* Decides the alignment only: text stands left, numbers right. A cell of
 * another kind than its column is allowed, as SQL values are. */
enum column_kind { COLUMN_TEXT, COLUMN_INT, COLUMN_DOUBLE, COLUMN_FLAG };

struct column {
    const char *name;
    enum column_kind kind;
};

/* COLUMNS is borrowed until close. CSV writes its heading at once. */
struct table *table_open(FILE *out, enum table_format format,
                         const struct column *columns, size_t count);

void table_null(struct table *table);
/* Bytes that are not UTF-8 leave as U+FFFD in NDJSON, unchanged in CSV. */
void table_text(struct table *table, struct text value);
void table_int(struct table *table, int64_t value);
void table_double(struct table *table, double value);
/* 0 or 1. */
void table_flag(struct table *table, bool value);

/* A row short of cells, or with too many, ends the process. */
MUST_USE enum err table_end_row(struct table *table);

/* Foreign TEXT as a terminal may see it: UTF-8, with '?' for each control
 * character. */
void buf_add_for_terminal(struct buf *out, struct text text);

/* Writes what is left, flushes, frees. ERR_STOPPED where the reader has gone,
 * ERR_FULL where the disk is full, ERR_STORE for any other failed write. */
MUST_USE enum err table_close(struct table *table);

/* The same three codes for what was printed to FILE so far; for commands that
 * print without a table. */
MUST_USE enum err output_finish(FILE *out);

#endif
