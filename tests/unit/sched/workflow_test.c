#include "sched/workflow.h"

#include "base/json.h"
#include "harness.h"

#include <string.h>

static struct arena arena;

TEST(all_that_is_built_in_can_be_read)
{
    for (size_t i = 0; workflow_files[i].name; i++) {
        struct workflow workflow;
        struct prompt_set set;
        CHECK_EQ_INT(workflow_find(&arena, workflow_files[i].name, &workflow),
                     ERR_NONE);
        CHECK_EQ_TEXT(workflow.name, workflow_files[i].name);
        CHECK_EQ_TEXT(workflow.model, workflow_files[i].name);
        CHECK_EQ_INT(strlen(workflow.sha256), 64);
        CHECK(workflow.targets.output_fps > 0);
        CHECK(workflow.metrics[0] && workflow.report[0]);
        CHECK(workflow.rate_ends_run);
        CHECK_EQ_INT(prompts_find(&arena, workflow.prompts, &set), ERR_NONE);
        CHECK(set.count >= 18);
    }
    arena_clear(&arena);
}

TEST(every_class_of_prompts_is_there)
{
    struct prompt_set set;
    size_t classes[3] = {0};
    REQUIRE(!prompts_find(&arena, "bootstrap", &set));
    for (size_t i = 0; i < set.count; i++)
        classes[set.prompts[i].class]++;
    CHECK(classes[PROMPT_GOOD] && classes[PROMPT_RANDOM] &&
          classes[PROMPT_BAD]);
    CHECK_EQ_TEXT(prompt_class_name(PROMPT_BAD), "bad");
    arena_clear(&arena);
}

static bool read_workflow(const char *text, struct workflow *workflow,
                          struct config_problems *problems)
{
    struct config_document file = {
        .arena = &arena, .problems = problems, .name = "w.yaml"};
    return workflow_read(&file, text, strlen(text), workflow);
}

TEST(parameters_become_json)
{
    static const struct prompt prompt = {"id", PROMPT_GOOD, "a \"fox\""};
    struct config_problems problems = {0};
    struct workflow workflow;
    CHECK(read_workflow("name: a\nmodel: b\nparameters:\n"
                        "  width: 512\n  scale: 1.5\n  fast: true\n"
                        "  seed: null\n  style: oil\n  list: [1, x]\n"
                        "  deep: {a: 01}\n",
                        &workflow, &problems));
    CHECK_EQ_TEXT(workflow.parameters,
                  "{\"width\":512,\"scale\":1.5,\"fast\":true,\"seed\":null,"
                  "\"style\":\"oil\",\"list\":[1,\"x\"],\"deep\":{\"a\":\"01\"}"
                  "}");
    const char *json = workflow_parameters(&arena, &workflow, &prompt);
    CHECK(json_parse(&arena, json, strlen(json)));
    CHECK(strstr(json, "{\"prompt\":\"a \\\"fox\\\"\",\"width\":512,"));
    CHECK(read_workflow("name: a\nmodel: b\n", &workflow, &problems));
    CHECK_EQ_TEXT(workflow_parameters(&arena, &workflow, &prompt),
                  "{\"prompt\":\"a \\\"fox\\\"\"}");
    CHECK(read_workflow("name: a\nmodel: b\nprompt_parameter: ''\n", &workflow,
                        &problems));
    CHECK_EQ_TEXT(workflow_parameters(&arena, &workflow, &prompt), "{}");
    arena_clear(&arena);
}

TEST(what_is_wanted_first_decides_what_ends_a_run)
{
    static const struct {
        const char *text;
        bool rate_ends_run;
    } cases[] = {
        {"name: a\nmodel: b\n", true},
        {"name: a\nmodel: b\nmetrics: [ptff_ms, output_fps, freeze_ms]\n",
         true},
        {"name: a\nmodel: b\nmetrics: [freeze_ms, output_fps]\n", false},
        {"name: a\nmodel: b\nmetrics: [startup_ms]\n", true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct config_problems problems = {0};
        struct workflow workflow;
        CHECK(read_workflow(cases[i].text, &workflow, &problems));
        CHECK(workflow.rate_ends_run == cases[i].rate_ends_run);
        arena_clear(&arena);
    }
}

TEST(mistakes_in_a_workflow)
{
    static const struct {
        const char *text;
        const char *message;
    } cases[] = {
        {"", "name is missing"},
        {"name: a\n", "model is missing"},
        {"name: a\nmodel: b\npromts: c\n", "did you mean prompts?"},
        {"name: a\nmodel: b\nparameters: 5\n", "is a section of names"},
        {"name: a\nmodel: b\nmetrics: fps\n", "metrics is a list of names"},
        {"name: a\nmodel: b\nmetrics: [outptu_fps]\n",
         "metrics: nothing of a run is called outptu_fps; did you mean "
         "output_fps?"},
        {"name: a\nmodel: b\nmetrics: [gpu_id]\n", "called gpu_id"},
        {"name: a\nmodel: b\nreport: [runs, drop_table]\n",
         "report: nothing of a run is called drop_table"},
        {"name: a\nmodel: b\nreport: [runs, runs]\n", "names runs twice"},
        {"name: a\nmodel: b\ntargets: {success_rate: 1.5}\n", "success_rate"},
        {"name: a\nmodel: b\nprice_ceiling_wei: -1\n", "price_ceiling_wei"},
        {"[1, 2", "w.yaml:"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct config_problems problems = {0};
        struct workflow workflow;
        CHECK(!read_workflow(cases[i].text, &workflow, &problems));
        CHECK_EQ_INT(config_problems_verdict(&problems, "all"), ERR_CONFIG);
        if (!strstr(err_message(), cases[i].message))
            CHECK_EQ_TEXT(err_message(), cases[i].message);
        arena_clear(&arena);
    }
}

TEST(mistakes_in_a_set_of_prompts)
{
    static const struct {
        const char *text;
        const char *message;
    } cases[] = {
        {"name: a\n", "prompts is a list of 1 to"},
        {"name: a\nprompts: []\n", "prompts is a list of 1 to"},
        {"name: a\nprompts: [x]\n", "a prompt has id, class and text"},
        {"name: a\nprompts: [{id: b}]\n", "needs an id and a text"},
        {"name: a\nprompts: [{id: b, class: ugly, text: c}]\n", "good"},
        {"name: a\nprompts:\n - {id: b, text: c}\n - {id: b, text: d}\n",
         "two prompts have the id b"},
        {"prompts: [{id: b, text: c}]\n", "name is missing"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct config_problems problems = {0};
        struct config_document file = {
            .arena = &arena, .problems = &problems, .name = "p.yaml"};
        struct prompt_set set;
        CHECK(!prompts_read(&file, cases[i].text, strlen(cases[i].text), &set));
        CHECK_EQ_INT(config_problems_verdict(&problems, "all"), ERR_CONFIG);
        if (!strstr(err_message(), cases[i].message))
            CHECK_EQ_TEXT(err_message(), cases[i].message);
        arena_clear(&arena);
    }
}

TEST(a_workflow_that_nobody_has)
{
    struct workflow workflow;
    CHECK_EQ_INT(workflow_find(&arena, "nonsense", &workflow), ERR_CONFIG);
    CHECK(strstr(err_message(), "there is no workflow nonsense"));
}
