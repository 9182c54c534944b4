/*
 * rebuild.c: `assay rebuild`: facts and everything derived, again from the
 * evidence. The result has the same bytes as what stood there before; where it
 * has not, that is a defect of this program.
 */
#include "cli/derive.h"
#include "cli/stop.h"
#include "ingest/ingest.h"
#include "rollup/rollup.h"

#include <stdio.h>

static const struct example examples[] = {
    {"assay rebuild --data store", "derive all tables of ./store again"}, {0}};

static void show_lines(void *context, uint64_t lines)
{
    progress_show(context, "reading evidence", 0, 0, lines, "lines");
}

/* One transaction: readers see the former rows until all stand again. */
static enum err rebuild(struct store *store, struct progress *progress)
{
    enum err err = store_begin(store);
    if (err)
        return err;
    err = ingest_replay(store, show_lines, progress);
    progress_end(progress);
    if (!err)
        err = derive_within(store, progress);
    if (!err)
        return store_commit(store);
    store_rollback(store);
    return err;
}

static enum err run(struct invocation *invocation)
{
    struct store *store;
    struct progress progress = progress_start(invocation);
    enum err err = store_open(&store, invocation->config->data, STORE_WRITE);
    if (err)
        return err;
    stop_catch();
    memory_be_quick();
    err = store_be_quick(store);
    if (!err)
        err = rebuild(store, &progress);
    store_close(store);
    return err;
}

const struct command command_rebuild = {
    .name = "rebuild",
    .summary = "derive every table again from the evidence",
    .arguments = "",
    .about =
        "Reads all evidence again and derives sessions, hours and scores "
        "from it. Evidence is not changed. The derived tables come out byte "
        "for byte as they were. Days whose evidence has expired cannot be read "
        "again and keep the facts they have. While it works, and if it is "
        "stopped, the former tables stand.\n\n"
        "Refuses beside a running server, whose process it names.",
    .examples = examples,
    .run = run,
};
