/*
 * capability.c: what one element of a capability snapshot offers (§1.5), as
 * the intervals that attribution matches against (§2.5), and at which price.
 *
 * An element whose hardware or capability fields are of a wrong type becomes
 * one blank placeholder, as the publisher's decoder fails on it as a whole
 * (§11, 2.5). Null is never of a wrong type.
 */
#include "livepeer/livepeer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ADDRESS_LENGTH = 42 };

static const struct capability catalogue[] = {
    {27, "text-to-image", false, true},
    {28, "image-to-image", false, true},
    {29, "image-to-video", false, true},
    {30, "upscale", false, true},
    {31, "audio-to-text", false, true},
    {32, "segment-anything-2", false, true},
    {33, "llm", false, true},
    {34, "image-to-text", false, true},
    {35, "live-video-to-video", true, false},
    {36, "text-to-speech", false, true},
    {CAPABILITY_BYOC, "", true, true},
};
enum { CATALOGUE_COUNT = sizeof catalogue / sizeof *catalogue };

const struct capability *capability_numbered(int64_t number)
{
    for (size_t i = 0; i < CATALOGUE_COUNT; i++)
        if (catalogue[i].number == number)
            return &catalogue[i];
    return NULL;
}

const struct capability *capability_offered(struct text pipeline)
{
    size_t i = 0;
    while (i < CATALOGUE_COUNT - 1 &&
           !text_equal_ignoring_case(pipeline, text_of(catalogue[i].pipeline)))
        i++;
    return &catalogue[i];
}

struct expansion {
    struct arena *arena;
    struct capability_interval *intervals;
    size_t count;
};

static struct capability_interval *add_interval(struct expansion *expansion)
{
    expansion->intervals =
        arena_grow(expansion->arena, expansion->intervals, expansion->count,
                   sizeof *expansion->intervals);
    struct capability_interval *interval =
        &expansion->intervals[expansion->count++];
    interval->pipeline = interval->model = text_of("");
    interval->gpu_id = interval->gpu_name = text_of("");
    interval->runner_version = text_of("");
    return interval;
}

/* ---- types --------------------------------------------------------------- */

static bool null_or_text(struct yyjson_val *value)
{
    return json_is_null(value) || json_is_string(value);
}

static bool null_or_int64(struct yyjson_val *value)
{
    return json_is_null(value) || json_is_int64(value);
}

static bool null_or_object(struct yyjson_val *value)
{
    return json_is_null(value) || json_is_object(value);
}

static bool members_are_objects(struct yyjson_val *container)
{
    struct json_iterator iterator = json_iterate(container);
    struct yyjson_val *member;
    while ((member = json_next(&iterator, NULL)))
        if (!null_or_object(member))
            return false;
    return true;
}

static bool gpu_is_sound(struct yyjson_val *gpu)
{
    return null_or_object(gpu) && null_or_text(json_get(gpu, "id")) &&
           null_or_int64(json_get(gpu, "memory_total"));
}

static bool hardware_entry_is_sound(struct yyjson_val *entry)
{
    struct yyjson_val *gpus = json_get(entry, "gpu_info");
    if (!null_or_object(entry) || !null_or_text(json_get(entry, "pipeline")) ||
        !null_or_text(json_get(entry, "model_id")) ||
        (!null_or_object(gpus) && !json_is_array(gpus)))
        return false;
    struct json_iterator iterator = json_iterate(gpus);
    struct yyjson_val *gpu;
    while ((gpu = json_next(&iterator, NULL)))
        if (!gpu_is_sound(gpu))
            return false;
    return true;
}

static struct yyjson_val *per_capability(struct yyjson_val *element)
{
    return json_get(json_get(json_get(element, "capabilities"), "constraints"),
                    "PerCapability");
}

static bool constraints_are_sound(struct yyjson_val *element)
{
    struct yyjson_val *capabilities = json_get(element, "capabilities");
    struct yyjson_val *constraints = json_get(capabilities, "constraints");
    struct yyjson_val *offers = per_capability(element);
    if (!null_or_object(capabilities) || !null_or_object(constraints) ||
        !null_or_object(offers))
        return false;
    struct json_iterator iterator = json_iterate(offers);
    struct yyjson_val *offer;
    while ((offer = json_next(&iterator, NULL))) {
        struct yyjson_val *models = json_get(offer, "models");
        if (!null_or_object(offer) || !null_or_object(models) ||
            !members_are_objects(models))
            return false;
    }
    return true;
}

static bool element_is_sound(struct yyjson_val *element)
{
    struct yyjson_val *hardware = json_get(element, "hardware");
    if (!json_is_null(hardware) && !json_is_array(hardware))
        return false;
    struct json_iterator iterator = json_iterate(hardware);
    struct yyjson_val *entry;
    while ((entry = json_next(&iterator, NULL)))
        if (!hardware_entry_is_sound(entry))
            return false;
    return constraints_are_sound(element);
}

/* ---- intervals ----------------------------------------------------------- */

static void add_gpu(struct expansion *expansion, struct hint surface,
                    struct yyjson_val *gpu)
{
    struct arena *arena = expansion->arena;
    struct capability_interval *interval = add_interval(expansion);
    interval->pipeline = surface.pipeline;
    interval->model = surface.model;
    interval->source = SOURCE_HARDWARE;
    interval->gpu_id = json_to_text(arena, json_get(gpu, "id"));
    interval->gpu_name = json_to_text(arena, json_get(gpu, "name"));
    interval->gpu_memory_bytes = json_to_int(json_get(gpu, "memory_total"));
    interval->has_hardware = true;
    char memory[24];
    int length = snprintf(memory, sizeof memory, "%lld",
                          (long long)interval->gpu_memory_bytes);
    struct text parts[] = {surface.pipeline,
                           surface.model,
                           interval->gpu_id,
                           {memory, (size_t)length}};
    hash_md5_joined(parts, 4, interval->suffix);
}

static struct capability_interval *
add_surface(struct expansion *expansion, struct hint surface, const char *kind)
{
    struct capability_interval *interval = add_interval(expansion);
    interval->pipeline = surface.pipeline;
    interval->model = surface.model;
    struct text parts[] = {surface.pipeline, surface.model, text_of(kind)};
    hash_md5_joined(parts, 3, interval->suffix);
    return interval;
}

/* The members of OFFERS are named by the numbers of the catalogue. */
static struct yyjson_val *models_of(struct yyjson_val *offers,
                                    const struct capability *capability)
{
    char number[24];
    snprintf(number, sizeof number, "%lld", (long long)capability->number);
    return json_get(json_get(offers, number), "models");
}

/* Hardware is listed without it: the model says it where its capability is. */
static struct text runner_version_of(struct arena *arena,
                                     struct yyjson_val *offers,
                                     struct hint surface)
{
    struct yyjson_val *models =
        models_of(offers, capability_offered(surface.pipeline));
    const char *name =
        arena_text(arena, surface.model.data, surface.model.length);
    return json_to_text(arena,
                        json_get(json_get(models, name), "runnerVersion"));
}

static void add_hardware(struct expansion *expansion, struct yyjson_val *offers,
                         struct yyjson_val *entry)
{
    struct hint surface = {
        json_to_text(expansion->arena, json_get(entry, "pipeline")),
        json_to_text(expansion->arena, json_get(entry, "model_id"))};
    struct yyjson_val *gpus = json_get(entry, "gpu_info");
    struct json_iterator iterator = json_iterate(gpus);
    struct yyjson_val *gpu;
    size_t before = expansion->count;
    while ((gpu = json_next(&iterator, NULL)))
        if (!json_is_null(gpu))
            add_gpu(expansion, surface, gpu);
    if (expansion->count == before)
        add_surface(expansion, surface, "hardware-less")->source =
            SOURCE_HARDWARE;
    struct text version = runner_version_of(expansion->arena, offers, surface);
    for (size_t i = before; i < expansion->count; i++)
        expansion->intervals[i].runner_version = version;
}

static bool surface_known(const struct expansion *expansion,
                          struct hint surface)
{
    for (size_t i = 0; i < expansion->count; i++)
        if (text_equal(expansion->intervals[i].pipeline, surface.pipeline) &&
            text_equal(expansion->intervals[i].model, surface.model))
            return true;
    return false;
}

static void add_models(struct expansion *expansion, const char *pipeline,
                       struct yyjson_val *models)
{
    struct json_iterator iterator = json_iterate(models);
    struct text model;
    struct yyjson_val *offer;
    while ((offer = json_next(&iterator, &model))) {
        struct hint surface = {text_of(pipeline), model};
        if (surface_known(expansion, surface))
            continue;
        struct capability_interval *interval =
            add_surface(expansion, surface, "per-capability");
        interval->source = SOURCE_PER_CAPABILITY;
        interval->warm = json_to_bool(json_get(offer, "warm"));
        interval->capacity = json_to_int(json_get(offer, "capacity"));
        interval->runner_version =
            json_to_text(expansion->arena, json_get(offer, "runnerVersion"));
    }
}

static void expand(struct expansion *expansion, struct yyjson_val *element)
{
    struct yyjson_val *hardware = json_get(element, "hardware");
    struct json_iterator iterator = json_iterate(hardware);
    struct yyjson_val *entry;
    struct yyjson_val *offers = per_capability(element);
    while ((entry = json_next(&iterator, NULL)))
        add_hardware(expansion, offers, entry);
    if (json_count(hardware))
        return;
    for (size_t i = 0; i < CATALOGUE_COUNT - 1; i++)
        add_models(expansion, catalogue[i].pipeline,
                   models_of(offers, &catalogue[i]));
}

static void add_placeholder(struct expansion *expansion, bool sound)
{
    struct text parts[] = {text_of("hardware-less"), text_of("error")};
    hash_md5_joined(parts, sound ? 1 : 2, add_interval(expansion)->suffix);
}

/* ---- prices -------------------------------------------------------------- */

static void read_prices(struct arena *arena, struct yyjson_val *value,
                        struct capability_element *element)
{
    struct yyjson_val *list = json_get(value, "capabilities_prices");
    struct json_iterator iterator =
        json_iterate(json_is_array(list) ? list : NULL);
    struct yyjson_val *one;
    while ((one = json_next(&iterator, NULL))) {
        element->prices =
            arena_grow(arena, element->prices, element->price_count,
                       sizeof(*element->prices));
        element->prices[element->price_count++] = (struct capability_price){
            json_to_int(json_get(one, "capability")),
            json_to_text(arena, json_get(one, "constraint")),
            json_to_int(json_get(one, "pricePerUnit")),
            json_to_int(json_get(one, "pixelsPerUnit"))};
    }
}

/* ---- elements ------------------------------------------------------------ */

static bool is_address(struct text text)
{
    if (text.length != ADDRESS_LENGTH || text.data[0] != '0' ||
        text.data[1] != 'x')
        return false;
    for (size_t i = 2; i < text.length; i++)
        if (!strchr("0123456789abcdef", text.data[i]) || !text.data[i])
            return false;
    return true;
}

static struct text lower_member(struct arena *arena, struct yyjson_val *element,
                                const char *key)
{
    return text_lower(arena, json_to_text(arena, json_get(element, key)));
}

static void read_element(struct arena *arena, struct yyjson_val *value,
                         struct capability_element *element)
{
    element->uri = lower_member(arena, value, "orch_uri");
    if (!element->uri.length)
        element->uri = lower_member(arena, value, "uri");
    struct text local = lower_member(arena, value, "local_address");
    element->alias = text_of("");
    if (is_address(local) && !text_equal(local, element->address))
        element->alias = local;
    struct text compact = json_compact(arena, value, false);
    hash_md5_joined(&compact, 1, element->payload);
    struct expansion expansion = {.arena = arena};
    bool sound = element_is_sound(value);
    if (sound)
        expand(&expansion, value);
    if (!expansion.count)
        add_placeholder(&expansion, sound);
    element->intervals = expansion.intervals;
    element->interval_count = expansion.count;
    read_prices(arena, value, element);
}

/* Before room is made: a foreign list may be long and hold no orchestrator. */
static size_t count_addressed(struct yyjson_val *data)
{
    struct json_iterator iterator =
        json_iterate(json_is_array(data) ? data : NULL);
    struct yyjson_val *value;
    size_t count = 0;
    while ((value = json_next(&iterator, NULL)))
        count += !json_is_null(json_get(value, "address"));
    return count;
}

struct capability_element *
capability_read(struct arena *arena, struct yyjson_val *data, size_t *count)
{
    *count = 0;
    size_t most = count_addressed(data);
    struct capability_element *elements =
        arena_array(arena, most, sizeof *elements);
    struct json_iterator iterator = json_iterate(most ? data : NULL);
    struct yyjson_val *value;
    while ((value = json_next(&iterator, NULL))) {
        struct text address = lower_member(arena, value, "address");
        if (!address.length)
            continue;
        elements[*count].address = address;
        read_element(arena, value, &elements[(*count)++]);
    }
    return elements;
}
