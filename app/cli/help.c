/*
 * help.c: every help text, put together from the tables that also decide what
 * is accepted, so that neither can say what the other does not do.
 */
#include "cli/cli.h"

#include <string.h>

enum { COLUMNS = 80, NAME_COLUMNS = 25 };

static void print_line(FILE *out, size_t indent, const char *text,
                       size_t length)
{
    fprintf(out, "%*s%.*s\n", length ? (int)indent : 0, "", (int)length, text);
}

/* How much of TEXT fits into WIDTH: up to a blank, or one word too long. */
static size_t fitting(const char *text, size_t width)
{
    size_t whole = strcspn(text, "\n");
    if (whole <= width)
        return whole;
    size_t end = width;
    while (end && text[end] != ' ')
        end--;
    return end ? end : strcspn(text, " \n");
}

void print_wrapped(FILE *out, size_t indent, size_t used, const char *text)
{
    size_t first_indent = used ? 0 : indent;
    do {
        bool verbatim = *text == ' ';
        size_t length =
            verbatim ? strcspn(text, "\n") : fitting(text, COLUMNS - indent);
        print_line(out, first_indent, text, length);
        first_indent = indent;
        text += length;
        if (*text == '\n')
            text++;
        else
            text += strspn(text, " ");
    } while (*text);
}

/* "  NAME   text", the text in one column with those of other rows. */
static void print_row(FILE *out, const char *name, size_t name_columns,
                      const char *text)
{
    size_t column = name_columns + 4;
    size_t length = strlen(name);
    fprintf(out, "  %s", name);
    if (length > name_columns)
        fprintf(out, "\n%*s", (int)column, "");
    else
        fprintf(out, "%*s", (int)(column - 2 - length), "");
    print_wrapped(out, column, column, text);
}

/* ---- one command --------------------------------------------------------- */

static void print_usage(FILE *out, const struct command *command)
{
    const char *arguments = command->arguments ? command->arguments : "";
    if (!command->verbs) {
        fprintf(out, "Usage: assay %s%s%s [OPTION]...\n", command->name,
                *arguments ? " " : "", arguments);
        return;
    }
    for (const struct verb *verb = command->verbs; verb->name; verb++)
        fprintf(out, "%s assay %s %s%s%s [OPTION]...\n",
                verb == command->verbs ? "Usage:" : "      ", command->name,
                verb->name, *verb->arguments ? " " : "", verb->arguments);
}

static void print_verbs(FILE *out, const struct command *command)
{
    size_t width = 0;
    for (const struct verb *verb = command->verbs; verb->name; verb++)
        width = strlen(verb->name) > width ? strlen(verb->name) : width;
    fprintf(out, "\nWhat it can do:\n");
    for (const struct verb *verb = command->verbs; verb->name; verb++)
        print_row(out, verb->name, width, verb->summary);
}

static void print_option(FILE *out, struct arena *arena,
                         const struct option *option)
{
    const char *name =
        arena_printf(arena, "%s%s%s", option->name, option->value ? " " : "",
                     option->value ? option->value : "");
    const char *text = option->help;
    if (option->only)
        text = arena_printf(arena, "%s (%s)", text, option->only);
    if (option->repeated)
        text = arena_printf(arena, "%s; may be repeated", text);
    print_row(out, name, NAME_COLUMNS, text);
}

static void print_options(FILE *out, const struct command *command)
{
    struct arena arena = {0};
    const struct option *option;
    fprintf(out, "\nOptions:\n");
    for (size_t i = 0; (option = option_at(command, i)) != NULL; i++)
        print_option(out, &arena, option);
    arena_free(&arena);
}

static void print_examples(FILE *out, const struct example *example)
{
    fprintf(out, "\nExamples:\n");
    for (; example->line; example++) {
        fprintf(out, "  %s\n", example->line);
        fprintf(out, "      %s\n", example->meaning);
    }
}

static const char common_exits[] =
    "0  done\n"
    "1  something was found that is not as it should be\n"
    "2  wrong usage or configuration\n"
    "3  the store cannot be used\n"
    "4  the network cannot be used\n"
    "5  not enough evidence\n";

static void print_exits(FILE *out, const char *exits)
{
    fprintf(out, "\nExit codes:\n");
    print_wrapped(out, 2, 0, exits ? exits : common_exits);
}

static const struct verb_columns *columns_of(const struct command *command,
                                             const struct verb *verb)
{
    const struct verb_columns *row = verb ? command->columns : NULL;
    while (row && row->verb && strcmp(row->verb, verb->name) != 0)
        row++;
    return row && row->verb ? row : NULL;
}

/* Names of COLUMNS under TITLE; but those that BUT (null for none) has. */
static void print_columns(FILE *out, const char *title,
                          const struct fields *columns,
                          const struct fields *but)
{
    struct buf names = {0};
    for (size_t i = 0; i < columns->exported; i++)
        if (!but || !fields_named(*but, but->exported, columns->list[i].name))
            buf_printf(&names, "%s%s", names.length ? " " : "",
                       columns->list[i].name);
    if (names.length) {
        fprintf(out, "\n%s:\n  ", title);
        print_wrapped(out, 2, 2, buf_string(&names));
    }
    buf_free(&names);
}

void help_command(FILE *out, const struct command *command,
                  const struct verb *verb)
{
    print_usage(out, command);
    fprintf(out, "\n");
    if (command->about)
        print_wrapped(out, 0, 0, command->about);
    else
        fprintf(out, "%s\n", command->summary);
    if (command->verbs)
        print_verbs(out, command);
    const struct verb_columns *row = columns_of(command, verb);
    if (row)
        print_columns(out, "Columns", row->columns, NULL);
    if (row && row->assay)
        print_columns(out, "With --lens assay also", row->assay, row->columns);
    print_options(out, command);
    if (command->examples)
        print_examples(out, command->examples);
    print_exits(out, command->exits);
}

/* ---- all of them --------------------------------------------------------- */

static const struct example first_steps[] = {
    {"assay import --org acme events.ndjson.zst", "take in an event log"},
    {"assay export sla --format csv", "print the recomputed table"},
    {"assay serve", "look at it on http://127.0.0.1:8080"},
    {0}};

void help_overview(FILE *out)
{
    fprintf(out, "Usage: assay COMMAND [ARGUMENT]... [OPTION]...\n\n");
    print_wrapped(out, 0, 0,
                  "Keeps the telemetry of Livepeer AI gateways as evidence and "
                  "recomputes the published service levels from it.");
    fprintf(out, "\nCommands:\n");
    size_t width = 0;
    for (size_t i = 0; commands[i]; i++) {
        size_t length = strlen(commands[i]->name);
        width = length > width ? length : width;
    }
    for (size_t i = 0; commands[i]; i++)
        print_row(out, commands[i]->name, width, commands[i]->summary);
    fprintf(out, "\nOptions that every command takes:\n");
    struct arena arena = {0};
    for (const struct option *option = options_common; option->name; option++)
        print_option(out, &arena, option);
    arena_free(&arena);
    print_examples(out, first_steps);
    print_exits(out, NULL);
    fprintf(out, "\n\"assay help COMMAND\" says more.\n");
}

static enum err run(struct invocation *invocation)
{
    if (!invocation->argument_count) {
        help_overview(stdout);
        return ERR_NONE;
    }
    const struct command *command;
    enum err err = command_named(invocation->arguments[0], &command);
    if (!err)
        help_command(stdout, command, NULL);
    return err;
}

const struct command command_help = {
    .name = "help",
    .summary = "explain the program or one of its commands",
    .arguments = "[COMMAND]",
    .about = "Without a command it lists all of them; with one it prints what "
             "\"assay COMMAND --help\" prints.",
    .most = 1,
    .without_config = true,
    .run = run,
};
