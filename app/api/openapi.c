/*
 * openapi.c: /v1/openapi.json, the description of every route (OpenAPI 3.1).
 *
 * Paths, methods and parameters come from the table of routes, so that none can
 * be missing; what goes over them stands in openapi_shapes.c. A test holds
 * every route against it: answers, their headers, and what is refused.
 */
#include "api/openapi.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* ---- what a route is ----------------------------------------------------- */

static bool is_read(const struct route *route)
{
    return strcmp(route->method, "GET") == 0;
}

/* Whether its good answers have an entity tag. */
static bool is_tagged(const struct route *route)
{
    const struct described *one = openapi_described(route);
    return is_read(route) && !one->fresh;
}

static bool takes(const struct route *route, const char *name)
{
    const struct parameter *one = route->parameters;
    while (one && one->name && strcmp(one->name, name) != 0)
        one++;
    return one && one->name && one->kind != PARAMETER_TEXT;
}

/* ---- parameters ---------------------------------------------------------- */

static void add_choices(struct json_writer *writer, const char *choices)
{
    openapi_type(writer, "string", false);
    json_key(writer, "enum");
    json_begin(writer, '[');
    while (*choices) {
        size_t length = strcspn(choices, "|");
        json_text(writer, (struct text){choices, length});
        choices += length;
        choices += *choices == '|';
    }
    json_end(writer, ']');
}

static void add_limits(struct json_writer *writer)
{
    openapi_type(writer, "integer", false);
    json_key(writer, "minimum");
    json_int(writer, 1);
    json_key(writer, "maximum");
    json_int(writer, LIMIT_MAX);
    json_key(writer, "default");
    json_int(writer, LIMIT_STANDARD);
}

/* May be given several times. */
static void add_several(struct json_writer *writer)
{
    openapi_type(writer, "array", false);
    openapi_schema(writer, "items", "s");
}

static const char *meaning_of(enum parameter_kind kind)
{
    switch (kind) {
    case PARAMETER_TIME:
        return "a time of RFC 3339, or a day like 2026-01-08, in UTC";
    case PARAMETER_HOUR:
        return "the start of an hour, RFC 3339";
    case PARAMETER_LIMIT:
        return "rows of a page";
    case PARAMETER_WINDOW:
        return "hours before now: 12h, 12, or 7d; at most 168 hours";
    case PARAMETER_CHOICE:
        return "one of these";
    case PARAMETER_CURSOR:
        return "next_cursor of the page before, unchanged; 410 where the "
               "state that it goes on in is no longer kept";
    case PARAMETER_PIN:
        return "an entity tag without quotes: these very rows, or 410";
    default:
        return "only rows that have this value; empty: that have none";
    }
}

static void add_parameter(struct json_writer *writer,
                          const struct parameter *parameter)
{
    json_begin(writer, '{');
    openapi_string(writer, "name", parameter->name);
    openapi_string(writer, "in", "query");
    openapi_string(writer, "description",
                   parameter->meaning ? parameter->meaning
                                      : meaning_of(parameter->kind));
    json_key(writer, "schema");
    json_begin(writer, '{');
    if (parameter->kind == PARAMETER_CHOICE)
        add_choices(writer, parameter->choices);
    else if (parameter->kind == PARAMETER_LIMIT)
        add_limits(writer);
    else if (strcmp(parameter->name, QUERY_REPEATED) == 0)
        add_several(writer);
    else
        openapi_type(writer, "string", false);
    if (parameter->kind == PARAMETER_HOUR)
        openapi_string(writer, "format", "date-time");
    json_end(writer, '}');
    json_end(writer, '}');
}

/* What stands in braces in the path; false where nothing does. */
static bool path_parameter(const char *path, struct text *name)
{
    const char *open = strchr(path, '{');
    if (!open)
        return false;
    *name = (struct text){open + 1, strcspn(open + 1, "}")};
    return true;
}

static void add_path_parameter(struct json_writer *writer, struct text name)
{
    json_begin(writer, '{');
    json_key(writer, "name");
    json_text(writer, name);
    openapi_string(writer, "in", "path");
    json_key(writer, "required");
    json_bool(writer, true);
    openapi_schema(writer, "schema", "s");
    json_end(writer, '}');
}

static void add_header_parameter(struct json_writer *writer, const char *name,
                                 const char *meaning, const char *choices)
{
    json_begin(writer, '{');
    openapi_string(writer, "name", name);
    openapi_string(writer, "in", "header");
    openapi_string(writer, "description", meaning);
    json_key(writer, "schema");
    json_begin(writer, '{');
    if (choices)
        add_choices(writer, choices);
    else
        openapi_type(writer, "string", false);
    json_end(writer, '}');
    json_end(writer, '}');
}

static void add_header_parameters(struct json_writer *writer,
                                  const struct route *route)
{
    const struct described *one = openapi_described(route);
    if (is_tagged(route))
        add_header_parameter(writer, "If-None-Match",
                             "entity tags that the client has", NULL);
    if (!one->lines)
        return;
    add_header_parameter(writer, "Idempotency-Key",
                         "a name of this body, of 200 characters at most: "
                         "sent again under it, the first answer is repeated",
                         NULL);
    add_header_parameter(writer, "Content-Encoding",
                         "how the body is compressed",
                         "identity|gzip|x-gzip|zstd");
}

static void add_parameters(struct json_writer *writer,
                           const struct route *route)
{
    struct text name;
    const struct parameter *one = route->parameters;
    json_key(writer, "parameters");
    json_begin(writer, '[');
    if (path_parameter(route->path, &name))
        add_path_parameter(writer, name);
    for (; one && one->name; one++)
        if (one->kind != PARAMETER_ANY)
            add_parameter(writer, one);
    add_header_parameters(writer, route);
    json_end(writer, ']');
}

/* ---- contents ------------------------------------------------------------ */

static void add_content(struct json_writer *writer, const char *type,
                        const char *shorthand)
{
    json_key(writer, type);
    json_begin(writer, '{');
    openapi_schema(writer, "schema", shorthand);
    json_end(writer, '}');
}

/* ---- answers ------------------------------------------------------------- */

static const struct {
    const char *name;
    const char *meaning;
} answer_headers[] = {
    {"Cache-Control", "how long it may be kept"},
    {"ETag", "a strong entity tag"},
    {"Vary", "the headers of the request that it depends on"},
    {"Content-Location", "the address that answers with these very rows, or "
                         "is gone"},
    {"Link", "of a table: the next page, rel=next"},
    {"Retry-After", "seconds until it is worth asking again"},
    {"WWW-Authenticate", "that a token is wanted"},
    {"Allow", "the methods that this address has"},
    {"Assay-Simulated", "true: the network of this store does not exist"},
};

static void add_answer_headers(struct json_writer *writer)
{
    json_key(writer, "headers");
    json_begin(writer, '{');
    for (size_t i = 0; i < sizeof answer_headers / sizeof *answer_headers;
         i++) {
        json_key(writer, answer_headers[i].name);
        json_begin(writer, '{');
        openapi_string(writer, "description", answer_headers[i].meaning);
        openapi_schema(writer, "schema", "s");
        json_end(writer, '}');
    }
    json_end(writer, '}');
}

static void add_header(struct json_writer *writer, const char *name)
{
    char path[64];
    snprintf(path, sizeof path, "#/components/headers/%s", name);
    json_key(writer, name);
    json_begin(writer, '{');
    openapi_string(writer, "$ref", path);
    json_end(writer, '}');
}

/* Those of a good answer, or of one that the client has. */
static void add_good_headers(struct json_writer *writer,
                             const struct route *route)
{
    const struct described *one = openapi_described(route);
    json_key(writer, "headers");
    json_begin(writer, '{');
    add_header(writer, "Cache-Control");
    add_header(writer, "Assay-Simulated");
    if (is_tagged(route)) {
        add_header(writer, "ETag");
        add_header(writer, "Vary");
    }
    if (takes(route, "pin"))
        add_header(writer, "Content-Location");
    if (one->csv)
        add_header(writer, "Link");
    json_end(writer, '}');
}

static void add_good(struct json_writer *writer, const struct route *route)
{
    const struct described *one = openapi_described(route);
    json_key(writer, one->status ? one->status : "200");
    json_begin(writer, '{');
    openapi_string(writer, "description", route->summary);
    add_good_headers(writer, route);
    json_key(writer, "content");
    json_begin(writer, '{');
    add_content(writer, "application/json", one->answer);
    if (one->csv)
        add_content(writer, "text/csv", "s");
    json_end(writer, '}');
    json_end(writer, '}');
}

static void add_not_modified(struct json_writer *writer,
                             const struct route *route)
{
    json_key(writer, "304");
    json_begin(writer, '{');
    openapi_string(writer, "description", "the client has it already");
    add_good_headers(writer, route);
    json_end(writer, '}');
}

static void add_problem(struct json_writer *writer, const char *status,
                        const char *meaning, const char *header)
{
    json_key(writer, status);
    json_begin(writer, '{');
    openapi_string(writer, "description", meaning);
    json_key(writer, "headers");
    json_begin(writer, '{');
    add_header(writer, "Cache-Control");
    add_header(writer, "Assay-Simulated");
    if (header)
        add_header(writer, header);
    json_end(writer, '}');
    json_key(writer, "content");
    json_begin(writer, '{');
    add_content(writer, "application/problem+json", "#Problem");
    json_end(writer, '}');
    json_end(writer, '}');
}

static void add_problems(struct json_writer *writer, const struct route *route)
{
    struct text name;
    const struct described *one = openapi_described(route);
    bool takes_body = one->body != NULL;
    add_problem(writer, "400", "something in it is wrong", NULL);
    add_problem(writer, "401", "it needs a token, or this one is not known",
                "WWW-Authenticate");
    if (route->scope != SCOPE_OPEN)
        add_problem(writer, "403",
                    "this token, or a page of this origin, may "
                    "not",
                    NULL);
    if (path_parameter(route->path, &name))
        add_problem(writer, "404", "there is no such thing", NULL);
    if (takes(route, "cursor"))
        add_problem(writer, "410",
                    "what the cursor, pin or as_of names is no "
                    "longer kept",
                    NULL);
    if (takes_body)
        add_problem(writer, "413", "the body is too long", NULL);
    if (takes_body && one->lines)
        add_problem(writer, "415", "the body is of a kind that is not taken",
                    NULL);
    if (takes(route, "as_of") || (takes_body && one->lines))
        add_problem(writer, "422",
                    one->lines ? "the key was used for another body"
                               : "it takes too much memory to compute",
                    NULL);
    add_problem(writer, "421", "the server does not go by this Host", NULL);
    add_problem(writer, "429", "too much from this address", "Retry-After");
    add_problem(writer, "4XX", "what else is wrong with the request", "Allow");
    add_problem(writer, "503", "not now: ask again later", "Retry-After");
    add_problem(writer, "5XX", "what is wrong here", NULL);
}

static void add_answers(struct json_writer *writer, const struct route *route)
{
    json_key(writer, "responses");
    json_begin(writer, '{');
    add_good(writer, route);
    if (is_tagged(route))
        add_not_modified(writer, route);
    add_problems(writer, route);
    json_end(writer, '}');
}

/* ---- operations ---------------------------------------------------------- */

/* "get_v1_sessions_key" */
static void add_operation_id(struct json_writer *writer,
                             const struct route *route)
{
    struct buf name = {0};
    for (const char *at = route->method; *at; at++)
        buf_add_byte(&name, (uint8_t)tolower((unsigned char)*at));
    for (const char *at = route->path; *at; at++)
        if (isalnum((unsigned char)*at))
            buf_add_byte(&name, (uint8_t)*at);
        else if (name.data[name.length - 1] != '_')
            buf_add_byte(&name, '_');
    if (name.data[name.length - 1] == '_')
        name.length--;
    openapi_string(writer, "operationId", buf_string(&name));
    buf_free(&name);
}

static void add_security(struct json_writer *writer, enum scope scope)
{
    json_key(writer, "security");
    json_begin(writer, '[');
    if (scope == SCOPE_OPEN || scope == SCOPE_READ) {
        json_begin(writer, '{');
        json_end(writer, '}');
    }
    if (scope != SCOPE_OPEN) {
        json_begin(writer, '{');
        json_key(writer, "token");
        json_begin(writer, '[');
        json_end(writer, ']');
        json_end(writer, '}');
    }
    json_end(writer, ']');
}

static void add_body(struct json_writer *writer, const struct route *route)
{
    const struct described *one = openapi_described(route);
    if (!one->body)
        return;
    json_key(writer, "requestBody");
    json_begin(writer, '{');
    json_key(writer, "required");
    json_bool(writer, true);
    json_key(writer, "content");
    json_begin(writer, '{');
    add_content(writer, "application/json", one->body);
    if (one->lines)
        add_content(writer, "application/x-ndjson", "s");
    json_end(writer, '}');
    json_end(writer, '}');
}

static void add_operation(struct json_writer *writer, const struct route *route)
{
    struct buf method = {0};
    for (const char *at = route->method; *at; at++)
        buf_add_byte(&method, (uint8_t)tolower((unsigned char)*at));
    json_key(writer, buf_string(&method));
    buf_free(&method);
    json_begin(writer, '{');
    add_operation_id(writer, route);
    openapi_string(writer, "summary", route->summary);
    add_security(writer, route->scope);
    add_parameters(writer, route);
    add_body(writer, route);
    add_answers(writer, route);
    json_end(writer, '}');
}

static bool described_before(const struct route *route)
{
    for (const struct route *one = routes; one < route; one++)
        if (strcmp(one->path, route->path) == 0)
            return true;
    return false;
}

static void add_paths(struct json_writer *writer)
{
    json_key(writer, "paths");
    json_begin(writer, '{');
    for (const struct route *route = routes; route->path; route++) {
        if (described_before(route))
            continue;
        json_key(writer, route->path);
        json_begin(writer, '{');
        for (const struct route *one = route; one->path; one++)
            if (strcmp(one->path, route->path) == 0)
                add_operation(writer, one);
        json_end(writer, '}');
    }
    json_end(writer, '}');
}

/* ---- the document -------------------------------------------------------- */

static void add_info(struct json_writer *writer)
{
    json_key(writer, "info");
    json_begin(writer, '{');
    openapi_string(writer, "title", "assay");
    openapi_string(writer, "version", ASSAY_VERSION);
    openapi_string(writer, "summary",
                   "The Livepeer network's published numbers, recomputed from "
                   "the events under them.");
    json_key(writer, "license");
    json_begin(writer, '{');
    openapi_string(writer, "name", "MIT");
    openapi_string(writer, "identifier", "MIT");
    json_end(writer, '}');
    json_end(writer, '}');
}

static void add_servers(struct json_writer *writer)
{
    json_key(writer, "servers");
    json_begin(writer, '[');
    json_begin(writer, '{');
    openapi_string(writer, "url", "/");
    json_end(writer, '}');
    json_end(writer, ']');
}

static void add_components(struct json_writer *writer)
{
    json_key(writer, "components");
    json_begin(writer, '{');
    json_key(writer, "securitySchemes");
    json_begin(writer, '{');
    json_key(writer, "token");
    json_begin(writer, '{');
    openapi_string(writer, "type", "http");
    openapi_string(writer, "scheme", "bearer");
    json_end(writer, '}');
    json_end(writer, '}');
    add_answer_headers(writer);
    openapi_schemas(writer);
    json_end(writer, '}');
}

enum err answer_openapi(struct request *request, struct reply *reply)
{
    (void)request;
    struct json_writer writer = reply_json(reply);
    json_begin(&writer, '{');
    openapi_string(&writer, "openapi", "3.1.0");
    add_info(&writer);
    add_servers(&writer);
    add_paths(&writer);
    add_components(&writer);
    json_end(&writer, '}');
    return ERR_NONE;
}
