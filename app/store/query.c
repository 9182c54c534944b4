/*
 * query.c: named queries, prepared once a connection and kept.
 *
 * SQLite may roll a transaction back on its own when a statement fails (disk
 * full, for one). A statement that ran after that would commit by itself, so
 * every step first looks whether the transaction it belongs to still exists.
 */
#include "store/store_int.h"

#include <string.h>

struct query *query_start(struct store *store, enum query_id id)
{
    struct query *query = &store->queries[id];
    query->store = store;
    query->id = id;
    if (query->statement) {
        sqlite3_reset(query->statement);
        sqlite3_clear_bindings(query->statement);
        query->failure = SQLITE_OK;
        return query;
    }
    query->failure =
        sqlite3_prepare_v3(store->database, query_sources[id].sql, -1,
                           SQLITE_PREPARE_PERSISTENT, &query->statement, NULL);
    return query;
}

static void keep_failure(struct query *query, int code)
{
    if (!query->failure)
        query->failure = code;
}

void query_bind_int(struct query *query, int at, int64_t value)
{
    keep_failure(query, sqlite3_bind_int64(query->statement, at, value));
}

void query_bind_double(struct query *query, int at, double value)
{
    keep_failure(query, sqlite3_bind_double(query->statement, at, value));
}

void query_bind_text(struct query *query, int at, struct text value)
{
    keep_failure(query,
                 sqlite3_bind_text64(query->statement, at, value.data,
                                     value.length, SQLITE_STATIC, SQLITE_UTF8));
}

void query_bind_string(struct query *query, int at, const char *value)
{
    struct text text = {value, value ? strlen(value) : 0};
    query_bind_text(query, at, text);
}

void query_bind_blob(struct query *query, int at, const void *bytes,
                     size_t length)
{
    const void *data = length ? bytes : "";
    keep_failure(query, sqlite3_bind_blob64(query->statement, at, data, length,
                                            SQLITE_STATIC));
}

void query_bind_null(struct query *query, int at)
{
    keep_failure(query, sqlite3_bind_null(query->statement, at));
}

static enum err failure(struct query *query, int code)
{
    struct store *store = query->store;
    enum err err = store_failure(store, code, query_sources[query->id].name);
    if (query->statement)
        sqlite3_reset(query->statement);
    if (store->writing && !store->failed)
        store->failed = err;
    return err;
}

enum err query_step(struct query *query, bool *row)
{
    struct store *store = query->store;
    *row = false;
    if (query->failure)
        return failure(query, query->failure);
    if (store->in_transaction && sqlite3_get_autocommit(store->database))
        return err_set(store->failed ? store->failed : ERR_STORE,
                       "%s: the batch was rolled back after an earlier "
                       "failure; nothing of it was kept",
                       store->path);
    int code = sqlite3_step(query->statement);
    if (code == SQLITE_ROW) {
        *row = true;
        return ERR_NONE;
    }
    if (code != SQLITE_DONE)
        return failure(query, code);
    sqlite3_reset(query->statement);
    return ERR_NONE;
}

enum err query_run(struct query *query)
{
    bool row;
    enum err err;
    do
        err = query_step(query, &row);
    while (!err && row);
    return err;
}

enum err query_first_int(struct query *query, int64_t *value, bool *found)
{
    bool row;
    enum err err = query_step(query, &row);
    *found = !err && row && !query_is_null(query, 0);
    if (*found)
        *value = query_int(query, 0);
    return !err && row ? query_run(query) : err;
}

enum err query_run_id(struct store *store, enum query_id id)
{
    return query_run(query_start(store, id));
}

enum err query_single_int(struct store *store, enum query_id id, int64_t *value)
{
    bool row;
    struct query *query = query_start(store, id);
    enum err err = query_step(query, &row);
    *value = !err && row ? query_int(query, 0) : 0;
    if (query->statement)
        sqlite3_reset(query->statement);
    return err;
}

int64_t query_int(struct query *query, int column)
{
    return sqlite3_column_int64(query->statement, column);
}

double query_double(struct query *query, int column)
{
    return sqlite3_column_double(query->statement, column);
}

bool query_is_null(struct query *query, int column)
{
    return sqlite3_column_type(query->statement, column) == SQLITE_NULL;
}

struct text query_text(struct query *query, int column)
{
    sqlite3_stmt *statement = query->statement;
    bool blob = sqlite3_column_type(statement, column) == SQLITE_BLOB;
    const void *data = blob ? sqlite3_column_blob(statement, column)
                            : sqlite3_column_text(statement, column);
    if (!data)
        return (struct text){"", 0};
    return (struct text){data, (size_t)sqlite3_column_bytes(statement, column)};
}

struct text query_copy(struct arena *arena, struct query *query, int column)
{
    struct text text = query_text(query, column);
    return (struct text){arena_text(arena, text.data, text.length),
                         text.length};
}

int query_column_count(struct query *query)
{
    return sqlite3_column_count(query->statement);
}

const char *query_column_name(struct query *query, int column)
{
    return sqlite3_column_name(query->statement, column);
}

char query_type(struct query *query, int column)
{
    switch (sqlite3_column_type(query->statement, column)) {
    case SQLITE_INTEGER:
        return 'i';
    case SQLITE_FLOAT:
        return 'd';
    case SQLITE_TEXT:
        return 't';
    case SQLITE_BLOB:
        return 'b';
    default:
        return 'n';
    }
}

void queries_reset(struct store *store)
{
    for (size_t i = 0; i < QUERY_COUNT; i++)
        if (store->queries[i].statement)
            sqlite3_reset(store->queries[i].statement);
}

void queries_free(struct store *store)
{
    for (size_t i = 0; i < QUERY_COUNT; i++) {
        sqlite3_finalize(store->queries[i].statement);
        store->queries[i].statement = NULL;
    }
}
