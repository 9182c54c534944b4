#include "base/json.h"

#include "harness.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

TEST(commas_are_placed_by_the_writer)
{
    struct buf out = {0};
    struct json_writer writer = {&out, false};
    json_begin(&writer, '{');
    json_key(&writer, "a");
    json_begin(&writer, '[');
    json_int(&writer, INT64_MIN);
    json_double(&writer, 1);
    json_bool(&writer, true);
    json_bool(&writer, false);
    json_null(&writer);
    json_begin(&writer, '{');
    json_end(&writer, '}');
    json_end(&writer, ']');
    json_key(&writer, "b\"");
    json_string(&writer, "x\ny");
    json_key(&writer, "c");
    json_raw(&writer, text_of("{\"d\":0}"));
    json_end(&writer, '}');
    CHECK_EQ_TEXT(buf_string(&out),
                  "{\"a\":[-9223372036854775808,1.0,true,false,null,{}],"
                  "\"b\\\"\":\"x\\ny\",\"c\":{\"d\":0}}");
    buf_free(&out);
}

TEST(texts_are_escaped)
{
    static const struct {
        struct text text;
        const char *json;
    } rows[] = {
        {{"", 0}, "\"\""},
        {{NULL, 0}, "\"\""},
        {{"plain", 5}, "\"plain\""},
        {{"\"\\/", 3}, "\"\\\"\\\\/\""},
        {{"\b\f\n\r\t", 5}, "\"\\b\\f\\n\\r\\t\""},
        {{"a\0b", 3}, "\"a\\u0000b\""},
        {{"\x1b\x1f\x7f", 3}, "\"\\u001B\\u001F\x7f\""},
        {{"\xc3\xa4\n", 3}, "\"\xc3\xa4\\n\""},
    };
    EACH_ROW (row, rows) {
        struct buf out = {0};
        struct json_writer writer = {&out, false};
        json_text(&writer, row->text);
        CHECK_EQ_TEXT(buf_string(&out), row->json);
        buf_free(&out);
    }
}

TEST(doubles_are_written_short_and_plain)
{
    static const struct {
        double value;
        const char *text;
    } rows[] = {
        {0.0, "0.0"},
        {-0.0, "-0.0"},
        {1, "1.0"},
        {-1, "-1.0"},
        {85, "85.0"},
        {0.1, "0.1"},
        {0.1 + 0.2, "0.30000000000000004"},
        {1.0 / 3, "0.3333333333333333"},
        {2.0 / 3, "0.6666666666666666"},
        {15.999951534393748, "15.999951534393748"},
        {123456.789, "123456.789"},
        {1000, "1000.0"},
        {0.0001, "0.0001"},
        {0.00012345, "0.00012345"},
        {0.00001, "1e-05"},
        {0.000012345, "1.2345e-05"},
        {1e15, "1000000000000000.0"},
        {1234567890123456, "1234567890123456.0"},
        {9007199254740992, "9007199254740992.0"},
        {1e16, "1e+16"},
        {12345678901234568, "1.2345678901234568e+16"},
        {1e22, "1e+22"},
        {1e100, "1e+100"},
        {1.5e-300, "1.5e-300"},
        {DBL_MAX, "1.7976931348623157e+308"},
        {DBL_MIN, "2.2250738585072014e-308"},
    };
    EACH_ROW (row, rows) {
        char bytes[33] = {0};
        size_t length = double_text(row->value, bytes);
        CHECK_EQ_INT(length, strlen(row->text));
        CHECK_EQ_TEXT(bytes, row->text);
    }
}

static void check_round_trip(double value)
{
    char bytes[33];
    memset(bytes, '#', sizeof bytes);
    size_t length = double_text(value, bytes);
    REQUIRE(length < 32);
    bytes[length] = '\0';
    REQUIRE(strpbrk(bytes, ".e") != NULL);
    CHECK_EQ_DOUBLE(strtod(bytes, NULL), value);
}

TEST(every_double_is_read_back)
{
    uint64_t state = 88172645463325252u;
    for (int i = 0; i < 100000; i++) {
        double value;
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        memcpy(&value, &state, sizeof value);
        if (isfinite(value))
            check_round_trip(value);
    }
    for (int exponent = -1074; exponent <= 1023; exponent++) {
        double power = ldexp(1, exponent);
        check_round_trip(power);
        check_round_trip(-nextafter(power, 0));
        check_round_trip(nextafter(power, DBL_MAX));
    }
    for (int exponent = -323; exponent <= 308; exponent++) {
        char text[16];
        snprintf(text, sizeof text, "1e%d", exponent);
        check_round_trip(strtod(text, NULL));
        check_round_trip(nextafter(strtod(text, NULL), 0));
    }
}

TEST(what_is_no_number_is_written_as_null)
{
    static const double rows[] = {(double)NAN, (double)INFINITY,
                                  -(double)INFINITY};
    EACH_ROW (value, rows) {
        struct buf out = {0};
        struct json_writer writer = {&out, false};
        json_double(&writer, *value);
        CHECK_EQ_TEXT(buf_string(&out), "null");
        buf_free(&out);
    }
}
