/*
 * shrink.c: space that expired evidence leaves goes back to the disk.
 *
 * SQLite uses free pages again, but a file never gets shorter by itself. With
 * auto_vacuum set to incremental it knows of every page who points to it; so
 * pages at the end can move into free ones, some at a time, and the end is cut
 * off with the next checkpoint. Nobody waits for longer than for a small batch.
 * Some free space is kept: what comes next wants it.
 *
 * That must be chosen before the first table is made. A store from before is
 * made anew, that way, when it is backed up or restored, which copies it
 * anyway; its own file stays as long as it is. Turned down: VACUUM of a store
 * that is served, which wants as much space again, in the log, and everybody
 * to wait.
 */
#include "store/store_int.h"

/* As PRAGMA auto_vacuum says it. */
enum { AUTO_VACUUM_INCREMENTAL = 2 };

/* Of 8 KB: 4 MB are kept, 2 MB are a step (store_shrink_some). */
enum { SPARE_PAGES = 512 };

static enum err is_shrinkable(struct store *store, bool *shrinkable)
{
    int64_t mode = 0;
    enum err err = query_single_int(store, QUERY_STORE_AUTO_VACUUM, &mode);
    *shrinkable = mode == AUTO_VACUUM_INCREMENTAL;
    return err;
}

/* It moves a page with every row that it gives. */
static enum err move_some(struct store *store)
{
    struct query *query = query_start(store, QUERY_STORE_SHRINK_SOME);
    bool row = true;
    enum err err = ERR_NONE;
    while (!err && row)
        err = query_step(query, &row);
    return err;
}

static enum err has_spare(struct store *store, bool *has)
{
    int64_t pages = 0;
    enum err err = query_single_int(store, QUERY_STORE_FREE_PAGES, &pages);
    *has = pages > SPARE_PAGES;
    return err;
}

enum err store_shrink(struct store *store, bool *more)
{
    bool shrinkable;
    *more = false;
    enum err err = is_shrinkable(store, &shrinkable);
    if (err || !shrinkable)
        return err;
    err = has_spare(store, more);
    if (!err && *more)
        err = move_some(store);
    return err ? err : has_spare(store, more);
}

enum err store_rewrite(struct store *store, const char *path, bool *rewritten)
{
    bool shrinkable;
    *rewritten = false;
    enum err err = is_shrinkable(store, &shrinkable);
    if (err || shrinkable)
        return err;
    err = query_run_id(store, QUERY_STORE_SET_AUTO_VACUUM);
    if (err)
        return err;
    struct query *query = query_start(store, QUERY_STORE_REWRITE);
    query_bind_string(query, 1, path);
    err = query_run(query);
    *rewritten = !err;
    return err;
}
