/*
 * scenario_test.c: what scenario files may say, and what is said about others.
 */
#include "harness.h"
#include "sim/scenario.h"

#include <stdlib.h>
#include <string.h>

static enum err load(struct scenario *scenario, const char *yaml)
{
    return scenario_load_bytes(scenario, "s.yaml", yaml, strlen(yaml));
}

TEST(orchestrators_are_what_defaults_and_entries_say)
{
    static const char yaml[] = "seed: 9\n"
                               "flatter: slow-2\n"
                               "defaults:\n"
                               "  model: noop\n"
                               "  latency: {mean_ms: 80}\n"
                               "  outages: [{from: 1m, to: 2m}]\n"
                               "orchestrators:\n"
                               "  - name: steady\n"
                               "  - name: slow\n"
                               "    count: 2\n"
                               "    fps: {mean: 12.5, shape: constant}\n"
                               "    latency.deviation_ms: 7\n"
                               "    timestamps: dropped\n"
                               "    outages: []\n"
                               "    nodes: steady,slow-1\n";
    struct scenario scenario;
    REQUIRE_OK(load(&scenario, yaml));
    REQUIRE(scenario.orchestrator_count == 3);
    const struct behaviour *steady = &scenario.orchestrators[0];
    const struct behaviour *slow = &scenario.orchestrators[2];
    CHECK_EQ_INT(scenario.seed, 9);
    CHECK_EQ_TEXT(scenario.flatter, "slow-2");
    CHECK_EQ_TEXT(steady->name, "steady");
    CHECK_EQ_TEXT(steady->model, "noop");
    CHECK_EQ_DOUBLE(steady->fps.mean, 24);
    CHECK_EQ_INT(steady->fps.shape, SHAPE_NORMAL);
    REQUIRE(steady->outage_count == 1);
    CHECK_EQ_INT(steady->outages[0].to_ms, 120000);
    CHECK_EQ_TEXT(slow->name, "slow-2");
    CHECK_EQ_TEXT(slow->model, "noop");
    CHECK_EQ_DOUBLE(slow->fps.mean, 12.5);
    CHECK_EQ_INT(slow->fps.shape, SHAPE_CONSTANT);
    CHECK_EQ_DOUBLE(slow->latency.mean, 80);
    CHECK_EQ_DOUBLE(slow->latency.deviation, 7);
    CHECK_EQ_INT(slow->timestamps, TIMESTAMPS_DROPPED);
    CHECK_EQ_INT(slow->outage_count, 0);
    scenario_free(&scenario);
}

TEST(without_a_file_all_are_steady)
{
    struct scenario scenario;
    scenario_steady(&scenario, 3);
    REQUIRE(scenario.orchestrator_count == 3);
    const struct behaviour *last = &scenario.orchestrators[2];
    CHECK_EQ_TEXT(last->name, "steady-3");
    CHECK_EQ_INT(last->slots, 4);
    CHECK_EQ_INT(last->price_wei, 0);
    CHECK_EQ_DOUBLE(last->fps.mean, 24);
    CHECK_EQ_DOUBLE(last->fps.deviation, 0);
    CHECK_EQ_DOUBLE(last->failure_rate, 0);
    CHECK_EQ_TEXT(scenario.flatter, "");
    scenario_free(&scenario);
}

TEST(mistakes_are_told_with_their_line)
{
    static const struct {
        const char *yaml;
        const char *sentence;
    } rows[] = {
        {"", "s.yaml:1: the list of orchestrators is empty"},
        {"orchestrators:\n", "s.yaml:1: the list of orchestrators is empty"},
        {"\norchestrators: []\n",
         "s.yaml:2: the list of orchestrators is empty"},
        {"orchestrators: 3\n", "s.yaml:1: orchestrators is a list; its entries "
                               "begin with \"- \""},
        {"orchestrators:\n- fsp: {mean: 3}\n",
         "s.yaml:2: there is no option fsp; did you mean fps?"},
        {"orchestrators:\n- name: a\n  fps:\n    men: 3\n",
         "s.yaml:4: there is no option fps.men; did you mean fps.mean?"},
        {"orchestrators:\n- zebra: 1\n",
         "s.yaml:2: there is no option zebra; \"assay sim --options\" lists "
         "all"},
        {"orchestrator:\n- name: a\n",
         "s.yaml:1: there is no option orchestrator; did you mean "
         "orchestrators?"},
        {"defaults: {slots: many}\norchestrators: [{}]\n",
         "s.yaml:1: slots takes a whole number, not \"many\""},
        {"orchestrators:\n- failure.rate: 1.5\n",
         "s.yaml:2: failure.rate takes a number from 0 to 1, not \"1.5\""},
        {"orchestrators:\n- name: a\n- name: a\n",
         "s.yaml:3: another orchestrator is called a; give this one a name of "
         "its own"},
        {"orchestrators:\n- count: 200\n- {name: b, count: 200}\n",
         "s.yaml:3: there are more than 256 orchestrators"},
        {"orchestrators:\n- outages: [{from: 2m, to: 1m}]\n",
         "s.yaml:2: an outage ends (to) after it began (from)"},
        {"orchestrators:\n- outages: [{form: 2m}]\n",
         "s.yaml:2: there is no option form; did you mean from? (and 1 more; "
         "mend this one first)"},
        {"orchestrators:\n- freeze: {every: 1s, length: 2s}\n",
         "s.yaml:2: freeze.length is shorter than freeze.every"},
        {"orchestrators:\n- name: steady\nflatter: steadi\n",
         "s.yaml:1: flatter names steadi, but no orchestrator is called that; "
         "did you mean steady?"},
        {"orchestrators:\n- nodes: a\n",
         "s.yaml:1: nodes names a, but no orchestrator is called that"},
        {"orchestrators: [3]\n", "s.yaml:1: is no orchestrator: options are "
                                 "written \"name: value\""},
    };
    EACH_ROW (row, rows) {
        struct scenario scenario;
        CHECK_ERR(load(&scenario, row->yaml), ERR_CONFIG);
        CHECK_EQ_TEXT(err_message(), row->sentence);
        scenario_free(&scenario);
    }
}

TEST(the_printed_options_are_a_good_file_that_changes_nothing)
{
    struct buf options = {0};
    struct buf yaml = {0};
    struct scenario printed;
    struct scenario steady;
    scenario_default_yaml(&options);
    buf_add_string(&yaml, "orchestrators:\n-\n");
    const char *line = buf_string(&options);
    while (*line) {
        size_t length = strcspn(line, "\n") + 1;
        CHECK(length <= 81);
        buf_add_string(&yaml, "  ");
        buf_add(&yaml, line, length);
        line += length;
    }
    REQUIRE_OK(load(&printed, buf_string(&yaml)));
    scenario_steady(&steady, 1);
    CHECK_EQ_TEXT(printed.orchestrators[0].model,
                  steady.orchestrators[0].model);
    CHECK_EQ_DOUBLE(printed.orchestrators[0].latency.mean,
                    steady.orchestrators[0].latency.mean);
    CHECK_EQ_INT(printed.orchestrators[0].cools_after_ms,
                 steady.orchestrators[0].cools_after_ms);
    scenario_free(&printed);
    scenario_free(&steady);
    buf_free(&options);
    buf_free(&yaml);
}
