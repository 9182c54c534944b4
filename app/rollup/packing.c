/*
 * packing.c: a stage of settling. The rows of sessions that have been over for
 * two hours are put into packs, hour by hour, and their events give way to the
 * numbers of their lines (session_lines.h).
 *
 * What lies in which pack follows from the rows alone, so that the stored bytes
 * do not tell when they were settled: a pack has sessions of one hour, and ends
 * where it has enough. So an hour is packed as a whole. Where something comes
 * late for one of its sessions, or makes another session one of it, all of them
 * are unpacked (packs_unpack), and packed again here.
 */
#include "rollup/hot.h"
#include "rollup/session_lines.h"
#include "rollup/settle_int.h"

#include "base/clock.h"

enum {
    PACK_SESSIONS = 1000,
    PACK_BYTES = 2 << 20, /* of rows; then a pack is full, too */
    PACK_ROWS = 16384,    /* of one table, likewise */
    SESSION_BYTES = 1 << 20,
    SESSION_ROWS = 4096
};

/* Columns of session_parts_to_pack. */
enum { PART_EVENTS = 6, PART_STAYS = 8 };

/* A session that was added. */
struct packed_key {
    struct text key;
    bool is_large; /* its rows of other tables stay there */
};

struct packing {
    struct store *store;
    struct columns *columns; /* of the pack that is being filled */
    struct arena arena;
    int64_t hour;
    int64_t part; /* packs of the hour that are full */
    struct packed_key *keys;
    size_t count;
    struct columns_mark before; /* rows of the session that is being added */
};

/* ---- adding -------------------------------------------------------------- */

/* Whether the session that is being added has too many rows. */
static bool is_large(const struct packing *packing)
{
    size_t rows = 0;
    for (size_t i = 0; i < PACKED_TABLES; i++)
        rows += columns_rows(packing->columns, i) - packing->before.rows[i];
    return rows > SESSION_ROWS ||
           columns_bytes(packing->columns) - packing->before.bytes >
               SESSION_BYTES;
}

static enum err add_rows(struct packing *packing, enum packed_table table,
                         enum query_id id, struct text key)
{
    struct query *query = query_start(packing->store, id);
    query_bind_text(query, 1, key);
    bool row;
    enum err err;
    while (!(err = query_step(query, &row)) && row && !is_large(packing))
        pack_add(packing->columns, table, query);
    return err;
}

static enum err add_parts(struct packing *packing, struct text key)
{
    struct query *parts =
        query_start(packing->store, QUERY_SESSION_PARTS_TO_PACK);
    query_bind_text(parts, 1, key);
    struct buf lines = {0};
    bool row;
    enum err err;
    while (!(err = query_step(parts, &row)) && row && !is_large(packing)) {
        buf_clear(&lines);
        bool stays = query_int(parts, PART_STAYS) != 0;
        if (!stays)
            err = session_lines_of(key, query_text(parts, PART_EVENTS), &lines);
        if (err)
            break;
        pack_add_part(packing->columns, parts, stays ? NULL : &lines);
    }
    buf_free(&lines);
    return err;
}

/* What else there is of a session whose row was added; all or nothing. */
static enum err add_others(struct packing *packing, struct packed_key *session)
{
    struct text key = session->key;
    packing->before = columns_mark(packing->columns);
    enum err err =
        add_rows(packing, PACKED_SELECTION, QUERY_SELECTIONS_TO_PACK, key);
    if (!err)
        err = add_rows(packing, PACKED_SESSION_HOUR,
                       QUERY_SESSION_HOURS_TO_PACK, key);
    if (!err)
        err = add_rows(packing, PACKED_GATEWAY_HOUR,
                       QUERY_GATEWAY_HOURS_TO_PACK, key);
    if (!err)
        err = add_parts(packing, key);
    session->is_large = is_large(packing);
    if (session->is_large)
        columns_rewind(packing->columns, packing->before);
    return err;
}

/* ---- packs --------------------------------------------------------------- */

static bool is_full(const struct packing *packing)
{
    size_t most = 0;
    for (size_t i = 0; i < PACKED_TABLES; i++)
        if (columns_rows(packing->columns, i) > most)
            most = columns_rows(packing->columns, i);
    return columns_rows(packing->columns, PACKED_SESSION) >= PACK_SESSIONS ||
           columns_bytes(packing->columns) >= PACK_BYTES || most >= PACK_ROWS;
}

static enum err end_pack(struct packing *packing)
{
    if (packing->part == PACKS_OF_HOUR)
        return err_set(ERR_STORE, "%s has more sessions in one hour than fit",
                       store_directory(packing->store));
    enum err err =
        pack_put(packing->store, packing->columns,
                 pack_number(packing->hour, packing->part++), packing->hour);
    columns_clear(packing->columns);
    return err;
}

static enum err fill(struct packing *packing)
{
    struct query *sessions =
        query_start(packing->store, QUERY_SESSIONS_TO_PACK);
    query_bind_int(sessions, 1, packing->hour);
    query_bind_int(sessions, 2, packing->hour + MS_PER_HOUR);
    bool row;
    enum err err;
    while (!(err = query_step(sessions, &row)) && row) {
        packing->keys = arena_grow(&packing->arena, packing->keys,
                                   packing->count, sizeof *packing->keys);
        struct packed_key *session = &packing->keys[packing->count++];
        session->key = query_copy(&packing->arena, sessions, 0);
        pack_add(packing->columns, PACKED_SESSION, sessions);
        err = add_others(packing, session);
        if (!err && is_full(packing))
            err = end_pack(packing);
        if (err)
            return err;
    }
    if (!err && columns_rows(packing->columns, PACKED_SESSION))
        err = end_pack(packing);
    return err;
}

static enum err remove_rows(struct store *store,
                            const struct packed_key *session)
{
    static const enum query_id steps[] = {
        QUERY_SESSION_DELETE, QUERY_SELECTIONS_OF_SESSION_DELETE,
        QUERY_SESSION_HOURS_OF_SESSION_DELETE,
        QUERY_GATEWAY_HOURS_OF_SESSION_DELETE,
        QUERY_SESSION_PARTS_OF_SESSION_DELETE};
    size_t count = session->is_large ? 1 : sizeof steps / sizeof *steps;
    enum err err = ERR_NONE;
    for (size_t i = 0; !err && i < count; i++) {
        struct query *query = query_start(store, steps[i]);
        query_bind_text(query, 1, session->key);
        err = query_run(query);
    }
    return err;
}

static enum err pack_hour(struct store *store, int64_t hour)
{
    struct packing packing = {
        .store = store, .columns = columns_new(), .hour = hour};
    enum err err = packs_unpack(store, hour);
    if (!err)
        err = fill(&packing);
    for (size_t i = 0; !err && i < packing.count; i++)
        err = remove_rows(store, &packing.keys[i]);
    columns_free(packing.columns);
    arena_free(&packing.arena);
    return err;
}

/* What lies in packs names its lines; a session that goes on is kept as all
 * are that do, or the stored bytes would tell that it was packed once. */
enum err settle_unpacked(struct settling *settling, struct store *store,
                         struct text key)
{
    bool unpacked;
    enum err err = packs_unpack_session(store, key, &unpacked);
    if (err || !unpacked)
        return err;
    hot_note_unpacked(settling);
    return session_warm(store, key);
}

/* ---- the unit ------------------------------------------------------------ */

enum err settle_packing(struct store *store, bool *found)
{
    int64_t ms;
    struct query *query = query_start(store, QUERY_SESSIONS_OVER_BEFORE);
    enum err err = query_first_int(query, &ms, found);
    if (err || !*found)
        return err;
    query = query_start(store, QUERY_SESSION_FIRST_BEFORE);
    query_bind_int(query, 1, ms);
    err = query_first_int(query, &ms, found);
    return err || !*found ? err : pack_hour(store, clock_hour_start(ms));
}
