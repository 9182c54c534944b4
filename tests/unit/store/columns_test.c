#include "store/columns.h"

#include "harness.h"

#include <math.h>
#include <string.h>

static struct cell integer(int64_t number)
{
    return (struct cell){.kind = CELL_INTEGER, .integer = number};
}

static struct cell real(double number)
{
    return (struct cell){.kind = CELL_REAL, .real = number};
}

static struct cell text(const char *string)
{
    return (struct cell){.kind = CELL_TEXT, .bytes = text_of(string)};
}

static struct cell blob(const char *data, size_t length)
{
    return (struct cell){.kind = CELL_BLOB, .bytes = {data, length}};
}

static bool same(const struct cell *a, const struct cell *b)
{
    if (a->kind != b->kind)
        return false;
    if (a->kind == CELL_NULL)
        return true;
    if (a->kind == CELL_TEXT || a->kind == CELL_BLOB)
        return text_equal(a->bytes, b->bytes);
    return !memcmp(&a->integer, &b->integer, sizeof a->integer);
}

static struct text bytes_of(const struct buf *buf)
{
    return (struct text){buf->data, buf->length};
}

/* Whether ROWS come back from where they are stored as TABLE of BYTES. */
static bool holds(struct text bytes, size_t table, const struct cell *rows,
                  size_t count, size_t width)
{
    struct arena arena = {0};
    struct column_pack pack;
    bool equal = columns_open(&arena, bytes, &pack) &&
                 pack.tables[table].row_count == count &&
                 pack.tables[table].column_count == (count ? width : 0);
    for (size_t i = 0; equal && count && i < width; i++) {
        struct cell *cells = columns_read(&arena, &pack, table, i);
        equal = cells;
        for (size_t k = 0; equal && k < count; k++)
            equal = same(&cells[k], &rows[k * width + i]);
    }
    arena_free(&arena);
    return equal;
}

enum { WIDTH = 4 };

static struct cell first[][WIDTH] = {
    {{.kind = CELL_TEXT}, {.kind = CELL_NULL}, {.kind = CELL_NULL}},
    {{.kind = CELL_TEXT}, {.kind = CELL_NULL}, {.kind = CELL_NULL}},
    {{.kind = CELL_TEXT}, {.kind = CELL_NULL}, {.kind = CELL_NULL}},
    {{.kind = CELL_TEXT}, {.kind = CELL_NULL}, {.kind = CELL_NULL}},
    {{.kind = CELL_TEXT}, {.kind = CELL_NULL}, {.kind = CELL_NULL}},
};
enum { FIRST_ROWS = sizeof first / sizeof first[0] };

static void fill_first(void)
{
    static const char *const keys[FIRST_ROWS] = {"k1", "k2", "k3", "k2", ""};
    static const int64_t numbers[FIRST_ROWS] = {INT64_MIN, INT64_MAX, 0, -1, 7};
    for (size_t i = 0; i < FIRST_ROWS; i++) {
        first[i][0] = text(keys[i]);
        first[i][1] = integer(numbers[i]);
        first[i][3] = text("all alike");
    }
    first[0][2] = real(-0.0);
    first[1][2] = real((double)NAN);
    first[2][2] = integer(3);
    first[3][2] = blob("\0\1", 2);
    first[4][2] = text("k1");
}

static void add_first(struct columns *columns, size_t table)
{
    for (size_t i = 0; i < FIRST_ROWS; i++)
        columns_add(columns, table, first[i], WIDTH);
}

TEST(columns_of_every_kind_come_back)
{
    fill_first();
    struct cell second[] = {text("k3"), text("k2"), text("new"),
                            text("k1"), text("k1"), text("new")};
    struct columns *columns = columns_new();
    struct buf out = {0};
    add_first(columns, 0);
    for (size_t i = 0; i < 6; i++)
        columns_add(columns, 3, &second[i], 1);
    columns_encode(columns, &out);
    CHECK(holds(bytes_of(&out), 0, first[0], FIRST_ROWS, WIDTH));
    CHECK(holds(bytes_of(&out), 1, NULL, 0, 0));
    CHECK(holds(bytes_of(&out), 3, second, 6, 1));
    buf_free(&out);
    columns_free(columns);
}

TEST(columns_go_back_to_a_mark)
{
    fill_first();
    struct columns *columns = columns_new();
    struct buf once = {0};
    struct buf again = {0};
    add_first(columns, 0);
    columns_encode(columns, &once);
    struct columns_mark mark = columns_mark(columns);
    size_t bytes = columns_bytes(columns);
    struct cell other = text("of no row that stays");
    columns_add(columns, 1, &other, 1);
    CHECK_EQ_INT(columns_rows(columns, 1), 1);
    CHECK(columns_bytes(columns) > bytes);
    columns_rewind(columns, mark);
    CHECK_EQ_INT(columns_rows(columns, 1), 0);
    CHECK_EQ_INT(columns_bytes(columns), bytes);
    columns_encode(columns, &again);
    CHECK(text_equal(bytes_of(&once), bytes_of(&again)));
    columns_clear(columns);
    CHECK_EQ_INT(columns_rows(columns, 0), 0);
    buf_free(&once);
    buf_free(&again);
    columns_free(columns);
}

/* Whether all of BYTES can be read; it must not matter which bytes these are.
 */
static bool is_readable(struct text bytes)
{
    struct arena arena = {0};
    struct column_pack pack;
    bool sound = columns_open(&arena, bytes, &pack);
    for (size_t i = 0; sound && i < COLUMNS_TABLES_MAX; i++)
        for (size_t k = 0; k < pack.tables[i].column_count; k++)
            sound &= columns_read(&arena, &pack, i, k) != NULL;
    arena_free(&arena);
    return sound;
}

TEST(columns_that_are_damaged_are_refused)
{
    fill_first();
    struct columns *columns = columns_new();
    struct buf out = {0};
    add_first(columns, 0);
    columns_encode(columns, &out);
    CHECK(is_readable(bytes_of(&out)));
    for (size_t length = 0; length < out.length; length++)
        CHECK(!is_readable((struct text){out.data, length}));
    for (size_t i = 0; i < out.length; i++) {
        char kept = out.data[i];
        out.data[i] = (char)~kept;
        (void)is_readable(bytes_of(&out));
        out.data[i] = kept;
    }
    out.data[0] = 2;
    CHECK(!is_readable(bytes_of(&out)));
    buf_free(&out);
    columns_free(columns);
}
