/*
 * store.c: opening a data directory, and transactions.
 *
 * A writer takes the lock before it looks at the file, so that two of them
 * never migrate at once. All migrations that are missing are one transaction,
 * which also sets user_version: a process killed in between, or a disk that
 * fills, leaves the version before and no half of a schema.
 *
 * A reader's connection is read-only down to the file descriptor: it never
 * checkpoints, and never removes the log of a writer that was killed. Where
 * not even the directory can be written (a copy on read-only media), there is
 * no shared memory for the log; without a log the file is then opened as
 * immutable.
 */
#include "store/packed.h"
#include "store/store_int.h"

#include "base/log.h"
#include "migrations.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BUSY_TIMEOUT_MS = 10000 };

/* ---- opening ------------------------------------------------------------- */

static char *joined(const char *directory, const char *name)
{
    struct buf path = {0};
    buf_printf(&path, "%s/%s", directory, name);
    return buf_string(&path);
}

static int64_t file_bytes(const char *path, const char *suffix)
{
    struct buf name = {0};
    struct stat status;
    buf_printf(&name, "%s%s", path, suffix);
    bool found = !stat(buf_string(&name), &status);
    buf_free(&name);
    return found ? (int64_t)status.st_size : -1;
}

static enum err absent(struct store *store)
{
    return err_set(ERR_STORE,
                   "there is no store in %s: `assay import FILE` makes one, "
                   "--data names another directory",
                   store->directory);
}

static enum err connect(struct store *store, int flags, bool immutable)
{
    struct buf name = {0};
    buf_add_string(&name, "file:");
    for (const char *at = store->path; *at; at++) {
        if (strchr("%?#", *at))
            buf_printf(&name, "%%%02x", (unsigned)(unsigned char)*at);
        else
            buf_add_byte(&name, (uint8_t)*at);
    }
    if (immutable)
        buf_add_string(&name, "?immutable=1");
    flags |= SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
    int code =
        sqlite3_open_v2(buf_string(&name), &store->database, flags, NULL);
    buf_free(&name);
    if (code)
        return store_failure(store, code, "opening");
    sqlite3_busy_timeout(store->database, BUSY_TIMEOUT_MS);
    /* Queries are kept; without this, SQLite would plan them again for every
     * other value of a range. */
    sqlite3_db_config(store->database, SQLITE_DBCONFIG_ENABLE_QPSG, 1, NULL);
    return packed_register(store);
}

static void disconnect(struct store *store)
{
    queries_free(store);
    sqlite3_close(store->database);
    store->database = NULL;
}

struct identity {
    int64_t application;
    int64_t version;
    int64_t tables;
};

/* In one transaction: a writer may be making the first tables just now. */
static enum err read_identity(struct store *store, struct identity *identity)
{
    enum err err = query_run_id(store, QUERY_STORE_BEGIN_SNAPSHOT);
    if (err)
        return err;
    err = query_single_int(store, QUERY_STORE_APPLICATION_ID,
                           &identity->application);
    if (!err)
        err = query_single_int(store, QUERY_STORE_USER_VERSION,
                               &identity->version);
    if (!err)
        err =
            query_single_int(store, QUERY_STORE_TABLE_COUNT, &identity->tables);
    enum err ended = query_run_id(store, QUERY_STORE_ROLLBACK_TRANSACTION);
    return err ? err : ended;
}

/* Whose file this is; *VERSION is 0 for one without tables. */
static enum err identify(struct store *store, int64_t *version)
{
    struct identity identity = {0};
    enum err err = read_identity(store, &identity);
    if (err)
        return err;
    int64_t application = identity.application;
    int64_t tables = identity.tables;
    *version = identity.version;
    bool fresh = !application && !*version && !tables;
    if (!fresh && application != STORE_APPLICATION_ID)
        return err_set(ERR_STORE,
                       "%s is a database of another program; choose another "
                       "directory with --data",
                       store->path);
    if (*version > migration_newest)
        return err_set(ERR_NEWER,
                       "%s has schema %lld, this program knows up to %d: it "
                       "was written by a later release; use that one, or "
                       "restore a backup made before the upgrade",
                       store->path, (long long)*version, migration_newest);
    return ERR_NONE;
}

static enum err run_all(struct store *store, const enum query_id *ids,
                        size_t count)
{
    enum err err = ERR_NONE;
    for (size_t i = 0; i < count && !err; i++)
        err = query_run_id(store, ids[i]);
    return err;
}

static enum err migrate_one(struct store *store,
                            const struct migration_source *migration)
{
    int64_t version;
    int code = sqlite3_exec(store->database, migration->sql, NULL, NULL, NULL);
    if (code)
        return store_failure(store, code, migration->name);
    /* Statements prepared before see the schema of before, and so do the
     * tables of packed rows. */
    queries_free(store);
    enum err err = packed_register(store);
    if (!err)
        err = query_single_int(store, QUERY_STORE_USER_VERSION, &version);
    if (!err && version != migration->number)
        err = err_set(ERR_STORE,
                      "migration %d (%s) must set user_version to its number "
                      "at its end; it left %lld",
                      migration->number, migration->name, (long long)version);
    return err;
}

static enum err migrate(struct store *store, int64_t version)
{
    if (version == migration_newest)
        return ERR_NONE;
    if (version)
        log_message(LOG_INFO, "upgrading %s from schema %lld to %d",
                    store->path, (long long)version, migration_newest);
    enum err err = store_begin(store);
    const struct migration_source *one = migration_sources;
    for (; one->number && !err; one++)
        if (one->number > version)
            err = migrate_one(store, one);
    if (!err)
        return store_commit(store);
    store_rollback(store);
    return err;
}

static enum err open_writer(struct store *store)
{
    /* The second is a commit even where it changes nothing. */
    static const enum query_id once[] = {QUERY_STORE_SET_PAGE_SIZE,
                                         QUERY_STORE_SET_AUTO_VACUUM};
    static const enum query_id before[] = {
        QUERY_STORE_SET_WAL,           QUERY_STORE_SET_SYNCHRONOUS,
        QUERY_STORE_SET_JOURNAL_LIMIT, QUERY_STORE_SET_CACHE,
        QUERY_STORE_SET_TEMPORARY,     QUERY_STORE_SET_CELL_CHECK};
    int64_t version;
    enum err err = directory_make(store->directory);
    if (!err)
        err = lock_take(store->directory, &store->lock);
    if (!err)
        err = restored_finish(store->directory);
    if (!err)
        err = connect(store, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, false);
    if (!err)
        err = identify(store, &version);
    if (!err && !version)
        err = run_all(store, once, sizeof once / sizeof once[0]);
    if (!err)
        err = run_all(store, before, sizeof before / sizeof before[0]);
    if (!err)
        log_watch(store);
    if (!err)
        err = migrate(store, version);
    return err;
}

static enum err open_reader(struct store *store)
{
    static const enum query_id before[] = {
        QUERY_STORE_SET_QUERY_ONLY, QUERY_STORE_SET_MAP,
        QUERY_STORE_SET_TEMPORARY, QUERY_STORE_SET_CELL_CHECK};
    int64_t version;
    enum err err = restored_finish_first(store->directory);
    if (err)
        return err;
    if (file_bytes(store->path, "") < 0 && errno == ENOENT)
        return absent(store);
    err = connect(store, SQLITE_OPEN_READONLY, false);
    if (!err)
        err = identify(store, &version);
    if (err == ERR_STORE && access(store->directory, W_OK) &&
        file_bytes(store->path, "-wal") <= 0) {
        disconnect(store);
        err = connect(store, SQLITE_OPEN_READONLY, true);
        if (!err)
            err = identify(store, &version);
    }
    if (err)
        return err;
    if (!version)
        return absent(store);
    if (version < migration_newest)
        return err_set(ERR_STORE,
                       "%s has schema %lld, this program uses %d: run `assay "
                       "rebuild` once, which upgrades it",
                       store->path, (long long)version, migration_newest);
    return run_all(store, before, sizeof before / sizeof before[0]);
}

enum err store_open(struct store **store, const char *directory,
                    enum store_mode mode)
{
    struct store *opened = memory_zeroed(1, sizeof *opened);
    opened->directory = memory_alloc(strlen(directory) + 1);
    memcpy(opened->directory, directory, strlen(directory) + 1);
    opened->path = joined(directory, "assay.db");
    opened->mode = mode;
    opened->lock = -1;
    opened->packer = packer_new();
    opened->dirty_end = &opened->first_dirty;
    enum err err =
        mode == STORE_WRITE ? open_writer(opened) : open_reader(opened);
    if (err) {
        store_close(opened);
        opened = NULL;
    }
    *store = opened;
    return err;
}

/* Best effort: a reader may hold the log, and the next writer goes on. The
 * sentence of whatever ended the caller's work stays the last one. */
static void checkpoint(struct store *store)
{
    char sentence[1000];
    snprintf(sentence, sizeof sentence, "%s", err_message());
    if (query_run_id(store, QUERY_STORE_CHECKPOINT))
        (void)err_set(ERR_NONE, "%s", sentence);
}

void store_attach(struct store *store, void *thing,
                  void (*release)(void *thing))
{
    if (store->attached)
        store->release(store->attached);
    store->attached = thing;
    store->release = release;
}

void *store_attached(const struct store *store)
{
    return store->attached;
}

void store_close(struct store *store)
{
    if (!store)
        return;
    if (store->in_transaction)
        store_rollback(store);
    store_attach(store, NULL, NULL);
    evidence_forget(store);
    read_blocks_forget(store);
    /* A query that was left amid its rows would hold the log. */
    queries_reset(store);
    packed_forget(store);
    if (store->database && store->mode == STORE_WRITE)
        checkpoint(store);
    disconnect(store);
    if (store->lock >= 0)
        close(store->lock);
    packer_free(store->packer);
    buf_free(&store->packed);
    buf_free(&store->day_list);
    free(store->directory);
    free(store->path);
    free(store);
}

void store_give_back(struct store *store)
{
    read_blocks_forget(store);
    packed_forget(store);
    packer_give_back(store->packer);
    sqlite3_db_release_memory(store->database);
}

enum err store_be_quick(struct store *store)
{
    store_spare_log(store, INT64_MAX);
    return query_run_id(store, QUERY_STORE_SET_LARGE_CACHE);
}

const char *store_directory(struct store *store)
{
    return store->directory;
}

int64_t store_size_bytes(struct store *store)
{
    int64_t database = file_bytes(store->path, "");
    int64_t log = file_bytes(store->path, "-wal");
    return (database > 0 ? database : 0) + (log > 0 ? log : 0);
}

/* ---- transactions -------------------------------------------------------- */

static enum err begin(struct store *store, enum query_id id)
{
    assert(!store->in_transaction);
    enum err err = query_run_id(store, id);
    if (err)
        return err;
    store->in_transaction = true;
    store->failed = ERR_NONE;
    return ERR_NONE;
}

enum err store_begin(struct store *store)
{
    assert(store->mode == STORE_WRITE);
    enum err err = begin(store, QUERY_STORE_BEGIN_WRITE);
    store->writing = !err;
    return err;
}

enum err store_begin_read(struct store *store)
{
    return begin(store, QUERY_STORE_BEGIN_SNAPSHOT);
}

static void end(struct store *store)
{
    packed_rest(store);
    store->in_transaction = false;
    store->writing = false;
    store->failed = ERR_NONE;
}

void store_rollback(struct store *store)
{
    if (!store->in_transaction)
        return;
    queries_reset(store);
    bool writing = store->writing;
    bool alive = !sqlite3_get_autocommit(store->database);
    end(store);
    /* SQLite has nothing left to undo where this fails. */
    if (alive)
        (void)!query_run_id(store, QUERY_STORE_ROLLBACK_TRANSACTION);
    store_attach(store, NULL, NULL);
    if (writing) {
        evidence_forget(store);
        read_blocks_forget(store);
    }
}

enum err store_commit(struct store *store)
{
    assert(store->in_transaction);
    enum err err = store->failed;
    if (err)
        err_set(err,
                "%s: nothing of this batch was kept, because a part of "
                "it could not be written",
                store->path);
    if (!err && store->writing)
        err = evidence_flush(store);
    if (!err)
        err = query_run_id(store, QUERY_STORE_COMMIT_TRANSACTION);
    if (err) {
        store_rollback(store);
        return err;
    }
    bool writing = store->writing;
    end(store);
    if (writing)
        evidence_trim(store);
    return ERR_NONE;
}

enum err transaction_join(struct store *store, bool *joined)
{
    *joined = store->in_transaction;
    return *joined ? ERR_NONE : store_begin(store);
}

enum err transaction_leave(struct store *store, bool joined, enum err outcome)
{
    if (joined)
        return outcome;
    if (!outcome)
        return store_commit(store);
    store_rollback(store);
    return outcome;
}
