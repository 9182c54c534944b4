/*
 * errand.c: one planned run, from its question to its row (see driver.h).
 *
 *     asking ─ its instant ─▶ starting ─ row durable ─▶ running
 *        └─▶ over (skipped)                                │ run and row
 *                     over ◀─ row ─ confirming ◀───────────┘ go out
 *
 * Run and row are written when the run has ended, before anybody judges it: the
 * line is what was measured, whatever comes of it, and who goes on after a kill
 * finds it there. The judgement is a row of its own.
 *
 * An orchestrator that does not answer the question is measured all the same:
 * that it does not answer is what there is to find. What it cannot do, and what
 * it has no room for, is skipped.
 *
 * A probe may outlive its errand, so each is held by a little letter that knows
 * the errand only as long as it is wanted.
 */
#include "sched/driver_int.h"

#include "base/clock.h"
#include "base/random.h"
#include "sched/judgement.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    ASK_GRACE_US = 2 * US_PER_SECOND, /* after the instant */
    CHECK_EVERY_US = 5 * US_PER_SECOND,
    CONFIRM_MAX_US = 15 * US_PER_SECOND,
    CLOSING_MS = 1000,   /* kept in the budget for closing in order */
    GIVE_UP_US = 750000, /* past its length it is cut off */
    RATE_US = US_PER_SECOND,
    RATES_LEAST = 5,
    RATES_SOME = 2,           /* fewer are no measurement */
    STALL_US = US_PER_SECOND, /* so late only a process that stood wakes */
    RUN_ID_BYTES = 37
};

/* Half a 95 % interval in standard errors, by Student's t with 4 degrees of
 * freedom and more. */
#define TIGHT_ERRORS 2.776

enum errand_state { ASKING, STARTING, RUNNING, CONFIRMING, OVER };

struct errand;

struct letter {
    struct driver *driver;
    struct errand *errand; /* null: nobody wants the answer any more */
    struct probe *probe;
};

/* Rates of the output, a second each. */
struct rates {
    int64_t last_us;
    uint64_t last_frames;
    int64_t count;
    double mean;
    double squares; /* of the differences from the mean, Welford */
};

struct errand {
    struct errand *next;
    struct driver *driver;
    size_t number;
    const struct planned_run *run;
    const struct plan_target *target;
    const struct terms_workflow *workflow; /* null: no longer configured */
    enum errand_state state;
    int64_t due_us;
    struct letter *question; /* before the start; then every five seconds */
    struct letter *live;
    bool answered;
    enum skip refusal; /* by the answer */
    struct ledger_row row;
    struct budget_request request;
    char run_id[RUN_ID_BYTES];
    int64_t began_us;
    int64_t next_check_us;
    int64_t cut_us; /* when its length was seen to be over; 0: not yet */
    bool doubted;   /* the clock jumped, or we stood still */
    struct rates rates;
    struct control_round worst;
    bool controlled; /* WORST is one */
    bool confirmed;  /* a round began after its end */
    int64_t ended_us;
};

static const struct surroundings *outside_of(const struct errand *errand)
{
    return errand->driver->outside;
}

/* ---- letters ------------------------------------------------------------- */

static struct letter *letter_send(struct errand *errand,
                                  struct probe_request *request)
{
    struct letter *letter = memory_zeroed(1, sizeof *letter);
    letter->driver = errand->driver;
    letter->driver->letters++;
    letter->errand = errand;
    request->context = letter;
    letter->probe =
        outside_of(errand)->probe(outside_of(errand)->context, request);
    return letter;
}

/* Nobody wants the answer any more. */
static void letter_forget(struct errand *errand, struct letter **letter)
{
    if (!*letter)
        return;
    (*letter)->errand = NULL;
    outside_of(errand)->stop(outside_of(errand)->context, (*letter)->probe,
                             REASON_STOPPED);
    *letter = NULL;
}

/* The errand that LETTER is of, which is gone; null, and RESULT freed, where
 * nobody waits for it. */
static struct errand *letter_open(struct letter *letter,
                                  struct probe_result *result)
{
    struct errand *errand = letter->errand;
    letter->driver->letters--;
    if (!errand) {
        driver_soon(letter->driver);
        probe_result_free(result);
    }
    free(letter);
    return errand;
}

/* ---- the end ------------------------------------------------------------- */

/* The driver takes it away. */
static void leave(struct errand *errand)
{
    letter_forget(errand, &errand->question);
    errand->state = OVER;
    driver_soon(errand->driver);
}

static void write_row(struct driver *driver, struct note *note,
                      const struct ledger_row *row, size_t target)
{
    note->entries[note->count++] =
        ledger_entry(&note->arena, row, target, driver->open->plan.vantage);
}

static void note_skip(struct driver *driver, struct ledger_row *row,
                      size_t target, enum skip reason)
{
    struct note *note = note_new();
    row->decided_at = driver->stamp;
    row->state = text_of(LEDGER_SKIPPED);
    row->reason = text_of(skip_entry(reason)->name);
    row->run_id = (struct text){0};
    row->began_at = ABSENT_INT;
    row->clock_offset_ms = driver_clock_offset_ms(driver);
    write_row(driver, note, row, target);
    outbox_add(&driver->outbox, note);
}

void errand_skip(struct driver *driver, size_t number, enum skip reason)
{
    struct ledger_row row = books_row(driver->open, number, driver->stamp);
    open_plan_decide(driver->open, number);
    note_skip(driver, &row, driver->open->runs[number].target, reason);
}

static void skip(struct errand *errand, enum skip reason)
{
    open_plan_decide(errand->driver->open, errand->number);
    note_skip(errand->driver, &errand->row, errand->run->target, reason);
    leave(errand);
}

/* How long it really took of the orchestrator: until we began to close. */
static int64_t taken_ms(const struct probe_result *result, int64_t elapsed_us)
{
    for (size_t i = 0; i < result->phase_count; i++)
        if (!strcmp(result->phases[i].name, "closing"))
            elapsed_us = result->phases[i].from_us;
    return (elapsed_us + US_PER_MS - 1) / US_PER_MS;
}

static void fill_controls(struct errand *errand)
{
    if (!errand->controlled)
        return;
    errand->row.controls = errand->worst.asked;
    errand->row.controls_failed = errand->worst.failed;
}

/* Run and row, together. A run that tells nothing is not judged. */
static void write_down(struct errand *errand, struct probe_result *result,
                       enum outcome outcome)
{
    struct driver *driver = errand->driver;
    struct note *note = note_new();
    struct run *run = &result->run;
    struct ledger_row *row = &errand->row;
    row->measured = text_of(outcome_name(outcome));
    row->state = text_of(fleet_tells(outcome) ? LEDGER_ENDED : LEDGER_EXECUTED);
    row->decided_at = row->ended_at;
    fill_controls(errand);
    fields_copy(&note->arena, run_fields, run);
    note->entries[note->count++] =
        run_entry(&note->arena, run, &result->samples);
    write_row(driver, note, row, errand->run->target);
    outbox_add(&driver->outbox, note);
}

static enum reason judge(struct errand *errand)
{
    struct driver *driver = errand->driver;
    struct ledger_row *row = &errand->row;
    int64_t wait = fleet_wait_stamps(&driver->open->plan);
    if (errand->doubted)
        return REASON_VANTAGE_FAULT;
    if (wait) {
        struct fleet_view view =
            fleet_look(&driver->fleet, row->ended_at - wait,
                       row->ended_at + wait, INT64_MAX);
        row->fleet = view.seen;
        row->fleet_failed = view.failed;
    }
    fill_controls(errand);
    return judgement_of(&driver->open->plan, row);
}

static void pass_judgement(struct errand *errand)
{
    struct driver *driver = errand->driver;
    struct note *note = note_new();
    struct ledger_row *row = &errand->row;
    enum reason reason = judge(errand);
    if (reason)
        row->set_aside = text_of(reason_entry(reason)->name);
    row->state = text_of(LEDGER_EXECUTED);
    row->decided_at = driver->stamp;
    write_row(driver, note, row, errand->run->target);
    outbox_add(&driver->outbox, note);
    leave(errand);
}

/* ---- running ------------------------------------------------------------- */

static bool is_tight(const struct errand *errand)
{
    const struct rates *rates = &errand->rates;
    int64_t wanted_ppm = errand->driver->terms->tight_ppm;
    if (!errand->workflow->workflow.rate_ends_run)
        return false;
    if (!wanted_ppm || rates->count < RATES_LEAST || rates->mean <= 0)
        return false;
    double n = (double)rates->count;
    double error = sqrt(rates->squares / (n - 1) / n);
    return TIGHT_ERRORS * error / rates->mean * 1e6 < (double)wanted_ppm;
}

static void add_rate(struct rates *rates, double rate)
{
    double before = rate - rates->mean;
    rates->count++;
    rates->mean += before / (double)rates->count;
    rates->squares += before * (rate - rates->mean);
}

/* Nothing more is to be measured. Where too little was, that is for our reasons
 * and says nothing of the orchestrator. */
static void end_early(struct errand *errand, const char *why)
{
    const struct surroundings *outside = outside_of(errand);
    if (errand->row.stopped_early.data || errand->cut_us)
        return;
    errand->row.stopped_early = text_of(why);
    if (errand->rates.count < RATES_SOME)
        outside->stop(outside->context, errand->live->probe, REASON_STOPPED);
    else
        outside->enough(outside->context, errand->live->probe);
}

static void on_progress(void *context, const struct probe_progress *progress)
{
    struct letter *letter = context;
    struct errand *errand = letter->errand;
    if (!errand || errand->state != RUNNING || !progress->frames_out)
        return;
    struct rates *rates = &errand->rates;
    int64_t since_us = progress->elapsed_us - rates->last_us;
    if (rates->last_us && since_us < RATE_US)
        return;
    if (rates->last_us)
        add_rate(rates, (double)(progress->frames_out - rates->last_frames) *
                            US_PER_SECOND / (double)since_us);
    rates->last_us = progress->elapsed_us;
    rates->last_frames = progress->frames_out;
    if (is_tight(errand))
        end_early(errand, LEDGER_STOPPED_TIGHT);
}

/* It takes nothing of the orchestrator any more. */
static void settle(struct errand *errand, const struct probe_result *result)
{
    struct driver *driver = errand->driver;
    struct ledger_row *row = &errand->row;
    const struct run *run = &result->run;
    row->ended_at = driver_stamp_at(driver, errand->ended_us);
    row->run_ms = taken_ms(result, errand->ended_us - errand->began_us);
    row->cost_wei = run->cost_wei == ABSENT_INT ? 0 : run->cost_wei;
    budget_end(driver->open->budget, &errand->request, row->run_ms,
               row->cost_wei);
}

/* What was measured; of a run that the clock jumped in, nothing. */
static enum outcome measured(const struct errand *errand, struct run *run)
{
    enum outcome outcome = OUTCOME_VANTAGE_SUSPECT;
    run->run_id = text_of(errand->run_id);
    run->started_at = errand->row.began_at;
    if (errand->doubted)
        run_conclude(run, REASON_VANTAGE_FAULT);
    (void)outcome_named(run->outcome, &outcome);
    return outcome;
}

/* At a stop, what waits is left to the next start. */
static void on_live_done(void *context, struct probe_result *result)
{
    struct errand *errand = letter_open(context, result);
    if (!errand)
        return;
    struct driver *driver = errand->driver;
    enum outcome outcome = measured(errand, &result->run);
    errand->live = NULL;
    errand->ended_us =
        outside_of(errand)->now(outside_of(errand)->context).monotonic_us;
    errand->state = CONFIRMING;
    letter_forget(errand, &errand->question);
    settle(errand, result);
    write_down(errand, result, outcome);
    probe_result_free(result);
    fleet_add(&driver->fleet, errand->target->orchestrator_url,
              errand->row.ended_at, outcome, 0);
    if (!fleet_tells(outcome) || driver->stopping)
        leave(errand);
    else if (driver->controls.given)
        driver_want_controls(driver);
    driver_soon(driver);
}

static void start_live(struct errand *errand, int64_t now_us)
{
    const struct workflow *workflow = &errand->workflow->workflow;
    const struct prompt *prompt =
        &errand->workflow->prompts.prompts[errand->run->prompt];
    struct arena arena = {0};
    struct probe_request request = {
        .kind = PROBE_LIVE,
        .url = errand->target->orchestrator_url.data,
        .model = workflow->model,
        .params = workflow_parameters(&arena, workflow, prompt),
        .measure_us = errand->run->run_ms * US_PER_MS,
        .patience_us = errand->run->run_ms * US_PER_MS,
        .run_max_wei = errand->request.wei,
        .day_left_wei = errand->request.wei,
        .workflow = workflow->name,
        .prompt_id = prompt->id,
        .prompt_class = prompt_class_name(prompt->class),
        .plan_hash = errand->driver->open->hash,
        .on_progress = on_progress,
        .on_done = on_live_done};
    errand->state = RUNNING;
    errand->began_us = now_us;
    errand->next_check_us = errand->began_us + CHECK_EVERY_US;
    errand->live = letter_send(errand, &request);
    arena_free(&arena);
}

/* The row that says it begins is durable, or cannot be written. */
static void on_started(void *context, enum err err)
{
    struct errand *errand = context;
    struct driver *driver = errand->driver;
    int64_t now_us =
        outside_of(errand)->now(outside_of(errand)->context).monotonic_us;
    bool late = now_us - errand->due_us > (int64_t)PLAN_LATE_MS * US_PER_MS;
    if (!err && !late && !driver->stopping) {
        start_live(errand, now_us);
    } else {
        budget_end(driver->open->budget, &errand->request, 0, 0);
        skip(errand, driver->stopping && !err ? SKIP_STOPPED : SKIP_STORE);
    }
    driver_soon(driver);
}

/* ---- deciding ------------------------------------------------------------ */

static int64_t ceiling_wei(const struct errand *errand)
{
    int64_t plan_wei = errand->driver->open->plan.run_wei;
    int64_t workflow_wei = errand->workflow->workflow.price_ceiling_wei;
    return plan_wei < workflow_wei ? plan_wei : workflow_wei;
}

static enum skip ask_budget(struct errand *errand)
{
    struct driver *driver = errand->driver;
    errand->request =
        (struct budget_request){.target = errand->run->target,
                                .now = driver->stamp,
                                .idle = errand->row.idle,
                                .run_ms = errand->run->run_ms + CLOSING_MS,
                                .wei = ceiling_wei(errand)};
    struct budget_answer answer =
        budget_ask(driver->open->budget, &errand->request);
    errand->row.idle_ms = answer.idle_ms;
    errand->row.used_ms = answer.used_ms;
    return answer.skip;
}

/* By more than a minute, or the hosts that we asked contradict one another
 * (audit method §1.3, 7). */
static bool clock_is_wrong(const struct driver *driver)
{
    int64_t offset_ms = driver_clock_offset_ms(driver);
    return (driver->controls.known &&
            driver->controls.last.offset_contradicted) ||
           (offset_ms != ABSENT_INT && (offset_ms > 60 * MS_PER_SECOND ||
                                        offset_ms < -60 * MS_PER_SECOND));
}

/* Why it cannot be begun now, our own reasons first. */
static enum skip find_skip(struct errand *errand)
{
    struct driver *driver = errand->driver;
    if (driver->stopping || !errand->workflow)
        return SKIP_STOPPED;
    if (driver->stamp < errand->run->due_at ||
        clock_watch_doubts(&driver->watch, driver->now_us) ||
        clock_is_wrong(driver))
        return SKIP_CLOCK;
    if (driver->outbox.failing)
        return SKIP_STORE;
    if (driver->controls.known &&
        controls_are_bad(driver, &driver->controls.last))
        return SKIP_VANTAGE;
    if (errand->refusal)
        return errand->refusal;
    return ask_budget(errand);
}

static void begin_run(struct errand *errand)
{
    struct driver *driver = errand->driver;
    struct ledger_row *row = &errand->row;
    struct note *note = note_new();
    uint8_t random[16];
    random_bytes(random, sizeof random);
    run_id_text(random, errand->run_id);
    budget_begin(driver->open->budget, &errand->request);
    open_plan_decide(driver->open, errand->number);
    row->decided_at = row->began_at = driver->stamp;
    row->state = text_of(LEDGER_STARTED);
    row->run_id = text_of(errand->run_id);
    row->prompt_id =
        text_of(errand->workflow->prompts.prompts[errand->run->prompt].id);
    row->clock_offset_ms = driver_clock_offset_ms(driver);
    write_row(driver, note, row, errand->run->target);
    note->on_written = on_started;
    note->context = errand;
    errand->state = STARTING;
    outbox_add(&driver->outbox, note);
}

static void decide(struct errand *errand)
{
    letter_forget(errand, &errand->question);
    enum skip reason = find_skip(errand);
    if (reason)
        skip(errand, reason);
    else
        begin_run(errand);
}

/* ---- capacity ------------------------------------------------------------ */

static enum skip refusal_of(const struct run *run)
{
    if (text_is(run->outcome, outcome_name(OUTCOME_BUSY)))
        return SKIP_BUSY;
    if (text_is(run->reason, reason_entry(REASON_MODEL_NOT_OFFERED)->name))
        return SKIP_NO_CAPACITY;
    return SKIP_NONE;
}

static void on_asked(void *context, struct probe_result *result)
{
    struct errand *errand = letter_open(context, result);
    if (!errand)
        return;
    const struct run *run = &result->run;
    errand->question = NULL;
    errand->answered = true;
    errand->refusal = refusal_of(run);
    if (text_is(run->outcome, outcome_name(OUTCOME_OK))) {
        errand->row.idle = run->idle;
        errand->row.busy = run->busy;
    }
    probe_result_free(result);
    driver_soon(errand->driver);
}

/* Slots of the same orchestrator that runs of ours have taken since. */
static int64_t taken_by_us(const struct errand *errand)
{
    int64_t count = 0;
    for (const struct errand *at = errand->driver->errands; at; at = at->next)
        count += at != errand && at->state == RUNNING &&
                 at->began_us >= errand->began_us &&
                 text_equal(at->target->orchestrator_url,
                            errand->target->orchestrator_url);
    return count;
}

/* Whether others want what we have: no slot is idle, though one would be if
 * we alone had come since we asked. */
static bool wants_slot(const struct errand *errand, const struct run *run)
{
    const struct ledger_row *row = &errand->row;
    bool full = text_is(run->outcome, outcome_name(OUTCOME_BUSY)) ||
                (run->idle != ABSENT_INT && run->idle == 0);
    if (!full || row->idle == ABSENT_INT)
        return false;
    int64_t ours = 1 + taken_by_us(errand);
    return row->idle > ours ||
           (run->busy != ABSENT_INT && row->busy != ABSENT_INT &&
            run->busy > row->busy + ours);
}

static void on_checked(void *context, struct probe_result *result)
{
    struct errand *errand = letter_open(context, result);
    if (!errand)
        return;
    errand->question = NULL;
    errand->next_check_us =
        outside_of(errand)->now(outside_of(errand)->context).monotonic_us +
        CHECK_EVERY_US;
    if (errand->state == RUNNING && wants_slot(errand, &result->run))
        end_early(errand, LEDGER_STOPPED_BUSY);
    probe_result_free(result);
    driver_soon(errand->driver);
}

static void ask(struct errand *errand,
                void (*on_done)(void *context, struct probe_result *result))
{
    struct probe_request request = {.kind = PROBE_REACH,
                                    .url =
                                        errand->target->orchestrator_url.data,
                                    .model = errand->target->model_id.data,
                                    .on_done = on_done};
    errand->question = letter_send(errand, &request);
}

/* ---- from the driver ----------------------------------------------------- */

static struct errand *add_errand(struct driver *driver, size_t number)
{
    struct errand *errand = memory_zeroed(1, sizeof *errand);
    errand->driver = driver;
    errand->number = number;
    errand->run = &driver->open->runs[number];
    errand->target = &driver->open->plan.targets[errand->run->target];
    errand->next = driver->errands;
    driver->errands = errand;
    return errand;
}

void errand_begin(struct driver *driver, size_t number, int64_t due_us)
{
    struct errand *errand = add_errand(driver, number);
    const struct terms_workflow *workflow;
    errand->due_us = due_us;
    errand->row = books_row(driver->open, number, driver->stamp);
    workflow = terms_workflow(driver->terms, errand->target->workflow,
                              errand->target->workflow_sha256);
    if (workflow &&
        text_is(errand->target->prompts_sha256, workflow->prompts.sha256))
        errand->workflow = workflow;
    ask(errand, on_asked);
}

/* Where its end lies ahead, the clock was set back meanwhile. */
void errand_resume(struct driver *driver, const struct waiting_run *waiting)
{
    struct errand *errand = add_errand(driver, waiting->number);
    int64_t now_us =
        outside_of(errand)->now(outside_of(errand)->context).monotonic_us;
    int64_t ago = driver->stamp - waiting->row.ended_at;
    errand->row = waiting->row;
    errand->state = CONFIRMING;
    errand->doubted = ago < 0;
    errand->ended_us =
        now_us - clock_us_of(&driver->watch, errand->doubted ? 0 : ago);
    errand->controlled = errand->row.controls != ABSENT_INT;
    errand->worst = (struct control_round){
        .asked = errand->row.controls, .failed = errand->row.controls_failed};
    if (driver->controls.given)
        driver_want_controls(driver);
}

static void run_on(struct errand *errand)
{
    int64_t now_us = errand->driver->now_us;
    int64_t end_us = errand->began_us + errand->run->run_ms * US_PER_MS;
    const struct surroundings *outside = outside_of(errand);
    if (errand->cut_us && now_us >= errand->cut_us + GIVE_UP_US) {
        outside->stop(outside->context, errand->live->probe,
                      REASON_START_TIMEOUT);
    } else if (now_us >= end_us && !errand->cut_us) {
        errand->cut_us = now_us;
        errand->doubted |= now_us > end_us + STALL_US;
        outside->enough(outside->context, errand->live->probe);
    } else if (now_us >= errand->next_check_us && !errand->question) {
        ask(errand, on_checked);
    }
}

/* Its instant is there by both clocks, and the question is answered; or
 * neither is waited for any longer. */
static bool is_due(const struct errand *errand)
{
    const struct driver *driver = errand->driver;
    return driver->now_us >= errand->due_us + ASK_GRACE_US ||
           (driver->now_us >= errand->due_us &&
            driver->stamp >= errand->run->due_at && errand->answered);
}

/* When it is judged: when a round of the control targets has confirmed it or
 * does not come, and half a window of the fleet is over. */
static int64_t judged_us(const struct errand *errand)
{
    const struct driver *driver = errand->driver;
    bool waits = driver->controls.given && !errand->confirmed;
    int64_t fleet_us = fleet_wait_ms(&driver->open->plan) * US_PER_MS;
    return errand->ended_us +
           (waits && fleet_us < CONFIRM_MAX_US ? CONFIRM_MAX_US : fleet_us);
}

void errand_tick(struct errand *errand)
{
    int64_t now_us = errand->driver->now_us;
    switch (errand->state) {
    case ASKING:
        if (is_due(errand))
            decide(errand);
        break;
    case RUNNING:
        run_on(errand);
        break;
    case CONFIRMING:
        if (now_us >= judged_us(errand))
            pass_judgement(errand);
        break;
    case STARTING:
    case OVER:
        break;
    }
}

bool errand_is_over(const struct errand *errand)
{
    return errand->state == OVER;
}

bool errand_is_open(const struct errand *errand)
{
    return errand->state != CONFIRMING && errand->state != OVER;
}

struct errand **errand_link(struct errand *errand)
{
    return &errand->next;
}

void errand_free(struct errand *errand)
{
    free(errand);
}

int64_t errand_next_us(const struct errand *errand)
{
    int64_t end_us = errand->began_us + errand->run->run_ms * US_PER_MS;
    switch (errand->state) {
    case ASKING:
        return errand->driver->now_us < errand->due_us || errand->answered
                   ? errand->due_us
                   : errand->due_us + ASK_GRACE_US;
    case RUNNING:
        return errand->cut_us ? errand->cut_us + GIVE_UP_US : end_us;
    case CONFIRMING:
        return judged_us(errand);
    case STARTING:
    case OVER:
        break;
    }
    return INT64_MAX;
}

void errand_stop(struct errand *errand)
{
    if (errand->state == ASKING) {
        skip(errand, SKIP_STOPPED);
    } else if (errand->state == RUNNING) {
        errand->row.stopped_early = text_of(LEDGER_STOPPED_ENDED);
        outside_of(errand)->stop(outside_of(errand)->context,
                                 errand->live->probe, REASON_STOPPED);
    } else if (errand->state == CONFIRMING) {
        leave(errand);
    }
}

void errand_doubt(struct errand *errand)
{
    errand->doubted |= errand->state == STARTING || errand->state == RUNNING ||
                       errand->state == CONFIRMING;
}

static bool is_worse(const struct errand *errand,
                     const struct control_round *round)
{
    return !errand->controlled || round->failed * errand->worst.asked >
                                      errand->worst.failed * round->asked;
}

void errand_controls(struct errand *errand)
{
    const struct controls *controls = &errand->driver->controls;
    bool after =
        errand->state == CONFIRMING && controls->began_us >= errand->ended_us;
    if ((errand->state != RUNNING && errand->state != CONFIRMING) ||
        errand->confirmed ||
        (after && controls->began_us > errand->ended_us + CONFIRM_MAX_US))
        return;
    if (is_worse(errand, &controls->last))
        errand->worst = controls->last;
    errand->controlled = true;
    errand->confirmed = after;
}
