/*
 * plan.c: plans as JSON, see plan.h.
 */
#include "journal/plan.h"

#include "base/hex.h"
#include "journal/journal.h"

#include <string.h>

#define COUNT_OF(array) (sizeof(array) / sizeof *(array))

/* clang-format off */
static const struct field target_list[] = {
    FIELD(TEXT, plan_target, orchestrator_url),
    FIELD(TEXT, plan_target, workflow),
    FIELD(TEXT, plan_target, workflow_sha256),
    FIELD(TEXT, plan_target, model_id),
    FIELD(TEXT, plan_target, gpu_id),
    FIELD(TEXT, plan_target, prompts_sha256),
    FIELD(INT, plan_target, prompts),
    FIELD(INT, plan_target, strata),
    FIELD(TEXT, plan_target, gpu_ids),
};

static const struct field plan_list[] = {
    FIELD(TEXT, plan, vantage),
    FIELD(TEXT, plan, seed_sha256),
    FIELD(TIME, plan, starts_at),
    FIELD(TIME, plan, ends_at),
    FIELD(INT, plan, hour_ms),
    FIELD(INT, plan, run_ms),
    FIELD(INT, plan, run_spread_ms),
    FIELD(INT, plan, idle_share_ppm),
    FIELD(INT, plan, run_ms_per_hour),
    FIELD(INT, plan, runs_at_once),
    FIELD(INT, plan, run_wei),
    FIELD(INT, plan, day_wei),
    FIELD(TEXT, plan, control_targets),
    FIELD(INT, plan, control_fail_ppm),
    FIELD(INT, plan, fleet_fail_ppm),
    FIELD(INT, plan, fleet_window_ms),
};
/* clang-format on */

const struct fields plan_target_fields = FIELDS(target_list, 0);
const struct fields plan_fields = FIELDS(plan_list, 0);

/* ---- writing ------------------------------------------------------------- */

void plan_write(struct buf *out, const struct plan *plan)
{
    struct json_writer writer = {.out = out};
    fields_write_integers(&writer, plan_fields, plan);
    json_key(&writer, "targets");
    json_begin(&writer, '[');
    for (size_t i = 0; i < plan->target_count; i++) {
        json_begin(&writer, '{');
        fields_write_integers(&writer, plan_target_fields, &plan->targets[i]);
        json_end(&writer, '}');
    }
    json_end(&writer, ']');
}

void plan_hash(const struct plan *plan, uint8_t hash[SHA256_BYTES])
{
    struct buf members = {0};
    plan_write(&members, plan);
    struct text parts[] = {{"{", 1}, {members.data, members.length}, {"}", 1}};
    hash_sha256_parts(parts, COUNT_OF(parts), hash);
    buf_free(&members);
}

/* ---- checking ------------------------------------------------------------ */

struct bound {
    size_t offset;
    const char *name;
    int64_t least;
    int64_t most;
};

#define BOUND(row, member, least, most)                                        \
    {                                                                          \
        offsetof(struct row, member), #member, least, most                     \
    }

/* A year has fewer than 3.2e10 ms. */
static const struct bound plan_bounds[] = {
    BOUND(plan, starts_at, 0, INT64_C(9999999999999)),
    BOUND(plan, ends_at, 0, INT64_C(9999999999999)),
    BOUND(plan, hour_ms, 1000, 3600000),
    BOUND(plan, run_ms, 100, 3600000),
    BOUND(plan, run_spread_ms, 0, 3600000),
    BOUND(plan, idle_share_ppm, 0, 1000000),
    BOUND(plan, run_ms_per_hour, 0, INT64_C(1000000000000)),
    BOUND(plan, runs_at_once, 1, 10000),
    BOUND(plan, run_wei, 0, INT64_MAX),
    BOUND(plan, day_wei, 0, INT64_MAX),
    BOUND(plan, control_fail_ppm, 0, 1000000),
};
static const struct bound fleet_bounds[] = {
    BOUND(plan, fleet_fail_ppm, 0, 1000000),
    BOUND(plan, fleet_window_ms, 0, 3600000),
};
static const struct bound target_bounds[] = {
    BOUND(plan_target, prompts, 1, 1000000),
    BOUND(plan_target, strata, 0, PLAN_RUNS_MAX),
};

static enum err check_bounds(const struct bound *bounds, size_t count,
                             const void *row)
{
    for (size_t i = 0; i < count; i++) {
        int64_t value;
        memcpy(&value, (const char *)row + bounds[i].offset, sizeof value);
        if (value == ABSENT_INT)
            return err_set(ERR_INPUT, "it has no %s", bounds[i].name);
        if (value < bounds[i].least || value > bounds[i].most)
            return err_set(ERR_INPUT, "%s is %lld; it goes from %lld to %lld",
                           bounds[i].name, (long long)value,
                           (long long)bounds[i].least,
                           (long long)bounds[i].most);
    }
    return ERR_NONE;
}

static enum err check_target(const struct plan_target *target)
{
    if (!target->orchestrator_url.length || !target->workflow.length)
        return err_set(ERR_INPUT, "it names no orchestrator_url or workflow");
    return check_bounds(target_bounds, COUNT_OF(target_bounds), target);
}

/* Plans from before the rule have neither of its two. */
static enum err check_fleet(const struct plan *plan)
{
    if (plan->fleet_fail_ppm == ABSENT_INT &&
        plan->fleet_window_ms == ABSENT_INT)
        return ERR_NONE;
    return check_bounds(fleet_bounds, COUNT_OF(fleet_bounds), plan);
}

enum err plan_check(const struct plan *plan)
{
    enum err err = check_bounds(plan_bounds, COUNT_OF(plan_bounds), plan);
    if (!err)
        err = check_fleet(plan);
    if (err)
        return err;
    uint8_t hash[SHA256_BYTES];
    if (!plan->seed_sha256.data ||
        !hex_decode(plan->seed_sha256, hash, sizeof hash))
        return err_set(ERR_INPUT, "seed_sha256 is not 64 hexadecimal digits");
    if (plan->starts_at >= plan->ends_at)
        return err_set(ERR_INPUT, "it ends before it starts");
    if (plan->run_spread_ms >= plan->run_ms)
        return err_set(ERR_INPUT, "run_spread_ms must be less than run_ms");
    for (size_t i = 0; i < plan->target_count; i++) {
        err = check_target(&plan->targets[i]);
        if (err)
            return err_wrap(err, "target %zu", i + 1);
    }
    if (plan_run_count(plan) > PLAN_RUNS_MAX)
        return err_set(ERR_INPUT, "it has more than %d runs", PLAN_RUNS_MAX);
    return ERR_NONE;
}

int64_t plan_run_count(const struct plan *plan)
{
    int64_t runs = 0;
    for (size_t i = 0; i < plan->target_count; i++)
        runs += plan->targets[i].strata;
    return runs;
}

/* ---- reading ------------------------------------------------------------- */

static enum err read_targets(struct arena *arena, struct yyjson_val *array,
                             struct plan *plan)
{
    if (!json_is_array(array) || json_count(array) > PLAN_TARGETS_MAX)
        return err_set(ERR_INPUT, "targets is no array of at most %d",
                       PLAN_TARGETS_MAX);
    plan->targets =
        arena_array(arena, json_count(array), sizeof *plan->targets);
    struct json_iterator iterator = json_iterate(array);
    while (iterator.left) {
        struct yyjson_val *value = json_next(&iterator, NULL);
        struct plan_target *target = &plan->targets[plan->target_count++];
        enum err err =
            json_is_object(value)
                ? fields_read_integers(arena, value, plan_target_fields, target)
                : err_set(ERR_INPUT, "it is no object");
        if (err)
            return err_wrap(err, "target %zu", plan->target_count);
    }
    return ERR_NONE;
}

enum err plan_read(struct arena *arena, struct yyjson_val *data,
                   struct plan *plan)
{
    *plan = (struct plan){.targets = NULL};
    if (!json_is_object(data))
        return err_set(ERR_INPUT, "a plan is a JSON object");
    enum err err = fields_read_integers(arena, data, plan_fields, plan);
    if (!err)
        err = read_targets(arena, json_get(data, "targets"), plan);
    return err ? err : plan_check(plan);
}
