/*
 * backup.c: a store as one checked file, and the way back.
 *
 * Both ways make the copy in a folder of its own beside where it shall be
 * (copy_folder.c), open it there as a store, check it, and only then rename it.
 * A copy that was cut short or is damaged never has the name of a whole one.
 * How a copy becomes the store is in restored.c.
 *
 * The copy out is SQLite's online backup from a read transaction: one moment
 * of the store, while its writer goes on. Copying the files would tear the
 * database from its log.
 */
#include "store/store_int.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PAGES_PER_STEP = 1024, COPY_BYTES = 1 << 20 };

static const struct store_watch unwatched;

static void show(const struct store_watch *watch, const char *what,
                 uint64_t done, uint64_t all)
{
    if (watch->progress)
        watch->progress(watch->context, what, done, all);
}

/* ---- checking ------------------------------------------------------------ */

struct checking {
    const struct store_watch *watch;
    uint64_t defects;
};

static void report_defect(void *context, const char *defect)
{
    struct checking *checking = context;
    checking->defects++;
    if (checking->watch->report)
        checking->watch->report(checking->watch->context, defect);
}

static void show_blocks(void *context, uint64_t done, uint64_t all)
{
    struct checking *checking = context;
    show(checking->watch, "checking evidence", done, all);
}

enum err store_check(struct store *store, const struct store_watch *watch,
                     uint64_t *defects)
{
    struct checking checking = {.watch = watch ? watch : &unwatched};
    struct evidence_verdict verdict;
    enum err err =
        evidence_verify(store, &verdict, report_defect, show_blocks, &checking);
    *defects = checking.defects;
    return err;
}

/* ---- checking the copy ----------------------------------------------------
 */

/* Bytes that the file alone would not have. */
static bool has_log(const struct copy *copy)
{
    struct arena arena = {0};
    struct stat status;
    const char *log = arena_printf(&arena, "%s-wal", copy->database);
    bool found = stat(log, &status) == 0 && status.st_size > 0;
    arena_free(&arena);
    return found;
}

/* A copy of a store that cannot be shrunk becomes one that can. */
static enum err rewrite_copy(const struct copy *copy)
{
    struct arena arena = {0};
    struct store *store;
    bool rewritten = false;
    const char *path = arena_printf(&arena, "%s.rewrite", copy->database);
    enum err err = store_open(&store, copy->folder, STORE_WRITE);
    if (!err) {
        err = store_rewrite(store, path, &rewritten);
        store_close(store);
    }
    if (!err && rewritten && rename(path, copy->database) != 0)
        err = file_failure("rename", path);
    arena_free(&arena);
    return err;
}

/* As a writer, so that an older one is upgraded and no log stays behind. */
static enum err check_copy(const struct copy *copy,
                           const struct store_watch *watch)
{
    struct store *store;
    uint64_t defects = 0;
    enum err err = rewrite_copy(copy);
    if (!err)
        err = store_open(&store, copy->folder, STORE_WRITE);
    if (err)
        return err;
    err = store_check(store, watch, &defects);
    store_close(store);
    if (!err && has_log(copy))
        err = err_set(ERR_STORE, "%s kept a log beside it; try again",
                      copy->database);
    if (!err && defects > 0)
        err = err_set(ERR_CORRUPT, "the copy has %llu defects and is not kept",
                      (unsigned long long)defects);
    return err;
}

static enum err sync_folder_of(const char *path)
{
    struct arena arena = {0};
    enum err err = sync_path(folder_of(&arena, path), O_RDONLY | O_DIRECTORY);
    arena_free(&arena);
    return err;
}

/* Never over a file that came to be there meanwhile. */
static enum err name_backup(const struct copy *copy, const char *path)
{
    enum err err = sync_path(copy->database, O_RDWR);
    if (!err && link(copy->database, path) != 0)
        err =
            errno == EEXIST
                ? err_set(ERR_USAGE,
                          "%s exists already; a backup replaces nothing", path)
                : file_failure("name the copy", path);
    return err ? err : sync_folder_of(path);
}

/* ---- out ----------------------------------------------------------------- */

static enum err copy_pages(struct store *store, sqlite3 *target,
                           const struct store_watch *watch)
{
    sqlite3_backup *backup =
        sqlite3_backup_init(target, "main", store->database, "main");
    if (!backup)
        return err_set(ERR_STORE, "%s cannot be copied: %s", store->path,
                       sqlite3_errmsg(target));
    int code;
    do {
        code = sqlite3_backup_step(backup, PAGES_PER_STEP);
        int all = sqlite3_backup_pagecount(backup);
        show(watch, "copying",
             (uint64_t)(all - sqlite3_backup_remaining(backup)), (uint64_t)all);
    } while (code == SQLITE_OK);
    sqlite3_backup_finish(backup);
    if (code == SQLITE_DONE)
        return ERR_NONE;
    return store_failure(store, code, "copying");
}

static enum err copy_store(struct store *store, const struct copy *copy,
                           const struct store_watch *watch)
{
    sqlite3 *target;
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE |
                SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
    enum err err = store_begin_read(store);
    if (err)
        return err;
    int code = sqlite3_open_v2(copy->database, &target, flags, NULL);
    if (code)
        err = err_set(ERR_STORE, "cannot make %s: %s", copy->database,
                      sqlite3_errstr(code));
    else
        err = copy_pages(store, target, watch);
    sqlite3_close(target);
    store_rollback(store);
    return err;
}

enum err store_backup(struct store *store, const char *file,
                      const struct store_watch *watch)
{
    struct copy copy;
    watch = watch ? watch : &unwatched;
    if (access(file, F_OK) == 0)
        return err_set(ERR_USAGE,
                       "%s exists already; a backup replaces nothing", file);
    enum err err = copy_begin(&copy, file);
    if (!err)
        err = copy_store(store, &copy, watch);
    if (!err)
        err = check_copy(&copy, watch);
    if (!err && chmod(copy.database, 0600) != 0)
        err = file_failure("protect", copy.database);
    if (!err)
        err = name_backup(&copy, file);
    copy_end(&copy);
    return err;
}

/* ---- back ---------------------------------------------------------------- */

static enum err copy_bytes(int from, int to, const char *file, const char *path,
                           const struct store_watch *watch)
{
    struct stat status;
    uint64_t done = 0;
    enum err err = ERR_NONE;
    char *bytes = memory_alloc(COPY_BYTES);
    if (fstat(from, &status) != 0 || !S_ISREG(status.st_mode))
        err = err_set(ERR_USAGE, "%s is not a file", file);
    while (!err) {
        ssize_t got = read(from, bytes, COPY_BYTES);
        if (got < 0)
            err = file_failure("read", file);
        else if (got > 0 && write(to, bytes, (size_t)got) != got)
            err = file_failure("write", path);
        if (got <= 0)
            break;
        done += (uint64_t)got;
        show(watch, "copying", done, (uint64_t)status.st_size);
    }
    free(bytes);
    return err;
}

/* What has no header would be taken for a new store that is still empty. */
static enum err check_header(int from, const char *file)
{
    static const char magic[16] = "SQLite format 3";
    enum { HEADER = 100, APPLICATION_AT = 68 };
    unsigned char bytes[HEADER] = {0};
    uint32_t application = 0;
    ssize_t got = pread(from, bytes, sizeof bytes, 0);
    for (int i = 0; i < 4; i++)
        application = application << 8 | bytes[APPLICATION_AT + i];
    if (got == HEADER && memcmp(bytes, magic, sizeof magic) == 0 &&
        application == STORE_APPLICATION_ID)
        return ERR_NONE;
    return err_set(ERR_USAGE, "%s is not a backup of a store", file);
}

/* A file with a log beside it lacks what the log holds. */
static enum err refuse_live(const char *file)
{
    struct arena arena = {0};
    struct stat status;
    const char *log = arena_printf(&arena, "%s-wal", file);
    bool live = stat(log, &status) == 0 && status.st_size > 0;
    arena_free(&arena);
    if (!live)
        return ERR_NONE;
    return err_set(ERR_USAGE,
                   "%s is a store in use, with a log beside it: make a backup "
                   "of it with `assay backup` and restore that",
                   file);
}

static enum err copy_file(const char *file, const struct copy *copy,
                          const struct store_watch *watch)
{
    int from = open(file, O_RDONLY | O_CLOEXEC);
    int to = -1;
    if (from < 0)
        return errno == ENOENT
                   ? err_set(ERR_ABSENT, "there is no file %s", file)
                   : file_failure("open", file);
    enum err err = check_header(from, file);
    if (!err)
        err = refuse_live(file);
    if (!err) {
        to =
            open(copy->database, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        err = to < 0 ? file_failure("make", copy->database)
                     : copy_bytes(from, to, file, copy->database, watch);
    }
    close(from);
    if (to >= 0)
        close(to);
    return err;
}

static enum err restore_locked(const char *file, const char *directory,
                               bool replace, const struct store_watch *watch)
{
    struct copy copy;
    struct arena arena = {0};
    const char *path = arena_printf(&arena, "%s/assay.db", directory);
    enum err err = restored_finish(directory);
    if (!err && !replace && access(path, F_OK) == 0)
        err =
            err_set(ERR_USAGE, "%s holds a store already; --force replaces it",
                    directory);
    if (!err) {
        err = copy_begin(&copy, path);
        if (!err)
            err = copy_file(file, &copy, watch);
        if (!err && (err = check_copy(&copy, watch)))
            err_wrap(err, "%s cannot be restored", file);
        if (!err)
            err = restored_put(copy.database, directory);
        copy_end(&copy);
    }
    arena_free(&arena);
    return err;
}

enum err store_restore(const char *file, const char *directory, bool replace,
                       const struct store_watch *watch)
{
    int lock;
    enum err err = directory_make(directory);
    if (!err)
        err = lock_take(directory, &lock);
    if (err)
        return err;
    err = restore_locked(file, directory, replace, watch ? watch : &unwatched);
    close(lock);
    return err;
}
