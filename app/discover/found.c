/*
 * found.c: the list of what was found, which knows every orchestrator once.
 *
 * Two entries are the same orchestrator where scheme, host and port are the
 * same: that is what is connected to. Within one entry the capacities of a
 * model's runners add up; a second entry of the same orchestrator is the same
 * thing told again and adds only what was not known.
 *
 * Turned down: knowing orchestrators by their Ethereum address. Most formats do
 * not tell it, and one address may stand behind several hosts.
 */
#include "discover/found.h"
#include "base/json.h"
#include "livepeer/livepeer.h"
#include "wire/wire.h"

#include <string.h>

const char *discover_kind_name(enum discover_kind kind)
{
    static const char *const names[] = {"list", "file", "webhook",
                                        "capabilities", "discovery"};
    return names[kind];
}

const char *discovery_skip_name(enum discovery_skip skip)
{
    static const char *const names[] = {"no_entry",  "no_url",   "wrong_url",
                                        "duplicate", "too_many", "model"};
    return names[skip];
}

void found_skip(struct reading *reading, enum discovery_skip skip)
{
    reading->found->skipped[skip]++;
}

/* ---- models -------------------------------------------------------------- */

static bool usable_name(struct text name)
{
    return name.length > 0 && name.length <= DISCOVERY_NAME_BYTES_MAX &&
           !memchr(name.data, '\0', name.length);
}

static struct discovered_model *model_of(const struct discovered *entry,
                                         struct text pipeline,
                                         struct text model_id)
{
    for (size_t i = 0; i < entry->model_count; i++) {
        struct discovered_model *model = &entry->models[i];
        if (text_equal(model->model_id, model_id) &&
            text_equal(model->pipeline, pipeline))
            return model;
    }
    return NULL;
}

static struct discovered_model *add_model(struct arena *arena,
                                          struct discovered *entry,
                                          struct text pipeline,
                                          struct text model_id)
{
    entry->models = arena_grow(arena, entry->models, entry->model_count,
                               sizeof *entry->models);
    struct discovered_model *model = &entry->models[entry->model_count++];
    model->pipeline = pipeline;
    model->model_id = model_id;
    model->idle = model->busy = ABSENT_INT;
    return model;
}

struct discovered_model *found_model(struct reading *reading,
                                     struct discovered *entry,
                                     struct text pipeline, struct text model_id)
{
    struct discovered_model *model = model_of(entry, pipeline, model_id);
    if (model)
        return model;
    if (!usable_name(pipeline) || !usable_name(model_id) ||
        entry->model_count == DISCOVERY_MODELS_MAX) {
        found_skip(reading, SKIP_MODEL);
        return NULL;
    }
    return add_model(&reading->arena, entry, pipeline, model_id);
}

static bool has_gpu(const struct discovered_model *model, struct text gpu_id)
{
    for (size_t i = 0; i < model->gpu_count; i++) {
        if (text_equal(model->gpu_ids[i], gpu_id))
            return true;
    }
    return false;
}

static void add_gpu(struct arena *arena, struct discovered_model *model,
                    struct text gpu_id)
{
    model->gpu_ids = arena_grow(arena, model->gpu_ids, model->gpu_count,
                                sizeof *model->gpu_ids);
    model->gpu_ids[model->gpu_count++] = gpu_id;
}

void found_gpu(struct reading *reading, struct discovered_model *model,
               struct text gpu_id)
{
    if (!model || !gpu_id.length || has_gpu(model, gpu_id))
        return;
    if (usable_name(gpu_id) && model->gpu_count < DISCOVERY_GPUS_MAX)
        add_gpu(&reading->arena, model, gpu_id);
    else
        found_skip(reading, SKIP_MODEL);
}

static int64_t within_limit(int64_t count)
{
    if (count < 0)
        return 0;
    return count < DISCOVERY_CAPACITY_MAX ? count : DISCOVERY_CAPACITY_MAX;
}

void found_capacity(int64_t *count, int64_t more)
{
    int64_t before = *count == ABSENT_INT ? 0 : *count;
    *count = within_limit(before + within_limit(more));
}

/* ---- joining ------------------------------------------------------------- */

static struct text keep(struct discovery *found, struct text text)
{
    return (struct text){arena_text(&found->arena, text.data, text.length),
                         text.length};
}

static void join_model(struct discovery *found, struct discovered *known,
                       const struct discovered_model *more)
{
    struct discovered_model *model =
        model_of(known, more->pipeline, more->model_id);
    if (!model && known->model_count == DISCOVERY_MODELS_MAX) {
        found->skipped[SKIP_MODEL]++;
        return;
    }
    if (!model)
        model = add_model(&found->arena, known, keep(found, more->pipeline),
                          keep(found, more->model_id));
    model->warm |= more->warm;
    if (model->idle == ABSENT_INT)
        model->idle = more->idle;
    if (model->busy == ABSENT_INT)
        model->busy = more->busy;
    for (size_t i = 0; i < more->gpu_count; i++) {
        if (has_gpu(model, more->gpu_ids[i]))
            continue;
        if (model->gpu_count < DISCOVERY_GPUS_MAX)
            add_gpu(&found->arena, model, keep(found, more->gpu_ids[i]));
        else
            found->skipped[SKIP_MODEL]++;
    }
}

static void join_entry(struct discovery *found, const struct discovered *entry)
{
    ptrdiff_t at = text_index_find(&found->urls, entry->url);
    if (at == TEXT_INDEX_ABSENT && found->count == DISCOVERY_ENTRIES_MAX) {
        found->skipped[SKIP_TOO_MANY]++;
        return;
    }
    if (at == TEXT_INDEX_ABSENT) {
        found->orchestrators =
            arena_grow(&found->arena, found->orchestrators, found->count,
                       sizeof *found->orchestrators);
        at = (ptrdiff_t)text_index_add(&found->urls, entry->url, NULL);
        found->orchestrators[found->count++] = (struct discovered){
            .url = keep(found, entry->url), .source = entry->source};
    } else {
        found->skipped[SKIP_DUPLICATE]++;
    }
    struct discovered *known = &found->orchestrators[at];
    if (!known->orchestrator_address.length)
        known->orchestrator_address = keep(found, entry->orchestrator_address);
    if (!known->signing_address.length)
        known->signing_address = keep(found, entry->signing_address);
    for (size_t i = 0; i < entry->model_count; i++)
        join_model(found, known, &entry->models[i]);
}

void discovery_join(struct discovery *found, const struct discovery *more)
{
    for (size_t i = 0; i < DISCOVERY_SKIP_COUNT; i++)
        found->skipped[i] += more->skipped[i];
    for (size_t i = 0; i < more->count; i++)
        join_entry(found, &more->orchestrators[i]);
}

/* ---- entries ------------------------------------------------------------- */

/* As written: -orchAddr takes ":8935" for this machine. */
static const char *url_text(struct reading *reading, struct text url)
{
    const char *text = arena_text(&reading->arena, url.data, url.length);
    return text[0] == ':' ? arena_printf(&reading->arena, "127.0.0.1%s", text)
                          : text;
}

/* A scheme that is not http's; it would be read as a host behind "https://". */
static bool has_foreign_scheme(const char *text)
{
    return strncmp(text, "http", 4) != 0 && strstr(text, "://");
}

/* False where TEXT is none that can be connected to. */
static bool read_url(struct reading *reading, struct text text, struct url *url)
{
    if (text.length > URL_BYTES_MAX || memchr(text.data, '\0', text.length))
        return false;
    const char *whole = url_text(reading, text);
    return !has_foreign_scheme(whole) &&
           !url_of_orchestrator(&reading->arena, whole, url);
}

void found_add(struct reading *reading, struct discovered *entry,
               struct text text)
{
    struct url url;
    if (!text.length)
        found_skip(reading, SKIP_NO_URL);
    else if (!read_url(reading, text, &url))
        found_skip(reading, SKIP_WRONG_URL);
    else {
        entry->url = text_of(url.origin);
        entry->source = reading->kind;
        join_entry(reading->found, entry);
    }
}

static enum err read_document(struct reading *reading, struct text bytes)
{
    struct yyjson_val *root =
        json_parse(&reading->arena, bytes.data, bytes.length);
    if (!root)
        return err_set(ERR_INPUT, "this is no JSON, or nests too deeply");
    return reading->kind == DISCOVER_CAPABILITIES
               ? read_network_capabilities(reading, root)
               : read_addresses(reading, root);
}

enum err discovery_read(struct discovery *found, enum discover_kind kind,
                        struct text bytes)
{
    struct reading reading = {.found = found, .kind = kind};
    enum err err = ERR_NONE;
    if (bytes.length > DISCOVERY_BYTES_MAX)
        return err_set(ERR_INPUT, "there are more than %d MB",
                       DISCOVERY_BYTES_MAX >> 20);
    if (kind == DISCOVER_LIST || kind == DISCOVER_FILE)
        read_lines(&reading, bytes);
    else
        err = read_document(&reading, bytes);
    arena_free(&reading.arena);
    return err;
}

void discovery_free(struct discovery *found)
{
    text_index_free(&found->urls);
    arena_free(&found->arena);
    *found = (struct discovery){0};
}
