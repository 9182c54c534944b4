/*
 * import.c: `assay import`: files of telemetry into the store.
 *
 * Records are committed in groups; what a group holds is durable when the next
 * one begins, and everything derived is settled at the end. Stopping anywhere
 * loses nothing that was committed, and giving the same files again adds
 * nothing twice.
 */
#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "cli/derive.h"
#include "cli/stop.h"
#include "cli/table.h"
#include "ingest/ingest.h"
#include "livepeer/livepeer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { READ_BYTES = 1 << 20, COMMIT_BYTES_MAX = 64 << 20 };

static const struct option options[] = {
    {.name = "--org",
     .value = "NAME",
     .type = OPTION_CONFIG,
     .help = "organisation of lines that name none themselves",
     .key = "org"},
    {.name = "--at",
     .value = "TIME",
     .type = OPTION_TIME,
     .help = "when a capability dump was taken (default: the file's time)"},
    {0}};

static const struct example examples[] = {
    {"assay import events.ndjson.gz", "import one file"},
    {"assay import --org cloudspe day-*.ndjson",
     "lines without an org of their own are cloudspe's"},
    {"zcat day.gz | assay import -", "import what comes on standard input"},
    {"assay import --org me --at 2026-01-08T21:50:00Z "
     "getNetworkCapabilities.json",
     "a capability snapshot and when it was taken"},
    {0}};

/* One run of the command. */
struct import {
    struct invocation *invocation;
    struct store *store;
    struct ingest *ingest;
    struct progress progress;
    struct ingest_origin origin;
    const char *name; /* of the current file */
    int file;
    char *bytes;
    uint64_t size; /* of the current file, 0 for unknown */
    uint64_t done;
    uint64_t records; /* of all files */
    uint64_t pending_bytes;
    bool damaged; /* some file ended early */
};

static enum err stopped(void)
{
    return err_set(ERR_STOPPED, "stopped; what was read is kept, give the same "
                                "files again to go on");
}

/* ---- records ------------------------------------------------------------- */

static enum err after_record(struct import *import, uint64_t length)
{
    import->records++;
    import->pending_bytes += length;
    progress_show(&import->progress, import->name, import->done, import->size,
                  import->records, "records");
    if (stop_count())
        return stopped();
    int64_t most = import->invocation->config->import_commit_lines;
    if (ingest_pending(import->ingest) < (uint64_t)most &&
        import->pending_bytes < COMMIT_BYTES_MAX)
        return ERR_NONE;
    import->pending_bytes = 0;
    import->origin.arrival_ms = clock_wall_ms();
    return ingest_commit(import->ingest);
}

static enum err take(void *context, struct text record)
{
    struct import *import = context;
    enum err err = ingest_record(import->ingest, &import->origin, record);
    return err ? err : after_record(import, record.length);
}

static enum err take_oversize(void *context, struct text kept, uint64_t length,
                              const uint8_t sha256[SHA256_BYTES])
{
    struct import *import = context;
    enum err err =
        ingest_oversize(import->ingest, &import->origin, kept, length, sha256);
    return err ? err : after_record(import, kept.length);
}

static enum err feed(void *context, const char **bytes, size_t *length)
{
    struct import *import = context;
    ssize_t count;
    do
        count =
            stop_count() ? 0 : read(import->file, import->bytes, READ_BYTES);
    while (count < 0 && errno == EINTR && !stop_count());
    /* Ctrl-C ends a pipe's writer too: an end of input is none then. */
    if (stop_count())
        return stopped();
    if (count < 0)
        return err_set(ERR_INPUT, "cannot read %s: %s", import->name,
                       strerror(errno));
    *bytes = import->bytes;
    *length = (size_t)count;
    import->done += (uint64_t)count;
    return ERR_NONE;
}

/* ---- files --------------------------------------------------------------- */

static bool is_standard_input(const char *name)
{
    return !strcmp(name, "-");
}

static enum err open_file(const char *name, int *file)
{
    *file = is_standard_input(name) ? STDIN_FILENO
                                    : open(name, O_RDONLY | O_CLOEXEC);
    if (*file < 0 && stop_count())
        return stopped();
    if (*file < 0)
        return err_set(ERR_USAGE, "cannot open %s: %s", name, strerror(errno));
    return ERR_NONE;
}

/* Looks without opening: that would cut a named pipe off from its writer. */
static enum err check_file(const char *name)
{
    struct stat about;
    if (is_standard_input(name))
        return ERR_NONE;
    if (stat(name, &about) || access(name, R_OK))
        return err_set(ERR_USAGE, "cannot open %s: %s", name, strerror(errno));
    if (S_ISDIR(about.st_mode))
        return err_set(ERR_USAGE, "%s is a directory; name the files in it",
                       name);
    return ERR_NONE;
}

static enum err check_options(const struct invocation *invocation)
{
    int64_t at = option_time(invocation, "--at", 0);
    if (at < 0 || at > EVENT_TIME_MS_MAX)
        return err_set(ERR_USAGE, "--at must lie between 1970 and 2286");
    if (strchr(invocation->config->org, '|'))
        return err_set(ERR_USAGE, "an organisation cannot hold '|'; session "
                                  "keys are parted by it");
    return ERR_NONE;
}

/* Before anything is imported, so that a misspelt name costs nothing. */
static enum err check_files(const struct invocation *invocation)
{
    enum err err = ERR_NONE;
    for (size_t i = 0; !err && i < invocation->argument_count; i++)
        err = check_file(invocation->arguments[i]);
    return err;
}

static void look_at_file(struct import *import)
{
    struct stat about;
    int64_t now = clock_wall_ms();
    import->origin.arrival_ms = now;
    import->origin.snapshot_ms = now;
    import->size = 0;
    import->done = 0;
    if (!fstat(import->file, &about) && S_ISREG(about.st_mode)) {
        import->size = (uint64_t)about.st_size;
        import->origin.snapshot_ms = (int64_t)about.st_mtim.tv_sec * 1000;
    }
    import->origin.snapshot_ms =
        option_time(import->invocation, "--at", import->origin.snapshot_ms);
}

static enum err import_file(struct import *import, const char *name)
{
    struct reader_report report;
    const struct byte_source source = {import, feed};
    const struct record_sink sink = {import, take, take_oversize};
    import->name = name;
    enum err err = open_file(name, &import->file);
    if (err)
        return err;
    look_at_file(import);
    err = read_records(&source, &sink, &report);
    if (!is_standard_input(name))
        close(import->file);
    if (!err && report.truncated) {
        progress_end(&import->progress);
        log_message(LOG_WARNING,
                    "%s: the %s data ends early or is damaged; the %llu "
                    "records before that are kept",
                    name, report.compression,
                    (unsigned long long)report.records);
        import->damaged = true;
    }
    return err;
}

static enum err import_files(struct import *import)
{
    enum err err = ERR_NONE;
    for (size_t i = 0; !err && i < import->invocation->argument_count; i++)
        err = import_file(import, import->invocation->arguments[i]);
    return err;
}

/* ---- summary ------------------------------------------------------------- */

static int compare_totals(const void *left, const void *right)
{
    const struct ingest_total *a = left;
    const struct ingest_total *b = right;
    int order = strcmp(a->class, b->class);
    if (!order)
        order = text_compare(a->reason, b->reason);
    if (!order)
        order = text_compare(a->family, b->family);
    return order ? order : text_compare(a->org, b->org);
}

static enum err print_totals(struct import *import)
{
    static const struct column columns[] = {
        {"class", COLUMN_TEXT},   {"reason", COLUMN_TEXT},
        {"type", COLUMN_TEXT},    {"org", COLUMN_TEXT},
        {"received", COLUMN_INT}, {"added", COLUMN_INT},
        {"conflicts", COLUMN_INT}};
    size_t count;
    const struct ingest_total *totals = ingest_totals(import->ingest, &count);
    struct ingest_total *sorted =
        arena_array(&import->invocation->arena, count, sizeof *sorted);
    if (count) {
        memcpy(sorted, totals, count * sizeof *sorted);
        qsort(sorted, count, sizeof *sorted, compare_totals);
    }
    bool json = import->invocation->json;
    struct table *table =
        table_open(stdout, json ? TABLE_NDJSON : TABLE_ALIGNED, columns, 7);
    enum err err = ERR_NONE;
    for (size_t i = 0; !err && i < count; i++) {
        table_text(table, text_of(sorted[i].class));
        table_text(table, sorted[i].reason);
        table_text(table, sorted[i].family);
        table_text(table, sorted[i].org);
        table_int(table, (int64_t)sorted[i].received);
        table_int(table, (int64_t)sorted[i].unique);
        table_int(table, (int64_t)sorted[i].conflicts);
        err = table_end_row(table);
    }
    enum err closed = table_close(table);
    return err ? err : closed;
}

/* ---- the run ------------------------------------------------------------- */

static enum err expire(struct import *import)
{
    const struct config *config = import->invocation->config;
    const struct evidence_limits limits = {
        config->evidence_keep_accepted_days, config->evidence_keep_ignored_days,
        config->evidence_keep_rejected_days, config->evidence_max_bytes,
        keep_facts};
    uint64_t dropped;
    enum err err =
        evidence_expire(import->store, clock_wall_ms(), &limits, &dropped);
    if (!err && dropped)
        log_message(LOG_INFO, "%llu blocks of evidence have expired",
                    (unsigned long long)dropped);
    bool more = !err;
    while (!err && more)
        err = store_shrink(import->store, &more);
    return err;
}

static enum err finish_import(struct import *import)
{
    enum err err = ingest_finish(import->ingest);
    if (!err)
        err = derive(import->store, &import->progress);
    if (!err)
        err = expire(import);
    return err ? err : print_totals(import);
}

/* A stop or an unreadable file keeps what was read, as a normal end does. */
static enum err run_import(struct import *import)
{
    enum err err = import_files(import);
    progress_end(&import->progress);
    if (err && err != ERR_STOPPED && err != ERR_INPUT && err != ERR_USAGE)
        return err;
    const char *sentence =
        arena_printf(&import->invocation->arena, "%s", err_message());
    enum err finished = finish_import(import);
    if (finished)
        return finished;
    if (err)
        return err_set(err, "%s", sentence);
    return import->damaged ? err_set(ERR_INPUT, "some input was damaged")
                           : ERR_NONE;
}

static enum err run(struct invocation *invocation)
{
    struct import import = {.invocation = invocation};
    enum err err = check_options(invocation);
    if (!err)
        err = check_files(invocation);
    if (err)
        return err;
    err = store_open(&import.store, invocation->config->data, STORE_WRITE);
    if (err)
        return err;
    err = store_refuse_simulation(import.store, "an import");
    if (!err)
        err = store_be_quick(import.store);
    if (err) {
        store_close(import.store);
        return err;
    }
    stop_catch();
    memory_be_quick();
    import.origin.source = text_of("import");
    import.origin.org = text_of(invocation->config->org);
    import.progress = progress_start(invocation);
    import.ingest = ingest_new(import.store);
    ingest_be_quick(import.ingest);
    ingest_keep_totals(import.ingest);
    import.bytes = memory_alloc(READ_BYTES);
    err = run_import(&import);
    ingest_free(import.ingest);
    free(import.bytes);
    store_close(import.store);
    return err;
}

const struct command command_import = {
    .name = "import",
    .summary = "take files of telemetry into the store",
    .arguments = "FILE...",
    .about =
        "Reads gateway events from files, or from standard input for '-': "
        "NDJSON, JSON arrays, the wrapped form of Kafka viewers, and "
        "capability dumps (an object with a list `orchestrators`), plain, gzip "
        "or zstd. Prints what was taken, by class, reason and type; `added` "
        "counts what was not there before.\n\n"
        "Every line is kept as evidence, also what is ignored or rejected. A "
        "line's organisation is its own `org`, else --org, else that of its "
        "topic. An import can be stopped at any time and repeated: nothing is "
        "counted twice.",
    .options = options,
    .examples = examples,
    .exits = "1  some input was damaged, or the import was stopped\n",
    .least = 1,
    .most = ARGUMENTS_ANY,
    .prints_json = true,
    .run = run,
};
