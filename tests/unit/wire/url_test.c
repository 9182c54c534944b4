/*
 * What libcurl would connect to, and what is refused before.
 */
#include "wire/wire.h"

#include "harness.h"

#include <string.h>

TEST(urls_are_read)
{
    static const struct {
        const char *text;
        const char *origin; /* null where it is refused */
        const char *whole;  /* null where it equals the text */
    } rows[] = {
        {"https://orchestrator.example:8935/",
         "https://orchestrator.example:8935", NULL},
        {"https://Example.COM", "https://example.com:443",
         "https://Example.COM/"},
        {"http://1.2.3.4:80/a?b=c#d", "http://1.2.3.4:80",
         "http://1.2.3.4:80/a?b=c"},
        {"http://0x7f.1/", "http://127.0.0.1:80", "http://127.0.0.1/"},
        {"http://017700000001/", "http://127.0.0.1:80", "http://127.0.0.1/"},
        {"http://2130706433/", "http://127.0.0.1:80", "http://127.0.0.1/"},
        {"http://%31%32%37.0.0.1/", "http://127.0.0.1:80", "http://127.0.0.1/"},
        {"https://[2001:DB8::1]:1/x", "https://[2001:db8::1]:1", NULL},
        {"https://example.com./x", "https://example.com:443",
         "https://example.com/x"},
        {"http://127.0.0.1.:8/", "http://127.0.0.1:8", "http://127.0.0.1:8/"},
        {"https:///x", "https://x:443", "https://x/"},
        {"http://0x7f.1./", "http://127.0.0.1:80", "http://127.0.0.1/"},
        {"ftp://example.com/", NULL, NULL},
        {"gopher://example.com/", NULL, NULL},
        {"file:///etc/passwd", NULL, NULL},
        {"example.com", NULL, NULL},
        {"https://", NULL, NULL},
        {"https://user@example.com/", NULL, NULL},
        {"https://user:password@127.0.0.1/", NULL, NULL},
        {"https://example.com:0/", NULL, NULL},
        {"https://example.com:65536/", NULL, NULL},
        {"https://example.com:port/", NULL, NULL},
        {"https://[fe80::1%25eth0]/", NULL, NULL},
        {"https://[::1/", NULL, NULL},
        {"https://./", NULL, NULL},
        {"https://a../", NULL, NULL},
        {"https://a b/", NULL, NULL},
        {"https://example.com/\r\nHost: other", NULL, NULL},
        {"https://ex\xc3\xa4mple.com/", NULL, NULL},
        {"", NULL, NULL},
    };
    struct arena arena = {0};
    EACH_ROW (row, rows) {
        struct url url;
        enum err err = url_parse(&arena, row->text, &url);
        CHECK_EQ_INT(err, row->origin ? ERR_NONE : ERR_INPUT);
        if (err || !row->origin)
            continue;
        CHECK_EQ_TEXT(url.origin, row->origin);
        CHECK_EQ_TEXT(url.text, row->whole ? row->whole : row->text);
    }
    arena_free(&arena);
}

TEST(a_url_of_any_length_is_safe)
{
    struct arena arena = {0};
    struct url url;
    char *text = arena_alloc(&arena, 100000);
    memset(text, 'a', 99999);
    memcpy(text, "https://", 8);
    CHECK_ERR(url_parse(&arena, text, &url), ERR_INPUT);
    memset(text, 'a', 99999);
    CHECK_ERR(url_of_orchestrator(&arena, text, &url), ERR_INPUT);
    memcpy(text, "https://", 8);
    text[8 + 253] = '/';
    text[URL_BYTES_MAX] = '\0';
    CHECK_OK(url_parse(&arena, text, &url));
    text[8 + 253] = 'a';
    text[8 + 254] = '/';
    CHECK_ERR(url_parse(&arena, text, &url), ERR_INPUT);
    memcpy(text, "https://a/", 10);
    CHECK_OK(url_parse(&arena, text, &url));
    arena_free(&arena);
}

TEST(urls_are_joined_to_where_they_came_from)
{
    static const struct {
        const char *text;
        const char *whole; /* null where it is refused */
    } rows[] = {
        {"/ai/trickle/abc", "https://o.example:8935/ai/trickle/abc"},
        {"https://p.example/abc", "https://p.example/abc"},
        {"//p.example/abc", "https://p.example/abc"},
        {"abc", "https://o.example:8935/base/abc"},
        {"../x", "https://o.example:8935/x"},
        {"file:///etc/passwd", NULL},
        {"javascript:alert(1)", NULL},
        {"", NULL},
        {"https://user@p.example/abc", NULL},
    };
    struct arena arena = {0};
    struct url base;
    REQUIRE_OK(url_parse(&arena, "https://o.example:8935/base/", &base));
    EACH_ROW (row, rows) {
        struct url url;
        enum err err = url_join(&arena, &base, row->text, &url);
        CHECK_EQ_INT(err, row->whole ? ERR_NONE : ERR_INPUT);
        if (!err)
            CHECK_EQ_TEXT(url.text, row->whole ? row->whole : "");
    }
    arena_free(&arena);
}

TEST(orchestrators_are_named_in_short)
{
    static const struct {
        const char *text;
        const char *origin;
    } rows[] = {
        {"https://o.example:1234", "https://o.example:1234"},
        {"https://o.example", "https://o.example:443"},
        {"o.example", "https://o.example:8935"},
        {"o.example/path", "https://o.example:8935"},
        {"o.example:9", "https://o.example:9"},
        {"127.0.0.1", "https://127.0.0.1:8935"},
        {"[::1]", "https://[::1]:8935"},
        {"[::1]:9", "https://[::1]:9"},
        {"http://o.example:9", "http://o.example:9"},
    };
    struct arena arena = {0};
    EACH_ROW (row, rows) {
        struct url url;
        REQUIRE_OK(url_of_orchestrator(&arena, row->text, &url));
        CHECK_EQ_TEXT(url.origin, row->origin);
    }
    struct url url;
    CHECK_ERR(url_of_orchestrator(&arena, "ftp://o.example", &url), ERR_INPUT);
    CHECK_ERR(url_of_orchestrator(&arena, "", &url), ERR_INPUT);
    arena_free(&arena);
}
