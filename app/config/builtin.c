/*
 * builtin.c: see builtin.h.
 */
#include "config/config.h"

#include "base/file.h"

#include <errno.h>
#include <string.h>

enum { SHOWN_BYTES = 200 };

static void list_names(const struct config_builtin *list, struct buf *out)
{
    for (size_t i = 0; list[i].name; i++)
        buf_printf(out, "%s%s", i ? ", " : "", list[i].name);
}

static enum err nothing_called(const struct config_builtin *list,
                               const char *name, const char *what)
{
    int error = errno;
    bool several = list[0].name && list[1].name;
    struct buf names = {0};
    list_names(list, &names);
    enum err err =
        err_set(ERR_CONFIG,
                "there is no %s %.*s: %s %s built in, and a file of that "
                "name cannot be read: %s",
                what, SHOWN_BYTES, name, buf_string(&names),
                several ? "are" : "is", strerror(error));
    buf_free(&names);
    return err;
}

enum err config_builtin_find(const struct config_builtin *list,
                             const char *name, const char *what,
                             struct buf *owned, struct text *bytes)
{
    for (size_t i = 0; list[i].name; i++) {
        if (strcmp(list[i].name, name) != 0)
            continue;
        *bytes =
            (struct text){list[i].bytes, (size_t)(list[i].end - list[i].bytes)};
        return ERR_NONE;
    }
    if (!file_read(name, CONFIG_FILE_MAX_BYTES, owned))
        return nothing_called(list, name, what);
    if (owned->length > CONFIG_FILE_MAX_BYTES)
        return err_set(ERR_CONFIG, "%.*s is larger than %d bytes", SHOWN_BYTES,
                       name, CONFIG_FILE_MAX_BYTES);
    *bytes = (struct text){owned->data, owned->length};
    return ERR_NONE;
}
