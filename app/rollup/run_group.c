/*
 * run_group.c: see run_group.h. Hours' sums are added exactly, so that their
 * order changes nothing.
 */
#include "rollup/run_group.h"

#include "base/base64.h"
#include "base/clock.h"
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
    FIELD(WINDOW, run_group, window_start),
    FIELD(WINDOW, run_group, window_end),
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
    FIELD(DOUBLE, run_group, ptff_or_0_ms),
    FIELD(DOUBLE, run_group, first_segment_or_0_ms),
    FIELD(DOUBLE, run_group, surface_ptff_p50_ms),
};
/* clang-format on */

const struct fields run_group_fields = FIELDS(group_list, 0);

enum { KEY_TEXTS = 7 }; /* the first fields of a group */

/* A mean in the making: where it goes, and where it comes from. */
static const struct mean_of {
    size_t group;
    size_t hour;
    size_t or_0; /* where the one over ok and failed runs goes; 0 for nowhere */
} means[] = {
#define MEAN(member)                                                           \
    {                                                                          \
        offsetof(struct run_group, member), offsetof(struct run_hour, member), \
            0                                                                  \
    }
#define MEAN_OR_0(member, or_0)                                                \
    {                                                                          \
        offsetof(struct run_group, member), offsetof(struct run_hour, member), \
            offsetof(struct run_group, or_0)                                   \
    }
    MEAN(startup_ms),      MEAN_OR_0(ptff_ms, ptff_or_0_ms),
    MEAN(playable_ms),     MEAN_OR_0(first_segment_ms, first_segment_or_0_ms),
    MEAN(output_fps),      MEAN(input_fps),
    MEAN(jitter_interval), MEAN(jitter_fps),
    MEAN(freeze_ms),       MEAN(e2e_p50_ms),
    MEAN(e2e_p95_ms)};

struct group_sums {
    struct exact_sum sums[COUNT_OF(means)];
    int64_t counts[COUNT_OF(means)];
    size_t surface;
};

struct run_groups {
    struct arena arena;
    struct arena scratch;
    enum run_split split;
    struct text_index keys;
    struct run_group *list;
    struct group_sums *sums;
    size_t capacity;
    struct text_index surfaces; /* pipelines with models */
    struct histogram *ptff_ms;  /* by number of the surface */
};

struct run_groups *run_groups_new(enum run_split split)
{
    struct run_groups *groups = memory_zeroed(1, sizeof *groups);
    groups->split = split;
    return groups;
}

void run_groups_free(struct run_groups *groups)
{
    if (!groups)
        return;
    text_index_free(&groups->keys);
    text_index_free(&groups->surfaces);
    arena_free(&groups->arena);
    arena_free(&groups->scratch);
    free(groups->ptff_ms);
    free(groups->list);
    free(groups->sums);
    free(groups);
}

static void take_key(enum run_split split, struct run_group *group,
                     const struct run_hour *hour)
{
    bool by_gpu = split == SPLIT_GPU;
    fields_clear(run_group_fields, group);
    group->vantage = hour->vantage;
    group->orchestrator_address = hour->orchestrator_address;
    if (by_gpu || !hour->orchestrator_address.length)
        group->orchestrator_url = hour->orchestrator_url;
    group->pipeline_id = hour->pipeline_id;
    group->model_id = hour->model_id;
    if (by_gpu) {
        group->workflow = hour->workflow;
        group->gpu_id = hour->gpu_id;
        group->cold = hour->cold;
    }
    group->window_start = INT64_MAX;
    group->window_end = INT64_MIN;
    group->runs = group->ok = group->failed = 0;
    group->busy = group->excused = group->vantage_suspect = 0;
}

static size_t surface_of(struct run_groups *groups, const struct run_hour *hour)
{
    struct buf key = {0};
    bool added;
    buf_add_text(&key, hour->pipeline_id);
    buf_add_text(&key, hour->model_id);
    size_t number = text_index_add(&groups->surfaces,
                                   (struct text){key.data, key.length}, &added);
    buf_free(&key);
    if (added) {
        groups->ptff_ms = memory_resize(groups->ptff_ms,
                                        (number + 1) * sizeof *groups->ptff_ms);
        groups->ptff_ms[number] = (struct histogram){.arena = &groups->arena};
    }
    return number;
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

static size_t group_of(struct run_groups *groups, const struct run_hour *hour)
{
    struct run_group wanted;
    struct buf key = {0};
    bool added;
    take_key(groups->split, &wanted, hour);
    for (size_t i = 0; i < KEY_TEXTS; i++)
        buf_add_text(&key, field_text(&group_list[i], &wanted));
    buf_add_signed(&key, wanted.cold);
    size_t number = text_index_add(&groups->keys,
                                   (struct text){key.data, key.length}, &added);
    buf_free(&key);
    if (added) {
        begin(groups, number, &wanted);
        groups->sums[number].surface = surface_of(groups, hour);
    }
    return number;
}

static void count_runs(struct run_group *group, const struct run_hour *hour)
{
    int64_t end = hour->hour + MS_PER_HOUR;
    if (hour->hour < group->window_start)
        group->window_start = hour->hour;
    if (end > group->window_end)
        group->window_end = end;
    group->runs += hour->runs;
    group->ok += hour->ok;
    group->failed += hour->failed;
    group->busy += hour->busy;
    group->excused += hour->excused;
    group->vantage_suspect += hour->vantage_suspect;
}

static void add_distribution(struct run_groups *groups, size_t surface,
                             struct text coded)
{
    struct histogram histogram = {.arena = &groups->scratch};
    struct text bytes;
    if (coded.data && base64_decode(&groups->scratch, coded, &bytes) &&
        histogram_decode(&histogram, bytes))
        histogram_merge(&groups->ptff_ms[surface], &histogram);
    arena_clear(&groups->scratch);
}

void run_groups_take(struct run_groups *groups, const struct run_hour *hour)
{
    size_t number = group_of(groups, hour);
    struct group_sums *sums = &groups->sums[number];
    count_runs(&groups->list[number], hour);
    for (size_t i = 0; i < COUNT_OF(means); i++) {
        const struct run_figure *figure =
            (const void *)((const char *)hour + means[i].hour);
        if (!figure->count)
            continue;
        exact_add(&sums->sums[i], figure->sum);
        sums->counts[i] += figure->count;
    }
    add_distribution(groups, sums->surface, hour->ptff_ms.histogram);
}

/* The mean of the middle two where they are two. */
static double median_of(const struct histogram *histogram)
{
    double low = histogram_quantile(histogram, 0.5);
    double last = (double)histogram->count - 1;
    if (histogram->count % 2)
        return low;
    return (low + histogram_quantile(histogram,
                                     fmin(1, (last / 2 + 1) / fmax(last, 1)))) /
           2;
}

static void set_double(struct run_group *group, size_t offset, double value)
{
    memcpy((char *)group + offset, &value, sizeof value);
}

static void finish(const struct run_groups *groups, struct run_group *group,
                   struct group_sums *sums)
{
    double judged = (double)(group->ok + group->failed);
    if (judged > 0)
        group->success_rate = (double)group->ok / judged;
    for (size_t i = 0; i < COUNT_OF(means); i++) {
        double sum = exact_round(&sums->sums[i]);
        if (sums->counts[i])
            set_double(group, means[i].group, sum / (double)sums->counts[i]);
        if (means[i].or_0 && judged > 0)
            set_double(group, means[i].or_0, sum / judged);
    }
    group->surface_ptff_p50_ms = median_of(&groups->ptff_ms[sums->surface]);
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
        finish(groups, &groups->list[i], &groups->sums[i]);
    if (*count)
        qsort(groups->list, *count, sizeof *groups->list, compare_groups);
    return groups->list;
}
