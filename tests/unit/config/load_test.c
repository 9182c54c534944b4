/*
 * load_test.c: four places, one over the other.
 */
#include "config/config.h"
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *write_yaml(const char *text)
{
    const char *path = test_path("a.yaml");
    FILE *file = fopen(path, "wb");
    REQUIRE(file != NULL);
    CHECK(fputs(text, file) >= 0);
    CHECK_EQ_INT(fclose(file), 0);
    return path;
}

/* Entry KEY of CONFIG. */
static struct config_entry
entry_of(struct arena *arena, const struct config *config, const char *key)
{
    size_t i = 0;
    struct config_entry entry = config_entry(arena, config, i);
    while (strcmp(entry.key, key) != 0)
        entry = config_entry(arena, config, ++i);
    return entry;
}

TEST(flag_beats_environment_beats_file_beats_default)
{
    static const struct {
        const char *yaml;
        const char *variable;
        const char *flag;
        int64_t value;
        const char *origin; /* its end */
    } rows[] = {
        {"", NULL, NULL, 8, "default"},
        {"\nserve: {workers: 2}\n", NULL, NULL, 2, "a.yaml:2"},
        {"serve: {workers: 2}\n", "ASSAY_SERVE_WORKERS=3", NULL, 3,
         "ASSAY_SERVE_WORKERS"},
        {"serve: {workers: 2}\n", "ASSAY_SERVE_WORKERS=3", "4", 4, "--workers"},
        {"", NULL, "4", 4, "--workers"},
        {"", "ASSAY_SERVE_WORKERS=3", NULL, 3, "ASSAY_SERVE_WORKERS"},
    };
    EACH_ROW (row, rows) {
        struct arena arena = {0};
        struct config config;
        char *variable = row->variable ? strdup(row->variable) : NULL;
        char *const environment[] = {variable, NULL};
        struct config_flag flag = {"serve.workers", row->flag, "--workers"};
        struct config_sources sources = {.path = write_yaml(row->yaml),
                                         .environment = environment,
                                         .flags = &flag,
                                         .flag_count = row->flag != NULL};
        CHECK_OK(config_load(&config, &sources));
        CHECK_EQ_INT(config.serve_workers, row->value);
        struct config_entry entry = entry_of(&arena, &config, "serve.workers");
        CHECK_EQ_INT(entry.number, row->value);
        size_t length = strlen(row->origin);
        size_t whole = strlen(entry.origin);
        REQUIRE(whole >= length);
        CHECK_EQ_TEXT(entry.origin + whole - length, row->origin);
        config_free(&config);
        arena_free(&arena);
        free(variable);
    }
}

TEST(a_wrong_value_is_told_by_the_place_it_stands_in)
{
    char variable[] = "ASSAY_LISTEN=nowhere";
    char *const environment[] = {variable, NULL};
    struct config_flag flag = {"log.level", "loud", "--log"};
    struct config_sources sources = {
        .environment = environment, .flags = &flag, .flag_count = 1};
    struct config config;
    CHECK_ERR(config_load(&config, &sources), ERR_CONFIG);
    REQUIRE(config.problems.count == 2);
    CHECK_EQ_TEXT(config.problems.items[0].where, "ASSAY_LISTEN");
    CHECK_EQ_TEXT(config.problems.items[1].where, "--log");
    CHECK(strstr(err_message(), "and 1 more") != NULL);
    /* What was refused leaves the default in force. */
    CHECK_EQ_TEXT(config.listen.text, "127.0.0.1:8080");
    config_free(&config);
}

TEST(unknown_variables_are_doubtful_but_stop_nobody)
{
    static const struct {
        const char *variable;
        const char *what; /* null: nothing is said */
    } rows[] = {
        {"ASSAY_LISTEM=1", "no option has this variable, did you mean "
                           "ASSAY_LISTEN; it changes nothing"},
        {"ASSAY_BANANA=1", "no option has this variable; it changes nothing"},
        {"ASSAY_CONFIG=x", NULL},
        {"ASSAYLISTEN=x", NULL},
        {"PATH=x", NULL},
        {"ASSAY_ORG", NULL},
    };
    EACH_ROW (row, rows) {
        char *variable = strdup(row->variable);
        char *const environment[] = {variable, NULL};
        struct config_sources sources = {.environment = environment};
        struct config config;
        CHECK_OK(config_load(&config, &sources));
        CHECK_EQ_INT(config.warnings.count, row->what != NULL);
        if (config.warnings.count)
            CHECK_EQ_TEXT(config.warnings.items[0].what, row->what);
        config_free(&config);
        free(variable);
    }
}

TEST(a_file_that_cannot_be_read_is_a_problem)
{
    struct config_sources sources = {.path = test_path("absent.yaml")};
    struct config config;
    CHECK_ERR(config_load(&config, &sources), ERR_CONFIG);
    REQUIRE(config.problems.count == 1);
    CHECK_EQ_TEXT(config.problems.items[0].what,
                  "cannot be read: No such file or directory");
    config_free(&config);
    sources.path = test_folder();
    CHECK_ERR(config_load(&config, &sources), ERR_CONFIG);
    config_free(&config);
}
