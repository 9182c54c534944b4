/*
 * moment.c: one moment of the store, named so that it can be read again.
 *
 * SQLite appends what is committed to a log and copies it into the file from
 * time to time (a checkpoint). A moment is a place in that log. It can be read
 * again until a checkpoint has gone beyond it; so the writer, who alone makes
 * checkpoints, puts them off while somebody may come back, as far as the log
 * does not grow too long. Turned down: transactions that stay open for whoever
 * may come back, because the log could then never be emptied.
 *
 * A store that nobody has written to since it was opened has an empty log, and
 * that one moment has no place in it. Its bytes are zeros.
 */
#include "store/store_int.h"

#include "base/clock.h"

#include <assert.h>
#include <string.h>

_Static_assert(sizeof(sqlite3_snapshot) == STORE_MOMENT_BYTES,
               "a moment is what SQLite calls a snapshot");

enum err store_moment(struct store *store, struct store_moment *moment)
{
    sqlite3_snapshot *snapshot = NULL;
    assert(store->in_transaction && !store->writing);
    *moment = (struct store_moment){{0}};
    int code = sqlite3_snapshot_get(store->database, "main", &snapshot);
    if (code == SQLITE_OK)
        memcpy(moment->bytes, snapshot, sizeof moment->bytes);
    sqlite3_snapshot_free(snapshot);
    /* There is no other error than that the log is empty. */
    return code == SQLITE_OK || code == SQLITE_ERROR
               ? ERR_NONE
               : store_failure(store, code, "naming the moment");
}

static enum err gone(void)
{
    return err_set(ERR_GONE, "the store as it was then is no longer kept");
}

static enum err begin_at_empty_log(struct store *store)
{
    struct store_moment now;
    enum err err = store_moment(store, &now);
    if (!err && memcmp(&now, &(struct store_moment){{0}}, sizeof now) != 0)
        err = gone();
    return err;
}

static enum err begin_at(struct store *store, const struct store_moment *moment)
{
    sqlite3_snapshot snapshot;
    memcpy(&snapshot, moment->bytes, sizeof snapshot);
    int code = sqlite3_snapshot_open(store->database, "main", &snapshot);
    if (code == SQLITE_OK)
        return ERR_NONE;
    return code == SQLITE_ERROR_SNAPSHOT || code == SQLITE_ERROR
               ? gone()
               : store_failure(store, code, "reading an earlier moment");
}

enum err store_begin_read_at(struct store *store,
                             const struct store_moment *moment)
{
    enum err err = store_begin_read(store);
    if (err)
        return err;
    bool empty =
        memcmp(moment, &(struct store_moment){{0}}, sizeof *moment) == 0;
    err = empty ? begin_at_empty_log(store) : begin_at(store, moment);
    if (err)
        store_rollback(store);
    return err;
}

/* ---- the log ------------------------------------------------------------- */

enum { PAGE_BYTES = 8192 }; /* as store_set_page_size */

/* After each commit, with the length of the log. A checkpoint that fails or is
 * kept from its end by readers is made up for by the next one. */
static int on_commit(void *pointer, sqlite3 *database, const char *name,
                     int pages)
{
    struct store *store = pointer;
    bool spared = clock_monotonic_us() < store->spare_log_until_us;
    if (pages >= (spared ? LOG_BYTES_MAX : LOG_BYTES) / PAGE_BYTES)
        sqlite3_wal_checkpoint_v2(database, name, SQLITE_CHECKPOINT_PASSIVE,
                                  NULL, NULL);
    return SQLITE_OK;
}

void log_watch(struct store *store)
{
    sqlite3_wal_hook(store->database, on_commit, store);
}

enum err store_commit_least(struct store *store)
{
    return query_run_id(store, QUERY_STORE_CLAIM);
}

void store_spare_log(struct store *store, int64_t until_us)
{
    store->spare_log_until_us = until_us;
}
