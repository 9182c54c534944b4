/*
 * document_test.c: what a file of options may say, and what is said about one
 * that says something else.
 */
#include "config/config.h"
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static enum err load(struct config *config, const char *yaml)
{
    return config_load_bytes(config, "a.yaml", yaml, strlen(yaml));
}

/* What CONFIG says about KEY. */
static const char *value_of(struct arena *arena, const struct config *config,
                            const char *key)
{
    for (size_t i = 0; i < config_key_count(); i++) {
        struct config_entry entry = config_entry(arena, config, i);
        if (strcmp(entry.key, key) == 0)
            return entry.value;
    }
    return NULL;
}

TEST(good_files_set_what_they_say)
{
    static const struct {
        const char *yaml;
        const char *key;
        const char *value;
    } rows[] = {
        {"", "serve.workers", "8"},
        {"# nothing\n", "serve.workers", "8"},
        {"---\n", "serve.workers", "8"},
        {"---\n...\n", "serve.workers", "8"},
        {"~", "serve.workers", "8"},
        {"{}", "serve.workers", "8"},
        {"serve:\n", "serve.workers", "8"},
        {"serve:\n  workers: 3\n", "serve.workers", "3"},
        {"serve:\r\n  workers: 3\r\n", "serve.workers", "3"},
        {"\xef\xbb\xbfserve:\n  workers: 3\n", "serve.workers", "3"},
        {"serve: {workers: 3}", "serve.workers", "3"},
        {"{\"serve\": {\"workers\": 3}}", "serve.workers", "3"},
        {"serve.workers: 3\n", "serve.workers", "3"},
        {"serve:\n  workers: \"3\"\n", "serve.workers", "3"},
        {"serve:\n  workers: !!int 3\n", "serve.workers", "3"},
        {"? org\n: acme\n", "org", "acme"},
        {"org: ''\n", "org", ""},
        {"org: >-\n  two\n  words\n", "org", "two words"},
        {"org: \"\\u00e4\"\n", "org", "\xc3\xa4"},
        {"org: 'null'\n", "org", "null"},
        {"evidence:\n  max_bytes: 20GiB\n", "evidence.max_bytes", "20GiB"},
        {"log:\n  level: debug\n  json: true\n", "log.json", "true"},
        {"%YAML 1.1\n---\norg: acme\n", "org", "acme"},
    };
    EACH_ROW (row, rows) {
        struct arena arena = {0};
        struct config config;
        CHECK_OK(load(&config, row->yaml));
        CHECK_EQ_TEXT(value_of(&arena, &config, row->key), row->value);
        config_free(&config);
        arena_free(&arena);
    }
}

/* All problems of CONFIG, one a line. */
static char *all_problems(struct arena *arena, const struct config *config)
{
    char *all = arena_text(arena, "", 0);
    for (size_t i = 0; i < config->problems.count; i++)
        all = arena_printf(arena, "%s%s: %s\n", all,
                           config->problems.items[i].where,
                           config->problems.items[i].what);
    return all;
}

TEST(every_problem_is_told_with_its_line)
{
    static const struct {
        const char *yaml;
        const char *problems;
    } rows[] = {
        {"orgg: x\n", "a.yaml:1: there is no option orgg; did you mean org?\n"},
        {"zebra: x\n", "a.yaml:1: there is no option zebra; \"assay config "
                       "default\" lists all\n"},
        {"\n\nserve:\n  wokers: 3\n", "a.yaml:4: there is no option "
                                      "serve.wokers; did you mean "
                                      "serve.workers?\n"},
        {"level: debug\n", "a.yaml:1: there is no option level; did you mean "
                           "log.level?\n"},
        {"evidense:\n  max_bytes: 1\n", "a.yaml:1: there is no option "
                                        "evidense; did you mean evidence?\n"},
        {"log:\n  level:\n    deep: 1\n", "a.yaml:2: log.level takes one "
                                          "value, not a list or a section\n"},
        {"listen: [127.0.0.1:80]\n", "a.yaml:1: listen takes one value, not a "
                                     "list or a section\n"},
        {"serve: 3\n", "a.yaml:1: serve is a section; its options stand "
                       "indented below it\n"},
        {"serve:\n- workers: 3\n", "a.yaml:1: serve is a section; its options "
                                   "stand indented below it\n"},
        {"org:\n", "a.yaml:1: org has no value; give one or delete the line\n"},
        {"org: ~\n", "a.yaml:1: org has no value; give one or delete the "
                     "line\n"},
        {"{\"org\": null}", "a.yaml:1: org has no value; give one or delete "
                            "the line\n"},
        {"org: a\norg: b\n", "a.yaml:2: org stands in line 1 already\n"},
        {"log:\n  json: true\nlog:\n  level: info\n",
         "a.yaml:3: log stands in line 1 already\n"},
        {"log:\n  json: true\nlog.json: true\n",
         "a.yaml:3: log.json stands in line 2 already\n"},
        {"org: \"a\\0b\"\n", "a.yaml:1: org holds a NUL character\n"},
        {"org: &x acme\ndata: *x\n", "a.yaml:2: uses an alias (*x), which is "
                                     "not taken; write the value out\n"},
        {"- org\n- acme\n", "a.yaml:1: is no configuration: options are "
                            "written \"name: value\"\n"},
        {"org\n", "a.yaml:1: is no configuration: options are written "
                  "\"name: value\"\n"},
        {"org: a\n---\norg: b\n", "a.yaml:2: begins a second document; a file "
                                  "of options is one\n"},
        {"[a, b]: c\norg: [x]\n", "a.yaml:1: the name of an option is one "
                                  "word\na.yaml:2: org takes one value, not a "
                                  "list or a section\n"},
        {"? {a: {b: c}}\n: [d, {e: f}]\norg: [x]\n",
         "a.yaml:1: the name of an option is one word\na.yaml:3: org takes "
         "one value, not a list or a section\n"},
        {"serve:\n  workers: 0\nlisten: there\nlog:\n  json: maybe\n",
         "a.yaml:2: serve.workers takes a whole number from 1 to 256, not "
         "\"0\"\n"
         "a.yaml:3: listen takes a numeric address and a port, such as "
         "127.0.0.1:8080 or [::1]:8080, not \"there\"\n"
         "a.yaml:5: log.json takes true or false, not \"maybe\"\n"},
    };
    EACH_ROW (row, rows) {
        struct arena arena = {0};
        struct config config;
        CHECK_ERR(load(&config, row->yaml), ERR_CONFIG);
        CHECK_EQ_TEXT(all_problems(&arena, &config), row->problems);
        config_free(&config);
        arena_free(&arena);
    }
}

TEST(what_is_no_yaml_is_told_with_its_line)
{
    static const struct {
        const char *yaml;
        const char *start;
    } rows[] = {
        {"org: a\n\tdata: b\n", "a.yaml:2: is not YAML: "},
        {"org: 'a\n", "a.yaml:2: is not YAML: "},
        {"{org: a\n", "a.yaml:2: is not YAML: "},
        {"org: a\n\ndata: \xff\n", "a.yaml:3: is not YAML: "},
        {"org: a\ndata: \x01\n", "a.yaml:2: is not YAML: "},
        {"org: @\n", "a.yaml:1: is not YAML: "},
    };
    EACH_ROW (row, rows) {
        struct config config;
        CHECK_ERR(load(&config, row->yaml), ERR_CONFIG);
        REQUIRE(config.problems.count == 1);
        char line[400];
        snprintf(line, sizeof line, "%s: %s", config.problems.items[0].where,
                 config.problems.items[0].what);
        CHECK_EQ_MEMORY(line, row->start, strlen(row->start));
        config_free(&config);
    }
}

/* COUNT times PIECE. */
static char *repeat(const char *piece, size_t count)
{
    size_t length = strlen(piece);
    char *text = memory_zeroed(count * length + 1, 1);
    for (size_t i = 0; i < count; i++)
        memcpy(text + i * length, piece, length);
    return text;
}

TEST(hostile_sizes_are_refused_at_once)
{
    static const struct {
        const char *piece;
        size_t count;
        const char *says;
    } rows[] = {
        {"[", 500000, "nests deeper than 16 levels"},
        {"{a: ", 100000, "nests deeper than 16 levels"},
        {"- ", 500000, "nests deeper than 16 levels"},
        {"# 345678901234\n", 70000, "is larger than a file of options may be"},
    };
    EACH_ROW (row, rows) {
        struct config config;
        char *text = repeat(row->piece, row->count);
        CHECK_ERR(load(&config, text), ERR_CONFIG);
        REQUIRE(config.problems.count > 0);
        const char *what = config.problems.items[0].what;
        CHECK_EQ_MEMORY(what, row->says, strlen(row->says));
        config_free(&config);
        free(text);
    }
}

TEST(a_file_of_mistakes_is_not_told_in_full)
{
    struct config config;
    char *text = repeat("? [x]\n: 1\n", 5000);
    CHECK_ERR(load(&config, text), ERR_CONFIG);
    CHECK_EQ_INT(config.problems.count, 100);
    config_free(&config);
    free(text);
}

TEST(the_printed_defaults_are_a_good_file_that_changes_nothing)
{
    struct buf yaml = {0};
    struct arena arena = {0};
    struct config defaults;
    struct config read;
    config_default_yaml(&yaml);
    CHECK_OK(load(&defaults, ""));
    CHECK_OK(config_load_bytes(&read, "d", yaml.data, yaml.length));
    for (size_t i = 0; i < config_key_count(); i++) {
        struct config_entry wanted = config_entry(&arena, &defaults, i);
        struct config_entry got = config_entry(&arena, &read, i);
        CHECK_EQ_TEXT(got.value, wanted.value);
        CHECK_EQ_TEXT(wanted.origin, "default");
        CHECK_EQ_INT(read.origins[i].place, CONFIG_FILE);
    }
    config_free(&defaults);
    config_free(&read);
    arena_free(&arena);
    buf_free(&yaml);
}

TEST(the_printed_defaults_fit_a_narrow_window)
{
    struct buf yaml = {0};
    config_default_yaml(&yaml);
    const char *line = buf_string(&yaml);
    while (*line) {
        size_t length = strcspn(line, "\n");
        CHECK(length <= 80);
        CHECK(!length || line[length - 1] != ' ');
        line += length + (line[length] == '\n');
    }
    buf_free(&yaml);
}

/* ---- files other than the configuration ---------------------------------- */

struct pace {
    double fps;
    int64_t delay_ms;
    const char *name;
};

static const struct config_key pace_keys[] = {
    {.path = "fps",
     .type = CONFIG_NUMBER,
     .offset = offsetof(struct pace, fps),
     .standard = "24",
     .most = 240},
    {.path = "delay.mean",
     .type = CONFIG_DURATION,
     .offset = offsetof(struct pace, delay_ms),
     .standard = "100ms",
     .most = 60000},
    {.path = "name",
     .type = CONFIG_TEXT,
     .offset = offsetof(struct pace, name),
     .standard = "steady"},
};
static const char *const pace_others[] = {"outages", NULL};
static const struct config_table pace_table = {
    .what = "pace",
    .keys = pace_keys,
    .count = 3,
    .others = pace_others,
    .advice = "the help names all",
};

struct reading {
    struct arena arena;
    struct config_problems problems;
    struct config_document document;
    struct pace pace;
};

static void read_pace(struct reading *reading, const char *yaml)
{
    *reading = (struct reading){0};
    reading->document = (struct config_document){
        .arena = &reading->arena, .problems = &reading->problems};
    config_document_read(&reading->document, "p.yaml", yaml, strlen(yaml));
    config_table_defaults(&reading->arena, &pace_table, &reading->pace);
    config_table_read(&reading->document, reading->document.root, &pace_table,
                      &reading->pace);
}

TEST(a_table_sets_the_fields_that_a_section_names)
{
    static const struct {
        const char *yaml;
        double fps;
        int64_t delay_ms;
        const char *name;
    } rows[] = {
        {"", 24, 100, "steady"},
        {"fps: 12.5\n", 12.5, 100, "steady"},
        {"delay: {mean: 2s}\nname: slow\n", 24, 2000, "slow"},
        {"delay.mean: 2s\noutages: [1, {a: b}]\n", 24, 2000, "steady"},
    };
    EACH_ROW (row, rows) {
        struct reading reading;
        read_pace(&reading, row->yaml);
        CHECK_OK(config_problems_verdict(&reading.problems, ""));
        CHECK_EQ_DOUBLE(reading.pace.fps, row->fps);
        CHECK_EQ_INT(reading.pace.delay_ms, row->delay_ms);
        CHECK_EQ_TEXT(reading.pace.name, row->name);
        arena_free(&reading.arena);
    }
}

TEST(a_table_tells_what_a_section_may_not_hold)
{
    static const struct {
        const char *yaml;
        const char *sentence;
    } rows[] = {
        {"fsp: 1\n", "p.yaml:1: there is no option fsp; did you mean fps?"},
        {"outage: 1\n",
         "p.yaml:1: there is no option outage; did you mean outages?"},
        {"zebra: 1\n",
         "p.yaml:1: there is no option zebra; the help names all"},
        {"\nfps: 300\n",
         "p.yaml:2: fps takes a number from 0 to 240, not \"300\""},
        {"outages: 1\noutages: 2\n",
         "p.yaml:2: outages stands in line 1 already"},
        {"fps: 1\n- 2\n", "p.yaml:2: is not YAML: while parsing a block "
                          "mapping, did not find expected key"},
        {"[1]\n", "p.yaml:1: is no pace: options are written \"name: "
                  "value\""},
        {"fps: x\nname: [a]\n", "p.yaml:1: fps takes a number from 0 to 240, "
                                "not \"x\" (and 1 more; all)"},
    };
    EACH_ROW (row, rows) {
        struct reading reading;
        read_pace(&reading, row->yaml);
        CHECK_ERR(config_problems_verdict(&reading.problems, "all"),
                  ERR_CONFIG);
        CHECK_EQ_TEXT(err_message(), row->sentence);
        arena_free(&reading.arena);
    }
}

TEST(a_tree_keeps_order_lines_and_kinds)
{
    struct arena arena = {0};
    struct config_problems problems = {0};
    struct config_document document = {.arena = &arena, .problems = &problems};
    static const char yaml[] = "a: 1\nb:\n- x\n- {c: ~}\nd: 'null'\n";
    config_document_read(&document, "t.yaml", yaml, sizeof yaml - 1);
    REQUIRE(document.root && document.root->kind == CONFIG_NODE_MAP);
    const struct config_node *list = config_node_member(document.root, "b");
    REQUIRE(list && list->kind == CONFIG_NODE_LIST);
    CHECK_EQ_INT(list->line, 2);
    CHECK_EQ_TEXT(list->members->text, "x");
    const struct config_node *inner =
        config_node_member(list->members->next, "c");
    REQUIRE(inner);
    CHECK_EQ_INT(inner->kind, CONFIG_NODE_NOTHING);
    CHECK_EQ_INT(inner->line, 4);
    CHECK_EQ_INT(config_node_member(document.root, "d")->kind,
                 CONFIG_NODE_SCALAR);
    CHECK(!config_node_member(list, "b"));
    CHECK_EQ_INT(problems.count, 0);
    arena_free(&arena);
}
