/*
 * temporary.c: see temporary.h.
 */
#include "cli/temporary.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OPEN_FOLDERS = 8 };

enum err temporary_make(const char *name, char path[TEMPORARY_PATH_BYTES])
{
    const char *parent = getenv("TMPDIR");
    snprintf(path, TEMPORARY_PATH_BYTES, "%s/assay-%s-XXXXXX",
             parent && *parent ? parent : "/tmp", name);
    if (mkdtemp(path))
        return ERR_NONE;
    enum err err =
        err_set(ERR_STORE, "the %s has no place for its store: %s: %s", name,
                path, strerror(errno));
    *path = '\0';
    return err;
}

static int remove_entry(const char *path, const struct stat *status, int kind,
                        struct FTW *place)
{
    (void)status;
    (void)kind;
    (void)place;
    return remove(path);
}

void temporary_remove(const char *path)
{
    if (*path)
        nftw(path, remove_entry, OPEN_FOLDERS, FTW_DEPTH | FTW_PHYS);
}
