/* The list of authorities built in, and files in its place. */
#include "harness.h"

#include "base/ca_bundle.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void write_file(const char *path, const char *bytes, size_t length)
{
    FILE *file = fopen(path, "wb");
    REQUIRE(file != NULL);
    CHECK_EQ_INT(fwrite(bytes, 1, length, file), length);
    fclose(file);
}

TEST(the_list_built_in_is_whole)
{
    struct arena arena = {0};
    struct ca_bundle bundle;
    REQUIRE_OK(ca_bundle_load(&arena, "", &bundle));
    CHECK(bundle.count > 100);
    CHECK_EQ_INT(bundle.unusable, 0);
    CHECK_EQ_INT(strlen(bundle.pem.data), bundle.pem.length);
    CHECK(strstr(bundle.source, "Mozilla") != NULL);
    arena_free(&arena);
}

TEST(a_file_takes_the_place_of_the_list)
{
    struct arena arena = {0};
    struct ca_bundle all;
    struct ca_bundle own;
    REQUIRE_OK(ca_bundle_load(&arena, "", &all));
    const char *end = strstr(all.pem.data, "-----END CERTIFICATE-----\n");
    REQUIRE(end != NULL);
    size_t first = (size_t)(end - all.pem.data) + 26;
    /* Where the file of the first certificate ends, and what is left of it. */
    static const struct {
        size_t more;
        size_t unusable;
    } rows[] = {{0, 0}, {30, 1}, {400, 1}};
    EACH_ROW (row, rows) {
        const char *path = test_path("authorities.pem");
        write_file(path, all.pem.data, first + row->more);
        REQUIRE_OK(ca_bundle_load(&arena, path, &own));
        CHECK_EQ_INT(own.count, 1);
        CHECK_EQ_INT(own.unusable, row->unusable);
        CHECK_EQ_TEXT(own.source, path);
    }
    arena_free(&arena);
}

TEST(a_file_without_certificates_is_refused)
{
    static const struct {
        const char *content; /* null: there is no file */
        const char *word;
    } rows[] = {
        {NULL, "No such file"},
        {"", "no certificate"},
        {"text\n", "no certificate"},
        {"-----BEGIN CERTIFICATE-----\n", "no certificate"},
        {"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
         "no certificate"},
    };
    struct arena arena = {0};
    struct ca_bundle bundle;
    EACH_ROW (row, rows) {
        const char *path = test_path("broken.pem");
        remove(path);
        if (row->content)
            write_file(path, row->content, strlen(row->content));
        CHECK_ERR(ca_bundle_load(&arena, path, &bundle), ERR_CONFIG);
        CHECK(strstr(err_message(), row->word) != NULL);
        CHECK(strstr(err_message(), "broken.pem") != NULL);
    }
    arena_free(&arena);
}

TEST(a_file_beyond_the_limit_is_refused)
{
    struct arena arena = {0};
    struct ca_bundle bundle;
    char *bytes = memory_zeroed(1, CA_BUNDLE_MAX_BYTES + 1);
    const char *path = test_path("large.pem");
    write_file(path, bytes, CA_BUNDLE_MAX_BYTES + 1);
    CHECK_ERR(ca_bundle_load(&arena, path, &bundle), ERR_CONFIG);
    CHECK(strstr(err_message(), "is over") != NULL);
    free(bytes);
    arena_free(&arena);
}
