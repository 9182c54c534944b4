/*
 * table.c: see table.h.
 *
 * A row is put together in one buffer and leaves with one fwrite. The aligned
 * form keeps all cells as texts in an arena: it is for people, who do not read
 * a million rows.
 *
 * Cells quote foreign text. For a terminal, control characters become '?', so
 * that no event paints over the table; the other forms escape or quote.
 */
#include "cli/table.h"

#include "base/arena.h"
#include "base/json.h"
#include "base/utf8.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { GAP_COLUMNS = 2 };

/* A row kept for the aligned form: as many cells as there are columns. */
struct kept_row {
    struct kept_row *next;
    const char *cells[];
};

struct table {
    FILE *out;
    enum table_format format;
    const struct column *columns;
    size_t count;
    size_t at; /* the column of the next cell */
    enum err err;
    struct buf row;      /* NDJSON and CSV: the present row */
    struct buf cell;     /* scratch for one cell */
    struct buf repaired; /* its text as UTF-8 */
    struct arena arena;
    struct kept_row *first;
    struct kept_row *last;
    size_t *widths; /* in characters */
};

enum table_format table_format_named(const char *name)
{
    if (name && strcmp(name, "csv") == 0)
        return TABLE_CSV;
    if (name && strcmp(name, "table") == 0)
        return TABLE_ALIGNED;
    return TABLE_NDJSON;
}

/* ---- writing ------------------------------------------------------------- */

static enum err write_failure(void)
{
    switch (errno) {
    case EPIPE:
        return err_set(ERR_STOPPED, "standard output was closed by its reader "
                                    "before all was written");
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return err_set(ERR_FULL, "standard output: no space left");
    default:
        return err_set(ERR_STORE, "standard output: %s", strerror(errno));
    }
}

enum err output_finish(FILE *out)
{
    /* After an earlier failure errno is gone; a flush may bring it back. */
    errno = 0;
    bool failed = ferror(out);
    if (fflush(out) == 0 && !failed)
        return ERR_NONE;
    if (!errno)
        errno = EIO;
    return write_failure();
}

static void write_bytes(struct table *table, const char *bytes, size_t length)
{
    if (table->err || !length)
        return;
    if (fwrite(bytes, 1, length, table->out) != length)
        table->err = write_failure();
}

static void write_blanks(struct table *table, size_t count)
{
    static const char blanks[] = "                                ";
    while (count) {
        size_t piece = count < sizeof blanks - 1 ? count : sizeof blanks - 1;
        write_bytes(table, blanks, piece);
        count -= piece;
    }
}

void buf_add_for_terminal(struct buf *out, struct text text)
{
    size_t start = out->length;
    buf_add_repaired(out, text);
    for (size_t i = start; i < out->length; i++) {
        unsigned char byte = (unsigned char)out->data[i];
        bool wide = byte == 0xc2 && (unsigned char)out->data[i + 1] < 0xa0;
        if (byte < 0x20 || byte == 0x7f || wide)
            out->data[i] = '?';
        /* The second set of controls is two bytes long. */
        if (wide)
            out->data[i + 1] = '?';
    }
}

static size_t characters(const char *text)
{
    size_t count = 0;
    for (; *text; text++)
        count += ((unsigned char)*text & 0xc0) != 0x80;
    return count;
}

/* ---- cells --------------------------------------------------------------- */

/* CELL is what a person reads; it is kept for the end. */
static void keep_cell(struct table *table, struct text cell)
{
    if (!table->at) {
        struct kept_row *row = arena_alloc(
            &table->arena, sizeof *row + table->count * sizeof *row->cells);
        if (table->last)
            table->last->next = row;
        else
            table->first = row;
        table->last = row;
    }
    char *copy = arena_text(&table->arena, cell.data, cell.length);
    size_t width = characters(copy);
    table->last->cells[table->at] = copy;
    if (width > table->widths[table->at])
        table->widths[table->at] = width;
}

/* A cell whose text needs neither quotes nor escapes; null has a text of its
 * own in each form. */
static void add_cell(struct table *table, struct text json, struct text csv,
                     struct text aligned)
{
    if (table->at >= table->count)
        abort();
    if (table->format == TABLE_ALIGNED) {
        keep_cell(table, aligned);
    } else if (table->format == TABLE_CSV) {
        if (table->at)
            buf_add_byte(&table->row, ',');
        buf_add(&table->row, csv.data, csv.length);
    } else {
        struct json_writer writer = {.out = &table->row,
                                     .need_comma = table->at > 0};
        if (!table->at)
            buf_add_byte(&table->row, '{');
        json_key(&writer, table->columns[table->at].name);
        json_raw(&writer, json);
    }
    table->at++;
}

static struct text scratch(struct table *table)
{
    return (struct text){table->cell.data, table->cell.length};
}

static bool needs_quotes(struct text value)
{
    if (!value.length)
        return true;
    for (size_t i = 0; i < value.length; i++) {
        if (memchr(",\"\r\n", value.data[i], 4))
            return true;
    }
    /* Some readers take blanks at the ends away. */
    return value.data[0] == ' ' || value.data[value.length - 1] == ' ';
}

static void quote(struct buf *out, struct text value)
{
    buf_add_byte(out, '"');
    for (size_t i = 0; i < value.length; i++) {
        if (value.data[i] == '"')
            buf_add_byte(out, '"');
        buf_add_byte(out, (uint8_t)value.data[i]);
    }
    buf_add_byte(out, '"');
}

static void add_json_text(struct table *table, struct text value)
{
    struct json_writer writer = {.out = &table->cell};
    buf_clear(&table->repaired);
    buf_add_repaired(&table->repaired, value);
    json_text(&writer, (struct text){buf_string(&table->repaired),
                                     table->repaired.length});
}

void table_text(struct table *table, struct text value)
{
    buf_clear(&table->cell);
    if (table->format == TABLE_ALIGNED)
        buf_add_for_terminal(&table->cell, value);
    else if (table->format == TABLE_NDJSON)
        add_json_text(table, value);
    else if (needs_quotes(value))
        quote(&table->cell, value);
    else
        buf_add(&table->cell, value.data, value.length);
    struct text cell = scratch(table);
    add_cell(table, cell, cell, cell);
}

void table_null(struct table *table)
{
    add_cell(table, text_of("null"), text_of(""), text_of("-"));
}

void table_int(struct table *table, int64_t value)
{
    buf_clear(&table->cell);
    buf_printf(&table->cell, "%lld", (long long)value);
    struct text cell = scratch(table);
    add_cell(table, cell, cell, cell);
}

void table_double(struct table *table, double value)
{
    char digits[32];
    if (!isfinite(value)) {
        table_null(table);
        return;
    }
    struct text cell = {digits, double_text(value, digits)};
    add_cell(table, cell, cell, cell);
}

void table_flag(struct table *table, bool value)
{
    table_int(table, value);
}

/* ---- rows ---------------------------------------------------------------- */

static void write_csv_heading(struct table *table)
{
    for (size_t i = 0; i < table->count; i++) {
        if (i)
            buf_add_byte(&table->row, ',');
        buf_add_string(&table->row, table->columns[i].name);
    }
    buf_add_string(&table->row, "\r\n");
    write_bytes(table, table->row.data, table->row.length);
    buf_clear(&table->row);
}

struct table *table_open(FILE *out, enum table_format format,
                         const struct column *columns, size_t count)
{
    struct table *table = memory_zeroed(1, sizeof *table);
    table->out = out;
    table->format = format;
    table->columns = columns;
    table->count = count;
    if (format == TABLE_CSV)
        write_csv_heading(table);
    if (format == TABLE_ALIGNED) {
        table->widths =
            arena_array(&table->arena, count, sizeof *table->widths);
        for (size_t i = 0; i < count; i++)
            table->widths[i] = characters(columns[i].name);
    }
    return table;
}

enum err table_end_row(struct table *table)
{
    if (table->at != table->count)
        abort();
    table->at = 0;
    if (table->format == TABLE_ALIGNED)
        return table->err;
    buf_add_string(&table->row, table->format == TABLE_CSV ? "\r\n" : "}\n");
    write_bytes(table, table->row.data, table->row.length);
    buf_clear(&table->row);
    return table->err;
}

/* ---- the aligned form ---------------------------------------------------- */

static void write_aligned_cell(struct table *table, size_t i, const char *text)
{
    bool right = table->columns[i].kind != COLUMN_TEXT;
    bool last = i + 1 == table->count;
    size_t padding = table->widths[i] - characters(text);
    if (right)
        write_blanks(table, padding);
    write_bytes(table, text, strlen(text));
    if (!right && !last)
        write_blanks(table, padding);
    if (last)
        write_bytes(table, "\n", 1);
    else
        write_blanks(table, GAP_COLUMNS);
}

static void write_aligned(struct table *table)
{
    for (size_t i = 0; i < table->count; i++)
        write_aligned_cell(table, i, table->columns[i].name);
    for (const struct kept_row *row = table->first; row && !table->err;
         row = row->next) {
        for (size_t i = 0; i < table->count; i++)
            write_aligned_cell(table, i, row->cells[i]);
    }
}

enum err table_close(struct table *table)
{
    if (table->format == TABLE_ALIGNED)
        write_aligned(table);
    enum err err = table->err;
    if (!err)
        err = output_finish(table->out);
    buf_free(&table->row);
    buf_free(&table->cell);
    buf_free(&table->repaired);
    arena_free(&table->arena);
    free(table);
    return err;
}
