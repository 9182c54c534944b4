/*
 * document.c: from libyaml's events to a tree of nodes.
 *
 * A mistake does not keep the rest from being read; only where the text is no
 * YAML does the reading end.
 */
#include "base/file.h"
#include "config/keys.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

struct walk {
    struct config_document *document;
    yaml_parser_t parser;
    yaml_event_t event; /* the present one; owned */
    size_t depth;
    bool ended; /* at the end, or where nothing more can be made of it */
};

enum { SHOWN_BYTES = 60 };

void config_document_complain(struct config_document *document, size_t line,
                              const char *format, ...)
{
    char what[CONFIG_REASON_BYTES];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(what, sizeof what, format, arguments);
    va_end(arguments);
    problem_add(document->arena, document->problems,
                place_of_line(document->arena, document->name, line), "%s",
                what);
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
    config_document_complain(
        walk->document, line, "is not YAML: %s%s%s",
        parser->context ? parser->context : "", parser->context ? ", " : "",
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
        config_document_complain(walk->document, line_of(walk),
                                 "nests deeper than %d levels",
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
        config_document_complain(
            walk->document, line_of(walk),
            "uses an alias (*%.*s), which is not taken; write the value out",
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

/* ---- nodes --------------------------------------------------------------- */

/* Nothing after the colon, or one of YAML's words for nothing. */
static bool is_nothing(const yaml_event_t *event)
{
    static const char *const words[] = {"", "~", "null", "Null", "NULL"};
    if (event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE)
        return false;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (strcmp((const char *)event->data.scalar.value, words[i]) == 0)
            return true;
    }
    return false;
}

static void read_scalar(struct walk *walk, struct config_node *node)
{
    const yaml_event_t *event = &walk->event;
    const char *text = (const char *)event->data.scalar.value;
    size_t length = event->data.scalar.length;
    if (strlen(text) != length) {
        config_document_complain(walk->document, line_of(walk),
                                 "%.*s holds a NUL character", SHOWN_BYTES,
                                 node->key ? node->key : "a value");
        return;
    }
    node->kind = is_nothing(event) ? CONFIG_NODE_NOTHING : CONFIG_NODE_SCALAR;
    node->text = arena_text(walk->document->arena, text, length);
}

static struct config_node *read_node(struct walk *walk, const char *key,
                                     size_t line);

/* The present event opened a list; ends behind its end. */
static void read_list(struct walk *walk, struct config_node *list)
{
    struct config_node **last = &list->members;
    list->kind = CONFIG_NODE_LIST;
    for (;;) {
        yaml_event_type_t type = next(walk);
        if (type == YAML_NO_EVENT || type == YAML_SEQUENCE_END_EVENT)
            return;
        *last = read_node(walk, NULL, line_of(walk));
        last = &(*last)->next;
    }
}

/* The present event opened a map; ends behind its end. */
static void read_map(struct walk *walk, struct config_node *map)
{
    struct config_node **last = &map->members;
    map->kind = CONFIG_NODE_MAP;
    for (;;) {
        yaml_event_type_t type = next(walk);
        if (type == YAML_NO_EVENT || type == YAML_MAPPING_END_EVENT)
            return;
        size_t line = line_of(walk);
        if (type != YAML_SCALAR_EVENT) {
            config_document_complain(walk->document, line,
                                     "the name of an option is one word");
            skip(walk);
            if (next(walk) != YAML_NO_EVENT)
                skip(walk);
            continue;
        }
        const char *key = (const char *)walk->event.data.scalar.value;
        key = arena_text(walk->document->arena, key, strlen(key));
        if (next(walk) == YAML_NO_EVENT)
            return;
        *last = read_node(walk, key, line);
        last = &(*last)->next;
    }
}

/* The node whose value begins with the present event; ends behind it. The
 * recursion is bounded by check_depth(). */
static struct config_node *read_node(struct walk *walk, const char *key,
                                     size_t line)
{
    struct config_node *node = arena_alloc(walk->document->arena, sizeof *node);
    *node = (struct config_node){
        .kind = CONFIG_NODE_REFUSED, .key = key, .text = "", .line = line};
    switch (walk->event.type) {
    case YAML_SCALAR_EVENT:
        read_scalar(walk, node);
        break;
    case YAML_SEQUENCE_START_EVENT:
        read_list(walk, node);
        break;
    case YAML_MAPPING_START_EVENT:
        read_map(walk, node);
        break;
    default:
        break;
    }
    return node;
}

/* ---- documents ----------------------------------------------------------- */

static void read_stream(struct walk *walk)
{
    yaml_event_type_t type = next(walk);
    while (type != YAML_NO_EVENT && type != YAML_DOCUMENT_START_EVENT)
        type = next(walk);
    if (type == YAML_DOCUMENT_START_EVENT && next(walk) != YAML_NO_EVENT)
        walk->document->root = read_node(walk, NULL, line_of(walk));
    while (type != YAML_NO_EVENT) {
        type = next(walk);
        if (type == YAML_DOCUMENT_START_EVENT) {
            config_document_complain(
                walk->document, line_of(walk),
                "begins a second document; a file of options is one");
            break;
        }
    }
}

void config_document_read(struct config_document *document, const char *name,
                          const char *bytes, size_t length)
{
    document->name = arena_text(document->arena, name, strlen(name));
    document->root = NULL;
    if (length > CONFIG_FILE_MAX_BYTES) {
        problem_add(document->arena, document->problems, document->name,
                    "is larger than a file of options may be (%d bytes)",
                    CONFIG_FILE_MAX_BYTES);
        return;
    }
    struct walk walk = {.document = document};
    if (!yaml_parser_initialize(&walk.parser))
        abort();
    yaml_parser_set_input_string(&walk.parser, (const unsigned char *)bytes,
                                 length);
    read_stream(&walk);
    yaml_event_delete(&walk.event);
    yaml_parser_delete(&walk.parser);
}

void config_document_load(struct config_document *document, const char *path)
{
    struct buf bytes = {0};
    if (file_read(path, CONFIG_FILE_MAX_BYTES, &bytes))
        config_document_read(document, path, buf_string(&bytes), bytes.length);
    else
        problem_add(document->arena, document->problems, path,
                    "cannot be read: %s", strerror(errno));
    buf_free(&bytes);
}
