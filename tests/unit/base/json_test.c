/*
 * Reading: what is JSON, what a value of a wrong type becomes, and the one
 * compact text of a value, which payload hashes are made of.
 */
#include "base/json.h"

#include "harness.h"

#include <string.h>

static struct arena arena;

static struct yyjson_val *parse(const char *text)
{
    return json_parse(&arena, text, strlen(text));
}

/* The member `v` of an object that holds VALUE there. */
static struct yyjson_val *value_of(const char *value)
{
    struct yyjson_val *root = parse(arena_printf(&arena, "{\"v\":%s}", value));
    REQUIRE(root != NULL);
    return json_get(root, "v");
}

static void check_text(struct text got, const char *wanted)
{
    CHECK_EQ_TEXT(arena_text(&arena, got.data, got.length), wanted);
}

TEST(json_that_is_taken)
{
    static const char *const rows[] = {
        "{}",
        "[]",
        " \t\r\n{} \t\r\n",
        "null",
        "\"x\"",
        "0",
        "-0",
        "1e308",
        "-1.5E-3",
        "1e-999",
        "123456789012345678901234567890",
        "{\"a\":1,\"a\":2}",
        "{\"\":0}",
        "\"\\u0000\\ud834\\udd1e\\/\"",
        "\"\x7f\"",
        "\"\xf4\x8f\xbf\xbf\"",
        "[[[]],{\"a\":[{}]}]",
    };
    EACH_ROW (text, rows) {
        CHECK(parse(*text) != NULL);
    }
    arena_free(&arena);
}

TEST(json_that_is_refused)
{
    static const char *const rows[] = {
        "",
        " ",
        "{",
        "}",
        "{]",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "[1,]",
        "[,1]",
        "[1 2]",
        "{a:1}",
        "{'a':1}",
        "{\"a\":1} x",
        "{}{}",
        "[] []",
        "nul",
        "True",
        "NaN",
        "Infinity",
        "-",
        "+1",
        "01",
        "-01",
        "1.",
        ".5",
        "1e",
        "1e+",
        "0x10",
        "1e309",
        "-1e400",
        "\"",
        "\"\\x\"",
        "\"\\u12\"",
        "\"\\ud800\"",
        "\"\\udc00\"",
        "\"\\ud800\\u0041\"",
        "\"a\nb\"",
        "\"a\tb\"",
        "\"\x01\"",
        "\"\xff\"",
        "\"\xc3\"",
        "\"\xc0\x80\"",
        "\"\xe0\x80\x80\"",
        "\"\xed\xa0\x80\"",
        "\"\xf4\x90\x80\x80\"",
        "\"\xf8\x88\x80\x80\x80\"",
        "\xef\xbb\xbf{}",
        "{}\xef\xbb\xbf",
        "{\xc2\xa0}",
        "{} // note",
        "/* note */{}",
    };
    EACH_ROW (text, rows) {
        CHECK(!parse(*text));
    }
    CHECK(!json_parse(&arena, "{}\0", 3));
    CHECK(!json_parse(&arena, "\"a\0b\"", 5));
    CHECK(!json_parse(&arena, "\0", 1));
    arena_free(&arena);
}

static bool nests(char open, char close, size_t depth)
{
    char bytes[400];
    memset(bytes, open, depth);
    memset(bytes + depth, close, depth);
    return json_parse(&arena, bytes, 2 * depth) != NULL;
}

TEST(nesting_ends_at_128)
{
    CHECK(nests('[', ']', JSON_DEPTH_MAX));
    CHECK(!nests('[', ']', JSON_DEPTH_MAX + 1));
    struct buf buf = {0};
    for (int depth = 1; depth <= 129; depth++) {
        buf_clear(&buf);
        for (int i = 0; i < depth - 1; i++)
            buf_add_string(&buf, "{\"a\":");
        buf_add_string(&buf, "{}");
        for (int i = 0; i < depth - 1; i++)
            buf_add_byte(&buf, '}');
        CHECK_EQ_INT(json_parse(&arena, buf.data, buf.length) != NULL,
                     depth <= 128);
    }
    /* Brackets in texts and one after another are no nesting. */
    buf_clear(&buf);
    buf_add_string(&buf, "[\"\\\"");
    for (int i = 0; i < 500; i++)
        buf_add_byte(&buf, '[');
    buf_add_string(&buf, "\"");
    for (int i = 0; i < 500; i++)
        buf_add_string(&buf, ",{},[]");
    buf_add_byte(&buf, ']');
    CHECK(json_parse(&arena, buf.data, buf.length) != NULL);
    /* Far too deep must cost neither stack nor time. */
    buf_clear(&buf);
    buf_reserve(&buf, 4 << 20);
    memset(buf.data, '[', 4 << 20);
    CHECK(!json_parse(&arena, buf.data, 4 << 20));
    buf_free(&buf);
    arena_free(&arena);
}

TEST(the_input_is_not_written_to)
{
    char bytes[] = "{\"a\\n\":\"b\\u0041\"}";
    char copy[sizeof bytes];
    memcpy(copy, bytes, sizeof bytes);
    struct yyjson_val *root = json_parse(&arena, bytes, strlen(bytes));
    CHECK_EQ_MEMORY(bytes, copy, sizeof bytes);
    memset(bytes, 'x', sizeof bytes);
    check_text(json_to_text(&arena, json_get(root, "a\n")), "bA");
    arena_free(&arena);
}

TEST(members_are_found_and_missing_ones_are_null)
{
    struct yyjson_val *root =
        parse("{\"a\":1,\"b\":null,\"a\":2,\"c\":[1,2],\"d\":{\"e\":\"x\"}}");
    CHECK_EQ_INT(json_to_int(json_get(root, "a")), 1);
    CHECK(json_is_null(json_get(root, "b")));
    CHECK(json_get(root, "b") != NULL);
    CHECK(json_is_null(json_get(root, "z")));
    CHECK(!json_get(root, "z"));
    CHECK(!json_get(NULL, "a"));
    CHECK(!json_get(json_get(root, "c"), "a"));
    CHECK(!json_get(json_get(json_get(root, "a"), "b"), "c"));
    check_text(json_to_text(&arena, json_get(json_get(root, "d"), "e")), "x");
    CHECK_EQ_INT(json_count(json_get(root, "c")), 2);
    CHECK_EQ_INT(json_count(root), 5);
    CHECK_EQ_INT(json_count(json_get(root, "a")), 0);
    CHECK_EQ_INT(json_count(NULL), 0);
    arena_free(&arena);
}

TEST(walking_gives_every_member_in_order)
{
    struct yyjson_val *root =
        parse("{\"a\":[10,{\"x\":[1,2]},30],\"b\":{},\"a\":\"again\"}");
    struct json_iterator iterator = json_iterate(root);
    struct text key;
    struct yyjson_val *list = json_next(&iterator, &key);
    CHECK(text_is(key, "a") && json_is_array(list));
    CHECK(json_is_object(json_next(&iterator, &key)));
    CHECK(text_is(key, "b"));
    CHECK(json_is_string(json_next(&iterator, NULL)));
    CHECK(!json_next(&iterator, &key));
    CHECK(!json_next(&iterator, &key));
    iterator = json_iterate(list);
    CHECK_EQ_INT(json_to_int(json_next(&iterator, NULL)), 10);
    CHECK(json_is_object(json_next(&iterator, NULL)));
    CHECK_EQ_INT(json_to_int(json_next(&iterator, NULL)), 30);
    CHECK(!json_next(&iterator, NULL));
    iterator = json_iterate(NULL);
    CHECK(!json_next(&iterator, NULL));
    iterator = json_iterate(json_get(root, "none"));
    CHECK(!json_next(&iterator, NULL));
    arena_free(&arena);
}

TEST(every_value_as_text_number_and_truth)
{
    static const struct {
        const char *json;
        const char *text;
        int64_t integer;
        double number;
        bool truth;
    } rows[] = {
        {"null", "", 0, 0, false},
        {"true", "true", 0, 0, true},
        {"false", "false", 0, 0, false},
        {"\"\"", "", 0, 0, false},
        {"\"abc\"", "abc", 0, 0, false},
        {"\"true\"", "true", 0, 0, false},
        {"{\"b\": 1, \"a\": [ ]}", "{\"b\":1,\"a\":[]}", 0, 0, false},
        {"[1, \"x\"]", "[1,\"x\"]", 0, 0, false},
        {"0", "0", 0, 0, false},
        {"-0", "-0", 0, -0.0, false},
        {"0.0", "0", 0, 0, false},
        {"-0.0", "-0", 0, -0.0, false},
        {"7", "7", 7, 7, true},
        {"-7", "-7", -7, -7, true},
        {"2.5", "2.5", 2, 2.5, true},
        {"-2.5", "-2.5", -2, -2.5, true},
        {"0.5", "0.5", 0, 0.5, true},
        {"1.0", "1", 1, 1, true},
        {"1e3", "1000", 1000, 1000, true},
        {"1e-7", "1e-07", 0, 1e-7, true},
        {"1e22", "1e+22", 0, 1e22, true},
        {"9223372036854775807", "9223372036854775807", INT64_MAX,
         9223372036854775807.0, true},
        {"9223372036854775808", "9223372036854775808", 0, 9223372036854775808.0,
         true},
        {"18446744073709551615", "18446744073709551615", 0,
         18446744073709551615.0, true},
        {"18446744073709551616", "1.8446744073709552e+19", 0,
         18446744073709551616.0, true},
        {"-9223372036854775808", "-9223372036854775808", INT64_MIN,
         -9223372036854775808.0, true},
        {"-9223372036854775809", "-9.223372036854776e+18", INT64_MIN,
         -9223372036854775808.0, true},
        {"9223372036854775807.0", "9.223372036854776e+18", 0,
         9223372036854775808.0, true},
        {"1e300", "1e+300", 0, 1e300, true},
        {"\"12\"", "12", 12, 12, false},
        {"\"-12\"", "-12", -12, -12, false},
        {"\"2.0\"", "2.0", 2, 2, false},
        {"\"2.5\"", "2.5", 0, 2.5, false},
        {"\"1e2\"", "1e2", 100, 100, false},
        {"\"1E+2\"", "1E+2", 100, 100, false},
        {"\"-0\"", "-0", 0, -0.0, false},
        {"\"007\"", "007", 0, 0, false},
        {"\"+1\"", "+1", 0, 0, false},
        {"\" 1\"", " 1", 0, 0, false},
        {"\"1 \"", "1 ", 0, 0, false},
        {"\"1.\"", "1.", 0, 0, false},
        {"\".5\"", ".5", 0, 0, false},
        {"\"1e\"", "1e", 0, 0, false},
        {"\"0x10\"", "0x10", 0, 0, false},
        {"\"inf\"", "inf", 0, 0, false},
        {"\"nan\"", "nan", 0, 0, false},
        {"\"1e999\"", "1e999", 0, 0, false},
        {"\"9223372036854775807\"", "9223372036854775807", INT64_MAX,
         9223372036854775807.0, false},
        {"\"9223372036854775808\"", "9223372036854775808", 0,
         9223372036854775808.0, false},
        {"\"-9223372036854775808\"", "-9223372036854775808", INT64_MIN,
         -9223372036854775808.0, false},
        {"\"1e18\"", "1e18", 1000000000000000000, 1e18, false},
        {"\"1e19\"", "1e19", 0, 1e19, false},
    };
    EACH_ROW (row, rows) {
        struct yyjson_val *value = value_of(row->json);
        check_text(json_to_text(&arena, value), row->text);
        CHECK_EQ_INT(json_to_int(value), row->integer);
        CHECK(json_to_double(value) <= row->number &&
              json_to_double(value) >= row->number);
        CHECK_EQ_INT(json_to_bool(value), row->truth);
    }
    CHECK_EQ_INT(json_to_text(&arena, NULL).length, 0);
    CHECK_EQ_INT(json_to_int(NULL), 0);
    CHECK_EQ_DOUBLE(json_to_double(NULL), 0.0);
    CHECK(!json_to_bool(NULL));
    arena_free(&arena);
}

TEST(a_long_numeric_text_is_a_number_too)
{
    char digits[400];
    memset(digits, '0', sizeof digits);
    memcpy(digits, "\"1.5", 4);
    digits[300] = '"';
    digits[301] = '\0';
    CHECK_EQ_DOUBLE(json_to_double(value_of(digits)), 1.5);
    CHECK_EQ_INT(json_to_int(value_of(digits)), 0);
    digits[2] = '0';
    digits[3] = '0';
    CHECK_EQ_DOUBLE(json_to_double(value_of(digits)), 1e298);
    arena_free(&arena);
}

TEST(a_text_with_a_nul_in_it_is_no_number)
{
    CHECK_EQ_INT(json_to_int(value_of("\"1\\u0000\"")), 0);
    CHECK_EQ_INT(json_to_int(value_of("\"\\u00001\"")), 0);
    struct text text = json_to_text(&arena, value_of("\"a\\u0000b\""));
    CHECK_EQ_INT(text.length, 3);
    CHECK_EQ_MEMORY(text.data, "a\0b", 3);
    arena_free(&arena);
}

TEST(which_tokens_are_64_bit_integers)
{
    static const struct {
        const char *json;
        bool is;
    } rows[] = {{"0", true},
                {"-1", true},
                {"9223372036854775807", true},
                {"9223372036854775808", false},
                {"-9223372036854775808", true},
                {"-9223372036854775809", false},
                {"1.0", false},
                {"1e3", false},
                {"\"1\"", false},
                {"null", false},
                {"true", false}};
    EACH_ROW (row, rows) {
        CHECK_EQ_INT(json_is_int64(value_of(row->json)), row->is);
    }
    arena_free(&arena);
}

TEST(compact_text_keeps_or_sorts_the_keys)
{
    static const struct {
        const char *json;
        const char *kept;
        const char *sorted;
    } rows[] = {
        {"{ \"b\" : 1 , \"a\" : [ 1 , { \"d\":2, \"c\":3 } ] }",
         "{\"b\":1,\"a\":[1,{\"d\":2,\"c\":3}]}",
         "{\"a\":[1,{\"c\":3,\"d\":2}],\"b\":1}"},
        {"{\"a\":1,\"B\":2,\"ab\":3,\"\":4,\"\xc3\xa4\":5}",
         "{\"a\":1,\"B\":2,\"ab\":3,\"\":4,\"\xc3\xa4\":5}",
         "{\"\":4,\"B\":2,\"a\":1,\"ab\":3,\"\xc3\xa4\":5}"},
        {"{\"a\":1,\"b\":0,\"a\":2,\"a\":3}",
         "{\"a\":1,\"b\":0,\"a\":2,\"a\":3}",
         "{\"a\":1,\"a\":2,\"a\":3,\"b\":0}"},
        {"{}", "{}", "{}"},
        {"[true,false,null,{},[]]", "[true,false,null,{},[]]",
         "[true,false,null,{},[]]"},
        {"[1.50,1e2,-0,0.1,1E400000000000000000000]", NULL, NULL},
        {"[1.50,1e2,-0,-0.0,0.1,100000000000000000000]",
         "[1.5,100,-0,-0,0.1,1e+20]", "[1.5,100,-0,-0,0.1,1e+20]"},
        {"[0.30000000000000004,1.7976931348623157e308,5e-324]",
         "[0.30000000000000004,1.7976931348623157e+308,4.94065645841247e-324]",
         "[0.30000000000000004,1.7976931348623157e+308,4.94065645841247e-324]"},
        {"\"\\u0041\\/\\\\\\\"\\b\\f\\n\\r\\t\\u001f\\u0000\\u007f\\u00e4\"",
         "\"A/\\\\\\\"\\b\\f\\n\\r\\t\\u001F\\u0000\x7f\xc3\xa4\"",
         "\"A/\\\\\\\"\\b\\f\\n\\r\\t\\u001F\\u0000\x7f\xc3\xa4\""},
        {"{\"a\\u0000b\":1,\"a\":2}", "{\"a\\u0000b\":1,\"a\":2}",
         "{\"a\":2,\"a\\u0000b\":1}"},
    };
    EACH_ROW (row, rows) {
        struct yyjson_val *root = parse(row->json);
        CHECK_EQ_INT(root != NULL, row->kept != NULL);
        if (!root)
            continue;
        check_text(json_compact(&arena, root, false), row->kept);
        check_text(json_compact(&arena, root, true), row->sorted);
    }
    arena_free(&arena);
}

TEST(sorting_many_equal_keys_keeps_their_order)
{
    struct buf in = {0};
    struct buf wanted = {0};
    for (int i = 0; i < 500; i++)
        buf_printf(&in, "%c\"b\":%d,\"a\":%d", i ? ',' : '{', i, 1000 + i);
    buf_add_byte(&in, '}');
    for (int i = 0; i < 500; i++)
        buf_printf(&wanted, "%c\"a\":%d", i ? ',' : '{', 1000 + i);
    for (int i = 0; i < 500; i++)
        buf_printf(&wanted, ",\"b\":%d", i);
    buf_add_byte(&wanted, '}');
    check_text(json_compact(&arena, parse(buf_string(&in)), true),
               buf_string(&wanted));
    buf_free(&in);
    buf_free(&wanted);
    arena_free(&arena);
}
