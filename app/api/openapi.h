/*
 * openapi.h: between openapi.c, which describes routes, and openapi_shapes.c,
 * which knows what is sent there and back. Private to the API.
 */
#ifndef ASSAY_API_OPENAPI_H
#define ASSAY_API_OPENAPI_H

#include "api/api_int.h"

/* What goes over a route, in the shorthand of openapi_shapes.c. */
struct described {
    const char *route; /* its path; after its method where that is not GET */
    const char *answer;
    bool csv;
    bool fresh;         /* never stored: it has no entity tag */
    const char *status; /* of a good answer; null: 200 */
    const char *body;   /* of the request, as JSON; null for none */
    bool lines;         /* which may be NDJSON as well */
};

/* Every route has one, which a test sees to. */
const struct described *openapi_described(const struct route *route);

/* Member "schemas": those that others refer to. */
void openapi_schemas(struct json_writer *writer);

/* A schema as member KEY. */
void openapi_schema(struct json_writer *writer, const char *key,
                    const char *shorthand);

/* ---- members of an object that is being written -------------------------- */

void openapi_string(struct json_writer *writer, const char *key,
                    const char *value);
/* "type", which may allow null. */
void openapi_type(struct json_writer *writer, const char *type, bool null);

#endif
