#include "sched/world.h"

#include "base/log.h"
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    ASK_US = 50000,
    DOWN_US = 5000000,
    STORE_US = 3000,
    DISCOVER_US = 200000,
    CONTROLS_US = 100000,
    STARTUP_US = 800000,
    PROGRESS_US = 1000000,
    CLOSE_US = 10000,
    TICK_US = 250000,
    DOUBT_US = 30000000
};

enum event_kind { EVENT_PROBE, EVENT_STORE, EVENT_FOUND, EVENT_CONTROLS };

struct world_event {
    struct world_event *next;
    int64_t due_us;
    enum event_kind kind;
    struct store_work *work;
    enum err err;
    char sentence[256];
    /* A probe: */
    struct world *world;
    struct probe_request request;
    struct simulated *at; /* null: nobody there */
    bool holds;           /* a slot */
    int64_t began_us;
    int64_t end_us; /* when it ends by itself */
    uint64_t frames;
    enum reason reason; /* that it ends with */
};

/* ---- chance -------------------------------------------------------------- */

/* SplitMix64. */
uint64_t world_drawn(struct world *world)
{
    uint64_t z = (world->chance += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* ---- events -------------------------------------------------------------- */

static void put(struct world *world, struct world_event *event, int64_t due_us)
{
    struct world_event **at = &world->events;
    while (*at && (*at)->due_us <= due_us)
        at = &(*at)->next;
    event->due_us = due_us;
    event->next = *at;
    *at = event;
}

static void move(struct world *world, struct world_event *event, int64_t due_us)
{
    struct world_event **at = &world->events;
    while (*at != event)
        at = &(*at)->next;
    *at = event->next;
    put(world, event, due_us);
}

static struct world_event *after(struct world *world, enum event_kind kind,
                                 int64_t us)
{
    struct world_event *event = memory_zeroed(1, sizeof *event);
    event->kind = kind;
    event->world = world;
    put(world, event, world->monotonic_us + us);
    return event;
}

/* ---- surroundings -------------------------------------------------------- */

static struct instant now(void *context)
{
    const struct world *world = context;
    return (struct instant){world->wall_ms, world->monotonic_us};
}

static void wake_at(void *context, int64_t monotonic_us)
{
    struct world *world = context;
    world->wake_us = monotonic_us;
}

static void with_store(void *context, struct store_work *work)
{
    struct world *world = context;
    struct world_event *event = after(world, EVENT_STORE, STORE_US);
    event->work = work;
    world->writes++;
    event->err = world->disk_full ? err_set(ERR_FULL, "no space is left")
                                  : work->run(work->context, world->store);
    if (event->err)
        snprintf(event->sentence, sizeof event->sentence, "%s", err_message());
    if (world->writes == world->dies_at_write)
        world->dies(world);
}

static void discover(void *context)
{
    (void)after(context, EVENT_FOUND, DISCOVER_US);
}

static void ask_controls(void *context)
{
    (void)after(context, EVENT_CONTROLS, CONTROLS_US);
}

static struct simulated *find(struct world *world, const char *url)
{
    for (size_t i = 0; i < world->count; i++)
        if (!strcmp(world->list[i].url, url))
            return &world->list[i];
    return NULL;
}

static int idle_of(const struct simulated *one)
{
    int idle = one->slots - one->users - one->ours;
    return idle > 0 ? idle : 0;
}

static void take_slot(struct world *world, struct world_event *event)
{
    struct simulated *one = event->at;
    event->holds = true;
    world->begun_in_doubt +=
        world->set_us && world->monotonic_us - world->set_us < DOUBT_US;
    one->live_runs++;
    if (++one->ours > one->most_ours)
        one->most_ours = one->ours;
    if (++world->running > world->most_running)
        world->most_running = world->running;
}

static void begin_live(struct world *world, struct world_event *event)
{
    if (!event->at || event->at->down) {
        event->reason = REASON_CONNECT_TIMEOUT;
        event->end_us = event->began_us + DOWN_US;
    } else if (!idle_of(event->at)) {
        event->reason = REASON_INSUFFICIENT_CAPACITY;
        event->end_us = event->began_us + ASK_US;
    } else {
        int64_t slow_us = (int64_t)event->at->slow_ms * 1000;
        take_slot(world, event);
        event->reason = event->at->fails ? REASON_NO_OUTPUT : REASON_NONE;
        event->end_us = event->began_us + STARTUP_US + slow_us +
                        (event->at->fails ? event->request.patience_us
                                          : event->request.measure_us);
    }
    move(world, event,
         event->began_us + PROGRESS_US < event->end_us
             ? event->began_us + PROGRESS_US
             : event->end_us);
}

static struct probe *begin_probe(void *context,
                                 const struct probe_request *request)
{
    struct world *world = context;
    struct world_event *event = after(world, EVENT_PROBE, ASK_US);
    event->request = *request;
    event->at = find(world, request->url);
    event->began_us = world->monotonic_us;
    event->end_us = event->due_us;
    if (request->kind == PROBE_LIVE) {
        begin_live(world, event);
    } else if (!event->at || event->at->down) {
        event->reason = REASON_CONNECT_TIMEOUT;
        event->end_us = event->began_us + DOWN_US;
        move(world, event, event->end_us);
    }
    return (struct probe *)(void *)event;
}

static void end_at(struct world_event *event, int64_t us)
{
    struct world *world = event->world;
    event->end_us = world->monotonic_us + us;
    move(world, event, event->end_us);
}

static void stop_probe(void *context, struct probe *probe, enum reason reason)
{
    struct world_event *event = (struct world_event *)(void *)probe;
    (void)context;
    if (event->reason != REASON_STOPPED)
        event->reason = reason;
    end_at(event, CLOSE_US);
}

static void end_probe(void *context, struct probe *probe)
{
    struct world_event *event = (struct world_event *)(void *)probe;
    (void)context;
    if (event->holds && !event->frames && !event->reason)
        event->reason = REASON_NO_OUTPUT;
    if (event->end_us > event->world->monotonic_us + TICK_US)
        end_at(event, TICK_US);
}

/* ---- what happens -------------------------------------------------------- */

static struct text copy(struct arena *arena, const char *text)
{
    return text ? text_of(arena_text(arena, text, strlen(text)))
                : (struct text){0};
}

static void set_figures(struct world *world, const struct world_event *event,
                        struct run *run)
{
    const struct simulated *one = event->at;
    if (one && !one->down) {
        run->idle = idle_of(one);
        run->busy = one->users + one->ours;
    }
    if (event->request.kind != PROBE_LIVE || event->reason)
        return;
    run->startup_ms = 300;
    run->ptff_ms = 700 + (double)(world_drawn(world) % 100);
    run->output_fps = 23 + (double)(world_drawn(world) % 100) / 100;
}

static void end_one(struct world *world, struct world_event *event)
{
    struct probe_result *result = memory_zeroed(1, sizeof *result);
    const struct probe_request *request = &event->request;
    struct arena *arena = &result->arena;
    struct run *run = &result->run;
    *run = run_empty();
    run->run_id = copy(arena, "to be replaced");
    run->kind =
        text_of(request->kind == PROBE_LIVE ? RUN_KIND_LIVE : RUN_KIND_REACH);
    run->orchestrator_url = copy(arena, request->url);
    run->model_id = copy(arena, request->model);
    run->workflow = copy(arena, request->workflow);
    run->prompt_id = copy(arena, request->prompt_id);
    run->plan_hash = copy(arena, request->plan_hash);
    run->vantage = text_of("here");
    run->started_at = world->wall_ms;
    set_figures(world, event, run);
    run_conclude(run, event->reason);
    if (event->holds) {
        event->at->ours--;
        world->running--;
    }
    request->on_done(request->context, result);
    free(event);
}

static void step_probe(struct world *world, struct world_event *event)
{
    const struct probe_request *request = &event->request;
    if (world->monotonic_us >= event->end_us) {
        end_one(world, event);
        return;
    }
    int64_t next_us = world->monotonic_us + PROGRESS_US;
    put(world, event, next_us < event->end_us ? next_us : event->end_us);
    if (!event->at->fails && world->monotonic_us - event->began_us >
                                 (int64_t)event->at->slow_ms * 1000)
        event->frames += 24 + (world->steady ? 0 : world_drawn(world) % 5);
    const struct probe_progress progress = {.phase = "frames",
                                            .elapsed_us = world->monotonic_us -
                                                          event->began_us,
                                            .frames_out = event->frames};
    request->on_progress(request->context, &progress);
}

static void tell_found(struct world *world)
{
    struct discovery found = {0};
    struct discovered list[WORLD_ORCHESTRATORS_MAX];
    struct discovered_model models[WORLD_ORCHESTRATORS_MAX];
    struct text gpus[WORLD_ORCHESTRATORS_MAX];
    memset(list, 0, sizeof list);
    for (size_t i = 0; i < world->count; i++) {
        gpus[i] = text_of(world->list[i].gpu);
        models[i] = (struct discovered_model){
            .pipeline = text_of("live-video-to-video"),
            .model_id = text_of("noop"),
            .idle = idle_of(&world->list[i]),
            .busy = world->list[i].users,
            .gpu_ids = &gpus[i],
            .gpu_count = gpus[i].length ? 1 : 0};
        list[i].url = text_of(world->list[i].url);
        list[i].models = &models[i];
        list[i].model_count = 1;
    }
    found.orchestrators = list;
    found.count = world->count;
    driver_found(world->driver, &found);
}

static void happen(struct world *world, struct world_event *event)
{
    struct control_round round = {.asked = 3};
    switch (event->kind) {
    case EVENT_PROBE:
        step_probe(world, event);
        return;
    case EVENT_STORE:
        event->work->done(event->work, event->err, event->sentence);
        break;
    case EVENT_FOUND:
        tell_found(world);
        break;
    case EVENT_CONTROLS:
        round.failed = world->controls_fail ? 2 : 1;
        round.offset_known = !world->offset_contradicted;
        round.offset_contradicted = world->offset_contradicted;
        round.offset_low_ms = world->offset_ms - 10;
        round.offset_high_ms = world->offset_ms + 10;
        driver_controls(world->driver, &round);
        break;
    }
    free(event);
}

/* ---- time ---------------------------------------------------------------- */

static void pass_to(struct world *world, int64_t monotonic_us)
{
    if (monotonic_us <= world->monotonic_us)
        return;
    world->wall_us += monotonic_us - world->monotonic_us;
    world->wall_ms = world->wall_us / 1000;
    world->monotonic_us = monotonic_us;
}

static bool step(struct world *world, int64_t until_us)
{
    int64_t event_us = world->events ? world->events->due_us : INT64_MAX;
    int64_t next_us = event_us < world->wake_us ? event_us : world->wake_us;
    if (world->minute && world->next_minute_us < next_us)
        next_us = world->next_minute_us;
    if (next_us > until_us || world->stopped)
        return false;
    pass_to(world, next_us);
    if (world->minute && next_us == world->next_minute_us) {
        world->next_minute_us += 60 * INT64_C(1000000);
        world->minute(world);
    } else if (event_us <= world->wake_us) {
        struct world_event *event = world->events;
        world->events = event->next;
        happen(world, event);
    } else {
        world->wake_us = INT64_MAX;
        world->ticks++;
        driver_tick(world->driver);
    }
    return true;
}

void world_run(struct world *world, int64_t ms)
{
    int64_t until_us = world->monotonic_us + ms * 1000;
    while (step(world, until_us)) {
    }
    if (!world->stopped)
        pass_to(world, until_us);
}

void world_stall(struct world *world, int64_t ms)
{
    pass_to(world, world->monotonic_us + ms * 1000);
}

void world_set_clock(struct world *world, int64_t ms)
{
    world->set_us = world->monotonic_us;
    world->wall_us += ms * 1000;
    world->wall_ms = world->wall_us / 1000;
}

/* ---- the whole ----------------------------------------------------------- */

void world_open(struct world *world, size_t count)
{
    static struct terms_workflow workflow;
    log_setup(LOG_ERROR, false);
    *world = (struct world){.chance = 1, .count = count};
    world->wall_ms = WORLD_START_HOURS * (int64_t)MS_PER_HOUR;
    world->wall_us = world->wall_ms * 1000;
    world->monotonic_us = 5000000;
    REQUIRE_OK(workflow_find(&world->arena, "noop", &workflow.workflow));
    REQUIRE_OK(prompts_find(&world->arena, workflow.workflow.prompts,
                            &workflow.prompts));
    for (size_t i = 0; i < count; i++) {
        snprintf(world->list[i].url, sizeof world->list[i].url,
                 "https://o%zu.example:8935", i);
        snprintf(world->list[i].gpu, sizeof world->list[i].gpu, "GPU-%zu", i);
        world->list[i].slots = 2;
    }
    world->terms = (struct terms){.vantage = "here",
                                  .hour_ms = MS_PER_HOUR,
                                  .span_ms = MS_PER_DAY,
                                  .run_ms = 20000,
                                  .run_spread_ms = 2000,
                                  .idle_share_ppm = 50000,
                                  .runs_per_hour = 1,
                                  .run_ms_per_hour = 1800000,
                                  .runs_at_once = 6,
                                  .control_targets = "https://c.example/",
                                  .control_fail_ppm = 500000,
                                  .fleet_fail_ppm = 500000,
                                  .fleet_window_ms = 60000,
                                  .workflows = &workflow,
                                  .workflow_count = 1};
    world->surroundings = (struct surroundings){.context = world,
                                                .now = now,
                                                .wake_at = wake_at,
                                                .with_store = with_store,
                                                .discover = discover,
                                                .ask_controls = ask_controls,
                                                .probe = begin_probe,
                                                .stop = stop_probe,
                                                .enough = end_probe};
}

void world_start(struct world *world)
{
    REQUIRE_OK(store_open(&world->store, test_path("store"), STORE_WRITE));
    world->stopped = false;
    world->wake_us = INT64_MAX;
    world->next_minute_us = world->monotonic_us + 60 * INT64_C(1000000);
    world->driver = driver_new(&world->terms, &world->surroundings);
    driver_tick(world->driver);
}

static void on_stopped(void *context)
{
    struct world *world = context;
    world->stopped = true;
}

void world_stop(struct world *world)
{
    driver_stop(world->driver, on_stopped, world);
    world_run(world, 60 * MS_PER_SECOND);
    REQUIRE(world->stopped);
    REQUIRE(!world->events);
    driver_free(world->driver);
    store_close(world->store);
    world->driver = NULL;
}

void world_close(struct world *world)
{
    arena_free(&world->arena);
}

static int64_t count_rows(struct world *world, enum query_id id,
                          struct fields fields, const char *column,
                          const char *value)
{
    union {
        struct run run;
        struct ledger_row ledger;
    } row;
    int64_t count = 0;
    bool found;
    struct query *query = query_start(world->store, id);
    query_bind_int(query, 1, INT64_MIN);
    query_bind_int(query, 2, INT64_MAX);
    REQUIRE_OK(query_step(query, &found));
    while (found) {
        fields_borrow(query, fields, &row);
        for (size_t i = 0; i < fields.count; i++)
            if (!strcmp(fields.list[i].name, column))
                count +=
                    !value || text_is(field_text(&fields.list[i], &row), value);
        REQUIRE_OK(query_step(query, &found));
    }
    return count;
}

int64_t world_rows(struct world *world, const char *column, const char *value)
{
    return count_rows(world, QUERY_LEDGER_EXPORT, ledger_fields, column, value);
}

int64_t world_runs(struct world *world, const char *outcome)
{
    return count_rows(world, QUERY_JOURNAL_RUN_EXPORT, run_fields, "outcome",
                      outcome);
}

int world_begun_in_doubt(const struct world *world)
{
    return world->begun_in_doubt;
}

void world_forget_store(void)
{
    static const char *const names[] = {"assay.db", "assay.db-wal",
                                        "assay.db-shm"};
    char path[256];
    for (size_t i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s/%s", test_path("store"), names[i]);
        unlink(path);
    }
}
