/*
 * document.h: a YAML file of ours as a tree with line numbers, and reading its
 * sections by tables of fields.
 *
 * The configuration, scenarios and whatever else a person writes for this
 * program are read the same way: the file becomes a tree, a table says which
 * names a section may hold and what each of them takes, and everything that is
 * wrong is kept as a problem with its line, so that a person mends a file in
 * one go. JSON is YAML and needs nothing of its own.
 *
 *     struct config_document file = {.arena = &arena, .problems = &problems};
 *     config_document_load(&file, "scenario.yaml");
 *     config_table_defaults(&arena, &table, &settings);
 *     config_table_read(&file, file.root, &table, &settings);
 *     return config_problems_verdict(&problems, "the log lists all");
 *
 * The cost of a hostile file is bounded by its size, which is capped: depth is
 * capped too, and aliases, which make small files large, are refused.
 */
#ifndef ASSAY_CONFIG_DOCUMENT_H
#define ASSAY_CONFIG_DOCUMENT_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CONFIG_FILE_MAX_BYTES = 1 << 20, CONFIG_DEPTH_MAX = 16 };

/* ---- problems ------------------------------------------------------------ */

struct config_problem {
    const char *where; /* "assay.yaml:3", "ASSAY_LISTEN", "--listen" */
    const char *what;  /* a sentence without its full stop */
};

struct config_problems {
    struct config_problem *items;
    size_t count;
};

/* ERR_NONE where there are none; else ERR_CONFIG with the first as sentence,
 * how many more there are, and ALL, which says where all are told. */
MUST_USE enum err
config_problems_verdict(const struct config_problems *problems,
                        const char *all);

/* ---- fields -------------------------------------------------------------- */

enum config_type {
    CONFIG_TEXT,     /* const char *, may be empty */
    CONFIG_PATH,     /* const char *, not empty; from the working directory */
    CONFIG_INT,      /* int64_t, decimal */
    CONFIG_NUMBER,   /* double, not negative, decimal: "24", "23.976" */
    CONFIG_BOOL,     /* bool, "true" or "false" */
    CONFIG_CHOICE,   /* int, position among the words of .choices */
    CONFIG_DURATION, /* int64_t in ms, "250ms", "30s", "5m", "2h", "7d" */
    CONFIG_SIZE,     /* int64_t in bytes, "800", "10MB" (1000s), "10MiB" */
    CONFIG_ADDRESS,  /* struct config_address */
    CONFIG_LABELS,   /* const char *, "name=label, name=label"; may be empty */
    CONFIG_SECRET    /* struct config_secret; the value is a file's path */
};

/* What one name takes, and where it goes. */
struct config_key {
    const char *path; /* "evidence.max_bytes": max_bytes in section evidence */
    enum config_type type;
    size_t offset;        /* of the field in its struct */
    const char *standard; /* the default, as it would be written */
    const char *choices;  /* CONFIG_CHOICE: "a|b|c" */
    const char *unit;     /* null where there is none */
    const char *help;     /* one sentence */
    int64_t least;        /* range of INT, NUMBER, DURATION and SIZE */
    int64_t most;
};

enum { CONFIG_KEYS_MAX = 64, CONFIG_OTHERS_MAX = 16 };

/* All that one section may hold. */
struct config_table {
    const char *what; /* "configuration", for messages */
    const struct config_key *keys;
    size_t count; /* at most CONFIG_KEYS_MAX */
    /* Names whose values the caller reads itself, at most CONFIG_OTHERS_MAX;
     * ends with null; null for none. */
    const char *const *others;
    const char *advice; /* where all names are found: "\"assay ...\" lists all"
                         */
};

/* ---- the tree ------------------------------------------------------------ */

enum config_node_kind {
    CONFIG_NODE_NOTHING, /* "name:" alone, or one of YAML's words for null */
    CONFIG_NODE_SCALAR,
    CONFIG_NODE_MAP,
    CONFIG_NODE_LIST,
    CONFIG_NODE_REFUSED /* a problem tells why */
};

struct config_node {
    enum config_node_kind kind;
    const char *key;             /* its name in a map, null in a list */
    const char *text;            /* of a scalar, "" otherwise */
    size_t line;                 /* 1 is the first; of the name where it has
                                    one */
    struct config_node *members; /* of a map or list, in the file's order */
    struct config_node *next;    /* of the same map or list */
};

struct config_document {
    struct arena *arena;              /* the caller's; owns the tree */
    struct config_problems *problems; /* the caller's */
    const char *name;                 /* of the file, for messages */
    const struct config_node *root;   /* null where the file is empty */
};

/* Reads the file at PATH, or LENGTH bytes that are called NAME in messages.
 * What is wrong is added to the problems; what came before it is in the tree.
 */
void config_document_load(struct config_document *document, const char *path);
void config_document_read(struct config_document *document, const char *name,
                          const char *bytes, size_t length);

/* Adds a problem at LINE. */
void config_document_complain(struct config_document *document, size_t line,
                              const char *format, ...) PRINTF_LIKE(3, 4);

/* The member of MAP called KEY; null where MAP is null or has none. */
const struct config_node *config_node_member(const struct config_node *map,
                                             const char *key);

/* Sets every field of TARGET to its default. */
void config_table_defaults(struct arena *arena,
                           const struct config_table *table, void *target);

/* Sets the fields of TARGET that MAP names. Unknown names, names that stand
 * twice and values that a field does not take become problems. MAP may be null.
 */
void config_table_read(struct config_document *document,
                       const struct config_node *map,
                       const struct config_table *table, void *target);

/* A commented file that sets every field to its default; OPENING is its first
 * comment. */
void config_table_yaml(struct buf *out, const struct config_table *table,
                       const char *opening);

#endif
