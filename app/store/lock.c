/*
 * lock.c: one writer a directory.
 *
 * The lock is flock() on assay.lock: the kernel drops it when the process
 * ends, however it ends, so that a file left behind never locks anybody out.
 * The pid in the file is for people only.
 */
#include "store/store_int.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static enum err directory_failure(const char *directory)
{
    if (errno == ENOSPC || errno == EDQUOT)
        return err_set(ERR_FULL, "no space left to make the directory %s",
                       directory);
    return err_set(ERR_STORE,
                   "cannot make the directory %s: %s; choose another with "
                   "--data, or make it and give it to this user",
                   directory, strerror(errno));
}

/* A new directory must outlast a power cut, as what is acknowledged in it. */
static void sync_parent(const char *path)
{
    struct arena arena = {0};
    const char *slash = strrchr(path, '/');
    size_t length = slash ? (size_t)(slash - path) : 0;
    const char *parent =
        slash ? arena_text(&arena, path, length ? length : 1) : ".";
    int file = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (file >= 0) {
        (void)!fsync(file);
        close(file);
    }
    arena_free(&arena);
}

enum err directory_make(const char *directory)
{
    struct arena arena = {0};
    char *path = arena_text(&arena, directory, strlen(directory));
    enum err err = ERR_NONE;
    for (char *at = path + 1; !err; at++) {
        if (*at && *at != '/')
            continue;
        char kept = *at;
        *at = '\0';
        if (!mkdir(path, 0777))
            sync_parent(path);
        else if (errno != EEXIST)
            err = directory_failure(directory);
        *at = kept;
        if (!kept)
            break;
    }
    struct stat status;
    if (!err && (stat(directory, &status) || !S_ISDIR(status.st_mode)))
        err = err_set(ERR_STORE,
                      "%s is not a directory; choose another with "
                      "--data",
                      directory);
    arena_free(&arena);
    return err;
}

static enum err name_owner(int descriptor, const char *directory)
{
    char text[24] = "";
    ssize_t length = pread(descriptor, text, sizeof text - 1, 0);
    long pid = length > 0 ? strtol(text, NULL, 10) : 0;
    if (pid <= 0)
        return err_set(ERR_LOCKED, "%s is in use by another process",
                       directory);
    return err_set(ERR_LOCKED,
                   "%s is in use by process %ld; stop it first, or choose "
                   "another directory with --data",
                   directory, pid);
}

static enum err write_pid(int descriptor, const char *directory)
{
    char text[24];
    int length = snprintf(text, sizeof text, "%ld\n", (long)getpid());
    if (!ftruncate(descriptor, 0) &&
        pwrite(descriptor, text, (size_t)length, 0) == length)
        return ERR_NONE;
    if (errno == ENOSPC || errno == EDQUOT || errno == EFBIG)
        return err_set(ERR_FULL,
                       "no space left in %s; free some and run the "
                       "same command again",
                       directory);
    return err_set(ERR_STORE, "cannot write %s/assay.lock: %s", directory,
                   strerror(errno));
}

enum err lock_take(const char *directory, int *descriptor)
{
    struct arena arena = {0};
    const char *path = arena_printf(&arena, "%s/assay.lock", directory);
    enum err err = ERR_NONE;
    int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (file < 0 && (errno == ENOSPC || errno == EDQUOT))
        err = err_set(ERR_FULL, "no space left to make %s", path);
    else if (file < 0)
        err = err_set(ERR_STORE,
                      "cannot write to %s: %s; this command needs a data "
                      "directory that its user may write",
                      directory, strerror(errno));
    else if (flock(file, LOCK_EX | LOCK_NB))
        err = name_owner(file, directory);
    else
        err = write_pid(file, directory);
    if (err && file >= 0)
        close(file);
    else
        *descriptor = file;
    arena_free(&arena);
    return err;
}
