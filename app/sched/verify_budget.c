/*
 * verify_budget.c: whether the runs of a plan kept within its ceilings, see
 * verify.h.
 *
 * By sums over the ledger alone, in another way than budget.c keeps its books.
 * A run that was cut off by a kill counts with the whole length that was
 * planned for it, as the budget counts it; what it cost nobody knows, so that
 * it cannot be held against a ceiling.
 */
#include "sched/verify_int.h"

#include "base/clock.h"
#include "sched/clock_watch.h"

#include <stdio.h>
#include <stdlib.h>

/* A run that ends while the next one begins is told within so much. */
enum { OVERLAP_MS = 100 };

struct hour_sum {
    int64_t used_ms;
    int64_t idle_ms; /* the least that was counted upon; -1: none */
};

struct sums {
    struct text_index names;
    struct hour_sum *list;
    size_t capacity;
};

static struct hour_sum *sum_at(struct sums *sums, struct text name)
{
    bool added;
    size_t number = text_index_add(&sums->names, name, &added);
    if (number >= sums->capacity) {
        sums->capacity = 2 * number + 16;
        sums->list =
            memory_resize(sums->list, sums->capacity * sizeof *sums->list);
    }
    if (added)
        sums->list[number] = (struct hour_sum){0, -1};
    return &sums->list[number];
}

static void free_sums(struct sums *sums)
{
    text_index_free(&sums->names);
    free(sums->list);
}

static int64_t length_ms(const struct ledger_row *row)
{
    return row->run_ms == ABSENT_INT ? row->planned_ms : row->run_ms;
}

static int64_t cost_wei(const struct ledger_row *row)
{
    return row->cost_wei == ABSENT_INT ? 0 : row->cost_wei;
}

/* The row that stands for planned run NUMBER, if anything began; else null. */
static const struct ledger_row *begun(const struct check *check, size_t number)
{
    const struct ledger_row *row = check->latest[number];
    return row && row->began_at != ABSENT_INT ? row : NULL;
}

/* ---- shares of an hour --------------------------------------------------- */

static void add_row(struct sums *own, struct sums *all,
                    const struct ledger_row *row)
{
    struct buf name = {0};
    int64_t hour = clock_hour_start(row->began_at);
    struct hour_sum *target = sum_at(
        own, capacity_key(&name, row->orchestrator_url, row->model_id, hour));
    target->used_ms += length_ms(row);
    if (row->idle_ms != ABSENT_INT &&
        (target->idle_ms < 0 || row->idle_ms < target->idle_ms))
        target->idle_ms = row->idle_ms;
    buf_clear(&name);
    buf_add_signed(&name, hour);
    sum_at(all, (struct text){name.data, name.length})->used_ms +=
        length_ms(row);
    buf_free(&name);
}

static void check_hours(struct check *check)
{
    const struct plan *plan = check->books->plan;
    struct sums own = {0}, all = {0};
    for (size_t i = 0; i < check->keys.count; i++)
        if (begun(check, i))
            add_row(&own, &all, begun(check, i));
    for (size_t i = 0; i < own.names.count; i++) {
        const struct hour_sum *sum = &own.list[i];
        int64_t allowed =
            (int64_t)((__int128)sum->idle_ms * plan->idle_share_ppm / 1000000);
        if (sum->idle_ms >= 0 && sum->used_ms > allowed)
            verify_complain(
                check, "runs took %lld ms of a model's hour, %lld are allowed",
                (long long)sum->used_ms, (long long)allowed);
    }
    for (size_t i = 0; i < all.names.count; i++)
        if (all.list[i].used_ms > plan->run_ms_per_hour)
            verify_complain(check,
                            "all runs of an hour took %lld ms, %lld are "
                            "allowed",
                            (long long)all.list[i].used_ms,
                            (long long)plan->run_ms_per_hour);
    free_sums(&own);
    free_sums(&all);
}

/* ---- at once ------------------------------------------------------------- */

/* A run begins (+1) or ends (-1). */
struct turn {
    int64_t at; /* stamp */
    int step;
};

/* Of one instant, ends first. */
static int compare_turns(const void *left, const void *right)
{
    const struct turn *a = left, *b = right;
    int order = (a->at > b->at) - (a->at < b->at);
    return order ? order : a->step - b->step;
}

/* When the run of ROW was over, less what two clocks may differ by. Of a run
 * that was cut off nobody knows. */
static int64_t over_at(const struct plan *plan, const struct ledger_row *row)
{
    int64_t ms = row->run_ms == ABSENT_INT ? 0 : row->run_ms - OVERLAP_MS;
    if (ms < 0)
        ms = 0;
    return row->began_at + stamps_of(ms, plan->hour_ms);
}

static size_t list_turns(const struct check *check, struct turn *turns)
{
    size_t count = 0;
    for (size_t i = 0; i < check->keys.count; i++) {
        const struct ledger_row *row = begun(check, i);
        if (!row)
            continue;
        turns[count++] = (struct turn){row->began_at, 1};
        turns[count++] = (struct turn){over_at(check->books->plan, row), -1};
    }
    return count;
}

static void check_at_once(struct check *check)
{
    char at[CLOCK_TEXT_BYTES];
    struct turn *turns =
        memory_zeroed(2 * check->keys.count + 1, sizeof *turns);
    size_t count = list_turns(check, turns);
    int64_t running = 0;
    int64_t most = 0;
    int64_t most_at = 0;
    qsort(turns, count, sizeof *turns, compare_turns);
    for (size_t i = 0; i < count; i++) {
        running += turns[i].step;
        if (running > most) {
            most = running;
            most_at = turns[i].at;
        }
    }
    if (most > check->books->plan->runs_at_once)
        verify_complain(check,
                        "%lld runs were under way at once at %s, %lld are "
                        "allowed",
                        (long long)most, clock_text_ms(most_at, at),
                        (long long)check->books->plan->runs_at_once);
    free(turns);
}

/* ---- money --------------------------------------------------------------- */

static void check_costs(struct check *check)
{
    char due[CLOCK_TEXT_BYTES];
    const struct plan *plan = check->books->plan;
    for (size_t i = 0; i < check->keys.count; i++) {
        const struct ledger_row *row = begun(check, i);
        if (row && cost_wei(row) > plan->run_wei)
            verify_complain(check,
                            "the run planned for %s cost %lld wei, %lld are "
                            "allowed",
                            clock_text_ms(row->due_at, due),
                            (long long)row->cost_wei, (long long)plan->run_wei);
    }
}

static void say_over(const struct spent_day *day,
                     void (*finding)(void *context, const char *sentence),
                     void *context)
{
    char sentence[128];
    snprintf(sentence, sizeof sentence,
             "runs of a day cost %lld wei, %lld are allowed",
             (long long)day->wei, (long long)day->ceiling_wei);
    finding(context, sentence);
}

static struct spent_day *spent_day_of(struct spent_days *days, int64_t day)
{
    for (size_t i = 0; i < days->count; i++)
        if (days->list[i].day == day)
            return &days->list[i];
    days->list =
        memory_resize(days->list, (days->count + 1) * sizeof *days->list);
    days->list[days->count] = (struct spent_day){.day = day};
    return &days->list[days->count++];
}

/* Of runs that are decided, one row each. */
void spent_days_add(struct spent_days *days, const struct plan_books *books)
{
    for (size_t i = 0; i < books->row_count; i++) {
        const struct ledger_row *row = &books->rows[i];
        if (!text_is(row->state, LEDGER_EXECUTED) || !cost_wei(row))
            continue;
        struct spent_day *day =
            spent_day_of(days, clock_day_start(row->began_at));
        if (__builtin_add_overflow(day->wei, row->cost_wei, &day->wei))
            day->wei = INT64_MAX;
        if (books->plan->day_wei > day->ceiling_wei)
            day->ceiling_wei = books->plan->day_wei;
    }
}

size_t spent_days_check(const struct spent_days *days,
                        void (*finding)(void *context, const char *sentence),
                        void *context)
{
    size_t over = 0;
    for (size_t i = 0; i < days->count; i++)
        if (days->list[i].wei > days->list[i].ceiling_wei) {
            say_over(&days->list[i], finding, context);
            over++;
        }
    return over;
}

static void check_days(struct check *check)
{
    struct spent_days days = {0};
    spent_days_add(&days, check->books);
    check->coverage.findings +=
        spent_days_check(&days, check->finding, check->context);
    free(days.list);
}

void verify_budget(struct check *check)
{
    check_hours(check);
    check_at_once(check);
    check_costs(check);
    check_days(check);
}
