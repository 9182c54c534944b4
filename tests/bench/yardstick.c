/*
 * yardstick.c: what the parts of taking telemetry cost alone.
 *
 *     yardstick parse|sha256|sqlite FILE
 *
 * Over the lines of FILE, which is read before the clock starts: parsing each
 * with yyjson into a pool that is used again; SHA-256 of each; inserting each
 * as a row of one text into SQLite, ten thousand a transaction, write-ahead
 * log, checkpoint included. Writes {"events", "cpu_seconds", "bytes"}.
 */
#include "base/hash.h"

#include <sqlite3.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <yyjson.h>

enum { POOL_BYTES = 16 << 20, ROWS_PER_TRANSACTION = 10000 };

struct text_line {
    const char *data;
    size_t length;
};

static struct text_line *lines;
static size_t line_count;

static void fail(const char *what)
{
    fprintf(stderr, "yardstick: %s\n", what);
    exit(1);
}

static void read_lines(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (!file || fseek(file, 0, SEEK_END))
        fail("cannot read the file");
    size_t length = (size_t)ftell(file);
    char *bytes = malloc(length);
    rewind(file);
    if (!bytes || fread(bytes, 1, length, file) != length)
        fail("cannot read the file");
    fclose(file);
    const char *at = bytes;
    while (at < bytes + length) {
        const char *end = memchr(at, '\n', (size_t)(bytes + length - at));
        if (!end)
            end = bytes + length;
        if ((line_count & (line_count - 1)) == 0)
            lines = realloc(lines, (line_count * 2 + 1) * sizeof *lines);
        if (!lines)
            fail("no memory");
        lines[line_count++] = (struct text_line){at, (size_t)(end - at)};
        at = end + 1;
    }
}

static size_t parse(void)
{
    char *pool = malloc(POOL_BYTES);
    size_t values = 0;
    for (size_t i = 0; pool && i < line_count; i++) {
        yyjson_alc allocator;
        yyjson_alc_pool_init(&allocator, pool, POOL_BYTES);
        yyjson_doc *document =
            yyjson_read_opts((char *)(uintptr_t)lines[i].data, lines[i].length,
                             0, &allocator, NULL);
        if (!document)
            fail("a line is not JSON");
        values += yyjson_doc_get_val_count(document);
    }
    free(pool);
    return values;
}

static size_t hash_all(void)
{
    size_t bytes = 0;
    for (size_t i = 0; i < line_count; i++) {
        uint8_t digest[SHA256_BYTES];
        hash_sha256(lines[i].data, lines[i].length, digest);
        bytes += digest[0];
    }
    return bytes;
}

static void run_sql(sqlite3 *database, const char *sql)
{
    if (sqlite3_exec(database, sql, NULL, NULL, NULL) != SQLITE_OK)
        fail(sqlite3_errmsg(database));
}

static size_t insert_all(void)
{
    sqlite3 *database;
    sqlite3_stmt *insert;
    if (sqlite3_open("yardstick.db", &database) != SQLITE_OK)
        fail("cannot open a database");
    run_sql(database, "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;"
                      "CREATE TABLE line (line TEXT); BEGIN");
    sqlite3_prepare_v2(database, "INSERT INTO line VALUES (?)", -1, &insert,
                       NULL);
    for (size_t i = 0; i < line_count; i++) {
        sqlite3_bind_text64(insert, 1, lines[i].data, lines[i].length,
                            SQLITE_STATIC, SQLITE_UTF8);
        if (sqlite3_step(insert) != SQLITE_DONE)
            fail(sqlite3_errmsg(database));
        sqlite3_reset(insert);
        if ((i + 1) % ROWS_PER_TRANSACTION == 0)
            run_sql(database, "COMMIT; BEGIN");
    }
    sqlite3_finalize(insert);
    run_sql(database, "COMMIT; PRAGMA wal_checkpoint(TRUNCATE)");
    sqlite3_close(database);
    FILE *file = fopen("yardstick.db", "rb");
    if (!file || fseek(file, 0, SEEK_END))
        fail("cannot read the database");
    size_t bytes = (size_t)ftell(file);
    fclose(file);
    unlink("yardstick.db");
    return bytes;
}

static double cpu_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
    if (argc != 3)
        fail("usage: yardstick parse|sha256|sqlite FILE");
    read_lines(argv[2]);
    double began = cpu_seconds();
    size_t told = !strcmp(argv[1], "parse")    ? parse()
                  : !strcmp(argv[1], "sha256") ? hash_all()
                                               : insert_all();
    printf("{\"events\": %zu, \"cpu_seconds\": %.6f, \"bytes\": %zu}\n",
           line_count, cpu_seconds() - began, told);
    return 0;
}
