/*
 * packed_table.c: the virtual tables over packs (see packed.h).
 *
 * They are eponymous and can only be read. What SQLite asks for is checked by
 * it again, so a plan here only says which packs to look into, and skips rows
 * of other sessions. Packs come newest first, and in a pack the session that
 * was heard of last: the order of lists, which read no further than they are
 * long.
 */
#include "store/packed.h"

#include "base/clock.h"
#include "base/hash.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* What a plan uses, as bits of its number; arguments come in this order. */
enum {
    PLAN_PACK = 1,  /* = */
    PLAN_KEY = 2,   /* = */
    PLAN_FROM = 4,  /* of last_seen */
    PLAN_UNTIL = 8, /* likewise */
    PLAN_PARTS = 4
};

struct packed_vtab {
    sqlite3_vtab base;
    struct store *store;
    enum packed_table table;
    int columns;     /* of the table; the next is `pack` */
    int key_column;  /* session_key */
    int time_column; /* last_seen, or -1 */
};

struct packed_cursor {
    sqlite3_vtab_cursor base;
    struct arena arena; /* of one scan */
    struct pack_numbers packs;
    size_t next_pack;
    struct packed *packed; /* null at the end */
    size_t row;
    size_t row_count;
    struct text key; /* null data: rows of all sessions */
    const struct cell *keys;
};

/* A cell of the module's registration. */
struct registration {
    struct store *store;
    enum packed_table table;
};

/* SQLite's code for ERR, with its sentence. */
static int failed(struct packed_vtab *vtab, enum err err)
{
    sqlite3_free(vtab->base.zErrMsg);
    vtab->base.zErrMsg = sqlite3_mprintf("%s", err_message());
    switch (err) {
    case ERR_CORRUPT:
        return SQLITE_CORRUPT_VTAB;
    case ERR_LOCKED:
        return SQLITE_BUSY;
    case ERR_FULL:
        return SQLITE_FULL;
    case ERR_STOPPED:
        return SQLITE_INTERRUPT;
    default:
        return SQLITE_ERROR;
    }
}

/* ---- tables -------------------------------------------------------------- */

static enum err declare(struct packed_vtab *vtab, sqlite3 *database, int *code)
{
    struct query *query = query_start(vtab->store, QUERY_PACKED_DECLARATION);
    query_bind_string(query, 1, packed_table_name(vtab->table));
    bool row;
    enum err err = query_step(query, &row);
    if (err)
        return err;
    struct buf text = {0};
    struct text declaration = query_text(query, 0);
    buf_add(&text, declaration.data, declaration.length);
    vtab->columns = (int)query_int(query, 1);
    vtab->key_column = (int)query_int(query, 2);
    vtab->time_column = (int)query_int(query, 3);
    err = query_run(query);
    if (!err)
        *code = sqlite3_declare_vtab(database, buf_string(&text));
    buf_free(&text);
    return err;
}

static int vtab_connect(sqlite3 *database, void *context, int count,
                        const char *const *arguments, sqlite3_vtab **made,
                        char **sentence)
{
    (void)count;
    (void)arguments;
    const struct registration *registration = context;
    struct packed_vtab *vtab = memory_zeroed(1, sizeof *vtab);
    vtab->store = registration->store;
    vtab->table = registration->table;
    int code = SQLITE_OK;
    enum err err = declare(vtab, database, &code);
    if (err) {
        *sentence = sqlite3_mprintf("%s", err_message());
        code = SQLITE_ERROR;
    }
    if (code) {
        free(vtab);
        return code;
    }
    sqlite3_vtab_config(database, SQLITE_VTAB_INNOCUOUS);
    *made = &vtab->base;
    return SQLITE_OK;
}

static int vtab_disconnect(sqlite3_vtab *base)
{
    free((struct packed_vtab *)base);
    return SQLITE_OK;
}

/* ---- plans --------------------------------------------------------------- */

/* The bit of a constraint, or 0. */
static int part_of(const struct packed_vtab *vtab,
                   const struct sqlite3_index_constraint *constraint)
{
    int column = constraint->iColumn;
    bool equals = constraint->op == SQLITE_INDEX_CONSTRAINT_EQ;
    if (!constraint->usable)
        return 0;
    if (column == vtab->columns)
        return equals ? PLAN_PACK : 0;
    if (column == vtab->key_column)
        return equals ? PLAN_KEY : 0;
    if (column != vtab->time_column || column < 0)
        return 0;
    switch (constraint->op) {
    case SQLITE_INDEX_CONSTRAINT_GT:
    case SQLITE_INDEX_CONSTRAINT_GE:
        return PLAN_FROM;
    case SQLITE_INDEX_CONSTRAINT_LT:
    case SQLITE_INDEX_CONSTRAINT_LE:
        return PLAN_UNTIL;
    default:
        return 0;
    }
}

/* Rows come by last_seen, the latest first, then by session_key. */
static bool is_ordered(const struct packed_vtab *vtab,
                       const sqlite3_index_info *info)
{
    if (info->nOrderBy < 1 || info->nOrderBy > 2 || vtab->time_column < 0)
        return false;
    return info->aOrderBy[0].iColumn == vtab->time_column &&
           info->aOrderBy[0].desc &&
           (info->nOrderBy == 1 ||
            (info->aOrderBy[1].iColumn == vtab->key_column &&
             !info->aOrderBy[1].desc));
}

/* In pages read, about; SQLite compares them with plans of real tables. */
static void estimate(sqlite3_index_info *info)
{
    static const struct {
        int parts;
        double cost;
        sqlite3_int64 rows;
    } costs[] = {{PLAN_PACK | PLAN_KEY, 20, 1},
                 {PLAN_KEY, 40, 2},
                 {PLAN_PACK, 400, 400},
                 {PLAN_FROM | PLAN_UNTIL, 40000, 10000},
                 {0, 4000000, 1000000}};
    size_t i = 0;
    while ((info->idxNum & costs[i].parts) != costs[i].parts)
        i++;
    info->estimatedCost = costs[i].cost;
    info->estimatedRows = costs[i].rows;
}

static int vtab_best_index(sqlite3_vtab *base, sqlite3_index_info *info)
{
    const struct packed_vtab *vtab = (const struct packed_vtab *)base;
    int chosen[PLAN_PARTS];
    int arguments = 0;
    for (int i = 0; i < PLAN_PARTS; i++)
        chosen[i] = -1;
    for (int i = 0; i < info->nConstraint; i++) {
        int part = part_of(vtab, &info->aConstraint[i]);
        for (int bit = 0; bit < PLAN_PARTS; bit++)
            if (part == 1 << bit)
                chosen[bit] = i;
        info->idxNum |= part;
    }
    for (int bit = 0; bit < PLAN_PARTS; bit++)
        if (chosen[bit] >= 0)
            info->aConstraintUsage[chosen[bit]].argvIndex = ++arguments;
    info->orderByConsumed = is_ordered(vtab, info);
    estimate(info);
    return SQLITE_OK;
}

/* ---- scans --------------------------------------------------------------- */

static int cursor_open(sqlite3_vtab *base, sqlite3_vtab_cursor **made)
{
    (void)base;
    struct packed_cursor *cursor = memory_zeroed(1, sizeof *cursor);
    *made = &cursor->base;
    return SQLITE_OK;
}

static void end_scan(struct packed_cursor *cursor)
{
    packed_let_go(cursor->packed);
    arena_free(&cursor->arena);
    cursor->packed = NULL;
    cursor->packs = (struct pack_numbers){0};
    cursor->next_pack = 0;
    cursor->key = (struct text){NULL, 0};
    cursor->keys = NULL;
}

static int cursor_close(sqlite3_vtab_cursor *base)
{
    end_scan((struct packed_cursor *)base);
    free(base);
    return SQLITE_OK;
}

/* The next pack that there is; none at the end. */
static enum err next_pack(struct packed_vtab *vtab,
                          struct packed_cursor *cursor)
{
    enum err err = ERR_NONE;
    packed_let_go(cursor->packed);
    cursor->packed = NULL;
    while (!err && !cursor->packed && cursor->next_pack < cursor->packs.count)
        err = packed_find(vtab->store, cursor->packs.list[cursor->next_pack++],
                          &cursor->packed);
    if (err || !cursor->packed)
        return err;
    cursor->row = 0;
    cursor->row_count = cursor->packed->columns.tables[vtab->table].row_count;
    return cursor->key.data && cursor->row_count
               ? packed_column(vtab->store, cursor->packed, vtab->table,
                               (size_t)vtab->key_column, &cursor->keys)
               : ERR_NONE;
}

static bool is_wanted(const struct packed_cursor *cursor)
{
    return !cursor->key.data ||
           (cursor->keys && cursor->keys[cursor->row].kind == CELL_TEXT &&
            text_equal(cursor->keys[cursor->row].bytes, cursor->key));
}

/* Stops at the first wanted row from the present one on. */
static enum err seek(struct packed_vtab *vtab, struct packed_cursor *cursor)
{
    enum err err = ERR_NONE;
    while (!err && cursor->packed) {
        while (cursor->row < cursor->row_count && !is_wanted(cursor))
            cursor->row++;
        if (cursor->row < cursor->row_count)
            return ERR_NONE;
        err = next_pack(vtab, cursor);
    }
    return err;
}

/* A bound of times; one that is no number bounds nothing. */
static int64_t bound_of(sqlite3_value *value, int64_t otherwise)
{
    return sqlite3_value_type(value) == SQLITE_INTEGER
               ? sqlite3_value_int64(value)
               : otherwise;
}

static struct text argument_of(sqlite3_value *value)
{
    const char *data = (const char *)sqlite3_value_text(value);
    return (struct text){data ? data : "",
                         data ? (size_t)sqlite3_value_bytes(value) : 0};
}

static void take_key(struct packed_cursor *cursor, sqlite3_value *value)
{
    struct text key = argument_of(value);
    cursor->key = (struct text){
        arena_text(&cursor->arena, key.data, key.length), key.length};
}

static enum err find_packs(struct packed_vtab *vtab,
                           struct packed_cursor *cursor, int plan,
                           sqlite3_value **values)
{
    int64_t pack = plan & PLAN_PACK ? sqlite3_value_int64(*values++) : 0;
    if (plan & PLAN_KEY)
        take_key(cursor, *values++);
    int64_t from =
        plan & PLAN_FROM ? bound_of(*values++, INT64_MIN) : INT64_MIN;
    int64_t until =
        plan & PLAN_UNTIL ? bound_of(*values++, INT64_MAX) : INT64_MAX;
    if (plan & PLAN_PACK) {
        cursor->packs.list = arena_alloc(&cursor->arena, sizeof pack);
        cursor->packs.list[cursor->packs.count++] = pack;
        return ERR_NONE;
    }
    if (plan & PLAN_KEY)
        return packs_of_session(vtab->store, &cursor->arena, cursor->key,
                                &cursor->packs);
    return packs_between(vtab->store, &cursor->arena, from, until,
                         &cursor->packs);
}

static int cursor_filter(sqlite3_vtab_cursor *base, int plan,
                         const char *plan_text, int count,
                         sqlite3_value **values)
{
    (void)plan_text;
    (void)count;
    struct packed_cursor *cursor = (struct packed_cursor *)base;
    struct packed_vtab *vtab = (struct packed_vtab *)base->pVtab;
    end_scan(cursor);
    enum err err = find_packs(vtab, cursor, plan, values);
    if (!err)
        err = next_pack(vtab, cursor);
    if (!err)
        err = seek(vtab, cursor);
    return err ? failed(vtab, err) : SQLITE_OK;
}

static int cursor_next(sqlite3_vtab_cursor *base)
{
    struct packed_cursor *cursor = (struct packed_cursor *)base;
    struct packed_vtab *vtab = (struct packed_vtab *)base->pVtab;
    cursor->row++;
    enum err err = seek(vtab, cursor);
    return err ? failed(vtab, err) : SQLITE_OK;
}

static int cursor_at_end(sqlite3_vtab_cursor *base)
{
    return !((struct packed_cursor *)base)->packed;
}

static void give(sqlite3_context *context, const struct cell *cell)
{
    switch (cell->kind) {
    case CELL_NULL:
        sqlite3_result_null(context);
        break;
    case CELL_INTEGER:
        sqlite3_result_int64(context, cell->integer);
        break;
    case CELL_REAL:
        sqlite3_result_double(context, cell->real);
        break;
    case CELL_TEXT:
        sqlite3_result_text64(context, cell->bytes.data, cell->bytes.length,
                              SQLITE_TRANSIENT, SQLITE_UTF8);
        break;
    case CELL_BLOB:
        sqlite3_result_blob64(context, cell->bytes.data, cell->bytes.length,
                              SQLITE_TRANSIENT);
        break;
    }
}

static int cursor_column(sqlite3_vtab_cursor *base, sqlite3_context *context,
                         int column)
{
    struct packed_cursor *cursor = (struct packed_cursor *)base;
    struct packed_vtab *vtab = (struct packed_vtab *)base->pVtab;
    const struct cell *cells;
    if (column >= vtab->columns) {
        sqlite3_result_int64(context, cursor->packed->number);
        return SQLITE_OK;
    }
    enum err err = packed_column(vtab->store, cursor->packed, vtab->table,
                                 (size_t)column, &cells);
    if (err)
        return failed(vtab, err);
    if (cells)
        give(context, &cells[cursor->row]);
    else
        sqlite3_result_null(context);
    return SQLITE_OK;
}

static int cursor_row_number(sqlite3_vtab_cursor *base, sqlite3_int64 *number)
{
    const struct packed_cursor *cursor = (const struct packed_cursor *)base;
    *number =
        cursor->packed->number * COLUMNS_ROWS_MAX + (sqlite3_int64)cursor->row;
    return SQLITE_OK;
}

/* ---- places -------------------------------------------------------------- */

enum { PLACE_KEY_BITS = 23, PLACE_REQUEST_BITS = 24 };

/* The first BITS of the hash: foreign keys are not trusted to differ. */
static int64_t bits_of(struct text text, int bits)
{
    uint8_t digest[SHA256_BYTES];
    hash_sha256(text.data, text.length, digest);
    uint32_t first = (uint32_t)digest[0] << 24 | (uint32_t)digest[1] << 16 |
                     (uint32_t)digest[2] << 8 | digest[3];
    return (int64_t)(first >> (32 - bits));
}

/* The request of a key is what stands behind its last bar. */
static struct text request_of(struct text key)
{
    size_t at = key.length;
    while (at && key.data[at - 1] != '|')
        at--;
    return (struct text){key.data + at, key.length - at};
}

/* place_of_request(request_id): the least place of its sessions; the greatest
 * is 2^23 - 1 behind it. */
static void place_of_request(sqlite3_context *context, int count,
                             sqlite3_value **values)
{
    (void)count;
    struct text request = request_of(argument_of(values[0]));
    sqlite3_result_int64(context, bits_of(request, PLACE_REQUEST_BITS)
                                      << PLACE_KEY_BITS);
}

/* place_of_session(session_key) */
static void place_of_session(sqlite3_context *context, int count,
                             sqlite3_value **values)
{
    (void)count;
    struct text key = argument_of(values[0]);
    int64_t place = bits_of(request_of(key), PLACE_REQUEST_BITS)
                    << PLACE_KEY_BITS;
    sqlite3_result_int64(context, place | bits_of(key, PLACE_KEY_BITS));
}

/* ---- registering --------------------------------------------------------- */

static const sqlite3_module module = {
    .iVersion = 2,
    .xConnect = vtab_connect,
    .xBestIndex = vtab_best_index,
    .xDisconnect = vtab_disconnect,
    .xOpen = cursor_open,
    .xClose = cursor_close,
    .xFilter = cursor_filter,
    .xNext = cursor_next,
    .xEof = cursor_at_end,
    .xColumn = cursor_column,
    .xRowid = cursor_row_number,
};

static int register_table(struct store *store, enum packed_table table)
{
    struct registration *registration = memory_alloc(sizeof *registration);
    struct buf name = {0};
    *registration = (struct registration){store, table};
    buf_printf(&name, "packed_%s", packed_table_name(table));
    int code = sqlite3_create_module_v2(store->database, buf_string(&name),
                                        &module, registration, free);
    buf_free(&name);
    return code;
}

static int register_functions(struct store *store)
{
    static const struct {
        const char *name;
        void (*function)(sqlite3_context *, int, sqlite3_value **);
    } functions[] = {{"place_of_session", place_of_session},
                     {"place_of_request", place_of_request}};
    const int flags = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS;
    int code = SQLITE_OK;
    for (size_t i = 0; !code && i < sizeof functions / sizeof *functions; i++)
        code = sqlite3_create_function_v2(store->database, functions[i].name, 1,
                                          flags, NULL, functions[i].function,
                                          NULL, NULL, NULL);
    return code;
}

enum err packed_register(struct store *store)
{
    int code = register_functions(store);
    for (size_t i = 0; !code && i < PACKED_TABLES; i++)
        code = register_table(store, (enum packed_table)i);
    return code ? store_failure(store, code, "packed rows") : ERR_NONE;
}
