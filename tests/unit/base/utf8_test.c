/*
 * Where RFC 3629 draws its lines, and what stands in for bytes beyond them.
 */
#include "base/utf8.h"

#include "harness.h"

TEST(utf8_is_what_rfc_3629_says)
{
    static const struct {
        const char *bytes;
        size_t length;
        bool is_utf8;
    } rows[] = {
        {"", 0, true},
        {"plain", 5, true},
        {"\0", 1, true},
        {"\xC2\x80", 2, true},
        {"\xDF\xBF", 2, true},
        {"\xE0\xA0\x80", 3, true},
        {"\xEF\xBF\xBF", 3, true},
        {"\xF4\x8F\xBF\xBF", 4, true},
        {"\xC1\xBF", 2, false},
        {"\xE0\x9F\xBF", 3, false},
        {"\xED\xA0\x80", 3, false},
        {"\xF0\x8F\xBF\xBF", 4, false},
        {"\xF4\x90\x80\x80", 4, false},
        {"\xF5\x80\x80\x80", 4, false},
        {"\xC2", 1, false},
        {"\xE2\x82", 2, false},
        {"\xE2\x28\xA1", 3, false},
        {"\x80", 1, false},
    };
    EACH_ROW (row, rows)
        CHECK(text_is_utf8((struct text){row->bytes, row->length}) ==
              row->is_utf8);
}

TEST(a_text_is_cut_between_characters)
{
    static const struct {
        const char *text;
        size_t most;
        const char *cut;
    } rows[] = {
        {"abc", 3, "abc"},
        {"abc", 2, "ab"},
        {"abc", 0, ""},
        {"a\xC3\xA4z", 2, "a"},
        {"a\xC3\xA4z", 3, "a\xC3\xA4"},
        {"\xE2\x82\xAC", 2, ""},
        {"\xF0\x9F\x98\x80z", 3, ""},
        {"\xF0\x9F\x98\x80z", 4, "\xF0\x9F\x98\x80"},
    };
    EACH_ROW (row, rows) {
        struct text cut = text_whole_characters(text_of(row->text), row->most);
        CHECK(text_is(cut, row->cut));
    }
}

TEST(bytes_that_are_no_text_are_repaired_one_by_one)
{
    static const struct {
        const char *bytes;
        const char *repaired;
    } rows[] = {
        {"", ""},
        {"a\xC3\xA4z", "a\xC3\xA4z"},
        {"a\xC3z", "a\xEF\xBF\xBDz"},
        {"\xE2\x82", "\xEF\xBF\xBD\xEF\xBF\xBD"},
        {"\xFF\xF0\x9F\x98\x80", "\xEF\xBF\xBD\xF0\x9F\x98\x80"},
    };
    EACH_ROW (row, rows) {
        struct buf out = {0};
        buf_add_repaired(&out, text_of(row->bytes));
        CHECK_EQ_TEXT(buf_string(&out), row->repaired);
        buf_free(&out);
    }
}
