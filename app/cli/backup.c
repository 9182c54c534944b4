/*
 * backup.c: `assay backup`: the store as one file, also beside a running
 * server.
 */
#include "cli/backup.h"
#include "base/clock.h"
#include "base/log.h"
#include "store/store.h"

#include <stdio.h>
#include <sys/stat.h>

/* ---- shared with restore ------------------------------------------------- */

static void show_progress(void *context, const char *what, uint64_t done,
                          uint64_t all)
{
    progress_show(context, what, done, all, done, "steps");
}

static void report_defect(void *context, const char *defect)
{
    progress_end(context);
    log_message(LOG_ERROR, "defect: %s", defect);
}

struct store_watch watch_for(struct progress *progress)
{
    return (struct store_watch){report_defect, show_progress, progress};
}

/* ---- the command --------------------------------------------------------- */

static const struct example examples[] = {
    {"assay backup /backups", "a file there, named by the time"},
    {"assay backup monday.db --data store", "the store in ./store, as this "
                                            "file"},
    {0}};

/* "assay-20260108T214905Z.db" in a folder. */
static const char *name_in(struct arena *arena, const char *folder)
{
    char text[CLOCK_TEXT_BYTES];
    struct buf name = {0};
    clock_text_s(clock_wall_ms(), text);
    for (const char *at = text; *at; at++) {
        if (*at != '-' && *at != ':')
            buf_add_byte(&name, (uint8_t)*at);
    }
    const char *path =
        arena_printf(arena, "%s/assay-%s.db", folder, buf_string(&name));
    buf_free(&name);
    return path;
}

static enum err run(struct invocation *invocation)
{
    const char *target = invocation->arguments[0];
    struct stat status;
    struct store *store;
    if (stat(target, &status) == 0 && S_ISDIR(status.st_mode))
        target = name_in(&invocation->arena, target);
    enum err err = store_open(&store, invocation->config->data, STORE_READ);
    if (err)
        return err;
    struct progress progress = progress_start(invocation);
    struct store_watch watch = watch_for(&progress);
    err = store_backup(store, target, &watch);
    progress_end(&progress);
    store_close(store);
    if (!err)
        printf("%s\n", target);
    return err;
}

const struct command command_backup = {
    .name = "backup",
    .summary = "write the store into one checked file",
    .arguments = "FILE|DIR",
    .about =
        "Writes the store as it is at this moment into FILE, or into a file "
        "named by the time where a directory is given, and prints its name. A "
        "running server goes on meanwhile. The copy is checked, pages and "
        "evidence, before it gets its name: a file that is there is whole.\n\n"
        "It holds the secret seed of the plan that is under way: hand it to "
        "nobody before that plan is over.\n\n"
        "`assay restore FILE` is the way back. Nothing is ever replaced.",
    .examples = examples,
    .least = 1,
    .most = 1,
    .run = run,
};
