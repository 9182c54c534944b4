/*
 * options.h: what a command may be told, as a table, and how it asks for what
 * it was told.
 *
 * A command declares its options as rows; parsing, help, the nearest match of
 * a misspelt name and the overriding of configuration all read the same rows.
 * Every value is checked while parsing, so that the accessors below cannot
 * fail: a command that runs has well-formed options. An accessor asked for a
 * name that the command did not declare ends the process; that is a mistake in
 * the program, found by the first run.
 *
 *     static const struct option options[] = {
 *         {.name = "--org",
 *          .value = "NAME",
 *          .type = OPTION_CONFIG,
 *          .key = "org",
 *          .help = "organisation of lines that name none"},
 *         {.name = "--format",
 *          .value = "ndjson|csv|table",
 *          .type = OPTION_CHOICE,
 *          .help = "how rows are printed (default ndjson)"},
 *         {0}};
 *
 * Common to all commands, never declared: --data, --config, --log, --quiet,
 * --help, and --json where the command says .prints_json.
 */
#ifndef ASSAY_CLI_OPTIONS_H
#define ASSAY_CLI_OPTIONS_H

#include "base/arena.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct command;
struct config_flag;
struct invocation;

enum option_type {
    OPTION_FLAG,   /* takes no value */
    OPTION_TEXT,   /* any text but the empty one */
    OPTION_INT,    /* decimal, within least and most unless both are 0 */
    OPTION_TIME,   /* RFC 3339, or a date, which means its midnight UTC */
    OPTION_CHOICE, /* one of the words in .value, which '|' separates */
    OPTION_CONFIG  /* overrides configuration key .key, which checks it */
};

/* One row; a table ends with a row without a name. */
struct option {
    const char *name;  /* "--org" */
    const char *value; /* placeholder in help, null for a flag */
    enum option_type type;
    const char *help; /* one phrase, lower case, no full stop */
    const char *key;  /* OPTION_CONFIG: "listen"; the value is in the config */
    const char *only; /* verbs it belongs to, "show export"; null for all */
    int64_t least;
    int64_t most;
    bool repeated; /* may be given several times: option_list */
};

/* The values of one option in the order given. */
struct option_list {
    const char *const *values;
    size_t count;
};

bool option_given(const struct invocation *invocation, const char *name);
bool option_flag(const struct invocation *invocation, const char *name);
/* Null where it was not given; the last one where given repeatedly. */
const char *option_text(const struct invocation *invocation, const char *name);
int64_t option_int(const struct invocation *invocation, const char *name,
                   int64_t otherwise);
/* Milliseconds since 1970 UTC. */
int64_t option_time(const struct invocation *invocation, const char *name,
                    int64_t otherwise_ms);
struct option_list option_list(struct invocation *invocation, const char *name);

/* ---- for cli.c, help.c and their tests ------------------------------- */

extern const struct option options_common[];
extern const struct option option_json;

/* Row I of all options that COMMAND takes, own ones first; null past the end.
 */
const struct option *option_at(const struct command *command, size_t i);

/*
 * Sorts COUNT arguments (after the command's name) into options and
 * positionals, checks both against the command, and fills INVOCATION.
 * ERR_USAGE with a sentence that names the nearest match. Values are borrowed
 * from ARGUMENTS; memory comes from invocation->arena.
 */
MUST_USE enum err options_parse(struct invocation *invocation,
                                const struct command *command,
                                char *const *arguments, size_t count);

/* What the options given say about the configuration; returns the count. */
size_t option_overrides(struct invocation *invocation,
                        const struct config_flag **flags);

#endif
