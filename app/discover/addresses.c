/*
 * addresses.c: what webhooks and discovery endpoints answer: an array of
 * {"address": URL, "score", "capabilities"?, "runners"?} (§1.2, §1.3).
 *
 * A webhook tells URLs alone. An endpoint adds which models an orchestrator
 * offers, as "pipeline/model", and each runner's capacity and GPU. Scores are
 * the teller's opinion and not read.
 */
#include "base/json.h"
#include "discover/found.h"

#include <string.h>

/* PIPELINE/MODEL; a model may hold further slashes. */
static struct discovered_model *model_named(struct reading *reading,
                                            struct discovered *entry,
                                            struct yyjson_val *value)
{
    struct text name = json_is_string(value)
                           ? json_to_text(&reading->arena, value)
                           : text_of("");
    const char *slash =
        name.length ? memchr(name.data, '/', name.length) : NULL;
    size_t length = slash ? (size_t)(slash - name.data) : name.length;
    struct text pipeline = {name.data, length};
    struct text model_id = {slash ? slash + 1 : "",
                            slash ? name.length - length - 1 : 0};
    return found_model(reading, entry, pipeline, model_id);
}

static void read_runner(struct reading *reading, struct discovered *entry,
                        struct yyjson_val *runner)
{
    struct yyjson_val *idle = json_get(runner, "capacity_available");
    struct yyjson_val *busy = json_get(runner, "capacity_used");
    struct discovered_model *model =
        model_named(reading, entry, json_get(runner, "app"));
    if (!model)
        return;
    if (json_is_number(idle))
        found_capacity(&model->idle, json_to_int(idle));
    if (json_is_number(busy))
        found_capacity(&model->busy, json_to_int(busy));
    found_gpu(
        reading, model,
        json_to_text(&reading->arena, json_get(json_get(runner, "gpu"), "id")));
}

static struct json_iterator each_of(struct yyjson_val *value)
{
    return json_iterate(json_is_array(value) ? value : NULL);
}

static void read_entry(struct reading *reading, struct yyjson_val *value)
{
    struct discovered entry = {0};
    struct yyjson_val *address = json_get(value, "address");
    struct json_iterator models = each_of(json_get(value, "capabilities"));
    struct json_iterator runners = each_of(json_get(value, "runners"));
    struct yyjson_val *one;
    while ((one = json_next(&models, NULL)))
        model_named(reading, &entry, one);
    while ((one = json_next(&runners, NULL)))
        read_runner(reading, &entry, one);
    found_add(reading, &entry,
              json_is_string(address) ? json_to_text(&reading->arena, address)
                                      : text_of(""));
}

enum err read_addresses(struct reading *reading, struct yyjson_val *root)
{
    struct json_iterator entries = json_iterate(root);
    struct yyjson_val *value;
    if (!json_is_array(root))
        return err_set(ERR_INPUT, "this is no array of {\"address\":URL}");
    while ((value = json_next(&entries, NULL))) {
        if (json_is_object(value))
            read_entry(reading, value);
        else
            found_skip(reading, SKIP_NO_ENTRY);
    }
    return ERR_NONE;
}
