/*
 * planner.c: see planner.h.
 *
 * Runs of an hour are as many as chance puts into it. Their number in all is
 * kept to three quarters of what the hours allow, so that few have to be
 * skipped because an hour got more than its share.
 */
#include "sched/planner.h"

#include "base/clock.h"

#include <stdlib.h>
#include <string.h>

enum { PLANNED_SHARE_PERCENT = 75 };

/* ---- evidence ------------------------------------------------------------ */

void evidence_counts_add(struct evidence_counts *evidence, struct text key,
                         int64_t count)
{
    bool added;
    size_t number = text_index_add(&evidence->keys, key, &added);
    if (number >= evidence->capacity) {
        evidence->capacity = 2 * number + 64;
        evidence->counts = memory_resize(
            evidence->counts, evidence->capacity * sizeof *evidence->counts);
    }
    evidence->counts[number] = (added ? 0 : evidence->counts[number]) + count;
}

void evidence_counts_free(struct evidence_counts *evidence)
{
    text_index_free(&evidence->keys);
    free(evidence->counts);
    *evidence = (struct evidence_counts){.counts = NULL};
}

static int64_t evidence_of(const struct evidence_counts *evidence,
                           const struct plan_target *target)
{
    struct buf key = {0};
    ptrdiff_t number =
        text_index_find(&evidence->keys, planned_key(&key, target, 0));
    buf_free(&key);
    return number < 0 ? 0 : evidence->counts[number];
}

/* ---- targets ------------------------------------------------------------- */

struct drafting {
    struct arena *arena;
    const struct terms *terms;
    const struct evidence_counts *evidence;
    struct plan *plan;
    struct plan_demand *demands;
};

static const struct discovered_model *
offered(const struct discovered *orchestrator, const struct workflow *workflow)
{
    for (size_t i = 0; i < orchestrator->model_count; i++) {
        const struct discovered_model *model = &orchestrator->models[i];
        if (text_is(model->pipeline, workflow->pipeline) &&
            text_is(model->model_id, workflow->model))
            return model;
    }
    return NULL;
}

/* How many share the capacity of that model. */
static int64_t workflows_of(const struct terms *terms, const char *model)
{
    int64_t count = 0;
    for (size_t i = 0; i < terms->workflow_count; i++)
        count += !strcmp(terms->workflows[i].workflow.model, model);
    return count;
}

/* Cards that a model's runs spread over; no more than it says to have places,
 * so that a claim of cards alone is no way to more runs. */
static int64_t count_cards(const struct discovered_model *model)
{
    int64_t cards = model ? (int64_t)model->gpu_count : 0;
    bool told = model && model->idle != ABSENT_INT && model->busy != ABSENT_INT;
    int64_t places = told ? model->idle + model->busy : 1;
    if (cards > places)
        cards = places;
    return cards > 1 ? cards : 1;
}

static int64_t runs_allowed(const struct drafting *drafting,
                            const struct terms_workflow *one,
                            const struct discovered_model *model)
{
    const struct plan *plan = drafting->plan;
    /* Slots that are taken now may be idle later; each run asks again. */
    bool some = model && model->idle != ABSENT_INT && model->idle > 1;
    int64_t sharing = workflows_of(drafting->terms, one->workflow.model);
    int64_t budget =
        (plan_runs_within_budget(plan, some ? model->idle : 1) + sharing - 1) /
        sharing;
    int64_t span_ms = plan->ends_at - plan->starts_at;
    int64_t hours = (span_ms + MS_PER_HOUR - 1) / MS_PER_HOUR;
    int64_t most = drafting->terms->runs_per_hour * hours * count_cards(model);
    return budget < most ? budget : most;
}

static struct text join_cards(struct arena *arena,
                              const struct discovered_model *model)
{
    struct buf joined = {0};
    struct text cards = {0};
    for (size_t i = 0; i < model->gpu_count; i++) {
        if (i)
            buf_add_byte(&joined, ',');
        buf_add(&joined, model->gpu_ids[i].data, model->gpu_ids[i].length);
    }
    if (joined.length)
        cards = text_of(arena_text(arena, joined.data, joined.length));
    buf_free(&joined);
    return cards;
}

static void add_target(struct drafting *drafting,
                       const struct discovered *orchestrator,
                       const struct terms_workflow *one,
                       const struct discovered_model *model)
{
    struct plan *plan = drafting->plan;
    struct plan_target *target = &plan->targets[plan->target_count];
    struct plan_demand *demand = &drafting->demands[plan->target_count];
    const struct workflow *workflow = &one->workflow;
    fields_clear(plan_target_fields, target);
    target->orchestrator_url = orchestrator->url;
    target->workflow = text_of(workflow->name);
    target->workflow_sha256 = text_of(workflow->sha256);
    target->model_id = text_of(workflow->model);
    if (model && model->gpu_count == 1)
        target->gpu_id = model->gpu_ids[0];
    if (model)
        target->gpu_ids = join_cards(drafting->arena, model);
    target->prompts_sha256 = text_of(one->prompts.sha256);
    target->prompts = (int64_t)one->prompts.count;
    target->strata = 0;
    fields_copy(drafting->arena, plan_target_fields, target);
    demand->evidence = evidence_of(drafting->evidence, target);
    demand->most = runs_allowed(drafting, one, model);
    demand->cards = count_cards(model);
    plan->target_count++;
}

static void add_targets(struct drafting *drafting,
                        const struct discovery *found)
{
    const struct terms *terms = drafting->terms;
    for (size_t i = 0; i < found->count; i++)
        for (size_t j = 0; j < terms->workflow_count; j++) {
            const struct discovered *one = &found->orchestrators[i];
            const struct discovered_model *model =
                offered(one, &terms->workflows[j].workflow);
            if (drafting->plan->target_count == PLAN_TARGETS_MAX)
                return;
            if (model || !one->model_count)
                add_target(drafting, one, &terms->workflows[j], model);
        }
}

static void allot(struct drafting *drafting)
{
    struct plan *plan = drafting->plan;
    __int128 span = plan->ends_at - plan->starts_at;
    int64_t total = (int64_t)(span * plan->run_ms_per_hour / MS_PER_HOUR *
                              PLANNED_SHARE_PERCENT / 100 / plan->run_ms);
    int64_t *strata =
        arena_array(drafting->arena, plan->target_count, sizeof *strata);
    if (total > PLAN_RUNS_MAX)
        total = PLAN_RUNS_MAX;
    if (total < 1)
        total = 1;
    plan_allot(drafting->demands, plan->target_count, total, strata);
    size_t kept = 0;
    for (size_t i = 0; i < plan->target_count; i++) {
        if (!strata[i])
            continue;
        plan->targets[kept] = plan->targets[i];
        plan->targets[kept++].strata = strata[i];
    }
    plan->target_count = kept;
}

/* ---- the plan ------------------------------------------------------------ */

static struct text kept_text(struct arena *arena, const char *text)
{
    struct text given = text_of(text);
    return *text ? text_of(arena_text(arena, given.data, given.length))
                 : (struct text){0};
}

static struct text hash_of_seed(struct arena *arena,
                                const uint8_t seed[PLAN_SEED_BYTES])
{
    uint8_t hash[SHA256_BYTES];
    char *hex = arena_alloc(arena, 2 * SHA256_BYTES + 1);
    hash_sha256(seed, PLAN_SEED_BYTES, hash);
    hash_hex(hash, sizeof hash, hex);
    return text_of(hex);
}

static int64_t span_end(const struct terms *terms, int64_t now)
{
    int64_t day = clock_day_start(now);
    return day + ((now - day) / terms->span_ms + 1) * terms->span_ms;
}

void plan_make(struct arena *arena, const struct terms *terms,
               const struct discovery *found,
               const struct evidence_counts *evidence, int64_t starts_at,
               const uint8_t seed[PLAN_SEED_BYTES], struct plan *plan)
{
    size_t most = found->count * terms->workflow_count;
    if (most > PLAN_TARGETS_MAX)
        most = PLAN_TARGETS_MAX;
    *plan = (struct plan){
        .vantage = kept_text(arena, terms->vantage),
        .seed_sha256 = hash_of_seed(arena, seed),
        .starts_at = starts_at,
        .ends_at = span_end(terms, starts_at),
        .hour_ms = terms->hour_ms,
        .run_ms = terms->run_ms,
        .run_spread_ms = terms->run_spread_ms,
        .idle_share_ppm = terms->idle_share_ppm,
        .run_ms_per_hour = terms->run_ms_per_hour,
        .runs_at_once = terms->runs_at_once,
        .run_wei = terms->run_wei,
        .day_wei = terms->day_wei,
        .control_targets = kept_text(arena, terms->control_targets),
        .control_fail_ppm = terms->control_fail_ppm,
        .fleet_fail_ppm = terms->fleet_fail_ppm,
        .fleet_window_ms = terms->fleet_window_ms,
        .targets = arena_array(arena, most, sizeof *plan->targets)};
    struct drafting drafting = {
        arena, terms, evidence, plan,
        arena_array(arena, most, sizeof(struct plan_demand))};
    add_targets(&drafting, found);
    allot(&drafting);
}
