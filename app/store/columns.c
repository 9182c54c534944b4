/*
 * columns.c: see columns.h.
 *
 * Rows are gathered with the numbers of their texts, as these came. Only when
 * all are there the texts are numbered anew, in the order in which columns
 * have them, so that what is alike lies together.
 */
#include "store/columns.h"

#include "base/index.h"

#include <stdlib.h>
#include <string.h>

enum { COLUMNS_FORMAT = 1 };
enum { CODE_NEW, CODE_AS_BEFORE, CODE_FIRST };
enum { UNNUMBERED = UINT32_MAX };

/* ---- gathering ----------------------------------------------------------- */

/* A cell whose text is a number in the index. */
struct gathered_cell {
    enum cell_kind kind;
    union {
        int64_t integer;
        double real;
        uint64_t bits; /* of either, and the text */
    };
};

struct gathered_table {
    struct gathered_cell *cells; /* row after row */
    size_t capacity;
    size_t row_count;
    size_t column_count;
};

struct columns {
    struct gathered_table tables[COLUMNS_TABLES_MAX];
    struct text_index texts;
    size_t bytes;
};

struct columns *columns_new(void)
{
    return memory_zeroed(1, sizeof(struct columns));
}

void columns_clear(struct columns *columns)
{
    for (size_t i = 0; i < COLUMNS_TABLES_MAX; i++)
        columns->tables[i].row_count = 0;
    text_index_free(&columns->texts);
    columns->bytes = 0;
}

void columns_free(struct columns *columns)
{
    if (!columns)
        return;
    columns_clear(columns);
    for (size_t i = 0; i < COLUMNS_TABLES_MAX; i++)
        free(columns->tables[i].cells);
    free(columns);
}

static bool holds_bytes(enum cell_kind kind)
{
    return kind == CELL_TEXT || kind == CELL_BLOB;
}

static struct gathered_cell gathered(struct columns *columns,
                                     const struct cell *cell)
{
    struct gathered_cell made = {.kind = cell->kind};
    if (holds_bytes(cell->kind))
        made.bits = text_index_add(&columns->texts, cell->bytes, NULL);
    else if (cell->kind == CELL_REAL)
        made.real = cell->real;
    else if (cell->kind == CELL_INTEGER)
        made.integer = cell->integer;
    columns->bytes += holds_bytes(cell->kind) ? cell->bytes.length + 2 : 4;
    return made;
}

void columns_add(struct columns *columns, size_t table,
                 const struct cell *cells, size_t count)
{
    struct gathered_table *rows = &columns->tables[table];
    if (!rows->row_count)
        rows->column_count = count;
    size_t used = rows->row_count * count;
    if (used + count > rows->capacity) {
        rows->capacity = (used + count) * 2;
        rows->cells =
            memory_resize(rows->cells, rows->capacity * sizeof *rows->cells);
    }
    for (size_t i = 0; i < count; i++)
        rows->cells[used + i] = gathered(columns, &cells[i]);
    rows->row_count++;
}

size_t columns_rows(const struct columns *columns, size_t table)
{
    return columns->tables[table].row_count;
}

size_t columns_bytes(const struct columns *columns)
{
    return columns->bytes;
}

struct columns_mark columns_mark(const struct columns *columns)
{
    struct columns_mark mark = {.bytes = columns->bytes};
    for (size_t i = 0; i < COLUMNS_TABLES_MAX; i++)
        mark.rows[i] = columns->tables[i].row_count;
    return mark;
}

void columns_rewind(struct columns *columns, struct columns_mark mark)
{
    for (size_t i = 0; i < COLUMNS_TABLES_MAX; i++)
        columns->tables[i].row_count = mark.rows[i];
    columns->bytes = mark.bytes;
}

/* ---- writing ------------------------------------------------------------- */

struct encoding {
    struct columns *columns;
    uint32_t *numbers; /* of texts as they were gathered: their new ones */
    uint32_t *codes;   /* likewise, in the column that is written */
    uint32_t *order;   /* of new numbers: as they were gathered */
    size_t numbered;
};

/* The five runs of a column. */
struct column_runs {
    struct buf kinds;
    struct buf steps;
    struct buf reals;
    struct buf codes;
    struct buf sources;
};

static bool same_cell(const struct gathered_cell *a,
                      const struct gathered_cell *b)
{
    return a->kind == b->kind && a->bits == b->bits;
}

static const struct gathered_cell *cell_at(const struct gathered_table *rows,
                                           size_t row, size_t column)
{
    return &rows->cells[row * rows->column_count + column];
}

/* Of the rows at the end that are alike one is written. */
static size_t rows_written(const struct gathered_table *rows, size_t column)
{
    size_t count = rows->row_count;
    while (count > 1 && same_cell(cell_at(rows, count - 1, column),
                                  cell_at(rows, count - 2, column)))
        count--;
    return count;
}

static void write_source(struct encoding *encoding, struct column_runs *runs,
                         size_t text, int64_t *last_source)
{
    uint32_t *number = &encoding->numbers[text];
    if (*number == UNNUMBERED) {
        *number = (uint32_t)encoding->numbered;
        encoding->order[encoding->numbered++] = (uint32_t)text;
        buf_add_varint(&runs->sources, 0);
    } else {
        int64_t step = (int64_t)*number - *last_source;
        uint64_t zigzag = ((uint64_t)step << 1) ^ (uint64_t)(step >> 63);
        buf_add_varint(&runs->sources, 1 + zigzag);
    }
    *last_source = *number;
}

static void write_texts(struct encoding *encoding, struct column_runs *runs,
                        const struct gathered_table *rows, size_t column,
                        size_t count)
{
    uint64_t before = UINT64_MAX;
    uint32_t known = 0;
    int64_t last_source = (int64_t)encoding->numbered;
    for (size_t i = 0; i < encoding->columns->texts.count; i++)
        encoding->codes[i] = UNNUMBERED;
    buf_add_varint(&runs->sources, encoding->numbered);
    for (size_t i = 0; i < count; i++) {
        const struct gathered_cell *cell = cell_at(rows, i, column);
        if (!holds_bytes(cell->kind))
            continue;
        uint32_t *code = &encoding->codes[cell->bits];
        if (cell->bits == before) {
            buf_add_varint(&runs->codes, CODE_AS_BEFORE);
        } else if (*code != UNNUMBERED) {
            buf_add_varint(&runs->codes, CODE_FIRST + (uint64_t)*code);
        } else {
            *code = known++;
            buf_add_varint(&runs->codes, CODE_NEW);
            write_source(encoding, runs, cell->bits, &last_source);
        }
        before = cell->bits;
    }
}

static void write_numbers(struct column_runs *runs,
                          const struct gathered_table *rows, size_t column,
                          size_t count)
{
    uint64_t before = 0;
    for (size_t i = 0; i < count; i++) {
        const struct gathered_cell *cell = cell_at(rows, i, column);
        if (cell->kind == CELL_REAL)
            buf_add_double(&runs->reals, cell->real);
        if (cell->kind != CELL_INTEGER)
            continue;
        buf_add_signed(&runs->steps, (int64_t)(cell->bits - before));
        before = cell->bits;
    }
}

static void write_kinds(struct column_runs *runs,
                        const struct gathered_table *rows, size_t column,
                        size_t count)
{
    for (size_t at = 0; at < count;) {
        enum cell_kind kind = cell_at(rows, at, column)->kind;
        size_t end = at + 1;
        while (end < count && cell_at(rows, end, column)->kind == kind)
            end++;
        buf_add_byte(&runs->kinds, (uint8_t)kind);
        buf_add_varint(&runs->kinds, end - at);
        at = end;
    }
}

static void end_run(struct buf *run, struct buf *out)
{
    buf_add_text(out, (struct text){run->data, run->length});
    buf_clear(run);
}

static void write_column(struct encoding *encoding, struct column_runs *runs,
                         const struct gathered_table *rows, size_t column,
                         struct buf *out)
{
    size_t count = rows_written(rows, column);
    write_kinds(runs, rows, column, count);
    write_numbers(runs, rows, column, count);
    write_texts(encoding, runs, rows, column, count);
    end_run(&runs->kinds, out);
    end_run(&runs->steps, out);
    end_run(&runs->reals, out);
    end_run(&runs->codes, out);
    end_run(&runs->sources, out);
}

static void write_tables(struct encoding *encoding, struct buf *out)
{
    struct column_runs runs = {0};
    struct buf column = {0};
    buf_add_varint(out, COLUMNS_TABLES_MAX);
    for (size_t i = 0; i < COLUMNS_TABLES_MAX; i++) {
        const struct gathered_table *rows = &encoding->columns->tables[i];
        size_t count = rows->row_count ? rows->column_count : 0;
        buf_add_varint(out, rows->row_count);
        buf_add_varint(out, count);
        for (size_t k = 0; k < count; k++) {
            write_column(encoding, &runs, rows, k, &column);
            end_run(&column, out);
        }
    }
    buf_free(&column);
    buf_free(&runs.kinds);
    buf_free(&runs.steps);
    buf_free(&runs.reals);
    buf_free(&runs.codes);
    buf_free(&runs.sources);
}

static void write_all_texts(const struct encoding *encoding, struct buf *out)
{
    const struct text *texts = encoding->columns->texts.texts;
    buf_add_varint(out, encoding->numbered);
    for (size_t i = 0; i < encoding->numbered; i++)
        buf_add_varint(out, texts[encoding->order[i]].length);
    for (size_t i = 0; i < encoding->numbered; i++) {
        struct text text = texts[encoding->order[i]];
        buf_add(out, text.data, text.length);
    }
}

void columns_encode(struct columns *columns, struct buf *out)
{
    size_t count = columns->texts.count;
    struct arena arena = {0};
    struct buf tables = {0};
    struct encoding encoding = {
        .columns = columns,
        .numbers = arena_array(&arena, count, sizeof(uint32_t)),
        .codes = arena_array(&arena, count, sizeof(uint32_t)),
        .order = arena_array(&arena, count, sizeof(uint32_t))};
    for (size_t i = 0; i < count; i++)
        encoding.numbers[i] = UNNUMBERED;
    write_tables(&encoding, &tables);
    buf_add_byte(out, COLUMNS_FORMAT);
    write_all_texts(&encoding, out);
    buf_add(out, tables.data, tables.length);
    buf_free(&tables);
    arena_free(&arena);
}

/* ---- reading ------------------------------------------------------------- */

static bool open_texts(struct arena *arena, struct reader *in,
                       struct column_pack *pack)
{
    uint64_t count = read_varint(in);
    if (in->failed || count > COLUMNS_TEXTS_MAX ||
        count > (uint64_t)(in->end - in->at))
        return false;
    pack->text_count = (size_t)count;
    pack->texts = arena_array(arena, pack->text_count, sizeof *pack->texts);
    for (size_t i = 0; i < pack->text_count; i++)
        pack->texts[i].length = (size_t)read_varint(in);
    for (size_t i = 0; i < pack->text_count; i++)
        pack->texts[i] = read_bytes(in, pack->texts[i].length);
    return !in->failed;
}

static bool open_table(struct arena *arena, struct reader *in,
                       struct column_table *table)
{
    uint64_t rows = read_varint(in);
    uint64_t columns = read_varint(in);
    if (in->failed || rows > COLUMNS_ROWS_MAX ||
        columns > COLUMNS_OF_TABLE_MAX || (rows && !columns))
        return false;
    table->row_count = (size_t)rows;
    table->column_count = (size_t)columns;
    table->columns =
        arena_array(arena, table->column_count, sizeof *table->columns);
    for (size_t i = 0; i < table->column_count; i++)
        table->columns[i] = read_text(in);
    return !in->failed;
}

bool columns_open(struct arena *arena, struct text bytes,
                  struct column_pack *pack)
{
    struct reader in = reader_over(bytes.data, bytes.length);
    *pack = (struct column_pack){0};
    if (read_byte(&in) != COLUMNS_FORMAT || !open_texts(arena, &in, pack))
        return false;
    uint64_t tables = read_varint(&in);
    if (in.failed || tables > COLUMNS_TABLES_MAX)
        return false;
    for (size_t i = 0; i < tables; i++)
        if (!open_table(arena, &in, &pack->tables[i]))
            return false;
    return in.at == in.end;
}

/* A column while it is read. */
struct decoding {
    const struct column_pack *pack;
    struct reader kinds;
    struct reader steps;
    struct reader reals;
    struct reader codes;
    struct reader sources;
    size_t *known; /* texts of the column, by their numbers in it */
    size_t known_count;
    size_t before; /* text of the row before */
    uint64_t number;
    uint64_t source; /* the text that was new last */
    uint64_t next;   /* that no column before this one has */
};

static struct reader run_of(struct reader *in)
{
    struct text run = read_text(in);
    return reader_over(run.data, run.length);
}

static bool read_source(struct decoding *in, size_t *text)
{
    uint64_t source = read_varint(&in->sources);
    if (source) {
        uint64_t zigzag = source - 1;
        in->source += (zigzag >> 1) ^ (0 - (zigzag & 1));
    } else {
        in->source = in->next++;
    }
    *text = (size_t)in->source;
    return !in->sources.failed;
}

static bool read_cell_text(struct decoding *in, struct cell *cell)
{
    uint64_t code = read_varint(&in->codes);
    size_t text = in->before;
    if (code == CODE_NEW) {
        if (!read_source(in, &text))
            return false;
        in->known[in->known_count++] = text;
    } else if (code >= CODE_FIRST) {
        if (code - CODE_FIRST >= in->known_count)
            return false;
        text = in->known[code - CODE_FIRST];
    }
    if (in->codes.failed || text >= in->pack->text_count)
        return false;
    in->before = text;
    cell->bytes = in->pack->texts[text];
    return true;
}

static bool read_cell(struct decoding *in, enum cell_kind kind,
                      struct cell *cell)
{
    cell->kind = kind;
    switch (kind) {
    case CELL_NULL:
        return true;
    case CELL_INTEGER:
        in->number += (uint64_t)read_signed(&in->steps);
        cell->integer = (int64_t)in->number;
        return !in->steps.failed;
    case CELL_REAL:
        cell->real = read_double(&in->reals);
        return !in->reals.failed;
    case CELL_TEXT:
    case CELL_BLOB:
        return read_cell_text(in, cell);
    }
    return false;
}

static struct decoding decoding_of(struct arena *scratch,
                                   const struct column_pack *pack,
                                   struct text column, size_t rows)
{
    struct reader in = reader_over(column.data, column.length);
    struct decoding decoding = {.pack = pack, .before = SIZE_MAX};
    decoding.kinds = run_of(&in);
    decoding.steps = run_of(&in);
    decoding.reals = run_of(&in);
    decoding.codes = run_of(&in);
    decoding.sources = run_of(&in);
    decoding.kinds.failed = in.failed || in.at != in.end;
    decoding.known = arena_array(scratch, rows, sizeof *decoding.known);
    decoding.next = decoding.source = read_varint(&decoding.sources);
    return decoding;
}

static bool read_cells(struct decoding *in, struct cell *cells, size_t rows)
{
    size_t at = 0;
    while (in->kinds.at < in->kinds.end) {
        enum cell_kind kind = read_byte(&in->kinds);
        uint64_t count = read_varint(&in->kinds);
        if (in->kinds.failed || !count || count > rows - at)
            return false;
        for (; count; count--, at++)
            if (!read_cell(in, kind, &cells[at]))
                return false;
    }
    for (; at && at < rows; at++)
        cells[at] = cells[at - 1];
    return at == rows && !in->kinds.failed;
}

struct cell *columns_read(struct arena *arena, const struct column_pack *pack,
                          size_t table, size_t column)
{
    struct arena scratch = {0};
    size_t rows = pack->tables[table].row_count;
    struct cell *cells = arena_array(arena, rows, sizeof *cells);
    struct decoding decoding =
        decoding_of(&scratch, pack, pack->tables[table].columns[column], rows);
    bool sound = read_cells(&decoding, cells, rows);
    arena_free(&scratch);
    return sound ? cells : NULL;
}
