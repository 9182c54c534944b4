/*
 * doctor.c: `assay doctor`: what is wrong here, and what to do about it.
 *
 * A list of checks, each of which says in one sentence what it saw. A check
 * that finds something says what to do as well. None changes anything, all may
 * run beside a server. Checks that need an open store are left out where it
 * does not open; that it does not is the finding then.
 */
#include "api/api.h"
#include "base/ca_bundle.h"
#include "base/clock.h"
#include "base/json.h"
#include "cli/backup.h"
#include "cli/cli.h"
#include "cli/derive.h"
#include "ingest/ingest.h"
#include "livepeer/livepeer.h"
#include "seal/seal.h"
#include "store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/timex.h>
#include <unistd.h>

enum { SENTENCE_BYTES = 600 };

/* Under this, or under the size of the store (a backup needs as much), little
 * is left. */
static const uint64_t least_free_bytes = (uint64_t)1 << 30;

enum state { STATE_OK, STATE_NOTE, STATE_FINDING };

struct doctor {
    struct invocation *invocation;
    const char *directory;
    struct store *store; /* null where it did not open */
    struct progress progress;
    uint64_t findings;
    struct buf json;
    struct json_writer writer;
    uint64_t defects; /* of the check that runs */
    char first_defect[SENTENCE_BYTES];
};

/* ---- telling ------------------------------------------------------------- */

static void add_check(struct doctor *doctor, const char *name,
                      const char *state, const char *saw, const char *advice)
{
    struct json_writer *writer = &doctor->writer;
    json_begin(writer, '{');
    json_key(writer, "check");
    json_string(writer, name);
    json_key(writer, "state");
    json_string(writer, state);
    json_key(writer, "saw");
    json_string(writer, saw);
    json_key(writer, "advice");
    if (advice)
        json_string(writer, advice);
    else
        json_null(writer);
    json_end(writer, '}');
}

static void tell(struct doctor *doctor, const char *name, enum state state,
                 const char *advice, const char *format, ...) PRINTF_LIKE(5, 6);

static void tell(struct doctor *doctor, const char *name, enum state state,
                 const char *advice, const char *format, ...)
{
    static const char *const words[] = {"ok", "note", "finding"};
    char saw[SENTENCE_BYTES];
    va_list values;
    va_start(values, format);
    vsnprintf(saw, sizeof saw, format, values);
    va_end(values);
    doctor->findings += state == STATE_FINDING;
    progress_end(&doctor->progress);
    if (doctor->invocation->json) {
        add_check(doctor, name, words[state], saw, advice);
        return;
    }
    printf("%-8s %-12s %s\n", words[state], name, saw);
    if (advice)
        printf("%-8s %-12s -> %s\n", "", "", advice);
    fflush(stdout);
}

/* ---- the directory ------------------------------------------------------- */

static void check_directory(struct doctor *doctor)
{
    struct stat status;
    const char *path = doctor->directory;
    if (stat(path, &status) != 0) {
        tell(doctor, "directory", STATE_FINDING,
             "name the right one with --data, or import something",
             "%s cannot be read: %s", path, strerror(errno));
    } else if (!S_ISDIR(status.st_mode)) {
        tell(doctor, "directory", STATE_FINDING,
             "name the right one with --data", "%s is no directory", path);
    } else if (access(path, R_OK | X_OK) != 0) {
        tell(doctor, "directory", STATE_FINDING,
             "run this as the user that owns it, or give it to this user",
             "%s cannot be read: %s", path, strerror(errno));
    } else if (status.st_mode & S_IWOTH) {
        tell(doctor, "directory", STATE_FINDING, "chmod o-w the directory",
             "%s may be written by everybody on this machine", path);
    } else if (access(path, W_OK) != 0) {
        tell(doctor, "directory", STATE_NOTE,
             "run serve and import as the user that owns it",
             "%s cannot be written by this user, only read", path);
    } else {
        tell(doctor, "directory", STATE_OK, NULL, "%s can be written", path);
    }
}

static bool is_writable_by_all(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && (status.st_mode & S_IWOTH);
}

static void check_files(struct doctor *doctor)
{
    static const char *const names[] = {"assay.db", "assay.db-wal",
                                        "assay.db-shm", "assay.lock"};
    struct arena *arena = &doctor->invocation->arena;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *path =
            arena_printf(arena, "%s/%s", doctor->directory, names[i]);
        if (is_writable_by_all(path)) {
            tell(doctor, "files", STATE_FINDING, "chmod o-w the file",
                 "%s may be written by everybody on this machine", path);
            return;
        }
    }
    tell(doctor, "files", STATE_OK, NULL, "nobody else may write them");
}

static uint64_t store_bytes(const struct doctor *doctor)
{
    int64_t bytes = doctor->store ? store_size_bytes(doctor->store) : 0;
    return (uint64_t)bytes;
}

static void check_space(struct doctor *doctor)
{
    struct statvfs system;
    if (statvfs(doctor->directory, &system) != 0)
        return;
    uint64_t free_bytes = (uint64_t)system.f_bavail * system.f_frsize;
    uint64_t wanted = store_bytes(doctor);
    if (wanted < least_free_bytes)
        wanted = least_free_bytes;
    bool little = free_bytes < wanted;
    tell(doctor, "space", little ? STATE_FINDING : STATE_OK,
         little ? "free some; a full disk refuses new lines and keeps the old"
                : NULL,
         "%llu MB are free, the store takes %llu MB",
         (unsigned long long)(free_bytes / 1000000),
         (unsigned long long)(store_bytes(doctor) / 1000000));
    if (system.f_files > 0 && system.f_favail < 100)
        tell(doctor, "files left", STATE_FINDING, "delete some files",
             "the file system has room for %llu more files",
             (unsigned long long)system.f_favail);
}

/* ---- who runs ------------------------------------------------------------ */

static void check_writer(struct doctor *doctor)
{
    char text[24] = "";
    const char *path = arena_printf(&doctor->invocation->arena, "%s/assay.lock",
                                    doctor->directory);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return;
    bool held = flock(file, LOCK_SH | LOCK_NB) != 0;
    ssize_t length = pread(file, text, sizeof text - 1, 0);
    close(file);
    if (held)
        tell(doctor, "writer", STATE_OK, NULL, "process %ld holds the store",
             length > 0 ? strtol(text, NULL, 10) : 0L);
    else
        tell(doctor, "writer", STATE_OK, NULL, "no process holds the store");
}

static void check_exposure(struct doctor *doctor)
{
    const struct config *config = doctor->invocation->config;
    enum err err = api_may_listen(config);
    if (err)
        tell(doctor, "exposure", STATE_FINDING,
             "change listen, or allow it in the configuration", "%s",
             err_message());
    else
        tell(doctor, "exposure", STATE_OK, NULL, "%s, %s, %s",
             config->listen.text,
             config->listen.loopback ? "this machine only"
                                     : "reachable from other machines",
             *config->tls_certificate_file ? "https" : "plain http");
}

static void check_authorities(struct doctor *doctor)
{
    struct ca_bundle bundle;
    const char *file = doctor->invocation->config->tls_ca_file;
    if (ca_bundle_load(&doctor->invocation->arena, file, &bundle))
        tell(doctor, "authorities", STATE_FINDING,
             "correct tls.ca_file, or leave it out: a list is built in", "%s",
             err_message());
    else if (bundle.unusable)
        tell(doctor, "authorities", STATE_NOTE,
             "look whether the file is whole",
             "servers are verified by %s; %zu certificates of it can be used, "
             "%zu cannot",
             bundle.source, bundle.count, bundle.unusable);
    else
        tell(doctor, "authorities", STATE_OK, NULL,
             "servers are verified by %s (%zu certificates)", bundle.source,
             bundle.count);
}

/* A key that orchestrators know us by: it holds no money, but whoever reads it
 * can sign in our name. */
static void check_key(struct doctor *doctor)
{
    const struct config_secret *file =
        &doctor->invocation->config->ethereum_key_file;
    char address[ETHEREUM_ADDRESS_TEXT_BYTES];
    struct ethereum_key *key;
    struct stat status;
    if (!*file->path)
        return;
    if (ethereum_key_parse(text_of(file->secret), &key)) {
        tell(doctor, "key", STATE_FINDING, "correct ethereum.key_file",
             "%s: %s", file->path, err_message());
        return;
    }
    ethereum_address_text(ethereum_key_address(key), address);
    ethereum_key_free(key);
    if (!stat(file->path, &status) && (status.st_mode & (S_IRWXG | S_IRWXO)))
        tell(doctor, "key", STATE_NOTE, "chmod 600 the file",
             "probes sign as %s; others on this machine may read %s", address,
             file->path);
    else
        tell(doctor, "key", STATE_OK, NULL, "probes sign as %s", address);
}

static void check_payment(struct doctor *doctor)
{
    const struct config *config = doctor->invocation->config;
    if (!*config->payment_signer_url)
        return;
    if (!config->payment_run_max_wei || !config->payment_day_max_wei)
        tell(doctor, "payment", STATE_NOTE,
             "set payment.run_max_wei and payment.day_max_wei",
             "there is a signer, but a ceiling of 0 pays nobody");
    else
        tell(doctor, "payment", STATE_OK, NULL,
             "at most %lld wei a run and %lld a day, signed by %s",
             (long long)config->payment_run_max_wei,
             (long long)config->payment_day_max_wei,
             config->payment_signer_url);
}

/* ---- the clock ----------------------------------------------------------- */

/* INT64_MIN for none, and of a simulated store, whose clock runs ahead of ours.
 */
static int64_t last_arrival_ms(struct doctor *doctor)
{
    bool row = false;
    bool is_simulated;
    int64_t last = INT64_MIN;
    struct simulation simulation;
    if (store_simulation(doctor->store, &simulation, &is_simulated) ||
        is_simulated)
        return last;
    struct query *query = query_start(doctor->store, QUERY_DOCTOR_LAST_ARRIVAL);
    while (!query_step(query, &row) && row) {
        if (!query_is_null(query, 0))
            last = query_int(query, 0);
    }
    return last;
}

static void check_clock(struct doctor *doctor)
{
    static const char advice[] =
        "set the clock and keep it set (chrony, systemd-timesyncd)";
    char now[CLOCK_TEXT_BYTES];
    char last[CLOCK_TEXT_BYTES];
    struct timex kernel = {0};
    int64_t now_ms = clock_wall_ms();
    int64_t last_ms = doctor->store ? last_arrival_ms(doctor) : INT64_MIN;
    enum clock_fault fault = clock_fault(now_ms, last_ms);
    clock_text_s(now_ms, now);
    if (fault == CLOCK_NEVER_SET)
        tell(doctor, "clock", STATE_FINDING, advice, "it is %s, it says", now);
    else if (fault == CLOCK_WENT_BACK)
        tell(doctor, "clock", STATE_FINDING, advice,
             "it is %s, it says, but the newest line arrived at %s", now,
             clock_text_s(last_ms, last));
    else if (adjtimex(&kernel) >= 0 && (kernel.status & STA_UNSYNC))
        tell(doctor, "clock", STATE_NOTE, advice,
             "it is %s; the system does not know whether that is right", now);
    else
        tell(doctor, "clock", STATE_OK, NULL, "it is %s", now);
}

/* ---- the store ----------------------------------------------------------- */

static void open_store(struct doctor *doctor)
{
    enum err err = store_open(&doctor->store, doctor->directory, STORE_READ);
    if (err)
        tell(doctor, "store", STATE_FINDING,
             err == ERR_CORRUPT ? "assay restore FILE, from a backup" : NULL,
             "%s", err_message());
    else
        tell(doctor, "store", STATE_OK, NULL, "it opens, its schema is ours");
}

/* A store that an older version filled lacks what that one did not keep. */
static void check_facts(struct doctor *doctor)
{
    const char *missing =
        missing_facts(doctor->store, &doctor->invocation->arena);
    if (missing)
        tell(doctor, "facts", STATE_FINDING, "assay rebuild",
             "missing: %s; an older version did not keep them", missing);
    else
        tell(doctor, "facts", STATE_OK, NULL, "all that is read is there");
}

static void keep_defect(void *context, const char *defect)
{
    struct doctor *doctor = context;
    if (doctor->defects++ == 0)
        snprintf(doctor->first_defect, sizeof doctor->first_defect, "%s",
                 defect);
}

static void show_check(void *context, const char *what, uint64_t done,
                       uint64_t all)
{
    struct doctor *doctor = context;
    progress_show(&doctor->progress, what, done, all, done, "blocks");
}

static void check_content(struct doctor *doctor)
{
    struct store_watch watch = {keep_defect, show_check, doctor};
    struct journal_verdict journal = {0};
    uint64_t defects;
    enum err err = store_check(doctor->store, &watch, &defects);
    if (!err && !defects)
        err = journal_verify(doctor->store, &journal, keep_defect, doctor);
    defects += journal.defects;
    static const char advice[] =
        "assay restore FILE, from a backup; assay evidence verify lists all";
    if (err)
        tell(doctor, "content", STATE_FINDING, advice, "%s", err_message());
    else if (defects > 0)
        tell(doctor, "content", STATE_FINDING, advice,
             "%llu defects, the first: %s", (unsigned long long)defects,
             doctor->first_defect);
    else
        tell(doctor, "content", STATE_OK, NULL,
             "pages, hashes and chains of the evidence are whole");
}

/* ---- the command --------------------------------------------------------- */

static const struct option options[] = {{.name = "--fast",
                                         .type = OPTION_FLAG,
                                         .help = "do not read the whole store"},
                                        {0}};

static const struct example examples[] = {
    {"assay doctor --data store", "look at everything"},
    {"assay doctor --json --fast", "the quick part, for a program"},
    {0}};

static void print_json(struct doctor *doctor)
{
    json_end(&doctor->writer, ']');
    json_key(&doctor->writer, "findings");
    json_int(&doctor->writer, (int64_t)doctor->findings);
    json_end(&doctor->writer, '}');
    printf("%s\n", buf_string(&doctor->json));
}

static enum err run(struct invocation *invocation)
{
    struct doctor doctor = {.invocation = invocation,
                            .directory = invocation->config->data,
                            .progress = progress_start(invocation)};
    doctor.writer.out = &doctor.json;
    json_begin(&doctor.writer, '{');
    json_key(&doctor.writer, "checks");
    json_begin(&doctor.writer, '[');
    check_directory(&doctor);
    open_store(&doctor);
    check_files(&doctor);
    check_writer(&doctor);
    check_space(&doctor);
    check_clock(&doctor);
    check_exposure(&doctor);
    check_authorities(&doctor);
    check_key(&doctor);
    check_payment(&doctor);
    if (doctor.store)
        check_facts(&doctor);
    if (doctor.store && !option_flag(invocation, "--fast"))
        check_content(&doctor);
    if (invocation->json)
        print_json(&doctor);
    store_close(doctor.store);
    buf_free(&doctor.json);
    if (doctor.findings == 0)
        return ERR_NONE;
    return err_set(ERR_FINDING, "%llu of the checks found something",
                   (unsigned long long)doctor.findings);
}

const struct command command_doctor = {
    .name = "doctor",
    .summary = "look for what is wrong, and say what to do",
    .arguments = "",
    .about =
        "Looks at the directory and its permissions, the disk, the clock, the "
        "address to listen on, the certificate authorities, the key and the "
        "means to pay orchestrators, and at the store itself: whether it "
        "opens, and whether its pages, hashes and chains are whole. Changes "
        "nothing and may run beside a server.\n\n"
        "A note is worth knowing; a finding is worth doing something about, "
        "and the line under it says what.",
    .options = options,
    .examples = examples,
    .exits = "1  something was found",
    .prints_json = true,
    .run = run,
};
