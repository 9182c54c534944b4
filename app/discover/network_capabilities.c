/*
 * network_capabilities.c: what a gateway knows of the network: the answer of
 * getNetworkCapabilities (§1.5), which is also how dumps of it are kept.
 *
 * It tells most: both addresses, models with their capacities, and GPUs by
 * model. Fields that are zero are missing in it, so a model without "capacity"
 * has no room.
 *
 * Turned down: capability_read() of livepeer/, which reads the same elements
 * as the publisher attributes sessions by. That drops orchestrators without an
 * address and capacities beside hardware, and finding needs both.
 */
#include "base/json.h"
#include "discover/found.h"
#include "livepeer/livepeer.h"

#include <stdlib.h>
#include <string.h>

static struct text address_of(struct reading *reading, struct yyjson_val *value)
{
    uint8_t bytes[ETHEREUM_ADDRESS_BYTES];
    char text[ETHEREUM_ADDRESS_TEXT_BYTES];
    struct text given = json_to_text(&reading->arena, value);
    if (!ethereum_address_parse(given, bytes) ||
        ethereum_address_is_zero(
            (struct text){(const char *)bytes, sizeof bytes}))
        return text_of("");
    ethereum_address_text_lower(bytes, text);
    return text_of(arena_text(&reading->arena, text, strlen(text)));
}

/* The pipeline of the capability that KEY is the number of; "" for others. */
static struct text pipeline_of(struct reading *reading, struct text key)
{
    char *end;
    const char *digits = arena_text(&reading->arena, key.data, key.length);
    long number = strtol(digits, &end, 10);
    const struct capability *capability =
        key.length && !*end ? capability_numbered(number) : NULL;
    return text_of(capability ? capability->pipeline : "");
}

static void read_models(struct reading *reading, struct discovered *entry,
                        struct text pipeline, struct yyjson_val *models)
{
    struct json_iterator iterator =
        json_iterate(json_is_object(models) ? models : NULL);
    struct text model_id;
    struct yyjson_val *offer;
    while ((offer = json_next(&iterator, &model_id))) {
        struct discovered_model *model =
            found_model(reading, entry, pipeline, model_id);
        if (!model)
            continue;
        model->warm |= json_to_bool(json_get(offer, "warm"));
        found_capacity(&model->idle, json_to_int(json_get(offer, "capacity")));
        found_capacity(&model->busy,
                       json_to_int(json_get(offer, "capacityInUse")));
    }
}

static void read_offers(struct reading *reading, struct discovered *entry,
                        struct yyjson_val *value)
{
    struct yyjson_val *offers =
        json_get(json_get(json_get(value, "capabilities"), "constraints"),
                 "PerCapability");
    struct json_iterator iterator =
        json_iterate(json_is_object(offers) ? offers : NULL);
    struct text key;
    struct yyjson_val *offer;
    while ((offer = json_next(&iterator, &key))) {
        struct text pipeline = pipeline_of(reading, key);
        if (pipeline.length)
            read_models(reading, entry, pipeline, json_get(offer, "models"));
    }
}

static void read_hardware(struct reading *reading, struct discovered *entry,
                          struct yyjson_val *hardware)
{
    struct arena *arena = &reading->arena;
    struct json_iterator iterator =
        json_iterate(json_is_array(hardware) ? hardware : NULL);
    struct yyjson_val *one;
    while ((one = json_next(&iterator, NULL))) {
        struct discovered_model *model = found_model(
            reading, entry, json_to_text(arena, json_get(one, "pipeline")),
            json_to_text(arena, json_get(one, "model_id")));
        struct json_iterator gpus = json_iterate(json_get(one, "gpu_info"));
        struct yyjson_val *gpu;
        while ((gpu = json_next(&gpus, NULL)))
            found_gpu(reading, model, json_to_text(arena, json_get(gpu, "id")));
    }
}

static void read_entry(struct reading *reading, struct yyjson_val *value)
{
    struct yyjson_val *uri = json_get(value, "orch_uri");
    struct discovered entry = {
        .orchestrator_address = address_of(reading, json_get(value, "address")),
        .signing_address =
            address_of(reading, json_get(value, "local_address"))};
    read_offers(reading, &entry, value);
    read_hardware(reading, &entry, json_get(value, "hardware"));
    found_add(reading, &entry,
              json_is_string(uri) ? json_to_text(&reading->arena, uri)
                                  : text_of(""));
}

enum err read_network_capabilities(struct reading *reading,
                                   struct yyjson_val *root)
{
    struct yyjson_val *list = json_get(root, "orchestrators");
    struct json_iterator entries = json_iterate(list);
    struct yyjson_val *value;
    if (!json_is_array(list))
        return err_set(ERR_INPUT, "this has no array \"orchestrators\", as "
                                  "getNetworkCapabilities has");
    while ((value = json_next(&entries, NULL))) {
        if (json_is_object(value))
            read_entry(reading, value);
        else
            found_skip(reading, SKIP_NO_ENTRY);
    }
    return ERR_NONE;
}
