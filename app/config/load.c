/*
 * load.c: defaults, file, environment and flags, one over the other.
 *
 * Nothing stops at the first mistake: all of them are collected, so that a
 * person mends a file in one go.
 */
#include "base/file.h"
#include "config/keys.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PREFIX "ASSAY_"

/* ---- one option ---------------------------------------------------------- */

static const char *where_set(struct config *config,
                             const struct config_origin *origin)
{
    if (origin->place == CONFIG_FILE)
        return place_of_line(&config->arena, origin->name, origin->line);
    return origin->name ? origin->name : "default";
}

void config_set(struct config *config, size_t i, const char *text,
                struct config_origin origin)
{
    char reason[CONFIG_REASON_BYTES];
    const struct config_key *key = &config_keys[i];
    if (value_read(&config->arena, key, config, text, reason)) {
        config->origins[i] = origin;
        return;
    }
    problem_add(&config->arena, &config->problems, where_set(config, &origin),
                "%s %s", key->path, reason);
}

static void apply_defaults(struct config *config)
{
    for (size_t i = 0; i < config_keys_count; i++)
        config_set(config, i, config_keys[i].standard,
                   (struct config_origin){.place = CONFIG_DEFAULT});
}

/* ---- file ---------------------------------------------------------------- */

static const struct config_table all_options = {
    .what = "configuration",
    .keys = config_keys,
    .advice = "\"assay config default\" lists all",
};

struct file_reading {
    struct config *config;
    const char *name;
};

static void set_from_file(void *context, size_t i, const char *text,
                          size_t line)
{
    const struct file_reading *reading = context;
    config_set(reading->config, i, text,
               (struct config_origin){
                   .place = CONFIG_FILE, .name = reading->name, .line = line});
}

static struct config_document document_of(struct config *config)
{
    return (struct config_document){.arena = &config->arena,
                                    .problems = &config->problems};
}

static void apply_document(struct config *config,
                           struct config_document *document)
{
    struct config_table table = all_options;
    struct file_reading reading = {config, document->name};
    table.count = config_keys_count;
    section_read(document, document->root, &table, set_from_file, &reading);
}

/* ---- environment --------------------------------------------------------- */

/* Compared without the prefix, which would make all of them alike. */
static void warn_unknown_variable(struct config *config, const char *name)
{
    const char *names[CONFIG_KEYS_MAX + 1];
    size_t prefix = strlen(PREFIX);
    for (size_t i = 0; i < config_keys_count; i++)
        names[i] = variable_name(&config->arena, config_keys[i].path) + prefix;
    names[config_keys_count] = "CONFIG";
    const char *near =
        nearest_word(name + prefix, names, config_keys_count + 1);
    problem_add(&config->arena, &config->warnings, name,
                "no option has this variable%s%s; it changes nothing",
                near ? ", did you mean " PREFIX : "", near ? near : "");
}

static void apply_variable(struct config *config, const char *name,
                           const char *value)
{
    /* Where the file is; its reader has looked at it already. */
    if (strcmp(name, PREFIX "CONFIG") == 0)
        return;
    for (size_t i = 0; i < config_keys_count; i++) {
        if (strcmp(variable_name(&config->arena, config_keys[i].path), name))
            continue;
        config_set(
            config, i, value,
            (struct config_origin){.place = CONFIG_ENVIRONMENT, .name = name});
        return;
    }
    warn_unknown_variable(config, name);
}

static void apply_environment(struct config *config, char *const *environment)
{
    for (; *environment; environment++) {
        const char *equals = strchr(*environment, '=');
        if (!equals || strncmp(*environment, PREFIX, strlen(PREFIX)) != 0)
            continue;
        size_t length = (size_t)(equals - *environment);
        const char *name = arena_text(&config->arena, *environment, length);
        apply_variable(config, name, equals + 1);
    }
}

/* ---- flags --------------------------------------------------------------- */

static void apply_flag(struct config *config, const struct config_flag *flag)
{
    size_t i = config_key_find(flag->key);
    /* Flags are tied to keys in our own tables: a bad one is our mistake. */
    if (i == config_keys_count)
        abort();
    const char *name =
        arena_text(&config->arena, flag->flag, strlen(flag->flag));
    config_set(config, i, flag->value,
               (struct config_origin){.place = CONFIG_FLAG, .name = name});
}

static enum err verdict(const struct config *config)
{
    return config_problems_verdict(&config->problems,
                                   "\"assay config check\" lists all");
}

enum err config_load(struct config *config,
                     const struct config_sources *sources)
{
    *config = (struct config){0};
    apply_defaults(config);
    if (sources->path) {
        struct config_document document = document_of(config);
        config_document_load(&document, sources->path);
        apply_document(config, &document);
    }
    if (sources->environment)
        apply_environment(config, sources->environment);
    for (size_t i = 0; i < sources->flag_count; i++)
        apply_flag(config, &sources->flags[i]);
    return verdict(config);
}

enum err config_load_bytes(struct config *config, const char *name,
                           const char *bytes, size_t length)
{
    *config = (struct config){0};
    apply_defaults(config);
    struct config_document document = document_of(config);
    config_document_read(&document, name, bytes, length);
    apply_document(config, &document);
    return verdict(config);
}

void config_free(struct config *config)
{
    arena_free(&config->arena);
    *config = (struct config){0};
}
