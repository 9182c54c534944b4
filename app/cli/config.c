/*
 * config.c: `assay config default`, `show` and `check`.
 *
 * `show` loads the configuration as any other command would. `default` and
 * `check` must work while the configuration in force is broken, which is why
 * the command as a whole runs without one.
 */
#include "base/json.h"
#include "cli/cli.h"
#include "cli/table.h"

#include <stdio.h>

static enum err run_default(struct invocation *invocation)
{
    (void)invocation;
    struct buf yaml = {0};
    config_default_yaml(&yaml);
    fwrite(yaml.data, 1, yaml.length, stdout);
    buf_free(&yaml);
    return ERR_NONE;
}

/* ---- show ---------------------------------------------------------------- */

static void add_value(struct json_writer *writer,
                      const struct config_entry *entry)
{
    if (entry->kind == 'i')
        json_int(writer, entry->number);
    else if (entry->kind == 'b' || entry->kind == 'n')
        json_raw(writer, text_of(entry->value));
    else
        json_string(writer, entry->value);
}

static void add_entry(struct json_writer *writer,
                      const struct config_entry *entry)
{
    json_begin(writer, '{');
    json_member_string(writer, "key", entry->key);
    json_key(writer, "value");
    add_value(writer, entry);
    json_member_string(writer, "origin", entry->origin);
    json_member_string(writer, "default", entry->standard);
    json_member_string(writer, "unit", entry->unit);
    json_member_string(writer, "variable", entry->variable);
    json_member_string(writer, "help", entry->help);
    json_end(writer, '}');
}

static void show_json(struct arena *arena, const struct config *config)
{
    struct buf line = {0};
    for (size_t i = 0; i < config_key_count(); i++) {
        struct config_entry entry = config_entry(arena, config, i);
        struct json_writer writer = {.out = &line};
        buf_clear(&line);
        add_entry(&writer, &entry);
        printf("%s\n", buf_string(&line));
    }
    buf_free(&line);
}

static enum err show_table(struct arena *arena, const struct config *config)
{
    static const struct column columns[] = {
        {"option", COLUMN_TEXT}, {"value", COLUMN_TEXT}, {"from", COLUMN_TEXT}};
    struct table *table = table_open(stdout, TABLE_ALIGNED, columns, 3);
    enum err err = ERR_NONE;
    for (size_t i = 0; !err && i < config_key_count(); i++) {
        struct config_entry entry = config_entry(arena, config, i);
        table_text(table, text_of(entry.key));
        table_text(table, text_of(entry.value));
        table_text(table, text_of(entry.origin));
        err = table_end_row(table);
    }
    enum err closed = table_close(table);
    return err ? err : closed;
}

static enum err run_show(struct invocation *invocation)
{
    struct config config;
    enum err err = invocation_config(invocation, &config);
    if (!err && invocation->json)
        show_json(&invocation->arena, &config);
    else if (!err)
        err = show_table(&invocation->arena, &config);
    config_free(&config);
    return err;
}

/* ---- check --------------------------------------------------------------- */

static void print_problem(const struct invocation *invocation,
                          const struct config_problem *problem)
{
    if (!invocation->json) {
        printf("%s: %s\n", problem->where, problem->what);
        return;
    }
    struct buf line = {0};
    struct json_writer writer = {.out = &line};
    json_begin(&writer, '{');
    json_member_string(&writer, "where", problem->where);
    json_member_string(&writer, "problem", problem->what);
    json_end(&writer, '}');
    printf("%s\n", buf_string(&line));
    buf_free(&line);
}

static size_t count_set(const struct config *config)
{
    size_t set = 0;
    for (size_t i = 0; i < config_key_count(); i++)
        set += config->origins[i].place == CONFIG_FILE;
    return set;
}

static enum err check(const struct invocation *invocation, const char *path)
{
    struct config config;
    struct config_sources sources = {.path = path};
    enum err err = config_load(&config, &sources);
    const struct config_problems *problems = &config.problems;
    for (size_t i = 0; i < problems->count; i++)
        print_problem(invocation, &problems->items[i]);
    if (err)
        err = err_set(ERR_CONFIG, "%s has %zu problem%s", path, problems->count,
                      problems->count == 1 ? "" : "s");
    else if (!invocation->json && !invocation->quiet)
        printf("%s: %zu of %zu options set, no problems\n", path,
               count_set(&config), config_key_count());
    config_free(&config);
    return err;
}

static enum err run_check(struct invocation *invocation)
{
    const char *path = invocation->argument_count ? invocation->arguments[0]
                                                  : invocation->config_path;
    if (!path)
        return err_set(ERR_USAGE, "name the file: assay config check FILE");
    return check(invocation, path);
}

static const struct verb verbs[] = {
    {.name = "default",
     .arguments = "",
     .summary = "print a commented file with every option and its default",
     .run = run_default},
    {.name = "show",
     .arguments = "",
     .summary = "print what is in force, and which place each value is from",
     .run = run_show},
    {.name = "check",
     .arguments = "[FILE]",
     .summary = "print everything that is wrong in a file",
     .most = 1,
     .run = run_check},
    {0}};

static const struct example examples[] = {
    {"assay config default > assay.yaml", "begin a configuration"},
    {"assay config check assay.yaml", "see what is wrong with it"},
    {"assay config show --config assay.yaml", "see what it amounts to"},
    {0}};

const struct command command_config = {
    .name = "config",
    .summary = "print, explain and check the configuration",
    .about =
        "An option is looked for in four places. A flag of the command line "
        "beats a variable of the environment, which beats the file named by "
        "--config (or by the variable ASSAY_CONFIG), which beats the default. "
        "The file is YAML; JSON is YAML, too. The variable of an option is "
        "its name in capitals behind ASSAY_, with dots as underscores: "
        "log.level is ASSAY_LOG_LEVEL.\n\n"
        "Secrets stand in files of their own, which options that end in _file "
        "name. What such a file holds is never printed.",
    .verbs = verbs,
    .examples = examples,
    .exits = "0  no problems\n"
             "2  the configuration has problems, or the command line has\n",
    .prints_json = true,
    .without_config = true,
};
