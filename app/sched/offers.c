/*
 * offers.c: see offers.h.
 */
#include "sched/offers.h"

#include "base/index.h"
#include "base/log.h"

#include <stdlib.h>

enum { SHOWN_MODELS = 8, SHOWN_NAME_BYTES = 60 };

/* Models of one pipeline, and how many orchestrators tell each. */
struct told {
    struct text_index models;
    size_t *counts;
    bool any; /* somebody told something, of whatever pipeline */
};

static void count_model(struct told *told, struct text model)
{
    bool added;
    size_t number = text_index_add(&told->models, model, &added);
    if (added) {
        told->counts =
            memory_resize(told->counts, (number + 1) * sizeof *told->counts);
        told->counts[number] = 0;
    }
    told->counts[number]++;
}

static struct told count_told(const struct discovery *found,
                              const char *pipeline)
{
    struct told told = {.any = false};
    for (size_t i = 0; i < found->count; i++) {
        const struct discovered *one = &found->orchestrators[i];
        told.any |= one->model_count > 0;
        for (size_t j = 0; j < one->model_count; j++)
            if (text_is(one->models[j].pipeline, pipeline))
                count_model(&told, one->models[j].model_id);
    }
    return told;
}

/* The one that most tell among those not yet SHOWN. */
static size_t most_told(const struct told *told, const bool *shown)
{
    size_t most = told->models.count;
    for (size_t i = 0; i < told->models.count; i++)
        if (!shown[i] && (most == told->models.count ||
                          told->counts[i] > told->counts[most]))
            most = i;
    return most;
}

static void list_told(const struct told *told, struct buf *out)
{
    size_t count = told->models.count;
    bool *shown = memory_zeroed(count + 1, sizeof *shown);
    for (size_t n = 0; n < count && n < SHOWN_MODELS; n++) {
        size_t i = most_told(told, shown);
        struct text name = told->models.texts[i];
        if (name.length > SHOWN_NAME_BYTES)
            name.length = SHOWN_NAME_BYTES;
        shown[i] = true;
        buf_add_string(out, n ? ", " : "");
        buf_add(out, name.data, name.length);
        buf_printf(out, " (%zu)", told->counts[i]);
    }
    if (count > SHOWN_MODELS)
        buf_printf(out, " and %zu more", count - SHOWN_MODELS);
    free(shown);
}

static void check(const struct workflow *workflow,
                  const struct discovery *found)
{
    struct told told = count_told(found, workflow->pipeline);
    struct buf list = {0};
    if (told.any &&
        text_index_find(&told.models, text_of(workflow->model)) < 0) {
        list_told(&told, &list);
        log_message(LOG_WARNING,
                    "nobody found tells to offer %.60s, the model of workflow "
                    "%.60s; of %.60s they tell: %s. sched.workflows says what "
                    "is measured",
                    workflow->model, workflow->name, workflow->pipeline,
                    told.models.count ? buf_string(&list) : "nothing");
    }
    buf_free(&list);
    text_index_free(&told.models);
    free(told.counts);
}

void offers_check(const struct terms *terms, const struct discovery *found)
{
    for (size_t i = 0; i < terms->workflow_count; i++)
        check(&terms->workflows[i].workflow, found);
}

void offers_tell_left_out(size_t count)
{
    if (count)
        log_message(LOG_WARNING,
                    "a plan has no room for %zu of the targets found; those "
                    "of whom most is known are left out this time",
                    count);
}
