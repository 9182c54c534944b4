/*
 * packed.h: rows of sessions that lie in packs. Private to the store.
 *
 * What was told of a session is rows of five tables. Once the session is long
 * over they are hardly looked at, so the rows of all sessions that were heard
 * of last in one hour lie together in the compressed columns of a pack (table
 * session_pack, columns.h). For every table T there is a virtual one, packed_T,
 * with the columns of T and a hidden one, `pack`, that shows those rows; and a
 * view every_T of both. A row is in one of the two.
 *
 * Virtual tables are registered with the connection and not in the file, so
 * any program may read the rest of it. A pack is unpacked when a row of it is
 * asked for, and only the columns that are; some packs are kept so. Which packs
 * to look into follows from a number of the pack, from the key of a session
 * (session_place), or from times; else it is all of them, newest first.
 *
 * Turned down: pages that are compressed by a layer under SQLite, which no
 * other program could read, and which would compress what lies side by side by
 * key, not what is alike.
 */
#ifndef ASSAY_STORE_PACKED_H
#define ASSAY_STORE_PACKED_H

#include "store/columns.h"
#include "store/store_int.h"

enum {
    PACKED_KEPT_BYTES = 4 << 20, /* of unpacked packs, in a transaction, */
    PACKED_REST_BYTES = 1 << 20, /* and after it; for each connection */
    PACKED_MAX_BYTES = 16 << 20  /* of one */
};

/* A pack that was unpacked. It stays while it has users, whatever is put in
 * the place of it. */
struct packed {
    struct packed *next;
    int64_t number;
    size_t users;
    struct buf stored; /* as in the store */
    struct buf raw;
    struct arena arena; /* of what follows */
    struct column_pack columns;
    struct cell **cells[PACKED_TABLES]; /* by column; null until asked for */
};

/* Makes the virtual tables known, and anew where a schema has changed. */
MUST_USE enum err packed_register(struct store *store);
void packed_forget(struct store *store);
/* A transaction has ended: most of what is kept unpacked goes. */
void packed_rest(struct store *store);

/* Pack NUMBER, which the caller lets go when it needs it no longer; *FOUND is
 * null where there is none. */
MUST_USE enum err packed_find(struct store *store, int64_t number,
                              struct packed **found);
void packed_let_go(struct packed *packed);

/* The cells of a column, one a row. A column that was added to the table after
 * the pack was made is null in all rows: then *CELLS is null. */
MUST_USE enum err packed_column(struct store *store, struct packed *packed,
                                enum packed_table table, size_t column,
                                const struct cell **cells);

/* All packs that hold sessions last heard of between FROM_MS and UNTIL_MS (both
 * taken in), or session KEY, newest first; in ARENA. */
struct pack_numbers {
    int64_t *list;
    size_t count;
};
MUST_USE enum err packs_between(struct store *store, struct arena *arena,
                                int64_t from_ms, int64_t until_ms,
                                struct pack_numbers *numbers);
MUST_USE enum err packs_of_session(struct store *store, struct arena *arena,
                                   struct text key,
                                   struct pack_numbers *numbers);

#endif
