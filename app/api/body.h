/*
 * body.h: the body of a request as a stream. Private to the API.
 *
 * It is read when a handler asks for it, never more than the handler allows,
 * and counted as it comes: what a header says about its length is no promise.
 */
#ifndef ASSAY_API_BODY_H
#define ASSAY_API_BODY_H

#include "ingest/ingest.h"

struct mg_connection;

struct request_body {
    struct byte_source source; /* of its bytes as they are sent */
    uint64_t most_bytes;       /* to be set before reading */
    uint64_t bytes;            /* read so far */
    bool too_long;             /* ERR_INPUT came from most_bytes */
    bool ended;                /* all of it has been read */
    bool expected;             /* the sender waits to be told to go on */
    struct mg_connection *connection;
    char *buffer;
};

bool has_body(struct mg_connection *connection);

/* Null where CONNECTION's request has none. */
struct request_body *body_of(struct arena *arena,
                             struct mg_connection *connection);

/* What its header says that it will be; 0 where it does not say. */
uint64_t body_promised_bytes(const struct request_body *body);

/* All of it in ARENA, at most MOST_BYTES. */
MUST_USE enum err body_read(struct request_body *body, struct arena *arena,
                            size_t most_bytes, struct text *bytes);

#endif
