/*
 * options_test.c: command lines, good and bad, against two small commands.
 */
#include "cli/cli.h"
#include "harness.h"

#include <string.h>

static const struct option options[] = {
    {.name = "--org", .value = "NAME", .type = OPTION_TEXT, .help = "h"},
    {.name = "--source",
     .value = "NAME",
     .type = OPTION_TEXT,
     .help = "h",
     .repeated = true},
    {.name = "--count",
     .value = "N",
     .type = OPTION_INT,
     .help = "h",
     .least = 1,
     .most = 9},
    {.name = "--offset", .value = "N", .type = OPTION_INT, .help = "h"},
    {.name = "--from", .value = "TIME", .type = OPTION_TIME, .help = "h"},
    {.name = "--format",
     .value = "ndjson|csv",
     .type = OPTION_CHOICE,
     .help = "h"},
    {.name = "--listen",
     .value = "ADDR:PORT",
     .type = OPTION_CONFIG,
     .key = "listen",
     .help = "h"},
    {.name = "--force", .type = OPTION_FLAG, .help = "h", .only = "drop"},
    {0}};

static enum err run(struct invocation *invocation)
{
    (void)invocation;
    return ERR_NONE;
}

static const struct command plain = {.name = "plain",
                                     .summary = "s",
                                     .arguments = "FILE [FILE]",
                                     .options = options,
                                     .least = 1,
                                     .most = 2,
                                     .prints_json = true,
                                     .run = run};

static const struct verb verbs[] = {
    {.name = "show", .arguments = "ID", .least = 1, .most = 1, .run = run},
    {.name = "drop", .arguments = "", .run = run},
    {0}};

static const struct command several = {
    .name = "several", .summary = "s", .options = options, .verbs = verbs};

enum { WORDS_MAX = 8 };

static enum err parse(struct invocation *invocation,
                      const struct command *command, const char *const *words)
{
    char *arguments[WORDS_MAX];
    size_t count = 0;
    *invocation = (struct invocation){0};
    for (; count < WORDS_MAX && words[count]; count++)
        arguments[count] =
            arena_text(&invocation->arena, words[count], strlen(words[count]));
    char **kept = arena_array(&invocation->arena, count + 1, sizeof *kept);
    memcpy(kept, arguments, count * sizeof *kept);
    return options_parse(invocation, command, kept, count);
}

TEST(good_lines_are_taken_apart)
{
    static const char *const words[] = {
        "a",      "--org=x=y", "--count", "7", "--from=2026-01-08",
        "--json", "--",        "--quiet"};
    struct invocation invocation;
    REQUIRE_OK(parse(&invocation, &plain, words));
    CHECK_EQ_TEXT(option_text(&invocation, "--org"), "x=y");
    CHECK_EQ_INT(option_int(&invocation, "--count", 3), 7);
    CHECK_EQ_INT(option_int(&invocation, "--offset", -3), -3);
    CHECK_EQ_INT(option_time(&invocation, "--from", 0), 1767830400000);
    CHECK_EQ_TEXT(option_text(&invocation, "--format"), NULL);
    CHECK(option_given(&invocation, "--count"));
    CHECK(!option_given(&invocation, "--offset"));
    CHECK(invocation.json);
    CHECK(!invocation.quiet);
    CHECK_EQ_INT(invocation.argument_count, 2);
    CHECK_EQ_TEXT(invocation.arguments[0], "a");
    CHECK_EQ_TEXT(invocation.arguments[1], "--quiet");
    arena_free(&invocation.arena);
}

TEST(a_dash_is_a_file_and_negative_numbers_are_values)
{
    static const char *const words[] = {"-", "--offset", "-5", NULL};
    struct invocation invocation;
    REQUIRE_OK(parse(&invocation, &plain, words));
    CHECK_EQ_TEXT(invocation.arguments[0], "-");
    CHECK_EQ_INT(option_int(&invocation, "--offset", 0), -5);
    arena_free(&invocation.arena);
}

TEST(repeated_options_keep_their_order)
{
    static const char *const words[] = {"--source", "a", "--source=b", "x",
                                        "--source", "a", NULL};
    struct invocation invocation;
    REQUIRE_OK(parse(&invocation, &plain, words));
    struct option_list list = option_list(&invocation, "--source");
    REQUIRE(list.count == 3);
    CHECK_EQ_TEXT(list.values[0], "a");
    CHECK_EQ_TEXT(list.values[1], "b");
    CHECK_EQ_TEXT(list.values[2], "a");
    CHECK_EQ_TEXT(option_text(&invocation, "--source"), "a");
    arena_free(&invocation.arena);
}

TEST(options_of_the_configuration_are_handed_on)
{
    static const char *const words[] = {
        "x", "--listen", "1.2.3.4:5", "--log=debug", "--org", "o", NULL};
    struct invocation invocation;
    const struct config_flag *flags;
    REQUIRE_OK(parse(&invocation, &plain, words));
    REQUIRE(option_overrides(&invocation, &flags) == 2);
    CHECK_EQ_TEXT(flags[0].key, "listen");
    CHECK_EQ_TEXT(flags[0].value, "1.2.3.4:5");
    CHECK_EQ_TEXT(flags[0].flag, "--listen");
    CHECK_EQ_TEXT(flags[1].key, "log.level");
    arena_free(&invocation.arena);
}

TEST(verbs_take_the_first_word)
{
    static const char *const words[] = {"--org", "o", "show", "17", NULL};
    struct invocation invocation;
    REQUIRE_OK(parse(&invocation, &several, words));
    CHECK_EQ_TEXT(invocation.verb->name, "show");
    CHECK_EQ_INT(invocation.argument_count, 1);
    CHECK_EQ_TEXT(invocation.arguments[0], "17");
    arena_free(&invocation.arena);
}

TEST(help_is_given_whatever_else_is_wrong)
{
    static const struct {
        const char *words[WORDS_MAX];
        bool help;
    } rows[] = {
        {{"--help"}, true},
        {{"-h"}, true},
        {{"--nonsense", "--help"}, true},
        {{"--org", "--help"}, true},
        {{"a", "--", "--help"}, false},
    };
    EACH_ROW (row, rows) {
        struct invocation invocation;
        CHECK_OK(parse(&invocation, &plain, row->words));
        CHECK_EQ_INT(invocation.help, row->help);
        arena_free(&invocation.arena);
    }
}

TEST(bad_lines_are_refused_with_a_sentence)
{
    static const struct {
        const struct command *command;
        const char *words[WORDS_MAX];
        const char *sentence;
    } rows[] = {
        {&plain, {NULL}, "something is missing: assay plain FILE [FILE]"},
        {&plain, {"a", "b", "c"}, "\"c\" is one argument too many"},
        {&plain,
         {"a", "--fromat=csv"},
         "there is no option --fromat; did you mean --format?"},
        {&plain, {"a", "--banana"}, "there is no option --banana"},
        {&plain, {"a", "-x"}, "there is no option -x"},
        {&plain, {"a", "--org"}, "--org needs a value: --org NAME"},
        {&plain, {"a", "--org", "--json"}, "--org needs a value: --org NAME"},
        {&plain, {"a", "--org="}, "--org takes NAME, not nothing"},
        {&plain, {"a", "--org=x", "--org=y"}, "--org is given twice"},
        {&plain, {"a", "--json=1"}, "--json takes no value"},
        {&plain,
         {"a", "--count=0"},
         "--count takes a whole number from 1 to 9, not \"0\""},
        {&plain,
         {"a", "--count=2x"},
         "--count takes a whole number from 1 to 9, not \"2x\""},
        {&plain, {"a", "--offset="}, "--offset takes a whole number, not \"\""},
        {&plain,
         {"a", "--offset= 1"},
         "--offset takes a whole number, not \" 1\""},
        {&plain,
         {"a", "--offset=9223372036854775808"},
         "--offset takes a whole number, not \"9223372036854775808\""},
        {&plain,
         {"a", "--from=yesterday"},
         "--from takes a time such as 2026-01-08 or 2026-01-08T21:00:00Z, not "
         "\"yesterday\""},
        {&plain,
         {"a", "--format=xml"},
         "--format takes one of ndjson|csv, not \"xml\""},
        {&plain,
         {"a", "--format=ndjson|csv"},
         "--format takes one of ndjson|csv, not \"ndjson|csv\""},
        {&several, {NULL}, "say what to do: show or drop"},
        {&several,
         {"shwo", "1"},
         "\"shwo\" is nothing it can do; did you mean show?"},
        {&several,
         {"banana"},
         "\"banana\" is nothing it can do; it can show or drop"},
        {&several, {"show"}, "something is missing: assay several show ID"},
        {&several, {"drop", "1"}, "\"1\" is one argument too many"},
        {&several,
         {"show", "1", "--force"},
         "--force does not go with show, only with drop"},
        {&several, {"drop", "--json"}, "there is no option --json"},
    };
    EACH_ROW (row, rows) {
        struct invocation invocation;
        CHECK_ERR(parse(&invocation, row->command, row->words), ERR_USAGE);
        CHECK_EQ_TEXT(err_message(), row->sentence);
        arena_free(&invocation.arena);
    }
}
