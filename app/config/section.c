/*
 * section.c: a section of a document against the table of what it may hold.
 *
 * Names nest: the field "log.level" is set by level in the section log, and by
 * "log.level: debug" in one word as well.
 */
#include "config/keys.h"

#include <stdlib.h>
#include <string.h>

struct walk {
    struct config_document *document;
    const struct config_table *table;
    section_setter set;
    void *context;
    size_t lines[CONFIG_KEYS_MAX]; /* where each field was set; 0: not yet */
    /* The same for a section, kept at its first field's place. */
    size_t section_lines[CONFIG_KEYS_MAX];
    size_t other_lines[CONFIG_OTHERS_MAX];
};

enum { SHOWN_BYTES = 60 };

/* ---- names --------------------------------------------------------------- */

static size_t field_find(const struct config_table *table, const char *path)
{
    size_t i = 0;
    while (i < table->count && strcmp(table->keys[i].path, path) != 0)
        i++;
    return i;
}

/* The first field of section PATH, or the count. */
static size_t section_find(const struct config_table *table, const char *path)
{
    size_t length = strlen(path);
    size_t i = 0;
    while (i < table->count &&
           (strncmp(table->keys[i].path, path, length) != 0 ||
            table->keys[i].path[length] != '.'))
        i++;
    return i;
}

/* The place of PATH among the names that the caller reads, or the maximum. */
static size_t other_find(const struct config_table *table, const char *path)
{
    for (size_t i = 0; table->others && table->others[i]; i++) {
        if (strcmp(table->others[i], path) == 0)
            return i;
    }
    return CONFIG_OTHERS_MAX;
}

static const char *last_part(const char *path)
{
    const char *dot = strrchr(path, '.');
    return dot ? dot + 1 : path;
}

/* A name near PATH; or the one that is right but in another section. */
static const char *suggestion(const struct config_table *table,
                              const char *path)
{
    const char *paths[CONFIG_KEYS_MAX + CONFIG_OTHERS_MAX];
    size_t count = table->count;
    for (size_t i = 0; i < count; i++) {
        paths[i] = table->keys[i].path;
        if (strcmp(last_part(path), last_part(paths[i])) == 0)
            return paths[i];
    }
    for (size_t i = 0; table->others && table->others[i]; i++)
        paths[count++] = table->others[i];
    return nearest_word(path, paths, count);
}

static const char *suggest_section(struct arena *arena,
                                   const struct config_table *table,
                                   const char *path)
{
    const char *words[CONFIG_KEYS_MAX];
    size_t count = 0;
    for (size_t i = 0; i < table->count; i++) {
        const char *name = table->keys[i].path;
        size_t length = strcspn(name, ".");
        if (name[length])
            words[count++] = arena_text(arena, name, length);
    }
    return nearest_word(path, words, count);
}

static void complain_unknown(struct walk *walk, const char *path, size_t line)
{
    const struct config_table *table = walk->table;
    const char *near = suggestion(table, path);
    if (!near)
        near = suggest_section(walk->document->arena, table, path);
    config_document_complain(
        walk->document, line, "there is no option %.*s%s%s%s%s", SHOWN_BYTES,
        path, near ? "; did you mean " : "; ", near ? near : "",
        near ? "?" : "", near ? "" : table->advice);
}

/* True, with a complaint, where PATH was set at *BEFORE already. */
static bool repeated(struct walk *walk, const char *path, size_t *before,
                     size_t line)
{
    if (*before) {
        config_document_complain(walk->document, line,
                                 "%.*s stands in line %zu already", SHOWN_BYTES,
                                 path, *before);
        return true;
    }
    *before = line;
    return false;
}

/* ---- values -------------------------------------------------------------- */

static void read_field(struct walk *walk, size_t i,
                       const struct config_node *node)
{
    const char *path = walk->table->keys[i].path;
    if (node->kind == CONFIG_NODE_REFUSED)
        return;
    if (node->kind == CONFIG_NODE_NOTHING)
        config_document_complain(walk->document, node->line,
                                 "%s has no value; give one or delete the line",
                                 path);
    else if (node->kind != CONFIG_NODE_SCALAR)
        config_document_complain(walk->document, node->line,
                                 "%s takes one value, not a list or a section",
                                 path);
    else
        walk->set(walk->context, i, node->text, node->line);
}

static void read_map(struct walk *walk, const char *section,
                     const struct config_node *map);

static void read_member(struct walk *walk, const char *path,
                        const struct config_node *node)
{
    const struct config_table *table = walk->table;
    size_t field = field_find(table, path);
    size_t inner = section_find(table, path);
    size_t other = other_find(table, path);
    if (field < table->count) {
        if (!repeated(walk, path, &walk->lines[field], node->line))
            read_field(walk, field, node);
    } else if (other < CONFIG_OTHERS_MAX) {
        (void)repeated(walk, path, &walk->other_lines[other], node->line);
    } else if (inner == table->count) {
        complain_unknown(walk, path, node->line);
    } else if (repeated(walk, path, &walk->section_lines[inner], node->line)) {
        return;
    } else if (node->kind == CONFIG_NODE_MAP) {
        read_map(walk, path, node);
    } else if (node->kind != CONFIG_NODE_NOTHING) {
        config_document_complain(walk->document, node->line,
                                 "%s is a section; its options stand indented "
                                 "below it",
                                 path);
    }
}

static void read_map(struct walk *walk, const char *section,
                     const struct config_node *map)
{
    struct arena *arena = walk->document->arena;
    for (const struct config_node *at = map->members; at; at = at->next) {
        const char *path =
            *section ? arena_printf(arena, "%s.%s", section, at->key) : at->key;
        read_member(walk, path, at);
    }
}

void section_read(struct config_document *document,
                  const struct config_node *map,
                  const struct config_table *table, section_setter set,
                  void *context)
{
    struct walk walk = {
        .document = document, .table = table, .set = set, .context = context};
    if (!map || map->kind == CONFIG_NODE_NOTHING ||
        map->kind == CONFIG_NODE_REFUSED)
        return;
    if (map->kind == CONFIG_NODE_MAP)
        read_map(&walk, "", map);
    else
        config_document_complain(document, map->line,
                                 "is no %s: options are written \"name: "
                                 "value\"",
                                 table->what);
}

/* ---- for other rooms ----------------------------------------------------- */

const struct config_node *config_node_member(const struct config_node *map,
                                             const char *key)
{
    const struct config_node *at =
        map && map->kind == CONFIG_NODE_MAP ? map->members : NULL;
    while (at && strcmp(at->key, key) != 0)
        at = at->next;
    return at;
}

void config_table_defaults(struct arena *arena,
                           const struct config_table *table, void *target)
{
    char reason[CONFIG_REASON_BYTES];
    for (size_t i = 0; i < table->count; i++) {
        /* A default that its own row refuses is our mistake. */
        if (!value_read(arena, &table->keys[i], target, table->keys[i].standard,
                        reason))
            abort();
    }
}

struct reading {
    struct config_document *document;
    const struct config_table *table;
    void *target;
};

static void set_field(void *context, size_t i, const char *text, size_t line)
{
    struct reading *reading = context;
    const struct config_key *key = &reading->table->keys[i];
    char reason[CONFIG_REASON_BYTES];
    if (!value_read(reading->document->arena, key, reading->target, text,
                    reason))
        config_document_complain(reading->document, line, "%s %s", key->path,
                                 reason);
}

void config_table_read(struct config_document *document,
                       const struct config_node *map,
                       const struct config_table *table, void *target)
{
    struct reading reading = {document, table, target};
    section_read(document, map, table, set_field, &reading);
}
