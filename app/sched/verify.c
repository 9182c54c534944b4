/*
 * verify.c: see verify.h.
 *
 * Rows and runs are found by text keys. The budget's ceilings are checked in
 * verify_budget.c.
 */
#include "sched/verify_int.h"

#include "base/clock.h"
#include "sched/clock_watch.h"
#include "sched/judgement.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void verify_complain(struct check *check, const char *format, ...)
{
    char sentence[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(sentence, sizeof sentence, format, arguments);
    va_end(arguments);
    check->coverage.findings++;
    check->finding(check->context, sentence);
}

/* ---- keys ---------------------------------------------------------------- */

/* Numbers all planned runs, target by target. */
static void index_plan(struct check *check)
{
    const struct plan *plan = check->books->plan;
    struct buf key = {0};
    for (size_t i = 0; i < plan->target_count; i++) {
        const struct plan_target *target = &plan->targets[i];
        for (int64_t k = 0; k < target->strata; k++) {
            bool added;
            text_index_add(&check->keys, planned_key(&key, target, k), &added);
            if (!added)
                verify_complain(check, "target %zu stands in the plan twice",
                                i + 1);
        }
    }
    buf_free(&key);
    check->latest = memory_zeroed(check->keys.count + 1, sizeof *check->latest);
}

/* ---- the ledger's rows --------------------------------------------------- */

/* Rows of a run come in this order, none twice. */
static int step_of(const struct ledger_row *row)
{
    return text_is(row->state, LEDGER_STARTED) ? 1
           : text_is(row->state, LEDGER_ENDED) ? 2
                                               : 3;
}

static const char *due_text(const struct ledger_row *row,
                            char text[CLOCK_TEXT_BYTES])
{
    return clock_text_ms(row->due_at, text);
}

static void take_row(struct check *check, const struct ledger_row *row)
{
    struct buf key = {0};
    char due[CLOCK_TEXT_BYTES];
    ptrdiff_t number = text_index_find(&check->keys, ledger_key(&key, row));
    buf_free(&key);
    if (number < 0) {
        verify_complain(
            check, "the ledger has a run of %.*s at %s that was not planned",
            (int)row->orchestrator_url.length, row->orchestrator_url.data,
            due_text(row, due));
        return;
    }
    if (row->seq != ABSENT_INT && row->seq <= check->books->plan_seq)
        verify_complain(check,
                        "the ledger tells of the run planned for %s before its "
                        "plan was written down",
                        due_text(row, due));
    const struct ledger_row *before = check->latest[number];
    if (before && step_of(before) >= step_of(row))
        verify_complain(check, "the run of %.*s at %s was %s twice",
                        (int)row->orchestrator_url.length,
                        row->orchestrator_url.data, due_text(row, due),
                        step_of(before) == 3 ? "decided"
                        : step_of(row) == 1  ? "begun"
                                             : "ended");
    check->latest[number] = row;
}

static void index_runs(struct check *check)
{
    const struct plan_books *books = check->books;
    check->runs = memory_zeroed(books->run_count + 1, sizeof *check->runs);
    check->named = memory_zeroed(books->run_count + 1, sizeof *check->named);
    for (size_t i = 0; i < books->run_count; i++) {
        const struct run *run = &books->runs[i];
        if (!text_equal(run->plan_hash, check->plan_hash))
            continue;
        size_t number = text_index_add(&check->run_ids, run->run_id, NULL);
        check->runs[number] = run;
    }
}

static void take_rows(struct check *check)
{
    const struct plan_books *books = check->books;
    for (size_t i = 0; i < books->row_count; i++)
        if (text_equal(books->rows[i].plan_hash, check->plan_hash))
            take_row(check, &books->rows[i]);
    index_runs(check);
}

/* ---- one planned run ----------------------------------------------------- */

/* What a run says of itself, in the words of its row. */
static bool is_run_of(const struct run *run, const struct ledger_row *row)
{
    return text_equal(run->orchestrator_url, row->orchestrator_url) &&
           text_equal(run->workflow, row->workflow) &&
           text_equal(run->model_id, row->model_id) &&
           text_equal(run->prompt_id, row->prompt_id) &&
           run->started_at == row->began_at;
}

/* The place among `runs` of the one that ROW names; -1 for none. */
static ptrdiff_t number_of_run(const struct check *check,
                               const struct ledger_row *row)
{
    return row->run_id.data ? text_index_find(&check->run_ids, row->run_id)
                            : -1;
}

/* A run of this row is written down. */
static bool names_run(const struct ledger_row *row)
{
    return row && (text_is(row->state, LEDGER_EXECUTED) ||
                   text_is(row->state, LEDGER_ENDED));
}

/* The run of a row: there, its own, and of no other. */
static void check_run(struct check *check, const struct ledger_row *row)
{
    char due[CLOCK_TEXT_BYTES];
    ptrdiff_t number = number_of_run(check, row);
    due_text(row, due);
    if (number < 0) {
        verify_complain(
            check, "the run planned for %s was executed, and is missing", due);
        return;
    }
    if (check->named[number])
        verify_complain(check, "the run planned for %s is another one's, too",
                        due);
    check->named[number] = true;
    if (!is_run_of(check->runs[number], row))
        verify_complain(check,
                        "the run planned for %s is of another orchestrator, "
                        "workflow, model, prompt or instant than its row",
                        due);
}

static void check_runs(struct check *check)
{
    for (size_t i = 0; i < check->keys.count; i++)
        if (names_run(check->latest[i]))
            check_run(check, check->latest[i]);
    for (size_t i = 0; i < check->run_ids.count; i++)
        if (!check->named[i])
            verify_complain(check, "no row of the ledger names the run %.*s",
                            (int)check->runs[i]->run_id.length,
                            check->runs[i]->run_id.data);
}

static void check_executed(struct check *check, const struct ledger_row *row)
{
    char due[CLOCK_TEXT_BYTES];
    check->coverage.executed++;
    if (row->began_at < row->due_at ||
        row->began_at - row->due_at >
            stamps_of(PLAN_LATE_MS, check->books->plan->hour_ms))
        verify_complain(check, "the run planned for %s did not begin then",
                        due_text(row, due));
}

static void check_skipped(struct check *check, const struct ledger_row *row)
{
    char due[CLOCK_TEXT_BYTES];
    enum skip skip;
    check->coverage.skipped++;
    if (row->reason.data && skip_named(row->reason, &skip))
        check->coverage.skips[skip]++;
    else
        verify_complain(check,
                        "the run planned for %s was skipped for no reason",
                        due_text(row, due));
}

/* The prompt follows from the seed, too; its name stands in the set that the
 * plan holds the hash of. */
static void check_prompt(struct check *check, const struct planned_run *run,
                         const struct ledger_row *row)
{
    char due[CLOCK_TEXT_BYTES];
    const struct prompt_set *const *sets = check->books->prompts;
    const struct prompt_set *set = sets ? sets[run->target] : NULL;
    if (!row->prompt_id.data)
        return;
    if (!set || (size_t)run->prompt >= set->count)
        check->coverage.prompts_unknown++;
    else if (!text_is(row->prompt_id, set->prompts[run->prompt].id))
        verify_complain(check,
                        "the run planned for %s had the prompt %.*s; drawn was "
                        "%s",
                        clock_text_ms(run->due_at, due),
                        (int)row->prompt_id.length, row->prompt_id.data,
                        set->prompts[run->prompt].id);
}

static void check_planned(struct check *check, const struct planned_run *run,
                          const struct ledger_row *row)
{
    char due[CLOCK_TEXT_BYTES];
    clock_text_ms(run->due_at, due);
    check->coverage.planned++;
    if (row)
        check_prompt(check, run, row);
    if (row && row->due_at != run->due_at)
        verify_complain(check, "the ledger moves the run planned for %s", due);
    if (row && row->planned_ms != run->run_ms)
        verify_complain(check, "the ledger changes the length of the run of %s",
                        due);
    if (row && text_is(row->state, LEDGER_EXECUTED))
        check_executed(check, row);
    else if (row && text_is(row->state, LEDGER_SKIPPED))
        check_skipped(check, row);
    else if (run->due_at + stamps_of(run->run_ms + PLAN_LATE_MS,
                                     check->books->plan->hour_ms) <
             check->books->now)
        verify_complain(
            check, "the ledger says nothing of the run planned for %s", due);
    else
        check->coverage.undecided++;
}

/* In the order of index_plan. */
static void check_schedule(struct check *check, const uint8_t *hash)
{
    const struct plan *plan = check->books->plan;
    size_t number = 0;
    for (size_t i = 0; i < plan->target_count; i++)
        for (int64_t k = 0;
             k < plan->targets[i].strata && number < check->keys.count; k++) {
            struct planned_run run =
                plan_draw(plan, hash, check->books->seed, i, k);
            check_planned(check, &run, check->latest[number++]);
        }
}

/* ---- what is set aside --------------------------------------------------- */

static const struct run *run_of(const struct check *check,
                                const struct ledger_row *row)
{
    ptrdiff_t number = number_of_run(check, row);
    return number < 0 ? NULL : check->runs[number];
}

/* Of rows from before runs were judged apart: their runs' lines hold what came
 * of it, and the counts cannot be made again. */
static void check_old_judgement(struct check *check,
                                const struct ledger_row *row,
                                const struct run *run)
{
    char due[CLOCK_TEXT_BYTES];
    bool set_aside =
        text_is(run->reason, reason_entry(REASON_FLEET_FAILED)->name);
    bool suspect = judgement_of(check->books->plan, row) == REASON_FLEET_FAILED;
    if (set_aside && !suspect)
        verify_complain(
            check,
            "the run planned for %s is set aside with the fleet against "
            "the plan's rule",
            due_text(row, due));
    if (suspect && text_is(run->outcome, outcome_name(OUTCOME_FAILED)))
        verify_complain(
            check,
            "the run planned for %s counts as failed; by the plan's rule "
            "it is set aside with the fleet",
            due_text(row, due));
}

/* The row's counts against the ends of runs that the journal told before it. */
static void recount_fleet(struct check *check, const struct ledger_row *row)
{
    char due[CLOCK_TEXT_BYTES];
    int64_t wait = fleet_wait_stamps(check->books->plan);
    if (!wait)
        return;
    struct fleet_view view = fleet_look(&check->fleet, row->ended_at - wait,
                                        row->ended_at + wait, row->seq);
    if (view.seen != row->fleet || view.failed != row->fleet_failed)
        verify_complain(
            check,
            "the row of the run planned for %s says that %lld of %lld "
            "orchestrators failed about then; by the ledger it was %lld "
            "of %lld",
            due_text(row, due), (long long)row->fleet_failed,
            (long long)row->fleet, (long long)view.failed,
            (long long)view.seen);
}

/* Of a run that tells something. */
static void check_rule(struct check *check, const struct ledger_row *row)
{
    char due[CLOCK_TEXT_BYTES];
    enum reason said = REASON_NONE;
    enum reason rule = judgement_of(check->books->plan, row);
    if (row->set_aside.data && !reason_named(row->set_aside, &said))
        said = REASON_NONE;
    if (said == REASON_VANTAGE_FAULT)
        return;
    recount_fleet(check, row);
    if (said && said != rule)
        verify_complain(
            check,
            "the run planned for %s is set aside as %s against the plan's "
            "rule",
            due_text(row, due), reason_entry(said)->name);
    else if (said != rule)
        verify_complain(
            check,
            "the run planned for %s counts as %.*s; by the plan's rule it "
            "is set aside as %s",
            due_text(row, due), (int)row->measured.length, row->measured.data,
            reason_entry(rule)->name);
}

static void check_judged(struct check *check, const struct ledger_row *row,
                         const struct run *run)
{
    char due[CLOCK_TEXT_BYTES];
    enum outcome outcome;
    if (!text_equal(row->measured, run->outcome))
        verify_complain(
            check,
            "the row of the run planned for %s says that it was measured "
            "as %.*s; its line says %.*s",
            due_text(row, due), (int)row->measured.length, row->measured.data,
            (int)run->outcome.length, run->outcome.data);
    if (outcome_named(run->outcome, &outcome) && fleet_tells(outcome))
        check_rule(check, row);
    else if (row->set_aside.data)
        verify_complain(check,
                        "the run planned for %s tells nothing to be set aside",
                        due_text(row, due));
}

static void check_judgement(struct check *check, const struct ledger_row *row)
{
    const struct run *run = run_of(check, row);
    enum reason reason = REASON_NONE;
    if (!run)
        return;
    struct text because = row->set_aside.data ? row->set_aside : run->reason;
    if (because.data && reason_named(because, &reason) &&
        reason_entry(reason)->outcome == OUTCOME_VANTAGE_SUSPECT)
        check->coverage.set_aside[reason]++;
    if (row->measured.data)
        check_judged(check, row, run);
    else
        check_old_judgement(check, row, run);
}

static void gather_ends(struct check *check)
{
    const struct plan_books *books = check->books;
    for (size_t i = 0; i < books->other_count; i++)
        fleet_add(&check->fleet, books->others[i].orchestrator_url,
                  books->others[i].ended_at, books->others[i].measured,
                  books->others[i].seq);
    for (size_t i = 0; i < books->row_count; i++) {
        const struct ledger_row *row = &books->rows[i];
        enum outcome measured;
        if (text_is(row->state, LEDGER_ENDED) &&
            text_equal(row->plan_hash, check->plan_hash) &&
            outcome_named(row->measured, &measured))
            fleet_add(&check->fleet, row->orchestrator_url, row->ended_at,
                      measured, row->seq);
    }
}

static void check_judgements(struct check *check)
{
    gather_ends(check);
    for (size_t i = 0; i < check->keys.count; i++)
        if (check->latest[i] &&
            text_is(check->latest[i]->state, LEDGER_EXECUTED))
            check_judgement(check, check->latest[i]);
}

struct plan_coverage
plan_verify(const struct plan_books *books,
            void (*finding)(void *context, const char *sentence), void *context)
{
    uint8_t hash[SHA256_BYTES];
    char hex[2 * SHA256_BYTES + 1];
    plan_hash(books->plan, hash);
    hash_hex(hash, sizeof hash, hex);
    struct check check = {.books = books,
                          .finding = finding,
                          .context = context,
                          .plan_hash = text_of(hex)};
    index_plan(&check);
    take_rows(&check);
    check_runs(&check);
    verify_budget(&check);
    check_judgements(&check);
    if (books->seed && !plan_is_of_seed(books->plan, books->seed))
        verify_complain(&check,
                        "the revealed seed is not the one whose hash the plan "
                        "holds");
    else if (books->seed)
        check_schedule(&check, hash);
    text_index_free(&check.keys);
    text_index_free(&check.run_ids);
    free(check.latest);
    free(check.runs);
    free(check.named);
    fleet_free(&check.fleet);
    return check.coverage;
}
