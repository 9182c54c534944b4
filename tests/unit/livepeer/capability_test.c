/*
 * Expected hashes were computed with md5sum from §11 "Hash inputs".
 */
#include "livepeer/livepeer.h"

#include "harness.h"

#include <string.h>

static struct arena arena;

#define ALIAS "0x00000000000000000000000000000000000000ab"

static const char *string(struct text text)
{
    return arena_text(&arena, text.data, text.length);
}

static struct capability_element *read_all(const char *json, size_t *count)
{
    struct yyjson_val *data = json_parse(&arena, json, strlen(json));
    REQUIRE(data != NULL);
    return capability_read(&arena, data, count);
}

/* The one element {"address":"A", MEMBERS}. */
static struct capability_element *read_one(const char *members)
{
    size_t count;
    struct capability_element *elements =
        read_all(arena_printf(&arena, "[{\"address\":\"A\"%s%s}]",
                              members[0] ? "," : "", members),
                 &count);
    REQUIRE(count == 1);
    return elements;
}

/* "pipeline/model/gpu+ ..." of all intervals, + for hardware. */
static const char *intervals_of(const struct capability_element *element)
{
    struct buf out = {0};
    for (size_t i = 0; i < element->interval_count; i++) {
        const struct capability_interval *one = &element->intervals[i];
        buf_printf(&out, "%s%s/%s/%s%s", i ? " " : "", string(one->pipeline),
                   string(one->model), string(one->gpu_id),
                   one->has_hardware ? "+" : "");
    }
    const char *text = string((struct text){out.data, out.length});
    buf_free(&out);
    return text;
}

TEST(only_arrays_hold_elements_and_only_objects_with_an_address_are_ones)
{
    static const struct {
        const char *json;
        size_t count;
    } rows[] = {
        {"{}", 0},
        {"{\"address\":\"a\"}", 0},
        {"null", 0},
        {"\"x\"", 0},
        {"[]", 0},
        {"[{\"address\":\"a\"}]", 1},
        {"[{\"address\":\"\"},{\"address\":null},{},5,null,[],\"address\"]", 0},
        {"[{\"address\":7},{},{\"address\":\"b\"},{\"address\":\"b\"}]", 3},
    };
    EACH_ROW (row, rows) {
        size_t count = 99;
        struct capability_element *elements = read_all(row->json, &count);
        CHECK_EQ_INT(count, row->count);
        for (size_t i = 0; i < count; i++)
            CHECK(elements[i].interval_count >= 1);
    }
    size_t count = 99;
    capability_read(&arena, NULL, &count);
    CHECK_EQ_INT(count, 0);
    arena_free(&arena);
}

TEST(names_are_lower_case_and_the_alias_is_an_address_of_its_own)
{
    static const struct {
        const char *json;
        const char *address;
        const char *uri;
        const char *alias;
    } rows[] = {
        {"[{\"address\":\"0xAB\",\"orch_uri\":\"HTTPS://A:1\","
         "\"uri\":\"https://b\"}]",
         "0xab", "https://a:1", ""},
        {"[{\"address\":\"a\",\"orch_uri\":\"\",\"uri\":\"X\"}]", "a", "x", ""},
        {"[{\"address\":\"a\",\"orch_uri\":null}]", "a", "", ""},
        {"[{\"address\":12,\"uri\":{\"A\":1}}]", "12", "{\"a\":1}", ""},
        {"[{\"address\":\"a\",\"local_address\":\"" ALIAS "\"}]", "a", "",
         ALIAS},
        {"[{\"address\":\"a\",\"local_address\":"
         "\"0X00000000000000000000000000000000000000AB\"}]",
         "a", "", ALIAS},
        {"[{\"address\":\"" ALIAS "\",\"local_address\":\"" ALIAS "\"}]", ALIAS,
         "", ""},
        {"[{\"address\":\"a\",\"local_address\":\"" ALIAS "0\"}]", "a", "", ""},
        {"[{\"address\":\"a\",\"local_address\":"
         "\"0x00000000000000000000000000000000000000ag\"}]",
         "a", "", ""},
        {"[{\"address\":\"a\",\"local_address\":"
         "\"0x0000000000000000000000000000000000000\\u0000ab\"}]",
         "a", "", ""},
        {"[{\"address\":\"a\",\"local_address\":\"b\"}]", "a", "", ""},
    };
    EACH_ROW (row, rows) {
        size_t count;
        struct capability_element *elements = read_all(row->json, &count);
        REQUIRE(count == 1);
        CHECK_EQ_TEXT(string(elements[0].address), row->address);
        CHECK_EQ_TEXT(string(elements[0].uri), row->uri);
        CHECK_EQ_TEXT(string(elements[0].alias), row->alias);
    }
    arena_free(&arena);
}

TEST(offers_are_expanded_into_intervals)
{
    static const struct {
        const char *members;
        const char *intervals;
    } rows[] = {
        {"", "//"},
        {"\"hardware\":null,\"capabilities\":null", "//"},
        {"\"hardware\":[],\"capabilities\":{}", "//"},
        /* hardware entries times GPUs */
        {"\"hardware\":[{\"pipeline\":\"P\",\"model_id\":\"M\",\"gpu_info\":"
         "{\"0\":{\"id\":\"G0\",\"memory_total\":5},\"1\":{\"id\":\"G1\"}}}]",
         "P/M/G0+ P/M/G1+"},
        {"\"hardware\":[{\"pipeline\":\"P\",\"model_id\":\"M\",\"gpu_info\":"
         "[{\"id\":\"G0\"},null,{}]}]",
         "P/M/G0+ P/M/+"},
        {"\"hardware\":[{\"pipeline\":\"P\",\"model_id\":\"M\"},"
         "{\"pipeline\":\"Q\",\"gpu_info\":{}},"
         "{\"model_id\":\"N\",\"gpu_info\":null},"
         "{\"model_id\":\"O\",\"gpu_info\":[null]}]",
         "P/M/ Q// /N/ /O/"},
        {"\"hardware\":[null]", "//"},
        {"\"hardware\":[{}]", "//"},
        /* per-capability models, only without hardware */
        {"\"capabilities\":{\"constraints\":{\"PerCapability\":{"
         "\"35\":{\"models\":{\"b\":{},\"a\":null}},"
         "\"27\":{\"models\":{\"x\":{\"warm\":true}}}}}}",
         "text-to-image/x/ live-video-to-video/b/ live-video-to-video/a/"},
        {"\"capabilities\":{\"constraints\":{\"PerCapability\":{"
         "\"37\":{\"models\":{\"a\":{}}},\"035\":{\"models\":{\"b\":{}}},"
         "\"35 \":{\"models\":{\"c\":{}}},\"x\":null}}}",
         "//"},
        {"\"capabilities\":{\"constraints\":{\"PerCapability\":{"
         "\"36\":{\"models\":{\"a\":{},\"a\":{}}},\"28\":{\"models\":{}},"
         "\"29\":null,\"30\":{\"models\":null}}}}",
         "text-to-speech/a/"},
        {"\"hardware\":[{\"pipeline\":\"P\"}],\"capabilities\":{"
         "\"constraints\":{\"PerCapability\":{\"35\":{\"models\":{\"a\":{}}}}"
         "}}",
         "P//"},
    };
    EACH_ROW (row, rows) {
        CHECK_EQ_TEXT(intervals_of(read_one(row->members)), row->intervals);
    }
    arena_free(&arena);
}

TEST(every_builtin_capability_has_its_pipeline)
{
    static const struct {
        int number;
        const char *pipeline;
    } rows[] = {{27, "text-to-image"},
                {28, "image-to-image"},
                {29, "image-to-video"},
                {30, "upscale"},
                {31, "audio-to-text"},
                {32, "segment-anything-2"},
                {33, "llm"},
                {34, "image-to-text"},
                {35, "live-video-to-video"},
                {36, "text-to-speech"}};
    EACH_ROW (row, rows) {
        struct capability_element *element = read_one(
            arena_printf(&arena,
                         "\"capabilities\":{\"constraints\":{\"PerCapability\":"
                         "{\"%d\":{\"models\":{\"m\":{}}}}}}",
                         row->number));
        CHECK_EQ_TEXT(string(element->intervals[0].pipeline), row->pipeline);
        CHECK_EQ_TEXT(string(element->intervals[0].model), "m");
    }
    arena_free(&arena);
}

TEST(a_wrong_type_anywhere_makes_one_error_placeholder)
{
    static const char *const rows[] = {
        "\"hardware\":{}",
        "\"hardware\":\"\"",
        "\"hardware\":[{\"pipeline\":\"P\"},5]",
        "\"hardware\":[[]]",
        "\"hardware\":[{\"pipeline\":5}]",
        "\"hardware\":[{\"model_id\":{}}]",
        "\"hardware\":[{\"gpu_info\":\"x\"}]",
        "\"hardware\":[{\"gpu_info\":0}]",
        "\"hardware\":[{\"gpu_info\":[5]}]",
        "\"hardware\":[{\"gpu_info\":{\"0\":[]}}]",
        "\"hardware\":[{\"gpu_info\":[{\"id\":5}]}]",
        "\"hardware\":[{\"gpu_info\":[{\"memory_total\":\"5\"}]}]",
        "\"hardware\":[{\"gpu_info\":[{\"memory_total\":5.0}]}]",
        "\"hardware\":[{\"gpu_info\":[{\"memory_total\":1e3}]}]",
        "\"hardware\":[{\"gpu_info\":[{\"memory_total\":9223372036854775808}]"
        "}]",
        "\"hardware\":[{\"pipeline\":\"P\"}],\"capabilities\":[]",
        "\"capabilities\":5",
        "\"capabilities\":{\"constraints\":[]}",
        "\"capabilities\":{\"constraints\":{\"PerCapability\":\"x\"}}",
        "\"capabilities\":{\"constraints\":{\"PerCapability\":{\"35\":1}}}",
        "\"capabilities\":{\"constraints\":{\"PerCapability\":{\"99\":[]}}}",
        "\"capabilities\":{\"constraints\":{\"PerCapability\":"
        "{\"35\":{\"models\":[]}}}}",
        "\"capabilities\":{\"constraints\":{\"PerCapability\":"
        "{\"35\":{\"models\":{\"m\":true}}}}}",
    };
    EACH_ROW (members, rows) {
        struct capability_element *element = read_one(*members);
        CHECK_EQ_TEXT(intervals_of(element), "//");
        CHECK_EQ_TEXT(element->intervals[0].suffix,
                      "d04f8e09c9d03e73753631b38d8bf870");
    }
    arena_free(&arena);
}

TEST(nothing_else_is_looked_at)
{
    static const char *const rows[] = {
        "\"version\":[],\"price_info\":5,\"capabilities_prices\":{}",
        ("\"hardware\":[{\"gpu_info\":[{\"id\":\"g\",\"name\":7,"
         "\"memory_free\":\"x\",\"memory_total\":-1}]}]"),
        "\"capabilities\":{\"constraints\":{\"minVersion\":5}}",
    };
    EACH_ROW (members, rows) {
        struct capability_element *element = read_one(*members);
        CHECK(strcmp(element->intervals[0].suffix,
                     "d04f8e09c9d03e73753631b38d8bf870") != 0);
    }
    arena_free(&arena);
}

TEST(hashes_are_those_of_the_publisher)
{
    struct capability_element *element =
        read_one("\"hardware\":[{\"model_id\":\"M\",\"pipeline\":\"P\"},"
                 "{\"pipeline\":\"P\",\"model_id\":\"M\",\"gpu_info\":"
                 "{\"0\":{\"id\":\"GPU-A\",\"memory_total\":25}}}]");
    CHECK_EQ_TEXT(element->intervals[0].suffix,
                  "fab403e2cdb969c3acffbe67fd0fb397");
    CHECK_EQ_TEXT(element->intervals[1].suffix,
                  "74191e70f8bd80c81a853bf5a5c8c0b9");
    CHECK_EQ_TEXT(element->payload, "eadf5afd5c3cbdb38a85a8707bb767a5");
    element = read_one("");
    CHECK_EQ_TEXT(element->intervals[0].suffix,
                  "c7513fc5161bfbe6f802736480031e70");
    CHECK_EQ_TEXT(element->payload, "86c0938c3d609aff98214c5d8bdef676");
    element = read_one(" \"x\" : 1.50");
    CHECK_EQ_TEXT(element->payload, "8cb2151e397e0e88bc301c5c2309c776");
    element = read_one("\"capabilities\":{\"constraints\":{\"PerCapability\":"
                       "{\"35\":{\"models\":{\"m\":{}}}}}}");
    CHECK_EQ_TEXT(element->intervals[0].suffix,
                  "050b6c612537442f8b9d9ae57e8541ac");
    element = read_one("\"hardware\":[{\"gpu_info\":[{}]}]");
    CHECK_EQ_TEXT(element->intervals[0].suffix,
                  "fc6a66d7ed7e24d4ac8e39e459f4e899");
    arena_free(&arena);
}

/* ---- offers and prices (§1.5) -------------------------------------------- */

TEST(an_interval_says_what_it_was_read_from)
{
    static const struct {
        const char *members;
        enum capability_source source;
        bool warm;
        int64_t capacity;
        int64_t memory;
        const char *gpu;
    } rows[] = {
        {"\"hardware\":[{\"pipeline\":\"p\",\"gpu_info\":[{\"name\":\"RTX\","
         "\"memory_total\":24}]}]",
         SOURCE_HARDWARE, false, 0, 24, "RTX"},
        {"\"hardware\":[{\"pipeline\":\"p\"}]", SOURCE_HARDWARE, false, 0, 0,
         ""},
        {"\"capabilities\":{\"constraints\":{\"PerCapability\":{\"33\":"
         "{\"models\":{\"m\":{\"warm\":true,\"capacity\":2}}}}}}",
         SOURCE_PER_CAPABILITY, true, 2, 0, ""},
        {"\"capabilities\":{\"constraints\":{\"PerCapability\":{\"33\":"
         "{\"models\":{\"m\":null}}}}}",
         SOURCE_PER_CAPABILITY, false, 0, 0, ""},
        {"", SOURCE_NOTHING, false, 0, 0, ""},
    };
    EACH_ROW (row, rows) {
        const struct capability_interval *one =
            read_one(row->members)->intervals;
        CHECK_EQ_INT(one->source, row->source);
        CHECK_EQ_INT(one->warm, row->warm);
        CHECK_EQ_INT(one->capacity, row->capacity);
        CHECK_EQ_INT(one->gpu_memory_bytes, row->memory);
        CHECK_EQ_TEXT(string(one->gpu_name), row->gpu);
    }
    arena_free(&arena);
}

TEST(prices_are_read_as_they_stand)
{
    const struct capability_element *element = read_one(
        "\"capabilities_prices\":[{\"capability\":37,\"constraint\":\"openai\","
        "\"pricePerUnit\":\"2500\",\"pixelsPerUnit\":1},null,"
        "{\"pricePerUnit\":1e30}]");
    REQUIRE(element->price_count == 3);
    CHECK_EQ_INT(element->prices[0].capability, 37);
    CHECK_EQ_TEXT(string(element->prices[0].constraint), "openai");
    CHECK_EQ_INT(element->prices[0].price_per_unit, 2500);
    CHECK_EQ_INT(element->prices[0].pixels_per_unit, 1);
    CHECK_EQ_INT(element->prices[1].price_per_unit, 0);
    CHECK_EQ_INT(element->prices[2].price_per_unit, 0);
    CHECK_EQ_INT(read_one("\"capabilities_prices\":{}")->price_count, 0);
    arena_free(&arena);
}

TEST(the_catalogue_knows_numbers_and_pipelines)
{
    static const struct {
        const char *pipeline;
        int64_t number;
        bool stream;
        bool request;
    } rows[] = {
        {"live-video-to-video", 35, true, false},
        {"Live-Video-To-Video", 35, true, false},
        {"llm", 33, false, true},
        {"openai-chat-completions", 37, true, true},
        {"", 37, true, true},
    };
    EACH_ROW (row, rows) {
        const struct capability *one =
            capability_offered(text_of(row->pipeline));
        CHECK_EQ_INT(one->number, row->number);
        CHECK_EQ_INT(one->supports_stream, row->stream);
        CHECK_EQ_INT(one->supports_request, row->request);
        CHECK(capability_numbered(row->number) == one);
    }
    CHECK(!capability_numbered(26));
}
