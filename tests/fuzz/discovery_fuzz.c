/*
 * discovery_fuzz.c: any bytes as an answer that tells orchestrators (the first
 * byte, a digit, says of which kind): what is found is within the limits, once
 * each, and joining the list with itself adds nothing.
 */
#include "discover/discover.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool condition)
{
    if (!condition)
        abort();
}

static void check_capacity(int64_t count)
{
    must(count == ABSENT_INT ||
         (count >= 0 && count <= DISCOVERY_CAPACITY_MAX));
}

static void check_model(const struct discovered_model *model)
{
    must(model->pipeline.length > 0 && model->model_id.length > 0);
    must(model->model_id.length <= DISCOVERY_NAME_BYTES_MAX);
    check_capacity(model->idle);
    check_capacity(model->busy);
    must(model->gpu_count <= DISCOVERY_GPUS_MAX);
    for (size_t i = 0; i < model->gpu_count; i++)
        must(model->gpu_ids[i].length > 0);
}

static void check_list(const struct discovery *found)
{
    must(found->count <= DISCOVERY_ENTRIES_MAX);
    must(found->count == found->urls.count);
    for (size_t i = 0; i < found->count; i++) {
        const struct discovered *one = &found->orchestrators[i];
        must(!strncmp(one->url.data, "http", 4));
        must(text_equal(one->url, found->urls.texts[i]));
        must(one->orchestrator_address.length == 0 ||
             one->orchestrator_address.length == 42);
        must(one->model_count <= DISCOVERY_MODELS_MAX);
        for (size_t j = 0; j < one->model_count; j++)
            check_model(&one->models[j]);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct discovery found = {0};
    struct discovery again = {0};
    if (!size)
        return 0;
    enum err err = discovery_read(
        &found,
        (enum discover_kind)((uint8_t)(data[0] - '0') % DISCOVER_KIND_COUNT),
        (struct text){(const char *)data + 1, size - 1});
    must(!err || !found.count);
    check_list(&found);
    discovery_join(&again, &found);
    discovery_join(&again, &found);
    must(again.count == found.count);
    check_list(&again);
    discovery_free(&found);
    discovery_free(&again);
    return 0;
}
