/*
 * options.c: see options.h.
 *
 * Written out instead of using getopt_long, which abbreviates names (so that a
 * new option changes what old scripts mean), permutes by an environment
 * variable, keeps globals, and prints its own messages.
 */
#include "cli/options.h"

#include "base/clock.h"
#include "cli/cli.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct option_value {
    const struct option *option;
    const char *text; /* null for a flag */
};

enum { OPTIONS_MAX = 64 };

const struct option options_common[] = {
    {.name = "--data",
     .value = "DIR",
     .type = OPTION_CONFIG,
     .key = "data",
     .help = "directory of the store (default ./assay-data)"},
    {.name = "--config",
     .value = "FILE",
     .type = OPTION_TEXT,
     .help = "read options from a YAML file"},
    {.name = "--log",
     .value = "LEVEL",
     .type = OPTION_CONFIG,
     .key = "log.level",
     .help = "print messages from debug, info, warning or error on (default "
             "info)"},
    {.name = "--quiet",
     .type = OPTION_FLAG,
     .help = "print no progress and no messages below warning"},
    {.name = "--help", .type = OPTION_FLAG, .help = "print this and stop"},
    {0}};

const struct option option_json = {
    .name = "--json", .type = OPTION_FLAG, .help = "print data as JSON"};

/* ---- tables -------------------------------------------------------------- */

const struct option *option_at(const struct command *command, size_t i)
{
    const struct option *own = command->options;
    while (own && own->name) {
        if (!i--)
            return own;
        own++;
    }
    if (command->prints_json && !i--)
        return &option_json;
    const struct option *common = options_common;
    while (common->name && i--)
        common++;
    return common->name ? common : NULL;
}

static const struct option *find(const struct command *command,
                                 const char *name, size_t length)
{
    const struct option *option;
    for (size_t i = 0; (option = option_at(command, i)) != NULL; i++) {
        if (strlen(option->name) == length &&
            strncmp(option->name, name, length) == 0)
            return option;
    }
    return NULL;
}

static enum err unknown_option(const struct command *command, const char *name,
                               size_t length)
{
    const char *names[OPTIONS_MAX];
    size_t count = 0;
    const struct option *option;
    while (count < OPTIONS_MAX && (option = option_at(command, count)) != NULL)
        names[count++] = option->name;
    char written[64];
    snprintf(written, sizeof written, "%.*s", (int)length, name);
    const char *near = nearest_word(written, names, count);
    return err_set(ERR_USAGE, "there is no option %s%s%s%s", written,
                   near ? "; did you mean " : "", near ? near : "",
                   near ? "?" : "");
}

/* ---- values -------------------------------------------------------------- */

static bool read_int(const char *text, int64_t *value)
{
    char *end;
    errno = 0;
    long long read = strtoll(text, &end, 10);
    *value = read;
    return !errno && end != text && !*end && !isspace((unsigned char)*text);
}

static bool is_choice(const char *choices, const char *text)
{
    size_t wanted = strlen(text);
    while (*choices) {
        size_t length = strcspn(choices, "|");
        if (length == wanted && strncmp(choices, text, length) == 0)
            return true;
        choices += length;
        choices += *choices == '|';
    }
    return false;
}

static enum err check_int(const struct option *option, const char *text)
{
    int64_t value;
    bool bounded = option->least || option->most;
    if (read_int(text, &value) &&
        (!bounded || (value >= option->least && value <= option->most)))
        return ERR_NONE;
    if (!bounded)
        return err_set(ERR_USAGE, "%s takes a whole number, not \"%s\"",
                       option->name, text);
    return err_set(
        ERR_USAGE, "%s takes a whole number from %lld to %lld, not \"%s\"",
        option->name, (long long)option->least, (long long)option->most, text);
}

static enum err check_value(const struct option *option, const char *text)
{
    int64_t ms;
    switch (option->type) {
    case OPTION_INT:
        return check_int(option, text);
    case OPTION_TIME:
        if (clock_parse(text, strlen(text), &ms))
            return ERR_NONE;
        return err_set(ERR_USAGE,
                       "%s takes a time such as 2026-01-08 or "
                       "2026-01-08T21:00:00Z, not \"%s\"",
                       option->name, text);
    case OPTION_CHOICE:
        if (is_choice(option->value, text))
            return ERR_NONE;
        return err_set(ERR_USAGE, "%s takes one of %s, not \"%s\"",
                       option->name, option->value, text);
    case OPTION_TEXT:
        if (*text)
            return ERR_NONE;
        return err_set(ERR_USAGE, "%s takes %s, not nothing", option->name,
                       option->value);
    default:
        /* The configuration checks what is its own. */
        return ERR_NONE;
    }
}

static const struct option_value *given(const struct invocation *invocation,
                                        const struct option *option)
{
    const struct option_value *last = NULL;
    for (size_t i = 0; i < invocation->value_count; i++) {
        if (invocation->values[i].option == option)
            last = &invocation->values[i];
    }
    return last;
}

static enum err keep(struct invocation *invocation, const struct option *option,
                     const char *text)
{
    if (text && !option->repeated && given(invocation, option))
        return err_set(ERR_USAGE, "%s is given twice", option->name);
    enum err err = text ? check_value(option, text) : ERR_NONE;
    if (!err)
        invocation->values[invocation->value_count++] =
            (struct option_value){.option = option, .text = text};
    return err;
}

/* ---- parsing ------------------------------------------------------------- */

/* One option at arguments[*AT]; leaves *AT at the last argument it took. */
static enum err parse_option(struct invocation *invocation,
                             char *const *arguments, size_t count, size_t *at)
{
    const char *argument = arguments[*at];
    size_t length = strcspn(argument, "=");
    const char *joined = argument[length] ? argument + length + 1 : NULL;
    const struct option *option = find(invocation->command, argument, length);
    if (!option)
        return unknown_option(invocation->command, argument, length);
    if (option->type == OPTION_FLAG) {
        if (joined)
            return err_set(ERR_USAGE, "%s takes no value", option->name);
        return keep(invocation, option, NULL);
    }
    if (joined)
        return keep(invocation, option, joined);
    if (*at + 1 == count || strncmp(arguments[*at + 1], "--", 2) == 0)
        return err_set(ERR_USAGE, "%s needs a value: %s %s", option->name,
                       option->name, option->value);
    return keep(invocation, option, arguments[++*at]);
}

static bool asks_for_help(char *const *arguments, size_t count)
{
    for (size_t i = 0; i < count && strcmp(arguments[i], "--") != 0; i++) {
        if (strcmp(arguments[i], "--help") == 0 ||
            strcmp(arguments[i], "-h") == 0)
            return true;
    }
    return false;
}

/* Options into the invocation's values, the rest into POSITIONAL. */
static enum err split(struct invocation *invocation, char *const *arguments,
                      size_t count, char **positional, size_t *positionals)
{
    bool options_ended = false;
    for (size_t i = 0; i < count; i++) {
        const char *argument = arguments[i];
        /* A single dash is standard input, where a file is expected. */
        bool dashed = argument[0] == '-' && argument[1];
        if (options_ended || !dashed) {
            positional[(*positionals)++] = arguments[i];
        } else if (strcmp(argument, "--") == 0) {
            options_ended = true;
        } else {
            enum err err = parse_option(invocation, arguments, count, &i);
            if (err)
                return err;
        }
    }
    return ERR_NONE;
}

static void join_verbs(const struct command *command, char *text, size_t bytes)
{
    size_t used = 0;
    text[0] = 0;
    for (const struct verb *verb = command->verbs; verb->name; verb++) {
        const char *join = verb == command->verbs ? ""
                           : verb[1].name         ? ", "
                                                  : " or ";
        int wrote =
            snprintf(text + used, bytes - used, "%s%s", join, verb->name);
        used += (size_t)wrote < bytes - used ? (size_t)wrote : 0;
    }
}

static enum err unknown_verb(const struct command *command, const char *word)
{
    char all[200];
    const char *names[OPTIONS_MAX];
    size_t count = 0;
    join_verbs(command, all, sizeof all);
    if (!word)
        return err_set(ERR_USAGE, "say what to do: %s", all);
    while (count < OPTIONS_MAX && command->verbs[count].name) {
        names[count] = command->verbs[count].name;
        count++;
    }
    const char *near = nearest_word(word, names, count);
    if (near)
        return err_set(ERR_USAGE,
                       "\"%s\" is nothing it can do; did you mean %s?", word,
                       near);
    return err_set(ERR_USAGE, "\"%s\" is nothing it can do; it can %s", word,
                   all);
}

/* Null where WORD, which may be null, is none of COMMAND's. */
static const struct verb *verb_named(const struct command *command,
                                     const char *word)
{
    const struct verb *verb = word ? command->verbs : NULL;
    while (verb && verb->name && strcmp(verb->name, word) != 0)
        verb++;
    return verb && verb->name ? verb : NULL;
}

/* Takes the first positional for the verb. */
static enum err choose_verb(struct invocation *invocation)
{
    const struct command *command = invocation->command;
    const char *word =
        invocation->argument_count ? invocation->arguments[0] : NULL;
    invocation->verb = verb_named(command, word);
    if (!invocation->verb)
        return unknown_verb(command, word);
    invocation->arguments++;
    invocation->argument_count--;
    return ERR_NONE;
}

static bool lists_word(const char *words, const char *word)
{
    size_t length = strlen(word);
    while (*words) {
        size_t span = strcspn(words, " ");
        if (span == length && strncmp(words, word, length) == 0)
            return true;
        words += span;
        words += strspn(words, " ");
    }
    return false;
}

static enum err check_belonging(const struct invocation *invocation)
{
    for (size_t i = 0; i < invocation->value_count; i++) {
        const struct option *option = invocation->values[i].option;
        if (!option->only || lists_word(option->only, invocation->verb->name))
            continue;
        return err_set(ERR_USAGE, "%s does not go with %s, only with %s",
                       option->name, invocation->verb->name, option->only);
    }
    return ERR_NONE;
}

static enum err check_count(const struct invocation *invocation)
{
    const struct verb *verb = invocation->verb;
    const struct command *command = invocation->command;
    size_t least = verb ? verb->least : command->least;
    size_t most = verb ? verb->most : command->most;
    const char *takes = verb ? verb->arguments : command->arguments;
    if (invocation->argument_count < least)
        return err_set(ERR_USAGE, "something is missing: assay %s%s%s %s",
                       command->name, verb ? " " : "", verb ? verb->name : "",
                       takes ? takes : "");
    if (invocation->argument_count > most)
        return err_set(ERR_USAGE, "\"%s\" is one argument too many",
                       invocation->arguments[most]);
    return ERR_NONE;
}

enum err options_parse(struct invocation *invocation,
                       const struct command *command, char *const *arguments,
                       size_t count)
{
    invocation->command = command;
    invocation->help = asks_for_help(arguments, count);
    if (invocation->help) {
        invocation->verb = verb_named(command, count ? arguments[0] : NULL);
        return ERR_NONE;
    }
    struct arena *arena = &invocation->arena;
    char **positional = arena_array(arena, count + 1, sizeof *positional);
    invocation->values =
        arena_array(arena, count + 1, sizeof *invocation->values);
    invocation->arguments = positional;
    enum err err = split(invocation, arguments, count, positional,
                         &invocation->argument_count);
    if (!err && command->verbs)
        err = choose_verb(invocation);
    if (!err && command->verbs)
        err = check_belonging(invocation);
    if (!err)
        err = check_count(invocation);
    if (err)
        return err;
    invocation->quiet = option_flag(invocation, "--quiet");
    invocation->json =
        command->prints_json && option_flag(invocation, "--json");
    return ERR_NONE;
}

/* ---- asking -------------------------------------------------------------- */

static const struct option *declared(const struct invocation *invocation,
                                     const char *name)
{
    const struct option *option = find(invocation->command, name, strlen(name));
    if (!option) {
        fprintf(stderr, "assay %s declares no option %s\n",
                invocation->command->name, name);
        abort();
    }
    return option;
}

bool option_given(const struct invocation *invocation, const char *name)
{
    return given(invocation, declared(invocation, name)) != NULL;
}

bool option_flag(const struct invocation *invocation, const char *name)
{
    return option_given(invocation, name);
}

const char *option_text(const struct invocation *invocation, const char *name)
{
    const struct option_value *value =
        given(invocation, declared(invocation, name));
    return value ? value->text : NULL;
}

int64_t option_int(const struct invocation *invocation, const char *name,
                   int64_t otherwise)
{
    const char *text = option_text(invocation, name);
    int64_t value;
    return text && read_int(text, &value) ? value : otherwise;
}

int64_t option_time(const struct invocation *invocation, const char *name,
                    int64_t otherwise_ms)
{
    const char *text = option_text(invocation, name);
    int64_t ms;
    return text && clock_parse(text, strlen(text), &ms) ? ms : otherwise_ms;
}

struct option_list option_list(struct invocation *invocation, const char *name)
{
    const struct option *option = declared(invocation, name);
    const char **values = arena_array(
        &invocation->arena, invocation->value_count + 1, sizeof *values);
    size_t count = 0;
    for (size_t i = 0; i < invocation->value_count; i++) {
        if (invocation->values[i].option == option)
            values[count++] = invocation->values[i].text;
    }
    return (struct option_list){values, count};
}

size_t option_overrides(struct invocation *invocation,
                        const struct config_flag **flags)
{
    struct config_flag *items = arena_array(
        &invocation->arena, invocation->value_count + 1, sizeof *items);
    size_t count = 0;
    for (size_t i = 0; i < invocation->value_count; i++) {
        const struct option *option = invocation->values[i].option;
        if (option->type == OPTION_CONFIG)
            items[count++] =
                (struct config_flag){.key = option->key,
                                     .value = invocation->values[i].text,
                                     .flag = option->name};
    }
    *flags = items;
    return count;
}
