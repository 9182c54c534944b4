/*
 * copy_folder.c: where a copy lies until it is whole: a folder beside what it
 * becomes, "NAME.partial-PID", so that two at once never share one.
 *
 * Who makes a copy holds a lock on its folder, which the kernel drops when the
 * process ends, however it ends. So the next one knows what was left behind,
 * and removes it. A number of a process would not tell: it may be another's by
 * now, and in every container it is 1.
 */
#include "store/store_int.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static const char mark[] = ".partial-";

/* A folder with its lock; -1 where it is none, or somebody else's. */
static int lock_folder(const char *path)
{
    int file = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (file >= 0 && flock(file, LOCK_EX | LOCK_NB) != 0) {
        close(file);
        return -1;
    }
    return file;
}

static void remove_files(struct arena *arena, const char *path)
{
    static const char *const files[] = {
        "assay.db",         "assay.db-wal",     "assay.db-shm",
        "assay.db-journal", "assay.db.rewrite", "assay.db.rewrite-journal",
        "assay.lock"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        unlink(arena_printf(arena, "%s/%s", path, files[i]));
    rmdir(path);
}

/* ---- what was left behind ------------------------------------------------ */

/* Whether it ends in MARK and digits. */
static bool is_name_of_copy(const char *name)
{
    const char *at = strstr(name, mark);
    if (!at || at == name)
        return false;
    at += sizeof mark - 1;
    return *at && !at[strspn(at, "0123456789")];
}

static void remove_left(struct arena *arena, const char *path)
{
    int lock = lock_folder(path);
    if (lock < 0)
        return;
    remove_files(arena, path);
    close(lock);
}

static void remove_all_left(struct arena *arena, const char *directory)
{
    DIR *folder = opendir(directory);
    struct dirent *entry;
    while (folder && (entry = readdir(folder)))
        if (is_name_of_copy(entry->d_name))
            remove_left(arena,
                        arena_printf(arena, "%s/%s", directory, entry->d_name));
    if (folder)
        closedir(folder);
}

/* ---- one copy ------------------------------------------------------------ */

const char *folder_of(struct arena *arena, const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? arena_text(arena, path, (size_t)(slash - path) + 1) : ".";
}

/* Made, and locked before somebody took it for left behind. */
static bool make_folder(struct copy *copy)
{
    struct stat status;
    if (mkdir(copy->folder, 0700) != 0)
        return false;
    copy->lock = lock_folder(copy->folder);
    if (copy->lock >= 0 && !fstat(copy->lock, &status) && status.st_nlink)
        return true;
    errno = EAGAIN;
    return false;
}

enum err copy_begin(struct copy *copy, const char *path)
{
    *copy = (struct copy){.lock = -1};
    remove_all_left(&copy->arena, folder_of(&copy->arena, path));
    copy->folder =
        arena_printf(&copy->arena, "%s%s%ld", path, mark, (long)getpid());
    copy->database = arena_printf(&copy->arena, "%s/assay.db", copy->folder);
    return make_folder(copy) ? ERR_NONE : file_failure("make", copy->folder);
}

void copy_end(struct copy *copy)
{
    if (copy->lock >= 0) {
        remove_files(&copy->arena, copy->folder);
        close(copy->lock);
    }
    arena_free(&copy->arena);
}
