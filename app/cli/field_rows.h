/*
 * field_rows.h: printing rows whose fields a table describes (base/fields.h),
 * column by column as they stand in it.
 */
#ifndef ASSAY_CLI_FIELD_ROWS_H
#define ASSAY_CLI_FIELD_ROWS_H

#include "base/fields.h"
#include "cli/table.h"
#include "rollup/rollup.h"

enum { FIELD_COLUMNS_MAX = 80 };

struct field_rows {
    struct table *table;
    struct fields fields;
    struct column columns[FIELD_COLUMNS_MAX];
    const struct regions *regions; /* that rows are labelled by; null: none */
};

/* Opens ROWS->table on standard output, which is the caller's to close. */
void field_rows_open(struct field_rows *rows, struct fields fields,
                     enum table_format format);

/* Of the column that fields of KIND are printed in. */
enum column_kind column_kind_of(enum field_kind kind);

/* One field of ROW as the next cell. */
void field_print(struct table *table, const struct field *field,
                 const void *row);

MUST_USE enum err field_rows_print(struct field_rows *rows, const void *row);

#endif
