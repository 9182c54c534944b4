/*
 * yaml.c: one YAML document to options, by libyaml's events.
 *
 * The events are walked as they come and no tree is built, so the cost of a
 * hostile file is bounded by its size: depth is capped here, and aliases,
 * which make small files large, are refused. JSON is YAML and needs nothing of
 * its own. Besides the nesting of sections, "log.level: debug" in one word is
 * understood.
 *
 * A mistake in one option does not keep the others from being read; only
 * where the text is no YAML does the reading end.
 */
#include "config/keys.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

struct walk {
    struct config *config;
    const char *name; /* of the file */
    yaml_parser_t parser;
    yaml_event_t event; /* the present one; owned */
    size_t depth;
    bool ended; /* at the end, or where nothing more can be made of it */
    size_t lines[CONFIG_KEYS_MAX]; /* where each option was set; 0: not yet */
    /* The same for a section, kept at its first option's place. */
    size_t section_lines[CONFIG_KEYS_MAX];
};

enum { SHOWN_BYTES = 60 };

static void complain(struct walk *walk, size_t line, const char *format, ...)
    PRINTF_LIKE(3, 4);

static void complain(struct walk *walk, size_t line, const char *format, ...)
{
    char what[CONFIG_REASON_BYTES];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(what, sizeof what, format, arguments);
    va_end(arguments);
    struct config *config = walk->config;
    problem_add(config, &config->problems,
                place_of_line(&config->arena, walk->name, line), "%s", what);
}

/* ---- events -------------------------------------------------------------- */

static size_t line_of(const struct walk *walk)
{
    return walk->event.start_mark.line + 1;
}

/* libyaml knows the line of bad syntax, but of bad bytes only the offset. */
static void complain_syntax(struct walk *walk)
{
    const yaml_parser_t *parser = &walk->parser;
    size_t line = parser->problem_mark.line + 1;
    if (parser->error == YAML_READER_ERROR) {
        line = 1;
        const unsigned char *at = parser->input.string.start;
        const unsigned char *end = parser->input.string.end;
        for (size_t i = 0; i < parser->problem_offset && at + i < end; i++)
            line += at[i] == '\n';
    }
    complain(walk, line, "is not YAML: %s%s%s",
             parser->context ? parser->context : "",
             parser->context ? ", " : "",
             parser->problem ? parser->problem : "it cannot be read");
}

static void check_depth(struct walk *walk)
{
    switch (walk->event.type) {
    case YAML_MAPPING_START_EVENT:
    case YAML_SEQUENCE_START_EVENT:
        walk->depth++;
        break;
    case YAML_MAPPING_END_EVENT:
    case YAML_SEQUENCE_END_EVENT:
        walk->depth--;
        break;
    default:
        break;
    }
    if (walk->depth > CONFIG_DEPTH_MAX) {
        complain(walk, line_of(walk), "nests deeper than %d levels",
                 CONFIG_DEPTH_MAX);
        walk->ended = true;
    }
}

/* Moves to the next event; YAML_NO_EVENT once nothing more can be read. */
static yaml_event_type_t next(struct walk *walk)
{
    yaml_event_delete(&walk->event);
    if (walk->ended)
        return YAML_NO_EVENT;
    if (!yaml_parser_parse(&walk->parser, &walk->event)) {
        complain_syntax(walk);
        walk->ended = true;
        return YAML_NO_EVENT;
    }
    if (walk->event.type == YAML_STREAM_END_EVENT)
        walk->ended = true;
    if (walk->event.type == YAML_ALIAS_EVENT)
        complain(walk, line_of(walk),
                 "uses an alias (*%.*s), which is not taken; write the value "
                 "out",
                 SHOWN_BYTES, (const char *)walk->event.data.alias.anchor);
    check_depth(walk);
    return walk->ended ? YAML_NO_EVENT : walk->event.type;
}

/* Moves to the end of the value that begins with the present event. */
static void skip(struct walk *walk)
{
    yaml_event_type_t type = walk->event.type;
    if (type != YAML_MAPPING_START_EVENT && type != YAML_SEQUENCE_START_EVENT)
        return;
    size_t outside = walk->depth - 1;
    while (walk->depth > outside && next(walk) != YAML_NO_EVENT)
        continue;
}

/* ---- names --------------------------------------------------------------- */

/* The first option of section PATH, or config_keys_count. */
static size_t section_find(const char *path)
{
    size_t length = strlen(path);
    size_t i = 0;
    while (i < config_keys_count &&
           (strncmp(config_keys[i].path, path, length) != 0 ||
            config_keys[i].path[length] != '.'))
        i++;
    return i;
}

static const char *last_part(const char *path)
{
    const char *dot = strrchr(path, '.');
    return dot ? dot + 1 : path;
}

/* An option near PATH; or the one that is right but in another section. */
static const char *suggestion(const char *path)
{
    const char *paths[CONFIG_KEYS_MAX];
    for (size_t i = 0; i < config_keys_count; i++) {
        paths[i] = config_keys[i].path;
        if (strcmp(last_part(path), last_part(paths[i])) == 0)
            return paths[i];
    }
    return nearest_word(path, paths, config_keys_count);
}

static const char *suggest_section(struct arena *arena, const char *path)
{
    const char *words[CONFIG_KEYS_MAX];
    size_t count = 0;
    for (size_t i = 0; i < config_keys_count; i++) {
        size_t length = strcspn(config_keys[i].path, ".");
        if (config_keys[i].path[length])
            words[count++] = arena_text(arena, config_keys[i].path, length);
    }
    return nearest_word(path, words, count);
}

static void complain_unknown(struct walk *walk, const char *path, size_t line)
{
    const char *near = suggestion(path);
    if (!near)
        near = suggest_section(&walk->config->arena, path);
    complain(walk, line, "there is no option %.*s%s%s%s", SHOWN_BYTES, path,
             near ? "; did you mean " : "", near ? near : "",
             near ? "?" : "; \"assay config default\" lists all");
}

/* True, with a complaint, where the option was set at *BEFORE already. */
static bool repeated(struct walk *walk, const char *path, size_t *before,
                     size_t line)
{
    if (*before) {
        complain(walk, line, "%s stands in line %zu already", path, *before);
        return true;
    }
    *before = line;
    return false;
}

/* ---- values -------------------------------------------------------------- */

/* Nothing after the colon, or one of YAML's words for nothing. */
static bool is_nothing(const yaml_event_t *event)
{
    static const char *const words[] = {"", "~", "null", "Null", "NULL"};
    if (event->type != YAML_SCALAR_EVENT ||
        event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE)
        return false;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (strcmp((const char *)event->data.scalar.value, words[i]) == 0)
            return true;
    }
    return false;
}

/* The present event is the value of option I. */
static void read_option(struct walk *walk, size_t i, size_t line)
{
    const char *path = config_keys[i].path;
    const yaml_event_t *event = &walk->event;
    if (event->type == YAML_ALIAS_EVENT)
        return;
    if (event->type != YAML_SCALAR_EVENT) {
        complain(walk, line, "%s takes one value, not a list or a section",
                 path);
        skip(walk);
        return;
    }
    const char *text = (const char *)event->data.scalar.value;
    if (is_nothing(event))
        complain(walk, line, "%s has no value; give one or delete the line",
                 path);
    else if (strlen(text) != event->data.scalar.length)
        complain(walk, line, "%s holds a NUL character", path);
    else
        config_set(walk->config, i, text,
                   (struct config_origin){
                       .place = CONFIG_FILE, .name = walk->name, .line = line});
}

static void read_section(struct walk *walk, const char *section);

/* The present event is the value of KEY, which stands in SECTION. */
static void read_entry(struct walk *walk, const char *section, const char *key,
                       size_t line)
{
    struct arena *arena = &walk->config->arena;
    const char *path = *section ? arena_printf(arena, "%s.%s", section, key)
                                : arena_text(arena, key, strlen(key));
    size_t option = config_key_find(path);
    size_t inner = section_find(path);
    yaml_event_type_t type = walk->event.type;
    if (option < config_keys_count) {
        if (repeated(walk, path, &walk->lines[option], line))
            skip(walk);
        else
            read_option(walk, option, line);
    } else if (inner == config_keys_count) {
        complain_unknown(walk, path, line);
        skip(walk);
    } else if (repeated(walk, path, &walk->section_lines[inner], line)) {
        skip(walk);
    } else if (type == YAML_MAPPING_START_EVENT) {
        read_section(walk, path);
    } else if (!is_nothing(&walk->event)) {
        complain(walk, line,
                 "%s is a section; its options stand indented "
                 "below it",
                 path);
        skip(walk);
    }
}

/* The present event opened the mapping; ends behind its end. */
static void read_section(struct walk *walk, const char *section)
{
    for (;;) {
        yaml_event_type_t type = next(walk);
        if (type == YAML_NO_EVENT || type == YAML_MAPPING_END_EVENT)
            return;
        size_t line = line_of(walk);
        if (type != YAML_SCALAR_EVENT) {
            complain(walk, line, "the name of an option is one word");
            skip(walk);
            if (next(walk) != YAML_NO_EVENT)
                skip(walk);
            continue;
        }
        const char *key = (const char *)walk->event.data.scalar.value;
        key = arena_text(&walk->config->arena, key, strlen(key));
        if (next(walk) != YAML_NO_EVENT)
            read_entry(walk, section, key, line);
    }
}

static void read_document(struct walk *walk)
{
    yaml_event_type_t type = next(walk);
    if (type == YAML_MAPPING_START_EVENT) {
        read_section(walk, "");
    } else if (type != YAML_NO_EVENT && !is_nothing(&walk->event)) {
        complain(walk, line_of(walk),
                 "is no configuration: options are written \"name: value\"");
        skip(walk);
    }
}

void yaml_apply(struct config *config, const char *name, const char *bytes,
                size_t length)
{
    if (length > CONFIG_FILE_MAX_BYTES) {
        problem_add(config, &config->problems, name,
                    "is larger than a configuration may be (%d bytes)",
                    CONFIG_FILE_MAX_BYTES);
        return;
    }
    struct walk walk = {.config = config, .name = name};
    if (!yaml_parser_initialize(&walk.parser))
        abort();
    yaml_parser_set_input_string(&walk.parser, (const unsigned char *)bytes,
                                 length);
    yaml_event_type_t type = next(&walk);
    while (type != YAML_NO_EVENT && type != YAML_DOCUMENT_START_EVENT)
        type = next(&walk);
    if (type == YAML_DOCUMENT_START_EVENT)
        read_document(&walk);
    while (type != YAML_NO_EVENT) {
        type = next(&walk);
        if (type == YAML_DOCUMENT_START_EVENT) {
            complain(&walk, line_of(&walk),
                     "begins a second document; a configuration is one");
            break;
        }
    }
    yaml_event_delete(&walk.event);
    yaml_parser_delete(&walk.parser);
}
