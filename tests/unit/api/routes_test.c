/*
 * Which address leads where, and what a request may ask for there.
 */
#include "api/openapi.h"

#include "harness.h"

#include <string.h>

TEST(addresses_lead_to_routes)
{
    static const struct {
        const char *path;
        const char *route; /* null for none */
        const char *argument;
    } rows[] = {
        {"/v1/health", "/v1/health", NULL},
        {"/v1/health/", NULL, NULL},
        {"/v1/sessions", "/v1/sessions", NULL},
        {"/v1/sessions/", NULL, NULL},
        {"/v1/sessions/a|b|c", "/v1/sessions/{key}", "a|b|c"},
        {"/v1/sessions/a|b/..//c", "/v1/sessions/{key}", "a|b/..//c"},
        {"/v1/evidence/lines/65536", "/v1/evidence/lines/{line}", "65536"},
        {"/V1/health", NULL, NULL},
        {"", NULL, NULL},
    };
    EACH_ROW (row, rows) {
        struct request request = {.path = text_of(row->path)};
        const char *allow;
        const struct route *route = route_find(&request, &allow);
        CHECK_EQ_TEXT(route ? route->path : NULL, row->route);
        if (row->argument)
            CHECK(text_is(request.argument, row->argument));
    }
}

/* The sentence with which PATH refuses PARAMETERS; "" where it does not. */
static const char *refusal(const char *path, const char *parameters)
{
    static struct arena arena;
    struct request request = {.path = text_of(path), .arena = &arena};
    struct text wrong;
    REQUIRE_OK(query_string_parse(&arena, text_of(parameters), &request.query));
    const char *allow;
    const struct route *route = route_find(&request, &allow);
    REQUIRE(route != NULL);
    enum err err = parameters_check(route, &request, &wrong);
    CHECK((err == ERR_NONE) == (wrong.data == NULL));
    return err ? err_message() : "";
}

TEST(parameters_must_be_known_and_well_formed)
{
    static const struct {
        const char *path;
        const char *parameters;
        const char *part; /* of the sentence; "" for none */
    } rows[] = {
        {"/v1/streaming/sla", "limit=1", ""},
        {"/v1/streaming/sla", "limit=1000", ""},
        {"/v1/streaming/sla", "limit=0", "from 1 to 1000"},
        {"/v1/streaming/sla", "limit=1001", "from 1 to 1000"},
        {"/v1/streaming/sla", "limit=-1", "from 1 to 1000"},
        {"/v1/streaming/sla", "limit=1e2", "from 1 to 1000"},
        {"/v1/streaming/sla", "limit=", "from 1 to 1000"},
        {"/v1/streaming/sla", "start=2026-01-08", ""},
        {"/v1/streaming/sla", "end=2026-01-08T21:00:00Z", ""},
        {"/v1/streaming/sla", "start=yesterday", "\"start\" is \"yesterday\""},
        {"/v1/streaming/sla", "start=", "is a time like"},
        {"/v1/streaming/sla", "lens=published&pass=settled", ""},
        {"/v1/streaming/sla", "lens=other", "allowed is: published"},
        {"/v1/streaming/sla", "pass=whole", ""},
        {"/v1/streaming/sla", "pass=half", "allowed is: settled|whole"},
        {"/v1/streaming/sla", "gateway=g", "no parameter \"gateway\""},
        {"/v1/streaming/demand", "gateway=g&as_of=2026-01-08", ""},
        {"/v1/streaming/demand", "gpu=g", "no parameter \"gpu\""},
        {"/v1/streaming/sla", "start=2026-01-08&end=2026-01-09", ""},
        {"/v1/streaming/sla", "start=2026-01-08&end=2026-01-08",
         "\"end\" is not after"},
        {"/v1/sessions", "end=2026-01-08&start=2026-01-09",
         "\"end\" is not after"},
        {"/v1/runs",
         "start=2026-01-09T01:00:00Z&end=2026-01-09T01:00:00%2B01:00",
         "\"end\" is not after"},
        {"/v1/streaming/demand", "as_of=9999-12-31", "still to come"},
        {"/v1/streaming/demand", "start=2026-01-09&as_of=2026-01-08",
         "\"as_of\" is before"},
        {"/v1/streaming/demand", "start=2026-01-08&as_of=2026-01-08", ""},
        {"/v1/streaming/sla", "pin=0123456789abcdef", ""},
        {"/v1/streaming/sla", "pin=0123456789ABCDEF", "an entity tag"},
        {"/v1/streaming/sla", "pin=", "an entity tag"},
        {"/compat/v1/streaming/sla", "start=2026-01-09&end=2026-01-08", ""},
        {"/v1/streaming/models", "as_of=now", "is a time like"},
        {"/v1/streaming/models", "format=xml", "json|csv"},
        {"/compat/v1/streaming/sla", "start=yesterday&limit=-1&what=ever", ""},
        {"/v1/streaming/sla", "limits=1", "\"limit\" is meant"},
        {"/v1/streaming/sla", "org=", ""},
        {"/v1/sessions", "hour=2026-01-08T21:00:00Z", ""},
        {"/v1/sessions", "hour=2026-01-08T21:00:01Z", "start of an hour"},
        {"/v1/health", "x=1", "takes no parameters"},
    };
    EACH_ROW (row, rows) {
        const char *sentence = refusal(row->path, row->parameters);
        CHECK((*sentence == '\0') == (*row->part == '\0'));
        CHECK(strstr(sentence, row->part) != NULL);
    }
}

TEST(every_route_is_described)
{
    for (const struct route *route = routes; route->path; route++) {
        const struct described *one = openapi_described(route);
        CHECK(one != NULL);
        CHECK((one && one->body) == (strcmp(route->method, "POST") == 0));
    }
}
