/*
 * packed.c: packs in and out of the store (see packed.h).
 *
 * The number of a pack is made of the hour and of how many packs of that hour
 * come before it, so that a greater one has sessions that were heard of
 * earlier. What is kept of a pack is compared with what is stored whenever it
 * is used, since the pack may have been made again in between.
 */
#include "store/packed.h"

#include "base/clock.h"

#include <stdlib.h>
#include <string.h>

static const char *const table_names[PACKED_TABLES] = {
    [PACKED_SESSION] = "session",
    [PACKED_SELECTION] = "selection",
    [PACKED_SESSION_HOUR] = "session_hour",
    [PACKED_GATEWAY_HOUR] = "gateway_hour",
    [PACKED_SESSION_DAY] = "session_day",
};

const char *packed_table_name(enum packed_table table)
{
    return table_names[table];
}

/* ---- numbers ------------------------------------------------------------- */

/* 2020-01-01: so numbers of today take four bytes. */
#define PACK_EPOCH_MS INT64_C(1577836800000)

static int64_t first_of_hour(int64_t ms)
{
    int64_t hour = clock_hour_start(ms) / MS_PER_HOUR;
    return (hour - PACK_EPOCH_MS / MS_PER_HOUR) * PACKS_OF_HOUR;
}

int64_t pack_number(int64_t hour_ms, int64_t part)
{
    return first_of_hour(hour_ms) + PACKS_OF_HOUR - 1 - part;
}

static enum err read_numbers(struct query *query, struct arena *arena,
                             struct pack_numbers *numbers)
{
    bool row;
    enum err err;
    *numbers = (struct pack_numbers){0};
    while (!(err = query_step(query, &row)) && row) {
        numbers->list = arena_grow(arena, numbers->list, numbers->count,
                                   sizeof *numbers->list);
        numbers->list[numbers->count++] = query_int(query, 0);
    }
    return err;
}

/* Times that no event has would leave the range of numbers. */
static int64_t clamped(int64_t ms)
{
    const int64_t most = (int64_t)1 << 50;
    return ms > most ? most : ms < -most ? -most : ms;
}

enum err packs_between(struct store *store, struct arena *arena,
                       int64_t from_ms, int64_t until_ms,
                       struct pack_numbers *numbers)
{
    struct query *query = query_start(store, QUERY_SESSION_PACKS_BETWEEN);
    query_bind_int(query, 1, first_of_hour(clamped(from_ms)));
    query_bind_int(query, 2,
                   first_of_hour(clamped(until_ms)) + PACKS_OF_HOUR - 1);
    return read_numbers(query, arena, numbers);
}

enum err packs_of_session(struct store *store, struct arena *arena,
                          struct text key, struct pack_numbers *numbers)
{
    struct query *query = query_start(store, QUERY_SESSION_PLACES);
    query_bind_text(query, 1, key);
    return read_numbers(query, arena, numbers);
}

/* ---- packs --------------------------------------------------------------- */

static enum err damaged(struct store *store, int64_t number)
{
    return err_set(ERR_CORRUPT,
                   "%s: the rows of sessions in pack %lld are damaged; run "
                   "`assay rebuild`, which makes them again from the evidence",
                   store->path, (long long)number);
}

static void release(struct packed *packed)
{
    buf_free(&packed->stored);
    buf_free(&packed->raw);
    arena_free(&packed->arena);
    free(packed);
}

void packed_let_go(struct packed *packed)
{
    if (packed && !--packed->users)
        release(packed);
}

static size_t bytes_of(const struct packed *packed)
{
    return packed->stored.length + packed->raw.length +
           packed->arena.used_bytes;
}

/* Takes it out of what is kept. */
static void drop(struct packed **at)
{
    struct packed *packed = *at;
    *at = packed->next;
    packed_let_go(packed);
}

void packed_forget(struct store *store)
{
    while (store->packed_rows)
        drop(&store->packed_rows);
}

/* The newest stay, but for the first all may go. */
static void forget_old(struct store *store, size_t most_bytes)
{
    size_t bytes = 0;
    for (struct packed **at = &store->packed_rows; *at;) {
        bytes += bytes_of(*at);
        if (bytes > most_bytes && *at != store->packed_rows)
            drop(at);
        else
            at = &(*at)->next;
    }
}

void packed_rest(struct store *store)
{
    forget_old(store, PACKED_REST_BYTES);
}

/* The one that is kept, moved to the front; null where there is none that is
 * as STORED says. */
static struct packed *recall(struct store *store, int64_t number,
                             struct text stored)
{
    for (struct packed **at = &store->packed_rows; *at; at = &(*at)->next) {
        struct packed *packed = *at;
        if (packed->number != number)
            continue;
        if (!text_equal(
                (struct text){packed->stored.data, packed->stored.length},
                stored)) {
            drop(at);
            return NULL;
        }
        *at = packed->next;
        packed->next = store->packed_rows;
        store->packed_rows = packed;
        return packed;
    }
    return NULL;
}

static bool unpack(struct store *store, struct packed *packed)
{
    struct text stored = {packed->stored.data, packed->stored.length};
    if (!unpack_rows(store->packer, stored, PACKED_MAX_BYTES, &packed->raw))
        return false;
    struct text raw = {packed->raw.data, packed->raw.length};
    if (!columns_open(&packed->arena, raw, &packed->columns))
        return false;
    for (size_t i = 0; i < PACKED_TABLES; i++)
        packed->cells[i] =
            arena_array(&packed->arena, packed->columns.tables[i].column_count,
                        sizeof *packed->cells[i]);
    return true;
}

static struct packed *unpacked(struct store *store, int64_t number,
                               struct text stored)
{
    struct packed *packed = memory_zeroed(1, sizeof *packed);
    packed->number = number;
    packed->users = 1;
    buf_add(&packed->stored, stored.data, stored.length);
    if (!unpack(store, packed)) {
        release(packed);
        return NULL;
    }
    packed->next = store->packed_rows;
    store->packed_rows = packed;
    return packed;
}

enum err packed_find(struct store *store, int64_t number, struct packed **found)
{
    bool row;
    *found = NULL;
    struct query *query = query_start(store, QUERY_SESSION_PACK_ROWS);
    query_bind_int(query, 1, number);
    enum err err = query_step(query, &row);
    if (err || !row)
        return err;
    struct text stored = query_text(query, 0);
    *found = recall(store, number, stored);
    if (!*found)
        *found = unpacked(store, number, stored);
    err = *found ? ERR_NONE : damaged(store, number);
    if (*found)
        (*found)->users++;
    forget_old(store, PACKED_KEPT_BYTES);
    enum err ended = query_run(query);
    return err ? err : ended;
}

enum err packed_column(struct store *store, struct packed *packed,
                       enum packed_table table, size_t column,
                       const struct cell **cells)
{
    *cells = NULL;
    if (column >= packed->columns.tables[table].column_count)
        return ERR_NONE;
    struct cell **slot = &packed->cells[table][column];
    if (!*slot)
        *slot = columns_read(&packed->arena, &packed->columns, table, column);
    *cells = *slot;
    return *slot ? ERR_NONE : damaged(store, packed->number);
}

/* ---- filling ------------------------------------------------------------- */

static struct cell cell_of(struct query *query, int column)
{
    sqlite3_stmt *statement = query->statement;
    switch (sqlite3_column_type(statement, column)) {
    case SQLITE_INTEGER:
        return (struct cell){.kind = CELL_INTEGER,
                             .integer = query_int(query, column)};
    case SQLITE_FLOAT:
        return (struct cell){.kind = CELL_REAL,
                             .real = query_double(query, column)};
    case SQLITE_TEXT:
        return (struct cell){.kind = CELL_TEXT,
                             .bytes = query_text(query, column)};
    case SQLITE_BLOB:
        return (struct cell){.kind = CELL_BLOB,
                             .bytes = query_text(query, column)};
    default:
        return (struct cell){.kind = CELL_NULL};
    }
}

void pack_add(struct columns *columns, enum packed_table table,
              struct query *query)
{
    struct cell cells[COLUMNS_OF_TABLE_MAX];
    size_t count = (size_t)query_column_count(query);
    for (size_t i = 0; i < count; i++)
        cells[i] = cell_of(query, (int)i);
    columns_add(columns, table, cells, count);
}

void pack_add_part(struct columns *columns, struct query *query,
                   const struct buf *lines)
{
    /* Columns of session_day as the table stands: what is stored of events, and
     * whether it is the numbers of their lines, come last. */
    enum { EVENTS = 6, COLD = 7, COUNT = 8 };
    struct cell cells[COUNT];
    for (size_t i = 0; i < COUNT; i++)
        cells[i] = cell_of(query, (int)i);
    if (lines) {
        cells[EVENTS] = (struct cell){.kind = CELL_BLOB,
                                      .bytes = {lines->data, lines->length}};
        cells[COLD] = (struct cell){.kind = CELL_INTEGER, .integer = 1};
    }
    columns_add(columns, PACKED_SESSION_DAY, cells, COUNT);
}

static enum err run_each(struct store *store, const enum query_id *steps,
                         size_t count, int64_t number)
{
    enum err err = ERR_NONE;
    for (size_t i = 0; !err && i < count; i++) {
        struct query *query = query_start(store, steps[i]);
        query_bind_int(query, 1, number);
        err = query_run(query);
    }
    return err;
}

/* From the pack itself: what cannot be read back is never relied upon. */
static enum err note_pack(struct store *store, int64_t number)
{
    static const enum query_id steps[] = {
        QUERY_SESSION_PACK_NOTE_PLACES, QUERY_SESSION_PACK_NOTE_HOURS,
        QUERY_SESSION_PACK_NOTE_DAYS, QUERY_SESSION_PACK_NOTE_NAMES};
    return run_each(store, steps, sizeof steps / sizeof *steps, number);
}

enum err pack_put(struct store *store, struct columns *columns, int64_t number,
                  int64_t hour_ms)
{
    struct buf raw = {0};
    struct buf stored = {0};
    columns_encode(columns, &raw);
    pack_rows(store->packer, (struct text){raw.data, raw.length}, &stored);
    struct query *query = query_start(store, QUERY_SESSION_PACK_PUT);
    query_bind_int(query, 1, number);
    query_bind_int(query, 2, hour_ms);
    query_bind_int(query, 3, (int64_t)columns_rows(columns, PACKED_SESSION));
    query_bind_blob(query, 4, stored.data, stored.length);
    enum err err = query_run(query);
    buf_free(&raw);
    buf_free(&stored);
    return err ? err : note_pack(store, number);
}

/* ---- emptying ------------------------------------------------------------ */

static enum err unpack_one(struct store *store, int64_t number)
{
    static const enum query_id steps[] = {
        QUERY_UNPACK_SESSIONS,      QUERY_UNPACK_SELECTIONS,
        QUERY_UNPACK_SESSION_HOURS, QUERY_UNPACK_GATEWAY_HOURS,
        QUERY_UNPACK_SESSION_DAYS,  QUERY_UNPACK_NAME_EACH,
        QUERY_UNPACK_NAME_NONE,     QUERY_UNPACK_PLACES,
        QUERY_UNPACK_HOURS,         QUERY_UNPACK_DAYS,
        QUERY_UNPACK_ROWS};
    return run_each(store, steps, sizeof steps / sizeof *steps, number);
}

enum err packs_unpack(struct store *store, int64_t hour_ms)
{
    struct arena arena = {0};
    struct pack_numbers packs;
    enum err err = packs_between(store, &arena, hour_ms, hour_ms, &packs);
    for (size_t i = 0; !err && i < packs.count; i++)
        err = unpack_one(store, packs.list[i]);
    arena_free(&arena);
    return err;
}

enum err packs_unpack_each(struct store *store, struct query *hours)
{
    struct arena arena = {0};
    struct pack_numbers starts;
    enum err err = read_numbers(hours, &arena, &starts);
    for (size_t i = 0; !err && i < starts.count; i++)
        err = packs_unpack(store, starts.list[i]);
    arena_free(&arena);
    return err;
}

enum err packs_unpack_session(struct store *store, struct text key,
                              bool *unpacked)
{
    struct arena arena = {0};
    struct pack_numbers packs;
    enum err err = packs_of_session(store, &arena, key, &packs);
    *unpacked = false;
    for (size_t i = 0; !err && i < packs.count; i++) {
        int64_t hour_ms;
        bool found;
        struct query *query = query_start(store, QUERY_SESSION_PACK_HOUR);
        query_bind_int(query, 1, packs.list[i]);
        err = query_first_int(query, &hour_ms, &found);
        if (!err && found)
            err = packs_unpack(store, hour_ms);
        *unpacked |= found;
    }
    arena_free(&arena);
    return err;
}
