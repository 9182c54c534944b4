/*
 * evidence.c: `assay evidence show`, `export` and `verify`.
 *
 * What `show` prints below its heading and what `export` prints is what
 * arrived, byte for byte, with two exceptions that are told in the help: a
 * record that holds line breaks leaves `export` on one line, and control
 * characters reach a terminal as question marks.
 */
#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/utf8.h"
#include "cli/cli.h"
#include "cli/table.h"
#include "ingest/ingest.h"
#include "store/store.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LINES_PER_BLOCK = 65536, PROGRESS_INTERVAL_US = 100000 };

static const struct option options[] = {
    {.name = "--org",
     .value = "NAME",
     .type = OPTION_TEXT,
     .help = "only lines of this organisation",
     .only = "export"},
    {.name = "--class",
     .value = "accepted|ignored|rejected",
     .type = OPTION_CHOICE,
     .help = "only lines that were accepted, ignored or rejected",
     .only = "export"},
    {.name = "--source",
     .value = "NAME",
     .type = OPTION_TEXT,
     .help = "only lines from this source, as import or http",
     .only = "export"},
    {.name = "--from-line",
     .value = "LINE",
     .type = OPTION_INT,
     .help = "begin with this line",
     .only = "export",
     .least = 1,
     .most = INT64_MAX},
    {.name = "--to-line",
     .value = "LINE",
     .type = OPTION_INT,
     .help = "end with this line",
     .only = "export",
     .least = 1,
     .most = INT64_MAX},
    {.name = "--repeats",
     .type = OPTION_FLAG,
     .help = "also lines that arrived again unchanged",
     .only = "export"},
    {0}};

static const struct example examples[] = {
    {"assay evidence show 65536", "the first line of the first block"},
    {"assay evidence export --org acme > acme.ndjson",
     "what acme's gateways reported, as they reported it"},
    {"assay evidence verify", "compute every hash and chain again"},
    {0}};

/* ---- one line as text and as JSON ---------------------------------------- */

static void line_sha256(const struct evidence_line *line,
                        char hex[2 * SHA256_BYTES + 1])
{
    uint8_t hash[SHA256_BYTES];
    if (line->kind == EVIDENCE_OVERSIZE)
        memcpy(hash, line->sha256, SHA256_BYTES);
    else
        hash_sha256(line->bytes.data, line->bytes.length, hash);
    hash_hex(hash, SHA256_BYTES, hex);
}

static void add_time(struct json_writer *writer, const char *key, int64_t ms)
{
    char text[CLOCK_TEXT_BYTES];
    json_key(writer, key);
    if (ms == INT64_MIN)
        json_null(writer);
    else
        json_string(writer, clock_text_ms(ms, text));
}

/* JSON cannot hold bytes that are no text; those are given as hex. */
static void add_bytes(struct arena *arena, struct json_writer *writer,
                      struct text bytes)
{
    if (text_is_utf8(bytes)) {
        json_key(writer, "text");
        json_text(writer, bytes);
        return;
    }
    char *hex = arena_alloc(arena, 2 * bytes.length + 1);
    hash_hex((const uint8_t *)bytes.data, bytes.length, hex);
    json_key(writer, "hex");
    json_string(writer, hex);
}

/* LINE is what arrived; KEPT holds its bytes, another line for a repeat. */
static void add_line(struct arena *arena, struct json_writer *writer,
                     const struct evidence_line *line,
                     const struct evidence_line *kept)
{
    char hex[2 * SHA256_BYTES + 1];
    json_key(writer, "line");
    json_int(writer, line->line);
    json_key(writer, "source");
    json_text(writer, line->source);
    json_key(writer, "org");
    json_text(writer, line->org);
    json_key(writer, "class");
    json_string(writer, evidence_class_name(line->class));
    json_key(writer, "kind");
    json_string(writer, evidence_kind_name(line->kind));
    add_time(writer, "arrival", line->arrival_ms);
    add_time(writer, "event_time", line->event_ms);
    json_key(writer, "repeats");
    if (line->kind == EVIDENCE_REPEAT)
        json_int(writer, line->repeats);
    else
        json_null(writer);
    json_key(writer, "length");
    json_int(writer, (int64_t)kept->length);
    line_sha256(kept, hex);
    json_key(writer, "sha256");
    json_string(writer, hex);
    add_bytes(arena, writer, kept->bytes);
}

/* Bytes as they are; on a terminal they must not command it. */
static void print_bytes(struct text bytes)
{
    if (!isatty(STDOUT_FILENO)) {
        fwrite(bytes.data, 1, bytes.length, stdout);
        return;
    }
    for (size_t i = 0; i < bytes.length; i++) {
        unsigned char c = (unsigned char)bytes.data[i];
        bool control = (c < 0x20 && c != '\n' && c != '\t') || c == 0x7f;
        putchar(control ? '?' : c);
    }
}

/* ---- show ---------------------------------------------------------------- */

static enum err parse_line(const char *text, int64_t *line)
{
    char *end;
    long long value = strtoll(text, &end, 10);
    if (*text < '0' || *text > '9' || *end || value == INT64_MAX)
        return err_set(ERR_USAGE,
                       "a line of evidence is named by its number, as in "
                       "65536, not by \"%.60s\"",
                       text);
    *line = value;
    return ERR_NONE;
}

struct seal {
    const char *state;
    const char *hash;
    const char *chain;
};

static enum err read_seal(struct arena *arena, struct store *store,
                          int64_t line, struct seal *seal)
{
    bool found;
    struct query *query = query_start(store, QUERY_EVIDENCE_BLOCK_SEAL);
    query_bind_int(query, 1, line / LINES_PER_BLOCK);
    enum err err = query_step(query, &found);
    if (err || !found)
        return err;
    seal->state = query_copy(arena, query, 0).data;
    seal->hash = query_copy(arena, query, 1).data;
    seal->chain = query_copy(arena, query, 2).data;
    return query_run(query);
}

static void show_json(struct arena *arena, const struct evidence_line *line,
                      const struct evidence_line *kept, const struct seal *seal)
{
    struct buf out = {0};
    struct json_writer writer = {.out = &out};
    json_begin(&writer, '{');
    add_line(arena, &writer, line, kept);
    json_key(&writer, "block");
    json_begin(&writer, '{');
    json_key(&writer, "number");
    json_int(&writer, line->line / LINES_PER_BLOCK);
    json_key(&writer, "index");
    json_int(&writer, line->line % LINES_PER_BLOCK);
    json_key(&writer, "state");
    json_string(&writer, seal->state);
    json_key(&writer, "sha256");
    json_string(&writer, seal->hash);
    json_key(&writer, "chain");
    if (*seal->chain)
        json_string(&writer, seal->chain);
    else
        json_null(&writer);
    json_end(&writer, '}');
    json_end(&writer, '}');
    printf("%s\n", buf_string(&out));
    buf_free(&out);
}

static void show_heading(const struct evidence_line *line,
                         const struct evidence_line *kept,
                         const struct seal *seal)
{
    char time[CLOCK_TEXT_BYTES];
    char hex[2 * SHA256_BYTES + 1];
    line_sha256(kept, hex);
    printf("line     %lld, number %lld in %s block %lld\n",
           (long long)line->line, (long long)(line->line % LINES_PER_BLOCK),
           seal->state, (long long)(line->line / LINES_PER_BLOCK));
    printf("feed     %s, from %.*s%s%.*s\n", evidence_class_name(line->class),
           (int)line->source.length, line->source.data,
           line->org.length ? " for " : "", (int)line->org.length,
           line->org.data);
    printf("arrival  %s\n", clock_text_ms(line->arrival_ms, time));
    if (line->event_ms != INT64_MIN)
        printf("event    %s\n", clock_text_ms(line->event_ms, time));
    if (line->kind == EVIDENCE_REPEAT)
        printf("repeats  line %lld, whose bytes follow\n",
               (long long)line->repeats);
    printf("length   %llu bytes%s\n", (unsigned long long)kept->length,
           kept->kind == EVIDENCE_OVERSIZE ? ", of which the first follow"
                                           : "");
    printf("sha256   %s\n", hex);
    printf("block    %s\n", seal->hash);
    if (*seal->chain)
        printf("chain    %s\n", seal->chain);
    putchar('\n');
}

static enum err show_line(struct invocation *invocation, struct store *store,
                          int64_t number)
{
    struct arena *arena = &invocation->arena;
    struct evidence_line line;
    struct seal seal = {"", "", ""};
    enum err err = evidence_read(store, arena, number, &line);
    struct evidence_line kept = line;
    if (!err && line.kind == EVIDENCE_REPEAT)
        err = evidence_read(store, arena, line.repeats, &kept);
    if (!err)
        err = read_seal(arena, store, number, &seal);
    if (err)
        return err;
    if (invocation->json) {
        show_json(arena, &line, &kept, &seal);
        return ERR_NONE;
    }
    show_heading(&line, &kept, &seal);
    print_bytes(kept.bytes);
    putchar('\n');
    return ERR_NONE;
}

static enum err run_show(struct invocation *invocation)
{
    struct store *store;
    int64_t number;
    for (size_t i = 0; i < invocation->argument_count; i++) {
        enum err err = parse_line(invocation->arguments[i], &number);
        if (err)
            return err;
    }
    enum err err = store_open(&store, invocation->config->data, STORE_READ);
    for (size_t i = 0; i < invocation->argument_count && !err; i++) {
        err = parse_line(invocation->arguments[i], &number);
        if (!err && i && !invocation->json)
            putchar('\n');
        if (!err)
            err = show_line(invocation, store, number);
    }
    store_close(store);
    return err;
}

/* ---- export -------------------------------------------------------------- */

struct exporting {
    struct store *store;
    bool json;
    bool repeats;
    uint64_t lost; /* repeats of lines that have expired */
    struct arena arena;
    struct buf out;
};

/* One line without its line breaks: JSON loses the blanks between its tokens,
 * anything else has blanks for breaks. */
static void add_on_one_line(struct arena *arena, struct buf *out,
                            struct text bytes)
{
    bool json = json_parse(arena, bytes.data, bytes.length) != NULL;
    bool quoted = false;
    for (size_t i = 0; i < bytes.length; i++) {
        char c = bytes.data[i];
        bool blank = c == ' ' || c == '\t' || c == '\n' || c == '\r';
        if (json && blank && !quoted)
            continue;
        buf_add_byte(out, c == '\n' || c == '\r' ? ' ' : (uint8_t)c);
        if (c == '"')
            quoted = !quoted;
        else if (c == '\\' && quoted && i + 1 < bytes.length)
            buf_add_byte(out, (uint8_t)bytes.data[++i]);
    }
}

/* A line too long to keep is described instead. */
static void add_description(struct buf *out, const struct evidence_line *kept)
{
    char hex[2 * SHA256_BYTES + 1];
    struct json_writer writer = {.out = out};
    line_sha256(kept, hex);
    json_begin(&writer, '{');
    json_key(&writer, "line");
    json_int(&writer, kept->line);
    json_key(&writer, "kind");
    json_string(&writer, evidence_kind_name(kept->kind));
    json_key(&writer, "length");
    json_int(&writer, (int64_t)kept->length);
    json_key(&writer, "sha256");
    json_string(&writer, hex);
    json_key(&writer, "kept_bytes");
    json_int(&writer, (int64_t)kept->bytes.length);
    json_end(&writer, '}');
}

static void add_exported(struct exporting *exporting,
                         const struct evidence_line *line,
                         const struct evidence_line *kept)
{
    struct buf *out = &exporting->out;
    struct text bytes = kept->bytes;
    buf_clear(out);
    if (exporting->json) {
        struct json_writer writer = {.out = out};
        json_begin(&writer, '{');
        add_line(&exporting->arena, &writer, line, kept);
        json_end(&writer, '}');
    } else if (kept->kind == EVIDENCE_OVERSIZE) {
        add_description(out, kept);
    } else if (memchr(bytes.data, '\n', bytes.length)) {
        add_on_one_line(&exporting->arena, out, bytes);
    } else {
        buf_add(out, bytes.data, bytes.length);
    }
    buf_add_byte(out, '\n');
}

static enum err export_line(void *context, const struct evidence_line *line)
{
    struct exporting *exporting = context;
    struct evidence_line kept = *line;
    if (line->kind == EVIDENCE_REPEAT) {
        if (!exporting->repeats)
            return ERR_NONE;
        enum err err = evidence_read(exporting->store, &exporting->arena,
                                     line->repeats, &kept);
        exporting->lost += err == ERR_ABSENT;
        if (err)
            return err == ERR_ABSENT ? ERR_NONE : err;
    }
    add_exported(exporting, line, &kept);
    print_bytes((struct text){exporting->out.data, exporting->out.length});
    arena_clear(&exporting->arena);
    return ferror(stdout) ? output_finish(stdout) : ERR_NONE;
}

static enum evidence_class class_named(const char *name)
{
    enum evidence_class class = EVIDENCE_ACCEPTED;
    while (strcmp(evidence_class_name(class), name) != 0 &&
           class < EVIDENCE_REJECTED)
        class ++;
    return class;
}

static enum err run_export(struct invocation *invocation)
{
    const char *class = option_text(invocation, "--class");
    struct evidence_filter filter = {
        .source = option_text(invocation, "--source"),
        .org = option_text(invocation, "--org"),
        .class_given = class != NULL,
        .class = class ? class_named(class) : EVIDENCE_ACCEPTED,
        .after = option_int(invocation, "--from-line", 1) - 1,
        .to_line = option_int(invocation, "--to-line", 0)};
    struct exporting exporting = {.json = invocation->json,
                                  .repeats =
                                      option_flag(invocation, "--repeats")};
    enum err err =
        store_open(&exporting.store, invocation->config->data, STORE_READ);
    if (!err)
        err = store_begin_read(exporting.store);
    if (!err)
        err = evidence_walk_where(exporting.store, &filter, export_line,
                                  &exporting);
    if (exporting.lost)
        log_message(LOG_WARNING,
                    "%llu repeats were left out: the lines they repeat have "
                    "expired",
                    (unsigned long long)exporting.lost);
    store_close(exporting.store);
    buf_free(&exporting.out);
    arena_free(&exporting.arena);
    return err;
}

/* ---- verify -------------------------------------------------------------- */

struct verifying {
    bool json;
    bool shows_progress;
    bool shown;
    int64_t last_us;
};

static void hide_progress(struct verifying *verifying)
{
    if (verifying->shown)
        fputs("\r\033[K", stderr);
    verifying->shown = false;
}

static void show_progress(void *context, uint64_t done, uint64_t all)
{
    struct verifying *verifying = context;
    int64_t now_us = clock_monotonic_us();
    if (now_us - verifying->last_us < PROGRESS_INTERVAL_US)
        return;
    verifying->last_us = now_us;
    verifying->shown = true;
    fprintf(stderr, "\r%llu of %llu blocks", (unsigned long long)done,
            (unsigned long long)all);
    fflush(stderr);
}

static void report_defect(void *context, const char *defect)
{
    struct verifying *verifying = context;
    hide_progress(verifying);
    if (!verifying->json) {
        printf("defect: %s\n", defect);
        return;
    }
    struct buf out = {0};
    struct json_writer writer = {.out = &out};
    json_begin(&writer, '{');
    json_key(&writer, "defect");
    json_string(&writer, defect);
    json_end(&writer, '}');
    printf("%s\n", buf_string(&out));
    buf_free(&out);
}

static void add_feed(struct query *query, struct json_writer *writer)
{
    json_begin(writer, '{');
    for (int i = 0; i < query_column_count(query); i++) {
        json_key(writer, query_column_name(query, i));
        if (query_type(query, i) == 'i')
            json_int(writer, query_int(query, i));
        else
            json_text(writer, query_text(query, i));
    }
    json_end(writer, '}');
}

static void print_feed(struct query *query)
{
    struct text org = query_text(query, 2);
    struct text chain = query_text(query, 10);
    printf("%.*s  %s from %s%s%.*s: %lld lines in %lld blocks\n",
           (int)chain.length, chain.data, query_text(query, 3).data,
           query_text(query, 1).data, org.length ? " for " : "",
           (int)org.length, org.data, (long long)query_int(query, 5),
           (long long)query_int(query, 4));
}

/* The heads of the chains: who notes them down can tell later that nothing
 * before them was changed. */
static enum err each_feed(struct store *store, struct json_writer *writer)
{
    bool row;
    struct query *query = query_start(store, QUERY_EVIDENCE_FEEDS);
    enum err err = query_step(query, &row);
    while (!err && row) {
        if (writer)
            add_feed(query, writer);
        else
            print_feed(query);
        err = query_step(query, &row);
    }
    return err;
}

static void add_count(struct json_writer *writer, const char *key,
                      uint64_t value)
{
    json_key(writer, key);
    json_int(writer, (int64_t)value);
}

/* Where the journal's chain stands, to be noted down as those of feeds. */
static void add_journal(struct json_writer *writer,
                        const struct journal_verdict *verdict)
{
    char hex[2 * SHA256_BYTES + 1];
    hash_hex(verdict->head.hash, SHA256_BYTES, hex);
    json_key(writer, "journal");
    json_begin(writer, '{');
    add_count(writer, "entries", verdict->entries);
    add_count(writer, "attachments", verdict->attachments);
    json_key(writer, "last_sha256");
    json_string(writer, hex);
    json_end(writer, '}');
}

static void print_journal(const struct journal_verdict *verdict)
{
    char hex[2 * SHA256_BYTES + 1];
    hash_hex(verdict->head.hash, SHA256_BYTES, hex);
    if (verdict->entries)
        printf("%s  journal, entry %lld\n", hex, (long long)verdict->head.seq);
}

static enum err summary_json(struct store *store,
                             const struct evidence_verdict *verdict,
                             const struct journal_verdict *journal)
{
    struct buf out = {0};
    struct json_writer writer = {.out = &out};
    json_begin(&writer, '{');
    add_count(&writer, "feeds", verdict->feeds);
    add_count(&writer, "blocks", verdict->blocks);
    add_count(&writer, "blocks_expired", verdict->blocks_expired);
    add_count(&writer, "lines", verdict->lines);
    add_count(&writer, "defects", verdict->defects + journal->defects);
    add_journal(&writer, journal);
    json_key(&writer, "chains");
    json_begin(&writer, '[');
    enum err err = each_feed(store, &writer);
    json_end(&writer, ']');
    json_end(&writer, '}');
    if (!err)
        printf("%s\n", buf_string(&out));
    buf_free(&out);
    return err;
}

static enum err summary(struct store *store,
                        const struct evidence_verdict *verdict,
                        const struct journal_verdict *journal)
{
    enum err err = each_feed(store, NULL);
    print_journal(journal);
    printf("%s: %llu lines in %llu blocks of %llu feeds",
           verdict->defects || journal->defects ? "defective" : "ok",
           (unsigned long long)verdict->lines,
           (unsigned long long)verdict->blocks,
           (unsigned long long)verdict->feeds);
    if (verdict->blocks_expired)
        printf("; %llu blocks have expired, of them only the hashes were "
               "checked",
               (unsigned long long)verdict->blocks_expired);
    putchar('\n');
    return err;
}

static enum err run_verify(struct invocation *invocation)
{
    struct store *store;
    struct evidence_verdict verdict = {0};
    struct journal_verdict journal = {0};
    struct verifying verifying = {.json = invocation->json,
                                  .shows_progress = !invocation->quiet &&
                                                    isatty(STDERR_FILENO)};
    enum err err = store_open(&store, invocation->config->data, STORE_READ);
    if (err)
        return err;
    err = evidence_verify(store, &verdict, report_defect,
                          verifying.shows_progress ? show_progress : NULL,
                          &verifying);
    hide_progress(&verifying);
    /* Lines of blocks that are damaged cannot be read one by one. */
    if (!err && !verdict.defects)
        err = journal_verify(store, &journal, report_defect, &verifying);
    if (!err)
        err = invocation->json ? summary_json(store, &verdict, &journal)
                               : summary(store, &verdict, &journal);
    store_close(store);
    uint64_t defects = verdict.defects + journal.defects;
    if ((!err || err == ERR_CORRUPT) && defects)
        return err_set(ERR_FINDING, "%llu defects in the evidence of %s",
                       (unsigned long long)defects, invocation->config->data);
    return err;
}

/* ---- the command --------------------------------------------------------- */

static const struct verb verbs[] = {
    {"show", "LINE...", "print lines with where and when they came from", 1,
     ARGUMENTS_ANY, run_show},
    {"export", "", "print lines as they arrived", 0, 0, run_export},
    {"verify", "", "compute every hash and chain again", 0, 0, run_verify},
    {0}};

const struct command command_evidence = {
    .name = "evidence",
    .summary = "show, export and verify what arrived",
    .about =
        "Everything that arrives is kept as it arrived, in compressed blocks. "
        "The hash of each block goes into the chain of its feed (a source, "
        "an organisation and a class), so that a change behind the program's "
        "back is found. A line has a number; rows and pages name their "
        "evidence by it.\n\n"
        "export prints one line a record: one that holds line breaks loses "
        "the blanks between its tokens. Lines that arrived again unchanged "
        "are left out unless --repeats is given; of lines over 8 MB, whose "
        "first 64 KiB are kept, it prints a description. With --json every "
        "record is an object that also says where and when it came from.\n\n"
        "verify prints the end of each feed's chain, and of the journal's, "
        "whose entries (what we did ourselves) each name the hash of the one "
        "before: note them down, and any later change of what lies before "
        "them can be shown.",
    .verbs = verbs,
    .options = options,
    .examples = examples,
    .exits = "0  no defect, or the line is there\n"
             "1  verify found a defect, or there is no such line\n"
             "2  wrong command line or configuration\n"
             "3  the store cannot be opened or read\n",
    .prints_json = true,
};
