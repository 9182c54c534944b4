/*
 * help_test.c: what holds for the help of every command there is.
 */
#include "cli/cli.h"
#include "harness.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static char *help_of(const struct command *command, const struct verb *verb)
{
    char *bytes = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&bytes, &length);
    REQUIRE(out != NULL);
    if (command)
        help_command(out, command, verb);
    else
        help_overview(out);
    fclose(out);
    return bytes;
}

static void check_lines(const char *text)
{
    while (*text) {
        size_t length = strcspn(text, "\n");
        if (!CHECK(length <= 80) || !CHECK(!length || text[length - 1] != ' '))
            CHECK_EQ_TEXT(text, "lines of 80 columns without blanks behind");
        text += length + (text[length] == '\n');
    }
}

TEST(help_fits_a_narrow_window)
{
    char *text = help_of(NULL, NULL);
    check_lines(text);
    free(text);
    for (size_t i = 0; commands[i]; i++) {
        text = help_of(commands[i], NULL);
        check_lines(text);
        free(text);
    }
}

TEST(columns_of_rows_are_in_their_help)
{
    const struct command *command = &command_export;
    size_t told = 0;
    for (const struct verb *verb = command->verbs; verb->name; verb++) {
        char *text = help_of(command, verb);
        check_lines(text);
        for (const struct verb_columns *row = command->columns; row->verb;
             row++) {
            if (strcmp(row->verb, verb->name) != 0)
                continue;
            const struct fields *all = row->assay ? row->assay : row->columns;
            for (size_t i = 0; i < all->exported; i++)
                CHECK(strstr(text, all->list[i].name) != NULL);
            told++;
        }
        free(text);
    }
    CHECK_EQ_INT(told, 13);
}

TEST(every_option_is_in_the_help_and_well_declared)
{
    for (size_t i = 0; commands[i]; i++) {
        char *text = help_of(commands[i], NULL);
        const struct option *option;
        for (size_t j = 0; (option = option_at(commands[i], j)); j++) {
            CHECK(strstr(text, option->name) != NULL);
            CHECK(strncmp(option->name, "--", 2) == 0);
            CHECK(option->help != NULL);
            CHECK(!strstr(option->help, "repeated")); /* help.c says it */
            CHECK((option->type == OPTION_FLAG) == !option->value);
            CHECK((option->type == OPTION_CONFIG) == (option->key != NULL));
            CHECK(!option->only || commands[i]->verbs);
        }
        free(text);
    }
}

TEST(every_command_says_what_it_does_and_can_run)
{
    for (size_t i = 0; commands[i]; i++) {
        const struct command *command = commands[i];
        CHECK(command->summary && islower((unsigned char)*command->summary));
        CHECK(command->summary[strlen(command->summary) - 1] != '.');
        CHECK(command->about != NULL);
        CHECK(!command->run != !command->verbs);
        for (const struct verb *verb = command->verbs; verb && verb->name;
             verb++) {
            CHECK(verb->run && verb->summary && verb->arguments);
            CHECK(verb->least <= verb->most);
        }
        CHECK(command->least <= command->most);
        const struct command *found;
        CHECK_OK(command_named(command->name, &found));
        CHECK(found == command);
    }
}

TEST(every_option_of_the_configuration_exists)
{
    for (size_t i = 0; commands[i]; i++) {
        const struct option *option;
        for (size_t j = 0; (option = option_at(commands[i], j)); j++) {
            if (!option->key)
                continue;
            struct config config;
            struct arena arena = {0};
            size_t k = 0;
            CHECK_OK(config_load_bytes(&config, "none", "", 0));
            while (k < config_key_count() &&
                   strcmp(config_entry(&arena, &config, k).key, option->key))
                k++;
            CHECK(k < config_key_count());
            config_free(&config);
            arena_free(&arena);
        }
    }
}
