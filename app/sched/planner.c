/*
 * planner.c: see planner.h.
 *
 * Runs of an hour are as many as chance puts into it. Their number in all is
 * kept to three quarters of what the hours allow, so that few have to be
 * skipped because an hour got more than its share.
 *
 * A plan is one line of evidence, which has an end, and strangers say how many
 * orchestrators there are and how long their names: targets are added, those of
 * whom least is known first, until the plan is full. Among equals a hash over
 * the plan's promise decides, so that no place in anybody's list is better than
 * another and nobody is left out twice for the same reason.
 */
#include "sched/planner.h"

#include "base/clock.h"

#include <stdlib.h>
#include <string.h>

enum { PLANNED_SHARE_PERCENT = 75 };

/* ---- evidence ------------------------------------------------------------ */

void evidence_counts_add(struct evidence_counts *evidence, struct text key,
                         int64_t runs, bool offers)
{
    bool added;
    size_t number = text_index_add(&evidence->keys, key, &added);
    if (number >= evidence->capacity) {
        evidence->capacity = 2 * number + 64;
        evidence->list = memory_resize(
            evidence->list, evidence->capacity * sizeof *evidence->list);
    }
    struct evidence_count *of = &evidence->list[number];
    if (added)
        *of = (struct evidence_count){0, false};
    of->runs += runs;
    of->offers |= offers;
}

void evidence_counts_free(struct evidence_counts *evidence)
{
    text_index_free(&evidence->keys);
    free(evidence->list);
    *evidence = (struct evidence_counts){.list = NULL};
}

/* ---- candidates ---------------------------------------------------------- */

/* What could be a target. */
struct candidate {
    const struct discovered *orchestrator;
    const struct terms_workflow *workflow;
    const struct discovered_model *model; /* null: nobody told */
    struct evidence_count evidence;
    int64_t cards;
    uint64_t turn; /* among equals, another one in every plan */
    bool only_tried;
};

struct drafting {
    struct arena *arena;
    const struct terms *terms;
    const struct evidence_counts *evidence;
    struct plan *plan;
    struct plan_demand *demands;
    struct candidate *candidates;
    size_t count;
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
                            const struct candidate *candidate)
{
    const struct plan *plan = drafting->plan;
    const struct discovered_model *model = candidate->model;
    /* Slots that are taken now may be idle later; each run asks again. */
    bool some = model && model->idle != ABSENT_INT && model->idle > 1;
    int64_t sharing =
        workflows_of(drafting->terms, candidate->workflow->workflow.model);
    int64_t budget =
        (plan_runs_within_budget(plan, some ? model->idle : 1) + sharing - 1) /
        sharing;
    int64_t span_ms = plan->ends_at - plan->starts_at;
    int64_t hours = (span_ms + MS_PER_HOUR - 1) / MS_PER_HOUR;
    int64_t most = candidate->only_tried ? 1
                                         : drafting->terms->runs_per_hour *
                                               hours * candidate->cards;
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

/* The target of CANDIDATE but for its cards; texts are borrowed. */
static void begin_target(const struct candidate *candidate,
                         struct plan_target *target)
{
    const struct workflow *workflow = &candidate->workflow->workflow;
    const struct discovered_model *model = candidate->model;
    fields_clear(plan_target_fields, target);
    target->orchestrator_url = candidate->orchestrator->url;
    target->workflow = text_of(workflow->name);
    target->workflow_sha256 = text_of(workflow->sha256);
    target->model_id = text_of(workflow->model);
    if (model && model->gpu_count == 1)
        target->gpu_id = model->gpu_ids[0];
    target->prompts_sha256 = text_of(candidate->workflow->prompts.sha256);
    target->prompts = (int64_t)candidate->workflow->prompts.count;
    target->strata = 0;
}

/* Whoever has the plan can derive the turns again. */
static uint64_t turn_of(const struct plan *plan, struct text key)
{
    uint64_t turn;
    uint8_t hash[SHA256_BYTES];
    struct text parts[] = {plan->seed_sha256, key};
    hash_sha256_parts(parts, 2, hash);
    memcpy(&turn, hash, sizeof turn);
    return turn;
}

static void add_candidate(struct drafting *drafting, struct candidate candidate,
                          bool somebody_told)
{
    struct plan_target target;
    struct buf buf = {0};
    begin_target(&candidate, &target);
    struct text key = planned_key(&buf, &target, 0);
    ptrdiff_t number = text_index_find(&drafting->evidence->keys, key);
    if (number >= 0)
        candidate.evidence = drafting->evidence->list[number];
    candidate.cards = count_cards(candidate.model);
    candidate.turn = turn_of(drafting->plan, key);
    candidate.only_tried =
        !candidate.model && !candidate.evidence.offers && somebody_told;
    drafting->candidates[drafting->count++] = candidate;
    buf_free(&buf);
}

static void add_candidates(struct drafting *drafting,
                           const struct discovery *found,
                           const struct terms_workflow *workflow)
{
    bool told = false;
    for (size_t i = 0; i < found->count && !told; i++)
        told = offered(&found->orchestrators[i], &workflow->workflow);
    for (size_t i = 0; i < found->count; i++) {
        struct candidate candidate = {
            .orchestrator = &found->orchestrators[i],
            .workflow = workflow,
            .model = offered(&found->orchestrators[i], &workflow->workflow)};
        if (candidate.model || !candidate.orchestrator->model_count)
            add_candidate(drafting, candidate, told);
    }
}

static int compare_candidates(const void *left, const void *right)
{
    const struct candidate *a = left;
    const struct candidate *b = right;
    __int128 has_a = (__int128)a->evidence.runs * b->cards;
    __int128 has_b = (__int128)b->evidence.runs * a->cards;
    if (has_a != has_b)
        return has_a < has_b ? -1 : 1;
    return (a->turn > b->turn) - (a->turn < b->turn);
}

/* ---- targets ------------------------------------------------------------- */

/* Of TARGET in the plan's line, its strata counted at their longest. */
static size_t bytes_of(const struct plan_target *target)
{
    enum { FRAME_BYTES = 16 };
    struct buf out = {0};
    struct json_writer writer = {.out = &out};
    json_begin(&writer, '{');
    fields_write_integers(&writer, plan_target_fields, target);
    json_end(&writer, '}');
    size_t bytes = out.length + FRAME_BYTES;
    buf_free(&out);
    return bytes;
}

static void add_target(struct drafting *drafting,
                       const struct candidate *candidate, size_t *bytes)
{
    struct plan *plan = drafting->plan;
    struct plan_target *target = &plan->targets[plan->target_count];
    struct plan_demand *demand = &drafting->demands[plan->target_count];
    begin_target(candidate, target);
    if (candidate->model)
        target->gpu_ids = join_cards(drafting->arena, candidate->model);
    size_t with_it = *bytes + bytes_of(target);
    if (with_it > PLAN_TARGETS_BYTES_MAX)
        return;
    *bytes = with_it;
    fields_copy(drafting->arena, plan_target_fields, target);
    demand->evidence = candidate->evidence.runs;
    demand->most = runs_allowed(drafting, candidate);
    demand->cards = candidate->cards;
    plan->target_count++;
}

/* Those of whom least is known, as far as a plan has room; how many it has no
 * room for is returned. */
static size_t add_targets(struct drafting *drafting,
                          const struct discovery *found)
{
    const struct terms *terms = drafting->terms;
    struct plan *plan = drafting->plan;
    size_t bytes = 0;
    for (size_t i = 0; i < terms->workflow_count; i++)
        add_candidates(drafting, found, &terms->workflows[i]);
    if (drafting->count)
        qsort(drafting->candidates, drafting->count,
              sizeof *drafting->candidates, compare_candidates);
    for (size_t i = 0;
         i < drafting->count && plan->target_count < PLAN_TARGETS_MAX; i++)
        add_target(drafting, &drafting->candidates[i], &bytes);
    return drafting->count - plan->target_count;
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

size_t plan_make(struct arena *arena, const struct terms *terms,
                 const struct discovery *found,
                 const struct evidence_counts *evidence, int64_t starts_at,
                 const uint8_t seed[PLAN_SEED_BYTES], struct plan *plan)
{
    size_t all = found->count * terms->workflow_count;
    size_t most = all < PLAN_TARGETS_MAX ? all : PLAN_TARGETS_MAX;
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
        .arena = arena,
        .terms = terms,
        .evidence = evidence,
        .plan = plan,
        .demands = arena_array(arena, most, sizeof(struct plan_demand)),
        .candidates = memory_alloc((all + 1) * sizeof(struct candidate))};
    size_t left_out = add_targets(&drafting, found);
    free(drafting.candidates);
    allot(&drafting);
    return left_out;
}
