/*
 * Expected counts of the two dumps were taken with jq.
 */
#include "discover/discover.h"

#include "base/file.h"
#include "harness.h"

#include <string.h>

#define HOST "https://a.example:8935"

static struct arena arena;

static const char *string(struct text text)
{
    return arena_text(&arena, text.data, text.length);
}

static void add_count(struct buf *out, int64_t count)
{
    if (count == ABSENT_INT)
        buf_add_string(out, "?");
    else
        buf_printf(out, "%lld", (long long)count);
}

/* " PIPELINE/MODEL IDLE+BUSY GPU...", "*" where it is warm. */
static void add_model(struct buf *out, const struct discovered_model *model)
{
    buf_printf(out, " %s/%s%s ", string(model->pipeline),
               string(model->model_id), model->warm ? "*" : "");
    add_count(out, model->idle);
    buf_add_string(out, "+");
    add_count(out, model->busy);
    for (size_t i = 0; i < model->gpu_count; i++)
        buf_printf(out, " %s", string(model->gpu_ids[i]));
}

/* All of a list, then what was left out. */
static const char *list_of(const struct discovery *found)
{
    struct buf out = {0};
    for (size_t i = 0; i < found->count; i++) {
        const struct discovered *one = &found->orchestrators[i];
        buf_printf(&out, "%s%s", i ? "; " : "", string(one->url));
        if (one->orchestrator_address.length || one->signing_address.length)
            buf_printf(&out, " %s/%s", string(one->orchestrator_address),
                       string(one->signing_address));
        for (size_t j = 0; j < one->model_count; j++)
            add_model(&out, &one->models[j]);
    }
    for (size_t i = 0; i < DISCOVERY_SKIP_COUNT; i++) {
        if (found->skipped[i])
            buf_printf(&out, " -%s:%d",
                       discovery_skip_name((enum discovery_skip)i),
                       (int)found->skipped[i]);
    }
    const char *text = string((struct text){out.data, out.length});
    buf_free(&out);
    return text;
}

struct row {
    enum discover_kind kind;
    const char *bytes;
    const char *list;
};

static void check_row(const struct row *row)
{
    struct discovery found = {0};
    CHECK_OK(discovery_read(&found, row->kind, text_of(row->bytes)));
    CHECK_EQ_TEXT(list_of(&found), row->list);
    for (size_t i = 0; i < found.count; i++)
        CHECK_EQ_INT(found.orchestrators[i].source, row->kind);
    discovery_free(&found);
}

TEST(lists_and_files_take_what_gateways_take)
{
    static const struct row rows[] = {
        {DISCOVER_LIST, "", ""},
        {DISCOVER_LIST, " a.example , b.example:1\t",
         HOST "; https://b.example:1"},
        {DISCOVER_LIST, ":9000,,", "https://127.0.0.1:9000"},
        {DISCOVER_LIST, "http://a.example", "http://a.example:80"},
        {DISCOVER_LIST, "0x7f.1", "https://127.0.0.1:8935"},
        {DISCOVER_LIST, "[::1]:7", "https://[::1]:7"},
        {DISCOVER_LIST, "A.example.,a.example:8935/path#x",
         HOST " -duplicate:1"},
        {DISCOVER_LIST, "https://,u:p@a.example,ftp://a,a b,a:99999",
         " -wrong_url:5"},
        {DISCOVER_FILE, "# none\n\n \r\n", ""},
        {DISCOVER_FILE, "a.example # one\r\n#b\nc.example,d.example\n",
         HOST " -wrong_url:1"},
    };
    EACH_ROW (row, rows) {
        check_row(row);
    }
}

TEST(webhooks_tell_addresses)
{
    static const struct row rows[] = {
        {DISCOVER_WEBHOOK, "[]", ""},
        {DISCOVER_WEBHOOK,
         "[{\"address\":\"" HOST "\",\"score\":0.5,\"other\":[]}]", HOST},
        {DISCOVER_WEBHOOK, "[{},{\"address\":\"\"},{\"address\":7},7,null,[]]",
         " -no_entry:3 -no_url:3"},
        {DISCOVER_WEBHOOK,
         "[{\"address\":\"a.example\\u0000.b\"},{\"address\":\"\\u00e4\"}]",
         " -wrong_url:2"},
        {DISCOVER_WEBHOOK,
         "[{\"address\":\"" HOST "\"},{\"address\":\"" HOST "/\"}]",
         HOST " -duplicate:1"},
    };
    EACH_ROW (row, rows) {
        check_row(row);
    }
}

#define ENDPOINT(members) "[{\"address\":\"" HOST "\"," members "}]"
#define RUNNER(members) "{\"app\":\"live-video-to-video/noop\"," members "}"

TEST(endpoints_tell_models_and_runners)
{
    static const struct row rows[] = {
        {DISCOVER_ENDPOINT,
         ENDPOINT("\"capabilities\":[\"llm/meta/x\",\"llm\",3,\"/y\"]"),
         HOST " llm/meta/x ?+? -model:3"},
        {DISCOVER_ENDPOINT,
         ENDPOINT("\"runners\":[" RUNNER(
             "\"capacity\":3,\"capacity_used\":1,\"capacity_available\":2,"
             "\"gpu\":{\"id\":\"G1\"}") "," RUNNER("\"capacity_used\":1,"
                                                   "\"capacity_available\":"
                                                   "1,"
                                                   "\"gpu\":{\"id\":"
                                                   "\"G2\"}") "]"),
         HOST " live-video-to-video/noop 3+2 G1 G2"},
        {DISCOVER_ENDPOINT,
         ENDPOINT("\"runners\":[" RUNNER("\"capacity_used\":-5,"
                                         "\"capacity_available\":1e30") "]"),
         HOST " live-video-to-video/noop 0+0"},
        {DISCOVER_ENDPOINT,
         ENDPOINT("\"runners\":[" RUNNER(
             "\"capacity_available\":9007199254740993") ",3]"),
         HOST " live-video-to-video/noop 1000000+? -model:1"},
    };
    EACH_ROW (row, rows) {
        check_row(row);
    }
}

#define RECIPIENT "0x2cC8AeC211Fdc372c0F7E4d1add1675733381328"
#define ORCHESTRATOR(members)                                                  \
    "{\"orchestrators\":[{\"orch_uri\":\"" HOST "\"," members "}]}"
#define MODELS(number, models)                                                 \
    ORCHESTRATOR("\"capabilities\":{\"constraints\":{\"PerCapability\":{"      \
                 "\"" number "\":{\"models\":" models "}}}}")

TEST(gateways_tell_most)
{
    static const struct row rows[] = {
        {DISCOVER_CAPABILITIES, "{\"orchestrators\":[]}", ""},
        {DISCOVER_CAPABILITIES,
         ORCHESTRATOR("\"address\":\"" RECIPIENT "\",\"local_address\":\"\""),
         HOST " 0x2cc8aec211fdc372c0f7e4d1add1675733381328/"},
        {DISCOVER_CAPABILITIES,
         ORCHESTRATOR("\"address\":\"0x0000000000000000000000000000000000000000"
                      "\",\"local_address\":\"0xfff\""),
         HOST},
        {DISCOVER_CAPABILITIES,
         MODELS("35", "{\"m\":{\"warm\":true,\"capacityInUse\":2}}"),
         HOST " live-video-to-video/m* 0+2"},
        {DISCOVER_CAPABILITIES, MODELS("31", "{\"m\":{\"capacity\":1}}"),
         HOST " audio-to-text/m 1+0"},
        {DISCOVER_CAPABILITIES, MODELS("1", "{\"m\":{}}"), HOST},
        {DISCOVER_CAPABILITIES, MODELS("35x", "{\"m\":{}}"), HOST},
        {DISCOVER_CAPABILITIES, MODELS("35", "[\"m\"]"), HOST},
        {DISCOVER_CAPABILITIES,
         ORCHESTRATOR("\"hardware\":[{\"pipeline\":\"upscale\",\"model_id\":"
                      "\"u\",\"gpu_info\":{\"0\":{\"id\":\"G1\"},\"1\":{\"id\":"
                      "\"G1\"},\"2\":{}}},{\"gpu_info\":[]},5]"),
         HOST " upscale/u ?+? G1 -model:2"},
        {DISCOVER_CAPABILITIES,
         "{\"orchestrators\":[5,{\"orch_uri\":\"\"},{\"orch_uri\":[]}]}",
         " -no_entry:1 -no_url:2"},
    };
    EACH_ROW (row, rows) {
        check_row(row);
    }
}

TEST(what_is_no_such_answer_is_refused_as_a_whole)
{
    static const struct {
        enum discover_kind kind;
        const char *bytes;
    } rows[] = {
        {DISCOVER_WEBHOOK, ""},
        {DISCOVER_WEBHOOK, "<html>"},
        {DISCOVER_WEBHOOK, "{\"address\":\"" HOST "\"}"},
        {DISCOVER_WEBHOOK, "[{\"address\":\"" HOST "\"}"},
        {DISCOVER_ENDPOINT, "null"},
        {DISCOVER_CAPABILITIES, "[]"},
        {DISCOVER_CAPABILITIES, "{\"orchestrators\":{}}"},
    };
    EACH_ROW (row, rows) {
        struct discovery found = {0};
        CHECK_ERR(discovery_read(&found, row->kind, text_of(row->bytes)),
                  ERR_INPUT);
        CHECK_EQ_INT(found.count, 0);
        discovery_free(&found);
    }
}

TEST(joined_lists_know_each_orchestrator_once_and_all_of_its_models)
{
    struct discovery found = {0};
    struct discovery more = {0};
    REQUIRE_OK(discovery_read(&found, DISCOVER_LIST, text_of("a.example,b")));
    REQUIRE_OK(discovery_read(
        &more, DISCOVER_CAPABILITIES,
        text_of(MODELS("35", "{\"m\":{\"capacity\":4},\"n\":{}}"))));
    discovery_join(&found, &more);
    discovery_free(&more);
    REQUIRE_OK(discovery_read(
        &more, DISCOVER_CAPABILITIES,
        text_of(MODELS("35", "{\"m\":{\"capacity\":9,\"warm\":true}}"))));
    discovery_join(&found, &more);
    discovery_free(&more);
    CHECK_EQ_TEXT(list_of(&found),
                  HOST " live-video-to-video/m* 4+0 live-video-to-video/n 0+0; "
                       "https://b:8935 -duplicate:2");
    CHECK_EQ_INT(found.orchestrators[0].source, DISCOVER_LIST);
    discovery_free(&found);
}

TEST(a_hundred_thousand_entries_end_at_the_limit)
{
    struct discovery found = {0};
    struct buf bytes = {0};
    buf_add_string(&bytes, "[");
    for (int i = 0; i < 100000; i++)
        buf_printf(&bytes, "%s{\"address\":\"https://h%d.example:8935\"}",
                   i ? "," : "", i);
    buf_add_string(&bytes, "]");
    struct text all = {bytes.data, bytes.length};
    CHECK_OK(discovery_read(&found, DISCOVER_WEBHOOK, all));
    CHECK_EQ_INT(found.count, DISCOVERY_ENTRIES_MAX);
    CHECK_EQ_INT(found.skipped[SKIP_TOO_MANY], 100000 - DISCOVERY_ENTRIES_MAX);
    all.length = (size_t)DISCOVERY_BYTES_MAX + 1;
    CHECK_ERR(discovery_read(&found, DISCOVER_WEBHOOK, all), ERR_INPUT);
    buf_free(&bytes);
    discovery_free(&found);
}

TEST(names_and_models_have_limits)
{
    struct discovery found = {0};
    struct buf bytes = {0};
    buf_add_string(&bytes, "[{\"address\":\"a.example\",\"capabilities\":[");
    for (int i = 0; i < DISCOVERY_MODELS_MAX + 5; i++)
        buf_printf(&bytes, "\"llm/%d\",", i);
    buf_printf(&bytes, "\"llm/%0300d\"]}]", 1);
    CHECK_OK(discovery_read(&found, DISCOVER_ENDPOINT,
                            (struct text){bytes.data, bytes.length}));
    CHECK_EQ_INT(found.orchestrators[0].model_count, DISCOVERY_MODELS_MAX);
    CHECK_EQ_INT(found.skipped[SKIP_MODEL], 6);
    buf_free(&bytes);
    discovery_free(&found);
}

TEST(real_dumps_are_read_whole)
{
    static const struct {
        const char *path;
        size_t count;
        size_t live; /* models of live video */
        size_t gpus; /* of those */
    } rows[] = {
        {"tests/data/getNetworkCapabilities.json", 52, 7, 11},
        {"tests/data/getNetworkCapabilities-ai-batch-byoc.json", 40, 12, 34},
    };
    EACH_ROW (row, rows) {
        struct discovery found = {0};
        struct buf bytes = {0};
        size_t live = 0;
        size_t gpus = 0;
        REQUIRE(file_read(row->path, DISCOVERY_BYTES_MAX, &bytes));
        CHECK_OK(discovery_read(&found, DISCOVER_CAPABILITIES,
                                (struct text){bytes.data, bytes.length}));
        for (size_t i = 0; i < found.count; i++) {
            const struct discovered *one = &found.orchestrators[i];
            CHECK_EQ_INT(one->orchestrator_address.length, 42);
            for (size_t j = 0; j < one->model_count; j++) {
                bool is_live =
                    text_is(one->models[j].pipeline, "live-video-to-video");
                live += is_live;
                gpus += is_live ? one->models[j].gpu_count : 0;
            }
        }
        CHECK_EQ_INT(found.count, row->count);
        CHECK_EQ_INT(live, row->live);
        CHECK_EQ_INT(gpus, row->gpus);
        buf_free(&bytes);
        discovery_free(&found);
    }
}
