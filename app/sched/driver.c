/*
 * driver.c: see driver.h.
 *
 * Whatever happens only notes it and has a tick come (driver_soon); the tick
 * looks at the clock once and moves everything on by what it sees. So no order
 * of answers matters, and nothing is freed under somebody's feet.
 */
#include "sched/driver_int.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/random.h"
#include "sched/judgement.h"
#include "sched/offers.h"

#include <stdlib.h>

enum {
    ASK_BEFORE_US = 2 * US_PER_SECOND, /* the instant of a run */
    TRY_AGAIN_US = 60 * US_PER_SECOND,
    CONTROLS_EVERY_US = 60 * US_PER_SECOND,
    STOP_PATIENCE_US = 5 * US_PER_SECOND
};

static struct instant now_of(const struct driver *driver)
{
    return driver->outside->now(driver->outside->context);
}

static void wake_at(struct driver *driver, int64_t at_us)
{
    driver->wake_us = at_us;
    driver->outside->wake_at(driver->outside->context, at_us);
}

void driver_soon(struct driver *driver)
{
    int64_t now_us = now_of(driver).monotonic_us;
    if (driver->phase != DRIVER_STOPPED && driver->wake_us > now_us)
        wake_at(driver, now_us);
}

static void try_again(struct driver *driver, const char *why)
{
    log_message(LOG_WARNING, "no plan at present: %s", why);
    driver->phase = DRIVER_WAITING;
    driver->retry_us = now_of(driver).monotonic_us + TRY_AGAIN_US;
    driver_soon(driver);
}

/* ---- control targets ----------------------------------------------------- */

bool controls_are_bad(const struct driver *driver,
                      const struct control_round *round)
{
    const struct open_plan *open = driver->open;
    return judgement_is_bad(round->failed, round->asked,
                            open ? open->plan.control_fail_ppm
                                 : driver->terms->control_fail_ppm);
}

int64_t driver_stamp_at(const struct driver *driver, int64_t now_us)
{
    int64_t since_us = now_us - driver->now_us;
    return driver->stamp +
           clock_stamps_of(&driver->watch, since_us / US_PER_MS);
}

int64_t driver_clock_offset_ms(const struct driver *driver)
{
    const struct control_round *last = &driver->controls.last;
    if (!driver->controls.known || !last->offset_known)
        return ABSENT_INT;
    return (last->offset_low_ms + last->offset_high_ms) / 2;
}

void driver_want_controls(struct driver *driver)
{
    driver->controls.wanted = true;
    driver_soon(driver);
}

static void tick_controls(struct driver *driver)
{
    struct controls *controls = &driver->controls;
    bool due = controls->wanted || driver->now_us >= controls->next_us;
    if (!controls->given || controls->asking || !due || driver->stopping)
        return;
    controls->wanted = false;
    controls->asking = true;
    controls->asking_since_us = driver->now_us;
    controls->next_us = driver->now_us + CONTROLS_EVERY_US;
    driver->outside->ask_controls(driver->outside->context);
}

void driver_controls(struct driver *driver, const struct control_round *round)
{
    struct controls *controls = &driver->controls;
    bool was_bad = controls->known && controls_are_bad(driver, &controls->last);
    controls->asking = false;
    controls->began_us = controls->asking_since_us;
    controls->last = *round;
    controls->known = round->asked > 0;
    if (!was_bad && controls_are_bad(driver, round))
        log_message(LOG_WARNING,
                    "%lld of %lld control targets fail; nothing is measured "
                    "until they answer",
                    (long long)round->failed, (long long)round->asked);
    for (struct errand *at = driver->errands; at; at = *errand_link(at))
        errand_controls(at);
    driver_soon(driver);
}

/* ---- from plan to plan --------------------------------------------------- */

static void begin_watch(struct driver *driver)
{
    bool jumped;
    struct instant now = now_of(driver);
    clock_watch_begin(&driver->watch, driver->terms->hour_ms,
                      driver->turn.last_stamp, now);
    driver->stamp = clock_watch_look(&driver->watch, now, &jumped);
}

static void run_plan(struct driver *driver, struct open_plan *open)
{
    driver->open = open;
    driver->next = 0;
    driver->phase = DRIVER_RUNNING;
    for (size_t i = 0; i < open->waiting_count; i++)
        errand_resume(driver, &open->waiting[i]);
    driver_soon(driver);
}

static void look_for_orchestrators(struct driver *driver)
{
    driver->phase = DRIVER_LOOKING;
    driver->outside->discover(driver->outside->context);
}

static void on_turned(struct store_work *work, enum err err,
                      const char *sentence)
{
    struct driver *driver = work->context;
    struct books_turn *turn = &driver->turn;
    driver->phase = DRIVER_WAITING;
    if (err) {
        try_again(driver, sentence);
        return;
    }
    if (driver->watch.hour_ms == 0)
        begin_watch(driver);
    evidence_counts_free(&driver->evidence);
    driver->evidence = turn->evidence;
    turn->evidence = (struct evidence_counts){.list = NULL};
    fleet_free(&driver->fleet);
    driver->fleet = turn->ends;
    turn->ends = (struct fleet){.ends = NULL};
    if (driver->stopping)
        open_plan_free(turn->open);
    else if (turn->open)
        run_plan(driver, turn->open);
    else
        look_for_orchestrators(driver);
    turn->open = NULL;
    driver_soon(driver);
}

static enum err run_turn(void *context, struct store *store)
{
    struct driver *driver = context;
    return books_turn(&driver->turn, store);
}

/* Before the first turn nobody knows what a fast clock shows. */
static void turn(struct driver *driver)
{
    bool first = driver->watch.hour_ms == 0;
    bool fast = driver->terms->hour_ms != MS_PER_HOUR;
    bool doubts = clock_watch_doubts(&driver->watch, driver->now_us);
    driver->phase = DRIVER_TURNING;
    driver->turn.now = first ? now_of(driver).wall_ms : driver->stamp;
    driver->turn.goes_on = first && fast;
    driver->turn.fleet_stamps =
        stamps_of(driver->terms->fleet_window_ms, driver->terms->hour_ms);
    driver->turn.late = doubts ? SKIP_CLOCK : SKIP_MISSED;
    driver->work = (struct store_work){
        .run = run_turn, .context = driver, .done = on_turned};
    driver->outside->with_store(driver->outside->context, &driver->work);
}

static void on_added(struct store_work *work, enum err err,
                     const char *sentence)
{
    struct driver *driver = work->context;
    struct open_plan *open = driver->adding.open;
    arena_clear(&driver->draft);
    if (err) {
        try_again(driver, sentence);
        return;
    }
    log_message(LOG_INFO, "a plan of %zu runs of %zu targets is written down",
                open->count, open->plan.target_count);
    if (driver->stopping) {
        open_plan_free(open);
        driver->phase = DRIVER_WAITING;
    } else {
        run_plan(driver, open);
    }
    driver_soon(driver);
}

static enum err run_add(void *context, struct store *store)
{
    struct driver *driver = context;
    return books_add_plan(&driver->adding, store);
}

/* What is left of the span may be too short for a run. */
static void plan_nothing(struct driver *driver, bool found)
{
    int64_t left_us =
        clock_us_of(&driver->watch, driver->drafted.ends_at - driver->stamp);
    int64_t now_us = now_of(driver).monotonic_us;
    try_again(driver, found ? "no orchestrator offers a model of "
                              "sched.workflows, or no run fits into what is "
                              "left of the span"
                            : "no orchestrator is known");
    if (now_us + left_us < driver->retry_us)
        driver->retry_us = now_us + left_us;
    arena_clear(&driver->draft);
}

void driver_found(struct driver *driver, const struct discovery *found)
{
    bool jumped;
    if (driver->phase != DRIVER_LOOKING)
        return;
    driver->stamp = clock_watch_look(&driver->watch, now_of(driver), &jumped);
    random_bytes(driver->seed, sizeof driver->seed);
    offers_check(driver->terms, found);
    offers_tell_left_out(plan_make(&driver->draft, driver->terms, found,
                                   &driver->evidence, driver->stamp,
                                   driver->seed, &driver->drafted));
    if (!driver->drafted.target_count || driver->stopping) {
        plan_nothing(driver, found->count > 0);
        return;
    }
    driver->phase = DRIVER_MAKING;
    driver->adding = (struct books_plan){
        .plan = &driver->drafted, .seed = driver->seed, .now = driver->stamp};
    driver->work = (struct store_work){
        .run = run_add, .context = driver, .done = on_added};
    driver->outside->with_store(driver->outside->context, &driver->work);
}

/* ---- runs ---------------------------------------------------------------- */

static bool is_taken_up(const struct driver *driver, size_t number)
{
    return driver->open->decided[number];
}

/* What waits to be judged takes nothing of anybody any more. */
static int64_t count_open(const struct driver *driver)
{
    int64_t count = 0;
    for (struct errand *at = driver->errands; at; at = *errand_link(at))
        count += errand_is_open(at);
    return count;
}

/* What can no longer begin at its instant is skipped, what is due soon is taken
 * up. Runs stand in the order of their instants. */
static void take_up(struct driver *driver)
{
    struct open_plan *open = driver->open;
    int64_t late = clock_stamps_of(&driver->watch, PLAN_LATE_MS);
    bool doubts = clock_watch_doubts(&driver->watch, driver->now_us);
    while (driver->next < open->count) {
        size_t number = driver->next;
        int64_t ahead = open->runs[number].due_at - driver->stamp;
        int64_t ahead_us = clock_us_of(&driver->watch, ahead);
        if (ahead_us > ASK_BEFORE_US || driver->stopping)
            return;
        driver->next++;
        if (is_taken_up(driver, number))
            continue;
        if (ahead < -late / 2)
            errand_skip(driver, number, doubts ? SKIP_CLOCK : SKIP_MISSED);
        else if (count_open(driver) >= open->plan.runs_at_once)
            errand_skip(driver, number, SKIP_AT_ONCE);
        else
            errand_begin(driver, number, driver->now_us + ahead_us);
    }
}

static void tick_errands(struct driver *driver, bool jumped)
{
    struct errand **link = &driver->errands;
    while (*link) {
        struct errand *errand = *link;
        if (jumped)
            errand_doubt(errand);
        errand_tick(errand);
        if (!errand_is_over(errand)) {
            link = errand_link(errand);
            continue;
        }
        *link = *errand_link(errand);
        errand_free(errand);
    }
}

/* The clock may have been set back before the plan, too. */
static bool is_over(const struct driver *driver)
{
    const struct plan *plan = &driver->open->plan;
    bool outside =
        driver->stamp >= plan->ends_at || driver->stamp < plan->starts_at;
    return outside && !driver->errands && outbox_is_empty(&driver->outbox);
}

static void tick_plan(struct driver *driver, bool jumped)
{
    if (driver->stamp >= driver->open->plan.starts_at)
        take_up(driver);
    tick_errands(driver, jumped);
    if (!is_over(driver) || driver->stopping)
        return;
    /* What is doubted may be set right in a moment. */
    if (clock_watch_doubts(&driver->watch, driver->now_us))
        return;
    open_plan_free(driver->open);
    driver->open = NULL;
    turn(driver);
}

/* ---- the end ------------------------------------------------------------- */

void driver_stop(struct driver *driver, void (*on_stopped)(void *context),
                 void *context)
{
    driver->stopping = true;
    driver->on_stopped = on_stopped;
    driver->stopped_context = context;
    driver->stop_by_us = now_of(driver).monotonic_us + STOP_PATIENCE_US;
    for (struct errand *at = driver->errands; at; at = *errand_link(at))
        errand_stop(at);
    driver_soon(driver);
}

/* What cannot be written within some seconds is left: the next start tells of
 * it that it was interrupted. */
static bool may_stop(const struct driver *driver)
{
    bool waits = driver->phase == DRIVER_TURNING ||
                 driver->phase == DRIVER_MAKING ||
                 driver->phase == DRIVER_LOOKING || driver->outbox.posting ||
                 driver->controls.asking || driver->letters;
    bool unwritten = driver->errands || !outbox_is_empty(&driver->outbox);
    return driver->stopping && !waits &&
           (!unwritten || driver->now_us >= driver->stop_by_us);
}

static void stopped(struct driver *driver)
{
    driver->phase = DRIVER_STOPPED;
    driver->on_stopped(driver->stopped_context);
}

/* ---- ticks --------------------------------------------------------------- */

static int64_t next_us(const struct driver *driver)
{
    int64_t at = driver->now_us + CLOCK_LOOK_US;
    for (struct errand *errand = driver->errands; errand;
         errand = *errand_link(errand))
        if (errand_next_us(errand) < at)
            at = errand_next_us(errand);
    if (driver->open && driver->next < driver->open->count) {
        int64_t ahead = driver->open->runs[driver->next].due_at - driver->stamp;
        int64_t due_us =
            driver->now_us + clock_us_of(&driver->watch, ahead) - ASK_BEFORE_US;
        if (due_us < at)
            at = due_us;
    }
    return at > driver->now_us ? at : driver->now_us + US_PER_MS;
}

static void look(struct driver *driver, bool *jumped)
{
    struct instant now = now_of(driver);
    driver->now_us = now.monotonic_us;
    *jumped = false;
    if (driver->watch.hour_ms)
        driver->stamp = clock_watch_look(&driver->watch, now, jumped);
    if (*jumped)
        log_message(LOG_WARNING,
                    "the clock has jumped; nothing is begun for "
                    "%d s",
                    CLOCK_DOUBT_S);
}

void driver_tick(struct driver *driver)
{
    bool jumped;
    if (driver->phase == DRIVER_STOPPED)
        return;
    driver->wake_us = INT64_MAX;
    look(driver, &jumped);
    tick_controls(driver);
    if (driver->phase == DRIVER_NEW ||
        (driver->phase == DRIVER_WAITING && !driver->stopping &&
         driver->now_us >= driver->retry_us))
        turn(driver);
    else if (driver->phase == DRIVER_RUNNING)
        tick_plan(driver, jumped);
    outbox_post(&driver->outbox, driver->now_us);
    if (may_stop(driver)) {
        stopped(driver);
        return;
    }
    int64_t at = next_us(driver);
    if (at < driver->wake_us)
        wake_at(driver, at);
}

/* ---- the driver ---------------------------------------------------------- */

static void on_change(void *context)
{
    driver_soon(context);
}

struct driver *driver_new(const struct terms *terms,
                          const struct surroundings *surroundings)
{
    struct driver *driver = memory_zeroed(1, sizeof *driver);
    driver->terms = terms;
    driver->outside = surroundings;
    driver->controls.given = *terms->control_targets != '\0';
    driver->outbox.outside = surroundings;
    driver->outbox.on_change = on_change;
    driver->outbox.context = driver;
    driver->wake_us = INT64_MAX;
    return driver;
}

void driver_free(struct driver *driver)
{
    if (!driver)
        return;
    while (driver->errands) {
        struct errand *next = *errand_link(driver->errands);
        errand_free(driver->errands);
        driver->errands = next;
    }
    outbox_free(&driver->outbox);
    fleet_free(&driver->fleet);
    open_plan_free(driver->open);
    evidence_counts_free(&driver->evidence);
    evidence_counts_free(&driver->turn.evidence);
    fleet_free(&driver->turn.ends);
    arena_free(&driver->draft);
    free(driver);
}
