/*
 * run_group.c: see run_group.h. Sums of doubles are exact, so that the order of
 * runs changes nothing.
 */
#include "rollup/run_group.h"

#include "base/index.h"
#include "stats/stats.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define COUNT_OF(array) (sizeof(array) / sizeof *(array))

/* clang-format off */
static const struct field group_list[] = {
    FIELD(TEXT, run_group, vantage),
    FIELD(TEXT, run_group, orchestrator_address),
    FIELD(TEXT, run_group, orchestrator_url),
    FIELD(TEXT, run_group, workflow),
    FIELD(TEXT, run_group, pipeline_id),
    FIELD(TEXT, run_group, model_id),
    FIELD(TEXT, run_group, gpu_id),
    FIELD(INT, run_group, cold),
    FIELD(INT, run_group, runs),
    FIELD(INT, run_group, ok),
    FIELD(INT, run_group, failed),
    FIELD(INT, run_group, busy),
    FIELD(INT, run_group, excused),
    FIELD(INT, run_group, vantage_suspect),
    FIELD(DOUBLE, run_group, success_rate),
    FIELD(DOUBLE, run_group, startup_ms),
    FIELD(DOUBLE, run_group, ptff_ms),
    FIELD(DOUBLE, run_group, playable_ms),
    FIELD(DOUBLE, run_group, first_segment_ms),
    FIELD(DOUBLE, run_group, output_fps),
    FIELD(DOUBLE, run_group, input_fps),
    FIELD(DOUBLE, run_group, jitter_interval),
    FIELD(DOUBLE, run_group, jitter_fps),
    FIELD(DOUBLE, run_group, freeze_ms),
    FIELD(DOUBLE, run_group, e2e_p50_ms),
    FIELD(DOUBLE, run_group, e2e_p95_ms),
};
/* clang-format on */

const struct fields run_group_fields = FIELDS(group_list, 0);

enum { KEY_TEXTS = 7 }; /* the first fields of a group */

/* A mean in the making: where it goes, and where it comes from. */
static const struct mean_of {
    size_t group;
    size_t run;
} means[] = {
#define MEAN(member)                                                           \
    {                                                                          \
        offsetof(struct run_group, member), offsetof(struct run, member)       \
    }
    MEAN(startup_ms),       MEAN(ptff_ms),    MEAN(playable_ms),
    MEAN(first_segment_ms), MEAN(output_fps), MEAN(input_fps),
    MEAN(jitter_interval),  MEAN(jitter_fps), MEAN(freeze_ms),
    MEAN(e2e_p50_ms),       MEAN(e2e_p95_ms)};

struct group_sums {
    struct exact_sum sums[COUNT_OF(means)];
    int64_t counts[COUNT_OF(means)];
};

struct run_groups {
    struct arena arena;
    struct text_index keys;
    struct run_group *list;
    struct group_sums *sums;
    size_t capacity;
};

struct run_groups *run_groups_new(void)
{
    return memory_zeroed(1, sizeof(struct run_groups));
}

void run_groups_free(struct run_groups *groups)
{
    if (!groups)
        return;
    text_index_free(&groups->keys);
    arena_free(&groups->arena);
    free(groups->list);
    free(groups->sums);
    free(groups);
}

static void take_key(struct run_group *group, const struct run *run)
{
    fields_clear(run_group_fields, group);
    group->vantage = run->vantage;
    group->orchestrator_address = run->orchestrator_address;
    group->orchestrator_url = run->orchestrator_url;
    group->workflow = run->workflow;
    group->pipeline_id = run->pipeline_id;
    group->model_id = run->model_id;
    group->gpu_id = run->gpu_id;
    group->cold = run->cold;
    group->runs = group->ok = group->failed = 0;
    group->busy = group->excused = group->vantage_suspect = 0;
}

static void begin(struct run_groups *groups, size_t number,
                  const struct run_group *group)
{
    if (number >= groups->capacity) {
        groups->capacity = 2 * number + 16;
        groups->list = memory_resize(groups->list,
                                     groups->capacity * sizeof *groups->list);
        groups->sums = memory_resize(groups->sums,
                                     groups->capacity * sizeof *groups->sums);
    }
    groups->list[number] = *group;
    fields_copy(&groups->arena, run_group_fields, &groups->list[number]);
    groups->sums[number] = (struct group_sums){0};
    for (size_t i = 0; i < COUNT_OF(means); i++)
        groups->sums[number].sums[i].arena = &groups->arena;
}

static size_t group_of(struct run_groups *groups, const struct run *run)
{
    struct run_group wanted;
    struct buf key = {0};
    bool added;
    take_key(&wanted, run);
    for (size_t i = 0; i < KEY_TEXTS; i++)
        buf_add_text(&key, field_text(&group_list[i], &wanted));
    buf_add_signed(&key, wanted.cold);
    size_t number = text_index_add(&groups->keys,
                                   (struct text){key.data, key.length}, &added);
    buf_free(&key);
    if (added)
        begin(groups, number, &wanted);
    return number;
}

static void count_outcome(struct run_group *group, enum outcome outcome)
{
    int64_t *const counts[OUTCOME_COUNT] = {[OUTCOME_OK] = &group->ok,
                                            [OUTCOME_FAILED] = &group->failed,
                                            [OUTCOME_BUSY] = &group->busy,
                                            [OUTCOME_EXCUSED] = &group->excused,
                                            [OUTCOME_VANTAGE_SUSPECT] =
                                                &group->vantage_suspect};
    group->runs++;
    ++*counts[outcome];
}

void run_groups_take(struct run_groups *groups, const struct run *run)
{
    enum outcome outcome;
    if (!text_is(run->kind, RUN_KIND_LIVE) ||
        !outcome_named(run->outcome, &outcome))
        return;
    size_t number = group_of(groups, run);
    count_outcome(&groups->list[number], outcome);
    if (outcome != OUTCOME_OK)
        return;
    struct group_sums *sums = &groups->sums[number];
    for (size_t i = 0; i < COUNT_OF(means); i++) {
        double value;
        memcpy(&value, (const char *)run + means[i].run, sizeof value);
        if (isnan(value))
            continue;
        exact_add(&sums->sums[i], value);
        sums->counts[i]++;
    }
}

static void finish(struct run_group *group, struct group_sums *sums)
{
    int64_t judged = group->ok + group->failed;
    if (judged)
        group->success_rate = (double)group->ok / (double)judged;
    for (size_t i = 0; i < COUNT_OF(means); i++) {
        if (!sums->counts[i])
            continue;
        double mean = exact_round(&sums->sums[i]) / (double)sums->counts[i];
        memcpy((char *)group + means[i].group, &mean, sizeof mean);
    }
}

static int compare_groups(const void *left, const void *right)
{
    const struct run_group *a = left;
    const struct run_group *b = right;
    for (size_t i = 0; i < KEY_TEXTS; i++) {
        int order = text_compare(field_text(&group_list[i], a),
                                 field_text(&group_list[i], b));
        if (order)
            return order;
    }
    return (a->cold > b->cold) - (a->cold < b->cold);
}

const struct run_group *run_groups_end(struct run_groups *groups, size_t *count)
{
    *count = groups->keys.count;
    for (size_t i = 0; i < *count; i++)
        finish(&groups->list[i], &groups->sums[i]);
    if (*count)
        qsort(groups->list, *count, sizeof *groups->list, compare_groups);
    return groups->list;
}
