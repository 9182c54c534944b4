/*
 * cli.h: what a command is, and what it is handed when it runs.
 *
 * One file a command: it defines one struct command under the name
 * command_NAME, and cli.c lists it. A command prints data to standard output
 * and everything else through log_message(); it returns an enum err with its
 * sentence set, and main turns both into "assay NAME: sentence" and the exit
 * code. Standard output is flushed and checked after every command, so that a
 * full disk or a closed pipe never passes for success; a command that streams
 * stops earlier by looking at what table_end_row() returns.
 *
 *     static enum err run(struct invocation *invocation) { ... }
 *
 *     const struct command command_rebuild = {
 *         .name = "rebuild",
 *         .summary = "derive every table again from the evidence",
 *         .about = "Paragraphs. Help wraps them; an empty line parts them.",
 *         .options = options,
 *         .run = run,
 *     };
 *
 * Threads: main's thread alone. SIGPIPE is ignored before a command runs;
 * SIGINT and SIGTERM are left to the command.
 */
#ifndef ASSAY_CLI_CLI_H
#define ASSAY_CLI_CLI_H

#include "base/arena.h"
#include "base/err.h"
#include "base/fields.h"
#include "cli/options.h"
#include "config/config.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct invocation;

/* A command of several actions, as `evidence show`, has a row for each. */
struct verb {
    const char *name;
    const char *arguments; /* as in usage: "LINE...", "" for none */
    const char *summary;
    size_t least; /* positional arguments after the verb */
    size_t most;  /* ARGUMENTS_ANY for no limit */
    enum err (*run)(struct invocation *invocation);
};

struct example {
    const char *line;    /* "assay import --org acme events.ndjson.zst" */
    const char *meaning; /* one phrase, lower case, no full stop */
};

#define ARGUMENTS_ANY ((size_t)-1)

/* The columns of the rows that a verb prints, for its help. */
struct verb_columns {
    const char *verb;
    const struct fields *columns;
    const struct fields *assay; /* by --lens assay; null where the same */
};

struct command {
    const char *name;
    const char *summary;      /* one line, lower case, no full stop */
    const char *arguments;    /* as in usage: "FILE..."; null with verbs */
    const char *about;        /* paragraphs */
    const struct verb *verbs; /* ends with a row without a name */
    const struct verb_columns *columns; /* the same; null where no rows */
    const struct option *options;   /* the same; null for common ones only */
    const struct example *examples; /* ends with a row without a line */
    const char *exits; /* lines "N  meaning", only where they differ from the
                          common ones or need a word more; null otherwise */
    size_t least;      /* positional arguments, where there are no verbs */
    size_t most;
    bool prints_json;    /* takes --json */
    bool without_config; /* runs with the defaults, reads no file */
    enum err (*run)(struct invocation *invocation); /* null with verbs */
};

struct invocation {
    const struct command *command;
    const struct verb *verb; /* null for a command without verbs */
    const struct config *config;
    struct arena arena;     /* for anything that lives as long as the command */
    char *const *arguments; /* positional ones, after the verb */
    size_t argument_count;
    bool json;
    bool quiet; /* no progress, no messages below warning */
    /* --config, or the environment's ASSAY_CONFIG, or null */
    const char *config_path;
    struct option_value *values; /* private to options.c */
    size_t value_count;
    bool help; /* --help was given; the command does not run */
};

extern const struct command command_serve;
extern const struct command command_demo;
extern const struct command command_import;
extern const struct command command_export;
extern const struct command command_rebuild;
extern const struct command command_probe;
extern const struct command command_plan;
extern const struct command command_evidence;
extern const struct command command_metrics;
extern const struct command command_config;
extern const struct command command_token;
extern const struct command command_backup;
extern const struct command command_restore;
extern const struct command command_sim;
extern const struct command command_doctor;
extern const struct command command_healthcheck;
extern const struct command command_version;
extern const struct command command_help;

/* All commands in the order of help; ends with null. */
extern const struct command *const commands[];

/* The command called NAME; ERR_USAGE with the nearest match. */
MUST_USE enum err command_named(const char *name,
                                const struct command **command);

/* Loads file, environment and flags as they stand for this invocation, and
 * logs what is doubtful. Done before a command runs, except where it says
 * .without_config. CONFIG is to be freed in either case. */
MUST_USE enum err invocation_config(struct invocation *invocation,
                                    struct config *config);

/* What `assay --help` and `assay COMMAND --help` print, 80 columns wide. With
 * VERB, which may be null, the columns of its rows are told, too. */
void help_overview(FILE *out);
void help_command(FILE *out, const struct command *command,
                  const struct verb *verb);
/* TEXT behind INDENT blanks, broken between words. USED columns of the first
 * line are taken already, blanks included. Lines that begin with a blank stay
 * as they are. */
void print_wrapped(FILE *out, size_t indent, size_t used, const char *text);

/* "assay 0.1.0" and what it was built from, as `assay --version` prints. */
void version_print(FILE *out);

/* Parses, loads the configuration, runs, reports; returns the exit code. */
int cli_main(int argc, char **argv);

#endif
