/*
 * plan_books.c: `assay plan show`, `verify` and `audit`.
 *
 * All read the store beside whoever writes it. What is secret of a plan (the
 * seed, and with it every instant to come) is not printed before it is
 * revealed, because it is not read.
 */
#include "cli/plan_books.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "cli/field_rows.h"
#include "sched/sched.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- all plans, or one --------------------------------------------------- */

/* The sets of prompts that are at hand: of the configured workflows, and the
 * one that the program brings. */
struct prompt_sets {
    const struct prompt_set **list;
    size_t count;
};

static void add_set(struct arena *arena, struct prompt_sets *sets,
                    const struct prompt_set *set)
{
    sets->list = arena_grow(arena, sets->list, sets->count, sizeof *sets->list);
    sets->list[sets->count++] = set;
}

static struct prompt_sets find_sets(struct arena *arena,
                                    const struct config *config)
{
    struct prompt_sets sets = {0};
    struct prompt_set *own = arena_array(arena, 1, sizeof *own);
    struct terms terms;
    if (prompts_find(arena, "bootstrap", own) == ERR_NONE)
        add_set(arena, &sets, own);
    if (terms_read(arena, config, &terms) != ERR_NONE) {
        log_message(LOG_WARNING, "%s", err_message());
        return sets;
    }
    for (size_t i = 0; i < terms.workflow_count; i++)
        add_set(arena, &sets, &terms.workflows[i].prompts);
    return sets;
}

/* A plan by its name, or all that there are, the last one first; with the
 * prompts of its targets out of SETS, where these are not null. */
static enum err each_plan(struct invocation *invocation, struct store *store,
                          const struct prompt_sets *sets,
                          enum err (*visit)(void *context,
                                            struct stored_plan *stored),
                          void *context)
{
    struct arena names = {0};
    struct arena arena = {0};
    struct text *hashes = NULL;
    size_t count = 0;
    bool found;
    enum err err = ERR_NONE;
    struct query *query = query_start(store, QUERY_PLAN_ALL);
    while (!invocation->argument_count && !(err = query_step(query, &found)) &&
           found) {
        hashes = arena_grow(&names, hashes, count, sizeof *hashes);
        hashes[count++] = query_copy(&names, query, 0);
    }
    if (invocation->argument_count) {
        hashes = arena_grow(&names, hashes, count, sizeof *hashes);
        hashes[count++] = text_of(invocation->arguments[0]);
    }
    if (!err && !count)
        err = err_set(ERR_EVIDENCE, "there is no plan yet");
    for (size_t i = 0; !err && i < count; i++) {
        struct stored_plan stored;
        err = stored_plan_read(store, &arena, hashes[i], &stored);
        if (!err && sets)
            stored_plan_prompts(&arena, &stored, sets->list, sets->count);
        if (!err)
            err = visit(context, &stored);
        arena_clear(&arena);
    }
    arena_free(&arena);
    arena_free(&names);
    return err;
}

static enum err
with_plans(struct invocation *invocation, const struct prompt_sets *sets,
           enum err (*visit)(void *context, struct stored_plan *stored),
           void *context)
{
    struct store *store;
    enum err err = store_open(&store, invocation->config->data, STORE_READ);
    if (err)
        return err;
    err = store_begin_read(store);
    if (!err)
        err = each_plan(invocation, store, sets, visit, context);
    store_close(store);
    return err;
}

static bool is_revealed(const struct stored_plan *stored)
{
    return stored->revealed_at != ABSENT_INT;
}

/* ---- show ---------------------------------------------------------------- */

struct plan_row {
    struct text plan_hash;
    int64_t made_at;
    int64_t starts_at;
    int64_t ends_at;
    struct text vantage;
    int64_t hour_ms;
    int64_t targets;
    int64_t runs;
    int64_t executed;
    int64_t skipped;
    int64_t revealed_at; /* null before */
};

/* clang-format off */
static const struct field plan_row_list[] = {
    FIELD(TEXT, plan_row, plan_hash),
    FIELD(TIME, plan_row, made_at),
    FIELD(TIME, plan_row, starts_at),
    FIELD(TIME, plan_row, ends_at),
    FIELD(TEXT, plan_row, vantage),
    FIELD(INT, plan_row, hour_ms),
    FIELD(INT, plan_row, targets),
    FIELD(INT, plan_row, runs),
    FIELD(INT, plan_row, executed),
    FIELD(INT, plan_row, skipped),
    FIELD(TIME, plan_row, revealed_at),
};
/* clang-format on */
static const struct fields plan_row_fields = FIELDS(plan_row_list, 0);

static int64_t count_state(const struct plan_books *books, const char *state)
{
    int64_t count = 0;
    for (size_t i = 0; i < books->row_count; i++)
        count += text_is(books->rows[i].state, state);
    return count;
}

static enum err show_line(void *context, struct stored_plan *stored)
{
    const struct plan *plan = &stored->plan;
    const struct plan_row row = {
        .plan_hash = text_of(stored->hash),
        .made_at = stored->made_at,
        .starts_at = plan->starts_at,
        .ends_at = plan->ends_at,
        .vantage = plan->vantage,
        .hour_ms = plan->hour_ms,
        .targets = (int64_t)plan->target_count,
        .runs = plan_run_count(plan),
        .executed = count_state(&stored->books, LEDGER_EXECUTED),
        .skipped = count_state(&stored->books, LEDGER_SKIPPED),
        .revealed_at = stored->revealed_at};
    return field_rows_print(context, &row);
}

/* Its members as they are hashed. */
static enum err show_whole(void *context, struct stored_plan *stored)
{
    struct buf line = {0};
    (void)context;
    struct json_writer writer = {.out = &line};
    json_begin(&writer, '{');
    json_member_string(&writer, "plan_hash", stored->hash);
    buf_add_byte(&line, ',');
    plan_write(&line, &stored->plan);
    buf_add_byte(&line, '}');
    puts(buf_string(&line));
    buf_free(&line);
    return ERR_NONE;
}

enum err plan_show(struct invocation *invocation)
{
    struct field_rows rows;
    if (invocation->argument_count)
        return with_plans(invocation, NULL, show_whole, NULL);
    field_rows_open(&rows, plan_row_fields,
                    invocation->json ? TABLE_NDJSON : TABLE_ALIGNED);
    enum err err = with_plans(invocation, NULL, show_line, &rows);
    enum err closed = table_close(rows.table);
    return err ? err : closed;
}

/* ---- verify -------------------------------------------------------------- */

struct verifying {
    const struct invocation *invocation;
    size_t plans;
    size_t revealed;
    size_t findings;
    struct spent_days days;
    char hash[2 * SHA256_BYTES + 1]; /* of the plan looked at */
};

static void tell(void *context, const char *sentence)
{
    const struct verifying *verifying = context;
    struct buf line = {0};
    struct json_writer writer = {.out = &line};
    if (verifying->invocation->json) {
        json_begin(&writer, '{');
        if (*verifying->hash)
            json_member_string(&writer, "plan_hash", verifying->hash);
        json_member_string(&writer, "finding", sentence);
        json_end(&writer, '}');
    } else {
        if (*verifying->hash)
            buf_printf(&line, "plan %.12s: ", verifying->hash);
        else
            buf_printf(&line, "all plans together: ");
        buf_add_for_terminal(&line, text_of(sentence));
    }
    puts(buf_string(&line));
    buf_free(&line);
}

static void print_coverage(const struct verifying *verifying,
                           const struct stored_plan *stored,
                           const struct plan_coverage *coverage)
{
    struct buf line = {0};
    struct json_writer writer = {.out = &line};
    bool revealed = is_revealed(stored);
    if (!verifying->invocation->json) {
        if (revealed)
            printf("plan %.12s: %zu runs planned, %zu executed, %zu skipped, "
                   "%zu findings\n",
                   stored->hash, coverage->planned, coverage->executed,
                   coverage->skipped, coverage->findings);
        if (revealed && coverage->prompts_unknown)
            printf("plan %.12s: of %zu runs the prompt is not checked, since "
                   "their set of prompts is not at hand; name their workflow "
                   "in sched.workflows\n",
                   stored->hash, coverage->prompts_unknown);
        if (!revealed)
            printf("plan %.12s: its seed is not revealed yet; of what is "
                   "decided, %zu findings\n",
                   stored->hash, coverage->findings);
        return;
    }
    json_begin(&writer, '{');
    json_member_string(&writer, "plan_hash", stored->hash);
    json_member_bool(&writer, "revealed", revealed);
    json_member_int(&writer, "planned", (int64_t)coverage->planned);
    json_member_int(&writer, "executed", (int64_t)coverage->executed);
    json_member_int(&writer, "skipped", (int64_t)coverage->skipped);
    json_member_int(&writer, "undecided", (int64_t)coverage->undecided);
    json_member_int(&writer, "prompts_unknown",
                    (int64_t)coverage->prompts_unknown);
    json_member_int(&writer, "findings", (int64_t)coverage->findings);
    json_key(&writer, "skips");
    json_begin(&writer, '{');
    for (size_t i = 1; i < SKIP_COUNT; i++)
        if (coverage->skips[i])
            json_member_int(&writer, skip_entry((enum skip)i)->name,
                            (int64_t)coverage->skips[i]);
    json_end(&writer, '}');
    json_end(&writer, '}');
    puts(buf_string(&line));
    buf_free(&line);
}

static enum err verify_one(void *context, struct stored_plan *stored)
{
    struct verifying *verifying = context;
    memcpy(verifying->hash, stored->hash, sizeof stored->hash);
    /* A seed is revealed when all is decided, and not before. */
    stored->books.now = INT64_MAX / 4;
    struct plan_coverage coverage =
        plan_verify(&stored->books, tell, verifying);
    print_coverage(verifying, stored, &coverage);
    verifying->plans++;
    verifying->revealed += is_revealed(stored);
    verifying->findings += coverage.findings;
    spent_days_add(&verifying->days, &stored->books);
    return ERR_NONE;
}

/* Plans that share a day share its ceiling. */
static void verify_days(struct verifying *verifying)
{
    *verifying->hash = '\0';
    if (verifying->plans > 1)
        verifying->findings +=
            spent_days_check(&verifying->days, tell, verifying);
    free(verifying->days.list);
}

enum err plan_verify_stored(struct invocation *invocation)
{
    struct verifying verifying = {.invocation = invocation};
    struct prompt_sets sets = find_sets(&invocation->arena, invocation->config);
    enum err err = with_plans(invocation, &sets, verify_one, &verifying);
    verify_days(&verifying);
    if (err)
        return err;
    if (verifying.findings)
        return err_set(ERR_FINDING, "%zu findings in %zu plans",
                       verifying.findings, verifying.plans);
    return verifying.revealed
               ? ERR_NONE
               : err_set(ERR_EVIDENCE, "no seed is revealed yet: the plan "
                                       "goes on");
}

/* ---- audit --------------------------------------------------------------- */

struct auditing {
    struct coverage *coverage;
    size_t plans;
    size_t findings;
    size_t set_aside[REASON_COUNT]; /* by the reason */
};

static void count_finding(void *context, const char *sentence)
{
    struct auditing *auditing = context;
    auditing->findings++;
    log_message(LOG_WARNING, "%s", sentence);
}

static enum err audit_one(void *context, struct stored_plan *stored)
{
    struct auditing *auditing = context;
    const struct plan_books *books = &stored->books;
    /* What is planned for later is nobody's fault. */
    int64_t now =
        is_revealed(stored) ? stored->plan.ends_at : stored->plan.starts_at;
    for (size_t i = 0; i < books->row_count && !is_revealed(stored); i++)
        if (books->rows[i].due_at >= now)
            now = books->rows[i].due_at + 1;
    stored->books.now = now;
    coverage_add(auditing->coverage, books);
    struct plan_coverage verified =
        plan_verify(&stored->books, count_finding, auditing);
    for (size_t i = 0; i < REASON_COUNT; i++)
        auditing->set_aside[i] += verified.set_aside[i];
    auditing->plans++;
    return ERR_NONE;
}

static void print_set_aside(const struct auditing *auditing)
{
    const char *before = "set aside as vantage_suspect: ";
    for (size_t i = 0; i < REASON_COUNT; i++) {
        if (!auditing->set_aside[i])
            continue;
        printf("%s%zu %s", before, auditing->set_aside[i],
               reason_entry((enum reason)i)->name);
        before = ", ";
    }
    puts(*before == ',' ? "" : "set aside as vantage_suspect: none");
}

static void add_set_aside(struct json_writer *writer,
                          const struct auditing *auditing)
{
    json_key(writer, "set_aside");
    json_begin(writer, '{');
    for (size_t i = 0; i < REASON_COUNT; i++)
        if (auditing->set_aside[i])
            json_member_int(writer, reason_entry((enum reason)i)->name,
                            (int64_t)auditing->set_aside[i]);
    json_end(writer, '}');
}

static void print_audit(const struct invocation *invocation,
                        const struct auditing *auditing,
                        const struct coverage_report *report)
{
    struct buf line = {0};
    struct json_writer writer = {.out = &line};
    if (!invocation->json) {
        printf("%zu plans: %lld runs executed, %lld skipped\n", auditing->plans,
               (long long)report->executed, (long long)report->skipped);
        print_set_aside(auditing);
        printf("%zu orchestrators with %lld to %lld runs, %zu GPUs; starved: "
               "%zu\n",
               report->orchestrators, (long long)report->least,
               (long long)report->most, report->gpus, report->starved);
        printf("cards that were told: %zu, of them %zu share their runs with "
               "others of their model, %zu without any\n",
               report->gpus_told, report->gpus_shared, report->gpus_unseen);
        if (report->parts > 1)
            printf("hours of the week: chi-square %.1f in %zu parts, p = %.3f: "
                   "%s\n",
                   report->chi_square, report->parts, report->p,
                   report->even ? "even" : "not even");
        else
            puts("hours of the week: too few runs to tell");
        return;
    }
    json_begin(&writer, '{');
    json_member_int(&writer, "plans", (int64_t)auditing->plans);
    json_member_int(&writer, "executed", report->executed);
    json_member_int(&writer, "skipped", report->skipped);
    add_set_aside(&writer, auditing);
    json_member_int(&writer, "orchestrators", (int64_t)report->orchestrators);
    json_member_int(&writer, "gpus", (int64_t)report->gpus);
    json_member_int(&writer, "gpus_told", (int64_t)report->gpus_told);
    json_member_int(&writer, "gpus_shared", (int64_t)report->gpus_shared);
    json_member_int(&writer, "gpus_unseen", (int64_t)report->gpus_unseen);
    json_member_int(&writer, "starved", (int64_t)report->starved);
    json_member_int(&writer, "least_runs", report->least);
    json_member_int(&writer, "most_runs", report->most);
    json_member_double(&writer, "hours_chi_square", report->chi_square);
    json_member_int(&writer, "hours_parts", (int64_t)report->parts);
    json_member_double(&writer, "hours_p", report->p);
    json_member_bool(&writer, "hours_even", report->even);
    json_key(&writer, "hours");
    json_begin(&writer, '[');
    for (size_t i = 0; i < HOURS_PER_WEEK; i++)
        json_int(&writer, report->hours[i]);
    json_end(&writer, ']');
    json_member_int(&writer, "findings", (int64_t)auditing->findings);
    json_end(&writer, '}');
    puts(buf_string(&line));
    buf_free(&line);
}

static enum err judge(struct auditing *auditing,
                      const struct coverage_report *report)
{
    const struct coverage_count *starved;
    const struct coverage_count *unseen;
    for (size_t i = 0; (unseen = coverage_unseen(auditing->coverage, i)); i++)
        log_message(LOG_INFO, "no executed run may have been of the card %.*s",
                    (int)unseen->name.length, unseen->name.data);
    for (size_t i = 0; (starved = coverage_starved(auditing->coverage, i)); i++)
        log_message(LOG_WARNING, "%.*s has %lld planned runs, none executed",
                    (int)starved->name.length, starved->name.data,
                    (long long)starved->skipped);
    if (auditing->findings || report->starved || !report->even)
        return err_set(ERR_FINDING,
                       "%zu findings, %zu starved, hours of the week %s",
                       auditing->findings, report->starved,
                       report->even ? "even" : "not even");
    return ERR_NONE;
}

enum err plan_audit(struct invocation *invocation)
{
    struct auditing auditing = {.coverage = coverage_new()};
    struct coverage_report report;
    struct prompt_sets sets = find_sets(&invocation->arena, invocation->config);
    enum err err = with_plans(invocation, &sets, audit_one, &auditing);
    if (!err) {
        coverage_report(auditing.coverage, &report);
        print_audit(invocation, &auditing, &report);
        err = judge(&auditing, &report);
    }
    coverage_free(auditing.coverage);
    return err;
}
