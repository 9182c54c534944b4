/*
 * cli.c: from argv to a running command, and from its answer to an exit code.
 */
#include "cli/cli.h"
#include "base/log.h"
#include "cli/table.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const struct command *const commands[] = {&command_serve,
                                          &command_demo,
                                          &command_import,
                                          &command_export,
                                          &command_rebuild,
                                          &command_evidence,
                                          &command_metrics,
                                          &command_probe,
                                          &command_plan,
                                          &command_sim,
                                          &command_config,
                                          &command_token,
                                          &command_backup,
                                          &command_restore,
                                          &command_doctor,
                                          &command_healthcheck,
                                          &command_version,
                                          &command_help,
                                          NULL};

enum { COMMANDS_MAX = sizeof commands / sizeof *commands };

/* ---- names --------------------------------------------------------------- */

enum err command_named(const char *name, const struct command **command)
{
    const char *names[COMMANDS_MAX];
    size_t count = 0;
    for (; commands[count]; count++) {
        names[count] = commands[count]->name;
        if (strcmp(names[count], name) == 0) {
            *command = commands[count];
            return ERR_NONE;
        }
    }
    const char *near = nearest_word(name, names, count);
    return err_set(ERR_USAGE, "there is no command %.60s%s%s%s", name,
                   near ? "; did you mean " : "", near ? near : "",
                   near ? "?" : "");
}

/* ---- configuration ------------------------------------------------------- */

enum err invocation_config(struct invocation *invocation, struct config *config)
{
    const struct config_flag *flags;
    size_t count = option_overrides(invocation, &flags);
    struct config_sources sources = {.path = invocation->config_path,
                                     .environment = environ,
                                     .flags = flags,
                                     .flag_count = count};
    enum err err = config_load(config, &sources);
    for (size_t i = 0; i < config->warnings.count; i++)
        log_message(LOG_WARNING, "%s: %s", config->warnings.items[i].where,
                    config->warnings.items[i].what);
    return err;
}

/* What a command gets that must run although files or variables are wrong. */
static enum err config_of_flags(struct invocation *invocation,
                                struct config *config)
{
    const struct config_flag *flags;
    size_t count = option_overrides(invocation, &flags);
    struct config_sources sources = {.flags = flags, .flag_count = count};
    return config_load(config, &sources);
}

static void find_config_path(struct invocation *invocation)
{
    const char *path = option_text(invocation, "--config");
    if (!path)
        path = getenv("ASSAY_CONFIG");
    invocation->config_path = path && *path ? path : NULL;
}

static void set_up_log(const struct invocation *invocation,
                       const struct config *config)
{
    enum log_level least = (enum log_level)config->log_level;
    if (invocation->quiet && least < LOG_WARNING)
        least = LOG_WARNING;
    log_setup(least, config->log_json);
}

/* ---- running ------------------------------------------------------------- */

/* Says why a command failed; NAME is null where none was chosen. */
static int report(const char *name, enum err err, bool json)
{
    const char *sentence = err_message();
    if (json)
        log_message(LOG_ERROR, "%s%s%s", name ? name : "", name ? ": " : "",
                    sentence);
    else
        fprintf(stderr, "assay%s%s: %s\n", name ? " " : "", name ? name : "",
                sentence);
    return err_exit_code(err);
}

static enum err run_configured(struct invocation *invocation,
                               struct config *config)
{
    const struct command *command = invocation->command;
    find_config_path(invocation);
    enum err err = command->without_config
                       ? config_of_flags(invocation, config)
                       : invocation_config(invocation, config);
    set_up_log(invocation, config);
    if (err)
        return err;
    invocation->config = config;
    return invocation->verb ? invocation->verb->run(invocation)
                            : command->run(invocation);
}

static int run_command(const struct command *command, char *const *arguments,
                       size_t count)
{
    struct invocation invocation = {0};
    struct config config = {0};
    enum err err = options_parse(&invocation, command, arguments, count);
    bool misused = err != ERR_NONE;
    if (!err && invocation.help)
        help_command(stdout, command, invocation.verb);
    else if (!err)
        err = run_configured(&invocation, &config);
    /* A failure of the command itself says more than the one it caused. */
    enum err finished =
        err && err != ERR_FINDING ? ERR_NONE : output_finish(stdout);
    if (finished)
        err = finished;
    int code = err ? report(command->name, err, config.log_json) : 0;
    if (misused)
        fprintf(stderr, "\"assay help %s\" says how it is used\n",
                command->name);
    config_free(&config);
    arena_free(&invocation.arena);
    return code;
}

/* ---- without a command --------------------------------------------------- */

static int finish_output(void)
{
    enum err err = output_finish(stdout);
    return err ? report(NULL, err, false) : 0;
}

static int misplaced_option(const char *argument)
{
    return report(NULL,
                  err_set(ERR_USAGE,
                          "options stand behind the command, as in: assay "
                          "COMMAND %.60s",
                          argument),
                  false);
}

int cli_main(int argc, char **argv)
{
    if (argc < 2) {
        help_overview(stderr);
        return err_exit_code(ERR_USAGE);
    }
    const char *first = argv[1];
    if (strcmp(first, "--help") == 0 || strcmp(first, "-h") == 0) {
        help_overview(stdout);
        return finish_output();
    }
    if (strcmp(first, "--version") == 0) {
        version_print(stdout);
        return finish_output();
    }
    if (*first == '-')
        return misplaced_option(first);
    const struct command *command;
    enum err err = command_named(first, &command);
    if (err)
        return report(NULL, err, false);
    return run_command(command, argv + 2, (size_t)argc - 2);
}
