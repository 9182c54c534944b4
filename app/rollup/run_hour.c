/*
 * run_hour.c: see run_hour.h. Sums are exact and histograms know no order, so
 * the order of runs changes nothing.
 */
#include "rollup/run_hour.h"

#include "base/base64.h"
#include "base/clock.h"
#include "base/index.h"
#include "stats/stats.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define COUNT_OF(array) (sizeof(array) / sizeof *(array))

/* FIELD knows plain members alone. */
#define PART(kind, of_name, member, part)                                      \
    {                                                                          \
        of_name, FIELD_##kind,                                                 \
            offsetof(struct run_hour, member) +                                \
                offsetof(struct run_figure, part),                             \
            sizeof of_name - 1, false                                          \
    }
#define FIGURE(member)                                                         \
    PART(INT, #member "_count", member, count),                                \
        PART(DOUBLE, #member "_sum", member, sum),                             \
        PART(DOUBLE, #member "_least", member, least),                         \
        PART(DOUBLE, #member "_most", member, most),                           \
        PART(TEXT, #member "_histogram", member, histogram)

/* clang-format off */
static const struct field hour_list[] = {
    FIELD(WINDOW, run_hour, hour),
    FIELD(TEXT, run_hour, vantage),
    FIELD(TEXT, run_hour, orchestrator_address),
    FIELD(TEXT, run_hour, orchestrator_url),
    FIELD(TEXT, run_hour, workflow),
    FIELD(TEXT, run_hour, pipeline_id),
    FIELD(TEXT, run_hour, model_id),
    FIELD(TEXT, run_hour, gpu_id),
    FIELD(INT, run_hour, cold),
    FIELD(INT, run_hour, runs),
    FIELD(INT, run_hour, ok),
    FIELD(INT, run_hour, failed),
    FIELD(INT, run_hour, busy),
    FIELD(INT, run_hour, excused),
    FIELD(INT, run_hour, vantage_suspect),
    FIGURE(startup_ms),
    FIGURE(ptff_ms),
    FIGURE(playable_ms),
    FIGURE(first_segment_ms),
    FIGURE(output_fps),
    FIGURE(input_fps),
    FIGURE(jitter_interval),
    FIGURE(jitter_fps),
    FIGURE(freeze_ms),
    FIGURE(e2e_p50_ms),
    FIGURE(e2e_p95_ms),
};
/* clang-format on */

const struct fields run_hour_fields = FIELDS(hour_list, 0);

enum { KEY_FIELDS = 9 }; /* the first ones */

static const struct figure_of {
    size_t hour;
    size_t run;
} figures[] = {
#define FIGURE_OF(member)                                                      \
    {                                                                          \
        offsetof(struct run_hour, member), offsetof(struct run, member)        \
    }
    FIGURE_OF(startup_ms),       FIGURE_OF(ptff_ms),    FIGURE_OF(playable_ms),
    FIGURE_OF(first_segment_ms), FIGURE_OF(output_fps), FIGURE_OF(input_fps),
    FIGURE_OF(jitter_interval),  FIGURE_OF(jitter_fps), FIGURE_OF(freeze_ms),
    FIGURE_OF(e2e_p50_ms),       FIGURE_OF(e2e_p95_ms)};

/* An hour in the making. */
struct hour_sums {
    struct exact_sum sums[COUNT_OF(figures)];
    struct histogram histograms[COUNT_OF(figures)];
};

struct run_hours {
    struct arena arena;
    struct text_index keys;
    struct run_hour *list;
    struct hour_sums *sums;
    size_t capacity;
    bool ended; /* the list was handed out */
};

struct run_hours *run_hours_new(void)
{
    return memory_zeroed(1, sizeof(struct run_hours));
}

void run_hours_free(struct run_hours *hours)
{
    if (!hours)
        return;
    text_index_free(&hours->keys);
    arena_free(&hours->arena);
    free(hours->list);
    free(hours->sums);
    free(hours);
}

/* ---- taking -------------------------------------------------------------- */

static void take_key(struct run_hour *hour, const struct run *run)
{
    fields_clear(run_hour_fields, hour);
    hour->hour = clock_hour_start(run->started_at);
    hour->vantage = run->vantage;
    hour->orchestrator_address = run->orchestrator_address;
    hour->orchestrator_url = run->orchestrator_url;
    hour->workflow = run->workflow;
    hour->pipeline_id = run->pipeline_id;
    hour->model_id = run->model_id;
    hour->gpu_id = run->gpu_id;
    hour->cold = run->cold;
    hour->runs = hour->ok = hour->failed = 0;
    hour->busy = hour->excused = hour->vantage_suspect = 0;
    for (size_t i = 0; i < COUNT_OF(figures); i++) {
        int64_t none = 0;
        memcpy((char *)hour + figures[i].hour, &none, sizeof none);
    }
}

static void add_key(struct buf *key, const struct run_hour *hour)
{
    for (size_t i = 0; i < KEY_FIELDS; i++) {
        if (field_holds_text(&hour_list[i]))
            buf_add_text(key, field_text(&hour_list[i], hour));
        else
            buf_add_signed(key, field_int(&hour_list[i], hour));
    }
}

static void begin(struct run_hours *hours, size_t number,
                  const struct run_hour *hour)
{
    if (number >= hours->capacity) {
        hours->capacity = 2 * number + 16;
        hours->list =
            memory_resize(hours->list, hours->capacity * sizeof *hours->list);
        hours->sums =
            memory_resize(hours->sums, hours->capacity * sizeof *hours->sums);
    }
    hours->list[number] = *hour;
    fields_copy(&hours->arena, run_hour_fields, &hours->list[number]);
    hours->sums[number] = (struct hour_sums){0};
    for (size_t i = 0; i < COUNT_OF(figures); i++) {
        hours->sums[number].sums[i].arena = &hours->arena;
        hours->sums[number].histograms[i].arena = &hours->arena;
    }
}

static size_t hour_of(struct run_hours *hours, const struct run *run)
{
    struct run_hour wanted;
    struct buf key = {0};
    bool added;
    take_key(&wanted, run);
    add_key(&key, &wanted);
    size_t number = text_index_add(&hours->keys,
                                   (struct text){key.data, key.length}, &added);
    buf_free(&key);
    if (added)
        begin(hours, number, &wanted);
    return number;
}

static void count_outcome(struct run_hour *hour, enum outcome outcome)
{
    hour->runs++;
    hour->ok += outcome == OUTCOME_OK;
    hour->failed += outcome == OUTCOME_FAILED;
    hour->busy += outcome == OUTCOME_BUSY;
    hour->excused += outcome == OUTCOME_EXCUSED;
    hour->vantage_suspect += outcome == OUTCOME_VANTAGE_SUSPECT;
}

static struct run_figure *figure_of(struct run_hour *hour, size_t i)
{
    return (struct run_figure *)(void *)((char *)hour + figures[i].hour);
}

/* Forgets what was handed out. */
static void begin_again(struct run_hours *hours)
{
    text_index_free(&hours->keys);
    arena_clear(&hours->arena);
    hours->ended = false;
}

void run_hours_take(struct run_hours *hours, const struct run *run)
{
    enum outcome outcome;
    if (hours->ended)
        begin_again(hours);
    if (!text_is(run->kind, RUN_KIND_LIVE) ||
        !outcome_named(run->outcome, &outcome))
        return;
    size_t number = hour_of(hours, run);
    struct run_hour *hour = &hours->list[number];
    count_outcome(hour, outcome);
    for (size_t i = 0; outcome == OUTCOME_OK && i < COUNT_OF(figures); i++) {
        struct run_figure *figure = figure_of(hour, i);
        double value;
        memcpy(&value, (const char *)run + figures[i].run, sizeof value);
        if (isnan(value))
            continue;
        if (!figure->count++)
            figure->least = figure->most = value;
        figure->least = fmin(figure->least, value);
        figure->most = fmax(figure->most, value);
        exact_add(&hours->sums[number].sums[i], value);
        histogram_add(&hours->sums[number].histograms[i], value);
    }
}

/* ---- ending -------------------------------------------------------------- */

static void finish(struct run_hours *hours, size_t number)
{
    struct buf bytes = {0};
    struct buf coded = {0};
    for (size_t i = 0; i < COUNT_OF(figures); i++) {
        struct run_figure *figure = figure_of(&hours->list[number], i);
        if (!figure->count)
            continue;
        buf_clear(&bytes);
        buf_clear(&coded);
        histogram_encode(&bytes, &hours->sums[number].histograms[i]);
        base64_encode(&coded, (struct text){bytes.data, bytes.length});
        figure->sum = exact_round(&hours->sums[number].sums[i]);
        figure->histogram = (struct text){
            arena_text(&hours->arena, coded.data, coded.length), coded.length};
    }
    buf_free(&bytes);
    buf_free(&coded);
}

static int compare_hours(const void *left, const void *right)
{
    for (size_t i = 0; i < KEY_FIELDS; i++) {
        const struct field *field = &hour_list[i];
        int64_t a = field_holds_text(field) ? 0 : field_int(field, left);
        int64_t b = field_holds_text(field) ? 0 : field_int(field, right);
        int order = field_holds_text(field)
                        ? text_compare(field_text(field, left),
                                       field_text(field, right))
                        : (a > b) - (a < b);
        if (order)
            return order;
    }
    return 0;
}

const struct run_hour *run_hours_end(struct run_hours *hours, size_t *count)
{
    if (hours->ended)
        begin_again(hours);
    *count = hours->keys.count;
    for (size_t i = 0; i < *count; i++)
        finish(hours, i);
    if (*count)
        qsort(hours->list, *count, sizeof *hours->list, compare_hours);
    hours->ended = true;
    return hours->list;
}
