/*
 * failure.c: SQLite's result codes, turned into ours at this one door, each
 * with a sentence that says what to do.
 */
#include "store/store_int.h"

#include <errno.h>
#include <string.h>

static enum err full(struct store *store)
{
    return err_set(ERR_FULL,
                   "no space left for %s: nothing of this batch was kept, all "
                   "before it is safe; free some space and run the same "
                   "command again",
                   store->path);
}

static enum err corrupt(struct store *store, const char *reason,
                        const char *what)
{
    return err_set(ERR_CORRUPT,
                   "%s is damaged (%s, in %s): restore a backup, or move the "
                   "file away and import again; where it still opens, `assay "
                   "evidence verify` tells what is affected",
                   store->path, reason, what);
}

static bool is_full(int cause)
{
    return cause == ENOSPC || cause == EDQUOT || cause == EFBIG;
}

static enum err input_output(struct store *store, int code, const char *what)
{
    int cause = sqlite3_system_errno(store->database);
    if (code == SQLITE_IOERR_SHORT_READ)
        return corrupt(store, "the file ends too early", what);
    if (code == SQLITE_IOERR_CORRUPTFS)
        return corrupt(store, "the file system is damaged", what);
    if (is_full(cause))
        return full(store);
    return err_set(ERR_STORE, "reading or writing %s failed: %s (%s, in %s)",
                   store->path, cause ? strerror(cause) : "unknown cause",
                   sqlite3_errstr(code), what);
}

static enum err forbidden(struct store *store, int code, const char *what)
{
    int cause = sqlite3_system_errno(store->database);
    if (is_full(cause))
        return full(store);
    return err_set(ERR_STORE,
                   "this user may not open or write %s and its directory "
                   "(%s, in %s)",
                   store->path, cause ? strerror(cause) : sqlite3_errstr(code),
                   what);
}

enum err store_failure(struct store *store, int code, const char *what)
{
    /* Only packs are read by a table of ours, and it has said what is wrong. */
    if (code == SQLITE_CORRUPT_VTAB)
        return err_set(ERR_CORRUPT, "%s", sqlite3_errmsg(store->database));
    switch (code & 0xff) {
    case SQLITE_FULL:
        return full(store);
    case SQLITE_CORRUPT:
        return corrupt(store, "its pages contradict one another", what);
    case SQLITE_NOTADB:
        return corrupt(store, "it is not a database", what);
    case SQLITE_IOERR:
        return input_output(store, code, what);
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_CANTOPEN:
    case SQLITE_AUTH:
        return forbidden(store, code, what);
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return err_set(ERR_LOCKED,
                       "%s is held by another program (in %s); stop it and "
                       "run the same command again",
                       store->path, what);
    case SQLITE_INTERRUPT:
        return err_set(ERR_STOPPED, "stopped while reading %s", store->path);
    default:
        return err_set(ERR_STORE, "%s: %s (in %s)", store->path,
                       store->database ? sqlite3_errmsg(store->database)
                                       : sqlite3_errstr(code),
                       what);
    }
}
