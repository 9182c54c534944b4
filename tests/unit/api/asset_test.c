/*
 * Which clients get compressed files, and which need none at all.
 */
#include "api/api_int.h"

#include "harness.h"

TEST(gzip_goes_to_whoever_takes_it)
{
    static const struct {
        const char *header;
        bool accepts;
    } rows[] = {
        {NULL, false},
        {"", false},
        {"gzip", true},
        {"GZip", true},
        {"deflate, gzip;q=0.5, br", true},
        {"br;q=1.0, *;q=0.1", true},
        {"*", true},
        {"identity", false},
        {"gzip;q=0", false},
        {"gzip; q=0.000", false},
        {"gzip;q=0.001", true},
        {"gzipped", false},
        {"x-gzip", false},
        {"*;q=0, identity", false},
    };
    EACH_ROW (row, rows)
        CHECK(accepts_gzip(row->header) == row->accepts);
}

TEST(an_entity_tag_is_found_in_a_list)
{
    static const struct {
        const char *header;
        bool matches;
    } rows[] = {
        {NULL, false},    {"", false},
        {"\"a\"", true},  {"W/\"a\"", true},
        {"*", true},      {"\"b\", \"a\"", true},
        {"\"b\"", false}, {"a", false},
        {"\"a", false},   {"\"b\",W/\"a\" ", true},
    };
    EACH_ROW (row, rows)
        CHECK(etag_matches(row->header, "\"a\"") == row->matches);
}

static void check_asset(const char *path, const char *coding, int status,
                        bool gzip)
{
    struct arena arena = {0};
    struct buf body = {0};
    struct request request = {
        .path = text_of(path), .accept_encoding = coding, .arena = &arena};
    struct reply reply = {.body = &body};
    REQUIRE(asset_answer(&request, &reply));
    CHECK_EQ_INT(reply.status, status);
    CHECK(reply.gzip == gzip);
    CHECK((reply.borrowed.data ? reply.borrowed.length : body.length) > 100);
    buf_free(&body);
    arena_free(&arena);
}

TEST(the_page_is_in_the_binary)
{
    check_asset("/", "gzip", 200, true);
    check_asset("/", NULL, 200, false);
    check_asset("/index.html", "br", 200, false);
    check_asset("/app.js", "gzip", 200, true);
    struct request request = {.path = text_of("/../app.js")};
    struct reply reply = {0};
    CHECK(!asset_answer(&request, &reply));
}
