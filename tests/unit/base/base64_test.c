/*
 * The vectors of RFC 4648 §10, and texts that are the base64 of nothing.
 */
#include "base/base64.h"

#include "harness.h"

#include <string.h>

TEST(base64_follows_the_rfc)
{
    static const struct {
        const char *bytes;
        const char *plain;
        const char *url;
    } rows[] = {
        {"", "", ""},
        {"f", "Zg==", "Zg"},
        {"fo", "Zm8=", "Zm8"},
        {"foo", "Zm9v", "Zm9v"},
        {"foob", "Zm9vYg==", "Zm9vYg"},
        {"fooba", "Zm9vYmE=", "Zm9vYmE"},
        {"foobar", "Zm9vYmFy", "Zm9vYmFy"},
        {"\xFB\xEF\xFF", "++//", "--__"},
    };
    struct arena arena = {0};
    EACH_ROW (row, rows) {
        struct buf plain = {0};
        struct buf url = {0};
        struct text bytes;
        base64_encode(&plain, text_of(row->bytes));
        base64url_encode(&url, text_of(row->bytes));
        CHECK_EQ_TEXT(buf_string(&plain), row->plain);
        CHECK_EQ_TEXT(buf_string(&url), row->url);
        CHECK(base64url_decode(&arena, text_of(row->url), &bytes));
        CHECK(text_is(bytes, row->bytes));
        CHECK(base64_decode(&arena, text_of(row->plain), &bytes));
        CHECK(text_is(bytes, row->bytes));
        buf_free(&plain);
        buf_free(&url);
    }
    arena_free(&arena);
}

TEST(only_what_was_encoded_decodes)
{
    static const char *const rows[] = {"Z",    "Zg==", "Zh",    "Zm9",
                                       "++//", "Zm 9", "Zm9vY", "\xC3\xA9"};
    struct arena arena = {0};
    struct text bytes;
    EACH_ROW (row, rows)
        CHECK(!base64url_decode(&arena, text_of(*row), &bytes));
    static const char *const padded[] = {
        "Z",    "Zg",     "Zg=",      "Zh==",     "Zm9",       "=",
        "====", "Z===",   "Zg==Zg==", "Zm9v====", "--__",      "Zm 9",
        "Zm9=", "Zm8=\n", "Zm8=====", "Zg=a",     "\xC3\xA9Zg"};
    EACH_ROW (row, padded)
        CHECK(!base64_decode(&arena, text_of(*row), &bytes));
    arena_free(&arena);
}
