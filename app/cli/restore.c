/*
 * restore.c: `assay restore`: a backup becomes the store.
 */
#include "base/log.h"
#include "cli/backup.h"
#include "store/store.h"

static const struct option options[] = {
    {.name = "--force",
     .type = OPTION_FLAG,
     .help = "replace the store that is there"},
    {0}};

static const struct example examples[] = {
    {"assay restore monday.db --data store", "make it the store in ./store"},
    {"assay restore monday.db --force", "the same over the one that is there"},
    {0}};

static enum err run(struct invocation *invocation)
{
    struct progress progress = progress_start(invocation);
    struct store_watch watch = watch_for(&progress);
    enum err err =
        store_restore(invocation->arguments[0], invocation->config->data,
                      option_flag(invocation, "--force"), &watch);
    progress_end(&progress);
    if (!err)
        log_message(LOG_INFO, "%s is now the store in %s",
                    invocation->arguments[0], invocation->config->data);
    return err;
}

const struct command command_restore = {
    .name = "restore",
    .summary = "make a backup the store",
    .arguments = "FILE",
    .about =
        "Copies FILE beside the store, upgrades the copy where it is older, "
        "checks pages and evidence, and only then puts it in the store's "
        "place. A store that is there is replaced only with --force, and not "
        "before the copy has passed.\n\n"
        "Refuses beside a running server, whose process it names.",
    .options = options,
    .examples = examples,
    .least = 1,
    .most = 1,
    .run = run,
};
