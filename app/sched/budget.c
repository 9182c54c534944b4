/*
 * budget.c: see budget.h.
 *
 * The books of a model at an orchestrator hold one hour; targets whose
 * workflows run that model share them. Runs begin in order of time, so that an
 * hour that has passed is never asked for again; a run belongs to the hour in
 * which it begins, with all of its length.
 */
#include "sched/budget.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/index.h"

#include <stdlib.h>

struct hour_books {
    int64_t hour; /* start, stamp; less than any before the first run */
    int64_t used_ms;
    int64_t least_idle; /* slots; ABSENT_INT: none seen */
};

struct budget {
    const struct plan *plan;
    struct text_index capacities; /* by capacity_key */
    struct hour_books *books;     /* by number of the capacity */
    struct hour_books all;
    int64_t running;
    int64_t day; /* start of the UTC day that spent_wei is of */
    int64_t spent_wei;
};

static const struct hour_books no_hour = {INT64_MIN, 0, ABSENT_INT};

struct budget *budget_new(const struct plan *plan)
{
    struct budget *budget = memory_zeroed(1, sizeof *budget);
    budget->plan = plan;
    budget->all = no_hour;
    budget->day = INT64_MIN;
    budget->books =
        memory_alloc((plan->target_count + 1) * sizeof *budget->books);
    struct buf key = {0};
    for (size_t i = 0; i < plan->target_count; i++) {
        const struct plan_target *target = &plan->targets[i];
        size_t number = text_index_add(
            &budget->capacities,
            capacity_key(&key, target->orchestrator_url, target->model_id, 0),
            NULL);
        budget->books[number] = no_hour;
    }
    buf_free(&key);
    return budget;
}

void budget_free(struct budget *budget)
{
    if (!budget)
        return;
    text_index_free(&budget->capacities);
    free(budget->books);
    free(budget);
}

int64_t budget_running(const struct budget *budget)
{
    return budget->running;
}

/* The books of the hour of NOW; a clock that went back stays in the later one,
 * so that going back gives nobody a second budget. */
static struct hour_books *books_at(struct hour_books *books, int64_t now)
{
    int64_t hour = clock_hour_start(now);
    if (hour > books->hour)
        *books = (struct hour_books){hour, 0, ABSENT_INT};
    return books;
}

/* Null where no target has that model there. */
static struct hour_books *books_of(struct budget *budget, struct text url,
                                   struct text model)
{
    struct buf key = {0};
    ptrdiff_t number =
        text_index_find(&budget->capacities, capacity_key(&key, url, model, 0));
    buf_free(&key);
    return number < 0 ? NULL : &budget->books[number];
}

static struct hour_books *books_of_target(struct budget *budget, size_t target)
{
    const struct plan_target *one = &budget->plan->targets[target];
    return books_of(budget, one->orchestrator_url, one->model_id);
}

static void turn_day(struct budget *budget, int64_t now)
{
    int64_t day = clock_day_start(now);
    if (day <= budget->day)
        return;
    budget->day = day;
    budget->spent_wei = 0;
}

static void see_idle(struct hour_books *books, int64_t idle)
{
    int64_t seen = idle == ABSENT_INT ? 1 : idle;
    if (books->least_idle == ABSENT_INT || seen < books->least_idle)
        books->least_idle = seen;
}

/* A 64-bit product of what a plan may hold would overflow. */
static int64_t share_of(int64_t whole, int64_t ppm)
{
    return (int64_t)((__int128)whole * ppm / 1000000);
}

static int64_t sum_within(int64_t a, int64_t b)
{
    int64_t sum;
    return __builtin_add_overflow(a, b, &sum) ? INT64_MAX : sum;
}

struct budget_answer budget_ask(struct budget *budget,
                                const struct budget_request *request)
{
    const struct plan *plan = budget->plan;
    struct hour_books *own =
        books_at(books_of_target(budget, request->target), request->now);
    struct hour_books *all = books_at(&budget->all, request->now);
    turn_day(budget, request->now);
    see_idle(own, request->idle);
    struct budget_answer answer = {SKIP_NONE, own->least_idle * plan->hour_ms,
                                   own->used_ms};
    int64_t allowed = share_of(answer.idle_ms, plan->idle_share_ppm);
    if (request->idle == 0)
        answer.skip = SKIP_BUSY;
    else if (own->used_ms + request->run_ms > allowed)
        answer.skip = SKIP_OVER_BUDGET;
    else if (all->used_ms + request->run_ms > plan->run_ms_per_hour)
        answer.skip = SKIP_GLOBAL_BUDGET;
    else if (budget->running >= plan->runs_at_once)
        answer.skip = SKIP_AT_ONCE;
    else if (request->wei > plan->run_wei ||
             sum_within(budget->spent_wei, request->wei) > plan->day_wei)
        answer.skip = SKIP_WEI;
    return answer;
}

void budget_begin(struct budget *budget, const struct budget_request *request)
{
    books_at(books_of_target(budget, request->target), request->now)->used_ms +=
        request->run_ms;
    books_at(&budget->all, request->now)->used_ms += request->run_ms;
    turn_day(budget, request->now);
    budget->spent_wei = sum_within(budget->spent_wei, request->wei);
    budget->running++;
}

/* Only if the books still are of the hour in which the run began. */
static void give_back(struct hour_books *books, int64_t began, int64_t ms)
{
    if (books->hour == clock_hour_start(began))
        books->used_ms -= ms;
}

void budget_end(struct budget *budget, const struct budget_request *request,
                int64_t run_ms, int64_t wei)
{
    int64_t unused = request->run_ms - run_ms;
    give_back(books_of_target(budget, request->target), request->now, unused);
    give_back(&budget->all, request->now, unused);
    if (budget->day == clock_day_start(request->now))
        budget->spent_wei -= request->wei - wei;
    budget->running--;
}

/* ---- after a restart ----------------------------------------------------- */

void budget_spend(struct budget *budget, int64_t now, int64_t wei)
{
    turn_day(budget, now);
    if (budget->day == clock_day_start(now))
        budget->spent_wei = sum_within(budget->spent_wei, wei);
}

/* What was counted upon then is the least that had been seen. */
static void count_idle(const struct budget *budget, struct hour_books *own,
                       const struct ledger_row *row, int64_t at)
{
    if (own && row->idle_ms != ABSENT_INT)
        see_idle(books_at(own, at), row->idle_ms / budget->plan->hour_ms);
}

void budget_count(struct budget *budget, const struct ledger_row *row)
{
    bool began = row->began_at != ABSENT_INT;
    struct hour_books *own =
        books_of(budget, row->orchestrator_url, row->model_id);
    count_idle(budget, own, row, began ? row->began_at : row->decided_at);
    if (!began)
        return;
    /* Of a run that never ended nobody knows the cost: the most is taken. */
    int64_t wei =
        row->cost_wei == ABSENT_INT ? budget->plan->run_wei : row->cost_wei;
    int64_t ms = row->run_ms == ABSENT_INT ? row->planned_ms : row->run_ms;
    budget_spend(budget, row->began_at, wei);
    books_at(&budget->all, row->began_at)->used_ms += ms;
    if (own)
        books_at(own, row->began_at)->used_ms += ms;
}
