/*
 * table_test.c: the three forms of a table, byte by byte.
 */
#include "cli/table.h"
#include "harness.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const struct column columns[] = {{"name", COLUMN_TEXT},
                                        {"count", COLUMN_INT},
                                        {"share", COLUMN_DOUBLE},
                                        {"cold", COLUMN_FLAG}};

static const struct {
    struct text name;
    int64_t count;
    double share;
    bool cold;
} cells[] = {
    {{"plain", 5}, 1, 0.5, false},
    {{"", 0}, INT64_MIN, NAN, true},
    {{"a,\"b\"\r\n\t\0\x1b[2J", 13}, -20, 0.1 + 0.2, false},
    {{"\xc3\xa4\xff\xed\xa0\x80", 6}, 3, -INFINITY, true},
    {{"\xc2\x9b", 2}, 4, 1e300, true},
};

/* All cells in FORMAT, to be freed; the first row's name as null. */
static char *print(enum table_format format)
{
    char *bytes = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&bytes, &length);
    REQUIRE(out != NULL);
    struct table *table = table_open(out, format, columns, 4);
    for (size_t i = 0; i < sizeof cells / sizeof *cells; i++) {
        table_text(table, cells[i].name);
        table_int(table, cells[i].count);
        table_double(table, cells[i].share);
        table_flag(table, cells[i].cold);
        CHECK_OK(table_end_row(table));
    }
    for (size_t i = 0; i < 4; i++)
        table_null(table);
    CHECK_OK(table_end_row(table));
    CHECK_OK(table_close(table));
    fclose(out);
    /* The only zero byte is the one that was put in. */
    for (size_t i = 0; i < length; i++)
        bytes[i] = bytes[i] ? bytes[i] : '0';
    return bytes;
}

TEST(ndjson)
{
    char *text = print(TABLE_NDJSON);
    CHECK_EQ_TEXT(
        text,
        "{\"name\":\"plain\",\"count\":1,\"share\":0.5,\"cold\":0}\n"
        "{\"name\":\"\",\"count\":-9223372036854775808,\"share\":null,"
        "\"cold\":1}\n"
        "{\"name\":\"a,\\\"b\\\"\\r\\n\\t\\u0000\\u001B[2J\",\"count\":-20,"
        "\"share\":0.30000000000000004,\"cold\":0}\n"
        "{\"name\":\"\xc3\xa4\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"
        "\",\"count\":3,\"share\":null,\"cold\":1}\n"
        "{\"name\":\"\xc2\x9b\",\"count\":4,\"share\":1e+300,\"cold\":1}\n"
        "{\"name\":null,\"count\":null,\"share\":null,\"cold\":null}\n");
    free(text);
}

TEST(csv)
{
    char *text = print(TABLE_CSV);
    CHECK_EQ_TEXT(text, "name,count,share,cold\r\n"
                        "plain,1,0.5,0\r\n"
                        "\"\",-9223372036854775808,,1\r\n"
                        "\"a,\"\"b\"\"\r\n\t0\x1b[2J\",-20,"
                        "0.30000000000000004,0\r\n"
                        "\xc3\xa4\xff\xed\xa0\x80,3,,1\r\n"
                        "\xc2\x9b,4,1e+300,1\r\n"
                        ",,,\r\n");
    free(text);
}

TEST(aligned)
{
    char *text = print(TABLE_ALIGNED);
    CHECK_EQ_TEXT(
        text,
        "name                          count                share  cold\n"
        "plain                             1                  0.5     0\n"
        "               -9223372036854775808                    -     1\n"
        "a,\"b\"?????[2J                   -20  0.30000000000000004     0\n"
        "\xc3\xa4\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"
        "                             3                    -     1\n"
        "??                                4               1e+300     1\n"
        "-                                 -                    -     -\n");
    free(text);
}

TEST(a_table_without_rows_has_its_heading)
{
    static const struct {
        enum table_format format;
        const char *text;
    } rows[] = {{TABLE_NDJSON, ""},
                {TABLE_CSV, "name,count,share,cold\r\n"},
                {TABLE_ALIGNED, "name  count  share  cold\n"}};
    EACH_ROW (row, rows) {
        char *bytes = NULL;
        size_t length = 0;
        FILE *out = open_memstream(&bytes, &length);
        REQUIRE(out != NULL);
        CHECK_OK(table_close(table_open(out, row->format, columns, 4)));
        fclose(out);
        CHECK_EQ_TEXT(bytes, row->text);
        free(bytes);
    }
}

TEST(a_full_disk_is_told_while_rows_are_printed)
{
    for (int format = TABLE_NDJSON; format <= TABLE_ALIGNED; format++) {
        FILE *out = fopen("/dev/full", "w");
        REQUIRE(out != NULL);
        struct table *table =
            table_open(out, (enum table_format)format, columns, 4);
        enum err err = ERR_NONE;
        size_t rows = 0;
        for (; !err && rows < 10000; rows++) {
            for (size_t i = 0; i < 4; i++)
                table_null(table);
            err = table_end_row(table);
        }
        if (format != TABLE_ALIGNED)
            CHECK_ERR(err, ERR_FULL);
        CHECK_ERR(table_close(table), ERR_FULL);
        fclose(out);
    }
}

TEST(formats_have_names)
{
    CHECK_EQ_INT(table_format_named(NULL), TABLE_NDJSON);
    CHECK_EQ_INT(table_format_named("ndjson"), TABLE_NDJSON);
    CHECK_EQ_INT(table_format_named("csv"), TABLE_CSV);
    CHECK_EQ_INT(table_format_named("table"), TABLE_ALIGNED);
}
