/*
 * Sources that are asked again: when, and what stays of what they told.
 */
#include "discover/discover.h"

#include "harness.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SECOND_US INT64_C(1000000)

static void count_done(void *context, struct discoverer *discoverer)
{
    (void)discoverer;
    ++*(int *)context;
}

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    REQUIRE(file != NULL);
    REQUIRE(fputs(text, file) >= 0);
    REQUIRE(fclose(file) == 0);
}

static size_t joined_count(const struct discoverer *discoverer)
{
    struct discovery found = {0};
    discoverer_join(discoverer, &found);
    size_t count = found.count;
    discovery_free(&found);
    return count;
}

TEST(a_source_is_asked_once_a_minute_and_keeps_what_it_told)
{
    const char *path = test_path("orchestrators");
    struct discover_source sources[] = {{DISCOVER_LIST, "a,b"},
                                        {DISCOVER_FILE, path}};
    struct discover_clients clients = {0};
    struct discoverer *discoverer = discoverer_open(&clients, sources, 2);
    int done = 0;
    write_file(path, "b\nc\n");
    discoverer_refresh(discoverer, 0, count_done, &done);
    CHECK_EQ_INT(done, 1);
    CHECK_EQ_INT(discoverer_list(discoverer, 1)->count, 2);
    CHECK_EQ_INT(joined_count(discoverer), 3);

    write_file(path, "b\nc\nd\n");
    discoverer_refresh(discoverer, 59 * SECOND_US, count_done, &done);
    CHECK_EQ_INT(joined_count(discoverer), 3);
    discoverer_refresh(discoverer, 60 * SECOND_US, count_done, &done);
    CHECK_EQ_INT(joined_count(discoverer), 4);
    CHECK_EQ_TEXT(discoverer_problem(discoverer, 1), "");

    REQUIRE(unlink(path) == 0);
    discoverer_refresh(discoverer, 121 * SECOND_US, count_done, &done);
    CHECK_EQ_INT(joined_count(discoverer), 4);
    CHECK_EQ_TEXT(discoverer_problem(discoverer, 1),
                  "No such file or directory");
    CHECK_EQ_TEXT(discoverer_problem(discoverer, 0), "");
    CHECK_EQ_INT(done, 4);
    discoverer_close(discoverer);
}
