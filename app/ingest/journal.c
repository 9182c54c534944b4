/*
 * journal.c: the journal in the store: what we did ourselves, as evidence and
 * as rows (see ingest.h and journal/journal.h).
 *
 * Entries are the feed (EVIDENCE_JOURNAL, "", accepted), attachments another
 * one beside it. What an entry becomes is read from its line again, so that
 * writing it and replaying it are the same.
 */
#include "ingest/ingest_int.h"

#include "base/log.h"
#include "journal/journal.h"

#include <string.h>

static struct evidence_line evidence_of(const char *source, struct text bytes,
                                        int64_t at_ms)
{
    return (struct evidence_line){.source = text_of(source),
                                  .org = text_of(""),
                                  .class = EVIDENCE_ACCEPTED,
                                  .kind = EVIDENCE_LINE,
                                  .arrival_ms = at_ms,
                                  .event_ms = INT64_MIN,
                                  .bytes = bytes,
                                  .length = bytes.length};
}

/* ---- rows ---------------------------------------------------------------- */

static enum err add_entry(struct store *store, const struct journal_line *line,
                          struct text bytes, int64_t number)
{
    uint8_t hash[SHA256_BYTES];
    struct query *query = query_start(store, QUERY_JOURNAL_ENTRY_ADD);
    hash_sha256(bytes.data, bytes.length, hash);
    query_bind_int(query, 1, line->seq);
    query_bind_text(query, 2, line->type);
    query_bind_text(query, 3, line->id);
    query_bind_int(query, 4, line->timestamp_ms);
    query_bind_int(query, 5, number);
    query_bind_blob(query, 6, hash, sizeof hash);
    return query_run(query);
}

static enum err add_run(struct store *store, struct arena *arena,
                        const struct journal_line *line, int64_t number)
{
    struct run run;
    enum err err = run_read(arena, line, &run);
    if (err)
        return err;
    run.line = number;
    struct query *query = query_start(store, QUERY_JOURNAL_RUN_ADD);
    fields_bind(query, 1, run_fields, &run);
    return query_run(query);
}

/* A plan whose line came before, and its targets, stay as they are. */
static enum err add_plan(struct store *store, struct arena *arena,
                         const struct journal_line *line, int64_t number)
{
    struct plan plan;
    enum err err = plan_line_read(arena, line, &plan);
    if (err)
        return err;
    int at = 2 + (int)plan_fields.count;
    struct query *query = query_start(store, QUERY_PLAN_ADD);
    query_bind_text(query, 1, line->id);
    fields_bind(query, 2, plan_fields, &plan);
    query_bind_int(query, at, line->timestamp_ms);
    query_bind_int(query, at + 1, plan_run_count(&plan));
    query_bind_int(query, at + 2, number);
    err = query_run(query);
    for (size_t i = 0; !err && i < plan.target_count; i++) {
        query = query_start(store, QUERY_PLAN_TARGET_ADD);
        query_bind_text(query, 1, line->id);
        query_bind_int(query, 2, (int64_t)i);
        fields_bind(query, 3, plan_target_fields, &plan.targets[i]);
        err = query_run(query);
    }
    return err;
}

/* The run of a row that sets it aside is not judged by what was measured. */
static enum err set_aside(struct store *store, const struct ledger_row *row)
{
    if (!row->set_aside.data)
        return ERR_NONE;
    struct query *query = query_start(store, QUERY_JOURNAL_RUN_SET_ASIDE);
    query_bind_text(query, 1, row->run_id);
    query_bind_string(query, 2, outcome_name(OUTCOME_VANTAGE_SUSPECT));
    query_bind_text(query, 3, row->set_aside);
    return query_run(query);
}

/* The row stands for its planned run in place of the ones before it. */
static enum err add_ledger_row(struct store *store, struct arena *arena,
                               const struct journal_line *line, int64_t number)
{
    struct ledger_row row;
    enum err err = ledger_line_read(arena, line, &row);
    if (err)
        return err;
    struct query *query = query_start(store, QUERY_LEDGER_SUPERSEDE);
    query_bind_text(query, 1, row.plan_hash);
    query_bind_int(query, 2, row.due_at);
    query_bind_text(query, 3, row.orchestrator_url);
    query_bind_text(query, 4, row.workflow);
    query_bind_text(query, 5, row.model_id);
    query_bind_text(query, 6, row.gpu_id);
    query_bind_int(query, 7, row.stratum);
    err = query_run(query);
    if (err)
        return err;
    row.seq = line->seq;
    query = query_start(store, QUERY_LEDGER_ADD);
    fields_bind(query, 1, ledger_fields, &row);
    query_bind_int(query, 1 + (int)ledger_fields.count, number);
    err = query_run(query);
    return err ? err : set_aside(store, &row);
}

static enum err add_reveal(struct store *store, struct arena *arena,
                           const struct journal_line *line, int64_t number)
{
    uint8_t seed[PLAN_SEED_BYTES];
    enum err err = reveal_line_read(arena, line, seed);
    if (err)
        return err;
    struct query *query = query_start(store, QUERY_PLAN_REVEAL_ADD);
    query_bind_text(query, 1, line->id);
    query_bind_blob(query, 2, seed, sizeof seed);
    query_bind_int(query, 3, line->timestamp_ms);
    query_bind_int(query, 4, number);
    return query_run(query);
}

typedef enum err add_function(struct store *store, struct arena *arena,
                              const struct journal_line *line, int64_t number);

/* What a line of this type becomes beside its entry; null: nothing more. */
static add_function *adding(struct text type)
{
    static const struct {
        const char *type;
        add_function *add;
    } table[] = {{JOURNAL_TYPE_RUN, add_run},
                 {JOURNAL_TYPE_PLAN, add_plan},
                 {JOURNAL_TYPE_LEDGER, add_ledger_row},
                 {JOURNAL_TYPE_REVEAL, add_reveal}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (text_is(type, table[i].type))
            return table[i].add;
    return NULL;
}

/* ERR_INPUT where the line is not of the journal's form. */
static enum err derive(struct store *store, struct arena *arena,
                       struct text bytes, int64_t number)
{
    struct journal_line line;
    enum err err = journal_read(arena, bytes, &line);
    if (!err && !line.seq)
        err = err_set(ERR_INPUT, "it has no place in the chain");
    add_function *add = err ? NULL : adding(line.type);
    if (add)
        err = add(store, arena, &line, number);
    return err ? err : add_entry(store, &line, bytes, number);
}

static enum err derive_attachment(struct store *store, struct arena *arena,
                                  struct text bytes, int64_t number)
{
    struct journal_line line;
    enum err err = journal_read(arena, bytes, &line);
    if (err || !text_is(line.type, JOURNAL_TYPE_SAMPLES))
        return err;
    struct query *query = query_start(store, QUERY_JOURNAL_SAMPLES_ADD);
    query_bind_text(query, 1, line.id);
    query_bind_int(query, 2, number);
    return query_run(query);
}

/* ---- appending ----------------------------------------------------------- */

static enum err read_head(struct store *store, struct journal_head *head)
{
    bool found;
    struct query *query = query_start(store, QUERY_JOURNAL_HEAD);
    enum err err = query_step(query, &found);
    *head = (struct journal_head){0};
    if (err || !found)
        return err;
    struct text hash = query_text(query, 1);
    head->seq = query_int(query, 0);
    if (hash.length != SHA256_BYTES)
        return err_set(ERR_CORRUPT, "the journal's last hash is damaged; run "
                                    "`assay rebuild`");
    memcpy(head->hash, hash.data, SHA256_BYTES);
    return query_step(query, &found);
}

static enum err append_line(struct store *store, const char *source,
                            struct text bytes, int64_t at_ms, int64_t *number)
{
    struct evidence_line line = evidence_of(source, bytes, at_ms);
    if (bytes.length > EVIDENCE_LINE_MAX_BYTES)
        return err_set(ERR_INPUT,
                       "a line of %zu bytes is too long for the "
                       "journal",
                       bytes.length);
    enum err err = evidence_append(store, &line);
    *number = line.line;
    return err;
}

static enum err append_attachment(struct store *store, struct arena *arena,
                                  const struct journal_entry *entry)
{
    int64_t number;
    if (!entry->attachment.length)
        return ERR_NONE;
    enum err err = append_line(store, EVIDENCE_JOURNAL_ATTACHMENTS,
                               entry->attachment, entry->timestamp_ms, &number);
    return err ? err
               : derive_attachment(store, arena, entry->attachment, number);
}

static enum err append_entry(struct store *store,
                             const struct journal_entry *entry,
                             struct journal_head *head)
{
    struct arena arena = {0};
    struct buf line = {0};
    int64_t number;
    journal_line(&line, entry, head);
    struct text bytes = {line.data, line.length};
    enum err err = append_attachment(store, &arena, entry);
    if (!err)
        err = append_line(store, EVIDENCE_JOURNAL, bytes, entry->timestamp_ms,
                          &number);
    if (!err)
        err = derive(store, &arena, bytes, number);
    buf_free(&line);
    arena_free(&arena);
    return err;
}

enum err journal_append(struct store *store,
                        const struct journal_entry *entries, size_t count)
{
    struct journal_head head;
    enum err err = store_begin(store);
    if (err)
        return err;
    err = read_head(store, &head);
    for (size_t i = 0; !err && i < count; i++)
        err = append_entry(store, &entries[i], &head);
    if (!err)
        return store_commit(store);
    store_rollback(store);
    return err;
}

/* ---- replaying ----------------------------------------------------------- */

static bool is_attachment(const struct evidence_line *line)
{
    return text_is(line->source, EVIDENCE_JOURNAL_ATTACHMENTS);
}

bool journal_owns(const struct evidence_line *line)
{
    return text_is(line->source, EVIDENCE_JOURNAL) || is_attachment(line);
}

enum err journal_replay(struct store *store, const struct evidence_line *line)
{
    struct arena arena = {0};
    enum err err =
        is_attachment(line)
            ? derive_attachment(store, &arena, line->bytes, line->line)
            : derive(store, &arena, line->bytes, line->line);
    if (err == ERR_INPUT) {
        log_message(LOG_WARNING, "line %lld of the journal is passed over: %s",
                    (long long)line->line, err_message());
        err = ERR_NONE;
    }
    arena_free(&arena);
    return err;
}

/* ---- verifying ----------------------------------------------------------- */

struct verifying {
    struct store *store;
    struct arena arena;
    struct journal_verdict *verdict;
    void (*report)(void *context, const char *defect);
    void *context;
};

static void report(struct verifying *verifying, int64_t line)
{
    char *defect = arena_printf(&verifying->arena, "line %lld, journal: %s",
                                (long long)line, err_message());
    verifying->verdict->defects++;
    verifying->report(verifying->context, defect);
}

static enum err verify_entry(void *context, const struct evidence_line *line)
{
    struct verifying *verifying = context;
    struct journal_line read;
    arena_clear(&verifying->arena);
    enum err err = journal_read(&verifying->arena, line->bytes, &read);
    if (!err)
        err = journal_follow(&verifying->verdict->head, line->bytes, &read);
    if (err)
        report(verifying, line->line);
    verifying->verdict->entries++;
    return ERR_NONE;
}

/* What the run that LINE names says of it; an empty HASH for no such run. */
static enum err hash_said(struct verifying *verifying, struct text run_id,
                          struct text *hash)
{
    bool found;
    struct query *query =
        query_start(verifying->store, QUERY_JOURNAL_SAMPLES_HASH);
    query_bind_text(query, 1, run_id);
    enum err err = query_step(query, &found);
    *hash = (struct text){"", 0};
    if (!err && found)
        *hash = query_copy(&verifying->arena, query, 0);
    return err || !found ? err : query_step(query, &found);
}

static enum err verify_samples(void *context, const struct evidence_line *line)
{
    struct verifying *verifying = context;
    struct journal_line read;
    struct text said;
    uint8_t hash[SHA256_BYTES];
    char hex[2 * SHA256_BYTES + 1];
    arena_clear(&verifying->arena);
    verifying->verdict->attachments++;
    if (journal_read(&verifying->arena, line->bytes, &read)) {
        report(verifying, line->line);
        return ERR_NONE;
    }
    enum err err = hash_said(verifying, read.id, &said);
    hash_sha256(line->bytes.data, line->bytes.length, hash);
    hash_hex(hash, sizeof hash, hex);
    if (!err && !text_is(said, hex)) {
        (void)err_set(ERR_FINDING, "these samples are not those of their run");
        report(verifying, line->line);
    }
    return err;
}

static enum err verify_missing(struct verifying *verifying)
{
    bool found;
    enum err err;
    struct query *query =
        query_start(verifying->store, QUERY_JOURNAL_SAMPLES_MISSING);
    while (!(err = query_step(query, &found)) && found) {
        struct text run_id = query_text(query, 0);
        verifying->verdict->defects++;
        verifying->report(verifying->context,
                          arena_printf(&verifying->arena,
                                       "journal: the samples of run %.*s are "
                                       "not there",
                                       (int)run_id.length, run_id.data));
    }
    return err;
}

enum err journal_verify(struct store *store, struct journal_verdict *verdict,
                        void (*report_defect)(void *context,
                                              const char *defect),
                        void *context)
{
    const struct evidence_filter entries = {.source = EVIDENCE_JOURNAL};
    const struct evidence_filter samples = {.source =
                                                EVIDENCE_JOURNAL_ATTACHMENTS};
    *verdict = (struct journal_verdict){0};
    struct verifying verifying = {.store = store,
                                  .verdict = verdict,
                                  .report = report_defect,
                                  .context = context};
    enum err err =
        evidence_walk_where(store, &entries, verify_entry, &verifying);
    if (!err)
        err = evidence_walk_where(store, &samples, verify_samples, &verifying);
    if (!err)
        err = verify_missing(&verifying);
    arena_free(&verifying.arena);
    return err;
}

/* ---- money --------------------------------------------------------------- */

enum err journal_spent_wei(struct store *store, int64_t from_ms, int64_t to_ms,
                           int64_t *wei)
{
    bool found;
    enum err err;
    struct query *query = query_start(store, QUERY_JOURNAL_RUN_COSTS);
    query_bind_int(query, 1, from_ms);
    query_bind_int(query, 2, to_ms);
    *wei = 0;
    while (!(err = query_step(query, &found)) && found)
        if (__builtin_add_overflow(*wei, query_int(query, 0), wei))
            *wei = INT64_MAX;
    return err;
}
