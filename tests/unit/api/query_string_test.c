/*
 * What a query string may be, and with which sentence it is refused.
 */
#include "api/query_string.h"

#include "harness.h"

#include <string.h>

static struct arena arena;

TEST(parameters_are_split_and_decoded)
{
    static const struct {
        const char *text;
        size_t count;
        const char *value_of_a;
    } rows[] = {
        {"", 0, NULL},
        {"a=1", 1, "1"},
        {"a=", 1, ""},
        {"a", 1, ""},
        {"a=1&b=2", 2, "1"},
        {"b=2&&a=x", 2, "x"},
        {"&a=1&", 1, "1"},
        {"a=b=c", 1, "b=c"},
        {"a=1+2", 1, "1 2"},
        {"a=1%2B2", 1, "1+2"},
        {"%61=%7C", 1, "|"},
        {"a=%C3%A9", 1, "\xC3\xA9"},
        {"a=%f0%9f%98%80", 1, "\xF0\x9F\x98\x80"},
    };
    EACH_ROW (row, rows) {
        struct query_string query;
        CHECK_OK(query_string_parse(&arena, text_of(row->text), &query));
        CHECK_EQ_INT(query.count, row->count);
        struct text value = query_string_value(&query, "a");
        CHECK((value.data != NULL) == (row->value_of_a != NULL));
        if (row->value_of_a)
            CHECK(text_is(value, row->value_of_a));
    }
    arena_free(&arena);
}

TEST(what_is_not_well_formed_is_refused)
{
    static const struct {
        const char *text;
        const char *part; /* of the sentence */
    } rows[] = {
        {"a=%", "percent sign"},
        {"a=%4", "percent sign"},
        {"a=%zz", "percent sign"},
        {"%=1", "percent sign"},
        {"a=%00", "no text"},
        {"a=%0A", "no text"},
        {"a=%7F", "no text"},
        {"a=%80", "no text"},
        {"a=%C0%AF", "no text"},
        {"a=%ED%A0%80", "no text"},
        {"a=%F4%90%80%80", "no text"},
        {"a=%E2%82", "no text"},
        {"=1", "no name"},
        {"a=1&a=2", "given twice"},
        {"a=1&%61=2", "given twice"},
    };
    EACH_ROW (row, rows) {
        struct query_string query;
        CHECK_ERR(query_string_parse(&arena, text_of(row->text), &query),
                  ERR_INPUT);
        CHECK(strstr(err_message(), row->part) != NULL);
    }
    arena_free(&arena);
}

static enum err parse_repeated(const char *piece, size_t times,
                               struct query_string *query)
{
    struct buf text = {0};
    for (size_t i = 0; i < times; i++)
        buf_printf(&text, "%s%zu&", piece, i);
    enum err err = query_string_parse(
        &arena, (struct text){text.data, text.length}, query);
    buf_free(&text);
    return err;
}

TEST(there_are_limits)
{
    static char long_text[QUERY_BYTES_MAX + 2];
    struct query_string query;
    memset(long_text, 'x', sizeof long_text - 1);
    CHECK_OK(parse_repeated("a", QUERY_PARAMETERS_MAX, &query));
    CHECK_EQ_INT(query.count, QUERY_PARAMETERS_MAX);
    CHECK_ERR(parse_repeated("a", QUERY_PARAMETERS_MAX + 1, &query), ERR_INPUT);
    CHECK_ERR(query_string_parse(&arena, text_of(long_text), &query),
              ERR_INPUT);
    struct text name = {long_text, QUERY_NAME_BYTES_MAX};
    CHECK_OK(query_string_parse(&arena, name, &query));
    name.length++;
    CHECK_ERR(query_string_parse(&arena, name, &query), ERR_INPUT);
    long_text[1] = '=';
    struct text value = {long_text, QUERY_VALUE_BYTES_MAX + 2};
    CHECK_OK(query_string_parse(&arena, value, &query));
    value.length++;
    CHECK_ERR(query_string_parse(&arena, value, &query), ERR_INPUT);
    arena_free(&arena);
}

TEST(the_publisher_takes_the_first_of_two_and_passes_over_the_rest)
{
    static const struct {
        const char *text;
        size_t count;
        const char *value_of_a;
    } rows[] = {
        {"a=1&a=2", 1, "1"},   {"a=1&%61=2&a", 1, "1"},
        {"a=%zz&a=2", 1, "2"}, {"%=1&a=2", 1, "2"},
        {"a=1;b=2", 0, NULL},  {"a=%ff", 1, "\xff"},
        {"=1&a", 2, ""},       {"&&a=x+y&&", 1, "x y"},
        {"", 0, NULL},         {"caps=1&a=2&caps=3", 3, "2"},
    };
    EACH_ROW (row, rows) {
        struct query_string query;
        query_string_parse_as_published(&arena, text_of(row->text), &query);
        CHECK_EQ_INT(query.count, row->count);
        struct text value = query_string_value(&query, "a");
        CHECK((value.data != NULL) == (row->value_of_a != NULL));
        if (row->value_of_a)
            CHECK(text_is(value, row->value_of_a));
    }
    arena_free(&arena);
}
