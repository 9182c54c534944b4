/*
 * restored.c: a restored store takes the old one's place, whole, wherever the
 * process or the machine stops.
 *
 * A store is two files: the database, and the log of what was committed since.
 * They cannot be replaced in one step, and a log beside a database that is not
 * its own would destroy it. So a checked copy gets the name assay.db.restored:
 * that one rename decides. From then on it is the store; whoever comes next,
 * mostly the process itself, removes the old log, and then gives it the name
 * assay.db. Every step may be done twice.
 *
 * Turned down: to move the old log aside and back. Killed in between, the old
 * store lacks what was acknowledged last.
 */
#include "store/store_int.h"

#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum err file_failure(const char *what, const char *path)
{
    if (errno == ENOSPC || errno == EDQUOT || errno == EFBIG)
        return err_set(ERR_FULL, "no space left for %s", path);
    return err_set(ERR_STORE, "cannot %s %s: %s", what, path, strerror(errno));
}

enum err sync_path(const char *path, int flags)
{
    int file = open(path, flags | O_CLOEXEC);
    if (file < 0)
        return file_failure("open", path);
    int failed = fsync(file);
    enum err err = failed ? file_failure("write", path) : ERR_NONE;
    close(file);
    return err;
}

static enum err rename_within(const char *directory, const char *from,
                              const char *to)
{
    if (rename(from, to) != 0)
        return file_failure("rename", from);
    return sync_path(directory, O_RDONLY | O_DIRECTORY);
}

static const char *restored_path(struct arena *arena, const char *directory)
{
    return arena_printf(arena, "%s/assay.db.restored", directory);
}

static bool restored_waits(const char *directory)
{
    struct arena arena = {0};
    bool waits = access(restored_path(&arena, directory), F_OK) == 0;
    arena_free(&arena);
    return waits;
}

/* What belongs to the old database, and must be gone before the new one has its
 * name, also after a power cut. */
static enum err remove_logs(struct arena *arena, const char *directory)
{
    static const char *const ends[] = {"-wal", "-shm", "-journal"};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        const char *path =
            arena_printf(arena, "%s/assay.db%s", directory, ends[i]);
        if (unlink(path) != 0 && errno != ENOENT)
            return file_failure("remove", path);
    }
    return sync_path(directory, O_RDONLY | O_DIRECTORY);
}

enum err restored_finish(const char *directory)
{
    struct arena arena = {0};
    if (!restored_waits(directory))
        return ERR_NONE;
    enum err err = remove_logs(&arena, directory);
    if (!err)
        err = rename_within(directory, restored_path(&arena, directory),
                            arena_printf(&arena, "%s/assay.db", directory));
    arena_free(&arena);
    return err;
}

enum err restored_put(const char *copy, const char *directory)
{
    struct arena arena = {0};
    enum err err = sync_path(copy, O_RDWR);
    if (!err)
        err = rename_within(directory, copy, restored_path(&arena, directory));
    arena_free(&arena);
    return err ? err : restored_finish(directory);
}

enum err restored_finish_first(const char *directory)
{
    int lock;
    if (!restored_waits(directory))
        return ERR_NONE;
    log_message(LOG_WARNING, "finishing a restore of %s that was cut short",
                directory);
    enum err err = lock_take(directory, &lock);
    if (err)
        return err_wrap(err, "%s is being restored; try again", directory);
    err = restored_finish(directory);
    close(lock);
    return err;
}
