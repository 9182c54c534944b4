/*
 * coverage.c: see coverage.h.
 */
#include "sched/coverage.h"

#include "base/clock.h"
#include "base/index.h"
#include "stats/stats.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define LEAST_EXPECTED 5.0
#define EVEN_P 0.01
/* 1970 began on a Thursday: a Monday is four days later. */
#define FIRST_MONDAY_MS (4 * (int64_t)MS_PER_DAY)
#define WEEK_MS (7 * (int64_t)MS_PER_DAY)

struct counts {
    struct text_index names;
    struct coverage_count *list;
    size_t capacity;
};

struct coverage {
    struct counts orchestrators;
    struct counts gpus;
    struct counts told; /* cards, with executed runs that may be of each */
    int64_t executed[HOURS_PER_WEEK];
    double planned[HOURS_PER_WEEK]; /* runs that should lie there */
    int64_t executed_all;
    int64_t skipped_all;
};

struct coverage *coverage_new(void)
{
    return memory_zeroed(1, sizeof(struct coverage));
}

static void counts_free(struct counts *counts)
{
    text_index_free(&counts->names);
    free(counts->list);
}

void coverage_free(struct coverage *coverage)
{
    if (!coverage)
        return;
    counts_free(&coverage->orchestrators);
    counts_free(&coverage->gpus);
    counts_free(&coverage->told);
    free(coverage);
}

/* ---- counting ------------------------------------------------------------ */

static size_t hour_of(int64_t stamp)
{
    int64_t into = (stamp - FIRST_MONDAY_MS) % WEEK_MS;
    return (size_t)((into < 0 ? into + WEEK_MS : into) / MS_PER_HOUR);
}

static struct coverage_count *count_of(struct counts *counts, struct text name)
{
    bool added;
    size_t number = text_index_add(&counts->names, name, &added);
    if (number >= counts->capacity) {
        counts->capacity = 2 * number + 64;
        counts->list = memory_resize(counts->list,
                                     counts->capacity * sizeof *counts->list);
    }
    if (added)
        counts->list[number] =
            (struct coverage_count){.name = counts->names.texts[number]};
    return &counts->list[number];
}

static void count_row(struct coverage_count *count,
                      const struct ledger_row *row)
{
    bool own = text_is(row->reason, skip_entry(SKIP_BUSY)->name) ||
               text_is(row->reason, skip_entry(SKIP_NO_CAPACITY)->name);
    if (text_is(row->state, LEDGER_EXECUTED))
        count->executed++;
    else if (text_is(row->state, LEDGER_SKIPPED))
        count->skipped++;
    if (text_is(row->state, LEDGER_SKIPPED) && own)
        count->skipped_by_it++;
}

/* GPUs of runs by the number that RUNS gives to their names. */
struct run_gpus {
    struct text_index runs;
    struct text *gpus;
};

static struct run_gpus read_gpus(const struct plan_books *books)
{
    struct run_gpus known = {
        .gpus = memory_zeroed(books->run_count + 1, sizeof(struct text))};
    for (size_t i = 0; i < books->run_count; i++) {
        const struct run *run = &books->runs[i];
        known.gpus[text_index_add(&known.runs, run->run_id, NULL)] =
            run->gpu_id;
    }
    return known;
}

static struct text gpu_of(const struct run_gpus *known,
                          const struct ledger_row *row)
{
    ptrdiff_t number = row->run_id.data
                           ? text_index_find(&known->runs, row->run_id)
                           : TEXT_INDEX_ABSENT;
    return row->gpu_id.length || number < 0 ? row->gpu_id : known->gpus[number];
}

static void take(struct coverage *coverage, const struct ledger_row *row,
                 struct text gpu)
{
    bool executed = text_is(row->state, LEDGER_EXECUTED);
    count_row(count_of(&coverage->orchestrators, row->orchestrator_url), row);
    if (gpu.length)
        count_row(count_of(&coverage->gpus, gpu), row);
    coverage->executed_all += executed;
    coverage->skipped_all += text_is(row->state, LEDGER_SKIPPED);
    if (executed)
        coverage->executed[hour_of(row->due_at)]++;
}

/* What the plan's runs before NOW should be by hours. */
static void take_plan(struct coverage *coverage, const struct plan *plan,
                      int64_t now)
{
    double runs = (double)plan_run_count(plan);
    double span = (double)(plan->ends_at - plan->starts_at);
    int64_t end = now < plan->ends_at ? now : plan->ends_at;
    for (int64_t at = plan->starts_at; at < end;) {
        int64_t next = clock_hour_start(at) + MS_PER_HOUR;
        if (next > end)
            next = end;
        coverage->planned[hour_of(at)] += runs * (double)(next - at) / span;
        at = next;
    }
}

/* Executed runs of each target, by its number in the plan. */
static int64_t *count_executed(const struct plan_books *books)
{
    const struct plan *plan = books->plan;
    int64_t *executed = memory_zeroed(plan->target_count + 1, sizeof *executed);
    struct text_index targets = {0};
    struct buf key = {0};
    for (size_t i = 0; i < plan->target_count; i++)
        text_index_add(&targets, planned_key(&key, &plan->targets[i], 0), NULL);
    for (size_t i = 0; i < books->row_count; i++) {
        struct ledger_row row = books->rows[i];
        row.stratum = 0;
        ptrdiff_t number = text_index_find(&targets, ledger_key(&key, &row));
        if (number >= 0 && text_is(row.state, LEDGER_EXECUTED))
            executed[number]++;
    }
    buf_free(&key);
    text_index_free(&targets);
    return executed;
}

/* A run counts for each card of its target, since it may be of any. */
static void take_cards(struct coverage *coverage,
                       const struct plan_books *books)
{
    int64_t *executed = count_executed(books);
    for (size_t i = 0; i < books->plan->target_count; i++) {
        struct text left = books->plan->targets[i].gpu_ids;
        while (left.length) {
            const char *comma = memchr(left.data, ',', left.length);
            size_t length = comma ? (size_t)(comma - left.data) : left.length;
            count_of(&coverage->told, (struct text){left.data, length})
                ->executed += executed[i];
            length += comma != NULL;
            left = (struct text){left.data + length, left.length - length};
        }
    }
    free(executed);
}

void coverage_add(struct coverage *coverage, const struct plan_books *books)
{
    struct run_gpus known = read_gpus(books);
    for (size_t i = 0; i < books->row_count; i++) {
        const struct ledger_row *row = &books->rows[i];
        if (row->due_at < books->now)
            take(coverage, row, gpu_of(&known, row));
    }
    take_cards(coverage, books);
    take_plan(coverage, books->plan, books->now);
    text_index_free(&known.runs);
    free(known.gpus);
}

/* ---- reporting ----------------------------------------------------------- */

const struct coverage_count *coverage_unseen(const struct coverage *coverage,
                                             size_t number)
{
    for (size_t i = 0; i < coverage->told.names.count; i++)
        if (!coverage->told.list[i].executed && number-- == 0)
            return &coverage->told.list[i];
    return NULL;
}

static void report_cards(const struct coverage *coverage,
                         struct coverage_report *report)
{
    const struct counts *told = &coverage->told;
    report->gpus = coverage->gpus.names.count;
    report->gpus_told = told->names.count;
    for (size_t i = 0; i < told->names.count; i++) {
        ptrdiff_t own =
            text_index_find(&coverage->gpus.names, told->names.texts[i]);
        report->gpus_unseen += !told->list[i].executed;
        report->gpus_shared += told->list[i].executed && own < 0;
    }
}

static bool is_starved(const struct coverage_count *count)
{
    return !count->executed && count->skipped > count->skipped_by_it;
}

const struct coverage_count *coverage_starved(const struct coverage *coverage,
                                              size_t number)
{
    const struct counts *both[] = {&coverage->orchestrators, &coverage->gpus};
    for (size_t i = 0; i < 2; i++)
        for (size_t j = 0; j < both[i]->names.count; j++)
            if (is_starved(&both[i]->list[j]) && number-- == 0)
                return &both[i]->list[j];
    return NULL;
}

static void test_hours(const struct coverage *coverage,
                       struct coverage_report *report)
{
    double all = 0;
    double expected = 0;
    double found = 0;
    double sum = 0;
    for (size_t i = 0; i < HOURS_PER_WEEK; i++)
        all += coverage->planned[i];
    double scale = all > 0 ? (double)coverage->executed_all / all : 0;
    double left = (double)coverage->executed_all;
    for (size_t i = 0; i < HOURS_PER_WEEK; i++) {
        expected += coverage->planned[i] * scale;
        found += (double)coverage->executed[i];
        left -= coverage->planned[i] * scale;
        bool whole = expected >= LEAST_EXPECTED &&
                     (left >= LEAST_EXPECTED || i + 1 == HOURS_PER_WEEK);
        if (!whole && (i + 1 < HOURS_PER_WEEK || expected <= 0))
            continue;
        sum += (found - expected) * (found - expected) / expected;
        report->parts++;
        expected = found = 0;
    }
    report->chi_square = report->parts > 1 ? sum : (double)NAN;
    report->p = report->parts > 1
                    ? chi_square_tail(sum, (double)(report->parts - 1))
                    : (double)NAN;
    report->even = !(report->p < EVEN_P);
}

void coverage_report(const struct coverage *coverage,
                     struct coverage_report *report)
{
    *report = (struct coverage_report){.executed = coverage->executed_all,
                                       .skipped = coverage->skipped_all,
                                       .orchestrators =
                                           coverage->orchestrators.names.count,
                                       .least = INT64_MAX};
    report_cards(coverage, report);
    while (coverage_starved(coverage, report->starved))
        report->starved++;
    for (size_t i = 0; i < report->orchestrators; i++) {
        const struct coverage_count *one = &coverage->orchestrators.list[i];
        if (one->executed > report->most)
            report->most = one->executed;
        if (one->executed && one->executed < report->least)
            report->least = one->executed;
    }
    if (report->least == INT64_MAX)
        report->least = 0;
    for (size_t i = 0; i < HOURS_PER_WEEK; i++)
        report->hours[i] = coverage->executed[i];
    test_hours(coverage, report);
}
